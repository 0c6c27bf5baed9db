"""Several steps of a machine as one compiled function, where this computer has a C++ compiler; the same numbers anyway.

One step of a small machine costs less than calling it. `torch.compile` makes one function of `STEPS` steps, forward and
backward; sequences are padded with zeros to a multiple, and what the padding gives is cut off again.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any, Generic

import torch
from jaxtyping import Float
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException

from ntm_memory_skill.ntm.machines.machine import Machine, State, unroll

STEPS = 7
"""Fewer leave more of the time to the calls, more take longer to compile and pad more."""

logger = logging.getLogger(__name__)


class Unrolled(Generic[State]):
    """A machine over whole sequences, compiled at the first call with each size of batch.

    Args:
        machine: What to unroll.
        compiled: Whether to compile at all.
        steps: How many steps one compiled function takes.
    """

    def __init__(self, machine: Machine[State], *, compiled: bool, steps: int = STEPS) -> None:
        self._machine = machine
        self._steps = steps
        self._compiled: Any = torch.compile(self._several, dynamic=False) if compiled else None

    @property
    def compiled(self) -> bool:
        """Whether it runs compiled; False as well once compiling has turned out not to work here."""
        return self._compiled is not None

    def __call__(self, inputs: Float[Tensor, "t b inputs"]) -> Float[Tensor, "t b outputs"]:
        """Return the outputs for a batch of sequences, each from the initial state."""
        if self._compiled is not None:
            try:
                return self._in_chunks(inputs)
            except TorchDynamoException as error:
                logger.warning("compiling does not work here, so training is slower: %s", _first_line(error))
                self._compiled = None
        return unroll(self._machine, inputs)[0]

    def _in_chunks(self, inputs: Float[Tensor, "t b inputs"]) -> Float[Tensor, "t b outputs"]:
        length, batch, width = inputs.shape
        padded = torch.cat([inputs, inputs.new_zeros(-length % self._steps, batch, width)])
        state: Any = _contiguous(self._machine.initial(batch))
        outputs = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # array-api-compat looks namespaces up in a cache, which compiling bypasses
            for chunk in torch.split(padded, self._steps):
                y, state = self._compiled(chunk, state)
                outputs.append(y)
        return torch.cat(outputs)[:length]

    def _several(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        return unroll(self._machine, inputs, state)


def _contiguous(state: Any) -> Any:
    """Return a state laid out in memory as every later one is: another layout would be compiled for once more."""
    if isinstance(state, Tensor):
        return state.contiguous()
    return type(state)(*map(_contiguous, state))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
