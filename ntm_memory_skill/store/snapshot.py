"""The snapshot: `ntm_memory.json`, the whole state as JSON that a person can read, one memory a line.

The last member, `crc`, is the CRC-32 of every byte before it; each memory has one of its own, so that a damaged file
gives back those that are whole. An encrypted snapshot is JSON too: the same bytes, closed, under "sealed".

Version 1 had no checksums of single memories and no encryption.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from ntm_memory_skill.errors import KeyRefused, StoreDamaged, StoreTooNew
from ntm_memory_skill.model import EncoderIdentity, Record
from ntm_memory_skill.store.codec import (
    consolidation_from_json,
    consolidation_to_json,
    identity_from_json,
    identity_to_json,
    moment_from_json,
    record_from_json,
    record_to_json,
)
from ntm_memory_skill.store.seal import SCRYPT, Seal
from ntm_memory_skill.store.state import State

FORMAT = "ntm-memory"
VERSION = 2

_CHECKSUM = re.compile(rb'\n"crc":"([0-9a-f]{8})"\}\n\Z')
_RECORD = re.compile(rb'(?P<body>\{.*),"crc":"(?P<crc>[0-9a-f]{8})"\},?')
_SALT = re.compile(rb'"salt":"((?:[0-9a-f]{2})+)"')
_FRAME = re.compile(rb'"[^"]*":(?:\[(?:\],)?|\{.*|"[^"]*".?)|\],?|')  # the lines between memories
_NAMED = re.compile(rb'\{"id":"([0-9a-z]{1,40})"')


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
    version: int = VERSION


def encode(header: Header, state: State, seal: Seal | None = None) -> bytes:
    """Return the bytes of a snapshot.

    Raises:
        StoreDamaged: A memory holds what could not be read again.
    """
    head = {
        "format": FORMAT,
        "version": VERSION,
        "generation": header.generation,
        "sequence": header.sequence,
        "written": header.written.isoformat(),
        "encoder": identity_to_json(header.encoder),
        "next_ordinal": state.next_ordinal,
    }
    tombstones = {ident: at.isoformat() for ident, at in state.tombstones.items()}
    runs = {name: consolidation_to_json(run) for name, run in state.consolidations.items()}
    plain = _finished(
        orjson.dumps(head)[:-1],
        b',\n"records":',
        _lines(state.records.values()),
        b',\n"archive":',
        _lines(state.archive.values()),
        b',\n"forgotten":',
        _lines(state.forgotten.values()),
        b',\n"consolidations":',
        orjson.dumps(runs),
        b',\n"tombstones":',
        orjson.dumps(tombstones),
    )
    if seal is None:
        return plain
    wrapper = {"format": FORMAT, "version": VERSION, "kdf": {"name": "scrypt", **SCRYPT, "salt": seal.salt.hex()}}
    return _finished(orjson.dumps(wrapper)[:-1], b',\n"sealed":"', seal.encrypt(plain), b'"')


def decode(data: bytes, seal: Seal | None = None) -> tuple[Header, State]:
    """Return the header and state of a snapshot's bytes.

    Raises:
        StoreTooNew: A newer release wrote it.
        StoreDamaged: It is cut short, changed, or no snapshot at all.
        KeyRefused: It is encrypted and the key is missing or wrong, or there is a key and it is not encrypted.
    """
    value = _checked(data)
    if "sealed" in value:
        if seal is None:
            raise KeyRefused("the memory is encrypted, and no key was given")
        value = _checked(seal.decrypt(str(value["sealed"]).encode()))
    elif seal is not None:
        raise KeyRefused("the memory is not encrypted, though a key was given", hint=_NOT_SEALED)
    try:
        return _header(value), _state(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreDamaged(f"the snapshot lacks a part or has one of the wrong type: {error}") from error


_NOT_SEALED = "Run `ntm-memory encrypt` to encrypt it with this key, or take the key away."


def likely_salt(data: bytes) -> bytes | None:
    """Return what looks like the salt in a damaged snapshot."""
    found = _SALT.search(data)
    return None if found is None else bytes.fromhex(found[1].decode())


def salt(data: bytes) -> bytes | None:
    """Return the salt of an encrypted snapshot; None where it is not encrypted.

    Raises:
        StoreTooNew: A newer release wrote it.
        StoreDamaged: It is no whole snapshot.
    """
    value = _checked(data)
    if "sealed" not in value:
        return None
    try:
        if {name: value["kdf"][name] for name in SCRYPT} != SCRYPT or value["kdf"]["name"] != "scrypt":
            raise StoreTooNew("the memory is encrypted in a way that this release does not know")
        return bytes.fromhex(value["kdf"]["salt"])
    except (KeyError, TypeError, ValueError) as error:
        raise StoreDamaged(f"the snapshot does not say how it was encrypted: {error}") from error


@dataclass(frozen=True, slots=True)
class Remains:
    """What a damaged snapshot still gives."""

    encoder: EncoderIdentity | None
    generation: int
    """0 where it is not known."""
    sequence: int
    """0 where it is not known."""
    records: tuple[Record, ...]
    archive: tuple[Record, ...]
    forgotten: tuple[Record, ...]
    lost: tuple[str, ...]
    """The ids of memories that are damaged, as far as they can be made out; else "?"."""
    complete: bool
    """Whether every list was reached."""


def remains(data: bytes) -> Remains:
    """Return the memories of a damaged snapshot whose own checksums are right.

    What is around them may be damaged as well, so each says itself whether it was erased or forgotten.
    """
    head, *lines = data.split(b"\n")
    kept: list[Record] = []
    lost: list[str] = []
    for text in lines:
        if _FRAME.fullmatch(text):
            continue
        record = _whole(text)
        if record is None:
            named = _NAMED.match(text)
            lost.append("?" if named is None else named[1].decode())
        else:
            kept.append(record)
    said = _said(head)
    return Remains(
        encoder=_encoder(said),
        generation=_count(said.get("generation")),
        sequence=_count(said.get("sequence")),
        records=tuple(record for record in kept if record.erased_at is None and record.forgotten_at is None),
        archive=tuple(record for record in kept if record.erased_at is not None),
        forgotten=tuple(record for record in kept if record.erased_at is None and record.forgotten_at is not None),
        lost=tuple(lost),
        complete=b'"tombstones":' in data,
    )


def _whole(text: bytes) -> Record | None:
    found = _RECORD.fullmatch(text)
    if found is None or int(found["crc"], 16) != zlib.crc32(found["body"]):
        return None
    try:
        return record_from_json(orjson.loads(found["body"] + b"}"))
    except (orjson.JSONDecodeError, StoreDamaged):
        return None


def _said(head: bytes) -> dict[str, Any]:
    """Return what a snapshot's first line says, if it can still be read."""
    try:
        value = orjson.loads(head.rstrip(b",") + b"}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _encoder(said: dict[str, Any]) -> EncoderIdentity | None:
    try:
        return identity_from_json(said.get("encoder"))
    except StoreDamaged:
        return None


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**60 else 0


def _finished(*parts: bytes) -> bytes:
    body = b"".join((*parts, b","))
    return body + b'\n"crc":"%08x"}\n' % zlib.crc32(body)


def _checked(data: bytes) -> dict[str, Any]:
    """Return the JSON object of a snapshot whose version and checksum are right."""
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
    if found is None or int(found[1], 16) != zlib.crc32(memoryview(data)[: found.start()]):
        raise StoreDamaged("the snapshot's checksum is wrong: it was changed by something other than ntm-memory")
    return value


def _header(value: dict[str, Any]) -> Header:
    return Header(
        generation=_number(value, "generation"),
        sequence=_number(value, "sequence"),
        encoder=identity_from_json(value["encoder"]),
        written=moment_from_json(value["written"]),
        version=_number(value, "version"),
    )


def _state(value: dict[str, Any]) -> State:
    records, archive = _records(value["records"]), _records(value["archive"])
    forgotten = _records(value.get("forgotten", []))
    runs = value.get("consolidations", {})
    state = State(
        records={record.id: record for record in records},
        archive={record.id: record for record in archive},
        tombstones={ident: moment_from_json(at) for ident, at in value["tombstones"].items()},
        next_ordinal=_number(value, "next_ordinal"),
        forgotten={record.id: record for record in forgotten},
        consolidations={name: consolidation_from_json(run) for name, run in runs.items()},
    )
    kept = state.records.keys() | state.archive.keys() | state.forgotten.keys()
    if len(kept) < len(records) + len(archive) + len(forgotten):
        raise StoreDamaged("two memories in the snapshot have the same id")
    return state


def _number(value: dict[str, Any], name: str) -> int:
    number = value[name]
    if type(number) is not int or not 0 <= number < 10**18:  # a journal's line has no more digits
        raise ValueError(f"{name} is no number that it could have")
    return number


def _records(values: list[dict[str, Any]]) -> list[Record]:
    """Return the memories of a list, which is empty afterwards: what was read of each goes when it has been made."""
    records = []
    values.reverse()
    while values:
        value = values.pop()
        value.pop("crc", None)  # the whole file's checksum has been looked at
        records.append(record_from_json(value))
    return records


def _lines(records: Iterable[Record]) -> bytes:
    body = b",\n".join(_line(record) for record in records)
    return b"[\n" + body + b"\n]" if body else b"[]"


def _line(record: Record) -> bytes:
    body = orjson.dumps(record_to_json(record))[:-1]
    return b'%s,"crc":"%08x"}' % (body, zlib.crc32(body))
