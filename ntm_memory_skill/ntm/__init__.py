"""The Neural Turing Machine: its equations, its matrix, its tapes and its read head."""

from ntm_memory_skill.ntm.addressing import Stages
from ntm_memory_skill.ntm.backends import ExactSimilarity, Similarity
from ntm_memory_skill.ntm.head import TAPE_KERNEL, HeadParameters, address
from ntm_memory_skill.ntm.matrix import MemoryMatrix
from ntm_memory_skill.ntm.tape import Tape

__all__ = [
    "TAPE_KERNEL",
    "ExactSimilarity",
    "HeadParameters",
    "MemoryMatrix",
    "Similarity",
    "Stages",
    "Tape",
    "address",
]
