"""The words that English expressions of time are made of, as pieces of patterns."""

from __future__ import annotations

import re

from ntm_memory_skill.temporal import periods
from ntm_memory_skill.temporal.grammar import Mention, yearly
from ntm_memory_skill.temporal.periods import InYear

S = r"\s{1,2}"
MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?"
)
WEEKDAYS = "mon|tues|wednes|thurs|fri|satur|sun"
SEASONS = "spring|summer|autumn|fall|winter"
FEASTS = "christmas|new year['’]s eve|halloween|valentine['’]s day|thanksgiving"
PARTS = "morning|afternoon|evening|night"
JOINTS = "and|to|through|thru|until|till"

MONTH = rf"\b(?P<month>{MONTHS})(?!\w)\.?"
YEAR = r"\b(?P<year>(?:19|20)\d\d)(?!\w|[.,:/]\d|-(?!(?:19|20)\d\d(?![\w-]))\d)"
OF_YEAR = rf"(?:(?:,\s{{0,2}}|{S}(?:of{S}|in{S})?){YEAR}|{S}(?:of{S}|in{S})?(?P<which>last|this){S}year\b)"
WEEKDAY = rf"\b(?P<weekday>{WEEKDAYS})day(?!\w)"
SEASON = rf"\b(?P<season>{SEASONS})(?!\w)"

_FEASTS = {
    "christmas": (12, 24, 3),
    "new year's eve": (12, 31, 1),
    "halloween": (10, 31, 1),
    "valentine's day": (2, 14, 1),
}
"""Month, day and number of days."""


def pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern that does not mind case."""
    return re.compile(text, re.IGNORECASE)


def month_number(word: str) -> int:
    """Return 1 for January, from its name or its first three letters."""
    return "jan feb mar apr may jun jul aug sep oct nov dec".split().index(word[:3].lower()) + 1


def weekday_number(stem: str) -> int:
    """Return 0 for Monday, from its name without "day"."""
    return WEEKDAYS.split("|").index(stem.lower())


def recurring(name: str) -> InYear:
    """Return the season or feast of that name."""
    name = " ".join(name.lower().replace("’", "'").split())
    if name == "thanksgiving":
        return lambda year: periods.nth(periods.months(year, 11), 4, 3)
    if name in _FEASTS:
        month, number, length = _FEASTS[name]
        return lambda year: periods.stretch(periods.days(year, month, number).start, length)
    return lambda year: periods.season(year, "autumn" if name == "fall" else name)


def place(match: re.Match[str]) -> tuple[int, int]:
    """Return where the mention itself stands: the group `what`, or all of the match."""
    return match.span("what") if "what" in match.re.groupindex else match.span()


def says_year(match: re.Match[str]) -> bool:
    """Return whether a match of `OF_YEAR`, optional or not, has a year."""
    return bool(match["year"] or match["which"])


def dated(match: re.Match[str], of: InYear) -> Mention:
    """Return a mention of something yearly, in the year that the match of an optional `OF_YEAR` says, if any."""
    begin, end = place(match)
    if match["which"]:
        back = 1 if match["which"].lower() == "last" else 0
        return Mention(begin, end, lambda now: of(now.year - back))
    return yearly(begin, end, of, int(match["year"]) if match["year"] else None)
