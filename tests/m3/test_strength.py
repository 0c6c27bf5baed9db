"""Laws of strength: FSRS against its own package, the others against loops, and bounds that hold for any history."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import fsrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.m3.strength import (
    DAY,
    DEFAULT_LAW,
    LAWS,
    History,
    Imprint,
    StrengthLaw,
    begin,
    history_of,
    recalled,
    reinforce,
)
from ntm_memory_skill.model import Record

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = float("nan")
MOMENTS = st.floats(-6e10, 2.5e11)  # seconds since 1970: all years that a datetime knows, and more
WRITTEN = st.datetimes(timezones=st.just(UTC))
every_law = pytest.mark.parametrize("law", [pytest.param(law, id=name) for name, law in LAWS.items()])


def one(
    created: float = 0.0,
    last: float | None = None,
    accesses: int = 0,
    importance: float = 0.5,
    stability: float = NEVER,
    difficulty: float = NEVER,
) -> History:
    """Return the history of one memory; times in days."""
    return History(
        created=np.array([created * DAY]),
        last=np.array([(created if last is None else last) * DAY]),
        accesses=np.array([accesses]),
        importance=np.array([importance]),
        stability=np.array([stability]),
        difficulty=np.array([difficulty]),
    )


def strength_of(law: StrengthLaw, history: History, day: float) -> float:
    """Return the strength of the only memory of a history."""
    (strength,) = law.retrievability(history, day * DAY)
    return float(strength)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw what no check would let pass as well: recalled before it was written, or in the future."""
    count = draw(st.integers(0, 6))

    def column(values: st.SearchStrategy[float]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=count, max_size=count)), np.float64)

    return History(
        created=column(MOMENTS),
        last=column(MOMENTS),
        accesses=np.array(draw(st.lists(st.integers(0, 10**12), min_size=count, max_size=count)), np.int64),
        importance=column(st.floats(0, 1)),
        stability=column(st.floats(0, 1e9) | st.just(NEVER)),
        difficulty=column(st.floats(1, 10) | st.just(NEVER)),
    )


def record(importance: float = 0.5, created: datetime = EPOCH, **more: object) -> Record:
    """Return a memory."""
    whole = {"id": "m0", "slot": 0, "ordinal": 0, "content": "x", "created": created, "at": created, **more}
    return Record(importance=importance, **whole)  # type: ignore[arg-type]  # fields of any type


@given(stability=st.floats(0.001, 36_500), days=st.integers(0, 20_000))
def test_fsrs_falls_as_the_package_says(stability: float, days: int) -> None:
    """At whole days, which are all that the package looks at."""
    card = fsrs.Card(card_id=1, state=fsrs.State.Review, stability=stability, due=EPOCH, last_review=EPOCH)
    expected = fsrs.Scheduler().get_card_retrievability(card, EPOCH + timedelta(days=days))
    assert strength_of(LAWS["fsrs"], one(stability=stability), days) == pytest.approx(expected, rel=1e-12)


@every_law
@given(history=histories(), now=MOMENTS)
def test_strength_is_a_number_from_0_to_1_for_any_history(law: StrengthLaw, history: History, now: float) -> None:
    """Whatever the times, counts and stabilities are."""
    strengths = law.retrievability(history, now)
    assert strengths.shape == (len(history),)
    assert np.all((strengths >= 0) & (strengths <= 1))


@every_law
@given(history=histories(), now=MOMENTS, later=st.floats(0, 1e11))
def test_strength_never_rises_while_nothing_happens(
    law: StrengthLaw, history: History, now: float, later: float
) -> None:
    """Time alone strengthens nothing."""
    assert np.all(law.retrievability(history, now + later) <= law.retrievability(history, now) + 1e-12)


@pytest.mark.parametrize("name", ["fsrs", "exponential"])
@given(stability=st.floats(0.01, 36_500))
def test_stability_is_the_days_until_nine_tenths_are_left(name: str, stability: float) -> None:
    """By its definition."""
    assert strength_of(LAWS[name], one(stability=stability), stability) == pytest.approx(0.9)


def test_a_power_law_keeps_twice_what_an_exponential_keeps_after_ten_stabilities() -> None:
    """0.69 and 0.35."""
    kept = [strength_of(LAWS[name], one(stability=3.0), 30.0) for name in ("fsrs", "exponential")]
    assert kept == pytest.approx([0.69, 0.35], abs=0.005)


@given(accesses=st.integers(0, 1000), days=st.floats(0.01, 5000))
def test_act_r_is_the_logistic_of_the_base_level(accesses: int, days: float) -> None:
    """B = ln(n/(1−d)) − d·ln L."""
    level = math.log((accesses + 1) / 0.5) - 0.5 * math.log(days)
    expected = 1 / (1 + math.exp(-level))
    assert strength_of(LAWS["act_r"], one(accesses=accesses), days) == pytest.approx(expected)


def test_the_priority_formula_keeps_each_cause_in_its_bounds() -> None:
    """However long ago, the days take no more than their 0.3."""
    law = LAWS["priority"]
    assert strength_of(law, one(importance=0.0), 0) == pytest.approx(0.3)
    assert strength_of(law, one(importance=1.0), 1e6) == pytest.approx(0.4, abs=1e-5)
    assert strength_of(law, one(importance=0.5, accesses=3, last=4.0), 5.0) == pytest.approx(
        0.4 * 0.5 * 1.05**3 + 0.3 * 3 / 4 + 0.3 / 2
    )


@pytest.mark.parametrize("name", ["fsrs", "exponential"])
@pytest.mark.parametrize("importance", [0.1, 0.5, 0.9])
def test_a_memory_never_recalled_has_the_stability_that_it_began_with(name: str, importance: float) -> None:
    """Which its importance decides."""
    begun = one(stability=begin(importance).stability)
    assert strength_of(LAWS[name], one(importance=importance), 20) == strength_of(LAWS[name], begun, 20)


@pytest.mark.parametrize(
    ("importance", "rating"),
    [
        (0.0, fsrs.Rating.Hard),
        (0.24, fsrs.Rating.Hard),
        (0.25, fsrs.Rating.Good),
        (0.74, fsrs.Rating.Good),
        (0.75, fsrs.Rating.Easy),
        (1.0, fsrs.Rating.Easy),
    ],
)
def test_writing_is_a_first_review_rated_by_importance(importance: float, rating: fsrs.Rating) -> None:
    """As the package reviews a new card."""
    card, _ = fsrs.Scheduler(enable_fuzzing=False).review_card(fsrs.Card(card_id=1), rating, EPOCH)
    assert begin(importance) == Imprint(card.stability or 0, card.difficulty or 0)


@given(gaps=st.lists(st.floats(0, 400), max_size=12), hours=st.integers(-12, 14))
def test_recalls_give_the_state_that_the_package_gives(gaps: list[float], hours: int) -> None:
    """A card that is reviewed at the same times, all rated good; in any time zone."""
    scheduler = fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card, now = fsrs.Card(card_id=1), EPOCH
    card, _ = scheduler.review_card(card, fsrs.Rating.Good, now)
    memory = record()
    for gap in gaps:
        now += timedelta(days=gap)
        card, _ = scheduler.review_card(card, fsrs.Rating.Good, now)
        imprint = reinforce(memory, now.astimezone(timezone(timedelta(hours=hours))))
        memory = record(
            accesses=memory.accesses + 1,
            accessed_at=now,
            stability=imprint.stability,
            difficulty=imprint.difficulty,
        )
        assert card.stability is not None
        assert imprint.stability == pytest.approx(min(card.stability, 36_500))
        assert imprint.difficulty == pytest.approx(card.difficulty)


@given(gaps=st.lists(st.floats(-5, 400), max_size=6), stability=st.floats(0.001, 36_500), difficulty=st.floats(1, 10))
def test_several_recalls_at_once_are_those_one_after_the_other(
    gaps: list[float], stability: float, difficulty: float
) -> None:
    """In the order in which they are given, be the clock set back or not; no recall at all changes nothing."""
    times = [EPOCH + timedelta(days=sum(gaps[:place])) for place in range(1, len(gaps) + 1)]
    begun = memory = record(accessed_at=EPOCH, stability=stability, difficulty=difficulty)
    for at in times:
        imprint = reinforce(memory, at)
        memory = record(accessed_at=at, stability=imprint.stability, difficulty=imprint.difficulty)
    assert reinforce(begun, *times) == Imprint(memory.stability or 0, memory.difficulty or 0)


@given(
    importance=st.floats(0, 1),
    state=st.none() | st.tuples(st.floats(), st.floats()),
    created=WRITTEN,
    last=st.none() | WRITTEN,
    now=WRITTEN,
)
def test_a_recall_leaves_a_state_in_bounds_for_any_record_and_time(
    importance: float,
    state: tuple[float, float] | None,
    created: datetime,
    last: datetime | None,
    now: datetime,
) -> None:
    """Also with a clock that ran backwards, gaps of millennia, and a state that is no number."""
    stability, difficulty = (None, None) if state is None else state
    memory = record(importance, created, accessed_at=last, stability=stability, difficulty=difficulty)
    imprint = reinforce(memory, now)
    assert 0.001 <= imprint.stability <= 36_500
    assert 1 <= imprint.difficulty <= 10


@given(stability=st.floats(0.001, 36_500), difficulty=st.floats(1, 10), days=st.floats(-1000, 100_000))
def test_a_recall_never_makes_a_memory_less_stable(stability: float, difficulty: float, days: float) -> None:
    """Every recall is rated good."""
    assert recalled(Imprint(stability, difficulty), days).stability >= stability - 1e-9


def test_recalls_far_apart_make_more_stable_than_recalls_in_a_row() -> None:
    """The spacing effect."""
    spaced = massed = begin(0.5)
    for _ in range(5):
        spaced, massed = recalled(spaced, 10), recalled(massed, 0.01)
    assert spaced.stability > 5 * massed.stability


def test_a_history_holds_the_columns_of_its_records_in_order() -> None:
    """And a memory never recalled was last recalled when it was written."""
    later = EPOCH + timedelta(days=3)
    history = history_of(
        [record(0.2), record(0.9, accesses=4, accessed_at=later, stability=7.5, difficulty=2.0)],
    )
    assert history.created.tolist() == [EPOCH.timestamp()] * 2
    assert history.last.tolist() == [EPOCH.timestamp(), later.timestamp()]
    assert history.accesses.tolist() == [0, 4]
    assert history.importance.tolist() == [0.2, 0.9]
    assert np.isnan([history.stability[0], history.difficulty[0]]).all()
    assert (history.stability[1], history.difficulty[1]) == (7.5, 2.0)
    assert len(history_of([])) == 0
    assert history[np.array([1])].accesses.tolist() == [4]


def test_the_default_is_among_the_laws() -> None:
    """FSRS-6."""
    assert DEFAULT_LAW == "fsrs"
    assert set(LAWS) == {"fsrs", "exponential", "act_r", "priority"}
