"""Shorter keys: an encoder's output under a fixed random projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder.protocol import Encoder, Progress
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.model import EncoderIdentity

SEED = 20141020  # the day on which the NTM paper came out; part of the file format through the identity


class ProjectedEncoder:
    """Another encoder whose keys are projected onto `dimension` orthonormal random directions.

    Distances survive up to an error that falls with the square root of `dimension` (Johnson & Lindenstrauss 1984).

    Raises:
        InvalidArgument: `dimension` is larger than the inner encoder's.
    """

    def __init__(self, inner: Encoder, dimension: int) -> None:
        self._inner = inner
        self._dimension = dimension
        self._directions: Float32[np.ndarray, "m d"] | None = None
        self.array_library = inner.array_library

    @property
    def identity(self) -> EncoderIdentity:
        """The inner identity with the shorter dimension and the projection's seed."""
        return self._shortened(self._inner.identity)

    @property
    def known_identity(self) -> EncoderIdentity | None:
        """The identity, if the inner encoder knows its own."""
        known = self._inner.known_identity
        return None if known is None else self._shortened(known)

    @property
    def ready(self) -> bool:
        """Whether the inner model is loaded."""
        return self._inner.ready

    def warm_up(self) -> None:
        """Load the inner model."""
        self._inner.warm_up()

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Float32[np.ndarray, "k d"]:
        """Return a unit key for each text."""
        return self._project(self._inner.encode_passages(texts, on_progress))

    def encode_query(self, text: str) -> Float32[np.ndarray, "d"]:
        """Return the unit key of a question."""
        key: Float32[np.ndarray, "d"] = self._project(self._inner.encode_query(text)[None])[0]
        return key

    def unknown_share(self, text: str) -> float:
        """Return the inner encoder's share."""
        return self._inner.unknown_share(text)

    def _shortened(self, identity: EncoderIdentity) -> EncoderIdentity:
        if self._dimension > identity.dimension:
            raise InvalidArgument(
                f"memory_dim is {self._dimension}, but the encoder's keys have only {identity.dimension} numbers",
                hint='Set ntm_memory.memory_dim to "auto" or to a smaller number.',
            )
        return replace(identity, dimension=self._dimension, revision=f"{identity.revision}+projection:{SEED}")

    def _project(self, keys: Float32[np.ndarray, "k m"]) -> Float32[np.ndarray, "k d"]:
        if self._directions is None:
            gaussian = np.random.Generator(np.random.PCG64(SEED)).standard_normal(
                (keys.shape[1], self.identity.dimension)
            )
            self._directions = np.linalg.qr(gaussian)[0].astype(np.float32)
        projected = keys @ self._directions
        norms = np.linalg.norm(projected, axis=1, keepdims=True)
        shorter: Float32[np.ndarray, "k d"] = projected / np.where(norms > 0, norms, 1)
        return shorter
