"""`preserve`: a file is found under a second name, by a hard link or, where there are none, by a copy."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreFull, StoreUnreachable
from ntm_memory_skill.store.fs import FileSystem
from tests.store.doubles import WatchedOS, installed

FS = FileSystem()
NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is there."""
    path = tmp_path / "file"
    path.write_bytes(b"data")
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The second name."""
    return tmp_path / "kept"


@contextmanager
def without_hard_links(code: int) -> Iterator[None]:
    """Have every hard link fail within the block, as on FAT, on a phone's storage, or over some networks."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "link", refuse)
        yield


def names(file: Path) -> list[str]:
    """Return what is in the folder."""
    return sorted(path.name for path in file.parent.iterdir())


def test_a_second_name_costs_no_second_file(file: Path, kept: Path) -> None:
    """It is the same one, whatever its size."""
    FS.preserve(file, kept)
    assert kept.samefile(file)
    assert names(file) == ["file", "kept"]


def test_it_takes_the_place_of_what_was_kept_before(file: Path, kept: Path) -> None:
    """Who had that open keeps it."""
    kept.write_bytes(b"older")
    with kept.open("rb") as handle:
        FS.preserve(file, kept)
        assert handle.read() == b"older"
    assert kept.read_bytes() == b"data"
    assert names(file) == ["file", "kept"]


def test_it_goes_its_own_way_once_the_file_is_replaced(file: Path, kept: Path) -> None:
    """That is what it was kept for."""
    FS.preserve(file, kept)
    FS.replace(file, b"newer")
    assert (file.read_bytes(), kept.read_bytes()) == (b"newer", b"data")


def test_keeping_the_same_file_twice_leaves_no_temporary_name(file: Path, kept: Path) -> None:
    """To rename one name of a file to another name of it does nothing, and succeeds."""
    for _ in range(3):
        FS.preserve(file, kept)
        assert names(file) == ["file", "kept"]
    assert kept.samefile(file)


def test_what_a_crash_left_is_no_obstacle(file: Path, kept: Path) -> None:
    """Whether that was a link to the file itself or half a copy of another."""
    temporary = kept.with_name("kept.tmp")
    for leave in (lambda: os.link(file, temporary), lambda: temporary.write_bytes(b"ha")):
        leave()
        FS.preserve(file, kept)
        assert kept.read_bytes() == b"data"
        assert names(file) == ["file", "kept"]


def test_the_new_name_is_waited_for(file: Path, kept: Path) -> None:
    """Before the file itself is replaced, its second name has to be on the disk."""
    with installed(WatchedOS()) as double:
        FS.preserve(file, kept)
    made = [call.name for call in double.calls]
    assert made.index("link") < made.index("replace") < made.index("fsync")


@pytest.mark.parametrize("code", NO_HARD_LINKS, ids=errno.errorcode.get)
def test_where_there_are_no_hard_links_a_copy_is_made(file: Path, kept: Path, code: int) -> None:
    """Whole, and private, in the place of an older one."""
    kept.write_bytes(b"older")
    with without_hard_links(code):
        FS.preserve(file, kept)
    assert kept.read_bytes() == b"data"
    assert not kept.samefile(file)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert names(file) == ["file", "kept"]


def test_a_copy_goes_its_own_way_from_the_beginning(file: Path, kept: Path) -> None:
    """Unlike a second name, it does not grow with the file."""
    with without_hard_links(errno.EPERM):
        FS.preserve(file, kept)
    FS.append(file, b" and more", 4)
    assert (file.read_bytes(), kept.read_bytes()) == (b"data and more", b"data")


def test_other_errors_are_no_reason_to_copy(file: Path, kept: Path) -> None:
    """What was kept before stays, and no temporary name is left."""
    kept.write_bytes(b"older")
    for code, expected in ((errno.ENOSPC, StoreFull), (errno.EIO, StoreUnreachable), (errno.EROFS, StoreUnreachable)):
        with without_hard_links(code), pytest.raises(expected):
            FS.preserve(file, kept)
        assert kept.read_bytes() == b"older"
        assert names(file) == ["file", "kept"]


def test_a_file_that_is_not_there_cannot_be_kept(file: Path, kept: Path) -> None:
    """Nor does what was kept before go."""
    kept.write_bytes(b"older")
    file.unlink()
    with pytest.raises(StoreUnreachable):
        FS.preserve(file, kept)
    with without_hard_links(errno.EPERM), pytest.raises(StoreUnreachable):
        FS.preserve(file, kept)
    assert names(kept) == ["kept"]
    assert kept.read_bytes() == b"older"
