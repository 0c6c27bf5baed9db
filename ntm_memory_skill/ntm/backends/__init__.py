"""Ways to compute how well a key matches every row of the matrix."""

from ntm_memory_skill.ntm.backends.by_size import SimilarityBySize
from ntm_memory_skill.ntm.backends.exact import ExactSimilarity
from ntm_memory_skill.ntm.backends.inverted import InvertedSimilarity
from ntm_memory_skill.ntm.backends.protocol import Following, Similarity
from ntm_memory_skill.ntm.backends.quantised import QuantisedSimilarity

__all__ = [
    "ExactSimilarity",
    "Following",
    "InvertedSimilarity",
    "QuantisedSimilarity",
    "Similarity",
    "SimilarityBySize",
]
