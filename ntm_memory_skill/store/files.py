"""The files of one memory as a whole: read together, replaced in an order that a crash cannot harm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.store import journal, keycache, snapshot
from ntm_memory_skill.store.feedback import FeedbackFile
from ntm_memory_skill.store.fold import Fold
from ntm_memory_skill.store.fs import FileSystem, Signature
from ntm_memory_skill.store.keycache import KeyRows
from ntm_memory_skill.store.paths import Paths
from ntm_memory_skill.store.seal import Seal
from ntm_memory_skill.store.writer import WriterNote

LOAD_ATTEMPTS = 20  # each loses a race only against a whole compaction by another process

Seen = tuple[Signature | None, Signature | None]
"""Signatures of snapshot and journal, as last read or written."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was found when the files were read."""

    fold: Fold
    seen: Seen


class Files:
    """Reads and writes a memory's files.

    Args:
        paths: Where they are.
        fs: The file system to call.
        passphrase: What encrypts them; None leaves them readable.
        note: The writer's note.
    """

    def __init__(self, paths: Paths, fs: FileSystem, passphrase: str | None, note: WriterNote) -> None:
        self.paths, self.fs, self.note = paths, fs, note
        self.passphrase = passphrase
        self.feedback = FeedbackFile(paths.feedback, fs)
        self._seals: dict[bytes | None, Seal | None] = {}
        """By salt, for deriving a key takes a while."""

    def seal(self, in_snapshot: bytes | None) -> Seal | None:
        """Return what opens a snapshot; for None, what a new memory is closed with.

        Raises:
            StoreDamaged: The snapshot is not whole.
        """
        if self.passphrase is None and not self._seals:
            return None
        salt = None if in_snapshot is None else snapshot.salt(in_snapshot)
        if in_snapshot is not None and salt in self._seals:
            return self._seals[salt]
        if self.passphrase is None:
            return None
        seal = Seal(self.passphrase, salt)
        self._seals[seal.salt] = seal
        return seal

    def change_passphrase(self, passphrase: str | None, former: Seal | None) -> Seal | None:
        """Return what files are closed with from now on.

        Until `forget_former`, a snapshot that the former seal closed is opened as well: rewriting it may fail.
        """
        self.passphrase = passphrase
        seal = self.seal(None)
        self._seals = {None if each is None else each.salt: each for each in (former, seal)}
        return seal

    def forget_former(self, seal: Seal | None) -> None:
        """Open nothing any more but what the present seal closed."""
        self._seals = {} if seal is None else {seal.salt: seal}

    def load(self) -> Sight:
        """Read snapshot and journal; again if another process compacted in between.

        The note is read first: what was acknowledged by then has to be found.

        Raises:
            StoreDamaged: They do not hold what was written.
        """
        acknowledged = self.note.acknowledged()
        for _ in range(LOAD_ATTEMPTS):
            sight = self._load_once()
            if sight is not None:
                self._check_complete(sight.fold, acknowledged)
                return sight
        raise StoreDamaged(f"{self.paths.journal} belongs to a later snapshot than {self.paths.snapshot}")

    def _load_once(self) -> Sight | None:
        """Return what was read; None if the two files were read from different generations."""
        in_snapshot = self.fs.read(self.paths.snapshot)
        in_journal = self.fs.read(self.paths.journal)
        if in_snapshot is None:
            if in_journal is None:
                return Sight(Fold(seal=self.seal(None)), (None, None))
            if self.fs.signature(self.paths.snapshot) is None:
                raise StoreDamaged(f"{self.paths.journal} is there, but {self.paths.snapshot} is missing")
            return None  # the first write of another process happened between the two reads
        data, signature = (None, None) if in_journal is None else in_journal
        fold = Fold.of(in_snapshot[0], data, self.seal(in_snapshot[0]))
        return None if fold.ahead else Sight(fold, (in_snapshot[1], signature))

    def _check_complete(self, fold: Fold, acknowledged: int) -> None:
        if fold.sequence < acknowledged:
            if fold.header is None:
                raise StoreDamaged(f"{self.paths.snapshot} is missing, though entry {acknowledged} was acknowledged")
            message = f"entry {acknowledged} was acknowledged, but {self.paths.journal} ends at entry {fold.sequence}"
            raise StoreDamaged(f"{message}; {fold.torn} bytes behind it are unreadable" if fold.torn else message)

    def key_rows(self, fold: Fold) -> KeyRows:
        """Return the key rows of the cache and of the journal; some may be missing.

        Those of a readable cache lie in a map of it: nothing is copied that is not asked for.
        """
        if fold.header is None:
            return keycache.empty(0)
        found = self.fs.map(self.paths.keys) if fold.seal is None else self._bytes(self.paths.keys)
        dimension = fold.header.encoder.dimension
        if found is None:
            return keycache.empty(dimension).merged(fold.rows)
        return keycache.decode(found, dimension, fold.seal, fold.header.version).merged(fold.rows)

    def write_snapshot(self, fold: Fold, header: snapshot.Header) -> Signature:
        """Put the fold's state in the snapshot's place."""
        signature = self.fs.replace(self.paths.snapshot, snapshot.encode(header, fold.state, fold.seal))
        fold.folded(header)
        return signature

    def restart_journal(self, fold: Fold) -> Signature:
        """Put an empty journal in the journal's place. Its entries have to be in the snapshot by now."""
        text = journal.header(fold.generation, fold.sequence)
        signature = self.fs.replace(self.paths.journal, text)
        fold.restarted(text)
        return signature

    def write_keys(self, rows: KeyRows, seal: Seal | None) -> None:
        """Put rows in the key cache's place."""
        self.fs.replace(self.paths.keys, keycache.encode(rows, seal))

    def keep_generation(self) -> None:
        """Keep snapshot and journal as the previous generation.

        The snapshot first: the old journal's entries are all in it, while the new journal's would not follow the old
        snapshot.
        """
        for present, kept in zip((self.paths.snapshot, self.paths.journal), self.paths.previous, strict=True):
            self._keep(present, kept)

    def keep_version(self, version: int) -> None:
        """Keep snapshot and journal of an older format version before they are upgraded."""
        for present, kept in zip((self.paths.snapshot, self.paths.journal), self.paths.outdated(version), strict=True):
            self._keep(present, kept)

    def drop_copies(self) -> tuple[str, ...]:
        """Delete all that may hold what the present files no longer do, and return the names of what was there."""
        older = [path for version in range(1, snapshot.VERSION) for path in self.paths.outdated(version)]
        damaged = [self.paths.quarantine / name for name in self.fs.list_folder(self.paths.quarantine)]
        doomed = [*self.paths.previous, *older, *damaged, *self.paths.temporaries]
        dropped = [path for path in doomed if self.fs.remove(path)]
        self.fs.settle(self.paths.quarantine)  # nothing else is ever written there that would sync its names
        return tuple(str(path.relative_to(self.paths.folder)) for path in dropped)

    def drop_temporaries(self) -> None:
        """Delete what a crash in the middle of a rewrite left."""
        for path in self.temporaries():
            self.fs.remove(path)

    def temporaries(self) -> list[Path]:
        """Return what a crash in the middle of a rewrite left, or another process is writing just now."""
        return [path for path in self.paths.temporaries if self.fs.signature(path) is not None]

    def _bytes(self, path: Path) -> bytes | None:
        found = self.fs.read(path)
        return None if found is None else found[0]

    def _keep(self, present: Path, kept: Path) -> None:
        if self.fs.signature(present) is None:
            self.fs.remove(kept)
        else:
            self.fs.preserve(present, kept)
