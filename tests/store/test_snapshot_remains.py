"""What a damaged snapshot still gives: every memory that is whole, none that is not, and a word about the lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.store import State, snapshot
from tests.store.builders import IDENTITY, eventful, folded, moment
from tests.store.test_snapshot import PLACES, Places, state_of

HEADER = snapshot.Header(generation=3, sequence=121, encoder=IDENTITY, written=moment(60))
STATE = folded(eventful())
DATA = snapshot.encode(HEADER, STATE)
EVERYBODY = {*STATE.records, *STATE.archive, *STATE.forgotten}


def changed(position: int, mask: int = 0x01) -> bytes:
    """Return the snapshot with one byte changed."""
    return DATA[:position] + bytes([DATA[position] ^ mask]) + DATA[position + 1 :]


def line_of(name: str) -> range:
    """Return where the line of a memory stands in the snapshot, without its newline."""
    start = DATA.index(f'\n{{"id":"{name}"'.encode()) + 1
    return range(start, DATA.index(b"\n", start))


def kept(found: snapshot.Remains) -> set[str]:
    """Return the ids of the memories that are there, after checking that they are what was written."""
    places = ((STATE.records, found.records), (STATE.archive, found.archive), (STATE.forgotten, found.forgotten))
    for written, side in places:
        for record in side:
            assert written[record.id] == record
    return {record.id for _, side in places for record in side}


def test_a_whole_snapshot_gives_everything() -> None:
    """In the order of writing, with what the first line says."""
    found = snapshot.remains(DATA)
    assert len(EVERYBODY) == 8
    for written, side in ((STATE.records, found.records), (STATE.archive, found.archive)):
        assert list(side) == list(written.values())
    assert list(found.forgotten) == list(STATE.forgotten.values())
    assert (found.encoder, found.generation, found.sequence, found.lost, found.complete) == (IDENTITY, 3, 121, (), True)


@given(PLACES)
@settings(deadline=None, max_examples=60)
def test_any_memory_comes_back(places: Places) -> None:
    """Whatever its texts hold: what looks like the end of a line or the beginning of a list is none."""
    written = [record.id for place in places for record in place]
    found = snapshot.remains(snapshot.encode(HEADER, state_of(*places)))
    assert sorted(each.id for each in (*found.records, *found.archive, *found.forgotten)) == sorted(written)
    assert all((each.erased_at, each.forgotten_at) == (None, None) for each in found.records)
    assert all(each.erased_at is None and each.forgotten_at is not None for each in found.forgotten)
    assert found.lost == ()


@pytest.mark.parametrize("name", sorted(EVERYBODY))
@pytest.mark.parametrize("mask", [0x01, 0x80])
def test_a_changed_byte_costs_the_memory_in_whose_line_it_is(name: str, mask: int) -> None:
    """And it is named; where its name is what was changed, something is said to be lost all the same."""
    for position in line_of(name)[:-1]:  # the comma at the end may go
        found = snapshot.remains(changed(position, mask))
        assert kept(found) == EVERYBODY - {name}
        assert len(found.lost) == 1
        assert found.lost[0] == name or position < line_of(name).start + len(f'{{"id":"{name}"')


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_a_changed_byte_between_the_memories_costs_none(mask: int) -> None:
    """Nor does it bring one back from the archive, or send one there: each says itself whether it was erased."""
    inside = {position for name in EVERYBODY for position in (*line_of(name), line_of(name).stop)}
    for position in set(range(len(DATA))) - inside:
        if DATA[position : position + 1] != b"\n":
            assert kept(snapshot.remains(changed(position, mask))) == EVERYBODY


def test_a_lost_newline_costs_the_memories_that_it_joins() -> None:
    """At most two, and something is said to be lost."""
    for position in (place for place in range(len(DATA)) if DATA[place : place + 1] == b"\n"):
        found = snapshot.remains(changed(position))
        assert len(EVERYBODY - kept(found)) <= 2
        assert found.lost or kept(found) == EVERYBODY


def test_a_snapshot_cut_at_any_byte_gives_what_is_before() -> None:
    """And does not pass for complete."""
    for length in range(len(DATA)):
        found = snapshot.remains(DATA[:length])
        assert kept(found) >= {name for name in EVERYBODY if line_of(name).stop <= length}
        assert not found.complete or length > DATA.index(b'"tombstones":')


@pytest.mark.parametrize("data", [b"", b"\n\n\n", bytes(500), b"{}", b"[]\n[]", b"\xff\n\xff"], ids=repr)
def test_other_bytes_give_nothing_and_raise_nothing(data: bytes) -> None:
    """Whatever stands in the file's place."""
    found = snapshot.remains(data)
    assert (found.encoder, found.generation, found.sequence) == (None, 0, 0)
    assert (found.records, found.archive, found.complete) == ((), (), False)


@given(st.integers(0, len(DATA) - 1), st.binary(min_size=1, max_size=60))
@settings(deadline=None, max_examples=200)
def test_a_stretch_of_other_bytes_never_gives_a_changed_memory(position: int, other: bytes) -> None:
    """What is given is what was written, on the side where it was."""
    kept(snapshot.remains(DATA[:position] + other + DATA[position + len(other) :]))


def test_a_first_line_that_is_damaged_says_nothing() -> None:
    """Not even half of it: an encoder that was misread would fit no key."""
    for position in range(DATA.index(b"\n")):
        found = snapshot.remains(changed(position, 0x80))
        assert kept(found) == EVERYBODY
        assert (found.encoder, found.generation, found.sequence) in ((None, 0, 0), (IDENTITY, 3, 121))


def test_an_empty_memory_has_nothing_to_lose() -> None:
    """Its lists are empty, and complete."""
    found = snapshot.remains(snapshot.encode(HEADER, State()))
    assert (found.records, found.archive, found.lost, found.complete) == ((), (), (), True)
