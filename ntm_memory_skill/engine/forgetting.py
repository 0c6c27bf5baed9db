"""Making room: which memories leave the matrix, so that new ones find a slot.

The law: what is pinned or important never leaves; what leaves keeps everything, and the journal says why it went. A
memory in which nothing may be forgotten is full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from jaxtyping import Bool

from ntm_memory_skill.engine.settings import Settings
from ntm_memory_skill.errors import MemoryFull
from ntm_memory_skill.m3 import LAWS, History, history_of, over_quota, protected, reason, value, victims, weak
from ntm_memory_skill.model import Forgotten, Record
from ntm_memory_skill.store import State

AT_ONCE = 0.01
"""Share of the slots that are emptied when the last is taken: choosing looks at every memory, too much for one slot."""


def make_room(
    state: State, sources: Sequence[str | None], settings: Settings, now: datetime, keep: Collection[str] = ()
) -> list[Forgotten]:
    """Return what has to be forgotten so that memories of some sources find room; nothing where there is enough.

    Args:
        state: What there is.
        sources: Where each new memory comes from.
        settings: How many slots there are, and how they may be shared.
        now: The moment.
        keep: Ids of memories that have to stay.

    Raises:
        MemoryFull: There is no room, and nothing that may be forgotten.
    """
    leaving = _over_quota(state, sources, settings, now, keep)
    short = len(state.records) - len(leaving) + len(sources) - settings.memory_size
    if short <= 0:
        return leaving
    size = settings.memory_size
    full = f"the memory has {size} slots, and {len(state.records)} are taken"
    if not settings.m3.forget or len(sources) > size:
        raise MemoryFull(full)
    gone = {event.id for event in leaving} | set(keep)
    left = [record for record in state.records.values() if record.id not in gone]
    found = _least_valuable(left, max(short, round(AT_ONCE * size)), settings, now)
    if len(found) < short:
        raise MemoryFull(
            f"{full}; the others are pinned or important",
            hint="Unpin or erase what is no longer needed, or raise ntm_memory.memory_size in clawhub.json.",
        )
    return [*leaving, *found]


def too_weak(records: Sequence[Record], settings: Settings, now: datetime) -> list[Forgotten]:
    """Return which memories are to be forgotten because their strength fell under `m3.forget_below`."""
    threshold = settings.m3.forget_below
    if threshold <= 0 or not records:
        return []
    history, law = history_of(records), LAWS[settings.m3.strength]
    faint = weak(history, now.timestamp(), law, threshold) & ~_kept(records, history)
    strengths = law.retrievability(history, now.timestamp())
    return [
        Forgotten(records[place].id, now, reason(records[place], now, float(strengths[place])))
        for place in np.flatnonzero(faint).tolist()
    ]


def _over_quota(
    state: State, sources: Sequence[str | None], settings: Settings, now: datetime, keep: Collection[str]
) -> list[Forgotten]:
    """Return the least valuable memories of each source that would have more than its share of the slots."""
    share = settings.m3.source_quota
    coming = Counter(source for source in sources if source is not None)
    if share >= 1 or not coming or not settings.m3.forget:
        return []
    held = Counter(record.source for record in state.records.values() if record.source in coming)
    counts = {source: held[source] + count for source, count in coming.items()}
    leaving = []
    for source, excess in over_quota(counts, settings.memory_size, share).items():
        own = [record for record in state.records.values() if record.source == source and record.id not in keep]
        leaving += [
            replace(each, reason=f"its source had more than its share of the slots: {source}")
            for each in _least_valuable(own, excess, settings, now)
        ]
    return leaving


def _least_valuable(records: Sequence[Record], count: int, settings: Settings, now: datetime) -> list[Forgotten]:
    if not records:
        return []
    history = history_of(records)
    values = value(history, now.timestamp(), LAWS[settings.m3.strength])
    values[[not _holds(record, now) for record in records]] -= 1  # below all that holds
    chosen = victims(values, history.created, _kept(records, history), count).tolist()
    return [Forgotten(records[place].id, now, reason(records[place], now)) for place in chosen]


def _holds(record: Record, now: datetime) -> bool:
    """Return whether nothing has superseded a memory, and it has not run out."""
    return record.superseded_by is None and (record.valid_until is None or record.valid_until > now)


def _kept(records: Sequence[Record], history: History) -> Bool[np.ndarray, "n"]:
    """Return which memories must not be forgotten."""
    return protected(np.asarray([record.pinned for record in records], dtype=bool), history.importance)
