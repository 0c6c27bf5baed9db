"""Each equation of addressing against its slow loop, on both array libraries, with and without leading dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm import addressing
from tests.ntm import oracle
from tests.ntm.draws import (
    Shape,
    array,
    assert_distribution,
    distributions,
    few,
    kernels,
    masks,
    numbers,
    plain,
    shapes,
    shares,
    tapes,
)
from tests.ntm.oracle import Array


def agree(found: Any, expected: Array) -> None:
    """Check shape and values in float64."""
    assert plain(found).dtype == np.float64
    assert plain(found).shape == expected.shape
    np.testing.assert_allclose(plain(found), expected, atol=1e-7)


class TestEquations:
    """Every function does what its loop does."""

    @few
    @given(data=st.data(), shape=shapes)
    def test_similarity_is_the_cosine_and_zero_for_zero_vectors(
        self, xp: Any, data: st.DataObject, shape: Shape
    ) -> None:
        """Zero rows and zero keys are among the draws."""
        key = data.draw(numbers(shape.of(shape.length)))
        memory = data.draw(numbers(shape.of(shape.slots, shape.length)))
        found = addressing.similarity(array(xp, key), array(xp, memory))
        agree(found, oracle.over_batch(oracle.similarity, shape.leading, key, memory))

    @few
    @given(data=st.data(), shape=shapes)
    def test_content_is_a_softmax_focused_by_the_key_strength(self, xp: Any, data: st.DataObject, shape: Shape) -> None:
        """One β for each leading index; 0 among them."""
        scores = data.draw(numbers(shape.of(shape.slots)))
        strength = 8 * data.draw(shares(shape.leading))
        found = addressing.content(array(xp, scores), array(xp, strength))
        agree(found, oracle.over_batch(oracle.content, shape.leading, scores, strength))

    @few
    @given(data=st.data(), shape=shapes)
    def test_absent_slots_get_no_content_weight_and_the_others_share_it(
        self, xp: Any, data: st.DataObject, shape: Shape
    ) -> None:
        """The mask may differ from one leading index to the next."""
        scores, present = data.draw(numbers(shape.of(shape.slots))), data.draw(masks(shape.of(shape.slots)))
        strength = 8 * data.draw(shares(shape.leading))
        found = addressing.content(array(xp, scores), array(xp, strength), array(xp, present, "bool"))
        agree(found, oracle.over_batch(oracle.content, shape.leading, scores, strength, present))
        assert np.all(plain(found)[~present] == 0)

    @few
    @given(data=st.data(), shape=shapes)
    def test_interpolation_blends_with_the_past_by_the_gate(self, xp: Any, data: st.DataObject, shape: Shape) -> None:
        """Gates of 0 and 1 are among the draws."""
        weights, previous = (data.draw(distributions(shape.of(shape.slots))) for _ in range(2))
        gate = data.draw(shares(shape.leading))
        found = addressing.interpolate(array(xp, weights), array(xp, previous), array(xp, gate))
        agree(found, oracle.over_batch(oracle.interpolate, shape.leading, weights, previous, gate))

    @few
    @given(data=st.data(), shape=shapes)
    def test_shift_rotates_and_wraps_a_kernel_wider_than_the_memory(
        self, xp: Any, data: st.DataObject, shape: Shape
    ) -> None:
        """Kernels reach up to 5 each way, over 1 to 7 slots."""
        weights, kernel = data.draw(distributions(shape.of(shape.slots))), data.draw(kernels(shape.leading))
        found = addressing.shift(array(xp, weights), array(xp, kernel))
        agree(found, oracle.over_batch(oracle.shift, shape.leading, weights, kernel))

    @few
    @given(data=st.data(), shape=shapes)
    def test_shift_along_follows_each_tape_and_stays_at_its_ends(
        self, xp: Any, data: st.DataObject, shape: Shape
    ) -> None:
        """All leading indices share the tapes."""
        weights, kernel = data.draw(distributions(shape.of(shape.slots))), data.draw(kernels(shape.leading))
        laid = data.draw(tapes(shape.slots))
        table = oracle.neighbour_table(laid, shape.slots, kernel.shape[-1] // 2)
        found = addressing.shift_along(array(xp, weights), array(xp, kernel), array(xp, table, "int64"))
        agree(
            found,
            oracle.over_batch(lambda w, s: oracle.shift_along(w, s, laid), shape.leading, weights, kernel),
        )

    @few
    @given(data=st.data(), shape=shapes)
    def test_sharpening_raises_to_the_power_and_normalises(self, xp: Any, data: st.DataObject, shape: Shape) -> None:
        """γ from 1 to 9; zero weights stay 0."""
        weights, gamma = data.draw(distributions(shape.of(shape.slots))), 1 + 8 * data.draw(shares(shape.leading))
        found = addressing.sharpen(array(xp, weights), array(xp, gamma))
        agree(found, oracle.over_batch(oracle.sharpen, shape.leading, weights, gamma))

    @few
    @given(data=st.data(), shape=shapes)
    def test_read_sums_the_rows_by_their_weights(self, xp: Any, data: st.DataObject, shape: Shape) -> None:
        """The weighting need not be a distribution."""
        weights = data.draw(numbers(shape.of(shape.slots)))
        memory = data.draw(numbers(shape.of(shape.slots, shape.length)))
        agree(
            addressing.read(array(xp, weights), array(xp, memory)),
            oracle.over_batch(oracle.read, shape.leading, weights, memory),
        )

    @few
    @given(data=st.data(), shape=shapes)
    def test_write_erases_then_adds(self, xp: Any, data: st.DataObject, shape: Shape) -> None:
        """A row with weight 0 is kept, one with weight 1 and erase 1 is replaced: both are among the draws."""
        memory = data.draw(numbers(shape.of(shape.slots, shape.length)))
        weights = data.draw(distributions(shape.of(shape.slots)))
        erase, add = data.draw(shares(shape.of(shape.length))), data.draw(numbers(shape.of(shape.length)))
        found = addressing.write(*(array(xp, values) for values in (memory, weights, erase, add)))
        agree(found, oracle.over_batch(oracle.write, shape.leading, memory, weights, erase, add))


class TestStandardize:
    """Scores on a common scale, before they are mixed."""

    @few
    @given(data=st.data(), shape=shapes)
    def test_scores_become_deviations_over_the_present_slots(self, xp: Any, data: st.DataObject, shape: Shape) -> None:
        """The floor under the spread moves a result by less than a part in a million here."""
        scores, present = data.draw(numbers(shape.of(shape.slots))), data.draw(masks(shape.of(shape.slots)))
        found = plain(addressing.standardize(array(xp, scores), array(xp, present, "bool")))
        expected = oracle.over_batch(oracle.standardize, shape.leading, scores, present)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert np.all(found[~present] == 0)

    @pytest.mark.parametrize("score", [0.0, 0.1, -7.0])
    def test_constant_scores_carry_no_information(self, xp: Any, score: float) -> None:
        """All results are 0, whatever an absent slot holds."""
        scores, present = array(xp, [score] * 7 + [99.0]), array(xp, [True] * 7 + [False], "bool")
        np.testing.assert_allclose(plain(addressing.standardize(scores, present)), 0, atol=1e-9)

    def test_no_slot_present_gives_zeros(self, xp: Any) -> None:
        """Nothing is divided by a count of 0."""
        found = addressing.standardize(array(xp, [1.0, 2.0]), array(xp, [False, False], "bool"))
        assert plain(found).tolist() == [0.0, 0.0]


class TestPlantedTransitions:
    """Parameters at the ends of their ranges do what the paper says they do."""

    WEIGHTS = (0.1, 0.2, 0.3, 0.4)

    @pytest.mark.parametrize(("offset", "arrives"), [(-1, 1), (0, 2), (1, 3)])
    def test_one_hot_kernel_moves_the_focus_by_its_offset(self, xp: Any, offset: int, arrives: int) -> None:
        """Weight on +1 moves from slot i to slot i + 1, on the circle and on a tape alike."""
        kernel = array(xp, np.eye(3)[offset + 1])
        weights = array(xp, np.eye(4)[2])
        table = array(xp, oracle.neighbour_table([[0, 1, 2, 3]], 4, 1), "int64")
        assert plain(addressing.shift(weights, kernel)).argmax() == arrives
        assert plain(addressing.shift_along(weights, kernel, table)).argmax() == arrives

    def test_ends_of_the_parameters_are_identities(self, xp: Any) -> None:
        """Gate 1 forgets the past, gate 0 keeps it, γ = 1 changes nothing, β = 0 is uniform."""
        weights, past = array(xp, self.WEIGHTS), array(xp, self.WEIGHTS[::-1])
        assert plain(addressing.interpolate(weights, past, 1.0)).tolist() == list(self.WEIGHTS)
        assert plain(addressing.interpolate(weights, past, 0.0)).tolist() == list(self.WEIGHTS[::-1])
        np.testing.assert_allclose(plain(addressing.sharpen(weights, 1.0)), self.WEIGHTS, atol=1e-12)
        assert plain(addressing.content(weights, 0.0)).tolist() == [0.25] * 4

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_numbers_and_arrays_are_the_same_parameters(self, xp: Any, dtype: str) -> None:
        """A head passes β, g and γ as plain numbers, a controller as arrays; the dtype of the weights is kept."""
        weights, past = array(xp, self.WEIGHTS, dtype), array(xp, self.WEIGHTS[::-1], dtype)
        laws: dict[float, Callable[[Any], Any]] = {
            0.7: lambda beta: addressing.content(weights, beta),
            0.1: lambda gate: addressing.interpolate(weights, past, gate),
            1.3: lambda gamma: addressing.sharpen(weights, gamma),
        }
        for value, law in laws.items():
            by_number, by_array = plain(law(value)), plain(law(array(xp, value, dtype)))
            assert by_number.tolist() == by_array.tolist()
            assert by_number.dtype == by_array.dtype == np.dtype(dtype)

    @pytest.mark.parametrize("width", [2, 4])
    def test_kernel_of_even_width_is_refused(self, xp: Any, width: int) -> None:
        """It has no middle, so no offset 0."""
        kernel, weights = array(xp, [1 / width] * width), array(xp, self.WEIGHTS)
        with pytest.raises(ValueError):  # noqa: PT011  # tests check the class, not the text
            addressing.shift(weights, kernel)
        with pytest.raises(ValueError):  # noqa: PT011  # the same
            addressing.shift_along(weights, kernel, array(xp, [[0, 1, 2, 3]] * width, "int64"))


class TestTapes:
    """What the shift along tapes promises beyond its equation."""

    @few
    @given(data=st.data(), shape=shapes)
    def test_no_weight_leaks_from_one_tape_into_another(self, xp: Any, data: st.DataObject, shape: Shape) -> None:
        """Each tape keeps its own sum, and one of a single slot its very weight."""
        weights, kernel = data.draw(distributions((shape.slots,))), data.draw(kernels(()))
        laid = data.draw(tapes(shape.slots))
        table = oracle.neighbour_table(laid, shape.slots, len(kernel) // 2)
        moved = plain(addressing.shift_along(array(xp, weights), array(xp, kernel), array(xp, table, "int64")))
        for tape in laid:
            assert moved[tape].sum() == pytest.approx(weights[tape].sum(), abs=1e-12)
        assert_distribution(moved, 1e-12)


def chain(xp: Any, slots: int, dtype: str, *, strength: float, gate: float, gamma: float) -> list[Any]:
    """Run every stage on a memory of pseudo-random rows, the first one zero, under a batch of two keys."""
    rng = np.random.default_rng(slots)
    memory = rng.normal(size=(2, slots, 3))
    memory[:, 0] = 0
    previous = np.eye(slots)[[0, slots - 1]]
    halves = [list(range(slots // 2)), list(range(slots // 2, slots))]
    kernel = array(xp, [0.1, 0.2, 0.4, 0.2, 0.1], dtype)
    key, rows = array(xp, rng.normal(size=(2, 3)), dtype), array(xp, memory, dtype)
    content = addressing.content(addressing.similarity(key, rows), strength)
    gated = addressing.interpolate(content, array(xp, previous, dtype), gate)
    shifted = addressing.shift(gated, kernel)
    along = addressing.shift_along(shifted, kernel, array(xp, oracle.neighbour_table(halves, slots, 2), "int64"))
    return [content, gated, shifted, along, addressing.sharpen(along, gamma)]


class TestLaw:
    """A distribution goes in, a distribution comes out."""

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("slots", [1, 2, 10_000])
    @pytest.mark.parametrize(
        ("strength", "gate", "gamma"), [(0.0, 0.0, 1.0), (1.0, 0.5, 50.0), (1e30, 1.0, 1e6), (1e30, 0.0, 1.0)]
    )
    def test_weights_are_a_distribution_at_every_stage(
        self, xp: Any, dtype: str, slots: int, strength: float, gate: float, gamma: float
    ) -> None:
        """The ends of every parameter, on one slot and on ten thousand."""
        for weights in chain(xp, slots, dtype, strength=strength, gate=gate, gamma=gamma):
            assert_distribution(weights)

    @pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-14)])
    def test_numpy_and_torch_agree(self, torch: Any, dtype: str, tolerance: float) -> None:
        """The same lines give the same numbers, to rounding."""
        setting = {"strength": 3.0, "gate": 0.7, "gamma": 2.5}
        for ours, theirs in zip(chain(np, 50, dtype, **setting), chain(torch, 50, dtype, **setting), strict=True):
            np.testing.assert_allclose(plain(theirs), ours, atol=tolerance)

    def test_arguments_are_left_as_they_were(self, xp: Any) -> None:
        """Nothing is modified in place."""
        weights, other, memory = array(xp, [0.2, 0.8]), array(xp, [1.0, 0.0]), array(xp, [[1.0, 2.0], [0.0, 0.0]])
        present, table = array(xp, [True, False], "bool"), array(xp, oracle.neighbour_table([[0, 1]], 2, 1), "int64")
        kernel, used = array(xp, [0.2, 0.5, 0.3]), (weights, other, memory, present, table)
        before = [plain(values).copy() for values in (*used, kernel)]
        addressing.content(addressing.similarity(weights, memory), 2.0, present)
        addressing.standardize(weights, present)
        addressing.interpolate(weights, other, 0.5)
        addressing.shift_along(addressing.shift(weights, kernel), kernel, table)
        addressing.read(addressing.sharpen(weights, 2.0), addressing.write(memory, weights, other, weights))
        for kept, values in zip(before, (*used, kernel), strict=True):
            np.testing.assert_array_equal(kept, plain(values))
