"""What is kept of which memories were of use, and how much of it; and of the trained head beside it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ntm_memory_skill.errors import PathRefused, StoreUnreachable
from ntm_memory_skill.model import HOWS, Feedback
from ntm_memory_skill.store import feedback, verify
from tests.conftest import ticking_clock
from tests.store.builders import (
    OTHER_IDENTITY,
    all_bytes,
    compact,
    contents,
    ident,
    moment,
    open_store,
    read_only_disk,
)
from tests.store.doubles import Call, Fault, FaultyOS, WatchedOS, installed
from tests.store.remarks import GOOD, KEPT, NAME, history, keep, lines_of, remark


@pytest.fixture(autouse=True)
def few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five lines are kept, and not thousands."""
    monkeypatch.setattr(feedback, "KEPT", KEPT)


class TestLines:
    """What the file looks like."""

    def test_a_line_is_the_documented_one(self, path: Path) -> None:
        """Other programs, and people, read it."""
        keep(
            history(path),
            Feedback(query='wo, "Ana" 在哪？', ids=(ident(1), ident(0)), used=ident(0), how="supersede", at=moment(5)),
        )
        assert (
            path.with_name(NAME).read_bytes()
            == (
                '{"query":"wo, \\"Ana\\" 在哪？","ids":["m001","m000"],"used":"m000","how":"supersede",'
                '"at":"2026-01-01T00:00:05+00:00"}\n'
            ).encode()
        )

    def test_every_process_reads_what_any_has_kept_in_its_order(self, path: Path) -> None:
        """They write by turns."""
        one, other = history(path), open_store(path)
        for number in range(KEPT):
            keep((one, other)[number % 2], remark(number))
        for store in (one, other, open_store(path)):
            assert store.feedback() == [remark(number) for number in range(KEPT)]

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
    def test_it_is_its_owner_s_alone(self, path: Path) -> None:
        """However it was written: appended, cut back, or cleaned."""
        store = history(path)
        for number in range(2 * KEPT + 1):
            keep(store, remark(number))
            assert path.with_name(NAME).stat().st_mode & 0o777 == 0o600

    def test_nobody_waits_for_the_disk(self, path: Path) -> None:
        """It costs an update next to nothing; only the file's name is made to last."""
        store = history(path)
        keep(store, remark(0))
        with installed(WatchedOS()) as double:
            keep(store, remark(1))
        assert "fsync" not in {call.name for call in double.calls}

    def test_nothing_is_kept_beside_a_memory_that_was_never_written(self, path: Path) -> None:
        """There is nothing that could have been given, and no key yet that would close it."""
        keep(open_store(path), remark(0))
        assert all_bytes(path.parent) == {}

    def test_a_line_that_is_too_long_is_not_kept(self, path: Path) -> None:
        """A question of some pages; the next one is."""
        store = history(path)
        keep(store, remark(0, "x" * feedback.LONGEST), remark(1, "长" * (feedback.LONGEST // 3)), remark(2))
        assert store.feedback() == [remark(2)]

    def test_forgetting_deletes_the_file(self, path: Path) -> None:
        """And is no matter where there is none."""
        store = history(path)
        keep(store, remark(0))
        for _ in range(2):
            with store.transaction():
                store.forget_feedback()
            assert (store.feedback(), path.with_name(NAME).exists()) == ([], False)

    def test_a_link_in_its_place_is_refused(self, path: Path) -> None:
        """Somebody else's file is neither read nor written."""
        store = history(path)
        (path.parent / "elsewhere").write_bytes(b"theirs")
        path.with_name(NAME).symlink_to(path.parent / "elsewhere")
        for act in (store.feedback, lambda: keep(store, remark(0)), lambda: open_store(path)):
            with pytest.raises(PathRefused):
                act()
        assert (path.parent / "elsewhere").read_bytes() == b"theirs"

    def test_a_disk_that_fails_leaves_what_was_there(self, path: Path) -> None:
        """Half a line is cut off again."""
        store = history(path)
        keep(store, remark(0))
        before = path.with_name(NAME).read_bytes()

        def plan(number: int, call: Call) -> Fault | None:
            return Fault("half", 5) if call.name == "write" and b"question 1" in bytes(call.arguments[1]) else None

        with installed(FaultyOS(plan)) as double, pytest.raises(StoreUnreachable):
            keep(store, remark(1))
        assert double.failed
        assert path.with_name(NAME).read_bytes() == before


class TestBounds:
    """The file does not grow for ever."""

    @pytest.mark.parametrize("count", [KEPT - 1, KEPT, KEPT + 1, 2 * KEPT, 2 * KEPT + 1, 4 * KEPT + 3])
    def test_the_newest_lines_are_given(self, path: Path, count: int) -> None:
        """So many, whatever is in the file; which is never more than twice as much."""
        store = history(path)
        for number in range(count):
            keep(store, remark(number))
            assert len(lines_of(path)) <= 2 * KEPT
        newest = [remark(number) for number in range(count)][-KEPT:]
        assert store.feedback() == open_store(path).feedback() == newest

    def test_cutting_back_leaves_out_what_cannot_be_read(self, path: Path) -> None:
        """Lines that are nobody's make no room for themselves."""
        store = history(path)
        keep(store, *(remark(number) for number in range(KEPT)))
        with path.with_name(NAME).open("ab") as file:
            file.write(b"what?\n" * KEPT)
        keep(store, remark(KEPT))
        assert len(lines_of(path)) == KEPT
        assert store.feedback() == [remark(number) for number in range(1, KEPT + 1)]


FOREIGN = {
    "nothing": b"",
    "no JSON": b"what is this?",
    "zeros": bytes(40),
    "no text": b'{"query":"\xff"}',
    "a list": b"[]",
    "a number": b"17",
    "another member": json.dumps({**GOOD, "note": "n"}).encode(),
    "no question": json.dumps({**GOOD, "query": None}).encode(),
    "a member missing": json.dumps({name: GOOD[name] for name in GOOD if name != "at"}).encode(),
    "used and not given": json.dumps({**GOOD, "used": "m002"}).encode(),
    "an unknown way": json.dumps({**GOOD, "how": "praise"}).encode(),
    "a time without its zone": json.dumps({**GOOD, "at": "2026-01-01T00:00:00"}).encode(),
    "one that is sealed": b'{"sealed":"gAAAAA=="}',
}


class TestForeignLines:
    """What a crash tore, or somebody else wrote."""

    @pytest.mark.parametrize("line", FOREIGN.values(), ids=FOREIGN)
    def test_a_line_that_is_not_ours_is_passed_over(self, path: Path, line: bytes) -> None:
        """Those before and behind it are read."""
        store = history(path)
        keep(store, remark(0))
        with path.with_name(NAME).open("ab") as file:
            file.write(line + b"\n")
        keep(store, remark(1))
        assert store.feedback() == [remark(0), remark(1)]

    @pytest.mark.parametrize("line", [b"{", b'{"query":"question 7","ids":["m0', bytes(7), b"\xff"])
    def test_a_torn_end_is_passed_over_and_written_over(self, path: Path, line: bytes) -> None:
        """The next line is whole, and stands by itself."""
        store = history(path)
        keep(store, remark(0))
        whole = path.with_name(NAME).read_bytes()
        path.with_name(NAME).write_bytes(whole + line)
        assert open_store(path).feedback() == [remark(0)]
        keep(store, remark(1))
        assert store.feedback() == [remark(0), remark(1)]
        assert path.with_name(NAME).read_bytes().startswith(whole + b'{"query":"question 1"')

    def test_a_line_whose_end_alone_is_missing_was_never_finished(self, path: Path) -> None:
        """It is not taken for one, so that none is there at one time and gone at another."""
        store = history(path)
        keep(store, remark(0), remark(1))
        path.with_name(NAME).write_bytes(path.with_name(NAME).read_bytes()[:-1])
        assert store.feedback() == [remark(0)]

    def test_a_damaged_file_is_no_damage_to_the_memory(self, path: Path) -> None:
        """It is opened, verified, folded and written as ever; and nobody takes the file for garbage."""
        store = history(path)
        for garbage in (b"", b"\n\n", os.urandom(3000), b'{"query"'):
            path.with_name(NAME).write_bytes(garbage)
            assert contents(open_store(path)) == contents(store)
            assert all(finding.ok for finding in verify(path, ticking_clock()))
            compact(open_store(path))
            assert path.with_name(NAME).read_bytes() == garbage
            store.refresh()
            assert store.feedback() == []

    def test_opening_and_folding_leave_the_file_byte_for_byte(self, path: Path) -> None:
        """And so does another encoder; and a folder that cannot be written to is read all the same."""
        store = history(path)
        keep(store, remark(0), remark(1))
        before = path.with_name(NAME).read_bytes()
        compact(store)
        with store.transaction():
            store.rekey(store.key_rows(), OTHER_IDENTITY)
        with read_only_disk():
            assert open_store(path).feedback() == [remark(0), remark(1)]
        assert path.with_name(NAME).read_bytes() == before

    def test_a_copy_of_the_memory_without_it_works(self, path: Path, tmp_path: Path) -> None:
        """As a backup may leave it out."""
        store = history(path)
        keep(store, remark(0))
        with store.transaction():
            store.keep_beside("head", b"{}")
        ours = (NAME, "ntm_memory.head.json", "ntm_memory.lock")
        shutil.copytree(path.parent, tmp_path / "copy", ignore=shutil.ignore_patterns(*ours))
        copy = open_store(tmp_path / "copy" / path.name)
        assert (copy.state, copy.feedback(), copy.beside("head")) == (store.state, [], None)
        assert all(finding.ok for finding in verify(tmp_path / "copy", ticking_clock()))


class TestHead:
    """The trained head beside the memory."""

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
    def test_it_is_its_owner_s_alone(self, path: Path) -> None:
        """Like every other file."""
        store = open_store(path)
        with store.transaction():
            store.keep_beside("head", b"numbers")
        assert path.with_name("ntm_memory.head.json").stat().st_mode & 0o777 == 0o600

    def test_whatever_stands_there_is_no_damage_to_the_memory(self, path: Path) -> None:
        """It is bytes to the store; whoever uses it decides whether it is any good."""
        store = history(path)
        for data in (b"", b"{", os.urandom(2000)):
            path.with_name("ntm_memory.head.json").write_bytes(data)
            assert all(finding.ok for finding in verify(path, ticking_clock()))
            compact(open_store(path))
            assert store.beside("head") == data

    def test_a_link_in_its_place_is_refused(self, path: Path) -> None:
        """Somebody else's file is not read as ours."""
        store = history(path)
        (path.parent / "elsewhere").write_bytes(b"theirs")
        path.with_name("ntm_memory.head.json").symlink_to(path.parent / "elsewhere")
        for act in (lambda: store.beside("head"), lambda: open_store(path)):
            with pytest.raises(PathRefused):
                act()


class TestFeedback:
    """The value itself."""

    def test_what_was_of_use_was_given(self) -> None:
        """Else it says nothing of the answer."""
        with pytest.raises(ValueError, match="m002"):
            replace(remark(0), used=ident(2))

    def test_there_are_so_many_ways_and_no_other(self) -> None:
        """Training treats them differently."""
        assert HOWS == ("update", "supersede", "erase", "use")
        with pytest.raises(ValueError, match="praise"):
            replace(remark(0), how="praise")  # type: ignore[arg-type]  # that is what is tried
