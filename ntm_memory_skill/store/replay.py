"""Bringing a beginning up to date from journals that may be damaged, with every entry that is missing named.

Nothing is guessed: a line counts if its own checksum is right. Whether what is damaged between such lines has cost
anything follows from their numbers; behind the last of them, from the writer's note; and what remains open is called
lost.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ntm_memory_skill.errors import KeyRefused, StoreDamaged, StoreTooNew
from ntm_memory_skill.model import (
    Accessed,
    EncoderIdentity,
    Erased,
    Event,
    Memorized,
    Purged,
    Restored,
    Undone,
    Updated,
    indexed_text,
)
from ntm_memory_skill.store import journal
from ntm_memory_skill.store.seal import Seal
from ntm_memory_skill.store.state import State

_FIRST_LINE = re.compile(rb'[^\n]*?(?:\n|(?=\{"seq":)|\Z)')
"""A journal's header, damaged or not: it ends where a line ends, or where the first entry begins."""


@dataclass(slots=True)
class Salvage:
    """What was got out of damaged files."""

    state: State = field(default_factory=State)
    encoder: EncoderIdentity | None = None
    sequence: int = 0
    """The last entry that is accounted for."""
    generation: int = 0
    """The highest that was seen."""
    rows: dict[bytes, bytes] = field(default_factory=dict)
    """Key rows by digest."""
    dimension: int = 0
    """Length of the keys that were seen, for where the encoder is not known; 0 if none were."""
    damaged: set[str] = field(default_factory=set)
    """Which of the evidence is not what was written, by its name in `Evidence`."""
    mended: list[str] = field(default_factory=list)
    """What was amiss and costs nothing."""
    lost: list[str] = field(default_factory=list)
    """What was acknowledged, or may have been, and cannot be brought back."""
    missing: int = 0
    """How many entries that is, as far as they can be counted."""
    purges: bool = False
    """Whether a journal purges something, so that its text may still be in other files."""

    @property
    def sound(self) -> bool:
        """Whether nothing was amiss."""
        return not (self.damaged or self.mended or self.lost)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Something that is no whole line."""

    name: str
    """Of the journal, as in `Evidence`."""
    number: int
    size: int
    torn: bool
    """Whether it ends the file without a line's end, as an unfinished write does."""

    def __str__(self) -> str:
        return f"line {self.number} of the {self.name}, which is damaged"


class Replay:
    """Applies journals to a beginning, the older one first.

    Args:
        found: The beginning, as of its `sequence`.
        seal: What opens an encrypted memory.
        acknowledged: The last entry that is known to have been acknowledged.
        generation: Of the snapshot that it begins with; None where it begins with none.
        following: The generation that the present journal should be of; None where that is not known.
    """

    def __init__(
        self, found: Salvage, seal: Seal | None, acknowledged: int, generation: int | None, following: int | None
    ) -> None:
        self._found, self._seal, self._acknowledged = found, seal, acknowledged
        self._generation, self._following = generation, following
        self._doubts: list[_Doubt] = []

    def apply(self, journals: Mapping[str, bytes | None]) -> Salvage:
        """Apply journals, by their names in `Evidence`, and return what was found, with all that is missing."""
        for name, data in journals.items():
            if data:
                self._apply_journal(name, data)
        self._account_for(self._acknowledged + 1, "at the end of the journal, though they were acknowledged")
        for doubt in self._doubts:
            if doubt.torn:
                unfinished = (
                    f"{doubt.size} bytes at the end of the {doubt.name}, of a write that was never acknowledged"
                )
                self._found.mended.append(unfinished)
            else:
                self._found.damaged.add(doubt.name)
                self._lose(str(doubt), 1)
        return self._found

    def _apply_journal(self, name: str, data: bytes) -> None:
        first = _FIRST_LINE.match(data)
        start = b"" if first is None else first[0]
        pieces = tuple(journal.pieces(data[len(start) :]))
        head = self._head(name, start, pieces)
        if head is None:
            self._found.damaged.add(name)
            self._found.mended.append(f"the {name}'s first line is damaged")
        else:
            self._follow(name, head)
        self._apply_pieces(name, pieces, head)
        if head is not None and self._generation is not None and head.generation < self._generation:
            if not all(doubt.torn for doubt in self._doubts):
                self._found.mended.append(f"the {name} is damaged; all that it held is in the snapshot")
            self._doubts = []

    def _follow(self, name: str, head: journal.Head) -> None:
        """Account for what a journal says that it comes after."""
        self._found.generation = max(self._found.generation, head.generation)
        if self._generation is not None and head.generation > self._generation:
            self._account_for((head.sequence or 0) + 1, f"before the {name}")
            self._settle_doubts(lost=False)
        if self._following is not None and head.generation > self._following:
            self._found.damaged |= {"snapshot", name}
            self._found.mended.append(f"the {name} is of generation {head.generation}, not of {self._following}")

    def _head(self, name: str, start: bytes, pieces: tuple[journal.Piece, ...]) -> journal.Head | None:
        """Return what a journal's first line says; None if it is damaged, or at odds with what follows it."""
        after = None if not pieces or pieces[0].line is None else pieces[0].line.after
        try:
            head = journal.read_header(start)
        except StoreDamaged:
            return None
        except StoreTooNew:
            if after is None or after != self._expected(name):
                raise
            return None  # its version is: the line behind it proves that it was ours
        if head is not None and after not in (None, head.checksum):
            return None
        if head is not None and not pieces and head.generation == self._generation:
            return head if head.sequence in (None, self._found.sequence) else None
        return head

    def _expected(self, name: str) -> int | None:
        """Return the checksum of the first line that a journal should have, if that is known."""
        if self._following is None or name != "journal":
            return None
        return zlib.crc32(journal.header(self._following, self._found.sequence))

    def _apply_pieces(self, name: str, pieces: tuple[journal.Piece, ...], head: journal.Head | None) -> None:
        lines = [piece.line for piece in pieces if piece.line is not None]
        linked = any(line.after is not None for line in lines) if head is None else head.version > 1
        before = self._expected(name) if head is None else head.checksum
        for number, piece in enumerate(pieces, 2):
            torn = not piece.finished and number == len(pieces) + 1
            if piece.line is None or (torn and piece.line.sequence > self._acknowledged):
                self._doubts.append(_Doubt(name, number, piece.size, torn))
                before = None
                continue
            if not piece.finished:
                self._found.damaged.add(name)
                self._found.mended.append(f"the end of line {number} of the {name} is damaged")
            self._apply_line(piece.line, before if linked else None)
            before = piece.line.checksum

    def _apply_line(self, line: journal.Line, before: int | None) -> None:
        if line.sequence <= self._found.sequence:
            self._look_for_purges(line)
            return
        self._account_for(line.sequence, "in the journal")
        self._settle_doubts(lost=False)
        if before is not None and line.after != before:
            self._lose(f"certainty about entry {line.sequence}, which was not written behind the line before it", 0)
        self._found.sequence = line.sequence
        try:
            events = line.events(self._seal)
        except StoreDamaged as error:
            self._lose(f"entry {line.sequence}: {error.message}", 1)
            return
        for event in events:
            self._apply_event(line.sequence, event)

    def _account_for(self, following: int, place: str) -> None:
        """Note that the entries before `following` are missing, if they are."""
        found = self._found
        if following > found.sequence + 1:
            count = following - 1 - found.sequence
            self._lose(f"entries {found.sequence + 1} to {following - 1}, which are missing {place}", count)
            found.sequence = following - 1
            self._settle_doubts(lost=True)

    def _settle_doubts(self, *, lost: bool) -> None:
        """Take what was damaged for what is missing, if anything is; else it cost nothing."""
        for doubt in self._doubts:
            self._found.damaged.add(doubt.name)
            (self._found.lost if lost else self._found.mended).append(str(doubt))
        self._doubts = []

    def _lose(self, what: str, entries: int) -> None:
        self._found.lost.append(what)
        self._found.missing += entries

    def _look_for_purges(self, line: journal.Line) -> None:
        """Note whether an entry that the snapshot holds already purged something."""
        try:
            self._found.purges |= any(isinstance(event, Purged) for event in line.events(self._seal))
        except (StoreDamaged, KeyRefused):
            return  # it was sealed with a former key, or is of no use

    def _apply_event(self, sequence: int, event: Event) -> None:
        found = self._found
        if isinstance(event, Purged):
            found.purges = True
            if event.id in found.state.records or event.id in found.state.forgotten:  # the entry that erased it is lost
                found.state.apply(Erased(event.id, event.at))
        try:
            found.state.apply(in_free_slot(found.state, event))
        except StoreDamaged as error:
            if not isinstance(event, Accessed | Undone):  # statistics; and what is not listed, as it should be
                self._lose(f"part of entry {sequence}: {error.message}", 0)
            return
        if isinstance(event, Memorized | Updated | Restored) and event.key_row is not None:
            found.dimension = len(event.key_row) // 4
            if found.encoder is not None and found.encoder.dimension == found.dimension:
                record = found.state.records[event.record.id if isinstance(event, Memorized) else event.id]
                found.rows[found.encoder.digest(indexed_text(record.key, record.content))] = event.key_row


def in_free_slot(state: State, event: Event) -> Event:
    """Return an event in another slot if its own is taken, because the entry that freed it is lost."""
    match event:
        case Memorized(record=record) if not state.is_free(record.slot):
            return replace(event, record=replace(record, slot=state.free_slot()))
        case Restored(slot=slot) if not state.is_free(slot):
            return replace(event, slot=state.free_slot())
        case _:
            return event
