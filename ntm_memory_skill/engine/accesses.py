"""What being recalled does to memories: they are counted, strengthened and linked; stored in batches.

A search must not wait for the disk, so what many answers amount to goes into the next write, or is stored on closing. A
crash loses the batch at hand: statistics, and nothing that anybody was told is stored.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime

from ntm_memory_skill.m3 import co_recalled, reinforce
from ntm_memory_skill.model import Accessed, Event, Link, Linked
from ntm_memory_skill.store import State

BATCH = 500  # memories, or answers: 0.1 MB of journal and some 40 ms of work, for one search in 25 of 20 hits each
Answer = tuple[Mapping[str, float], datetime]
"""The shares of attention of the memories in one answer, and when it was given."""
TOGETHER = 0.5
"""Share of the best hit's attention from which another was recalled with it, and did not merely fill up the answer."""
TIMES = 16  # recalls of one memory, in one batch, that each strengthen it: the last ones


class AccessCounts:
    """The batch at hand.

    Args:
        reconsolidate: Whether recalling changes anything beside the counts.
    """

    def __init__(self, *, reconsolidate: bool = True) -> None:
        self._reconsolidate = reconsolidate
        self._counts: Counter[str] = Counter()
        self._times: dict[str, list[datetime]] = defaultdict(list)
        self._answers: deque[Answer] = deque(maxlen=BATCH)
        self._due = BATCH
        self._last: datetime | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not self._counts

    @property
    def full(self) -> bool:
        """Whether there is enough to be worth a write of its own."""
        return self._size >= self._due

    @property
    def _size(self) -> int:
        return max(len(self._counts), len(self._answers))

    def postpone(self) -> None:
        """Be full again only once as much has come to it: it could not be written."""
        self._due = self._size + BATCH

    def add(self, shares: Mapping[str, float], at: datetime) -> None:
        """Count one answer: the share of attention of each memory in it, relative to the best one's, 0 to 1."""
        self._counts.update(shares.keys())
        self._last = at
        if self._reconsolidate:
            for ident in shares:
                times = self._times[ident]
                times.append(at)
                del times[:-TIMES]
            self._answers.append(({ident: share for ident, share in shares.items() if share >= TOGETHER}, at))

    def take(self, state: State) -> list[Event]:
        """Return the batch as events, if there is any, and begin a new one. What is not live any more is left out."""
        counts = {ident: count for ident, count in self._counts.items() if ident in state.records}
        times, answers, last = dict(self._times), list(self._answers), self._last
        for each in (self._counts, self._times, self._answers):
            each.clear()
        self._due, self._last = BATCH, None
        if last is None or not counts:
            return []
        stronger = [reinforce(state.records[ident], *times[ident]) for ident in counts if self._reconsolidate]
        accessed = Accessed(
            tuple(counts),
            tuple(counts.values()),
            last,
            stabilities=tuple(imprint.stability for imprint in stronger),
            difficulties=tuple(imprint.difficulty for imprint in stronger),
        )
        return [accessed, *_linked(state, answers)]


def _linked(state: State, answers: Sequence[Answer]) -> list[Event]:
    """Return the links of all memories that the answers changed, at both ends, be these forgotten or not."""
    changed: dict[str, tuple[Link, ...]] = {}

    def links(ident: str) -> tuple[Link, ...] | None:
        if ident in changed:
            return changed[ident]
        record = state.anywhere(ident)
        return None if record is None else record.links

    for shares, at in answers:
        here = {ident: share for ident, share in shares.items() if ident in state.records}
        changed |= co_recalled(links, here, at)
    return [Linked(ident, held) for ident, held in changed.items()]
