"""Ways to look into the memory, by name.

    adaptive     the read path as configured, or as it was trained
    exact        words alone, and only memories that hold every word of the question
    semantic     meaning alone: the cosine of the keys, nothing said before or after, no time
    contextual   adaptive, drawn to what was last said in the chat that asks
    temporal     times decide more, and the hits stand in the order in which they happened

Each is the one read path, with other weights.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from ntm_memory_skill.engine.settings import AddressingSettings
from ntm_memory_skill.lexical import tokenize
from ntm_memory_skill.m3 import CANDIDATES, Candidate, latest
from ntm_memory_skill.model import Hit, Mode, Query, Record

IN_HOPS: frozenset[Mode] = frozenset({"adaptive", "contextual", "temporal"})
"""Modes that may read in several hops. The others say of themselves what alone decides."""
CONTEXT = 0.5
"""Weight of the chat's context in the mode "contextual", where none is configured."""
TIMES = 3.0
"""How many times as much as configured time weighs in the mode "temporal"."""


def addressing_for(mode: Mode, settings: AddressingSettings) -> AddressingSettings:
    """Return the settings of a mode. Any but "adaptive" looks with the default head."""
    plain = replace(settings, trained=False)
    match mode:
        case "adaptive":
            return settings
        case "exact":
            return replace(plain, lexical_share=1.0, location=False, time=0.0, association=0.0)
        case "semantic":
            return replace(
                plain,
                lexical_share=0.0,
                unknown_tolerance=math.inf,
                location=False,
                commonness=0.0,
                brevity=0.0,
                time=0.0,
                association=0.0,
            )
        case "contextual":
            return replace(plain, context=settings.context or CONTEXT)
        case "temporal":
            return replace(plain, time=settings.time * TIMES)


def arranged(query: Query, hits: Sequence[Hit], successors: Container[str] | None) -> list[Hit]:
    """Return an answer's hits in the order in which they are given, as many as were asked for.

    Best first; in the mode "adaptive", before that the latest of those that rival the best; in "temporal", as they
    happened; where a reranker ranked them, its order stands. What was superseded stands behind what holds in its place.

    Args:
        query: What was asked.
        hits: What was found, best first.
        successors: Ids of memories that are known to hold in the place of others; None leaves the best in front.
    """
    ordered = list(hits)
    ranked = any(hit.trace.rerank is not None for hit in hits)
    if query.mode == "adaptive" and successors is not None and not ranked:
        ordered = latest_first(query, hits, successors)
    ordered = current_first(ordered) if query.filters.include_superseded else ordered
    given = ordered[: query.top_k]
    return sorted(given, key=lambda hit: (hit.at, hit.record.ordinal)) if query.mode == "temporal" else given


def wide(query: Query) -> Query:
    """Return a query for as many hits as `arranged` looks at."""
    return replace(query, top_k=max(query.top_k, CANDIDATES))


def latest_first(query: Query, hits: Sequence[Hit], successors: Container[str]) -> list[Hit]:
    """Return hits with the latest of the first one and its rivals in front; see `m3.currency`."""
    as_of = query.filters.as_of
    if hits and hits[0].record.key is not None and hits[0].record.key.casefold() == query.text.strip().casefold():
        return list(hits)  # it was asked for by its name
    seen = [
        Candidate(
            hit.trace.content_score,
            hit.content,
            partial(_terms, hit.content),
            hit.record.said_at(as_of),
            known=_in_a_succession(hit.record, successors),
        )
        for hit in hits[:CANDIDATES]
    ]
    place = latest(query.text, seen)
    if place == 0:
        return list(hits)
    first = replace(hits[place], trace=replace(hits[place].trace, later_than=hits[0].id))
    return [first, *(hit for number, hit in enumerate(hits) if number != place)]


@lru_cache(maxsize=4_096)
def _terms(statement: str) -> frozenset[str]:
    return frozenset(tokenize(statement))


def _in_a_succession(record: Record, successors: Container[str]) -> bool:
    return record.supersedes is not None or record.superseded_by is not None or record.id in successors


def current_first(hits: Sequence[Hit]) -> list[Hit]:
    """Return hits in their order, but each one that was superseded directly behind the one that holds in its place."""
    left = {hit.id: hit for hit in hits}
    ordered: list[Hit] = []
    for hit in hits:
        chain = []
        each: Hit | None = left.get(hit.id)
        while each is not None:
            chain.append(left.pop(each.id))
            by = each.record.superseded_by
            each = None if by is None else left.get(by)
        ordered.extend(reversed(chain))
    return ordered
