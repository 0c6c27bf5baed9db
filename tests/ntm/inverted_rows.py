"""Matrices for the tests of the index, an exact search to compare with, and waiting for an index without sleeping."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

from ntm_memory_skill.ntm.backends.inverted import InvertedSimilarity
from ntm_memory_skill.ntm.backends.inverted_lists import IndexSettings

LONGEST_BUILD = 60.0
"""Seconds within which the smallest index is there on the slowest machine."""
SMALL = IndexSettings(lists_per_root=1.0, probes=6, rerank=40, few=0, fresh=0.1)
"""Few enough looks that a search over some hundred rows is one through the index."""

Rows = Float32[np.ndarray, "n m"]


def clustered(count: int, length: int = 32, seed: int = 0) -> Rows:
    """Return unit rows around twelve middles, as keys of texts lie: the same middles for every seed."""
    middles = np.random.default_rng(12).standard_normal((12, length))
    rng = np.random.default_rng(seed)
    rows = middles[rng.integers(0, len(middles), count)] + 0.5 * rng.standard_normal((count, length))
    units: Rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units


def built(backend: InvertedSimilarity, rows: Rows) -> InvertedSimilarity:
    """Return the backend once it has an index of all rows."""
    backend.ready(rows)
    making = backend._making
    if making is not None:
        making.wait(LONGEST_BUILD)
    assert backend.ready(rows)
    return backend


def best(key: Rows, rows: Rows, count: int, admitted: Bool[np.ndarray, "n"] | None = None) -> list[int]:
    """Return the best slots by looking at each row in turn: rows of zeros last, equal scores by slot."""
    slots = [slot for slot in range(len(rows)) if admitted is None or admitted[slot]]
    return sorted(slots, key=lambda slot: (not rows[slot].any(), -float(np.vecdot(rows[slot], key)), slot))[:count]
