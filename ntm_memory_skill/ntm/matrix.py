"""The memory matrix: N rows of M numbers, addressed by weights (Graves 2014, §3.1 and §3.2).

A row is a memory's unit key times its strength. The dot product of a unit query with a row is then the cosine times the
strength: erasing a memory in part is the paper's erase with e < 1, and weakens its match by just that much. A free slot
is a row of zeros, which matches nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int

from ntm_memory_skill.model import Matched
from ntm_memory_skill.ntm import addressing
from ntm_memory_skill.ntm.addressing import Array
from ntm_memory_skill.ntm.backends import Following, Similarity
from ntm_memory_skill.ntm.namespaces import array_namespace

FIRST_ROWS = 256
TILE = 1024
"""Rows that are copied at once."""


class MemoryMatrix:
    """A growing N×M matrix with a free list.

    Args:
        xp: Array namespace to live in: `numpy`, or `torch` for gradients.
        dimension: M, the length of a key.
        similarity: What computes the match of a key with every row.
    """

    def __init__(self, xp: Any, dimension: int, similarity: Similarity) -> None:
        self._xp = array_namespace(xp.zeros(1))
        self._rows = self._xp.zeros((FIRST_ROWS, dimension), dtype=self._xp.float32)
        self._used = 0
        self._free: list[int] = []
        self._taken: set[int] = set()
        self._similarity = similarity
        self._following = similarity if isinstance(similarity, Following) else None
        self._directions: Float64[np.ndarray, "m"] | None = None  # their sum; None until it is asked for

    def __len__(self) -> int:
        """N: one more than the highest slot ever taken."""
        return self._used

    @property
    def occupied(self) -> int:
        """How many slots hold a memory."""
        return len(self._taken)

    @property
    def dimension(self) -> int:
        """M."""
        return int(self._rows.shape[1])

    @property
    def rows(self) -> Float[Array, "n m"]:
        """The matrix, as a view: N × M, float32."""
        return self._rows[: self._used, :]

    @property
    def nbytes(self) -> int:
        """Bytes of the rows; room for more is not counted."""
        return int(self._used * self.dimension * self._rows.itemsize)

    @property
    def backend_nbytes(self) -> int | None:
        """Bytes that the backend keeps beside them, as far as it tells; None where that is nothing."""
        return getattr(self._similarity, "nbytes", None)

    @property
    def backend(self) -> Matched:
        """What matched a key with the rows last."""
        return self._similarity.name

    def close(self) -> None:
        """End what the backend does in the background; the rows stay as they are."""
        if self._following is not None:
            self._following.close()

    def mean_direction(self) -> Float[np.ndarray, "m"]:
        """Return the mean of the unit keys of all memories: zeros where there is none. Fading changes none of them.

        The first call reads all rows; later ones add up what has changed since.
        """
        if self._directions is None:
            self._directions = np.zeros(self.dimension)
            for first in range(0, self._used, TILE):  # in float64 all rows at once would be two matrices more
                rows = np.asarray(self.rows[first : first + TILE, :])
                lengths = np.maximum(np.linalg.norm(rows, axis=1), addressing.EPSILON)
                self._directions += (1 / lengths).astype(np.float64) @ rows
        mean: Float[np.ndarray, "m"] = (self._directions / max(1, self.occupied)).astype(np.float32)
        return mean

    def move_to(self, xp: Any) -> None:
        """Live in another array namespace from now on."""
        self._xp = array_namespace(xp.zeros(1))
        self._rows = self._xp.asarray(self._rows)

    def allocate(self, count: int = 1) -> list[int]:
        """Return the `count` lowest free slots, without taking them: `store` does."""
        self._free = sorted(set(self._free) - self._taken)  # a sorted list is a heap
        reused = self._free[:count]
        return reused + list(range(self._used, self._used + count - len(reused)))

    def store(self, slot: int, key: Float[np.ndarray, "m"], strength: float = 1.0) -> None:
        """Update at an address: write weight 1 on one slot, erase vector of ones, add vector `strength` × key."""
        self._reach(slot)
        self._set(slot, self._xp.asarray(key, dtype=self._xp.float32) * strength)
        self._taken.add(slot)

    def lay_out(self, slots: list[int]) -> None:
        """Make room for rows that `store_many` is about to write in parts: so none is copied as the matrix grows.

        A little more than they need, so that the first memory after them copies nothing either. Slots below the highest
        one that are not among them are free.
        """
        count = max(slots, default=-1) + 1
        if count <= self._used:
            return
        room = count + count // 16
        if room > self._rows.shape[0]:
            grown = self._xp.zeros((room, self.dimension), dtype=self._xp.float32)
            grown[: self._used, :] = self.rows
            self._rows = grown
        for passed in sorted(set(range(self._used, count)).difference(slots)):
            heapq.heappush(self._free, passed)
        self._used = count

    def store_many(self, slots: list[int], keys: Float[np.ndarray, "k m"]) -> None:
        """Write several rows at once: the same as `store` for each."""
        if not slots:
            return
        self._reach(max(slots))
        self._rows[self._xp.asarray(slots), :] = self._xp.asarray(keys, dtype=self._xp.float32)
        self._taken.update(slots)
        self._directions = None
        self._changed(slots)

    def free(self, slot: int) -> None:
        """Erase one slot fully and give it back."""
        self._set(slot, self._xp.zeros_like(self._rows[slot, :]))
        if slot in self._taken:
            self._taken.remove(slot)
            heapq.heappush(self._free, slot)

    def fade(self, slot: int, strength: float) -> None:
        """Erase at an address: one row is scaled by 1 − `strength`. The same as `erase` with all weight on the slot."""
        self._set(slot, self._rows[slot, :] * (1 - strength))

    def blend(self, slot: int, key: Float[np.ndarray, "m"], weight: float) -> None:
        """Write another memory's unit key into a row: row ← row∘(1 − w·1) + w·|row|·key, then back to its length.

        That is eq. 3 and 4 with all weight on the slot and an erase vector of ones. The length is kept, because
        it says how far the memory has faded.
        """
        row = self._rows[slot : slot + 1, :]
        length = float(self._xp.linalg.vector_norm(row))
        add = self._xp.asarray(key, dtype=self._xp.float32) * length
        written = addressing.write(row, self._xp.full((1,), weight), self._xp.ones_like(add), add)[0, :]
        norm = float(self._xp.linalg.vector_norm(written))
        if norm > 0:  # opposite keys may cancel each other: then the row stays as it is
            self._set(slot, written * (length / norm))

    def row(self, slot: int) -> Float[Array, "m"]:
        """Return the row of one slot."""
        return self._rows[slot, :]

    def similarities(self, key: Float[np.ndarray, "m"], by: Similarity | None = None) -> Float[Array, "n"]:
        """Return the match of a unit key with every row: cosine × strength, 0 for a free slot.

        Args:
            key: The key.
            by: What computes it in the place of the matrix's own backend.
        """
        backend = self._similarity if by is None else by
        return backend.scores(self._xp.asarray(key, dtype=self._xp.float32), self.rows)

    def matches(self, keys: Float[np.ndarray, "k m"], slots: Int[np.ndarray, "s"]) -> Float[np.ndarray, "k s"]:
        """Return the dot product of each of some keys with the rows in some slots, exactly.

        For a few hundred rows that is done before a library for large products has woken its threads.
        """
        products: Float[np.ndarray, "k s"] = np.einsum("km,sm->ks", keys, np.asarray(self._rows)[slots])
        return products

    def read(self, weights: Float[Array, "n"]) -> Float[Array, "m"]:
        """Return the read vector of a weighting (eq. 2)."""
        return addressing.read(weights, self.rows)

    def write(self, weights: Float[Array, "n"], erase: Float[Array, "m"], add: Float[Array, "m"]) -> None:
        """Erase, then add, by weights (eq. 3 and 4)."""
        self._rows = addressing.write(self.rows, weights, erase, add)  # in place, the gradient would be lost
        self._directions = None
        self._changed(None)

    def erase(self, weights: Float[Array, "n"], strength: float = 1.0) -> None:
        """Erase by weights: every row is scaled by 1 − w(i) × strength."""
        e = self._xp.full((self.dimension,), strength, dtype=self._xp.float32)
        self.write(weights, e, self._xp.zeros_like(e))

    def one_hot(self, slot: int) -> Float[Array, "n"]:
        """Return the weighting that looks at one slot alone."""
        weights = self._xp.zeros((self._used,), dtype=self._xp.float32)
        weights[slot] = 1.0
        return weights

    def _set(self, slot: int, row: Float[Array, "m"]) -> None:
        """Write one row."""
        if self._directions is not None:
            self._directions += _direction(row) - _direction(self._rows[slot, :])
        self._rows[slot, :] = row
        self._changed((slot,))

    def _changed(self, slots: Iterable[int] | None) -> None:
        """Tell a backend that keeps rows of its own."""
        if self._following is not None:
            self._following.changed(slots)

    def _reach(self, slot: int) -> None:
        """Make row `slot` exist; slots that are passed over become free."""
        if slot >= self._rows.shape[0]:
            grown = self._xp.zeros((max(slot + 1, 2 * self._rows.shape[0]), self.dimension), dtype=self._xp.float32)
            grown[: self._used, :] = self.rows
            self._rows = grown
        for passed in range(self._used, slot):
            heapq.heappush(self._free, passed)
        self._used = max(self._used, slot + 1)


def _direction(row: Float[Array, "m"]) -> Float64[np.ndarray, "m"]:
    """Return a row at length 1; one of zeros as it is."""
    plain = np.asarray(row, dtype=np.float64)
    unit: Float64[np.ndarray, "m"] = plain / max(float(np.linalg.norm(plain)), addressing.EPSILON)
    return unit
