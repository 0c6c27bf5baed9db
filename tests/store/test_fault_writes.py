"""What a commit that fails leaves in the files and in the process, in detail that the other fault suites pass over."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from ntm_memory_skill.errors import StoreFull
from ntm_memory_skill.model import Erased, Event, Faded, Updated
from ntm_memory_skill.store import DirectoryStore
from tests.store.builders import all_bytes, commit, compact, contents, folded, ident, memorized, moment, open_store
from tests.store.doubles import Call, Fault, FaultyOS, WatchedOS, installed, once

PAST: list[list[Event]] = [
    [memorized(0), memorized(1), memorized(2)],
    [Updated(ident(0), moment(10), importance=0.75)],
    [memorized(3)],
]
NEW: list[Event] = [memorized(7), Faded(ident(0), moment(20), 0.5), Erased(ident(1), moment(20))]


def history(path: Path) -> DirectoryStore:
    """Leave a memory with a previous generation, a snapshot and a journal."""
    store = open_store(path)
    for events in PAST:
        compact(store)
        commit(store, *events)
    return store


class ShortOS(WatchedOS):
    """Takes so many bytes at a time and no more, as an operating system may."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def perform(self, call: Call, real: Callable[[], Any]) -> Any:
        """Write the first of them."""
        if call.name != "write":
            return super().perform(call, real)
        handle, data = call.arguments
        return os.write(handle, data[: self._most])


@pytest.mark.parametrize("kind", ["refused", "half"])
def test_a_commit_that_failed_leaves_the_files_byte_for_byte(tmp_path: Path, kind: Literal["refused", "half"]) -> None:
    """At whichever call: half a line that was written is cut off again."""
    failed: list[str] = []
    for number in itertools.count():
        path = tmp_path / str(number) / "ntm_memory.json"
        store = history(path)
        before = all_bytes(path.parent)
        with installed(FaultyOS(once(number, Fault(kind, errno.ENOSPC)))) as double:
            try:
                commit(store, *NEW)
            except StoreFull:
                failed.extend(call.name for call in double.failed)
                assert all_bytes(path.parent) == before
                assert store.state == folded(PAST)
        if number >= len(double.calls):
            break
    assert "write" in failed


@pytest.mark.parametrize("most", [1, 7, 300])
def test_writes_are_continued_however_little_is_taken(path: Path, most: int) -> None:
    """A byte at a time, if need be."""
    with installed(ShortOS(most)) as double:
        compact(history(path))
    assert any(call.name == "write" and len(call.arguments[1]) > most for call in double.calls)
    again = open_store(path)
    assert (again.state, again.warnings) == (folded(PAST), ())


def test_the_line_is_synced_before_the_state_shows_it(path: Path) -> None:
    """Commit before you show; and nothing is waited for after that, which could fail."""
    store = history(path)
    before, shown = set(contents(store)), []

    class LookingOS(WatchedOS):
        def perform(self, call: Call, real: Callable[[], Any]) -> Any:
            if call.name == "fsync":
                shown.append(set(contents(store)))
            return super().perform(call, real)

    with installed(LookingOS()):
        commit(store, memorized(9))
    assert shown == [before]
    assert set(contents(store)) == before | {ident(9)}
