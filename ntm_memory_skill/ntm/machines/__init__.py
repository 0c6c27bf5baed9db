"""Differentiable machines with an external memory, each behind the one interface of `machine.Machine`.

    turing.py      the Neural Turing Machine                 its heads in heads.py, what steers them in controller.py
    dnc.py         the Differentiable Neural Computer        its allocation and temporal links in allocation.py
    mann.py        memory-augmented network                  writes where it was least recently used
    hopfield.py    modern Hopfield network, neural dictionary    patterns stored once, read by content
    key_value.py   dynamic key-value memory                  static keys, values that change

They need torch; the memory's own read path does not need them.
"""

from ntm_memory_skill.ntm.machines.build import build
from ntm_memory_skill.ntm.machines.compiling import Unrolled
from ntm_memory_skill.ntm.machines.dnc import DifferentiableNeuralComputer, DNCState
from ntm_memory_skill.ntm.machines.hopfield import PatternMemory, PatternState, energy, look_up, retrieve, separating
from ntm_memory_skill.ntm.machines.key_value import KeyValueMemory, KeyValueState
from ntm_memory_skill.ntm.machines.machine import Machine, View, unroll
from ntm_memory_skill.ntm.machines.mann import MANNState, MemoryAugmentedNetwork
from ntm_memory_skill.ntm.machines.settings import MACHINES, MachineSettings
from ntm_memory_skill.ntm.machines.turing import NeuralTuringMachine, TuringState

__all__ = [
    "MACHINES",
    "DNCState",
    "DifferentiableNeuralComputer",
    "KeyValueMemory",
    "KeyValueState",
    "MANNState",
    "Machine",
    "MachineSettings",
    "MemoryAugmentedNetwork",
    "NeuralTuringMachine",
    "PatternMemory",
    "PatternState",
    "TuringState",
    "Unrolled",
    "View",
    "build",
    "energy",
    "look_up",
    "retrieve",
    "separating",
    "unroll",
]
