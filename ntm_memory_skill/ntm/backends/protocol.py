"""The contracts of a similarity backend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from jaxtyping import Float

from ntm_memory_skill.model import Matched
from ntm_memory_skill.ntm.addressing import Array


class Similarity(Protocol):
    """Matches one key with all rows."""

    @property
    def name(self) -> Matched:
        """The backend's name, as reported with an answer: of several, that of the one that answered last."""

    def scores(self, key: Float[Array, "m"], rows: Float[Array, "n m"]) -> Float[Array, "n"]:
        """Return the dot product of `key` with each row; a row of zeros scores 0."""


@runtime_checkable
class Following(Protocol):
    """A backend that keeps the rows in a form of its own, and is told by the matrix when they change."""

    def changed(self, slots: Iterable[int] | None) -> None:
        """Take note that the rows in some slots were written, or all of them (None)."""

    def close(self) -> None:
        """Nobody will ask any more: end what goes on in the background, without waiting for it."""
