"""What one statement claims: who speaks, in which language, and what the rules of that language read in it."""

from __future__ import annotations

import re
from functools import lru_cache

from ntm_memory_skill.m3.succession.chinese import chinese_claims
from ntm_memory_skill.m3.succession.chinese_things import is_label
from ntm_memory_skill.m3.succession.clauses import Clause
from ntm_memory_skill.m3.succession.english import english_claims
from ntm_memory_skill.m3.succession.things import label_claims
from ntm_memory_skill.m3.succession.values import LONGEST, PREDICATE, SHARED, Claim, concerning
from ntm_memory_skill.m3.succession.wording import folded, is_chinese

REMEMBERED = 16_384
"""Statements whose claims are kept at hand, at 1 to 2 kB each: the same memories are asked for again and again."""

_PREFIX = re.compile(
    r"(?!(?:I|we|my|our) )(?P<who>[^\W\d_][\w.'-]*(?: [\w.'-]+){0,3}?)\s?:\s+(?P<rest>\S.*)"
    r"|(?P<who2>[^\s:,。;?!]{1,8}?)\s?:\s*(?P<rest2>\S.*)",
    re.DOTALL | re.IGNORECASE,
)
_SPEAKER = re.compile(
    r"(?:[A-Z][\w'-]*\.?)(?: [A-Z][\w.'-]*){0,2}|user|the user|me|human|[^\x00-\x7f]{1,6}"
    r"(?<!^Update)(?<!^News)(?<!^Note)(?<!^Reminder)(?<!^Correction)(?<!^FYI)(?<!^PS)"
)
_TASTES = (
    f"{PREDICATE}like",
    f"{PREDICATE}have",
    f"{PREDICATE}is",
    f"{PREDICATE}喜欢",
    f"{PREDICATE}有",
    f"{PREDICATE}是",
)
_THEMSELVES = {"user", "the user", "me", "i", "human", "用户", "我"}


def claims(text: str, subject_hint: str | None = None) -> tuple[Claim, ...]:
    """Return what a statement claims to be so from then on. No claims where the rules read none.

    Args:
        text: One statement, in English or Chinese. "Ann: I moved" names who speaks.
        subject_hint: Who says "I" where the text does not name them; None: the user.
    """
    return _claims(text, subject_hint) if len(text) <= LONGEST else ()


@lru_cache(maxsize=REMEMBERED)
def _claims(text: str, subject_hint: str | None) -> tuple[Claim, ...]:
    """Return what a text that is not too long claims."""
    plain = folded(text).strip()
    speaker = SHARED if subject_hint is None else _name(subject_hint)
    chinese = is_chinese(plain)
    prefix = _PREFIX.fullmatch(plain)
    if prefix:
        label, rest = prefix["who"] or prefix["who2"], prefix["rest"] or prefix["rest2"]
        made = (
            []
            if is_chinese(label)
            else label_claims(label, rest.rstrip(" .!"), Clause(rest, speaker, None, False, True, None))
        )
        if made:
            return tuple(dict.fromkeys(made))
        if is_chinese(label) and is_label(label):
            plain = f"{label}是{rest}"
        elif _SPEAKER.fullmatch(label):
            plain, speaker = rest, _name(label)
    read = list((chinese_claims if chinese else english_claims)(plain, speaker))
    said = {claim.slot for claim in read if claim.change != "end"}
    read = [claim for claim in read if claim.change != "end" or claim.slot not in said]  # what it says now stands
    return tuple(dict.fromkeys([*read, *_concerned(read)]))


def _concerned(read: list[Claim]) -> list[Claim]:
    """Return what else the claims have to do with, for "switched from U" to end it whatever it was used for."""
    told = [
        (claim.subject, claim.value, claim.attribute.startswith(PREDICATE))
        for claim in read
        if claim.value and not claim.negated and claim.change != "end" and not claim.attribute.startswith(_TASTES)
    ]
    return [
        concerning(subject, (value.partition(" ")[2] if predicate else "") or value, value)
        for subject, value, predicate in dict.fromkeys(told)
    ]


def _name(who: str) -> str:
    return SHARED if who.lower() in _THEMSELVES else who.lower()
