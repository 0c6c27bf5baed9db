"""The socket beside a memory: how it is reached, and who may be at its other end.

The law: both sides talk to processes of their own user alone.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 100
"""Bytes that a socket's name may have on every system; Linux takes 107, others 103."""
AVAILABLE = hasattr(socket, "AF_UNIX") and os.name != "nt"
"""Whether this system has such sockets."""


@contextmanager
def address(path: Path) -> Iterator[str]:
    """Give a name for a path that is short enough for a socket.

    Raises:
        OSError: There is none: the path is long, and the system has no /proc to shorten it by.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        through = Path("/proc/self/fd") / str(folder)
        short = str(through / path.name)
        if not through.is_dir() or len(os.fsencode(short)) > LONGEST:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(path))
        yield short
    finally:
        os.close(folder)


def connected(path: Path, seconds: float) -> socket.socket:
    """Return a connection to whoever listens there.

    Raises:
        OSError: Nobody does, it takes longer than `seconds`, or it is another user's process.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        with address(path) as name:
            connection.connect(name)
        check_peer(connection)
    except OSError:
        connection.close()
        raise
    return connection


def check_peer(connection: socket.socket) -> None:
    """Make sure that the other end is a process of this user, where the system tells.

    Raises:
        PermissionError: It is somebody else's.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    if user != os.getuid():
        raise PermissionError(errno.EPERM, "another user's process is at the other end")
