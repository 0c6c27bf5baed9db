"""What leaves a full matrix: values against the model in a loop, and what is kept under any pressure."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ntm_memory_skill.m3.forgetting import ValueWeights, over_quota, protected, reason, use, value, victims, weak
from ntm_memory_skill.m3.strength import DAY, LAWS, StrengthLaw, history_of
from ntm_memory_skill.model import Record

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the zone is given beside
WEIGHT = st.floats(0, 1e6)
RECORDS = st.lists(
    st.builds(
        Record,
        id=st.just("m0"),
        slot=st.just(0),
        ordinal=st.just(0),
        content=st.just("x"),
        created=MOMENTS,
        at=MOMENTS,
        importance=st.floats(0, 1),
        accesses=st.integers(0, 2**60),
        accessed_at=st.none() | MOMENTS,
        pinned=st.booleans(),
        stability=st.none() | st.floats(0.001, 36_500),
        difficulty=st.none() | st.floats(1, 10),
    ),
    max_size=8,
)
every_law = pytest.mark.parametrize("law", [pytest.param(law, id=name) for name, law in LAWS.items()])


def memory(
    age: float = 0, silent: float | None = None, accesses: int = 0, importance: float = 0.5, *, pinned: bool = False
) -> Record:
    """Return a memory that was written `age` days before `EPOCH` and last recalled `silent` days before it."""
    written = EPOCH - timedelta(days=age)
    return Record(
        id="m0",
        slot=0,
        ordinal=0,
        content="x",
        created=written,
        at=written,
        importance=importance,
        accesses=accesses,
        accessed_at=None if silent is None else EPOCH - timedelta(days=silent),
        pinned=pinned,
    )


def used(*records: Record, after: float = 0) -> list[float]:
    """Return the expected use of memories, `after` days after `EPOCH`."""
    shares: list[float] = use(history_of(records), EPOCH.timestamp() + after * DAY).tolist()
    return shares


@every_law
@given(records=RECORDS, now=MOMENTS, weights=st.tuples(WEIGHT, WEIGHT, WEIGHT))
def test_value_stays_from_0_to_1_for_any_history(
    law: StrengthLaw, records: list[Record], now: datetime, weights: tuple[float, float, float]
) -> None:
    """With any weights as well."""
    assume(sum(weights) > 0)
    chosen = ValueWeights(priority=weights[0], use=weights[1], recency=weights[2])
    values = value(history_of(records), now.timestamp(), law, chosen)
    assert values.shape == (len(records),)
    assert np.all((values >= 0) & (values <= 1))


@every_law
@given(records=RECORDS, now=MOMENTS)
def test_no_age_takes_away_what_importance_gives(law: StrengthLaw, records: list[Record], now: datetime) -> None:
    """Each cause moves the value by its own weight at most."""
    weights = ValueWeights()
    for record, worth in zip(records, value(history_of(records), now.timestamp(), law), strict=True):
        given_by_importance = weights.priority * record.importance
        assert given_by_importance - 1e-9 <= worth <= given_by_importance + weights.use + weights.recency + 1e-9


@given(age=st.floats(0, 4000), silence=st.floats(0, 1), accesses=st.integers(0, 300))
def test_use_is_what_the_model_expects(age: float, silence: float, accesses: int) -> None:
    """MBG/NBD with r = 2, α = 10 days, a = 3, b = 0.3, one memory at a time."""
    record = memory(age, age * silence, accesses)
    recency = (record.last_recalled - record.created).total_seconds() / DAY
    growth = (2 + accesses) * math.log((10 + age) / (10 + recency))
    of_use = 1 / (1 + 3 / (0.3 + accesses) * math.exp(min(growth, 600)))
    rate = of_use * (2 + accesses) / (10 + age)
    assert used(record) == [pytest.approx(rate / (rate + 0.01), rel=1e-6, abs=1e-12)]


@given(records=RECORDS, now=MOMENTS, later=st.floats(0, 1e10))
def test_expected_use_never_rises_in_silence(records: list[Record], now: datetime, later: float) -> None:
    """What is not asked for is ever less likely to be."""
    history, then = history_of(records), now.timestamp()
    assert np.all(use(history, then + later) <= use(history, then) + 1e-12)


@given(age=st.floats(0, 4000), accesses=st.integers(0, 1000))
def test_a_recall_raises_the_expected_use(age: float, accesses: int) -> None:
    """Compared at the moment of it."""
    before, after = used(memory(age, age / 2, accesses), memory(age, 0, accesses + 1))
    assert after > before


def test_a_weekly_habit_is_given_up_before_a_quarterly_one() -> None:
    """After the same silence: for one of them it is thirteen times its period, for the other once."""
    weekly, quarterly = used(memory(160, 90, 10), memory(450, 90, 4))
    assert weekly < 0.1 * quarterly


def test_each_cause_decides_where_the_others_are_equal() -> None:
    """More important, more often used, more recently recalled."""
    history = history_of(
        [memory(50, 20, 3, 0.5), memory(50, 20, 3, 0.6), memory(50, 20, 5, 0.5), memory(50, 10, 3, 0.5)]
    )
    base, *better = value(history, EPOCH.timestamp(), LAWS["fsrs"]).tolist()
    assert all(worth > base for worth in better)


@pytest.mark.parametrize("weights", [(-0.1, 1, 1), (0, 0, 0), (math.nan, 1, 1), (math.inf, 1, 1)])
def test_weights_that_are_no_shares_are_refused(weights: tuple[float, float, float]) -> None:
    """Below 0, all 0, or no numbers."""
    with pytest.raises(ValueError, match="weights"):
        ValueWeights(priority=weights[0], use=weights[1], recency=weights[2])


@given(records=RECORDS, now=MOMENTS, count=st.integers(0, 20))
def test_pinned_and_important_memories_survive_any_pressure(records: list[Record], now: datetime, count: int) -> None:
    """Whatever their history; and all others can be had."""
    history = history_of(records)
    kept = protected(np.array([record.pinned for record in records], np.bool_), history.importance)
    leaving = victims(value(history, now.timestamp(), LAWS["fsrs"]), history.created, kept, count).tolist()
    free = [place for place, record in enumerate(records) if not record.pinned and record.importance < 0.8]
    assert set(leaving) <= set(free)
    assert len(leaving) == len(set(leaving)) == min(count, len(free))


@given(
    rows=st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(0, 3), st.booleans()), max_size=12),
    count=st.integers(-2, 14),
)
def test_the_least_valuable_leave_first_and_of_equal_ones_the_oldest(
    rows: list[tuple[float, int, bool]], count: int
) -> None:
    """As a sort of tuples has it."""
    values, created, kept = (np.array([row[column] for row in rows]) for column in range(3))
    leaving = victims(values.astype(np.float64), created.astype(np.float64), kept.astype(np.bool_), count)
    expected = sorted((row[0], row[1], place) for place, row in enumerate(rows) if not row[2])
    assert leaving.tolist() == [place for _, _, place in expected][: max(count, 0)]


def test_weak_memories_are_those_under_the_threshold() -> None:
    """The one that reaches it exactly is not."""
    history, law = history_of([memory(0), memory(30), memory(3000)]), LAWS["fsrs"]
    threshold = float(law.retrievability(history, EPOCH.timestamp())[1])
    assert weak(history, EPOCH.timestamp(), law, threshold).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("record", "strength", "said"),
    [
        (memory(93, None, 0, 0.3), None, "given 0 times in 93 days; importance 0.3"),
        (memory(93, 40, 1, 0.5), None, "given once in 93 days, last 40 days ago; importance 0.5"),
        (memory(9, 0.2, 7), None, "given 7 times in 9 days, last less than a day ago; importance 0.5"),
        (memory(30, 1.5, 2), None, "given 2 times in 30 days, last 1 day ago; importance 0.5"),
        (memory(-5), None, "given 0 times in less than a day; importance 0.5"),
        (memory(800, None, 0, 0.55), 0.0417, "to 0.04, given 0 times in 800 days; importance 0.55"),
    ],
)
def test_the_reason_says_what_a_person_can_check(record: Record, strength: float | None, said: str) -> None:
    """How often it was given in how long, and how important it was."""
    cause = "the memory was full" if strength is None else "its strength fell too low"
    assert reason(record, EPOCH, strength) == f"{cause}: {said}"


def test_no_quota_where_the_share_is_whole_or_the_source_has_no_name() -> None:
    """One source may then fill the memory."""
    assert over_quota({"chat": 100}, 100, 1.0) == {}
    assert over_quota({"": 100}, 100, 0.1) == {}


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 50)),
    st.integers(1, 100),
    st.floats(0, 0.99),
)
def test_without_its_excess_each_source_is_within_its_share(sources: dict[str, int], slots: int, share: float) -> None:
    """And none loses more than that; one memory is always allowed."""
    over = over_quota(sources, slots, share)
    for source, count in sources.items():
        left = count - over.get(source, 0)
        assert left <= max(1, share * slots)
        assert left == min(count, max(1, int(share * slots)))
