"""Devices over time: programmed with an error, drifting or wandering, read with noise.

    programmed     G₀  = max(0, target + σ_p(g) · ε)
    drift          G(t) = G₀ · (t/t₀)^−ν           ν = |μ_ν(g) + σ_ν(g) · ε|, of each device
    relaxation     G(t) = G₀ + √(σ_r(g)² − σ_p(g)²) · ε · min(1, ln(t/t₀) / ln(1 day/t₀))
    read           σ   = G(t) · q(g₀) · √ln((t + t_r) / 2 t_r)

g is a target over g_max, g₀ the programmed conductance over g_max. Drift of PCM: Le Gallo & Sebastian, J. Phys. D 53,
213002 (2020); the model and its numbers: Nandakumar et al., ICECS 2019.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

from ntm_memory_skill.crossbar.params import Circuit, Device

DAY = 86_400.0
SMALLEST = 1e-7
"""g below which a logarithm takes it for this."""
LEAST_POWER = 1e-3
"""What g^`read_exponent` counts as at least."""

Cells = Float32[np.ndarray, "..."]


class Programmed(NamedTuple):
    """Devices as programming left them. Arrays have the targets' shape."""

    conductance: Cells
    """G₀, µS."""
    exponent: Cells | None
    """ν; None where nothing drifts."""
    wandering: Cells | None
    """By how much it wanders within a day, µS; None where nothing relaxes."""
    pulses: Int[np.ndarray, "..."]
    """How often each was programmed."""


def program(target: Cells, device: Device, rng: np.random.Generator, circuit: Circuit | None = None) -> Programmed:
    """Return devices after they have been programmed; the same generator gives the same ones.

    Args:
        target: The conductances aimed at, µS.
        device: What they are.
        rng: Draws their errors.
        circuit: How often to try, until they are how near; once where it is None.
    """
    most, tolerance = (1, math.inf) if circuit is None else (circuit.pulses, circuit.tolerance)
    relative = target / np.float32(device.g_max)
    deviation = np.maximum(polynomial(device.programming, relative), 0)
    kept = _tried(target, deviation, rng)
    pulses = np.ones(target.shape, np.int32)
    for _ in range(most - 1):
        off = np.abs(kept - target) > tolerance
        if not off.any():
            break
        again = _tried(target, deviation, rng)
        pulses += off
        nearer = off & (np.abs(again - target) < np.abs(kept - target))
        kept = np.where(nearer, again, kept)
    exponent, wandering = None, None
    if device.drift_mean is not None:
        exponent = np.abs(drift_mean(relative, device) + drift_deviation(relative, device) * _normal(rng, target))
    if device.relaxation:
        later = np.maximum(polynomial(device.relaxation, relative), deviation)
        wandering = np.sqrt(later**2 - deviation**2) * _normal(rng, target)
    if device.stuck_off or device.stuck_on:
        drawn = rng.random(target.shape, dtype=np.float32)
        off, on = drawn < device.stuck_off, drawn >= 1 - device.stuck_on
        kept = np.where(off, np.float32(device.g_min), np.where(on, np.float32(device.g_max), kept))
        exponent, wandering = (None if each is None else each * ~(off | on) for each in (exponent, wandering))
    return Programmed(kept, exponent, wandering, pulses)


def conductances(devices: Programmed, elapsed: Float[np.ndarray, "..."], device: Device) -> Cells:
    """Return G(t), µS, without the noise of a read.

    Args:
        devices: As programming left them.
        elapsed: Seconds since t₀, 0 and up; broadcast against the devices.
        device: What they are.
    """
    logs = np.log1p(np.asarray(elapsed) / device.settled).astype(np.float32)
    now = devices.conductance
    if devices.exponent is not None:
        now = now * np.exp(-devices.exponent * logs)
    if devices.wandering is not None:
        whole = math.log1p(DAY / device.settled)
        now = np.maximum(now + devices.wandering * np.minimum(logs / whole, 1).astype(np.float32), 0)
    return now


def read_deviation(devices: Programmed, now: Cells, elapsed: Float[np.ndarray, "..."], device: Device) -> Cells:
    """Return σ of a read, µS: what is random from one read to the next, with 1/f noise since programming.

    Args:
        devices: As programming left them.
        now: G(t).
        elapsed: As above.
        device: What they are.
    """
    if not device.read:
        return np.zeros_like(now)
    power = np.maximum(
        (devices.conductance / np.float32(device.g_max)) ** np.float32(device.read_exponent), LEAST_POWER
    )
    relative = np.minimum(np.float32(device.read) / power, np.float32(device.read_cap))
    t = np.asarray(elapsed) + device.settled
    grown = np.sqrt(np.log((t + device.read_seconds) / (2 * device.read_seconds))).astype(np.float32)
    return now * relative * grown


def drift_mean(relative: Cells, device: Device) -> Cells:
    """Return μ_ν for conductances over g_max."""
    return _bounded(relative, device.drift_mean or (0.0, 0.0), device.drift_mean_bounds)


def drift_deviation(relative: Cells, device: Device) -> Cells:
    """Return σ_ν for conductances over g_max."""
    return _bounded(relative, device.drift_deviation, device.drift_deviation_bounds)


def polynomial(coefficients: tuple[float, ...], values: Cells) -> Cells:
    """Return c₀ + c₁ x + c₂ x², and so on."""
    total = np.zeros_like(values)
    for each in reversed(coefficients):
        total = total * values + np.float32(each)
    return total


def _bounded(relative: Cells, line: tuple[float, float], bounds: tuple[float, float]) -> Cells:
    slope, offset = line
    logs = np.log(np.maximum(relative, np.float32(SMALLEST)))
    exponents: Cells = np.clip(np.float32(slope) * logs + np.float32(offset), *bounds).astype(np.float32)
    return exponents


def _tried(target: Cells, deviation: Cells, rng: np.random.Generator) -> Cells:
    if not deviation.any():
        return target.astype(np.float32)
    tried: Cells = np.maximum(target + deviation * _normal(rng, target), 0).astype(np.float32)
    return tried


def _normal(rng: np.random.Generator, like: Cells) -> Cells:
    return rng.standard_normal(like.shape, dtype=np.float32)
