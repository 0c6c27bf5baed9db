"""Calendar arithmetic, against a walk from day to day."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ntm_memory_skill.temporal import periods
from ntm_memory_skill.temporal.periods import DAY, Period

moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001  # the asker's own time, as everywhere in the room


def at(text: str) -> datetime:
    """Return a moment without a zone."""
    return datetime.fromisoformat(text)


def walk_back(moment: datetime, weekday: int) -> datetime:
    """Return the last midnight of a weekday, found day by day."""
    there = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    while there.weekday() != weekday:
        there -= timedelta(days=1)
    return there


@given(moments, st.sampled_from(["day", "week", "weekend", "month", "quarter", "year"]))
def test_a_unit_holds_its_days_and_borders_on_the_one_before(moment: datetime, unit: str) -> None:
    """A unit contains its moment, and the one before it ends where it begins; a weekend ends its week."""
    period = periods.containing(moment, unit)
    last = periods.previous(moment, unit)
    if unit == "weekend":
        assert (period.start.weekday(), period.end.weekday(), period.end - period.start) == (5, 0, 2 * DAY)
        assert last == Period(period.start - 7 * DAY, period.end - 7 * DAY)
    else:
        assert period.start <= moment < period.end
        assert last.end == period.start
        assert periods.containing(last.start, unit) == last


@given(moments, st.integers(0, 6))
def test_weekdays_are_found_as_by_walking(moment: datetime, weekday: int) -> None:
    """Back and forth; a day is on or before, and on or after, itself."""
    assert periods.on_or_before(moment, weekday) == walk_back(moment, weekday)
    ahead = periods.on_or_after(moment, weekday)
    assert ahead.weekday() == weekday
    assert timedelta(0) <= ahead - periods.midnight(moment) < 7 * DAY


@given(moments, st.integers(-30, 30))
def test_months_later_keeps_the_day_where_there_is_one(moment: datetime, count: int) -> None:
    """Else it is the month's last."""
    there = periods.months_later(moment, count)
    assert (there.year - moment.year) * 12 + there.month - moment.month == count
    assert there.time() == moment.time()
    assert there.day == moment.day or (there.day < moment.day and (there + DAY).day == 1)


@given(moments, st.integers(1, 12), st.integers(1, 31))
def test_the_latest_of_something_yearly_is_the_last_that_began(moment: datetime, month: int, number: int) -> None:
    """Found by walking back day by day, up to nine years for 29 February around 1900."""
    assume(periods.has_day(month, number))
    found = periods.latest(lambda year: periods.days(year, month, number), moment)
    there = periods.midnight(moment)
    while (there.month, there.day) != (month, number):
        there -= DAY
    assert found == Period(there, there + DAY)
    assert periods.latest_over(lambda year: periods.days(year, month, number), there + DAY) == found
    assert periods.next_after(lambda year: periods.days(year, month, number), there) == found


@given(moments, st.integers(1, 31))
def test_the_latest_day_of_a_month_is_found_as_by_walking(moment: datetime, number: int) -> None:
    """The last day of that number, today included."""
    there = periods.midnight(moment)
    while there.day != number:
        there -= DAY
    assert periods.latest_monthly(number, moment) == Period(there, there + DAY)


@given(moments, st.sampled_from(["week", "month", "quarter", "year"]), st.sampled_from([2, 3, 4]))
def test_portions_lie_end_to_end_and_fill_the_period(moment: datetime, unit: str, count: int) -> None:
    """Nothing is in two thirds at once, or in none."""
    period = periods.containing(moment, unit)
    parts = [periods.portion(period, index, count) for index in range(count)]
    assert [part.start for part in parts] == [period.start, *(part.end for part in parts[:-1])]
    assert parts[-1].end == period.end
    assert all(part.start < part.end for part in parts)


@given(moments, st.integers(0, 20), st.sampled_from(["hour", "day", "week", "month", "year"]))
def test_so_long_ago_is_one_unit_wide_around_that_time(moment: datetime, count: int, unit: str) -> None:
    """An hour more for hours: nobody says them exactly."""
    period = periods.ago(moment, count, unit)
    there = periods.later(moment, -count, unit)
    assert period.start <= there < period.end
    widths = {"hour": (2 / 24, 2 / 24), "day": (1, 1), "week": (7, 7), "month": (31, 31), "year": (366, 366)}
    low, high = widths[unit]
    assert timedelta(low) <= period.end - period.start <= timedelta(high)


@pytest.mark.parametrize(
    ("number", "what", "start", "end"),
    [
        (1, "week", "2023-05-01", "2023-05-08"),
        (3, "week", "2023-05-15", "2023-05-22"),
        (-1, "week", "2023-05-25", "2023-06-01"),
        (1, "weekend", "2023-05-06", "2023-05-08"),
        (-1, "weekend", "2023-05-27", "2023-05-29"),
        (2, 2, "2023-05-10", "2023-05-11"),
        (-1, 2, "2023-05-31", "2023-06-01"),
        (2, "day", "2023-05-02", "2023-05-03"),
        (-1, "day", "2023-05-31", "2023-06-01"),
    ],
)
def test_the_nth_of_a_month_is_counted_from_its_first_day(number: int, what: str | int, start: str, end: str) -> None:
    """In May 2023, which begins on a Monday."""
    assert periods.nth(periods.months(2023, 5), number, what) == Period(at(start), at(end))


def test_the_nth_month_of_a_year_is_that_month() -> None:
    """From either end."""
    year = periods.months(2023, 1, 12)
    assert periods.nth(year, 2, "month") == periods.months(2023, 2)
    assert periods.nth(year, -1, "month") == periods.months(2023, 12)


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        ("day", ("2023-05-02", "2023-05-03"), ("2023-05-04", "2023-05-05")),
        ("week", ("2023-04-26", "2023-05-03"), ("2023-05-04", "2023-05-11")),
        ("weekend", ("2023-04-29", "2023-05-01"), ("2023-05-06", "2023-05-08")),
        ("month", ("2023-04-03", "2023-05-03"), ("2023-05-04", "2023-06-04")),
        ("year", ("2022-05-03", "2023-05-03"), ("2023-05-04", "2024-05-04")),
        (2, ("2023-04-26", "2023-04-27"), ("2023-05-10", "2023-05-11")),
    ],
)
def test_what_is_beside_a_day_does_not_hold_it(
    what: str | int, before: tuple[str, str], after: tuple[str, str]
) -> None:
    """Wednesday, 3 May 2023; the Wednesday before it is a week earlier."""
    day = periods.days(2023, 5, 3)
    assert periods.beside(day, what, after=False) == Period(at(before[0]), at(before[1]))
    assert periods.beside(day, what, after=True) == Period(at(after[0]), at(after[1]))


def test_this_season_is_the_one_that_lasts_or_the_year_s() -> None:
    """A winter that began last year still lasts in February, and in November the next is meant."""

    def winter(year: int) -> Period:
        return periods.season(year, "winter")

    assert periods.present(winter, at("2024-02-03")) == winter(2023)
    assert periods.present(winter, at("2024-11-03")) == winter(2024)


@pytest.mark.parametrize(("month", "number"), [(0, 1), (13, 1), (4, 31), (2, 30), (1, 0), (1, 32)])
def test_days_that_no_month_has_are_known(month: int, number: int) -> None:
    """29 February is one that some have."""
    assert not periods.has_day(month, number)
    assert periods.has_day(2, 29)


@pytest.mark.parametrize(("moment", "count"), [("0001-01-01", -1), ("9999-12-31", 1), ("2023-01-01", 12 * 8000)])
def test_leaving_the_calendar_is_an_error(moment: str, count: int) -> None:
    """The caller leaves such a time out."""
    with pytest.raises(OverflowError):
        periods.months_later(at(moment), count)


def test_what_never_was_or_will_be_is_an_error() -> None:
    """A day that no year has; a month's 32nd."""
    with pytest.raises(ValueError, match="never"):
        periods.latest(lambda year: periods.days(year, 2, 30), at("2023-01-01"))
    with pytest.raises(ValueError, match="never"):
        periods.next_after(lambda year: periods.days(year, 2, 30), at("2023-01-01"))
    with pytest.raises(ValueError, match="no month"):
        periods.latest_monthly(32, at("2023-01-01"))
