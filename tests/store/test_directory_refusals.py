"""Files that cannot be trusted or reached are refused with a code, and left as they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreDamaged, StoreTooNew, StoreUnreachable
from ntm_memory_skill.store import DirectoryStore, State
from tests.store.builders import all_bytes, commit, compact, contents, ident, memorized, open_store, record
from tests.store.doubles import ForbiddenFileSystem


class TestDamage:
    """Files that do not hold what was written are refused, and left as they are."""

    @staticmethod
    def history(path: Path) -> DirectoryStore:
        """Leave a memory with a snapshot of one record and two more in the journal."""
        store = open_store(path)
        commit(store, memorized(0))
        compact(store)
        commit(store, memorized(1))
        commit(store, memorized(2))
        return store

    def refused(self, path: Path, error: type[Exception]) -> None:
        """Check that the files are refused and untouched."""
        before = all_bytes(path.parent)
        with pytest.raises(error):
            open_store(path)
        assert all_bytes(path.parent) == before

    def test_a_snapshot_cut_in_half_is_refused(self, path: Path) -> None:
        """And not taken for an empty memory, which the next write would make true."""
        self.history(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        self.refused(path, StoreDamaged)

    def test_an_empty_snapshot_is_refused(self, path: Path) -> None:
        """The same, at its most tempting."""
        self.history(path)
        path.write_bytes(b"")
        self.refused(path, StoreDamaged)

    def test_a_journal_without_its_snapshot_is_refused(self, path: Path) -> None:
        """What was folded before is missing."""
        self.history(path)
        path.unlink()
        self.refused(path, StoreDamaged)

    def test_a_journal_of_a_later_snapshot_is_refused(self, path: Path) -> None:
        """The snapshot is an old copy: what was folded since is missing."""
        store = open_store(path)
        commit(store, memorized(0))
        older = path.read_bytes()
        compact(store)
        path.write_bytes(older)
        self.refused(path, StoreDamaged)

    def test_a_damaged_line_before_the_last_is_refused(self, path: Path) -> None:
        """Whatever stands behind it may build on it."""
        store = self.history(path)
        lines = store.paths.journal.read_bytes().split(b"\n")
        lines[1] = lines[1].replace(b"memory", b"mammoth")
        store.paths.journal.write_bytes(b"\n".join(lines))
        self.refused(path, StoreDamaged)

    def test_a_newer_release_s_files_are_refused_and_untouched(self, path: Path) -> None:
        """Snapshot and journal alike."""
        store = self.history(path)
        for file in (store.paths.journal, path):
            file.write_bytes(file.read_bytes().replace(b'"version":1', b'"version":9', 1))
            self.refused(path, StoreTooNew)

    def test_a_torn_last_line_is_dropped_and_reported(self, path: Path) -> None:
        """What was acknowledged before it is there; the file is not touched by looking."""
        store = self.history(path)
        whole = store.paths.journal.read_bytes()
        store.paths.journal.write_bytes(whole[:-20])
        before = all_bytes(path.parent)
        found = open_store(path)
        assert list(found.state.records) == [ident(0), ident(1)]
        assert len(found.warnings) == 1
        assert all_bytes(path.parent) == before

    def test_a_torn_first_line_is_dropped_and_reported(self, path: Path) -> None:
        """The very first write was cut short, within the journal's header."""
        store = open_store(path)
        commit(store, memorized(0))
        store.paths.journal.write_bytes(store.paths.journal.read_bytes()[:15])
        found = open_store(path)
        assert found.state == State()
        assert len(found.warnings) == 1
        commit(found, memorized(1))
        assert open_store(path).warnings == ()
        assert list(open_store(path).state.records) == [ident(1)]

    def test_the_next_commit_takes_the_torn_line_s_place(self, path: Path) -> None:
        """And is read by everyone, without a warning."""
        store = self.history(path)
        store.paths.journal.write_bytes(store.paths.journal.read_bytes()[:-20])
        commit(open_store(path), memorized(7))
        found = open_store(path)
        assert list(found.state.records) == [ident(0), ident(1), ident(7)]
        assert found.warnings == ()


class TestReach:
    """Paths that cannot be read or written."""

    def test_a_path_that_cannot_be_looked_at_is_unreachable(self, tmp_path: Path) -> None:
        """Too long a name, a file where a folder should be, a folder where the file should be."""
        (tmp_path / "file").write_bytes(b"")
        (tmp_path / "folder.json" / "ntm_memory.json").mkdir(parents=True)
        for path in (tmp_path / ("x" * 300), tmp_path / "file" / "x.json", tmp_path / "folder.json"):
            with pytest.raises(StoreUnreachable):
                open_store(path)

    def test_a_folder_that_cannot_be_made_is_unreachable(self, path: Path) -> None:
        """Reading is still possible: there is nothing."""
        store = open_store(path, ForbiddenFileSystem())
        with pytest.raises(StoreUnreachable):
            commit(store, memorized(0))
        assert store.state == State()
        assert not path.parent.exists()

    def test_a_read_only_memory_can_be_read(self, path: Path) -> None:
        """Writing to it is refused with a code, and changes nothing."""
        commit(open_store(path), memorized(0))
        before = all_bytes(path.parent)
        store = open_store(path, ForbiddenFileSystem())
        for change in (lambda: commit(store, memorized(1)), lambda: compact(store)):
            with pytest.raises(StoreUnreachable):
                change()
        assert contents(store) == {ident(0): record(0).content}
        assert all_bytes(path.parent) == before

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
    def test_a_folder_without_permission_to_write_can_be_read(self, path: Path) -> None:
        """The same with the operating system's own refusal."""
        commit(open_store(path), memorized(0))
        path.parent.chmod(0o500)
        for file in path.parent.iterdir():
            file.chmod(0o400)
        try:
            store = open_store(path)
            with pytest.raises(StoreUnreachable):
                commit(store, memorized(1))
            assert contents(open_store(path)) == {ident(0): record(0).content}
        finally:
            path.parent.chmod(0o700)

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
    def test_a_folder_without_permission_to_look_is_unreachable(self, path: Path) -> None:
        """It may hold a memory: to say that there is none would be a guess."""
        commit(open_store(path), memorized(0))
        path.parent.chmod(0)
        try:
            with pytest.raises(StoreUnreachable):
                open_store(path)
        finally:
            path.parent.chmod(0o700)
