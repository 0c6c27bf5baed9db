"""Training a memory's read heads and hops on questions whose evidence is known, and judging what was learnt."""

from ntm_memory_skill.learning.feedback import feedback_set, take_keys
from ntm_memory_skill.learning.hop_training import HopTrainingSettings, TrainedHops, train_hops
from ntm_memory_skill.learning.journeys import Journeys, journeys_of
from ntm_memory_skill.learning.scenes import Scene, scenes_of
from ntm_memory_skill.learning.training import Trained, TrainingSettings, train
from ntm_memory_skill.learning.verdict import Comparison, compare

__all__ = [
    "Comparison",
    "HopTrainingSettings",
    "Journeys",
    "Scene",
    "Trained",
    "TrainedHops",
    "TrainingSettings",
    "compare",
    "feedback_set",
    "journeys_of",
    "scenes_of",
    "take_keys",
    "train",
    "train_hops",
]
