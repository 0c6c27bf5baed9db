"""Copy: say again what was said (Graves 2014, §4.1)."""

from __future__ import annotations

from typing import ClassVar

import torch

from ntm_memory_skill.ntm.tasks.task import Batch, Size, Task, between, random_bits

BITS = 8
LONGEST = 20


class Copy(Task):
    """A sequence of random eight-bit vectors, a delimiter, and then the sequence again, with nothing to see.

    Trained on lengths 1 to 20; asked up to 120.
    """

    name = "copy"
    inputs = BITS + 1
    outputs = BITS
    levels = 1
    measures = ("a length",)
    smallest = (1,)
    tests: ClassVar = {"20": (20,), "50": (50,), "120": (120,)}
    held_back = ((LONGEST,), (2 * LONGEST,))

    def size(self, rng: torch.Generator, level: int) -> Size:
        """Draw a length; there is one level."""
        return (between(rng, 1, LONGEST * level),)

    def sequences(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw sequences of a length."""
        (length,) = size
        said = random_bits(rng, length, batch, BITS)
        inputs = torch.zeros(2 * length + 1, batch, self.inputs)
        inputs[:length, :, :BITS] = said
        inputs[length, :, BITS] = 1
        targets = torch.zeros(2 * length + 1, batch, self.outputs)
        targets[length + 1 :] = said
        return Batch(inputs, targets, torch.arange(2 * length + 1) > length)
