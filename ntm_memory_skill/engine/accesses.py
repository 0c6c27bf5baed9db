"""How often each memory was given as an answer, counted here and stored in batches.

A search must not wait for the disk, so the counts of many answers go into the next write, or are stored on closing. A
crash loses the batch at hand: statistics, and nothing that anybody was told is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from ntm_memory_skill.model import Accessed
from ntm_memory_skill.store import State

BATCH = 1000  # memories: some 30 KB of journal, and half a minute of an agent that does nothing but search


class AccessCounts:
    """The batch at hand."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._last: datetime | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not self._counts

    @property
    def full(self) -> bool:
        """Whether there is enough to be worth a write of its own."""
        return len(self._counts) >= BATCH

    def add(self, idents: Iterable[str], at: datetime) -> None:
        """Count one answer."""
        self._counts.update(idents)
        self._last = at

    def take(self, state: State) -> list[Accessed]:
        """Return the batch as an event, if there is any, and begin a new one. What was erased meanwhile is left out."""
        counts = {ident: count for ident, count in self._counts.items() if ident in state.records}
        last, self._last = self._last, None
        self._counts.clear()
        return [] if last is None or not counts else [Accessed(tuple(counts), tuple(counts.values()), last)]
