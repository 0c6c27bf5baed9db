"""Disks that fail and machines that die, at a chosen call."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from ntm_memory_skill.store import fs
from ntm_memory_skill.store.fs import FileSystem, Signature

Moment = Literal["before", "midway", "after"]


class PowerLoss(Exception):
    """The machine went off: nothing of this process runs any more."""


class DyingFileSystem(FileSystem):
    """Writes until its `at`-th change of a file, counted from 0, and dies there.

    Args:
        at: Which change.
        moment: Whether it dies before the change, when half of the bytes are there, or when all is done but the
            caller does not know.
    """

    def __init__(self, at: int, moment: Moment) -> None:
        self.changes = 0
        self._at, self._moment = at, moment

    def append(self, path: Path, data: bytes, at: int) -> Signature:
        """Append, or die."""

        def half() -> None:
            with path.open("ab") as file:
                file.write(data[: len(data) // 2])

        return self._change(lambda: super(DyingFileSystem, self).append(path, data, at), half)

    def replace(self, path: Path, data: bytes) -> Signature:
        """Replace, or die."""

        def half() -> None:
            path.with_name(path.name + fs.TEMPORARY).write_bytes(data[: len(data) // 2])

        return self._change(lambda: super(DyingFileSystem, self).replace(path, data), half)

    def _change(self, whole: Callable[[], Signature], half: Callable[[], None]) -> Signature:
        number, self.changes = self.changes, self.changes + 1
        if number < self._at:
            return whole()
        if number == self._at and self._moment == "midway":
            half()
        if number == self._at and self._moment == "after":
            whole()
        raise PowerLoss


class FaultyOS:
    """The `os` module as the store's file system sees it, with one call that fails.

    Closing never fails here: what was synced before has nothing left to report.

    Args:
        at: Which call fails, counted from 0.
        code: With what.
        for_good: Whether all calls after it fail as well, those that clean up included.
    """

    FAILING = frozenset({"open", "write", "fsync", "ftruncate", "lseek", "fstat", "replace", "mkdir"})

    def __init__(self, at: int, code: int, *, for_good: bool = False) -> None:
        self.calls: list[str] = []
        self._at, self._code, self._for_good = at, code, for_good

    @property
    def failed(self) -> bool:
        """Whether the chosen call was reached."""
        return len(self.calls) > self._at

    def __getattr__(self, name: str) -> Any:
        function = getattr(os, name)
        return self.watched(name, function) if name in self.FAILING else function

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that counts its calls, and fails if one of them is the chosen one."""

        def call(*args: Any, **kwargs: Any) -> Any:
            number = len(self.calls)
            self.calls.append(name)
            if number == self._at or (self._for_good and number > self._at):
                raise OSError(self._code, os.strerror(self._code))
            return function(*args, **kwargs)

        return call


@contextmanager
def failing_at(call: int, code: int, *, for_good: bool = False) -> Iterator[FaultyOS]:
    """Have one call of the store's file system, or all from there on, fail with an error code within the block."""
    faulty = FaultyOS(call, code, for_good=for_good)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fs, "os", faulty)
        for name in ("replace", "mkdir"):  # these go through pathlib
            patch.setattr(Path, name, faulty.watched(name, getattr(Path, name)))
        yield faulty


@contextmanager
def short_writes(most: int) -> Iterator[None]:
    """Have the operating system take at most so many bytes at a time, as it may, within the block."""

    class ShortOS(FaultyOS):
        def write(self, handle: int, data: memoryview) -> int:
            return os.write(handle, data[:most])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fs, "os", ShortOS(-1, errno.EIO))
        yield


class ForbiddenFileSystem(FileSystem):
    """A folder that may be read and not written."""

    def append(self, path: Path, data: bytes, at: int) -> Signature:
        """Refuse."""
        return self._refuse(path)

    def replace(self, path: Path, data: bytes) -> Signature:
        """Refuse."""
        return self._refuse(path)

    def make_folder(self, path: Path) -> None:
        """Refuse where there is something to make."""
        if not path.exists():
            self._refuse(path)

    def _refuse(self, path: Path) -> Signature:
        with fs.translated(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
