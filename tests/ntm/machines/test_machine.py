"""What every machine keeps, whichever it is: the interface's laws, once for all kinds."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.utils._pytree as trees
from torch import Tensor

from ntm_memory_skill.ntm.machines import MACHINES, Machine, MachineSettings, build, unroll

INPUTS, STEPS, SLOTS, LENGTH = 6, 5, 4, 5
OUTPUTS = {"hopfield": LENGTH, "dkvmn": 1}
"""Where a kind has a say in it."""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> Machine[Any]:
    """One of each kind, in float64, its weights drawn widely so that all of it counts."""
    settings = MachineSettings(
        kind=request.param,
        inputs=INPUTS,
        outputs=OUTPUTS.get(request.param, 2),
        memory_size=SLOTS,
        memory_dim=LENGTH,
        hidden=7,
        initialization="learned",  # slots that are alike would be told apart by how sums were rounded
    )
    torch.manual_seed(0)
    made = build(settings).double()
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(0.7 * torch.randn_like(weight))
    return made


def seen(batch: int) -> Tensor:
    """Return what sequences show."""
    return torch.randn(STEPS, batch, INPUTS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_state_that_was_kept_is_as_it_was(machine: Machine[Any]) -> None:
    """The same step from it gives the same again."""
    inputs = seen(2)
    _, state = unroll(machine, inputs)
    kept = trees.tree_map(torch.clone, state)
    first = machine(inputs[0], state)
    assert all(map(torch.equal, trees.tree_leaves(state), trees.tree_leaves(kept)))
    assert all(map(torch.equal, trees.tree_leaves(machine(inputs[0], state)), trees.tree_leaves(first)))


def test_state_can_be_gone_on_from(machine: Machine[Any]) -> None:
    """Two halves of a sequence give what the whole one gives."""
    inputs = seen(2)
    whole, last = unroll(machine, inputs)
    before, state = unroll(machine, inputs[:2])
    after, state = unroll(machine, inputs[2:], state)
    assert torch.equal(torch.cat([before, after]), whole)
    assert all(map(torch.equal, trees.tree_leaves(state), trees.tree_leaves(last)))


def test_sequences_of_a_batch_do_not_touch_each_other(machine: Machine[Any]) -> None:
    """A batch of three gives what each gives alone."""
    inputs = seen(3)
    together, state = unroll(machine, inputs)
    for sequence in range(3):
        y, single = unroll(machine, inputs[:, sequence : sequence + 1])
        torch.testing.assert_close(y[:, 0], together[:, sequence])
        for one, every in zip(trees.tree_leaves(single), trees.tree_leaves(state), strict=True):
            torch.testing.assert_close(one[0], every[sequence])


def test_view_has_one_memory_and_a_weighting_for_each_head(machine: Machine[Any]) -> None:
    """Slots by numbers, heads by slots; no weight is below 0, and none of a head's come to more than 1."""
    shown = torch.zeros(STEPS, 2, INPUTS, dtype=torch.float64)
    shown[..., 1] = shown[..., -1] = 1  # a skill and its answer to one kind, a pattern to be stored to another
    view = machine.view(unroll(machine, shown)[1])
    assert view.memory.shape == (2, SLOTS, LENGTH)
    for weights in (view.read_weights, view.write_weights):
        assert weights.shape == (2, 1, SLOTS)
        assert weights.min() >= 0
        assert weights.sum(dim=-1).max() <= 1 + 1e-9
