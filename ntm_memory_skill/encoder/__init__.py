"""Text to keys: unit vectors whose dot product says how alike two texts are in meaning."""

from ntm_memory_skill.encoder.hashed import HashedEncoder
from ntm_memory_skill.encoder.projected import ProjectedEncoder
from ntm_memory_skill.encoder.protocol import Encoder, Progress
from ntm_memory_skill.encoder.sentence import BUNDLED, SentenceEncoder
from ntm_memory_skill.encoder.settings import EncoderSettings, load_encoder

__all__ = [
    "BUNDLED",
    "Encoder",
    "EncoderSettings",
    "HashedEncoder",
    "Progress",
    "ProjectedEncoder",
    "SentenceEncoder",
    "load_encoder",
]
