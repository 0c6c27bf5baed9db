"""Associative recall: of a list of items, which one came after this one? (Graves 2014, §4.3)."""

from __future__ import annotations

from typing import ClassVar

import torch

from ntm_memory_skill.ntm.tasks.task import Batch, Size, Task, between, random_bits

BITS = 6
VECTORS = 3
FEWEST, MOST = 2, 6
STRIDE = VECTORS + 1  # an item and the delimiter before it


class AssociativeRecall(Task):
    """Items of three six-bit vectors, a delimiter before each; then one of them between two marks; then the next one.

    Trained on 2 to 6 items; asked about up to 20. The item that is asked about is never the last.
    """

    name = "associative-recall"
    inputs = BITS + 2
    outputs = BITS
    levels = 1
    measures = ("items",)
    smallest = (FEWEST,)
    tests: ClassVar = {"6": (6,), "12": (12,), "20": (20,)}
    held_back = ((MOST,), (8,))

    def size(self, rng: torch.Generator, level: int) -> Size:
        """Draw how many items there are; there is one level."""
        return (between(rng, FEWEST, MOST * level),)

    def sequences(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw lists of so many items."""
        (items,) = size
        listed = random_bits(rng, items, VECTORS, batch, BITS)
        asked = torch.randint(0, items - 1, (batch,), generator=rng)
        question = items * STRIDE
        answer = question + VECTORS + 2
        inputs = torch.zeros(answer + VECTORS, batch, self.inputs)
        shown = inputs[:question].view(items, STRIDE, batch, self.inputs)
        shown[:, 0, :, BITS] = 1
        shown[:, 1:, :, :BITS] = listed
        inputs[question, :, BITS + 1] = 1
        inputs[question + 1 : answer - 1, :, :BITS] = _of_each(listed, asked)
        inputs[answer - 1, :, BITS + 1] = 1
        targets = torch.zeros(answer + VECTORS, batch, self.outputs)
        targets[answer:] = _of_each(listed, asked + 1)
        return Batch(inputs, targets, torch.arange(answer + VECTORS) >= answer)


def _of_each(listed: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """Return one item of each sequence: from shape ``(items, vectors, b, bits)`` to ``(vectors, b, bits)``."""
    return listed[which, :, torch.arange(len(which)), :].transpose(0, 1)
