"""BM25 over an inverted index that follows the memories as they come and go (Robertson & Zaragoza 2009, eq. 3.15).

    score(d) = Σ_t idf(t) · f(t,d)·(k1+1) / (f(t,d) + k1·(1 − b + b·|d|/avg|d|))
    idf(t)   = ln(1 + (n − n_t + ½) / (n_t + ½))

Postings are flat arrays, so a query costs one vector operation a term.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float32, Int64

from ntm_memory_skill.lexical.language import is_cjk

K1 = 1.5
B = 0.75


class _Postings:
    """The slots that hold one term, and how often."""

    __slots__ = ("counts", "slots")

    def __init__(self) -> None:
        self.slots = array("q")
        self.counts = array("f")

    def add(self, slot: int, count: int) -> None:
        self.slots.append(slot)
        self.counts.append(count)

    def remove(self, slot: int) -> None:
        """Drop one slot; the last posting takes its place."""
        position = self.slots.index(slot)
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
        self._terms: dict[int, tuple[str, ...]] = {}
        self._lengths = np.zeros(256, dtype=np.float32)
        self._total = 0

    def __len__(self) -> int:
        """How many memories are indexed."""
        return len(self._terms)

    def add(self, slot: int, terms: Sequence[str]) -> None:
        """Index a memory's terms under its slot, in place of what stood there."""
        if slot in self._terms:
            self.remove(slot)
        counts = Counter(terms)
        for term, count in counts.items():
            self._postings.setdefault(term, _Postings()).add(slot, count)
        self._terms[slot] = tuple(counts)
        if slot >= len(self._lengths):
            self._lengths = np.concatenate([self._lengths, np.zeros(max(slot + 1, len(self._lengths)), np.float32)])
        self._lengths[slot] = len(terms)
        self._total += len(terms)

    def remove(self, slot: int) -> None:
        """Forget a slot's terms; a slot that holds none is left alone."""
        for term in self._terms.pop(slot, ()):
            postings = self._postings[term]
            postings.remove(slot)
            if not postings.slots:
                del self._postings[term]
        if slot < len(self._lengths):
            self._total -= int(self._lengths[slot])
            self._lengths[slot] = 0

    def scores(self, terms: Iterable[str], size: int) -> Float32[np.ndarray, "n"]:
        """Return the BM25 score of every slot below `size` for a query's terms; a repeated term counts once.

        A term that is one Chinese character counts wherever it stands, alone or in a pair: a word may be that short.
        """
        result = np.zeros(size, dtype=np.float32)
        average = self._total / len(self._terms) if self._terms else 1.0
        for term in dict.fromkeys(terms):
            slots, counts = self._holders(term)
            norm = self._k1 * (1 - self._b + self._b * self._lengths[slots] / (average or 1.0))
            result[slots] += self._idf(len(slots)) * counts * (self._k1 + 1) / (counts + norm)
        return result

    def matched(self, terms: Iterable[str], slot: int) -> tuple[str, ...]:
        """Return those of the query's terms that a slot holds, in the query's order."""
        held = set(self._terms.get(slot, ()))
        return tuple(
            term
            for term in dict.fromkeys(terms)
            if term in held or (_is_character(term) and any(term in pair for pair in held))
        )

    def overlap(self, terms: Iterable[str], slot: int) -> float:
        """Return the Jaccard overlap of some terms with a slot's, 0 to 1: 1 where the same words are used."""
        mine, held = set(terms), set(self._terms.get(slot, ()))
        return len(mine & held) / len(mine | held) if mine or held else 0.0

    def _holders(self, term: str) -> tuple[Int64[np.ndarray, "k"], Float32[np.ndarray, "k"]]:
        """Return the slots that hold a term, and how often."""
        if not _is_character(term):
            postings = self._postings.get(term, _NOWHERE)
            return np.array(postings.slots, dtype=np.int64), np.array(postings.counts, dtype=np.float32)
        found: Counter[int] = Counter()
        for each, postings in self._postings.items():
            if term in each:  # alone, or in a pair of characters
                found.update(dict(zip(postings.slots, map(int, postings.counts), strict=True)))
        return np.array(list(found), dtype=np.int64), np.array(list(found.values()), dtype=np.float32)

    def _idf(self, holders: int) -> float:
        return math.log(1 + (len(self._terms) - holders + 0.5) / (holders + 0.5))


def _is_character(term: str) -> bool:
    return len(term) == 1 and is_cjk(term)
