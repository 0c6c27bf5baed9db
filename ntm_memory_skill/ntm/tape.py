"""The order in which things were said: one tape of slots for each session.

Location addressing moves along a tape and never off it, so what was said in one chat is no neighbour of what was said
in another. A memory without a session is a tape of its own.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

import numpy as np
from jaxtyping import Int

Place = tuple[float, int, int]
"""Where a slot stands: seconds since 1970, ordinal, slot. Ordered as the tape is."""


class Tape:
    """The tapes of a memory, kept up to date slot by slot.

    Each change costs one insertion into one session's list; the neighbour table is patched around it, not rebuilt.
    """

    def __init__(self, reach: int) -> None:
        self._reach = reach
        self._sessions: dict[str, list[Place]] = {}
        self._homes: dict[int, tuple[str, Place]] = {}
        self._offsets = np.zeros((2 * reach + 1, 0), dtype=np.int64)
        """Places along the tape, relative to `sources`: row o + R holds the slot o places before, or −1."""

    def extend(self, entries: Iterable[tuple[int, str | None, float, int]]) -> None:
        """Put slots on their tapes; each entry is (slot, session, seconds, ordinal). Faster than one by one."""
        added: list[int] = []
        sessions: set[str] = set()
        for slot, session, seconds, ordinal in entries:
            added.append(slot)
            if session is not None:
                place = (seconds, ordinal, slot)
                self._homes[slot] = (session, place)
                self._sessions.setdefault(session, []).append(place)
                sessions.add(session)
        self._grow(max(added, default=-1) + 1)
        self._offsets[:, added] = -1
        self._offsets[self._reach, added] = added
        for session in sessions:
            places = self._sessions[session]
            places.sort()
            slots = np.fromiter((slot for _, _, slot in places), np.int64, len(places))
            for offset in range(1, min(self._reach, len(slots) - 1) + 1):
                self._offsets[self._reach + offset, slots[offset:]] = slots[:-offset]
                self._offsets[self._reach - offset, slots[:-offset]] = slots[offset:]

    def add(self, slot: int, session: str | None, seconds: float, ordinal: int) -> None:
        """Put one slot on its tape."""
        home = self._place(slot, session, seconds, ordinal)
        if home is not None:
            position = bisect_left(self._sessions[home[0]], home[1])
            self._link(home[0], position - self._reach, position + self._reach + 1)

    def remove(self, slot: int) -> None:
        """Take a slot off its tape; its neighbours close up."""
        self._offsets[:, slot] = -1
        self._offsets[self._reach, slot] = slot
        session, place = self._homes.pop(slot, (None, None))
        if session is None or place is None:
            return
        places = self._sessions[session]
        position = bisect_left(places, place)
        del places[position]
        if not places:
            del self._sessions[session]
            return
        self._link(session, position - self._reach, position + self._reach)

    def slots(self, session: str) -> list[int]:
        """Return a session's slots in the order in which they happened."""
        return [slot for _, _, slot in self._sessions.get(session, ())]

    def around(self, slot: int, reach: int) -> list[tuple[int, int]]:
        """Return (offset, slot) of the places within `reach` of a slot on its tape, in their order, without its own.

        An offset counts from the slot: −1 stands directly before it, 1 directly after. Where there is no tape, there is
        nothing around.
        """
        session, place = self._homes.get(slot, (None, None))
        if session is None or place is None:
            return []
        places = self._sessions[session]
        position = bisect_left(places, place)
        first = max(0, position - reach)
        window = enumerate(places[first : position + reach + 1], first - position)
        return [(offset, other) for offset, (_, _, other) in window if offset != 0]

    def within_reach(self, slot: int) -> list[int]:
        """Return the slots whose neighbours a change of this one may change: those around it, and itself."""
        return [slot, *(other for _, other in self.around(slot, self._reach))]

    def sources(self, size: int) -> Int[np.ndarray, "width n"]:
        """Return the neighbour table for `addressing.shift_along` over `size` slots; "none" is written as `size`."""
        self._grow(size)
        table = self._offsets[:, :size]
        return np.where(table < 0, size, table)

    def _place(self, slot: int, session: str | None, seconds: float, ordinal: int) -> tuple[str, Place] | None:
        """Put a slot among its session's places, not yet linked; return where, or None without a session."""
        self._grow(slot + 1)
        self._offsets[:, slot] = -1
        self._offsets[self._reach, slot] = slot
        if session is None:
            return None
        home = (session, (seconds, ordinal, slot))
        insort(self._sessions.setdefault(session, []), home[1])
        self._homes[slot] = home
        return home

    def _grow(self, size: int) -> None:
        have = self._offsets.shape[1]
        if size <= have:
            return
        room = max(size, 2 * have, 64)
        larger = np.full((2 * self._reach + 1, room), -1, dtype=np.int64)
        larger[:, :have] = self._offsets
        larger[self._reach, have:] = np.arange(have, room)
        self._offsets = larger

    def _link(self, session: str, start: int, stop: int) -> None:
        """Write the neighbours of the places from `start` to `stop` of one session."""
        places = self._sessions[session]
        last = len(places)
        for position in range(max(0, start), min(last, stop)):
            slot = places[position][2]
            for offset in range(-self._reach, self._reach + 1):
                before = position - offset
                self._offsets[offset + self._reach, slot] = places[before][2] if 0 <= before < last else -1
