"""Settings to the machine that they describe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ntm_memory_skill.ntm.machines.dnc import DifferentiableNeuralComputer
from ntm_memory_skill.ntm.machines.hopfield import PatternMemory
from ntm_memory_skill.ntm.machines.key_value import KeyValueMemory
from ntm_memory_skill.ntm.machines.machine import Machine
from ntm_memory_skill.ntm.machines.mann import MemoryAugmentedNetwork
from ntm_memory_skill.ntm.machines.settings import MachineSettings
from ntm_memory_skill.ntm.machines.turing import NeuralTuringMachine

_KINDS: dict[str, Callable[[MachineSettings], Machine[Any]]] = {
    "ntm": NeuralTuringMachine,
    "dnc": DifferentiableNeuralComputer,
    "mann": MemoryAugmentedNetwork,
    "hopfield": PatternMemory,
    "dkvmn": KeyValueMemory,
}


def build(settings: MachineSettings) -> Machine[Any]:
    """Make the machine, its weights drawn from torch's random numbers as they stand.

    Raises:
        InvalidArgument: A machine of this kind cannot have these sizes, or that many heads.
    """
    return _KINDS[settings.kind](settings)
