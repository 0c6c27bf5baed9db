"""The snapshot: `ntm_memory.json`, the whole state as JSON that a person can read, one memory a line.

The last member, `crc`, is the CRC-32 of every byte before it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from ntm_memory_skill.errors import StoreDamaged, StoreTooNew
from ntm_memory_skill.model import EncoderIdentity, Record
from ntm_memory_skill.store.codec import identity_from_json, identity_to_json, record_from_json, record_to_json
from ntm_memory_skill.store.state import State

FORMAT = "ntm-memory"
VERSION = 1

_CHECKSUM = re.compile(rb'\n"crc":"([0-9a-f]{8})"\}\n\Z')


@dataclass(frozen=True, slots=True)
class Header:
    """What a snapshot says of itself."""

    generation: int
    """Goes up by one with every snapshot."""
    sequence: int
    """The last journal entry that is folded in; 0 where there is none."""
    encoder: EncoderIdentity
    """Whose keys the memory is addressed by."""
    written: datetime


def encode(header: Header, state: State) -> bytes:
    """Return the bytes of a snapshot."""
    head = orjson.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "generation": header.generation,
            "sequence": header.sequence,
            "written": header.written.isoformat(),
            "encoder": identity_to_json(header.encoder),
            "next_ordinal": state.next_ordinal,
        }
    )
    tombstones = orjson.dumps({ident: at.isoformat() for ident, at in state.tombstones.items()})
    body = b"".join(
        [
            head[:-1],
            b',\n"records":',
            _lines(state.records.values()),
            b',\n"archive":',
            _lines(state.archive.values()),
            b',\n"tombstones":',
            tombstones,
            b",",
        ]
    )
    return body + b'\n"crc":"%08x"}\n' % zlib.crc32(body)


def decode(data: bytes) -> tuple[Header, State]:
    """Return the header and state of a snapshot's bytes.

    Raises:
        StoreTooNew: A newer release wrote it.
        StoreDamaged: It is cut short, changed, or no snapshot at all.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise StoreDamaged(f"the snapshot is no valid JSON ({error}); it may have been cut short") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise StoreDamaged("the file is JSON, but no snapshot of ntm-memory")
    version = value.get("version")
    if isinstance(version, int) and version > VERSION:
        raise StoreTooNew(f"the snapshot has format version {version}; this release reads up to {VERSION}")
    found = _CHECKSUM.search(data)
    if found is None or int(found[1], 16) != zlib.crc32(data[: found.start()]):
        raise StoreDamaged("the snapshot's checksum is wrong: it was changed by something other than ntm-memory")
    try:
        return _header(value), _state(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreDamaged(f"the snapshot lacks a part or has one of the wrong type: {error}") from error


def _header(value: dict[str, Any]) -> Header:
    return Header(
        generation=int(value["generation"]),
        sequence=int(value["sequence"]),
        encoder=identity_from_json(value["encoder"]),
        written=datetime.fromisoformat(value["written"]),
    )


def _state(value: dict[str, Any]) -> State:
    records = [record_from_json(record) for record in value["records"]]
    archive = [record_from_json(record) for record in value["archive"]]
    state = State(
        records={record.id: record for record in records},
        archive={record.id: record for record in archive},
        tombstones={ident: datetime.fromisoformat(at) for ident, at in value["tombstones"].items()},
        next_ordinal=int(value["next_ordinal"]),
    )
    if len(state.records) < len(records) or len({record.slot for record in records}) < len(records):
        raise StoreDamaged("two memories in the snapshot have the same id or the same slot")
    return state


def _lines(records: Iterable[Record]) -> bytes:
    body = b",\n".join(orjson.dumps(record_to_json(record)) for record in records)
    return b"[\n" + body + b"\n]" if body else b"[]"
