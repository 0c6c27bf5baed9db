"""Whether the files of a memory hold what they should, without changing any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ntm_memory_skill.errors import StoreDamaged, StoreError
from ntm_memory_skill.model import EncoderIdentity, Record, indexed_text
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store import snapshot
from ntm_memory_skill.store.directory import DirectoryStore
from ntm_memory_skill.store.files import LOAD_ATTEMPTS, Files
from ntm_memory_skill.store.fs import FileSystem
from ntm_memory_skill.store.protocol import StoreSettings
from ntm_memory_skill.store.repair import examine, odd_keys
from ntm_memory_skill.store.salvage import fault_in_previous
from ntm_memory_skill.store.writer import WriterNote


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    subject: str
    """What was looked at: "snapshot", "journal", "keys", "matrix" …"""
    detail: str
    error: StoreError | None = None
    """What the store raised over it."""


def verify(path: Path, clock: Clock, settings: StoreSettings | None = None) -> list[Finding]:
    """Read every file of the memory at `path` and compare them with each other.

    A missing key is no fault: it is encoded anew when it is needed. Everything else that is amiss is.
    """
    try:
        store = DirectoryStore(path, clock=clock, settings=settings, tidy=False)
    except StoreDamaged as error:
        return [Finding(False, "snapshot and journal", error.message, error), _prospect(path, clock, settings)]
    except StoreError as error:
        return [Finding(False, "files", error.message, error)]
    if store.encoder is None:
        return [Finding(True, "snapshot", f"no memory at {store.paths.snapshot} yet")]
    check = _Check(store, clock, settings)
    looks = {"files": check.files, "matrix": check.matrix, "keys": check.keys, "previous generation": check.previous}
    return [finding for subject, look in looks.items() for finding in _looked(subject, look, store.encoder)]


def _looked(
    subject: str, look: Callable[[EncoderIdentity], Iterable[Finding]], encoder: EncoderIdentity
) -> list[Finding]:
    """Return what was found, or that it could not be looked at."""
    try:
        return list(look(encoder))
    except StoreError as error:
        return [Finding(False, subject, error.message, error)]


def _prospect(path: Path, clock: Clock, settings: StoreSettings | None) -> Finding:
    """Say what a repair would come to."""
    try:
        found = examine(path, clock=clock, settings=settings)
    except StoreError as error:
        return Finding(False, "repair", error.message, error)
    kept = f"`ntm-memory repair` would keep {found.memories} memories and {found.archived} in the archive"
    if found.forgotten:
        kept += f" and {found.forgotten} forgotten"
    if not found.lost:
        return Finding(True, "repair", f"{kept}, and lose nothing")
    return Finding(False, "repair", f"{kept}, and lose: " + "; ".join(found.lost))


class _Check:
    def __init__(self, store: DirectoryStore, clock: Clock, settings: StoreSettings | None) -> None:
        self._store, self._state = store, store.state
        self._fs = FileSystem()
        self._note = WriterNote(store.paths.writer, self._fs, clock)
        passphrase = None if settings is None else settings.passphrase
        self._files = Files(store.paths, self._fs, passphrase, self._note)

    def files(self, _: EncoderIdentity) -> list[Finding]:
        """Say what the store found when it read them."""
        memories = f"{len(self._state.records)} memories, {len(self._state.archive)} in the archive"
        if self._state.forgotten:
            memories += f", {len(self._state.forgotten)} forgotten"
        closed = ", encrypted" if self._store.encrypted else ""
        acknowledged = self._note.acknowledged()
        findings = [
            Finding(True, "snapshot", f"{memories}{closed}"),
            Finding(True, "journal", f"whole up to entry {self._store.sequence}; {acknowledged} known as acknowledged"),
        ]
        findings.extend(Finding(True, "journal", warning) for warning in self._store.warnings)
        findings.extend(
            Finding(True, "files", f"{left.name} was left by a crash, or is being written; the next opening deletes it")
            for left in self._files.temporaries()
        )
        return findings

    def matrix(self, encoder: EncoderIdentity) -> list[Finding]:
        """Compare the records with the matrix that they make: every row has one owner, every owner a unit key."""
        records = self._state.records.values()
        slots = {record.slot for record in records}
        whole = (*self._state.remembered(), *self._state.archive.values())
        places = {record.ordinal for record in whole}
        wrong = []
        if len(slots) < len(records):
            wrong.append("two memories share a slot")
        if len(places) < len(whole):
            wrong.append("two memories have the same place in the order of writing")
        if max(places, default=-1) >= self._state.next_ordinal:
            wrong.append("a memory is newer than the last that was written")
        wrong.extend(fault for record in whole for fault in self._faults(record))
        odd = len(odd_keys(self._store.key_rows()))
        if odd:
            wrong.append(f"{odd} keys are not of length 1")
        shape = f"{max(slots, default=-1) + 1} rows of {encoder.dimension}"
        return [Finding(not wrong, "matrix", "; ".join(wrong) or f"{shape}, each with one owner and a unit key")]

    def _faults(self, record: Record) -> Iterator[str]:
        """Yield what a memory cannot be: numbers out of their range, a row with the key of what is elsewhere."""
        if not 0 < record.strength <= 1:
            yield f"{record.id} has strength {record.strength}"
        if record.stability is not None and not record.stability > 0:
            yield f"{record.id} has stability {record.stability}"
        if record.difficulty is not None and not 1 <= record.difficulty <= 10:  # as FSRS-6 keeps it
            yield f"{record.id} has difficulty {record.difficulty}"
        weights = (*(each.weight for each in record.links), *(each.weight for each in record.absorbed))
        for weight in (each for each in weights if not 0 <= each <= 1):
            yield f"{record.id} has a link or a merge of weight {weight}"
        for each in record.absorbed:
            merged = self._state.forgotten.get(each.id)
            if merged is None or merged.merged_into != record.id:
                yield f"{record.id} has absorbed {each.id}, which is not merged into it"

    def keys(self, encoder: EncoderIdentity) -> list[Finding]:
        """Say how many keys are at hand."""
        texts = [indexed_text(record.key, record.content) for record in self._state.remembered()]
        with self._store.key_rows() as rows:
            missing = sum(rows.position(encoder.digest(text)) is None for text in texts)
        anew = f"; {missing} will be encoded when they are needed" if missing else ""
        return [Finding(True, "keys", f"{len(texts) - missing} of {len(texts)} at hand{anew}")]

    def previous(self, _: EncoderIdentity) -> list[Finding]:
        """Compare the previous generation, folded, with the snapshot that it became."""
        present, before, its_journal = self._read_at_once()
        subject = "previous generation"
        if before is None or present is None:
            return [Finding(True, subject, "none yet" if its_journal is None else "its snapshot is missing")]
        seal = self._files.seal(present)
        fault = fault_in_previous(before, its_journal, *snapshot.decode(present, seal), seal)
        return [Finding(fault is None, subject, fault or "whole, and amounts to the present snapshot")]

    def _read_at_once(self) -> list[bytes | None]:
        """Return snapshot, previous snapshot and its journal as they were at one moment, though somebody may write."""
        paths = (self._store.paths.snapshot, *self._store.paths.previous)
        for _ in range(LOAD_ATTEMPTS):
            found = [self._fs.read(path) for path in paths]
            if [self._fs.signature(path) for path in paths] == [each and each[1] for each in found]:
                break
        return [each and each[0] for each in found]
