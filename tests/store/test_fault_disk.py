"""The model of a disk, by itself: it must allow all that POSIX allows, or the suites that rely on it find nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ntm_memory_skill.store.fs import FileSystem
from tests.store.disk import Picture, VolatileDisk
from tests.store.doubles import Fault, ProcessDeath, installed, once

NEW = os.O_WRONLY | os.O_CREAT
Left = set[tuple[tuple[str, bytes], ...]]


def disk_of(root: Path) -> VolatileDisk:
    """Return a disk that nobody watches."""
    return VolatileDisk(root, lambda _: None)


def left_on(disk: VolatileDisk) -> Left:
    """Return everything that a power failure may leave: names and contents."""
    return {tuple((name, content) for name, content, _ in outcome.picture.files) for outcome in disk.outcomes()}


def written(disk: VolatileDisk, path: Path, data: bytes, *, sync: bool = False) -> None:
    """Write a file from its beginning on."""
    handle = disk.open(path, NEW, 0o600)
    disk.write(handle, memoryview(data))
    if sync:
        disk.fsync(handle)
    disk.close(handle)


def settled(disk: VolatileDisk, folder: Path) -> None:
    """Sync a folder."""
    handle = disk.open(folder, os.O_RDONLY)
    disk.fsync(handle)
    disk.close(handle)


def test_of_a_new_file_nothing_or_any_part_may_survive(tmp_path: Path) -> None:
    """Its name alone, its length alone, half of it, or all."""
    disk = disk_of(tmp_path)
    written(disk, tmp_path / "f", b"1234")
    parts = (b"", b"12", bytes(4), b"1234")
    assert left_on(disk) == {(), *((("f", part),) for part in parts)}


def test_a_synced_file_may_lack_its_name(tmp_path: Path) -> None:
    """Until its folder is synced, too."""
    disk = disk_of(tmp_path)
    written(disk, tmp_path / "f", b"1234", sync=True)
    assert left_on(disk) == {(), (("f", b"1234"),)}
    settled(disk, tmp_path)
    assert left_on(disk) == {(("f", b"1234"),)}


def test_a_synced_name_may_lack_its_data(tmp_path: Path) -> None:
    """A rename that reached the disk before what was renamed."""
    (tmp_path / "f").write_bytes(b"old")
    disk = disk_of(tmp_path)
    written(disk, tmp_path / "f.tmp", b"new!")
    disk.replace(tmp_path / "f.tmp", tmp_path / "f")
    settled(disk, tmp_path)
    assert left_on(disk) == {(("f", part),) for part in (b"", b"ne", bytes(4), b"new!")}


def test_renames_survive_in_any_order(tmp_path: Path) -> None:
    """The later one alone, for example."""
    for name in ("a", "b", "a.tmp", "b.tmp"):
        (tmp_path / name).write_bytes(name.encode())
    disk = disk_of(tmp_path)
    for name in ("a", "b"):
        disk.replace(tmp_path / f"{name}.tmp", tmp_path / name)
    found = {(dict(files)["a"], dict(files)["b"]) for files in left_on(disk)}
    assert found == {(b"a", b"b"), (b"a.tmp", b"b"), (b"a", b"b.tmp"), (b"a.tmp", b"b.tmp")}


def test_what_was_deleted_may_be_there_again(tmp_path: Path) -> None:
    """Until the folder is synced."""
    (tmp_path / "f").write_bytes(b"secret")
    disk = disk_of(tmp_path)
    disk.unlink(tmp_path / "f")
    assert left_on(disk) == {(), (("f", b"secret"),)}
    settled(disk, tmp_path)
    assert left_on(disk) == {()}


def test_a_second_name_has_the_same_content(tmp_path: Path) -> None:
    """Synced under one name, it is synced under both."""
    (tmp_path / "f").write_bytes(b"1")
    disk = disk_of(tmp_path)
    disk.link(tmp_path / "f", tmp_path / "g")
    settled(disk, tmp_path)
    written(disk, tmp_path / "g", b"12", sync=True)
    assert left_on(disk) == {(("f", b"12"), ("g", b"12"))}


def test_a_line_that_was_cut_off_may_be_there_again_in_part(tmp_path: Path) -> None:
    """New bytes over old ones, as sectors reach the disk one by one."""
    (tmp_path / "f").write_bytes(b"1\ntorn line")
    disk = disk_of(tmp_path)
    with installed(disk):
        FileSystem().append(tmp_path / "f", b"new\n", 2, sync=False)
    assert (("f", b"1\nnern line"),) in left_on(disk)


def test_what_is_in_a_folder_that_is_lost_is_lost(tmp_path: Path) -> None:
    """However well it was itself synced."""
    disk = disk_of(tmp_path)
    disk.mkdir(tmp_path / "folder", 0o700)
    written(disk, tmp_path / "folder" / "f", b"1", sync=True)
    settled(disk, tmp_path / "folder")
    assert () in left_on(disk)
    settled(disk, tmp_path)
    assert left_on(disk) == {((str(Path("folder", "f")), b"1"),)}


@pytest.mark.parametrize(
    ("act", "sure"),
    [
        (lambda path: FileSystem().replace(path, b"new"), b"new"),
        (lambda path: FileSystem().append(path, b"new", 3), b"oldnew"),
        (lambda path: FileSystem().append(path, b"new", 3, sync=False), None),
        (lambda path: FileSystem().cut(path, 1), b"o"),
        (lambda path: FileSystem().overwrite(path, b"n", 0), None),
        (lambda path: FileSystem().preserve(path, path.with_name("g")), b"old"),
    ],
    ids=["replace", "append", "append without sync", "cut", "overwrite", "preserve"],
)
def test_what_the_store_s_calls_promise_is_kept(
    tmp_path: Path, act: Callable[[Path], object], sure: bytes | None
) -> None:
    """And what they do not promise may be lost."""
    (tmp_path / "f").write_bytes(b"old")
    disk = disk_of(tmp_path)
    with installed(disk):
        act(tmp_path / "f")
    found = {dict(files)["f"] for files in left_on(disk)}
    assert found == {sure} if sure is not None else len(found) > 1


def test_pictures_are_laid_out_as_they_were_taken(tmp_path: Path) -> None:
    """Folders, contents and second names; the lock is left out."""
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "f").write_bytes(b"1")
    (root / "folder" / "g").hardlink_to(root / "f")
    (root / "h").write_bytes(b"1")
    (root / "m.lock").write_bytes(b"")
    picture = Picture.of(root)
    picture.lay(tmp_path / "other")
    assert Picture.of(tmp_path / "other") == picture
    assert not (tmp_path / "other" / "m.lock").exists()
    assert (tmp_path / "other" / "f").samefile(tmp_path / "other" / "folder" / "g")
    assert not (tmp_path / "other" / "f").samefile(tmp_path / "other" / "h")


def test_a_dead_process_makes_no_more_calls_until_another_begins(tmp_path: Path) -> None:
    """Not even those that would clean up."""
    disk = VolatileDisk(tmp_path, lambda _: None, once(1, Fault("dies midway")))
    with pytest.raises(ProcessDeath):
        written(disk, tmp_path / "f", b"1234")
    with pytest.raises(ProcessDeath):
        disk.unlink(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"12"
    disk.restart()
    disk.unlink(tmp_path / "f")
    assert not list(tmp_path.iterdir())
