"""The store on disk: a snapshot, a journal, a key cache, a lock, and the generation before, in one folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ntm_memory_skill.errors import StoreDamaged, StoreError
from ntm_memory_skill.model import EncoderIdentity, Event, Feedback, indexed_text
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store import journal, snapshot
from ntm_memory_skill.store.feedback import Traces
from ntm_memory_skill.store.files import Files, Seen, Sight
from ntm_memory_skill.store.fs import FileSystem
from ntm_memory_skill.store.keycache import KeyRows
from ntm_memory_skill.store.lock import WriterLock
from ntm_memory_skill.store.paths import Beside, Paths
from ntm_memory_skill.store.protocol import Changes, Scrubbed, StoreSettings
from ntm_memory_skill.store.state import State
from ntm_memory_skill.store.writer import WriterNote

_NOTHING: Seen = (None, None)


class DirectoryStore:
    """A `Store` in a folder. Nothing is created before the first write.

    Args:
        path: The snapshot file, or the folder that holds `ntm_memory.json`.
        clock: Stamps snapshots and the writer's note.
        settings: Timeouts, thresholds, durability, encryption.
        fs: The file system to call.
        tidy: Whether to put in order what a crash or an older release left, if nobody is writing and the folder can be
            written to: cut off an unfinished line, delete temporary files, finish a purge, upgrade the format.

    Raises:
        StoreDamaged: The files do not hold what was written. They are left as they are.
        StoreTooNew: A newer release wrote them.
        StoreUnreachable: They cannot be read.
        PathRefused: One of them is a symbolic link or no regular file.
        KeyRefused: They are encrypted with another key, or not as the settings say.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        settings: StoreSettings | None = None,
        fs: FileSystem | None = None,
        tidy: bool = True,
    ) -> None:
        self.paths = Paths.of(path)
        self._clock = clock
        self._settings = StoreSettings() if settings is None else settings
        self._fs = FileSystem() if fs is None else fs
        self._note = WriterNote(self.paths.writer, self._fs, clock)
        self._lock = WriterLock(self.paths.lock, self._settings.lock_timeout, self._note)
        self._files = Files(self.paths, self._fs, self._settings.passphrase, self._note)
        self._seen: Seen = _NOTHING
        self._unsynced = False
        self._settled = False
        self._cut = 0
        """Bytes of an unfinished write that were there at opening."""
        for each in (self.paths.keys, self.paths.lock, self.paths.writer, *self.paths.companions, self.paths.feedback):
            self._fs.signature(each)  # refuses what is no file
        self._take(self._files.load())
        if tidy and self._untidy():
            with suppress(StoreError):  # busy or read-only: it can be read as it is, and the next writer tries again
                self._tidy()

    @property
    def state(self) -> State:
        """The fold of all events known so far."""
        return self._fold.state

    @property
    def encoder(self) -> EncoderIdentity | None:
        """Whose keys the memory holds; None before the first write."""
        return None if self._fold.header is None else self._fold.header.encoder

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found amiss and left out, at opening or when the files were last read."""
        torn = self._fold.torn or self._cut
        unfinished = f"{torn} bytes at the end of {self.paths.journal.name} are an unfinished write"
        return (f"{unfinished} and are left out; it was never acknowledged",) if torn else ()

    @property
    def sequence(self) -> int:
        """Number of the last transaction."""
        return self._fold.sequence

    @property
    def encrypted(self) -> bool:
        """Whether the files are unreadable without the key."""
        return self._fold.seal is not None

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
        acknowledged = self._note.acknowledged()  # first: what was acknowledged by now has to be found
        found = self._fs.read(self.paths.journal, self._fold.end)
        if found is None or found[1].inode != known.inode:
            return self._reload()
        before = self._fold.sequence
        try:
            events = self._fold.go_on(found[0])
        except StoreDamaged:
            self._seen = _NOTHING  # what was folded in before the damage is told to nobody otherwise
            return self._reload()
        if self._fold.sequence == before or self._fold.sequence < acknowledged:
            self._seen = (None, None)
            return self._reload()
        self._seen = (in_snapshot, found[1])
        return Changes(reloaded=False, events=events)

    @contextmanager
    def transaction(self, *, wait: bool = True) -> Iterator[Changes]:
        """Hold the writers' lock, caught up; see `Store.transaction`."""
        self._fs.make_folder(self.paths.folder)
        with self._lock.held(wait=wait):
            changes = self.refresh()
            if self._outdated():
                self._upgrade()
            yield changes

    def commit(self, events: Sequence[Event], encoder: EncoderIdentity) -> None:
        """Append one journal line and wait for the disk; see `Store.commit`."""
        if self._fold.header is not None and self._seen == _NOTHING:
            self._reload()
        fold, given = self._fold, tuple(events)
        if fold.header is None:
            fold.state.check(given)
            self._write_snapshot(encoder)  # before the journal, which without a snapshot would have no encoder
        text, checksum = fold.next_line(given)
        self._settle()
        durable = self._settings.durability == "full"
        self._seen = (self._seen[0], self._fs.append(self.paths.journal, text, fold.end, sync=durable))
        fold.appended(text, checksum, given)
        if durable:
            self._note.acknowledge(fold.sequence)
        self._unsynced = not durable

    def flush(self) -> None:
        """Wait for what "relaxed" left to the operating system; see `Store.flush`."""
        if self._unsynced:
            self._fs.sync(self.paths.journal)
            self._unsynced = False

    def key_rows(self) -> KeyRows:
        """Return the key rows of the cache and of the journal; see `Store.key_rows`."""
        return self._files.key_rows(self._fold)

    @property
    def waiting_keys(self) -> int:
        """Bytes of the key rows of the journal; see `Store.waiting_keys`."""
        return sum(map(len, self._fold.rows.values()))

    def supply(self, rows: KeyRows) -> None:
        """Remember rows until the next `compact`; see `Store.supply`."""
        self._fold.rows.update(
            (digest, key.astype("<f4").tobytes()) for digest, key in zip(rows.digests, rows.keys, strict=True)
        )

    def beside(self, what: Beside) -> bytes | None:
        """Return what is kept; see `Store.beside`."""
        found = self._fs.read(self.paths.beside(what))
        return None if found is None else found[0]

    def keep_beside(self, what: Beside, data: bytes | None) -> None:
        """Put something beside the memory; see `Store.keep_beside`."""
        if data is None:
            self._fs.remove(self.paths.beside(what))
        else:
            self._fs.replace(self.paths.beside(what), data)

    def feedback(self) -> list[Feedback]:
        """Return what turned out to be of use; see `Store.feedback`."""
        return self._files.feedback.read(self._fold.seal, self._traces())

    def keep_feedback(self, feedback: Feedback) -> None:
        """Append a line, and do not wait for the disk; see `Store.keep_feedback`."""
        if self.encoder is not None and not self._traces().left_by(feedback):
            self._files.feedback.add(feedback, self._fold.seal)

    def forget_feedback(self) -> None:
        """Delete the file; see `Store.forget_feedback`."""
        self._files.feedback.remove()

    def compact(self) -> tuple[str, ...]:
        """Fold the journal into a new snapshot; see `Store.compact`."""
        if self.encoder is None:
            return ()
        self.rekey(self._live_rows(self.encoder), self.encoder)
        return tuple(path.name for path in (self.paths.snapshot, self.paths.journal, self.paths.keys))

    def rekey(self, rows: KeyRows, encoder: EncoderIdentity) -> None:
        """Write keys, then snapshot, then an empty journal; see `Store.rekey`.

        Before that the journal is synced, which durability "relaxed" has left open: it belongs to the previous
        generation from now on, and keys that only a part of it needs are about to go.
        The keys come first: a snapshot with keys that nobody needs yet is whole, one without its keys has to encode.
        Then the present generation gets its second name, for after the next step it is the previous one. The journal
        comes last: until the snapshot that holds its entries is on disk, they exist nowhere else. What holds a purged
        text is deleted before all that: the journal, which says that it is purged, is the last to go. The feedback is
        cleaned of it before that as well: what text it was, only the old snapshot and the journal can tell.
        """
        try:
            self._rewrite(rows, encoder)
        except StoreError:
            self._seen = _NOTHING  # which of the files are the new ones, the next look at them tells
            raise

    def scrub(self) -> Scrubbed:
        """Rewrite every file without what was purged; see `Store.scrub`.

        Twice: the second time makes a previous generation again, out of files that are clean.
        """
        if self.encoder is None:
            return Scrubbed()
        removed = self._files.drop_copies()
        cleaned = self._files.feedback.clean(self._fold.seal, self._traces())
        self._fold.purges = True
        self.compact()
        self.compact()
        written = [self.paths.snapshot, self.paths.journal, self.paths.keys, *self.paths.previous]
        written += [self.paths.feedback] if cleaned else []
        names = tuple(path.name for path in written)
        return Scrubbed(
            rewritten=names,
            removed=tuple(name for name in removed if name not in names),
            checksums=self._checksums(names),
        )

    def reseal(self, passphrase: str | None) -> Scrubbed:
        """Encrypt all files with a key, or with None decrypt them, copies included. Call it inside `transaction`.

        Before there is a snapshot with the new key, no line of the feedback is left that it does not open; they are
        closed anew at last, and lost if this is broken off.
        """
        feedback = self.feedback()
        if self.encoder is not None:
            self.supply(self._live_rows(self.encoder))  # the cache is closed with the old key
        self._fold.seal = self._files.change_passphrase(passphrase, self._fold.seal)
        try:
            done = self.scrub()
        except StoreError:
            self._seen = _NOTHING  # either key may hold now: the next look at the snapshot tells
            raise
        self._files.forget_former(self._fold.seal)
        with suppress(StoreError):  # all that matters is done
            if feedback:
                self._files.feedback.write(feedback, self._fold.seal)
        return replace(done, checksums=self._checksums(done.rewritten))

    def worth_folding(self, *, closing: bool) -> bool:
        """Return whether the journal has grown enough; see `Store.worth_folding`."""
        snapshot_file = self._seen[0]
        if snapshot_file is None or self._fold.head is None or self._fold.end <= self._fold.head.length:
            return False
        if closing and snapshot_file.size < self._settings.fold_always_below:
            return True
        return self._fold.end > max(self._settings.fold_always_below, self._settings.fold_ratio * snapshot_file.size)

    def _rewrite(self, rows: KeyRows, encoder: EncoderIdentity) -> None:
        if self._fold.head is not None:
            self._fs.sync(self.paths.journal)
        telling = self._fold.purges or self._fold.behind
        if telling:
            self._files.drop_copies()
            self._files.feedback.clean(self._fold.seal, self._traces())
        self._files.write_keys(rows, self._fold.seal)
        if not telling and self._fold.header is not None:
            self._files.keep_generation()
        self._write_snapshot(encoder)
        self._seen = (self._seen[0], self._files.restart_journal(self._fold))
        self._unsynced = False

    def _write_snapshot(self, encoder: EncoderIdentity) -> None:
        header = snapshot.Header(self._fold.generation + 1, self._fold.sequence, encoder, self._clock())
        self._seen = (self._files.write_snapshot(self._fold, header), self._seen[1])

    def _settle(self) -> None:
        """Make sure, once after reading files that others wrote, that the journal's name is as lasting as its lines."""
        if not self._settled:
            self._fs.settle(self.paths.folder)
            self._settled = True

    def _live_rows(self, encoder: EncoderIdentity) -> KeyRows:
        texts = (indexed_text(record.key, record.content) for record in self.state.remembered())
        with self.key_rows() as rows:  # the file is about to be replaced
            return rows.chosen(encoder.digest(text) for text in texts)

    def _traces(self) -> Traces:
        return Traces(self.state.tombstones, self._fold.purged)

    def _checksums(self, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
        found = [(name, self._fs.read(self.paths.folder / name)) for name in names]
        return tuple((name, hashlib.sha256(b"" if read is None else read[0]).hexdigest()) for name, read in found)

    def _reload(self) -> Changes:
        self._take(self._files.load())
        return Changes(reloaded=True)

    def _take(self, sight: Sight) -> None:
        self._fold, self._seen, self._settled = sight.fold, sight.seen, False

    def _outdated(self) -> bool:
        """Return whether an older release wrote the files."""
        header, head = self._fold.header, self._fold.head
        return (header is not None and header.version < snapshot.VERSION) or (
            head is not None and head.version < journal.VERSION
        )

    def _untidy(self) -> bool:
        fold = self._fold
        return bool(fold.torn or fold.behind or fold.purges or self._outdated() or self._files.temporaries())

    def _tidy(self) -> None:
        """Put in order what a crash or an older release left, unless somebody is writing."""
        with self._lock.held(wait=False):
            self.refresh()
            self._files.drop_temporaries()
            if self._fold.torn:
                self._seen = (self._seen[0], self._fs.cut(self.paths.journal, self._fold.end))
                self._cut, self._fold.torn = self._fold.torn, 0
            if self._outdated():
                self._upgrade()
            elif self._fold.purges:
                self.scrub()
            elif self._fold.behind:
                self._finish_folding()

    def _upgrade(self) -> None:
        """Rewrite an older release's files in today's format; theirs are kept under their version's name."""
        header = self._fold.header
        if header is not None and header.version < snapshot.VERSION:
            self._files.keep_version(header.version)
            self.compact()
        else:
            self._finish_folding()

    def _finish_folding(self) -> None:
        """Do the step that was left of a fold: all that its journal holds is in the snapshot, unless more came since.

        The journal is never kept: it may hold what was purged, or what was encrypted since.
        """
        if self._fold.header is not None and self._fold.sequence == self._fold.header.sequence:
            self._seen = (self._seen[0], self._files.restart_journal(self._fold))
        else:
            self.compact()
