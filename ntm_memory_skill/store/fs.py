"""The only file system calls of this package.

Everything that can fail on a disk fails here and comes out as a `StoreError`. Each call is `os.something`, or
`mmap.mmap`, so that tests can fail it, or let the machine die before or after it, and can tell that none was left out.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ntm_memory_skill.errors import PathRefused, StoreError, StoreFull, StoreUnreachable

PRIVATE_FILE = 0o600  # a memory is its owner's alone; a stricter umask takes away more
PRIVATE_FOLDER = 0o700
TEMPORARY = ".tmp"

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends
_STRICT = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # no link is followed, no pipe waited for
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES})


class Signature(NamedTuple):
    """What tells two states of a file apart without reading it."""

    inode: int
    size: int
    modified_ns: int


class FileSystem:
    """The calls that the store makes, on the operating system's own file system."""

    def signature(self, path: Path) -> Signature | None:
        """Return the file's signature, or None if there is no such file.

        Raises:
            PathRefused: It is a symbolic link, a folder or a device.
        """
        with translated(path):
            try:
                found = os.lstat(path)
            except FileNotFoundError:
                return None
            return _regular(path, found)

    def read(self, path: Path, offset: int = 0) -> tuple[bytes, Signature] | None:
        """Return a file's bytes from `offset` on and the signature of just that file, or None if there is none.

        Raises:
            PathRefused: As in `signature`.
        """
        with translated(path):
            try:
                handle = os.open(path, os.O_RDONLY | _BINARY | _STRICT)
            except FileNotFoundError:
                return None
            try:
                found = _regular(path, os.fstat(handle))
                os.lseek(handle, offset, os.SEEK_SET)
                return _read_all(handle, max(found.size - offset, 0)), found
            finally:
                _close(handle)

    def map(self, path: Path) -> bytes | mmap.mmap | None:
        """Return a map of a file as it is, or None if there is none. Where nothing can be mapped, it is read.

        A file that is replaced stays as it was for who has mapped it; Windows replaces none that is mapped. One that
        is cut off in place must not be read behind its new end: only for files that are replaced as a whole, and for
        no longer than need be.

        Raises:
            PathRefused: As in `signature`.
        """
        with translated(path):
            try:
                handle = os.open(path, os.O_RDONLY | _BINARY | _STRICT)
            except FileNotFoundError:
                return None
            try:
                found = _regular(path, os.fstat(handle))
                try:
                    return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
                except (OSError, ValueError):  # an empty file, a file system without maps
                    return _read_all(handle, found.size)
            finally:
                _close(handle)

    def list_folder(self, path: Path) -> list[str]:
        """Return the names in a folder, none if there is no such folder.

        Raises:
            PathRefused: It is a symbolic link: the files in it are somebody else's.
        """
        with translated(path):
            try:
                if stat.S_ISLNK(os.lstat(path).st_mode):
                    raise PathRefused(f"{path} is a symbolic link, not a folder")
                return sorted(os.listdir(path))
            except FileNotFoundError:
                return []

    def make_folder(self, path: Path) -> None:
        """Create a folder, and those above it, if they are missing; their names are on the disk afterwards."""
        with translated(path):
            try:
                if not stat.S_ISDIR(os.stat(path).st_mode):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            except FileNotFoundError:
                self.make_folder(path.parent)
                with suppress(FileExistsError):  # another process was faster
                    os.mkdir(path, PRIVATE_FOLDER)
                self._sync_folder(path.parent)

    def append(self, path: Path, data: bytes, at: int, *, sync: bool = True) -> Signature:
        """Write `data` at offset `at`, where the file must end or be torn, and return when it is on the disk.

        If it fails, the file is cut back to `at`, so that a later append does not follow half a line. The signature
        is taken before success is certain: nothing that can fail comes after it. Without `sync` the operating system
        has the data when this returns, which a power failure may lose.
        """
        with translated(path):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | _BINARY | _STRICT, PRIVATE_FILE)
            try:
                if os.fstat(handle).st_size != at:  # to cut nothing off is work for a disk, too
                    os.ftruncate(handle, at)  # a torn tail that an earlier crash left
                os.lseek(handle, at, os.SEEK_SET)
                try:
                    _write_all(handle, data)
                    if sync:
                        os.fsync(handle)
                    if at == 0:
                        self._sync_folder(path.parent)  # the file may be new: its name has to last, too
                    return _signature(os.fstat(handle))
                except OSError:
                    os.ftruncate(handle, at)
                    raise
            finally:
                _close(handle)

    def cut(self, path: Path, at: int) -> Signature:
        """Cut a file off at offset `at`, for good."""
        return self.append(path, b"", at)

    def sync(self, path: Path) -> None:
        """Wait until all that was written to a file is on the disk."""
        with translated(path):
            handle = os.open(path, os.O_RDWR | _BINARY | _STRICT)
            try:
                os.fsync(handle)
            finally:
                _close(handle)

    def replace(self, path: Path, data: bytes) -> Signature:
        """Put `data` in the place of a file, so that a crash leaves the old or the new one, whole.

        Temporary file in the same folder, fsync, rename, fsync of the folder: without the first fsync the rename may
        reach the disk before the data; without the second the rename itself may be lost.
        """
        temporary = path.with_name(path.name + TEMPORARY)
        with translated(path):
            try:
                _discard(temporary)  # what a crash left, or what was planted there
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, PRIVATE_FILE)
                try:
                    _write_all(handle, data)
                    os.fsync(handle)
                    signature = _signature(os.fstat(handle))
                finally:
                    _close(handle)
                os.replace(temporary, path)
            except OSError:
                _discard(temporary)
                raise
            self._sync_folder(path.parent)
            return signature

    def preserve(self, path: Path, kept: Path) -> None:
        """Let a file also be found under the name `kept`, in the place of what was there.

        A hard link, which costs neither time nor space, and goes its own way once the file is replaced; where there
        are no hard links, a copy.
        """
        temporary = kept.with_name(kept.name + TEMPORARY)
        with translated(kept):
            try:
                _discard(temporary)
                os.link(path, temporary, follow_symlinks=False)
                os.replace(temporary, kept)
                _discard(temporary)  # still there if both were the same file already: such a rename does nothing
            except OSError as error:
                _discard(temporary)
                if error.errno not in _NO_HARD_LINKS:
                    raise
                found = self.read(path)
                if found is None:
                    raise
                self.replace(kept, found[0])
                return
            self._sync_folder(kept.parent)

    def overwrite(self, path: Path, data: bytes, at: int) -> None:
        """Write a few bytes in place, without waiting for the disk: for notes that may be lost."""
        with translated(path):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | _BINARY | _STRICT, PRIVATE_FILE)
            try:
                os.lseek(handle, at, os.SEEK_SET)
                _write_all(handle, data)
            finally:
                _close(handle)

    def remove(self, path: Path) -> bool:
        """Delete a file, or a link in its place, for good; return whether it was there."""
        with translated(path):
            there = _discard(path)
            if there:
                self._sync_folder(path.parent)
            return there

    def settle(self, folder: Path) -> None:
        """Wait until every name in a folder is on the disk, or gone from it; nothing if there is no such folder.

        A process that died, or was told of an error, between a rename and its sync has left that to others.
        """
        with translated(folder), suppress(FileNotFoundError):
            self._sync_folder(folder)

    def _sync_folder(self, folder: Path) -> None:
        if os.name == "nt":  # Windows cannot sync a folder; its rename is durable with the file
            return
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            _close(handle)


class translated:  # noqa: N801  # it reads as a statement; a generator would cost more than the calls it guards
    """A block in which the operating system's errors are raised as ours, with the file's name."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise _ours(error, self._path) from error


def _ours(error: OSError, path: Path) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"no space left to write {path}")
    if error.errno == errno.ELOOP:
        return PathRefused(f"{path} is a symbolic link, or lies behind too many of them")
    return StoreUnreachable(f"{path}: {error.strerror or type(error).__name__}")


def _discard(path: Path) -> bool:
    """Delete a file, and return whether it was there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def _close(handle: int) -> None:
    """Close a file, whatever becomes of that: what was synced or read is not undone by an error now."""
    with suppress(OSError):
        os.close(handle)


def _kind(mode: int) -> str:
    names = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return names.get(stat.S_IFMT(mode), "a device")


def _regular(path: Path, found: os.stat_result) -> Signature:
    if not stat.S_ISREG(found.st_mode):
        raise PathRefused(f"{path} is {_kind(found.st_mode)}, not a regular file")
    return _signature(found)


def _signature(found: os.stat_result) -> Signature:
    return Signature(found.st_ino, found.st_size, found.st_mtime_ns)


def _read_all(handle: int, expected: int) -> bytes:
    """Read to the end: the operating system may give less than was asked for, and the file may have grown."""
    parts = []
    while part := os.read(handle, expected + 1):
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _write_all(handle: int, data: bytes) -> None:
    """Write until all is written: the operating system may take less than it was given."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
