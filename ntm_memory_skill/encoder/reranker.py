"""A second look at the first hits: a cross-encoder reads a question and a text together, and says how well they fit.

It cannot be asked beforehand, as an encoder is for its keys: each question costs a run of the model over every text.
Neither library is imported before the first text is scored.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder.library import loading
from ntm_memory_skill.errors import RerankerUnavailable

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


USUAL_WINDOW = 512  # word pieces, where a model does not say
QUESTION_ROOM, TEXT_ROOM = 2, 16
"""Characters a piece of the window that a question and a text may have. Hardly a text has more to a piece; and what a
tokenizer cuts off a pair it keeps in every combination, which takes gigabytes where both are long."""


class Reranker(Protocol):
    """Scores texts against a question. Making one is cheap; its model is loaded by the first call that needs it."""

    @property
    def ready(self) -> bool:
        """Whether the model is loaded, so that no call has to wait for it."""

    def warm_up(self) -> None:
        """Load the model now. Raises RerankerUnavailable."""

    def scores(self, query: str, texts: Sequence[str]) -> Float32[np.ndarray, "k"]:
        """Return how well each text answers the question: more is better, on a scale of the reranker's own."""


class CrossEncoderReranker:
    """A sentence-transformers `CrossEncoder`, loaded on first use, and run on the CPU as the encoder is.

    Of a question and a text that together exceed the model's window (often 512 word pieces), the ends are not read: the
    longer of the two is cut first. Of a question, no more than two characters a piece of the window are ever read.
    A score is what the model's own files make of it, for many a share from 0 to 1.

    Args:
        model: The name of a model, or a folder that holds one.
        allow_download: Whether a named model that is not on this machine may be fetched.
    """

    def __init__(self, model: str, *, allow_download: bool = False) -> None:
        self._name = model
        self._allow_download = allow_download
        self._loading = threading.Lock()
        self._in_use = threading.Lock()  # the library promises nothing to two threads at once
        self._model: CrossEncoder | None = None

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._model is not None

    def warm_up(self) -> None:
        """Load the model, and run it once so that the first real question is not the slow one."""
        self.scores("warm-up", ["warm-up"])

    def scores(self, query: str, texts: Sequence[str]) -> Float32[np.ndarray, "k"]:
        """Return how well each text answers the question: more is better. Of long ones only the beginning counts.

        Raises:
            RerankerUnavailable: The model cannot be loaded, is no reranker, or gives a score that is no number.
        """
        if not texts:
            return np.zeros(0, dtype=np.float32)
        model = self._loaded()
        window = _window(model)
        question = query[: QUESTION_ROOM * window]
        with self._in_use:
            pairs = [(question, text[: TEXT_ROOM * window]) for text in texts]
            given = model.predict(pairs, show_progress_bar=False)
        scores: Float32[np.ndarray, "k"] = np.asarray(given, dtype=np.float32)
        if not np.isfinite(scores).all():
            raise RerankerUnavailable(f"the reranker {self._name!r} gives scores that are no numbers")
        return scores

    def _loaded(self) -> CrossEncoder:
        if self._model is None:
            with self._loading:
                if self._model is None:
                    self._model = self._load()
        return self._model

    def _load(self) -> CrossEncoder:
        from sentence_transformers import CrossEncoder

        with loading(f"the reranker {self._name!r}", RerankerUnavailable):
            model: CrossEncoder = CrossEncoder(self._name, local_files_only=not self._allow_download, device="cpu")
        if model.num_labels != 1:
            message = f"the model {self._name!r} gives {model.num_labels} numbers for a pair of texts, not one score"
            raise RerankerUnavailable(message)
        if _score_is_made_up(model):
            raise RerankerUnavailable(f"the model {self._name!r} is no cross-encoder: nothing in it scores two texts")
        return model


def _window(model: CrossEncoder) -> int:
    """Return how many word pieces of a pair the model reads; the library has renamed the property."""
    stated = getattr(model, "max_seq_length", None) or getattr(model, "max_length", None)
    return int(stated or USUAL_WINDOW)


def _score_is_made_up(model: CrossEncoder) -> bool:
    """Return whether the library put random weights where the files have no layer that gives a score.

    It does so for every plain encoder, and only warns of it.
    """
    parts = [part for part in model.children() if part is not model.activation_fn]
    trained_as: Sequence[str] = getattr(model.config, "architectures", None) or ()
    return len(parts) == 1 and not any(name.endswith("ForSequenceClassification") for name in trained_as)
