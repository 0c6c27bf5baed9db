"""Many threads at once, on one manager and on two over the same files: nothing is lost and nothing torn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ntm_memory_skill import M3Settings, NTMMemoryManager, Settings
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, assert_same_hits, everything

AS_IT_IS = Settings(m3=M3Settings(duplicates="keep", successions="off", reconsolidate=False))
"""Each memory is kept as it was written: what the threads write differs in a number alone."""

THREADS = 8
TURNS = 6


@pytest.mark.parametrize("managers", [1, 2])
def test_nothing_is_lost_where_many_write_and_ask_at_once(open_memory: OpenMemory, managers: int) -> None:
    """Every acknowledged memory is there once, in a slot of its own, for everybody; what was erased is gone."""
    shared = [open_memory(settings=AS_IT_IS) for _ in range(managers)]
    together = Barrier(THREADS)

    def work(thread: int) -> tuple[set[str], set[str]]:
        memory = shared[thread % managers]
        kept, erased = set(), set()
        together.wait(timeout=30)
        for turn in range(TURNS):
            ident = memory.memorize(f"{FACTS[turn % 8]} {thread} {turn}", session=f"thread {thread}", key=f"{turn}").id
            assert ident in everything(memory, FACTS[turn % 8])
            memory.recall(FACTS[thread], session=f"thread {thread}")
            if turn % 3 == 2:
                memory.erase(ident)
                erased.add(ident)
            else:
                memory.update(ident, f"{FACTS[turn % 8]} {thread} {turn} again")
                kept.add(ident)
        return kept, erased

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(work, range(THREADS)))
    kept = set[str]().union(*(ids for ids, _ in done))
    erased = set[str]().union(*(ids for _, ids in done))
    assert (len(kept), len(erased)) == (THREADS * 4, THREADS * 2)
    fresh = open_memory(settings=AS_IT_IS)
    for memory in (*shared, fresh):
        hits = everything(memory)
        assert set(hits) == kept
        assert len({hit.record.slot for hit in hits.values()}) == len(kept)
        assert all(len(hit.record.versions) == 1 for hit in hits.values())
        assert set(memory.state.archive) == erased
        assert_same_hits(hits.values(), everything(fresh).values())


def test_first_calls_of_many_threads_build_one_memory(open_memory: OpenMemory) -> None:
    """All of them find what was there before, whoever comes first."""
    writer = open_memory()
    ids = writer.memorize_many([{"content": fact} for fact in FACTS])
    reader = open_memory()
    together = Barrier(THREADS)

    def ask(memory: NTMMemoryManager) -> set[str]:
        together.wait(timeout=30)
        return set(everything(memory))

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(ask, [reader] * THREADS))
    assert answers == [set(ids)] * THREADS
