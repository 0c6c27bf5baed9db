"""The journal: one JSON line a transaction, each with its sequence number and a checksum.

    {"journal":"ntm-memory","version":2,"generation":3,"sequence":120}
    {"seq":121,"after":"90bd2c71","crc":"1f0c9a3e","events":[{"event":"memorized", …}]}

`seq` goes up by one from line to line and goes on across generations; the first line names the last one before it.
`after` is the checksum of the line before (of the first line, for the first entry), so that a reader who stands behind
a line knows whether it is still the same one. `crc` is the CRC-32 of the line's other values, so that each line can be
judged by itself. In an encrypted memory the events stand closed under "sealed".

Version 1 had no `after`, and no `sequence` in the first line.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import orjson

from ntm_memory_skill.errors import KeyRefused, StoreDamaged, StoreTooNew
from ntm_memory_skill.model import Event
from ntm_memory_skill.store.codec import event_from_json, event_to_json
from ntm_memory_skill.store.seal import Seal

VERSION = 2

_HEADER = re.compile(
    rb'\{"journal":"ntm-memory","version":(\d{1,9}),"generation":(\d{1,18})(?:,"sequence":(\d{1,18}))?\}\n'
)
_LINE_START = b'{"seq":'  # nowhere else: in a text the quotes would be escaped
_PIECES = re.compile(rb'\n|(?=\{"seq":)')
_LINE = re.compile(
    rb'\{"seq":(?P<seq>\d{1,18}),(?:"after":"(?P<after>[0-9a-f]{8})",)?"crc":"(?P<crc>[0-9a-f]{8})",'
    rb'"(?P<kind>events|sealed)":(?P<payload>.*)\}',
    re.DOTALL,
)


class Head(NamedTuple):
    """What a journal's first line says."""

    version: int
    generation: int
    sequence: int | None
    """The last entry of the generation before; None in version 1."""
    length: int
    """Bytes of the line."""
    checksum: int
    """What the first entry comes after."""


class Entry(NamedTuple):
    """One transaction as read from the journal."""

    sequence: int
    events: tuple[Event, ...]
    linked: bool
    """Whether its line names the one before; in version 1 none does."""


class Line(NamedTuple):
    """One line whose checksum is right, not read any further."""

    sequence: int
    after: int | None
    """Checksum of the line before; None in version 1."""
    checksum: int
    sealed: bool
    payload: bytes

    def events(self, seal: Seal | None) -> tuple[Event, ...]:
        """Return what the transaction did.

        Raises:
            StoreDamaged: It is no list of events, or stands readable in an encrypted memory.
            KeyRefused: It is sealed, and the key does not open it.
        """
        if seal is not None and not self.sealed:  # anybody can write a line with a right checksum
            raise StoreDamaged(f"entry {self.sequence} of the journal is not encrypted, though the memory is")
        payload = _opened(self, seal) if self.sealed else self.payload
        try:
            values = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            raise StoreDamaged(f"a journal entry is not JSON: {error}") from error
        if not isinstance(values, list):
            raise StoreDamaged("a journal entry is not a list of events")
        return tuple(event_from_json(value) for value in values)


class Piece(NamedTuple):
    """A stretch of a damaged journal."""

    line: Line | None
    """The whole line that it is, if it is one."""
    finished: bool
    """Whether it has a line's end."""
    size: int
    """Bytes."""


class Tail(NamedTuple):
    """What a stretch of the journal holds."""

    entries: list[Entry]
    end: int
    """Bytes up to the end of the last whole line: where the next one goes."""
    torn: int
    """Bytes behind it: the start of a line that was never finished, hence never acknowledged."""
    checksum: int
    """Of the last whole line: what the next one comes after."""


def header(generation: int, sequence: int) -> bytes:
    """Return the first line of the journal of a generation, which goes on behind entry `sequence`."""
    return b'{"journal":"ntm-memory","version":%d,"generation":%d,"sequence":%d}\n' % (VERSION, generation, sequence)


def read_header(data: bytes) -> Head | None:
    """Return what a journal's first line says, or None where it was never finished.

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
    sequence = None if found[3] is None else int(found[3])
    return Head(int(found[1]), int(found[2]), sequence, found.end(), zlib.crc32(found[0]))


def line(sequence: int, events: Sequence[Event], after: int, seal: Seal | None = None) -> tuple[bytes, int]:
    """Return the journal line of one transaction, and its checksum.

    Raises:
        StoreDamaged: An event holds what could not be read again.
    """
    payload = orjson.dumps([event_to_json(event) for event in events])
    kind = b"events"
    if seal is not None:
        kind, payload = b"sealed", b'"%s"' % seal.encrypt(b"%d:%s" % (sequence, payload))
    checksum = _checksum(sequence, after, payload)
    return b'{"seq":%d,"after":"%08x","crc":"%08x","%s":%s}\n' % (sequence, after, checksum, kind, payload), checksum


def read_lines(data: bytes, after: int, checksum: int, seal: Seal | None = None) -> Tail:
    """Return the transactions in `data`, which starts at a line's start, leaving out those up to sequence `after`.

    Args:
        data: The journal from the end of its header, or of a line, on.
        after: The last sequence number that is known already.
        checksum: Of the line before.
        seal: What opens an encrypted memory.

    Raises:
        StoreDamaged: A finished line is unreadable or out of place, or an entry behind `after` is missing.
        KeyRefused: The entries are sealed, and the key does not open them.
    """
    entries: list[Entry] = []
    position, previous = 0, None
    for text in _finished(data):
        found = parse(text)
        if found is None:
            raise StoreDamaged(f"the journal is damaged {position} bytes into the part that was read")
        if found.after not in (None, checksum):
            raise StoreDamaged(f"entry {found.sequence} of the journal does not follow the line before it")
        _in_order(found.sequence, previous, after)
        previous, checksum = found.sequence, found.checksum
        if found.sequence > after:
            entries.append(Entry(found.sequence, found.events(seal), found.after is not None))
        position += len(text) + 1
    if data.find(_LINE_START, position + 1) >= 0:  # one append is one line: what was torn holds no second one
        raise StoreDamaged(f"the journal is damaged {position} bytes into the part that was read: two lines have met")
    return Tail(entries, position, len(data) - position, checksum)


def parse(text: bytes) -> Line | None:
    """Return a line, given without its newline, if its checksum is right."""
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    sequence, after = int(found["seq"]), None if found["after"] is None else int(found["after"], 16)
    checksum = _checksum(sequence, after, found["payload"])
    if checksum != int(found["crc"], 16):
        return None
    return Line(sequence, after, checksum, found["kind"] == b"sealed", found["payload"])


def pieces(data: bytes) -> Iterator[Piece]:
    """Give what a damaged journal holds behind its first line.

    A piece ends at a line's end, and where another line begins: a damaged line end costs neither of its two lines.
    """
    ends = {found.end() for found in _PIECES.finditer(data)} | {len(data)}
    start = 0
    for end in sorted(ends - {0}):
        text = data[start:end]
        finished = text.endswith(b"\n")
        line = parse(text[:-1]) if finished else parse(text) or parse(text[:-1])
        yield Piece(line, finished, len(text))
        start = end


def _finished(data: bytes) -> Iterator[bytes]:
    """Give the lines that have their newline, without it."""
    position = 0
    while (end := data.find(b"\n", position)) >= 0:
        yield data[position:end]
        position = end + 1


def _in_order(sequence: int, previous: int | None, after: int) -> None:
    """Refuse gaps and steps back. A gap among entries up to `after` loses nothing: the snapshot holds them."""
    if previous is not None and sequence <= previous:
        raise StoreDamaged(f"the journal goes back from entry {previous} to {sequence}")
    known = after if previous is None else max(previous, after)
    if sequence > known + 1:
        raise StoreDamaged(f"the journal goes on at entry {sequence}, but what is known ends at {known}")


def _opened(found: Line, seal: Seal | None) -> bytes:
    """Return a sealed line's payload, which has the sequence number inside as well: no line can stand for another."""
    if seal is None:
        raise KeyRefused("the journal is encrypted, and no key was given")
    sequence, _, payload = seal.decrypt(found.payload.strip(b'"')).partition(b":")
    if sequence != b"%d" % found.sequence:
        raise StoreDamaged(f"entry {found.sequence} of the journal was written as another one")
    return payload


def _checksum(sequence: int, after: int | None, payload: bytes) -> int:
    place = b"%d:" % sequence if after is None else b"%d:%08x:" % (sequence, after)
    return zlib.crc32(payload, zlib.crc32(place))
