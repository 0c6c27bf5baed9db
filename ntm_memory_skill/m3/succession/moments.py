"""Values that can be told apart by their form: days, times of day, amounts. English and Chinese give the same.

A moment has up to three parts, which change one without the other: "Friday at 3 pm" moved to 4 pm is still on a Friday.
Days of the week and dates are two parts, as "Friday" and "9 May" may be the same day.
"""

from __future__ import annotations

import re
from typing import NamedTuple

WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
MONTHS = "january february march april may june july august september october november december".split()
_WEEKDAY = re.compile(
    r"\b(mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:days?)?\b\.?|(?:周|星期|礼拜)([一二三四五六日天])",
    re.IGNORECASE,
)
_MONTH = (
    r"(january|february|march|april|may|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?"
)
_DATE = re.compile(
    rf"\b(?:the )?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}\b(?:,? (?P<y>\d{{4}}))?"
    rf"|\b{_MONTH}(?: (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b)?(?:,? (?P<y2>\d{{4}})\b)?"
    r"|\b(?P<y3>\d{4})-(?P<m3>\d{2})-(?P<d3>\d{2})\b"
    r"|(?:(?P<y4>\d{4})年)?(?P<m4>\d{1,2}|[一二三四五六七八九十]{1,2})月(?:(?P<d4>\d{1,2}|[一二三四五六七八九十]{1,3})[日号])?"
    r"|\b(?P<q>Q[1-4])\b|\b(?:the )?(?P<d5>\d{1,2})(?:st|nd|rd|th)\b(?! (?:floor|grade|street|avenue))|"
    r"(?P<d6>\d{1,2})[日号](?![楼线院店会])",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"\b(?:today|tonight|tomorrow|(?:next|this) (?:week|month|year|weekend))\b|[今明后]天|今晚|(?:下个?|本|"
    r"这个?)(?:周末?|月)(?![一二三四五六日天])",
    re.IGNORECASE,
)
_HOURS = "one two three four five six seven eight nine ten eleven twelve".split()
_CLOCK = re.compile(
    r"\b(?P<h>\d{1,2})(?:[:.](?P<m>\d{2}))?\s?(?P<half>[ap])\.?m\b\.?|\b(?P<h2>\d{1,2}):(?P<m2>\d{2})\b"
    rf"|\b(?:at|from|until|to) (?P<h3>\d{{1,2}}|{'|'.join(_HOURS)})(?: o'clock)?(?= |$)(?!\s?[ap]\.?m)(?! "
    rf"(?:euros?|dollars?|percent|people|km|miles))"
    r"|\b(?P<word>noon|midnight)\b"
    r"|(?P<part>早上|上午|凌晨|中午|下午|傍晚|晚上)?(?P<h4>\d{1,2}|[一二两三四五六七八九十]{1,3})点钟?(?:(?P<m4>半|一刻|三刻|\d{1,2}|"
    r"[一二三四五]?十[五]?)分?)?",
    re.IGNORECASE,
)
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_UNITS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_MONEY = r"dollars?|euros?|pounds?|bucks|usd|eur|gbp|rmb|cny|yuan|francs?|元|块钱?|人民币|美元|美金|欧元|英镑|日元|港币"
_MEASURES = (
    "公斤|千克|毫克|克|斤|吨|公里|千米|厘米|毫米|平米|平方米|平方|米|升|毫升|岁|人|名|个人|个|位|天|小时|分钟|分|秒|次|页|层|楼|度|件|台|辆|只|条|张|间|"
    "套|本|杯|瓶|箱|家|票|条|年|周"
)
_AMOUNT = re.compile(
    r"(?:about|around|roughly|exactly|only|大约|大概|约|共|每[月年天日个]|一共)?\s*"
    r"(?P<sign>[$€£¥￥]\s?)?(?P<number>-?\d[\d,]*(?:\.\d+)*|[零一二两三四五六七八九十百千万]+)\s?"
    r"(?P<scale>k\b|m\b|thousand|million|billion|[万千亿](?:(?P<rest>\d)千?)?)?\s?"
    rf"(?P<unit>(?:{_MONEY})|%|percent|[a-z]{{2,8}}|(?-i:[gmhlkKM])\b|{_MEASURES})?"
    r"(?:\s?(?:a|an|per|each|every|/)\s?(?:month|year|week|day|night|hour|person|piece|litre|liter|kilo|"
    r"kg)|左右|多|[每一]?个?[月年天]|/月)?",
    re.IGNORECASE,
)
_SCALES = {"k": 1e3, "thousand": 1e3, "千": 1e3, "万": 1e4, "m": 1e6, "million": 1e6, "亿": 1e8, "billion": 1e9}


class Moment(NamedTuple):
    """What a value says about when. Each part is empty where nothing is said."""

    weekday: str
    date: str
    clock: str
    relative: str
    """ "tomorrow", "next week": which day that is depends on when it is said."""
    rest: str
    """What is left of the text."""


def moment_of(text: str) -> Moment:
    """Return the parts of a moment that a text names, and the rest of it."""
    clock, rest = _clock(text)
    date, rest = _date(rest)
    found = _WEEKDAY.search(rest)
    weekday = ""
    if found:
        weekday = _weekday(found)
        rest = rest[: found.start()] + " " + rest[found.end() :]
    near = _RELATIVE.search(rest)
    if near:
        rest = rest[: near.start()] + " " + rest[near.end() :]
    return Moment(weekday, date, clock, near[0] if near else "", " ".join(rest.split()))


def amount_of(text: str) -> tuple[str, str] | None:
    """Return the number that a text is, with its unit ("" for money and for none), or None where it is no amount."""
    found = _AMOUNT.fullmatch(text.strip(" ,.。，"))
    if found is None:
        return None
    number = found["number"].replace(",", "")
    if not number.isascii() and "." not in number:
        number = f"{chinese_number(number)}"
    scale = (found["scale"] or "").lower()
    if scale and number.count(".") < 2:
        value = float(number) * _SCALES[scale if scale.isascii() else scale[0]]
        if found["rest"]:
            value += int(found["rest"]) * _SCALES[scale[0]] / 10
        number = f"{value:g}" if value < 1e6 else f"{value:.0f}"
    elif number.replace(".", "", 1).lstrip("-").isdigit() and "." not in number:
        number = str(int(number))
    unit = (found["unit"] or "").lower()
    return number, "" if re.fullmatch(_MONEY, unit) else {"percent": "%"}.get(unit, unit)


def chinese_number(text: str) -> int:
    """Return what a number in Chinese characters or digits amounts to: 三十五 is 35, 一万二 is 12,000."""
    if text.isdecimal():
        return int(text)
    if not any(char in _UNITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total = section = digit = 0
    last = 1
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
            continue
        last = _UNITS[char]
        if last >= _UNITS["万"]:
            total, section, digit = (total + section + digit) * last, 0, 0
        else:
            section, digit = section + (digit or 1) * last, 0
    return total + section + digit * (last // 10 if last >= _UNITS["百"] and text[-2:-1] in _UNITS else 1)


def _weekday(found: re.Match[str]) -> str:
    if found[2]:
        return WEEKDAYS["一二三四五六日".index(found[2].replace("天", "日"))]
    return next(day for day in WEEKDAYS if day.startswith(found[1].lower()[:3]))


def _date(text: str) -> tuple[str, str]:
    found = _DATE.search(text)
    if found is None:
        return "", text
    number = found["m4"] or found["m3"]
    named = found[2] or found[4]
    if found["q"]:
        return found["q"].lower(), text[: found.start()] + " " + text[found.end() :]
    day = next((found[name] for name in ("d", "d2", "d3", "d4", "d5", "d6") if found[name]), "")
    year = next((found[name] for name in ("y", "y2", "y3", "y4") if found[name]), "")
    month = ""
    if number:
        place = chinese_number(number)
        if not 1 <= place <= len(MONTHS):
            return "", text
        month = MONTHS[place - 1]
    elif named:
        if named.islower() and named == "may" and not day:
            return "", text  # the verb
        month = next(name for name in MONTHS if name.startswith(named.lower()[:3]))
    day = str(chinese_number(day)) if day else ""
    parts = " ".join(part for part in (month, day, year) if part)
    return parts, text[: found.start()] + " " + text[found.end() :]


def _clock(text: str) -> tuple[str, str]:
    found = _CLOCK.search(text)
    if found is None:
        return "", text
    rest = text[: found.start()] + " " + text[found.end() :]
    if found["word"]:
        return ("12:00 pm" if found["word"].lower() == "noon" else "12:00 am"), rest
    said = next(found[name] for name in ("h", "h2", "h3", "h4") if found[name]).lower()
    hour = _HOURS.index(said) + 1 if said in _HOURS else chinese_number(said)
    minutes = found["m"] or found["m2"] or found["m4"] or "0"
    minute = {"半": 30, "一刻": 15, "三刻": 45}.get(minutes) or chinese_number(minutes)
    if hour > 24 or minute > 59:
        return "", text
    half = {"a": "am", "p": "pm"}.get((found["half"] or "").lower(), "")
    if found["part"]:
        half = "am" if found["part"] in ("早上", "上午", "凌晨") else "pm"
    if hour > 12 or hour == 0:
        half = "pm" if 12 < hour < 24 else "am"
    return f"{hour % 12 or 12}:{minute:02d} {half}".strip(), rest
