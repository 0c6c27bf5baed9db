"""Where encoder, words, matrix and store meet."""

from ntm_memory_skill.engine.answers import Attention, Likeness, Note, Receipt, Recollection
from ntm_memory_skill.engine.manager import NTMMemoryManager
from ntm_memory_skill.engine.settings import AddressingSettings, Settings

__all__ = [
    "AddressingSettings",
    "Attention",
    "Likeness",
    "NTMMemoryManager",
    "Note",
    "Receipt",
    "Recollection",
    "Settings",
]
