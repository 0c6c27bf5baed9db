"""How often a memory was given as an answer: counted at once, stored in batches, and never in the way of an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.engine import accesses
from ntm_memory_skill.engine.accesses import AccessCounts
from ntm_memory_skill.errors import UnknownMemory
from ntm_memory_skill.model import Accessed
from ntm_memory_skill.store import DirectoryStore, MemoryStore, State
from tests.conftest import EPOCH, OpenMemory, ticking_clock
from tests.engine.support import FACTS, NEVER_FOLD, assert_same_hits, everything, fingerprint, plant
from tests.store.builders import folded, ident, memorized, read_only_disk


def counts(memory: NTMMemoryManager) -> list[int]:
    """Return how often each live memory is stored to have been given, in the order of writing."""
    return [record.accesses for record in memory.state.records.values()]


def transactions(memory: NTMMemoryManager) -> int:
    """Return how many there have been."""
    store = memory._live.store
    assert isinstance(store, DirectoryStore)
    return store.sequence


def give(memory: NTMMemoryManager, fact: int) -> datetime | None:
    """Have one memory alone be given as an answer."""
    (hit,) = memory.search(FACTS[fact], top_k=1)
    assert hit.content == FACTS[fact]
    return hit.record.accessed_at


class TestBatch:
    """The counts at hand."""

    STATE = folded([[memorized(number) for number in range(3)]])

    def test_nothing_counted_is_no_event(self) -> None:
        """A write need not carry an empty one; an answer without hits is nothing counted."""
        batch = AccessCounts()
        batch.add({}, EPOCH)
        assert (batch.empty, batch.full, batch.take(self.STATE)) == (True, False, [])

    def test_answers_are_added_up_and_taken_once(self) -> None:
        """With the time of the last of them."""
        batch, clock = AccessCounts(), ticking_clock()
        for given in ([ident(0), ident(1)], [ident(1)], []):
            last = clock()
            batch.add(dict.fromkeys(given, 1.0), last)
        assert not batch.empty
        (event,) = (each for each in batch.take(self.STATE) if isinstance(each, Accessed))
        assert (dict(zip(event.ids, event.counts, strict=True)), event.at) == ({ident(0): 1, ident(1): 2}, last)
        assert (batch.empty, batch.take(self.STATE)) == (True, [])

    def test_what_is_not_live_is_left_out(self) -> None:
        """The store would refuse the whole write; and where nobody is left, there is no event."""
        batch = AccessCounts(reconsolidate=False)
        batch.add({ident(0): 1.0, ident(7): 1.0}, EPOCH)
        assert batch.take(self.STATE) == [Accessed((ident(0),), (1,), EPOCH)]
        batch.add({ident(0): 1.0}, EPOCH)
        assert batch.take(State()) == []
        assert batch.empty

    def test_it_is_full_at_so_many_memories(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However often each was given."""
        monkeypatch.setattr(accesses, "BATCH", 2)
        batch = AccessCounts(reconsolidate=False)
        for given, expected in ((ident(0), False), (ident(0), False), (ident(1), True)):
            batch.add({given: 1.0}, EPOCH)
            assert batch.full is expected

    def test_it_is_full_at_so_many_answers_where_each_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Links are learnt answer by answer, so that many answers of few memories take up space as well."""
        monkeypatch.setattr(accesses, "BATCH", 2)
        batch = AccessCounts()
        for expected in (False, True):
            batch.add({ident(0): 1.0}, EPOCH)
            assert batch.full is expected


class TestCounting:
    """What counts as an answer."""

    def test_a_search_counts_what_it_gave(self, memory: NTMMemoryManager) -> None:
        """Each of its hits, once; the next write stores it."""
        plant(memory)
        for fact in (0, 0, 2):
            give(memory, fact)
        assert counts(memory) == [0] * len(FACTS)
        memory.memorize("one more")
        assert counts(memory) == [2, 0, 1, *[0] * (len(FACTS) - 2)]

    def test_a_recall_counts_what_fitted_its_budget(self, memory: NTMMemoryManager) -> None:
        """What was left out was not given; what was found by name and by question was given once."""
        plant(memory, key="fact")
        given = memory.recall("goats in Kirchberg", key="fact", budget=100)
        assert given.omitted > 0
        memory.memorize("one more")
        told = {record.id for record in memory.state.records.values() if record.accesses}
        assert told == {hit.id for hit in given.hits}
        assert sum(counts(memory)) == len(given.hits)

    def test_nothing_else_counts(self, memory: NTMMemoryManager) -> None:
        """To look a memory up, to be shown as alike, and to be looked at are no answers."""
        ids = plant(memory)
        memory.get(ids[0])
        memory.attention("goats")
        memory.memorize(FACTS[0])
        memory.update(ids[0], importance=1.0)
        memory.memorize("one more")
        assert sum(counts(memory)) == 0

    def test_the_time_is_that_of_the_answer(self, open_memory: OpenMemory) -> None:
        """Not of the write that stored it; and a memory that was never given has none."""
        memory = open_memory()
        ids = plant(memory)
        before = memory.memorize("before").record.created
        give(memory, 0)
        after = memory.memorize("after").record.created
        first, second = memory.get(ids[0]).accessed_at, memory.get(ids[1]).accessed_at
        assert first is not None
        assert before < first < after
        assert second is None


class TestStoring:
    """When the counts reach the disk."""

    @pytest.mark.parametrize(
        "write",
        [
            lambda memory, ids: memory.memorize("more"),
            lambda memory, ids: memory.memorize_many([{"content": "more"}]),
            lambda memory, ids: memory.update(ids[1], "else"),
            lambda memory, ids: memory.erase(ids[1]),
            lambda memory, ids: memory.erase(ids[1], strength=0.5),
            lambda memory, ids: memory.erase(ids[1], purge=True),
            lambda memory, ids: memory.restore(ids[2]),
        ],
        ids=["memorize", "many", "update", "erase", "fade", "purge", "restore"],
    )
    def test_any_write_takes_them_along(
        self, open_memory: OpenMemory, write: Callable[[NTMMemoryManager, list[str]], object]
    ) -> None:
        """In the same line of the journal: a search waits for no disk, and a write for no second one."""
        memory = open_memory(settings=NEVER_FOLD)
        ids = plant(memory)
        memory.erase(ids[2])
        give(memory, 0)
        give(memory, 1)
        before = transactions(memory)
        write(memory, ids)
        assert transactions(memory) == before + 1
        assert open_memory().get(ids[0]).accesses == 1

    def test_closing_stores_them(self, open_memory: OpenMemory) -> None:
        """Also where nothing else was written, and where it was closed by the end of a block."""
        plant(open_memory())
        with open_memory() as reader:
            give(reader, 0)
        again = open_memory()
        assert counts(again)[:2] == [1, 0]
        again.close()
        assert counts(open_memory())[:2] == [1, 0]

    def test_closing_after_nothing_was_given_writes_nothing(self, open_memory: OpenMemory, path: Path) -> None:
        """Whoever only looked leaves no trace."""
        plant(open_memory(settings=NEVER_FOLD))
        before = fingerprint(path.parent)
        reader = open_memory(settings=NEVER_FOLD)
        reader.attention("goats")
        reader.get(next(iter(reader.state.records)))
        reader.close()
        assert fingerprint(path.parent) == before

    def test_a_full_batch_is_stored_by_itself(self, open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch) -> None:
        """An agent that only searches for a year must not lose a year's counts."""
        monkeypatch.setattr(accesses, "BATCH", 3)
        plant(open_memory())
        reader, other = open_memory(), open_memory()
        for fact, stored in ((0, 0), (1, 0), (2, 3), (3, 3)):
            give(reader, fact)
            assert sum(counts(other)) == stored

    def test_a_crash_loses_them_and_nothing_else(self, open_memory: OpenMemory) -> None:
        """They are statistics, and nobody was told that they are stored."""
        memory = open_memory()
        ids = plant(memory)
        give(memory, 0)
        memory.memorize("one more")
        give(memory, 1)
        survivor = open_memory()  # the first is never closed
        assert [record.id for record in survivor.state.records.values()][: len(ids)] == ids
        assert counts(survivor) == [1, *[0] * len(FACTS)]
        assert survivor.warnings == ()

    def test_counts_of_two_processes_add_up(self, open_memory: OpenMemory) -> None:
        """Each counts its own answers."""
        plant(open_memory())
        one, other = open_memory(), open_memory()
        for memory in (one, other, one):
            give(memory, 0)
        one.close()
        other.close()
        assert counts(open_memory())[0] == 3

    def test_a_memory_in_this_process_alone_counts_as_well(self) -> None:
        """Both stores do the same."""
        memory = NTMMemoryManager(MemoryStore(), HashedEncoder(64), clock=ticking_clock())
        plant(memory)
        give(memory, 0)
        memory.memorize("one more")
        assert counts(memory)[0] == 1


class TestErasedMeanwhile:
    """A memory that was given is gone before its count is stored."""

    @pytest.mark.parametrize("purge", [False, True])
    @pytest.mark.parametrize("by_another", [False, True])
    def test_it_is_left_out(self, open_memory: OpenMemory, purge: bool, by_another: bool) -> None:
        """By whomever it was erased; the counts of the others are stored."""
        memory = open_memory()
        ids = plant(memory)
        give(memory, 0)
        give(memory, 1)
        (open_memory() if by_another else memory).erase(ids[0], purge=purge)
        memory.memorize("one more")
        memory.close()
        found = open_memory()
        assert found.get(ids[1]).accesses == 1
        with pytest.raises(UnknownMemory):
            found.get(ids[0])

    def test_a_batch_of_none_but_erased_ones_is_dropped_on_closing(self, open_memory: OpenMemory, path: Path) -> None:
        """There is nothing to store."""
        memory, other = open_memory(settings=NEVER_FOLD), open_memory(settings=NEVER_FOLD)
        ids = plant(memory)
        give(memory, 0)
        other.erase(ids[0])
        before = fingerprint(path.parent)
        memory.close()
        assert fingerprint(path.parent) == before

    def test_what_is_restored_has_the_counts_that_it_had(self, memory: NTMMemoryManager) -> None:
        """They are part of the memory."""
        ids = plant(memory)
        give(memory, 0)
        memory.erase(ids[0])
        (record,) = memory.restore(ids[0])
        assert record.accesses == 1


class TestOutOfTheWay:
    """Counting never fails an answer, nor delays one, nor changes one."""

    @pytest.fixture(autouse=True)
    def small_batch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have every search try to store its counts."""
        monkeypatch.setattr(accesses, "BATCH", 1)

    def test_a_read_only_folder_does_not_hurt_a_search(self, open_memory: OpenMemory, path: Path) -> None:
        """Nor closing; the answers are those that they would be."""
        memory = open_memory()
        plant(memory)
        memory.close()
        expected = open_memory().search("goats and bread", top_k=3)
        before = fingerprint(path.parent)
        with read_only_disk():
            reader = open_memory()
            assert_same_hits(reader.search("goats and bread", top_k=3), expected)
            assert_same_hits(reader.recall("goats and bread").hits[:3], expected)
            reader.close()
        assert fingerprint(path.parent) == before

    def test_a_busy_folder_does_not_delay_a_search(
        self, open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The counts wait for the next chance."""
        memory, busy = open_memory(), open_memory()
        plant(memory)

        def waited(seconds: float) -> None:
            raise AssertionError(seconds)

        monkeypatch.setattr(time, "sleep", waited)
        with busy._live.transaction():
            for _ in range(3):
                give(memory, 0)
            assert counts(memory)[0] == 0
        give(memory, 1)
        assert counts(memory)[:2] == [3, 1]

    def test_a_search_gives_the_same_before_and_after(self, open_memory: OpenMemory) -> None:
        """Being asked for often makes nothing more likely."""
        memory = open_memory()
        plant(memory, session="s")
        first = everything(memory, "goats and bread")
        for _ in range(3):
            give(memory, 0)
            assert_same_hits(everything(memory, "goats and bread").values(), first.values())
        memory.close()
        assert_same_hits(everything(open_memory(), "goats and bread").values(), first.values())

    def test_hits_carry_the_counts_that_are_stored(self, open_memory: OpenMemory) -> None:
        """In the process that counted, and in one that follows it."""
        memory, other = open_memory(), open_memory()
        plant(memory)
        other.warm_up()
        for turn in range(3):
            for each in (memory, other):
                stored = dict(each.state.records)
                assert {name: hit.record for name, hit in everything(each, FACTS[0]).items()} == stored
            assert set(counts(memory)) == set(counts(other)) == {2 * (turn + 1)}


@pytest.mark.parametrize("ask_first", [False, True])
def test_fading_right_after_a_search_fades_by_just_its_share(open_memory: OpenMemory, ask_first: bool) -> None:
    """The count and the change come in one transaction; neither disturbs what the other does to the matrix."""
    memory = open_memory()
    ids = plant(memory)
    for left in (0.5, 0.25):
        if ask_first:
            give(memory, 0)
        memory.erase(ids[0], strength=0.5)
        assert memory.get(ids[0]).strength == left
        row = memory._live.projection().matrix.rows[memory.get(ids[0]).slot]
        assert float((row**2).sum()) ** 0.5 == pytest.approx(left, abs=1e-6)
        assert_same_hits(everything(memory).values(), everything(open_memory()).values())
