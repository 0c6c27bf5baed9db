"""Text to keys, unit vectors whose dot product says how alike two texts are in meaning; and texts to scores."""

from ntm_memory_skill.encoder.hashed import HashedEncoder
from ntm_memory_skill.encoder.projected import ProjectedEncoder
from ntm_memory_skill.encoder.protocol import Encoder, Progress
from ntm_memory_skill.encoder.reranker import CrossEncoderReranker, Reranker
from ntm_memory_skill.encoder.sentence import BUNDLED, SentenceEncoder
from ntm_memory_skill.encoder.settings import (
    ENGINES,
    EXPORTS,
    EncoderSettings,
    RerankerSettings,
    load_encoder,
    load_reranker,
)

__all__ = [
    "BUNDLED",
    "ENGINES",
    "EXPORTS",
    "CrossEncoderReranker",
    "Encoder",
    "EncoderSettings",
    "HashedEncoder",
    "Progress",
    "ProjectedEncoder",
    "Reranker",
    "RerankerSettings",
    "SentenceEncoder",
    "load_encoder",
    "load_reranker",
]
