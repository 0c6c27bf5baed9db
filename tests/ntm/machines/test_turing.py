"""The Neural Turing Machine: the paper's step against a loop, and the laws that it keeps."""

from __future__ import annotations

import pytest
import torch

from ntm_memory_skill.ntm.controller import State
from ntm_memory_skill.ntm.machines import TuringState, unroll
from tests.ntm.machines import turing_oracle
from tests.ntm.machines.turing_machines import CONTROLLERS, HIDDEN, INITIALIZATIONS, M, N, drawn, machine, seen, tensors


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


class TestEquations:
    """What the paper says, against a loop with the same weights."""

    @CONTROLLERS
    @INITIALIZATIONS
    @pytest.mark.parametrize("reach", [1, 2])
    def test_steps_are_those_of_a_loop(self, controller: str, initialization: str, reach: int) -> None:
        """Over six steps of two sequences: outputs, weights, reads, memory and the controller's units."""
        made = machine(controller=controller, initialization=initialization, reach=reach)
        inputs = seen(6, 2)
        weights = {name: weight.tolist() for name, weight in made.state_dict().items()}
        states = [turing_oracle.first(weights, recurrent=controller == "lstm") for _ in range(2)]
        state = made.initial(2)
        for x in inputs:
            y, state = made(x, state)
            for b in range(2):
                expected, states[b] = turing_oracle.step(x[b].tolist(), states[b], weights, reach)
                assert y[b].tolist() == pytest.approx(expected, abs=1e-9)
                self.agree(state, b, states[b])

    def agree(self, state: TuringState, b: int, expected: turing_oracle.Remembered) -> None:
        """Compare one sequence's state."""
        for found, rows in (
            (state.memory[b], expected.memory),
            (state.weights[b], expected.weights),
            (state.reads[b], expected.reads),
        ):
            torch.testing.assert_close(found, torch.tensor(rows, dtype=torch.float64), atol=1e-9, rtol=1e-9)
        for units, kept in zip(expected.units, state.controller, strict=False):
            assert kept[b].tolist() == pytest.approx(units, abs=1e-9)

    @pytest.mark.parametrize(("reading", "writing"), [(1, 1), (3, 1), (1, 4)])
    def test_any_number_of_heads_is_that_of_a_loop(self, reading: int, writing: int) -> None:
        """Read heads and write heads are not mistaken for one another when there are more of one kind."""
        made = machine(num_read_heads=reading, num_write_heads=writing)
        weights = {name: weight.tolist() for name, weight in made.state_dict().items()}
        expected = turing_oracle.first(weights, recurrent=True)
        state = made.initial(1)
        for x in seen(4, 1):
            y, state = made(x, state)
            said, expected = turing_oracle.step(x[0].tolist(), expected, weights, 1)
            assert y[0].tolist() == pytest.approx(said, abs=1e-9)
            self.agree(state, 0, expected)

    def test_a_scale_multiplies_all_outputs_and_changes_nothing_else(self) -> None:
        """As in the loop; it begins with 1, so that a machine with one starts as a machine without."""
        made = machine(scaled=True)
        weights = {name: weight.tolist() for name, weight in made.state_dict().items()}
        assert weights["log_scale"] != 0
        expected = turing_oracle.first(weights, recurrent=True)
        state = made.initial(1)
        for x in seen(3, 1):
            y, state = made(x, state)
            said, expected = turing_oracle.step(x[0].tolist(), expected, weights, 1)
            assert y[0].tolist() == pytest.approx(said, abs=1e-9)
            self.agree(state, 0, expected)
        plain, scaled = drawn(0), drawn(0, scaled=True)
        x = seen(1, 2)[0].float()
        assert torch.equal(plain(x, plain.initial(2))[0], scaled(x, scaled.initial(2))[0])

    def test_reading_sees_what_the_step_before_has_written(self) -> None:
        """Reading and writing happen side by side: a step's own write is not in its reads."""
        made = machine()
        before = made.initial(2)
        _, after = made(seen(1, 2)[0], before)
        expected = torch.einsum("bhn,bnm->bhm", after.weights[:, :2], before.memory)
        torch.testing.assert_close(after.reads, expected)
        assert not torch.allclose(torch.einsum("bhn,bnm->bhm", after.weights[:, :2], after.memory), expected)


class TestLaws:
    """What holds for every machine, whatever it has learnt."""

    @CONTROLLERS
    def test_weights_stay_distributions(self, controller: str) -> None:
        """Over 100 steps and with weights that drive every number to its ends, in float32."""
        made = machine(spread=4.0, controller=controller).float()
        state = made.initial(3)
        for x in seen(100, 3).float():
            _, state = made(x, state)
            assert torch.all(state.weights >= 0)
            torch.testing.assert_close(state.weights.sum(-1), torch.ones(3, 4), atol=1e-5, rtol=0)

    @CONTROLLERS
    def test_a_state_is_not_changed_by_a_step(self, controller: str) -> None:
        """Nor is the input."""
        made = machine(controller=controller)
        x = seen(1, 2)[0]
        _, state = made(x, made.initial(2))
        before = [each.clone() for each in (x, *tensors(state))]
        made(x, state)
        for kept, now in zip(before, (x, *tensors(state)), strict=True):
            assert torch.equal(kept, now)

    @CONTROLLERS
    def test_sequences_of_a_batch_do_not_touch_each_other(self, controller: str) -> None:
        """Each alone gives what it gives beside the others."""
        made, inputs = machine(controller=controller), seen(8, 3)
        together, state = unroll(made, inputs)
        for b in range(3):
            alone, own = unroll(made, inputs[:, b : b + 1])
            torch.testing.assert_close(together[:, b : b + 1], alone)
            for all_of_it, one in zip(tensors(state), tensors(own), strict=True):
                torch.testing.assert_close(all_of_it[b : b + 1], one)

    @CONTROLLERS
    def test_a_kept_state_can_be_gone_on_from(self, controller: str) -> None:
        """Two halves give what the whole gives, again and again from the same state."""
        made, inputs = machine(controller=controller), seen(9, 2)
        whole, last = unroll(made, inputs)
        early, kept = unroll(made, inputs[:5])
        for _ in range(2):
            late, reached = unroll(made, inputs[5:], kept)
            assert torch.equal(torch.cat([early, late]), whole)
            assert all(torch.equal(a, b) for a, b in zip(tensors(reached), tensors(last), strict=True))

    @CONTROLLERS
    @INITIALIZATIONS
    def test_same_seed_gives_the_same_machine(self, controller: str, initialization: str) -> None:
        """And another seed another one."""
        one, same, other = (drawn(s, controller=controller, initialization=initialization) for s in (1, 1, 2))
        weights, again = one.state_dict(), same.state_dict()
        assert all(torch.equal(weights[name], again[name]) for name in weights)
        assert any(not torch.equal(weights[name], value) for name, value in other.state_dict().items())

    def test_view_shows_the_memory_and_where_each_kind_of_head_looks(self) -> None:
        """Read heads and write heads apart, of which there are different numbers."""
        made = machine(num_read_heads=1, num_write_heads=3)
        _, state = unroll(made, seen(3, 2))
        view = made.view(state)
        assert torch.equal(view.memory, state.memory)
        assert torch.equal(view.read_weights, state.weights[:, :1])
        assert torch.equal(view.write_weights, state.weights[:, 1:])


class TestStart:
    """What stands before the first step."""

    @CONTROLLERS
    def test_every_head_looks_at_slot_0_first(self, controller: str) -> None:
        """With nearly all of its weight, so that it can find that it can move."""
        weights = drawn(0, controller=controller, memory_size=128).initial(2).weights
        assert torch.all(weights[:, :, 0] > 0.99)
        assert torch.all(weights[:, :, 1:] > 0)

    def test_constant_memory_is_one_small_number(self) -> None:
        """1e-6 everywhere, and no parameter."""
        made = drawn(0, initialization="constant")
        assert torch.all(made.initial(2).memory == torch.tensor(1e-6))
        assert "first_memory" not in dict(made.named_parameters())

    def test_small_random_memory_is_drawn_once_within_its_bound(self) -> None:
        """±1/√(N + M), the same for all sequences; no parameter, but kept with the weights."""
        made = drawn(0, initialization="small_random", memory_size=200, memory_dim=56)
        memory = made.initial(2).memory
        assert 0.95 / 16 < memory.abs().max().item() <= 1 / 16
        assert memory.mean().abs().item() < 0.1 / 16
        assert torch.equal(memory[0], memory[1])
        assert torch.equal(memory, made.initial(2).memory)
        assert "first_memory" not in dict(made.named_parameters())
        assert "first_memory" in made.state_dict()

    def test_learned_memory_is_a_parameter_with_a_gradient(self) -> None:
        """It starts within the same bound."""
        made = drawn(0, initialization="learned")
        first = dict(made.named_parameters())["first_memory"]
        assert 0 < first.abs().max().item() <= 1 / (N + M) ** 0.5
        torch.autograd.backward(unroll(made, seen(3, 2).float())[0].square().sum())
        assert first.grad is not None
        assert torch.any(first.grad != 0)

    @CONTROLLERS
    @pytest.mark.parametrize("batch", [1, 3])
    def test_every_sequence_starts_alike(self, controller: str, batch: int) -> None:
        """Shapes are those of the batch, and no sequence is ahead of another."""
        made = drawn(0, controller=controller)
        state = made.initial(batch)
        units = HIDDEN if controller == "lstm" else 0
        shapes = [(batch, N, M), (batch, 4, N), (batch, 2, M), (batch, units), (batch, units)]
        assert [tuple(each.shape) for each in tensors(state)] == shapes
        assert all(torch.equal(each, each[:1].expand_as(each)) for each in tensors(state))

    def test_a_machine_without_recurrence_has_an_empty_controller_state(self) -> None:
        """All that it remembers is in the memory, the weights and the reads."""
        _, state = unroll(machine(controller="feedforward"), seen(2, 3))
        assert state.controller == State(state.controller.hidden, state.controller.cell)
        assert state.controller.hidden.shape == state.controller.cell.shape == (3, 0)
