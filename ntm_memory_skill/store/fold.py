"""A snapshot with its journal folded in, as far as it has been read.

The law: `fold(snapshot, journal) == live state`. `State.apply` alone changes the state, live and at opening alike.
"""

from __future__ import annotations

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import Event, Memorized, Purged, Record, Restored, Updated, indexed_text
from ntm_memory_skill.store import journal, snapshot
from ntm_memory_skill.store.seal import Seal
from ntm_memory_skill.store.state import State


class Fold:
    """What the files say, and the place in the journal up to which it holds.

    Args:
        header: The snapshot's; None where there is no memory yet.
        state: The snapshot's.
        seal: What opens an encrypted memory.
    """

    def __init__(
        self, header: snapshot.Header | None = None, state: State | None = None, seal: Seal | None = None
    ) -> None:
        self.header = header
        self.state = State() if state is None else state
        self.seal = seal
        self.sequence = 0 if header is None else header.sequence
        self.head: journal.Head | None = None
        """The journal's first line; None where there is none yet."""
        self.end = 0
        """Bytes of the journal that are whole."""
        self.torn = 0
        """Bytes behind them, of a write that was never finished."""
        self.rows: dict[bytes, bytes] = {}
        """Key rows that the key cache need not hold, by digest.

        They stay here beside the matrix, whose rows are something else (faded, merged): the next key cache is made of
        them, to the byte. Folding lets them go, so that they take a third of the snapshot's size at most, or some 3 MB.
        """
        self.purges = False
        """Whether the journal purges something, so that its text is still in older files."""
        self.purged: list[Record] = []
        """What it purges, as it was: other files may quote it."""
        self._checksum = 0

    @classmethod
    def of(cls, in_snapshot: bytes, in_journal: bytes | None, seal: Seal | None) -> Fold:
        """Return the fold of two files' bytes; of the snapshot alone, if the journal is `ahead` of it.

        Raises:
            StoreDamaged: They do not hold what was written.
            StoreTooNew: A newer release wrote them.
            KeyRefused: See `snapshot.decode`.
        """
        fold = cls(*snapshot.decode(in_snapshot, seal), seal)
        fold.begin(b"" if in_journal is None else in_journal)
        return fold

    @property
    def generation(self) -> int:
        """The snapshot's."""
        return 0 if self.header is None else self.header.generation

    @property
    def ahead(self) -> bool:
        """Whether the journal belongs to a later snapshot: another process has folded in between."""
        return self.head is not None and self.head.generation > self.generation

    @property
    def behind(self) -> bool:
        """Whether the journal belongs to an earlier snapshot: folding was broken off before its last step.

        What the snapshot no longer holds, or holds encrypted, may be readable in such a journal.
        """
        return self.head is not None and self.head.generation < self.generation

    def begin(self, data: bytes) -> None:
        """Fold a whole journal in, unless it belongs to a later snapshot."""
        self.head = journal.read_header(data)
        if self.ahead:
            return
        if self.head is None:
            self.torn = len(data)
            return
        if self.head.generation == self.generation and self.head.sequence not in (None, self.sequence):
            message = f"the journal goes on behind entry {self.head.sequence}, the snapshot ends at {self.sequence}"
            raise StoreDamaged(message)
        self.end, self._checksum = self.head.length, self.head.checksum
        self.go_on(data[self.end :])

    def go_on(self, data: bytes) -> tuple[Event, ...]:
        """Fold in what the journal holds from `end` on, and return the events.

        Raises:
            StoreDamaged: It is not what was written; nothing was folded in, or all that comes before.
        """
        tail = journal.read_lines(data, self.sequence, self._checksum, self.seal)
        events: list[Event] = []
        for entry in tail.entries:
            self._check_version(entry)
            for event in entry.events:
                self.apply(event)
                events.append(event)
            self.sequence = entry.sequence
        self.end, self.torn, self._checksum = self.end + tail.end, tail.torn, tail.checksum
        return tuple(events)

    def next_line(self, events: tuple[Event, ...]) -> tuple[bytes, int]:
        """Return the bytes that the next transaction appends, and their checksum, to hand to `appended`.

        Raises:
            StoreDamaged: An event does not fit: a journal that held it could not be read again.
        """
        self.state.check(events)
        for event in events:
            self._check_row(event)
        if self.head is not None:
            return journal.line(self.sequence + 1, events, self._checksum, self.seal)
        start = journal.header(self.generation, self.sequence)
        head = journal.read_header(start)
        text, checksum = journal.line(self.sequence + 1, events, 0 if head is None else head.checksum, self.seal)
        return start + text, checksum

    def appended(self, text: bytes, checksum: int, events: tuple[Event, ...]) -> None:
        """Fold in a transaction whose line is on disk now."""
        if self.head is None:
            self.head = journal.read_header(text)
        self.end, self.torn, self._checksum = self.end + len(text), 0, checksum
        self.sequence += 1
        for event in events:
            self.apply(event)

    def folded(self, header: snapshot.Header) -> None:
        """Take a new snapshot of the present state for the one that the journal comes after."""
        self.header = header

    def restarted(self, text: bytes) -> None:
        """Take a new journal, of its first line alone, in the place of the one whose entries are in the snapshot."""
        self.head = journal.read_header(text)
        self.end, self.torn = len(text), 0
        self._checksum = 0 if self.head is None else self.head.checksum
        self.rows, self.purges, self.purged = {}, False, []

    def apply(self, event: Event) -> None:
        """Fold one event in, and keep its key row at hand."""
        self._check_row(event)
        if isinstance(event, Purged) and event.id in self.state.archive:
            self.purged.append(self.state.archive[event.id])
        self.state.apply(event)
        match event:
            case Memorized(record=record, key_row=key_row):
                self._keep(record.id, key_row)
            case Updated(id=ident, key_row=bytes(key_row)) | Restored(id=ident, key_row=key_row):
                self._keep(ident, key_row)
            case Purged():
                self.purges = True
            case _:
                pass

    def _check_version(self, entry: journal.Entry) -> None:
        """Refuse a line of version 1 in a later journal: nothing tells whether it was written there."""
        if not entry.linked and self.head is not None and self.head.version > 1:
            raise StoreDamaged(f"entry {entry.sequence} does not say which line of the journal it follows")

    def _check_row(self, event: Event) -> None:
        """Refuse a key of another length than the encoder's: it could not stand in one matrix with the others."""
        row = getattr(event, "key_row", None)
        if row is not None and self.header is not None and len(row) != 4 * self.header.encoder.dimension:
            raise StoreDamaged(f"a key has {len(row)} bytes, not 4 for each of {self.header.encoder.dimension} numbers")

    def _keep(self, ident: str, key_row: bytes) -> None:
        record = self.state.records[ident]
        if self.header is None:
            raise StoreDamaged("an entry stands before any snapshot")
        self.rows[self.header.encoder.digest(indexed_text(record.key, record.content))] = key_row
