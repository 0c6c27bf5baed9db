"""A deterministic stand-in for a model: keys from hashed character n-grams.

It knows nothing of meaning, only of shared letters. Tests use it because it is exact, instant and the same everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder.protocol import Progress
from ntm_memory_skill.model import EncoderIdentity


class HashedEncoder:
    """Signed feature hashing of character trigrams into `dimension` buckets (Weinberger et al. 2009)."""

    array_library = "numpy"
    ready = True

    def __init__(self, dimension: int = 64) -> None:
        self.identity = EncoderIdentity(name="hashed", revision="1", dimension=dimension)
        self.known_identity: EncoderIdentity | None = self.identity

    def warm_up(self) -> None:
        """Do nothing: there is no model."""

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each text."""
        keys = np.zeros((len(texts), self.identity.dimension), dtype=np.float32)
        for index, text in enumerate(texts):
            keys[index] = self.encode_query(text)
            if on_progress is not None:
                on_progress(index + 1, len(texts))
        return keys

    def encode_query(self, text: str) -> Float32[np.ndarray, "m"]:
        """Return the unit key of a text."""
        key = np.zeros(self.identity.dimension, dtype=np.float32)
        padded = f" {text.casefold()} "
        for start in range(max(1, len(padded) - 2)):
            digest = hashlib.blake2b(padded[start : start + 3].encode(), digest_size=8).digest()
            number = int.from_bytes(digest, "little")
            key[number % self.identity.dimension] += 1.0 if number >> 63 else -1.0
        norm = np.linalg.norm(key)
        if norm == 0:  # a short text whose few hashes are opposite
            key[0] = norm = np.float32(1)
        return key / norm

    def unknown_share(self, text: str) -> float:  # noqa: ARG002  # the protocol's signature
        """Return 0: every character has a hash."""
        return 0.0
