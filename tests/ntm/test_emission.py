"""What a controller says moves the default head, and never out of its bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ntm_memory_skill.ntm import (
    CONTROLLERS,
    ControllerShape,
    Ground,
    HeadParameters,
    Steering,
    address,
    emit,
    forward,
    initial,
)
from tests.ntm import oracle
from tests.ntm.draws import LEADING, array, assert_distribution, few, heads, numbers, plain, shares, side_by_side
from tests.ntm.oracle import Array

AT_BOUNDS = (
    HeadParameters(),
    HeadParameters(gate=0.0, sharpening=1.0, length_ratio=math.inf),
    HeadParameters(gate=1.0, kernel=(0.0, 0.0, 1.0), key_strength=1e-6, length_ratio=1e-6),
    HeadParameters(kernel=(1.0,), key_strength=100.0, sharpening=100.0),
)


class Saying:
    """What a controller says for one to three heads at each leading index, and what it is said about."""

    def __init__(self, data: st.DataObject, elements: st.SearchStrategy[float] | None = None) -> None:
        self.leading = data.draw(st.sampled_from(LEADING))
        self.count, self.terms = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
        self.base = data.draw(heads(data.draw(st.integers(0, 3))) | st.sampled_from(AT_BOUNDS))
        size = (*self.leading, self.count, self.terms + len(self.base.kernel) + 4)
        drawn = (
            numbers(size).map(lambda each: 2 * each)
            if elements is None
            else hnp.arrays(np.float64, size, elements=elements)
        )
        self.said: Array = data.draw(drawn)
        self.weights: Array = data.draw(numbers((*self.leading, self.terms)))
        self.trust: Array = data.draw(shares((*self.leading, self.terms)))

    def emitted(self, xp: Any, scale: float = 1.0, dtype: str = "float64") -> tuple[Any, Steering]:
        """Return what comes of it."""
        said, weights, trust = (array(xp, values, dtype) for values in (self.said, self.weights, self.trust))
        return emit(scale * said, weights, trust, self.base)


def in_one_row(omega: Any, steering: Steering) -> Array:
    """Return everything that was emitted for a head side by side, as the loop does."""
    beta, gate, kernel, gamma, ratio = (plain(values) for values in steering)
    columns = (values[..., None] for values in (beta, gate))
    return np.concatenate([plain(omega), *columns, kernel, gamma[..., None], ratio[..., None]], axis=-1)


def assert_default(omega: Any, steering: Steering, saying: Saying, tolerance: float) -> None:
    """Check that every head is the default one."""
    shape = (*saying.leading, saying.count)
    assert plain(omega).tolist() == np.broadcast_to(saying.weights[..., None, :], (*shape, saying.terms)).tolist()
    for name, found in steering._asdict().items():
        default = np.array(getattr(saying.base, name))
        expected = np.broadcast_to(default, (*shape, *default.shape))
        np.testing.assert_allclose(plain(found), expected, rtol=tolerance, atol=tolerance, err_msg=name)


class TestEmission:
    """How far each parameter moves."""

    @few
    @given(data=st.data())
    def test_every_parameter_moves_by_its_law(self, xp: Any, data: st.DataObject) -> None:
        """An exponent beyond 2 counts as 2; such are among the draws, to both sides."""
        saying = Saying(data)
        expected = oracle.over_batch(
            lambda said, weights, trust: [oracle.emit(row, weights, trust, saying.base) for row in said],
            saying.leading,
            saying.said,
            saying.weights,
            saying.trust,
        )
        np.testing.assert_allclose(in_one_row(*saying.emitted(xp)), expected, rtol=1e-7, atol=1e-9)

    @few
    @given(data=st.data(), scale=st.sampled_from([0.0, 1.0]))
    def test_silence_is_the_default_head(self, xp: Any, data: st.DataObject, scale: float) -> None:
        """Zeros in every place, or any numbers at a scale of 0, to the rounding of a kernel's zeros."""
        anything = st.floats(allow_nan=False, allow_infinity=False) if scale == 0 else st.just(0.0)
        saying = Saying(data, anything)
        assert_default(*saying.emitted(xp, scale), saying, 1e-7)

    @few
    @given(data=st.data())
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_no_finite_number_moves_a_parameter_out_of_its_bounds(
        self, xp: Any, data: st.DataObject, dtype: str
    ) -> None:
        """Up to the largest that there are: no NaN, and nothing infinite but the ratio that was."""
        largest = float(np.finfo(dtype).max)
        any_finite = st.floats(-largest, largest, width=32 if dtype == "float32" else 64)
        saying = Saying(data, st.sampled_from([-largest, largest, 0.0]) | any_finite)
        omega, steering = saying.emitted(xp, dtype=dtype)
        assert np.isfinite(plain(omega)).all()
        beta, gate, kernel, gamma, ratio = (plain(values) for values in steering)
        assert {values.dtype for values in (beta, gate, kernel, gamma, ratio)} == {np.dtype(dtype)}
        assert np.all((beta > 0) & (beta < math.inf))
        assert np.all((gate >= 0) & (gate <= 1))
        assert_distribution(kernel)
        assert np.all((gamma >= 1) & (gamma < math.inf))
        assert np.all(ratio > 0)
        assert np.all((ratio < math.inf) == (saying.base.length_ratio < math.inf))

    @pytest.mark.parametrize("far", [2.0, 50.0, 1e30])
    def test_parameters_change_by_e_squared_at_most(self, xp: Any, far: float) -> None:
        """To both sides; the default head stays in sight."""
        base, most = HeadParameters(), math.exp(2)
        said = np.array([[0.0] * 8 + [far] * 4, [0.0] * 8 + [-far] * 4])
        _, steering = emit(array(xp, said), array(xp, [1.0]), array(xp, [1.0]), base)
        for found, default in [
            (plain(steering.key_strength), base.key_strength),
            (plain(steering.gate) / (1 - plain(steering.gate)), base.gate / (1 - base.gate)),
            (plain(steering.sharpening) - 1, base.sharpening - 1),
            (plain(steering.length_ratio), base.length_ratio),
        ]:
            np.testing.assert_allclose(found, [default * most, default / most], rtol=1e-6)

    def test_term_that_is_not_trusted_is_not_moved(self, xp: Any) -> None:
        """Whatever is said of it; one that is trusted by half is moved by half."""
        said = array(xp, [[4.0, 4.0, 4.0] + [0.0] * 11])
        omega, _ = emit(said, array(xp, [0.6, 0.4, -1.0]), array(xp, [0.0, 0.5, 1.0]), HeadParameters())
        np.testing.assert_allclose(plain(omega), [[0.6, 2.4, 3.0]], atol=1e-12)

    @pytest.mark.parametrize("base", AT_BOUNDS)
    def test_arguments_are_left_as_they_were(self, xp: Any, base: HeadParameters) -> None:
        """Nothing is modified in place, not even where it is cut off."""
        said, usual, trust = used = [
            array(xp, values) for values in (np.full((2, 5 + len(base.kernel)), 9.0), [0.5], [1.0])
        ]
        before = [plain(values).copy() for values in used]
        emit(said, usual, trust, base)
        for kept, values in zip(before, used, strict=True):
            np.testing.assert_array_equal(kept, plain(values))


@pytest.mark.parametrize("kind", CONTROLLERS)
@pytest.mark.parametrize("base", AT_BOUNDS)
def test_untaught_controller_looks_where_the_default_head_looks(xp: Any, kind: str, base: HeadParameters) -> None:
    """A constant start, through the whole of it, in the engine's float32: by every head the same weights."""
    shape = ControllerShape(kind=kind, inputs=3, terms=2, heads=2, width=len(base.kernel))
    weights = initial(shape, "constant", np.random.default_rng(0))
    given = {name: array(xp, values, "float32") for name, values in weights.items()}
    said, _ = forward(shape, given, array(xp, [1.0, -9.0, 2.0], "float32"))
    usual, trust = array(xp, [0.6, 0.4], "float32"), array(xp, [1.0, 1.0], "float32")
    omega, steering = emit(said, usual, trust, base)
    terms = array(xp, [[1.0, -1.0, 0.5, 0.0, 0.25], [0.0, 2.0, -1.0, 0.0, 0.5]], "float32")
    chat = [[0, 1, 2, 3, 4]]
    ground = Ground(
        array(xp, [True] * 4 + [False], "bool"),
        array(xp, oracle.neighbour_table(chat, 5, base.reach), "int64"),
        array(xp, oracle.relative_lengths([1.0, 40.0, 2.0, 2.0, 90.0], chat, base.reach), "float32"),
        array(xp, [0.0, 0.5, 0.25, 0.25, 0.0], "float32"),
    )
    looks = address(omega @ terms, steering, ground)
    default = side_by_side(xp, [base], dtype="float32")
    expected = address((usual @ terms)[None, :], default, ground)
    for found, wanted in zip(looks, expected, strict=True):
        np.testing.assert_allclose(plain(found), np.broadcast_to(plain(wanted), (2, 5)), atol=1e-6)
    merged, alone = looks.merged(steering.sharpening), expected.merged(default.sharpening)
    np.testing.assert_allclose(plain(merged.sharpened), plain(alone.sharpened), atol=1e-5)
