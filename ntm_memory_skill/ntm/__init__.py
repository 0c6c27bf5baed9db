"""The Neural Turing Machine: its equations, its matrix, its tapes, its read heads and what steers them."""

from ntm_memory_skill.ntm.addressing import Stages
from ntm_memory_skill.ntm.backends import ExactSimilarity, Similarity, SimilarityBySize
from ntm_memory_skill.ntm.controller import CONTROLLERS, INITIALIZATIONS, ControllerShape, State, emit, forward, initial
from ntm_memory_skill.ntm.head import TAPE_KERNEL, Ground, HeadParameters, Looks, Steering, address, let_pass
from ntm_memory_skill.ntm.matrix import MemoryMatrix
from ntm_memory_skill.ntm.tape import Tape

__all__ = [
    "CONTROLLERS",
    "INITIALIZATIONS",
    "TAPE_KERNEL",
    "ControllerShape",
    "ExactSimilarity",
    "Ground",
    "HeadParameters",
    "Looks",
    "MemoryMatrix",
    "Similarity",
    "SimilarityBySize",
    "Stages",
    "State",
    "Steering",
    "Tape",
    "address",
    "emit",
    "forward",
    "initial",
    "let_pass",
]
