"""How strongly a memory is still held: laws of forgetting behind one protocol.

A law says with which probability a memory would still come to mind, from what was noted of it. Which law is used is a
setting; what is noted is the same for all of them. The state that a recall changes is that of FSRS-6: the stability S,
the days after which R has fallen to 0.9, and the difficulty D, from 1 to 10. The package `fsrs` does that step.

Time is an argument. It may run backwards, as clocks do: no time has passed then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from jaxtyping import Float64, Int64

from ntm_memory_skill.model import Record

if TYPE_CHECKING:
    from fsrs import Card, Rating, Scheduler

Values = Float64[np.ndarray, "n"]

DAY = 86_400.0  # seconds
LEAST_STABILITY, GREATEST_STABILITY = 0.001, 36_500.0
"""Bounds of S, in days: those of FSRS itself, and a hundred years."""
LEAST_DIFFICULTY, GREATEST_DIFFICULTY = 1.0, 10.0
EASY_FROM, HARD_BELOW = 0.75, 0.25
"""The importance from which what is written counts as easy to keep, and below which as hard. A choice, not
measured: the outer quarters of the scale, so that the default of 0.5 is in the middle."""

KEPT = 0.9  # R at t = S, by the definition of S
DECAY = 0.1542  # d, FSRS-6's default w20
FACTOR = KEPT ** (-1 / DECAY) - 1  # F
ACTIVATION_DECAY = 0.5  # d of ACT-R
LEAST_LIFE = 1 / 1440  # days: one minute, for a memory that was written just now
BOOST = 1.05  # what each recall multiplies the priority with
MOST_BOOSTS = 500  # beyond which 1.05^n is out of any bound

_ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of memories: one entry a memory in each column."""

    created: Values
    """When it was written down, seconds since 1970."""
    last: Values
    """When it was last recalled, else written, seconds since 1970."""
    accesses: Int64[np.ndarray, "n"]
    """How often it was recalled, 0 and up."""
    importance: Values
    """0 to 1."""
    stability: Values
    """S in days; NaN: never recalled."""
    difficulty: Values
    """D, 1 to 10; NaN: never recalled."""

    def __len__(self) -> int:
        return len(self.created)

    def __getitem__(self, places: np.ndarray | slice) -> History:
        """Return the history of the memories at some places."""
        return History(
            created=self.created[places],
            last=self.last[places],
            accesses=self.accesses[places],
            importance=self.importance[places],
            stability=self.stability[places],
            difficulty=self.difficulty[places],
        )


def history_of(records: Sequence[Record]) -> History:
    """Return what is known of records, in their order."""
    unknown = float("nan")
    return History(
        created=np.array([record.created.timestamp() for record in records], np.float64),
        last=np.array([record.last_recalled.timestamp() for record in records], np.float64),
        accesses=np.array([record.accesses for record in records], np.int64),
        importance=np.array([record.importance for record in records], np.float64),
        stability=np.array([unknown if r.stability is None else r.stability for r in records], np.float64),
        difficulty=np.array([unknown if r.difficulty is None else r.difficulty for r in records], np.float64),
    )


@dataclass(frozen=True, slots=True)
class Imprint:
    """How well a memory sits after it was written or recalled."""

    stability: float
    """S in days, 0.001 to 36,500."""
    difficulty: float
    """D, 1 to 10."""


class StrengthLaw(Protocol):
    """A law of forgetting."""

    def retrievability(self, history: History, now: float) -> Values:
        """Return how strongly each memory is held at `now` (seconds since 1970), 0 to 1, for any history."""
        ...


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """FSRS-6: R = (1 + F·t/S)^−d with t the days since the last recall (Ye 2024, "The FSRS algorithm")."""

    def retrievability(self, history: History, now: float) -> Values:
        """Return R."""
        strength: Values = (1 + FACTOR * _days(history.last, now) / _stability(history)) ** -DECAY
        return strength


@dataclass(frozen=True, slots=True)
class Exponential:
    """Ebbinghaus' curve as it is commonly drawn: R = 0.9^(t/S), which falls by the same share every day."""

    def retrievability(self, history: History, now: float) -> Values:
        """Return R."""
        strength: Values = KEPT ** (_days(history.last, now) / _stability(history))
        return strength


@dataclass(frozen=True, slots=True)
class BaseLevel:
    """ACT-R's base level with optimised learning, B = ln(n/(1−d)) − d·ln L (Anderson & Lebiere 1998; Petrov 2006).

    n counts the writing and the recalls, L is the life in days. B is unbounded; its logistic is the probability of
    retrieval at threshold 0 and noise 1 (ACT-R's own equation).
    """

    def retrievability(self, history: History, now: float) -> Values:
        """Return 1/(1 + e^−B)."""
        life = np.maximum(_days(history.created, now), LEAST_LIFE)
        odds: Values = (1 + _accesses(history)) / (1 - ACTIVATION_DECAY) * life**-ACTIVATION_DECAY
        strength: Values = odds / (1 + odds)
        return strength


@dataclass(frozen=True, slots=True)
class Priority:
    """0.4·priority + 0.3·use + 0.3·recency, each from 0 to 1.

    The design that this project began with subtracted 0.3 for every day, without end, so that after two days nothing
    else counted. Here days/(1 + days) stands for the days: the same for a small time, and never more than 1.
    """

    def retrievability(self, history: History, now: float) -> Values:
        """Return the sum."""
        accesses = _accesses(history)
        boost = BOOST ** np.minimum(accesses, MOST_BOOSTS)
        priority = np.minimum(1, np.clip(history.importance, 0, 1) * boost)
        recency = 1 / (1 + _days(history.last, now))
        strength: Values = 0.4 * priority + 0.3 * accesses / (1 + accesses) + 0.3 * recency
        return strength


DEFAULT_LAW = "fsrs"
LAWS: dict[str, StrengthLaw] = {
    DEFAULT_LAW: PowerLaw(),
    "exponential": Exponential(),
    "act_r": BaseLevel(),
    "priority": Priority(),
}


def begin(importance: float) -> Imprint:
    """Return how well a memory sits that is written now: FSRS's first review, by its importance."""
    hard, good, easy = _first_imprints()
    if importance >= EASY_FROM:
        return easy
    return hard if importance < HARD_BELOW else good


def reinforce(record: Record, *times: datetime) -> Imprint:
    """Return how well a memory sits once it has been recalled at `times`, in this order. All are timezone-aware."""
    imprint, last = begin(record.importance), record.last_recalled
    if record.stability is not None and record.difficulty is not None:
        imprint = Imprint(record.stability, record.difficulty)
    for at in times:
        imprint, last = recalled(imprint, (at - last).total_seconds() / DAY), at
    return imprint


def recalled(before: Imprint, days: float) -> Imprint:
    """Return how well a memory sits that is recalled `days` after it was last: FSRS's review with the rating "good"."""
    return _recalled(
        _within(before.stability, LEAST_STABILITY, GREATEST_STABILITY),
        _within(before.difficulty, LEAST_DIFFICULTY, GREATEST_DIFFICULTY),
        timedelta(days=_within(days, 0, GREATEST_STABILITY)).days,
    )


@lru_cache(maxsize=1024)
def _recalled(stability: float, difficulty: float, days: int) -> Imprint:
    """Return the imprint after `days` whole days: FSRS counts no others, so many memories have the same one."""
    from fsrs import Card, Rating, State

    card = Card(
        card_id=0,  # else the package makes one up by the clock, and sleeps
        state=State.Review,
        stability=stability,
        difficulty=difficulty,
        due=_ORIGIN,
        last_review=_ORIGIN,
    )
    # from a fixed day on: only the span matters, and no calendar ends within it
    return _reviewed(card, Rating.Good, _ORIGIN + timedelta(days=days))


def _reviewed(card: Card, rating: Rating, at: datetime) -> Imprint:
    after, _ = _scheduler().review_card(card, rating, at)
    if after.stability is None or after.difficulty is None:
        raise ValueError("a card that was reviewed has a stability and a difficulty")
    return Imprint(
        stability=_within(after.stability, LEAST_STABILITY, GREATEST_STABILITY),
        difficulty=_within(after.difficulty, LEAST_DIFFICULTY, GREATEST_DIFFICULTY),
    )


@cache
def _scheduler() -> Scheduler:
    """Return FSRS-6 with its published parameters, without learning steps: a first review goes the way of all."""
    from fsrs import Scheduler

    return Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


@cache
def _first_imprints() -> tuple[Imprint, Imprint, Imprint]:
    """Return the imprints of first reviews that are rated hard, good and easy."""
    from fsrs import Card, Rating

    ratings = (Rating.Hard, Rating.Good, Rating.Easy)
    hard, good, easy = (_reviewed(Card(card_id=0, due=_ORIGIN), rating, _ORIGIN) for rating in ratings)
    return hard, good, easy


def _stability(history: History) -> Values:
    """Return S, for a memory that was never recalled what it began with."""
    hard, good, easy = (imprint.stability for imprint in _first_imprints())
    first = np.select([history.importance >= EASY_FROM, history.importance < HARD_BELOW], [easy, hard], good)
    known = np.where(np.isnan(history.stability), first, history.stability)
    stability: Values = np.clip(known, LEAST_STABILITY, GREATEST_STABILITY)
    return stability


def _accesses(history: History) -> Values:
    accesses: Values = np.maximum(history.accesses, 0).astype(np.float64)
    return accesses


def _days(since: Values, now: float) -> Values:
    passed: Values = np.maximum(now - since, 0) / DAY
    return passed


def _within(value: float, least: float, greatest: float) -> float:
    """Return a value within bounds; what is no number becomes the least."""
    return min(value, greatest) if value > least else least
