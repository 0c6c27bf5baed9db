"""What a text says of whom: relations, read by rules. English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ntm_memory_skill.m3.distillation import sentences, told_by
from ntm_memory_skill.m3.graph import chinese
from ntm_memory_skill.m3.graph.naming import KIN, PROPER, RUN, STOP, fold
from ntm_memory_skill.m3.graph.rules import rules

SELF = "I"
"""Subject of what a text says in the first person, where nobody knows who speaks."""

_NO_OBJECT = frozenset(
    """
    all being bit blast chance couple doing each every everyone everything feeling few good great hearing her him his
    how i idea it lot lots me much my not our question seeing that their them these this those time to us we what when
    where you your
    """.split()
)
"""English words that a relation does not lead to."""
_OBJECT_ENDS = frozenset(
    """
    - about after again ago and are as at because before but by coming especially for from he how i if in is it lately
    now on or over recently she since so such that then they this though to today too until very was we where which
    while who with yesterday you – —
    """.split()
)
"""English words before which what a relation leads to ends."""
_LINKS = frozenset("to in with for from on about at".split())
"""English words that end nothing behind "talking", "looking"."""
_SUPPOSED = re.compile(r"\b(?:if|wish|whether|unless|when|hope|once)(?: \w+)? $|(?:如果|要是|希望)$", re.IGNORECASE)

_S = rf"(?<![A-Za-z'’])(?P<s>(?P<me>I|We)|[Mm]y (?:{KIN})(?: {PROPER})?|{PROPER})"
_A = "(?: (?:really|also|still|now|just|always|absolutely|definitely|recently|currently|totally|have|has))*"
_BE = rf"(?:['’]m|['’]s| am| is){_A}"
_ATTRIBUTE = "[a-z]+(?: [a-z]+){0,2}"
_O = r"(?P<o>[^.,;:!?()\"“”\n…]{1,80})"
_3 = "(?(me)|s)"  # the third person's s
_ENGLISH = rules(rf"""
    works at    {_S}(?:{_A} work{_3}|{_BE} working) (?:at|for) {_O}
    worked at   {_S}{_A} worked (?:at|for) {_O}
    lives in    {_S}(?:{_A} live{_3}|{_BE} living) in {_O}
    moved to    {_S}(?:['’]ve)?{_A} moved to {_O}
    visited     {_S}(?:['’]ve)?{_A} (?:visited|went to|been to) (?:the )?(?P<o>{RUN})
    is from     {_S}{_BE} from {_O}
    likes       {_S}{_A} (?:like|love|enjoy){_3} {_O}
    dislikes    {_S}{_A} (?:hate|dislike){_3} {_O}
    has         {_S}{_A} (?:(?(me)have|has)|own{_3}|adopted) (?=(?:an?|one|two|three|four|five|\d+) ){_O}
    met         {_S}(?:['’]ve)?{_A} met (?P<o>{RUN})
    married     {_S}(?:{_A}|{_BE}) married (?:to )?(?P<o>{RUN})
    -           (?<!\w)(?P<o>{RUN}) is (?P<s>[Mm]y|{PROPER}['’]s) (?P<p>[a-z]+(?: [a-z]+)?)(?=[^\w\s]|$)
    -           (?<!\w)(?P<s>[Mm]y|{PROPER}['’]s) (?P<p>{_ATTRIBUTE}) (?:is|are) (?P<o>{RUN}(?: \d+)?|[\d@+][\w@.-]*)
""")
"""Like `chinese.RELATIONS`; the group `me` is the first person."""


class Relation(NamedTuple):
    """What a text says of something."""

    subject: str
    predicate: str
    """In English for what both languages share ("works at"); an attribute in the text's own words (birthday, 生日)."""
    object: str


def relations(text: str, subject_hint: str | None = None) -> tuple[Relation, ...]:
    """Return what a text says of whom, each once, in no order that means anything. Questions say nothing.

    Args:
        text: English or Chinese, perhaps as "Ann: ...", who is then the first person.
        subject_hint: Who speaks, where the text does not tell. Without either the first person is `SELF`.
    """
    speaker, rest = told_by(text)
    me = speaker if speaker not in (None, "user") else subject_hint or SELF
    found: dict[Relation, None] = {}
    for sentence in sentences(rest):
        if sentence.endswith(("?", "？", "吗。", "吗")):
            continue
        for predicate, pattern in chinese.RELATIONS if re.search("[一-鿿]", sentence) else _ENGLISH:
            for match in pattern.finditer(sentence):
                if not _SUPPOSED.search(sentence[: match.start("s")]):
                    found.update(dict.fromkeys(_read(match, predicate, me)))
    return tuple(found)


def _read(match: re.Match[str], predicate: str, me: str) -> Iterator[Relation]:
    """Yield the relation of a match, if what it leads to is anything, and who "my sister Anna" is."""
    target, (subject, kin) = _object(match["o"]), _subject(match["s"], me)
    if fold(target) not in ("", fold(subject)) and fold(subject) not in STOP - {"i", "assistant"} | {""}:
        yield Relation(subject, match["p"] if predicate == "-" else predicate, target)
        if kin is not None:
            yield Relation(me, kin, subject)


def _subject(words: str, me: str) -> tuple[str, str | None]:
    """Return who a subject is, and what kin of `me` where it says both ("my sister Anna")."""
    if words in ("I", "We", "My", "my", "我", "我们"):
        return me, None
    if words[0] == "我":
        return f"{'我' if me == SELF else me}的{words[1:].removeprefix('的')}", None
    if words[:3].casefold() == "my ":
        kin, _, name = words[3:].partition(" ")
        return (name, kin) if name else (f"my {kin}" if me == SELF else f"{me}'s {kin}", None)
    return re.sub(r"['’]s$", "", words), None


def _object(words: str) -> str:
    """Return what a relation leads to, cut where the sentence goes on; empty where that is nothing in particular."""
    if re.search("[一-鿿]", words):
        kept = re.sub(r"[的呢哦啊了呀啦吧哈]+$", "", words.removeprefix("在"))
        return "" if re.match(r"[的你他她它这那什谁怎多哪]|一[起下直样]|自己|一[个些]小?(?:问题|想法)", kept) else kept
    said = re.sub(r"^(?:(?:an?|the|my|his|her|our|their|some) )+", "", words.strip()).split()
    ends = _OBJECT_ENDS - _LINKS if said and said[0].endswith("ing") else _OBJECT_ENDS  # "talking to Ann"
    end = next((place for place, word in enumerate(said) if place and word.casefold() in ends), len(said))
    return "" if not 0 < end <= 6 or said[0].casefold() in _NO_OBJECT | _OBJECT_ENDS else " ".join(said[:end])
