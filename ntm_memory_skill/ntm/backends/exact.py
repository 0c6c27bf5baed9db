"""The exact backend: one matrix–vector product in float32."""

from __future__ import annotations

from jaxtyping import Float

from ntm_memory_skill.model import Matched
from ntm_memory_skill.ntm.addressing import Array
from ntm_memory_skill.ntm.namespaces import array_namespace


class ExactSimilarity:
    """The reference that every other backend is measured against; O(N·M) and nothing to build."""

    name: Matched = "exact"

    def scores(self, key: Float[Array, "m"], rows: Float[Array, "n m"]) -> Float[Array, "n"]:
        """Return the dot product of `key` with each row."""
        xp = array_namespace(key, rows)
        return xp.matmul(rows, key)
