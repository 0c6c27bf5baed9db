"""Small Neural Turing Machines for the tests, and what they are shown."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ntm_memory_skill.ntm.machines import MachineSettings, NeuralTuringMachine, TuringState, build

INPUTS, OUTPUTS, N, M, HIDDEN = 3, 2, 5, 4, 6
CONTROLLERS = pytest.mark.parametrize("controller", ["lstm", "feedforward"])
INITIALIZATIONS = pytest.mark.parametrize("initialization", ["constant", "small_random", "learned"])


def settings(**changed: Any) -> MachineSettings:
    """Return a small machine's settings: two read heads, two write heads."""
    sizes = {"memory_size": N, "memory_dim": M, "num_read_heads": 2, "num_write_heads": 2, "hidden": HIDDEN}
    return MachineSettings(**{"inputs": INPUTS, "outputs": OUTPUTS, **sizes, **changed})


def machine(seed: int = 0, spread: float = 0.7, **changed: Any) -> NeuralTuringMachine:
    """Return one in float64 whose weights are drawn widely, so that every part of it counts."""
    made = NeuralTuringMachine(settings(**changed)).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in made.state_dict().values():
            weight.copy_(spread * torch.randn(weight.shape, generator=generator, dtype=torch.float64))
    return made


def seen(steps: int, batch: int, seed: int = 0) -> Tensor:
    """Return what a batch of sequences shows."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(steps, batch, INPUTS, generator=generator, dtype=torch.float64)


def tensors(state: TuringState) -> list[Tensor]:
    """Return all parts of a state."""
    return [state.memory, state.weights, state.reads, *state.controller]


def drawn(seed: int, **changed: Any) -> NeuralTuringMachine:
    """Return one as it is built, from a seed."""
    torch.manual_seed(seed)
    made = build(settings(**changed))
    assert isinstance(made, NeuralTuringMachine)
    return made
