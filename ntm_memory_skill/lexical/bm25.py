"""BM25 over an inverted index that follows the memories as they come and go (Robertson & Zaragoza 2009, eq. 3.15).

    score(d) = Σ_t idf(t) · f(t,d)·(k1+1) / (f(t,d) + k1·(1 − b + b·|d|/avg|d|))
    idf(t)   = ln(1 + (n − n_t + ½) / (n_t + ½))

Postings are flat arrays of small numbers, so a query costs one vector operation a term, and a term 8 bytes a memory.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from sys import getsizeof
from typing import TypeAlias

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


Postings: TypeAlias = "array[int]"
"""The slots that hold one term, each followed by how often it does: 8 bytes a slot."""

_NOWHERE: Postings = array("I")


class BM25Index:
    """Terms of every live memory, by slot.

    Args:
        k1: Saturation of repeated terms, 0 and up.
        b: How much long memories are discounted, 0 to 1.
    """

    def __init__(self, k1: float = K1, b: float = B) -> None:
        self._k1, self._b = k1, b
        self._postings: dict[str, Postings] = {}
        self._held: dict[int, tuple[str, ...]] = {}
        """A memory's distinct terms. Last those characters that stand in pairs alone: they are not counted beside the
        pairs where texts are compared or measured."""
        self._alone = np.zeros(256, dtype=np.uint32)  # how many of these are not such characters
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
        for term, times in Counter(terms).items():
            postings = self._postings.get(term)
            if postings is None:
                self._postings[term] = array("I", (slot, times))
            else:
                postings.extend((slot, times))
        self._hold(slot, terms)

    def extend(self, memories: Iterable[tuple[int, Sequence[str]]]) -> None:
        """Index many memories at once, as (slot, terms) with slots that hold none: faster than one after the other."""
        numbers: dict[str, int] = defaultdict(count().__next__)
        said, slots, lengths = array("I"), array("I"), array("I")
        for slot, given in memories:
            terms = list(map(sys.intern, given))
            said.extend(map(numbers.__getitem__, terms))
            slots.append(slot)
            lengths.append(len(terms))
            self._hold(slot, terms)
        if not said:
            return
        # term and slot as one number each time: sorted and counted, they are the postings, term after term
        places = np.repeat(np.array(slots, np.int64), lengths)
        width = int(places.max()) + 1
        pairs, times = np.unique(np.array(said, np.int64) * width + places, return_counts=True)
        postings = memoryview(np.stack([pairs % width, times], axis=1).astype(np.uintc).tobytes())
        ends = (8 * np.searchsorted(pairs, np.arange(1, len(numbers) + 1) * width)).tolist()
        for term, start, end in zip(numbers, [0, *ends], ends, strict=False):
            self._postings.setdefault(term, array("I")).frombytes(postings[start:end])

    def remove(self, slot: int) -> None:
        """Forget a slot's terms; a slot that holds none is left alone."""
        held = self._held.pop(slot, None)
        if held is None:
            return
        for term in held:
            postings = self._postings[term]
            _remove(postings, slot)
            if not postings:
                del self._postings[term]
        self._total -= int(self._term_counts[slot])
        self._term_counts[slot] = self._word_counts[slot] = self._alone[slot] = 0

    def match(self, terms: Iterable[str], size: int) -> Match:
        """Compare a query's terms with every slot below `size`; a repeated term counts once.

        A memory's length |d| in the score counts all its terms, characters beside their pairs included, as they are
        all scored; `lengths` leaves those out.
        """
        distinct = tuple(dict.fromkeys(terms))
        if not distinct or not self._held:
            return Match(np.zeros(size, np.float32), np.zeros(len(distinct), np.float32), 0.0)
        held = [self._postings.get(term, _NOWHERE) for term in distinct]
        idf = np.asarray([self._idf(len(postings) // 2) for postings in held], np.float32)
        pairs = np.concatenate([np.array(postings, np.uintc) for postings in held])
        slots, counts = pairs[::2].astype(np.int64), pairs[1::2].astype(np.float32)
        rarity = np.repeat(idf, [len(postings) // 2 for postings in held])
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
        return frozenset(self._held.get(slot, ()))

    def holders(self, terms: Iterable[str]) -> Int64[np.ndarray, "k"]:
        """Return the slots that hold all of some terms, ascending; none where there is no term."""
        postings = sorted((self._postings.get(term, _NOWHERE) for term in set(terms)), key=len)
        if not postings:
            return np.zeros(0, np.int64)
        found = set(postings[0][::2])
        for other in postings[1:]:
            if not found:
                break
            found.intersection_update(other[::2])
        return np.array(sorted(found), np.int64)

    def matched(self, terms: Iterable[str], slot: int) -> tuple[str, ...]:
        """Return those of the query's terms that a slot holds, in the query's order; no character of a matched pair."""
        held = self._held.get(slot, ())
        found = [term for term in dict.fromkeys(terms) if term in held]
        within = {char for term in found if is_pair(term) for char in term}
        return tuple(term for term in found if term not in within)

    def overlap(self, terms: Iterable[str], slot: int) -> float:
        """Return the Jaccard overlap of some terms with a slot's, 0 to 1: 1 where the same words are used.

        Both sides without the characters that stand in pairs: any two Chinese sentences share some by chance.
        """
        return self.overlaps(terms, [slot])[0]

    def overlaps(self, terms: Iterable[str], slots: Sequence[int]) -> list[float]:
        """Return the `overlap` of some terms with each of some slots."""
        mine = frozenset(words(terms))
        both = ((mine & held, mine | held) for held in map(self._said, slots))
        return [len(common) / len(either) if either else 0.0 for common, either in both]

    @property
    def nbytes(self) -> int:
        """Bytes that terms and postings take in this process: an estimate that looks at each term and at no memory."""
        strings = sum(map(getsizeof, self._postings))
        postings = sum(map(getsizeof, self._postings.values()))
        references = 8 * sum(len(each) // 2 for each in self._postings.values())  # a memory's distinct terms
        tuples = len(self._held) * getsizeof(())
        tables = self._term_counts.nbytes + self._word_counts.nbytes + self._alone.nbytes
        return strings + postings + references + tuples + tables + getsizeof(self._postings) + getsizeof(self._held)

    def _hold(self, slot: int, terms: list[str]) -> None:
        """Take down which terms a slot holds, and how many."""
        said = terms if "".join(terms).isascii() else words(terms)
        distinct = dict.fromkeys(said)
        more = () if said is terms else [term for term in dict.fromkeys(terms) if term not in distinct]
        self._held[slot] = (*distinct, *more)
        self._make_room(slot)
        self._term_counts[slot], self._word_counts[slot], self._alone[slot] = len(terms), len(said), len(distinct)
        self._total += len(terms)

    def _said(self, slot: int) -> set[str]:
        """Return the words of a slot, without the characters that stand in pairs."""
        held = self._held.get(slot)
        return set() if held is None else set(held[: int(self._alone[slot])])

    def _make_room(self, slot: int) -> None:
        """Lengthen the tables of counts, at least to twice what they were."""
        if slot >= len(self._term_counts):
            more = np.zeros(max(slot + 1, len(self._term_counts)), np.float32)
            self._term_counts = np.concatenate([self._term_counts, more])
            self._word_counts = np.concatenate([self._word_counts, more])
            self._alone = np.concatenate([self._alone, more.astype(np.uint32)])

    def _idf(self, holders: int) -> float:
        return math.log(1 + (len(self._held) - holders + 0.5) / (holders + 0.5))


def _remove(postings: Postings, slot: int) -> None:
    """Drop one slot; the last posting takes its place."""
    position = 2 * int((np.frombuffer(postings, np.uintc)[::2] == slot).argmax())  # common characters have long ones
    last_count, last_slot = postings.pop(), postings.pop()
    if position < len(postings):
        postings[position], postings[position + 1] = last_slot, last_count
