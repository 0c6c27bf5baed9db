"""The crossbar as a backend of the memory matrix: the analog match proposes, the exact rows decide.

Rows are programmed when they are first seen, and again when they change; rows of zeros are let go. The `rerank` rows
with the largest analog match are compared exactly, the others keep what the converters said.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Float32

from ntm_memory_skill.crossbar.crossbar import Crossbar, Programming
from ntm_memory_skill.crossbar.energy import Cost, cost_of_comparing
from ntm_memory_skill.model import Matched
from ntm_memory_skill.ntm.addressing import Array
from ntm_memory_skill.ntm.namespaces import array_namespace

NOTHING = Cost(0.0, 0.0, 0.0, 0.0, 0.0)


class CrossbarSimilarity:
    """Matches one key with all rows by an emulated crossbar.

    Args:
        crossbar: Holds the rows.
        clock: Seconds; a clock that goes back counts as one that stands still.
        rerank: How many rows are compared exactly, 0 and up.
    """

    name: Matched = "crossbar"

    def __init__(self, crossbar: Crossbar, clock: Callable[[], float], rerank: int = 100) -> None:
        self.crossbar, self.rerank = crossbar, rerank
        self.spent = NOTHING
        """What the last `scores` would have cost, programming included."""
        self._clock, self._now = clock, -np.inf
        self.seen: Float32[np.ndarray, "n m"] = np.zeros((0, crossbar.dimension), np.float32)
        """Rows as they were programmed; zeros for those that were not."""

    def scores(self, key: Float[Array, "m"], rows: Float[Array, "n m"]) -> Float[Array, "n"]:
        """Return the match of `key` with each row.

        Raises:
            CrossbarFull: There are more rows than it has room for.
        """
        xp = array_namespace(key, rows)
        plain, asked = np.asarray(rows), np.asarray(key)
        self.spent = self.take(plain)
        found = np.zeros(len(plain), np.float32)
        analog = self.crossbar.read(asked, self._now)
        found[: len(analog)] = analog[: len(plain)]
        count = min(self.rerank, len(plain))
        self.spent += self.crossbar.cost_of_read() + cost_of_comparing(self.crossbar.dimension, count)
        if count:
            best = np.argpartition(-found, count - 1)[:count]
            found[best] = plain[best] @ asked
        return xp.asarray(found)

    def resume(self, kept: Programming, rows: Float32[np.ndarray, "n m"]) -> None:
        """Take back devices that were programmed before; `take` programs the rows that have none.

        Args:
            kept: What `Crossbar.programming` gave, of slots below n.
            rows: The rows as they are now, those in these slots as they were.

        Raises:
            CrossbarError: See `Crossbar.restore`.
        """
        self.crossbar.restore(kept, rows[kept.slots])
        self.seen = np.zeros_like(rows, np.float32)
        self.seen[kept.slots] = rows[kept.slots]
        self._now = float(kept.times.max(initial=self._now))

    def take(self, rows: Float32[np.ndarray, "n m"]) -> Cost:
        """Program what has changed since it was last looked at, and return what that would have cost."""
        self._now = max(self._now, self._clock())
        seen = np.array(rows, np.float32)
        known = np.zeros_like(seen)
        known[: len(self.seen)] = self.seen[: len(known)]
        changed = np.flatnonzero((known != seen).any(axis=1))
        empty = ~seen[changed].any(axis=1)
        written = changed[~empty].tolist()
        spent = self.crossbar.write(written, seen[written], self._now) if written else NOTHING
        self.crossbar.erase([*changed[empty].tolist(), *range(len(seen), len(self.seen))])
        self.seen = seen  # once all of it is done: what was refused is refused again
        return spent
