"""The socket beside a memory, for as long as one process listens there.

The law: of several servers of one memory one listens. The folder is locked while it is found out whether anybody does,
so that a socket that nobody listens at any more is replaced, and a living one never is. Nothing else is written.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ntm_memory_skill.errors import AddressInUse
from ntm_memory_skill.hosts.resident.place import AVAILABLE, address, connected

OWNER_ALONE = 0o600
LOOK = 1.0
"""Seconds that a living process may take to be connected to."""
PATIENCE = 5.0
"""Seconds to wait for another process that is finding out the same."""
WAITING = 64
"""Commands that may wait to be heard."""


class Claim:
    """A socket that this process listens at.

    Args:
        path: Where.

    Raises:
        AddressInUse: Another process listens there, or something else lies there.
        OSError: The system has no such sockets, or not in this folder.
    """

    def __init__(self, path: Path) -> None:
        if not AVAILABLE:
            raise OSError(errno.EAFNOSUPPORT, "this system has no sockets in folders")
        self._path = path
        with _locked(path.parent):
            _clear(path)
            self.listening = _bound(path)
            self._made = _identity(path)

    def release(self) -> None:
        """Listen no more, and take the socket away; what another process put in its place stays."""
        self.listening.close()
        with suppress(OSError, AddressInUse), _locked(self._path.parent):
            if _identity(self._path) == self._made:
                self._path.unlink()


def _bound(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(OSError):  # where the system takes it, the socket is never anybody else's; elsewhere, from here:
            os.fchmod(listening.fileno(), OWNER_ALONE)
        with address(path) as name:
            listening.bind(name)
        path.chmod(OWNER_ALONE)
        listening.listen(WAITING)  # only from now on can anybody connect
    except OSError:
        listening.close()
        raise
    return listening


def _clear(path: Path) -> None:
    """Take away a socket that nobody listens at."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise AddressInUse(f"{path} is no socket", hint="Move it away.")
    try:
        connected(path, LOOK).close()
    except ConnectionRefusedError:
        path.unlink()
        return
    except OSError as error:
        raise AddressInUse(f"{path} is another process's: {error}", hint="End that process.") from error
    raise AddressInUse(f"another process listens at {path}", hint="`ntm-memory serve --stop` ends it, if it may.")


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder against other processes that look at its socket."""
    import fcntl  # Windows has none, and never comes here

    opened = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise AddressInUse(f"another process holds {folder}", hint="Try again.") from error
                time.sleep(0.01)
        yield
    finally:
        os.close(opened)
