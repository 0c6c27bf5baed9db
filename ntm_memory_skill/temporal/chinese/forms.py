"""Periods in Chinese: 2024年4月3日, 三月, 去年夏天, 上周五, 三天前, 最近一个月."""

from __future__ import annotations

import re
from datetime import datetime

from ntm_memory_skill.temporal import periods
from ntm_memory_skill.temporal.anchors import EVENT_BEFORE
from ntm_memory_skill.temporal.chinese.words import (
    COUNT,
    DAY,
    MONTH,
    PART_OF_DAY,
    PART_OF_MONTH,
    PART_OF_YEAR,
    SEASON,
    TOLD_YEAR,
    UNIT,
    WEEK,
    YEAR,
    hours,
    portion,
    recurring,
    unit_of,
    weekday_number,
)
from ntm_memory_skill.temporal.grammar import ISO_DATE, Form, Mention, Read, before, yearly
from ntm_memory_skill.temporal.numerals import FEW, chinese
from ntm_memory_skill.temporal.periods import InYear, Period

_YEARS_BACK = {"今年": 0, "去年": 1, "前年": 2, "大前年": 3}
_EACH = re.compile(r"每(?:一|个|年|逢|到)?的?(?:(?:周|星期|礼拜)[一二三四五六日天](?:到|至|和|、|-))?\Z")
_NO_NUMBER = r"(?<![\d.一二两三四五六七八九十第几每个/-])"
_AFTER_WEEKDAY = (
    r"(?=[的我你他她们去来在早上中下晚夜凌那到至之以前后做吃看买聊说发干开见和跟是有什谁哪怎,。?!;、\s]|\Z)"
)


def _dated(match: re.Match[str], of: InYear) -> Mention:
    """Return a mention of something yearly, in the year that the match says or counts from now, if any."""
    told = match["told"]
    if told:
        return Mention(*match.span(), lambda now: of(now.year - _YEARS_BACK[told]))
    return yearly(*match.span(), of, chinese(match["year"]) if match["year"] else None)


def _told(match: re.Match[str], read: Read) -> Mention:
    return Mention(*match.span(), read, told=True)


def _day(match: re.Match[str]) -> Mention | None:
    """2024年4月3日, 4月3号晚上, 5月3日到9日."""
    month, first = chinese(match["month"]), chinese(match["day"])
    last = chinese(match["last"]) if match["last"] else first
    if not (periods.has_day(month, first) and periods.has_day(month, last) and first <= last):
        return None
    if before(_EACH, match.string, match.start()):
        return None
    part = hours(match["hours"])
    if last > first:
        return _dated(match, lambda year: periods.days(year, month, first, last))
    return _dated(match, lambda year: part(periods.days(year, month, first)))


def _month(match: re.Match[str]) -> Mention | None:
    """三月, 2024年4月, 去年五月底."""
    month, part = chinese(match["month"]), portion(match["part"])
    if before(_EACH, match.string, match.start()):
        return None
    return _dated(match, lambda year: part(periods.months(year, month)))


def _season(match: re.Match[str]) -> Mention:
    """去年夏天, 2023年国庆."""
    return _dated(match, recurring(match["season"]))


def _year(match: re.Match[str]) -> Mention:
    """2022年, 去年年底."""
    part = portion(match["part"])
    return _dated(match, lambda year: part(periods.months(year, 1, 12)))


def _this_season(match: re.Match[str]) -> Mention:
    """上个夏天, 这个冬天."""
    of, last = recurring(match["season"]), match["which"][0] in "上刚"
    return _told(match, lambda now: periods.latest_over(of, now) if last else periods.present(of, now))


def _day_word(match: re.Match[str]) -> Mention:
    """昨天, 前天晚上, 今早."""
    word = match["word"]
    back = 0 if word[0] == "今" else 1 if word[0] == "昨" else 3 if word[0] == "大" else 2
    part = hours({"早": "早上", "晨": "早上", "晚": "晚上", "夜": "夜里"}.get(word[-1], match["hours"]))
    return _told(match, lambda now: part(periods.ago(now, back, "day")))


def _back(which: str) -> int:
    """Return how many units 上上, 上, 这 and 本 go back."""
    return which.count("上")


def _week(match: re.Match[str]) -> Mention:
    """上周, 上上周末, 这周三晚上."""
    back, weekday, part = _back(match["which"]), match["weekday"], hours(match["hours"])
    if match["weekend"]:
        return _told(match, lambda now: periods.nth(periods.previous(now, "week", back), 1, "weekend"))
    if weekday is None:
        return _told(match, lambda now: periods.previous(now, "week", back))
    number = weekday_number(weekday)
    return _told(match, lambda now: part(periods.nth(periods.previous(now, "week", back), 1, number)))


def _weekday(match: re.Match[str]) -> Mention | None:
    """周一, 星期天晚上: the last one, today included; not 每周一."""
    if before(_EACH, match.string, match.start()):
        return None
    number, part = weekday_number(match["weekday"]), hours(match["hours"])
    return _told(match, lambda now: part(periods.containing(periods.on_or_before(now, number), "day")))


def _this_month(match: re.Match[str]) -> Mention | None:
    """上个月, 这个月初, 上个月3号."""
    back, part = _back(match["which"]), portion(match["part"])
    if not match["day"]:
        return _told(match, lambda now: part(periods.previous(now, "month", back)))
    number = chinese(match["day"])

    def read(now: datetime) -> Period:
        month = periods.previous(now, "month", back).start
        return periods.days(month.year, month.month, number)

    return _told(match, read)


def _ago(match: re.Match[str]) -> Mention | None:
    """三天前, 两个星期以前, 几年前; 婚礼三天前 is counted from the wedding."""
    if before(EVENT_BEFORE, match.string, match.start()):
        return None
    count, unit = chinese(match["count"]), unit_of(match["unit"])
    if count == FEW:
        return _told(match, lambda now: periods.few_ago(now, unit))
    return _told(match, lambda now: periods.ago(now, count, unit))


def _half_ago(match: re.Match[str]) -> Mention | None:
    """半年前, 半个月前."""
    if before(EVENT_BEFORE, match.string, match.start()):
        return None
    count, unit = (6, "month") if match["unit"] == "年" else (2, "week")
    return _told(match, lambda now: periods.ago(now, count, unit))


def _rolling(match: re.Match[str]) -> Mention | None:
    """过去三天, 最近一个月, 这几天; 这一天 is some other day."""
    count, unit = chinese(match["count"]), unit_of(match["unit"])
    if match["which"] == "这" and count == 1:
        return None
    return _told(match, lambda now: periods.rolling(now, count or periods.SPAN_OF_FEW[1], unit))


def _half_rolling(match: re.Match[str]) -> Mention:
    """过去半年."""
    count, unit = (6, "month") if match["unit"] == "年" else (2, "week")
    return _told(match, lambda now: periods.rolling(now, count, unit))


def _other_day(match: re.Match[str]) -> Mention:
    """前几天, 前些日子, 前几年."""
    if match["day"]:
        return _told(match, lambda now: Period(periods.midnight(now) - 7 * periods.DAY, periods.midnight(now)))
    unit = unit_of(match["unit"])
    return _told(match, lambda now: periods.few_ago(now, unit))


_IN_YEAR = rf"(?:{YEAR}|{TOLD_YEAR})"
_WHICH = r"(?P<which>(?<![晚早网线身海天路马])上(?:上|一)?个?|这一?个?|本)"

FORMS = (
    ISO_DATE,
    *(
        Form(re.compile(pattern), read)
        for pattern, read in (
            (
                rf"(?:{_IN_YEAR}\s?的?|{_NO_NUMBER}){MONTH}\s?(?P<day>{DAY})(?:\s?[日号]|(?=[到至~-]))"
                rf"(?:(?:到|至|~|-)\s?(?P<last>{DAY})\s?[日号]|的?{PART_OF_DAY})?",
                _day,
            ),
            (rf"(?:{_IN_YEAR}\s?的?|{_NO_NUMBER}){MONTH}{PART_OF_MONTH}?(?![龄饼大薪嫂光亮怀一两\d])", _month),
            (rf"{_IN_YEAR}\s?的?{SEASON}", _season),
            (rf"{_IN_YEAR}(?:的?{PART_OF_YEAR})?", _year),
            (rf"(?P<which>(?<![晚早网线])上个?|这个?|刚过去的){SEASON}", _this_season),
            (
                r"(?P<word>大前天|(?<![目以之提])前天|(?<![目以之提])前晚|昨[天日晚夜]|今[天日早晨晚])"
                rf"(?:的?{PART_OF_DAY})?",
                _day_word,
            ),
            (
                rf"{_WHICH}{WEEK}(?:(?P<weekday>[一二三四五六日天])(?:的?{PART_OF_DAY})?|(?P<weekend>末))?"
                r"(?![围边刊期转密全])",
                _week,
            ),
            (
                rf"(?<![一二两三四五六七八九十几\d个下隔双单])(?:周(?P<weekday>[一二三四五六日天])(?:的?{PART_OF_DAY})?)"
                rf"{_AFTER_WEEKDAY}",
                _weekday,
            ),
            (
                rf"(?<![一二两三四五六七八九十几\d个下])(?:星期|礼拜)(?P<weekday>[一二三四五六日天])(?:的?{PART_OF_DAY})?",
                _weekday,
            ),
            (rf"{_WHICH}月(?:\s?(?P<day>{DAY})\s?[日号]|{PART_OF_MONTH})?(?![亮租饼薪球票卡季刊])", _this_month),
            (
                rf"(?<![\d第每十百千万])(?<![百千万][一二三四五六七八九]){COUNT}{UNIT}多?(?:之|以)?前(?![面方台夕后往])",
                _ago,
            ),
            (r"(?<![\d一二两三四五六七八九十几])半(?P<unit>年|个月)多?(?:之|以)?前(?![面方台夕后往])", _half_ago),
            (rf"(?P<which>过去|最近|(?<![附最将接临靠])近|这)的?{COUNT}{UNIT}(?![前后次级])", _rolling),
            (r"(?:过去|最近|(?<![附最将接临靠])近|这)的?半(?P<unit>年|个月)(?![前后])", _half_rolling),
            (
                r"(?<![日号月年末周之以目天])(?:前[几两些](?P<day>天|日子?)|前几(?P<unit>个?周|个?星期|个月|年))",
                _other_day,
            ),
        )
    ),
)
"""The forms in which Chinese names a period, the more specific before the less."""
