"""Files that cannot be trusted or reached are refused with a code, and left as they are."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from ntm_memory_skill.errors import PathRefused, StoreDamaged, StoreError, StoreTooNew, StoreUnreachable
from ntm_memory_skill.store import DirectoryStore, State
from tests.store.builders import all_bytes, commit, compact, contents, die_writing, ident, memorized, open_store, record
from tests.store.doubles import ForbiddenFileSystem
from tests.store.remarks import remark


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
            file.write_bytes(file.read_bytes().replace(b'"version":2', b'"version":9', 1))
            self.refused(path, StoreTooNew)

    @pytest.mark.parametrize("torn", [0, 1, 20, 1000])
    def test_an_acknowledged_entry_that_is_gone_is_refused(self, path: Path, torn: int) -> None:
        """The journal ends before it, on a whole line or in the middle of one: that is no unfinished write."""
        store = self.history(path)
        journal = store.paths.journal.read_bytes()
        before = journal[: journal.rstrip(b"\n").rfind(b"\n") + 1]
        store.paths.journal.write_bytes((before + journal[len(before) :][:torn])[:-1] if torn else before)
        self.refused(path, StoreDamaged)

    def test_a_journal_that_is_gone_with_acknowledged_entries_is_refused(self, path: Path) -> None:
        """The snapshot is whole, and older than what was promised."""
        self.history(path).paths.journal.unlink()
        self.refused(path, StoreDamaged)

    def test_a_memory_that_is_gone_but_for_its_note_is_refused(self, path: Path) -> None:
        """To begin a new one in its place would hide the loss."""
        store = self.history(path)
        for file in (store.paths.snapshot, store.paths.journal, store.paths.keys, *store.paths.previous):
            file.unlink()
        self.refused(path, StoreDamaged)

    def test_the_snapshot_of_one_memory_and_the_journal_of_another_are_refused(self, tmp_path: Path) -> None:
        """The journal goes on behind another entry than the snapshot's last, though the generation is the same."""
        one, other = open_store(tmp_path / "one.json"), open_store(tmp_path / "other.json")
        for number in range(3):
            commit(one, memorized(number))
        commit(other, memorized(0))
        for store in (one, other):
            compact(store)
        other.paths.journal.write_bytes(one.paths.journal.read_bytes())
        self.refused(tmp_path / "other.json", StoreDamaged)


class TestUnfinishedWrites:
    """What a process left that died while it wrote: nothing of it was acknowledged."""

    @pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
    def test_a_torn_last_line_is_dropped_and_reported(self, path: Path, share: float) -> None:
        """What was acknowledged before it is there; the file is not touched by one who only looks."""
        TestDamage.history(path)
        die_writing(path, memorized(3), share=share)
        before = all_bytes(path.parent)
        for _ in range(2):
            found = open_store(path, tidy=False)
            assert list(found.state.records) == [ident(0), ident(1), ident(2)]
            assert len(found.warnings) == 1
        assert all_bytes(path.parent) == before

    @pytest.mark.parametrize("share", [0.05, 0.3, 0.99])
    def test_a_torn_first_line_is_dropped_and_reported(self, path: Path, share: float) -> None:
        """The very first write was cut short, within the journal's header or behind it."""
        die_writing(path, memorized(0), share=share)
        found = open_store(path, tidy=False)
        assert found.state == State()
        assert len(found.warnings) == 1
        commit(found, memorized(1))
        assert open_store(path).warnings == ()
        assert list(open_store(path).state.records) == [ident(1)]

    def test_a_line_that_is_torn_after_the_note_was_lost_is_dropped_and_reported(self, path: Path) -> None:
        """The note is not waited for, so that it may be gone after a power failure: then it says nothing."""
        store = TestDamage.history(path)
        store.paths.journal.write_bytes(store.paths.journal.read_bytes()[:-20])
        store.paths.writer.unlink()
        found = open_store(path)
        assert list(found.state.records) == [ident(0), ident(1)]
        assert len(found.warnings) == 1

    def test_the_next_commit_takes_the_torn_line_s_place(self, path: Path) -> None:
        """And is read by everyone, without a warning."""
        TestDamage.history(path)
        die_writing(path, memorized(3))
        commit(open_store(path, tidy=False), memorized(7))
        found = open_store(path)
        assert list(found.state.records) == [ident(0), ident(1), ident(2), ident(7)]
        assert found.warnings == ()

    def test_a_finished_line_with_a_wrong_checksum_is_no_unfinished_write(self, path: Path) -> None:
        """Its newline is written last, so it was whole once; whether it was acknowledged, nobody can tell any more."""
        store = TestDamage.history(path)
        journal = store.paths.journal.read_bytes()
        store.paths.journal.write_bytes(journal[:-3] + b"?" + journal[-2:])
        store.paths.writer.unlink()
        with pytest.raises(StoreDamaged):
            open_store(path)


class TestPlaces:
    """Something stands where a file of the memory should be."""

    FILES = (
        "ntm_memory.json",
        "ntm_memory.journal.jsonl",
        "ntm_memory.keys.npy",
        "ntm_memory.lock",
        "ntm_memory.writer",
        "ntm_memory.head.json",
        "ntm_memory.hops.json",
        "ntm_memory.crossbar.json",
        "ntm_memory.feedback.jsonl",
    )
    EVERY_FILE = pytest.mark.parametrize("name", FILES)

    @EVERY_FILE
    @pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
    def test_a_symbolic_link_is_refused_and_not_followed(self, path: Path, name: str, target: str) -> None:
        """Whoever can plant one could have a file of ours written over, or read another as ours."""
        path.parent.mkdir()
        (path.parent / "elsewhere").write_bytes(b"somebody's own file")
        path.with_name(name).symlink_to(path.parent / target)
        with pytest.raises(PathRefused) as caught:
            open_store(path)
        assert caught.value.code == "path_refused"
        assert (path.parent / "elsewhere").read_bytes() == b"somebody's own file"
        assert not (path.parent / "nowhere").exists()

    @EVERY_FILE
    def test_a_link_that_is_planted_later_is_refused_at_the_next_write(self, path: Path, name: str) -> None:
        """And what it points to stays as it was."""
        store = open_store(path)
        commit(store, memorized(0))
        compact(store)
        with store.transaction():
            store.keep_beside("head", b"numbers")
            store.keep_beside("hops", b"numbers")
            store.keep_beside("crossbar", b"numbers")
            store.keep_feedback(remark(0))
        victim = path.parent / "elsewhere"
        path.with_name(name).rename(victim)
        path.with_name(name).symlink_to(victim)
        before = victim.read_bytes()
        with suppress(StoreError):
            commit(store, memorized(1))
        with suppress(StoreError), store.transaction():
            store.keep_feedback(remark(1))
        assert victim.read_bytes() == before
        with pytest.raises(PathRefused):
            open_store(path)

    @pytest.mark.skipif(os.name == "nt", reason="there are no named pipes in folders")
    @EVERY_FILE
    def test_a_pipe_is_refused(self, path: Path, name: str) -> None:
        """Reading one would wait for ever."""
        path.parent.mkdir()
        os.mkfifo(path.with_name(name))
        handle = os.open(path.with_name(name), os.O_RDWR)  # so that opening it for reading does not hang this test
        try:
            with pytest.raises(PathRefused):
                open_store(path)
        finally:
            os.close(handle)

    @EVERY_FILE
    def test_a_folder_is_refused(self, path: Path, name: str) -> None:
        """However the memory is named: by its snapshot or by its folder."""
        path.with_name(name).mkdir(parents=True)
        with pytest.raises(PathRefused):
            open_store(path.parent)

    def test_a_memory_in_a_linked_folder_is_no_matter(self, path: Path) -> None:
        """Where the folder is, is its owner's business; only the files are ours."""
        commit(open_store(path), memorized(0))
        (path.parent.parent / "link").symlink_to(path.parent)
        store = open_store(path.parent.parent / "link")
        commit(store, memorized(1))
        assert list(open_store(path).state.records) == [ident(0), ident(1)]


class TestReach:
    """Paths that cannot be read or written."""

    def test_a_path_that_cannot_be_looked_at_is_unreachable(self, tmp_path: Path) -> None:
        """Too long a name, a file where a folder should be."""
        (tmp_path / "file").write_bytes(b"")
        for path in (tmp_path / ("x" * 300), tmp_path / "file" / "x.json"):
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
