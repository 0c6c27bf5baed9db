"""The state of a memory, as a fold over its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import (
    OCCURRENCES,
    Absorbed,
    Accessed,
    Consolidated,
    Erased,
    Event,
    Faded,
    Forgotten,
    Linked,
    Memorized,
    Merged,
    Purged,
    Record,
    Repeated,
    Restored,
    Superseded,
    Undone,
    Updated,
    Version,
    evolve,
)
from ntm_memory_skill.store.codec import LARGEST

CONSOLIDATIONS = 20
"""How many of the latest consolidations are listed, and can be undone."""


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
    forgotten: dict[str, Record] = field(default_factory=dict)
    """Out of the matrix, forgotten or merged into another; they can be searched on demand, and come back."""
    consolidations: dict[str, Consolidated] = field(default_factory=dict)
    """What the latest consolidations did, by their name, oldest first."""
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
                self.records[ident] = evolve(self._live(ident), strength=strength)
            case Accessed():
                self._accessed(event)
            case Linked(id=ident, links=links):
                self._put(evolve(self._kept(ident), links=links))
            case Repeated():
                self._repeated(event)
            case Superseded():
                self._superseded(event)
            case Consolidated() | Undone():
                self._note(event)
            case _:
                self._move(event)

    def _move(self, event: Erased | Purged | Restored | Forgotten | Merged) -> None:
        """Fold in an event that takes a memory from one place to another."""
        match event:
            case Forgotten(id=ident, at=at, reason=reason):
                record = self._leave(self._live(ident))
                self.forgotten[ident] = evolve(record, forgotten_at=at, forgotten_because=reason)
            case Merged():
                self._merged(event)
            case Erased(id=ident, at=at, reason=reason):
                self._erased(ident, at, reason)
            case Purged(id=ident, at=at):
                self._purged(ident, at)
            case Restored():
                self._restored(event)

    def check(self, events: Sequence[Event]) -> None:
        """Fold events into a copy of what they name, and change nothing.

        Raises:
            StoreDamaged: One of them does not fit, so that a journal which held it could not be read again.
        """
        named = {ident for event in events for ident in self._concerned(event)}
        holders = {self._slots.get(slot) for event in events for slot in _slots(event)}
        trial = State(
            records={ident: self.records[ident] for ident in named | holders if ident in self.records},
            archive={ident: self.archive[ident] for ident in named if ident in self.archive},
            tombstones={ident: self.tombstones[ident] for ident in named if ident in self.tombstones},
            forgotten={ident: self.forgotten[ident] for ident in named if ident in self.forgotten},
            consolidations=dict(self.consolidations),
        )
        several = sum(isinstance(event, Accessed) for event in events) > 1  # then their counts add up
        for event in events:
            match event:
                case Linked(id=ident):  # whether another event fits does not depend on links
                    trial._kept(ident)
                case Accessed() if not several:
                    trial._check_counts(event)
                case _:
                    trial.apply(event)

    def knows(self, ident: str) -> bool:
        """Return whether an id was ever used."""
        return any(ident in place for place in (self.records, self.forgotten, self.archive, self.tombstones))

    def remembered(self) -> Iterator[Record]:
        """Yield the live memories and then the forgotten ones: all that can be found."""
        yield from self.records.values()
        yield from self.forgotten.values()

    def anywhere(self, ident: str) -> Record | None:
        """Return a memory, live, forgotten or erased; None where nothing but a tombstone is left of it, or not that."""
        return self.records.get(ident) or self.forgotten.get(ident) or self.archive.get(ident)

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
            self.records[old.id] = evolve(old, superseded_by=record.id, superseded_at=record.at)

    def _superseded(self, event: Superseded) -> None:
        if event.id == event.by:
            raise StoreDamaged(f"the journal puts {event.id} in its own place")
        self._put(evolve(self._kept(event.id), superseded_by=event.by, superseded_at=event.at))

    def _merged(self, event: Merged) -> None:
        into = self._live(event.into)
        if event.id == event.into:
            raise StoreDamaged(f"the journal merges {event.id} into itself")
        record = self._leave(self._live(event.id))
        self.forgotten[record.id] = evolve(
            record, forgotten_at=event.at, forgotten_because=event.reason, merged_into=into.id
        )
        self.records[into.id] = evolve(into, absorbed=(*into.absorbed, Absorbed(record.id, event.weight)))

    def _erased(self, ident: str, at: datetime, reason: str | None) -> None:
        out = self.forgotten.pop(ident, None)
        record = self._leave(self._live(ident)) if out is None else self._apart(out, into=out.merged_into)
        self.archive[ident] = evolve(record, erased_at=at, erased_because=reason)

    def _purged(self, ident: str, at: datetime) -> None:
        record = self.archive.pop(ident, None)
        if record is None:
            raise StoreDamaged(f"the journal purges {ident}, which was not erased before")
        for link in record.links:
            other = self.anywhere(link.id)
            if other is not None:
                self._put(evolve(other, links=tuple(each for each in other.links if each.id != ident)))
        self.tombstones[ident] = at

    def _restored(self, event: Restored) -> None:
        record = self.archive.get(event.id) or self.forgotten.get(event.id)
        if record is None:
            raise StoreDamaged(f"the journal restores {event.id}, which was neither erased nor forgotten")
        self._show(evolve(record, slot=event.slot, erased_at=None, erased_because=None))  # may refuse: before the rest
        self.records[event.id] = self._apart(self.records[event.id])
        self.archive.pop(event.id, None)
        self.forgotten.pop(event.id, None)

    def _apart(self, record: Record, into: str | None = None) -> Record:
        """Return a memory that is not forgotten any more, taken out of the one that absorbed it, if one did.

        Where it goes to the archive it still names that one (`into`): a purge of the one is a purge of both.
        """
        absorber = None if record.merged_into is None else self.anywhere(record.merged_into)
        if absorber is not None:
            self._put(evolve(absorber, absorbed=tuple(each for each in absorber.absorbed if each.id != record.id)))
        return evolve(record, forgotten_at=None, forgotten_because=None, merged_into=into)

    def _check_counts(self, event: Accessed) -> None:
        if len(event.ids) != len(event.counts):
            raise StoreDamaged("the journal counts accesses of more or fewer memories than it names")
        for ident, count in zip(event.ids, event.counts, strict=True):
            if self._live(ident).accesses + count > LARGEST:
                raise StoreDamaged(f"the journal counts more accesses of {ident} than a number holds")

    def _accessed(self, event: Accessed) -> None:
        self._check_counts(event)  # all of them, before any is changed
        for place, (ident, count) in enumerate(zip(event.ids, event.counts, strict=True)):
            old = self.records[ident]
            stability, difficulty = old.stability, old.difficulty
            if event.stabilities:
                stability, difficulty = event.stabilities[place], event.difficulties[place]
            self.records[ident] = evolve(
                old,
                accesses=old.accesses + count,
                accessed_at=event.at,
                stability=stability,
                difficulty=difficulty,
            )

    def _repeated(self, event: Repeated) -> None:
        record = self._live(event.id)
        if record.repeats >= LARGEST:
            raise StoreDamaged(f"the journal counts more repetitions of {event.id} than a number holds")
        latest = (*record.occurrences, event.occurrence)[-OCCURRENCES:]
        self.records[event.id] = evolve(record, repeats=record.repeats + 1, occurrences=latest)

    def _note(self, event: Consolidated | Undone) -> None:
        if isinstance(event, Undone):
            if self.consolidations.pop(event.run, None) is None:
                raise StoreDamaged(f"the journal undoes the consolidation {event.run}, which is not listed")
            return
        before = self.consolidations.pop(event.run, None)
        self.consolidations[event.run] = event if before is None else before.and_then(event)
        while len(self.consolidations) > CONSOLIDATIONS:
            del self.consolidations[next(iter(self.consolidations))]

    def _leave(self, record: Record) -> Record:
        """Take a live memory out of its slot."""
        del self.records[record.id], self._slots[record.slot]
        return record

    def _put(self, record: Record) -> None:
        """Put a memory back where it is."""
        for place in (self.records, self.forgotten, self.archive):
            if record.id in place:
                place[record.id] = record

    def _show(self, record: Record) -> None:
        if record.slot in self._slots:
            raise StoreDamaged(f"the journal puts {record.id} into slot {record.slot}, which is taken")
        self.records[record.id] = record
        self._slots[record.slot] = record.id

    def _concerned(self, event: Event) -> Iterator[str | None]:
        """Yield the ids of all memories that an event may change."""
        if isinstance(event, Accessed | Linked):
            yield from _named(event)
            return
        for ident in _named(event):
            yield ident
            record = None if ident is None else self.anywhere(ident)
            if record is not None:
                yield record.merged_into
                yield from (link.id for link in record.links if isinstance(event, Purged))

    def _kept(self, ident: str) -> Record:
        record = self.anywhere(ident)
        if record is None:
            raise StoreDamaged(f"the journal changes {ident}, of which there is nothing left")
        return record

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
        case Merged(id=ident, into=into):
            return ident, into
        case Consolidated() | Undone():
            return ()
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
    return evolve(
        record,
        content=record.content if event.content is None else event.content,
        importance=record.importance if event.importance is None else event.importance,
        tags=record.tags if event.tags is None else event.tags,
        pinned=record.pinned if event.pinned is None else event.pinned,
        absorbed=record.absorbed if event.content is None else _out_of_the_row(record.absorbed),
        versions=(*record.versions, old),
    )


def _out_of_the_row(absorbed: tuple[Absorbed, ...]) -> tuple[Absorbed, ...]:
    return tuple(replace(each, weight=0.0) for each in absorbed)
