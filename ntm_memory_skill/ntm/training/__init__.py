"""Training machines on tasks: settings, the run itself, what is kept of it, and what has been found to work."""

from ntm_memory_skill.ntm.training.checkpoint import from_bytes, to_bytes
from ntm_memory_skill.ntm.training.presets import Preset, preset, usual_kind
from ntm_memory_skill.ntm.training.settings import TrainingSettings
from ntm_memory_skill.ntm.training.trainer import Check, Trainer

__all__ = ["Check", "Preset", "Trainer", "TrainingSettings", "from_bytes", "preset", "to_bytes", "usual_kind"]
