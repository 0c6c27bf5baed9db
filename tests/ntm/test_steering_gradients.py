"""Gradients from where the heads look back to a controller's weights: what training goes by."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ntm_memory_skill.ntm import (
    CONTROLLERS,
    ControllerShape,
    Ground,
    HeadParameters,
    Stages,
    address,
    emit,
    forward,
    initial,
)
from tests.ntm import oracle

KERNEL = (0.2, 0.5, 0.3)
LENGTHS = [1.0, 20.0, 3.0, 3.0, 300.0]
CHATS = [[0, 1, 2], [3, 4]]
PRESENT = [True, True, True, True, False]
TERMS = [[1.0, -0.5, 0.2, 0.0, 0.7], [0.1, 0.9, -0.3, 0.4, -2.0]]

kinds = pytest.mark.parametrize("kind", CONTROLLERS)

AT_BOUNDS = {
    "the default": HeadParameters(kernel=KERNEL),
    "gate open": HeadParameters(kernel=KERNEL, gate=1.0),
    "gate closed": HeadParameters(kernel=KERNEL, gate=0.0),
    "no sharpening": HeadParameters(kernel=KERNEL, sharpening=1.0),
    "one-hot kernel": HeadParameters(kernel=(0.0, 0.0, 1.0)),
    "everything passes": HeadParameters(kernel=KERNEL, length_ratio=math.inf),
}


def controller(torch: Any, kind: str, dtype: str = "float64") -> tuple[ControllerShape, dict[str, Any]]:
    """Return a small controller of two heads and weights for it, tracked, none of them 0."""
    shape = ControllerShape(kind=kind, inputs=2, terms=2, heads=2, width=3, hidden=2)
    rng = np.random.default_rng(CONTROLLERS.index(kind))
    values = {name: rng.normal(0, 0.3, size) for name, size in shape.sizes().items()}
    return shape, tracked(torch, values, dtype)


def tracked(torch: Any, values: dict[str, Any], dtype: str) -> dict[str, Any]:
    """Return weights as tensors that gradients flow into."""
    return {name: torch.tensor(each, dtype=getattr(torch, dtype)).requires_grad_() for name, each in values.items()}


def looked(torch: Any, shape: ControllerShape, weights: dict[str, Any], asked: Any, base: HeadParameters) -> Stages:
    """Return where the heads look for a chat's last question, at every stage; `asked` has shape (q, 2)."""
    state = None
    for inputs in asked:
        said, state = forward(shape, weights, inputs, state)
    like = asked[0].dtype
    usual, trust = torch.tensor([0.6, 0.4], dtype=like), torch.tensor([0.5, 1.0], dtype=like)
    omega, steering = emit(said, usual, trust, base)
    ground = Ground(
        torch.tensor(PRESENT),
        torch.tensor(oracle.neighbour_table(CHATS, 5, 1)),
        torch.tensor(oracle.relative_lengths(LENGTHS, CHATS, 1), dtype=like),
        torch.tensor([0.4, 0.1, 0.1, 0.3, 0.1], dtype=like),
    )
    return address(omega @ torch.tensor(TERMS, dtype=like), steering, ground).merged(steering.sharpening)


def questions(torch: Any, dtype: str = "float64") -> Any:
    """Return the statistics of two questions, tracked."""
    return torch.tensor([[0.5, -1.5], [2.0, 0.3]], dtype=getattr(torch, dtype)).requires_grad_()


@kinds
def test_the_whole_read_path_has_the_right_gradient(torch: Any, kind: str) -> None:
    """Numeric differences agree, for every weight and statistic, through the gate and past an absent slot."""
    shape, weights = controller(torch, kind)

    def path(asked: Any, *values: Any) -> Stages:
        given = dict(zip(weights, values, strict=True))
        return looked(torch, shape, given, asked, AT_BOUNDS["the default"])

    assert torch.autograd.gradcheck(path, [questions(torch), *weights.values()])


@kinds
def test_every_weight_has_a_say(torch: Any, kind: str) -> None:
    """None is cut off from its gradient, the LSTM's recurrent ones among them."""
    shape, weights = controller(torch, kind)
    stages = looked(torch, shape, weights, questions(torch), AT_BOUNDS["the default"])
    (stages.sharpened * torch.tensor([1.0, 2.0, 4.0, 8.0, 0.0])).sum().backward()
    for name, values in weights.items():
        assert torch.count_nonzero(values.grad) > 0, name
    assert all(torch.any(weights["b"].grad.reshape(2, -1) != 0, dim=0))  # every parameter of a head


@kinds
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("base", AT_BOUNDS)
@pytest.mark.parametrize("start", ["constant", "small_random"])
def test_training_starts_with_finite_gradients(torch: Any, kind: str, dtype: str, base: str, start: str) -> None:
    """From the default head, also where that stands at the ends of its ranges; and there is somewhere to go."""
    shape, _ = controller(torch, kind)
    weights = tracked(torch, initial(shape, start, np.random.default_rng(2)), dtype)
    stages = looked(torch, shape, weights, questions(torch, dtype), AT_BOUNDS[base])
    (stages.shifted * torch.tensor([1.0, 2.0, 4.0, 8.0, 0.0])).sum().backward()
    for values in weights.values():
        assert torch.isfinite(values.grad).all()
    assert torch.count_nonzero(weights["b"].grad) > 0


@kinds
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [30.0, 1e6])
@pytest.mark.parametrize("base", AT_BOUNDS)
def test_gradients_stay_finite_however_large_the_weights(
    torch: Any, kind: str, dtype: str, size: float, base: str
) -> None:
    """Gates fully open and shut, exponents far beyond their ends, content on one slot."""
    shape, weights = controller(torch, kind, dtype)
    large = {name: (size * values.detach()).requires_grad_() for name, values in weights.items()}
    asked = questions(torch, dtype)
    stages = looked(torch, shape, large, asked, AT_BOUNDS[base])
    (stages.sharpened * torch.tensor([1.0, 2.0, 4.0, 8.0, 0.0])).sum().backward()
    for values in (*stages, *(each.grad for each in (asked, *large.values()))):
        assert torch.isfinite(values).all()


@kinds
def test_a_step_against_the_gradient_lends_the_wanted_slot_more_weight(torch: Any, kind: str) -> None:
    """From the default head: it can be taught."""
    shape, _ = controller(torch, kind)
    weights = tracked(torch, initial(shape, "constant", np.random.default_rng(2)), "float64")
    base, asked = AT_BOUNDS["the default"], questions(torch).detach()
    before = looked(torch, shape, weights, asked, base).shifted[3]
    before.backward()
    stepped = {
        name: values.detach() + (0 if values.grad is None else 0.1 * values.grad) for name, values in weights.items()
    }
    assert looked(torch, shape, stepped, asked, base).shifted[3] > before
