"""As many keys as are wanted, grown from those of real texts: noise has no neighbourhoods, and no index serves it.

The rule, seeded: the first rows are the real keys, in a drawn order. Every other row starts from a real key a, drawn
evenly. Of its NEAR nearest real keys one, b, is drawn, and a share w of it, evenly from 0 to MOST. Noise in the local
spread is added: the differences from a to all NEAR of them, each by a normal number, over the root of NEAR, by SPREAD.

    row = unit(a + w (b - a) + SPREAD sum_j z_j (n_j - a) / sqrt(NEAR))
"""

from __future__ import annotations

import numpy as np

NEAR = 8
MOST = 0.5
SPREAD = 0.5
CHUNK = 8_192  # rows that are grown at a time


def grown(real: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return `count` unit keys, (count, m) float32, grown from the unit keys of real texts by the rule above.

    Args:
        real: Keys, (r, m), more than `NEAR`.
        count: How many, 1 and up; up to r they are all real.
        seed: Of all that is drawn.

    Raises:
        ValueError: There are too few real keys.
    """
    if len(real) <= NEAR:
        raise ValueError(f"{len(real)} real keys are too few to grow others from: more than {NEAR} are needed")
    rng = np.random.default_rng(seed)
    rows = np.empty((count, real.shape[1]), np.float32)
    kept = min(count, len(real))
    rows[:kept] = real[rng.permutation(len(real))[:kept]]
    near = nearest(real) if count > kept else np.empty((0, NEAR), np.int64)
    for start in range(kept, count, CHUNK):
        rows[start : start + CHUNK] = _more(real, near, min(CHUNK, count - start), rng)
    return rows


def nearest(real: np.ndarray) -> np.ndarray:
    """Return the places of each key's `NEAR` nearest others, (r, NEAR), in no order."""
    found = np.empty((len(real), NEAR), np.int64)
    for start in range(0, len(real), CHUNK // 8):
        block = slice(start, start + CHUNK // 8)
        likeness = real[block] @ real.T
        likeness[np.arange(len(likeness)), np.arange(start, start + len(likeness))] = -np.inf
        found[block] = np.argpartition(-likeness, NEAR, axis=1)[:, :NEAR]
    return found


def _more(real: np.ndarray, near: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return some rows beyond the real ones."""
    drawn = rng.integers(len(real), size=count)
    weights = (rng.standard_normal((count, NEAR)) * SPREAD / np.sqrt(NEAR)).astype(np.float32)
    weights[np.arange(count), rng.integers(NEAR, size=count)] += rng.uniform(0, MOST, count).astype(np.float32)
    rows: np.ndarray = real[drawn] * (1 - weights.sum(axis=1, keepdims=True))
    for place in range(NEAR):
        rows += weights[:, place : place + 1] * real[near[drawn, place]]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows
