"""Numbers as conductances, and back: a differential pair for each, or one for each slice of its bits.

    w = s · (G⁺ − G⁻) / (g_max − g_min)          G⁻ = g_min where w ≥ 0, and G⁺ = g_min where w ≤ 0

s is what a full pair stands for: `weight_range`, or the row's own largest number. In slices, |w| / s is rounded to
`slices` digits of the base 2^`slice_bits`, each of which has a pair; the digits' weights add up to 1.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

from ntm_memory_skill.crossbar.params import Circuit, Device


def scales(rows: Float[np.ndarray, "k m"], circuit: Circuit) -> Float32[np.ndarray, "k"]:
    """Return s for each row; 1 for a row of zeros."""
    if circuit.weight_range is not None:
        return np.full(len(rows), circuit.weight_range, np.float32)
    largest = np.abs(rows).max(axis=1, initial=0)
    return np.where(largest > 0, largest, 1).astype(np.float32)


def targets(
    rows: Float[np.ndarray, "k m"], device: Device, circuit: Circuit
) -> tuple[Float32[np.ndarray, "k slices 2 m"], Float32[np.ndarray, "k"]]:
    """Return the conductances that rows are to have, µS, the positive device of each pair first; and s of each row."""
    scale = scales(rows, circuit)
    shares = np.clip(rows / scale[:, None], -1, 1)
    digits = np.stack(_digits(np.abs(shares), circuit), axis=1)
    positive = np.where(shares[:, None] > 0, digits, 0)
    pairs = np.stack([positive, digits - positive], axis=2)
    return (device.g_min + pairs * (device.g_max - device.g_min)).astype(np.float32), scale


def significances(circuit: Circuit) -> Float32[np.ndarray, "slices"]:
    """Return what each slice's full pair is worth, of a full number; the first is worth the most."""
    if circuit.slices == 1:
        return np.ones(1, np.float32)
    base = 2**circuit.slice_bits
    worth = np.asarray([(base - 1) * base ** (circuit.slices - 1 - place) for place in range(circuit.slices)])
    shares: Float32[np.ndarray, "slices"] = (worth / (base**circuit.slices - 1)).astype(np.float32)
    return shares


def _digits(shares: Float[np.ndarray, "k m"], circuit: Circuit) -> list[Float[np.ndarray, "k m"]]:
    """Return the slices of numbers from 0 to 1, each from 0 to 1 as well."""
    if circuit.slices == 1:
        return [shares]
    base = 2**circuit.slice_bits
    whole = np.rint(shares.astype(np.float64) * (base**circuit.slices - 1)).astype(np.int64)
    return [(whole // base**place % base) / (base - 1) for place in reversed(range(circuit.slices))]
