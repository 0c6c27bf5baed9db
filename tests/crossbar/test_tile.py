"""A tile's circuits: converters against a loop, wires against the equations of the whole network of resistors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ntm_memory_skill.crossbar import Converter
from ntm_memory_skill.crossbar.tile import convert, with_wires

Values = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

converters = st.builds(Converter, bits=st.integers(2, 16), full_scale=st.sampled_from([0.25, 1.0, 3.0]))
values = hnp.arrays(np.float64, st.integers(0, 20), elements=st.floats(-4, 4))


def converted(value: float, converter: Converter) -> float:
    """Return what a converter makes of one number: the nearest of its levels, searched for around it."""
    steps = (1 << (converter.bits or 0) - 1) - 1
    step = converter.full_scale / steps
    near = range(max(-steps, math.floor(value / step) - 1), min(steps, math.ceil(value / step) + 1) + 1)
    if value >= converter.full_scale:
        return converter.full_scale
    if value <= -converter.full_scale:
        return -converter.full_scale
    return min((place * step for place in near), key=lambda level: abs(level - value))


@given(values=values, converter=converters)
def test_numbers_become_the_nearest_level(values: Values, converter: Converter) -> None:
    """Between two levels the error is half a step at most, beyond the last it is that level."""
    found = convert(values, converter)
    step = converter.full_scale / (2 ** ((converter.bits or 0) - 1) - 1)
    for value, level in zip(values.tolist(), found.tolist(), strict=True):
        wanted = converted(value, converter)
        halfway = math.isclose(abs(value / step) % 1, 0.5, abs_tol=1e-9)
        assert level == pytest.approx(wanted, abs=step * 1.001 if halfway else converter.full_scale * 1e-12)


@given(values=values, full_scale=st.sampled_from([0.25, 3.0]))
def test_a_converter_without_width_passes_everything(values: Values, full_scale: float) -> None:
    """Neither rounding nor a limit, whatever the full scale."""
    np.testing.assert_array_equal(convert(values, Converter(bits=None, full_scale=full_scale)), values)


def test_the_narrowest_converter_tells_the_sign() -> None:
    """Two bits: a level on either side of 0."""
    found = convert(np.array([-9.0, -0.6, -0.4, 0.0, 0.4, 0.6, 9.0]), Converter(bits=2, full_scale=1.0))
    assert found.tolist() == [-1, -1, 0, 0, 0, 1, 1]


@given(values=values, converter=converters)
def test_what_was_converted_stays(values: Values, converter: Converter) -> None:
    """A level is converted to itself, and its negative to the negative."""
    once = convert(values, converter)
    np.testing.assert_allclose(convert(once, converter), once, rtol=1e-12)
    np.testing.assert_allclose(convert(-values, converter), -once, rtol=1e-12)


def network(conductance: Values, ohm: float, volts: Values) -> Values:
    """Return the currents, A, at the grounded ends of the columns, by Kirchhoff's law at every crossing.

    Row i has a driver of volts[i], a segment, and then a node beside each column, a segment between any two. Column j
    has a node beside each row; from that of the first row a segment leads to ground. A device joins each pair.
    """
    columns, rows = conductance.shape
    size, wire = columns * rows, 1 / ohm
    law, given_current = np.zeros((2 * size, 2 * size)), np.zeros(2 * size)

    def join(one: int, two: int, siemens: float) -> None:
        for here, there in ((one, two), (two, one)):
            law[here, here] += siemens
            law[here, there] -= siemens

    for i in range(rows):
        for j in range(columns):
            on_row, on_column = i * columns + j, size + i * columns + j
            join(on_row, on_column, conductance[j, i] * 1e-6)
            if j + 1 < columns:
                join(on_row, on_row + 1, wire)
            if i + 1 < rows:
                join(on_column, on_column + columns, wire)
        law[i * columns, i * columns] += wire
        given_current[i * columns] += wire * volts[i]
    for j in range(columns):
        law[size + j, size + j] += wire
    potentials = np.linalg.solve(law, given_current)
    return np.asarray(potentials[size : size + columns] * wire)


def drawn(columns: int, rows: int, seed: int, loss: float) -> tuple[Values, Values, float]:
    """Return conductances, voltages on either side of 0, and an Ω for a loss of about that much."""
    rng = np.random.default_rng(seed)
    conductance, volts = rng.uniform(0, 25, (columns, rows)), rng.uniform(-0.2, 0.2, rows)
    met = conductance.mean() * 1e-6 * (rows**2 + columns**2) / 3
    return conductance, volts, loss / met


@pytest.mark.parametrize(("columns", "rows"), [(4, 6), (6, 4), (8, 8), (12, 12), (1, 12), (12, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_what_wires_lose_is_what_the_network_loses(columns: int, rows: int, seed: int) -> None:
    """Where a few percent are lost at most, the first order is all but 15 % of it."""
    conductance, volts, ohm = drawn(columns, rows, seed, loss=0.03)
    exact, without = network(conductance, ohm, volts), conductance @ volts * 1e-6
    found = with_wires(conductance, ohm) @ volts * 1e-6
    lost = np.abs(without - exact).sum()
    assert 0 < lost / (conductance @ np.abs(volts) * 1e-6).sum() < 0.1
    assert np.abs(found - exact).sum() < 0.15 * lost


def test_what_is_left_out_is_of_second_order() -> None:
    """A tenth of the resistance, a hundredth of the error: the formula's places and ends are those of the network."""
    conductance, volts, ohm = drawn(7, 9, 5, loss=0.02)
    errors = []
    for each in (ohm, ohm / 10):
        found = with_wires(conductance, each).astype(np.float64)
        errors.append(np.abs(found @ volts * 1e-6 - network(conductance, each, volts)).sum())
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.2)


def test_ends_matter() -> None:
    """The device beside driver and ground loses least, the farthest one most."""
    seen = with_wires(np.full((5, 6), 10.0), 20.0)
    assert (np.diff(seen, axis=0) < 0).all()
    assert (np.diff(seen, axis=1) < 0).all()


def test_wires_without_resistance_lose_nothing() -> None:
    """Not even a rounding."""
    conductance = np.random.default_rng(2).uniform(0, 25, (5, 7)).astype(np.float32)
    np.testing.assert_array_equal(with_wires(conductance, 0.0), conductance)


def test_wires_that_lose_all_leave_nothing_below_0() -> None:
    """The first order would turn the sign; a wire does not."""
    seen = with_wires(np.full((50, 60), 25.0), 1_000.0)
    assert seen.min() == 0
