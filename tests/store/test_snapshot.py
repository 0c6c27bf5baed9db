"""The snapshot: read back as written, readable by a person, and refused as soon as one byte is not as written."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import StoreDamaged, StoreError, StoreTooNew
from ntm_memory_skill.model import Consolidated, Link, Record
from ntm_memory_skill.store import State, snapshot
from tests.store.builders import IDENTITY, eventful, folded, ident, moment, record
from tests.store.strategies import CONSOLIDATIONS, COUNTS, IDENTITIES, IDENTS, MOMENTS, RECORDS

HEADER = snapshot.Header(generation=3, sequence=121, encoder=IDENTITY, written=moment(60))
STATE = folded(eventful())
DATA = snapshot.encode(HEADER, STATE)

Places = tuple[list[Record], list[Record], list[Record]]
"""Live memories, erased ones, and forgotten ones."""
RECORD_LISTS = st.lists(RECORDS, max_size=8, unique_by=(lambda found: found.id, lambda found: found.slot))
PLACES = RECORD_LISTS.map(lambda found: (found[::3], found[1::3], found[2::3]))
HEADERS = st.builds(snapshot.Header, generation=COUNTS, sequence=COUNTS, encoder=IDENTITIES, written=MOMENTS)


def state_of(
    records: Sequence[Record], archive: Sequence[Record], forgotten: Sequence[Record] = (), **fields: Any
) -> State:
    """Return a state that holds the given records."""
    live, erased, out = ({found.id: found for found in place} for place in (records, archive, forgotten))
    return State(live, erased, forgotten=out, **fields)


def resealed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return the snapshot with its JSON changed and a right checksum, put together after the format's description."""
    value = json.loads(DATA)
    del value["crc"]
    change(value)
    body = json.dumps(value).encode()[:-1] + b","
    return body + f'\n"crc":"{zlib.crc32(body):08x}"}}\n'.encode()


@given(HEADERS, PLACES, st.dictionaries(IDENTS, MOMENTS, max_size=3), COUNTS, st.lists(CONSOLIDATIONS, max_size=3))
@settings(deadline=None, max_examples=80)
def test_every_snapshot_is_read_back_as_written(
    header: snapshot.Header, places: Places, gone: dict[str, Any], ordinal: int, done: list[Consolidated]
) -> None:
    """Header and state, with memories and consolidations in the order in which they were written."""
    runs = {each.run: each for each in done}
    state = state_of(*places, tombstones=gone, next_ordinal=ordinal, consolidations=runs)
    data = snapshot.encode(header, state)
    found_header, found = snapshot.decode(data)
    assert (found_header, found) == (header, state)
    for side, written in zip((found.records, found.archive, found.forgotten), places, strict=True):
        assert list(side) == [each.id for each in written]
    assert list(found.consolidations) == list(runs)
    assert json.loads(data)["format"] == "ntm-memory"


@given(PLACES)
@settings(deadline=None, max_examples=40)
def test_each_memory_has_a_line_of_its_own(places: Places) -> None:
    """So that `grep` and `diff` work on the file."""
    data = snapshot.encode(HEADER, state_of(*places))
    everybody = [each for place in places for each in place]
    values = [json.loads(line.rstrip(b",")) for line in data.split(b"\n") if line.startswith(b'{"id"')]
    assert [value["id"] for value in values] == [written.id for written in everybody]
    assert [value["content"] for value in values] == [written.content for written in everybody]


def test_another_program_can_read_it() -> None:
    """Plain JSON, with texts as they were written and not as escapes."""
    value = json.loads(DATA)
    assert (value["format"], value["version"], value["generation"], value["sequence"]) == ("ntm-memory", 2, 3, 121)
    assert [found["id"] for found in value["records"]] == list(STATE.records)
    assert [found["id"] for found in value["archive"]] == list(STATE.archive)
    assert [found["id"] for found in value["forgotten"]] == list(STATE.forgotten) != []
    assert value["consolidations"]["b"]["merged"] == [ident(6)]
    assert value["tombstones"] == {ident(4): moment(14).isoformat()}
    assert "你好，世界 🌍".encode() in DATA


def test_the_checksum_is_the_documented_one() -> None:
    """CRC-32 of every byte before it; this also shows that `resealed` puts snapshots together rightly."""
    body, _, rest = DATA.rpartition(b'\n"crc":"')
    assert rest == f'{zlib.crc32(body):08x}"}}\n'.encode()
    assert snapshot.decode(resealed(lambda value: None)) == (HEADER, STATE)


def test_each_memory_has_the_documented_checksum_of_its_own() -> None:
    """CRC-32 of its line up to the checksum: a damaged file gives back the memories that are whole."""
    lines = [line.rstrip(b",") for line in DATA.split(b"\n") if line.startswith(b'{"id"')]
    assert len(lines) == len(STATE.records) + len(STATE.archive) + len(STATE.forgotten)
    for line in lines:
        body, _, rest = line.rpartition(b',"crc":"')
        assert rest == f'{zlib.crc32(body):08x}"}}'.encode()


def test_a_memory_without_a_checksum_of_its_own_is_read() -> None:
    """Version 1 had none, and the whole file has one."""

    def as_version_1(value: dict[str, Any]) -> None:
        value["version"] = 1
        for written in (*value["records"], *value["archive"], *value["forgotten"]):
            del written["crc"]

    assert snapshot.decode(resealed(as_version_1)) == (replace(HEADER, version=1), STATE)


def test_a_snapshot_without_forgotten_memories_and_consolidations_is_read() -> None:
    """Version 1 had neither, nor had the first stores of version 2."""

    def without(value: dict[str, Any]) -> None:
        del value["forgotten"], value["consolidations"]

    _, found = snapshot.decode(resealed(without))
    assert found == replace(STATE, forgotten={}, consolidations={})


def test_an_empty_memory_has_a_snapshot() -> None:
    """The first one is written before the first memory is in."""
    assert snapshot.decode(snapshot.encode(HEADER, State())) == (HEADER, State())


def test_a_snapshot_cut_at_any_byte_is_refused() -> None:
    """It was never whole, or is not any more."""
    for length in range(len(DATA)):
        with pytest.raises(StoreDamaged):
            snapshot.decode(DATA[:length])


@pytest.mark.parametrize("mask", [0x01, 0x02, 0x20, 0x80])
def test_any_changed_byte_is_refused(mask: int) -> None:
    """A change of the version's digit may read as a newer release; that is refused as well."""
    for position in range(len(DATA)):
        changed = DATA[:position] + bytes([DATA[position] ^ mask]) + DATA[position + 1 :]
        with pytest.raises(StoreError) as caught:
            snapshot.decode(changed)
        assert caught.type in (StoreDamaged, StoreTooNew)


def test_anything_behind_the_end_is_refused() -> None:
    """Also what a text editor adds: a snapshot is changed by this program alone."""
    for added in (b"\n", b" ", b"{}", DATA):
        with pytest.raises(StoreDamaged):
            snapshot.decode(DATA + added)


@pytest.mark.parametrize("version", [3, 4, 10**6])
def test_a_snapshot_of_a_newer_release_is_told_apart_from_damage(version: int) -> None:
    """Whatever else it holds, and however it is sealed: the remedy is to upgrade."""
    newer = resealed(lambda value: value.update(version=version, records={"kept": "otherwise"}))
    for data in (newer, json.dumps({"format": "ntm-memory", "version": version}).encode()):
        with pytest.raises(StoreTooNew):
            snapshot.decode(data)


@pytest.mark.parametrize("data", [b"{}", b"[]", b"null", b"7", b'"ntm-memory"', b'{"format":"another","version":9}'])
def test_json_that_is_not_ours_is_refused(data: bytes) -> None:
    """A path that points to some other file does not make it ours."""
    with pytest.raises(StoreDamaged):
        snapshot.decode(data)


@pytest.mark.parametrize(
    "member", ["generation", "sequence", "written", "encoder", "next_ordinal", "records", "archive", "tombstones"]
)
def test_a_snapshot_without_one_of_its_parts_is_refused(member: str) -> None:
    """Even with a right checksum: nothing is made up in its place."""
    with pytest.raises(StoreDamaged):
        snapshot.decode(resealed(lambda value: value.pop(member)))


@pytest.mark.parametrize(
    "member",
    ["generation", "written", "encoder", "records", "archive", "forgotten", "consolidations", "tombstones"],
)
def test_a_part_of_the_wrong_type_is_refused(member: str) -> None:
    """Even with a right checksum."""
    for wrong in (None, "text", [7], {"a": 1}):
        with pytest.raises(StoreDamaged):
            snapshot.decode(resealed(partial(dict.update, **{member: wrong})))


def test_an_unknown_field_of_a_memory_is_refused() -> None:
    """It would be lost with the next snapshot."""
    with pytest.raises(StoreDamaged):
        snapshot.decode(resealed(lambda value: value["records"][0].update(colour="green")))


def add_record(written: dict[str, Any], value: dict[str, Any], place: str = "records") -> None:
    """Put one more memory into a snapshot's JSON."""
    value[place].append(written)


def test_two_memories_with_the_same_id_or_slot_are_refused() -> None:
    """One of them would be lost, or would overwrite the other's row."""
    first = json.loads(DATA)["records"][0]
    for place in ("archive", "forgotten"):
        with pytest.raises(StoreDamaged):
            snapshot.decode(resealed(partial(add_record, first, place=place)))
    for changed in ({"id": "another"}, {"slot": 7}):
        with pytest.raises(StoreDamaged):
            snapshot.decode(resealed(partial(add_record, {**first, **changed})))


def test_ids_that_nobody_has_are_read() -> None:
    """What a memory is linked to or was merged into may be purged, or lost: it says so by an id that is not there."""
    lonely = record(1, links=(Link("gone", 0.5, moment(1)),), supersedes="gone", distilled_from=("gone",))
    orphan = record(2, forgotten_at=moment(1), forgotten_because="the same", merged_into="gone")
    state = state_of([lonely], [], [orphan])
    assert snapshot.decode(snapshot.encode(HEADER, state))[1] == state


def test_memories_in_the_archive_may_have_had_the_same_slot() -> None:
    """A slot is used again after its memory was erased."""
    state = state_of([record(1)], [record(2, slot=1), record(3, slot=1)])
    assert snapshot.decode(snapshot.encode(HEADER, state))[1] == state
