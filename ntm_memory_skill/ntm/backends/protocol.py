"""The contract of a similarity backend."""

from __future__ import annotations

from typing import Protocol

from jaxtyping import Float

from ntm_memory_skill.ntm.addressing import Array


class Similarity(Protocol):
    """Matches one key with all rows."""

    @property
    def name(self) -> str:
        """The backend's name, as reported with an answer."""

    def scores(self, key: Float[Array, "m"], rows: Float[Array, "n m"]) -> Float[Array, "n"]:
        """Return the dot product of `key` with each row; a row of zeros scores 0."""
