"""Texts of any length through a model with a window: what all engines that run a model have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder.chunking import pool, split_to_window
from ntm_memory_skill.encoder.protocol import Progress
from ntm_memory_skill.model import EncoderIdentity

BATCH = 64  # pieces of text at a time: keeps progress lively, large enough to fill the model


class PiecewiseEncoder(ABC):
    """An encoder that cuts what is longer than its model's window into pieces, and pools their keys."""

    @property
    @abstractmethod
    def identity(self) -> EncoderIdentity:
        """Which keys these are."""

    def warm_up(self) -> None:
        """Load the model, and run it once so that the first real text is not the slow one."""
        self.encode_query("warm-up")

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each text. One longer than the model's window is encoded in pieces and pooled."""
        return self._encode(texts, self.identity.passage_prefix, on_progress)

    def encode_query(self, text: str) -> Float32[np.ndarray, "m"]:
        """Return the unit key of a question."""
        key: Float32[np.ndarray, "m"] = self._encode([text], self.identity.query_prefix, None)[0]
        return key

    @abstractmethod
    def _window(self) -> int:
        """Return how many tokens the model reads at once."""

    @abstractmethod
    def _tokens(self, text: str, *, special: bool = True) -> int:
        """Return how many tokens a text has, those that the model puts around it among them or not."""

    @abstractmethod
    def _run(self, pieces: list[str]) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each of some pieces that fit into the window."""

    def _encode(self, texts: Sequence[str], prefix: str, on_progress: Progress | None) -> Float32[np.ndarray, "k m"]:
        room = max(1, self._window() - self._tokens("") - self._tokens(prefix, special=False))
        keys = np.zeros((len(texts), self.identity.dimension), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            batch = [split_to_window(text, self._count, room) for text in texts[start : start + BATCH]]
            encoded = self._run([prefix + piece for split in batch for piece in split])
            position = 0
            for index, split in enumerate(batch, start):
                lengths = [1] if len(split) == 1 else [self._count(piece) for piece in split]
                keys[index] = pool(encoded[position : position + len(split)], lengths)
                position += len(split)
            if on_progress is not None:
                on_progress(min(start + BATCH, len(texts)), len(texts))
        return keys

    def _count(self, text: str) -> int:
        return self._tokens(text, special=False)
