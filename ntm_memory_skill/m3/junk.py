"""What may be junk, or should not be a memory: a sentence for a person to read, never an action.

Every rule errs on the side of keeping: an ordinary note is not suspected, however short it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ntm_memory_skill.m3.sameness import bare
from ntm_memory_skill.m3.succession.wording import folded
from ntm_memory_skill.model import Record

OFTEN = 20
"""Repetitions from which on a memory is suspected to be said by a machine. A choice, far from what people do:
in fifteen chats of LoCoMo and BEAM nobody says the same thing more than twice."""
LONG = 4_000
"""Characters of a memory that was pasted rather than said: of 1,499 messages of users in BEAM two have
more."""
UNUSED_AFTER = timedelta(days=180)
"""Twice the 90 days that are the slowest rhythm of needs which forgetting was measured with."""
MOST_NOTHINGS = 6
"""Words of an acknowledgement at most; a choice: more of them, small as each is, may come to a statement."""
LEAST_LINES, LEAST_TAGS = 2, 3
"""Lines of a log and tags of HTML in what a program wrote; a choice: people quote one line, or one pair of tags."""
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
    """The moment, timezone-aware."""
    often: int = OFTEN
    """Repetitions, 1 and up."""
    long: int = LONG
    """Characters, 1 and up."""
    unused_after: timedelta = UNUSED_AFTER
    """From the writing on, without a recall."""
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
"""Two lines of 76 characters, as MIME breaks them (RFC 2045, section 6.8), or a little more in one piece."""
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
    return len(words) <= MOST_NOTHINGS and _NOTHINGS.issuperset(words)


def _is_tool_output(text: str) -> bool:
    stripped = text.strip()
    if stripped[:1] in ("{", "[") and stripped[-1:] in ("}", "]"):
        try:
            return isinstance(json.loads(stripped), dict | list)
        except ValueError:
            return False
    lines = len(_LOG_LINE.findall(text))
    logged = lines >= LEAST_LINES or (lines == 1 and re.match(r"\s*\[?\d{4}-", text) is not None)
    return logged or any(pattern.search(text) for pattern in (_TRACE, _BASE64)) or len(_TAG.findall(text)) >= LEAST_TAGS


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
