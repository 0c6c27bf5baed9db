"""From mentions to windows: ranges of two, sides left open, and what one date says about its neighbour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from ntm_memory_skill.temporal.grammar import REACH, Grammar, Mention, Read, Side, before
from ntm_memory_skill.temporal.periods import DAY, InYear, Period, latest, midnight, next_after
from ntm_memory_skill.temporal.values import TimeWindow

_CLAUSE_END = re.compile(r"[,.;:?!，。；：？！\n]")


class Placed(NamedTuple):
    """A window, and where its phrase stands in the text."""

    begin: int
    end: int
    window: TimeWindow


def windows(text: str, mentions: list[Mention], grammar: Grammar, now: datetime) -> Iterator[Placed]:
    """Yield the windows that mentions amount to for someone who asks at a naive moment, in the text's order; naive too.

    What would lie outside the calendar is left out, and what is counted from now and lies ahead of today.
    """
    rest = _retold(text, _lent_years(text, mentions, grammar), grammar)
    while rest:
        both = len(rest) > 1 and _is_range(text, rest[0], rest[1], grammar)
        taken, rest = (rest[:2], rest[2:]) if both else (rest[:1], rest[1:])
        try:
            found = _between(text, taken[0], taken[1], grammar, now) if both else None
            yield from [found] if found is not None else _each(text, taken, grammar, now)
        except (ValueError, OverflowError):  # 29 February 2023, or 900 years before the year 500
            continue


def _lent_years(text: str, mentions: list[Mention], grammar: Grammar) -> list[Mention]:
    """Give the year of the second of two dates to the first: "from May 3 to May 9, 2022"."""
    result = list(mentions)
    for index in range(len(result) - 1, 0, -1):
        first, second = result[index - 1], result[index]
        gap = text[first.end : second.begin]
        joined = grammar.joint.fullmatch(gap) or grammar.weak_joint.fullmatch(gap)
        if first.yearly is not None and second.year is not None and joined:
            result[index - 1] = replace(first, read=_last_before(first.yearly, second), yearly=None, year=second.year)
    return result


def _last_before(of: InYear, mention: Mention) -> Read:
    """Return the last of what recurs that began not after a mention."""
    return lambda now: latest(of, mention.read(now).start)


def _retold(text: str, mentions: list[Mention], grammar: Grammar) -> list[Mention]:
    """Count "last week, as mentioned on 3 May" from that day, and take "last year in May" as one."""
    result: list[Mention] = []
    for mention in mentions:
        last = result[-1] if result else None
        if last is None or mention.told or not (last.told and grammar.retold.fullmatch(text[last.end : mention.begin])):
            result.append(mention)
        elif mention.yearly is not None and last.annual:
            read = _in_year_of(mention.yearly, last)
            result[-1] = replace(mention, begin=last.begin, read=read, yearly=None)
        else:
            result[-1:] = [_counted_from(last, mention), mention]
    return result


def _in_year_of(of: InYear, year: Mention) -> Read:
    return lambda now: of(year.read(now).start.year)


def _counted_from(told: Mention, day: Mention) -> Mention:
    def read(now: datetime) -> Period:
        there = day.read(now)
        return told.read(there.start if there.end - there.start == DAY else now)

    return replace(told, read=read, told=False)


def _is_range(text: str, first: Mention, second: Mention, grammar: Grammar) -> bool:
    gap = text[first.end : second.begin]
    if grammar.joint.fullmatch(gap):
        return True
    if not grammar.weak_joint.fullmatch(gap):
        return False
    return bool(grammar.closer.match(text, second.end) or before(grammar.opener, text, first.begin))


def _between(text: str, first: Mention, second: Mention, grammar: Grammar, now: datetime) -> Placed | None:
    """Return the range of two mentions; None where they are no range, or the time between them is what is asked for."""
    start = first.read(now)
    end = second.read(now) if second.yearly is None else next_after(second.yearly, start.start)
    around = text[max(0, first.begin - REACH) : second.end + REACH]
    if end.end <= start.start or grammar.counting.search(around):
        return None
    opener = before(grammar.opener, text, first.begin)
    closer = grammar.closer.match(text, second.end)
    place = (opener.start() if opener else first.begin, closer.end() if closer else second.end)
    return Placed(*place, TimeWindow(start.start, end.end, text[slice(*place)], start.end - start.start))


def _each(text: str, mentions: list[Mention], grammar: Grammar, now: datetime) -> Iterator[Placed]:
    """Yield the windows of mentions that stand alone."""
    for mention in mentions:
        period = mention.read(now)
        if (mention.told and period.start >= midnight(now) + DAY) or _is_birthday(text, mention, period, grammar):
            continue
        begin, end, side = _side(text, mention, grammar)
        yield Placed(begin, end, TimeWindow(*_opened(period, side), text[begin:end], period.end - period.start))


def _side(text: str, mention: Mention, grammar: Grammar) -> tuple[int, int, Side | None]:
    """Return a mention's place together with the word that opens it to one side, and that side."""
    for pattern, side in grammar.sides_right:
        match = pattern.match(text, mention.end)
        if match is not None:
            return mention.begin, match.end(), side
    for pattern, side in grammar.sides_left:
        match = before(pattern, text, mention.begin)
        if match is not None:
            return match.start(), mention.end, side
    return mention.begin, mention.end, None


def _opened(period: Period, side: Side | None) -> tuple[datetime | None, datetime | None]:
    if side == "before":
        return None, period.start
    if side == "until":
        return None, period.end
    if side == "since":
        return period.start, None
    return (period.end, None) if side == "after" else period


def _is_birthday(text: str, mention: Mention, period: Period, grammar: Grammar) -> bool:
    """Return whether a day without a year stands in a clause about somebody's birthday."""
    if mention.yearly is None or period.end - period.start > DAY:
        return False
    low, high = max(0, mention.begin - REACH), mention.end + REACH
    left = _CLAUSE_END.split(text[low : mention.begin])[-1]
    right = _CLAUSE_END.split(text[mention.end : high])[0]
    return grammar.birthday.search(left + text[mention.begin : mention.end] + right) is not None
