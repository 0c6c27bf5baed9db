"""Erasing in part, erasing, purging, and bringing back what was erased and not purged."""

from __future__ import annotations

from collections.abc import Sequence

from ntm_memory_skill.engine import validation
from ntm_memory_skill.engine.answers import Receipt
from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.projection import key_bytes
from ntm_memory_skill.errors import MemoryFull, UnknownMemory
from ntm_memory_skill.model import Erased, Event, Faded, Purged, Record, Restored, indexed_text
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store import State


def fade(live: LiveMemory, clock: Clock, idents: tuple[str, ...], share: float) -> Receipt:
    """Shorten the rows of memories by a share, so that they match less."""
    with live.transaction() as state:
        live.check_known(idents, erased_as_well=False)
        now = clock()
        left = tuple(validation.faded(state.records[ident].strength, share) for ident in idents)
        live.commit([Faded(ident, now, rest) for ident, rest in zip(idents, left, strict=True)])
    return Receipt(action="faded", at=now, ids=idents, strengths=left)


def erase(live: LiveMemory, clock: Clock, idents: tuple[str, ...], reason: str | None) -> Receipt:
    """Put memories in the archive, where no reader sees them."""
    with live.transaction():
        live.check_known(idents, erased_as_well=False)
        now = clock()
        live.commit([Erased(ident, now, reason) for ident in idents])
    return Receipt(action="erased", at=now, ids=idents, strengths=(0.0,) * len(idents))


def purge(live: LiveMemory, clock: Clock, idents: tuple[str, ...], reason: str | None) -> Receipt:
    """Leave nothing of memories, erased ones among them, but their ids and this moment.

    The purge is committed first, so that whatever comes, opening the memory again finishes it; then every file is
    rewritten, and copies of older ones are deleted.
    """
    with live.transaction() as state:
        live.check_known(idents, erased_as_well=True)
        now = clock()
        events: list[Event] = [Erased(ident, now, reason) for ident in idents if ident in state.records]
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


def restore(live: LiveMemory, clock: Clock, idents: Sequence[str], memory_size: int) -> list[Record]:
    """Bring memories back from the archive, into free slots, as they were when they were erased.

    Raises:
        UnknownMemory: One of them is not in the archive.
        MemoryFull: There are not enough free slots.
    """
    erased = _archived(live.state, idents)
    keys = live.encode([indexed_text(record.key, record.content) for record in erased])
    live.projection()
    with live.transaction() as state:
        _archived(state, idents)
        if len(state.records) + len(idents) > memory_size:
            raise MemoryFull(f"the memory has {memory_size} slots, and {len(state.records)} are taken")
        slots = live.projection().matrix.allocate(len(idents))
        now = clock()
        live.commit(
            [Restored(ident, now, slot, key_bytes(key)) for ident, slot, key in zip(idents, slots, keys, strict=True)]
        )
        return [state.records[ident] for ident in idents]


def _archived(state: State, idents: Sequence[str]) -> list[Record]:
    for ident in idents:
        if ident not in state.archive:
            why = "it was purged" if ident in state.tombstones else "only an erased memory can come back"
            raise UnknownMemory(f"there is no {ident!r} in the archive: {why}", hint="`ntm-memory restore` lists it.")
    return [state.archive[ident] for ident in idents]
