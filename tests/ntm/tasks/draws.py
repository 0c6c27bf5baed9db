"""What the tests of tasks share: batches from a seed, as plain lists."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import settings

from ntm_memory_skill.ntm.tasks import Batch, Size, Task

few = settings(deadline=None, max_examples=25)


def rng(seed: int = 0) -> torch.Generator:
    """Return random numbers from a seed."""
    return torch.Generator().manual_seed(seed)


def drawn(task: Task, size: Size, batch: int = 3, seed: int = 0) -> Batch:
    """Return a batch of a size."""
    return task.of_size(rng(seed), batch, size)


def sequence(batch: Batch, which: int) -> tuple[list[list[float]], list[list[float]]]:
    """Return one sequence's inputs and targets as lists of steps."""
    inputs: Any = batch.inputs[:, which].tolist()
    targets: Any = batch.targets[:, which].tolist()
    return inputs, targets


def same(one: Batch, other: Batch) -> bool:
    """Tell whether two batches are equal to the last bit."""
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
