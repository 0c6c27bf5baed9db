"""Writing memories, one and many, and finding them again, also in another process."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import HashedEncoder, M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.errors import InvalidArgument, MemoryFull, StoreClosed, UnknownMemory
from ntm_memory_skill.sources import seeded_ids
from tests.conftest import EPOCH, OpenMemory, ticking_clock
from tests.engine.support import FACTS, NEVER_FOLD, STEADY, assert_same_hits, everything, found, plant


def test_what_was_memorized_is_found_by_its_words(memory: NTMMemoryManager) -> None:
    """In English and in Chinese; the best answer stands first."""
    plant(memory)
    assert found(memory.search("who plays the violin?"))[0] == FACTS[5]
    assert found(memory.search("北京的会议"))[0] == FACTS[4]


@pytest.mark.parametrize(
    "settings", [STEADY, replace(NEVER_FOLD, m3=STEADY.m3)], ids=["from the snapshot", "from the journal"]
)
def test_memory_opened_again_gives_the_same_answers(open_memory: OpenMemory, settings: Settings) -> None:
    """Hits, scores and reasons."""
    first = open_memory(settings=settings)
    plant(first, FACTS[:4], session="s", tags=["a"])
    plant(first, FACTS[4:], key="name")
    before = first.search("the goats and the bread", top_k=1000)
    first.close()
    again = open_memory(settings=settings)
    assert len(again) == len(FACTS)
    assert_same_hits(again.search("the goats and the bread", top_k=1000), before)


def test_every_field_comes_back_as_it_was_given(open_memory: OpenMemory) -> None:
    """From the writer, from the hit and from the file."""
    memory = open_memory()
    old = memory.memorize("the first plan").id
    fields: dict[str, Any] = {"key": "plan", "importance": 0.0, "tags": ["b", "a"], "type": "fact", "session": "s"}
    fields["source"] = "Anna"
    note = memory.memorize("第二个计划", **fields, ref="msg-7", at="2026-05-09T14:00:00+02:00", supersedes=old)
    memory.close()
    record = open_memory().get(note.id)
    assert record == note.record
    assert (record.key, record.importance, record.tags, record.type) == ("plan", 0.0, ("b", "a"), "fact")
    assert (record.session, record.source, record.ref, record.supersedes) == ("s", "Anna", "msg-7", old)
    assert record.at == datetime(2026, 5, 9, 12, tzinfo=UTC)
    assert record.created >= EPOCH


def test_memory_is_found_by_its_name_as_well(memory: NTMMemoryManager) -> None:
    """A name is part of what is looked up, though not of what is said."""
    plant(memory)
    memory.memorize("9 May", key="launch date")
    best = memory.search("launch date")[0]
    assert best.content == "9 May"
    assert best.trace.matched_terms == ("launch", "date")


def test_many_are_stored_in_their_order_with_ids_to_match(memory: NTMMemoryManager) -> None:
    """The ids come back in the order of the items, and so do the slots and the places on a tape."""
    ids = memory.memorize_many([{"content": content, "session": "s"} for content in FACTS])
    records = [memory.get(ident) for ident in ids]
    assert [record.content for record in records] == list(FACTS)
    assert [record.slot for record in records] == list(range(len(FACTS)))
    assert [record.ordinal for record in records] == list(range(len(FACTS)))


def test_many_are_one_transaction(open_memory: OpenMemory, path: Path) -> None:
    """One line of the journal, so that a crash leaves all of them or none."""
    memory = open_memory()
    memory.memorize("first")
    before = len(path.with_name("ntm_memory.journal.jsonl").read_bytes().splitlines())
    memory.memorize_many({"content": content} for content in FACTS)
    assert len(path.with_name("ntm_memory.journal.jsonl").read_bytes().splitlines()) == before + 1


def test_none_are_stored_as_nothing(memory: NTMMemoryManager, path: Path) -> None:
    """Not even a file appears."""
    assert memory.memorize_many([]) == []
    assert not path.exists()


def test_progress_of_many_reaches_their_number(memory: NTMMemoryManager) -> None:
    """Told to whoever asked."""
    seen: list[tuple[int, int]] = []
    memory.memorize_many([{"content": content} for content in FACTS], progress=lambda *step: seen.append(step))
    assert seen[-1] == (len(FACTS), len(FACTS))


def test_id_from_an_export_is_kept_and_links_items_of_one_batch(memory: NTMMemoryManager) -> None:
    """An export lists a memory before the one that replaced it."""
    memory.memorize_many(
        [{"content": "old plan", "id": "plan1"}, {"content": "new plan", "id": "plan2", "supersedes": "plan1"}]
    )
    assert memory.get("plan1").superseded_by == "plan2"
    assert found(memory.search("plan")) == ["new plan"]


@pytest.mark.parametrize(
    "items",
    [
        [{"content": "one", "id": "self", "supersedes": "self"}],
        [{"content": "one", "id": "one", "supersedes": "two"}, {"content": "two", "id": "two"}],
    ],
    ids=["itself", "one that comes later"],
)
def test_memory_replaces_only_what_was_there_before_it(memory: NTMMemoryManager, items: list[dict[str, str]]) -> None:
    """One that replaced itself would never be found again."""
    with pytest.raises(UnknownMemory):
        memory.memorize_many(items)
    assert len(memory) == 0


@pytest.mark.parametrize("purge", [False, True])
def test_id_is_never_given_twice(memory: NTMMemoryManager, purge: bool) -> None:
    """Not to two items of one batch, not while it is in use, and not after it was erased."""
    with pytest.raises(InvalidArgument):
        memory.memorize_many([{"content": "one", "id": "same"}, {"content": "two", "id": "same"}])
    memory.memorize("one", id="same")
    with pytest.raises(InvalidArgument):
        memory.memorize("two", id="same")
    memory.erase("same", purge=purge)
    with pytest.raises(InvalidArgument):
        memory.memorize("two", id="same")
    assert len(memory) == 0


def test_clash_of_new_ids_is_noticed(path: Path, hashed: HashedEncoder) -> None:
    """A source that repeats itself is asked again: for one memory, and among those of one batch."""
    stuttering = iter(["a", "a", "b", "b", "a", "c", "c", "d"])
    memory = NTMMemoryManager.open(path, encoder=hashed, clock=ticking_clock(), ids=lambda: next(stuttering))
    with memory:
        assert memory.memorize("one").id == "a"
        assert memory.memorize("two").id == "b"
        assert memory.memorize_many([{"content": "three"}, {"content": "four"}]) == ["c", "d"]


def test_superseded_memory_is_hidden_and_kept(memory: NTMMemoryManager) -> None:
    """It no longer answers, but can be looked up, and says by what it was replaced."""
    plant(memory)
    old = memory.memorize("the launch is on 2 May", session="s")
    new = memory.memorize("the launch moved to 9 May", session="s", supersedes=old.id)
    assert old.id not in everything(memory)
    assert new.id in everything(memory)
    assert memory.get(old.id).superseded_by == new.id
    assert memory.get(old.id).superseded_at == new.record.at


def test_full_memory_takes_no_more_until_something_is_erased(open_memory: OpenMemory) -> None:
    """Neither one nor a batch that would not fit whole, where nothing may be forgotten."""
    memory = open_memory(settings=Settings(memory_size=3, m3=M3Settings(forget=False)))
    ids = plant(memory, FACTS[:2])
    with pytest.raises(MemoryFull) as full:
        memory.memorize_many([{"content": "third"}, {"content": "fourth"}])
    assert full.value.code == "memory_full"
    memory.memorize("third")
    with pytest.raises(MemoryFull):
        memory.memorize("fourth")
    memory.erase(ids[0])
    assert memory.memorize("fourth").slot == 0
    assert len(memory) == 3


def test_closed_memory_answers_nothing_any_more(open_memory: OpenMemory) -> None:
    """Every verb says so; closing twice is harmless."""
    memory = open_memory()
    ident = memory.memorize("text").id
    memory.close()
    memory.close()
    calls = [
        lambda: memory.memorize("text"),
        lambda: memory.memorize_many([{"content": "text"}]),
        lambda: memory.search("text"),
        lambda: memory.recall("text"),
        lambda: memory.attention("text"),
        lambda: memory.update(ident, "text"),
        lambda: memory.erase(ident),
        lambda: memory.get(ident),
        lambda: len(memory),
        lambda: memory.state,
        lambda: memory.restore(ident),
        memory.consolidate,
        memory.undo_consolidation,
        memory.audit,
        memory.graph,
        memory.reindex,
        memory.warm_up,
    ]
    for call in calls:
        with pytest.raises(StoreClosed) as closed:
            call()
        assert closed.value.code == "store_closed"


def test_memory_is_closed_by_the_end_of_its_block(path: Path, hashed: HashedEncoder) -> None:
    """Also where the block ends in an error, which is passed on; what was acknowledged is there."""

    def use() -> None:
        with NTMMemoryManager.open(path, encoder=hashed, clock=ticking_clock(), ids=seeded_ids(1)) as memory:
            memory.memorize("kept")
            memory.get("nobody")

    with pytest.raises(UnknownMemory):
        use()
    with NTMMemoryManager.open(path, encoder=hashed, clock=ticking_clock()) as memory:
        assert found(memory.search("kept")) == ["kept"]


def test_folder_stands_for_the_memory_in_it(path: Path, open_memory: OpenMemory, hashed: HashedEncoder) -> None:
    """A person may name either."""
    open_memory().memorize("kept")
    with NTMMemoryManager.open(path.parent, encoder=hashed, clock=ticking_clock()) as memory:
        assert len(memory) == 1
