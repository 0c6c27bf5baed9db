"""Dynamic n-grams: learn a table of chances from the sequence itself, and predict its next bit (Graves 2014, §4.4)."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ntm_memory_skill.ntm.tasks.task import Batch, Size, Task

CONTEXT = 5  # bits that the next one depends on: a table of 2⁵ chances, so 6-grams
BITS = 200
PRIOR = 0.5  # both parameters of the beta distribution that each chance is drawn from


class NGrams(Task):
    """A sequence of 200 bits, each drawn from a table by the five before it; the table is drawn anew for each sequence.

    No machine can predict perfectly: `optimum` is what the best estimator for these tables costs, on the same bits.
    """

    name = "ngrams"
    inputs = 1
    outputs = 1
    levels = 1
    measures = ("bits",)
    smallest = (1,)
    tests: ClassVar = {"200": (BITS,)}
    held_back = ((BITS,),)

    def size(self, rng: torch.Generator, level: int) -> Size:  # noqa: ARG002  # all sequences of this task are alike
        """Return the one size that there is."""
        return (BITS,)

    def sequences(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw sequences of so many bits; the first five are fair coins."""
        steps = size[0] + CONTEXT
        tables = _beta(rng, batch, 2**CONTEXT)
        bits = torch.zeros(steps, batch)
        bits[:CONTEXT] = torch.randint(0, 2, (CONTEXT, batch), generator=rng).float()
        chances = torch.rand(steps, batch, generator=rng)
        for step in range(CONTEXT, steps):
            chance = tables.gather(1, _context(bits, step)[:, None])[:, 0]
            bits[step] = (chances[step] < chance).float()
        mask = torch.arange(steps - 1) >= CONTEXT - 1
        return Batch(bits[:-1, :, None], bits[1:, :, None], mask)

    def optimum(self, batch: Batch) -> float:
        """Return the cost in bits of the optimal Bayesian estimator, P(1) = (N₁ + ½) / (N₀ + N₁ + 1) (Murphy 2012)."""
        bits = torch.cat([batch.inputs, batch.targets[-1:]])[..., 0]
        counts = torch.full((bits.shape[1], 2**CONTEXT, 2), PRIOR)
        rows = torch.arange(bits.shape[1])
        nats = torch.zeros(bits.shape[1])
        for step in range(CONTEXT, len(bits)):
            seen = counts[rows, _context(bits, step)]
            came = bits[step].long()
            nats -= torch.log(seen[rows, came] / seen.sum(dim=1))
            counts[rows, _context(bits, step), came] += 1
        return float(nats.mean()) / math.log(2)


def _context(bits: Float[Tensor, "t b"], step: int) -> Int[Tensor, "b"]:
    """Return which row of the table the bit of a step is drawn from."""
    powers = 2 ** torch.arange(CONTEXT - 1, -1, -1)
    return (bits[step - CONTEXT : step].long() * powers[:, None]).sum(dim=0)


def _beta(rng: torch.Generator, batch: int, count: int) -> Float[Tensor, "b count"]:
    """Return numbers from Beta(½, ½), which is the arcsine distribution: sin² of a uniform angle."""
    return torch.sin(torch.rand(batch, count, generator=rng) * math.pi / 2) ** 2
