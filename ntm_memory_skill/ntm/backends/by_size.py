"""The backend of a memory: the fastest of several for as many rows as there are."""

from __future__ import annotations

from collections.abc import Iterable

from jaxtyping import Float

from ntm_memory_skill.model import Matched
from ntm_memory_skill.ntm.addressing import Array
from ntm_memory_skill.ntm.backends.exact import ExactSimilarity
from ntm_memory_skill.ntm.backends.protocol import Similarity
from ntm_memory_skill.ntm.backends.quantised import QuantisedSimilarity, can_scan_bytes

QUANTISED_FROM = 2_048
"""Rows from which on reading them as bytes is worth the second look at the best."""


class SimilarityBySize:
    """Answers exactly for few rows, by bytes for many.

    One that needs a library which is not installed is passed over. What an answer came from is its `name` until the
    next one.

    Args:
        quantised_from: Rows from which on they are read as bytes, 0 and up.
    """

    def __init__(self, quantised_from: int = QUANTISED_FROM) -> None:
        self._quantised_from = quantised_from
        self._exact = ExactSimilarity()
        self._quantised: QuantisedSimilarity | None = None
        self._last: Similarity = self._exact

    @property
    def name(self) -> Matched:
        """What answered last."""
        return self._last.name

    def changed(self, slots: Iterable[int] | None) -> None:
        """Take note that the rows in some slots were written, or all of them (None)."""
        if self._quantised is not None:
            self._quantised.changed(slots)

    def scores(self, key: Float[Array, "m"], rows: Float[Array, "n m"]) -> Float[Array, "n"]:
        """Return the dot product of `key` with each row, as `name` has it."""
        self._last = self._fit(rows)
        return self._last.scores(key, rows)

    def _fit(self, rows: Float[Array, "n m"]) -> Similarity:
        """Return the backend for some rows."""
        count = rows.shape[0]
        if count >= self._quantised_from and can_scan_bytes():
            self._quantised = QuantisedSimilarity() if self._quantised is None else self._quantised
            return self._quantised
        return self._exact
