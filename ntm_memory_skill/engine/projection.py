"""The memory as the head sees it: rows, words and tapes, derived from the store's records and rebuilt at will."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from ntm_memory_skill.engine.derived import Derived
from ntm_memory_skill.engine.traits import Traits
from ntm_memory_skill.lexical import BM25Index, tokenize
from ntm_memory_skill.model import (
    Accessed,
    EncoderIdentity,
    Erased,
    Event,
    Faded,
    Filters,
    Memorized,
    Record,
    Restored,
    Updated,
    indexed_text,
)
from ntm_memory_skill.ntm import ExactSimilarity, MemoryMatrix, Tape
from ntm_memory_skill.store import KeyRows, State

Encode = Callable[[Sequence[str]], Float32[np.ndarray, "k m"]]


class Projection:
    """Live memories by slot.

    Args:
        xp: Array namespace of the matrix: `numpy` or `torch`.
        dimension: M.
        reach: R of the shift kernel.
    """

    def __init__(self, xp: Any, dimension: int, reach: int) -> None:
        self.xp = xp
        self.matrix = MemoryMatrix(xp, dimension, ExactSimilarity())
        self.lexical = BM25Index()
        self.tape = Tape(reach)
        self.traits = Traits()
        self._records: list[Record | None] = []
        self._slots: dict[str, int] = {}
        self._labels: dict[tuple[str, str], set[int]] = defaultdict(set)
        """Slots by ("tag", name), ("type", name) and ("key", name)."""
        self._times: np.ndarray[Any, np.dtype[np.float64]] = np.zeros(0)
        self._ordinals: np.ndarray[Any, np.dtype[np.int64]] = np.zeros(0, dtype=np.int64)
        self._live: Bool[np.ndarray, "n"] = np.zeros(0, dtype=bool)
        self._current: Bool[np.ndarray, "n"] = np.zeros(0, dtype=bool)
        self._derived: Derived | None = None
        self.complete = True
        """Whether every live memory's row is there; False after a `fill` that could not encode what was missing."""

    def __len__(self) -> int:
        """N: slots in use, freed ones among them."""
        return len(self._records)

    def record(self, slot: int) -> Record:
        """Return the memory in a slot that holds one."""
        record = self._records[slot]
        if record is None:
            raise LookupError(f"slot {slot} is free")
        return record

    def slot(self, ident: str) -> int | None:
        """Return the slot of a live memory, or None where there is no such memory."""
        return self._slots.get(ident)

    def fill(self, state: State, rows: KeyRows, encoder: EncoderIdentity, encode: Encode | None) -> KeyRows:
        """Take in every live memory, and return the rows that were missing from `rows` and had to be encoded.

        Without `encode` those stay zero, and match nothing.
        """
        records = list(state.records.values())
        texts = [indexed_text(record.key, record.content) for record in records]
        digests = [encoder.digest(text) for text in texts]
        places = [rows.position(digest) for digest in digests]
        missing = [index for index, place in enumerate(places) if place is None]
        keys = np.zeros((len(records), encoder.dimension), dtype=np.float32)
        encoded = keys[missing] if encode is None else encode([texts[index] for index in missing])
        self.complete = encode is not None or not missing
        present = [index for index, place in enumerate(places) if place is not None]
        keys[present] = rows.keys[[place for place in places if place is not None]] if present else 0
        keys[missing] = encoded
        keys *= np.asarray([record.strength for record in records], dtype=np.float32)[:, None]
        self.matrix.store_many([record.slot for record in records], keys)
        self._grow(len(self.matrix))
        for record, text in zip(records, texts, strict=True):
            self._read(record.slot, text)
            self._label(record)
        self.tape.extend((record.slot, record.session, record.at.timestamp(), record.ordinal) for record in records)
        return KeyRows([digests[index] for index in missing], encoded)

    def move_to(self, xp: Any) -> None:
        """Let the matrix live in another array namespace from now on."""
        self.xp, self._derived = xp, None
        self.matrix.move_to(xp)

    def apply(self, event: Event, state: State) -> None:
        """Follow one event that the state has already folded in."""
        match event:
            case Memorized(record=new, key_row=row):
                self._write(replace(state.records.get(new.id, new), slot=new.slot), row)
                superseded = None if new.supersedes is None else state.records.get(new.supersedes)
                if superseded is not None and superseded.id in self._slots:
                    self._relabel(superseded)
            case Updated() | Faded():
                record = state.records.get(event.id)
                if record is not None:  # else it was erased later in the same batch of events
                    self._change(record, event)
            case Restored():
                self._restore(event, state)
            case Erased(id=ident) if ident in self._slots:
                self._free(self._slots[ident])
            case Accessed():
                self._count(event, state)

    @property
    def derived(self) -> Derived:
        """What follows from the rows as they stand now."""
        if self._derived is None:
            self._derived = Derived(self)
        return self._derived

    @property
    def live(self) -> Bool[np.ndarray, "n"]:
        """Which slots hold a memory."""
        return self._live

    @property
    def times(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """When each memory happened: seconds since 1970. Those of a free slot mean nothing."""
        return self._times

    @property
    def strengths(self) -> Float32[np.ndarray, "n"]:
        """How much of each memory has not faded, 0 to 1; 1 for a free slot."""
        return np.asarray([1 if record is None else record.strength for record in self._records], np.float32)

    def newest(self, admitted: Bool[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:
        """Return the weighting that looks at the admitted memory that was written last. At least one is admitted."""
        slots = np.flatnonzero(admitted).tolist()
        weights = np.zeros(len(self), dtype=np.float32)
        weights[max(slots, key=lambda slot: self.record(slot).ordinal)] = 1.0
        return weights

    def written_before(self, ordinal: int) -> Bool[np.ndarray, "n"]:
        """Return which slots hold a memory older than an ordinal; the others were free then, or held another."""
        return self._live & (self._ordinals < ordinal)

    def admitted(self, filters: Filters) -> Bool[np.ndarray, "n"]:
        """Return which slots hold a memory that passes the filters."""
        admitted = self._live.copy() if filters.as_of is not None else self._live & self._current
        for tag in filters.tags:
            admitted &= self._mask(self._labels.get(("tag", tag), ()))
        if filters.key is not None:
            admitted &= self._mask(self._labels.get(("key", filters.key), ()))
        if filters.type is not None:
            admitted &= self._mask(self._labels.get(("type", filters.type), ()))
        if filters.session is not None:
            admitted &= self._mask(self.tape.slots(filters.session))
        if filters.since is not None:
            admitted &= self._times >= filters.since.timestamp()
        if filters.until is not None:
            admitted &= self._times <= filters.until.timestamp()
        if filters.as_of is not None:
            admitted &= self._times <= filters.as_of.timestamp()
            for slot in np.flatnonzero(admitted & ~self._current).tolist():
                admitted[slot] = _held_still(self.record(slot), filters.as_of)
        return admitted

    def _write(self, record: Record, row: bytes) -> None:
        self.matrix.store(record.slot, _row(row), record.strength)
        self._grow(len(self.matrix))
        self._read(record.slot, indexed_text(record.key, record.content))
        self._label(record)
        self.tape.add(record.slot, record.session, record.at.timestamp(), record.ordinal)
        self._derived = None

    def _restore(self, event: Restored, state: State) -> None:
        back = state.records.get(event.id, state.archive.get(event.id))
        if back is not None:  # else it was purged later in the same batch of events
            self._write(replace(back, slot=event.slot), event.key_row)

    def _count(self, event: Accessed, state: State) -> None:
        """Take over the access counts, and nothing else: in all other respects the state may be further on."""
        for ident in event.ids:
            known = state.records.get(ident)
            if known is not None and ident in self._slots:
                slot = self._slots[ident]
                self._records[slot] = replace(self.record(slot), accesses=known.accesses, accessed_at=known.accessed_at)

    def _change(self, record: Record, event: Updated | Faded) -> None:
        self._relabel(record)
        if isinstance(event, Updated) and event.key_row is not None:
            slot = self._slots[record.id]
            self._read(slot, indexed_text(record.key, record.content))
            self.matrix.store(slot, _row(event.key_row), record.strength)
        self._derived = None

    def _free(self, slot: int) -> None:
        self.matrix.free(slot)
        self.lexical.remove(slot)
        self.tape.remove(slot)
        self._unlabel(slot)
        self._live[slot] = False
        self._derived = None

    def _read(self, slot: int, text: str) -> None:
        """Take in what a text says, where nobody has to understand it."""
        self.lexical.add(slot, tokenize(text))
        self.traits.note(slot, text)

    def _label(self, record: Record) -> None:
        slot = record.slot
        self._records[slot] = record
        self._slots[record.id] = slot
        self._times[slot] = record.at.timestamp()
        self._ordinals[slot] = record.ordinal
        self._live[slot] = True
        self._current[slot] = record.superseded_by is None
        for label in _labels(record):
            self._labels[label].add(slot)

    def _unlabel(self, slot: int) -> None:
        record = self._records[slot]
        if record is not None:
            for label in _labels(record):
                self._labels[label].discard(slot)
            del self._slots[record.id]
        self._records[slot] = None

    def _relabel(self, record: Record) -> None:
        """Take in a memory as it stands now, in the slot that it has here.

        An event that comes in a batch finds it further on than it left it: faded since, or restored into another slot.
        """
        slot = self._slots[record.id]
        before = self.record(slot).strength
        self._unlabel(slot)
        self._label(replace(record, slot=slot))
        if record.strength != before:
            self.matrix.fade(slot, 1 - record.strength / before)

    def _mask(self, slots: Iterable[int]) -> Bool[np.ndarray, "n"]:
        mask = np.zeros(len(self), dtype=bool)
        mask[list(slots)] = True
        return mask

    def _grow(self, size: int) -> None:
        """Make room for the slots up to `size`: a copy of four short columns."""
        missing = size - len(self._records)
        if missing > 0:
            self._records.extend([None] * missing)
            self._times = np.concatenate([self._times, np.zeros(missing)])
            self._ordinals = np.concatenate([self._ordinals, np.zeros(missing, dtype=np.int64)])
            self._live = np.concatenate([self._live, np.zeros(missing, dtype=bool)])
            self._current = np.concatenate([self._current, np.zeros(missing, dtype=bool)])


def key_bytes(key: Float32[np.ndarray, "m"]) -> bytes:
    """Return a key as an event carries it: float32, little-endian."""
    return key.astype("<f4").tobytes()


def _row(data: bytes) -> Float32[np.ndarray, "m"]:
    return np.frombuffer(data, dtype="<f4").copy()  # torch wants to own what it is given


def _labels(record: Record) -> Iterator[tuple[str, str]]:
    yield "type", record.type
    if record.key is not None:
        yield "key", record.key
    for tag in record.tags:
        yield "tag", tag


def _held_still(record: Record, moment: datetime) -> bool:
    """Return whether a memory was not yet superseded at a moment."""
    return record.superseded_at is None or record.superseded_at > moment
