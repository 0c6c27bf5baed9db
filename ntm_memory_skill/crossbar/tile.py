"""One tile's circuits: converters that round and saturate, and wires that lose a little on the way.

A wire's loss is taken to first order. With segments of resistance r, the current of each device meets those that it
shares with the others, so that a device at the places i along its column and j along its row conducts as if it had

    G' = G · (1 − r · Σ_k min(i, k) G_kj − r · Σ_l min(j, l) G_il)

places counted from where voltage comes from, or current goes to (to second order, r² G² n⁴ is left out).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

from ntm_memory_skill.crossbar.params import Converter

MICRO = 1e-6


def convert(values: Float[np.ndarray, "..."], converter: Converter) -> Float[np.ndarray, "..."]:
    """Return values as a converter passes them on: rounded to its steps, and no larger than its full scale."""
    steps = converter.steps
    if steps is None:
        return values
    scaled = np.rint(values * (steps / converter.full_scale))
    return np.clip(scaled, -steps, steps) * (converter.full_scale / steps)


def with_wires(conductance: Float[np.ndarray, "columns rows"], wire_ohm: float) -> Float32[np.ndarray, "columns rows"]:
    """Return the conductances, µS, that the devices of a tile seem to have at the ends of its wires.

    Args:
        conductance: G, µS: a line for each column, from its nearest row to its farthest.
        wire_ohm: r, Ω.
    """
    if wire_ohm == 0:
        return conductance.astype(np.float32)
    lost = _shared(conductance) + _shared(conductance.T).T
    seen: Float32[np.ndarray, "columns rows"] = conductance * np.maximum(1 - wire_ohm * MICRO * lost, 0)
    return seen.astype(np.float32)


def _shared(values: Float[np.ndarray, "lines n"]) -> Float[np.ndarray, "lines n"]:
    """Return Σ_k min(i, k) v_k along each line, places counted from 1."""
    beyond = np.cumsum(values[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]
    return np.cumsum(beyond, axis=1)
