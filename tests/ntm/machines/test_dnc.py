"""The Differentiable Neural Computer against its loops, its laws, and its gradients."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils import _pytree as trees

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.machines import DifferentiableNeuralComputer, DNCState, MachineSettings, allocation, build
from ntm_memory_skill.ntm.machines.machine import unroll
from tests.ntm import oracle
from tests.ntm.draws import Shape, array, distributions, few, numbers, plain, shapes, shares
from tests.ntm.machines import dnc_oracle

pytestmark = pytest.mark.usefixtures("torch")  # one thread

HEADS = st.integers(1, 3)


def settings(**given: Any) -> MachineSettings:
    """Return a tiny machine's settings; `given` replaces values by name."""
    sizes: dict[str, Any] = {"inputs": 3, "outputs": 2, "memory_size": 5, "memory_dim": 3, "hidden": 4}
    return MachineSettings(**{"kind": "dnc", "num_read_heads": 2, **sizes, **given})


def machine(seed: int, **given: Any) -> DifferentiableNeuralComputer:
    """Return a tiny machine in float64 whose gates are anywhere, since its weights are drawn far from their start."""
    torch.manual_seed(seed)
    made = DifferentiableNeuralComputer(settings(initialization="learned", **given)).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter))
    return made


def reached(made: DifferentiableNeuralComputer, batch: int = 2, steps: int = 3) -> DNCState:
    """Return the state after some steps with inputs at random."""
    with torch.no_grad():
        return unroll(made, torch.randn(steps, batch, 3, dtype=torch.float64))[1]


def alone(state: DNCState, sequence: int) -> dnc_oracle.Remembered:
    """Return what one sequence of the batch remembers, as lists."""
    values = {name: getattr(state, name)[sequence].tolist() for name in DNCState._fields if name != "controller"}
    return dnc_oracle.Remembered(**values, units=[units[sequence].tolist() for units in state.controller])


def tensor(values: Any) -> torch.Tensor:
    """Return numbers in float64."""
    return torch.tensor(values, dtype=torch.float64)


def agree(found: Any, expected: Any) -> None:
    """Check shape and values; 1e-7 is what a usage of 0 counts more than it is."""
    np.testing.assert_allclose(plain(found), np.asarray(expected), atol=1e-7)
    assert plain(found).shape == np.shape(expected)


def assert_weightings(weights: torch.Tensor) -> None:
    """Check that no entry is below 0 and none of the sums above 1."""
    assert bool((weights >= -1e-12).all())
    assert bool((weights.sum(dim=-1) <= 1 + 1e-9).all())


class TestEquations:
    """Every pure function does what its loop does, for each leading index."""

    @few
    @given(data=st.data(), shape=shapes, heads=HEADS)
    def test_retention_is_what_no_head_gives_up(self, data: st.DataObject, shape: Shape, heads: int) -> None:
        """Gates of 0 and 1 and weights of 0 and 1 are among the draws."""
        gates, weights = data.draw(shares(shape.of(heads))), data.draw(distributions(shape.of(heads, shape.slots)))
        found = allocation.retain(array(torch, gates), array(torch, weights))
        agree(found, oracle.over_batch(dnc_oracle.retain, shape.leading, gates, weights))

    @few
    @given(data=st.data(), shape=shapes)
    def test_what_was_written_is_in_use_unless_given_up(self, data: st.DataObject, shape: Shape) -> None:
        """The result is a usage again, from 0 to 1."""
        usage, retention = (data.draw(shares(shape.of(shape.slots))) for _ in range(2))
        weights = data.draw(distributions(shape.of(shape.slots)))
        found = allocation.use(array(torch, usage), array(torch, weights), array(torch, retention))
        agree(found, oracle.over_batch(dnc_oracle.use, shape.leading, usage, weights, retention))
        assert bool(((found >= 0) & (found <= 1)).all())

    @few
    @given(data=st.data(), shape=shapes)
    def test_allocation_goes_through_the_slots_by_ascending_usage(self, data: st.DataObject, shape: Shape) -> None:
        """Equal usages, 0 and 1 are among the draws."""
        usage = data.draw(shares(shape.of(shape.slots)))
        found = allocation.allocate(array(torch, usage))
        agree(found, oracle.over_batch(dnc_oracle.allocate, shape.leading, usage))
        assert_weightings(found)

    @few
    @given(data=st.data(), shape=shapes)
    def test_a_write_goes_to_free_slots_or_by_content(self, data: st.DataObject, shape: Shape) -> None:
        """Both gates from 0 to 1; the result is a weighting."""
        content, allocated = (data.draw(distributions(shape.of(shape.slots))) for _ in range(2))
        gates = [data.draw(shares(shape.leading)) for _ in range(2)]
        found = allocation.write_where(*(array(torch, values) for values in (content, allocated, *gates)))
        agree(found, oracle.over_batch(dnc_oracle.write_where, shape.leading, content, allocated, *gates))
        assert_weightings(found)

    @few
    @given(data=st.data(), shape=shapes)
    def test_precedence_fades_as_far_as_something_is_written(self, data: st.DataObject, shape: Shape) -> None:
        """Writes of any strength."""
        weights = data.draw(distributions(shape.of(shape.slots))) * data.draw(shares(shape.leading))[..., None]
        precedence = data.draw(distributions(shape.of(shape.slots)))
        found = allocation.precede(array(torch, precedence), array(torch, weights))
        agree(found, oracle.over_batch(dnc_oracle.precede, shape.leading, precedence, weights))
        assert_weightings(found)

    @few
    @given(data=st.data(), shape=shapes)
    def test_links_are_made_entry_by_entry_and_none_to_itself(self, data: st.DataObject, shape: Shape) -> None:
        """Whatever the links were before."""
        links = data.draw(numbers(shape.of(shape.slots, shape.slots)))
        weights, precedence = (data.draw(distributions(shape.of(shape.slots))) for _ in range(2))
        found = allocation.link(array(torch, links), array(torch, weights), array(torch, precedence))
        agree(found, oracle.over_batch(dnc_oracle.link, shape.leading, links, weights, precedence))

    @few
    @given(data=st.data(), shape=shapes, heads=HEADS)
    def test_heads_follow_the_links_forward_and_backward(self, data: st.DataObject, shape: Shape, heads: int) -> None:
        """All heads share the links."""
        links = data.draw(numbers(shape.of(shape.slots, shape.slots)))
        weights = data.draw(distributions(shape.of(heads, shape.slots)))
        forward, backward = allocation.follow(array(torch, links), array(torch, weights))
        agree(forward, oracle.over_batch(dnc_oracle.forward, shape.leading, links, weights))
        agree(backward, oracle.over_batch(dnc_oracle.backward, shape.leading, links, weights))

    @few
    @given(data=st.data(), shape=shapes, heads=HEADS)
    def test_reading_blends_backward_content_and_forward(self, data: st.DataObject, shape: Shape, heads: int) -> None:
        """Each head by its own modes."""
        ways = [data.draw(distributions(shape.of(heads, shape.slots))) for _ in range(3)]
        modes = data.draw(distributions(shape.of(heads, 3)))
        found = allocation.read_where(*(array(torch, values) for values in (*ways, modes)))
        agree(found, oracle.over_batch(dnc_oracle.read_where, shape.leading, *ways, modes))
        assert_weightings(found)


class TestStep:
    """A whole step, from the input to the output and every part of the state."""

    @pytest.mark.parametrize("controller", ["lstm", "feedforward"])
    @pytest.mark.parametrize("heads", [1, 2])
    def test_steps_are_those_of_the_loop(self, controller: str, heads: int) -> None:
        """Four steps from the start, for each of two sequences."""
        made = machine(heads, controller=controller, num_read_heads=heads)
        weights = {name: value.tolist() for name, value in made.state_dict().items()}
        inputs, state = torch.randn(4, 2, 3, dtype=torch.float64), made.initial(2)
        for x in inputs:
            before = [alone(state, sequence) for sequence in range(2)]
            y, state = made(x, state)
            for sequence in range(2):
                expected, after = dnc_oracle.step(x[sequence].tolist(), before[sequence], weights)
                agree(y[sequence], expected)
                found = alone(state, sequence)
                for name in dnc_oracle.Remembered.__slots__:
                    np.testing.assert_allclose(getattr(found, name), getattr(after, name), atol=1e-7, err_msg=name)

    @pytest.mark.parametrize("initialization", ["constant", "small_random", "learned"])
    def test_memory_starts_as_the_settings_say_and_nothing_is_in_use(self, initialization: str) -> None:
        """Every sequence starts alike; only a learned memory is trained."""
        torch.manual_seed(5)
        made = DifferentiableNeuralComputer(settings(initialization=initialization))
        state = made.initial(2)
        assert ("first_memory" in dict(made.named_parameters())) == (initialization == "learned")
        assert torch.equal(state.memory[0], state.memory[1])
        assert bool((state.memory == 1e-6).all()) == (initialization == "constant")
        parts = (state.usage, state.write_weights, state.read_weights, state.precedence, state.links, state.reads)
        assert all(not part.any() for part in parts)

    def test_view_shows_the_memory_and_where_each_head_looked(self) -> None:
        """One write head, two read heads."""
        state = reached(machine(6))
        view = machine(6).view(state)
        assert view.read_weights.shape == (2, 2, 5)
        assert view.write_weights.shape == (2, 1, 5)
        assert torch.equal(view.write_weights[:, 0], state.write_weights)
        assert view.memory is state.memory

    def test_kind_builds_it(self) -> None:
        """By its name in the settings."""
        assert isinstance(build(settings()), DifferentiableNeuralComputer)

    def test_more_than_one_write_head_is_refused(self) -> None:
        """The equations know one."""
        with pytest.raises(InvalidArgument):
            build(settings(num_write_heads=2))


class TestLaws:
    """What holds after any number of steps."""

    @pytest.mark.parametrize("seed", range(5))
    def test_weights_usage_and_links_keep_their_bounds(self, seed: int) -> None:
        """Twenty steps of machines whose gates are anywhere."""
        made = machine(seed)
        state = made.initial(3)
        for x in torch.randn(20, 3, 3, dtype=torch.float64):
            state = made(x, state)[1]
            for weights in (state.write_weights, state.read_weights, state.precedence, state.links, state.links.mT):
                assert_weightings(weights)
            assert not state.links.diagonal(dim1=-2, dim2=-1).any()
            assert bool(((state.usage >= 0) & (state.usage <= 1)).all())

    @pytest.mark.parametrize("slot", range(4))
    def test_slot_that_was_freed_is_given_out_next(self, slot: int) -> None:
        """All are in use until a head with an open free gate has read one."""
        read = torch.nn.functional.one_hot(torch.tensor([[slot]]), 4).double()
        retention = allocation.retain(tensor([[1.0]]), read)
        usage = allocation.use(tensor([[1.0] * 4]), tensor([[0.0] * 4]), retention)
        agree(allocation.allocate(usage), read[0])

    def test_full_memory_has_nothing_to_give_out(self) -> None:
        """No free slot, no weight."""
        assert not allocation.allocate(tensor([1.0, 1.0, 1.0])).any()

    def test_less_used_slots_get_no_less(self) -> None:
        """The order of the allocation is that of the usage, backwards."""
        torch.manual_seed(7)
        usage = torch.rand(50, 9, dtype=torch.float64)
        by_usage = allocation.allocate(usage).gather(-1, usage.argsort(dim=-1))
        assert bool((by_usage.diff(dim=-1) <= 0).all())

    def test_order_of_writing_is_followed_both_ways(self) -> None:
        """Three slots written one after the other, then read along the links."""
        order, size = [2, 0, 3], 4
        links, precedence = torch.zeros(size, size), torch.zeros(size)
        at = torch.eye(size)
        for slot in order:
            links = allocation.link(links, at[slot], precedence)
            precedence = allocation.precede(precedence, at[slot])
        assert torch.equal(precedence, at[order[-1]])
        for earlier, later in itertools.pairwise(order):
            assert torch.equal(allocation.follow(links, at[[earlier]])[0], at[[later]])
            assert torch.equal(allocation.follow(links, at[[later]])[1], at[[earlier]])
        assert not allocation.follow(links, at[[order[-1]]])[0].any()


class TestGradients:
    """Right where numeric differences exist, finite where a machine starts."""

    def test_gradients_of_the_pure_functions_are_right(self) -> None:
        """At usages that are apart, so that a small step does not change their order; 0 is not among them."""
        torch.manual_seed(8)
        usage = tensor([[0.3, 0.9, 0.1, 0.6], [0.8, 0.2, 0.5, 0.95]]).requires_grad_()
        some = [torch.rand(2, 4, dtype=torch.float64).softmax(-1).requires_grad_() for _ in range(2)]
        links = torch.rand(2, 4, 4, dtype=torch.float64, requires_grad=True)
        heads = torch.rand(2, 3, 4, dtype=torch.float64, requires_grad=True)
        gates = torch.rand(2, 3, dtype=torch.float64, requires_grad=True)
        modes = torch.rand(2, 3, 3, dtype=torch.float64, requires_grad=True)
        ways = [torch.rand(2, 3, 4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
        assert torch.autograd.gradcheck(allocation.allocate, (usage,))
        assert torch.autograd.gradcheck(allocation.retain, (gates, heads))
        assert torch.autograd.gradcheck(allocation.use, (usage, *some))
        assert torch.autograd.gradcheck(allocation.write_where, (*some, gates[:, 0], gates[:, 1]))
        assert torch.autograd.gradcheck(allocation.precede, tuple(some))
        assert torch.autograd.gradcheck(allocation.link, (links, *some))
        assert torch.autograd.gradcheck(allocation.follow, (links, heads))
        assert torch.autograd.gradcheck(allocation.read_where, (*ways, modes))

    def test_gradient_at_an_unused_slot_is_what_it_leaves_to_the_next(self) -> None:
        """da[φ_2]/du[φ_1] = 1 − u[φ_2], although u[φ_1] is 0."""
        usage = tensor([0.25, 0.0, 0.5]).requires_grad_()
        (slope,) = torch.autograd.grad(allocation.allocate(usage)[0], usage)
        agree(slope, [0.0, 0.75, 0.0])

    def test_gradients_of_two_steps_are_right(self) -> None:
        """By the inputs and by every part of the state that they start from."""
        made = machine(9, memory_size=4, num_read_heads=1)
        leaves, shape = trees.tree_flatten(reached(made, batch=1))
        inputs = [torch.randn(1, 3, dtype=torch.float64) for _ in range(2)]

        def steps(first: torch.Tensor, second: torch.Tensor, *parts: torch.Tensor) -> tuple[torch.Tensor, ...]:
            state = made(first, trees.tree_unflatten(list(parts), shape))[1]
            y, state = made(second, state)
            return (y, *trees.tree_leaves(state))

        tracked = tuple(part.clone().requires_grad_() for part in (*inputs, *leaves))
        assert torch.autograd.gradcheck(steps, tracked)

    @pytest.mark.parametrize("initialization", ["constant", "small_random", "learned"])
    @pytest.mark.parametrize("controller", ["lstm", "feedforward"])
    def test_gradients_from_the_start_are_finite_and_reach_every_weight(
        self, initialization: str, controller: str
    ) -> None:
        """In float32, where all usages are 0 and the memory may be next to nothing."""
        torch.manual_seed(10)
        made = DifferentiableNeuralComputer(settings(initialization=initialization, controller=controller))
        weights = dict(made.named_parameters())
        loss = unroll(made, torch.randn(6, 2, 3))[0].square().sum()
        for name, slope in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
            assert bool(slope.isfinite().all()), name
            assert bool(slope.any()), name
