"""What a question's form tells of the memories that it needs, in English and Chinese.

One that describes what it asks about by something else ("the cafe that my colleague likes") needs a memory of each; one
that asks for several things ("what books has she read") needs many alike. Rules see the form and not the sense: they
err, and what follows from them has to be mild.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MOST = 3
"""Descriptions that are counted at most."""
LONGEST = 1_000
"""Characters of a question that are looked at."""

_VAGUE = (
    "age|amount|beginning|benefits?|cause|colou?r|cost|date|day|end|evening|experience|focus|goal|idea|importance|kind|"
    "lot|meaning|members?|memor(?:y|ies)|month|morning|names?|night|number|painting|part|photo|picture|piece|process|"
    "purpose|reason|rest|result|sense|setting|sort|start|state|time|title|topic|type|use|way|week|year"
)
"""Alternatives of a regular expression: nouns that stand for nothing of their own before "of"."""
_KIN_OF_THINGS = (
    "author|band|birthplace|boss|city|company|country|creator|director|employer|father|founder|hometown|husband|label|"
    "mother|owner|school|spouse|team|wife"
)
"""Alternatives of a regular expression: what a thing or a person has one of."""
_PREPOSITION = "about|after|at|before|by|during|for|from|in|of|on|to|with"
_NO_HEAD = rf"and|or|but|so|order|ways?|manner|extent|degree|case|{_PREPOSITION}"
"""Words that no relative clause hangs on."""
_SAYING = (
    "agree[ds]?|believe[ds]?|confirm(?:ed|s)?|decide[ds]?|demonstrate[ds]?|ensure[ds]?|feel|felt|hear[ds]?|hope[ds]?|"
    "knew|know|mean|means|meant|mention(?:ed|s)?|remember(?:ed|s)?|said|says?|show(?:ed|n|s)?|suggest(?:ed|s)?|tell|"
    "think|thought|told"
)
"""Words after which "that" tells what somebody says."""
_DESCRIBED = (
    re.compile(
        rf"\b(?!(?:{_NO_HEAD}) )(?!(?:{_SAYING}) that\b)[\w'’-]+ (?:(?:{_PREPOSITION}) )?"
        r"(?:who|whom|whose|which|where|that)\b(?= \w)(?! (?:is|was)\?)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\bthe (?!(?:[\w'’-]+ ){{0,2}}?(?:{_VAGUE}) (?:of|by|from)\b)(?:[\w'’-]+ ){{1,4}}?(?:of|by|from) \w",
        re.IGNORECASE,
    ),
    re.compile(
        rf"['’]s (?:[\w-]+ ){{0,3}}?[\w-]+['’]s\b|['’]s (?:[\w-]+ ){{0,2}}(?:{_KIN_OF_THINGS})\b", re.IGNORECASE
    ),
    re.compile(r"\bthe [a-z-]+ (?:[A-Z][\w'’-]* )+(?:is|was|are|were)\b"),
)
"""Relative clauses; the one of the other; somebody's somebody's; the country Ann is from."""
_PLURAL = r"(?!(?:is|was|does|has|this|its)\b)[\w'’-]+[^\Wsu]s"
_VERB = r"(?:has|have|had|does|did|do|are|were|is|was|can|could|will)"
_SEVERAL = re.compile(
    rf"""
    ^(?:what|which)\ (?:(?!{_VERB}\b|kind\b|type\b|sort\b)[\w'’+-]+\ ){{0,3}}?{_PLURAL}\ (?:{_VERB}|that|for|in|to)\b
    | ^(?:what|which)\ (?:kinds?|types?|sorts?)\ of\ (?:[\w'’-]+\ ){{0,2}}?{_PLURAL}\ {_VERB}\b
    | ^how\ many\b | ^how\ often\b | \bboth\b | ^in\ (?:what|which)\ ways\b
    | ^(?:what|who)\ (?:are|were|all)\b | ^where\ (?:all|has|have)\b | ^what\ (?:has|have)\ \w+
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SEVERAL_CHINESE = re.compile(r"哪些|哪几|几次|多少次|几个|多少个|都[有去做]|都[^，。？]{1,4}什么|分别|有什么")
_LINKING = re.compile(r"(?<!是)的(?![？?。！!，,]|$)")
_KIN_CHINESE = re.compile(
    "的(?:人|同事|朋友|老板|邻居|同学|老师|医生|公司|餐厅|城市|家乡|作者|导演|妻子|丈夫|父亲|母亲|爸爸|妈妈|哥哥|弟弟|姐姐|妹妹)"
)
_CHINESE = re.compile("[一-鿿]")


class Asking(NamedTuple):
    """The form of a question."""

    described: int
    """How many things it describes by others, 0 to `MOST`."""
    several: bool
    """Whether it asks for several things of one kind."""


PLAIN = Asking(described=0, several=False)
"""Asks for one thing, by its own name."""


def asking(text: str) -> Asking:
    """Return the form of a question. A text that is none has one as well, and it means little."""
    plain = text.strip()[:LONGEST]
    if _CHINESE.search(plain):
        linking = len(_LINKING.findall(plain))
        described = linking if linking > 1 or _KIN_CHINESE.search(plain) else 0
        return Asking(min(described, MOST), _SEVERAL_CHINESE.search(plain) is not None)
    described = sum(len(pattern.findall(plain)) for pattern in _DESCRIBED)
    return Asking(min(described, MOST), _SEVERAL.search(plain) is not None)
