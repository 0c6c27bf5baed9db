"""What a question says about time, in English and Chinese, and how well each memory's time fits it."""

from ntm_memory_skill.temporal.closeness import closeness
from ntm_memory_skill.temporal.reading import mentioned
from ntm_memory_skill.temporal.values import Anchor, TimeMentions, TimeWindow

__all__ = ["Anchor", "TimeMentions", "TimeWindow", "closeness", "mentioned"]
