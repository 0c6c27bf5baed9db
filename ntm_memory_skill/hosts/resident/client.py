"""The command's side: ask a resident, and say when the command has to do the work itself.

The law: a call is done once. A reading that got no answer is done again here; a change whose answer was lost is not,
and the error says so. Only a change that was certainly not accepted is done here.
"""

from __future__ import annotations

import logging
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntm_memory_skill import __version__
from ntm_memory_skill.config import Found
from ntm_memory_skill.errors import NTMMemoryError, ReplyLost, StoreError, error_classes
from ntm_memory_skill.hosts.resident.place import AVAILABLE, connected
from ntm_memory_skill.hosts.resident.protocol import (
    ACCEPTANCE,
    REPLY_LIMIT,
    REQUEST_LIMIT,
    SILENCE,
    Message,
    packed,
    receive,
)
from ntm_memory_skill.store import Paths

logger = logging.getLogger(__name__)

READINGS = ("recall", "search")
LONGEST = 4_000.0
"""Seconds that a call may take, whatever signs of life come: more than anybody may be made to wait for a lock."""
_SHUT_IS_SHARP = sys.platform == "linux"
"""Whether nothing can reach a connection any more once it was shut down, and what had reached it can still be read."""


class _Refusal(Exception):
    """The resident does not do it, and has not done it."""


class _Loss(Exception):
    """The resident was to do it, and whether it did is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resident answered."""

    envelope: Message
    notes: tuple[str, ...] = ()
    """What was mended in the files."""
    error: NTMMemoryError | None = None
    """What the call raised, in place of an envelope."""

    def given(self) -> Message:
        """Return the envelope, or raise what the call raised."""
        if self.error is not None:
            raise self.error
        return self.envelope


def ask(configured: Found, tool: str, arguments: dict[str, Any]) -> Answer | None:
    """Have a resident call a tool; None where the command has to.

    Raises:
        ReplyLost: A change was begun, and what became of it is not known.
    """
    path = _path(configured)
    if path is None:
        return None
    call = {"ask": "call", "version": __version__, "fingerprint": configured.fingerprint}
    request = packed({**call, "tool": tool, "arguments": arguments})
    if len(request) > REQUEST_LIMIT:
        logger.info("too long for the resident: %d bytes", len(request))
        return None
    connection = _connection(configured, path)
    if connection is None:
        return None
    try:
        with connection:
            return _answer(connection, request)
    except _Refusal as refusal:
        logger.info("the resident leaves this to the command: %s", refusal)
    except _Loss as loss:
        logger.info("the resident was lost: %s", loss)
        if tool not in READINGS:
            raise ReplyLost(f"the process that was to {tool} broke off before it answered: {loss}") from loss
    return None


def told(memory_file: Path, request: str, configured: Found | None = None) -> Message | None:
    """Return what a memory's resident says to "status" or "stop"; None where there is none that answers.

    Args:
        memory_file: The memory.
        request: Which of the two.
        configured: What a command would be configured with: the status says why the resident would refuse it, if so.
    """
    if not AVAILABLE:
        return None
    try:
        with connected(Paths.of(memory_file).socket, ACCEPTANCE) as connection:
            fingerprint = None if configured is None else configured.fingerprint
            connection.sendall(packed({"ask": request, "version": __version__, "fingerprint": fingerprint}))
            return receive(connection, SILENCE, REPLY_LIMIT)
    except (OSError, StoreError):
        return None


def _path(configured: Found) -> Path | None:
    """Return where a resident would listen; None where none is to be asked."""
    if configured.resident.mode == "off" or not AVAILABLE:
        return None
    try:
        return Paths.of(configured.memory_file).socket
    except (StoreError, ValueError):  # the memory's name is wrong, and whoever opens it says so
        return None


def _connection(configured: Found, path: Path) -> socket.socket | None:
    try:
        return connected(path, ACCEPTANCE)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        logger.info("no resident: %s", error.strerror)
    except (OSError, ValueError) as error:
        logger.info("the resident cannot be reached: %s", error)
        return None
    if configured.resident.mode != "start":
        return None
    from ntm_memory_skill.hosts.resident.starting import started

    return started(configured, path)


def _answer(connection: socket.socket, request: bytes) -> Answer:
    """Send a request and return its answer.

    Raises:
        _Refusal: Nothing was done.
        _Loss: Something may have been.
    """
    try:
        connection.settimeout(ACCEPTANCE)
        connection.sendall(request)
    except OSError as error:  # it did not get the whole of it
        raise _Refusal(str(error)) from error
    if "accepted" not in _acceptance(connection):
        raise _Refusal("it did not accept the request")
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        try:
            reply = receive(connection, SILENCE, REPLY_LIMIT)
        except OSError as error:
            raise _Loss(str(error)) from error
        if "working" not in reply:
            return _understood(reply)
    raise _Loss("it took too long")


def _acceptance(connection: socket.socket) -> Message:
    """Return the first message. One that has not come in time is not waited for: then it cannot come any more."""
    try:
        return _refused_or(receive(connection, ACCEPTANCE, REPLY_LIMIT))
    except TimeoutError:
        pass
    except OSError as error:
        raise _Refusal(str(error)) from error
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    rest = _rest(connection)
    if b'"refused"' in rest:
        raise _Refusal("it was slow to refuse")
    if rest or not _SHUT_IS_SHARP:
        raise _Loss("it was slow to accept")
    raise _Refusal("it did not answer")


def _rest(connection: socket.socket) -> bytes:
    """Return what had come before a connection was shut down."""
    data = b""
    with suppress(OSError):
        connection.settimeout(ACCEPTANCE)
        while len(data) < REPLY_LIMIT and (part := connection.recv(2**16)):
            data += part
    return data


def _refused_or(message: Message) -> Message:
    if "refused" in message:
        raise _Refusal(str(message["refused"]))
    return message


def _understood(reply: Message) -> Answer:
    _refused_or(reply)
    notes = tuple(map(str, reply.get("notes", ())))
    error, envelope = reply.get("error"), reply.get("envelope")
    if isinstance(error, dict):
        kinds = {kind.code: kind for kind in error_classes()}
        kind = kinds.get(str(error.get("code")), NTMMemoryError)
        return Answer({}, notes, kind(str(error.get("message")), hint=str(error.get("hint"))))
    if not isinstance(envelope, dict):
        raise _Loss(str(reply.get("lost", "it answered something else")))
    return Answer(envelope, notes)
