"""What the terms of a score are called when people read them, and what a difference in one of them says.

The law: every name that a trace or a difference can hold stands here once. The command line and docs/tools.md speak
from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BESIDES = ("hops", "gate", "shift", "told", "merging")
"""What can set two memories apart besides the terms of the content score; "hops" stands among a hit's terms."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One term or stage in words."""

    label: str
    """What it is called, in up to 22 characters."""
    about: str
    """What its value is."""
    more: str
    """What is said of a memory that has more of it than another: follows on "it" or "that one"."""
    less: str = ""
    """What is said of one that has less of it, where less is better; of a stage, more always is."""


WORDING: Mapping[str, Wording] = {
    "meaning": Wording(
        "meaning",
        "Likeness of meaning to the question (the cosine), in standard deviations from the mean of all.",
        "is closer to the question in meaning",
        "is further from the question in meaning",
    ),
    "words": Wording(
        "words",
        "How well it matches the question's words (BM25), in standard deviations from the mean of all.",
        "matches the question's words better",
        "matches the question's words less",
    ),
    "commonness": Wording(
        "like everything else",
        "How much it resembles all memories at once, in standard deviations; weighs against it.",
        "is more like everything else",
        "is less like everything else",
    ),
    "brevity": Wording(
        "says little",
        "How far it falls short of 24 terms, as ln(terms/24); 0 where it has as many or more.",
        "says more",
        "says less",
    ),
    "time": Wording(
        "time",
        "How well its time fits the times that the question names, 0 to 1.",
        "fits the time in the question better",
        "fits the time in the question less",
    ),
    "association": Wording(
        "recalled together",
        "Activation that spreads to it from the best matches, along links of memories recalled together, 0 to 1.",
        "was recalled more often together with what matches best",
        "was recalled less often together with what matches best",
    ),
    "context": Wording(
        "the chat so far",
        "Likeness to what was last said in the chat, in standard deviations from the mean of all.",
        "is closer to what the chat is about",
        "is further from what the chat is about",
    ),
    "coverage": Wording(
        "covers the question",
        "Share of the question's rare words that it holds, 0 to 1.",
        "holds more of the question's rare words",
        "holds fewer of the question's rare words",
    ),
    "strong_meaning": Wording(
        "stands out by meaning",
        "How far its meaning is above 1.5 standard deviations; else 0.",
        "stands out more by its meaning",
        "stands out less by its meaning",
    ),
    "strong_words": Wording(
        "stands out by words",
        "How far its words are above 1.5 standard deviations; else 0.",
        "stands out more by its words",
        "stands out less by its words",
    ),
    "length": Wording(
        "length",
        "ln(terms) less the median of all.",
        "is longer, as suits this question",
        "is shorter, as suits this question",
    ),
    "question": Wording(
        "is a question",
        "1 where it ends in a question mark, else 0.",
        "is itself a question, as suits this one",
        "is no question itself",
    ),
    "digits": Wording(
        "has a number",
        "1 where it has a digit, else 0.",
        "has a number in it, as suits this question",
        "has no number in it, as suits this question",
    ),
    "hops": Wording(
        "what led to it",
        "What memories that were read before say for it; there where the memory was read in several hops.",
        "is led to more by what was read before",
    ),
    "gate": Wording(
        "the chat's last focus",
        "What the interpolation gate did to its share: where the chat looked last.",
        "is nearer to where the chat looked last",
    ),
    "shift": Wording(
        "what stood next to it",
        "What the shift did to its share: weight that came along the chat, and weight that went.",
        "gains more from what was said next to it",
    ),
    "told": Wording(
        "who told it",
        "What its share gained because somebody told it whom the question names.",
        "was told by somebody whom the question names",
    ),
    "merging": Wording(
        "several read heads",
        "What comes of averaging several heads' shares, where there are several.",
        "suits the read heads together better",
    ),
}


def label(name: str) -> str:
    """Return what a term or stage is called."""
    return WORDING[name].label


def main_reason(
    differences: Sequence[Mapping[str, Any]], terms: Sequence[Mapping[str, Any]], winner: str, loser: str
) -> str | None:
    """Return why one memory stands before another, as the rest of a sentence; None where nothing sets them apart.

    That is what speaks for the winner most, and, where that is at least half as much, what speaks for the loser most.

    Args:
        differences: ``{name, amount}``, the greatest first; amounts above 0 speak for the winner.
        terms: Any hit's terms, for their weights in this question.
        winner: What the better one is called, such as "it".
        loser: What the other is called.
    """
    negative = {term["name"] for term in terms if term["weight"] < 0}

    def said(name: str) -> str:
        return WORDING[name].less if name in negative else WORDING[name].more

    speak = next((each for each in differences if each["amount"] > 0), None)
    if speak is None:
        return None
    reason = f"{winner} {said(speak['name'])}"
    against = next((each for each in differences if each["amount"] < 0), None)
    if against is not None and -against["amount"] >= speak["amount"] / 2:
        reason += f", though {loser} {said(against['name'])}"
    return reason
