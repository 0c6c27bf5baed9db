"""Erasing in part, erasing, purging, and bringing back what was erased or forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from ntm_memory_skill.engine import validation
from ntm_memory_skill.engine.answers import Receipt
from ntm_memory_skill.engine.forgetting import make_room
from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.projection import key_bytes
from ntm_memory_skill.engine.settings import Settings
from ntm_memory_skill.errors import UnknownMemory
from ntm_memory_skill.model import Erased, Event, Faded, Purged, Record, Restored, Superseded, indexed_text
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store import State


def fade(live: LiveMemory, clock: Clock, idents: tuple[str, ...], share: float) -> Receipt:
    """Shorten the rows of memories by a share, so that they match less."""
    with live.transaction() as state:
        live.check_known(idents)
        now = clock()
        left = tuple(validation.faded(state.records[ident].strength, share) for ident in idents)
        live.commit([Faded(ident, now, rest) for ident, rest in zip(idents, left, strict=True)])
    return Receipt(action="faded", at=now, ids=idents, strengths=left)


def erase(live: LiveMemory, clock: Clock, idents: tuple[str, ...], reason: str | None) -> Receipt:
    """Put memories in the archive, where no reader sees them; with them, what was merged into them."""
    with live.transaction() as state:
        live.check_known(idents, forgotten_as_well=True)
        now, idents = clock(), with_absorbed(state, idents)
        live.commit([Erased(ident, now, reason) for ident in idents])
    return Receipt(action="erased", at=now, ids=idents, strengths=(0.0,) * len(idents))


def purge(live: LiveMemory, clock: Clock, idents: tuple[str, ...], reason: str | None) -> Receipt:
    """Leave nothing of memories, erased ones among them, but their ids and this moment.

    The purge is committed first, so that whatever comes, opening the memory again finishes it; then every file is
    rewritten, and copies of older ones are deleted.
    """
    with live.transaction() as state:
        live.check_known(idents, forgotten_as_well=True, erased_as_well=True)
        now, idents = clock(), with_absorbed(state, idents, archived=True)
        present = [ident for ident in idents if ident in state.records or ident in state.forgotten]
        events: list[Event] = [Erased(ident, now, reason) for ident in present]
        events.extend(Purged(ident, now) for ident in idents if ident not in state.tombstones)
        if events:
            live.commit(events)
        scrubbed = live.store.scrub()
    return Receipt(
        action="purged",
        at=now,
        ids=idents,
        strengths=(0.0,) * len(idents),
        files_rewritten=scrubbed.rewritten,
        files_removed=scrubbed.removed,
        checksums=scrubbed.checksums,
    )


def with_absorbed(state: State, idents: Sequence[str], *, archived: bool = False) -> tuple[str, ...]:
    """Return ids, each once, and behind them those of what says the same: merged into theirs, or a gist of them.

    What was merged into what was merged is among them; gists in the archive only if these count as well (`archived`).
    """
    found, left = dict.fromkeys(idents), list(idents)
    while left:
        record = state.anywhere(left.pop(0))
        parts = () if record is None else (each.id for each in record.absorbed if each.id in state.forgotten)
        new = [part for part in parts if part not in found]
        found.update(dict.fromkeys(new))
        left += new
    if archived:
        apart = [record.id for record in state.archive.values() if record.merged_into in found]
        found.update(dict.fromkeys(apart))
    quoted = set(found)
    places = (*state.remembered(), *(state.archive.values() if archived else ()))
    gists = (record.id for record in places if not quoted.isdisjoint(record.distilled_from))
    return tuple(found | dict.fromkeys(gists))


def restore(
    live: LiveMemory,
    clock: Clock,
    idents: Sequence[str],
    settings: Settings,
    *,
    beside: Sequence[str] = (),
    wait: bool = True,
) -> list[Record]:
    """Bring memories back that were erased or forgotten, into free slots, as they were; let superseded ones hold again.

    Args:
        live: The memory.
        clock: Gives the time.
        idents: Which.
        settings: How many memories can be active.
        beside: Others that must not be forgotten to make room.
        wait: Whether to wait for another writer.

    Raises:
        UnknownMemory: One of them was neither erased nor forgotten, nor superseded.
        MemoryFull: There are not enough free slots, and nothing that may be forgotten in turn.
        StoreLocked: Somebody else is writing; without `wait`, at once.
    """
    gone = _gone(live.state, idents)
    keys = live.encode([indexed_text(record.key, record.content) for record in gone])
    live.projection()
    with live.transaction(wait=wait) as state:
        gone = _gone(state, idents)
        now = clock()
        room = make_room(state, [record.source for record in gone], settings, now, [*idents, *beside])
        freed = [state.records[event.id].slot for event in room][: len(gone)]
        slots = sorted(freed + live.projection().matrix.allocate(len(gone) - len(freed)))
        back = [
            Restored(record.id, now, slot, key_bytes(key)) for record, slot, key in zip(gone, slots, keys, strict=True)
        ]
        out = {record.id for record in gone}
        live.commit([*room, *back, *(Superseded(ident, None, None) for ident in idents if ident not in out)])
        return [state.records[ident] for ident in idents]


def _gone(state: State, idents: Sequence[str]) -> list[Record]:
    """Return those of some memories that are out of the matrix; the others have to be superseded."""
    found = []
    for ident in idents:
        record = state.archive.get(ident) or state.forgotten.get(ident)
        if record is not None:
            found.append(record)
        elif ident not in state.records or state.records[ident].superseded_by is None:
            why = "it was purged" if ident in state.tombstones else "it was not erased, forgotten or superseded"
            raise UnknownMemory(f"there is no {ident!r} to restore: {why}", hint="`ntm-memory restore` lists it.")
    return found
