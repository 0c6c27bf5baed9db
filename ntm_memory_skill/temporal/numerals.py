"""Numbers as people write them: digits of any script, English words, Chinese numerals up to 99, either characters."""

from __future__ import annotations

FEW = 0
"""Stands for "a few", "several", 几: nobody said how many."""

_UNITS = "one two three four five six seven eight nine ten eleven twelve".split()
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth "
    "twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
).split()
_WORDS = {
    **{word: number for number, word in enumerate(_UNITS, 1)},
    **{word: number for number, word in enumerate(_ORDINALS, 1)},
    **dict.fromkeys(("a", "an", "half a", "half an"), 1),
    **dict.fromkeys(("couple", "a couple", "couple of", "a couple of"), 2),
    **dict.fromkeys(("few", "a few", "several", "some"), FEW),
    **dict.fromkeys(("last", "final"), -1),
}
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}

CARDINAL = rf"\d{{1,3}}|an?\s{{1,2}}(?:few|couple(?:\sof)?)|couple\sof|an?|few|several|{'|'.join(_UNITS)}"
"""The inside of a pattern's group: an English cardinal, as far as "twelve"."""
ORDINALS = "|".join(_ORDINALS)
"""The same for the days of a month, in words."""
PLACE = rf"{'|'.join(_ORDINALS[:5])}|1st|2nd|3rd|[45]th|last|final"
"""The same for the first few of something, and the last."""
CHINESE = r"\d{1,3}|[二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九几数]"


def english(words: str) -> int:
    """Return what an English cardinal or ordinal says; `FEW` where it leaves it open, −1 for "last"."""
    words = " ".join(words.lower().split())
    return _WORDS[words] if words in _WORDS else int(words.rstrip("stndrh"))


_SIMPLER = str.maketrans(
    "週個號後禮幾兩時間從這過聖誕國慶曆遊畢業結離學會議賽辭職換裝開營與養買賣來參認識見說關勞動節萬數裡",
    "周个号后礼几两时间从这过圣诞国庆历游毕业结离学会议赛辞职换装开营与养买卖来参认识见说关劳动节万数里",
)


def simplified(text: str) -> str:
    """Return a text with the traditional characters that are used for times as simplified ones, at the same places."""
    return text if text.isascii() else text.translate(_SIMPLER)


def chinese(numeral: str) -> int:
    """Return what a Chinese numeral or digits say; `FEW` for 几 and 数."""
    if numeral in ("几", "数"):
        return FEW
    if numeral.isdecimal():
        return int(numeral)
    if "十" in numeral:
        tens, ones = numeral.split("十")
        return 10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0)
    return int("".join(str(_DIGITS[char]) for char in numeral))
