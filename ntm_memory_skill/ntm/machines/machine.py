"""What every machine with an external memory is: a differentiable step from input and state to output and state.

The law: all that a machine remembers is in the state, a value. The same input and state give the same result, however
often and in whatever order they are asked; a state that was kept can be gone on from.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

State = TypeVar("State", bound=tuple[Any, ...])


class View(NamedTuple):
    """What can be seen of a state, for drawing: B sequences, N slots of M numbers, R read and W write heads."""

    memory: Float[Tensor, "b n m"]
    read_weights: Float[Tensor, "b r n"]
    write_weights: Float[Tensor, "b w n"]


class Machine(nn.Module, ABC, Generic[State]):
    """A controller and the memory that it reads and writes, one step of a sequence at a time, for a batch of sequences.

    Args:
        inputs: Numbers in a step's input, 1 and up.
        outputs: Numbers in a step's output, 1 and up.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.outputs = outputs

    @abstractmethod
    def initial(self, batch: int) -> State:
        """Return the state before the first step, for `batch` sequences."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "b inputs"], state: State) -> tuple[Float[Tensor, "b outputs"], State]:
        """Take one step.

        Args:
            x: The input of each sequence.
            state: The state after the step before. It is not changed.

        Returns:
            The output, as logits where the task is one of bits or classes, and the state after the step.
        """

    @abstractmethod
    def view(self, state: State) -> View:
        """Return what can be seen of a state."""


def unroll(
    machine: Machine[State], inputs: Float[Tensor, "t b inputs"], state: State | None = None
) -> tuple[Float[Tensor, "t b outputs"], State]:
    """Take one step for each input in turn, from `state` or the initial one; return the outputs and the last state."""
    reached = machine.initial(inputs.shape[1]) if state is None else state
    outputs = []
    for x in inputs.unbind(0):
        y, reached = machine(x, reached)
        outputs.append(y)
    return torch.stack(outputs), reached
