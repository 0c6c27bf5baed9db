"""Episodes: learn five classes within one sequence, from a few instances of each (Santoro et al. 2016, §4).

Classes are clusters of points, drawn anew for every sequence, and their labels are dealt anew too: nothing about them
can be learnt but how to learn. A step shows a point and the label of the point before it; asked for is the point's own
label.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize, one_hot

from ntm_memory_skill.ntm.tasks.task import Batch, Size, Task

CLASSES = 5
DIMENSION = 16
SPREAD = 0.1
"""Standard deviation of each number of a point about its class's centre, whose length is 1: points lie 0.4 from it."""
INSTANCES = 10


class Episodes(Task):
    """Ten points of each of five classes in a random order. The outputs are the classes' logits, not bits."""

    name = "episodes"
    inputs = DIMENSION + CLASSES
    outputs = CLASSES
    levels = 1
    measures = ("instances of each class",)
    smallest = (1,)
    tests: ClassVar = {"10": (INSTANCES,)}
    held_back = ((INSTANCES,),)

    def size(self, rng: torch.Generator, level: int) -> Size:  # noqa: ARG002  # all sequences of this task are alike
        """Return the one size that there is."""
        return (INSTANCES,)

    def sequences(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw sequences with so many instances of each class."""
        steps = CLASSES * size[0]
        centres = normalize(torch.randn(batch, CLASSES, DIMENSION, generator=rng), dim=-1)
        order = torch.rand(steps, batch, generator=rng).argsort(dim=0)
        labels = order % CLASSES
        points = centres[torch.arange(batch), labels] + SPREAD * torch.randn(steps, batch, DIMENSION, generator=rng)
        targets = one_hot(labels, CLASSES).float()
        before = torch.cat([torch.zeros_like(targets[:1]), targets[:-1]])
        return Batch(torch.cat([points, before], dim=-1), targets, torch.ones(steps, dtype=torch.bool))

    def chances(self, outputs: Float[Tensor, "... outputs"]) -> Float[Tensor, "... outputs"]:
        """Return how likely each class is held to be; they sum to 1."""
        return torch.softmax(outputs, dim=-1)

    def loss(self, outputs: Float[Tensor, "t b outputs"], batch: Batch) -> Float[Tensor, ""]:
        """Return the cross-entropy of the classes, nats a point."""
        return cross_entropy(outputs.flatten(0, 1), batch.targets.flatten(0, 1))

    def bits(self, outputs: Float[Tensor, "t b outputs"], batch: Batch) -> float:
        """Return the cost in bits for each sequence. It cannot be 0: the first of a class can only be guessed."""
        return float(self.loss(outputs, batch)) / math.log(2) * len(outputs)

    def wrong(self, outputs: Float[Tensor, "t b outputs"], batch: Batch) -> float:
        """Return the share of wrong labels among all points but the first of each class."""
        shares = self.right(outputs, batch)[1:]
        return 1 - sum(shares) / len(shares) if shares else 1 - self.right(outputs, batch)[0]

    def right(self, outputs: Float[Tensor, "t b outputs"], batch: Batch) -> list[float]:
        """Return the share of right labels among the first instances of the classes, the second ones, and so on."""
        instance = instances(batch.targets)
        hit = outputs.argmax(dim=-1) == batch.targets.argmax(dim=-1)
        return [float(hit[instance == number].float().mean()) for number in range(int(instance.max()) + 1)]


def instances(targets: Float[Tensor, "t b classes"]) -> Int[Tensor, "t b"]:
    """Return how many points of its class were shown before each point."""
    return ((targets.cumsum(dim=0) * targets).sum(dim=-1) - 1).long()
