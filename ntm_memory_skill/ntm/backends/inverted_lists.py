"""An inverted file: rows in lists by their nearest centroid, each as one bit a number. Once made, it never changes.

The lists nearest to a key are looked through by their codes, which are RaBitQ's (Gao and Long, SIGMOD 2024) as faiss
has them: the sign of each number of a row's difference from its centroid. What they propose has to be compared again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8

CHUNK = 4096
"""Rows that are copied and encoded at once: what building needs beside the index stays small."""

QUERY_BITS = 8
"""To how many bits a key is rounded where it meets codes."""

LEAST = {"probes": 1, "rerank": 1, "few": 0, "learnt_from": 1, "rounds": 0, "threads": 1, "seed": 0}
"""The least of each setting that is a whole number."""

Stopped = Callable[[], bool]


class Abandoned(Exception):
    """Nobody wants the index any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """How rows are indexed, and how many of them a search looks at."""

    lists_per_root: float = 4.0
    """Above 0: there are this many lists for each √N, and one list for every 16 rows at most."""
    probes: int = 64
    """Lists that a search looks through, 1 and up: a number, not a share, since the best ten lie in about as many lists
    of a million rows as of a hundred thousand."""
    rerank: int = 256
    """How many of the best codes are compared exactly, 1 and up; 4 for each row asked for, where that is more."""
    fresh: float = 0.01
    """Share of rows, above 0, that may have changed before a new index is built. Each of them is compared exactly: of
    a million, a hundredth all over the matrix takes twice as long as the rest of a search."""
    few: int = 4096
    """Where no more rows than this are admitted, 0 and up, each is compared exactly; so are more, where that takes no
    longer than looking for them in the lists."""
    learnt_from: int = 32
    """Rows for each list from which centroids are learnt, 1 and up."""
    rounds: int = 6
    """How often the centroids are moved into the middle of their rows, 0 and up."""
    threads: int = 1
    """Threads that build, 1 and up. A search takes one."""
    seed: int = 0
    """Of the rows that centroids are learnt from, 0 and up. The same seed and rows make the same index."""

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is a finite number above 0, not {getattr(self, name)!r}"
            for name in ("lists_per_root", "fresh")
            if not 0 < getattr(self, name) < math.inf
        ]
        wrong += [
            f"{name} is a whole number from {least} up, not {getattr(self, name)!r}"
            for name, least in LEAST.items()
            if type(getattr(self, name)) is not int or getattr(self, name) < least
        ]
        if wrong:
            raise ValueError("; ".join(wrong))

    def lists_for(self, rows: int) -> int:
        """Return K, the number of lists for some number of rows, 1 and up."""
        return max(1, min(round(self.lists_per_root * math.sqrt(rows)), rows // 16))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let faiss use so many threads when called from this one; other threads keep what they have."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class InvertedLists:
    """N rows as they were when it was made, in K lists. Rows of zeros are in none.

    Args:
        index: faiss's, with slots as ids.
        centroids: Unit vectors, K × M.
        means: The mean row of each list, and a row of zeros behind them: K + 1 × M.
        list_of: The list of each slot; K for a slot in none.
    """

    def __init__(
        self,
        index: Any,
        centroids: Float32[np.ndarray, "k m"],
        means: Float32[np.ndarray, "k1 m"],
        list_of: Int64[np.ndarray, "n"],
    ) -> None:
        self._index, self._means = index, means
        self.centroids, self.list_of = centroids, list_of

    @property
    def rows(self) -> int:
        """N."""
        return len(self.list_of)

    @property
    def dimension(self) -> int:
        """M."""
        return int(self.centroids.shape[1])

    @property
    def count(self) -> int:
        """K."""
        return len(self.centroids)

    def estimate(self, key: Float32[np.ndarray, "m"]) -> Float32[np.ndarray, "n"]:
        """Return the score of each slot's list: the mean of its rows' scores; 0 for a slot in none."""
        found: Float32[np.ndarray, "n"] = (self._means @ key).take(self.list_of)
        return found

    def propose(
        self, key: Float32[np.ndarray, "m"], count: int, probes: int, live: UInt8[np.ndarray, "b"] | None
    ) -> Int64[np.ndarray, "c"]:
        """Return the slots whose codes match best, `count` at most, in no order that matters.

        Args:
            key: The key.
            count: 1 and up.
            probes: How many lists are looked through, 1 to K.
            live: A bit for each slot that may be proposed, the lowest bit first; None for all.
        """
        import faiss

        how = faiss.IVFRaBitQSearchParameters()
        how.nprobe, how.qb = probes, QUERY_BITS
        if live is not None:
            how.sel = faiss.IDSelectorBitmap(live)
        with threads(1):
            _, slots = self._index.search(key[None, :], min(count, self.rows), params=how)
        found: Int64[np.ndarray, "c"] = slots[0][slots[0] >= 0]
        return found
