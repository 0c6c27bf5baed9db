"""What a commit waits for: with durability "full" the disk, with "relaxed" the operating system alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreDamaged, StoreUnreachable
from ntm_memory_skill.store import DirectoryStore
from tests.store.builders import commit, compact, contents, ident, memorized, open_store, read_only_disk
from tests.store.doubles import WatchedOS, installed


def waits(action: Callable[[], object]) -> int:
    """Return how often an action waits for the disk."""
    with installed(WatchedOS()) as double:
        action()
    return [call.name for call in double.calls].count("fsync")


def live(store: DirectoryStore) -> list[str]:
    """Return the ids of the live memories."""
    return list(store.state.records)


@pytest.fixture
def relaxed(path: Path) -> DirectoryStore:
    """A memory with one entry, opened by a process that does not wait for the disk, but for what it found there."""
    commit(open_store(path), memorized(0))
    store = open_store(path, durability="relaxed")
    commit(store)
    store.flush()
    return store


def test_a_full_commit_waits_for_the_disk_each_time(path: Path) -> None:
    """Once, for its line; there is nothing left to flush."""
    store = open_store(path)
    commit(store, memorized(0))
    for number in range(1, 4):
        assert waits(partial(commit, store, memorized(number))) == 1
    assert waits(store.flush) == 0


def test_relaxed_commits_wait_for_nothing_until_they_are_flushed(relaxed: DirectoryStore) -> None:
    """One wait for all of them; and none once that is done."""

    def several() -> None:
        for number in range(1, 4):
            commit(relaxed, memorized(number))

    assert waits(several) == 0
    assert waits(relaxed.flush) == 1
    assert waits(relaxed.flush) == 0


def test_relaxed_commits_are_seen_by_others_at_once(relaxed: DirectoryStore, path: Path) -> None:
    """The operating system has them: the death of this process loses nothing."""
    reader = open_store(path)
    commit(relaxed, memorized(1))
    reader.refresh()
    assert live(reader) == live(open_store(path)) == [ident(0), ident(1)]


def test_folding_waits_for_the_disk_all_the_same(relaxed: DirectoryStore) -> None:
    """A snapshot that a power failure could empty would cost everything; after it there is nothing to flush."""
    commit(relaxed, memorized(1))
    assert waits(lambda: compact(relaxed)) > 3
    assert waits(relaxed.flush) == 0


def test_the_first_snapshot_is_waited_for_as_well(path: Path) -> None:
    """Without it the journal would be nobody's."""
    store = open_store(path, durability="relaxed")
    assert waits(lambda: commit(store, memorized(0))) >= 3


def test_relaxed_commits_promise_nothing_that_a_power_failure_may_take(relaxed: DirectoryStore, path: Path) -> None:
    """The journal may end before them, or within one; that is a memory as it was before, and no damage."""
    before = relaxed.paths.journal.read_bytes()
    commit(relaxed, memorized(1))
    after = relaxed.paths.journal.read_bytes()
    for length in (len(before), len(before) + 1, len(after) - 1):
        relaxed.paths.journal.write_bytes(after[:length])
        assert live(open_store(path, tidy=False)) == [ident(0)]


def test_what_was_promised_before_and_after_still_holds(relaxed: DirectoryStore, path: Path) -> None:
    """A process that waits stands for all entries before its own."""
    commit(relaxed, memorized(1))
    before = relaxed.paths.journal.read_bytes()
    commit(open_store(path), memorized(2))
    relaxed.paths.journal.write_bytes(before)
    with pytest.raises(StoreDamaged):
        open_store(path)


def test_a_flush_that_fails_is_reported_and_can_be_repeated(relaxed: DirectoryStore, path: Path) -> None:
    """Whoever asks for it wants to know."""
    commit(relaxed, memorized(1))
    with read_only_disk(), pytest.raises(StoreUnreachable):
        relaxed.flush()
    assert waits(relaxed.flush) == 1
    assert list(contents(open_store(path))) == [ident(0), ident(1)]


def test_a_flush_after_another_process_has_folded_is_harmless(relaxed: DirectoryStore, path: Path) -> None:
    """The entries are in its snapshot by then, which was waited for."""
    commit(relaxed, memorized(1))
    compact(open_store(path))
    relaxed.flush()
    relaxed.refresh()
    assert live(relaxed) == [ident(0), ident(1)]
