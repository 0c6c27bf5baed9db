"""Which texts say the same, so that they are stored once. English and Chinese.

Every rule errs on the side of keeping: two notes that are taken for one hide the second.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Literal, TypeVar

from ntm_memory_skill.m3.distillation import told_by
from ntm_memory_skill.m3.succession.moments import chinese_number
from ntm_memory_skill.m3.succession.wording import CHINESE, NUMBERS, WRITTEN_OUT, expanded, folded, is_chinese

T = TypeVar("T")

REMEMBERED = 4_096
"""Texts whose words are kept at hand: each new one is compared with several."""
SHORT = 1_000
"""Characters of such a text at most: what is longer is rare, and would take the room of many."""

_FOLDED_SYMBOLS = set("|~`^<>=")
_MINUS = re.compile(r"(?<!\S)[-−](?=\d)")
_SPACED_CHINESE = re.compile(rf" (?<=[{CHINESE}] )(?=[{CHINESE}])")
_QUESTION = re.compile(r"\?[\s\"'”’)!]*$|[吗呢]\s*[。.!]*\s*$")

_LEAD = re.compile(
    r"^(?:(?:by the way|btw|just so you know|fyi|for your information|for the record|please remember(?: "
    r"that)?(?! to\b)|"
    r"please note(?: that)?|remember that|note that|keep in mind(?: that)?|do not forget that|just (?:a|as a) reminder|"
    r"as i said(?: before)?|like i said|i (?:just )?(?:want|wanted) (?:to tell you|you to know)(?: that)?|please|"
    r"(?:well|so|oh|hey|hi|hello|um+|uh+|hmm+|ok|okay|yeah|yes|anyway|also)(?=[,.!:]))\b[\s,:;.!]*)+",
    re.IGNORECASE,
)
_TRAIL = re.compile(
    r"\s*[,.!;]\s*(?:please|thanks|thank you|by the way|btw|fyi|lol|haha|just so you know|you know|okay|ok)[\s.!]*$",
    re.IGNORECASE,
)
_CHINESE_LEAD = re.compile(
    r"^(?:(?:顺便(?:说一下|说一句|提一下|提一句|说)?|对了|请(?:你|您)?(?:帮我)?(?:记住|记得|记一下|注意)|帮我记(?:住|一下)|记住|"
    r"别忘了|(?:提醒(?:一下|你)|跟你说(?:一下)?|告诉你|那个|你好)(?=[,，:：\s])|其实|嗯+|哦+|噢|啊|唉|哎|好的?(?=[,，]))[\s,，:：。!！]*)+"
)
_CHINESE_TRAIL = re.compile(r"(?:哦|噢|啊|呀|啦|哈+|嘛|[,，。.!！]\s*谢谢)+[\s。.!！~～]*$")
_FILLERS = set("the really actually just basically simply".split())
_SAME = {
    **NUMBERS,
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "hundred": "100",
    "u": "you",
    "an": "a",
    "okay": "ok",
    "television": "tv",
    "mum": "mom",
    "colour": "color",
    "favourite": "favorite",
    "centre": "center",
    "theatre": "theater",
    "grey": "gray",
    "neighbour": "neighbor",
}
_JOINED = ((re.compile(r"\bwi-fi\b", re.I), "wifi"), (re.compile(r"\be-mail", re.I), "email"))
_CLOCK = re.compile(r"\b(\d{1,2}(?:[:.]\d{2})?)\s?([ap])\.?m\b\.?", re.IGNORECASE)
_CHINESE_NUMBER = re.compile(
    r"(?<!周)(?:(?<=周[一二三四五六日])[一二三四五六七八九十]{1,2}(?=点)|[一二三四五六七八九十]{1,3}(?=[点岁月日号分元块年楼]))"
)
_CHINESE_SAME = (
    (re.compile(r"星期|礼拜"), "周"),
    (re.compile(r"(?<=\d)号(?!楼|线|院)"), "日"),
    (re.compile(r"您"), "你"),
    (re.compile(r"(?<=[我你他她])的(?=[爸妈哥姐弟妹])"), ""),
    (re.compile(r"点钟"), "点"),
)


_RESPELT = WRITTEN_OUT | {*_SAME.values(), "wifi"}
"""Words that `_told` writes where the text may have them otherwise, and such beginnings of words."""
_RESPELT_BEGINNINGS = ("am", "pm", "email")
_RESPELT_CHARACTERS = frozenset("周日你")


def _at_hand(read: Callable[[str], T]) -> Callable[[str], T]:
    """Keep at hand what is read in many short texts, and in the two long ones that are being compared."""
    short, long = lru_cache(maxsize=REMEMBERED)(read), lru_cache(maxsize=2)(read)

    @wraps(read)
    def at_hand(text: str) -> T:
        return short(text) if len(text) <= SHORT else long(text)

    return at_hand


@_at_hand
def bare(text: str) -> str:
    """Return the words of a text without case, punctuation and the width of its blanks; equal ones say the same.

    Symbols that make a difference stay: currencies, the plus of "C++", a minus before a number, emoji.
    """
    plain = unicodedata.normalize("NFKC", text)
    if "-" in plain or "−" in plain:
        plain = _MINUS.sub("−", plain)
    kept = " ".join(plain.casefold().translate(_KEPT).split())
    return kept if kept.isascii() else _SPACED_CHINESE.sub("", kept)


def same(one: str, other: str) -> Literal["exact", "near"] | None:
    """Return whether two texts may be stored once: word for word, or but for what says nothing; None if not.

    They may where their words are equal as `bare` gives them (exact) or else their `essence` is (near). A question is
    never a statement, and a text without any word is nobody's duplicate.
    """
    plain, known = bare(one), bare(other)
    if not plain:
        return None
    if plain == known:
        return "exact" if _is_question(one) == _is_question(other) else None
    may_tell = bool(_told(one)) and all(trace in known for trace in _traces(one))
    return "near" if may_tell and essence(one) == essence(other) else None


def essence(text: str) -> Hashable:
    """Return a key that texts with words have in common only if `same` takes them for one.

    Such texts have the same words in the same order once asides, politeness and fillers are left out and contractions,
    numbers and a few spellings are written in one way. Any other word, ending, name or order tells them apart. All near
    duplicates have the key in common, and all exact ones but those that differ in the mark after an aside ("Well, I
    like tea", "well I like tea").
    """
    return _is_question(text), _told(text) or bare(text)


@_at_hand
def _traces(text: str) -> tuple[str, ...]:
    """Return words and Chinese characters that stand in the bare words of any text that is a near duplicate."""
    told = _told(text)
    words = [word for word in told if word.isascii() and word.isalpha() and word not in _RESPELT]
    characters = {char for word in told if not word.isascii() for char in word if is_chinese(char)}
    said = dict.fromkeys(word for word in words if not word.startswith(_RESPELT_BEGINNINGS))
    return (*said, *sorted(characters - _RESPELT_CHARACTERS))


class _Kept(dict[int, str]):
    """What `str.translate` makes of each character: itself if it tells something, or else a blank."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kept = char if _tells(char) else " "
        if code <= MOST_USED:
            self[code] = kept
        return kept


_KEPT = _Kept()
MOST_USED = 0xFFFF
"""The last character that `_Kept` keeps at hand: 6 MB if a text ever had all of them, which none has."""


def _tells(char: str) -> bool:
    kind = unicodedata.category(char)
    return kind[0] in "LNM" or kind in ("Sc", "So") or char in "#%&@" or (kind == "Sm" and char not in _FOLDED_SYMBOLS)


def _is_question(text: str) -> bool:
    return _QUESTION.search(folded(text)) is not None


@_at_hand
def _told(text: str) -> tuple[str, ...]:
    """Return who speaks, if that is said, and the words that tell something, in order, each in one form."""
    speaker, plain = told_by(folded(text).strip())
    said = _told_in_chinese(plain) if is_chinese(plain) else _told_in_english(plain)
    return said if speaker is None or not said else (f"{bare(speaker)}:", *said)


def _told_in_chinese(plain: str) -> tuple[str, ...]:
    plain = _CHINESE_TRAIL.sub("", _CHINESE_LEAD.sub("", plain))
    for pattern, form in _CHINESE_SAME:
        plain = pattern.sub(form, plain)
    plain = _CHINESE_NUMBER.sub(lambda found: str(chinese_number(found[0])), plain)
    return tuple(bare(plain).split())


def _told_in_english(plain: str) -> tuple[str, ...]:
    plain = _TRAIL.sub("", _LEAD.sub("", expanded(plain)))
    for pattern, form in _JOINED:
        plain = pattern.sub(form, plain)
    plain = _CLOCK.sub(r"\1 \2m", plain)
    told: list[str] = []
    for word in bare(plain).split():
        if word not in _FILLERS or told[-1:] == ["not"]:  # "not just a doctor" is one
            told.append(_SAME.get(word, word))
    return tuple(told)
