"""Which encoder to use, as a frozen value, and the encoder that it describes."""

from __future__ import annotations

from dataclasses import dataclass

from ntm_memory_skill.encoder.projected import ProjectedEncoder
from ntm_memory_skill.encoder.protocol import Encoder
from ntm_memory_skill.encoder.sentence import BUNDLED, SentenceEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """How text becomes keys."""

    model: str = BUNDLED
    """"bundled", a sentence-transformers name, or a folder. The bundled model reads English; for Chinese the lexical
    side carries the search, or choose a multilingual model."""
    allow_download: bool = False
    """Whether a named model may be fetched. Off: nothing is ever downloaded unasked."""
    query_prefix: str | None = None
    """Put before a question. None: what the model's own files ask for."""
    passage_prefix: str | None = None
    """Put before a text to be remembered. None: what the model's own files ask for."""
    dimension: int | None = None
    """M, 8 and up: keys are projected to this length. None: the model's own."""


def load_encoder(settings: EncoderSettings) -> Encoder:
    """Return the encoder that the settings describe; its model is loaded on first use."""
    encoder = SentenceEncoder(
        settings.model,
        allow_download=settings.allow_download,
        query_prefix=settings.query_prefix,
        passage_prefix=settings.passage_prefix,
    )
    return encoder if settings.dimension is None else ProjectedEncoder(encoder, settings.dimension)
