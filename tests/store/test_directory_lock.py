"""One writer at a time; readers are never made to wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreLocked, StoreUnreachable
from ntm_memory_skill.store import State
from ntm_memory_skill.store.fs import FileSystem
from ntm_memory_skill.store.writer import WriterNote
from tests.conftest import ticking_clock
from tests.store.builders import IDENTITY, all_bytes, commit, compact, ident, memorized, open_store

PATIENCE = 60  # seconds to wait for a child that has no reason to be late

HOLDER = """
import sys
from pathlib import Path
from ntm_memory_skill.sources import system_clock
from ntm_memory_skill.store import DirectoryStore
with DirectoryStore(Path(sys.argv[1]), clock=system_clock).transaction():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another process write to a memory for the block; it is done when its input ends."""
    arguments = [sys.executable, "-c", HOLDER, str(path)]
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
    with held_elsewhere(path):
        for change in (lambda: commit(store, memorized(1)), lambda: compact(store)):
            with pytest.raises(StoreLocked) as caught:
                change()
            assert caught.value.code == "store_locked"
        assert all_bytes(path.parent) == before
    commit(store, memorized(1))
    assert list(open_store(path).state.records) == [ident(0), ident(1)]


def test_a_holder_that_is_killed_holds_no_longer(path: Path) -> None:
    """The operating system frees its lock, and at once: nobody has to wait, or to delete a file."""
    store = open_store(path, lock_timeout=0)
    with held_elsewhere(path) as child:
        with pytest.raises(StoreLocked):
            commit(store, memorized(0))
        child.kill()
        child.wait()
        commit(store, memorized(0))
    assert list(open_store(path).state.records) == [ident(0)]


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_a_holder_that_is_stuck_is_named(path: Path) -> None:
    """It neither ends nor goes on: whoever waits in vain has to know which process to look at."""
    store = open_store(path, lock_timeout=0.05)
    with held_elsewhere(path) as child:
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        with pytest.raises(StoreLocked) as caught:
            commit(store, memorized(0))
        holder = WriterNote(store.paths.writer, FileSystem(), ticking_clock()).holder()
        assert holder is not None
        assert str(child.pid) in holder.split()
        assert holder in caught.value.message
        assert str(store.paths.lock) in caught.value.message
        child.send_signal(signal.SIGCONT)
    commit(store, memorized(0))
    assert list(open_store(path).state.records) == [ident(0)]


def test_a_holder_that_left_no_note_is_no_matter(path: Path) -> None:
    """Its disk may have been full; the lock holds all the same."""
    store = open_store(path, lock_timeout=0)
    with held_elsewhere(path):
        store.paths.writer.unlink()
        with pytest.raises(StoreLocked) as caught:
            commit(store, memorized(0))
    assert caught.value.code == "store_locked"


def test_who_need_not_write_does_not_wait(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the timeout: what can be done later is given up at once."""

    def waited(seconds: float) -> None:
        raise AssertionError(seconds)

    monkeypatch.setattr(time, "sleep", waited)
    patient = open_store(path, lock_timeout=PATIENCE)
    with open_store(path).transaction(), pytest.raises(StoreLocked), patient.transaction(wait=False):
        raise LookupError
    with patient.transaction(wait=False):
        patient.commit([memorized(0)], IDENTITY)
    assert list(open_store(path).state.records) == [ident(0)]


def test_readers_take_no_lock(path: Path) -> None:
    """Opening, catching up and reading keys go on while another process writes."""
    store = open_store(path, lock_timeout=0)
    commit(store, memorized(0))
    with held_elsewhere(path):
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
    """A folder stands where the lock file should be since the memory was opened; nothing is written without it."""
    store = open_store(path, lock_timeout=0)
    store.paths.lock.mkdir(parents=True)
    with pytest.raises(StoreUnreachable):
        commit(store, memorized(0))
    store.paths.lock.rmdir()
    assert open_store(path).state == State()
