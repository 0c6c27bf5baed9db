"""Taking a consolidation back: the memories are as they were before it, but for what happened to them since.

The law: what it merged or forgot comes back, into its own slot where that is free; what it superseded holds again; the
gists that it made are erased. All of that is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import count

from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.projection import key_bytes
from ntm_memory_skill.errors import MemoryFull, UnknownConsolidation
from ntm_memory_skill.model import Consolidated, Erased, Event, Record, Restored, Superseded, Undone
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store import State

REASON = "the consolidation that made it was undone"


def undo(live: LiveMemory, clock: Clock, run: str | None, memory_size: int) -> Consolidated:
    """Take a consolidation back, and return what it had done.

    Args:
        live: The memory.
        clock: Gives the time.
        run: Its name; None takes the latest.
        memory_size: How many memories can be active.

    Raises:
        UnknownConsolidation: There is none of that name, or none at all.
        MemoryFull: There is no room for what comes back.
        StoreError: It could not be written; nothing was undone.
    """
    run = _named(live.state, run).run
    keys = live.keys_of(_out(live.state, _named(live.state, run)))
    with live.transaction() as state:
        done = _named(state, run)
        back = _out(state, done)
        keys |= live.keys_of([record for record in back if record.id not in keys])
        now = clock()
        gists = [
            Erased(ident, now, REASON) for ident in done.gists if ident in state.records or ident in state.forgotten
        ]
        left = {record.slot for record in state.records.values()}
        left -= {state.records[each.id].slot for each in gists if each.id in state.records}
        if len(left) + len(back) > memory_size:
            raise MemoryFull(f"{len(back)} memories would come back, and there is no room for them")
        events: list[Event] = [*gists]
        for record, slot in zip(back, _slots(back, left), strict=True):
            events.append(Restored(record.id, now, slot, key_bytes(keys[record.id])))
        events += [
            Superseded(ident, None, None)
            for ident, by in zip(done.superseded, done.successors, strict=False)  # they come from a file
            if _is_superseded(state.anywhere(ident), by)
        ]
        live.commit([*events, Undone(done.run)])
    return done


def _named(state: State, run: str | None) -> Consolidated:
    latest = next(reversed(state.consolidations), None)
    done = state.consolidations.get(latest if run is None and latest is not None else run or "")
    if done is None:
        raise UnknownConsolidation(
            "there is no consolidation to undo" if run is None else f"there is none named {run!r}"
        )
    return done


def _out(state: State, done: Consolidated) -> list[Record]:
    """Return the memories that it took out of the matrix and that are still out, in the order of writing."""
    found = [state.forgotten[ident] for ident in (*done.merged, *done.forgotten) if ident in state.forgotten]
    return sorted(found, key=lambda record: record.ordinal)


def _slots(back: Sequence[Record], taken: Set[int]) -> list[int]:
    """Return a slot for each memory that comes back: its own where that is free, else the lowest that nobody wants."""
    own = {record.slot for record in back} - taken
    others = (slot for slot in count() if slot not in taken and slot not in own)
    slots = []
    for record in back:
        slots.append(record.slot if record.slot in own else next(others))
        own.discard(record.slot)
    return slots


def _is_superseded(record: Record | None, by: str) -> bool:
    """Return whether a memory is superseded as the consolidation left it, and not by somebody else since."""
    return record is not None and record.superseded_by == by
