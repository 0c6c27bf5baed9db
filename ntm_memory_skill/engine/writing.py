"""Giving new memories their ids and slots, and old ones what they say now; committing both."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.engine import validation
from ntm_memory_skill.engine.answers import Change, Note
from ntm_memory_skill.engine.forgetting import make_room
from ntm_memory_skill.engine.intake import NEW, acted_on, judge, merge_weight
from ntm_memory_skill.engine.likeness import Resemblance
from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.projection import key_bytes
from ntm_memory_skill.engine.settings import Settings
from ntm_memory_skill.engine.validation import Draft
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.model import (
    Event,
    Forgotten,
    Memorized,
    Merged,
    Occurrence,
    Record,
    Repeated,
    Superseded,
    Updated,
    indexed_text,
)
from ntm_memory_skill.sources import Clock, Ids
from ntm_memory_skill.store import State


class Writer:
    """Writes drafts and changes into one memory.

    Args:
        live: The memory.
        settings: How many memories can be active, and what becomes of what is said again or no longer holds.
        clock: Gives the time.
        ids: Gives new ids.
    """

    def __init__(self, live: LiveMemory, settings: Settings, clock: Clock, ids: Ids) -> None:
        self._live, self._settings, self._clock, self._ids = live, settings, clock, ids

    def write(self, drafts: Sequence[Draft], keys: Float32[np.ndarray, "k m"], state: State) -> list[Record]:
        """Give drafts their ids and slots, and commit them. Called inside a transaction."""
        records, room = self._records(drafts, state)
        written = [Memorized(record, key_bytes(key)) for record, key in zip(records, keys, strict=True)]
        self._live.commit([*room, *written])
        return records

    def take_in(
        self, draft: Draft, key: Float32[np.ndarray, "m"], alike: Resemblance, state: State, *, force: bool
    ) -> Note:
        """Store one draft, or count it where it is said already. Called inside a transaction.

        Args:
            draft: What to store.
            key: Its key.
            alike: What it resembles.
            state: What there is.
            force: Store it as a memory of its own in any case.
        """
        preview = draft.record(draft.id or NEW, 0, state.next_ordinal, self._clock())
        settings = replace(self._settings.m3, duplicates="keep", successions="off") if force else self._settings.m3
        verdict = judge(draft, preview, alike.candidates, settings)
        of, changes, room = verdict.of, verdict.changes, list[Forgotten]()
        if of is not None and verdict.stored == "counted":
            self._live.commit(_counted(draft, of, preview))
            record = self._live.record(of.id)
        elif of is not None:
            (record,), _ = self._records([draft], state, leaving=True)
            weight = merge_weight(of)
            merged = Merged(record.id, of.id, preview.created, weight, "it says the same in other words")
            self._live.commit([Memorized(record, key_bytes(key)), *_raised(draft, of, preview.created), merged])
            record = self._live.record(of.id)
        else:
            record, changes, room = self._store(draft, key, state, changes)
        duplicates = acted_on(alike.duplicates, verdict)
        return Note(
            record=record,
            stored=verdict.stored,
            related=alike.related,
            duplicates=duplicates,
            superseded=changes,
            forgotten=tuple(event.id for event in room),
        )

    def _store(
        self, draft: Draft, key: Float32[np.ndarray, "m"], state: State, changes: Sequence[Change]
    ) -> tuple[Record, tuple[Change, ...], list[Forgotten]]:
        """Store a memory of its own, and mark what no longer holds: itself, if it is an older value that came late."""
        (record,), room = self._records([draft], state, keep={change.new for change in changes})
        changes = tuple(
            replace(each, old=_named(each.old, record.id), new=_named(each.new, record.id)) for each in changes
        )
        marks = [Superseded(each.old, each.new, _from(each, record, state)) for each in changes]
        before = [mark for mark in marks if mark.id != record.id]  # what no longer holds may have to make room as well
        after = [mark for mark in marks if mark.id == record.id]
        self._live.commit([*before, *room, Memorized(record, key_bytes(key)), *after])
        return self._live.record(record.id), changes, room

    def _records(
        self, drafts: Sequence[Draft], state: State, keep: Collection[str] = (), *, leaving: bool = False
    ) -> tuple[list[Record], list[Forgotten]]:
        """Return the memories that drafts become, and what is forgotten to make room for them.

        What is `leaving` the matrix in the same transaction needs its slot only until then, and no room.
        """
        idents = self._idents(drafts, state)
        named = {draft.supersedes for draft in drafts if draft.supersedes is not None}
        for place, draft in enumerate(drafts):
            if draft.supersedes is not None and draft.supersedes not in idents[:place]:
                self._live.record(draft.supersedes)
        now = self._clock()
        sources = [draft.source for draft in drafts]
        room = [] if leaving else make_room(state, sources, self._settings, now, {*keep, *named})
        freed = [state.records[event.id].slot for event in room][: len(drafts)]
        slots = sorted(freed + self._live.projection().matrix.allocate(len(drafts) - len(freed)))
        records = [
            draft.record(ident, slot, state.next_ordinal + offset, now)
            for offset, (draft, ident, slot) in enumerate(zip(drafts, idents, slots, strict=True))
        ]
        return records, room

    def update(self, ident: str, change: validation.Change) -> Record:
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
                pinned=change.pinned,
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


def _counted(draft: Draft, record: Record, preview: Record) -> list[Event]:
    """Return the events that count a repetition of a memory."""
    said = Occurrence(at=preview.at, session=draft.session, source=draft.source, ref=draft.ref)
    return [Repeated(record.id, said), *_raised(draft, record, preview.created)]


def _raised(draft: Draft, record: Record, now: datetime) -> list[Event]:
    """Return the event that makes a memory as important as it was called when it was said again."""
    if draft.importance <= record.importance:
        return []
    return [Updated(record.id, now, importance=draft.importance, reason="said again, and called more important")]


def _named(ident: str, new: str) -> str:
    return new if ident == NEW else ident


def _from(change: Change, record: Record, state: State) -> datetime:
    """Return from when on one memory holds in another's place: since what it says happened."""
    return record.at if change.new == record.id else state.records[change.new].at
