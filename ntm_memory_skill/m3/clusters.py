"""Near duplicates among unit keys, a tile of products at a time, and the groups of memories that lie close together.

The groups are stars (Aslam, Pelekhov & Rus 2004, "The Star Clustering Algorithm for Static and Dynamic Information
Organization", §3): the memory with the most likeness around it takes its neighbours, and so on among the rest. Here a
group must also hold from its medoid, so that a chain of pairwise likenesses never joins what lies far apart.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterable, Iterator

import numpy as np
from jaxtyping import Float32

BLOCK = 512
ROUNDING = 1e-6  # what two float32 products of the same unit keys may differ by

Progress = Callable[[int, int], None]
"""Called with how many tiles are done, and of how many. It may raise: nothing is left half done."""


def alike(
    keys: Float32[np.ndarray, "n m"], threshold: float, block: int = BLOCK, progress: Progress | None = None
) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs i < j whose cosine is `threshold` or more, with it, tile by tile, in order within a tile.

    At most block × block products are in memory, and their space does not grow with n; the time is that of n²·m/2
    multiplications. What lies within rounding of the threshold (1e-6) counts as alike.

    Args:
        keys: Unit keys. A row of zeros is like nothing.
        threshold: From above 0 to 1.
        block: Rows and columns of a tile, 1 and up.
        progress: Called after each tile, whether or not it held a pair: the place to look at a budget of time.

    Raises:
        ValueError: If the threshold or the block is outside its range.
    """
    if not 0 < threshold <= 1 or block < 1:
        raise ValueError(f"a threshold above 0, to 1, and a block of 1 and up, not {threshold} and {block}")
    starts = range(0, len(keys), block)
    total = len(starts) * (len(starts) + 1) // 2
    done = 0
    for top in starts:
        for left in range(top, len(keys), block):
            yield from _within(keys[top : top + block], keys[left : left + block], top, left, threshold)
            done += 1
            if progress is not None:
                progress(done, total)


def _within(
    rows: Float32[np.ndarray, "r m"], columns: Float32[np.ndarray, "c m"], top: int, left: int, threshold: float
) -> Iterator[tuple[int, int, float]]:
    products = rows @ columns.T
    for i, j in np.argwhere(products >= np.float32(threshold - ROUNDING)).tolist():
        if top + i < left + j:
            yield top + i, left + j, min(float(products[i, j]), 1.0)


def communities(pairs: Iterable[tuple[int, int, float]], n: int) -> list[list[int]]:
    """Return groups of two or more, each its medoid first and then the others in ascending order.

    The medoid is the member with the greatest sum of likeness to the other members, where a pair that is not given
    counts 0; the least index where several have it. Every member stands in a given pair with it. A memory is in one
    group at most. The groups stand in the order of their least member, and the order of the pairs does not matter.

    Args:
        pairs: As `alike` gives them: each pair once, likeness above 0.
        n: How many memories there are: indices are below it.

    Raises:
        ValueError: If a pair joins a memory with itself or names one that is not there.
    """
    near = _neighbours(pairs, n)
    free = set(near)
    queue = [(-_likeness(i, near, near[i]), i) for i in near]
    heapq.heapify(queue)
    groups: list[list[int]] = []
    while queue:
        queued, i = heapq.heappop(queue)
        if i not in free:
            continue
        around = [j for j in near[i] if j in free]
        likeness = _likeness(i, near, around)
        if not around:
            free.discard(i)
        elif likeness < -queued:  # some of its neighbours went to other groups since: others may come first
            heapq.heappush(queue, (-likeness, i))
        else:
            group = _around_its_medoid([i, *around], near)
            free.difference_update(group)
            groups.append(group)
            if i not in group:
                heapq.heappush(queue, (-likeness, i))
    return sorted(groups, key=min)


def _neighbours(pairs: Iterable[tuple[int, int, float]], n: int) -> dict[int, dict[int, float]]:
    near: dict[int, dict[int, float]] = {}
    for i, j, likeness in pairs:
        if i == j or not (0 <= i < n and 0 <= j < n):
            raise ValueError(f"a pair of two of the {n} memories, not {i} and {j}")
        near.setdefault(i, {})[j] = likeness
        near.setdefault(j, {})[i] = likeness
    return near


def _around_its_medoid(group: Collection[int], near: dict[int, dict[int, float]]) -> list[int]:
    """Return the group without those that are not like its medoid; leaving them out may make another the medoid."""
    while True:
        medoid = min(group, key=lambda i: (-_likeness(i, near, group), i))
        kept = sorted(j for j in group if j in near[medoid])
        if len(kept) == len(group) - 1:
            return [medoid, *kept]
        group = [medoid, *kept]


def _likeness(i: int, near: dict[int, dict[int, float]], others: Iterable[int]) -> float:
    """Return the sum of a memory's likeness to others; exact, so that the order of adding cannot matter."""
    return math.fsum(near[i].get(j, 0.0) for j in others)
