"""Periods that are counted from the moment of speaking: yesterday, last week, two years ago, on Friday."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from ntm_memory_skill.temporal import periods
from ntm_memory_skill.temporal.english.words import (
    FEASTS,
    JOINTS,
    MONTHS,
    PARTS,
    SEASONS,
    WEEKDAY,
    WEEKDAYS,
    S,
    month_number,
    pattern,
    place,
    recurring,
    weekday_number,
)
from ntm_memory_skill.temporal.grammar import Form, Mention, Read, before
from ntm_memory_skill.temporal.numerals import CARDINAL, FEW, english
from ntm_memory_skill.temporal.periods import DAY, Period

_COUNT = rf"(?P<count>{CARDINAL})"
_UNIT = r"(?P<unit>hour|day|week|month|year)"
_WHOSE = pattern(rf"\b(?:the|his|her|my|your|our|their|its|a|very|second){S}\Z")
_NO_DAY = pattern(
    rf"(?:\b(?:every|each|a|any|for|next|coming|black|good|ash|super|cyber|holy|palm|most|some|other|or|and|free){S}|-)\Z"
)
_WEEKDAY_NAMES = {f"{stem}day" for stem in WEEKDAYS.split("|")}
_IN_MONTH = pattern(rf"{S}in{S}(?:{MONTHS})\b")


def _told(match: re.Match[str], read: Read) -> Mention:
    return Mention(*place(match), read, told=True)


def _ago(match: re.Match[str]) -> Mention:
    """Two weeks ago."""
    count, unit = english(match["count"]), match["unit"].lower()
    if count == FEW:
        return _told(match, lambda now: periods.few_ago(now, unit))
    return _told(match, lambda now: periods.ago(now, count, unit))


def _half_year_ago(match: re.Match[str]) -> Mention:
    return _told(match, lambda now: periods.ago(now, 6, "month"))


def _rolling(match: re.Match[str]) -> Mention | None:
    """The last three days, the past month; of "last month" only where "in the" stands before it."""
    unit, count = match["unit"].lower(), english(match["count"] or "one")
    if match["count"] is None and (unit in ("day", "hour") or not _is_rolling(match)):
        return None
    return _told(match, lambda now: periods.rolling(now, count or periods.SPAN_OF_FEW[1], unit))


def _is_rolling(match: re.Match[str]) -> bool:
    if match["which"].lower() == "past":
        return bool(match["the"] or match["lead"])
    return bool(match["the"] and match["lead"]) and not match["the"].lower().startswith("this")


def _last(match: re.Match[str]) -> Mention | None:
    """Last week, this month, last Friday, this summer, last Christmas, earlier this year."""
    what, which = match["period"].lower(), match["which"].lower()
    if which != "past" and before(_WHOSE, match.string, match.start()):
        return None
    if what != "year" and _IN_MONTH.match(match.string, match.end()):
        return None  # "last week in May" is that month's last
    this = which.startswith(("this", "earlier")) and "past" not in which
    if what in ("may", "march") and match["period"].islower():
        return None
    return replace(_told(match, _read_this(what) if this else _read_last(what)), annual=what == "year")


def _read_last(what: str) -> Read:
    if what in ("week", "weekend", "month", "quarter", "year"):
        return lambda now: periods.previous(now, what)
    if what in _WEEKDAY_NAMES:
        weekday = weekday_number(what.removesuffix("day"))
        return lambda now: periods.containing(periods.on_or_before(now - DAY, weekday), "day")
    return lambda now: periods.latest_over(_yearly(what), now)


def _read_this(what: str) -> Read:
    if what in ("week", "weekend", "month", "quarter", "year"):
        return lambda now: periods.containing(now, what)
    if what in _WEEKDAY_NAMES:
        weekday = weekday_number(what.removesuffix("day"))
        return lambda now: periods.nth(periods.containing(now, "week"), 1, weekday)
    return lambda now: periods.present(_yearly(what), now)


def _yearly(what: str) -> periods.InYear:
    if re.fullmatch(MONTHS, what):
        number = month_number(what)
        return lambda year: periods.months(year, number)
    return recurring(what)


def _before_last(match: re.Match[str]) -> Mention:
    """The week before last."""
    unit = match["unit"].lower()
    if unit == "night":
        return _told(match, lambda now: _part(periods.ago(now, 2, "day"), "night"))
    return _told(match, lambda now: periods.previous(now, unit, 2))


def _word(match: re.Match[str]) -> Mention:
    """Yesterday, today, with or without a part of the day."""
    word = match["word"].lower()
    part = "evening" if word == "tonight" else "night" if word.startswith("last") else match["part"]
    back = 2 if "before" in word else 1 if word.startswith(("yesterday", "last")) else 0
    return _told(match, lambda now: _part(periods.ago(now, back, "day"), part))


def _part(period: Period, name: str | None) -> Period:
    return periods.part_of_day(period, name.lower()) if name else period


def _other_day(match: re.Match[str]) -> Mention:
    """The other day: some time in the last week, and not today."""
    return _told(match, lambda now: Period(periods.midnight(now) - 7 * DAY, periods.midnight(now)))


def _weekday(match: re.Match[str]) -> Mention | None:
    """On Friday, Tuesday night: the last one, today included; not "every Friday" nor "for Friday"."""
    if before(_NO_DAY, match.string, match.start("what")):
        return None
    weekday, part = weekday_number(match["weekday"]), match["part"]
    return _told(match, lambda now: _part(periods.containing(periods.on_or_before(now, weekday), "day"), part))


def _weekday_of_week(match: re.Match[str]) -> Mention:
    """Friday last week, last week on Friday."""
    weekday, back = weekday_number(match["weekday"]), int("last" in match[0].lower())
    return _told(match, lambda now: periods.nth(periods.previous(now, "week", back), 1, weekday))


def _weekdays(match: re.Match[str]) -> Mention:
    """Between Monday and Friday."""
    first, last = weekday_number(match["weekday"]), weekday_number(match["until"])

    def read(now: datetime) -> Period:
        start = periods.on_or_before(now, first)
        return Period(start, periods.on_or_after(start, last) + DAY)

    return _told(match, read)


def _over_weekend(match: re.Match[str]) -> Mention:
    """Over the weekend: the last that has begun."""
    return _told(match, lambda now: periods.stretch(periods.on_or_before(now, 5), 2))


def _number_of_month(match: re.Match[str]) -> Mention | None:
    """On the 5th, where nothing else can be counted: the last one, today included."""
    number = int(match["day"])
    if not 1 <= number <= 31:
        return None
    if match["which"]:
        back = int(match["which"].lower() == "last")
        return _told(match, lambda now: periods.days(*_month_back(now, back), number))
    return _told(match, lambda now: periods.latest_monthly(number, now))


def _month_back(now: datetime, back: int) -> tuple[int, int]:
    moment = periods.months_later(now, -back)
    return moment.year, moment.month


TOLD = (
    Form(pattern(rf"\bhalf{S}a{S}year{S}ago\b"), _half_year_ago),
    Form(pattern(rf"\b{_COUNT}{S}{_UNIT}s?{S}ago\b"), _ago),
    Form(
        pattern(
            rf"\b(?P<lead>(?:in|over|during|for|within|throughout){S})?(?P<what>(?P<the>(?:the|this){S})?"
            rf"(?P<which>last|past){S}(?:{_COUNT}{S})?{_UNIT}s?)(?!\w|{S}of\b)"
        ),
        _rolling,
    ),
    Form(pattern(rf"\b(?:last|this){S}week(?:['’]s)?,?{S}(?:on{S})?{WEEKDAY}"), _weekday_of_week),
    Form(pattern(rf"{WEEKDAY}{S}(?:of{S})?(?:last|this){S}week\b"), _weekday_of_week),
    Form(
        pattern(
            rf"\bon{S}the{S}(?P<what>(?P<day>\d{{1,2}})(?:st|nd|rd|th)(?:{S}of{S}(?P<which>last|this|the){S}month\b)?)"
            r"(?=\s?[?.!,;]|\s?\Z)"
        ),
        _number_of_month,
    ),
    Form(
        pattern(
            rf"\b(?P<which>last|this(?:{S}past)?|past|earlier{S}this){S}"
            rf"(?P<period>week|weekend|month|quarter|year|(?:{WEEKDAYS})day|{MONTHS}|{SEASONS}|{FEASTS})(?!\w|{S}of\b)"
        ),
        _last,
    ),
    Form(pattern(rf"\bthe{S}(?P<unit>week|weekend|month|year|night){S}before{S}last\b"), _before_last),
    Form(pattern(rf"\b(?P<word>last{S}night|tonight)(?P<part>\b)"), _word),
    Form(pattern(rf"\b(?P<word>this|earlier{S}this){S}(?P<part>morning|afternoon|evening)\b"), _word),
    Form(
        pattern(rf"\b(?P<word>the{S}day{S}before{S}yesterday|yesterday|today)(?:['’]s)?(?:{S}(?P<part>{PARTS}))?\b"),
        _word,
    ),
    Form(pattern(rf"\bthe{S}other{S}day\b"), _other_day),
    Form(pattern(rf"\b(?:over|during|at|on){S}the{S}weekend\b(?!{S}(?:of|before|after)\b)"), _over_weekend),
    Form(pattern(rf"\b(?:between|from){S}{WEEKDAY}{S}(?:{JOINTS}){S}(?P<until>{WEEKDAYS})day\b"), _weekdays),
    Form(
        pattern(
            rf"\b(?:on|since|after|around){S}(?P<what>{WEEKDAY}(?:{S}(?P<part>{PARTS}))?)"
            rf"(?!\w|{S}(?:{PARTS}|school)|{S}(?:and|or){S}(?:{WEEKDAYS})day(?:s|{S}(?:{PARTS})s))"
        ),
        _weekday,
    ),
    Form(pattern(rf"(?P<what>{WEEKDAY}{S}(?P<part>{PARTS}))(?!\w)"), _weekday),
    Form(pattern(rf"(?P<what>{WEEKDAY})(?P<part>)(?=\s?[?.!,;]|\s?\Z)"), _weekday),
)
"""The forms in which English counts from now, the more specific before the less."""
