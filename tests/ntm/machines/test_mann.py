"""The memory-augmented network against its loops, its laws, and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.controller import State as ControllerState
from ntm_memory_skill.ntm.machines import MachineSettings, MANNState, MemoryAugmentedNetwork, build, mann
from ntm_memory_skill.ntm.machines.machine import unroll
from tests.ntm import oracle
from tests.ntm.draws import Shape, array, distributions, few, numbers, plain, shapes, shares
from tests.ntm.machines import mann_oracle

pytestmark = pytest.mark.usefixtures("torch")  # one thread


def settings(heads: int = 2, **given: Any) -> MachineSettings:
    """Return a tiny machine's settings; `given` replaces values by name."""
    sizes: dict[str, Any] = {"inputs": 3, "outputs": 2, "memory_size": 5, "memory_dim": 3, "hidden": 4}
    return MachineSettings(**{"kind": "mann", "num_read_heads": heads, "num_write_heads": heads, **sizes, **given})


def machine(seed: int, heads: int = 2, **given: Any) -> MemoryAugmentedNetwork:
    """Return a tiny machine in float64 whose gates are anywhere, since its weights are drawn far from their start."""
    torch.manual_seed(seed)
    made = MemoryAugmentedNetwork(settings(heads, initialization="learned", **given)).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter))
    return made


def reached(made: MemoryAugmentedNetwork, batch: int = 2, steps: int = 3) -> MANNState:
    """Return the state after some steps with inputs at random."""
    with torch.no_grad():
        return unroll(made, torch.randn(steps, batch, 3, dtype=torch.float64))[1]


def alone(state: MANNState, sequence: int) -> mann_oracle.Remembered:
    """Return what one sequence of the batch remembers, as lists."""
    values = {name: getattr(state, name)[sequence].tolist() for name in MANNState._fields if name != "controller"}
    return mann_oracle.Remembered(**values, units=[units[sequence].tolist() for units in state.controller])


def agree(found: Any, expected: Any) -> None:
    """Check shape and values."""
    np.testing.assert_allclose(plain(found), np.asarray(expected), atol=1e-9)
    assert plain(found).shape == np.shape(expected)


def assert_weightings(weights: torch.Tensor) -> None:
    """Check that no entry is below 0 and none of the sums above 1."""
    assert bool((weights >= 0).all())
    assert bool((weights.sum(dim=-1) <= 1 + 1e-9).all())


class TestEquations:
    """Every pure function does what its loop does, for each leading index."""

    @few
    @given(data=st.data(), shape=shapes)
    def test_heads_share_out_the_least_used_slots_in_order(self, data: st.DataObject, shape: Shape) -> None:
        """Equal usages and as many heads as slots are among the draws."""
        heads = data.draw(st.integers(1, shape.slots))
        usage = data.draw(shares(shape.of(shape.slots)))
        found = mann.least_used(array(torch, usage), heads)
        agree(found, oracle.over_batch(lambda u: mann_oracle.least_used(u, heads), shape.leading, usage))

    @few
    @given(data=st.data(), shape=shapes, heads=st.integers(1, 3))
    def test_writes_go_where_was_read_or_to_the_least_used(self, data: st.DataObject, shape: Shape, heads: int) -> None:
        """Gates of 0 and 1 are among the draws."""
        read, least = (data.draw(distributions(shape.of(heads, shape.slots))) for _ in range(2))
        gates = data.draw(shares(shape.of(heads)))
        found = mann.write_where(array(torch, read), array(torch, least), array(torch, gates))
        agree(found, oracle.over_batch(mann_oracle.write_where, shape.leading, read, least, gates))
        assert_weightings(found)

    @few
    @given(data=st.data(), shape=shapes)
    def test_least_used_slots_are_emptied_before_keys_are_added(self, data: st.DataObject, shape: Shape) -> None:
        """Up to as many heads as slots."""
        heads = data.draw(st.integers(1, shape.slots))
        memory, keys = (
            data.draw(numbers(shape.of(shape.slots, shape.length))),
            data.draw(numbers(shape.of(heads, shape.length))),
        )
        weights = data.draw(distributions(shape.of(heads, shape.slots)))
        usage = data.draw(shares(shape.of(shape.slots)))
        least = oracle.over_batch(lambda u: mann_oracle.least_used(u, heads), shape.leading, usage)
        found = mann.overwrite(*(array(torch, values) for values in (memory, least, weights, keys)))
        agree(found, oracle.over_batch(mann_oracle.overwrite, shape.leading, memory, least, weights, keys))

    @few
    @given(data=st.data(), shape=shapes, heads=st.integers(1, 3), decay=st.floats(0, 1))
    def test_usage_fades_and_grows_where_a_head_was(
        self, data: st.DataObject, shape: Shape, heads: int, decay: float
    ) -> None:
        """A decay of 0 and of 1 among the draws."""
        usage = data.draw(shares(shape.of(shape.slots)))
        read, written = (data.draw(distributions(shape.of(heads, shape.slots))) for _ in range(2))
        found = mann.use(array(torch, usage), array(torch, read), array(torch, written), decay)
        expected = oracle.over_batch(
            lambda u, r, w: mann_oracle.use(u, r, w, decay), shape.leading, usage, read, written
        )
        agree(found, expected)


class TestStep:
    """A whole step, from the input to the output and every part of the state."""

    @pytest.mark.parametrize("controller", ["lstm", "feedforward"])
    @pytest.mark.parametrize("heads", [1, 2])
    def test_steps_are_those_of_the_loop(self, controller: str, heads: int) -> None:
        """Six steps from the start, so that slots are used again, for each of two sequences."""
        made = machine(heads, heads, controller=controller)
        weights = {name: value.tolist() for name, value in made.state_dict().items()}
        inputs, state = torch.randn(6, 2, 3, dtype=torch.float64), made.initial(2)
        for x in inputs:
            before = [alone(state, sequence) for sequence in range(2)]
            y, state = made(x, state)
            for sequence in range(2):
                expected, after = mann_oracle.step(x[sequence].tolist(), before[sequence], weights)
                agree(y[sequence], expected)
                found = alone(state, sequence)
                for name in mann_oracle.Remembered.__slots__:
                    np.testing.assert_allclose(getattr(found, name), getattr(after, name), atol=1e-9, err_msg=name)

    @pytest.mark.parametrize("initialization", ["constant", "small_random", "learned"])
    def test_memory_starts_as_the_settings_say_and_nothing_was_used(self, initialization: str) -> None:
        """Every sequence starts alike; only a learned memory is trained."""
        torch.manual_seed(5)
        made = MemoryAugmentedNetwork(settings(initialization=initialization))
        state = made.initial(2)
        assert ("first_memory" in dict(made.named_parameters())) == (initialization == "learned")
        assert torch.equal(state.memory[0], state.memory[1])
        assert bool((state.memory == 1e-6).all()) == (initialization == "constant")
        assert all(not part.any() for part in (state.usage, state.read_weights, state.write_weights, state.reads))

    def test_keys_are_sharp_from_the_start(self) -> None:
        """Each head's key strength has that bias, and nothing else that is emitted does."""
        biases = MemoryAugmentedNetwork(settings(2)).emit.bias.detach().view(2, -1)
        assert torch.all(biases[:, 3] == mann.SHARP)
        assert torch.all(biases[:, [0, 1, 2, 4]].abs() < 1)

    def test_view_shows_the_memory_and_where_each_head_looked(self) -> None:
        """Two heads that read and write."""
        state = reached(machine(6))
        view = machine(6).view(state)
        assert view.memory is state.memory
        assert view.read_weights is state.read_weights
        assert view.write_weights is state.write_weights

    def test_kind_builds_it(self) -> None:
        """By its name in the settings."""
        assert isinstance(build(settings()), MemoryAugmentedNetwork)

    @pytest.mark.parametrize("heads", [(1, 2), (2, 1)])
    def test_heads_that_only_read_or_only_write_are_refused(self, heads: tuple[int, int]) -> None:
        """Each read head's key is what it writes."""
        with pytest.raises(InvalidArgument):
            build(settings(num_read_heads=heads[0], num_write_heads=heads[1]))


class TestLaws:
    """What holds after any number of steps."""

    @pytest.mark.parametrize("seed", range(5))
    def test_weights_stay_weightings_and_usage_bounded(self, seed: int) -> None:
        """Twenty steps of machines whose gates are anywhere; γ = 0.95 sums to 20 of what a step can add."""
        made = machine(seed)
        state = made.initial(3)
        for x in torch.randn(20, 3, 3, dtype=torch.float64):
            state = made(x, state)[1]
            assert_weightings(state.read_weights)
            assert_weightings(state.write_weights)
            assert bool(((state.usage >= 0) & (state.usage.sum(dim=-1, keepdim=True) <= 80)).all())

    def test_slots_are_filled_one_after_the_other_before_one_is_used_again(self) -> None:
        """Where each step writes to the least used slot and reads what it wrote."""
        usage, turns = torch.zeros(1, 4), []
        for _ in range(6):
            least = mann.least_used(usage, 1)
            turns.append(int(least.argmax()))
            usage = mann.use(usage, least, least)
        assert turns == [0, 1, 2, 3, 0, 1]

    def test_slot_that_is_read_again_and_again_is_kept(self) -> None:
        """The others are written to in turn."""
        usage, turns = torch.zeros(1, 3), []
        precious = torch.tensor([[[0.0, 1.0, 0.0]]])
        for _ in range(6):
            usage = mann.use(usage, precious, torch.zeros(1, 1, 3))
            least = mann.least_used(usage, 1)
            turns.append(int(least.argmax()))
            usage = mann.use(usage, torch.zeros(1, 1, 3), least)
        assert turns == [0, 2, 0, 2, 0, 2]


class TestGradients:
    """Right where numeric differences exist, finite where a machine starts."""

    def test_gradients_of_the_pure_functions_are_right(self) -> None:
        """Of those that have any."""
        torch.manual_seed(8)
        read, written = (torch.rand(2, 3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
        memory = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
        keys = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
        gates = torch.rand(2, 3, dtype=torch.float64, requires_grad=True)
        usage = torch.rand(2, 4, dtype=torch.float64, requires_grad=True)
        least = mann.least_used(usage, 3)
        assert not least.requires_grad
        assert torch.autograd.gradcheck(mann.write_where, (read, least, gates))
        assert torch.autograd.gradcheck(mann.overwrite, (memory, least, written, keys))
        assert torch.autograd.gradcheck(mann.use, (usage, read, written))

    def test_gradients_of_two_steps_are_right(self) -> None:
        """By the inputs and by every part of the state that a step looks at."""
        made = machine(9)
        state = reached(made, batch=1)
        inputs = [torch.randn(1, 3, dtype=torch.float64) for _ in range(2)]

        def steps(first: torch.Tensor, second: torch.Tensor, *parts: torch.Tensor) -> tuple[torch.Tensor, ...]:
            memory, read_weights, reads, *steering = parts
            before = state._replace(
                memory=memory, read_weights=read_weights, reads=reads, controller=ControllerState(*steering)
            )
            y, after = made(second, made(first, before)[1])
            assert not after.usage.requires_grad
            return (y, after.memory, after.read_weights, after.write_weights, after.reads, *after.controller)

        parts = (state.memory, state.read_weights, state.reads, *state.controller)
        tracked = tuple(part.clone().requires_grad_() for part in (*inputs, *parts))
        assert torch.autograd.gradcheck(steps, tracked)

    @pytest.mark.parametrize("initialization", ["constant", "small_random", "learned"])
    @pytest.mark.parametrize("controller", ["lstm", "feedforward"])
    def test_gradients_from_the_start_are_finite_and_reach_every_weight(
        self, initialization: str, controller: str
    ) -> None:
        """In float32, where the memory may be next to nothing and slots are emptied."""
        torch.manual_seed(10)
        made = MemoryAugmentedNetwork(settings(initialization=initialization, controller=controller))
        weights = dict(made.named_parameters())
        loss = unroll(made, torch.randn(6, 2, 3))[0].square().sum()
        for name, slope in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
            assert bool(slope.isfinite().all()), name
            assert bool(slope.any()), name
