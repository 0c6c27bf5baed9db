"""The gist of memories that belong together, by extraction: some of their own sentences, word for word.

A sentence is worth keeping where its memory lies near the group's centroid and other memories use its words (Erkan &
Radev 2004, "LexRank", §3.1: degree of overlap); the next one is chosen by maximal marginal relevance (Carbonell &
Goldstein 1998):

    next = argmax_s  λ·relevance(s) − (1 − λ)·max_{t chosen} overlap(s, t)

No sentence is encoded and no language model is asked. A host that has one may put it in the place of all this
(`Distiller`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float32

BUDGET = 400  # characters
RELEVANCE = 0.7  # λ
SAID_ALREADY = 0.6  # overlap from which on a sentence adds nothing

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_BOUNDARY = re.compile(
    rf"""
      [.!?]+["'”’)\]]*(?=\s|$)                    # as English ends a sentence
    | [!?]+(?=[{_CJK}])                           # half-width marks in Chinese
    | [。！？]+["'”’」』）》]*(?![。！？"'”’」』）》])
    | \n+
    """,
    re.VERBOSE,
)
_BEFORE_THE_DOT = re.compile(r"[^\s(\"“]+$")
_GOES_ON = re.compile(r"(?:Dr|Mr|Mrs|Ms|Prof|St|Mt|Gen|Sen|Rev|vs|approx|e\.g|i\.e|[A-HJ-Z])$")
_GOES_ON_IN_LOWER_CASE = re.compile(r"(?:a\.m|p\.m|A\.M|P\.M|U\.S|U\.K|D\.C|Ph\.D|etc|Inc|Ltd|Co|Corp|Jr|Sr|\.\.)$")
_LABEL = re.compile(
    r"(?:note|reminder|update|edit|tip|tips|ps|question|answer|todo|re|fwd|fyi|summary|example|step|warning|important)s?\b"
    "|备注|注意|提醒|问题|答案|地址|电话|时间|地点|日期|例如|比如|总之|结论|生日|邮箱|姓名|名字|总结|目标|计划|待办|标题|内容",
    re.IGNORECASE,
)
"""What may stand before a colon and is nobody who speaks."""
_SPEAKER = re.compile(rf"\s*([A-Z][\w'’.-]*(?: [A-Z][\w'’.-]*){{0,2}}|user|assistant|[{_CJK}]{{2,4}})(?::\s+|：\s*)")
_QUESTION = re.compile(r"[?？]\W*$|[吗呢]\W*$")
_WORD = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+(?:['’.\-][^\W_{_CJK}]+)*")
_NO_TERMS = frozenset(
    (
        "a about all also am an and any are as at be been but by can could did do does for from get go had has have he "
        "her him his how i i'm i've if in into is it it's its just like me my no not of on or our out really she so "
        "some that that's the their them then there they this to too up us was we we're were what when which who will "
        "with would you your you're "
        "amazing awesome bye congrats cool fun glad going good great hello hey hi keep lot luck much nice oh okay "
        "sounds sure thank thanks well wow yeah yes"
    ).split()
)
"""English words that tell nothing of a topic; the last two lines are what people say to each other out of courtesy."""
_COURTESY = re.compile(
    r"^\W*(?:thanks?|thx|hey|hi|hello|bye|congrat\w*|good luck|have fun|see y(?:ou|a)|you'?re welcome|no prob\w*|"
    r"let me know|long time no)\b"
    r"|^\W*(?:你好|您好|嗨|再见|拜拜|晚安|早安|好的|不客气|嗯)|谢谢|感谢|辛苦了",
    re.IGNORECASE,
)
LEAST_TERMS = 2  # of a sentence that says something


class Distiller(Protocol):
    """What may take the place of `distil`: a host's model, say."""

    def __call__(self, texts: Sequence[str], /) -> str:
        """Return the gist of some texts, oldest first."""


@dataclass(frozen=True, slots=True)
class Extract:
    """One sentence of a gist."""

    text: str
    """Word for word as it stands in its source."""
    source: int
    """Index of the text that it comes from."""
    speaker: str | None = None
    """Who says so, where the source begins with a name and a colon."""


@dataclass(frozen=True, slots=True)
class Gist:
    """What some texts come down to, in their own sentences."""

    extracts: tuple[Extract, ...]
    """In the order of their sources, and within a source in its own; each sentence once."""

    @property
    def text(self) -> str:
        """All of them as one text. A speaker is named where another was speaking before."""
        return _joined(self.extracts)


def told_by(text: str) -> tuple[str | None, str]:
    """Return who speaks in a text of the form "Ann: ...", and the rest of it; None and the text where nobody is named.

    A label ("Note: ...", 地址：) is nobody, nor is a word in lower case, except the roles `user` and `assistant`.
    """
    match = _SPEAKER.match(text)
    return (None, text) if match is None or _LABEL.match(match[1]) else (match[1], text[match.end() :])


def sentences(text: str) -> list[str]:
    """Return the sentences of an English or Chinese text as they stand there, in order; only blanks are left out."""
    found: list[str] = []
    start = 0
    for boundary in _BOUNDARY.finditer(text):
        if _ends(text, start, boundary):
            found.append(text[start : boundary.end()].strip())
            start = boundary.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def terms(text: str) -> set[str]:
    """Return the words of a text without those that stand everywhere, and the pairs of Chinese characters."""
    found: set[str] = set()
    for run in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        if re.match(f"[{_CJK}]", run):
            found.update(run[i : i + 2] for i in range(max(len(run) - 1, 1)))
        elif (word := run.replace("’", "'").removesuffix("'s")) not in _NO_TERMS:
            found.add(word)
    return found


def distil(
    texts: Sequence[str],
    keys: Float32[np.ndarray, "k m"],
    *,
    budget: int = BUDGET,
    terms: Callable[[str], Iterable[str]] = terms,
) -> Gist | None:
    """Return the gist of some texts, or None where there is nothing to condense.

    That is so where the gist would be one text's whole, or would leave nothing out, or nothing in the texts has to do
    with the others. Questions, greetings and thanks are not quoted, nor sentences of fewer than two terms.

    Args:
        texts: Oldest first.
        keys: Their unit keys.
        budget: Characters that the gist's text may have, 1 and up.
        terms: The words of a sentence, as the overlap counts them.
    """
    if len(texts) < 2:
        return None
    everything = _extracts(texts)
    names = {name for each in everything if each.speaker is not None for name in terms(each.speaker)}
    words = [frozenset(terms(each.text)) - names for each in everything]  # people who address each other are no topic
    words = [held if len(held) >= LEAST_TERMS else frozenset() for held in words]
    overlaps = _overlaps(words)
    chosen = _choose(everything, _relevance(everything, keys, overlaps), overlaps, budget)
    gist = Gist(tuple(everything[place] for place in sorted(chosen)))
    said = gist.text
    whole = any(said.strip() == text.strip() for text in texts)
    return None if whole or not said or len(said) >= len(_joined(everything)) else gist


def _ends(text: str, start: int, boundary: re.Match[str]) -> bool:
    """Return whether a sentence ends at what looks like an end: not after an abbreviation, an initial or a list's 1."""
    behind, following = text[boundary.end() :][:1], text[boundary.end() :].lstrip()[:1]
    if boundary[0][-1] in '"”’」』）》' and (following.islower() or (behind and not behind.isspace())):
        return False  # "Really?" she asked. “真的吗？”她问。
    if not boundary[0].startswith("."):
        return True
    before = _BEFORE_THE_DOT.search(text, start, boundary.start())
    word = "" if before is None else before[0]
    listed = word.isdecimal() and not text[start : boundary.start() - len(word)].strip()
    if listed or _GOES_ON.fullmatch(word) or (word == "No" and following.isdecimal()):
        return False
    lower = _GOES_ON_IN_LOWER_CASE.fullmatch(word) or boundary[0].startswith("..")
    return not (lower and following.islower())


def _extracts(texts: Sequence[str]) -> list[Extract]:
    """Return every sentence that may be quoted, in order; of those that are the same word for word, the first."""
    found: dict[tuple[str | None, str], Extract] = {}
    for source, text in enumerate(texts):
        speaker, rest = told_by(text)
        for sentence in sentences(rest):
            if not (_QUESTION.search(sentence) or _COURTESY.search(sentence)):
                found.setdefault((speaker, sentence), Extract(sentence, source, speaker))
    return list(found.values())


def _overlaps(words: Sequence[frozenset[str]]) -> Float32[np.ndarray, "s s"]:
    """Return the cosine of each two sets of words, 0 to 1; a set without any is like nothing."""
    places = {word: place for place, word in enumerate(sorted(set().union(*words)))}
    table = np.zeros((len(words), max(len(places), 1)), np.float32)
    for row, held in zip(table, words, strict=True):
        row[[places[word] for word in held]] = 1
    norms = np.sqrt(np.maximum(table.sum(1), 1))
    found: Float32[np.ndarray, "s s"] = (table @ table.T) / np.outer(norms, norms)
    return found


def _relevance(
    extracts: Sequence[Extract], keys: Float32[np.ndarray, "k m"], overlaps: Float32[np.ndarray, "s s"]
) -> Float32[np.ndarray, "s"]:
    """Return nearness × degree, 0 to 1: cos(its text's key, centroid), and its overlap with other texts' sentences.

    The degree is in units of the greatest. A sentence that shares no word with another text has none.
    """
    sources = np.asarray([extract.source for extract in extracts], np.int64)
    degree = np.where(sources[:, None] == sources[None, :], 0, overlaps).sum(1)
    centroid = keys.mean(0)
    nearness = np.maximum(keys @ centroid / max(float(np.linalg.norm(centroid)), 1e-9), 0)[sources]
    found: Float32[np.ndarray, "s"] = (nearness * degree / max(float(degree.max(initial=0)), 1e-9)).astype(np.float32)
    return found


def _choose(
    extracts: Sequence[Extract],
    relevance: Float32[np.ndarray, "s"],
    overlaps: Float32[np.ndarray, "s s"],
    budget: int,
) -> list[int]:
    """Return places of sentences by maximal marginal relevance, within the budget; of equal ones the first."""
    chosen: list[int] = []
    left = [place for place in range(len(extracts)) if relevance[place] > 0]
    said = np.zeros(len(extracts), np.float32)  # overlap with what is chosen
    while left:
        marginal = np.round(RELEVANCE * relevance[left] - (1 - RELEVANCE) * said[left], 6)  # rounding breaks no tie
        best = left.pop(int(marginal.argmax()))
        if said[best] >= SAID_ALREADY or len(_joined([extracts[p] for p in sorted([*chosen, best])])) > budget:
            continue
        chosen.append(best)
        said = np.maximum(said, overlaps[best])
    return chosen


def _joined(extracts: Iterable[Extract]) -> str:
    """Return sentences as one text, with a blank between them except after Chinese."""
    text, speaking = "", None
    for extract in extracts:
        gap = " " if text and not re.search(rf"[{_CJK}。！？，；”」』）》]$", text) else ""
        name = f"{extract.speaker}: " if extract.speaker not in (None, speaking) else ""
        text, speaking = text + (gap or (" " if name and text else "")) + name + extract.text, extract.speaker
    return text
