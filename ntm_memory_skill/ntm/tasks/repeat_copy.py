"""Repeat copy: say again what was said, a given number of times, and then say that it is over (Graves 2014, §4.2)."""

from __future__ import annotations

import math
from typing import ClassVar

import torch

from ntm_memory_skill.ntm.tasks.task import Batch, Size, Task, between, random_bits

BITS = 8
LONGEST = 10
MOST = 10
MEAN = (1 + MOST) / 2
DEVIATION = math.sqrt((MOST**2 - 1) / 12)  # of a whole number from 1 to MOST


class RepeatCopy(Task):
    """A sequence of random eight-bit vectors, a delimiter, how often, and then the sequence so often and an end marker.

    How often is one number, in standard deviations from the mean of what is trained on. Lengths and repeats are 1 to 10
    in training; asked about twice as long, and twice as often. The end marker is judged as any other bit.
    """

    name = "repeat-copy"
    inputs = BITS + 2
    outputs = BITS + 1
    levels = 10
    measures = ("a length", "repeats")
    smallest = (1, 1)
    tests: ClassVar = {"10x10": (10, 10), "20x10": (20, 10), "10x20": (10, 20)}
    held_back = ((LONGEST, MOST), (15, 15))

    def size(self, rng: torch.Generator, level: int) -> Size:
        """Draw a length, of all that there are at every level, and a number of repeats up to the level.

        The larger of two lengths is taken: what is short can be kept in a controller, and a machine that began with
        that does not find its memory.
        """
        return max(between(rng, 1, LONGEST), between(rng, 1, LONGEST)), between(rng, 1, level)

    def sequences(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw sequences of a length, to be repeated so often."""
        length, repeats = size
        said = random_bits(rng, length, batch, BITS)
        start = length + 2
        end = start + length * repeats
        inputs = torch.zeros(end + 1, batch, self.inputs)
        inputs[:length, :, :BITS] = said
        inputs[length, :, BITS] = 1
        inputs[length + 1, :, BITS + 1] = (repeats - MEAN) / DEVIATION
        targets = torch.zeros(end + 1, batch, self.outputs)
        targets[start:end, :, :BITS] = said.repeat(repeats, 1, 1)
        targets[end, :, BITS] = 1
        return Batch(inputs, targets, torch.arange(end + 1) >= start)
