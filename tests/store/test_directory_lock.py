"""One writer at a time; readers are never made to wait."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreLocked, StoreUnreachable
from ntm_memory_skill.store import State
from tests.store.builders import IDENTITY, all_bytes, commit, compact, ident, memorized, open_store

PATIENCE = 60  # seconds to wait for a child that has no reason to be late

HOLDER = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold a lock for the block; it lets go when its input ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    arguments = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        watchdog = threading.Timer(PATIENCE, child.kill)  # bounds the wait for its word as well: its output ends then
        watchdog.start()
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "held\n"
            yield child
            child.communicate()
        finally:
            child.kill()
            watchdog.cancel()


def test_a_lock_held_by_another_process_is_reported_and_waited_out(path: Path) -> None:
    """Nothing was written, and as soon as the other is done the same store can write."""
    store = open_store(path, lock_timeout=0.05)
    commit(store, memorized(0))
    before = all_bytes(path.parent)
    with held_elsewhere(store.paths.lock):
        for change in (lambda: commit(store, memorized(1)), lambda: compact(store)):
            with pytest.raises(StoreLocked) as caught:
                change()
            assert caught.value.code == "store_locked"
        assert all_bytes(path.parent) == before
    commit(store, memorized(1))
    assert list(open_store(path).state.records) == [ident(0), ident(1)]


def test_a_holder_that_is_killed_holds_no_longer(path: Path) -> None:
    """The operating system frees its lock: nobody has to delete a file."""
    store = open_store(path, lock_timeout=PATIENCE)
    with held_elsewhere(store.paths.lock) as child:
        child.kill()
        commit(store, memorized(0))
    assert list(open_store(path).state.records) == [ident(0)]


def test_readers_take_no_lock(path: Path) -> None:
    """Opening, catching up and reading keys go on while another process writes."""
    store = open_store(path, lock_timeout=0)
    commit(store, memorized(0))
    with held_elsewhere(store.paths.lock):
        reader = open_store(path, lock_timeout=0)
        reader.refresh()
        assert list(reader.state.records) == [ident(0)]
        assert len(reader.key_rows()) == 1


def test_two_stores_of_one_process_exclude_each_other(path: Path) -> None:
    """A server and its command may well live in one process."""
    first, second = open_store(path, lock_timeout=0), open_store(path, lock_timeout=0)
    with first.transaction():
        with pytest.raises(StoreLocked):
            commit(second, memorized(0))
        first.commit([memorized(1)], IDENTITY)
    commit(second, memorized(0))
    assert list(second.state.records) == [ident(1), ident(0)]


def test_a_lock_that_cannot_be_made_is_unreachable(path: Path) -> None:
    """A folder stands where the lock file should be; nothing is written without it."""
    store = open_store(path, lock_timeout=0)
    store.paths.lock.mkdir(parents=True)
    with pytest.raises(StoreUnreachable):
        commit(store, memorized(0))
    assert open_store(path).state == State()
