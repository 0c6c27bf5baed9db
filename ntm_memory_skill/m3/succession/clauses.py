"""English text to clauses that state something; what asks, wishes, supposes, plans or reports is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ntm_memory_skill.m3.succession.wording import expanded

_WORDS = re.compile(r"[a-z]+")
_UNREAL = set(
    "if unless whether might could would should maybe perhaps probably possibly hope hopes hoped "
    "hopefully wish wishes wished "
    "consider considers considered considering almost nearly never imagine suppose pretend think thought "
    "guess bet "
    "assume suspect wonder wondering said says saying told tells heard hears claim claims claimed "
    "mentioned asked apparently "
    "rumor rumors rumour rumours formerly previously seem seems".split()
)
"""Words of sentences that do not state what is so now."""
_UNREAL_PHRASE = re.compile(
    r"\b(?:want(?:s|ed)? to|plan(?:s|ned|ning)? (?:to|on)|thinking (?:about|of)|used to|not (?:yet|sure)|"
    r"dream(?:s|ed|ing|t)? (?:of|about)|according to|when i was|back in|years ago|in the past|as (?:if|a "
    r"(?:kid|child|teen))|"
    r"one of|let (?:us|me)|(?:need|have|has|about|trying) to|decid(?:ed|ing) to|looking (?:to|for|at|into)|"
    r"going to (?:move|live|work|quit|sell|buy|be|become|start|stop|change|switch)|(?:i|we|he|she) will|feels? like|"
    r"(?:kind|sort) of|believe(?! in\b)|until (?:i|we)|may (?:be|move|have|not))\b"
)
_QUESTION = re.compile(
    r"(?:do|does|did|is|are|was|were|has|have|can|could|will|would|shall|should|am|what|when|where|who|whose|"
    r"why|how|which)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:well|hey|hi|hello|so|and|but|oh|wow|yes|yeah|yep|no|nope|ok|okay|actually|update|news|fyi|by "
    r"the way|btw|just|"
    r"note|reminder|please|remember|that|good news|big news|correction|also|anyway|unfortunately|sadly|"
    r"luckily|turns out|"
    r"guess what|finally|recently|currently|now|then|today|yesterday|lately|these days|nowadays|from now on|"
    r"last (?:week|month|year|night|summer|winter|spring|fall|autumn|\w+day)|this (?:week|month|year|morning)|in \d{4}|"
    r"in (?-i:[A-Z][a-z]+)(?: \d{4})?|(?:since|as of|from|after|starting|effective) (?:[\w'.]+ ){1,4}?"
    r"(?=(?:i|we|my|our|the|he|she)\b))[\s,:!-]+)+",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"\b(?:now|currently|these days|nowadays|from now on|any ?more|no longer|instead|from today|going forward|as of|"
    r"since (?:last|the|january|february|march|april|may|june|july|august|september|october|november|december))\b",
)
_ASIDE = re.compile(
    r"\b(?:right now|now|currently|these days|nowadays|from now on|already|recently|just|finally|"
    r"officially|actually|really|"
    r"still|instead(?! of)|from today(?: on)?|going forward|again|at the moment|at present|as well|too|also|only|truly|"
    r"absolutely)\b",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"\b(?:also|too|as well|another|additional(?:ly)?|a second|in addition|besides|extra|temporarily)\b", re.IGNORECASE
)
_SENTENCE = re.compile(
    r"(?=[\s;—:])(?:(?:(?<=[.!?])|(?<=[.!?][\"')]))"
    r"(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bSt)(?<!\ba\.m)(?<!\bp\.m)\s+"
    r"|[;\n]+|\s[-–—]+\s|—|: (?=(?:I|he|she|we|my|our)\b))|\Z(?<=\bDr\.)"
)
_TITLES = ("Dr. ", "Mr. ", "Ms. ", "Mrs. ", "St. ", "Prof. ")
_ABBREVIATED = re.compile(r"\b(Dr|Mr|Ms|Mrs|St|Prof)\. ")
_CLAUSE = re.compile(
    r",\s+(?:and |but |so |because )?(?!(?:Dr |[\w.-]+@))|\s(?:and|but|so)\s(?=(?:i|we|my|our|the|he|she)\b)",
    re.IGNORECASE,
)
_COUPLE = re.compile(r"[A-Z]\w+ and I\b")
_AND_VERB = re.compile(
    r"\sand\s(?=(?:now |then |have |has |am |is |just )*"
    r"(?:live|work|move[ds]?|relocated|joined|bought|started|got|quit|left|switched|became|drive)s?\b)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:in|since) (?:[A-Z][a-z]+ )?((?:19|20)\d{2})\b")
_SUBJECT = re.compile(r"(?:I|we|he|she|(?:the )?user|my [a-z]+|[A-Z][a-z]+(?: [A-Z][a-z]+)?)(?=\s)", re.IGNORECASE)
_TAIL = re.compile(
    r"\s(?:because|since|when|where|which|who|that|after|before|until|although|though|while|but|so|"
    r"last (?:week|month|year|night|summer|spring|winter|fall|autumn)|yesterday|recently|this (?:week|"
    r"month|year|morning)|"
    r"a (?:few|couple) .*|(?:\w+ )?(?:days?|weeks?|months?|years?) ago|as of .*|for now|due to|thanks to|"
    r"in (?:19|20)\d{2}|in case|to be)\b.*$|\s*\(.*$",
    re.IGNORECASE,
)

_OF_A_PHRASE = set(
    "want wants wanted plan plans planned planning thinking used yet sure dream dreams dreamed dreaming dreamt "
    "according when back years past if kid child teen one let need have has about trying decided deciding looking "
    "going will feel feels kind sort believe until may".split()
)
"""Of these words `_UNREAL_PHRASE` holds at least one; likewise the next ones."""
_OF_NOW = set("now currently days nowadays anymore more longer instead today going as since".split())
_OF_BESIDE = set("also too well another additional additionally second addition besides extra temporarily".split())
_OF_ASIDES = set(
    "now currently days nowadays already recently just finally officially actually really still instead today going "
    "again moment present well too also only truly absolutely".split()
)

MOST_WORDS = 24
"""A longer clause says too much for a rule to read to its end."""


class Clause(NamedTuple):
    """Some words that state one thing."""

    body: str
    """Without what leads up to it ("by the way,") and asides ("now", "actually")."""
    speaker: str
    """Whom "I" means."""
    them: str | None
    """Whom "he" or "she" means: the person that the text spoke of last."""
    now: bool
    """Whether it says that this is so now, and was not before."""
    sole: bool
    """Whether it leaves no room for another value beside: it says neither "also" nor "another"."""
    year: int | None
    """The year that it names."""


def clauses_of(text: str, speaker: str) -> Iterator[Clause]:
    """Yield the clauses of a folded English text that state something, in order."""
    text = expanded(text)
    if any(title in text for title in _TITLES):
        text = _ABBREVIATED.sub(r"\1 ", text)
    for sentence in _SENTENCE.split(text):
        low = sentence.casefold()
        if " " not in low.strip() or low.rstrip(" \"')!").endswith("?"):
            continue
        words = set(_WORDS.findall(low))
        if not _UNREAL.isdisjoint(words) or _holds(_UNREAL_PHRASE, _OF_A_PHRASE, low, words):
            continue
        if "may" in words and _is_may(sentence):
            continue
        stated = _without_lead(sentence.strip())
        if _QUESTION.match(stated):
            continue
        now, sole = _holds(_NOW, _OF_NOW, low, words), not _holds(_BESIDE, _OF_BESIDE, low, words)
        year = _YEAR.search(sentence) if "19" in sentence or "20" in sentence else None
        aside = not sentence.isascii() or not _OF_ASIDES.isdisjoint(words)
        for body in _bodies(stated, aside):
            yield Clause(body, speaker, None, now, sole, int(year[1]) if year else None)


def said_value(text: str) -> str:
    """Return a value without the words that say when or why it became so."""
    return _TAIL.sub("", f" {text}").strip(" .,!")


def _holds(pattern: re.Pattern[str], signs: set[str], low: str, words: set[str]) -> bool:
    """Return whether a pattern is found in a sentence.

    It needs one of its signs, which are looked up sooner. Without regard to case, a letter i has forms beyond ASCII.
    """
    return not (signs.isdisjoint(words) and low.isascii()) and pattern.search(low) is not None


def _without_lead(text: str) -> str:
    lead = _LEAD.match(text)
    return text if lead is None else text[lead.end() :]


def _bodies(sentence: str, aside: bool) -> Iterator[str]:
    """Yield what a sentence states; `aside`: whether it may have asides."""
    for piece in [sentence] if _COUPLE.match(sentence) else _CLAUSE.split(sentence):
        whole, *more = _AND_VERB.split(_without_lead(piece.strip(" .!,")))
        first = _SUBJECT.match(whole)
        for body in (whole, *(f"{first[0]} {rest}" for rest in more if first)):
            plain = _without_lead(body)
            plain = " ".join((_ASIDE.sub(" ", plain) if aside else plain).split())
            if 1 <= plain.count(" ") < MOST_WORDS:
                yield plain.strip(" .!,")


def _is_may(sentence: str) -> bool:
    """Return whether the verb "may" stands in a sentence, rather than the month."""
    return re.search(r"\bmay (?!\d)", sentence) is not None
