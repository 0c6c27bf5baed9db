"""Why a memory stands where it stands, and why another stands before it.

Weights are products of what each stage did, so their logarithms add up. Between two memories a and b

    ln w̃(a)/w̃(b)  =  Σ_t β ω_t (term_t(a) − term_t(b))  +  gate  +  shift

where gate is the difference of ln(w_g / w_c) and shift that of ln(w̃ / w_g), without what was raised after it because of
who told it, which is listed as "told". What further hops added is the term "hops". With one head the sum is exact;
several heads average weights, not logarithms, and what that makes is listed as "merging".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ntm_memory_skill.engine import recall as read_path
from ntm_memory_skill.model import Hit, Query, Trace

LEAST = 1e-30  # a weight of 0 has no logarithm


@dataclass(frozen=True, slots=True)
class Difference:
    """What one term or stage does for one memory against another."""

    name: str
    """A term of the content score, "gate", "shift" or "merging"."""
    amount: float
    """What it adds to ln(weight of the memory / weight of the other): above 0 it speaks for the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one memory stands where it stands for a question."""

    hit: Hit
    rank: int
    """Its place among all memories that may be seen, 1 for the best."""
    among: int
    """How many there are."""
    other: Hit | None
    """What it is compared with: the last that is given, where it is not; else the first that is not. None: no other."""
    other_rank: int | None
    differences: tuple[Difference, ...]
    """What speaks for it against the other, and what against it; the greatest first. They sum to the logarithm of the
    ratio of their weights."""

    @property
    def given(self) -> bool:
        """Whether it is among the memories that are given."""
        return self.other_rank is None or self.rank < self.other_rank


def explain(seen: read_path.Sight, slot: int, query: Query) -> Explanation:
    """Return why the memory in a slot stands where it stands. The slot must be one that may be seen."""
    ranking = np.asarray(seen.focus.stages.shifted)
    order = np.argsort(-ranking, kind="stable")
    order = order[np.asarray(seen.focus.ground.present)[order]]
    rank = int(np.flatnonzero(order == slot)[0]) + 1
    given = min(query.top_k, int(np.count_nonzero(ranking > 0)))
    rival = given if rank > given else given + 1
    opponent = int(order[rival - 1]) if rival <= len(order) and rival != rank else None
    make = read_path.explainer(seen, [slot] if opponent is None else [slot, opponent])
    hit, other = make(slot, query), None if opponent is None else make(opponent, query)
    return Explanation(
        hit=hit,
        rank=rank,
        among=len(order),
        other=other,
        other_rank=None if other is None else rival,
        differences=() if other is None else differences(hit.trace, other.trace, _key_strength(seen)),
    )


def differences(one: Trace, other: Trace, key_strength: float) -> tuple[Difference, ...]:
    """Return what made one memory's weight differ from another's, the greatest first."""
    theirs = {term.name: term.contribution for term in other.terms}
    amounts = {term.name: key_strength * (term.contribution - theirs[term.name]) for term in one.terms}
    amounts["gate"] = _step(one.gated, one.content) - _step(other.gated, other.content)
    amounts["told"] = one.told - other.told
    amounts["shift"] = _step(one.shifted, one.gated) - _step(other.shifted, other.gated) - amounts["told"]
    rest = _step(one.shifted, other.shifted) - sum(amounts.values())
    if abs(rest) > 1e-3:
        amounts["merging"] = rest
    made = (Difference(name, amount) for name, amount in amounts.items() if abs(amount) > 1e-6)
    return tuple(sorted(made, key=lambda each: -abs(each.amount)))


def _step(after: float, before: float) -> float:
    return math.log(max(after, LEAST)) - math.log(max(before, LEAST))


def _key_strength(seen: read_path.Sight) -> float:
    return float(np.asarray(seen.focus.heads.key_strength).mean())
