"""File systems that fail, processes that die: at a chosen call of the operating system.

`fs.py` makes every call as `os.something`, or `mmap.mmap`. A double stands in the place of those modules, knows each
call by its line, and decides what becomes of it. Nothing here waits for a disk: after the death of a process alone all
that it wrote is there, synced or not; what a power failure leaves is the matter of `disk.py`.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest

from ntm_memory_skill.store import fs
from ntm_memory_skill.store.fs import FileSystem, Signature

T = TypeVar("T", bound="WatchedOS")

NO_SYSTEM_CALLS = frozenset(
    {
        "strerror",  # looks a text up in a table
    }
)
"""What `fs.py` calls of `os` without asking the operating system for anything."""


class ProcessDeath(BaseException):
    """The process is gone: nothing of it runs any more, not even what cleans up after an error."""


@dataclass(frozen=True)
class Call:
    """One system call."""

    name: str
    line: int
    """Where in `fs.py`."""
    arguments: tuple[Any, ...] = ()


class WatchedOS:
    """The module `os` as `fs.py` sees it, and its `mmap.mmap`; every system call is written down."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.has_links = True
        """Whether the file system has hard links."""

    def __getattr__(self, name: str) -> Any:
        found = mmap.mmap if name == "mmap" else getattr(os, name)
        if not callable(found) or name in NO_SYSTEM_CALLS:
            return found

        def watched(*arguments: Any, **options: Any) -> Any:
            call = Call(name, sys._getframe(1).f_lineno, arguments)
            self.calls.append(call)
            return self.answer(call, lambda: self.perform(call, lambda: found(*arguments, **options)))

        self.__dict__[name] = watched  # what is found there is not asked for again
        return watched

    def answer(self, call: Call, perform: Callable[[], Any]) -> Any:
        """Return what the caller is told."""
        return perform()

    def perform(self, call: Call, real: Callable[[], Any]) -> Any:
        """Do what was asked for."""
        if call.name == "link" and not self.has_links:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        return None if call.name == "fsync" else real()  # the cache of the operating system is all that counts here


@dataclass(frozen=True)
class Fault:
    """What becomes of one call.

    Args:
        kind: "refused": an error, and nothing is done. "half": half of the bytes are written, then an error.
            "done": an error though all is done, as over a network. "short": fewer bytes than asked for, no error.
            "dies before", "dies midway", "dies after": the process dies.
        code: The error's.
    """

    kind: Literal["refused", "half", "done", "short", "dies before", "dies midway", "dies after"]
    code: int = 0

    @property
    def kills(self) -> bool:
        """Whether it is the end of the process."""
        return self.kind.startswith("dies")

    def fits(self, call: Call) -> bool:
        """Return whether this can become of a call."""
        if self.kind == "short":
            return call.name in {"read", "write"}
        if self.kind in {"half", "dies midway"}:
            return call.name == "write"
        if self.kind == "done":
            return call.name in CHANGING
        return self.code not in _ONLY_OF or call.name in _ONLY_OF[self.code]


CHANGING = frozenset({"open", "mkdir", "write", "ftruncate", "replace", "link", "unlink"})
"""The calls that can leave other files than before."""
_ONLY_OF = {
    errno.ENOSPC: frozenset({"mkdir", "write", "fsync", "link"}),
    errno.EACCES: frozenset({"open", "mkdir", "replace", "unlink"}),
    errno.EPERM: frozenset({"link", "replace", "unlink"}),
}
"""The calls that can fail in such a way; those that are not listed can happen to any."""

Plan = Callable[[int, Call], Fault | None]
"""What becomes of a call, given its number, counted from 0, and the call."""


def once(at: int, fault: Fault) -> Plan:
    """Return a plan by which one call meets a fault."""
    return lambda number, _: fault if number == at else None


def from_on(at: int, fault: Fault) -> Plan:
    """Return a plan by which a call and all after it meet a fault, those that clean up included."""
    return lambda number, _: fault if number >= at else None


def in_turn(at: int, *faults: Fault) -> Plan:
    """Return a plan by which one call after the other meets a fault of its own."""
    return lambda number, _: faults[number - at] if at <= number < at + len(faults) else None


class FaultyOS(WatchedOS):
    """The module `os`, with calls that go wrong.

    Args:
        plan: Which, and how. A fault that cannot become of its call does not.
    """

    def __init__(self, plan: Plan = lambda number, call: None) -> None:
        super().__init__()
        self.failed: list[Call] = []
        """The calls that met a fault and left the process alive."""
        self.died: list[Call] = []
        """The call at which the process died."""
        self._plan = plan
        self._alive = True

    def restart(self) -> None:
        """Let another process make calls, to which nothing happens."""
        self._plan, self._alive = (lambda number, call: None), True

    def answer(self, call: Call, perform: Callable[[], Any]) -> Any:
        """Do it, or not, or in part."""
        if not self._alive:
            if call.name == "close":
                perform()  # the operating system closes what a dead process had open
            raise ProcessDeath
        fault = self._plan(len(self.calls) - 1, call)
        if fault is None or not fault.fits(call):
            return perform()
        (self.died if fault.kills else self.failed).append(call)
        self._alive = not fault.kills
        if fault.kind == "short":
            return self._shortened(call)
        if fault.kind in {"half", "dies midway"}:
            self._shortened(call)
        elif call.name == "close":
            perform()  # closed it is in any case
        elif fault.kind in {"done", "dies after"}:
            self._forgotten(call, perform())
        if fault.kills:
            raise ProcessDeath
        raise OSError(fault.code, os.strerror(fault.code))

    def _shortened(self, call: Call) -> Any:
        """Read or write about half of what was asked for, at least a byte."""
        handle, asked = call.arguments
        if call.name == "read":
            return os.read(handle, max(asked // 2, 1))
        part = asked[: (len(asked) + 1) // 2]
        return self.perform(Call("write", call.line, (handle, part)), lambda: os.write(handle, part))

    @staticmethod
    def _forgotten(call: Call, result: Any) -> None:
        """Close a file that the caller never hears of."""
        if call.name == "open":
            os.close(result)


class _Maps:
    """The module `mmap` as `fs.py` sees it."""

    ACCESS_READ = mmap.ACCESS_READ

    def __init__(self, double: WatchedOS) -> None:
        self.mmap = double.mmap


@contextmanager
def installed(double: T) -> Iterator[T]:
    """Have the store's file system call a double within the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fs, "os", double)
        patch.setattr(fs, "mmap", _Maps(double))
        yield double


class ForbiddenFileSystem(FileSystem):
    """A folder that may be read and not written."""

    def append(self, path: Path, data: bytes, at: int, *, sync: bool = True) -> Signature:
        """Refuse."""
        return self._refuse(path)

    def replace(self, path: Path, data: bytes) -> Signature:
        """Refuse."""
        return self._refuse(path)

    def preserve(self, path: Path, kept: Path) -> None:
        """Refuse."""
        self._refuse(kept)

    def overwrite(self, path: Path, data: bytes, at: int) -> None:
        """Refuse."""
        self._refuse(path)

    def remove(self, path: Path) -> bool:
        """Refuse where there is something to delete."""
        if path.exists():
            self._refuse(path)
        return False

    def make_folder(self, path: Path) -> None:
        """Refuse where there is something to make."""
        if not path.exists():
            self._refuse(path)

    def _refuse(self, path: Path) -> Signature:
        with fs.translated(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
