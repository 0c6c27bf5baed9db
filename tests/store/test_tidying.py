"""What opening puts in order after a crash, and when it leaves things as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ntm_memory_skill.model import Faded
from ntm_memory_skill.store import DirectoryStore, journal
from tests.store.builders import (
    IDENTITY,
    all_bytes,
    commit,
    compact,
    contents,
    die_writing,
    ident,
    memorized,
    moment,
    open_store,
    previous_fold,
    read_only_disk,
    record,
)
from tests.store.doubles import Call, Fault, FaultyOS, WatchedOS, installed

THREE = {ident(number): record(number).content for number in range(3)}


def history(path: Path) -> DirectoryStore:
    """Leave a memory with a snapshot, a previous generation, and a line in the journal."""
    store = open_store(path)
    for number in (0, 1):
        commit(store, memorized(number))
        compact(store)
    commit(store, memorized(2))
    return store


def leave_torn_line(path: Path) -> None:
    """Die in the middle of a line."""
    die_writing(path, memorized(7))


def leave_temporary_files(path: Path) -> None:
    """Die in the middle of each rewrite that there is."""
    for file in open_store(path, tidy=False).paths.temporaries:
        file.write_bytes(b"half of someth")


def leave_fold_unfinished(path: Path) -> None:
    """Die before the journal is started anew."""
    store = open_store(path)
    before = store.paths.journal.read_bytes()
    compact(store)
    store.paths.journal.write_bytes(before)


LEFTOVERS = pytest.mark.parametrize(
    "leave", [leave_torn_line, leave_temporary_files, leave_fold_unfinished], ids=lambda leave: leave.__name__[6:]
)


def is_in_order(path: Path) -> bool:
    """Return whether nothing is left of a crash, looking at the files alone."""
    text = path.with_name("ntm_memory.journal.jsonl").read_bytes()
    head = journal.read_header(text)
    assert head is not None
    same_generation = f'"generation":{head.generation},'.encode() in path.read_bytes()
    return text.endswith(b"\n") and same_generation and not list(path.parent.glob("*.tmp"))


class TestOrder:
    """Nobody is writing, and the folder may be written to."""

    @LEFTOVERS
    def test_opening_puts_it_in_order_and_loses_nothing(self, path: Path, leave: Callable[[Path], None]) -> None:
        """Once; the next opening finds nothing to do."""
        history(path)
        leave(path)
        assert not is_in_order(path)
        assert contents(open_store(path)) == THREE
        assert is_in_order(path)
        before = all_bytes(path.parent)
        found = open_store(path)
        assert (contents(found), found.warnings) == (THREE, ())
        assert all_bytes(path.parent) == before

    def test_everything_at_once_is_put_in_order(self, path: Path) -> None:
        """One crash after the other."""
        history(path)
        for leave in (leave_fold_unfinished, leave_torn_line, leave_temporary_files):
            leave(path)
        found = open_store(path)
        assert (contents(found), len(found.warnings)) == (THREE, 1)
        assert is_in_order(path)

    def test_what_was_cut_off_is_told_by_that_opening_alone(self, path: Path) -> None:
        """However long it stays open; a second one is clean."""
        history(path)
        leave_torn_line(path)
        store = open_store(path)
        told = store.warnings
        assert len(told) == 1
        commit(store, memorized(3))
        store.refresh()
        assert store.warnings == told
        assert open_store(path).warnings == ()

    def test_who_opened_before_the_crash_goes_on(self, path: Path) -> None:
        """It reads what the one who put things in order left."""
        early = history(path)
        for leave in (leave_torn_line, leave_fold_unfinished):
            leave(path)
            open_store(path)
            early.refresh()
            assert (contents(early), early.warnings) == (THREE, ())
        commit(early, memorized(3))
        assert list(open_store(path).state.records) == [ident(number) for number in range(4)]

    def test_an_unfinished_fold_is_finished_without_keeping_its_journal(self, path: Path) -> None:
        """It is in the snapshot, and the generation before that is kept already."""
        history(path)
        leave_fold_unfinished(path)
        before = all_bytes(path.parent)
        store = open_store(path)
        after = all_bytes(path.parent)
        assert {name for name in before if before[name] != after[name]} == {"ntm_memory.journal.jsonl"}
        previous = previous_fold(store)
        assert previous is not None
        assert previous.state == store.state

    def test_a_line_behind_an_unfinished_fold_is_kept(self, path: Path) -> None:
        """Somebody who could not put it in order went on writing."""
        history(path)
        leave_fold_unfinished(path)
        commit(open_store(path, tidy=False), Faded(ident(0), moment(9), 0.5))
        store = open_store(path)
        assert (store.state.records[ident(0)].strength, store.sequence) == (0.5, 4)
        assert is_in_order(path)
        assert open_store(path).state == store.state

    def test_an_orderly_memory_is_only_read(self, path: Path) -> None:
        """No lock is taken and nothing is written: opening is for readers, too."""
        history(path)
        with installed(WatchedOS()) as double:
            open_store(path)
        assert not {call.name for call in double.calls} & {"write", "replace", "unlink", "ftruncate", "fsync", "link"}


class TestRestraint:
    """Reasons to leave things as they are."""

    @LEFTOVERS
    def test_whoever_only_looks_changes_nothing(self, path: Path, leave: Callable[[Path], None]) -> None:
        """And reads the same."""
        history(path)
        leave(path)
        before = all_bytes(path.parent)
        assert contents(open_store(path, tidy=False)) == THREE
        assert all_bytes(path.parent) == before

    @LEFTOVERS
    def test_while_another_writes_it_is_left_to_that_one(self, path: Path, leave: Callable[[Path], None]) -> None:
        """Opening does not wait for the lock, and its temporary files may be in use; the next opening sees to them."""
        store = history(path)
        leave(path)
        before = all_bytes(path.parent)
        holder = open_store(path, tidy=False)
        with holder.transaction():
            assert contents(open_store(path)) == THREE
            assert all_bytes(path.parent) == before
        open_store(path)
        assert is_in_order(path)
        store.refresh()
        assert contents(store) == THREE

    @LEFTOVERS
    def test_a_read_only_folder_is_read_as_it_is(self, path: Path, leave: Callable[[Path], None]) -> None:
        """With what is amiss left out."""
        history(path)
        leave(path)
        before = all_bytes(path.parent)
        with read_only_disk():
            store = open_store(path)
            assert contents(store) == THREE
        assert all_bytes(path.parent) == before
        assert len(store.warnings) == (1 if leave is leave_torn_line else 0)

    @LEFTOVERS
    @pytest.mark.parametrize("call", ["ftruncate", "unlink", "replace", "fsync", "write"])
    def test_a_disk_that_fails_meanwhile_does_not_keep_it_shut(
        self, path: Path, leave: Callable[[Path], None], call: str
    ) -> None:
        """What is there can be read; and the next opening does the rest."""
        history(path)
        leave(path)

        def plan(number: int, made: Call) -> Fault | None:
            return Fault("refused", 5) if made.name == call else None

        with installed(FaultyOS(plan)):
            store = open_store(path)
        assert contents(store) == THREE
        commit(store, memorized(3))
        found = open_store(path)
        assert list(found.state.records) == [ident(number) for number in range(4)]
        assert is_in_order(path)

    def test_temporary_files_of_another_memory_are_not_ours(self, path: Path) -> None:
        """Nor is any other file with such an ending."""
        history(path)
        others = [path.with_name("other.json.tmp"), path.with_name("ntm_memory.notes.tmp")]
        for file in others:
            file.write_bytes(b"somebody else's")
        leave_temporary_files(path)
        open_store(path)
        assert sorted(path.parent.glob("*.tmp")) == sorted(others)


class TestPreviousGeneration:
    """What is kept of the one before."""

    def test_there_is_none_before_the_first_fold(self, path: Path) -> None:
        """One generation is all there is."""
        store = open_store(path)
        commit(store, memorized(0))
        assert previous_fold(store) is None

    @pytest.mark.parametrize("rounds", [1, 2, 5])
    def test_it_amounts_to_the_snapshot_after_every_fold(self, path: Path, rounds: int) -> None:
        """Its snapshot and its journal, without the files that came after; the keys in its journal included."""
        store = open_store(path)
        for number in range(rounds):
            commit(store, memorized(2 * number))
            commit(store, memorized(2 * number + 1))
            compact(store)
            previous = previous_fold(store)
            assert previous is not None
            assert (previous.state, previous.sequence) == (store.state, store.sequence)
            assert len(previous.rows) == 2
        assert len([file for file in path.parent.iterdir() if "previous" in file.name]) == 2

    def test_it_stays_while_the_journal_grows(self, path: Path) -> None:
        """A second name of the old journal must not be one of the new."""
        store = history(path)
        before = {name: data for name, data in all_bytes(path.parent).items() if "previous" in name}
        for number in range(3, 6):
            commit(store, memorized(number))
        after = {name: data for name, data in all_bytes(path.parent).items() if "previous" in name}
        assert (after, len(after)) == (before, 2)

    def test_another_encoder_keeps_the_generation_of_the_one_before(self, path: Path) -> None:
        """It can be gone back to, keys and all."""
        store = history(path)
        with store.transaction():
            store.rekey(store.key_rows(), IDENTITY)
        previous = previous_fold(store)
        assert previous is not None
        assert previous.state == store.state

    def test_a_journal_that_was_lost_is_not_kept_from_before(self, path: Path) -> None:
        """An older one beside a newer snapshot would be no pair."""
        store = open_store(path)
        commit(store, memorized(0))
        compact(store)
        for file in (store.paths.journal, store.paths.writer):
            file.unlink()
        found = open_store(path)
        compact(found)
        previous = previous_fold(found)
        assert previous is not None
        assert (previous.state, found.paths.previous[1].exists()) == (found.state, False)
