"""Links between memories: those that are given in one answer draw each other, and bring each other to mind later.

    learning    w ← w + η · (x·y − w·(x² + y²)/2)         Oja 1982, the mean of its two directions
    decay       w(t) = w · ½^(t / half-life)
    spreading   r(i) = 1 − Π_j (1 − a(j) · w_ji / max(1, Σ_k w_jk))

Oja's rule, Δw = η·y·(x − y·w), changes one direction of a link. Both ends hold the same link here, so x and y take
turns, and the change is the mean. For two activations it settles at w* = 2xy/(x² + y²): at 1 for memories that are
always recalled alike, and nothing leads out of [0, 1], as w is moved by the share η·(x² + y²)/2 ≤ η of its way to w*.

The activation that a memory passes on is divided among its links (the fan effect, Anderson 1983, "A spreading
activation theory of memory"), and a link carries no more than its own weight. What comes from several sources is joined
like independent causes, so it stays in [0, 1], and all that arrives is no more than what the sources hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import combinations

from ntm_memory_skill.model import Link

DAY = timedelta(days=1)
HALF_LIFE_DAYS = 30.0
LEARNING_RATE = 0.2  # η
MOST_TOGETHER = 5
"""How many memories of one answer learn: the strongest."""
MOST_LINKS = 16
"""How many links a memory holds; the weakest give way, at both ends."""
LEAST_WEIGHT = 0.01
"""A weaker pair is no link: it would take up a place and carry nothing."""
MOST_SOURCES = 64
"""How many memories pass on activation in one step: the most active ones."""

Links = tuple[Link, ...]
LinksOf = Callable[[str], Links | None]


def decayed(link: Link, now: datetime, half_life_days: float = HALF_LIFE_DAYS) -> float:
    """Return a link's weight at a moment, 0 to 1. A moment before `link.at` is taken for `link.at`.

    Args:
        link: The link as it is held.
        now: The moment.
        half_life_days: Days in which it loses half its weight, above 0; infinity keeps it.

    Raises:
        ValueError: The half-life is not above 0.
    """
    if not half_life_days > 0:
        raise ValueError(f"half_life_days is a number above 0, not {half_life_days}")
    age = max((now - link.at) / DAY, 0.0)
    return float(link.weight * math.pow(0.5, age / half_life_days))


def co_recalled(
    links_of: LinksOf,
    activations: Mapping[str, float],
    now: datetime,
    *,
    learning_rate: float = LEARNING_RATE,
    half_life_days: float = HALF_LIFE_DAYS,
) -> dict[str, Links]:
    """Let the memories of one answer learn, and return the links of those that changed, each with all of its links.

    A pair that is linked at one end alone, as after a repair, is linked at both from here on. Where a memory has no
    room, a new link that is weaker than all it holds is not made, and the memory has not changed.

    Args:
        links_of: The links that a memory holds now; None for one that is not known: it holds none, and its end of a
            dropped link is nobody's.
        activations: How strongly each memory of the answer was recalled, 0 to 1. The strongest `MOST_TOGETHER` above 0
            learn.
        now: When the answer was given.
        learning_rate: η, above 0 to 1.
        half_life_days: As in `decayed`.

    Raises:
        ValueError: A number is out of its range.
    """
    if not 0 < learning_rate <= 1:
        raise ValueError(f"learning_rate is from above 0 to 1, not {learning_rate}")
    together = _strongest(activations, MOST_TOGETHER)
    ends = _Ends(links_of, now, half_life_days)
    for (one, x), (other, y) in combinations(together, 2):
        w = ends.weight(one, other)
        ends.join(one, other, min(w + learning_rate * (x * y - w * (x * x + y * y) / 2), 1.0))
    for one, _ in together:
        ends.trim(one)
    return ends.changed()


def spread(
    seeds: Mapping[str, float],
    links_of: Callable[[str], Links],
    now: datetime,
    steps: int = 1,
    *,
    half_life_days: float = HALF_LIFE_DAYS,
) -> dict[str, float]:
    """Return what activation reaches which memories along their links, above 0 to 1; those that it misses are left out.

    A seed's own activation is not in the result: it gets what other memories pass on to it. In a second step it hears
    its own echo too. Work is bounded: `steps` × `MOST_SOURCES` memories pass on along their links.

    Args:
        seeds: Activation of the memories that it starts from, 0 to 1.
        links_of: The links of a memory; none for one that is not known.
        now: The moment to which links have decayed.
        steps: How many links far, 1 and up. What arrived in one step is passed on in the next.
        half_life_days: As in `decayed`.

    Raises:
        ValueError: A number is out of its range.
    """
    if steps < 1:
        raise ValueError(f"steps is a whole number from 1 up, not {steps}")
    reached: dict[str, float] = {}
    active = seeds
    for _ in range(steps):
        arrived: dict[str, float] = {}
        for source, activation in _strongest(active, MOST_SOURCES):
            weights = {link.id: decayed(link, now, half_life_days) for link in links_of(source)}
            fan = max(1.0, sum(weights.values()))
            for target, weight in weights.items():
                arrived[target] = _either(arrived.get(target, 0.0), activation * weight / fan)
        for target, activation in arrived.items():
            reached[target] = _either(reached.get(target, 0.0), activation)
        active = arrived
    return {target: activation for target, activation in reached.items() if activation > 0}


class _Ends:
    """Both ends of every link that an answer touches."""

    def __init__(self, links_of: LinksOf, now: datetime, half_life_days: float) -> None:
        self._links_of, self._now, self._half_life_days = links_of, now, half_life_days
        self._held: dict[str, dict[str, Link]] = {}

    def weight(self, one: str, other: str) -> float:
        """Return how strongly two are linked now; the stronger end counts where they disagree."""
        ends = (self._links(one).get(other), self._links(other).get(one))
        return max((self._now_weighs(link) for link in ends if link is not None), default=0.0)

    def join(self, one: str, other: str, weight: float) -> None:
        """Link two with a weight as of now, or part them if it is too small."""
        if weight < LEAST_WEIGHT:
            self._part(one, other)
            return
        ends = (self._links(one).get(other), self._links(other).get(one))
        at = max([self._now, *(link.at for link in ends if link is not None)])  # else a clock set back decays it twice
        self._links(one)[other] = Link(other, weight, at)
        self._links(other)[one] = Link(one, weight, at)

    def trim(self, one: str) -> None:
        """Drop the weakest links that a memory has too many of, at both ends."""
        held = self._links(one)
        by_weight = sorted(held, key=lambda other: (self._now_weighs(held[other]), other))
        for other in by_weight[: max(len(held) - MOST_LINKS, 0)]:
            self._part(one, other)

    def changed(self) -> dict[str, Links]:
        """Return the links of those that hold others than before."""
        after = {ident: tuple(held.values()) for ident, held in self._held.items()}
        return {ident: held for ident, held in after.items() if held != (self._links_of(ident) or ())}

    def _part(self, one: str, other: str) -> None:
        self._links(one).pop(other, None)
        if other in self._held or self._links_of(other) is not None:
            self._links(other).pop(one, None)

    def _links(self, ident: str) -> dict[str, Link]:
        if ident not in self._held:
            self._held[ident] = {link.id: link for link in self._links_of(ident) or ()}
        return self._held[ident]

    def _now_weighs(self, link: Link) -> float:
        return decayed(link, self._now, self._half_life_days)


def _strongest(activations: Mapping[str, float], most: int) -> list[tuple[str, float]]:
    """Return the strongest ones above 0, strongest first, equal ones by id.

    Raises:
        ValueError: An activation is not from 0 to 1.
    """
    if wrong := {ident: value for ident, value in activations.items() if not 0 <= value <= 1}:
        raise ValueError(f"an activation is from 0 to 1: {wrong}")
    active = ((ident, value) for ident, value in activations.items() if value > 0)
    return sorted(active, key=lambda each: (-each[1], each[0]))[:most]


def _either(one: float, other: float) -> float:
    """Return 1 − (1 − a)(1 − b), 0 to 1."""
    return one + other * (1 - one)
