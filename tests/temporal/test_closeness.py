"""The soft score, against its formula worked out moment by moment."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ntm_memory_skill.temporal import TimeWindow, closeness

DAY = 86_400.0
START = datetime(2023, 5, 1, tzinfo=UTC)
moments = st.floats(-3e9, 6e9).map(lambda seconds: round(seconds, 3))
datetimes = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the strategy adds the zone


@st.composite
def windows(draw: st.DrawFn) -> TimeWindow:
    """Draw a window, open to either side, to both or to none."""
    start = draw(st.none() | datetimes)
    width = draw(st.none() | st.timedeltas(timedelta(hours=1), timedelta(days=800)))
    grain = draw(st.timedeltas(timedelta(hours=1), timedelta(days=400)))
    if start is None:
        return TimeWindow(None, draw(st.none() | datetimes), "", grain)
    return TimeWindow(start, None if width is None else start + width, "", grain)


def slow(moment: float, drawn: list[TimeWindow]) -> float:
    """Return one moment's closeness as the formula says it."""
    best = 0.0
    for window in drawn:
        start = -math.inf if window.start is None else window.start.timestamp()
        end = math.inf if window.end is None else window.end.timestamp()
        width = end - start if math.isfinite(end - start) else window.grain.total_seconds()
        outside = start - moment if moment < start else moment - end if moment > end else 0.0
        best = max(best, math.exp(-outside / max(width / 2, DAY)))
    return best


@given(st.lists(moments, max_size=8), st.lists(windows(), max_size=3))
def test_closeness_follows_the_formula(times: list[float], drawn: list[TimeWindow]) -> None:
    """For any moments and windows, as 32-bit numbers from 0 to 1."""
    scores = closeness(np.array(times, dtype=np.float64), drawn)
    assert scores.dtype == np.float32
    assert scores.shape == (len(times),)
    assert ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_allclose(scores, [slow(moment, drawn) for moment in times], rtol=1e-5, atol=1e-7)


@given(windows(), moments, moments)
def test_closeness_falls_with_the_distance(window: TimeWindow, one: float, other: float) -> None:
    """Of two moments on the same side, the one further out is never closer."""
    edge = window.end if window.end is not None else window.start
    assume(edge is not None)
    assert edge is not None
    away = 1 if window.end is not None else -1
    near, far = sorted((abs(one), abs(other)))
    scores = closeness(np.array([edge.timestamp() + away * near, edge.timestamp() + away * far]), [window])
    assert scores[0] >= scores[1]


@given(windows(), st.floats(0, 1))
def test_closeness_inside_is_one(window: TimeWindow, share: float) -> None:
    """Wherever between the edges."""
    start = -3e9 if window.start is None else window.start.timestamp()
    end = 6e9 if window.end is None else window.end.timestamp()
    assert closeness(np.array([start + share * (end - start)]), [window])[0] == 1


@pytest.mark.parametrize(
    ("window", "days_outside", "score"),
    [
        (TimeWindow(START, START + timedelta(days=1), "a day"), 1, math.exp(-1)),
        (TimeWindow(START, START + timedelta(hours=5), "a morning"), 1, math.exp(-1)),
        (TimeWindow(START, START + timedelta(days=30), "a month"), 15, math.exp(-1)),
        (TimeWindow(None, START, "before", timedelta(days=365)), 365, math.exp(-2)),
    ],
)
def test_softness_grows_with_what_was_named(window: TimeWindow, days_outside: float, score: float) -> None:
    """A day at least; half the width; half of what was named where a side is open."""
    assert window.end is not None
    outside = window.end.timestamp() + days_outside * DAY
    assert closeness(np.array([outside]), [window])[0] == pytest.approx(score, rel=1e-6)


def test_without_windows_nothing_is_close() -> None:
    """No time was named, so no memory gains."""
    assert closeness(np.array([0.0, 1e9]), []).tolist() == [0, 0]


def test_the_best_window_counts() -> None:
    """A memory of the one day is not harmed by the other being named as well."""
    days = [TimeWindow(START + timedelta(days=n), START + timedelta(days=n + 1), "") for n in (0, 40)]
    times = np.array([day.start.timestamp() + DAY / 2 for day in days if day.start is not None])
    assert closeness(times, days).tolist() == [1, 1]
