"""What the crossbar's tests hold and ask: rows, and how to look at devices and states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ntm_memory_skill.crossbar import Converter, Crossbar, Parameters, Tile
from ntm_memory_skill.crossbar.presets import pcm

HOUR, DAY, YEAR = 3_600.0, 86_400.0, 31_557_600.0

Values = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def unit_rows(count: int, dimension: int, seed: int = 1) -> Values:
    """Return rows of length 1, in all directions."""
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def exact_circuit(parameters: Parameters, tile: Tile | None = None, slices: int = 1) -> Parameters:
    """Return the same devices between converters that neither round nor limit, uncompensated."""
    plain = Converter(bits=None)
    circuit = replace(
        parameters.circuit, dac=plain, adc=plain, compensate=False, tile=tile or Tile(), slices=slices, slice_bits=4
    )
    return replace(parameters, circuit=circuit)


def quiet_pcm(dimension: int, tile: Tile) -> Parameters:
    """Return PCM that errs and drifts, and is read without noise: what it gives is a law of its rows and its age."""
    made = exact_circuit(pcm(dimension), tile)
    return replace(made, device=replace(made.device, read=0.0))


def conductances(crossbar: Crossbar) -> dict[int, Values]:
    """Return what each slot's devices were programmed to, µS."""
    return {slot: held.conductance for slot, held in enumerate(crossbar._held) if held is not None}


def same_devices(one: Crossbar, other: Crossbar) -> bool:
    """Return whether two crossbars hold the same devices."""
    ones, others = conductances(one), conductances(other)
    return ones.keys() == others.keys() and all(np.array_equal(ones[slot], others[slot]) for slot in ones)


def state(crossbar: Crossbar) -> tuple[Any, ...]:
    """Return all that a crossbar's answers depend on, as values that can be compared."""
    kept = crossbar.programming
    devices = {slot: each.tobytes() for slot, each in conductances(crossbar).items()}
    told = (kept.slots.tolist(), kept.counts.tolist(), kept.times.tolist(), kept.reads)
    return (*told, devices, len(crossbar), crossbar._now, crossbar._counts.tolist())
