"""Trained heads with numbers drawn at random: what training could have made of anything."""

from __future__ import annotations

import numpy as np

from ntm_memory_skill.engine import STATISTICS, TERMS, TrainedHead
from ntm_memory_skill.ntm import ControllerShape

HASHED = "hashed"
"""Name of the tests' encoder."""


def random_head(
    kind: str = "linear", *, heads: int = 1, scale: float = 1.0, seed: int = 0, width: int = 7, hidden: int = 4
) -> TrainedHead:
    """Return a head that departs from the default by a fair amount."""
    rng = np.random.default_rng(seed)
    shape = ControllerShape(
        kind=kind, inputs=len(STATISTICS), terms=len(TERMS), heads=heads, width=width, hidden=hidden
    )
    return TrainedHead(
        shape=shape,
        weights={name: rng.normal(0, 0.2, size).astype(np.float32) for name, size in shape.sizes().items()},
        mean=rng.normal(0, 1, len(STATISTICS)).astype(np.float32),
        deviation=rng.uniform(0.5, 2, len(STATISTICS)).astype(np.float32),
        scale=scale,
        encoder=HASHED,
        report={"questions": 12, "note": "made up · 编的"},
    )
