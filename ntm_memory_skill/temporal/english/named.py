"""Days, months, seasons and years that are called by their names: 7 May 2023, May, the summer of 2022."""

from __future__ import annotations

import re

from ntm_memory_skill.temporal import periods
from ntm_memory_skill.temporal.english.words import (
    FEASTS,
    JOINTS,
    MONTH,
    MONTHS,
    OF_YEAR,
    SEASON,
    SEASONS,
    WEEKDAYS,
    YEAR,
    S,
    dated,
    month_number,
    pattern,
    place,
    recurring,
    says_year,
)
from ntm_memory_skill.temporal.grammar import ISO_DATE, Form, Mention, before, yearly
from ntm_memory_skill.temporal.numerals import ORDINALS, english

_SUFFIX = "(?P<suffix>st|nd|rd|th)?"
_NUMBER = rf"(?<![\w.,:/$€£-])(?P<day>\d{{1,2}}){_SUFFIX}(?!\w)"
_NUMBER_LAST = rf"(?P<day>\d{{1,2}}){_SUFFIX}(?!\w|[.:]\d|,\d{{3}}(?!\d)|\s?(?:am|pm|percent)\b|\s?%)"
_ON_WEEKDAY = rf"(?:\b(?:{WEEKDAYS})day,?{S}(?:the{S})?)?"
_JOINT = rf"(?P<joint>\s?[-–—]\s?|{S}(?:{JOINTS}){S}(?:the{S})?)"
_UNITS = (
    "words?|steps?|people|persons?|dollars?|euros?|pounds?|yuan|miles?|km|met(?:er|re)s?|feet|calories|points?|times|"
    "pages?|photos?|items?|tokens?|characters?|users?|games?|hours?|minutes?|days?|weeks?|months?|years?|lines?|units?"
)
_CAMP = r"(?!['’]?s?\s(?:camp|break|job|internship|school|course|semester|term|league|olympics|sale|coat|sport)s?\b)"

_NAMES = {"april", "may", "june", "august", "jan"}
_VERBS = {"may", "march", "mar"}

_DAY = pattern(rf"(?<![\w.,:/-])\d{{1,2}}(?:st|nd|rd|th)?{S}(?:of{S})?\Z")
_ON = pattern(rf"\bon{S}\Z")
_PLURAL = re.compile(rf"\s(?!(?:{JOINTS}|or|at|in|did|do|does|was|were)\b)[a-z]")
_BETWEEN = pattern(rf"\bbetween{S}(?:the{S})?\Z")
_IN = pattern(
    rf"(?:\b(?:in|during|since|until|till|throughout|early|late|mid|middle)(?:{S}|-)"
    rf"|\b(?:beginning|start|middle|end|half|quarter|days?|weeks?|weekends?|\w{{3,6}}day){S}(?:of|in){S})\Z"
)
_BESIDE = pattern(rf"\b(?P<word>before|after|around|by|between|from|through){S}\Z")
_RANGE = pattern(rf"(?:{S}(?:{JOINTS}){S}|\s?[-–]\s?)(?:early{S}|late{S}|mid[-\s])?(?:{MONTHS})\b")
_CLOSE = pattern(
    rf"\s?(?:[?.!,;)]|\Z)|{S}(?:did|do|does|was|were|had|have|what|who|where|which|how|when)\b|{_RANGE.pattern}"
)
_JOINED = pattern(
    rf"\b(?:{MONTHS})(?:{S}(?:19|20)\d\d)?(?:{S}(?:{JOINTS}){S}|\s?[-–]\s?)(?:early{S}|late{S}|mid[-\s])?\Z"
)
_SAYS_YEAR = pattern(
    r"\b(?:in|since|during|before|after|until|till|by|of|throughout|from|between|early|mid|late|around)[\s-]"
    rf"(?:(?:19|20)\d\d(?:{S}(?:{JOINTS}){S}|\s?[-–]\s?))?\Z"
)


def _numeric(match: re.Match[str]) -> Mention | None:
    """13/5/2023 and 5/13/2023; where either number could be the month, it is no date that anyone can be sure of."""
    first, second = int(match["first"]), int(match["second"])
    number, month = (second, first) if match["sign"] != "." and second > 12 else (first, second)
    sure = match["sign"] == "." or number > 12 or number == month
    if not sure or not periods.has_day(month, number):
        return None
    return yearly(*match.span(), lambda year: periods.days(year, month, number), int(match["year"]))


def _day(match: re.Match[str]) -> Mention | None:
    """7 May, May 7th."""
    number, month = int(match["day"]), month_number(match["month"])
    if not periods.has_day(month, number) or _is_verb(match):
        return None
    return dated(match, lambda year: periods.days(year, month, number))


def _is_verb(match: re.Match[str]) -> bool:
    """Tell "may 7 people come?" and "March 20 miles" from days."""
    word, text = match["month"], match.string
    if word.lower() not in _VERBS or says_year(match) or match["suffix"] or " of " in match[0].lower():
        return False
    if word.islower():
        return not before(_ON, text, match.start())
    opening = text[max(0, match.start() - 3) : match.start()].rstrip()[-1:] in ("", ".", "?", "!", '"', "“")
    return opening and _PLURAL.match(text, match.end()) is not None


def _ordinal_day(match: re.Match[str]) -> Mention | None:
    """The first of May."""
    number, month = english(match["day"]), month_number(match["month"])
    return dated(match, lambda year: periods.days(year, month, number))


def _days(match: re.Match[str]) -> Mention | None:
    """3 to 9 May, May 3-9; "3 and 9 May" only after "between"."""
    if match["joint"].strip().lower() == "and" and not before(_BETWEEN, match.string, match.start()):
        return None
    first, last, month = int(match["day"]), int(match["last"]), month_number(match["month"])
    if not periods.has_day(month, last) or not 1 <= first < last:
        return None
    return dated(match, lambda year: periods.days(year, month, first, last))


def _month(match: re.Match[str]) -> Mention | None:
    """A month with its year, or where it can be nothing else; what has a day before it is 30 February."""
    number = month_number(match["month"])
    if before(_DAY, match.string, match.start()) or not (says_year(match) or _is_month(match)):
        return None
    return dated(match, lambda year: periods.months(year, number))


def _is_month(match: re.Match[str]) -> bool:
    """Return whether a word that could be a month's name is one here."""
    word, text, (begin, end) = match["month"].lower(), match.string, match.span("month")
    owner = word in _NAMES and re.match(r"['’]s\b", text[end : end + 3]) is not None
    if before(_IN, text, begin):
        return not owner
    if word in _VERBS and match["month"].islower():
        return False
    if before(_JOINED, text, begin):
        return True
    certain = word not in _NAMES | _VERBS and len(word) > 3
    beside = before(_BESIDE, text, begin)
    if certain or beside is None or _CLOSE.match(text, end) is None:
        return certain
    return word not in _NAMES or beside["word"].lower() not in ("by", "from") or _RANGE.match(text, end) is not None


def _season(match: re.Match[str]) -> Mention:
    """The summer of 2022, Christmas 2022."""
    return dated(match, recurring(match["season"]))


def _bare_season(match: re.Match[str]) -> Mention:
    """In the summer."""
    return yearly(*place(match), recurring(match["season"]))


def _year(match: re.Match[str]) -> Mention | None:
    """A year, where the words before the number say that it is one."""
    if not match["said"] and not before(_SAYS_YEAR, match.string, match.start()):
        return None
    return yearly(*place(match), lambda year: periods.months(year, 1, 12), int(match["year"]))


def _quarter(match: re.Match[str]) -> Mention:
    """Q3 2023."""
    index = int(match["quarter"]) - 1
    return yearly(*match.span(), lambda year: periods.months(year, 3 * index + 1, 3), int(match["year"]))


NAMED = (
    ISO_DATE,
    Form(
        pattern(
            r"(?<![\w./-])(?P<first>\d\d?)(?P<sign>[/.-])(?P<second>\d\d?)(?P=sign)(?P<year>(?:19|20)\d\d)(?![\w/-])"
        ),
        _numeric,
    ),
    Form(pattern(rf"{_NUMBER}{_JOINT}(?P<last>\d{{1,2}})(?:st|nd|rd|th)?{S}(?:of{S})?{MONTH}{OF_YEAR}?"), _days),
    Form(
        pattern(
            rf"{MONTH}{S}(?:the{S})?{_NUMBER_LAST}{_JOINT}(?P<last>\d{{1,2}})(?:st|nd|rd|th)?"
            rf"(?!\w|[.:]\d|\s?(?:am|pm)\b|{S}(?:{MONTHS})\b){OF_YEAR}?"
        ),
        _days,
    ),
    Form(pattern(rf"{_ON_WEEKDAY}{_NUMBER}{S}(?:(?:day{S})?of{S})?{MONTH}{OF_YEAR}?"), _day),
    Form(pattern(rf"{_ON_WEEKDAY}{MONTH}{S}(?:the{S})?{_NUMBER_LAST}{OF_YEAR}?"), _day),
    Form(pattern(rf"\b(?P<day>{ORDINALS}){S}(?:day{S})?of{S}{MONTH}{OF_YEAR}?"), _ordinal_day),
    Form(pattern(rf"{MONTH}{OF_YEAR}?"), _month),
    Form(pattern(rf"\b(?P<season>{SEASONS}|{FEASTS}){OF_YEAR}"), _season),
    Form(pattern(rf"\b(?:in|during|over|since|throughout){S}the{S}(?P<what>{SEASON}){_CAMP}"), _bare_season),
    Form(pattern(rf"\bQ(?P<quarter>[1-4])(?:{S}of)?{S}{YEAR}"), _quarter),
    Form(pattern(rf"(?P<said>\byear{S})?{YEAR}(?!\s(?:{_UNITS})\b|\s?%)"), _year),
)
"""The forms in which English names a period, the more specific before the less."""
