"""What was said around the hits: the memories that stand next to them on their sessions' tapes.

The law: what a search could not show comes as no context either. What was erased is off its tape, which has closed up;
what was superseded, or lies outside of `since`, `until` and `as_of`, keeps its place there, and the place stays empty,
as it does for the shift. Tags, type and key say what is to be found, not what stood next to it, and are left aside. No
memory comes twice: a hit is nobody's context, and what stands around two hits comes with the better one.

Context is not counted as accessed: it is there for its place, not because it answered, and a dull remark must not gain
by the company that it keeps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.model import Filters, Hit, Record, Surrounding


def around(
    live: LiveMemory, hits: Sequence[Hit], reach: int, filters: Filters, now: datetime, room: float = math.inf
) -> list[Hit]:
    """Return hits with their context, as `surrounded` does, out of a memory that is in use."""
    if not reach or not hits:
        return list(hits)
    with live.mutex:  # the tapes are there without a model, and stay as they are for the block
        return surrounded(live.words(), hits, reach, filters, now, room)


def surrounded(
    projection: Projection,
    hits: Sequence[Hit],
    reach: int,
    filters: Filters,
    now: datetime | None = None,
    room: float = math.inf,
) -> list[Hit]:
    """Return hits with their context.

    Args:
        projection: The memory, held still. A hit that has left it since has no context.
        hits: Best first.
        reach: Places of the tape to look each way, 0 and up.
        filters: Those of the search.
        now: The present moment: what held until before it is not shown. None leaves that open.
        room: Characters of context in all. The best hit takes first, and of what is around it the nearest first, what
            follows before what precedes: a remark is answered by the next one. One that is too long is passed over.
    """
    admitted = projection.admitted(replace(filters, tags=(), key=None, type=None, session=None), now)
    shown = {hit.id for hit in hits}
    answer = []
    for hit in hits:
        context = []
        for offset, slot in _nearest_first(projection, hit, reach):
            found = _surrounding(projection.record(slot), offset, filters.as_of)
            if admitted[slot] and found.id not in shown and len(found.content) <= room:
                context.append(found)
                shown.add(found.id)
                room -= len(found.content)
        answer.append(replace(hit, context=tuple(sorted(context, key=lambda each: each.offset))))
    return answer


def _nearest_first(projection: Projection, hit: Hit, reach: int) -> Iterator[tuple[int, int]]:
    """Yield (offset, slot) of the places around a hit."""
    slot = projection.slot(hit.id)
    if slot is not None:
        yield from sorted(projection.tape.around(slot, reach), key=lambda place: (abs(place[0]), -place[0]))


def _surrounding(record: Record, offset: int, as_of: datetime | None) -> Surrounding:
    """Return a memory as it stands around a hit, in the version that held at `as_of`."""
    return Surrounding(record.id, record.content_at(as_of), offset, record.at, source=record.source, ref=record.ref)
