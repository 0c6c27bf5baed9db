"""What the measurements share: an encoder that remembers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ntm_memory_skill.encoder import Encoder, Progress


class RememberingEncoder:
    """Another encoder that encodes each text once, so that rows of a comparison share their keys and the time."""

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner
        self._passages: dict[str, np.ndarray] = {}
        self._queries: dict[str, np.ndarray] = {}
        self._unknown: dict[str, float] = {}
        self.identity = inner.identity
        self.known_identity = inner.identity
        self.array_library = inner.array_library
        self.ready = True  # nobody here answers before the model is there

    def warm_up(self) -> None:
        """Load the inner model."""
        self._inner.warm_up()

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """Return a unit key for each text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._passages]
        self._passages.update(zip(new, self._inner.encode_passages(new, on_progress), strict=True))
        return np.asarray([self._passages[text] for text in texts], np.float32).reshape(-1, self.identity.dimension)

    def encode_query(self, text: str) -> np.ndarray:
        """Return the unit key of a question."""
        if text not in self._queries:
            self._queries[text] = self._inner.encode_query(text)
        return self._queries[text]

    def unknown_share(self, text: str) -> float:
        """Return the inner encoder's share."""
        if text not in self._unknown:
            self._unknown[text] = self._inner.unknown_share(text)
        return self._unknown[text]
