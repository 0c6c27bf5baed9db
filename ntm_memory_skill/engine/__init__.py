"""Where encoder, words, matrix and store meet."""

from ntm_memory_skill.engine.answers import (
    Attention,
    Change,
    Consolidation,
    Likeness,
    Note,
    Receipt,
    Recollection,
    Suspect,
)
from ntm_memory_skill.engine.derived import MEMORY_STATISTICS
from ntm_memory_skill.engine.evidence import STATISTICS, TERMS
from ntm_memory_skill.engine.explaining import Explanation
from ntm_memory_skill.engine.hopping import Itinerary
from ntm_memory_skill.engine.manager import NTMMemoryManager
from ntm_memory_skill.engine.reading import Examination
from ntm_memory_skill.engine.reranking import Reranking
from ntm_memory_skill.engine.settings import (
    DUPLICATES,
    SUCCESSIONS,
    AddressingSettings,
    CrossbarSettings,
    M3Settings,
    ReasoningSettings,
    Settings,
)
from ntm_memory_skill.engine.trained import TrainedHead, deviations

__all__ = [
    "DUPLICATES",
    "MEMORY_STATISTICS",
    "STATISTICS",
    "SUCCESSIONS",
    "TERMS",
    "AddressingSettings",
    "Attention",
    "Change",
    "Consolidation",
    "CrossbarSettings",
    "Examination",
    "Explanation",
    "Itinerary",
    "Likeness",
    "M3Settings",
    "NTMMemoryManager",
    "Note",
    "ReasoningSettings",
    "Receipt",
    "Recollection",
    "Reranking",
    "Settings",
    "Suspect",
    "TrainedHead",
    "deviations",
]
