"""What reading, programming and comparing would cost, against sums worked out by hand."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.crossbar import Circuit, Converter, Crossbar, Device, Parameters, Tile
from ntm_memory_skill.crossbar.energy import (
    ADC_PJ,
    DAC_PJ,
    Cost,
    cost_of_comparing,
    cost_of_programming,
    cost_of_reading,
)
from ntm_memory_skill.crossbar.presets import pcm

SMALL = Parameters(
    device=Device(read_seconds=1e-6),
    circuit=Circuit(
        slices=2, dac=Converter(bits=6), adc=Converter(bits=7), tile=Tile(rows=4, columns=8), pulses=3, tolerance=1.0
    ),
)

costs = st.builds(Cost, *[st.floats(0, 1e6)] * 5)


@given(one=costs, other=costs)
def test_items_add_up(one: Cost, other: Cost) -> None:
    """A sum has the sum of each item, time among them, and the total is all items but time."""
    both = one + other
    assert astuple(both) == tuple(left + right for left, right in zip(astuple(one), astuple(other), strict=True))
    assert both.picojoules == pytest.approx(sum(astuple(both)[:4]))


def test_a_read_by_hand() -> None:
    """Ten numbers take 3 tiles of 4 inputs; 5 rows of 2 slices take 20 columns, 3 tiles of 8.

    DAC: 10 inputs into 3 tiles, 30 pulses of 6 bits: 0.25 / 4 pJ each. Array: 200 devices of 8 µS at 0.2 V for 1 µs:
    200 · 0.04 · 8e-6 · 1e-6 J = 64 pJ. ADC: 5 rows · 2 slices · 3 tiles of 7 bits: 0.8 pJ each.
    Digital: 30 sums make 5.
    """
    found = cost_of_reading(SMALL, dimension=10, rows=5, conductance=8.0)
    assert astuple(found) == pytest.approx((30 * 0.0625, 64.0, 30 * 0.8, 25 * 4.6, 1e-6))
    assert found.picojoules == pytest.approx(1.875 + 64 + 24 + 115)


def test_programming_by_hand() -> None:
    """Each of 12 pulses is 20 pJ and a µs, and is read back where it is verified."""
    verified = cost_of_programming(SMALL, pulses=12)
    assert astuple(verified) == pytest.approx((0, 240, 12 * 0.8, 0, 12e-6))
    once = replace(SMALL, circuit=replace(SMALL.circuit, pulses=1))
    assert astuple(cost_of_programming(once, pulses=8)) == pytest.approx((0, 160, 0, 0, 8e-6))


def test_comparing_by_hand() -> None:
    """Three rows of 10 numbers are 30 products of 4.6 pJ and 15 words of 1.3 nJ, a nanosecond each."""
    assert astuple(cost_of_comparing(10, 3)) == pytest.approx((0, 0, 0, 30 * 4.6 + 15 * 1300, 15e-9))
    assert astuple(cost_of_comparing(10, 0)) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("bits", range(2, 16))
def test_a_bit_more_doubles_a_converters_item_and_no_other(bits: int) -> None:
    """For DAC and ADC alike, of reads and of pulses that are verified."""

    def wide(adc: int, dac: int) -> Parameters:
        circuit = replace(SMALL.circuit, adc=Converter(bits=adc), dac=Converter(bits=dac))
        return replace(SMALL, circuit=circuit)

    before = cost_of_reading(wide(bits, bits), 10, 5, 8.0)
    adc = cost_of_reading(wide(bits + 1, bits), 10, 5, 8.0)
    dac = cost_of_reading(wide(bits, bits + 1), 10, 5, 8.0)
    assert before.adc > 0
    assert before.dac > 0
    assert adc == replace(before, adc=2 * before.adc)
    assert dac == replace(before, dac=2 * before.dac)
    pulses = [cost_of_programming(wide(each, bits), 12).adc for each in (bits, bits + 1)]
    assert pulses[1] == 2 * pulses[0]


def test_a_converter_without_width_costs_what_eight_bits_do() -> None:
    """Exact mathematics cannot be built; for its cost it is taken for the usual one."""
    exact = replace(SMALL, circuit=replace(SMALL.circuit, adc=Converter(bits=None), dac=Converter(bits=None)))
    found = cost_of_reading(exact, 10, 5, 8.0)
    assert (found.dac, found.adc) == pytest.approx((30 * DAC_PJ, 30 * ADC_PJ))


def test_an_empty_crossbar_costs_the_time_of_a_read() -> None:
    """No row, no energy: neither to read it, nor to program none."""
    empty = Crossbar(pcm(16), 16, 4)
    assert empty.cost_of_read() == Cost(0, 0, 0, 0, 250e-9)
    assert empty.write([], np.zeros((0, 16), np.float32), at=0) == Cost(0, 0, 0, 0, 0)


def test_a_crossbar_counts_what_it_did() -> None:
    """Programming: a pulse for each device. A read: what the rows in use have, an erased one no more."""
    rows = np.array([[1.0, -1.0, 0.5], [0.25, 0.0, 1.0]], np.float32)
    crossbar = Crossbar(Parameters(), 3, 4)
    assert crossbar.write([0, 3], rows, at=0).array == 2 * 3 * 2 * 20
    whole = 25.0 * np.array([2.5, 1.25])
    for erased, rest in ((None, whole), (0, whole[1:])):
        if erased is not None:
            crossbar.erase([erased])
        mean = float(rest.sum()) / (6 * len(rest))
        found = astuple(crossbar.cost_of_read())
        assert found == pytest.approx(astuple(cost_of_reading(Parameters(), 3, len(rest), mean)))


def test_verifying_costs_the_pulses_that_it_took() -> None:
    """More than one for some devices of PCM, and no more than allowed."""
    circuit = replace(pcm(32).circuit, pulses=4, tolerance=0.5)
    crossbar = Crossbar(replace(pcm(32), circuit=circuit), 32, 8)
    spent = crossbar.write(range(8), np.random.default_rng(1).normal(size=(8, 32)) / 6, at=0)
    cells = 8 * 32 * 2
    assert cells < spent.array / 20 < 4 * cells
    assert spent.seconds == pytest.approx(spent.array / 20 * 1e-6)
