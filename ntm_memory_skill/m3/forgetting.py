"""Which memories leave a full matrix: those of least value, and never one that is pinned or important.

A memory's value is a weighted mean of three causes, each from 0 to 1, so that none can drown the others:

    value = 0.3 · priority + 0.5 · use + 0.2 · recency

priority is the importance that it was given. recency is its strength by the law in force. use asks how often it may be
expected to be needed from now on, λ, and is λ/(λ + 0.01 a day). Needs are taken to come as in the MBG/NBD model
(Batislam, Denizel & Filiztekin 2007, after Fader, Hardie & Lee 2005): each memory is needed at a rate of its own, and
its writing, or any need, may turn out to have been the last time. From the number of recalls x, the last of them t_x
days and the present T days after the writing:

    P(still of use) = 1 / (1 + a/(b + x) · ((α + T)/(α + t_x))^(r + x))
    λ               = P(still of use) · (r + x)/(α + T)

So one that was recalled every week is given up some weeks after it was recalled last, and one that was recalled every
quarter is not. What is forgotten keeps its counts, and comes back with them when it is recalled.

A source may have a quota; what is above it leaves in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ntm_memory_skill.m3.strength import DAY, History, StrengthLaw
from ntm_memory_skill.model import Record

IMPORTANT = 0.8
"""The importance from which a memory is never forgotten."""

RATE_SHAPE, RATE_SCALE = 2.0, 10.0  # r; α, in days
"""How often memories of use are needed: Gamma distributed, r/α = 0.2 times a day in the mean."""
DROPPED, KEPT_ON = 3.0, 0.3  # a, b
"""Of memories that were just written, a/b = 10 are never needed for each one that is."""
HALF_USE = 0.01
"""The rate at which use is a half: once in 100 days."""
_LARGEST_EXPONENT = 700.0  # e^700 is still a number


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueWeights:
    """What each cause weighs. They are divided by their sum."""

    priority: float = 0.3
    """Of the importance, 0 and up."""
    use: float = 0.5
    """Of the expected use, 0 and up."""
    recency: float = 0.2
    """Of the strength by the law in force, 0 and up."""

    def __post_init__(self) -> None:
        weights = [getattr(self, field.name) for field in fields(self)]
        if not (all(0 <= weight < np.inf for weight in weights) and sum(weights) > 0):
            raise ValueError("weights are numbers from 0 up, and not all of them 0")


def value(
    history: History, now: float, law: StrengthLaw, weights: ValueWeights | None = None
) -> Float64[np.ndarray, "n"]:
    """Return what each memory is worth keeping for, 0 to 1, for any history.

    Args:
        history: What is known of the memories.
        now: Seconds since 1970.
        law: How strength falls.
        weights: None: the defaults.
    """
    weights = ValueWeights() if weights is None else weights
    causes = (
        weights.priority * np.clip(history.importance, 0, 1)
        + weights.use * use(history, now)
        + weights.recency * law.retrievability(history, now)
    )
    mean: Float64[np.ndarray, "n"] = causes / (weights.priority + weights.use + weights.recency)
    bounded: Float64[np.ndarray, "n"] = np.clip(mean, 0, 1)  # against rounding
    return bounded


def use(history: History, now: float) -> Float64[np.ndarray, "n"]:
    """Return λ/(λ + λ½), 0 to 1: how often each memory may be expected to be needed, against once in 100 days."""
    age = np.maximum(now - history.created, 0) / DAY  # T
    recalled = np.clip((history.last - history.created) / DAY, 0, age)  # t_x
    shape = RATE_SHAPE + np.maximum(history.accesses, 0)  # r + x
    silence = shape * np.log((RATE_SCALE + age) / (RATE_SCALE + recalled))
    odds = DROPPED / (KEPT_ON + shape - RATE_SHAPE) * np.exp(np.minimum(silence, _LARGEST_EXPONENT))
    rate = shape / (RATE_SCALE + age) / (1 + odds)
    share: Float64[np.ndarray, "n"] = rate / (rate + HALF_USE)
    return share


def protected(pinned: Bool[np.ndarray, "n"], importance: Float64[np.ndarray, "n"]) -> Bool[np.ndarray, "n"]:
    """Return which memories are never forgotten: the pinned and the important ones."""
    return pinned | (importance >= IMPORTANT)


def victims(
    values: Float64[np.ndarray, "n"],
    created: Float64[np.ndarray, "n"],
    kept: Bool[np.ndarray, "n"],
    count: int,
) -> Int64[np.ndarray, "v"]:
    """Return the places of the memories to forget, least valuable first; of equal ones the oldest first.

    Args:
        values: What each is worth.
        created: When each was written, in any unit.
        kept: Those that are not to be forgotten, whatever they are worth.
        count: How many; fewer are given where all others are kept.
    """
    free = np.flatnonzero(~kept)
    order = np.lexsort((created[free], values[free]))
    return free[order[: max(count, 0)]]


def weak(history: History, now: float, law: StrengthLaw, threshold: float) -> Bool[np.ndarray, "n"]:
    """Return which memories have a strength under a threshold from 0 to 1, at `now` (seconds since 1970)."""
    under: Bool[np.ndarray, "n"] = law.retrievability(history, now) < threshold
    return under


def over_quota(sources: Mapping[str, int], slots: int, share: float) -> dict[str, int]:
    """Return how many memories each source has above its share of the slots; a source within it is left out.

    Args:
        sources: Memories by the name of their source. What has no name (the empty one) has no quota.
        slots: Of the memory, 1 and up.
        share: What one source may take, 0 to 1; 1 is no quota. A source may always have one memory.
    """
    if share >= 1:
        return {}
    allowed = max(1, int(share * slots))
    return {source: count - allowed for source, count in sources.items() if source and count > allowed}


def reason(record: Record, now: datetime, strength: float | None = None) -> str:
    """Return in words for people why a memory is forgotten.

    Args:
        record: The memory.
        now: When it is forgotten.
        strength: What its strength has fallen to, where that is why; None: the matrix was full.
    """
    cause = "the memory was full: " if strength is None else f"its strength fell too low: to {strength:.2f}, "
    given = f"given {_times(record.accesses)} in {_span(now, record.created)}"
    if record.accessed_at is not None:
        given += f", last {_span(now, record.accessed_at)} ago"
    return f"{cause}{given}; importance {record.importance:.2g}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _span(now: datetime, since: datetime) -> str:
    days = max((now - since).days, 0)
    if days == 0:
        return "less than a day"
    return "1 day" if days == 1 else f"{days} days"
