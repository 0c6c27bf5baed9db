"""Which encoder and which reranker to use, as frozen values, and what they describe."""

from __future__ import annotations

from dataclasses import dataclass

from ntm_memory_skill.encoder.projected import ProjectedEncoder
from ntm_memory_skill.encoder.protocol import Encoder
from ntm_memory_skill.encoder.reranker import CrossEncoderReranker, Reranker
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankerSettings:
    """Whether a cross-encoder puts the first hits into its own order."""

    model: str | None = None
    """A sentence-transformers name, or a folder that holds a `CrossEncoder`. None: hits stay in the head's order."""
    candidates: int = 20
    """How many of the first hits it reads, 1 to 1000, though never fewer than are asked for; each costs a run of the
    model over question and text."""
    allow_download: bool = False
    """Whether a named model may be fetched. Off: nothing is ever downloaded unasked."""


def load_encoder(settings: EncoderSettings) -> Encoder:
    """Return the encoder that the settings describe; its model is loaded on first use."""
    encoder = SentenceEncoder(
        settings.model,
        allow_download=settings.allow_download,
        query_prefix=settings.query_prefix,
        passage_prefix=settings.passage_prefix,
    )
    return encoder if settings.dimension is None else ProjectedEncoder(encoder, settings.dimension)


def load_reranker(settings: RerankerSettings) -> Reranker | None:
    """Return the reranker that the settings describe, None where they name none; its model is loaded on first use."""
    if settings.model is None:
        return None
    return CrossEncoderReranker(settings.model, allow_download=settings.allow_download)
