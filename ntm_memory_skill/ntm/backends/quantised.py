"""The quantised backend: every row is read as bytes, and the best are compared again at full precision.

A row x is kept as x̂ = Δ·c, with integers c from −127 to 127 and the step Δ = max|x| / 127; a key likewise. What a
score by bytes can be off by follows from what rounding took off, by Cauchy and Schwarz:

    |k·x − k̂·x̂| ≤ |k|·|x − x̂| + |x̂|·|k − k̂|

So no row is among the best by right whose score by bytes lies further below than that: those that do not are compared
exactly, and the best are the best, in their order, with the scores that the exact backend gives them. All other scores
are near what they should be: a thousandth off, where keys have 384 numbers and length 1.

A quarter of the bytes is read, which is what a scan of more rows than a cache holds waits for.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from functools import cache

import numpy as np
from jaxtyping import Float, Float32, Int8

from ntm_memory_skill.model import Matched
from ntm_memory_skill.ntm.addressing import Array
from ntm_memory_skill.ntm.namespaces import array_namespace

LEVELS = 127
TILE = 512
"""Rows that are quantised at once: their float32 copies stay small."""
SAMPLE = 4_096
"""Scores that tell where the best begin."""


@cache
def can_scan_bytes() -> bool:
    """Return whether the library that multiplies bytes (numkong, of the extra "fast") is installed."""
    return importlib.util.find_spec("numkong") is not None


class QuantisedSimilarity:
    """Scores every row by bytes, and at least the best exactly.

    It keeps a quarter of what the matrix takes. Tell it what `changed`: it looks at rows again for no other reason.

    Args:
        exact_best: How many of the best scores are certain to be exact and in the right order, 1 and up.
    """

    name: Matched = "quantised"

    def __init__(self, exact_best: int = 32) -> None:
        self._exact_best = exact_best
        self._codes: Int8[np.ndarray, "n m"] = np.zeros((0, 0), np.int8)
        self._steps: Float32[np.ndarray, "n"] = np.zeros(0, np.float32)
        """Δ of each row."""
        self._errors: Float32[np.ndarray, "n"] = np.zeros(0, np.float32)
        """|x − x̂| of each row."""
        self._lengths: Float32[np.ndarray, "n"] = np.zeros(0, np.float32)
        """|x̂| of each row."""
        self._error, self._length = 0.0, 0.0  # the largest of each
        self._stale: set[int] | None = None
        """Slots whose rows have to be read again; None for all."""
        self._seen = 0

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps beside the matrix."""
        return self._codes.nbytes + self._steps.nbytes + self._errors.nbytes + self._lengths.nbytes

    def changed(self, slots: Iterable[int] | None) -> None:
        """Take note that the rows in some slots were written, or all of them (None)."""
        if slots is None:
            self._stale = None
        elif self._stale is not None:
            self._stale.update(slots)

    def close(self) -> None:
        """Nothing goes on in the background."""

    def scores(self, key: Float[Array, "m"], rows: Float[Array, "n m"]) -> Float[Array, "n"]:
        """Return the dot product of `key` with each row: exact for the best, by bytes for the others."""
        xp = array_namespace(key, rows)
        plain, asked = np.asarray(rows), np.asarray(key)
        self._follow(plain)
        codes, step = _quantised(asked[None, :])
        margin = self._margin(asked, codes[0] * step[0])
        if len(plain) <= self._exact_best or not np.isfinite(margin):
            return xp.matmul(rows, key)
        found = self._by_bytes(codes, step[0], len(plain))
        best = _largest(found, self._exact_best)
        exact = plain[best] @ asked
        rivals = np.flatnonzero(found >= exact.min() - margin)
        found[rivals] = plain[rivals] @ asked
        return xp.asarray(found)

    def _by_bytes(self, codes: Int8[np.ndarray, "1 m"], step: np.float32, count: int) -> Float32[np.ndarray, "n"]:
        """Return k̂·x̂ for each row."""
        import numkong

        products = numkong.cdist(codes, self._codes[:count], "dot", out_dtype="float32")
        scores: Float32[np.ndarray, "n"] = np.asarray(products)[0]
        scores *= self._steps[:count]
        scores *= step
        return scores

    def _margin(self, key: Float32[np.ndarray, "m"], rounded: Float32[np.ndarray, "m"]) -> float:
        """Return how far any score by bytes may be off."""
        length = float(np.linalg.norm(key))
        of_sums = 1e-6 * (1 + length * self._length)  # in float32
        return length * self._error + self._length * float(np.linalg.norm(key - rounded)) + of_sums

    def _follow(self, rows: Float32[np.ndarray, "n m"]) -> None:
        """Read again what has changed."""
        self._reach(rows)
        if self._stale is None:
            slots = np.arange(len(rows))
        else:
            slots = np.fromiter(self._stale, np.int64, len(self._stale))
            slots = np.concatenate([slots[slots < self._seen], np.arange(self._seen, len(rows))])
        if not len(slots):
            return
        for first in range(0, len(slots), TILE):
            self._take(slots[first : first + TILE], rows)
        self._error = float(self._errors[: len(rows)].max())
        self._length = float(self._lengths[: len(rows)].max())
        self._stale, self._seen = set(), len(rows)

    def _take(self, slots: np.ndarray, rows: Float32[np.ndarray, "n m"]) -> None:
        """Read the rows in some slots."""
        values = rows[slots]
        codes, steps = _quantised(values)
        rounded = codes * steps[:, None]
        self._codes[slots], self._steps[slots] = codes, steps
        self._errors[slots] = np.linalg.norm(values - rounded, axis=1)
        self._lengths[slots] = np.linalg.norm(rounded, axis=1)

    def _reach(self, rows: Float32[np.ndarray, "n m"]) -> None:
        """Make room for as many rows; rows of another length are other rows."""
        count, dimension = rows.shape
        if self._codes.shape[1] != dimension or count < self._seen:
            self._codes = np.zeros((0, dimension), np.int8)
            self._steps = self._errors = self._lengths = np.zeros(0, np.float32)
            self._stale, self._seen = None, 0
        have = len(self._codes)
        if count > have:
            room = max(count, have + have // 2)
            self._codes = _lengthened(self._codes, room)
            self._steps, self._errors, self._lengths = (
                _lengthened(each, room) for each in (self._steps, self._errors, self._lengths)
            )


def _quantised(values: Float32[np.ndarray, "k m"]) -> tuple[Int8[np.ndarray, "k m"], Float32[np.ndarray, "k"]]:
    """Return the codes and the step of each row; a row of zeros has codes of 0."""
    steps = np.abs(values).max(axis=1, initial=0) / np.float32(LEVELS)
    codes = np.rint(values / np.where(steps > 0, steps, 1)[:, None]).astype(np.int8)
    return codes, steps


def _largest(scores: Float32[np.ndarray, "n"], count: int) -> np.ndarray:
    """Return the places of at least the `count` largest scores, without sorting all of them.

    A sample tells where to cut: a partition of a hundred thousand numbers takes as long as the products.
    """
    sample = scores[:: max(1, len(scores) // SAMPLE)]
    share = min(len(sample), 2 + 4 * count * len(sample) // len(scores))
    cut = np.partition(sample, len(sample) - share)[len(sample) - share]
    places = np.flatnonzero(scores >= cut)
    if len(places) < count:
        places = np.arange(len(scores))
    if len(places) > count:
        places = places[np.argpartition(-scores[places], count - 1)[:count]]
    return places


def _lengthened(values: np.ndarray, room: int) -> np.ndarray:
    longer = np.zeros((room, *values.shape[1:]), values.dtype)
    longer[: len(values)] = values
    return longer
