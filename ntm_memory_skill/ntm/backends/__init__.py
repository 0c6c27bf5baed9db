"""Ways to compute how well a key matches every row of the matrix."""

from ntm_memory_skill.ntm.backends.exact import ExactSimilarity
from ntm_memory_skill.ntm.backends.protocol import Similarity

__all__ = ["ExactSimilarity", "Similarity"]
