"""Making inverted lists: centroids from a sample of the rows, then every row into the list of its nearest.

Rows may be written while this reads them. What is read half written is then among what `changed` since the making
began, and nobody believes the index about that: no row has to be copied beforehand, and none is kept.
"""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64

from ntm_memory_skill.ntm.backends.inverted_lists import (
    CHUNK,
    Abandoned,
    IndexSettings,
    InvertedLists,
    Stopped,
    threads,
)

logger = logging.getLogger(__name__)

OUTGROWN = 2.0
"""How many times as many rows centroids serve as they were learnt for."""
_under_way: weakref.WeakSet[Making] = weakref.WeakSet()


class Making:
    """One making of an index, in a daemon thread of its own.

    Args:
        rows: N × M; they may change while it runs.
        settings: How to.
        before: An index of the same rows as they were earlier, whose centroids are good for these.
        same: Which slots hold what they held when `before` was made.
    """

    def __init__(
        self,
        rows: Float32[np.ndarray, "n m"],
        settings: IndexSettings,
        before: InvertedLists | None = None,
        same: Bool[np.ndarray, "b"] | None = None,
    ) -> None:
        self.made: InvertedLists | None = None
        """The index, once it is there."""
        self.failed = False
        """Whether it could not be made; why is in the log."""
        self._stop = threading.Event()
        arguments = (rows, settings, self._stop.is_set, before, same)
        self._thread = threading.Thread(  # which lets go of its arguments at its end
            target=self._make, args=arguments, name="ntm-memory builds an index", daemon=True
        )
        _under_way.add(self)
        self._thread.start()

    def abandon(self) -> None:
        """Let it end soon, without a result; wait for nothing."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait for its end, this long at most."""
        self._thread.join(seconds)

    def _make(self, *arguments: Any) -> None:
        try:
            self.made = make(*arguments)
        except Abandoned:
            logger.debug("an index is no longer wanted")
        except (MemoryError, RuntimeError, AssertionError, ValueError) as error:  # the first three are faiss's
            self.failed = True
            logger.warning("no index was built, and every row is read in its place: %s", error)


@atexit.register
def _abandon_all() -> None:
    """No thread is to be inside a library that is being taken down."""
    for making in tuple(_under_way):
        making.abandon()
        making.wait(10.0)


def make(
    rows: Float32[np.ndarray, "n m"],
    settings: IndexSettings,
    stopped: Stopped,
    before: InvertedLists | None = None,
    same: Bool[np.ndarray, "b"] | None = None,
) -> InvertedLists:
    """Return an index of some rows.

    Args:
        rows: N × M.
        settings: How to.
        stopped: Asked now and then whether to give up.
        before: Whose centroids are taken, and its lists for the slots that are the `same`.
        same: A value for each slot of `before`.

    Raises:
        Abandoned: `stopped` said so.
    """
    with threads(settings.threads):
        if before is None or same is None:
            centroids = learn(rows, settings, stopped)
            known = np.full(len(rows), len(centroids), np.int64)
        else:
            centroids = before.centroids
            known = np.full(len(rows), len(centroids), np.int64)
            known[: len(same)] = np.where(same, before.list_of, len(centroids))
        return _filled(rows, centroids, known, stopped)


def learn(rows: Float32[np.ndarray, "n m"], settings: IndexSettings, stopped: Stopped) -> Float32[np.ndarray, "k m"]:
    """Return unit centroids by spherical k-means over a sample of the rows, of which it holds a copy meanwhile.

    A centroid that attracts no row is put onto one of the sample.
    """
    rng = np.random.default_rng(settings.seed)
    count = settings.lists_for(len(rows))
    drawn = np.sort(rng.choice(len(rows), min(len(rows), count * settings.learnt_from), replace=False))
    sample = rows[drawn]
    usable = sample.any(axis=1) & np.isfinite(sample).all(axis=1)
    if not usable.all():
        sample = sample[usable] if usable.any() else np.ones((1, rows.shape[1]), np.float32)
    _to_length_one(sample)
    count = min(count, len(sample))
    centroids = sample[rng.choice(len(sample), count, replace=False)]
    for _ in range(settings.rounds):
        centroids, _ = _sums(sample, nearest_centroid(centroids, sample, stopped), count)
        _to_length_one(centroids)
        alone = np.flatnonzero(~centroids.any(axis=1))
        centroids[alone] = sample[rng.integers(0, len(sample), len(alone))]
    return centroids


def nearest_centroid(
    centroids: Float32[np.ndarray, "k m"], rows: Float32[np.ndarray, "n m"], stopped: Stopped
) -> Int64[np.ndarray, "n"]:
    """Return which centroid each row has the largest product with."""
    import faiss

    flat = faiss.IndexFlatIP(centroids.shape[1])
    flat.add(centroids)
    found = np.zeros(len(rows), np.int64)
    for start in range(0, len(rows), CHUNK):
        if stopped():
            raise Abandoned
        found[start : start + CHUNK] = flat.search(rows[start : start + CHUNK], 1)[1][:, 0]
    return found


def _filled(
    rows: Float32[np.ndarray, "n m"],
    centroids: Float32[np.ndarray, "k m"],
    lists: Int64[np.ndarray, "n"],
    stopped: Stopped,
) -> InvertedLists:
    """Return the index of some rows, whose lists are known unless they are K."""
    count, dimension = centroids.shape
    index = _empty(centroids)
    sums, sizes = np.zeros((count + 1, dimension), np.float32), np.zeros(count + 1, np.int64)
    for start in range(0, len(rows), CHUNK):
        if stopped():
            raise Abandoned
        slots = np.arange(start, min(start + CHUNK, len(rows)))
        copy = np.array(rows[start : start + CHUNK], np.float32)
        written = copy.any(axis=1) & np.isfinite(copy).all(axis=1)
        unknown = written & (lists[slots] == count)
        lists[slots[~written]] = count
        lists[slots[unknown]] = nearest_centroid(centroids, copy[unknown], stopped)
        slots, copy = slots[written], copy[written]
        _add(index, copy, slots, lists[slots])
        more, held = _sums(copy, lists[slots], count)
        sums[:-1] += more
        sizes[:-1] += held
    return InvertedLists(index, centroids, sums / np.maximum(sizes, 1)[:, None].astype(np.float32), lists)


def _empty(centroids: Float32[np.ndarray, "k m"]) -> Any:
    """Return faiss's index with nothing in it."""
    import faiss

    count, dimension = centroids.shape
    quantizer = faiss.IndexFlatIP(dimension)
    quantizer.add(centroids)
    index = faiss.IndexIVFRaBitQ(quantizer, dimension, count, faiss.METRIC_INNER_PRODUCT)
    index.referenced_objects = [quantizer]  # the index holds it by address alone
    index.train(centroids)  # with K centroids there, only the codes are left to train
    return index


def _add(
    index: Any, rows: Float32[np.ndarray, "n m"], slots: Int64[np.ndarray, "n"], lists: Int64[np.ndarray, "n"]
) -> None:
    """Put rows into lists that were chosen already."""
    import faiss

    if len(rows):
        address = faiss.swig_ptr
        index.add_core(len(rows), address(rows), address(slots), address(lists))


def _sums(
    rows: Float32[np.ndarray, "n m"], lists: Int64[np.ndarray, "n"], count: int
) -> tuple[Float32[np.ndarray, "k m"], Int64[np.ndarray, "k"]]:
    """Return the sum of the rows in each of `count` lists, and how many there are."""
    sums = np.zeros((count, rows.shape[1]), np.float32)
    for start in range(0, len(rows), CHUNK):
        part = lists[start : start + CHUNK]
        order = np.argsort(part, kind="stable")
        held, starts = np.unique(part[order], return_index=True)
        sums[held] += np.add.reduceat(rows[start : start + CHUNK][order], starts, axis=0)
    return sums, np.bincount(lists, minlength=count)


def _to_length_one(rows: Float32[np.ndarray, "n m"]) -> None:
    """Bring rows to length 1, in place; those of zeros stay."""
    lengths = np.sqrt(np.einsum("nm,nm->n", rows, rows))
    rows /= np.where(lengths > 0, lengths, 1)[:, None]
