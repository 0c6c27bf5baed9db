"""One read of the memory: the parameters of a head, and the four stages that they steer (Graves 2014, figure 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ntm_memory_skill.ntm import addressing
from ntm_memory_skill.ntm.addressing import Array, Stages

TAPE_KERNEL = (0.02, 0.08, 0.10, 0.50, 0.20, 0.07, 0.03)
"""s over the offsets −3 … 3. A remark is answered by the next one more often than by the one before it, so offset +1
weighs twice as much as −1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadParameters:
    """What a controller emits for one head at one step."""

    key_strength: float = 0.5
    """β > 0, per standard deviation of the content score. Low, so that several candidates reach the shift: weights
    that have collapsed onto one row have nothing left to move."""
    gate: float = 0.9
    """g in [0, 1]: share of the content weighting against the session's last focus. 1 ignores the past."""
    kernel: tuple[float, ...] = TAPE_KERNEL
    """s over the offsets −R … R along the tape: odd length, no entry below 0, sum 1."""
    sharpening: float = 2.0
    """γ ≥ 1. It spreads the scores apart and leaves their order as it is."""

    def __post_init__(self) -> None:
        if not 0 < self.key_strength < math.inf:
            raise ValueError(f"key_strength is a finite number above 0, not {self.key_strength}")
        if not 0 <= self.gate <= 1:
            raise ValueError(f"gate is from 0 to 1, not {self.gate}")
        if len(self.kernel) % 2 == 0 or not min(self.kernel) >= 0 or not abs(sum(self.kernel) - 1) <= 1e-6:
            raise ValueError(f"kernel is a distribution over an odd number of offsets, not {self.kernel}")
        if not 1 <= self.sharpening < math.inf:
            raise ValueError(f"sharpening is a finite number from 1 up, not {self.sharpening}")

    @property
    def reach(self) -> int:
        """R: how many places along the tape the shift looks each way."""
        return len(self.kernel) // 2


def address(
    scores: Array, head: HeadParameters, *, present: Array, sources: Array | None, previous: Array | None, xp: Any
) -> Stages:
    """Focus a head on the memory and return its weights after every stage, each a distribution over present slots.

    Weight that the past or the shift puts on an absent slot is shared out again in proportion. Where they leave none on
    a present one, the stage before stands.

    Args:
        scores: Content scores, shape ``(n,)``.
        head: β, g, s and γ.
        present: Booleans, shape ``(n,)``: the slots that may be read. At least one is True.
        sources: The tapes' neighbour table (see `addressing.shift_along`); None switches the shift off.
        previous: The head's weights of the step before, shape ``(n,)``; None where there was none: the gate is open.
        xp: The array namespace of `scores`.
    """
    content = addressing.content(scores, head.key_strength, present)
    gated = content
    if previous is not None:
        gated = addressing.interpolate(content, _among(present, previous, content, xp), head.gate)
    shifted = gated
    if sources is not None:
        kernel = xp.asarray(head.kernel, dtype=scores.dtype)
        shifted = _among(present, addressing.shift_along(gated, kernel, sources), gated, xp)
    return Stages(content, gated, shifted, addressing.sharpen(shifted, head.sharpening))


def _among(present: Array, weights: Array, otherwise: Array, xp: Any) -> Array:
    """Return a weighting over the present slots alone, or `otherwise` where it has no weight on any of them."""
    kept = xp.where(present, weights, xp.zeros_like(weights))
    total = xp.sum(kept)
    return kept / total if total > 0 else otherwise
