"""Memories in every condition that a repair may find them in, and what was acknowledged of them, in plain dicts."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.model import (
    Accessed,
    Consolidated,
    Erased,
    Event,
    Faded,
    Forgotten,
    Memorized,
    Merged,
    Purged,
    Restored,
    Undone,
    Updated,
)
from ntm_memory_skill.store import DirectoryStore, State, StoreSettings
from ntm_memory_skill.store.fs import FileSystem, Signature
from ntm_memory_skill.store.seal import SCRYPT
from tests.store.builders import Death, commit, compact, ident, lifecycle, memorized, moment, open_store, row

NAME = "ntm_memory.json"
SNAPSHOT, JOURNAL = NAME, "ntm_memory.journal.jsonl"
OLD_SNAPSHOT, OLD_JOURNAL = "ntm_memory.previous.json", "ntm_memory.previous.journal.jsonl"
KEYS, WRITER = "ntm_memory.keys.npy", "ntm_memory.writer"
EVIDENCE = (SNAPSHOT, JOURNAL, OLD_SNAPSHOT, OLD_JOURNAL)
ALL = (*EVIDENCE, KEYS, WRITER)
SALT_AND_PEPPER = "open sesame"
SECRET = "the spare key is under the third flowerpot"  # noqa: S105  # a text that is purged, and must not come back
GOLDEN = Path(__file__).parent / "golden"

Files = Mapping[str, bytes]
"""Bytes by name. What is missing is no file."""


@pytest.fixture(autouse=True)
def cheap_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are derived without delay: import this where encrypted memories are opened by the dozen."""
    monkeypatch.setitem(SCRYPT, "n", 2)


@dataclass
class Told:
    """What a memory was told, entry by entry."""

    live: dict[str, str] = field(default_factory=dict)
    """Text by id."""
    archive: dict[str, str] = field(default_factory=dict)
    forgotten: dict[str, str] = field(default_factory=dict)
    """Those that were merged, too."""
    purged: set[str] = field(default_factory=set)
    ever: dict[str, set[str]] = field(default_factory=dict)
    """Every text that an id ever had."""
    about: dict[int, set[str]] = field(default_factory=dict)
    """The ids that an entry is about, by its number."""
    purging: dict[str, int] = field(default_factory=dict)
    """The entry that purged an id."""

    def tell(self, events: Iterable[Event]) -> None:
        """Note one entry."""
        number = len(self.about) + 1
        self.about[number] = set()
        for event in events:
            self.about[number].update(self._tell(event, number))

    def _tell(self, event: Event, number: int) -> set[str]:
        match event:
            case Accessed(ids=idents):
                return set(idents)
            case Consolidated() | Undone():
                return set()
            case Memorized(record=record):
                self.live[record.id] = record.content
                self.ever[record.id] = {record.content}
                return {record.id}
            case Updated(id=ident_, content=str(content)):
                self.live[ident_] = content
                self.ever[ident_].add(content)
            case Erased(id=ident_):
                self.archive[ident_] = (self.live if ident_ in self.live else self.forgotten).pop(ident_)
            case Forgotten(id=ident_) | Merged(id=ident_):
                self.forgotten[ident_] = self.live.pop(ident_)
            case Restored(id=ident_):
                self.live[ident_] = (self.archive if ident_ in self.archive else self.forgotten).pop(ident_)
            case Purged(id=ident_):
                del self.archive[ident_]
                self.purged.add(ident_)
                self.purging[ident_] = number
        return {event.id}

    def same_as(self, state: State) -> bool:
        """Return whether a state says just this."""
        said = (texts(state.records), texts(state.archive), texts(state.forgotten), set(state.tombstones))
        return said == (self.live, self.archive, self.forgotten, self.purged)


def texts(records: Mapping[str, object]) -> dict[str, str]:
    """Return what each of some memories says."""
    return {ident_: str(getattr(record, "content", None)) for ident_, record in records.items()}


@dataclass(frozen=True)
class Kept:
    """A whole memory, and all that was acknowledged of it."""

    name: str
    files: Files
    told: Told
    passphrase: str | None = None
    noted: bool = True
    """Whether there is a writer's note: version 1 had none."""

    def lay(self, folder: Path, damage: Mapping[str, bytes | None] | None = None) -> Path:
        """Write the files, some of them damaged, and return the memory's path."""
        folder.mkdir(exist_ok=True)
        for name, data in {**self.files, **(damage or {})}.items():
            if data is not None:
                (folder / name).write_bytes(data)
        return folder / NAME

    def open(self, path: Path, *, tidy: bool = True) -> DirectoryStore:
        """Open it."""
        return open_store(path, tidy=tidy, passphrase=self.passphrase)

    @property
    def settings(self) -> StoreSettings:
        """What it is opened with; nobody waits for its lock."""
        return StoreSettings(passphrase=self.passphrase, lock_timeout=0)


class MortalFileSystem(FileSystem):
    """A process that dies before it replaces the file of a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def replace(self, path: Path, data: bytes) -> Signature:
        """Replace it, or die."""
        if path.name == self._name:
            raise Death
        return super().replace(path, data)


class Scribe:
    """Tells a memory and the dicts the same."""

    def __init__(self, path: Path, passphrase: str | None = None) -> None:
        self.path, self.told, self._passphrase = path, Told(), passphrase

    def open(self, fs: FileSystem | None = None) -> DirectoryStore:
        """Open the memory as a process of its own."""
        return open_store(self.path, fs, passphrase=self._passphrase)

    def commit(self, *events: Event) -> None:
        """Commit one entry."""
        commit(self.open(), *events)
        self.told.tell(events)

    def fold(self) -> None:
        """Compact."""
        compact(self.open())

    def die_folding(self, name: str) -> None:
        """Compact, and die before a file is replaced."""
        store = self.open(MortalFileSystem(name))
        with pytest.raises(Death):
            compact(store)

    def purge(self, *events: Event, dying_at: str | None = None) -> None:
        """Commit a purge and scrub, or die when a file should be replaced the first time."""
        store = self.open(None if dying_at is None else MortalFileSystem(dying_at))
        self.told.tell(events)
        with store.transaction():
            store.commit(events, store.encoder or pytest.fail("a purge of nothing"))
            if dying_at is None:
                store.scrub()
                return
            with pytest.raises(Death):
                store.scrub()


def beginning(scribe: Scribe) -> None:
    """Write what most of the memories begin with."""
    scribe.commit(memorized(0), memorized(1, tags=("a", "b"), session="chat"), memorized(2, key="k", content="三月 🚀"))
    scribe.commit(Updated(ident(0), moment(10), content="“quoted” {\nand} a second line", reason="r", key_row=row(10)))
    scribe.commit(Erased(ident(2), moment(11), "outdated"))
    scribe.commit(memorized(3, slot=2), Faded(ident(1), moment(12), 0.25))


def going_on(scribe: Scribe) -> None:
    """Write more behind it: everything that can happen."""
    scribe.commit(memorized(4, slot=3, supersedes=ident(1)))
    scribe.commit(Updated(ident(0), moment(21), importance=0.0, tags=("greeting",)), Erased(ident(3), moment(21)))
    scribe.commit(Restored(ident(2), moment(22), 2, row(2)), Accessed((ident(2), ident(0)), (2, 1), moment(23)))
    scribe.commit(Updated(ident(4), moment(24), content="the last word", key_row=row(24)))


def first_journal(scribe: Scribe) -> None:
    """Leave all entries in the journal behind an empty snapshot: no generation came before."""
    beginning(scribe)
    going_on(scribe)


def folded(scribe: Scribe) -> None:
    """Leave everything in the snapshot."""
    beginning(scribe)
    going_on(scribe)
    scribe.fold()


def two_generations(scribe: Scribe) -> None:
    """Leave some in the snapshot, some in the journal, and a generation before."""
    beginning(scribe)
    scribe.fold()
    scribe.commit(memorized(5, slot=7))
    scribe.fold()
    going_on(scribe)


def forgetful(scribe: Scribe) -> None:
    """Leave memories that were forgotten, merged and brought back, in snapshot, journal and generation before."""
    beginning(scribe)
    scribe.fold()
    told = lifecycle(10, at=30)
    for events in told[:5]:
        scribe.commit(*events)
    scribe.fold()
    for events in told[5:]:
        scribe.commit(*events)
    scribe.commit(Erased(ident(13), moment(50)))  # which was forgotten
    scribe.commit(Updated(ident(10), moment(51), content="something else by now", key_row=row(51)))
    scribe.commit(Restored(ident(11), moment(52), 11, row(11)))  # which was merged into it


def broken_off_before_the_snapshot(scribe: Scribe) -> None:
    """Leave the same generation twice."""
    two_generations(scribe)
    scribe.die_folding(SNAPSHOT)


def broken_off_before_the_journal(scribe: Scribe) -> None:
    """Leave a journal whose entries are all in the snapshot."""
    two_generations(scribe)
    scribe.die_folding(JOURNAL)


def purged(scribe: Scribe) -> None:
    """Leave a tombstone, and what was written since."""
    beginning(scribe)
    scribe.commit(memorized(6, slot=9, content=SECRET))
    scribe.fold()
    scribe.purge(Erased(ident(6), moment(30)), Purged(ident(6), moment(30)))
    going_on(scribe)


def purge_without_a_scrub(scribe: Scribe) -> None:
    """Leave a purge in the journal, and the text in every file."""
    beginning(scribe)
    scribe.commit(memorized(6, slot=9, content=SECRET))
    scribe.fold()
    scribe.commit(memorized(5, slot=7))
    scribe.commit(Erased(ident(6), moment(30)))
    scribe.purge(Purged(ident(6), moment(31)), dying_at=KEYS)


def purge_broken_off(scribe: Scribe) -> None:
    """Leave a clean snapshot beside a journal in which the text still is."""
    beginning(scribe)
    scribe.fold()
    scribe.commit(memorized(6, slot=9, content=SECRET))
    scribe.purge(Erased(ident(6), moment(30)), Purged(ident(6), moment(30)), dying_at=JOURNAL)


STORIES: Mapping[str, Callable[[Scribe], None]] = {
    each.__name__.replace("_", " "): each
    for each in (
        first_journal,
        folded,
        two_generations,
        forgetful,
        broken_off_before_the_snapshot,
        broken_off_before_the_journal,
        purged,
        purge_without_a_scrub,
        purge_broken_off,
    )
}
CONDITIONS = (*STORIES, "encrypted", "encrypted forgetful", "encrypted first journal", "torn", "upgraded")
VERSION_1 = ("fresh", "journal_only", "folded_with_archive", "bilingual_versions")


@cache
def kept(condition: str) -> Kept:
    """Return a memory in some condition; derive keys cheaply when you call this."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory" / NAME
        if condition == "upgraded":
            return _upgraded(path)
        passphrase = SALT_AND_PEPPER if condition.startswith("encrypted") else None
        scribe = Scribe(path, passphrase)
        story = {"encrypted": "two generations", "torn": "two generations"}
        STORIES[story.get(condition, condition.removeprefix("encrypted "))](scribe)
        if condition == "torn":
            with (path.parent / JOURNAL).open("ab") as journal:
                journal.write(b'{"seq":10,"after":"0000')
        return Kept(condition, _bytes(path.parent), scribe.told, passphrase)


@cache
def golden(name: str) -> Kept:
    """Return a memory as version 1 wrote it."""
    expected = json.loads((GOLDEN / name / "expected.json").read_text(encoding="utf-8"))
    said = Told(
        live={record["id"]: record["content"] for record in expected["records"]},
        archive={record["id"]: record["content"] for record in expected["archive"]},
        purged=set(expected["tombstones"]),
    )
    for record in (*expected["records"], *expected["archive"]):
        said.ever[record["id"]] = {record["content"], *(version["content"] for version in record["versions"])}
    for number, line in enumerate(_lines(GOLDEN / name / JOURNAL)):
        idents = {event.get("id") or event["record"]["id"] for event in line["events"]}
        said.about[line["seq"]] = idents
        assert number < line["seq"]
    return Kept(name, _bytes(GOLDEN / name), said, noted=False)


def _upgraded(path: Path) -> Kept:
    """Return what becomes of a memory of version 1 at its first opening."""
    old = golden("bilingual_versions")
    shutil.copytree(GOLDEN / old.name, path.parent)
    open_store(path)
    return Kept("upgraded", _bytes(path.parent), old.told)


def _lines(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_bytes().splitlines()[1:]]


def _bytes(folder: Path) -> Files:
    left_out = {"ntm_memory.lock", "expected.json"}
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.name not in left_out}
