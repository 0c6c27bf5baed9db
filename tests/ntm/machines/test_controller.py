"""The controllers of machines: their equations against loops, and what they start as."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm import ControllerShape, State, forward, initial
from ntm_memory_skill.ntm.machines.controller import FeedforwardController, LSTMController, controller
from tests.ntm import oracle

INPUTS, HIDDEN = 3, 4


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def made(kind: str, seed: int = 0) -> LSTMController | FeedforwardController:
    """Return one in float64, as it is built from a seed."""
    torch.manual_seed(seed)
    return controller(kind, INPUTS, HIDDEN).double()


def seen(steps: int, batch: int) -> Tensor:
    """Return what is seen in each step."""
    return torch.randn(steps, batch, INPUTS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


class TestLSTM:
    """The one that remembers."""

    def test_steps_are_those_of_a_loop(self) -> None:
        """Over five steps of two sequences, from the learned first state; what is given are the hidden units."""
        lstm = made("lstm")
        weights: dict[str, Any] = {name: value.tolist() for name, value in lstm.named_parameters()}
        states = [weights["first"] for _ in range(2)]
        state = lstm.initial(2)
        for x in seen(5, 2):
            features, state = lstm(x, state)
            assert features is state.hidden
            for b in range(2):
                states[b] = oracle.lstm(x[b].tolist(), states[b], weights["V"], weights["U"], weights["a"])
                assert state.hidden[b].tolist() == pytest.approx(states[b][0])
                assert state.cell[b].tolist() == pytest.approx(states[b][1])

    def test_forget_gates_start_as_open_as_asked(self) -> None:
        """Their biases alone; 1 where nothing is said."""
        for asked, expected in (((), 1.0), ((0.0,), 0.0), ((-2.0,), -2.0)):
            biases = LSTMController(INPUTS, HIDDEN, *asked).a.detach().view(4, HIDDEN)
            assert torch.all(biases[1] == expected)
            assert torch.all(biases[[0, 2, 3]] == 0)

    def test_it_steers_the_memorys_head_when_it_has_that_ones_weights(self) -> None:
        """A head trained with an LSTM is such a controller: the same states over five questions, within its limits."""
        shape = ControllerShape(kind="lstm", inputs=INPUTS, terms=2, heads=1, width=7, hidden=HIDDEN)
        weights = initial(shape, "small_random", np.random.default_rng(3))
        lstm = LSTMController(INPUTS, HIDDEN)
        with torch.no_grad():
            for name in ("V", "U", "a"):
                getattr(lstm, name).copy_(torch.from_numpy(weights[name]))
            state, of_head = State(torch.zeros(2, HIDDEN), torch.zeros(2, HIDDEN)), None
            for x in seen(5, 2).float():
                _, state = lstm(x, state)
                _, of_head = forward(shape, weights, x.numpy(), of_head)
                assert of_head is not None
                np.testing.assert_allclose(state.hidden, of_head.hidden, atol=1e-6)
                np.testing.assert_allclose(state.cell, of_head.cell, atol=1e-6)

    def test_first_state_is_learned(self) -> None:
        """The same for all sequences, small, and with a gradient for units and cells."""
        lstm = made("lstm")
        state = lstm.initial(3)
        assert state.hidden.shape == state.cell.shape == (3, HIDDEN)
        assert torch.equal(state.hidden[0], state.hidden[2])
        assert not torch.equal(state.hidden, state.cell)
        assert 0 < state.hidden.abs().max().item() < 0.5
        features, _ = lstm(seen(1, 3)[0], state)
        torch.autograd.backward(features.sum())
        first = dict(lstm.named_parameters())["first"]
        assert first.grad is not None
        assert torch.all(first.grad != 0)

    def test_forget_gate_starts_open(self) -> None:
        """Its bias is 1, all others are 0."""
        bias = dict(made("lstm").named_parameters())["a"]
        assert bias.tolist() == [0.0] * HIDDEN + [1.0] * HIDDEN + [0.0] * 2 * HIDDEN

    def test_weights_start_within_their_bound(self) -> None:
        """±1/√hidden, and not all alike."""
        weights = dict(made("lstm").named_parameters())
        for name in ("V", "U"):
            assert weights[name].abs().max().item() <= 1 / math.sqrt(HIDDEN)
            assert weights[name].std().item() > 0.1 / math.sqrt(HIDDEN)


class TestFeedforward:
    """The one that does not."""

    def test_features_are_those_of_a_loop(self) -> None:
        """One hidden layer of tanh units."""
        layer, x = made("feedforward"), seen(1, 2)[0]
        with torch.no_grad():
            layer.a.copy_(torch.arange(HIDDEN) / 3)
        weights: dict[str, Any] = {name: value.tolist() for name, value in layer.named_parameters()}
        features, _ = layer(x, layer.initial(2))
        for b in range(2):
            expected = [math.tanh(unit) for unit in oracle.units(x[b].tolist(), weights["V"], weights["a"])]
            assert features[b].tolist() == pytest.approx(expected)

    def test_nothing_is_remembered(self) -> None:
        """The state is empty before and after, so the same input gives the same features whatever came before."""
        layer, inputs = made("feedforward"), seen(3, 2)
        state = layer.initial(2)
        alone, _ = layer(inputs[2], state)
        for x in inputs:
            features, state = layer(x, state)
        assert torch.equal(features, alone)
        assert state.hidden.shape == state.cell.shape == (2, 0)


@pytest.mark.parametrize("kind", ["lstm", "feedforward"])
def test_same_seed_gives_the_same_weights(kind: str) -> None:
    """And another seed other ones."""
    weights = [dict(made(kind, seed).named_parameters()) for seed in (1, 1, 2)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not torch.equal(weights[0]["V"], weights[2]["V"])


@pytest.mark.parametrize("kind", ["linear", "LSTM", ""])
def test_unknown_controllers_are_refused(kind: str) -> None:
    """A linear one steers the memory's own head, but no machine."""
    with pytest.raises(InvalidArgument):
        controller(kind, INPUTS, HIDDEN)
