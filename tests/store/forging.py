"""The file formats, written a second time from docs/format.md: what the fuzzing puts behind right checksums.

Nothing here is the store's own code but the seal. JSON comes from the standard library, so that values which the store
would never write (NaN, half a surrogate pair, numbers without end) can be written all the same.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from ntm_memory_skill.store.seal import Seal

JSON = Any

RAW = {
    "@deep lists@": b"[" * 3000 + b"]" * 3000,
    "@deep objects@": b'{"id":' * 3000 + b"0" + b"}" * 3000,
    "@endless number@": b"1" + b"0" * 5000,
    "@beyond floats@": b"1e400",
    "@one key twice@": b'{"id":"m000","id":"m001"}',
    "@half a pair@": b'"\\ud83d"',
    "@no text@": b'"\xff\xfe"',
}
"""Texts that stand for bytes which no JSON writer gives."""


def dumped(value: JSON) -> bytes:
    """Return JSON without spaces, as the store's files have it, with every text of `RAW` turned into its bytes."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    if b'"@' in text:
        for name, raw in RAW.items():
            text = text.replace(b'"%s"' % name.encode(), raw)
    return text


def snapshot_bytes(value: JSON, seal: Seal | None = None, kdf: JSON = None) -> bytes:
    """Return a snapshot that says `value`, with the checksums of its records and of the file.

    Args:
        value: The object, in which records have no checksums yet.
        seal: What to encrypt it with.
        kdf: What the file then says of the key.
    """
    plain = _finished(_members(value))
    if seal is None:
        return plain
    sealed = {"format": "ntm-memory", "version": 2, "kdf": kdf, "sealed": seal.encrypt(plain).decode()}
    return _finished(dumped(sealed)[:-1])


def journal_bytes(lines: list[JSON], seal: Seal | None = None) -> bytes:
    """Return a journal of a header and of entries `{"seq": …, "events": […]}`, with the checksums that these need."""
    if not lines:
        return b""
    head = dumped(lines[0]) + b"\n"
    chained = not (isinstance(lines[0], dict) and lines[0].get("version") == 1)
    written, checksum = [head], zlib.crc32(head)
    for line in lines[1:]:
        text, checksum = line_bytes(line, checksum if chained else None, seal)
        written.append(text)
    return b"".join(written)


def line_bytes(line: JSON, after: int | None, seal: Seal | None = None) -> tuple[bytes, int]:
    """Return an entry and its checksum; a value that has not an entry's shape stands there as it is.

    Args:
        line: `{"seq": …, "events": […]}`, or what is encrypted already, `{"seq": …, "sealed": "…"}`.
        after: The checksum of the line before; None as in version 1.
        seal: What to encrypt it with.
    """
    if not isinstance(line, dict) or line.keys() not in ({"seq", "events"}, {"seq", "sealed"}):
        return dumped(line) + b"\n", 0
    kind = b"events" if "events" in line else b"sealed"
    number, payload = dumped(line["seq"]), dumped(line[kind.decode()])
    if seal is not None and kind == b"events":
        kind, payload = b"sealed", b'"%s"' % seal.encrypt(number + b":" + payload)
    place = number + b":" if after is None else b"%s:%08x:" % (number, after)
    checksum = zlib.crc32(place + payload)
    link = b"" if after is None else b'"after":"%08x",' % after
    return b'{"seq":%s,%s"crc":"%08x","%s":%s}\n' % (number, link, checksum, kind, payload), checksum


def old_keys_bytes(keys: bytes, dimension: int) -> bytes:
    """Return a key cache as version 1 wrote it: a row's checksum was of the key alone, without its digest."""
    width = 16 + 4 + 4 * dimension
    start = 10 + int.from_bytes(keys[8:10], "little")
    rows = [keys[place : place + width] for place in range(start, len(keys), width)]
    return keys[:start] + b"".join(row[:16] + zlib.crc32(row[20:]).to_bytes(4, "little") + row[20:] for row in rows)


def note_bytes(acknowledged: int) -> bytes:
    """Return a writer's note by which an entry was acknowledged: two lines of 160 bytes."""
    number = b"%d" % acknowledged
    lines = (b"process 1 (test), since then", b"acknowledged %s crc %08x" % (number, zlib.crc32(number)))
    return b"".join(line.ljust(159) + b"\n" for line in lines)


def _members(value: JSON) -> bytes:
    """Return a snapshot without its end: a line of single values, then one memory a line."""
    if not isinstance(value, dict):
        return dumped(value)
    lists = [name for name in ("records", "archive", "forgotten", "consolidations", "tombstones") if name in value]
    parts = [dumped({name: part for name, part in value.items() if name not in lists})[:-1]]
    for name in lists:
        plain = name in ("consolidations", "tombstones")
        text = dumped(value[name]) if plain else _records(value[name], value.get("version") != 1)
        parts.append(dumped(name) + b":" + text)
    return b",\n".join(parts)


def _records(values: JSON, checked: bool) -> bytes:
    if not isinstance(values, list) or not values:
        return dumped(values)
    return b"[\n" + b",\n".join(_record(value) if checked else dumped(value) for value in values) + b"\n]"


def _record(value: JSON) -> bytes:
    """Return a record with its checksum, which is of every byte before it."""
    if not isinstance(value, dict) or not value:
        return dumped(value)
    body = dumped(value)[:-1]
    return body + b',"crc":"%08x"}' % zlib.crc32(body)


def _finished(body: bytes) -> bytes:
    """Return a file with its own checksum, which is of every byte before its line."""
    body += b","
    return body + b'\n"crc":"%08x"}\n' % zlib.crc32(body)
