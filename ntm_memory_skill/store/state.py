"""The state of a memory, as a fold over its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import (
    Accessed,
    Erased,
    Event,
    Faded,
    Memorized,
    Purged,
    Record,
    Restored,
    Updated,
    Version,
)
from ntm_memory_skill.store.codec import LARGEST


@dataclass(slots=True)
class State:
    """Everything that the events so far amount to. `apply` is the only thing that changes it."""

    records: dict[str, Record] = field(default_factory=dict)
    """Live memories by id, in the order in which they were written."""
    archive: dict[str, Record] = field(default_factory=dict)
    """Erased and not purged."""
    tombstones: dict[str, datetime] = field(default_factory=dict)
    """Ids of purged memories and when they went; nothing else of them is left."""
    next_ordinal: int = 0
    """How many memories have been written, ever."""
    _slots: dict[int, str] = field(default_factory=dict, compare=False, repr=False)
    """Which live memory has a slot; follows from `records`."""

    def __post_init__(self) -> None:
        self._slots = {record.slot: record.id for record in self.records.values()}
        if len(self._slots) < len(self.records):
            raise StoreDamaged("two memories have the same slot")

    def apply(self, event: Event) -> None:
        """Fold one event in.

        Raises:
            StoreDamaged: The event does not fit the state, which only a damaged journal can bring about.
        """
        match event:
            case Memorized(record=record):
                self._memorized(record)
            case Updated():
                self.records[event.id] = updated(self._live(event.id), event)
            case Faded(id=ident, strength=strength):
                self.records[ident] = replace(self._live(ident), strength=strength)
            case Erased(id=ident, at=at, reason=reason):
                record = self._live(ident)
                del self.records[ident], self._slots[record.slot]
                self.archive[ident] = replace(record, erased_at=at, erased_because=reason)
            case Purged(id=ident, at=at):
                if self.archive.pop(ident, None) is None:
                    raise StoreDamaged(f"the journal purges {ident}, which was not erased before")
                self.tombstones[ident] = at
            case Restored():
                self._restored(event)
            case Accessed():
                self._accessed(event)

    def check(self, events: Sequence[Event]) -> None:
        """Fold events into a copy of what they name, and change nothing.

        Raises:
            StoreDamaged: One of them does not fit, so that a journal which held it could not be read again.
        """
        named = {ident for event in events for ident in _named(event)}
        holders = {self._slots.get(slot) for event in events for slot in _slots(event)}
        trial = State(
            records={ident: self.records[ident] for ident in named | holders if ident in self.records},
            archive={ident: self.archive[ident] for ident in named if ident in self.archive},
            tombstones={ident: self.tombstones[ident] for ident in named if ident in self.tombstones},
        )
        for event in events:
            trial.apply(event)

    def knows(self, ident: str) -> bool:
        """Return whether an id was ever used."""
        return ident in self.records or ident in self.archive or ident in self.tombstones

    def is_free(self, slot: int) -> bool:
        """Return whether no live memory has a slot."""
        return slot not in self._slots

    def free_slot(self) -> int:
        """Return the lowest slot that no live memory has."""
        return next(slot for slot in range(len(self._slots) + 1) if slot not in self._slots)

    def _memorized(self, record: Record) -> None:
        if self.knows(record.id):
            raise StoreDamaged(f"the journal writes {record.id} twice")
        self._show(record)
        self.next_ordinal = max(self.next_ordinal, record.ordinal + 1)
        old = None if record.supersedes is None else self.records.get(record.supersedes)
        if old is not None:
            self.records[old.id] = replace(old, superseded_by=record.id, superseded_at=record.at)

    def _restored(self, event: Restored) -> None:
        record = self.archive.get(event.id)
        if record is None:
            raise StoreDamaged(f"the journal restores {event.id}, which is not in the archive")
        self._show(replace(record, slot=event.slot, erased_at=None, erased_because=None))
        del self.archive[event.id]

    def _accessed(self, event: Accessed) -> None:
        if len(event.ids) != len(event.counts):
            raise StoreDamaged("the journal counts accesses of more or fewer memories than it names")
        for ident, count in zip(event.ids, event.counts, strict=True):
            if self._live(ident).accesses + count > LARGEST:  # all of them, before any is changed
                raise StoreDamaged(f"the journal counts more accesses of {ident} than a number holds")
        for ident, count in zip(event.ids, event.counts, strict=True):
            old = self.records[ident]
            self.records[ident] = replace(old, accesses=old.accesses + count, accessed_at=event.at)

    def _show(self, record: Record) -> None:
        if record.slot in self._slots:
            raise StoreDamaged(f"the journal puts {record.id} into slot {record.slot}, which is taken")
        self.records[record.id] = record
        self._slots[record.slot] = record.id

    def _live(self, ident: str) -> Record:
        record = self.records.get(ident)
        if record is None:
            raise StoreDamaged(f"the journal changes {ident}, which is not a live memory")
        return record


def _named(event: Event) -> tuple[str | None, ...]:
    match event:
        case Memorized(record=record):
            return record.id, record.supersedes
        case Accessed(ids=idents):
            return idents
        case _:
            return (event.id,)


def _slots(event: Event) -> tuple[int, ...]:
    """Return the slots that an event writes to."""
    match event:
        case Memorized(record=record):
            return (record.slot,)
        case Restored(slot=slot):
            return (slot,)
        case _:
            return ()


def updated(record: Record, event: Updated) -> Record:
    """Return a record after an update: the new values on top, the old version kept beneath."""
    old = Version(record.content, record.importance, record.tags, replaced_at=event.at, reason=event.reason)
    return replace(
        record,
        content=record.content if event.content is None else event.content,
        importance=record.importance if event.importance is None else event.importance,
        tags=record.tags if event.tags is None else event.tags,
        versions=(*record.versions, old),
    )
