"""The words that Chinese expressions of time are made of, as pieces of patterns."""

from __future__ import annotations

from ntm_memory_skill.temporal import periods
from ntm_memory_skill.temporal.numerals import CHINESE
from ntm_memory_skill.temporal.periods import Change, InYear

YEAR = r"(?<![\d.])(?P<year>(?:19|20)\d\d|一九[〇○零一二三四五六七八九]{2}|二[〇○零][〇○零一二三四五六七八九]{2})\s?年"
TOLD_YEAR = r"(?P<told>大前年|(?<![以之目从先提生多几年\d])前年|(?<!过)去年|今年)(?![^,。?!]{0,4}(?:多大|岁|高寿|年龄))"
MONTH = r"(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])\s?月份?"
DAY = r"3[01]|[12]\d|0?[1-9]|三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九]"
COUNT = rf"(?P<count>{CHINESE})\s?"
UNIT = r"(?P<unit>小时|钟头|天|日|个?周|个?星期|个?礼拜|个月|年)"
WEEK = r"(?:周|星期|礼拜)"
WEEKDAYS = "一二三四五六日"
PART_OF_MONTH = r"(?P<part>初|上旬|中旬|下旬|底|末)"
PART_OF_YEAR = r"(?P<part>年?初|年中|年?底|年?末|上半年|下半年|第?[一二三四1-4]季度)"
PART_OF_DAY = r"(?P<hours>凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|深夜)"
SEASON = (
    r"(?P<season>春天|春季|夏天|夏季|暑假|秋天|秋季|冬天|冬季|圣诞节?|平安夜|国庆节?|元旦|情人节|劳动节|五一|万圣节)"
)

_SEASONS = {"春": "spring", "夏": "summer", "秋": "autumn", "冬": "winter"}
_FEASTS = {
    "圣诞": (12, 24, 3), "平安夜": (12, 24, 1), "国庆": (10, 1, 7), "元旦": (1, 1, 3), "情人节": (2, 14, 1),
    "劳动节": (5, 1, 5), "五一": (5, 1, 5), "万圣节": (10, 31, 1),
}  # fmt: skip
"""Month, day and number of days. Those of the lunar calendar are not known here: 去年春节 is read as 去年."""
_PORTIONS = {"上旬": (0, 3), "中旬": (1, 3), "下旬": (2, 3), "上半年": (0, 2), "下半年": (1, 2)}
_HOURS = {"凌晨": "small hours", "中午": "noon", "下午": "afternoon", "傍晚": "evening", "晚上": "evening"}
_HOURS |= dict.fromkeys(("清晨", "早上", "早晨", "上午"), "morning") | dict.fromkeys(("夜里", "深夜"), "night")


def unit_of(word: str) -> str:
    """Return the unit that a word for it means."""
    names = {"小时": "hour", "钟头": "hour", "天": "day", "日": "day", "月": "month", "年": "year"}
    return names.get(word.removeprefix("个"), "week")


def weekday_number(char: str) -> int:
    """Return 0 for Monday."""
    return WEEKDAYS.index("日" if char == "天" else char)


def recurring(name: str) -> InYear:
    """Return the season or feast of that name."""
    name = name.removesuffix("节") if name.startswith(("圣诞", "国庆")) else name
    if name in _FEASTS:
        month, number, length = _FEASTS[name]
        return lambda year: periods.stretch(periods.days(year, month, number).start, length)
    if name == "暑假":
        return lambda year: periods.months(year, 7, 2)
    return lambda year: periods.season(year, _SEASONS[name[0]])


def portion(name: str | None) -> Change:
    """Return what 初, 下旬, 上半年, 第三季度 make of a month or a year; None changes nothing."""
    if name is None:
        return lambda period: period
    if name.endswith("季度"):
        quarter = "一二三四1234".index(name.removeprefix("第")[0]) % 4
        return lambda period: periods.portion(period, quarter, 4)
    index, count = _PORTIONS.get(name, ({"初": 0, "中": 1}.get(name[-1], 2), 3))
    return lambda period: periods.portion(period, index, count)


def hours(name: str | None) -> Change:
    """Return what 早上 or 晚上 makes of a day; None changes nothing."""
    return (lambda period: period) if name is None else lambda period: periods.part_of_day(period, _HOURS[name])
