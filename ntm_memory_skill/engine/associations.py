"""What the best matches bring to mind: activation that spreads from them along the links between memories."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from jaxtyping import Bool, Float32

from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.m3 import spread
from ntm_memory_skill.model import Link

SEEDS = 5
"""How many of the best matches pass on activation."""


def associated(
    projection: Projection, scores: Float32[np.ndarray, "n"], admitted: Bool[np.ndarray, "n"], now: datetime
) -> Float32[np.ndarray, "n"]:
    """Return the activation that reaches each memory, 0 to 1.

    The five best matches start with exp(score − best score), in which each standard deviation counts by a factor of e;
    the best one with 1.

    Args:
        projection: The memory.
        scores: The content score without this term.
        admitted: Which slots may be seen. At least one.
        now: To when links have decayed.
    """
    seen = np.where(admitted, scores, -np.inf)
    best = np.argpartition(-seen, min(SEEDS, len(seen)) - 1)[:SEEDS]
    seeds = {
        projection.record(slot).id: float(np.exp(seen[slot] - seen.max())) for slot in best.tolist() if admitted[slot]
    }
    reached = np.zeros(len(projection), np.float32)

    def links(ident: str) -> tuple[Link, ...]:
        slot = projection.slot(ident)
        return () if slot is None else projection.record(slot).links

    for ident, activation in spread(seeds, links, now).items():
        slot = projection.slot(ident)
        if slot is not None:
            reached[slot] = activation
    return reached
