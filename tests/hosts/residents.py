"""Residents for tests: real ones in a thread of this process, and impostors that break off where they are told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ntm_memory_skill.errors import NTMMemoryError
from ntm_memory_skill.hosts.compose import configured, found, open_to_serve
from ntm_memory_skill.hosts.mcp import LazyMemory
from ntm_memory_skill.hosts.resident.claim import Claim
from ntm_memory_skill.hosts.resident.protocol import REQUEST_LIMIT, Message, packed, receive
from ntm_memory_skill.hosts.resident.server import Resident
from ntm_memory_skill.store import Paths
from tests.hosts.servers import PATIENT


def socket_of(path: Path) -> Path:
    """Return where a memory's resident listens."""
    return Paths.of(path).socket


@contextmanager
def residing(path: Path, *, minutes: float | None = None, stoppable: bool = True) -> Iterator[threading.Thread]:
    """Have a resident answer for the block, in the thread that is given; its end is waited for."""
    config, own = configured(path), found(path)
    assert own is not None
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    memory = LazyMemory(lambda: open_to_serve(config))
    resident = Resident(Claim(socket_of(path)), own, memory, minutes=minutes, stoppable=stoppable)
    thread = threading.Thread(target=resident.run)
    thread.start()
    try:
        yield thread
    finally:
        resident.stop()
        thread.join(PATIENT)
        memory.close()
        assert not thread.is_alive()


@contextmanager
def unopenable(path: Path, error: NTMMemoryError) -> Iterator[None]:
    """Have a resident answer for the block that cannot open its memory."""
    own = found(path)
    assert own is not None

    def refuse() -> object:
        raise error

    resident = Resident(Claim(socket_of(path)), own, LazyMemory(refuse))  # type: ignore[arg-type]  # it never returns one
    thread = threading.Thread(target=resident.run)
    thread.start()
    try:
        yield
    finally:
        resident.stop()
        thread.join(PATIENT)


class Impostor:
    """Listens beside a memory, says what it was told to say to the first command, and then hangs or goes.

    Args:
        path: The memory.
        says: The frames, each as a message or as bytes.
        hangs: Whether it then keeps the connection, saying nothing; else it closes it.
        reads: Whether it takes the request first.
    """

    def __init__(self, path: Path, says: Sequence[Message | bytes], *, hangs: bool = False, reads: bool = True) -> None:
        self.requests: list[Message] = []
        self._says, self._hangs, self._reads = says, hangs, reads
        self._over = threading.Event()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._claim = Claim(socket_of(path))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self) -> Impostor:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._claim.listening.shutdown(socket.SHUT_RDWR)  # which wakes one that waits for a command
        self._thread.join(PATIENT)
        self._claim.release()

    def _run(self) -> None:
        try:
            connection, _ = self._claim.listening.accept()
        except OSError:
            return
        with connection:
            if self._reads:
                self.requests.append(receive(connection, PATIENT, REQUEST_LIMIT))
            for each in self._says:
                connection.sendall(each if isinstance(each, bytes) else packed(each))
            if self._hangs:
                self._over.wait(PATIENT)
