"""One line a transaction: whole lines are read as written, a torn last one is dropped, other damage is refused."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence

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
HEAD = zlib.crc32(journal.header(3, 0))
"""What the first entry comes after."""


def lines_of(transactions: Iterable[Sequence[Event]], first: int = 1) -> list[bytes]:
    """Return the lines of transactions, each coming after the one before."""
    lines, checksum = [], HEAD
    for number, events in enumerate(transactions, first):
        text, checksum = journal.line(number, events, checksum)
        lines.append(text)
    return lines


LINES = lines_of(EVENTS_OF_LINES)


def read(data: bytes, after: int = 0, checksum: int = HEAD) -> journal.Tail:
    """Return what a stretch of journal holds that begins behind its header."""
    return journal.read_lines(data, after, checksum)


def events_read(data: bytes, after: int = 0) -> list[tuple[int, list[Event]]]:
    """Return what a stretch of journal holds, as plain tuples and lists."""
    return [(entry.sequence, list(entry.events)) for entry in read(data, after).entries]


def checksum_of(line: bytes) -> int:
    """Return the checksum that a line says it has."""
    return int(json.loads(line)["crc"], 16)


def assembled(sequence: int, payload: bytes, after: int = HEAD) -> bytes:
    """Return a line with a right checksum, put together after the format's description."""
    crc = zlib.crc32(f"{sequence}:{after:08x}:".encode() + payload)
    return f'{{"seq":{sequence},"after":"{after:08x}","crc":"{crc:08x}","events":'.encode() + payload + b"}\n"


def assembled_as_version_1(sequence: int, payload: bytes) -> bytes:
    """Return a line as version 1 of the format had it, with a right checksum."""
    crc = zlib.crc32(f"{sequence}:".encode() + payload)
    return f'{{"seq":{sequence},"crc":"{crc:08x}","events":'.encode() + payload + b"}\n"


@given(st.lists(st.lists(EVENTS, max_size=3), max_size=4), st.integers(0, 10**9))
@settings(deadline=None, max_examples=100)
def test_every_line_is_read_back_as_written(transactions: list[list[Event]], after: int) -> None:
    """Whatever the texts hold, newlines and the shape of a line itself included."""
    lines = lines_of(transactions, after + 1)
    data = b"".join(lines)
    tail = read(data, after)
    assert events_read(data, after) == list(enumerate(transactions, after + 1))
    assert (tail.end, tail.torn) == (len(data), 0)
    assert tail.checksum == (checksum_of(lines[-1]) if lines else HEAD)


def test_a_line_is_one_line_of_valid_json() -> None:
    """A person or another program can read the journal line by line."""
    for number, line in enumerate(LINES, 1):
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert json.loads(line)["seq"] == number


def test_the_checksum_is_the_documented_one() -> None:
    """CRC-32 over "seq:after:" and the events, so that another program can check it and a later release reads it."""
    after = HEAD
    for number, line in enumerate(LINES, 1):
        payload = line[line.index(b"[") : -len(b"}\n")]
        assert line == assembled(number, payload, after)
        after = checksum_of(line)


def test_an_empty_stretch_holds_nothing() -> None:
    """As a journal that was started anew does behind its header."""
    assert journal.read_lines(b"", 7, HEAD) == journal.Tail([], 0, 0, HEAD)


def test_a_last_line_torn_at_any_byte_is_dropped_and_reported() -> None:
    """Its writer died or ran out of space: it was never acknowledged."""
    whole = LINES[0] + LINES[1]
    for length in range(1, len(LINES[2])):
        tail = read(whole + LINES[2][:length])
        assert [entry.sequence for entry in tail.entries] == [1, 2]
        assert (tail.end, tail.torn) == (len(whole), length)


def test_a_last_line_whose_blocks_never_reached_the_disk_is_dropped() -> None:
    """After a power failure a file may have its new length and zeros in place of the data."""
    for torn in (bytes(100), LINES[2][:20] + bytes(len(LINES[2]) - 20), bytes(30) + LINES[2][30:-1]):
        tail = read(LINES[0] + torn)
        assert [entry.sequence for entry in tail.entries] == [1]
        assert (tail.end, tail.torn) == (len(LINES[0]), len(torn))


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_any_changed_byte_before_the_last_line_is_refused(mask: int) -> None:
    """The newline between the last two lines as well: else an acknowledged entry would pass for a torn one."""
    data = b"".join(LINES)
    for position in range(len(data) - len(LINES[2])):
        changed = data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]
        with pytest.raises(StoreDamaged):
            read(changed)


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
            read(data)


def test_entries_out_of_order_are_refused() -> None:
    """A line that comes twice, or after its successor, was not written by this program."""
    for data in (LINES[0] + LINES[0], LINES[0] + LINES[1] + LINES[0], LINES[1] + LINES[0]):
        for after in (0, 1, 2):
            with pytest.raises(StoreDamaged):
                read(data, after)


def test_two_lines_that_have_met_are_refused() -> None:
    """A lost newline joins two acknowledged entries; a torn write cannot look like that."""
    joined = LINES[1][:-1] + LINES[2]
    for data in (LINES[0] + joined, LINES[0] + joined[:-1], LINES[0] + LINES[1][:40] + LINES[2]):
        with pytest.raises(StoreDamaged):
            read(data)


def test_a_damaged_line_with_anything_behind_it_is_refused() -> None:
    """Also where that is torn or damaged itself: the line was whole once, for the next one came."""
    damaged = LINES[1].replace(b"0", b"1")
    for behind in (b"{", b"x\n", b"x" + LINES[2][1:], LINES[2][:50]):
        with pytest.raises(StoreDamaged):
            read(LINES[0] + damaged + behind)


def test_entries_that_the_snapshot_holds_are_passed_over() -> None:
    """They are still there when a crash kept the journal from starting anew; the end is found all the same."""
    data = b"".join(LINES)
    for after in range(4):
        tail = read(data, after)
        assert [entry.sequence for entry in tail.entries] == list(range(after + 1, 4))
        assert (tail.end, tail.torn) == (len(data), 0)


def test_a_gap_among_folded_entries_is_no_loss() -> None:
    """An older journal beside a newer snapshot goes on at the snapshot's end: all in between is in the snapshot."""
    faded = Faded(ident(1), moment(7), 0.1)
    text, _ = journal.line(9, [faded], checksum_of(LINES[0]))
    assert events_read(LINES[0] + text, after=8) == [(9, [faded])]


@pytest.mark.parametrize("payload", [b"{}", b"[", b"[7]", b'[{"event":"renamed","id":"m001"}]', b"null", b"\xff"])
def test_a_payload_that_is_no_list_of_events_is_refused(payload: bytes) -> None:
    """Even with a right checksum: a newer release may have written it."""
    with pytest.raises(StoreDamaged):
        read(assembled(1, payload))


def test_a_finished_last_line_with_a_wrong_checksum_is_refused() -> None:
    """It has its newline, so it was written to its end and may have been acknowledged."""
    whole = LINES[0] + LINES[1]
    for position in range(len(LINES[2]) - 1):
        changed = LINES[2][:position] + bytes([LINES[2][position] ^ 0x80]) + LINES[2][position + 1 :]
        with pytest.raises(StoreDamaged):
            read(whole + changed)


class TestChain:
    """Each line says which one it comes after."""

    def test_a_line_in_another_one_s_place_is_refused(self) -> None:
        """It is whole, has the right number, and is as long; what comes behind it came after something else."""
        twin = journal.line(2, [Faded(ident(1), moment(5), 0.1)], checksum_of(LINES[0]))[0]
        assert len(twin) == len(LINES[1])
        assert len(read(LINES[0] + twin).entries) == 2
        with pytest.raises(StoreDamaged):
            read(LINES[0] + twin + LINES[2])

    def test_a_reader_behind_a_replaced_line_notices(self) -> None:
        """It reads from its place on and never sees the line again; the next one tells."""
        known = read(LINES[0] + LINES[1])
        twin, checksum = journal.line(2, [Faded(ident(1), moment(5), 0.1)], checksum_of(LINES[0]))
        assert len(twin) == len(LINES[1])
        third, _ = journal.line(3, EVENTS_OF_LINES[2], checksum)
        assert read(LINES[2], after=2, checksum=known.checksum).end == len(LINES[2])
        with pytest.raises(StoreDamaged):
            read(third, after=2, checksum=known.checksum)

    def test_a_line_of_another_journal_is_refused(self) -> None:
        """The first entry comes after its own journal's header, so a whole journal cannot be exchanged either."""
        for generation, sequence in ((0, 0), (2, 0), (4, 0), (33, 0), (3, 1)):
            with pytest.raises(StoreDamaged):
                read(LINES[0], checksum=zlib.crc32(journal.header(generation, sequence)))

    def test_lines_that_the_snapshot_holds_have_to_follow_each_other_as_well(self) -> None:
        """They are passed over, not left unread."""
        twin, checksum = journal.line(1, [], HEAD ^ 1)
        with pytest.raises(StoreDamaged):
            read(twin + journal.line(2, [], checksum)[0], after=5)

    def test_lines_of_version_1_are_read_without_it(self) -> None:
        """They do not say what they come after; whatever stood before them, a line of today may follow them."""
        old = [assembled_as_version_1(number, line[line.index(b"[") : -2]) for number, line in enumerate(LINES, 1)]
        assert events_read(b"".join(old)) == [*enumerate(EVENTS_OF_LINES, 1)]
        mixed = b"".join(old) + journal.line(4, [], checksum_of(old[2]))[0]
        assert events_read(mixed) == [*enumerate(EVENTS_OF_LINES, 1), (4, [])]

    def test_a_line_of_version_1_has_the_checksum_of_its_time(self) -> None:
        """To take the chain's value out of a line and call it old does not make it whole."""
        for line in LINES:
            value = json.loads(line)
            stripped = line.replace(f'"after":"{value["after"]}",'.encode(), b"")
            with pytest.raises(StoreDamaged):
                read(stripped, after=value["seq"] - 1)


class TestHeader:
    """The first line."""

    @given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1))
    @settings(deadline=None, max_examples=50)
    def test_a_header_says_what_the_journal_goes_on_from(self, generation: int, sequence: int) -> None:
        """What stands behind it is not its own."""
        header = journal.header(generation, sequence)
        said = {"journal": "ntm-memory", "version": 2, "generation": generation, "sequence": sequence}
        assert json.loads(header) == said
        for rest in (b"", LINES[0], b"torn"):
            assert journal.read_header(header + rest) == (2, generation, sequence, len(header), zlib.crc32(header))

    def test_a_header_of_version_1_is_read(self) -> None:
        """And says so, so that the journal is upgraded."""
        old = b'{"journal":"ntm-memory","version":1,"generation":3}\n'
        assert journal.read_header(old + b"rest") == (1, 3, None, len(old), zlib.crc32(old))

    def test_a_torn_header_is_none(self) -> None:
        """The first append was never finished, so there is nothing behind it either."""
        header = journal.header(3, 7)
        for length in range(len(header)):
            assert journal.read_header(header[:length]) is None

    @pytest.mark.parametrize("version", [b"3", b"9", b"123456789"])
    def test_a_header_of_a_newer_release_is_told_apart_from_damage(self, version: bytes) -> None:
        """The remedy is another: to upgrade, not to restore."""
        with pytest.raises(StoreTooNew):
            journal.read_header(journal.header(3, 7).replace(b'"version":2', b'"version":' + version) + LINES[0])

    @pytest.mark.parametrize(
        "first", [b"\n", LINES[0], b'{"journal":"another","version":2,"generation":3,"sequence":0}\n', b"{}\n"]
    )
    def test_a_first_line_that_is_no_header_is_refused(self, first: bytes) -> None:
        """The file is not a journal of ours, or its beginning is gone."""
        with pytest.raises(StoreDamaged):
            journal.read_header(first + LINES[0])
