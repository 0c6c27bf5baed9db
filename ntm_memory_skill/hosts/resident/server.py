"""The resident's side: commands come in, each is answered as a process of its own would have answered it."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from ntm_memory_skill import __version__
from ntm_memory_skill.config import Config, Found
from ntm_memory_skill.errors import ConfigError, NTMMemoryError, StoreClosed, StoreUnreachable
from ntm_memory_skill.hosts.compose import check_enabled, found, log_to_stderr, open_to_serve, prepare_to_serve
from ntm_memory_skill.hosts.mcp.memories import LazyMemory
from ntm_memory_skill.hosts.resident.claim import Claim
from ntm_memory_skill.hosts.resident.place import check_peer
from ntm_memory_skill.hosts.resident.protocol import REQUEST_LIMIT, SIGN, Message, packed, receive
from ntm_memory_skill.store import Paths
from ntm_memory_skill.tools import call, failure

logger = logging.getLogger(__name__)

READING = 5.0
"""Seconds within which a request has to be there."""
FAREWELL = 1.0
"""Seconds that a resident which ends waits for each command to take its answer."""
AT_ONCE = 8
"""Calls that are carried out at a time; others wait."""


class Resident:
    """Answers commands until it is stopped, or nobody asks any more.

    Args:
        claim: Where it listens.
        configured: What commands have to be configured with.
        memory: Whose tools are called.
        minutes: Without a call, after which it ends; None never does.
        stoppable: Whether a command may end it.
    """

    def __init__(
        self,
        claim: Claim,
        configured: Found,
        memory: LazyMemory,
        *,
        minutes: float | None = None,
        stoppable: bool = True,
    ) -> None:
        self._claim, self._memory, self._stoppable = claim, memory, stoppable
        self._fingerprint = configured.fingerprint
        self._seconds = None if minutes is None else 60 * minutes
        self._waking, self._woken = socket.socketpair()
        self._calls = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ntm-memory command")
        self._hearing: list[threading.Thread] = []
        self._state = threading.Lock()
        self._busy, self._last = 0, time.monotonic()
        self._told = 0

    def run(self) -> None:
        """Answer until `stop`; then let what is under way come to its end."""
        try:
            while True:
                ready, _, _ = select.select([self._claim.listening, self._woken], [], [], self._left())
                if self._woken in ready:
                    break
                if ready:
                    connection, _ = self._claim.listening.accept()
                    self._listen_to(connection)
                elif self._left() == 0:
                    break
        finally:
            self._claim.release()
            self._calls.shutdown()
            for each in self._hearing:  # what was done is still to be said
                each.join(FAREWELL)
            self._waking.close()
            self._woken.close()

    def stop(self) -> None:
        """End `run`; may be called from any thread, and twice."""
        try:
            self._waking.send(b"x")
        except OSError:
            logger.debug("it has ended already")

    def _left(self) -> float | None:
        """Return the seconds until nobody will have asked for long enough; None where that does not come."""
        if self._seconds is None:
            return None
        with self._state:
            return self._seconds if self._busy else max(0.0, self._last + self._seconds - time.monotonic())

    def _listen_to(self, connection: socket.socket) -> None:
        self._hearing = [each for each in self._hearing if each.is_alive()]
        self._hearing.append(threading.Thread(target=self._hear, args=(connection,), daemon=True))
        self._hearing[-1].start()

    def _hear(self, connection: socket.socket) -> None:
        with connection:
            try:
                check_peer(connection)
                self._answer(connection, receive(connection, READING, REQUEST_LIMIT))
            except OSError as error:
                logger.info("a command was not answered: %s", error)

    def _answer(self, connection: socket.socket, request: Message) -> None:
        match request.get("ask"):
            case "call":
                self._call(connection, request)
            case "status":
                about = {"process": os.getpid(), "stoppable": self._stoppable}
                connection.sendall(packed({**about, "refusal": self._refusal(request)}))
            case "stop":
                connection.sendall(packed({"stopping": self._stoppable, "process": os.getpid()}))
                if self._stoppable:
                    self.stop()
            case _:
                connection.sendall(packed({"refused": "there is no such request"}))

    def _call(self, connection: socket.socket, request: Message) -> None:
        refusal = self._refusal(request)
        if refusal is not None:
            connection.sendall(packed({"refused": refusal}))
            return
        connection.settimeout(READING)
        connection.sendall(packed({"accepted": True}))  # whoever does not take this any more, does it without us
        reply = self._begun(str(request.get("tool")), request.get("arguments"))
        while True:
            try:
                done = reply.result(timeout=SIGN)
                break
            except TimeoutError:
                connection.sendall(packed({"working": True}))
        connection.sendall(packed(done))

    def _refusal(self, request: Message) -> str | None:
        if request.get("version") != __version__:
            return f"it is version {__version__}"
        if request.get("fingerprint") != self._fingerprint:
            return "it is configured otherwise"
        return None

    def _begun(self, tool: str, arguments: object) -> Future[Message]:
        with self._state:
            self._busy += 1
        reply = self._calls.submit(self._reply, tool, arguments if isinstance(arguments, dict) else {})
        reply.add_done_callback(self._ended)
        return reply

    def _ended(self, _: object) -> None:
        with self._state:
            self._busy -= 1
            self._last = time.monotonic()

    def _reply(self, tool: str, arguments: dict[str, object]) -> Message:
        """Call a tool, and return what is to be said of it."""
        try:
            memory = self._memory.get()
        except NTMMemoryError as error:  # the command meets the same, and says so in its own words
            return {"refused": f"the memory cannot be opened: {error.message}"}
        notes = self._notes(memory.warnings)
        try:
            with memory.visit() as visited:
                return {"envelope": call(visited, tool, arguments), "notes": notes}
        except StoreClosed:  # before anything was done
            return {"refused": "it is ending"}
        except NTMMemoryError as error:
            return {"error": failure(error)["error"], "notes": notes}
        except Exception as error:  # the command has to hear of it, or it would wait
            logger.exception("%s failed unexpectedly", tool)
            return {"lost": f"{type(error).__name__}: {error}"}

    def _notes(self, warnings: tuple[str, ...]) -> list[str]:
        """Return what no command was told of yet."""
        with self._state:
            fresh = list(warnings[self._told :])
            self._told = len(warnings)
        return fresh


@contextmanager
def offered(config: Config, memory: LazyMemory) -> Iterator[None]:
    """Also answer commands for the block, in a server of other clients; where that cannot be, it serves these alone.

    The folder has to be there: a server makes none before the first memory.
    """
    resident = _beside(config, memory)
    if resident is None:
        yield
        return
    thread = threading.Thread(target=resident.run, name="ntm-memory resident", daemon=True)
    thread.start()
    try:
        yield
    finally:
        resident.stop()
        thread.join()


def _beside(config: Config, memory: LazyMemory) -> Resident | None:
    configured = None if config.resident.mode == "off" else found(config.memory_file)
    if configured is None:
        return None
    try:
        claim = Claim(Paths.of(config.memory_file).socket)
    except NTMMemoryError as error:
        logger.info("the command line is not answered: %s", error.message)
    except OSError as error:
        logger.info("the command line is not answered: %s", error)
    else:
        return Resident(claim, configured, memory, stoppable=False)
    return None


def serve_commands(config: Config, minutes: float | None) -> None:
    """Answer commands over the configured memory, and nobody else, until stopped, interrupted or told to terminate.

    The memory's folder is made if need be. The model begins to load at once.

    Args:
        config: Names the memory.
        minutes: Without a call, after which it ends; None never does.

    Raises:
        ConfigError: The skill is switched off, or commands are not to ask.
        AddressInUse: Another process answers commands over this memory.
        StoreUnreachable: There can be no socket beside it.
    """
    check_enabled(config)
    configured = found(config.memory_file)
    if config.resident.mode == "off" or configured is None:
        message = "commands would not ask it: ntm_memory.resident.mode is off"
        raise ConfigError(message, hint='Set it to "use" or "start".')
    log_to_stderr()
    prepare_to_serve()
    path = Paths.of(config.memory_file).socket
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        claim = Claim(path)
    except OSError as error:
        raise StoreUnreachable(f"no socket at {path}: {error.strerror}") from error
    memory = LazyMemory(lambda: open_to_serve(config))
    resident = Resident(claim, configured, memory, minutes=minutes)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: resident.stop())
    sys.stderr.write(f"ntm-memory: answering commands at {path}\n")
    memory.warm_up_in_background()
    try:
        resident.run()
    finally:
        memory.close()
