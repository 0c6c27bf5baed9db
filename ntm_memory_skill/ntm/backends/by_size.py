"""The backend of a memory: the fastest of several for as many rows as there are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from ntm_memory_skill.model import Matched
from ntm_memory_skill.ntm.addressing import Array
from ntm_memory_skill.ntm.backends.exact import ExactSimilarity
from ntm_memory_skill.ntm.backends.inverted import InvertedSimilarity
from ntm_memory_skill.ntm.backends.protocol import Similarity
from ntm_memory_skill.ntm.backends.quantised import QuantisedSimilarity, can_scan_bytes

QUANTISED_FROM = 2_048
"""Rows from which on reading them as bytes is worth the second look at the best."""


class SimilarityBySize:
    """Answers exactly for few rows, by bytes for many, through an index for very many.

    Those that need a library which is not installed, or an index that is not built yet, are passed over. What an
    answer came from is its `name` until the next one.

    Args:
        quantised_from: Rows from which on they are read as bytes, 0 and up.
        indexed_from: Rows from which on an index is built, 1 and up; None never builds one.
    """

    def __init__(self, quantised_from: int = QUANTISED_FROM, indexed_from: int | None = None) -> None:
        self._quantised_from, self._indexed_from = quantised_from, indexed_from
        self._exact = ExactSimilarity()
        self._quantised: QuantisedSimilarity | None = None
        self._inverted: InvertedSimilarity | None = None
        self._last: Similarity = self._exact

    @property
    def name(self) -> Matched:
        """What answered last."""
        return self._last.name

    @property
    def nbytes(self) -> int | None:
        """Bytes of the rows that are kept as bytes; None where none are."""
        return None if self._quantised is None else self._quantised.nbytes

    def changed(self, slots: Iterable[int] | None) -> None:
        """Take note that the rows in some slots were written, or all of them (None)."""
        kept = None if slots is None else list(slots)
        for backend in (self._quantised, self._inverted):
            if backend is not None:
                backend.changed(kept)

    def scores(self, key: Float[Array, "m"], rows: Float[Array, "n m"]) -> Float[Array, "n"]:
        """Return the dot product of `key` with each row, as `name` has it."""
        self._last = self._fit(rows)
        return self._last.scores(key, rows)

    def close(self) -> None:
        """Abandon an index that is being made."""
        if self._inverted is not None:
            self._inverted.close()

    def _fit(self, rows: Float[Array, "n m"]) -> Similarity:
        """Return the backend for some rows."""
        count = rows.shape[0]
        if self._indexed_from is not None and count >= self._indexed_from:
            self._inverted = InvertedSimilarity() if self._inverted is None else self._inverted
            if self._inverted.ready(np.asarray(rows)):
                return self._inverted
        if count >= self._quantised_from and can_scan_bytes():
            self._quantised = QuantisedSimilarity() if self._quantised is None else self._quantised
            return self._quantised
        return self._exact
