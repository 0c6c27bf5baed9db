"""One process and its folder: what is created when, and what opening it again gives."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ntm_memory_skill.model import Erased, Purged, Updated, indexed_text
from ntm_memory_skill.store import DirectoryStore, Paths, StoreSettings
from tests.conftest import ticking_clock
from tests.store.builders import (
    all_bytes,
    commit,
    compact,
    contents,
    eventful,
    folded,
    ident,
    memorized,
    moment,
    open_store,
    record,
    row,
)

PRIVATE = 0o600


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


class TestFiles:
    """Which files there are."""

    def test_opening_and_looking_creates_nothing(self, path: Path) -> None:
        """Someone who only asks leaves no traces."""
        store = open_store(path)
        store.refresh()
        store.key_rows()
        assert not path.parent.exists()

    def test_the_first_commit_creates_private_files(self, path: Path) -> None:
        """A memory is its owner's alone, whatever the umask allows."""
        before = os.umask(0)
        try:
            store = open_store(path)
            commit(store, memorized(0))
            first = {file.name for file in path.parent.iterdir()}
            compact(store)
        finally:
            os.umask(before)
        assert first == {"ntm_memory.json", "ntm_memory.journal.jsonl", "ntm_memory.lock", "ntm_memory.writer"}
        assert {file.name for file in path.parent.iterdir()} == first | {
            "ntm_memory.keys.npy",
            "ntm_memory.previous.json",
            "ntm_memory.previous.journal.jsonl",
        }
        assert {mode(file) for file in path.parent.iterdir()} == {PRIVATE}
        assert mode(path.parent) == 0o700

    def test_the_lock_file_stays(self, path: Path) -> None:
        """To delete it could give two processes a lock each."""
        store = open_store(path)
        commit(store, memorized(0))
        inode = store.paths.lock.stat().st_ino
        commit(store, memorized(1))
        assert store.paths.lock.stat().st_ino == inode

    def test_the_snapshot_is_json_at_every_moment(self, path: Path) -> None:
        """After each commit and each compaction."""
        store = open_store(path)
        for number in range(3):
            commit(store, memorized(number))
            json.loads(path.read_bytes())
            compact(store)
            assert len(json.loads(path.read_bytes())["records"]) == number + 1

    def test_compacting_names_the_files_that_it_rewrote(self, path: Path) -> None:
        """Someone who had a text purged is told where it is gone from."""
        store = open_store(path)
        commit(store, memorized(0))
        assert set(compact(store)) == {"ntm_memory.json", "ntm_memory.journal.jsonl", "ntm_memory.keys.npy"}

    def test_a_purged_text_is_in_no_file_after_compacting(self, path: Path) -> None:
        """Nor is its key."""
        store = open_store(path)
        commit(store, memorized(0, content="the secret"), memorized(1))
        compact(store)
        commit(store, Updated(ident(0), moment(5), content="the secret again", key_row=row(77)))
        commit(store, Erased(ident(0), moment(6)), Purged(ident(0), moment(6)))
        compact(store)
        for name, data in all_bytes(path.parent).items():
            assert b"secret" not in data, name
            assert row(77) not in data, name


ENDINGS = ("journal.jsonl", "keys.npy", "lock", "writer", "previous.json", "previous.journal.jsonl")


class TestNames:
    """How the files are called."""

    @pytest.mark.parametrize(
        ("name", "stem"),
        [
            ("notes.json", "notes"),
            ("notes.db", "notes.db"),
            ("a.b.json", "a.b"),
            ("记忆 one.json", "记忆 one"),
        ],
    )
    def test_the_names_follow_the_snapshot(self, tmp_path: Path, name: str, stem: str) -> None:
        """Memories with different names can share a folder; and each can be opened again."""
        commit(open_store(tmp_path / name), memorized(0))
        compact(open_store(tmp_path / name))
        assert {file.name for file in tmp_path.iterdir()} == {name, *(f"{stem}.{ending}" for ending in ENDINGS)}
        assert contents(open_store(tmp_path / name)) == {ident(0): record(0).content}

    def test_a_folder_holds_the_memory_of_the_default_name(self, tmp_path: Path) -> None:
        """The folder and the file in it are the same memory."""
        assert Paths.of(tmp_path) == Paths.of(tmp_path / "ntm_memory.json")
        commit(open_store(tmp_path), memorized(0))
        assert contents(open_store(tmp_path / "ntm_memory.json")) == {ident(0): record(0).content}

    def test_a_new_name_without_an_ending_is_a_folder(self, tmp_path: Path) -> None:
        """It is made with the first memory, and named the same way ever after."""
        commit(open_store(tmp_path / "notes"), memorized(0))
        assert (tmp_path / "notes" / "ntm_memory.json").is_file()
        assert contents(open_store(tmp_path / "notes")) == {ident(0): record(0).content}

    def test_a_file_without_an_ending_is_the_snapshot_itself(self, tmp_path: Path) -> None:
        """Somebody renamed it; it is opened as it is called."""
        commit(open_store(tmp_path / "notes.json"), memorized(0))
        compact(open_store(tmp_path / "notes.json"))
        (tmp_path / "notes.json").rename(tmp_path / "notes")
        assert contents(open_store(tmp_path / "notes")) == {ident(0): record(0).content}

    def test_memories_in_one_folder_are_apart(self, tmp_path: Path) -> None:
        """A name that begins like another one's included."""
        for number, name in enumerate(("a.json", "a.b.json", "ab.json")):
            commit(open_store(tmp_path / name), memorized(number))
        for number, name in enumerate(("a.json", "a.b.json", "ab.json")):
            assert list(open_store(tmp_path / name).state.records) == [ident(number)]


class TestReopening:
    """What another process finds."""

    @pytest.mark.parametrize("compact_after", range(len(eventful()) + 1))
    def test_it_gives_the_state_of_all_commits(self, path: Path, compact_after: int) -> None:
        """From journal and snapshot together, wherever the history was folded."""
        store = open_store(path)
        for number, events in enumerate(eventful(), 1):
            commit(store, *events)
            if number == compact_after:
                compact(store)
        found = open_store(path)
        assert found.state == store.state == folded(eventful())
        assert list(found.state.records) == list(store.state.records)
        assert (found.encoder, found.sequence, found.warnings) == (store.encoder, len(eventful()), ())

    def test_sequence_numbers_go_on(self, path: Path) -> None:
        """Across processes and snapshots: they tell which lines a snapshot holds."""
        for number in range(4):
            store = open_store(path)
            assert store.sequence == number
            commit(store, memorized(number))
            if number % 2:
                compact(store)
        assert open_store(path).sequence == 4

    def test_key_rows_come_back_for_live_and_forgotten_memories(self, path: Path) -> None:
        """Out of the journal before compacting, out of the cache after it; nothing has to be encoded anew."""
        store = open_store(path)
        for events in eventful():
            commit(store, *events)
        expected = {ident(0): row(10), **{ident(number): row(number) for number in (1, 3, 5, 6, 7, 8)}}
        for _ in range(2):
            found = open_store(path)
            rows, encoder = found.key_rows(), found.encoder
            assert encoder is not None
            for known in found.state.remembered():
                place = rows.position(encoder.digest(indexed_text(known.key, known.content)))
                assert place is not None
                assert rows.keys[place].tobytes() == expected[known.id]
            compact(found)
        assert len(rows) == len(expected)

    def test_a_missing_or_damaged_key_cache_is_no_error(self, path: Path) -> None:
        """It is only a cache."""
        store = open_store(path)
        commit(store, memorized(0))
        compact(store)
        for data in (b"", b"no array"):
            store.paths.keys.write_bytes(data)
            found = open_store(path)
            assert contents(found) == {ident(0): record(0).content}
            assert len(found.key_rows()) == 0
        store.paths.keys.unlink()
        assert len(open_store(path).key_rows()) == 0

    def test_supplied_rows_are_saved_by_the_next_compaction(self, path: Path) -> None:
        """They were missing once and are encoded once."""
        store = open_store(path)
        commit(store, memorized(0))
        rows = store.key_rows()
        compact(store)
        store.paths.keys.unlink()
        store.supply(rows)
        compact(store)
        assert open_store(path).key_rows().keys.tolist() == rows.keys.tolist()

    def test_a_snapshot_alone_is_a_whole_memory(self, path: Path) -> None:
        """A backup of the one readable file restores everything that was folded."""
        store = open_store(path)
        for events in eventful():
            commit(store, *events)
        compact(store)
        (path.parent / "elsewhere").mkdir()
        path = path.rename(path.parent / "elsewhere" / path.name)
        found = open_store(path)
        assert found.state == folded(eventful())
        commit(found, memorized(30))
        assert open_store(path).state == folded([*eventful(), [memorized(30)]])

    def test_an_older_journal_beside_a_newer_snapshot_does_no_harm(self, path: Path) -> None:
        """Its lines are in the snapshot; what is committed behind them can be read again."""
        store = open_store(path)
        commit(store, memorized(0))
        older = store.paths.journal.read_bytes()
        for number in (1, 2):
            commit(store, memorized(number))
        compact(store)
        store.paths.journal.write_bytes(older)
        commit(open_store(path), memorized(3))
        assert list(open_store(path).state.records) == [ident(number) for number in range(4)]


class TestFolding:
    """When folding the journal pays."""

    def test_a_small_snapshot_is_always_worth_rewriting(self, path: Path) -> None:
        """As soon as there is something to fold, and no longer once it is folded."""
        store = open_store(path)
        commit(store, memorized(0))
        assert store.worth_folding(closing=True)
        compact(store)
        assert not store.worth_folding(closing=True)
        assert not open_store(path).worth_folding(closing=True)

    def test_a_large_snapshot_is_rewritten_once_the_journal_has_its_share(self, path: Path) -> None:
        """Rewriting costs its size, so it waits until the journal has grown to half of it."""
        store = DirectoryStore(path, clock=ticking_clock(), settings=StoreSettings(fold_ratio=0.5, fold_always_below=0))
        commit(store, *(memorized(number) for number in range(40)))
        compact(store)
        due = []
        for number in range(40, 60):
            commit(store, memorized(number))
            due.append(store.worth_folding(closing=True))
            assert due[-1] == (store.paths.journal.stat().st_size > 0.5 * path.stat().st_size)
        assert due[0] is False
        assert due[-1] is True
