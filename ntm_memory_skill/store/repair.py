"""Mending a damaged memory: what is damaged is put aside, what it gives is written anew, what is lost is said.

Nothing is changed before all of that is known, and nothing is lost without consent.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ntm_memory_skill.errors import KeyRefused, LossRefused, StoreDamaged
from ntm_memory_skill.model import indexed_text
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store import keycache, snapshot
from ntm_memory_skill.store.files import Files
from ntm_memory_skill.store.fold import Fold
from ntm_memory_skill.store.fs import TEMPORARY, FileSystem
from ntm_memory_skill.store.keycache import KeyRows
from ntm_memory_skill.store.lock import WriterLock
from ntm_memory_skill.store.paths import Paths
from ntm_memory_skill.store.protocol import StoreSettings
from ntm_memory_skill.store.replay import Salvage
from ntm_memory_skill.store.salvage import Evidence, salvage
from ntm_memory_skill.store.seal import Seal
from ntm_memory_skill.store.writer import WriterNote

UNIT = 1e-3  # how far a key's length may be from 1: float32 rounding, with a wide margin


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did, or would do."""

    mended: tuple[str, ...]
    """What was amiss and cost nothing."""
    lost: tuple[str, ...]
    """What was acknowledged, or may have been, and could not be brought back."""
    quarantined: tuple[str, ...]
    """Where the damaged files lie now, within the memory's folder; all files, if something is lost. None of them where
    a purge was under way: their text would stay."""
    memories: int
    archived: int
    forgotten: int = 0

    @property
    def needed(self) -> bool:
        """Whether anything was amiss."""
        return bool(self.mended or self.lost)


def examine(path: Path, *, clock: Clock, settings: StoreSettings | None = None, fs: FileSystem | None = None) -> Repair:
    """Return what `repair` would find, without changing anything and without waiting for a writer.

    Raises:
        StoreTooNew, KeyRefused, StoreUnreachable: The files cannot be judged.
    """
    return _Workshop(path, clock, settings, fs).look()


def repair(
    path: Path,
    *,
    clock: Clock,
    settings: StoreSettings | None = None,
    accept_loss: bool = False,
    fs: FileSystem | None = None,
) -> Repair:
    """Mend the memory at `path`, and return what was done.

    Raises:
        LossRefused: Something would be lost, and `accept_loss` is off. Nothing was changed.
        StoreTooNew, KeyRefused: The files cannot be judged. Nothing was changed.
        StoreLocked, StoreFull, StoreUnreachable: It could not be done; the damaged files are as they were, or their
            copies lie in quarantine.
    """
    return _Workshop(path, clock, settings, fs).mend(accept_loss=accept_loss)


def odd_keys(rows: KeyRows) -> list[bytes]:
    """Return the digests of the rows that are no unit keys."""
    lengths = np.linalg.norm(rows.keys.astype(np.float64), axis=1)
    return [digest for digest, off in zip(rows.digests, np.abs(lengths - 1), strict=True) if not off < UNIT]


class _Workshop:
    def __init__(self, path: Path, clock: Clock, settings: StoreSettings | None, fs: FileSystem | None) -> None:
        settings = StoreSettings() if settings is None else settings
        self._clock = clock
        self._fs = FileSystem() if fs is None else fs
        self._paths = Paths.of(path)
        note = WriterNote(self._paths.writer, self._fs, clock)
        self._lock = WriterLock(self._paths.lock, settings.lock_timeout, note)
        self._files = Files(self._paths, self._fs, settings.passphrase, note)
        self._note = note

    def look(self) -> Repair:
        found, _, _ = self._salvage()
        return self._report(found, ())

    def mend(self, *, accept_loss: bool) -> Repair:
        if all(self._fs.signature(path) is None for path in (*self._evidence().values(), self._paths.writer)):
            return self._report(Salvage(), ())  # there is no memory, and no lock is made for it
        with self._lock.held():
            found, rows, seal = self._salvage()
            if found.sound:
                return self._report(found, ())
            if found.lost and not accept_loss:
                listed = "\n".join(f"  {each}" for each in found.lost)
                raise LossRefused(f"a repair would lose:\n{listed}")
            quarantined = self._put_aside(found)
            if found.encoder is None:
                self._remove()
            else:
                self._write(found, rows, snapshot.Header(0, found.sequence, found.encoder, self._clock()), seal)
            return self._report(found, quarantined)

    def _salvage(self) -> tuple[Salvage, KeyRows, Seal | None]:
        evidence = Evidence(
            **{name: self._read(path) for name, path in self._evidence().items()},
            acknowledged=self._note.acknowledged(),
        )
        seal, certain = self._seal(evidence)
        try:
            found = salvage(evidence, seal)
        except KeyRefused as error:
            if certain:
                raise
            message = "the key cannot be tried: what was mixed into it stands in the snapshot, which is damaged"
            raise KeyRefused(
                message, hint="Restore the snapshot from a backup; without it nothing can be read."
            ) from error
        if found.sound:
            self._read_as_a_reader(found)
        rows = self._key_rows(found, seal)
        odd = odd_keys(rows)
        if odd:
            found.mended.append(f"{len(odd)} keys are not of length 1; they will be encoded anew when they are needed")
        if found.purges and not found.sound:
            found.mended.append("a purge that was broken off; to finish it, no copies are kept, damaged ones included")
        return found, rows.chosen(set(rows.digests) - set(odd)), seal

    def _read_as_a_reader(self, found: Salvage) -> None:
        """Note what a reader refuses though nothing is missing: a line that stands there twice, for one."""
        try:
            self._files.load()
        except StoreDamaged as error:
            found.mended.append(error.message)
            found.damaged.add("journal")

    def _evidence(self) -> dict[str, Path]:
        previous_snapshot, previous_journal = self._paths.previous
        return {
            "snapshot": self._paths.snapshot,
            "journal": self._paths.journal,
            "previous_snapshot": previous_snapshot,
            "previous_journal": previous_journal,
        }

    def _read(self, path: Path) -> bytes | None:
        found = self._fs.read(path)
        return None if found is None else found[0]

    def _seal(self, evidence: Evidence) -> tuple[Seal | None, bool]:
        """Return what opens the memory, and whether that is certain: the snapshot that says so may be damaged."""
        passphrase = self._files.passphrase
        if passphrase is None:
            return None, True
        snapshots = [data for data in (evidence.snapshot, evidence.previous_snapshot) if data is not None]
        for data in snapshots:
            with suppress(StoreDamaged):
                return self._files.seal(data), True
        for salt in (snapshot.likely_salt(data) for data in snapshots):
            if salt is not None:
                return Seal(passphrase, salt), False
        return self._files.seal(None), False

    def _key_rows(self, found: Salvage, seal: Seal | None) -> KeyRows:
        """Return the key rows of the live memories, as far as there are any."""
        in_cache = self._read(self._paths.keys)
        if found.encoder is None:
            return keycache.empty(1)
        dimension = found.encoder.dimension
        cached = keycache.empty(dimension) if in_cache is None else keycache.decode(in_cache, dimension, seal)
        live = (indexed_text(record.key, record.content) for record in found.state.remembered())
        return cached.merged(found.rows).chosen(found.encoder.digest(text) for text in live)

    def _put_aside(self, found: Salvage) -> tuple[str, ...]:
        """Give what is damaged a name in quarantine as well; the originals are replaced later.

        If something is lost, whole files go there, too: they may hold what could not be used.
        """
        if found.purges:
            return ()
        names = set(self._fs.list_folder(self._paths.quarantine))  # refuses what is no folder of ours
        for left in (name for name in names if name.endswith(TEMPORARY)):  # by a repair that died here
            self._fs.remove(self._paths.quarantine / left)
        stamp = self._clock().strftime("%Y%m%dT%H%M%S")
        kept = []
        for name, path in self._evidence().items():
            if self._fs.signature(path) is not None and (found.lost or name in found.damaged):
                free = (f"{stamp}{again}-{path.name}" for again in ("", *(f"-{count}" for count in range(2, 1000))))
                place = self._paths.quarantine / next(each for each in free if each not in names)
                self._fs.make_folder(self._paths.quarantine)
                self._fs.preserve(path, place)
                kept.append(str(place.relative_to(self._paths.folder)))
        return tuple(kept)

    def _remove(self) -> None:
        """Leave no memory: there is not one. What is damaged lies in quarantine."""
        for path in self._evidence().values():
            self._fs.remove(path)
        self._note.acknowledge(0)

    def _write(self, found: Salvage, rows: KeyRows, header: snapshot.Header, seal: Seal | None) -> None:
        """Write what was found, twice: the second time leaves a previous generation that is whole as well."""
        fold = Fold(state=found.state, seal=seal)
        fold.sequence = found.sequence
        if found.purges:  # what it would have to be compared with may be lost
            self._files.feedback.remove()
        self._files.write_keys(rows, seal)
        for generation in (found.generation + 1, found.generation + 2):
            self._files.write_snapshot(fold, replace(header, generation=generation))
            self._files.restart_journal(fold)
            if generation == found.generation + 1:
                if found.purges:  # what the present files no longer hold must be in no other one
                    self._files.drop_copies()
                self._files.keep_generation()
        self._note.acknowledge(found.sequence)

    def _report(self, found: Salvage, quarantined: tuple[str, ...]) -> Repair:
        return Repair(
            mended=tuple(found.mended),
            lost=tuple(found.lost),
            quarantined=quarantined,
            memories=len(found.state.records),
            archived=len(found.state.archive),
            forgotten=len(found.state.forgotten),
        )
