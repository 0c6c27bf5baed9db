"""What a text says about time: the one entry.

No library is used; these were measured. dateparser 1.5 takes 135 ms to import and 0.2 to 3 ms a phrase, answers with a
moment where the width is what matters, finds dates in "you may" and "3.5 of the 12", and knows neither "last summer"
nor "the past month" nor 三天前, nor 4月3日 when the past is preferred. parsedatetime 2.6 and recurrent 0.4 look ahead
and know no Chinese; jionlp 1.5 takes 600 ms to import and refuses 上个月. Festivals of the lunar calendar are not known
here: lunardate is under the GPL.

A text without any hint of time costs a search or two, and loads no grammar. The time zone comes in last: all arithmetic
is done on the asker's own clock.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.temporal import hints
from ntm_memory_skill.temporal.anchors import anchors
from ntm_memory_skill.temporal.grammar import Grammar, found
from ntm_memory_skill.temporal.joining import Placed, windows
from ntm_memory_skill.temporal.numerals import simplified
from ntm_memory_skill.temporal.values import TimeMentions

MOST_WINDOWS = 8
"""A text that names more times than this is a document with dates in it, and no question about one of them."""


def mentioned(text: str, now: datetime) -> TimeMentions:
    """Return what a text says about time, in English or Chinese, to someone who asks now.

    A month or a day without a year is the last one that began not after now. Windows are in the zone of `now`.

    Args:
        text: Any text. The work grows with its length, whatever stands in it.
        now: When it is asked, timezone-aware.

    Raises:
        InvalidArgument: `now` has no time zone.
    """
    if now.utcoffset() is None:
        raise InvalidArgument("`now` has no time zone.")
    text = unicodedata.normalize("NFKC", text).strip()
    said = list(_chinese(text, now))
    said += [other for other in _english(text, now) if not any(_overlap(other, one) for one in said)]
    said.sort(key=lambda placed: placed.begin)
    events = anchors(text, [(placed.begin, placed.end) for placed in said])
    return TimeMentions(tuple(placed.window for placed in said) if len(said) <= MOST_WINDOWS else (), events)


def _overlap(one: Placed, other: Placed) -> bool:
    return one.begin < other.end and other.begin < one.end


def _chinese(text: str, now: datetime) -> Iterator[Placed]:
    plain = simplified(text)
    if text.isascii() or hints.CHINESE.search(plain) is None:
        return
    from ntm_memory_skill.temporal.chinese.grammar import CHINESE

    yield from _windows(text, plain, CHINESE, now)


def _english(text: str, now: datetime) -> Iterator[Placed]:
    if hints.ENGLISH.search(text) is None:
        return
    from ntm_memory_skill.temporal.english.grammar import ENGLISH

    yield from _windows(text, text, ENGLISH, now)


def _windows(text: str, plain: str, grammar: Grammar, now: datetime) -> Iterator[Placed]:
    """Yield what a grammar reads in the plain text, in the words of the text and in the zone of `now`."""
    for begin, end, window in windows(plain, found(plain, grammar), grammar, now.replace(tzinfo=None)):
        start, stop = (None if edge is None else edge.replace(tzinfo=now.tzinfo) for edge in (window.start, window.end))
        yield Placed(begin, end, replace(window, start=start, end=stop, phrase=text[begin:end]))
