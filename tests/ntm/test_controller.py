"""Controllers against loops that take one unit after the other, and the LSTM against torch's own cell."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm import CONTROLLERS, ControllerShape, State, forward, initial
from tests.ntm import oracle
from tests.ntm.draws import LEADING, array, few, numbers, plain
from tests.ntm.oracle import Array

kinds = pytest.mark.parametrize("kind", CONTROLLERS)


def shape_of(kind: str, **given: int) -> ControllerShape:
    """Return a small controller; `given` replaces sizes by name."""
    return ControllerShape(kind=kind, **{"inputs": 3, "terms": 2, "heads": 2, "width": 3, "hidden": 4, **given})


@st.composite
def controllers(draw: st.DrawFn, kind: str) -> tuple[ControllerShape, dict[str, Array]]:
    """Draw a controller of any small size, and weights for it."""
    shape = ControllerShape(
        kind=kind,
        inputs=draw(st.integers(1, 4)),
        terms=draw(st.integers(1, 3)),
        heads=draw(st.integers(1, 3)),
        width=draw(st.sampled_from([1, 3, 5])),
        hidden=draw(st.integers(1, 3)),
    )
    return shape, {name: draw(numbers(size)) for name, size in shape.sizes().items()}


def given_to(xp: Any, weights: dict[str, Array], dtype: str = "float64") -> dict[str, Any]:
    """Return weights as arrays of the namespace."""
    return {name: array(xp, values, dtype) for name, values in weights.items()}


def said_by_loops(shape: ControllerShape, weights: dict[str, Array], hidden: list[float]) -> Array:
    """Return the output layer's numbers, one head after the other."""
    row = oracle.units(hidden, weights["W"].tolist(), weights["b"].tolist())
    return np.reshape(row, (shape.heads, -1))


class TestShape:
    """How large a controller is."""

    @pytest.mark.parametrize("kind", ["", "LSTM", "gru", "linear "])
    def test_unknown_kind_is_refused(self, kind: str) -> None:
        """By its exact name."""
        with pytest.raises(ValueError):  # noqa: PT011  # tests check the class, not the text
            shape_of(kind)

    @pytest.mark.parametrize("name", ["inputs", "terms", "heads", "width", "hidden"])
    @pytest.mark.parametrize("size", [0, -1, 1.5, "1"])
    def test_size_that_is_no_number_of_things_is_refused(self, name: str, size: Any) -> None:
        """It may come from a file."""
        with pytest.raises(ValueError):  # noqa: PT011  # tests check the class, not the text
            shape_of("linear", **{name: size})

    @pytest.mark.parametrize("width", [2, 4])
    def test_even_width_is_refused(self, width: int) -> None:
        """Such a kernel has no middle."""
        with pytest.raises(ValueError):  # noqa: PT011  # tests check the class, not the text
            shape_of("linear", width=width)

    @kinds
    @pytest.mark.parametrize("leading", [(), (5,), (2, 3)])
    @pytest.mark.parametrize("sizes", [{}, {"inputs": 1, "terms": 1, "heads": 1, "width": 1, "hidden": 1}])
    def test_weights_of_the_stated_sizes_fit(
        self, xp: Any, kind: str, leading: tuple[int, ...], sizes: dict[str, int]
    ) -> None:
        """What comes out has a row a head: its terms' weights, its kernel, β, g, γ and the length ratio."""
        shape = shape_of(kind, **sizes)
        weights = {name: np.ones(size) for name, size in shape.sizes().items()}
        said, _ = forward(shape, given_to(xp, weights), array(xp, np.ones((*leading, shape.inputs))))
        assert plain(said).shape == (*leading, shape.heads, shape.terms + shape.width + 4)
        assert shape.emitted == shape.terms + shape.width + 4


class TestForward:
    """What a controller says, number for number."""

    @few
    @given(data=st.data(), leading=st.sampled_from(LEADING))
    def test_linear_controller_is_one_layer(self, xp: Any, data: st.DataObject, leading: tuple[int, ...]) -> None:
        """A statistic beyond three deviations counts as three; such are among the draws."""
        shape, weights = data.draw(controllers("linear"))
        inputs = 3 * data.draw(numbers((*leading, shape.inputs)))
        found, state = forward(shape, given_to(xp, weights), array(xp, inputs))
        expected = oracle.over_batch(lambda x: said_by_loops(shape, weights, oracle.within(x, 3)), leading, inputs)
        np.testing.assert_allclose(plain(found), expected, atol=1e-12)
        assert state is None

    @few
    @given(data=st.data(), leading=st.sampled_from(LEADING))
    def test_feedforward_controller_has_one_hidden_layer(
        self, xp: Any, data: st.DataObject, leading: tuple[int, ...]
    ) -> None:
        """Of hyperbolic tangents."""
        shape, weights = data.draw(controllers("feedforward"))
        inputs = 3 * data.draw(numbers((*leading, shape.inputs)))
        found, state = forward(shape, given_to(xp, weights), array(xp, inputs))

        def law(x: list[float]) -> Array:
            hidden = oracle.units(oracle.within(x, 3), weights["V"].tolist(), weights["a"].tolist())
            return said_by_loops(shape, weights, [float(np.tanh(unit)) for unit in hidden])

        np.testing.assert_allclose(plain(found), oracle.over_batch(law, leading, inputs), atol=1e-12)
        assert state is None

    @few
    @given(data=st.data(), leading=st.sampled_from(LEADING))
    def test_lstm_takes_one_unit_after_the_other(self, xp: Any, data: st.DataObject, leading: tuple[int, ...]) -> None:
        """Three questions of a chat, of several chats at once: what is said, and what is remembered."""
        shape, weights = data.draw(controllers("lstm"))
        laid = [weights[name].tolist() for name in ("V", "U", "a")]
        before: Array = np.zeros((*leading, 2, shape.hidden))
        state = None
        for _ in range(3):
            inputs = 3 * data.draw(numbers((*leading, shape.inputs)))
            found, state = forward(shape, given_to(xp, weights), array(xp, inputs), state)
            before = oracle.over_batch(
                lambda x, kept: oracle.lstm(oracle.within(x, 3), kept, *laid), leading, inputs, before
            )
            assert state is not None
            np.testing.assert_allclose(plain(state.hidden), before[..., 0, :], atol=1e-12)
            np.testing.assert_allclose(plain(state.cell), before[..., 1, :], atol=1e-12)
            expected = oracle.over_batch(lambda kept: said_by_loops(shape, weights, kept[0]), leading, before)
            np.testing.assert_allclose(plain(found), expected, atol=1e-12)

    @kinds
    @pytest.mark.parametrize("far", [3.0, 7.0, 1e30])
    def test_strange_statistics_steer_no_further_than_far_ones(self, xp: Any, kind: str, far: float) -> None:
        """To either side."""
        shape = shape_of(kind)
        weights = given_to(xp, initial(shape, "small_random", np.random.default_rng(1)))
        found, _ = forward(shape, weights, array(xp, [far, -far, 0.5]))
        expected, _ = forward(shape, weights, array(xp, [3.0, -3.0, 0.5]))
        assert plain(found).tolist() == plain(expected).tolist()

    @kinds
    def test_enormous_weights_overflow_nowhere(self, xp: Any, kind: str) -> None:
        """In float32, where e to the 89th is too large: a unit is fully on, or fully off."""
        shape = shape_of(kind, inputs=1, hidden=2)
        weights = {name: np.zeros(size) for name, size in shape.sizes().items()}
        weights["W" if kind == "linear" else "V"][...] = 1e6
        for sign in (1.0, -1.0):
            said, state = forward(shape, given_to(xp, weights, "float32"), array(xp, [sign], "float32"))
            assert np.isfinite(plain(said)).all()
            assert state is None or np.isfinite(plain(state.cell)).all()


class TestState:
    """What an LSTM carries from one recall of a chat to the next."""

    def test_lstm_is_the_one_that_torch_has(self, xp: Any, torch: Any) -> None:
        """The gates in torch's order (in, forget, new, out), its two biases in one, over five steps of three chats."""
        shape = shape_of("lstm", inputs=4, hidden=5)
        generator = torch.Generator().manual_seed(3)
        cell = torch.nn.LSTMCell(4, 5, dtype=torch.float64)
        for values in cell.parameters():
            torch.nn.init.normal_(values, generator=generator)
        theirs = {name: plain(values) for name, values in cell.named_parameters()}
        weights = {name: np.zeros(size) for name, size in shape.sizes().items()}
        weights["V"], weights["U"] = theirs["weight_ih"].T, theirs["weight_hh"].T
        weights["a"] = theirs["bias_ih"] + theirs["bias_hh"]
        state, known = None, (torch.zeros(3, 5, dtype=torch.float64), torch.zeros(3, 5, dtype=torch.float64))
        for step in range(5):
            inputs = np.random.default_rng(step).uniform(-3, 3, (3, 4))
            known = cell(torch.tensor(inputs), known)
            _, state = forward(shape, given_to(xp, weights), array(xp, inputs), state)
            assert state is not None
            np.testing.assert_allclose(plain(state.hidden), plain(known[0]), atol=1e-12)
            np.testing.assert_allclose(plain(state.cell), plain(known[1]), atol=1e-12)

    def test_what_was_asked_before_changes_what_is_said_now(self, xp: Any) -> None:
        """The same question, first in a chat and after two others."""
        shape, weights = self._lstm(xp)
        now, earlier = array(xp, [1.0, -1.0, 0.0]), [array(xp, [2.0, 0.0, 0.0]), array(xp, [0.0, 2.0, -2.0])]
        first, _ = forward(shape, weights, now)
        lasts = []
        for asked in (earlier, earlier[::-1]):
            state = None
            for inputs in asked:
                _, state = forward(shape, weights, inputs, state)
            lasts.append(plain(forward(shape, weights, now, state)[0]))
        for one, other in pairwise([plain(first), *lasts]):
            assert np.abs(one - other).max() > 1e-4

    def test_first_question_of_a_chat_comes_upon_a_state_of_zeros(self, xp: Any) -> None:
        """None is no other beginning."""
        shape, weights = self._lstm(xp)
        nothing = array(xp, np.zeros(shape.hidden))
        inputs = array(xp, [1.0, -1.0, 0.0])
        begun, expected = (forward(shape, weights, inputs, state)[0] for state in (None, State(nothing, nothing)))
        assert plain(begun).tolist() == plain(expected).tolist()

    def test_state_that_was_given_is_left_as_it_was(self, xp: Any) -> None:
        """It may be used again: two questions may follow on the same one."""
        shape, weights = self._lstm(xp)
        _, state = forward(shape, weights, array(xp, [1.0, -1.0, 0.0]))
        assert state is not None
        before = [plain(values).copy() for values in state]
        _, after = forward(shape, weights, array(xp, [2.0, 2.0, 2.0]), state)
        assert after is not None
        for kept, values, new in zip(before, state, after, strict=True):
            assert plain(values).tolist() == kept.tolist() != plain(new).tolist()

    @staticmethod
    def _lstm(xp: Any) -> tuple[ControllerShape, dict[str, Any]]:
        """Return an LSTM with weights that are not small."""
        shape, rng = shape_of("lstm"), np.random.default_rng(5)
        return shape, given_to(xp, {name: rng.normal(size=size) for name, size in shape.sizes().items()})


class TestInitial:
    """What training starts from."""

    @kinds
    @pytest.mark.parametrize("initialization", ["constant", "small_random"])
    def test_weights_follow_from_the_random_numbers_alone(self, kind: str, initialization: str) -> None:
        """In float32, in the stated sizes; the same numbers give the same weights, others do not."""
        shape = shape_of(kind)
        first, again, other = (initial(shape, initialization, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert {name: values.shape for name, values in first.items()} == shape.sizes()
        assert {values.dtype for values in first.values()} == {np.dtype(np.float32)}
        assert all(np.array_equal(first[name], again[name]) for name in first)
        drawn = not (kind == "linear" and initialization == "constant")
        assert any(not np.array_equal(first[name], other[name]) for name in first) == drawn

    @kinds
    @pytest.mark.parametrize("scale", [0.0, 1.0, 1e6])
    def test_constant_start_says_nothing_whatever_it_sees(self, xp: Any, kind: str, scale: float) -> None:
        """Exactly 0 in every place, for every head, with a state and without."""
        shape = shape_of(kind)
        weights = given_to(xp, initial(shape, "constant", np.random.default_rng(0)), "float32")
        state = None
        for _ in range(2):
            said, state = forward(shape, weights, array(xp, scale * np.array([1.0, -2.0, 3.0]), "float32"), state)
            assert np.all(plain(said) == 0)

    @kinds
    def test_small_random_start_is_near_and_each_head_elsewhere(self, kind: str) -> None:
        """Two heads that start alike would stay alike."""
        shape = shape_of(kind, inputs=20, hidden=16, heads=3)
        weights = initial(shape, "small_random", np.random.default_rng(0))
        said, _ = forward(shape, weights, np.ones(20, np.float32))
        assert 0 < np.abs(said).max() < 0.3
        assert len({row.tobytes() for row in said}) == 3

    @pytest.mark.parametrize("kind", ["feedforward", "lstm"])
    @pytest.mark.parametrize("initialization", ["constant", "small_random"])
    def test_hidden_units_start_apart_and_within_glorots_bound(self, kind: str, initialization: str) -> None:
        """Equal ones would learn the same."""
        weights = initial(shape_of(kind, inputs=5, hidden=8), initialization, np.random.default_rng(0))
        for name in {"V", "U"} & weights.keys():
            rows, columns = weights[name].shape
            bound = (6 / (rows + columns)) ** 0.5
            assert 0.8 * bound < np.abs(weights[name]).max() <= bound
            assert len({column.tobytes() for column in weights[name].T}) == columns
        assert np.all(weights["a"] == 0)

    @pytest.mark.parametrize("initialization", ["", "learned", "zeros"])
    def test_start_that_is_none_is_refused(self, initialization: str) -> None:
        """What was learnt before is not for it to know."""
        with pytest.raises(ValueError):  # noqa: PT011  # tests check the class, not the text
            initial(shape_of("linear"), initialization, np.random.default_rng(0))
