"""What follows from the rows of a projection: computed when it is first asked for.

After a change it is computed anew, where that is one pass over a column; what takes more is copied, and computed for
the slots that were touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float32, Int64

from ntm_memory_skill.ntm import HeadParameters
from ntm_memory_skill.ntm.addressing import EPSILON, Conveyance, conveyance, standardize

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
    known: Mapping[HeadParameters, Conveyance] = field(default_factory=dict)
    """What the shift amounted to in the state before, for the heads that asked."""
    touched: Sequence[int] = ()
    """The slots in which this state differs from that, where they are not new; what all slots share differs besides."""

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
        return self._relative(np.arange(len(self.lengths)))

    def conveyance(self, head: HeadParameters) -> Conveyance:
        """What the shift along the tapes amounts to, for a head's kernel and length ratio."""
        if head not in self._conveyances:
            known = self.known.get(head)
            columns = self._unknown(known)
            there = self.sources[:, columns] < len(self.lengths)
            kernel = np.asarray(head.kernel, np.float32)
            fresh = conveyance(kernel, there, self._relative(columns), head.length_ratio)
            self._conveyances[head] = fresh if known is None else _patched(known, columns, fresh, len(self.lengths))
        return self._conveyances[head]

    def _relative(self, columns: Int64[np.ndarray, "k"]) -> Float32[np.ndarray, "width k"]:
        """Return some columns of `relative_lengths`."""
        sources, none = self.sources[:, columns], len(self.lengths)
        floored = np.maximum(self.lengths, SHORTEST)
        table = np.log(np.append(floored, np.float32(1))[sources]) - np.log(floored[columns])
        table[sources == none] = 0
        return _column(table)

    @cached_property
    def commonness(self) -> Column:
        """How alike each memory is to all others together: its key times the mean key, −1 to 1.

        A memory that has faded is as common as it was: else its fading would speak for it.
        """
        matrix = self.projection.matrix
        products = np.asarray(matrix.similarities(matrix.mean_direction()))
        return _column(products / np.maximum(self.projection.strengths, EPSILON))  # of keys, not of rows

    def standing_out(self, admitted: Bool[np.ndarray, "n"]) -> Column:
        """Return the commonness in standard deviations from its mean over the slots that may be seen."""
        last = self.__dict__.get("_standing_out")
        if last is None or not np.array_equal(last[0], admitted):
            last = self.__dict__["_standing_out"] = (admitted, standardize(self.commonness, admitted))
        column: Column = last[1]
        return column

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

    def for_the_next(self) -> Mapping[HeadParameters, Conveyance]:
        """Return what the next state can go on from."""
        return self._conveyances

    @cached_property
    def _conveyances(self) -> dict[HeadParameters, Conveyance]:
        return {}

    def _unknown(self, known: Conveyance | None) -> Int64[np.ndarray, "k"]:
        """Return the slots for which it has to be computed: all, or those that were touched or are new."""
        size = len(self.projection)
        if known is None:
            return np.arange(size)
        old = len(known.staying)
        return np.concatenate(
            [np.asarray([slot for slot in self.touched if slot < old], np.int64), np.arange(old, size)]
        )

    def _likeness(self, slots: np.ndarray[Any, Any], before: np.ndarray[Any, Any]) -> float:
        """Return the mean cosine of memories and those before them, over evenly chosen pairs."""
        some = slots[:: max(1, len(slots) // PAIRS)]
        rows = self.projection.matrix.rows
        here, there = np.asarray(rows[some]), np.asarray(rows[before[some]])
        norms = np.linalg.norm(here, axis=1) * np.linalg.norm(there, axis=1)
        return float(((here * there).sum(axis=1) / np.maximum(norms, EPSILON)).mean())


def _patched(known: Conveyance, columns: Int64[np.ndarray, "k"], fresh: Conveyance, size: int) -> Conveyance:
    """Return what is known, lengthened to `size`, with some columns written anew."""
    patched = []
    for old, new in zip(known, fresh, strict=True):
        table = np.zeros((*old.shape[:-1], size), old.dtype)
        table[..., : old.shape[-1]] = old
        table[..., columns] = new
        patched.append(table)
    return Conveyance(*patched)


def _column(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(values, np.float32)
