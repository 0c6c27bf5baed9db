"""Calendar arithmetic on periods: naive, in the asker's own time, half-open.

Weeks begin on Monday. Seasons are the northern, meteorological ones, three whole months each; a winter belongs to the
year in which it begins. Everything raises ValueError or OverflowError where it leaves the calendar (years 1 to 9999).
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from typing import NamedTuple


class Period(NamedTuple):
    """From `start` up to but not including `end`."""

    start: datetime
    end: datetime


Change = Callable[[Period], Period]
InYear = Callable[[int], Period]
"""What recurs every year (a month, a day of May, a season): its period in a given one."""

DAY = timedelta(days=1)
SPAN_OF_FEW = (2, 5)
"""How many "a few" are, at least and at most."""

SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}
"""The month in which each begins."""

PARTS_OF_DAY = {
    "small hours": (0, 6),
    "morning": (5, 12),
    "noon": (11, 14),
    "afternoon": (12, 18),
    "evening": (18, 24),
    "night": (18, 30),
}
"""Hours after midnight, from and to."""

_LEAP_YEAR = 2000
_LEAP_YEARS_APART = 8


def midnight(moment: datetime) -> datetime:
    """Return the beginning of a moment's day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def has_day(month: int, number: int) -> bool:
    """Return whether a day can be in a month, 29 February included."""
    return 1 <= month <= 12 and 1 <= number <= calendar.monthrange(_LEAP_YEAR, month)[1]


def stretch(start: datetime, length: int) -> Period:
    """Return so many days from a midnight on."""
    return Period(start, start + length * DAY)


def days(year: int, month: int, first: int, last: int | None = None) -> Period:
    """Return one day of a month, or those from the first to the last."""
    start = datetime(year, month, first)  # noqa: DTZ001  # the asker's own time throughout; reading.py adds the zone
    if last is None:
        return stretch(start, 1)
    return Period(start, start.replace(day=last) + DAY)


def months(year: int, first: int, count: int = 1) -> Period:
    """Return some whole months in a row, from the first one's number."""
    start = days(year, first, 1).start
    return Period(start, months_later(start, count))


def months_later(moment: datetime, count: int) -> datetime:
    """Return the same day some months later, or earlier for a negative count; the month's last where it has no such."""
    years, index = divmod(moment.month - 1 + count, 12)
    year = moment.year + years
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError(f"year {year} is outside the calendar")
    return moment.replace(year=year, month=index + 1, day=min(moment.day, calendar.monthrange(year, index + 1)[1]))


def later(moment: datetime, count: int, unit: str) -> datetime:
    """Return a moment some hours, days, weeks, months or years later, or earlier for a negative count."""
    if unit in ("month", "year"):
        return months_later(moment, count * (12 if unit == "year" else 1))
    return moment + count * timedelta(**{f"{unit}s": 1})


def containing(moment: datetime, unit: str) -> Period:
    """Return the day, week, weekend (of that week), month, quarter or year that a moment lies in."""
    start = midnight(moment)
    if unit == "day":
        return Period(start, start + DAY)
    if unit in ("week", "weekend"):
        monday = start - start.weekday() * DAY
        return Period(monday + (5 * DAY if unit == "weekend" else 0 * DAY), monday + 7 * DAY)
    length = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = start.replace(month=(start.month - 1) // length * length + 1, day=1)
    return Period(first, months_later(first, length))


def previous(moment: datetime, unit: str, count: int = 1) -> Period:
    """Return the calendar week, weekend, month, quarter or year before the present one, or `count` before."""
    period = containing(moment, "week" if unit == "weekend" else unit)
    for _ in range(count):
        period = containing(period.start - DAY, unit)
        if unit == "weekend":
            period = Period(period.start - 5 * DAY, period.end)
    return Period(period.start + 5 * DAY, period.end) if unit == "weekend" else period


def ago(moment: datetime, count: int, unit: str) -> Period:
    """Return what "so many units ago" means, or "from then" for a negative count: one unit around that day.

    "Two weeks ago" is the week around the day a fortnight back, rather than a week of the calendar.
    """
    if unit == "hour":
        return Period(moment - (count + 1) * timedelta(hours=1), moment - (count - 1) * timedelta(hours=1))
    there = later(midnight(moment), -count, unit)
    before, after = {"day": (0, 1), "week": (3, 4), "month": (15, 16), "year": (183, 183)}[unit]
    return Period(there - before * DAY, there + after * DAY)


def few_ago(moment: datetime, unit: str) -> Period:
    """Return what "a few units ago" means."""
    low, high = SPAN_OF_FEW
    if unit == "hour":
        return Period(moment - high * timedelta(hours=1), moment)
    return Period(later(midnight(moment), -high, unit), later(midnight(moment), -low, unit) + DAY)


def rolling(moment: datetime, count: int, unit: str) -> Period:
    """Return the last so many units up to the end of the present day."""
    if unit == "hour":
        return Period(moment - count * timedelta(hours=1), moment + timedelta(hours=1))
    return Period(later(midnight(moment), -count, unit), midnight(moment) + DAY)


def is_day(period: Period) -> bool:
    """Return whether a period is one day long, or shorter."""
    return period.end - period.start <= DAY


def season(year: int, name: str) -> Period:
    """Return the three months of a season."""
    return months(year, SEASONS[name], 3)


def part_of_day(period: Period, name: str) -> Period:
    """Return the morning, afternoon, evening or night of a day."""
    first, last = PARTS_OF_DAY[name]
    return Period(period.start + timedelta(hours=first), period.start + timedelta(hours=last))


def portion(period: Period, index: int, count: int) -> Period:
    """Return one of `count` equal parts of a period, from 0: whole months of a year, whole days of anything shorter.

    What has too few days for that many parts stays whole: nobody knows when "early yesterday" ends.
    """
    days = (period.end - period.start).days
    if days < count:
        return period
    if days >= 365:
        length = 12 // count
        return Period(months_later(period.start, index * length), months_later(period.start, (index + 1) * length))
    return Period(period.start + days * index // count * DAY, period.start + days * (index + 1) // count * DAY)


def nth(period: Period, number: int, what: str | int) -> Period:
    """Return the n-th day, week or weekend of a period, or of a weekday (0 for Monday); the last for −1.

    A month's weeks are counted from its first day: days 1 to 7, 8 to 14 and so on.
    """
    if what == "month":
        start = months_later(period.start if number > 0 else period.end, number - (number > 0))
        return Period(start, months_later(start, 1))
    length = {"week": 7, "weekend": 2}.get(str(what), 1)
    step = DAY if what == "day" else 7 * DAY
    weekday = {"weekend": 5}.get(str(what), what if isinstance(what, int) else None)
    first = period.start if weekday is None else on_or_after(period.start, weekday)
    if number > 0:
        start = first + (number - 1) * step
    elif weekday is None:
        start = period.end - length * DAY
    else:
        start = on_or_before(period.end - length * DAY, weekday)
    return Period(start, start + length * DAY)


def beside(period: Period, what: str | int, *, after: bool) -> Period:
    """Return the day, week, weekend, month, year or weekday (0 for Monday) directly before or after a period."""
    if what == "weekend" or isinstance(what, int):
        weekday, length = (5, 2 * DAY) if what == "weekend" else (int(what), DAY)
        start = on_or_after(period.end, weekday) if after else on_or_before(period.start - length, weekday)
        return Period(start, start + length)
    if after:
        return Period(period.end, later(period.end, 1, what))
    return Period(later(period.start, -1, what), period.start)


def on_or_before(moment: datetime, weekday: int) -> datetime:
    """Return the last midnight of a weekday (0 for Monday) that is not after the moment's day."""
    return midnight(moment) - (moment.weekday() - weekday) % 7 * DAY


def on_or_after(moment: datetime, weekday: int) -> datetime:
    """Return the first midnight of a weekday (0 for Monday) that is not before the moment's day."""
    return midnight(moment) + (weekday - moment.weekday()) % 7 * DAY


def latest(of: InYear, moment: datetime) -> Period:
    """Return the last time that something yearly began, not after the moment."""
    return _last_time(of, moment, lambda period: period.start <= moment)


def latest_over(of: InYear, moment: datetime) -> Period:
    """Return the last time that something yearly was over, at the beginning of the moment's day."""
    return _last_time(of, moment, lambda period: period.end <= midnight(moment))


def present(of: InYear, moment: datetime) -> Period:
    """Return what "this summer" means: the one that lasts, or else the present year's."""
    period = latest(of, moment)
    return period if moment < period.end else of(moment.year)


def latest_monthly(number: int, moment: datetime) -> Period:
    """Return the last time that a month had a day of that number, not after the moment."""
    for back in range(3):  # no two months in a row are too short
        first = containing(months_later(moment, -back), "month")
        start = first.start + (number - 1) * DAY
        if start < first.end and start <= moment:
            return Period(start, start + DAY)
    raise ValueError("no month has that day")


def next_after(of: InYear, moment: datetime) -> Period:
    """Return the first time that something yearly begins, not before the moment."""
    for year in range(moment.year, moment.year + _LEAP_YEARS_APART + 1):
        period = _in_year(of, year)
        if period is not None and period.start >= moment:
            return period
    raise ValueError("it never comes")


def _last_time(of: InYear, moment: datetime, fits: Callable[[Period], bool]) -> Period:
    for year in range(moment.year, moment.year - _LEAP_YEARS_APART - 1, -1):
        period = _in_year(of, year)
        if period is not None and fits(period):
            return period
    raise ValueError("it never came")


def _in_year(of: InYear, year: int) -> Period | None:
    """Return it in that year, or None where there is none: 29 February."""
    try:
        return of(year)
    except (ValueError, OverflowError):
        return None
