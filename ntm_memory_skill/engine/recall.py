"""The read path: a cue, content scores, the four stages of addressing, hits with their reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from ntm_memory_skill.engine.answers import Attention
from ntm_memory_skill.engine.cue import Cue
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.engine.settings import AddressingSettings
from ntm_memory_skill.model import Hit, Neighbour, Query, Record, Trace
from ntm_memory_skill.ntm import HeadParameters, Stages, address, addressing

Weights = Float32[np.ndarray, "n"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """Where the head looks, and every term that moved it there. All arrays have one entry a slot."""

    similarity: Weights | None
    """None where the cue has no key."""
    bm25: Weights
    scores: Weights
    stages: Stages


@dataclass(frozen=True, slots=True)
class Sight:
    """A memory as it is being looked at."""

    projection: Projection
    cue: Cue
    focus: Focus


def focus(
    projection: Projection,
    cue: Cue,
    settings: AddressingSettings,
    admitted: Bool[np.ndarray, "n"],
    previous: Weights | None,
) -> Focus:
    """Address the memory. At least one slot must be admitted."""
    xp = projection.xp
    present = xp.asarray(admitted)
    bm25 = xp.asarray(projection.lexical.scores(cue.terms, len(projection)))
    scores = cue.lexical_share * addressing.standardize(bm25, present)
    similarity = None if cue.key is None else projection.matrix.similarities(cue.key)
    if similarity is not None:
        scores = scores + (1 - cue.lexical_share) * addressing.standardize(similarity, present)
    if not settings.content:
        scores = xp.zeros_like(scores)
    stages = address(
        scores,
        settings.head if settings.content else _closed_gate(settings),
        present=present,
        sources=projection.sources() if settings.location else None,
        previous=None if previous is None else xp.asarray(previous),
        xp=xp,
    )
    return Focus(similarity=similarity, bm25=bm25, scores=scores, stages=stages)


def hits(seen: Sight, query: Query, settings: AddressingSettings) -> list[Hit]:
    """Return the `top_k` memories with the most weight, best first; equal ones in the order of their slots."""
    ranking = _array(seen.focus.stages.shifted)  # sharpening keeps the order, and may round the small ones to 0
    best = _largest(ranking, min(query.top_k, int(np.count_nonzero(ranking > 0))))
    explain = _explainer(seen, settings)
    return [explain(slot, query) for slot in best]


def attention(seen: Sight) -> Attention:
    """Return the weights of every stage over the memories that may be seen, in the order of time."""
    stages = seen.focus.stages
    visible = [seen.projection.record(int(slot)) for slot in np.flatnonzero(_array(stages.shifted) > 0)]
    records = sorted(visible, key=lambda record: (record.at, record.ordinal))
    slots = [record.slot for record in records]
    return Attention(tuple(records), *(tuple(_array(weights)[slots].tolist()) for weights in stages))


def _explainer(seen: Sight, settings: AddressingSettings) -> Callable[[int, Query], Hit]:
    """Return what makes a hit, with its trace, of a slot."""
    projection, cue, focused = seen.projection, seen.cue, seen.focus
    stages = {name: _array(weights) for name, weights in focused.stages._asdict().items()}
    similarity = None if focused.similarity is None else _array(focused.similarity)
    bm25, scores = _array(focused.bm25), _array(focused.scores)

    def hit(slot: int, query: Query) -> Hit:
        record = projection.record(slot)
        trace = Trace(
            cosine=None if similarity is None else float(similarity[slot]) / record.strength,
            bm25=float(bm25[slot]),
            lexical_share=cue.lexical_share,
            content_score=float(scores[slot]),
            matched_terms=projection.lexical.matched(cue.terms, slot),
            neighbours=_neighbours(projection, slot, stages["gated"], settings) if settings.location else (),
            **{name: float(weights[slot]) for name, weights in stages.items()},
        )
        return Hit(record, trace.sharpened, trace, _text_at(record, query))

    return hit


def _neighbours(
    projection: Projection, slot: int, gated: Weights, settings: AddressingSettings
) -> tuple[Neighbour, ...]:
    """Return the memories that weight was shifted from, largest first."""
    reach, kernel = settings.head.reach, settings.head.kernel
    column = _array(projection.sources()[:, slot])
    found = []
    for offset in range(-reach, reach + 1):
        source = int(column[offset + reach])
        if offset == 0 or source >= len(gated) or gated[source] <= 0:
            continue
        arrived = kernel[offset + reach] * float(gated[source])
        found.append(Neighbour(projection.record(source).id, offset, arrived))
    return tuple(sorted(found, key=lambda neighbour: -neighbour.weight))


def _text_at(record: Record, query: Query) -> str | None:
    """Return the version that held at `as_of`, or None where that is the present one."""
    moment = query.filters.as_of
    if moment is None:
        return None
    return next((version.content for version in record.versions if version.replaced_at > moment), None)


def _closed_gate(settings: AddressingSettings) -> HeadParameters:
    """Return the head for location addressing alone: all weight comes from where it looked before."""
    return replace(settings.head, gate=0.0)


def _largest(values: Weights, count: int) -> list[int]:
    """Return the places of the `count` largest values, largest first, equal ones in their order; sorts only those."""
    if count == 0:
        return []
    least = np.partition(values, len(values) - count)[len(values) - count]
    candidates = np.flatnonzero(values >= least)
    chosen: list[int] = candidates[np.argsort(-values[candidates], kind="stable")[:count]].tolist()
    return chosen


def _array(values: Any) -> np.ndarray[Any, Any]:
    return np.asarray(values)
