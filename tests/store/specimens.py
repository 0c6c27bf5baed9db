"""Memories to be damaged: their files, and what they say after each entry, worked out from the events alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ntm_memory_skill.model import (
    Accessed,
    Consolidated,
    Erased,
    Event,
    Faded,
    Memorized,
    Merged,
    Purged,
    Record,
    Restored,
    Updated,
    indexed_text,
)
from ntm_memory_skill.store import DirectoryStore, State, StoreSettings
from ntm_memory_skill.store.fs import FileSystem, Signature
from ntm_memory_skill.store.seal import Seal
from tests.conftest import ticking_clock
from tests.store.builders import DIMENSION, IDENTITY, commit, compact, folded, ident, lifecycle, memorized, moment, row
from tests.store.forging import JSON, journal_bytes, note_bytes, old_keys_bytes, snapshot_bytes

NAME = "ntm_memory.json"
SNAPSHOT, JOURNAL, KEYS, WRITER = NAME, "ntm_memory.journal.jsonl", "ntm_memory.keys.npy", "ntm_memory.writer"
PASSPHRASE = "open sesame"  # noqa: S105  # of files that live as long as a test
CHEAP = ("n", 16)
"""A cost of scrypt that a million openings can bear; see `seal.SCRYPT`."""

Files = Mapping[str, bytes]
"""Bytes by name. What is missing is no file."""


def before_folding(*, version: int) -> list[list[Event]]:
    """Return what the snapshots hold: live memories, an erased one, a purged one; of version 2, forgotten ones, too."""
    forgotten: list[list[Event]] = [
        [event for events in lifecycle(10, at=14)[:5] for event in events],
        [Merged(ident(11), ident(10), moment(15), 0.5, "the same"), Consolidated("b", moment(15), merged=(ident(11),))],
    ]
    return [
        [memorized(0), memorized(1, tags=("a", "b"), session="chat"), memorized(2, key="发布日期", content="三月 🚀")],
        [Updated(ident(0), moment(10), content="“quoted”\nand a second line", reason="asked", key_row=row(10))],
        [Erased(ident(2), moment(11), "outdated")],
        [memorized(3, slot=2), Faded(ident(1), moment(12), 0.25)],
        [Erased(ident(3), moment(13)), Purged(ident(3), moment(13))],
        *(forgotten if version > 1 else []),
    ]


def after_folding(*, version: int, purging: bool) -> list[list[Event]]:
    """Return what the journals hold: everything that can happen, as far as a version knew it.

    A purge is a case of its own, for whatever else there is to put in order, all files are then written anew.
    """
    purge: list[Event] = [Purged(ident(4), moment(24))] if purging else []
    later: list[list[Event]] = [
        [Restored(ident(2), moment(22), 3, row(2)), Accessed((ident(2), ident(0)), (2, 1), moment(23))],
        [event for events in lifecycle(20, at=23) for event in events],
        [Restored(ident(11), moment(23), 11, row(11)), Erased(ident(21), moment(23))],
    ]
    return [
        [memorized(4, slot=2, supersedes=ident(1))],
        [Updated(ident(0), moment(21), importance=0.0, tags=("greeting",))],
        *(later if version > 1 else []),
        [Erased(ident(4), moment(24)), *purge],
        [memorized(5, slot=2, key="k", importance=1.0, type="fact", session="chat", source="Ana", ref="r/1")],
    ]


class Shelf(FileSystem):
    """A folder in this process's memory; only the lock is a real file.

    Args:
        files: What is there at the beginning.
    """

    def __init__(self, files: Files) -> None:
        self.files = dict(files)
        self._inodes = dict.fromkeys(files, 1)
        self._replaced = 1
        self._changed: frozenset[str] = frozenset()

    def signature(self, path: Path) -> Signature | None:
        """Return what tells two states of a file apart."""
        return self._signed(path) if path.name in self.files else None

    def read(self, path: Path, offset: int = 0) -> tuple[bytes, Signature] | None:
        """Return the bytes of a file from `offset` on."""
        found = self.signature(path)
        return None if found is None else (self.files[path.name][offset:], found)

    def map(self, path: Path) -> bytes | None:
        """Return the bytes of a file: there is nothing to map."""
        return self.files.get(path.name)

    def list_folder(self, path: Path) -> list[str]:
        """Return the names in the only folder there is: quarantine is always empty."""
        return [] if path.name.endswith(".damaged") else sorted(self.files)

    def make_folder(self, path: Path) -> None:
        """Do nothing: it is there."""

    def append(self, path: Path, data: bytes, at: int, *, sync: bool = True) -> Signature:
        """Write at the end, wherever that is put."""
        return self._put(path, self.files.get(path.name, b"")[:at] + data)

    def sync(self, path: Path) -> None:
        """Do nothing: there is no disk."""

    def replace(self, path: Path, data: bytes) -> Signature:
        """Put a new file in the place of an old one."""
        self._replaced += 1
        self._inodes[path.name] = self._replaced
        return self._put(path, data)

    def preserve(self, path: Path, kept: Path) -> None:
        """Copy."""
        self.replace(kept, self.files[path.name])

    def overwrite(self, path: Path, data: bytes, at: int) -> None:
        """Write in place."""
        old = self.files.get(path.name, b"")
        self._put(path, old[:at].ljust(at, b"\0") + data + old[at + len(data) :])

    def remove(self, path: Path) -> bool:
        """Delete."""
        return self.files.pop(path.name, None) is not None

    def change(self, files: Files) -> None:
        """Let files hold something else from now on, in place."""
        self._changed = frozenset(name for name in files if files[name] != self.files.get(name))
        self.files = dict(files)

    def _put(self, path: Path, data: bytes) -> Signature:
        self.files[path.name] = data
        return self._signed(path)

    def _signed(self, path: Path) -> Signature:
        inode = self._inodes.setdefault(path.name, 1)
        return Signature(inode, len(self.files[path.name]), int(path.name in self._changed))


def opened(folder: Path, shelf: Shelf, passphrase: str | None, *, tidy: bool) -> DirectoryStore:
    """Return the store on a shelf; its lock lies in a real folder."""
    settings = StoreSettings(passphrase=passphrase)
    return DirectoryStore(folder / NAME, clock=ticking_clock(), settings=settings, fs=shelf, tidy=tidy)


@dataclass(frozen=True)
class Specimen:
    """A whole memory, and all that is known of it."""

    name: str
    files: Files
    previous: tuple[bytes, bytes]
    """Snapshot and journal of the generation before."""
    states: Mapping[int, State]
    """What it says after each entry, from the snapshot's on."""
    records: frozenset[Record]
    """Every memory that it ever held, as it was after each entry."""
    rows: Mapping[bytes, bytes]
    """The right key row of every text that it ever held, by digest."""
    snapshot: JSON
    """What the snapshot says, readable, in which records have no checksums."""
    journal: list[JSON]
    """What the journal's lines say, readable and without their checksums."""
    seal: Seal | None = None
    kdf: JSON = None

    @property
    def passphrase(self) -> str | None:
        """What opens it."""
        return None if self.seal is None else PASSPHRASE

    @property
    def last(self) -> int:
        """The last entry, which was acknowledged."""
        return max(self.states)

    def grown(self, entries: int) -> Files:
        """Return the files as they were when the journal had some of its entries."""
        lines = self.files[JOURNAL].splitlines(keepends=True)[: 1 + entries]
        note = note_bytes(min(self.states) + len(lines) - 1)
        return {**self.files, JOURNAL: b"".join(lines), WRITER: note}

    @cached_property
    def earlier(self) -> frozenset[bytes]:
        """Every journal that stood beside this snapshot at some moment: only the note can tell that it was outgrown."""
        journals = (self.files[JOURNAL], self.previous[1])
        lines = [journal.splitlines(keepends=True) for journal in journals]
        return frozenset(b"".join(parts[:count]) for parts in lines for count in range(len(parts) + 1))

    def told(self, snapshot: JSON, journal: list[JSON]) -> Files:
        """Return files that say something else, behind right checksums and, where this memory has one, its seal."""
        return {
            **self.files,
            SNAPSHOT: snapshot_bytes(snapshot, self.seal, self.kdf),
            JOURNAL: journal_bytes(journal, self.seal),
        }


def specimens() -> tuple[Specimen, ...]:
    """Return the memories that the fuzzing damages: of today's format, of version 1, and an encrypted one."""
    return _written("version 2"), _version_1(), _written("encrypted", PASSPHRASE)


def _written(name: str, passphrase: str | None = None, version: int = 2) -> Specimen:
    """Return a memory that the store itself wrote."""
    shelf, former = Shelf({}), before_folding(version=version)
    later = after_folding(version=version, purging=passphrase is not None)
    with tempfile.TemporaryDirectory() as folder:
        store = opened(Path(folder), shelf, passphrase, tidy=False)
        for events in former:
            commit(store, *events)
        previous = (shelf.files[SNAPSHOT], shelf.files[JOURNAL])
        compact(store)
        for events in later:
            commit(store, *events)
        seal = store._fold.seal
    plain_snapshot, plain_journal = _readable(shelf.files, seal)
    return Specimen(
        name=name,
        files={each: shelf.files[each] for each in (SNAPSHOT, JOURNAL, KEYS)} | {WRITER: note_bytes(store.sequence)},
        previous=previous,
        states={len(former) + count: folded([*former, *later[:count]]) for count in range(len(later) + 1)},
        records=_records([*former, *later]),
        rows=_rows([*former, *later]),
        snapshot=plain_snapshot,
        journal=plain_journal,
        seal=seal,
        kdf=None if seal is None else json.loads(shelf.files[SNAPSHOT])["kdf"],
    )


def _version_1() -> Specimen:
    """Return a memory as version 1 wrote it: lines that are not linked, records without checksums."""
    new = _written("version 1", version=1)
    in_snapshot = _as_version_1(new.snapshot)
    head, *entries = new.journal
    in_journal = [{"journal": head["journal"], "version": 1, "generation": head["generation"]}, *entries]
    old_snapshot, (old_head, *old_entries) = _readable(dict(zip((SNAPSHOT, JOURNAL), new.previous, strict=True)), None)
    old_journal = [{"journal": "ntm-memory", "version": 1, "generation": old_head["generation"]}, *old_entries]
    return Specimen(
        name=new.name,
        files={
            SNAPSHOT: snapshot_bytes(in_snapshot),
            JOURNAL: journal_bytes(in_journal),
            KEYS: old_keys_bytes(new.files[KEYS], DIMENSION),
            WRITER: new.files[WRITER],
        },
        previous=(snapshot_bytes(_as_version_1(old_snapshot)), journal_bytes(old_journal)),
        states=new.states,
        records=new.records,
        rows=new.rows,
        snapshot=in_snapshot,
        journal=in_journal,
    )


def _as_version_1(said: JSON) -> JSON:
    """Return what a snapshot says without the members that version 1 did not have."""
    return {**{name: part for name, part in said.items() if name not in ("forgotten", "consolidations")}, "version": 1}


def _readable(files: Files, seal: Seal | None) -> tuple[JSON, list[JSON]]:
    """Return what two whole files say."""
    value = json.loads(files[SNAPSHOT])
    if seal is not None:
        value = json.loads(seal.decrypt(value["sealed"].encode()))
    del value["crc"]
    for record in (*value["records"], *value["archive"], *value["forgotten"]):
        del record["crc"]
    head, *lines = [json.loads(line) for line in files[JOURNAL].splitlines()]
    return value, [head, *({"seq": line["seq"], "events": _events(line, seal)} for line in lines)]


def _events(line: dict[str, Any], seal: Seal | None) -> JSON:
    return line["events"] if seal is None else json.loads(seal.decrypt(line["sealed"].encode()).partition(b":")[2])


def _records(transactions: list[list[Event]]) -> frozenset[Record]:
    states = [folded(transactions[:count]) for count in range(len(transactions) + 1)]
    return frozenset(record for state in states for record in (*state.remembered(), *state.archive.values()))


def _rows(transactions: Iterable[Iterable[Event]]) -> dict[bytes, bytes]:
    state, rows = State(), {}
    for event in (event for events in transactions for event in events):
        state.apply(event)
        if isinstance(event, Memorized | Updated | Restored) and event.key_row is not None:
            record = state.records[event.record.id if isinstance(event, Memorized) else event.id]
            rows[IDENTITY.digest(indexed_text(record.key, record.content))] = event.key_row
    return rows
