"""Crossbars by name, with where their numbers are from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from ntm_memory_skill.crossbar.params import Circuit, Converter, Device, Parameters

SPREAD = 6.5
"""Standard deviations of the numbers of a unit key of M numbers, 1/√M each, that inputs and weights can express."""


def ideal(dimension: int) -> Parameters:
    """Return exact mathematics: no noise, no rounding, no limits.

    Args:
        dimension: M, which makes no difference here.
    """
    del dimension
    exact = Converter(bits=None)
    return Parameters(circuit=Circuit(dac=exact, adc=exact), source="exact mathematics")


def pcm(dimension: int) -> Parameters:
    """Return phase-change memory as IBM measured it on arrays of a million devices.

    Args:
        dimension: M, the length of a key.
    """
    device = Device(
        g_max=25.0,
        programming=(0.26348, 1.9650, -1.1731),
        drift_mean=(-0.0155, 0.0244),
        drift_mean_bounds=(0.049, 0.1),
        drift_deviation=(-0.0125, -0.0059),
        drift_deviation_bounds=(0.008, 0.045),
        read=0.0088,
        read_exponent=0.65,
        read_cap=0.2,
    )
    return Parameters(
        device=device,
        circuit=_circuit(dimension),
        source="Nandakumar et al., ICECS 2019; Joshi et al., Nature Communications 2020",
    )


def reram(dimension: int) -> Parameters:
    """Return a resistive memory: spread after a second, and after a day, as read off published figures.

    It does not drift as PCM does: devices wander. A read adds about 1 %.

    Args:
        dimension: M, the length of a key.
    """
    device = Device(
        g_max=40.0,
        programming=(0.348, 16.030, -43.853, 45.393, -16.815),
        relaxation=(0.701, 22.086, -50.773, 47.095, -16.458),
        read=0.0025,
        read_cap=0.0025,
        settled=1.0,
    )
    return Parameters(
        device=device,
        circuit=_circuit(dimension),
        source="Wan et al., Nature 608, 504 (2022), as fitted in IBM's aihwkit",
    )


PRESETS: dict[str, Callable[[int], Parameters]] = {"ideal": ideal, "pcm": pcm, "reram": reram}
"""By name; each takes the length of a key."""


def noisier(parameters: Parameters, factor: float) -> Parameters:
    """Return a crossbar whose devices have so many times the errors of programming and of reads.

    Args:
        parameters: The crossbar.
        factor: 0 and up; 0 leaves converters and drift.
    """
    device = parameters.device
    louder = replace(
        device,
        programming=tuple(factor * each for each in device.programming),
        read=factor * device.read,
        read_cap=factor * device.read_cap,
    )
    return replace(parameters, device=louder)


def _circuit(dimension: int) -> Circuit:
    """Return 8-bit converters for unit keys: a product of two is 1 at most, their numbers hardly over 6.5/√M."""
    most = min(1.0, SPREAD / math.sqrt(max(1, dimension)))
    return Circuit(
        weight_range=most,
        dac=Converter(bits=8, full_scale=most),
        adc=Converter(bits=8, full_scale=1.0),
        compensate=True,
    )
