"""The backend for matrices that are too large to be read at every question: an inverted file, and what changed since.

The index is a snapshot of the rows, made in the background and never changed. Slots written since are struck from what
it proposes and compared at full precision in its place, as is everything that it proposes. So a row is always seen as
it is: all that the index says is which rows are worth a look. When a share of the rows has changed, another snapshot
is made beside the first.

It has no lock of its own: one caller at a time, who tells what `changed` before anyone asks again.
"""

from __future__ import annotations

import importlib.util
import logging
import math
from collections.abc import Iterable
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64, UInt8

from ntm_memory_skill.model import Matched
from ntm_memory_skill.ntm.addressing import Array
from ntm_memory_skill.ntm.backends.inverted_build import OUTGROWN, Making
from ntm_memory_skill.ntm.backends.inverted_lists import IndexSettings, InvertedLists
from ntm_memory_skill.ntm.namespaces import array_namespace

logger = logging.getLogger(__name__)

TILE = 512
"""Rows that are gathered at once to be compared: they fit into a cache."""
WIDEN = 4
"""How many times as many lists are looked through where too few rows were found."""
WORTH = 32
"""How many codes are passed over or looked at in the time in which one row is fetched and compared."""
STALE = 8
"""How many times the share that calls for a new index may have changed before the old one is not worth asking."""

Slots = Int64[np.ndarray, "s"]


@cache
def can_index() -> bool:
    """Return whether faiss, of the extra "fast", is installed; if not, say so once."""
    found = importlib.util.find_spec("faiss") is not None
    if not found:
        logger.info("no index without faiss: pip install 'ntm-memory-skill[fast]'")
    return found


class InvertedSimilarity:
    """Finds the rows that match best by an index, and compares them exactly.

    Beside the matrix it keeps about 180 bytes for each row of 384 numbers, and twice that while the next index is made.
    That thread holds on to the rows that it began with: should the matrix move to a larger place, to both places.

    Args:
        settings: How rows are indexed and searched.
    """

    name: Matched = "ivf"

    def __init__(self, settings: IndexSettings | None = None) -> None:
        self._settings = IndexSettings() if settings is None else settings
        self._lists: InvertedLists | None = None
        self._since = _Changes(0)
        """What changed since the rows of `_lists` were read."""
        self._making: Making | None = None
        self._since_making = _Changes(0)
        """What changed since the making began."""
        self._learnt_for = 0
        """N when the centroids were learnt."""
        self._gave_up = False

    def changed(self, slots: Iterable[int] | None) -> None:
        """Take note that the rows in some slots were written, or all of them (None)."""
        if slots is None:
            self._forget()
            return
        noted = np.fromiter(slots, np.int64)
        self._since.note(noted)
        self._since_making.note(noted)

    def ready(self, rows: Float32[np.ndarray, "n m"]) -> bool:
        """Return whether there is an index that is worth asking about these rows, and see to it that there will be.

        It never waits. After a making that failed it is False for good, until all rows have `changed`.
        """
        if not can_index():
            return False
        lists = self._current(rows)
        fresh = len(rows) if lists is None else self._since.count + len(rows) - lists.rows
        allowed = self._settings.fresh * len(rows)
        if fresh > allowed and self._making is None and not self._gave_up and len(rows):
            self._begin(rows)
        return lists is not None and not self._gave_up and fresh <= STALE * allowed

    def scores(self, key: Float[Array, "m"], rows: Float[Array, "n m"]) -> Float[Array, "n"]:
        """Return the dot product of `key` with each row.

        It is exact for rows that changed and for the best of those that were looked at; each other row has the mean
        score of its list in the place of its own. Without an index all are exact. A row of zeros scores 0.
        """
        xp = array_namespace(key, rows)
        plain, asked = np.asarray(rows), np.asarray(key)
        lists = self._current(plain)
        if lists is None:
            return xp.matmul(rows, key)
        found = np.zeros(len(plain), np.float32)
        found[: lists.rows] = lists.estimate(asked)
        live = self._since.live if self._since.count else None
        proposed = lists.propose(asked, self._settings.rerank, self._probes(lists, 1.0), live)
        for slots in (proposed, self._since.slots):
            found[slots] = compare(asked, plain, slots)
        found[lists.rows :] = np.vecdot(plain[lists.rows :], asked)
        return xp.asarray(found)

    def nearest(
        self,
        key: Float32[np.ndarray, "m"],
        rows: Float32[np.ndarray, "n m"],
        count: int,
        admitted: Bool[np.ndarray, "n"] | None = None,
    ) -> tuple[Slots, Float32[np.ndarray, "s"]]:
        """Return the rows that match best and their exact scores, best first, equal ones by slot.

        Args:
            key: The key.
            rows: The matrix.
            count: How many, 0 and up; fewer come back where fewer are admitted.
            admitted: Which rows may come back; None for all. Rows of zeros come last, whatever others score.
        """
        key = np.ascontiguousarray(key, np.float32)
        lists = self._current(rows)
        among = len(rows) if admitted is None else int(np.count_nonzero(admitted))
        wanted = min(count, among)
        asking = max(self._settings.rerank, 4 * wanted)
        if lists is None or among <= self._settings.few or 2 * asking > among:
            return _exactly(key, rows, wanted, admitted)
        probes = self._probes(lists, len(rows) / among)
        if among * WORTH < len(rows) * probes / lists.count:
            return _exactly(key, rows, wanted, admitted)
        fresh = self._fresh(lists, len(rows), admitted)
        scores = compare(key, rows, fresh)
        live = self._live(lists, admitted)
        while True:
            proposed = lists.propose(key, asking, probes, live)
            best = _best(
                np.concatenate([fresh, proposed]), np.concatenate([scores, compare(key, rows, proposed)]), rows, wanted
            )
            if len(best[0]) == wanted:
                return best
            if probes == lists.count:
                return _exactly(key, rows, wanted, admitted)
            probes = min(lists.count, WIDEN * probes)

    def close(self) -> None:
        """Let go of the index; one that is being made is abandoned, and not waited for."""
        self._forget()

    def _begin(self, rows: Float32[np.ndarray, "n m"]) -> None:
        """Start to make an index of these rows."""
        self._since_making = _Changes(len(rows))
        lists, same = self._lists, ~self._since.flags
        if lists is None or len(rows) > OUTGROWN * self._learnt_for:
            lists, self._learnt_for = None, len(rows)
        self._making = Making(rows, self._settings, lists, same)

    def _current(self, rows: Float32[np.ndarray, "n m"]) -> InvertedLists | None:
        """Return the latest index that is about these rows, if there is one."""
        if self._lists is not None and (len(rows) < self._lists.rows or rows.shape[1] != self._lists.dimension):
            self._forget()
        making = self._making
        if making is not None and making.failed:
            self._making, self._gave_up = None, True
        elif making is not None and making.made is not None:
            self._making = None
            if len(rows) >= making.made.rows and rows.shape[1] == making.made.dimension:
                self._lists, self._since, self._since_making = making.made, self._since_making, _Changes(0)
        return self._lists

    def _forget(self) -> None:
        """Be as if nothing had been indexed."""
        if self._making is not None:
            self._making.abandon()
        self._lists, self._making, self._gave_up, self._learnt_for = None, None, False, 0
        self._since, self._since_making = _Changes(0), _Changes(0)

    def _probes(self, lists: InvertedLists, times: float) -> int:
        """Return how many lists are looked through: the settings' number, so many times, as far as there are lists."""
        return min(lists.count, math.ceil(self._settings.probes * times))

    def _fresh(self, lists: InvertedLists, count: int, admitted: Bool[np.ndarray, "n"] | None) -> Slots:
        """Return the slots that the index knows nothing of."""
        fresh: Slots = np.concatenate([self._since.slots, np.arange(lists.rows, count)])
        return fresh if admitted is None else fresh[admitted[fresh]]

    def _live(self, lists: InvertedLists, admitted: Bool[np.ndarray, "n"] | None) -> UInt8[np.ndarray, "b"] | None:
        """Return which slots the index may propose, a bit for each; None for all."""
        if admitted is None:
            return self._since.live if self._since.count else None
        live: UInt8[np.ndarray, "b"] = np.packbits(admitted[: lists.rows], bitorder="little") & self._since.live
        return live


class _Changes:
    """Which of the first `size` slots were written since some moment."""

    def __init__(self, size: int) -> None:
        self.flags: Bool[np.ndarray, "n"] = np.zeros(size, np.bool_)
        self.live: UInt8[np.ndarray, "b"] = np.full((size + 7) // 8, 255, np.uint8)
        """A bit for each slot that was not, the lowest bit first."""
        self.count = 0
        self._slots: Slots = np.zeros(64, np.int64)

    @property
    def slots(self) -> Slots:
        """Those that were, each once."""
        return self._slots[: self.count]

    def note(self, slots: Slots) -> None:
        """Add some slots; those from `size` on are left out."""
        within = slots[slots < len(self.flags)]
        more = np.unique(within[~self.flags[within]])
        self.flags[more] = True
        np.bitwise_and.at(self.live, more >> 3, ~np.left_shift(1, more & 7).astype(np.uint8))
        end = self.count + len(more)
        if end > len(self._slots):
            self._slots = np.resize(self._slots, 2 * end)
        self._slots[self.count : end] = more
        self.count = end


def compare(key: Float32[np.ndarray, "m"], rows: Float32[np.ndarray, "n m"], slots: Slots) -> Float32[np.ndarray, "s"]:
    """Return the dot product of `key` with the rows in some slots; equal rows score the same wherever they are."""
    found = np.empty(len(slots), np.float32)
    for start in range(0, len(slots), TILE):
        tile = slots[start : start + TILE]
        in_a_row = (np.diff(tile) == 1).all()
        found[start : start + TILE] = np.vecdot(rows[tile[0] : tile[-1] + 1] if in_a_row else rows[tile], key)
    return found


def _exactly(
    key: Float32[np.ndarray, "m"], rows: Float32[np.ndarray, "n m"], wanted: int, admitted: Bool[np.ndarray, "n"] | None
) -> tuple[Slots, Float32[np.ndarray, "s"]]:
    """Return the best of all admitted rows."""
    slots = np.arange(len(rows)) if admitted is None else np.flatnonzero(admitted)
    scores = np.vecdot(rows, key) if admitted is None else compare(key, rows, slots)
    best = _best(slots, scores, rows, wanted)
    short = wanted - len(best[0])
    if short:
        empty = slots[~rows[slots].any(axis=1)][:short]
        best = np.concatenate([best[0], empty]), np.concatenate([best[1], np.zeros(len(empty), np.float32)])
    return best


def _best(
    slots: Slots, scores: Float32[np.ndarray, "s"], rows: Float32[np.ndarray, "n m"], wanted: int
) -> tuple[Slots, Float32[np.ndarray, "s"]]:
    """Return the `wanted` best of some slots, without rows of zeros: best first, equal ones by slot."""
    unsure = np.flatnonzero(scores == 0)
    empty = unsure[~rows[slots[unsure]].any(axis=1)]
    if len(empty):
        slots, scores = np.delete(slots, empty), np.delete(scores, empty)
    if wanted < len(slots):
        kept = np.flatnonzero(scores >= -np.partition(-scores, wanted)[wanted])
        slots, scores = slots[kept], scores[kept]
    order = np.lexsort((slots, -scores))[:wanted]
    return slots[order], scores[order]
