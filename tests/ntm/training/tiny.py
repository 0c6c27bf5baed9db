"""A task so small that a machine learns it in seconds, and runs of training on it."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from ntm_memory_skill.ntm.machines import MachineSettings
from ntm_memory_skill.ntm.tasks import Batch, Size, Task
from ntm_memory_skill.ntm.tasks.task import between, random_bits
from ntm_memory_skill.ntm.training import Trainer, TrainingSettings

BITS = 2


class Tiny(Task):
    """Copy of one or two vectors of two bits at level 1, of up to three at level 2."""

    name = "tiny"
    inputs = BITS + 1
    outputs = BITS
    levels = 2
    measures = ("a length",)
    smallest = (1,)
    tests: ClassVar = {"3": (3,), "5": (5,)}
    held_back = ((3,),)

    def size(self, rng: torch.Generator, level: int) -> Size:
        """Draw a length up to one more than the level."""
        return (between(rng, 1, level + 1),)

    def sequences(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw vectors, a delimiter, and as many steps with nothing to see."""
        (length,) = size
        said = random_bits(rng, length, batch, BITS)
        inputs = torch.zeros(2 * length + 1, batch, BITS + 1)
        inputs[:length, :, :BITS] = said
        inputs[length, :, BITS] = 1
        targets = torch.zeros(2 * length + 1, batch, BITS)
        targets[length + 1 :] = said
        return Batch(inputs, targets, torch.arange(2 * length + 1) > length)


def machine(**changed: Any) -> MachineSettings:
    """Return a tiny machine's settings."""
    sizes: dict[str, Any] = {"inputs": Tiny.inputs, "outputs": Tiny.outputs}
    return MachineSettings(**{**sizes, "memory_size": 5, "memory_dim": 4, "hidden": 12, **changed})


def training(**changed: Any) -> TrainingSettings:
    """Return settings for a run of a few updates, without compiling."""
    few: dict[str, Any] = {"batch": 4, "updates": 8, "check_every": 2, "solved": 0.0, "compiled": False}
    return TrainingSettings(**{**few, **changed})


def trainer(**changed: Any) -> Trainer:
    """Return a run that has not begun."""
    return Trainer(Tiny(), machine(), training(**changed))


def weights(run: Trainer) -> dict[str, torch.Tensor]:
    """Return the machine's weights as they stand, kept from being changed."""
    return {name: value.clone() for name, value in run.machine.state_dict().items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Tell whether two machines' weights are equal to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
