"""Closing: what is due is done if nobody is in the way, and what was promised holds in any case."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ntm_memory_skill import NTMMemoryManager, Settings, StoreSettings
from ntm_memory_skill.errors import StoreClosed, StoreUnreachable
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, NEVER_FOLD, everything, fingerprint, plant
from tests.store.builders import read_only_disk
from tests.store.doubles import WatchedOS, installed

RELAXED = Settings(store=replace(NEVER_FOLD.store, durability="relaxed"))


def waits(action: Callable[[], object]) -> int:
    """Return how often an action waits for the disk."""
    with installed(WatchedOS()) as double:
        action()
    return [call.name for call in double.calls].count("fsync")


def test_closing_folds_the_journal_of_a_small_memory(open_memory: OpenMemory, path: Path) -> None:
    """The snapshot is then everything by itself."""
    memory = open_memory()
    plant(memory)
    journal = path.with_name("ntm_memory.journal.jsonl")
    before = journal.stat().st_size
    memory.close()
    assert journal.stat().st_size < before
    assert all(fact in path.read_text(encoding="utf-8") for fact in FACTS)


def test_closing_twice_is_harmless(open_memory: OpenMemory, path: Path) -> None:
    """And a closed memory does nothing more."""
    memory = open_memory()
    plant(memory)
    memory.close()
    before = fingerprint(path.parent)
    memory.close()
    for call in (lambda: memory.memorize("x"), lambda: memory.search("x"), lambda: len(memory)):
        with pytest.raises(StoreClosed):
            call()
    assert fingerprint(path.parent) == before


def test_closing_does_not_wait_for_a_writer(open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding is left to that one; nothing is lost but the counts of what was given."""
    memory, busy = open_memory(), open_memory()
    ids = plant(memory)
    everything(memory)

    def waited(seconds: float) -> None:
        raise AssertionError(seconds)

    monkeypatch.setattr(time, "sleep", waited)
    with busy._live.transaction():
        memory.close()
    assert set(everything(open_memory())) == set(ids)


def test_closing_where_the_disk_refuses_loses_nothing(open_memory: OpenMemory, path: Path) -> None:
    """What was acknowledged was on it before."""
    memory = open_memory()
    ids = plant(memory)
    everything(memory)
    before = fingerprint(path.parent)
    with read_only_disk():
        memory.close()
    assert fingerprint(path.parent) == before
    assert set(everything(open_memory())) == set(ids)


class TestRelaxed:
    """A memory that does not wait for the disk at each write."""

    @pytest.fixture
    def memory(self, open_memory: OpenMemory) -> NTMMemoryManager:
        """One that was begun before, so that neither a first snapshot is due nor what another left unfinished."""
        open_memory(settings=NEVER_FOLD).memorize("begun before")
        memory = open_memory(settings=RELAXED)
        memory.memorize("opened again")
        return memory

    def test_no_write_waits_and_closing_does(self, memory: NTMMemoryManager) -> None:
        """Once for all of them; a memory that waits at each write has nothing left to wait for."""
        assert waits(lambda: plant(memory)) == 0
        assert waits(memory.close) == 1

    def test_a_full_memory_waits_at_each_write(self, open_memory: OpenMemory) -> None:
        """Else the test above would show nothing."""
        memory = open_memory(settings=NEVER_FOLD)
        memory.memorize("begun before")
        assert waits(lambda: plant(memory)) == len(FACTS)
        assert waits(memory.close) == 0

    def test_a_fold_on_closing_is_waited_for(self, open_memory: OpenMemory) -> None:
        """It replaces what was on the disk."""
        memory = open_memory(settings=Settings(store=StoreSettings(durability="relaxed")))
        plant(memory)
        assert waits(memory.close) > 3

    def test_others_see_each_write_at_once(self, memory: NTMMemoryManager, open_memory: OpenMemory) -> None:
        """And the death of this process would lose none of them."""
        ids = plant(memory)
        assert set(everything(open_memory())) > set(ids)

    def test_a_disk_that_fails_at_the_end_is_reported(self, memory: NTMMemoryManager, open_memory: OpenMemory) -> None:
        """Nobody else would ever say that the last writes may be lost; and the memory is closed all the same."""
        plant(memory)
        with read_only_disk(), pytest.raises(StoreUnreachable):
            memory.close()
        with pytest.raises(StoreClosed):
            memory.memorize("x")
        memory.close()
