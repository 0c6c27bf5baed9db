"""Priority sort: say the vectors with the highest priorities, the highest first (Graves 2014, §4.5)."""

from __future__ import annotations

from typing import ClassVar

import torch

from ntm_memory_skill.ntm.tasks.task import Batch, Size, Task, between, random_bits

BITS = 8
MOST = 20
SORTED = 0.8  # share of the vectors that is asked for: 16 of 20


class PrioritySort(Task):
    """Random eight-bit vectors, each with a priority, uniform from −1 to 1; then the first four fifths, in order.

    Level n has up to n vectors; the hardest is the paper's 20, of which 16 are asked for.
    """

    name = "priority-sort"
    inputs = BITS + 2
    outputs = BITS
    levels = MOST
    measures = ("vectors",)
    smallest = (1,)
    tests: ClassVar = {"20": (20,)}
    held_back = ((20,),)

    def size(self, rng: torch.Generator, level: int) -> Size:
        """Draw how many vectors there are: as many as the level has, and at times somewhat fewer."""
        return (between(rng, max(1, level - 2), level),)

    def sequences(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw so many vectors with their priorities."""
        (vectors,) = size
        asked = max(1, round(SORTED * vectors))
        said = random_bits(rng, vectors, batch, BITS)
        priorities = 2 * torch.rand(vectors, batch, generator=rng) - 1
        first = priorities.argsort(dim=0, descending=True)[:asked]
        steps = vectors + 1 + asked
        inputs = torch.zeros(steps, batch, self.inputs)
        inputs[:vectors, :, :BITS] = said
        inputs[:vectors, :, BITS] = priorities
        inputs[vectors, :, BITS + 1] = 1
        targets = torch.zeros(steps, batch, self.outputs)
        targets[vectors + 1 :] = said.gather(0, first[..., None].expand(-1, -1, BITS))
        return Batch(inputs, targets, torch.arange(steps) > vectors)
