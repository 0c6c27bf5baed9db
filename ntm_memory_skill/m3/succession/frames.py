"""Clauses that differ in their last words alone: "I report to Helen", "I report to Marcus now".

What stands before the difference is a frame. It is nothing that is known to have one value, so the mere other value
replaces nothing; a "now" does.
"""

from __future__ import annotations

import re

from ntm_memory_skill.m3.succession.values import Claim, change_if
from ntm_memory_skill.m3.succession.wording import NUMBERS, word_stems

_PREPOSITIONS = set("to with on in at for by from under as through via into over".split())
_OPEN = set(
    "am is are be go going come get look talk speak listen think head travel fly run walk drive play "
    "care wait ask see want need like "
    "love enjoy know feel agree excited interested allergic afraid good bad happy glad sad sorry ready "
    "late back out up off here "
    "there have has had was were great nice lovely thanks sounds looks seems feels cheers congrats".split()
)
_DENIED = re.compile(
    r"\b(?:not|no|never|was|were|had|did)\b|\w{3,}ed\b(?! (?:to|in|on|by|with|at|as)\b)", re.IGNORECASE
)
_TASTES = set("love like enjoy want need know feel hope see ask wait have has had was were".split())
_BE = {"am", "is", "are"}
MOST_WORDS, MOST_IN_VALUE = 12, 4


def frame_claims(body: str, subject: str, now: bool) -> list[Claim]:
    """Return the frames of a clause with what fills them.

    Args:
        body: The clause after its subject, or all of it where that is no person.
        subject: Whom it speaks of, or who says it.
        now: Whether it says that this is so "now".
    """
    words = body.split()
    if words[0].lower() in _BE and (len(words) < 4 or not words[1].endswith("ed")):
        return _counted(words, subject, now)
    if not 3 <= len(words) <= MOST_WORDS:
        return []
    low, kind = [word.lower() for word in words], change_if(now)
    places = [
        place
        for place in range(max(1, len(words) - MOST_IN_VALUE - 1), len(words) - 1)
        if low[place] in _PREPOSITIONS and low[place - 1] not in _OPEN and low[0] not in _TASTES
    ]
    numbers = _numbers(words)
    if not (places or numbers) or _DENIED.search(body):
        return []
    found = []
    for place in places:
        name = " ".join(word_stems(" ".join(words[: place + 1])))
        value = " ".join(words[place + 1 :])
        found.append(Claim(subject=subject, attribute=f"{name} ...", value=value, change=kind, sole=False))
    return found + _counted(words, subject, now)


def _numbers(words: list[str]) -> list[int]:
    """Return where numbers stand after the first word."""
    return [place for place, word in enumerate(words[1:], 1) if word.isdigit() or word.lower() in NUMBERS]


def _counted(words: list[str], subject: str, now: bool) -> list[Claim]:
    """Return how many of what a clause tells of: "has 50 employees", "take 10 mg of it"."""
    places = _numbers(words)
    if len(places) != 1 or len(words) < 3 or places[0] == len(words) - 1:
        return []
    place = places[0]
    name = " ".join(word_stems(" ".join((*words[:place], "#", *words[place + 1 :]))))
    value = NUMBERS.get(words[place].lower(), words[place])
    return [Claim(subject=subject, attribute=f"{name} (count)", value=value, change=change_if(now), sole=False)]
