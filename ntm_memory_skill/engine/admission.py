"""Which memories a question may see: what the filters ask for, kept as columns and sets by slot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from ntm_memory_skill.model import Filters, Record
from ntm_memory_skill.ntm import Tape


class Admission:
    """What is known of the memory in each slot. What a free slot's columns hold means nothing, but for `live`."""

    def __init__(self) -> None:
        self.live: Bool[np.ndarray, "n"] = np.zeros(0, dtype=bool)
        """Whether it holds a memory."""
        self.times: np.ndarray[Any, np.dtype[np.float64]] = np.zeros(0)
        """When that happened: seconds since 1970."""
        self.strengths: Float32[np.ndarray, "n"] = np.ones(0, np.float32)
        """How much of it has not faded, 0 to 1; 1 where there is none."""
        self.ordinals: np.ndarray[Any, np.dtype[np.int64]] = np.zeros(0, dtype=np.int64)
        """How many had been written before it."""
        self._until: np.ndarray[Any, np.dtype[np.float64]] = np.zeros(0)
        """Up to when it holds: seconds since 1970; infinite where that is not known."""
        self._superseded: np.ndarray[Any, np.dtype[np.float64]] = np.zeros(0)
        """From when on another holds in its place: seconds since 1970; infinite where none does."""
        self._labels: dict[tuple[str, str], set[int]] = defaultdict(set)
        """Slots by ("tag", name), ("type", name), ("key", name) and ("said in", a session where it was said again)."""

    def grow(self, size: int) -> None:
        """Make room for the slots up to `size`: a copy of a few short columns."""
        missing = size - len(self.live)
        if missing > 0:
            self.live = np.concatenate([self.live, np.zeros(missing, dtype=bool)])
            self.times = np.concatenate([self.times, np.zeros(missing)])
            self.strengths = np.concatenate([self.strengths, np.ones(missing, np.float32)])
            self.ordinals = np.concatenate([self.ordinals, np.zeros(missing, dtype=np.int64)])
            self._until = np.concatenate([self._until, np.zeros(missing)])
            self._superseded = np.concatenate([self._superseded, np.zeros(missing)])

    def extend(self, records: Sequence[Record]) -> None:
        """Take in memories in slots that were free."""
        slots = [record.slot for record in records]
        self.live[slots] = True
        self.times[slots] = [record.at.timestamp() for record in records]
        self.strengths[slots] = [record.strength for record in records]
        self.ordinals[slots] = [record.ordinal for record in records]
        self._until[slots] = [_ends_at(record) for record in records]
        self._superseded[slots] = [_superseded_at(record) for record in records]
        for record in records:
            for label in _labels(record):
                self._labels[label].add(record.slot)

    def forget(self, record: Record) -> None:
        """Take out the memory in a slot."""
        self.live[record.slot] = False
        self.strengths[record.slot] = 1
        for label in _labels(record):
            self._labels[label].discard(record.slot)

    def admitted(self, filters: Filters, tape: Tape, now: datetime | None = None) -> Bool[np.ndarray, "n"]:
        """Return which slots hold a memory that passes the filters.

        Args:
            filters: The conditions.
            tape: Which slots are a session's.
            now: The present moment: what held until before it is not admitted. None leaves that open.
        """
        admitted = self._labelled(filters)
        if filters.session is not None:
            admitted &= self._mask((*tape.slots(filters.session), *self._labels.get(("said in", filters.session), ())))
        if filters.since is not None:
            admitted &= self.times >= filters.since.timestamp()
        for latest in (filters.until, filters.as_of):
            if latest is not None:
                admitted &= self.times <= latest.timestamp()
        return admitted if filters.include_superseded else admitted & self._holding(filters.as_of, now)

    def _labelled(self, filters: Filters) -> Bool[np.ndarray, "n"]:
        wanted = [("tag", tag) for tag in filters.tags]
        wanted += [(name, value) for name in ("key", "type") if (value := getattr(filters, name)) is not None]
        admitted = self.live.copy()
        for label in wanted:
            admitted &= self._mask(self._labels.get(label, ()))
        return admitted

    def _holding(self, as_of: datetime | None, now: datetime | None) -> Bool[np.ndarray, "n"]:
        """Return which slots hold what holds at a moment; without one, what nothing has superseded, and holds now."""
        moment = now if as_of is None else as_of
        holding = self._superseded > (np.finfo(np.float64).max if as_of is None else as_of.timestamp())
        return holding if moment is None else holding & (self._until > moment.timestamp())

    def _mask(self, slots: Iterable[int]) -> Bool[np.ndarray, "n"]:
        mask = np.zeros(len(self.live), dtype=bool)
        mask[list(slots)] = True
        return mask


def _ends_at(record: Record) -> float:
    return np.inf if record.valid_until is None else record.valid_until.timestamp()


def _superseded_at(record: Record) -> float:
    if record.superseded_by is None:
        return np.inf
    return -np.inf if record.superseded_at is None else record.superseded_at.timestamp()


def _labels(record: Record) -> list[tuple[str, str]]:
    labels = [("type", record.type), *(("tag", tag) for tag in record.tags)]
    if record.key is not None:
        labels.append(("key", record.key))
    labels += [("said in", said.session) for said in record.occurrences if said.session is not None]
    return labels
