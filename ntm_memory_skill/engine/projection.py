"""The memory as the head sees it: rows, words and tapes, derived from the store's records and rebuilt at will.

A row is the key of the memory's text, times its strength; into that of a memory which absorbed others, their keys are
written, one after the other, in the order of merging.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable
from datetime import datetime
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from ntm_memory_skill.engine.admission import Admission
from ntm_memory_skill.engine.derived import Derived
from ntm_memory_skill.engine.filling import Encode, Keys, lay
from ntm_memory_skill.engine.labels import Labels
from ntm_memory_skill.engine.traits import Traits
from ntm_memory_skill.lexical import BM25Index, tokenize
from ntm_memory_skill.m3 import essence
from ntm_memory_skill.model import (
    Accessed,
    EncoderIdentity,
    Erased,
    Event,
    Faded,
    Filters,
    Forgotten,
    Linked,
    Memorized,
    Merged,
    Purged,
    Record,
    Repeated,
    Restored,
    Superseded,
    Updated,
    evolve,
    indexed_text,
)
from ntm_memory_skill.ntm import MemoryMatrix, SimilarityBySize, Tape
from ntm_memory_skill.store import KeyRows, State


class Projection:
    """Live memories by slot; or, as a whole, the forgotten ones as well, each in the place in which it was written.

    Args:
        xp: Array namespace of the matrix: `numpy` or `torch`.
        dimension: M.
        reach: R of the shift kernel.
        whole: Whether forgotten memories are in it. Slots are ordinals then, and not those of the active matrix.
        index_from: Rows from which on the matrix is searched through an index; None never does that.
    """

    def __init__(
        self, xp: Any, dimension: int, reach: int, *, whole: bool = False, index_from: int | None = None
    ) -> None:
        self.xp, self._whole = xp, whole
        self.matrix = MemoryMatrix(xp, dimension, SimilarityBySize(indexed_from=index_from))
        self.lexical = BM25Index()
        self.tape = Tape(reach)
        self.traits = Traits()
        self._records: list[Record | None] = []
        self._slots: dict[str, int] = {}
        self._admission = Admission()
        self._linked = 0
        self.successors: Counter[str] = Counter()
        """How many memories here each one holds in the place of."""
        self._saying: dict[Hashable, set[int]] | None = None
        self._labels: Labels | None = None
        self._within: set[str] = set()
        """Ids of what was merged into the memories here."""
        self._derived: Derived | None = None
        self._touched: set[int] | None = None
        """Slots about which `_derived` is out of date, beside what all slots share; None where it is up to date."""
        self.complete = True
        """Whether every live memory's row is there; False after a `fill` that could not encode what was missing."""
        self.outdated = False
        """Whether a row can no longer be had from the others: what was merged came apart. It has to be filled anew."""

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
        """Take in every memory, and return the rows that were missing from `rows` and had to be encoded.

        Without `encode` those stay zero, and match nothing. `rows` are closed once they are in the matrix.
        """
        records = [self._placed(record) for record in (state.remembered() if self._whole else state.records.values())]
        merged = [
            source
            for record in records
            for each in record.absorbed
            if each.weight > 0 and (source := state.forgotten.get(each.id)) is not None
        ]
        texts = [indexed_text(record.key, record.content) for record in (*records, *merged)]
        keys = Keys(texts, rows, encoder, encode)
        self.complete = keys.complete
        of_merged = lay(self.matrix, keys, records, merged)
        self._grow(len(self.matrix))
        slots = [record.slot for record in records]
        said = texts[: len(records)]  # behind them are those of what was merged
        self.lexical.extend(zip(slots, map(tokenize, said), strict=True))
        self.traits.extend(slots, said)
        self._label(*records)
        for record in records:
            for each in record.absorbed:
                if each.id in of_merged and each.weight > 0:
                    self.matrix.blend(record.slot, of_merged[each.id], each.weight)
        self.tape.extend((record.slot, record.session, record.at.timestamp(), record.ordinal) for record in records)
        return keys.encoded

    def move_to(self, xp: Any) -> None:
        """Let the matrix live in another array namespace from now on."""
        self.xp = xp
        self.matrix.move_to(xp)
        self._touch()

    def apply(self, event: Event, state: State) -> None:
        """Follow one event that the state has already folded in."""
        match event:
            case Memorized():
                self._memorize(event, state)
            case Updated() | Faded() | Superseded() | Linked() | Repeated():
                record = state.anywhere(event.id)  # it may have left later in the same batch of events
                if record is not None and event.id in self._slots:
                    self._change(record, event)
            case Accessed():
                self._count(event, state)
            case Restored() | Merged() | Forgotten() | Erased() | Purged():
                self._move(event, state)

    def _memorize(self, event: Memorized, state: State) -> None:
        new = event.record
        self._write(evolve(state.records.get(new.id, new), slot=new.slot), event.key_row)
        superseded = None if new.supersedes is None else state.records.get(new.supersedes)
        if superseded is not None and superseded.id in self._slots:
            self._relabel(superseded)

    def _move(self, event: Restored | Merged | Forgotten | Erased | Purged, state: State) -> None:
        """Follow an event that takes a memory into the matrix or out of it."""
        match event:
            case Restored():
                self._restore(event, state)
            case Merged():
                self._merge(event, state)
            case Forgotten(id=ident):
                self._leave(ident, state, forgotten=True)
            case Erased(id=ident):
                self.outdated |= ident in self._within
                self._leave(ident, state, forgotten=False)
            case Purged(id=ident):
                self._unlink(ident, state)

    @property
    def derived(self) -> Derived:
        """What follows from the rows as they stand now."""
        if self._derived is None or self._touched is not None:
            known = {} if self._derived is None else self._derived.for_the_next()
            self._derived = Derived(self, known, sorted(self._touched or ()))
            self._touched = None
        return self._derived

    @property
    def live(self) -> Bool[np.ndarray, "n"]:
        """Which slots hold a memory."""
        return self._admission.live

    @property
    def times(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """When each memory happened: seconds since 1970. Those of a free slot mean nothing."""
        return self._admission.times

    @property
    def strengths(self) -> Float32[np.ndarray, "n"]:
        """How much of each memory has not faded, 0 to 1; 1 for a free slot."""
        return self._admission.strengths

    def saying(self, content: str) -> list[Record]:
        """Return the memories that say the same as a text (`m3.essence`). The first call reads all of them."""
        if self._saying is None:
            self._saying = defaultdict(set)
            for slot in np.flatnonzero(self.live).tolist():
                self._saying[essence(self.record(slot).content)].add(slot)
        return [self.record(slot) for slot in sorted(self._saying.get(essence(content), ()))]

    @property
    def labels(self) -> Labels:
        """What memories are called, and who tells them. The first call reads all of them."""
        if self._labels is None:
            self._labels = Labels()
            for slot in np.flatnonzero(self.live).tolist():
                self._labels.note(slot, self.record(slot))
        return self._labels

    @property
    def has_links(self) -> bool:
        """Whether any memory has a link to another."""
        return self._linked > 0

    def newest(self, admitted: Bool[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:
        """Return the weighting that looks at the admitted memory that was written last. At least one is admitted."""
        slots = np.flatnonzero(admitted).tolist()
        weights = np.zeros(len(self), dtype=np.float32)
        weights[max(slots, key=lambda slot: self.record(slot).ordinal)] = 1.0
        return weights

    def written_before(self, ordinal: int) -> Bool[np.ndarray, "n"]:
        """Return which slots hold a memory older than an ordinal; the others were free then, or held another."""
        return self.live & (self._admission.ordinals < ordinal)

    def admitted(self, filters: Filters, now: datetime | None = None) -> Bool[np.ndarray, "n"]:
        """Return which slots hold a memory that passes the filters; see `Admission.admitted`."""
        return self._admission.admitted(filters, self.tape, now)

    def _placed(self, record: Record) -> Record:
        """Return a memory in the slot that it has here."""
        return evolve(record, slot=record.ordinal) if self._whole else record

    def _write(self, record: Record, row: bytes) -> None:
        record = self._placed(record)
        self.matrix.store(record.slot, _row(row), record.strength)
        self._grow(len(self.matrix))
        self._read(record.slot, indexed_text(record.key, record.content))
        self._label(record)
        self.tape.add(record.slot, record.session, record.at.timestamp(), record.ordinal)
        self._touch(*self.tape.within_reach(record.slot))

    def _restore(self, event: Restored, state: State) -> None:
        back = state.anywhere(event.id)
        if back is None:  # it was purged later in the same batch of events
            return
        self.outdated |= bool(_parts(back)) or back.id in self._within
        slot = self._slots.get(event.id)
        if slot is None:
            self._write(evolve(back, slot=event.slot), event.key_row)
        else:  # forgotten memories are in this projection
            self._relabel(back)
        self._touch()

    def _merge(self, event: Merged, state: State) -> None:
        source, into = self._slots.get(event.id), self._slots.get(event.into)
        if source is None or into is None:
            return
        length = self.record(source).strength
        self.matrix.blend(into, np.asarray(self.matrix.row(source)) / length, event.weight)
        absorber = state.anywhere(event.into)
        self.outdated |= bool(_parts(self.record(source)))  # its row is more than its own key
        self.outdated |= absorber is None or event.id not in _parts(absorber)  # it came apart later in the same batch
        if absorber is not None:
            self._relabel(absorber)
        self._leave(event.id, state, forgotten=True)

    def _leave(self, ident: str, state: State, *, forgotten: bool) -> None:
        """Let go of a memory that is out of the matrix now."""
        slot = self._slots.get(ident)
        if slot is None:
            return
        record = state.anywhere(ident)
        if forgotten and self._whole and record is not None:
            self._relabel(record)
        else:
            self._free(slot)

    def _count(self, event: Accessed, state: State) -> None:
        """Take over the access counts, and nothing else: in all other respects the state may be further on."""
        for ident in event.ids:
            known = state.records.get(ident)
            if known is not None and ident in self._slots:
                slot = self._slots[ident]
                self._records[slot] = evolve(
                    self.record(slot),
                    accesses=known.accesses,
                    accessed_at=known.accessed_at,
                    stability=known.stability,
                    difficulty=known.difficulty,
                )

    def _unlink(self, ident: str, state: State) -> None:
        """Take in that nothing is linked with a memory any more."""
        for record in self._records:
            if record is not None and any(link.id == ident for link in record.links):
                known = state.anywhere(record.id)
                if known is not None:
                    self._relabel(known)

    def _change(self, record: Record, event: Updated | Faded | Superseded | Linked | Repeated) -> None:
        if isinstance(event, Linked):
            self._relink(record)
            return
        self._relabel(record)
        if isinstance(event, Updated) and event.key_row is not None:
            slot = self._slots[record.id]
            self._read(slot, indexed_text(record.key, record.content))
            self.matrix.store(slot, _row(event.key_row), record.strength)
        if isinstance(event, Updated | Faded):
            self._touch(*self.tape.within_reach(self._slots[record.id]))

    def _free(self, slot: int) -> None:
        self._touch(*self.tape.within_reach(slot))
        self.matrix.free(slot)
        self.lexical.remove(slot)
        self.tape.remove(slot)
        self._unlabel(slot)

    def _touch(self, *slots: int) -> None:
        """Take note that what follows from the rows is out of date, in these slots and in what all share."""
        self._touched = set(slots) if self._touched is None else self._touched | set(slots)

    def _read(self, slot: int, text: str) -> None:
        """Take in what a text says, where nobody has to understand it."""
        self.lexical.add(slot, tokenize(text))
        self.traits.extend([slot], [text])

    def _label(self, *records: Record) -> None:
        self._admission.extend(records)
        for record in records:
            slot = record.slot
            self._records[slot] = record
            self._slots[record.id] = slot
            self._linked += bool(record.links)
            self._within |= _parts(record)
            if self._saying is not None:
                self._saying[essence(record.content)].add(slot)
            if self._labels is not None:
                self._labels.note(slot, record)
            if record.superseded_by is not None:
                self.successors[record.superseded_by] += 1

    def _unlabel(self, slot: int) -> None:
        record = self._records[slot]
        if record is not None:
            self._linked -= bool(record.links)
            self._within -= _parts(record)
            if self._saying is not None:
                self._saying[essence(record.content)].discard(slot)
            if self._labels is not None:
                self._labels.remove(slot)
            if record.superseded_by is not None:
                self.successors[record.superseded_by] -= 1
                if not self.successors[record.superseded_by]:
                    del self.successors[record.superseded_by]
            self._admission.forget(record)
            del self._slots[record.id]
        self._records[slot] = None

    def _relabel(self, record: Record) -> None:
        """Take in a memory as it stands now, in the slot that it has here.

        An event that comes in a batch finds it further on than it left it: faded since, or restored into another slot.
        """
        slot = self._slots[record.id]
        before = self.record(slot)
        self._unlabel(slot)
        self._label(evolve(record, slot=slot))
        self.outdated |= not _parts(before) <= _parts(record)
        if record.strength != before.strength:
            self.matrix.fade(slot, 1 - record.strength / before.strength)

    def _relink(self, record: Record) -> None:
        """Take over a memory's links, and nothing else: no label follows from them."""
        slot = self._slots[record.id]
        before = self.record(slot)
        self._linked += bool(record.links) - bool(before.links)
        self._records[slot] = evolve(before, links=record.links)

    def _grow(self, size: int) -> None:
        """Make room for the slots up to `size`: a copy of a few short columns."""
        self._records.extend([None] * (size - len(self._records)))
        self._admission.grow(size)


def key_bytes(key: Float32[np.ndarray, "m"]) -> bytes:
    """Return a key as an event carries it: float32, little-endian."""
    return key.astype("<f4").tobytes()


def _row(data: bytes) -> Float32[np.ndarray, "m"]:
    return np.frombuffer(data, dtype="<f4").copy()  # torch wants to own what it is given


def _parts(record: Record) -> set[str]:
    """Return the ids of what was merged into a memory. Its row has their keys, until its own text changes."""
    return {each.id for each in record.absorbed}
