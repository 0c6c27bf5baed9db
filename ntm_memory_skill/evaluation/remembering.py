"""An encoder that remembers, for those who search the same texts several times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder import Encoder, Progress
from ntm_memory_skill.evaluation.corpus import Dataset
from ntm_memory_skill.model import indexed_text


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

    def take(self, texts: Sequence[str], keys: Float32[np.ndarray, "k m"]) -> None:
        """Take keys that the inner encoder made of texts before."""
        self._passages.update(zip(texts, keys, strict=True))

    def encode_all(self, dataset: Dataset, on_progress: Progress | None = None) -> None:
        """Encode all that a set says and asks, so that nobody has to wait for it in the middle of something else."""
        items = [item for corpus in dataset.corpora for item in corpus.items]
        questions = [asked.text for corpus in dataset.corpora for asked in corpus.questions]
        units = len(items) + len(questions)

        def tell(done: int) -> None:
            if on_progress is not None:
                on_progress(done, units)

        self.encode_passages(
            [indexed_text(item.get("key"), item["content"]) for item in items], lambda done, _: tell(done)
        )
        for number, text in enumerate(questions, 1):
            self.encode_query(text)
            self.unknown_share(text)
            tell(len(items) + number)

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._passages]
        self._passages.update(zip(new, self._inner.encode_passages(new, on_progress), strict=True))
        return np.asarray([self._passages[text] for text in texts], np.float32).reshape(-1, self.identity.dimension)

    def encode_query(self, text: str) -> Float32[np.ndarray, "m"]:
        """Return the unit key of a question."""
        if text not in self._queries:
            self._queries[text] = self._inner.encode_query(text)
        return self._queries[text]

    def unknown_share(self, text: str) -> float:
        """Return the inner encoder's share."""
        if text not in self._unknown:
            self._unknown[text] = self._inner.unknown_share(text)
        return self._unknown[text]
