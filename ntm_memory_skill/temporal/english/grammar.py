"""What stands around an English expression of time, and the grammar as a whole."""

from __future__ import annotations

import re

from ntm_memory_skill.temporal import periods
from ntm_memory_skill.temporal.english.named import NAMED
from ntm_memory_skill.temporal.english.told import TOLD
from ntm_memory_skill.temporal.english.words import WEEKDAYS, S, pattern, weekday_number
from ntm_memory_skill.temporal.grammar import NEVER, Context, Grammar
from ntm_memory_skill.temporal.numerals import CARDINAL, FEW, PLACE, english
from ntm_memory_skill.temporal.periods import Change

_ABOUT = rf"{S}(?:(?:about|around|roughly|the|on|in){S}){{0,2}}\Z"
_WHAT = rf"(?P<what>day|week|weekend|month|year|night|evening|morning|(?:{WEEKDAYS})day)"
_PORTIONS = {
    **dict.fromkeys(("early", "beginning", "start"), (0, 3)),
    **dict.fromkeys(("mid", "middle"), (1, 3)),
    **dict.fromkeys(("late", "end"), (2, 3)),
    **dict.fromkeys(("second half", "last half"), (1, 2)),
    "first half": (0, 2),
    **{f"{which} quarter": (index, 4) for index, which in enumerate("first second third fourth".split())},
    "last quarter": (3, 4),
}
"""Which of how many equal parts."""


def _portion(match: re.Match[str]) -> Change | None:
    """Early in May, the end of last year, the first half of 2022."""
    index, count = _PORTIONS[" ".join(match["portion"].lower().split())]
    return lambda period: periods.portion(period, index, count)


def _nth(match: re.Match[str]) -> Change | None:
    """The first week of May, the last Friday in June."""
    number, what = english(match["number"]), _what(match)
    return lambda period: periods.nth(period, number, what)


def _what(match: re.Match[str]) -> str | int:
    """Return the unit, or the number of the weekday."""
    what = match["what"].lower()
    if what in ("day", "night", "evening", "morning"):
        return "day"
    return what if what in ("week", "weekend", "month", "year") else weekday_number(what.removesuffix("day"))


def _offset(match: re.Match[str]) -> Change | None:
    """Two days before, a week after."""
    count, unit, after = english(match["count"]), match["unit"].lower(), match["side"].lower() in ("after", "following")
    if count == FEW:
        count = sum(periods.SPAN_OF_FEW) // 2
    return lambda period: periods.ago(period.start, -count if after else count, unit)


def _beside(match: re.Match[str]) -> Change | None:
    """The week before, the Friday after."""
    what, after = _what(match), match["side"].lower() in ("after", "following")
    return lambda period: periods.beside(period, what, after=after)


def _week_of(match: re.Match[str]) -> Change | None:
    """The week of 3 May, the weekend of 3 May."""
    unit = match["unit"].lower()
    return lambda period: periods.containing(period.start, unit) if periods.is_day(period) else period


_SIDE = r"(?P<side>before|prior\sto|preceding|after|following)"

ENGLISH = Grammar(
    forms=(*NAMED[:-1], *TOLD, NAMED[-1]),
    left=(
        Context(pattern(rf"\b(?P<portion>early|mid|late)(?:{S}(?:in{S})?(?:the{S})?|-)\Z"), _portion),
        Context(
            pattern(
                rf"\b(?:the{S})?(?P<portion>beginning|start|middle|end|(?:first|second|last){S}half"
                rf"|(?:first|second|third|fourth|last){S}quarter){S}of{S}(?:the{S})?\Z"
            ),
            _portion,
        ),
        Context(pattern(rf"\b(?:the{S})?(?P<number>{PLACE}){S}(?!year){_WHAT}{S}(?:of|in){S}(?:the{S})?\Z"), _nth),
        Context(pattern(rf"\b(?P<count>{CARDINAL}){S}(?P<unit>day|week|month|year)s?{S}{_SIDE}{_ABOUT}"), _offset),
        Context(pattern(rf"\b(?:(?:the|that|last){S})?{_WHAT}{S}{_SIDE}{_ABOUT}"), _beside),
        Context(pattern(rf"\b(?:the{S})?(?P<unit>week|weekend){S}of{S}(?:the{S})?\Z"), _week_of),
    ),
    right=(),
    joint=pattern(rf"\s?[-–—]\s?|,?{S}(?:to|through|thru|until|till){S}(?:the{S})?"),
    weak_joint=pattern(rf",?{S}(?:and|or|&){S}(?:(?:on|in){S})?(?:the{S})?"),
    opener=pattern(rf"\b(?:between|from)(?:{S}(?:about|around|the)){{0,2}}{S}\Z"),
    closer=NEVER,
    counting=pattern(rf"\bhow{S}(?:long{S}(?:is|was|were)|much{S}time|many{S}(?:days|weeks|months|years))\b"),
    retold=pattern(rf",?\s{{0,2}}\(?(?:as{S}(?:\w{{2,12}}{S})?)?(?:on{S}|of{S}|in{S})?(?:the{S})?"),
    sides_left=(
        (pattern(rf"\b(?:before|prior{S}to|earlier{S}than){_ABOUT}"), "before"),
        (pattern(rf"\b(?:until|till|by|up{S}(?:to|until)|through){_ABOUT}"), "until"),
        (pattern(rf"\b(?:since|starting(?:{S}(?:in|on|from))?){_ABOUT}"), "since"),
        (pattern(rf"\b(?:after|later{S}than){_ABOUT}"), "after"),
    ),
    sides_right=((pattern(rf"{S}(?:onwards?|forward|(?:and|or){S}later)\b"), "since"),),
    birthday=pattern(r"\b(?:birthdays?|birthdates?|born|anniversary)\b"),
)
"""English."""
