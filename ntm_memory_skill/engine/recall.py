"""The read path: a cue, content scores, the four stages of addressing, hits with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float32, Int64

from ntm_memory_skill.engine.answers import Attention
from ntm_memory_skill.engine.cue import Cue
from ntm_memory_skill.engine.evidence import TERMS, Evidence, gather, statistics
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.engine.settings import AddressingSettings
from ntm_memory_skill.engine.trained import TrainedHead, steer, weights_in_order
from ntm_memory_skill.model import Hit, Neighbour, Query, Step, Term, Trace
from ntm_memory_skill.ntm import Ground, Looks, Stages, State, Steering, address, addressing

Weights = Float32[np.ndarray, "n"]
Places = Int64[np.ndarray, "k"]
SPREAD = 0.15
"""How far the λ of several untrained heads lie to both sides of the one that a single head would have, where the
encoder can read the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """Where the heads look, and everything that moved them there. Arrays have one entry a slot."""

    evidence: Evidence
    by_head: Float32[np.ndarray, "heads n"]
    """Content scores: the sum of the terms."""
    scores: Weights
    """What was addressed by, averaged over the heads: content scores, and what chains `led` to."""
    weights: Mapping[str, float]
    """ω: what each term weighs, averaged over the heads."""
    heads: Steering
    ground: Ground
    looks: Looks
    stages: Stages
    state: State | None = None
    """An LSTM's, for the chat's next recall."""
    led: Weights | None = None
    """What chains of memories added to the content scores; None where the memory was read once."""
    told: Weights | None = None
    """ln of what weights were raised by after the shift, for what those have told whom the question names."""


class Reasons(Protocol):
    """Whoever knows what led to a memory."""

    def steps(self, slot: int) -> tuple[Step, ...]:
        """Return the memories that led to one, in the order in which they were read."""
        ...


@dataclass(frozen=True, slots=True)
class Sight:
    """A memory as it is being looked at."""

    projection: Projection
    cue: Cue
    focus: Focus
    journey: Reasons | None = None
    """What was read in further hops; None where there was one."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a chat's last recall left behind."""

    weights: Weights | None = None
    """w_{t−1}; None leaves the gate open."""
    state: State | None = None


def focus(
    projection: Projection,
    cue: Cue,
    settings: AddressingSettings,
    admitted: Bool[np.ndarray, "n"],
    past: Past,
    trained: TrainedHead | None = None,
) -> Focus:
    """Address the memory. At least one slot must be admitted.

    Only the product of the key and the matrix is left to the matrix's own library. What follows are vectors of N
    numbers: numpy does them on one thread, where torch would wake others and wait for them at every step.
    """
    derived = projection.derived
    evidence = gather(projection, cue, settings, admitted, learnt=trained is not None)
    state = None
    if trained is None:
        omega, heads = _untrained(evidence, cue, settings)
    else:
        seen = statistics(evidence, cue, projection)
        omega, heads, state = steer(trained, evidence, seen, settings.head, past.state)
    if not settings.content:  # location alone: all weight comes from where the head looked before
        omega, heads = np.zeros_like(omega), heads._replace(gate=np.zeros_like(heads.gate))
    scores = _scores(evidence, omega)
    ground = Ground(
        present=admitted,
        sources=derived.sources if settings.location else None,
        relative_lengths=derived.relative_lengths if settings.location and trained is not None else None,
        conveyance=derived.conveyance(settings.head) if settings.location and trained is None else None,
        previous=past.weights,
    )
    looks = address(scores, heads, ground)
    return Focus(
        evidence=evidence,
        by_head=scores,
        scores=np.mean(scores, axis=0),
        weights=dict(zip(TERMS, omega.mean(axis=0).tolist(), strict=True)),
        heads=heads,
        ground=ground,
        looks=looks,
        stages=looks.merged(heads.sharpening),
        state=state,
    )


def led(focus: Focus, amounts: Weights) -> Focus:
    """Return where the heads look if chains of memories add something to the content scores."""
    scores = focus.by_head + amounts
    looks = address(scores, focus.heads, focus.ground)
    stages = looks.merged(focus.heads.sharpening)
    return replace(focus, led=amounts, scores=np.mean(scores, axis=0), looks=looks, stages=stages)


def raised(focus: Focus, told: Weights) -> Focus:
    """Return where the heads look if weights are raised after the shift: w̃(i) ∝ w̃(i) · exp(told(i)).

    What somebody said is often found by what stands beside it, so weight has to arrive before it is weighed who spoke.
    """
    weights = focus.stages.shifted * np.exp(told)
    shifted = weights / weights.sum()
    sharpened = addressing.sharpen(shifted, np.mean(focus.heads.sharpening))
    return replace(focus, told=told, stages=focus.stages._replace(shifted=shifted, sharpened=sharpened))


def _untrained(
    evidence: Evidence, cue: Cue, settings: AddressingSettings
) -> tuple[Float32[np.ndarray, "heads terms"], Steering]:
    """Return the terms' weights and the parameters of the default heads."""
    count = settings.num_read_heads
    share = evidence.lexical_share
    one = settings.head.steering(np)
    if count == 1 or cue.key is None:
        return weights_in_order(evidence)[None, :], one
    spread = SPREAD * (1 - cue.illegible)
    shares = np.clip(np.linspace(share - spread, share + spread, count), 0, 1).tolist()
    omega = np.stack([weights_in_order(evidence.shared(each)) for each in shares])
    return omega, Steering(*(np.concatenate([each] * count, axis=0) for each in one))


def _scores(evidence: Evidence, omega: Float32[np.ndarray, "heads terms"]) -> Any:
    """Return Σ_t ω_t · term_t for each head, leaving out terms that weigh nothing."""
    names = [name for place, name in enumerate(TERMS) if name in evidence.terms and omega[:, place].any()]
    if not names:
        return np.zeros_like(evidence.terms["words"])[None, :]
    weights = np.ascontiguousarray(omega[:, [TERMS.index(name) for name in names]])
    return weights @ np.stack([evidence.terms[name] for name in names], axis=0)


def hits(seen: Sight, query: Query) -> list[Hit]:
    """Return the `top_k` memories with the most weight, best first; equal ones in the order of their slots."""
    ranking = seen.focus.stages.shifted  # sharpening keeps the order, and may round the small ones to 0
    best = _largest(ranking, min(query.top_k, int(np.count_nonzero(ranking > 0))))
    explain = explainer(seen, best)
    return [explain(slot, query) for slot in best]


def attention(seen: Sight) -> Attention:
    """Return the weights of every stage over the memories that may be seen, in the order of time."""
    stages = seen.focus.stages
    visible = [seen.projection.record(int(slot)) for slot in np.flatnonzero(stages.shifted > 0)]
    records = sorted(visible, key=lambda record: (record.at, record.ordinal))
    slots = [record.slot for record in records]
    return Attention(tuple(records), *(tuple(weights[slots].tolist()) for weights in stages))


def explainer(seen: Sight, slots: Sequence[int]) -> Callable[[int, Query], Hit]:
    """Return what makes a hit, with its trace, of any of some slots."""
    projection, focused, evidence = seen.projection, seen.focus, seen.focus.evidence
    places = np.asarray(slots, np.int64)
    rows = {slot: row for row, slot in enumerate(slots)}
    cosines, lent = _cosines(seen, places), _neighbours(seen, places)
    terms, stages = _terms(focused, places), list(zip(*(_at(each, places) for each in focused.stages), strict=True))
    bm25, scores, told = (_at(each, places) for each in (evidence.match.scores, focused.scores, focused.told))

    def hit(slot: int, query: Query) -> Hit:
        row, record, moment = rows[slot], projection.record(slot), query.filters.as_of
        content, gated, shifted, sharpened = stages[row]
        trace = Trace(
            cosine=cosines[row],
            bm25=bm25[row],
            lexical_share=evidence.lexical_share,
            content_score=scores[row],
            terms=terms[row],
            matched_terms=projection.lexical.matched(seen.cue.terms, slot),
            neighbours=lent[row],
            content=content,
            gated=gated,
            shifted=shifted,
            told=told[row],
            sharpened=sharpened,
            chain=() if seen.journey is None else seen.journey.steps(slot),
            backend=evidence.backend,
        )
        return Hit(record, sharpened, trace, None if moment is None else record.content_at(moment))

    return hit


def _at(values: Weights | None, places: Places) -> list[float]:
    """Return what stands at some places; 0 where nothing is told."""
    return [0.0] * len(places) if values is None else values[places].tolist()


def _terms(focused: Focus, places: Places) -> list[tuple[Term, ...]]:
    """Return the terms of each slot that weigh anything."""
    weighing = [(name, values, focused.weights[name]) for name, values in focused.evidence.terms.items()]
    if focused.led is not None:
        weighing.append(("hops", focused.led, 1.0))
    columns = [
        [Term(name, value, weight) for value in _at(values, places)] for name, values, weight in weighing if weight
    ]
    return list(zip(*columns, strict=True)) if columns else [()] * len(places)


def _cosines(seen: Sight, places: Places) -> list[float] | list[None]:
    """Return the cosine of the question's key and the key of each slot; None where the question has no key.

    What rows amount to as bytes, or an index took them for, decides nothing that is told.
    """
    evidence, key = seen.focus.evidence, seen.cue.key
    if evidence.similarity is None or key is None:
        return [None] * len(places)
    exactly = evidence.backend in ("quantised", "ivf")
    found = seen.projection.matrix.matches(key[None, :], places)[0] if exactly else evidence.similarity[places]
    cosines: list[float] = (np.asarray(found) / seen.projection.strengths[places]).tolist()
    return cosines


def _neighbours(seen: Sight, places: Places) -> list[tuple[Neighbour, ...]]:
    """Return for each slot the memories that weight was shifted from, largest first."""
    ground, heads = seen.focus.ground, seen.focus.heads
    if ground.sources is None or not len(places):
        return [()] * len(places)
    sources, shares = ground.sources[:, places], heads.kernel[..., None]
    if ground.conveyance is not None:
        shares = ground.conveyance.arriving[:, places]
    elif ground.relative_lengths is not None:
        shares = shares * addressing.passing(ground.relative_lengths[:, places], heads.length_ratio)
    gated = seen.focus.looks.gated
    there = sources < gated.shape[1]
    arrived = (shares * gated[:, np.where(there, sources, 0)] * there).mean(axis=0)
    reach = len(sources) // 2
    arrived[reach] = 0  # what stayed
    order = np.argsort(-arrived, axis=0, kind="stable")
    given = zip(*(each.T.tolist() for each in (order, arrived, sources)), strict=True)
    record = seen.projection.record
    return [
        tuple(Neighbour(record(came[row]).id, row - reach, weights[row]) for row in largest_first if weights[row] > 0)
        for largest_first, weights, came in given
    ]


def _largest(values: Weights, count: int) -> list[int]:
    """Return the places of the `count` largest values, largest first, equal ones in their order; sorts only those."""
    if count == 0:
        return []
    least = np.partition(values, len(values) - count)[len(values) - count]
    candidates = np.flatnonzero(values >= least)
    chosen: list[int] = candidates[np.argsort(-values[candidates], kind="stable")[:count]].tolist()
    return chosen
