"""What follows from the rows of a projection: computed when it is first asked for, and anew after a change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float32

from ntm_memory_skill.ntm.addressing import EPSILON, Array

if TYPE_CHECKING:
    from ntm_memory_skill.engine.projection import Projection

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
    def live(self) -> Bool[np.ndarray, "n"]:
        """Which slots hold a memory."""
        return self.projection.live

    @cached_property
    def sources(self) -> Array:
        """The tapes' neighbour table, see `addressing.shift_along`."""
        return self._sources

    @cached_property
    def relative_lengths(self) -> Array:
        """ln(length of the source / length of the slot), laid out as `sources`; 0 where there is no source."""
        logs = np.log(np.maximum(self.lengths, SHORTEST))
        table = np.append(logs, 0)[self._sources] - logs
        table[self._sources == len(logs)] = 0
        return self._given(table)

    @cached_property
    def commonness(self) -> Array:
        """How alike each memory is to all others together: its key times the mean key, −1 to 1.

        A memory that has faded is as common as it was: else its fading would speak for it.
        """
        rows, xp = self.projection.matrix.rows, self.projection.xp
        count = max(1, int(np.count_nonzero(self.live)))
        whole = self._given(1 / np.maximum(self.projection.strengths, EPSILON))  # from rows to keys
        return np.asarray(rows @ (xp.asarray(whole) @ rows / count)) * whole

    @cached_property
    def brevity(self) -> Array:
        """ln(terms / ENOUGH_WORDS), at most 0: how little a memory says."""
        return self._given(np.minimum(0, np.log(self.lengths / ENOUGH_WORDS)))

    @cached_property
    def length(self) -> Array:
        """ln(terms), less its median."""
        logs = np.log(self.lengths)
        return self._given(logs - np.median(logs[self.live]) if self.live.any() else logs)

    @cached_property
    def question(self) -> Array:
        """1 where a memory ends in a question mark, else 0."""
        return self._given(self.projection.traits.question[: len(self.lengths)])

    @cached_property
    def digits(self) -> Array:
        """1 where a memory has a digit in it, else 0."""
        return self._given(self.projection.traits.digits[: len(self.lengths)])

    @cached_property
    def statistics(self) -> Float32[np.ndarray, "s"]:
        """The memory's part of what a controller sees: `MEMORY_STATISTICS`."""
        logs = np.log(self.lengths[self.live])
        if not len(logs):
            return np.zeros(len(MEMORY_STATISTICS), np.float32)
        before = self._sources[self._sources.shape[0] // 2 + 1] if self._sources.shape[0] > 1 else self._sources[0]
        has = np.flatnonzero((before < len(self.lengths)) & self.live & (before != np.arange(len(before))))
        mean = np.asarray(self.commonness)[self.live].mean()
        contrast = np.abs(np.log(self.lengths[has]) - np.log(self.lengths[before[has]])).mean() if len(has) else 0
        return np.asarray(
            [
                np.log(len(logs)),
                logs.mean(),
                logs.std(),
                len(has) / len(logs),
                self._likeness(has, before) - mean if len(has) else 0,
                mean,
                self.projection.traits.question[: len(self.lengths)][self.live].mean(),
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

    @cached_property
    def _sources(self) -> np.ndarray[Any, Any]:
        return self.projection.tape.sources(len(self.projection))

    def _given(self, values: np.ndarray[Any, Any]) -> Array:
        return np.asarray(values, np.float32)
