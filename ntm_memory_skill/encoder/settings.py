"""Which encoder and which reranker to use, as frozen values, and what they describe."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from ntm_memory_skill.encoder import bundled
from ntm_memory_skill.encoder.batching import BatchingEncoder
from ntm_memory_skill.encoder.caching import CachingEncoder
from ntm_memory_skill.encoder.exported import ExportedEncoder, folder_of, runs_here
from ntm_memory_skill.encoder.projected import ProjectedEncoder
from ntm_memory_skill.encoder.protocol import Encoder
from ntm_memory_skill.encoder.reranker import CrossEncoderReranker, Reranker
from ntm_memory_skill.encoder.sentence import BUNDLED, SentenceEncoder
from ntm_memory_skill.errors import EncoderUnavailable

ENGINES = ("auto", "torch", "onnx")
EXPORTS = "encoders"
"""The folder beside a memory that models are exported to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """How text becomes keys."""

    model: str = BUNDLED
    """"bundled", a sentence-transformers name, or a folder. The bundled model reads English; for Chinese the lexical
    side carries the search, or choose a multilingual model."""
    engine: str = "auto"
    """What runs the model: "torch", "onnx" (as it was exported), or "auto": the exported one if there is one."""
    exports: Path | None = None
    """The folder with exported models; None knows of none."""
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
    """Return the encoder that the settings describe; its model is loaded on first use.

    The same question is encoded once, and what several threads ask for at once is encoded together.

    Raises:
        EncoderUnavailable: The engine is "onnx", and there is no exported model.
    """
    batched = BatchingEncoder(exported(settings) or with_torch(settings))
    return CachingEncoder(batched if settings.dimension is None else ProjectedEncoder(batched, settings.dimension))


def with_torch(settings: EncoderSettings) -> SentenceEncoder:
    """Return the encoder that runs the model itself."""
    return SentenceEncoder(
        settings.model,
        allow_download=settings.allow_download,
        query_prefix=settings.query_prefix,
        passage_prefix=settings.passage_prefix,
    )


def exported(settings: EncoderSettings) -> ExportedEncoder | None:
    """Return the encoder that runs the model as it was exported; None where the settings want, or know of, none."""
    if settings.engine == "torch":
        return None
    folder = None if settings.exports is None else export_folder(settings, settings.exports)
    if settings.engine == "auto":
        return ExportedEncoder(folder) if folder is not None and folder.is_dir() and runs_here() else None
    if folder is None:
        raise EncoderUnavailable("no folder with exported models is known", hint="Set encoder.engine to auto or torch.")
    return ExportedEncoder(folder)


def export_folder(settings: EncoderSettings, exports: Path) -> Path:
    """Return where among exported models the configured one is. A model by name is the one that was exported last."""
    model, prefixes = settings.model, (settings.query_prefix, settings.passage_prefix)
    if model == BUNDLED and not any(prefixes):
        return folder_of(exports, model, bundled.IDENTITY.revision)
    return folder_of(exports, Path(model).name, f"{zlib.crc32(f'{model} {prefixes}'.encode()):08x}")


def load_reranker(settings: RerankerSettings) -> Reranker | None:
    """Return the reranker that the settings describe, None where they name none; its model is loaded on first use."""
    if settings.model is None:
        return None
    return CrossEncoderReranker(settings.model, allow_download=settings.allow_download)
