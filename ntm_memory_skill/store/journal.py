"""The journal: one JSON line a transaction, each with its sequence number and a checksum.

    {"journal":"ntm-memory","version":1,"generation":3}
    {"seq":121,"crc":"1f0c9a3e","events":[{"event":"memorized", …}]}

`seq` goes up by one from line to line and goes on across generations. `crc` is the CRC-32 of the bytes between
``"events":`` and the closing brace, begun with the sequence number, so that a line cannot pass for another.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from ntm_memory_skill.errors import StoreDamaged, StoreTooNew
from ntm_memory_skill.model import Event
from ntm_memory_skill.store.codec import event_from_json, event_to_json

VERSION = 1

_HEADER = re.compile(rb'\{"journal":"ntm-memory","version":(\d{1,9}),"generation":(\d{1,18})\}\n')
_LINE_START = b'{"seq":'  # nowhere else: in a text the quotes would be escaped
_LINE = re.compile(rb'\{"seq":(\d{1,18}),"crc":"([0-9a-f]{8})","events":(.*)\}', re.DOTALL)


class Entry(NamedTuple):
    """One transaction as read from the journal."""

    sequence: int
    events: tuple[Event, ...]


class Tail(NamedTuple):
    """What a stretch of the journal holds."""

    entries: list[Entry]
    end: int
    """Bytes up to the end of the last whole line: where the next one goes."""
    torn: int
    """Bytes behind it: the start of a line that was never finished, hence never acknowledged."""


def header(generation: int) -> bytes:
    """Return the first line of the journal of a generation."""
    return b'{"journal":"ntm-memory","version":%d,"generation":%d}\n' % (VERSION, generation)


def read_header(data: bytes) -> tuple[int, int] | None:
    """Return (generation, length in bytes) of a journal's first line, or None where it was never finished.

    Raises:
        StoreTooNew: A newer release wrote it.
        StoreDamaged: There is a first line, and it is not a header.
    """
    found = _HEADER.match(data)
    if found is None:
        if b"\n" in data:
            raise StoreDamaged("the journal's first line is not its header")
        return None
    if int(found[1]) > VERSION:
        raise StoreTooNew(f"the journal has format version {int(found[1])}; this release reads up to {VERSION}")
    return int(found[2]), found.end()


def line(sequence: int, events: Sequence[Event]) -> bytes:
    """Return the journal line of one transaction."""
    payload = orjson.dumps([event_to_json(event) for event in events])
    return b'{"seq":%d,"crc":"%08x","events":%s}\n' % (sequence, _checksum(sequence, payload), payload)


def read_lines(data: bytes, after: int) -> Tail:
    """Return the transactions in `data`, which starts at a line's start, leaving out those up to sequence `after`.

    Raises:
        StoreDamaged: A line that is not the last one is unreadable, or an entry behind `after` is missing.
    """
    entries: list[Entry] = []
    position, previous = 0, None
    while position < len(data):
        end = data.find(b"\n", position)
        if end < 0:
            break
        parsed = _parse(data[position:end])
        if parsed is None:
            if end + 1 < len(data):
                raise StoreDamaged(f"the journal is damaged {position} bytes into the part that was read")
            break  # the last line: torn by a crash while it was being written
        sequence, payload = parsed
        _in_order(sequence, previous, after)
        previous = sequence
        if sequence > after:
            entries.append(Entry(sequence, _events(payload)))
        position = end + 1
    if data.find(_LINE_START, position + 1) >= 0:  # one append is one line: what was torn holds no second one
        raise StoreDamaged(f"the journal is damaged {position} bytes into the part that was read: two lines have met")
    return Tail(entries, position, len(data) - position)


def _parse(text: bytes) -> tuple[int, bytes] | None:
    """Return (sequence, payload) of a line whose checksum is right, else None."""
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    sequence, payload = int(found[1]), found[3]
    return (sequence, payload) if int(found[2], 16) == _checksum(sequence, payload) else None


def _in_order(sequence: int, previous: int | None, after: int) -> None:
    """Refuse gaps and steps back. A gap among entries up to `after` loses nothing: the snapshot holds them."""
    if previous is not None and sequence <= previous:
        raise StoreDamaged(f"the journal goes back from entry {previous} to {sequence}")
    known = after if previous is None else max(previous, after)
    if sequence > known + 1:
        raise StoreDamaged(f"the journal goes on at entry {sequence}, but what is known ends at {known}")


def _events(payload: bytes) -> tuple[Event, ...]:
    try:
        values = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise StoreDamaged(f"a journal entry is not JSON: {error}") from error
    if not isinstance(values, list):
        raise StoreDamaged("a journal entry is not a list of events")
    return tuple(event_from_json(value) for value in values)


def _checksum(sequence: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(b"%d:" % sequence))
