"""What every task is: sequences drawn at random, what is to come out, and how far a machine is from it.

The law: what is judged is named by the mask, and nothing outside it has a say. A batch depends on the generator, the
level and the batch's size alone, so the same seed gives the same sequences.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ntm_memory_skill.errors import InvalidArgument

Size = tuple[int, ...]
"""How large a sequence is, in the task's own measures: a length, or items, or a length and repeats."""


class Batch(NamedTuple):
    """Sequences of one length: T steps of B sequences."""

    inputs: Float[Tensor, "t b inputs"]
    targets: Float[Tensor, "t b outputs"]
    mask: Bool[Tensor, "t"]
    """The steps that are judged."""


class Task(ABC):
    """A source of sequences that a machine learns from and is judged by. Targets are bits, the outputs their logits."""

    name: ClassVar[str]
    inputs: ClassVar[int]
    """Numbers in a step's input."""
    outputs: ClassVar[int]
    """Numbers in a step's output."""
    levels: ClassVar[int]
    """The hardest level of the curriculum, where sequences are as large as in the paper; 1 is the easiest."""
    measures: ClassVar[tuple[str, ...]]
    """What the numbers of a size are."""
    smallest: ClassVar[Size]
    """The least that each of them may be."""
    machines: ClassVar[tuple[str, ...]] = ("ntm", "dnc", "mann")
    """The kinds of machines that can learn it."""
    tests: ClassVar[Mapping[str, Size]]
    """Sizes that a trained machine is asked about, by name: as large as those of training, and larger."""
    held_back: ClassVar[tuple[Size, ...]]
    """Sizes of the sequences by which the best machine of a run is chosen: the largest of training, and, where what is
    asked about is longer, one in between. A machine that is perfect on the one may or may not be on the other."""

    @abstractmethod
    def size(self, rng: torch.Generator, level: int) -> Size:
        """Draw a size for training at a level."""

    @abstractmethod
    def sequences(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw `batch` sequences of a size that is none too small."""

    def draw(self, rng: torch.Generator, batch: int, level: int | None = None) -> Batch:
        """Draw a batch for training.

        Args:
            rng: Where the random numbers come from.
            batch: How many sequences, 1 and up.
            level: 1 to `levels`; None is the hardest.

        Raises:
            InvalidArgument: The level or the number of sequences is none.
        """
        level = self.levels if level is None else level
        if not 1 <= level <= self.levels:
            raise InvalidArgument(f"the levels of {self.name} are 1 to {self.levels}, not {level}")
        return self.of_size(rng, batch, self.size(rng, level))

    def of_size(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw a batch of one size. Raises InvalidArgument for sizes that are none, as a length of zero."""
        if batch < 1:
            raise InvalidArgument(f"a batch has 1 sequence and up, not {batch}")
        if len(size) != len(self.measures) or any(map(int.__lt__, size, self.smallest)):
            shape = " and ".join(
                f"{each} from {least} up" for each, least in zip(self.measures, self.smallest, strict=True)
            )
            raise InvalidArgument(f"a size of {self.name} is {shape}, not {size}")
        return self.sequences(rng, batch, size)

    def chances(self, outputs: Float[Tensor, "... outputs"]) -> Float[Tensor, "... outputs"]:
        """Return how likely each target is held to be 1, from 0 to 1."""
        return torch.sigmoid(outputs)

    def loss(self, outputs: Float[Tensor, "t b outputs"], batch: Batch) -> Float[Tensor, ""]:
        """Return what training makes small: nats for each number that is judged, on average."""
        return binary_cross_entropy_with_logits(outputs[batch.mask], batch.targets[batch.mask])

    def bits(self, outputs: Float[Tensor, "t b outputs"], batch: Batch) -> float:
        """Return the cost in bits for each sequence: the paper's measure. 0 is perfect."""
        judged = outputs[batch.mask]
        total = binary_cross_entropy_with_logits(judged, batch.targets[batch.mask], reduction="sum")
        return float(total) / math.log(2) / judged.shape[1]

    def wrong(self, outputs: Float[Tensor, "t b outputs"], batch: Batch) -> float:
        """Return the share of wrong bits among those that are judged, 0 to 1; guessing gives a half."""
        said = outputs[batch.mask] > 0
        return float((said != (batch.targets[batch.mask] > 0.5)).float().mean())


def random_bits(rng: torch.Generator, *shape: int) -> Float[Tensor, "..."]:
    """Return zeros and ones, each as likely."""
    return torch.randint(0, 2, shape, generator=rng).float()


def between(rng: torch.Generator, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`, each as likely."""
    return int(torch.randint(low, high + 1, (), generator=rng))
