"""A disk that fails and a machine that dies, at every single step of every write.

What was acknowledged stays; what was not is there whole or not at all; and the store goes on working.
"""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreError, StoreFull, StoreUnreachable
from ntm_memory_skill.model import Erased, Event, Faded
from ntm_memory_skill.store import DirectoryStore, State
from ntm_memory_skill.store.fs import TEMPORARY, FileSystem, translated
from tests.store.builders import (
    OTHER_IDENTITY,
    all_bytes,
    commit,
    compact,
    eventful,
    folded,
    ident,
    memorized,
    moment,
    open_store,
)
from tests.store.doubles import DyingFileSystem, Moment, PowerLoss, failing_at, short_writes

NEW: list[Event] = [memorized(7), Faded(ident(0), moment(20), 0.5), Erased(ident(1), moment(20))]
FIRST: list[Event] = [memorized(7)]


def write(store: DirectoryStore) -> None:
    """Commit several events in one transaction, onto a memory with a history."""
    commit(store, *NEW)


def write_first(store: DirectoryStore) -> None:
    """Commit the first event of a memory: folder, lock, snapshot and journal are made."""
    commit(store, *FIRST)


def rekey(store: DirectoryStore) -> None:
    """Change the encoder: all three files are rewritten."""
    with store.transaction():
        store.rekey(store.key_rows(), OTHER_IDENTITY)


class Case:
    """A kind of write: what came before it, what it does, and which states may be found after it went wrong."""

    def __init__(self, action: Callable[[DirectoryStore], object], history: bool, events: list[Event]) -> None:
        self.action, self._history = action, history
        transactions = eventful() if history else []
        self.before, self.after = folded(transactions), folded([*transactions, events])

    def prepare(self, path: Path) -> None:
        """Leave a memory with a snapshot and a journal in a folder, or nothing."""
        if self._history:
            store = open_store(path)
            for number, events in enumerate(eventful()):
                commit(store, *events)
                if number == 2:
                    compact(store)


CASES = {
    "first commit": Case(write_first, False, FIRST),
    "commit": Case(write, True, NEW),
    "compact": Case(compact, True, []),
    "rekey": Case(rekey, True, []),
}
EVERY_CASE = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def leftovers(path: Path) -> list[str]:
    """Return the names of temporary files."""
    return [file.name for file in path.parent.glob(f"*{TEMPORARY}")] if path.parent.exists() else []


def works(path: Path, expected: State) -> None:
    """Check that a memory can be opened, written and compacted, and that nothing comes amiss."""
    store = open_store(path)
    assert store.state == expected
    commit(store, memorized(50))
    reader = open_store(path)
    assert (reader.state, reader.warnings) == (store.state, ())
    assert store.state.records.keys() == expected.records.keys() | {ident(50)}
    compact(store)
    assert open_store(path).state == store.state
    assert leftovers(path) == []


def attempts(tmp_path: Path, case: Case) -> Iterator[tuple[int, Path]]:
    """Give 0, 1, 2 and so on, each with a memory of its own for the case to go wrong on."""
    template = tmp_path / "template"
    template.mkdir()
    case.prepare(template / "ntm_memory.json")
    for number in itertools.count():
        folder = tmp_path / f"attempt{number}"
        if any(template.iterdir()):  # else the folder is to be made by the case
            shutil.copytree(template, folder)
        yield number, folder / "ntm_memory.json"


def failed_call(case: Case, store: DirectoryStore, call: int, code: int, *, for_good: bool = False) -> str | None:
    """Act with a call that fails, and return the call's name; None where the action has no so many calls."""
    expected: type[StoreError] = StoreFull if code == errno.ENOSPC else StoreUnreachable
    with failing_at(call, code, for_good=for_good) as faulty:
        try:
            case.action(store)
        except expected:
            return faulty.calls[call]
    assert not faulty.failed
    return None


class TestFailingDisk:
    """The operating system refuses one call, or all from one on."""

    @EVERY_CASE
    def test_a_full_disk_at_any_call_is_reported_and_loses_nothing(self, tmp_path: Path, case: Case) -> None:
        """No temporary files are left to fill it further, and the same call works once there is space."""
        met = set()
        for call, path in attempts(tmp_path, case):
            store = open_store(path)
            name = failed_call(case, store, call, errno.ENOSPC)
            if name is None:
                break
            met.add(name)
            assert leftovers(path) == []
            assert open_store(path).state == case.before, name
            case.action(store)
            assert open_store(path).state == store.state == case.after
            works(path, case.after)
        assert met >= {"open", "write", "fsync", "fstat"}

    @EVERY_CASE
    def test_a_failed_write_leaves_a_store_that_others_share(self, tmp_path: Path, case: Case) -> None:
        """After an I/O error another process goes on where the failed one left off, and the failed one follows it."""
        for call, path in attempts(tmp_path, case):
            store, other = open_store(path), open_store(path)
            name = failed_call(case, store, call, errno.EIO)
            if name is None:
                break
            commit(other, memorized(30))
            commit(store, memorized(31))
            other.refresh()
            assert store.state == other.state == open_store(path).state, name
            assert store.state.records.keys() == case.before.records.keys() | {ident(30), ident(31)}

    @EVERY_CASE
    def test_a_disk_that_fails_for_good_leaves_a_whole_memory(self, tmp_path: Path, case: Case) -> None:
        """Cleaning up fails as well. What was under way may then be there, but whole; all agree on it later."""
        for call, path in attempts(tmp_path, case):
            store = open_store(path)
            name = failed_call(case, store, call, errno.EIO, for_good=True)
            if name is None:
                break
            found = open_store(path)
            assert found.state in (case.before, case.after), name
            assert store.refresh().events == () or found.state == case.after
            assert store.state == found.state
            works(path, found.state)

    def test_a_commit_that_failed_leaves_the_files_byte_for_byte(self, path: Path) -> None:
        """At whichever call: half a line that was written is cut off again."""
        case = CASES["commit"]
        case.prepare(path)
        before, store = all_bytes(path.parent), open_store(path)
        for call in itertools.count():
            name = failed_call(case, store, call, errno.ENOSPC)
            if name is None:
                break
            assert all_bytes(path.parent) == before, name
        assert store.state == case.after

    @pytest.mark.parametrize("most", [1, 7, 4096])
    def test_short_writes_are_continued(self, path: Path, most: int) -> None:
        """The operating system may take less than it was given."""
        store = open_store(path)
        with short_writes(most):
            for events in eventful():
                commit(store, *events)
            assert open_store(path).state == folded(eventful())
            compact(store)
        works(path, folded(eventful()))

    def test_a_full_disk_in_the_middle_of_a_line_leaves_no_half_line(self, path: Path) -> None:
        """Some bytes were taken before the space ran out."""
        CASES["commit"].prepare(path)
        before = all_bytes(path.parent)
        store = open_store(path)

        def takes_some_then_none(handle: int, data: memoryview) -> int:
            if len(data) < 100:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real_write(handle, data[: len(data) // 2])

        real_write = os.write
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "write", takes_some_then_none)
            for action in (write, compact):
                with pytest.raises(StoreFull):
                    action(store)
        assert all_bytes(path.parent) == before
        works(path, CASES["commit"].before)


class TestDyingMachine:
    """Everything stops at one write, and the files are opened again later."""

    @pytest.mark.parametrize("moment_of_death", ["before", "midway", "after"])
    @EVERY_CASE
    def test_whatever_was_acknowledged_is_there_again(
        self, tmp_path: Path, case: Case, moment_of_death: Moment
    ) -> None:
        """The write that was under way is there as a whole or not at all."""
        for change, path in attempts(tmp_path, case):
            disk = DyingFileSystem(change, moment_of_death)
            try:
                case.action(open_store(path, disk))
            except PowerLoss:
                found = open_store(path)
            else:
                break
            assert found.state == case.before or (moment_of_death == "after" and found.state == case.after)
            works(path, found.state)
        assert change == disk.changes >= 1

    def test_dying_between_snapshot_and_journal_loses_nothing(self, path: Path) -> None:
        """The old journal's lines are in the new snapshot: they are passed over, and new ones come behind them."""
        case = CASES["compact"]
        case.prepare(path)
        with pytest.raises(PowerLoss):
            compact(open_store(path, DyingFileSystem(2, "before")))  # keys, snapshot, and then the journal
        files = all_bytes(path.parent)
        assert b'"generation":3' in files["ntm_memory.json"]
        assert b'"generation":2' in files["ntm_memory.journal.jsonl"]
        found = open_store(path)
        assert (found.state, found.sequence, found.warnings) == (case.before, len(eventful()), ())
        works(path, case.before)

    def test_an_acknowledged_history_survives_death_at_any_write(self, tmp_path: Path) -> None:
        """Commits and compactions in turn, cut off at each change of a file."""
        for change, path in attempts(tmp_path, CASES["first commit"]):
            acknowledged = 0
            try:
                store = open_store(path, DyingFileSystem(change, "midway"))
                for events in eventful():
                    commit(store, *events)
                    acknowledged += 1
                    compact(store)
            except PowerLoss:
                works(path, folded(eventful()[:acknowledged]))
            else:
                break
        assert change == 4 * len(eventful()) + 1  # a line and three files each, and the first snapshot


class TestDurability:
    """What has reached the disk when a call returns."""

    def test_the_name_of_a_new_file_is_synced_with_it(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file whose folder was never synced may be gone after a power failure, however well it was itself."""
        synced: set[str] = set()
        real_fsync = os.fsync

        def watched(handle: int) -> None:
            if os.path.isdir(handle):  # noqa: PTH112  # there is only a handle
                synced.update(file.name for file in path.parent.iterdir())
            real_fsync(handle)

        monkeypatch.setattr(os, "fsync", watched)
        store = open_store(path)
        commit(store, memorized(0))
        assert {"ntm_memory.json", "ntm_memory.journal.jsonl"} <= synced
        synced.clear()
        compact(store)
        assert {"ntm_memory.json", "ntm_memory.journal.jsonl", "ntm_memory.keys.npy"} <= synced

    def test_the_line_is_synced_before_the_state_shows_it(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Commit before you show."""
        store = open_store(path)
        commit(store, memorized(0))
        shown: list[list[str]] = []
        real_fsync = os.fsync

        def watched(handle: int) -> None:
            shown.append(list(store.state.records))
            real_fsync(handle)

        monkeypatch.setattr(os, "fsync", watched)
        commit(store, memorized(1))
        assert shown == [[ident(0)]]
        assert list(store.state.records) == [ident(0), ident(1)]


class TestFileSystem:
    """The calls by themselves."""

    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            (errno.ENOSPC, StoreFull),
            (errno.EDQUOT, StoreFull),
            (errno.EIO, StoreUnreachable),
            (errno.EACCES, StoreUnreachable),
            (errno.EROFS, StoreUnreachable),
            (errno.ENAMETOOLONG, StoreUnreachable),
        ],
    )
    def test_the_operating_system_s_errors_come_out_as_ours(self, code: int, expected: type[StoreError]) -> None:
        """With the first one as their cause, for a log."""
        first = OSError(code, os.strerror(code))
        with pytest.raises(StoreError) as caught, translated(Path("x")):
            raise first
        assert caught.type is expected
        assert caught.value.__cause__ is first

    def test_other_errors_pass(self) -> None:
        """A fault of the program is not one of the disk."""
        with pytest.raises(LookupError), translated(Path("x")):
            raise LookupError

    def test_replacing_leaves_the_new_bytes_and_nothing_else(self, tmp_path: Path) -> None:
        """Also over what an earlier crash left in the temporary file's place."""
        path = tmp_path / "file"
        path.with_name(path.name + TEMPORARY).write_bytes(b"left behind, and longer than the new bytes")
        for data in (b"one", b"", b"three"):
            found = FileSystem().replace(path, data)
            assert all_bytes(tmp_path) == {"file": data}
            assert found == FileSystem().signature(path)

    def test_appending_cuts_off_what_stands_behind_the_offset(self, tmp_path: Path) -> None:
        """A torn line goes when the next one comes."""
        path = tmp_path / "file"
        FileSystem().append(path, b"first\n", 0)
        path.write_bytes(b"first\ntorn, and longer than the next line")
        found = FileSystem().append(path, b"second\n", 6)
        assert path.read_bytes() == b"first\nsecond\n"
        assert found == FileSystem().signature(path)

    def test_a_file_that_is_not_there_is_none(self, tmp_path: Path) -> None:
        """Which is no error: a memory has to begin somewhere."""
        assert FileSystem().read(tmp_path / "none") is None
        assert FileSystem().signature(tmp_path / "none") is None
        FileSystem().remove(tmp_path / "none")
        assert list(tmp_path.iterdir()) == []
