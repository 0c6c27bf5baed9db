"""The only file system calls of this package.

Everything that can fail on a disk fails here and comes out as a `StoreError`. Tests hand the store another `FileSystem`
that fails or dies at a chosen call.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ntm_memory_skill.errors import StoreFull, StoreUnreachable

PRIVATE_FILE = 0o600  # a memory is its owner's alone
PRIVATE_FOLDER = 0o700
TEMPORARY = ".tmp"


@dataclass(frozen=True, slots=True)
class Signature:
    """What tells two states of a file apart without reading it."""

    inode: int
    size: int
    modified_ns: int


class FileSystem:
    """The calls that the store makes, on the operating system's own file system."""

    def signature(self, path: Path) -> Signature | None:
        """Return the file's signature, or None if there is no such file."""
        with translated(path):
            try:
                return _signature(path.stat())
            except FileNotFoundError:
                return None

    def read(self, path: Path, offset: int = 0) -> tuple[bytes, Signature] | None:
        """Return a file's bytes from `offset` on and the signature of just that file, or None if there is none."""
        with translated(path):
            try:
                with path.open("rb") as file:
                    found = _signature(os.fstat(file.fileno()))
                    file.seek(offset)
                    return file.read(), found
            except FileNotFoundError:
                return None

    def make_folder(self, path: Path) -> None:
        """Create a folder, and those above it, if they are missing."""
        with translated(path):
            path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)

    def append(self, path: Path, data: bytes, at: int) -> Signature:
        """Write `data` at offset `at`, where the file must end or be torn, and return when it is on the disk.

        If it fails, the file is cut back to `at`, so that a later append does not follow half a line. The signature
        is taken before success is certain: nothing that can fail comes after it.
        """
        with translated(path):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
            try:
                os.ftruncate(handle, at)  # a torn tail that an earlier crash left
                os.lseek(handle, at, os.SEEK_SET)
                try:
                    _write_all(handle, data)
                    os.fsync(handle)
                    if at == 0:
                        self._sync_folder(path.parent)  # the file may be new: its name has to last, too
                    return _signature(os.fstat(handle))
                except OSError:
                    os.ftruncate(handle, at)
                    raise
            finally:
                os.close(handle)

    def replace(self, path: Path, data: bytes) -> Signature:
        """Put `data` in the place of a file, so that a crash leaves the old or the new one, whole.

        Temporary file in the same folder, fsync, rename, fsync of the folder: without the first fsync the rename may
        reach the disk before the data; without the second the rename itself may be lost.
        """
        temporary = path.with_name(path.name + TEMPORARY)
        with translated(path):
            try:
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
                try:
                    _write_all(handle, data)
                    os.fsync(handle)
                    signature = _signature(os.fstat(handle))
                finally:
                    os.close(handle)
                temporary.replace(path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            self._sync_folder(path.parent)
            return signature

    def remove(self, path: Path) -> None:
        """Delete a file if it is there."""
        with translated(path):
            path.unlink(missing_ok=True)

    def _sync_folder(self, folder: Path) -> None:
        if os.name == "nt":  # Windows cannot sync a folder; its rename is durable with the file
            return
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise the operating system's errors as ours, with the file's name."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(f"no space left to write {path}") from error
        raise StoreUnreachable(f"{path}: {reason}") from error


def _signature(found: os.stat_result) -> Signature:
    return Signature(found.st_ino, found.st_size, found.st_mtime_ns)


def _write_all(handle: int, data: bytes) -> None:
    """Write until all is written: the operating system may take less than it was given."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
