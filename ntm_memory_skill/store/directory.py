"""The store on disk: a snapshot, a journal, a key cache and a lock in one folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import EncoderIdentity, Event, Memorized, Updated, indexed_text
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store import journal, keycache, snapshot
from ntm_memory_skill.store.fs import FileSystem, Signature, translated
from ntm_memory_skill.store.lock import WriterLock
from ntm_memory_skill.store.protocol import Changes, KeyRows, StoreSettings
from ntm_memory_skill.store.state import State

DEFAULT_NAME = "ntm_memory.json"
LOAD_ATTEMPTS = 20  # each loses a race only against a whole compaction by another process


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the four files are."""

    snapshot: Path
    journal: Path
    keys: Path
    lock: Path

    @classmethod
    def of(cls, path: Path) -> Paths:
        """Return the files of a memory that is named by its snapshot, or by the folder that holds it.

        A name that does not exist yet is a folder's if it has no ending, as most people would read it.

        Raises:
            StoreUnreachable: Whether it is a folder cannot be told.
        """
        with translated(path):
            is_folder = path.is_dir() or (not path.suffix and not path.exists())
        named = path / DEFAULT_NAME if is_folder else path
        stem = named.name.removesuffix(".json")
        return cls(
            snapshot=named,
            journal=named.with_name(f"{stem}.journal.jsonl"),
            keys=named.with_name(f"{stem}.keys.npy"),
            lock=named.with_name(f"{stem}.lock"),
        )


class DirectoryStore:
    """A `Store` in a folder. Opening reads; nothing is created before the first write.

    Args:
        path: The snapshot file, or the folder that holds `ntm_memory.json`.
        clock: Stamps snapshots.
        settings: Timeouts and thresholds.
        fs: The file system to call.

    Raises:
        StoreDamaged: The files do not hold what was written. They are left as they are.
        StoreTooNew: A newer release wrote them.
        StoreUnreachable: They cannot be read.
    """

    def __init__(
        self, path: Path, *, clock: Clock, settings: StoreSettings | None = None, fs: FileSystem | None = None
    ) -> None:
        self.paths = Paths.of(path)
        self._clock = clock
        self._settings = StoreSettings() if settings is None else settings
        self._fs = FileSystem() if fs is None else fs
        self._lock = WriterLock(self.paths.lock, self._settings.lock_timeout)
        self._state = State()
        self._header: snapshot.Header | None = None
        self._sequence = 0
        self._seen: tuple[Signature | None, Signature | None] = (None, None)
        self._end = 0  # bytes of the journal that are whole
        self._recent_rows: dict[bytes, bytes] = {}  # key rows that the cache does not hold yet, by digest
        self._warnings: tuple[str, ...] = ()
        self._load()

    @property
    def state(self) -> State:
        """The fold of all events known so far."""
        return self._state

    @property
    def encoder(self) -> EncoderIdentity | None:
        """Whose keys the memory holds; None before the first write."""
        return None if self._header is None else self._header.encoder

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found amiss and left out when the files were last read."""
        return self._warnings

    @property
    def sequence(self) -> int:
        """Number of the last transaction."""
        return self._sequence

    def refresh(self) -> Changes:
        """Catch up with other processes; see `Store.refresh`.

        The journal is looked at first: it is replaced after the snapshot, so a snapshot that is still ours at the
        second look proves that the journal was ours at the first. Whatever is odd about the journal's growth has
        everything read anew: a line that was seen before its writer's fsync failed is cut off and written over.
        """
        in_journal = self._fs.signature(self.paths.journal)
        in_snapshot = self._fs.signature(self.paths.snapshot)
        if (in_snapshot, in_journal) == self._seen:
            return Changes(reloaded=False)
        known = self._seen[1]
        if in_snapshot != self._seen[0] or known is None:
            return self._reload()
        found = self._fs.read(self.paths.journal, self._end)
        if found is None or found[1].inode != known.inode:
            return self._reload()
        try:
            tail = journal.read_lines(found[0], self._sequence)
        except StoreDamaged:
            return self._reload()
        if not tail.entries:
            return self._reload()
        events = self._fold(tail, self._end)
        self._seen = (in_snapshot, found[1])
        return Changes(reloaded=False, events=events)

    @contextmanager
    def transaction(self) -> Iterator[Changes]:
        """Hold the writers' lock, caught up; see `Store.transaction`."""
        self._fs.make_folder(self.paths.snapshot.parent)
        with self._lock.held():
            yield self.refresh()

    def commit(self, events: Sequence[Event], encoder: EncoderIdentity) -> None:
        """Append one journal line and wait for the disk; see `Store.commit`."""
        self._state.check(events)  # before anything is written: a journal with such a line could not be read again
        text = journal.line(self._sequence + 1, events)
        if self._header is None:
            self._write_snapshot(encoder)  # before the journal, which without a snapshot would have no encoder
        if self._end == 0:
            text = journal.header(self._generation) + text
        self._seen = (self._seen[0], self._fs.append(self.paths.journal, text, self._end))
        self._end += len(text)
        self._sequence += 1
        for event in events:
            self._apply(event)

    def key_rows(self) -> KeyRows:
        """Return the key rows of the cache and of the journal; see `Store.key_rows`."""
        if self._header is None:
            return keycache.empty(0)
        found = self._fs.read(self.paths.keys)
        dimension = self._header.encoder.dimension
        cached = keycache.empty(dimension) if found is None else keycache.decode(found[0], dimension)
        return cached.merged(self._recent_rows)

    def supply(self, rows: KeyRows) -> None:
        """Remember rows until the next `compact`; see `Store.supply`."""
        self._recent_rows.update(
            (digest, key.astype("<f4").tobytes()) for digest, key in zip(rows.digests, rows.keys, strict=True)
        )

    def compact(self) -> tuple[str, ...]:
        """Fold the journal into a new snapshot; see `Store.compact`."""
        if self._header is None:
            return ()
        encoder = self._header.encoder
        live = (encoder.digest(indexed_text(record.key, record.content)) for record in self._state.records.values())
        self.rekey(self.key_rows().chosen(live), encoder)
        return tuple(path.name for path in (self.paths.snapshot, self.paths.journal, self.paths.keys))

    def rekey(self, rows: KeyRows, encoder: EncoderIdentity) -> None:
        """Write keys, then snapshot, then an empty journal; see `Store.rekey`.

        The keys come first: a snapshot with keys that nobody needs yet is whole, one without its keys has to encode.
        The journal comes last: until the snapshot that holds its entries is on disk, they exist nowhere else.
        """
        self._fs.replace(self.paths.keys, keycache.encode(rows))
        self._write_snapshot(encoder)
        text = journal.header(self._generation)
        self._seen = (self._seen[0], self._fs.replace(self.paths.journal, text))
        self._end = len(text)
        self._recent_rows = {}

    def worth_folding(self, *, closing: bool) -> bool:
        """Return whether the journal has grown enough; see `Store.worth_folding`."""
        snapshot_file = self._seen[0]
        if snapshot_file is None or self._end <= len(journal.header(self._generation)):
            return False
        if closing and snapshot_file.size < self._settings.fold_always_below:
            return True
        return self._end > max(self._settings.fold_always_below, self._settings.fold_ratio * snapshot_file.size)

    @property
    def _generation(self) -> int:
        return 0 if self._header is None else self._header.generation

    def _write_snapshot(self, encoder: EncoderIdentity) -> None:
        header = snapshot.Header(self._generation + 1, self._sequence, encoder, self._clock())
        self._seen = (self._fs.replace(self.paths.snapshot, snapshot.encode(header, self._state)), self._seen[1])
        self._header = header

    def _reload(self) -> Changes:
        self._load()
        return Changes(reloaded=True)

    def _load(self) -> None:
        """Read snapshot and journal; again if another process compacted in between."""
        for _ in range(LOAD_ATTEMPTS):
            if self._load_once():
                return
        raise StoreDamaged(f"{self.paths.journal} belongs to a later snapshot than {self.paths.snapshot}")

    def _load_once(self) -> bool:
        in_snapshot = self._fs.read(self.paths.snapshot)
        in_journal = self._fs.read(self.paths.journal)
        if in_snapshot is None:
            if in_journal is not None and self._fs.signature(self.paths.snapshot) is None:
                raise StoreDamaged(f"{self.paths.journal} is there, but {self.paths.snapshot} is missing")
            if in_journal is not None:
                return False  # the first write of another process happened between the two reads
            self._header, self._state, self._sequence, self._end = None, State(), 0, 0
            self._seen, self._warnings, self._recent_rows = (None, None), (), {}
            return True
        header, state = snapshot.decode(in_snapshot[0])
        data, in_journal_now = (b"", None) if in_journal is None else in_journal
        found = journal.read_header(data)
        if found is not None and found[0] > header.generation:
            return False
        start = 0 if found is None else found[1]
        tail = journal.Tail([], 0, len(data)) if found is None else journal.read_lines(data[start:], header.sequence)
        self._header, self._state, self._sequence, self._recent_rows = header, state, header.sequence, {}
        self._fold(tail, start)
        self._seen = (in_snapshot[1], in_journal_now)  # last: what could not be folded in is to be met again
        return True

    def _fold(self, tail: journal.Tail, start: int) -> tuple[Event, ...]:
        """Fold what was read from offset `start` of the journal."""
        events: list[Event] = []
        for entry in tail.entries:
            for event in entry.events:
                self._apply(event)
                events.append(event)
            self._sequence = entry.sequence
        self._end = start + tail.end
        torn = (
            f"{tail.torn} bytes at the end of {self.paths.journal.name} are an unfinished write and are left out; "
            "it was never acknowledged"
        )
        self._warnings = (torn,) if tail.torn else ()
        return tuple(events)

    def _apply(self, event: Event) -> None:
        """Fold one event, and keep its key row at hand."""
        self._state.apply(event)
        if isinstance(event, Memorized | Updated) and event.key_row is not None and self._header is not None:
            record = self._state.records[event.record.id if isinstance(event, Memorized) else event.id]
            self._recent_rows[self._header.encoder.digest(indexed_text(record.key, record.content))] = event.key_row
