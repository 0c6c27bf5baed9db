"""What a command and a resident say to each other: one request a connection, in frames of JSON.

    command     {"ask": "call", "version", "fingerprint", "tool", "arguments"}; or {"ask": "status" or "stop", …}
    resident    {"refused": why}        nothing was done, and nothing will be: the command does it itself
                {"accepted": true}      it will be done; then {"working": true} every second, and last of all
                {"envelope", "notes"}   what `tools.call` returned, and what was mended in the files
                {"error", "notes"}      what `tools.call` raised: code, message and hint
                {"lost": why}           it went wrong in a way that nobody foresaw; what was done is not known

The law: a call is carried out only once "accepted" has been sent. A command that has not got it, and takes no more, can
do the call itself. A frame is four bytes, its length, then that many bytes of JSON.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

Message = dict[str, Any]

REQUEST_LIMIT = 64 * 2**20
"""Bytes of a request: the longest text that may be configured, with every character written as an escape."""
REPLY_LIMIT = 2**30
"""Bytes of a reply."""
ACCEPTANCE = 2.0
"""Seconds within which a request is accepted, if it will be."""
SIGN = 1.0
"""Seconds between two signs of life while a call is carried out."""
SILENCE = 10.0
"""Seconds without a sign of life after which a resident counts as hung."""

_LENGTH = struct.Struct(">I")


class Garbled(ConnectionError):
    """What came is no frame of this protocol, or is longer than it may be."""


def packed(message: Message) -> bytes:
    """Return a message as a frame; lone surrogates in its texts survive."""
    data = json.dumps(message).encode("ascii")
    return _LENGTH.pack(len(data)) + data


def receive(connection: socket.socket, seconds: float, limit: int) -> Message:
    """Return the next message.

    Args:
        connection: Where it comes from.
        seconds: How long it may take to be there as a whole.
        limit: Bytes that it may have.

    Raises:
        TimeoutError: It did not come in time.
        ConnectionError: The other side has gone, or sends something else.
    """
    deadline = time.monotonic() + seconds
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size, deadline))
    if length > limit:
        raise Garbled(f"a message of {length} bytes, more than {limit}")
    try:
        message = json.loads(_exactly(connection, length, deadline))
    except (ValueError, RecursionError) as error:
        raise Garbled(f"no JSON: {error}") from error
    if not isinstance(message, dict):
        raise Garbled("no object")
    return message


def _exactly(connection: socket.socket, count: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < count:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        connection.settimeout(left)
        part = connection.recv(min(count - len(data), 2**20))
        if not part:
            raise ConnectionResetError("the other side has gone")
        data += part
    return bytes(data)
