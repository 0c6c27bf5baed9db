"""How a language's expressions of time are put together: what both languages share.

A grammar is data. Its forms find mentions, the more specific form first; what stands around a mention narrows it
("early", "the week before"), joins it with its neighbour ("between … and …") or opens it to one side ("since").

All patterns are bounded: no quantifier is open, so that a pattern does a fixed amount of work at each character and
reading stays linear in the text, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Literal, NamedTuple

from ntm_memory_skill.temporal.periods import Change, InYear, Period, days, has_day, latest

Read = Callable[[datetime], Period]
"""What a mention means to someone who speaks at a moment."""

Side = Literal["before", "until", "since", "after"]
REACH = 48
"""How many characters around a mention are looked at."""
MOST_MATCHES = 200
"""A text with more words that could name a time is a document, and no question: nothing in it is read."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A period that a text names, and where."""

    begin: int
    end: int
    read: Read
    yearly: InYear | None = None
    """Set where it recurs every year and the text does not say which year's is meant."""
    year: int | None = None
    """The year, where the text says it."""
    told: bool = False
    """Whether it is counted from the moment of speaking ("last week"), rather than named ("May")."""
    annual: bool = False
    """Whether it is a year counted from then: "last year"."""

    def changed(self, change: Change, begin: int, end: int) -> Mention:
        """Return the mention with its period changed by the words around it, which it now includes."""
        read, yearly = self.read, self.yearly
        in_year: InYear | None = None if yearly is None else lambda year: change(yearly(year))
        return replace(self, begin=begin, end=end, read=lambda now: change(read(now)), yearly=in_year)


NEVER = re.compile(r"(?!)")
"""For what a language does not have."""


class Form(NamedTuple):
    """A pattern, and what it means where it matches; None if it means nothing there after all."""

    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], Mention | None]


class Context(NamedTuple):
    """A pattern directly before or after a mention, and how it changes the period; None if it does not."""

    pattern: re.Pattern[str]
    change: Callable[[re.Match[str]], Change | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """One language's. A pattern for what stands before something ends with the text; one for after begins with it."""

    forms: tuple[Form, ...]
    left: tuple[Context, ...]
    right: tuple[Context, ...]
    joint: re.Pattern[str]
    """All that stands between the two ends of a range, or between two dates of one year."""
    weak_joint: re.Pattern[str]
    """A joint that makes a range only where an opener or a closer says so: "and"."""
    opener: re.Pattern[str]
    closer: re.Pattern[str]
    counting: re.Pattern[str]
    """Before a range: what is asked for is the time between two dates, and not what happened in it."""
    retold: re.Pattern[str]
    """Between something told and the day on which it was: "last week, as mentioned on 3 May"."""
    sides_left: tuple[tuple[re.Pattern[str], Side], ...]
    sides_right: tuple[tuple[re.Pattern[str], Side], ...]
    birthday: re.Pattern[str]
    """In the clause of a day without a year: the day is what is known of someone, and not when it was said."""


def yearly(begin: int, end: int, of: InYear, year: int | None = None) -> Mention:
    """Return a mention of something that recurs every year: in the year said, else the last one not after now."""
    if year is not None:
        return Mention(begin, end, lambda _: of(year), year=year)
    return Mention(begin, end, lambda now: latest(of, now), yearly=of)


def _iso_date(match: re.Match[str]) -> Mention | None:
    year, month, number = (int(match[name]) for name in ("year", "month", "day"))
    return (
        yearly(*match.span(), lambda any_year: days(any_year, month, number), year) if has_day(month, number) else None
    )


ISO_DATE = Form(
    re.compile(r"(?<![\d./-])(?P<year>(?:19|20)\d\d)([-/.])(?P<month>\d\d?)\2(?P<day>\d\d?)(?![\d/-]|\.\d)"), _iso_date
)
"""2023-05-07, which is written in every language."""


def found(text: str, grammar: Grammar) -> list[Mention]:
    """Return what the grammar's forms and the words around them name, in order, without overlaps."""
    matches = [(form, match) for form in grammar.forms for match in islice(form.pattern.finditer(text), MOST_MATCHES)]
    if len(matches) >= MOST_MATCHES:
        return []
    mentions: list[Mention] = []
    for form, match in matches:
        mention = form.read(match)
        if mention is not None and not any(_overlap(mention, other) for other in mentions):
            mentions.append(mention)
    result: list[Mention] = []
    for mention in sorted(mentions, key=lambda mention: mention.begin):
        if result and mention.begin < result[-1].end:
            continue  # a neighbour's context took it in
        refined = _refined(text, mention, grammar)
        while result and refined.begin < result[-1].end:
            result.pop()
        result.append(refined)
    return result


def _overlap(one: Mention, other: Mention) -> bool:
    return one.begin < other.end and other.begin < one.end


def _refined(text: str, mention: Mention, grammar: Grammar) -> Mention:
    """Return a mention narrowed or moved by what stands directly around it, up to three words of that kind."""
    for _ in range(3):
        changed = _refined_once(text, mention, grammar)
        if changed is None:
            break
        mention = changed
    return mention


def _refined_once(text: str, mention: Mention, grammar: Grammar) -> Mention | None:
    for context in grammar.right:
        match = context.pattern.match(text, mention.end)
        change = None if match is None else context.change(match)
        if match is not None and change is not None:
            return mention.changed(change, mention.begin, match.end())
    for context in grammar.left:
        match = before(context.pattern, text, mention.begin)
        change = None if match is None else context.change(match)
        if match is not None and change is not None:
            return mention.changed(change, match.start(), mention.end)
    return None


def before(pattern: re.Pattern[str], text: str, end: int) -> re.Match[str] | None:
    """Return a pattern's match directly before a place in the text."""
    return pattern.search(text, max(0, end - REACH), end)
