"""What follows from the rows of a projection: computed when it is first asked for, and anew after a change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Int64

from ntm_memory_skill.ntm.addressing import EPSILON

if TYPE_CHECKING:
    from ntm_memory_skill.engine.projection import Projection

Column = Float32[np.ndarray, "n"]

ENOUGH_WORDS = 24
"""Terms from which on a memory counts as saying something; shorter ones rarely answer a question."""
SHORTEST = 10
"""Terms that a memory is taken to have at least, where the lengths of neighbours are compared: "ok" and "thank you" are
as good as equal."""
PAIRS = 512  # of neighbours, at most, whose likeness is measured

MEMORY_STATISTICS = (
    "size",
    "mean_length",
    "spread_of_lengths",
    "share_on_tapes",
    "likeness_of_neighbours",
    "likeness_of_strangers",
    "share_of_questions",
    "contrast_of_neighbours",
)
"""ln N; mean and standard deviation of ln(terms); share of memories with another before them on their tape; mean cosine
of two that stand side by side, less that of any two; that of any two; share that ends in a question mark; mean absolute
difference of two neighbours' ln(terms)."""
MEMORY_SCALES = np.asarray([1.0, 0.5, 0.25, 0.25, 0.1, 0.15, 0.15, 0.5], np.float32)
"""How much each of `MEMORY_STATISTICS` may differ between two memories of one kind, as a matter of course."""


@dataclass(frozen=True)
class Derived:
    """One state of a projection. Arrays have one entry a slot; those of a free slot mean nothing."""

    projection: Projection

    @cached_property
    def lengths(self) -> Float32[np.ndarray, "n"]:
        """Terms of each memory, at least 1."""
        counted = self.projection.lexical.lengths(len(self.projection))
        lengths: Float32[np.ndarray, "n"] = np.maximum(counted, np.float32(1))
        return lengths

    @cached_property
    def sources(self) -> Int64[np.ndarray, "width n"]:
        """The tapes' neighbour table; see `addressing.shift_along`."""
        return self.projection.tape.sources(len(self.projection))

    @cached_property
    def relative_lengths(self) -> Float32[np.ndarray, "width n"]:
        """ln(length of the source / length of the slot), laid out as `sources`; 0 where there is no source."""
        logs = np.log(np.maximum(self.lengths, SHORTEST))
        table = np.append(logs, 0)[self.sources] - logs
        table[self.sources == len(logs)] = 0
        return _column(table)

    @cached_property
    def commonness(self) -> Column:
        """How alike each memory is to all others together: its key times the mean key, −1 to 1.

        A memory that has faded is as common as it was: else its fading would speak for it.
        """
        rows, xp = self.projection.matrix.rows, self.projection.xp
        count = max(1, int(np.count_nonzero(self.projection.live)))
        whole = _column(1 / np.maximum(self.projection.strengths, EPSILON))  # from rows to keys
        products = rows @ (xp.asarray(whole) @ rows / count)
        return _column(np.asarray(products) * whole)

    @cached_property
    def brevity(self) -> Column:
        """ln(terms / ENOUGH_WORDS), at most 0: how little a memory says."""
        return _column(np.minimum(0, np.log(self.lengths / ENOUGH_WORDS)))

    @cached_property
    def length(self) -> Column:
        """ln(terms), less its median."""
        logs = np.log(self.lengths)
        return _column(logs - np.median(logs[self.projection.live]) if self.projection.live.any() else logs)

    @cached_property
    def question(self) -> Column:
        """1 where a memory ends in a question mark, else 0."""
        return _column(self.projection.traits.question[: len(self.lengths)])

    @cached_property
    def digits(self) -> Column:
        """1 where a memory has a digit in it, else 0."""
        return _column(self.projection.traits.digits[: len(self.lengths)])

    @cached_property
    def statistics(self) -> Float32[np.ndarray, "s"]:
        """The memory's part of what a controller sees: `MEMORY_STATISTICS`."""
        logs = np.log(self.lengths[self.projection.live])
        if not len(logs):
            return np.zeros(len(MEMORY_STATISTICS), np.float32)
        before = self.sources[self.sources.shape[0] // 2 + 1] if self.sources.shape[0] > 1 else self.sources[0]
        has = np.flatnonzero((before < len(self.lengths)) & self.projection.live & (before != np.arange(len(before))))
        mean = self.commonness[self.projection.live].mean()
        contrast = np.abs(np.log(self.lengths[has]) - np.log(self.lengths[before[has]])).mean() if len(has) else 0
        return np.asarray(
            [
                np.log(len(logs)),
                logs.mean(),
                logs.std(),
                len(has) / len(logs),
                self._likeness(has, before) - mean if len(has) else 0,
                mean,
                self.projection.traits.question[: len(self.lengths)][self.projection.live].mean(),
                contrast,
            ],
            dtype=np.float32,
        )

    def _likeness(self, slots: np.ndarray[Any, Any], before: np.ndarray[Any, Any]) -> float:
        """Return the mean cosine of memories and those before them, over evenly chosen pairs."""
        some = slots[:: max(1, len(slots) // PAIRS)]
        rows = self.projection.matrix.rows
        here, there = np.asarray(rows[some]), np.asarray(rows[before[some]])
        norms = np.linalg.norm(here, axis=1) * np.linalg.norm(there, axis=1)
        return float(((here * there).sum(axis=1) / np.maximum(norms, EPSILON)).mean())


def _column(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(values, np.float32)
