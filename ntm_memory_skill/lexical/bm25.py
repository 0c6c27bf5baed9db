"""BM25 over an inverted index that follows the memories as they come and go (Robertson & Zaragoza 2009, eq. 3.15).

    score(d) = Σ_t idf(t) · f(t,d)·(k1+1) / (f(t,d) + k1·(1 − b + b·|d|/avg|d|))
    idf(t)   = ln(1 + (n − n_t + ½) / (n_t + ½))

Postings are flat arrays, so a query costs one vector operation a term.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from ntm_memory_skill.lexical.tokens import is_pair, words

K1 = 1.5
B = 0.75


@dataclass(frozen=True)
class Match:
    """What a query's terms have in common with every memory. All zeros for an empty query and for an empty index."""

    scores: Float32[np.ndarray, "n"]
    """BM25, 0 and up; no upper bound."""
    rarity: Float32[np.ndarray, "k"]
    """idf / ln(N + 1) of each distinct term, in the query's order: below 1 for a known term, 1 to 2 for others."""
    known: float
    """Share of the distinct terms that any memory holds, 0 to 1."""
    found: tuple[Int64[np.ndarray, "p"], Float32[np.ndarray, "p"]] | None = field(default=None, repr=False)
    """Each slot, once for each term that it holds, and the term's share of the query's idf."""

    @cached_property
    def coverage(self) -> Float32[np.ndarray, "n"]:
        """Share of the query's idf, summed over its distinct terms, known or not, that the slot holds: 0 to 1."""
        if self.found is None:
            return np.zeros_like(self.scores)
        held = np.bincount(*self.found, len(self.scores))
        covered: Float32[np.ndarray, "n"] = np.minimum(held, 1).astype(np.float32)  # a sum may round up
        return covered


class _Held(NamedTuple):
    """A memory's distinct terms."""

    words: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    """Those that stand in pairs alone: not counted beside the pairs where texts are compared or measured."""


class _Postings:
    """The slots that hold one term, and how often."""

    __slots__ = ("counts", "slots")

    def __init__(self) -> None:
        self.slots = array("q")
        self.counts = array("f")

    def remove(self, slot: int) -> None:
        """Drop one slot; the last posting takes its place."""
        position = int((np.frombuffer(self.slots, np.int64) == slot).argmax())  # a common character has long postings
        last_slot, last_count = self.slots.pop(), self.counts.pop()
        if position < len(self.slots):
            self.slots[position], self.counts[position] = last_slot, last_count


_NOWHERE = _Postings()


class BM25Index:
    """Terms of every live memory, by slot.

    Args:
        k1: Saturation of repeated terms, 0 and up.
        b: How much long memories are discounted, 0 to 1.
    """

    def __init__(self, k1: float = K1, b: float = B) -> None:
        self._k1, self._b = k1, b
        self._postings: dict[str, _Postings] = {}
        self._held: dict[int, _Held] = {}
        self._term_counts = np.zeros(256, dtype=np.float32)  # |d|, characters beside their pairs included
        self._word_counts = np.zeros(256, dtype=np.float32)  # what `lengths` tells
        self._total = 0

    def __len__(self) -> int:
        """How many memories are indexed."""
        return len(self._held)

    def add(self, slot: int, terms: Sequence[str]) -> None:
        """Index a memory's terms, as `tokenize` gives them, under its slot, in place of what stood there."""
        if slot in self._held:
            self.remove(slot)
        terms = list(map(sys.intern, terms))  # one string a term, however many memories hold it
        counts = Counter(terms)
        for term, count in counts.items():
            postings = self._postings.get(term)
            if postings is None:
                postings = self._postings[term] = _Postings()
            postings.slots.append(slot)
            postings.counts.append(count)
        said = words(terms)
        distinct = dict.fromkeys(said)
        self._held[slot] = _Held(tuple(distinct), tuple(term for term in counts if term not in distinct))
        self._make_room(slot)
        self._term_counts[slot], self._word_counts[slot] = len(terms), len(said)
        self._total += len(terms)

    def remove(self, slot: int) -> None:
        """Forget a slot's terms; a slot that holds none is left alone."""
        held = self._held.pop(slot, None)
        if held is None:
            return
        for term in held.words + held.characters:
            postings = self._postings[term]
            postings.remove(slot)
            if not postings.slots:
                del self._postings[term]
        self._total -= int(self._term_counts[slot])
        self._term_counts[slot] = self._word_counts[slot] = 0

    def match(self, terms: Iterable[str], size: int) -> Match:
        """Compare a query's terms with every slot below `size`; a repeated term counts once.

        A memory's length |d| in the score counts all its terms, characters beside their pairs included, as they are
        all scored; `lengths` leaves those out.
        """
        distinct = tuple(dict.fromkeys(terms))
        if not distinct or not self._held:
            return Match(np.zeros(size, np.float32), np.zeros(len(distinct), np.float32), 0.0)
        held = [self._postings.get(term, _NOWHERE) for term in distinct]
        idf = np.asarray([self._idf(len(postings.slots)) for postings in held], np.float32)
        slots = np.concatenate([np.array(postings.slots, np.int64) for postings in held])
        counts = np.concatenate([np.array(postings.counts, np.float32) for postings in held])
        rarity = np.repeat(idf, [len(postings.slots) for postings in held])
        average = self._total / len(self._held) or 1.0
        norm = self._k1 * (1 - self._b + self._b * self._term_counts[slots] / average)
        scores = np.bincount(slots, rarity * counts * (self._k1 + 1) / (counts + norm), size)
        known = sum(postings is not _NOWHERE for postings in held) / len(distinct)
        relative = idf / np.float32(math.log(len(self._held) + 1))
        return Match(scores.astype(np.float32), relative, known, (slots, rarity / idf.sum()))

    def lengths(self, size: int) -> Float32[np.ndarray, "n"]:
        """Return how many words, or pairs of characters, the memory in each slot below `size` has; 0 for a free slot.

        Characters beside their pairs are left out, else Chinese would be counted twice.
        """
        found = np.zeros(size, np.float32)
        known = self._word_counts[:size]
        found[: len(known)] = known
        return found

    def terms(self, slot: int) -> frozenset[str]:
        """Return all the terms that a slot holds."""
        held = self._held.get(slot, _Held())
        return frozenset(held.words + held.characters)

    def holders(self, terms: Iterable[str]) -> Int64[np.ndarray, "k"]:
        """Return the slots that hold all of some terms, ascending; none where there is no term."""
        postings = sorted((self._postings.get(term, _NOWHERE).slots for term in set(terms)), key=len)
        if not postings:
            return np.zeros(0, np.int64)
        found = set(postings[0])
        for other in postings[1:]:
            if not found:
                break
            found.intersection_update(other)
        return np.array(sorted(found), np.int64)

    def matched(self, terms: Iterable[str], slot: int) -> tuple[str, ...]:
        """Return those of the query's terms that a slot holds, in the query's order; no character of a matched pair."""
        held = self._held.get(slot, _Held())
        found = [term for term in dict.fromkeys(terms) if term in held.words or term in held.characters]
        within = {char for term in found if is_pair(term) for char in term}
        return tuple(term for term in found if term not in within)

    def overlap(self, terms: Iterable[str], slot: int) -> float:
        """Return the Jaccard overlap of some terms with a slot's, 0 to 1: 1 where the same words are used.

        Both sides without the characters that stand in pairs: any two Chinese sentences share some by chance.
        """
        mine, held = set(words(terms)), set(self._held.get(slot, _Held()).words)
        return len(mine & held) / len(mine | held) if mine or held else 0.0

    def _make_room(self, slot: int) -> None:
        """Lengthen the tables of counts, at least to twice what they were."""
        if slot >= len(self._term_counts):
            more = np.zeros(max(slot + 1, len(self._term_counts)), np.float32)
            self._term_counts = np.concatenate([self._term_counts, more])
            self._word_counts = np.concatenate([self._word_counts, more])

    def _idf(self, holders: int) -> float:
        return math.log(1 + (len(self._held) - holders + 0.5) / (holders + 0.5))
