"""Training a memory's read heads on questions whose evidence is known, and judging what was learnt."""

from ntm_memory_skill.learning.feedback import feedback_set, take_keys
from ntm_memory_skill.learning.scenes import Scene, scenes_of
from ntm_memory_skill.learning.training import Trained, TrainingSettings, train
from ntm_memory_skill.learning.verdict import Comparison, compare

__all__ = [
    "Comparison",
    "Scene",
    "Trained",
    "TrainingSettings",
    "compare",
    "feedback_set",
    "scenes_of",
    "take_keys",
    "train",
]
