"""What is stored once, what is suspected junk, and how much room one source may take.

Every rule errs on the side of keeping: two notes that are taken for one hide the second, and a suspicion is a sentence
for a person to read, never an action.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from ntm_memory_skill.m3.distillation import told_by
from ntm_memory_skill.m3.succession.moments import chinese_number
from ntm_memory_skill.m3.succession.wording import CHINESE, NUMBERS, expanded, folded, is_chinese
from ntm_memory_skill.model import Record

REMEMBERED = 4_096
"""Texts whose words are kept at hand: each new one is compared with several."""

_FOLDED_SYMBOLS = set("|~`^<>=")
_MINUS = re.compile(r"(?<!\S)[-−](?=\d)")
_SPACED_CHINESE = re.compile(rf"(?<=[{CHINESE}]) (?=[{CHINESE}])")
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


@lru_cache(maxsize=REMEMBERED)
def bare(text: str) -> str:
    """Return the words of a text without case, punctuation and the width of its blanks; equal ones say the same.

    Symbols that make a difference stay: currencies, the plus of "C++", a minus before a number, emoji.
    """
    plain = _MINUS.sub("−", unicodedata.normalize("NFKC", text)).casefold()
    kept = "".join(char if _tells(char) else " " for char in plain)
    return _SPACED_CHINESE.sub("", " ".join(kept.split()))


def same(one: str, other: str) -> Literal["exact", "near"] | None:
    """Return whether two texts may be stored once: word for word, or but for what says nothing; None if not.

    Near ones have the same words in the same order once asides, politeness and fillers are left out and contractions,
    numbers and a few spellings are written in one way. Any other word, ending, name or order tells them apart.
    """
    if _is_question(one) != _is_question(other):
        return None
    first, second = bare(one), bare(other)
    if first == second:
        return "exact" if first else None
    told = _told(one)
    return "near" if told and told == _told(other) else None


def essence(text: str) -> Hashable:
    """Return a key that texts have in common only if `same` takes them for one.

    All near duplicates have it in common, and all exact ones but those that differ in the mark after an aside
    ("Well, I like tea", "well I like tea").
    """
    return _is_question(text), _told(text) or bare(text)


def _tells(char: str) -> bool:
    kind = unicodedata.category(char)
    return kind[0] in "LNM" or kind in ("Sc", "So") or char in "#%&@" or (kind == "Sm" and char not in _FOLDED_SYMBOLS)


def _is_question(text: str) -> bool:
    return _QUESTION.search(folded(text)) is not None


@lru_cache(maxsize=REMEMBERED)
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


OFTEN = 20
"""Repetitions from which on a memory is suspected to be said by a machine."""
LONG = 4_000
"""Characters of a memory that was pasted rather than said."""
UNUSED_AFTER = timedelta(days=180)
UNIMPORTANT = 0.5
"""Importance below which a memory that nobody ever recalled is suspected; what is not told otherwise has 0.5."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a memory may be junk."""

    code: str
    """Short and stable, for filters."""
    reason: str
    """One sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What an audit judges by."""

    now: datetime
    often: int = OFTEN
    """Repetitions, 1 and up."""
    long: int = LONG
    """Characters, 1 and up."""
    unused_after: timedelta = UNUSED_AFTER
    unimportant: float = UNIMPORTANT
    """Importance, 0 to 1."""


_NOTHINGS = set(
    "ok okay k yes yeah yep no nope sure thanks thank you thx ty please fine good great cool nice done "
    "got it hi hello hey bye "
    "hmm um uh lol haha heartbeat ack acknowledged noted roger np no problem welcome will do sounds all "
    "right alright much "
    "very so and the a an to of is it that this i me my we do did was be".split()
)
_CHINESE_NOTHING = re.compile(
    r"(?:好+的?|嗯+|哦+|噢|是的?|对的?|行|可以|没问题|谢谢(?:你|您)?|多谢|不客气|收到|知道了|明白了?|了解|你好|您好|再见|哈+|呵+|ok|[吧啊呀啦了哦])+"
)
_HEARTBEAT = re.compile(r"^\W*(?:heartbeat[ _-]?(?:ok|ack)?|ping|pong|no_reply|keepalive)\W*$", re.IGNORECASE)
_BLOCK = re.compile(
    r"</?(?:relevant[-_]memories|memor(?:y|ies)|system(?:-reminder|-prompt)?|context|tool_(?:call|result|"
    r"use)|function_calls?|thinking|"
    r"assistant|user|instructions?)\b[^>]*>|<\|(?:im_start|im_end|system|endoftext)\|>",
    re.IGNORECASE,
)
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|^\s+at [\w.$<>]+\(.*:\d+\)|^\s+File \".+\", line \d+", re.MULTILINE
)
_LOG_LINE = re.compile(
    r"^\s*(?:\[?\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}\S*\]?\s+\S*\s*\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|TRACE)\b"
    r"|\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)\]?[:\s].*)",
    re.MULTILINE,
)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{76}\s?){2,}|data:[\w/+.-]+;base64,|[A-Za-z0-9+/]{160,}={0,2}")
_TAG = re.compile(
    r"</?(?:html|head|body|div|span|p|a|table|tr|td|ul|ol|li|script|style|h[1-6]|img|br|meta|link|svg)\b[^>]*>", re.I
)
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b (?:all |any |the |your |of )*(?:previous|prior|above|"
    r"earlier|preceding|system)\b.{0,20}"
    r"\b(?:instructions?|prompts?|rules?|messages?|directions?)\b"
    r"|\byou are now (?:an? |in )\w+ ?(?:mode|model|assistant|ai)\b|\b(?:reveal|print|show|repeat) (?:me "
    r")?(?:your|the) system prompt\b"
    r"|\bfrom now on,? you (?:must|will|are to|should) (?:obey|ignore|respond|answer|act)\b|\bdo not "
    r"(?:tell|inform) the user\b"
    r"|(?:忽略|无视|忘记|忘掉).{0,4}(?:之前|以上|前面|上面|先前|所有|系统).{0,6}(?:指令|提示|指示|规则|设定)|(?:不要|别)告诉用户|系统提示词",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|\b(?:sk|pk|rk)[-_](?:[a-z]+[-_])*[A-Za-z0-9_-]{16,}|"
    r"\bgh[pousr]_[A-Za-z0-9]{20,}|"
    r"\bgithub_pat_\w{20,}|\bAKIA[0-9A-Z]{16}\b|\bxox[abprs]-[\w-]{10,}|\bAIza[\w-]{30,}|"
    r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+|"
    r"\bglpat-[\w-]{16,}|\bhf_[A-Za-z0-9]{24,}|\bBearer [A-Za-z0-9._~+/-]{20,}"
)
_SECRET = re.compile(
    r"(?:\b(?:passwords?(?! manager)|passwd|passphrase|passcode|pin(?: code)?|pwd|api[ _-]?key|access "
    r"token|secret key)\b[^.!?\n:=]{0,30}?"
    r"(?:\bis(?: now)?\b|\bto\b|[:=])|\bwi-?fi\b\s*[:=]|"
    r"(?:密码|口令|验证码|密钥)[^。!?\n:：]{0,6}?(?:是|为|改成|换成|[:：=]))"
    r"\s*[\"'“`]?(?P<value>[^\s\"'”`,，。]+)",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\d-])(?:\d[ -]?){12,18}\d(?![\d-])")
_NO_SECRET = set(
    "wrong correct incorrect secret expired changed weak strong same required not in on the a an my your "
    "too very unknown saved "
    "stored written kept under missing lost invalid reset always never still hard easy long short "
    "protect be use log open "
    "something someone".split()
)


def junk_reasons(record: Record, circumstances: Circumstances) -> tuple[Suspicion, ...]:
    """Return why a memory may be junk, or should not be a memory; nothing for an ordinary note, however short."""
    found = [Suspicion(code, reason) for code, reason, holds in _TEXT_RULES if holds(record.content)]
    if record.repeats >= circumstances.often:
        found.append(Suspicion("repeated", f"It was said again {record.repeats} times, as machines do."))
    if len(record.content) > circumstances.long:
        found.append(Suspicion("long", f"It has {len(record.content):,} characters: pasted, rather than said."))
    if _is_unused(record, circumstances):
        days = (circumstances.now - record.created).days
        found.append(Suspicion("unused", f"Nobody recalled it in {days} days, and it is of little importance."))
    return tuple(found)


def over_quota(sources: Mapping[str, int], slots: int, share: float) -> dict[str, int]:
    """Return how many memories each source has above its share of the slots; a source within it is left out.

    Args:
        sources: Memories by the name of their source. What has no name (the empty one) has no quota.
        slots: Of the memory, 1 and up.
        share: What one source may take, 0 to 1; 1 is no quota. A source may always have one memory.
    """
    if share >= 1:
        return {}
    allowed = max(1, int(share * slots))
    return {source: count - allowed for source, count in sources.items() if source and count > allowed}


def _is_unused(record: Record, circumstances: Circumstances) -> bool:
    return (
        record.accesses == 0
        and not record.pinned
        and not record.distilled_from
        and record.importance < circumstances.unimportant
        and circumstances.now - record.created > circumstances.unused_after
    )


def _says_nothing(text: str) -> bool:
    words = bare(text).split()
    return not any(any(char.isalnum() for char in word) for word in words)


def _acknowledges(text: str) -> bool:
    plain = bare(text)
    if not plain or _says_nothing(text):
        return False
    words = plain.split()
    if _HEARTBEAT.match(text) or _CHINESE_NOTHING.fullmatch(plain.replace(" ", "")):
        return True
    return len(words) <= 6 and _NOTHINGS.issuperset(words)


def _is_tool_output(text: str) -> bool:
    stripped = text.strip()
    if stripped[:1] in ("{", "[") and stripped[-1:] in ("}", "]"):
        try:
            return isinstance(json.loads(stripped), dict | list)
        except ValueError:
            return False
    lines = len(_LOG_LINE.findall(text))
    logged = lines >= 2 or (lines == 1 and re.match(r"\s*\[?\d{4}-", text) is not None)
    return logged or any(pattern.search(text) for pattern in (_TRACE, _BASE64)) or len(_TAG.findall(text)) >= 3


def _holds_a_secret(text: str) -> bool:
    if _KEY.search(text) or any(_is_card(found[0]) for found in _CARD.finditer(text)):
        return True
    values = (found["value"].rstrip(".!?;)") for found in _SECRET.finditer(folded(text)))
    return any(len(value) >= 3 and value.casefold() not in _NO_SECRET and value.isascii() for value in values)


def _is_card(text: str) -> bool:
    """Return whether a number has the check digit of a payment card (Luhn)."""
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    doubled = (digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(digits))
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and sum(doubled) % 10 == 0


_TEXT_RULES: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    ("empty", "It has no words.", _says_nothing),
    ("acknowledgement", "It only acknowledges something, or is a heartbeat.", _acknowledges),
    (
        "prompt",
        "It looks like part of a prompt: a block of memories, or a message with its marks.",
        lambda text: _BLOCK.search(text) is not None,
    ),
    ("output", "It looks like a program's output: JSON, HTML, a log, a stack trace or encoded bytes.", _is_tool_output),
    (
        "instruction",
        "It tells a model what to do, rather than what is so.",
        lambda text: _INSTRUCTION.search(text) is not None,
    ),
    ("secret", "It seems to hold a password, a key or a card number in the clear.", _holds_a_secret),
)
