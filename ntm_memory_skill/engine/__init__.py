"""Where encoder, words, matrix and store meet."""

from ntm_memory_skill.engine.answers import Attention, Likeness, Note, Receipt, Recollection
from ntm_memory_skill.engine.derived import MEMORY_STATISTICS
from ntm_memory_skill.engine.evidence import STATISTICS, TERMS
from ntm_memory_skill.engine.explaining import Explanation
from ntm_memory_skill.engine.manager import NTMMemoryManager
from ntm_memory_skill.engine.reading import Examination
from ntm_memory_skill.engine.reranking import Reranking
from ntm_memory_skill.engine.settings import AddressingSettings, Settings
from ntm_memory_skill.engine.trained import TrainedHead, deviations

__all__ = [
    "MEMORY_STATISTICS",
    "STATISTICS",
    "TERMS",
    "AddressingSettings",
    "Attention",
    "Examination",
    "Explanation",
    "Likeness",
    "NTMMemoryManager",
    "Note",
    "Receipt",
    "Recollection",
    "Reranking",
    "Settings",
    "TrainedHead",
    "deviations",
]
