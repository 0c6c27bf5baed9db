"""The same question again, without the model: several hops, a recall and a search, a client that repeats itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder.protocol import Encoder, Progress
from ntm_memory_skill.encoder.recent import Recent
from ntm_memory_skill.encoder.wrapping import Wrapping

QUESTIONS = 1024
"""How many of the latest questions are kept: 2.0 MB, 1.9 kB a question with its share, where a key has 384 numbers."""


class CachingEncoder(Wrapping[Encoder]):
    """Another encoder that makes the key of a question once, and reads once how much of it is unknown.

    Both are kept for the latest questions; what is remembered is not. Each caller gets an array of its own. An error is
    not kept: the next call tries anew. Threads that ask the same for the first time at once may each work it out.

    Args:
        inner: What makes the keys.
        room: How many questions, 1 and up.
    """

    def __init__(self, inner: Encoder, room: int = QUESTIONS) -> None:
        super().__init__(inner)
        self._keys: Recent[Float32[np.ndarray, "m"]] = Recent(room)
        self._unknown: Recent[float] = Recent(room)

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each text, made by the inner encoder."""
        return self._inner.encode_passages(texts, on_progress)

    def encode_query(self, text: str) -> Float32[np.ndarray, "m"]:
        """Return the unit key of a question."""
        key = self._keys.get(text)
        if key is None:
            key = self._inner.encode_query(text)
            self._keys.put(text, key.copy())
            return key
        return key.copy()

    def unknown_share(self, text: str) -> float:
        """Return the inner encoder's share, 0 to 1."""
        share = self._unknown.get(text)
        if share is None:
            share = self._inner.unknown_share(text)
            self._unknown.put(text, share)
        return share
