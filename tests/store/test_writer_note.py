"""The writer's note: believed as far as its checksum allows, and never in the way of a write."""

from __future__ import annotations

import os
import re
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import StoreError
from ntm_memory_skill.store.fs import FileSystem
from ntm_memory_skill.store.writer import LINE, WriterNote
from tests.store.builders import commit, contents, ident, memorized, open_store, read_only_disk, record
from tests.store.doubles import WatchedOS, installed

NOW = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the note is."""
    return tmp_path / "ntm_memory.writer"


def note_at(file: Path) -> WriterNote:
    """Return the note, as a process of its own would."""
    return WriterNote(file, FileSystem(), lambda: NOW)


def lines(file: Path) -> list[bytes]:
    """Return the note's lines, without what fills them up."""
    data = file.read_bytes()
    assert data.count(b"\n") * LINE == len(data)
    return [line.rstrip() for line in data.split(b"\n")[:-1]]


def test_without_a_note_nothing_is_known(file: Path) -> None:
    """Neither who wrote, nor that anything was acknowledged; and asking makes none."""
    assert (note_at(file).holder(), note_at(file).acknowledged()) == (None, 0)
    assert not file.exists()


def test_the_note_is_two_lines_of_fixed_length(file: Path) -> None:
    """Each can be written in place, and a person can read them."""
    note = note_at(file)
    note.take()
    note.acknowledge(41)
    note.acknowledge(42)
    first, second = lines(file)
    assert re.fullmatch(rb"process %d \(.+\), since 2026-02-03T04:05:06\+00:00" % os.getpid(), first)
    assert second == b"acknowledged 42 crc %08x" % zlib.crc32(b"42")


def test_the_holder_is_whoever_took_the_lock_last(file: Path) -> None:
    """And the line about what was acknowledged stays as it is."""
    file.write_bytes(b"process 1 (somebody else)".ljust(LINE - 1) + b"\n")
    assert note_at(file).holder() == "process 1 (somebody else)"
    note_at(file).acknowledge(7)
    note_at(file).take()
    holder = note_at(file).holder()
    assert holder is not None
    assert holder.split()[:2] == ["process", str(os.getpid())]
    assert note_at(file).acknowledged() == 7


@given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1))
@settings(deadline=None, max_examples=40)
def test_the_last_acknowledged_entry_is_read_back(tmp_path_factory: pytest.TempPathFactory, one: int, two: int) -> None:
    """Whichever came before it: a shorter number leaves nothing of a longer one."""
    file = tmp_path_factory.mktemp("note") / "ntm_memory.writer"
    for number in (one, two):
        note_at(file).acknowledge(number)
        assert note_at(file).acknowledged() == number


def test_a_long_name_of_program_or_machine_is_cut(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second line stays where it is."""
    monkeypatch.setattr("sys.argv", ["/usr/bin/" + "long" * 100])
    note = note_at(file)
    note.acknowledge(7)
    note.take()
    assert len(lines(file)) == 2
    assert note.acknowledged() == 7
    assert note.holder() is not None


def test_a_name_in_another_script_makes_no_longer_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a program without a name, as in an embedded interpreter."""
    for name in ("记忆", "naïve\nname", "\x1b[31m", ""):
        monkeypatch.setattr("sys.argv", [name])
        note = note_at(file)
        note.acknowledge(7)
        note.take()
        assert len(lines(file)) == 2
        assert all(32 <= byte < 127 for line in lines(file) for byte in line)
        assert note.acknowledged() == 7


class TestDoubt:
    """Nothing waits for the note to reach the disk, so anything may be found in its place."""

    @pytest.mark.parametrize("mask", [0x01, 0x10, 0x80, 0xFF])
    def test_a_changed_byte_never_gives_another_number(self, file: Path, mask: int) -> None:
        """A number that is too high would make a whole memory pass for damaged."""
        note = note_at(file)
        note.take()
        note.acknowledge(120)
        good = file.read_bytes()
        for position in range(LINE, LINE + len(lines(file)[1])):
            file.write_bytes(good[:position] + bytes([good[position] ^ mask]) + good[position + 1 :])
            assert note.acknowledged() == 0

    def test_a_note_cut_at_any_byte_never_gives_another_number(self, file: Path) -> None:
        """Half of a number is a number, too."""
        note = note_at(file)
        note.take()
        note.acknowledge(120)
        good = file.read_bytes()
        for length in range(len(good)):
            file.write_bytes(good[:length])
            assert note.acknowledged() in (0, 120)

    @pytest.mark.parametrize("data", [b"", bytes(2 * LINE), b"\xff" * 400, b"\n" * 400, b"process"], ids=repr)
    def test_any_other_bytes_say_nothing(self, file: Path, data: bytes) -> None:
        """And raise nothing."""
        file.write_bytes(data)
        assert (note_at(file).holder(), note_at(file).acknowledged()) == (None, 0)

    def test_what_is_not_printable_is_not_passed_on(self, file: Path) -> None:
        """The holder's name is shown on a terminal, and anybody may have written to the file."""
        file.write_bytes(b"process 7\x1b]0;title\x07 \xff".ljust(LINE - 1) + b"\n")
        assert note_at(file).holder() == "process 7"

    def test_what_stands_in_its_place_says_nothing(self, file: Path) -> None:
        """A folder or a link is refused when the memory is opened; one that comes later is passed over."""
        file.symlink_to(file.parent)
        note = note_at(file)
        note.take()
        note.acknowledge(7)
        assert (note.holder(), note.acknowledged()) == (None, 0)


class TestStore:
    """How the store keeps it."""

    def test_what_was_acknowledged_is_in_it(self, path: Path) -> None:
        """After each commit, and a fold changes nothing about it."""
        store = open_store(path)
        for number in range(3):
            commit(store, memorized(number))
            assert note_at(store.paths.writer).acknowledged() == number + 1 == store.sequence
            with store.transaction():
                store.compact()
            assert note_at(store.paths.writer).acknowledged() == number + 1

    def test_a_write_that_failed_is_not_in_it(self, path: Path) -> None:
        """Nor does a transaction without a write acknowledge anything."""
        store = open_store(path)
        commit(store, memorized(0))
        with read_only_disk(), pytest.raises(StoreError):
            commit(store, memorized(1))
        with store.transaction():
            pass
        assert note_at(store.paths.writer).acknowledged() == 1

    def test_it_never_fails_a_write_that_it_is_about(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The entry is on the disk by then: to report a failure would have the caller write it twice."""
        store = open_store(path)
        commit(store, memorized(0))
        store.paths.writer.unlink()
        store.paths.writer.mkdir()
        commit(store, memorized(1))
        store.paths.writer.rmdir()
        assert list(contents(open_store(path))) == [ident(0), ident(1)]

    def test_it_is_not_waited_for(self, path: Path) -> None:
        """It costs next to nothing: one wait for the disk a commit is the journal's."""
        store = open_store(path)
        commit(store, memorized(0))
        with installed(WatchedOS()) as double:
            commit(store, memorized(1))
        assert [call.name for call in double.calls].count("fsync") == 1

    def test_a_note_that_is_behind_the_journal_is_no_matter(self, path: Path) -> None:
        """After a power failure it may be older than the entries that it speaks of."""
        store = open_store(path)
        commit(store, memorized(0))
        older = store.paths.writer.read_bytes()
        commit(store, memorized(1))
        store.paths.writer.write_bytes(older)
        assert contents(open_store(path)) == {ident(number): record(number).content for number in range(2)}
