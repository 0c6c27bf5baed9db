"""One line a transaction: whole lines are read as written, a torn last one is dropped, other damage is refused."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import StoreDamaged, StoreTooNew
from ntm_memory_skill.model import Erased, Event, Faded
from ntm_memory_skill.store import journal
from tests.store.builders import ident, memorized, moment
from tests.store.strategies import EVENTS

EVENTS_OF_LINES: list[list[Event]] = [
    [memorized(1, content='says "hi"\nand 你好'), memorized(2)],
    [Faded(ident(1), moment(5), 0.5)],
    [Erased(ident(2), moment(6), "outdated")],
]
LINES = [journal.line(number, events) for number, events in enumerate(EVENTS_OF_LINES, 1)]


def events_read(data: bytes, after: int = 0) -> list[tuple[int, list[Event]]]:
    """Return what a stretch of journal holds, as plain tuples and lists."""
    return [(entry.sequence, list(entry.events)) for entry in journal.read_lines(data, after).entries]


def sealed(sequence: int, payload: bytes) -> bytes:
    """Return a line with a right checksum, put together after the format's description."""
    crc = zlib.crc32(str(sequence).encode() + b":" + payload)
    return b'{"seq":' + str(sequence).encode() + f',"crc":"{crc:08x}","events":'.encode() + payload + b"}\n"


@given(st.lists(st.lists(EVENTS, max_size=3), max_size=4), st.integers(0, 10**9))
@settings(deadline=None, max_examples=100)
def test_every_line_is_read_back_as_written(transactions: list[list[Event]], after: int) -> None:
    """Whatever the texts hold, newlines and the shape of a line itself included."""
    data = b"".join(journal.line(number, events) for number, events in enumerate(transactions, after + 1))
    tail = journal.read_lines(data, after)
    assert events_read(data, after) == list(enumerate(transactions, after + 1))
    assert (tail.end, tail.torn) == (len(data), 0)


def test_a_line_is_one_line_of_valid_json() -> None:
    """A person or another program can read the journal line by line."""
    for number, line in enumerate(LINES, 1):
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert json.loads(line)["seq"] == number


def test_the_checksum_is_the_documented_one() -> None:
    """CRC-32 over "seq:" and the events, so that another program can check it and a later release reads it."""
    for number, line in enumerate(LINES, 1):
        payload = line[line.index(b"[") : -len(b"}\n")]
        assert line == sealed(number, payload)


def test_an_empty_stretch_holds_nothing() -> None:
    """As a journal that was started anew does behind its header."""
    assert journal.read_lines(b"", 7) == journal.Tail([], 0, 0)


def test_a_last_line_torn_at_any_byte_is_dropped_and_reported() -> None:
    """Its writer died or ran out of space: it was never acknowledged."""
    whole = LINES[0] + LINES[1]
    for length in range(1, len(LINES[2])):
        tail = journal.read_lines(whole + LINES[2][:length], 0)
        assert [entry.sequence for entry in tail.entries] == [1, 2]
        assert (tail.end, tail.torn) == (len(whole), length)


def test_a_last_line_whose_blocks_never_reached_the_disk_is_dropped() -> None:
    """After a power failure a file may have its new length and zeros in place of the data."""
    for torn in (bytes(100), LINES[2][:20] + bytes(len(LINES[2]) - 20), bytes(30) + LINES[2][30:]):
        tail = journal.read_lines(LINES[0] + torn, 0)
        assert [entry.sequence for entry in tail.entries] == [1]
        assert (tail.end, tail.torn) == (len(LINES[0]), len(torn))


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_any_changed_byte_before_the_last_line_is_refused(mask: int) -> None:
    """The newline between the last two lines as well: else an acknowledged entry would pass for a torn one."""
    data = b"".join(LINES)
    for position in range(len(data) - len(LINES[2])):
        changed = data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]
        with pytest.raises(StoreDamaged):
            journal.read_lines(changed, 0)


@given(st.integers(0, len(b"".join(LINES)) - 1), st.integers(0, 255))
@settings(deadline=None, max_examples=200)
def test_a_changed_byte_never_changes_what_is_read(position: int, value: int) -> None:
    """Every entry that is read at all is one that was written, and in its place."""
    data = b"".join(LINES)
    try:
        found = events_read(data[:position] + bytes([value]) + data[position + 1 :])
    except StoreDamaged:
        return
    assert found == [*enumerate(EVENTS_OF_LINES, 1)][: len(found)]
    assert len(found) >= 2


def test_a_missing_entry_is_refused() -> None:
    """At the beginning and in the middle: what it said would be lost without a word."""
    for data in (LINES[0] + LINES[2], LINES[1], LINES[2]):
        with pytest.raises(StoreDamaged):
            journal.read_lines(data, 0)


def test_entries_out_of_order_are_refused() -> None:
    """A line that comes twice, or after its successor, was not written by this program."""
    for data in (LINES[0] + LINES[0], LINES[0] + LINES[1] + LINES[0], LINES[1] + LINES[0]):
        for after in (0, 1, 2):
            with pytest.raises(StoreDamaged):
                journal.read_lines(data, after)


def test_two_lines_that_have_met_are_refused() -> None:
    """A lost newline joins two acknowledged entries; a torn write cannot look like that."""
    joined = LINES[1][:-1] + LINES[2]
    for data in (LINES[0] + joined, LINES[0] + joined[:-1], LINES[0] + LINES[1][:40] + LINES[2]):
        with pytest.raises(StoreDamaged):
            journal.read_lines(data, 0)


def test_a_damaged_line_with_anything_behind_it_is_refused() -> None:
    """Also where that is torn or damaged itself: the line was whole once, for the next one came."""
    damaged = LINES[1].replace(b"0", b"1")
    for behind in (b"{", b"x\n", b"x" + LINES[2][1:], LINES[2][:50]):
        with pytest.raises(StoreDamaged):
            journal.read_lines(LINES[0] + damaged + behind, 0)


def test_entries_that_the_snapshot_holds_are_passed_over() -> None:
    """They are still there when a crash kept the journal from starting anew; the end is found all the same."""
    data = b"".join(LINES)
    for after in range(4):
        tail = journal.read_lines(data, after)
        assert [entry.sequence for entry in tail.entries] == list(range(after + 1, 4))
        assert (tail.end, tail.torn) == (len(data), 0)


def test_a_gap_among_folded_entries_is_no_loss() -> None:
    """An older journal beside a newer snapshot goes on at the snapshot's end: all in between is in the snapshot."""
    assert events_read(LINES[0] + journal.line(9, [Faded(ident(1), moment(7), 0.1)]), after=8) == [
        (9, [Faded(ident(1), moment(7), 0.1)])
    ]


@pytest.mark.parametrize("payload", [b"{}", b"[", b"[7]", b'[{"event":"renamed","id":"m001"}]', b"null", b"\xff"])
def test_a_payload_that_is_no_list_of_events_is_refused(payload: bytes) -> None:
    """Even with a right checksum: a newer release may have written it."""
    with pytest.raises(StoreDamaged):
        journal.read_lines(sealed(1, payload), 0)


@given(st.integers(0, 10**18 - 1))
@settings(deadline=None, max_examples=50)
def test_a_header_tells_its_generation_and_length(generation: int) -> None:
    """What stands behind it is not its own."""
    header = journal.header(generation)
    assert json.loads(header) == {"journal": "ntm-memory", "version": 1, "generation": generation}
    for rest in (b"", LINES[0], b"torn"):
        assert journal.read_header(header + rest) == (generation, len(header))


def test_a_torn_header_is_none() -> None:
    """The first append was never finished, so there is nothing behind it either."""
    header = journal.header(3)
    for length in range(len(header)):
        assert journal.read_header(header[:length]) is None


def test_a_header_of_a_newer_release_is_told_apart_from_damage() -> None:
    """The remedy is another: to upgrade, not to restore."""
    with pytest.raises(StoreTooNew):
        journal.read_header(journal.header(3).replace(b'"version":1', b'"version":2') + LINES[0])


@pytest.mark.parametrize("first", [b"\n", LINES[0], b'{"journal":"another","version":1,"generation":3}\n', b"{}\n"])
def test_a_first_line_that_is_no_header_is_refused(first: bytes) -> None:
    """The file is not a journal of ours, or its beginning is gone."""
    with pytest.raises(StoreDamaged):
        journal.read_header(first + LINES[0])
