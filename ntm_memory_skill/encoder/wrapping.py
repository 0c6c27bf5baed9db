"""An encoder around another one: what it does not change is the inner encoder's."""

from __future__ import annotations

from typing import Generic, TypeVar

from ntm_memory_skill.encoder.protocol import Encoder
from ntm_memory_skill.model import EncoderIdentity

Inner = TypeVar("Inner", bound=Encoder)


class Wrapping(Generic[Inner]):
    """Passes on what the inner encoder says of itself.

    Args:
        inner: The other one.
    """

    def __init__(self, inner: Inner) -> None:
        self._inner = inner

    @property
    def identity(self) -> EncoderIdentity:
        """The inner encoder's."""
        return self._inner.identity

    @property
    def known_identity(self) -> EncoderIdentity | None:
        """The inner encoder's."""
        return self._inner.known_identity

    @property
    def array_library(self) -> str:
        """The inner encoder's."""
        return self._inner.array_library

    @property
    def ready(self) -> bool:
        """Whether the inner model is loaded."""
        return self._inner.ready

    def warm_up(self) -> None:
        """Load the inner model."""
        self._inner.warm_up()
