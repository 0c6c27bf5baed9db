"""The contract of an encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.model import EncoderIdentity

Progress = Callable[[int, int], None]
"""Called with (texts done, texts in all)."""


class Text(NamedTuple):
    """A text to make a key of, and what kind it is: the model may be told by a prefix."""

    text: str
    question: bool
    """Whether it is a question, and no passage to be remembered."""


class Encoder(Protocol):
    """Makes keys. Making an encoder is cheap; the model behind it is loaded by the first call that needs it."""

    @property
    def identity(self) -> EncoderIdentity:
        """Which keys these are. May load the model where only the model can tell."""

    @property
    def known_identity(self) -> EncoderIdentity | None:
        """The identity if it can be told without loading the model, else None."""

    @property
    def array_library(self) -> str:
        """The library that the model brings with it, "torch" or "numpy": where the memory matrix is at home."""

    @property
    def ready(self) -> bool:
        """Whether the model is loaded, so that no call has to wait for it."""

    def warm_up(self) -> None:
        """Load the model now. Raises EncoderUnavailable or WeightsDamaged."""

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each text to be remembered. No part of a long text is ignored."""

    def encode_query(self, text: str) -> Float32[np.ndarray, "m"]:
        """Return the unit key of a question."""

    def unknown_share(self, text: str) -> float:
        """Return the share of `text` that the model has no word pieces for, 0 to 1: how far its key says nothing."""
