"""A full memory: the least valuable leaves the matrix, keeps all that it has, and comes back when it is wanted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.errors import InvalidArgument, MemoryFull, UnknownMemory
from tests.conftest import EPOCH, OpenMemory, ticking_clock
from tests.engine.lives import GOATS, GOATS_NEARLY, assert_followed, nearness, sight, unstored
from tests.engine.support import FACTS, PATIENT, everything, found, plant
from tests.store.builders import read_only_disk


@pytest.fixture
def full(open_memory: OpenMemory) -> NTMMemoryManager:
    """A memory of three slots, all of which are taken."""
    memory = open_memory(settings=Settings(memory_size=3))
    plant(memory, FACTS[:3])
    return memory


class TestMakingRoom:
    """Which memory leaves, and what is left of it."""

    def test_new_memory_finds_room_in_a_full_one(self, full: NTMMemoryManager) -> None:
        """Of equal ones the oldest leaves, and gives its slot."""
        oldest, *others = full.state.records
        note = full.memorize(FACTS[3])
        assert note.slot == 0
        assert list(full.state.records) == [*others, note.id]
        assert list(full.state.forgotten) == [oldest]
        assert_followed(full)

    def test_what_is_forgotten_keeps_all_that_it_has(self, full: NTMMemoryManager) -> None:
        """And says when and why it went."""
        ident, before = next(iter(full.state.records.items()))
        full.memorize(FACTS[3])
        record = full.state.forgotten[ident]
        assert record.forgotten_at is not None
        assert record.forgotten_at > before.created
        assert record.forgotten_because is not None
        assert "full" in record.forgotten_because
        for name in ("content", "created", "at", "importance", "slot", "ordinal", "accesses"):
            assert getattr(record, name) == getattr(before, name)

    def test_what_is_of_use_stays(self, full: NTMMemoryManager) -> None:
        """Being recalled counts, and so does being called important."""
        first, second, third = full.state.records
        for _ in range(3):
            full.search(FACTS[0], top_k=1)
        full.update(second, importance=0.7)
        full.memorize(FACTS[3])
        assert list(full.state.forgotten) == [third]
        assert first in full.state.records

    def test_pinned_and_important_ones_stay(self, open_memory: OpenMemory) -> None:
        """Where nothing else is there, the memory is full; unpinned, one may go."""
        memory = open_memory(settings=Settings(memory_size=2))
        pinned = memory.memorize(FACTS[0], pinned=True).id
        memory.memorize(FACTS[1], importance=0.8)
        before = sight(memory)
        for write in (lambda: memory.memorize(FACTS[2]), lambda: memory.memorize_many([{"content": FACTS[2]}])):
            with pytest.raises(MemoryFull) as caught:
                write()
            assert caught.value.hint is not None
        assert sight(memory) == before
        memory.update(pinned, pinned=False)
        memory.memorize(FACTS[2])
        assert list(memory.state.forgotten) == [pinned]

    def test_many_find_room_at_once_or_not_at_all(self, full: NTMMemoryManager) -> None:
        """They do not push each other out."""
        ids = full.memorize_many([{"content": fact} for fact in FACTS[3:6]])
        assert list(full.state.records) == ids
        before = sight(full)
        with pytest.raises(MemoryFull):
            full.memorize_many([{"content": fact} for fact in FACTS[:4]])
        assert sight(full) == before

    def test_memory_that_is_replaced_now_is_there_to_be_replaced(self, full: NTMMemoryManager) -> None:
        """Though it is the oldest."""
        oldest, second, _ = full.state.records
        note = full.memorize("Anna sold the goats", supersedes=oldest)
        assert full.get(oldest).superseded_by == note.id
        assert list(full.state.forgotten) == [second]

    def test_what_a_new_memory_supersedes_may_make_room_for_it(self) -> None:
        """Nothing is refused for that; what left says what holds in its place."""
        memory = unstored(size=1)
        old = memory.memorize("I live in Paris").id
        note = memory.memorize("I moved to Berlin")
        assert [change.old for change in note.superseded] == [old]
        assert memory.state.forgotten[old].superseded_by == note.id
        assert_followed(memory)

    def test_what_is_said_again_takes_no_slot(self) -> None:
        """Neither word for word nor in other words, in a memory in which nothing may leave."""
        with nearness():
            memory = unstored(size=2)
            for content in (GOATS, FACTS[1]):
                memory.memorize(content, pinned=True)
            assert memory.memorize(GOATS.upper()).stored == "counted"
            assert memory.memorize(GOATS_NEARLY).stored == "merged"
            assert len(memory) == 2
            assert_followed(memory)

    def test_source_pushes_out_its_own_beyond_its_share(self, open_memory: OpenMemory) -> None:
        """Though there is room; what has no source has no share."""
        memory = open_memory(settings=Settings(memory_size=8, m3=M3Settings(source_quota=0.25)))
        ids = plant(memory, FACTS[:3], source="bot")
        plant(memory, FACTS[3:7])
        assert list(memory.state.forgotten) == ids[:1]
        because = memory.state.forgotten[ids[0]].forgotten_because
        assert because is not None
        assert "bot" in because
        assert len(memory) == 6

    @given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.5, 0.79, 0.8, 1.0])), min_size=1, max_size=20))
    @settings(deadline=None, max_examples=60)
    def test_pinned_memories_survive_any_pressure(self, written: list[tuple[bool, float]]) -> None:
        """And the important ones; the others are never more than there is room for."""
        memory = unstored(size=4, clock=ticking_clock(step=timedelta(hours=7)))
        kept: set[str] = set()
        for number, (pinned, importance) in enumerate(written):
            try:
                note = memory.memorize(
                    f"{FACTS[number % 8]} {number}", force=True, pinned=pinned, importance=importance
                )
            except MemoryFull:
                assert kept == set(memory.state.records)
                continue
            if pinned or importance >= 0.8:
                kept.add(note.id)
            assert kept <= set(memory.state.records)
            assert len(memory) <= 4
            memory.search(FACTS[number % 8], top_k=2, include_forgotten=True)
            assert kept <= set(memory.state.records)


class TestComingBack:
    """What was forgotten can be looked for, and is restored by being recalled."""

    @pytest.fixture
    def forgotten(self, full: NTMMemoryManager) -> str:
        """The one memory of `full` that was forgotten."""
        full.memorize(FACTS[3])
        (ident,) = full.state.forgotten
        return ident

    def test_it_is_found_on_demand_alone(self, full: NTMMemoryManager, forgotten: str) -> None:
        """A search that asks for it sees all that was ever there."""
        assert forgotten not in everything(full, FACTS[0])
        with pytest.raises(UnknownMemory):
            full.get(forgotten)
        hits = everything(full, FACTS[0], include_forgotten=True)
        assert set(hits) == {*full.state.records, *full.state.forgotten}
        assert hits[forgotten].content == FACTS[0]

    def test_being_given_as_an_answer_brings_it_back(self, full: NTMMemoryManager, forgotten: str) -> None:
        """Into the slot of another, which is forgotten in turn; from then on it is found without asking."""
        (hit,) = full.search(FACTS[0], top_k=1, include_forgotten=True)
        assert hit.id == forgotten
        record = full.get(forgotten)
        assert (record.forgotten_at, record.forgotten_because) == (None, None)
        assert len(full) == 3
        assert len(full.state.forgotten) == 1
        assert found(full.search(FACTS[0], top_k=1)) == [FACTS[0]]
        assert_followed(full)

    def test_recall_brings_it_back_as_well(self, full: NTMMemoryManager, forgotten: str) -> None:
        """By the same argument."""
        assert forgotten not in {hit.id for hit in full.recall(FACTS[0]).hits}
        assert full.recall(FACTS[0], budget=40, include_forgotten=True).hits[0].id == forgotten
        assert forgotten in full.state.records

    def test_it_is_restored_by_its_id(self, full: NTMMemoryManager, forgotten: str) -> None:
        """As an erased one is."""
        (record,) = full.restore(forgotten)
        assert record == full.get(forgotten)
        assert forgotten not in full.state.forgotten
        assert_followed(full)

    def test_it_is_erased_and_purged_like_any_other(self, full: NTMMemoryManager, forgotten: str) -> None:
        """Faded or changed it cannot be while it is out."""
        with pytest.raises(UnknownMemory):
            full.erase(forgotten, strength=0.5)
        with pytest.raises(UnknownMemory):
            full.update(forgotten, "else")
        full.erase(forgotten)
        assert forgotten in full.state.archive
        full.erase(forgotten, purge=True)
        assert forgotten in full.state.tombstones
        assert forgotten not in everything(full, include_forgotten=True)

    def test_id_of_a_forgotten_memory_is_in_use(self, full: NTMMemoryManager, forgotten: str) -> None:
        """It may come back."""
        with pytest.raises(InvalidArgument):
            full.memorize(FACTS[4], id=forgotten)

    def test_it_is_given_where_it_cannot_come_back(self, full: NTMMemoryManager, forgotten: str) -> None:
        """Nothing may leave for it; the answer is the same."""
        for ident in full.state.records:
            full.update(ident, pinned=True)
        (hit,) = full.search(FACTS[0], top_k=1, include_forgotten=True)
        assert hit.id == forgotten
        assert list(full.state.forgotten) == [forgotten]

    def test_it_is_given_where_nothing_can_be_written(
        self, full: NTMMemoryManager, forgotten: str, open_memory: OpenMemory
    ) -> None:
        """A read-only folder, or one in which somebody is writing, keeps nobody from reading."""
        with read_only_disk():
            (hit,) = full.search(FACTS[0], top_k=1, include_forgotten=True)
        with open_memory()._live.transaction():
            (again,) = full.search(FACTS[0], top_k=1, include_forgotten=True)
        assert hit.id == again.id == forgotten
        assert list(full.state.forgotten) == [forgotten]

    def test_merged_memory_is_found_and_stays_where_it_is(self) -> None:
        """What it says is in the matrix already."""
        with nearness():
            memory = unstored()
            ident = memory.memorize(GOATS).id
            assert memory.memorize(GOATS_NEARLY).id == ident
            hits = everything(memory, GOATS_NEARLY, include_forgotten=True)
            assert len(hits) == 2
            assert set(memory.state.records) == {ident}

    def test_forgotten_hits_are_shown_in_context_and_explained(self, open_memory: OpenMemory) -> None:
        """Where they were looked at they stand in other slots than in the matrix."""
        m3 = M3Settings(reconsolidate=False, latest_first=False)
        memory = open_memory(settings=Settings(memory_size=3, m3=m3))
        plant(memory, FACTS, session="s")
        assert len(memory.state.forgotten) == 5
        for fact in FACTS:
            hits, missed = memory.search_explained(fact, top_k=1, context=1, include_forgotten=True)
            assert found(hits) == [fact]
            assert missed is not None
            ranked = memory.search(fact, top_k=2, include_forgotten=True)
            assert (missed.hit.id, missed.rank) == (ranked[1].id, 2)

    def test_session_of_a_forgotten_memory_is_still_its_own(self, open_memory: OpenMemory) -> None:
        """Filters hold for what is out of the matrix."""
        memory = open_memory(settings=Settings(memory_size=2))
        plant(memory, FACTS[:2], session="s", tags=["a"])
        plant(memory, FACTS[2:4], session="t")
        for filters in ({"session": "s"}, {"tags": ["a"]}, {"until": EPOCH + timedelta(seconds=PATIENT)}):
            assert set(found(everything(memory, include_forgotten=True, **filters).values())) >= set(FACTS[:2])
        assert set(found(everything(memory, include_forgotten=True, session="s").values())) == set(FACTS[:2])
