"""The Neural Turing Machine's gradients: there is one for every weight, it is the slope, and it is always a number."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ntm_memory_skill.ntm.machines import unroll
from tests.ntm.machines.turing_machines import CONTROLLERS, INITIALIZATIONS, INPUTS, drawn, machine, seen, tensors


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


class TestGradients:
    """Training must reach every weight, and never meet what is no number."""

    @CONTROLLERS
    def test_gradients_are_finite_after_a_long_sequence(self, controller: str) -> None:
        """Over 150 steps in float32, with the weights that training starts from and with wild ones."""
        for made in (drawn(0, controller=controller), machine(spread=3.0, controller=controller).float()):
            inputs = seen(150, 1).float().requires_grad_()
            torch.autograd.backward(unroll(made, inputs)[0].square().mean())
            for name, weight in (*made.named_parameters(), ("inputs", inputs)):
                assert weight.grad is not None, name
                assert torch.all(torch.isfinite(weight.grad)), name

    @pytest.mark.parametrize("value", [0.0, 1e4, -1e4])
    def test_gradients_are_finite_at_the_ends_of_every_range(self, value: float) -> None:
        """Nothing to see, and inputs that drive all units to where they saturate."""
        made = drawn(0, initialization="constant")
        torch.autograd.backward(unroll(made, torch.full((30, 2, INPUTS), value))[0].square().mean())
        for name, weight in made.named_parameters():
            assert weight.grad is not None, name
            assert torch.all(torch.isfinite(weight.grad)), name

    @CONTROLLERS
    @INITIALIZATIONS
    def test_every_weight_has_a_gradient(self, controller: str, initialization: str) -> None:
        """Each parameter has a say in the outputs of a few steps."""
        made = machine(controller=controller, initialization=initialization)
        torch.autograd.backward(unroll(made, seen(5, 2))[0].square().sum())
        for name, weight in made.named_parameters():
            assert weight.grad is not None, name
            assert torch.any(weight.grad != 0), name

    @CONTROLLERS
    def test_gradient_is_the_slope(self, controller: str) -> None:
        """With respect to the input and every weight, through two steps, by finite differences."""
        made = machine(
            memory_size=3, memory_dim=2, num_read_heads=1, hidden=2, controller=controller, initialization="learned"
        )
        inputs = seen(2, 1).requires_grad_()
        names = [name for name, _ in made.named_parameters()]

        class Whole(torch.nn.Module):
            """All steps in one call, so that the first state depends on the weights that are given."""

            def __init__(self) -> None:
                super().__init__()
                self.machine = made

            def forward(self, x: Tensor) -> Tensor:
                y, state = unroll(made, x)
                return torch.cat([y.flatten(), *(each.flatten() for each in tensors(state))])

        whole = Whole()

        def law(x: Tensor, *weights: Tensor) -> Tensor:
            given = {f"machine.{name}": weight for name, weight in zip(names, weights, strict=True)}
            found: Tensor = torch.func.functional_call(whole, given, (x,))
            return found

        assert torch.autograd.gradcheck(law, [inputs, *made.parameters()])
