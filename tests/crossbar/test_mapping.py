"""Numbers as conductances: back they come by the definition, written out in loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ntm_memory_skill.crossbar import Circuit, Device
from ntm_memory_skill.crossbar.mapping import scales, significances, targets

DEVICE = Device(g_min=2.0, g_max=22.0)
Rows = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

some_rows = hnp.array_shapes(min_dims=2, max_dims=2, max_side=5).flatmap(
    lambda shape: hnp.arrays(np.int64, shape, elements=st.integers(-16, 16)).map(
        lambda eighths: (eighths / 8).astype(np.float32)
    )
)
circuits = st.builds(
    Circuit,
    weight_range=st.sampled_from([None, 0.5, 1.0, 4.0]),
    slices=st.integers(1, 4),
    slice_bits=st.integers(1, 8),
)


def number(goals: Rows, scale: float, circuit: Circuit) -> float:
    """Return what the device pairs of one number stand for: digits of a number, pair by pair."""
    if circuit.slices == 1:
        return scale * (float(goals[0][0]) - float(goals[0][1])) / (DEVICE.g_max - DEVICE.g_min)
    base, whole = 1 << circuit.slice_bits, 0.0
    for positive, negative in goals:
        digit = (float(positive) - float(negative)) / (DEVICE.g_max - DEVICE.g_min) * (base - 1)
        whole = whole * base + digit
    return scale * whole / ((1 << circuit.slice_bits * circuit.slices) - 1)


@given(rows=some_rows, circuit=circuits)
def test_conductances_are_the_numbers_again(rows: Rows, circuit: Circuit) -> None:
    """Within the range, a number is off by half a step of its slices at most; beyond, it is the end of the range."""
    goals, found = targets(rows, DEVICE, circuit)
    assert goals.shape == (len(rows), circuit.slices, 2, rows.shape[1])
    assert goals.dtype == np.float32
    step = 0.0 if circuit.slices == 1 else 1 / (2 ** (circuit.slice_bits * circuit.slices) - 1)
    for row in range(len(rows)):
        largest = max(abs(float(each)) for each in rows[row])
        scale = circuit.weight_range or largest or 1.0
        assert found[row] == pytest.approx(scale)
        for place in range(rows.shape[1]):
            wanted = min(max(float(rows[row, place]), -scale), scale)
            back = number(goals[row, :, :, place], scale, circuit)
            assert back == pytest.approx(wanted, abs=scale * (step / 2 + 1e-5))


@given(rows=some_rows, circuit=circuits)
def test_one_device_of_each_pair_rests(rows: Rows, circuit: Circuit) -> None:
    """Of a positive number it is the second, of a negative one the first, of 0 both; none leaves the range."""
    goals, _ = targets(rows, DEVICE, circuit)
    assert goals.min() >= DEVICE.g_min
    assert goals.max() <= np.float32(DEVICE.g_max)
    for row in range(len(rows)):
        for place in range(rows.shape[1]):
            for positive, negative in goals[row, :, :, place]:
                if rows[row, place] >= 0:
                    assert negative == DEVICE.g_min
                if rows[row, place] <= 0:
                    assert positive == DEVICE.g_min


@pytest.mark.parametrize("slices", [1, 2])
def test_what_is_beyond_the_range_saturates(slices: int) -> None:
    """A number of twice the range has the conductances of the range's end."""
    circuit = Circuit(weight_range=0.5, slices=slices)
    beyond, _ = targets(np.array([[1.0, -1.0, 0.5, -0.5]], np.float32), DEVICE, circuit)
    np.testing.assert_array_equal(beyond[..., :2], beyond[..., 2:])
    assert beyond[0, :, 0, 0].tolist() == [DEVICE.g_max] * slices
    assert beyond[0, :, 1, 1].tolist() == [DEVICE.g_max] * slices


@pytest.mark.parametrize(
    ("slices", "bits"), [(slices, bits) for slices in range(1, 9) for bits in range(1, 9) if slices * bits <= 32]
)
def test_the_largest_number_is_all_of_every_slice(slices: int, bits: int) -> None:
    """However many bits there are, the end of the range is every digit at its largest, and never wraps around to 0."""
    goals, _ = targets(np.array([[1.0, -1.0]], np.float32), DEVICE, Circuit(slices=slices, slice_bits=bits))
    assert goals[0, :, 0, 0].tolist() == [DEVICE.g_max] * slices
    assert goals[0, :, 1, 1].tolist() == [DEVICE.g_max] * slices


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("slices", range(1, 5))
def test_significances_add_up_to_a_whole(slices: int, bits: int) -> None:
    """Full pairs in all slices are a full number, and each slice is worth a base more than the next."""
    found = significances(Circuit(slices=slices, slice_bits=bits))
    assert len(found) == slices
    assert float(found.sum()) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(found[:-1] / found[1:], 2.0**bits, rtol=1e-5)


@pytest.mark.parametrize("weight_range", [None, 0.5])
@pytest.mark.parametrize("slices", [1, 3])
def test_a_row_of_zeros_rests_altogether(weight_range: float | None, slices: int) -> None:
    """Its scale divides by nothing, beside a row that is not."""
    circuit = Circuit(weight_range=weight_range, slices=slices)
    goals, scale = targets(np.array([[0.0, 0.0], [0.25, 0.0]], np.float32), DEVICE, circuit)
    assert (goals[0] == DEVICE.g_min).all()
    assert goals[1].max() > DEVICE.g_min
    assert scale.tolist() == ([1.0, 0.25] if weight_range is None else [0.5, 0.5])


def test_no_rows_have_no_scales() -> None:
    """Nothing is divided by the largest of none."""
    empty = np.zeros((0, 3), np.float32)
    assert scales(empty, Circuit()).shape == (0,)
    assert targets(empty, DEVICE, Circuit())[0].shape == (0, 1, 2, 3)
