"""Giving new memories their ids and slots, and old ones what they say now; committing both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.projection import key_bytes
from ntm_memory_skill.engine.validation import Change, Draft
from ntm_memory_skill.errors import InvalidArgument, MemoryFull
from ntm_memory_skill.model import Memorized, Record, Updated, indexed_text
from ntm_memory_skill.sources import Clock, Ids
from ntm_memory_skill.store import State


class Writer:
    """Writes drafts and changes into one memory.

    Args:
        live: The memory.
        memory_size: How many live memories there can be.
        clock: Gives the time.
        ids: Gives new ids.
    """

    def __init__(self, live: LiveMemory, memory_size: int, clock: Clock, ids: Ids) -> None:
        self._live, self._memory_size, self._clock, self._ids = live, memory_size, clock, ids

    def write(self, drafts: Sequence[Draft], keys: Float32[np.ndarray, "k m"], state: State) -> list[Record]:
        """Give drafts their ids and slots, and commit them. Called inside a transaction."""
        if len(state.records) + len(drafts) > self._memory_size:
            raise MemoryFull(f"the memory has {self._memory_size} slots, and {len(state.records)} are taken")
        idents = self._idents(drafts, state)
        for place, draft in enumerate(drafts):
            if draft.supersedes is not None and draft.supersedes not in idents[:place]:
                self._live.record(draft.supersedes)
        slots = self._live.projection().matrix.allocate(len(drafts))
        now = self._clock()
        records = [
            draft.record(ident, slot, state.next_ordinal + offset, now)
            for offset, (draft, ident, slot) in enumerate(zip(drafts, idents, slots, strict=True))
        ]
        self._live.commit([Memorized(record, key_bytes(key)) for record, key in zip(records, keys, strict=True)])
        return records

    def update(self, ident: str, change: Change) -> Record:
        """Give a memory a new version, and return it.

        Raises:
            UnknownMemory: No live memory has the id.
        """
        key, key_row = self._live.record(ident).key, None  # an unknown id makes no folder and takes no lock
        if change.content is not None:
            key_row = key_bytes(self._live.encode([indexed_text(key, change.content)])[0])
        with self._live.transaction():
            self._live.record(ident)
            event = Updated(
                ident,
                self._clock(),
                content=change.content,
                importance=change.importance,
                tags=change.tags,
                reason=change.reason,
                key_row=key_row,
            )
            self._live.commit([event])
            return self._live.record(ident)

    def _idents(self, drafts: Sequence[Draft], state: State) -> list[str]:
        """Return an id for each draft that was never used: the one it brings, or a new one."""
        brought = [draft.id for draft in drafts if draft.id is not None]
        taken = set(brought)
        if len(taken) < len(brought) or any(state.knows(ident) for ident in brought):
            raise InvalidArgument("an id that was given is in use, or was", hint="Leave id out to get a new one.")
        idents = []
        for draft in drafts:
            ident = draft.id or self._ids()
            while draft.id is None and (ident in taken or state.knows(ident)):
                ident = self._ids()
            taken.add(ident)
            idents.append(ident)
        return idents
