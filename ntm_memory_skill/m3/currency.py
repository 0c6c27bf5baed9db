"""Which of several memories that answer a question alike is the one that holds now: the latest.

Nobody says "this replaces that" when they tell a memory where they live now. Both statements then answer the question,
and the old one often better, because people ask in the words in which a thing was first told. So of the best match and
those that rival it, the latest goes first. What is a rival is a matter of degree:

    P(rival) = σ(−4.5 − 3·gap + 2.5·containment + 2·asked + 1.5·change + above + 4·same − 2·known)

gap is how far its score falls short of the best one's, as a share of that; containment, the share of the shorter one's
terms that both have; asked, of the question's distinctive words that the best match has, the share that the rival has
too; change, 1 if the later of the two has a word of change ("now", "moved", 换, 不再); above, how far its score stands
above that of the last candidates, in standard deviations of those behind the first two; same, 1 if both are read as
saying something of the same attribute (`succession`); known, 1 if it is known already what the best match replaced, or
what replaced it, so that a rival is more likely about something else. A rival is one with P ≥ ½. The weights but the
last are rounded from logistic regressions over either half of bench/successions.jsonl, tried on the other.

Only short statements take part: of long messages, the one that came later is not the one that holds.

Nothing is hidden by this, and nothing but the order of the first few hits depends on it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from ntm_memory_skill.m3.novelty import distinctive

CANDIDATES = 8
"""How many of the first hits are looked at."""
RIVALS = 6
"""How many of them can be rivals; the rest are what these stand out from."""
BIAS, GAP, CONTAINMENT, ASKED, CHANGE, ABOVE, SAME, KNOWN = -4.5, -3.0, 2.5, 2.0, 1.5, 1.0, 4.0, -2.0
MOST_ABOVE = 10.0
LONGEST = 100
"""Characters of a statement, at most."""

_VAGUE = ("has to do with", "does ")
"""How attributes begin that two different facts may share."""
_CHANGE = re.compile(
    r"""
      \b(?:now|no\ longer|any\ ?more|instead|new|since|from\ now|already|done|finished|over)\b
    | \b(?:mov(?:ed?|es|ing)|chang\w+|switch\w+|replac\w+|became|quit|left|sold|stopped|gave\ up|renamed|raised|lowered
      |postponed|rescheduled|brought\ forward|took\ over|turned|went\ up|dropped|cancel\w+|ended|split|broke)\b
    | 不再|改|换|搬|现在|新|已经|取消|辞|卖|停|推迟|提前|涨|降|升|离|结束|了[。.!！]?$
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A memory that was found."""

    score: float
    """Its content score."""
    text: str
    terms: Callable[[], frozenset[str]]
    """Tells the terms of its text; asked only of what could be a rival, and of the best."""
    at: datetime
    """Since when it holds."""
    known: bool = False
    """Whether it is known what it replaced, or what replaced it."""


class Crowd(NamedTuple):
    """What rivals stand out from."""

    mean: float
    """Of the last four scores."""
    deviation: float
    """Of all but the first two; at least 1."""

    @classmethod
    def of(cls, scores: Sequence[float]) -> Self:
        """Return it for the scores of all candidates."""
        behind, last = scores[2:], scores[CANDIDATES // 2 :]
        return cls(mean=_mean(last), deviation=max(1.0, _deviation(behind)))

    def above(self, score: float) -> float:
        """Return how far a score stands above it, in deviations; one that is no number does not."""
        return min((score - self.mean) / self.deviation, MOST_ABOVE) if math.isfinite(score) else 0.0


def latest(question: str, candidates: Sequence[Candidate]) -> int:
    """Return which of the candidates, best first, holds now: the latest of the first one and its rivals."""
    if len(candidates) < 2:
        return 0
    seen = candidates[:CANDIDATES]
    best = seen[0]
    if len(best.text) > LONGEST:
        return 0
    later = [place for place, each in enumerate(seen[:RIVALS]) if each.at > best.at and len(each.text) <= LONGEST]
    if not later:
        return 0
    asked = distinctive(question) & distinctive(best.text)
    crowd = Crowd.of([each.score for each in seen])
    rivals = [0, *(place for place in later if _rivals(seen[place], best, crowd, asked))]
    return max(rivals, key=lambda place: (seen[place].at, -place))


def _rivals(one: Candidate, best: Candidate, crowd: Crowd, asked: frozenset[str]) -> bool:
    gap = (best.score - one.score) / max(best.score, 1e-6)
    terms, known = one.terms(), best.terms()
    evidence = (
        BIAS
        + GAP * gap
        + CONTAINMENT * len(terms & known) / max(1, min(len(terms), len(known)))
        + ASKED * (len(asked & distinctive(one.text)) / len(asked) if asked else 1.0)
        + CHANGE * bool(_CHANGE.search(one.text))
        + ABOVE * crowd.above(one.score)
        + KNOWN * best.known
    )
    return evidence >= 0 or (evidence + SAME >= 0 and _same_attribute(one.text, best.text))


def _same_attribute(one: str, other: str) -> bool:
    """Return whether two texts claim something of the same attribute of the same subject."""
    return not _attributes(one).isdisjoint(_attributes(other))


def _attributes(text: str) -> set[tuple[str, str]]:
    from ntm_memory_skill.m3.succession import claims

    return {claim.slot for claim in claims(text) if not claim.attribute.startswith(_VAGUE)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _deviation(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(_mean([(value - mean) * (value - mean) for value in values]))  # a power would overflow
