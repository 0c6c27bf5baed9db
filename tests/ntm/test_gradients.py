"""Gradients through addressing: right where numeric differences exist, finite where weights are at their limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from ntm_memory_skill.ntm import ExactSimilarity, MemoryMatrix, addressing
from tests.ntm import oracle

Inputs = dict[str, Any]

KERNEL = (0.1, 0.2, 0.4, 0.25, 0.05)


def inputs(torch: Any, slots: int, dtype: str = "float64", **given: Any) -> Inputs:
    """Return everything a head and its memory hold for a batch of two, tracked; `given` replaces values by name."""
    rng = np.random.default_rng(slots)
    values: dict[str, Any] = {
        "key": rng.normal(size=(2, 3)),
        "memory": rng.normal(size=(2, slots, 3)),
        "strength": rng.uniform(0.5, 3, size=2),
        "previous": rng.dirichlet(np.ones(slots), size=2),
        "gate": rng.uniform(0.2, 0.8, size=2),
        "kernel": np.tile(KERNEL, (2, 1)),
        "gamma": rng.uniform(1, 4, size=2),
        "ratio": rng.uniform(1.1, 1.9, size=2),
        "erase": rng.uniform(size=(2, 3)),
        "add": rng.normal(size=(2, 3)),
    }
    values.update({name: np.broadcast_to(value, values[name].shape).copy() for name, value in given.items()})
    kind = getattr(torch, dtype)
    return {name: torch.tensor(value, dtype=kind).requires_grad_() for name, value in values.items()}


def step(torch: Any, given: Mapping[str, Any]) -> tuple[Any, Any]:
    """Address, read and write once: content, interpolate, shift, passing, shift_along, sharpen, read, write."""
    slots, reach = given["memory"].shape[-2], given["kernel"].shape[-1] // 2
    laid = [list(range(slots // 2)), list(range(slots // 2, slots))]
    table = torch.tensor(oracle.neighbour_table(laid, slots, reach))
    relative = oracle.relative_lengths([float(2 ** (slot % 3)) for slot in range(slots)], laid, reach)
    let = addressing.passing(torch.tensor(relative, dtype=given["ratio"].dtype), given["ratio"])
    content = addressing.content(addressing.similarity(given["key"], given["memory"]), given["strength"])
    gated = addressing.interpolate(content, given["previous"], given["gate"])
    shifted = addressing.shift_along(addressing.shift(gated, given["kernel"]), given["kernel"], table, let)
    weights = addressing.sharpen(shifted, given["gamma"])
    written = addressing.write(given["memory"], weights, given["erase"], given["add"])
    return addressing.read(weights, given["memory"]), written


STAGES: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "similarity": (addressing.similarity, ("key", "memory")),
    "content": (
        lambda key, memory, beta: addressing.content((memory @ key[..., None])[..., 0], beta),
        ("key", "memory", "strength"),
    ),
    "interpolate": (lambda old, gate: addressing.interpolate(old**2, old, gate), ("previous", "gate")),
    "shift": (addressing.shift, ("previous", "kernel")),
    "passing": (
        lambda ratio: addressing.passing(ratio.new_tensor([[-3.0, -0.7, 0.7], [0.0, -1.0, 2.0]]), ratio),
        ("ratio",),
    ),
    "sharpen": (addressing.sharpen, ("previous", "gamma")),
    "read": (addressing.read, ("previous", "memory")),
    "write": (addressing.write, ("memory", "previous", "erase", "add")),
}


class TestNumericDifferences:
    """The analytic gradient is the slope."""

    @pytest.mark.parametrize("stage", STAGES)
    def test_each_stage_has_the_right_gradient(self, torch: Any, stage: str) -> None:
        """With respect to every argument, the parameters of the head among them."""
        law, names = STAGES[stage]
        given = inputs(torch, 4)
        assert torch.autograd.gradcheck(law, [given[name] for name in names])

    @pytest.mark.parametrize("slots", [1, 2, 5])
    def test_the_whole_chain_has_the_right_gradient(self, torch: Any, slots: int) -> None:
        """From the key to the vector read and the memory written, through all ten inputs."""
        given = inputs(torch, slots)
        assert torch.autograd.gradcheck(
            lambda *values: step(torch, dict(zip(given, values, strict=True))), list(given.values())
        )

    def test_standardized_scores_have_the_right_gradient(self, torch: Any) -> None:
        """An absent slot takes no part."""
        scores = torch.tensor([0.3, -1.0, 2.0, 5.0], dtype=torch.float64, requires_grad=True)
        present = torch.tensor([True, True, True, False])
        assert torch.autograd.gradcheck(lambda values: addressing.standardize(values, present), [scores])

    def test_absent_slots_have_no_gradient(self, torch: Any) -> None:
        """A slot that the mask leaves out cannot pull on the head."""
        scores = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
        present = torch.tensor([True, True, False])
        assert torch.autograd.gradcheck(lambda values: addressing.content(values, 2.0, present), [scores])
        addressing.content(scores, 2.0, present)[0].backward()
        assert scores.grad[2] == 0


LIMITS: dict[str, dict[str, Any]] = {
    "zero rows": {"memory": 0.0},
    "zero key": {"key": 0.0},
    "zero rows and key": {"memory": 0.0, "key": 0.0},
    "one-hot past, gate closed": {"previous": "one-hot", "gate": 0.0},
    "one-hot past, kernel and weights": {"previous": "one-hot", "gate": 0.0, "kernel": np.eye(5)[2], "gamma": 200.0},
    "huge key strength": {"strength": 1e30},
    "large sharpening": {"gamma": 1e6},
    "everything passes": {"ratio": math.inf},
    "hardly anything passes": {"ratio": 1e-30},
    "a ratio at its very edge": {"ratio": 2.0},
    "all at once": {
        "memory": 0.0,
        "strength": 1e30,
        "gate": 1.0,
        "kernel": np.eye(5)[4],
        "gamma": 1e6,
        "ratio": math.inf,
    },
}


class TestLimits:
    """Where a careless formula divides zero by zero."""

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("slots", [1, 3, 10_000])
    @pytest.mark.parametrize("limit", LIMITS)
    def test_gradients_stay_finite(self, torch: Any, dtype: str, slots: int, limit: str) -> None:
        """Of every input, and every output is finite too."""
        chosen = dict(LIMITS[limit])
        if chosen.get("previous") == "one-hot":
            chosen["previous"] = np.eye(1, slots)
        given = inputs(torch, slots, dtype, **chosen)
        outputs = step(torch, given)
        sum(output.sum() for output in outputs).backward()
        for tensor in (*outputs, *(tensor.grad for tensor in given.values())):
            assert torch.isfinite(tensor).all()

    @pytest.mark.parametrize("score", [0.0, 3.0])
    def test_constant_scores_have_a_finite_gradient(self, torch: Any, score: float) -> None:
        """The square root of a spread of 0 has none."""
        scores = torch.full((4,), score, requires_grad=True)
        addressing.standardize(scores, torch.tensor([True, True, True, False]))[0].backward()
        assert torch.isfinite(scores.grad).all()


class TestMatrix:
    """The memory matrix in torch."""

    ROWS = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32)

    def test_gradient_flows_through_two_writes_into_a_read(self, torch: Any) -> None:
        """It is the gradient of the equations, which numeric differences have confirmed."""
        matrix = MemoryMatrix(torch, 2, ExactSimilarity())
        matrix.store_many([0, 1, 2], self.ROWS)
        through_matrix = self._given(torch)
        for _ in range(2):
            matrix.write(*through_matrix)
        matrix.read(through_matrix[0])[0].backward()

        by_hand, rows = self._given(torch), torch.tensor(self.ROWS)
        for _ in range(2):
            rows = addressing.write(rows, *by_hand)
        addressing.read(by_hand[0], rows)[0].backward()
        for ours, theirs in zip(through_matrix, by_hand, strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad)

    @staticmethod
    def _given(torch: Any) -> list[Any]:
        """Return a weighting, what to erase and what to add."""
        return [torch.tensor(values, requires_grad=True) for values in ([0.2, 0.3, 0.5], [0.1, 0.9], [2.0, -1.0])]
