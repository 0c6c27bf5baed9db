"""What stands around a Chinese expression of time, and the grammar as a whole."""

from __future__ import annotations

import re

from ntm_memory_skill.temporal import periods
from ntm_memory_skill.temporal.chinese.forms import FORMS
from ntm_memory_skill.temporal.chinese.words import COUNT, UNIT, unit_of
from ntm_memory_skill.temporal.grammar import NEVER, Context, Grammar
from ntm_memory_skill.temporal.numerals import FEW, chinese
from ntm_memory_skill.temporal.periods import Change


def _beside(match: re.Match[str]) -> Change | None:
    """前一天, 后一周, 前两天, 之前的周末."""
    after = match["side"] == "后"
    if match["weekend"]:
        return lambda period: periods.beside(period, "weekend", after=after)
    unit = "day" if match["night"] else unit_of(match["unit"])
    if match["night"] or chinese(match["count"]) == 1:
        return lambda period: periods.beside(period, unit, after=after)
    return _offset(match)


def _offset(match: re.Match[str]) -> Change | None:
    """三天前, 两周后."""
    count, unit, after = chinese(match["count"]), unit_of(match["unit"]), match["side"] == "后"
    if count == FEW:
        count = sum(periods.SPAN_OF_FEW) // 2
    return lambda period: periods.ago(period.start, -count if after else count, unit)


def _neighbour(match: re.Match[str]) -> Change | None:
    """前夕, 第二天, 那天, 那周."""
    word = match["word"]
    if word.endswith("周"):
        return lambda period: periods.containing(period.start, "week") if periods.is_day(period) else period
    if word[0] in "当那这":
        return lambda period: period
    return lambda period: periods.beside(period, "day", after=not word.startswith("前"))


CHINESE = Grammar(
    forms=FORMS,
    left=(),
    right=(
        Context(
            re.compile(
                rf"的?(?:之|以)?(?P<side>[前后])的?那?(?:(?P<weekend>一?个?周末)|{COUNT}(?:{UNIT}|(?P<night>晚)))"
            ),
            _beside,
        ),
        Context(re.compile(rf"的?{COUNT}{UNIT}(?:之|以)?(?P<side>[前后])"), _offset),
        Context(
            re.compile(r"的?(?P<word>前夕|前夜|次日|第二天|翌日|当天|当日|当晚|[那这]一?天|当周|[那这]一?周)"),
            _neighbour,
        ),
    ),
    joint=re.compile(r"一?直?[到至]|\s?[-~—–]\s?"),
    weak_joint=re.compile(r"和|与|跟|及|以及|、"),
    opener=re.compile(r"[从自]\Z"),
    closer=re.compile(r"之间|期间|这段时间"),
    counting=re.compile(
        r"(?:隔|差|距|过了|有)[^,。?!]{0,4}(?:多少|几)个?(?:天|周|星期|礼拜|月|年)|[隔距][^,。?!]{0,4}多[久长]"
    ),
    retold=NEVER,  # a date that something is counted from stands before it in Chinese
    sides_left=((re.compile(r"(?:自从|自打|自)\Z"), "since"), (re.compile(r"(?:截至|截止到?|直到)\Z"), "until")),
    sides_right=(
        (re.compile(r"的?(?:之前|以前|前)(?![面方台夕后])"), "before"),
        (re.compile(r"的?(?:之后|以后|过后|后)(?![面来台天])"), "after"),
        (re.compile(r"以来|至今|以降|起|开始|到现在|到今天"), "since"),
        (re.compile(r"为止"), "until"),
    ),
    birthday=re.compile(r"生日|出生|诞辰|纪念日|过寿"),
)
"""Chinese."""
