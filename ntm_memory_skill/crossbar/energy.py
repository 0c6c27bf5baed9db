"""What programming and reading a crossbar would cost, item by item, beside a digital search. Models, not measurements.

Each number has its source where it stands. For comparison: IBM's HERMES chip, PCM in 14 nm with its converters, was
measured at 9.76 TOPS/W in its one-phase mode, which is 0.205 pJ for a multiplication with its addition (Khaddam-Aljameh
et al., IEEE JSSC 57, 2022; Le Gallo et al., Nature Electronics 6, 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ntm_memory_skill.crossbar.params import Parameters

READ_VOLT = 0.2
"""V across a device in a read [a usual value for PCM and ReRAM arrays]."""
DAC_PJ = 0.25
"""pJ to turn a number into a pulse of 8 bits [assumed; half for each bit less]."""
ADC_PJ = 1.6
"""pJ for a conversion of 8 bits: ISAAC's 1.28 GS/s converter of 2 mW (Shafiee et al., ISCA 2016); a bit doubles it."""
PULSE_PJ = 20.0
"""pJ to program a device once [assumed: tens of µA at about a volt for a µs]."""
PULSE_SECONDS = 1e-6
"""s for a pulse and the read that verifies it [assumed]. Devices of a column are programmed one after the other."""
MULTIPLY_ADD_PJ = 4.6
"""pJ for a float32 product and sum in 45 nm: 3.7 + 0.9 (Horowitz, ISSCC 2014)."""
DRAM_PJ = 1_300.0
"""pJ for 64 bits from DRAM, the lower end of 1.3 to 2.6 nJ (Horowitz, ISSCC 2014)."""
DIGITAL_SECONDS = 1e-9
"""s for 8 bytes from DRAM: 8 GB/s [assumed]."""
REFERENCE_BITS = 8
NUMBERS_IN_DRAM_WORD = 2
PICO = 1e-12
MICRO = 1e-6


@dataclass(frozen=True, slots=True)
class Cost:
    """Energy in pJ, item by item, and the time that it takes."""

    dac: float
    array: float
    adc: float
    digital: float
    """Sums of tiles and slices, and exact rows that were compared."""
    seconds: float

    @property
    def picojoules(self) -> float:
        """All of it."""
        return self.dac + self.array + self.adc + self.digital

    def __add__(self, other: Cost) -> Cost:
        """Return both, one after the other."""
        return Cost(
            self.dac + other.dac,
            self.array + other.array,
            self.adc + other.adc,
            self.digital + other.digital,
            self.seconds + other.seconds,
        )


def cost_of_programming(parameters: Parameters, pulses: int) -> Cost:
    """Return what it costs to program devices.

    Args:
        parameters: What the crossbar is made of.
        pulses: How often they were programmed, all together.
    """
    verifying = parameters.circuit.pulses > 1
    return Cost(
        dac=0.0,
        array=pulses * PULSE_PJ,
        adc=pulses * _adc(parameters) if verifying else 0.0,
        digital=0.0,
        seconds=pulses * PULSE_SECONDS,
    )


def cost_of_reading(parameters: Parameters, dimension: int, rows: int, conductance: float) -> Cost:
    """Return what it costs to read all rows once; tiles work at the same time.

    Args:
        parameters: What the crossbar is made of.
        dimension: M.
        rows: How many rows there are.
        conductance: The mean over the devices, µS.
    """
    circuit, device = parameters.circuit, parameters.device
    blocks = math.ceil(dimension / circuit.tile.rows)
    wide = math.ceil(rows * circuit.slices / (circuit.tile.columns // 2))
    cells = 2 * rows * circuit.slices * dimension
    sums = rows * circuit.slices * blocks
    bits = circuit.dac.bits or REFERENCE_BITS
    return Cost(
        dac=dimension * wide * DAC_PJ * 2.0 ** (bits - REFERENCE_BITS),
        array=cells * READ_VOLT**2 * conductance * MICRO * device.read_seconds / PICO,
        adc=sums * _adc(parameters),
        digital=max(0, sums - rows) * MULTIPLY_ADD_PJ,
        seconds=device.read_seconds,
    )


def cost_of_comparing(dimension: int, rows: int) -> Cost:
    """Return what it costs to compare a query with rows exactly, in float32 from DRAM: the rerank, or all of a search.

    Args:
        dimension: M.
        rows: How many.
    """
    words = rows * dimension / NUMBERS_IN_DRAM_WORD
    return Cost(0.0, 0.0, 0.0, rows * dimension * MULTIPLY_ADD_PJ + words * DRAM_PJ, words * DIGITAL_SECONDS)


def _adc(parameters: Parameters) -> float:
    bits = parameters.circuit.adc.bits or REFERENCE_BITS
    return ADC_PJ * 2.0 ** (bits - REFERENCE_BITS)
