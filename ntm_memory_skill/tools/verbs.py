"""What each tool does, and the JSON that it answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ntm_memory_skill.engine import Explanation, Likeness, NTMMemoryManager
from ntm_memory_skill.engine.validation import HOW
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.model import Hit, Record, Surrounding, Trace

Arguments = Mapping[str, Any]
JSON = dict[str, Any]

CANDIDATES = 5
LOADING = "The model is still loading: found by words alone. Ask again in a few seconds to search by meaning as well."
UNRANKED = "The reranker is still loading: this is the order without it. Ask again in a few seconds to have it decide."
NOT_LED = "No memory led on to one of these: they are what a single reading finds, and may answer a part alone."
EXCERPT = 120  # characters of a neighbouring memory's text: enough to know it by


def memorize(memory: NTMMemoryManager, given: Arguments) -> JSON:
    """Store one memory."""
    note = memory.memorize(**given)
    return {
        "id": note.id,
        "slot": note.slot,
        "stored": note.stored,
        "related": [_likeness(memory, each) for each in note.related],
        "duplicates": [{**_likeness(memory, each), "action": each.action} for each in note.duplicates],
        "superseded": [{"id": each.old, "by": each.new, "reason": each.reason} for each in note.superseded],
        **({"forgotten": list(note.forgotten)} if note.forgotten else {}),
    }


def recall(memory: NTMMemoryManager, given: Arguments) -> JSON:
    """Return the best memories that fit the budget."""
    pending = memory.reranking.pending
    found = memory.recall(
        given.get("query"),
        key=given.get("key"),
        session=given.get("session"),
        budget=given.get("budget"),
        context=given.get("context", 0),
        **{name: given[name] for name in (*HOW, "include_superseded", "include_forgotten") if name in given},
    )
    return {
        "memories": _hits(found.hits, given),
        "characters": found.characters,
        "omitted": found.omitted,
        **_notice(found.hits, pending, given.get("hops", 1)),
    }


def search(memory: NTMMemoryManager, given: Arguments) -> JSON:
    """Return ranked hits; with explain, also the best memory that is none."""
    pending = memory.reranking.pending
    wanted = {"top_k": given.get("top_k", 5), "context": given.get("context", 0), **given.get("filters", {})}
    wanted |= {name: given[name] for name in HOW if name in given}
    missed = None
    if given.get("explain", False):
        hits, missed = memory.search_explained(given["query"], **wanted)
    else:
        hits = memory.search(given["query"], **wanted)
    return {"hits": _hits(hits, given), **_missed(missed), **_notice(hits, pending, given.get("hops", 1))}


def update(memory: NTMMemoryManager, given: Arguments) -> JSON:
    """Give a memory a new version."""
    record = memory.update(
        given["id"],
        given.get("content"),
        importance=given.get("importance"),
        tags=given.get("tags"),
        reason=given.get("reason"),
        pinned=given.get("pinned"),
    )
    return {"memory": record_json(record), "version": len(record.versions) + 1, "previous": record.versions[-1].content}


def erase(memory: NTMMemoryManager, given: Arguments) -> JSON:
    """Erase by id; by query only what the query names exactly."""
    ways = [name for name in ("id", "ids", "query") if name in given]
    if len(ways) != 1:
        raise InvalidArgument("erase takes one of id, ids or query", hint="Give exactly one of them.")
    if ways == ["query"]:
        named = _named(memory, given["query"])
        if len(named) != 1:
            return _candidates(memory, given["query"], named)
        ids = [named[0].id]
    else:
        ids = given["ids"] if ways == ["ids"] else [given["id"]]
    receipt = memory.erase(
        *ids,
        strength=given.get("strength", 1.0),
        purge=given.get("purge", False),
        reason=given.get("reason"),
    )
    return {"receipt": {**receipt.described(), "digest": receipt.digest}}


def record_json(record: Record) -> JSON:
    """Return a memory as every tool shows it; fields that were not given are left out."""
    shown = {
        "id": record.id,
        "content": record.content,
        "when": record.at.isoformat(),
        "session": record.session,
        "key": record.key,
        "type": record.type,
        "tags": list(record.tags) or None,
        "importance": record.importance,
        "source": record.source,
        "ref": record.ref,
        "strength": None if record.strength == 1 else record.strength,
        "valid_until": None if record.valid_until is None else record.valid_until.isoformat(),
        "pinned": record.pinned or None,
        "said": _times_said(record),
        "superseded_by": record.superseded_by,
        "distilled_from": list(record.distilled_from) or None,
        "forgotten_because": record.forgotten_because,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _times_said(record: Record) -> int | None:
    """Return how often a memory was said, in these words or nearly; None for once."""
    times = 1 + record.repeats + len(record.absorbed)
    return times if times > 1 else None


def hit_json(hit: Hit, *, explain: bool, context: bool) -> JSON:
    """Return a hit: the memory, its score, and why it was found; what was said around it, and its trace, on demand."""
    shown = {**record_json(hit.record), "content": hit.content, "score": round(hit.score, 6), "why": _why(hit.trace)}
    around = {"context": [_surrounding(each) for each in hit.context]} if context else {}
    return {**shown, **around, **({"trace": _trace(hit.trace)} if explain else {})}


def differences_json(explanation: Explanation) -> list[JSON]:
    """Return what sets a memory apart from the one that it is compared with, the greatest first."""
    return [{"name": each.name, "amount": each.amount} for each in explanation.differences]


def _hits(hits: Sequence[Hit], given: Arguments) -> list[JSON]:
    explain, context = given.get("explain", False), given.get("context", 0) > 0
    return [hit_json(hit, explain=explain, context=context) for hit in hits]


def _surrounding(said: Surrounding) -> JSON:
    shown = {
        "id": said.id,
        "content": said.content,
        "offset": said.offset,
        "when": said.at.isoformat(),
        "source": said.source,
        "ref": said.ref,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _why(trace: Trace) -> JSON:
    """Return the reasons in short: meaning, shared words, and what was said next to it."""
    reasons: JSON = {} if trace.cosine is None else {"cosine": round(trace.cosine, 3)}
    if trace.matched_terms:
        reasons["words"] = list(trace.matched_terms)
    if trace.neighbours and trace.neighbours[0].weight > trace.gated:
        reasons["said_next_to"] = trace.neighbours[0].id
    if trace.chain:
        reasons["led_by"] = [
            {"id": step.id, "by": step.by, **({} if step.name is None else {"name": step.name})} for step in trace.chain
        ]
    if trace.later_than is not None:
        reasons["later_than"] = trace.later_than
    if trace.rerank is not None:
        reasons["rerank"] = round(trace.rerank, 3)
    if trace.backend == "crossbar":
        reasons["backend"] = trace.backend
    return reasons


def _missed(missed: Explanation | None) -> JSON:
    if missed is None:
        return {}
    shown = {"id": missed.hit.id, "content": missed.hit.content[:EXCERPT], "rank": missed.rank}
    return {"missed": {**shown, "differences": differences_json(missed)}}


def _notice(hits: Sequence[Hit], pending: bool, hops: int = 1) -> JSON:
    """Return what the model has to know about an answer as a whole: what could not be looked at yet.

    Args:
        hits: The answer.
        pending: Whether the reranker was still to come when the question was asked. It may have come since.
        hops: How many were asked for.
    """
    if any(hit.trace.cosine is None for hit in hits):
        return {"notice": LOADING}
    unranked = pending and hits and all(hit.trace.rerank is None for hit in hits)
    if unranked:
        return {"notice": UNRANKED}
    led = any(hit.trace.chain for hit in hits)
    return {"notice": NOT_LED} if hops > 1 and hits and not led else {}


def _trace(trace: Trace) -> JSON:
    return {
        "cosine": trace.cosine,
        "bm25": trace.bm25,
        "lexical_share": trace.lexical_share,
        "content_score": trace.content_score,
        "terms": [
            {"name": term.name, "value": term.value, "weight": term.weight, "contribution": term.contribution}
            for term in trace.terms
        ],
        "stages": {
            "content": trace.content,
            "gated": trace.gated,
            "shifted": trace.shifted,
            "sharpened": trace.sharpened,
        },
        "neighbours": [
            {"id": neighbour.id, "offset": neighbour.offset, "weight": neighbour.weight}
            for neighbour in trace.neighbours
        ],
        "chain": [{"id": step.id, "by": step.by, "name": step.name, "amount": step.amount} for step in trace.chain],
        "told": trace.told,
        "later_than": trace.later_than,
        "rerank": trace.rerank,
        "backend": trace.backend,
    }


def _likeness(memory: NTMMemoryManager, alike: Likeness) -> JSON:
    record = memory.state.anywhere(alike.id)
    excerpt = "" if record is None else record.content[:EXCERPT]
    return {"id": alike.id, "content": excerpt, "cosine": round(alike.cosine, 3), "overlap": round(alike.overlap, 3)}


def _named(memory: NTMMemoryManager, query: str) -> list[Record]:
    """Return the memories whose text or key is exactly the query, but for case and blanks around it."""
    wanted = query.strip().casefold()
    return [
        record
        for record in list(memory.state.records.values())
        if wanted in {name.strip().casefold() for name in (record.content, record.key) if name is not None}
    ]


def _candidates(memory: NTMMemoryManager, query: str, named: list[Record]) -> JSON:
    pending = memory.reranking.pending
    hits = memory.search(query, top_k=CANDIDATES)
    shown = [record_json(record) for record in named] or [record_json(hit.record) for hit in hits]
    return {
        "receipt": {"action": "none", "count": 0, "ids": []},
        "candidates": shown,
        "hint": "Nothing was erased: the query names no single memory. Call erase again with the id of the right one.",
        **({} if named else _notice(hits, pending)),
    }
