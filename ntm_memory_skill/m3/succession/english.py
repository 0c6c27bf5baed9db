"""What an English text claims to be so from then on.

Read by rules, on purpose: they cost nothing, and everybody can see why a memory was replaced. A rule reads a clause
from its beginning to its end; what no rule reads claims nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ntm_memory_skill.m3.succession.clauses import Clause, clauses_of
from ntm_memory_skill.m3.succession.facts import fact_claims
from ntm_memory_skill.m3.succession.frames import frame_claims
from ntm_memory_skill.m3.succession.nouns import PEOPLE
from ntm_memory_skill.m3.succession.predicates import predicate_claims, timed_claims
from ntm_memory_skill.m3.succession.things import made_claims, thing_claims
from ntm_memory_skill.m3.succession.values import PARTNER, SHARED, STATUS, Claim

_PERSON = re.compile(
    r"(?P<i>I|we)(?=\s)|(?P<user>(?:the )?user)(?=\s)|my (?P<rel>[a-z]+(?:-in-law)?)(?=\s)|(?P<they>he|she)(?=\s)"
    r"|(?P<name>(?-i:[A-Z][a-z]+(?: [A-Z][a-z]+)?))(?=\s)",
    re.IGNORECASE,
)
_RELATIVES = PEOPLE | set(
    "mother father mom mum dad brother sister son daughter uncle aunt cousin grandmother grandfather grandma grandpa "
    "nephew niece baby family parents kids children".split()
)
_NOBODY = set(
    "the my our your his her their this that these those it there what who when where if and but so yes "
    "no not thanks wow hey "
    "great nice good glad lovely here highly plus look love sounds looks happy sorry sure he she they "
    "you i we is are do does did can will a an in on at for with to since after".split()
)
_COUPLE = re.compile(
    r"(?P<a>[A-Z]\w+|I) and (?P<b>I|[A-Z]\w+|my (?:wife|husband|girlfriend|boyfriend|partner)) "
    r"(?:have |are |got )*(?P<v>no longer together|not together|broke up|broken up|split up|separated|"
    r"divorced|married|engaged|dating)\b.*"
)


def english_claims(text: str, speaker: str) -> Iterator[Claim]:
    """Yield what an English text claims.

    Args:
        text: Folded (see `wording.folded`), without the speaker's name.
        speaker: Whom "I" means.
    """
    them: str | None = None
    for read in clauses_of(text, speaker):
        clause = read if them is None else read._replace(them=them)
        for claim in _read(clause):
            yield claim if clause.year is None else replace(claim, year=clause.year)
        person = _PERSON.match(clause.body)
        if person and (person["rel"] or person["name"]):
            them = _subject(person, clause) or them


def _read(clause: Clause) -> list[Claim]:
    couple = _COUPLE.fullmatch(clause.body)
    if couple:
        return _coupled(couple, clause)
    person = _PERSON.match(clause.body)
    subject = _subject(person, clause) if person else None
    found: list[Claim] = []
    if person and subject:
        body = clause.body[person.end() :].strip()
        found = fact_claims(body, subject, clause.now, clause.sole)
        found += made_claims(body, subject, person[0], clause) + timed_claims(body, subject, clause.now)
        found += predicate_claims(body, subject, clause.now) + frame_claims(body, subject, clause.now)
    return found if person and (person["i"] or person["user"] or person["they"]) else found + thing_claims(clause)


def _coupled(couple: re.Match[str], clause: Clause) -> list[Claim]:
    """Return what became of two: "Sam and I broke up"."""
    pairs = [(couple["a"], couple["b"]), (couple["b"], couple["a"])]
    return [claim for one, other in pairs if one[0].isupper() for claim in _became(one, other, couple["v"], clause)]


def _became(one: str, other: str, what: str, clause: Clause) -> list[Claim]:
    """Return what became of one of two."""
    subject = clause.speaker if one == "I" else one.lower()
    named = other if other[0].isupper() and other != "I" else ""
    if what in ("married", "engaged", "dating"):
        claims = [Claim(subject=subject, attribute=STATUS, value=what, change="change")]
        return [*claims, Claim(subject=subject, attribute=PARTNER, value=named, change="change")] if named else claims
    return [
        Claim(subject=subject, attribute=PARTNER, value=named, change="end"),
        Claim(
            subject=subject,
            attribute=STATUS,
            value="divorced" if what == "divorced" else "single",
            change="change",
        ),
    ]


def _subject(person: re.Match[str], clause: Clause) -> str | None:
    if person["i"]:
        return clause.speaker
    if person["user"]:
        return SHARED
    if person["they"]:
        return clause.them
    if person["rel"]:
        return f"{clause.speaker} {person['rel'].lower()}" if person["rel"].lower() in _RELATIVES else None
    name = person["name"].lower()
    return None if name.split()[0] in _NOBODY or name.endswith("ing") else name
