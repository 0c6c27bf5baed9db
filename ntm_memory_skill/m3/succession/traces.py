"""What a text must hold to contradict a claim, so that texts can be passed over without being read.

The law: a text that claims something of a slot holds its traces, and one that denies a predicate a word that denies. A
slot is named by words and characters of the text that it comes from, and by some that the rules put there themselves,
which leave no trace: "monday" for "Mon". Where in doubt, a text is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from ntm_memory_skill.m3.succession.moments import MONTHS, WEEKDAYS
from ntm_memory_skill.m3.succession.values import CONCERNS, LONGEST, PREDICATE, Claim, Statement
from ntm_memory_skill.m3.succession.wording import NUMBERS, WRITTEN_OUT, expanded, folded, is_chinese, stem

_OF_THE_RULES = set(
    "user lives works partner status age address car school major plan diet version meets job way work shift "
    "department grade does like have use is member subscrib prefers has do with in as for by at to of the "
    "lead owner manager maintainer assignee name phone favourite colour email wifi film salary password mobile "
    "open online private unpaid enabled active locked full on up available "
    "single divorced no relationship pm how".split()
)
"""Words that the rules write into a slot though the text may have said it otherwise."""
_UNTRACED = _OF_THE_RULES | WRITTEN_OUT | set(WEEKDAYS) | set(MONTHS) | set(NUMBERS.values())
_UNTRACED |= {stem(word) for word in _UNTRACED}
_CHARACTERS_OF_THE_RULES = set("喜欢有用学练抽烟是最邮箱电话地址名字参加成员会负责人承办开放着在线启恋爱无业")
_WORD = re.compile("[a-z]+")
_DENYING = set(
    "not longer hate dislike detest despise loathe switched moved migrated changed went converted replaced swapped "
    "stopped quit gave given done ditched dropped got sold traded deleted uninstalled unsubscribed left resigned "
    "instead rather off closed fixed resolved offline public paid disabled inactive unlocked empty down "
    "unavailable".split()
)
"""Words of which a text has one that says of a predicate that it does not hold; or else it has one of "cancelled"."""
_DENYING |= {stem(word) for word in _DENYING}
_DENYING_CHARACTERS = set("不没从由卖退扔送取删卸停处戒注放终讨厌恨关离")
"""Characters of which a Chinese text has one that says of a predicate that it does not hold."""


class Traces(NamedTuple):
    """What is left in a text of something that it claims."""

    words: tuple[str, ...]
    """In small letters, without their endings, and numbers. Looked for in a text without Chinese characters."""
    characters: frozenset[str]
    """Those beyond ASCII. Looked for in a text with Chinese characters."""
    denied: bool
    """Whether it denies a predicate."""


def traces_against(claim: Claim) -> Traces:
    """Return the traces of what replaces a claim, or is replaced by it."""
    named = f"{claim.subject} {claim.attribute}"
    said = [word for word in named.split() if word.isascii() and word not in _UNTRACED]
    words = [word.removesuffix("y") for word in said if word.isalpha()]
    amounts = claim.attribute.startswith(CONCERNS)  # 5k concerns 5000
    numbers = [] if amounts else [word for word in said if word.isdigit()]
    characters = frozenset(char for char in named if is_chinese(char)) - _CHARACTERS_OF_THE_RULES
    denied = claim.attribute.startswith(PREDICATE) and not claim.negated
    return Traces((*dict.fromkeys(numbers + words),), characters, denied)


def may_claim(statement: Statement, sought: Collection[Traces]) -> bool:
    """Return whether a statement may claim something that leaves such traces; if not, it does not."""
    if len(statement.text) > LONGEST:
        return False
    said = folded(statement.text)
    held = f"{said}\n{statement.subject_hint or ''}".casefold()
    if is_chinese(said):
        characters = set(held)
        denies = not characters.isdisjoint(_DENYING_CHARACTERS)
        return any(each.characters <= characters and (denies or not each.denied) for each in sought)
    found = [each for each in sought if _holds(held, each)]
    return any(not each.denied for each in found) or (bool(found) and _denies(said))


def _holds(held: str, traces: Traces) -> bool:
    return all(word in held for word in traces.words) and all(char in held for char in traces.characters)


def _denies(said: str) -> bool:
    if not said.isascii():  # without regard to case, a letter i has forms beyond ASCII
        return True
    words = _WORD.findall(expanded(said).casefold())
    return any(word in _DENYING or word.startswith("cancel") or stem(word) in _DENYING for word in words)
