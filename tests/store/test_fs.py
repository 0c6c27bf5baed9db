"""Each call of the file system: what is in the folder afterwards, and what it asks the operating system to wait for."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import PathRefused, StoreFull, StoreUnreachable
from ntm_memory_skill.store.fs import FileSystem, translated
from tests.store.builders import read_only_disk
from tests.store.doubles import Fault, FaultyOS, WatchedOS, installed

FS = FileSystem()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a file would be, in a folder that is there."""
    return tmp_path / "file.jsonl"


@contextmanager
def calls() -> Iterator[list[str]]:
    """Collect the names of the system calls that are made in the block."""
    names: list[str] = []
    with installed(WatchedOS()) as double:
        yield names
    names.extend(call.name for call in double.calls)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Have a umask within the block."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    """Return the permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


class TestLooking:
    """Signatures, reading, and names in a folder."""

    def test_what_is_not_there_is_none(self, file: Path) -> None:
        """A file, or the folder that it would be in."""
        for path in (file, file.parent / "nowhere" / "file"):
            assert FS.signature(path) is None
            assert FS.read(path) is None
            assert FS.map(path) is None
        assert FS.list_folder(file.parent / "nowhere") == []

    def test_a_file_is_read_from_any_place_on(self, file: Path) -> None:
        """Behind its end there is nothing; the signature is of the whole file."""
        file.write_bytes(b"0123456789")
        for offset in range(12):
            assert FS.read(file, offset) == (b"0123456789"[offset:], FS.signature(file))

    def test_a_map_is_the_file_as_it_was(self, file: Path) -> None:
        """Though it is replaced, or deleted, or grows; one that is empty is read, for nothing can be mapped."""
        file.write_bytes(b"0123456789")
        found = FS.map(file)
        assert isinstance(found, mmap.mmap)
        FS.append(file, b"more", 10)
        FS.replace(file, b"another")
        FS.remove(file)
        assert found[:] == b"0123456789"
        file.touch()
        assert FS.map(file) == b""

    def test_where_nothing_can_be_mapped_the_file_is_read(self, file: Path) -> None:
        """Some file systems have no maps."""
        file.write_bytes(b"0123456789")
        with installed(FaultyOS(lambda _, call: Fault("refused", errno.ENODEV) if call.name == "mmap" else None)):
            assert FS.map(file) == b"0123456789"

    def test_the_signature_tells_two_states_of_a_file_apart(self, file: Path) -> None:
        """By length, by time, and by which file it is."""
        signatures = [FS.append(file, b"a", 0), FS.append(file, b"b", 1), FS.replace(file, b"ab")]
        os.utime(file, ns=(0, 1))
        signatures.append(FS.signature(file))  # type: ignore[arg-type]  # it is there
        assert len(set(signatures)) == 4

    def test_names_in_a_folder_are_sorted(self, tmp_path: Path) -> None:
        """Whatever order the disk has them in."""
        for name in ("b", "a", "记", "A"):
            (tmp_path / name).touch()
        assert FS.list_folder(tmp_path) == ["A", "a", "b", "记"]

    def test_a_file_cannot_be_listed(self, file: Path) -> None:
        """It is no empty folder."""
        file.touch()
        with pytest.raises(StoreUnreachable):
            FS.list_folder(file)


class TestStrangers:
    """Links, folders and pipes in a file's place."""

    EVERY_WAY = pytest.mark.parametrize(
        "way",
        [
            FS.signature,
            FS.read,
            FS.map,
            FS.sync,
            lambda path: FS.append(path, b"data", 0),
            lambda path: FS.cut(path, 0),
            lambda path: FS.overwrite(path, b"data", 0),
        ],
        ids=["signature", "read", "map", "sync", "append", "cut", "overwrite"],
    )

    @EVERY_WAY
    @pytest.mark.parametrize("target", ["victim", "nowhere"])
    def test_a_symbolic_link_is_refused(self, file: Path, way: Callable[[Path], object], target: str) -> None:
        """What it points to is neither read, written nor made."""
        victim = file.with_name("victim")
        victim.write_bytes(b"not ours")
        file.symlink_to(file.with_name(target))
        with pytest.raises(PathRefused) as caught:
            way(file)
        assert caught.value.code == "path_refused"
        assert victim.read_bytes() == b"not ours"
        assert not file.with_name("nowhere").exists()

    @EVERY_WAY
    def test_a_folder_is_refused(self, file: Path, way: Callable[[Path], object]) -> None:
        """Whether this is noticed by us or by the operating system."""
        file.mkdir()
        with pytest.raises((PathRefused, StoreUnreachable)):
            way(file)

    @EVERY_WAY
    @pytest.mark.skipif(os.name == "nt", reason="there are no named pipes in folders")
    def test_a_pipe_is_refused_and_not_waited_for(self, file: Path, way: Callable[[Path], object]) -> None:
        """Nobody is at its other end, so that opening it the usual way would hang."""
        os.mkfifo(file)
        with pytest.raises((PathRefused, StoreUnreachable)):
            way(file)

    def test_replacing_and_keeping_take_a_link_s_place(self, file: Path) -> None:
        """They never write to a name that is there already."""
        victim = file.with_name("victim")
        victim.write_bytes(b"not ours")
        for name in ("file.jsonl", "file.jsonl.tmp", "kept", "kept.tmp"):
            file.with_name(name).symlink_to(victim)
        FS.replace(file, b"ours")
        FS.preserve(file, file.with_name("kept"))
        assert victim.read_bytes() == b"not ours"
        assert file.read_bytes() == file.with_name("kept").read_bytes() == b"ours"
        assert sorted(path.name for path in file.parent.iterdir()) == ["file.jsonl", "kept", "victim"]

    def test_a_link_itself_is_removed(self, file: Path) -> None:
        """And what it points to stays."""
        victim = file.with_name("victim")
        victim.write_bytes(b"not ours")
        file.symlink_to(victim)
        FS.remove(file)
        assert victim.read_bytes() == b"not ours"
        assert not file.is_symlink()


class TestAppending:
    """`append` and `cut`."""

    @given(st.lists(st.binary(max_size=20), max_size=5), st.binary(max_size=10))
    @settings(deadline=None, max_examples=40)
    def test_parts_follow_each_other_and_a_torn_end_is_written_over(self, parts: list[bytes], torn: bytes) -> None:
        """Whatever an earlier crash left behind the place to go on at."""
        with temporary_file() as file:
            for number in range(len(parts)):
                at = len(b"".join(parts[:number]))
                with file.open("ab") as handle:
                    handle.write(torn)
                signature = FS.append(file, parts[number], at)
                assert signature == FS.signature(file)
                assert file.read_bytes() == b"".join(parts[: number + 1])

    def test_cutting_leaves_what_is_before(self, file: Path) -> None:
        """And says what the file is now."""
        file.write_bytes(b"whole torn")
        assert FS.cut(file, 6) == FS.signature(file)
        assert file.read_bytes() == b"whole "

    def test_it_waits_for_the_disk_unless_it_need_not(self, file: Path) -> None:
        """The file; and its folder, where the file's name is new."""
        for at, sync, expected in ((0, True, 2), (1, True, 1), (2, False, 0), (3, True, 1)):
            with calls() as made:
                FS.append(file, b"x", at, sync=sync)
            assert made.count("fsync") == expected

    def test_the_data_is_written_before_it_is_waited_for(self, file: Path) -> None:
        """Waiting for what is not written yet says nothing."""
        with calls() as made:
            FS.append(file, b"x", 0)
        assert made.index("write") < made.index("fsync")
        assert "write" not in made[made.index("fsync") :]

    def test_a_new_file_is_its_owner_s_alone(self, file: Path) -> None:
        """Whatever the umask allows; what it forbids stays forbidden."""
        for mask, expected in ((0, 0o600), (0o077, 0o600), (0o277, 0o400)):
            with umask(mask):
                for make in (FS.append, FS.overwrite):
                    make(file, b"x", 0)
                    assert mode(file) == expected
                    file.unlink()


class TestSyncing:
    """`sync`."""

    def test_it_waits_for_the_file_and_changes_nothing(self, file: Path) -> None:
        """Not even the time, by which others would take it for news."""
        file.write_bytes(b"data")
        before = FS.signature(file)
        with calls() as made:
            FS.sync(file)
        assert made.count("fsync") == 1
        assert (FS.signature(file), file.read_bytes()) == (before, b"data")

    def test_a_file_that_is_gone_is_unreachable(self, file: Path) -> None:
        """And is not made."""
        with pytest.raises(StoreUnreachable):
            FS.sync(file)
        assert not file.exists()


class TestReplacing:
    """`replace`."""

    def test_the_new_file_is_there_and_no_temporary_one(self, file: Path) -> None:
        """Where there was none, where there was one, and where a crash had left a temporary one."""
        for data in (b"first", b"second", b""):
            assert FS.replace(file, data) == FS.signature(file)
            assert file.read_bytes() == data
            assert list(file.parent.iterdir()) == [file]
            file.with_name(file.name + ".tmp").write_bytes(b"left by a crash")

    def test_data_reaches_the_disk_before_the_name_and_the_name_before_the_return(self, file: Path) -> None:
        """In any other order a crash could leave a name without its data."""
        with calls() as made:
            FS.replace(file, b"data")
        steps = [name for name in made if name in {"write", "fsync", "replace"}]
        assert steps == ["write", "fsync", "replace", "fsync"]

    def test_who_has_the_old_file_open_keeps_it(self, file: Path) -> None:
        """A reader never sees half of each."""
        FS.replace(file, b"old")
        with file.open("rb") as handle:
            FS.replace(file, b"new")
            assert handle.read() == b"old"

    def test_the_file_is_its_owner_s_alone(self, file: Path) -> None:
        """Also where the one before could be read by everyone."""
        file.write_bytes(b"old")
        file.chmod(0o644)
        with umask(0):
            FS.replace(file, b"new")
        assert mode(file) == 0o600


class TestOverwriting:
    """`overwrite`."""

    def test_bytes_are_written_in_place_and_not_waited_for(self, file: Path) -> None:
        """What is around them stays."""
        FS.overwrite(file, b"0123456789", 0)
        with calls() as made:
            FS.overwrite(file, b"ab", 4)
        assert file.read_bytes() == b"0123ab6789"
        assert "fsync" not in made

    def test_a_gap_is_filled_with_zeros(self, file: Path) -> None:
        """A reader of the first part finds no such note there."""
        FS.overwrite(file, b"x", 3)
        assert file.read_bytes() == b"\0\0\0x"


class TestRemoving:
    """`remove`."""

    def test_a_file_is_gone_for_good(self, file: Path) -> None:
        """The folder is waited for: what was purged must not come back after a power failure."""
        file.touch()
        with calls() as made:
            FS.remove(file)
        assert not file.exists()
        assert made.count("fsync") == 1

    def test_what_is_not_there_need_not_be_removed(self, file: Path) -> None:
        """Another process was faster."""
        with calls() as made:
            FS.remove(file)
        assert "fsync" not in made


class TestFolders:
    """`make_folder`."""

    def test_missing_parents_are_made_and_all_of_them_are_private(self, tmp_path: Path) -> None:
        """Whatever the umask allows. Those that were there stay as they were."""
        tmp_path.chmod(0o755)
        for mask in (0, 0o022):
            deepest = tmp_path / f"{mask}" / "b" / "c"
            with umask(mask):
                FS.make_folder(deepest)
            assert [mode(deepest), mode(deepest.parent), mode(deepest.parent.parent)] == [0o700] * 3
        assert mode(tmp_path) == 0o755

    def test_a_stricter_umask_takes_away_more(self, tmp_path: Path) -> None:
        """It is the owner's wish."""
        with umask(0o277):
            FS.make_folder(tmp_path / "folder")
        assert mode(tmp_path / "folder") == 0o500

    def test_each_new_name_is_waited_for(self, tmp_path: Path) -> None:
        """A memory that was acknowledged needs all the folders above it."""
        with calls() as made:
            FS.make_folder(tmp_path / "a" / "b" / "c")
        assert [name for name in made if name in {"mkdir", "fsync"}] == ["mkdir", "fsync"] * 3

    def test_a_folder_that_is_there_costs_one_look(self, tmp_path: Path) -> None:
        """It is asked for at every write."""
        (tmp_path / "folder").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "folder")
        for name in ("folder", "link"):
            with calls() as made:
                FS.make_folder(tmp_path / name)
            assert made == ["stat"]

    def test_another_process_may_be_faster(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The folder is there, and that was all that was wanted."""
        plain_mkdir = os.mkdir

        def after_another(path: Path, mode: int) -> None:
            plain_mkdir(path, mode)
            plain_mkdir(path, mode)

        monkeypatch.setattr(os, "mkdir", after_another)
        FS.make_folder(tmp_path / "a" / "b")
        assert (tmp_path / "a" / "b").is_dir()

    def test_a_file_in_its_place_is_unreachable(self, tmp_path: Path) -> None:
        """Or above it."""
        (tmp_path / "file").touch()
        for path in (tmp_path / "file", tmp_path / "file" / "folder"):
            with pytest.raises(StoreUnreachable):
                FS.make_folder(path)


class TestErrors:
    """The operating system's errors come out as ours."""

    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            (errno.ENOSPC, StoreFull),
            (errno.EDQUOT, StoreFull),
            (errno.ELOOP, PathRefused),
            (errno.EACCES, StoreUnreachable),
            (errno.EIO, StoreUnreachable),
            (errno.ENAMETOOLONG, StoreUnreachable),
            (None, StoreUnreachable),
        ],
    )
    def test_the_class_says_what_to_do(self, file: Path, code: int | None, expected: type[Exception]) -> None:
        """To free space, to move a link away, or to look at permissions."""
        with pytest.raises(expected), translated(file):
            raise OSError if code is None else OSError(code, os.strerror(code))

    def test_other_errors_pass(self, file: Path) -> None:
        """They are faults of the program."""
        with pytest.raises(LookupError), translated(file):
            raise LookupError

    def test_nothing_is_changed_on_a_disk_that_refuses(self, file: Path) -> None:
        """Every call that changes something is refused; a look is not."""
        file.write_bytes(b"data")
        changes: list[Callable[[], object]] = [
            lambda: FS.append(file, b"x", 4),
            lambda: FS.cut(file, 0),
            lambda: FS.replace(file, b"x"),
            lambda: FS.preserve(file, file.with_name("kept")),
            lambda: FS.overwrite(file, b"x", 0),
            lambda: FS.remove(file),
            lambda: FS.make_folder(file.parent / "folder"),
        ]
        with read_only_disk():
            for change in changes:
                with pytest.raises(StoreUnreachable):
                    change()
            assert FS.read(file) == (b"data", FS.signature(file))
        assert list(file.parent.iterdir()) == [file]


@contextmanager
def temporary_file() -> Iterator[Path]:
    """Give a path in a folder of its own: each example of a property starts from nothing."""
    with TemporaryDirectory() as folder:
        yield Path(folder) / "file"
