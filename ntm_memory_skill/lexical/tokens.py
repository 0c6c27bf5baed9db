"""Text to terms: stemmed words, and characters with their overlapping pairs where words are not set apart by spaces.

A run of n Chinese characters gives its n−1 bigrams, which need no dictionary and match every word of two characters or
more, and after them its n characters, which match words of one and names that are shortened elsewhere.
Everything is normalised first (NFKC, case folded), so that full-width and half-width forms meet.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import snowballstemmer

from ntm_memory_skill.lexical.language import CJK_RANGES, is_cjk

STOP_WORDS = frozenset(
    (
        "a about an and any are as at be been but by can could did do does doing done for from had has have having he "
        "her here him his how i if in into is it its me my of on or our she should so than that the their them then "
        "there these they this those to too us was we were what when where which while who whom whose why will with "
        "would you your"
    ).split()
)
"""English words that stand in every second sentence. Question words are among them: they tell what kind of answer is
wanted and are rarely in it."""

STOP_BIGRAMS = frozenset(
    "什么 怎么 么样 哪里 哪儿 哪个 哪些 哪位 哪天 哪年 几时 多少 多久 多大 多长 为什 为何 如何 是谁 谁的 是否".split()
)
"""The same in Chinese: the pairs of characters that question words are made of. A character that stands in such pairs
alone goes with them; there is no list of common characters, whose weight is small anyhow."""

_RUN = re.compile(rf"[{CJK_RANGES}]+|[^\W_{CJK_RANGES}]+(?:['’.\-][^\W_{CJK_RANGES}]+)*")
_POSSESSIVE = re.compile(r"['’]s$")
_JOINTS = re.compile(r"['’.\-]")
_STEMMER = snowballstemmer.stemmer("english")
_STEMMING = threading.Lock()  # the stemmer holds the word that it works on: two threads at once would mix theirs up


def tokenize(text: str) -> list[str]:
    """Return the terms of `text` in their order, repeats included.

    A text of stop words alone keeps them: "what is it?" is better matched by them than by nothing at all.
    """
    terms, stopped = _sorted_out(text)
    return terms or stopped


def words(terms: Iterable[str]) -> list[str]:
    """Return terms without the characters that stand in pairs: what a text says, said once.

    Args:
        terms: As `tokenize` gives them: a character belongs to a pair by its place behind it. One that stands alone in
            the text (the 日 of "9日") is a word, whatever pairs it stands in elsewhere.
    """
    said: list[str] = []
    previous, owed = "", 0  # how many characters of the last pairs are still to come
    for term in terms:
        if is_pair(term):
            owed += 1 if previous[1:] == term[0] else 2  # neighbours share a character
            previous = term
        elif owed and len(term) == 1 and is_cjk(term):
            owed, previous = owed - 1, ""
            continue
        else:
            owed, previous = 0, ""
        said.append(term)
    return said


def is_pair(term: str) -> bool:
    """Return whether a term is two Chinese characters."""
    return len(term) == 2 and is_cjk(term[0])


def says_something(text: str) -> bool:
    """Return whether a text has any word that is no stop word."""
    return bool(_sorted_out(text)[0])


def _sorted_out(text: str) -> tuple[list[str], list[str]]:
    """Return the terms of a text that mean something, and those that stand in every second sentence."""
    terms: list[str] = []
    stopped: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if run.isdecimal():  # a number has no stem, and each is another: none need be kept at hand
            terms.append(run)
        elif is_cjk(run[0]):
            _cut(run, terms, stopped)
        else:
            means, found = _word_terms(run)
            (terms if means else stopped).extend(found)
    return terms, stopped


def _cut(run: str, terms: list[str], stopped: list[str]) -> None:
    """Sort out the pairs of a run of characters, then the characters: they mean something where a pair of them does."""
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    if STOP_BIGRAMS.isdisjoint(pairs):
        terms += pairs
        terms += run
        return
    telling = [pair not in STOP_BIGRAMS for pair in pairs]
    for pair, tells in zip(pairs, telling, strict=True):
        (terms if tells else stopped).append(pair)
    for i, char in enumerate(run):
        (terms if any(telling[max(0, i - 1) : i + 1]) else stopped).append(char)


@lru_cache(maxsize=65_536)
def _word_terms(run: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether a word means something, and its stem; one with joints (e-mail, 3.5, u.s.) gives its parts' too."""
    word = run if run.isalnum() else _POSSESSIVE.sub("", run)
    parts = [part for part in _JOINTS.split(word) if part]
    with _STEMMING:
        stems = tuple(map(_STEMMER.stemWord, parts or [word]))
    return word not in STOP_WORDS, stems if len(stems) == 1 else (word, *stems)
