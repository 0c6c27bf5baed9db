"""One read of the memory: the parameters of a head, and the four stages that they steer (Graves 2014, figure 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from ntm_memory_skill.ntm import addressing
from ntm_memory_skill.ntm.addressing import Array, Conveyance, Stages
from ntm_memory_skill.ntm.namespaces import array_namespace

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
    length_ratio: float = 4.0
    """Above 0: how many times as long as its neighbour a memory may be and still get all the weight that the kernel
    shifts to it; a longer one gets less, in inverse proportion. Infinity makes the shift the same for all lengths."""

    def __post_init__(self) -> None:
        if not 0 < self.key_strength < math.inf:
            raise ValueError(f"key_strength is a finite number above 0, not {self.key_strength}")
        if not 0 <= self.gate <= 1:
            raise ValueError(f"gate is from 0 to 1, not {self.gate}")
        if len(self.kernel) % 2 == 0 or not min(self.kernel) >= 0 or not abs(sum(self.kernel) - 1) <= 1e-6:
            raise ValueError(f"kernel is a distribution over an odd number of offsets, not {self.kernel}")
        if not 1 <= self.sharpening < math.inf:
            raise ValueError(f"sharpening is a finite number from 1 up, not {self.sharpening}")
        if not self.length_ratio > 0:
            raise ValueError(f"length_ratio is a number above 0, not {self.length_ratio}")

    @property
    def reach(self) -> int:
        """R: how many places along the tape the shift looks each way."""
        return len(self.kernel) // 2

    def steering(self, xp: Any) -> Steering:
        """Return the parameters as arrays of a namespace, for a single head."""
        names = ("key_strength", "gate", "kernel", "sharpening", "length_ratio")
        return Steering(*(xp.asarray([getattr(self, name)], dtype=xp.float32) for name in names))


class Steering(NamedTuple):
    """The parameters of several heads side by side, as a controller emits them; see `HeadParameters` for the ranges."""

    key_strength: Array
    """β, shape ``(... heads)``."""
    gate: Array
    """g, shape ``(... heads)``."""
    kernel: Array
    """s, shape ``(... heads, width)``."""
    sharpening: Array
    """γ, shape ``(... heads)``."""
    length_ratio: Array
    """Shape ``(... heads)``."""


class Ground(NamedTuple):
    """What the heads move over: the slots of a memory, without what stands in them."""

    present: Array
    """Booleans, shape ``(n,)``: the slots that may be read. At least one is True."""
    sources: Array | None
    """The tapes' neighbour table (see `addressing.shift_along`); None switches the shift off."""
    relative_lengths: Array | None = None
    """See `addressing.passing`; None lets all weight pass."""
    previous: Array | None = None
    """The weights of the step before, shape ``(n,)``; None where there was none: the gate is open."""
    conveyance: Conveyance | None = None
    """What the shift amounts to, where it was made before for heads that all have the same kernel and length ratio."""


class Looks(NamedTuple):
    """Where each of several heads looks: shape ``(... heads, n)``, each row a distribution over the present slots."""

    content: Array
    gated: Array
    shifted: Array

    def merged(self, sharpening: Array) -> Stages:
        """Return the heads' average weights, sharpened together by the average γ; shape ``(... n)``.

        What many heads agree on comes first, and the sharpening keeps that order.
        """
        xp = array_namespace(self.content)
        alone = self.content.shape[-2] == 1
        content, gated, shifted = (weights[..., 0, :] if alone else xp.mean(weights, axis=-2) for weights in self)
        return Stages(content, gated, shifted, addressing.sharpen(shifted, xp.mean(sharpening, axis=-1)))


def address(scores: Array, heads: Steering, ground: Ground) -> Looks:
    """Let each head focus on the memory by itself: by content, then the gate, then the shift.

    Weight that the past or the shift puts on an absent slot is shared out again in proportion. Where they leave none on
    a present one, the stage before stands.

    Args:
        scores: Content scores, one row a head, shape ``(... heads, n)``.
        heads: β, g, s and the length ratio of each.
        ground: The slots.
    """
    xp = array_namespace(scores)
    content = addressing.content(scores, heads.key_strength, ground.present)
    gated = content
    if ground.previous is not None:
        previous = xp.broadcast_to(xp.astype(ground.previous, scores.dtype), content.shape)
        gated = addressing.interpolate(content, _among(ground.present, previous, content, xp), heads.gate)
    shifted = gated
    if ground.sources is not None:
        moved = _shifted(gated, heads, ground, ground.sources)
        shifted = _among(ground.present, moved, gated, xp)
    return Looks(content, gated, shifted)


def _shifted(weights: Array, heads: Steering, ground: Ground, sources: Array) -> Array:
    if ground.conveyance is not None:
        return addressing.convey(weights, sources, ground.conveyance)
    return addressing.shift_along(weights, heads.kernel, sources, let_pass(heads, ground))


def let_pass(heads: Steering, ground: Ground) -> Array | None:
    """Return which share of shifted weight each head lets pass (see `addressing.passing`); None for all of it."""
    if ground.relative_lengths is None:
        return None
    return addressing.passing(ground.relative_lengths, heads.length_ratio)


def _among(present: Array, weights: Array, otherwise: Array, xp: Any) -> Array:
    """Return a weighting over the present slots alone, or `otherwise` where it has no weight on any of them."""
    kept = weights if bool(xp.all(present)) else xp.where(present, weights, xp.zeros_like(weights))
    total = xp.sum(kept, axis=-1, keepdims=True)
    some = total > 0
    if bool(xp.all(some)):
        return kept / total
    return xp.where(some, kept / xp.where(some, total, xp.ones_like(total)), otherwise)
