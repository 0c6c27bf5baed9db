"""What is said again is stored once and counted; what changed is marked; nothing is refused and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.engine import Likeness
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.model import OCCURRENCES, Absorbed
from tests.conftest import EPOCH, OpenMemory
from tests.engine.lives import (
    BEIJING,
    BERLIN,
    GOATS,
    GOATS_AGAIN,
    GOATS_NEARLY,
    PARIS,
    SHANGHAI,
    assert_followed,
    nearness,
    sight,
    unstored,
)
from tests.engine.support import FACTS, everything, found, plant

DAY = timedelta(days=1)


class TestCounted:
    """The same words once more."""

    @pytest.mark.parametrize("again", [GOATS, GOATS_AGAIN, f"  {GOATS.upper()}. "])
    def test_it_is_stored_once_and_counted(self, memory: NTMMemoryManager, again: str) -> None:
        """The note is of the memory that says it, which keeps its words and its time."""
        first = memory.memorize(GOATS, session="s", at=EPOCH).record
        note = memory.memorize(again, session="t", source="Anna", ref="msg-7", at=EPOCH + DAY)
        assert (note.stored, note.id, note.slot) == ("counted", first.id, first.slot)
        assert note.record == memory.get(first.id)
        assert (note.record.content, note.record.at, note.record.session) == (GOATS, EPOCH, "s")
        assert note.record.repeats == 1
        (said,) = note.record.occurrences
        assert (said.at, said.session, said.source, said.ref) == (EPOCH + DAY, "t", "Anna", "msg-7")
        assert [(alike.id, alike.action) for alike in note.duplicates] == [(first.id, "counted")]
        assert len(memory) == 1

    def test_it_is_counted_in_chinese(self, memory: NTMMemoryManager) -> None:
        """Whatever the signs."""
        first = memory.memorize(FACTS[4]).id
        assert memory.memorize(f"{FACTS[4]}。").id == first
        assert len(memory) == 1

    def test_all_are_counted_and_the_latest_kept(self, open_memory: OpenMemory) -> None:
        """Also after a restart."""
        memory = open_memory()
        for day in range(OCCURRENCES + 5):
            ident = memory.memorize(GOATS, at=EPOCH + day * DAY).id
        memory.close()
        record = open_memory().get(ident)
        assert record.repeats == OCCURRENCES + 4
        assert [said.at for said in record.occurrences] == [EPOCH + day * DAY for day in range(5, OCCURRENCES + 5)]

    def test_being_said_again_is_no_answer(self, memory: NTMMemoryManager) -> None:
        """It strengthens nothing."""
        memory.memorize(GOATS)
        record = memory.memorize(GOATS).record
        assert (record.accesses, record.stability) == (0, None)

    def test_higher_importance_is_taken_over(self, memory: NTMMemoryManager) -> None:
        """A lower one is not: it may be what nobody thought about."""
        memory.memorize(GOATS, importance=0.4)
        raised = memory.memorize(GOATS, importance=0.9).record
        assert raised.importance == 0.9
        assert raised.versions[0].importance == 0.4
        assert memory.memorize(GOATS, importance=0.2).record.importance == 0.9

    @pytest.mark.parametrize(
        "fields",
        [
            {"key": "goats"},
            {"type": "fact"},
            {"tags": ["b"]},
            {"pinned": True},
            {"valid_until": "2999-01-01"},
            {"id": "goats"},
        ],
        ids=lambda fields: next(iter(fields)),
    )
    def test_what_says_more_about_it_is_stored(self, memory: NTMMemoryManager, fields: dict[str, Any]) -> None:
        """Both are kept, and the writer is told."""
        first = memory.memorize(GOATS, tags=["a"])
        note = memory.memorize(GOATS, **fields)
        assert note.stored == "new"
        assert [(alike.id, alike.action) for alike in note.duplicates] == [(first.id, "both kept")]
        assert len(memory) == 2

    @pytest.mark.parametrize("fields", [{}, {"tags": ["b"]}, {"key": "goats"}, {"pinned": True}], ids=repr)
    def test_what_says_less_about_it_is_counted(self, memory: NTMMemoryManager, fields: dict[str, Any]) -> None:
        """The memory that is there says that as well."""
        first = memory.memorize("three goats", tags=["a", "b"], key="goats", pinned=True)
        keyed = {"key": "goats", **fields}  # what has a name is found by it
        assert memory.memorize("three goats", **keyed).id == first.id
        assert memory.memorize("three goats", **fields).stored == "counted"
        assert len(memory) == 1

    def test_memory_that_replaces_another_is_never_counted(self, memory: NTMMemoryManager) -> None:
        """It was asked to replace it."""
        first, other = plant(memory, FACTS[:2])
        note = memory.memorize(FACTS[1], supersedes=first)
        assert note.stored == "new"
        assert memory.get(first).superseded_by == note.id
        assert set(everything(memory)) == {other, note.id}

    def test_what_no_longer_holds_is_not_counted_on(self, memory: NTMMemoryManager) -> None:
        """To say it again makes it hold again: as a new memory; so it is with what was erased or forgotten."""
        ids = plant(memory, FACTS[:3])
        memory.memorize("Anna sold her goats", supersedes=ids[0])
        memory.erase(ids[1])
        for fact in FACTS[:2]:
            assert memory.memorize(fact).stored == "new"

    def test_two_people_who_say_the_same_say_it_of_themselves(self, memory: NTMMemoryManager) -> None:
        """Where both are known by name; one whom nobody named may be either."""
        anna = memory.memorize(PARIS, source="Anna").id
        assert memory.memorize(PARIS, source="Marco").stored == "new"
        assert memory.memorize(PARIS, source="Anna").id == anna
        assert memory.memorize(PARIS).stored == memory.memorize(PARIS, source="chat").stored == "counted"

    def test_force_stores_it_all_the_same(self, memory: NTMMemoryManager) -> None:
        """So do many at once, and a memory that is told to keep duplicates."""
        memory.memorize(GOATS)
        note = memory.memorize(GOATS, force=True)
        assert (note.stored, [alike.action for alike in note.duplicates]) == ("new", ["both kept"])
        assert len(memory.memorize_many([{"content": GOATS}, {"content": GOATS}])) == 2
        assert len(memory) == 4
        keeping = unstored(M3Settings(duplicates="keep"))
        plant(keeping, [GOATS, GOATS])
        assert len(keeping) == 2

    def test_another_process_sees_the_count(self, open_memory: OpenMemory) -> None:
        """And counts on from there."""
        one, other = open_memory(), open_memory()
        ident = one.memorize(GOATS).id
        other.warm_up()
        for each in (other, one, other):
            assert each.memorize(GOATS).id == ident
        assert one.get(ident) == other.get(ident)
        assert one.get(ident).repeats == 3
        assert_followed(one)


@pytest.fixture
def near() -> Iterator[None]:
    """Let "really" make no difference."""
    with nearness():
        yield


@pytest.mark.usefixtures("near")
class TestMerged:
    """Other words for the same."""

    def test_it_is_kept_whole_out_of_the_matrix(self, memory: NTMMemoryManager) -> None:
        """And written into the row of the memory that says it."""
        first = memory.memorize(GOATS).record
        note = memory.memorize(GOATS_NEARLY, session="t", importance=0.9)
        assert (note.stored, note.id) == ("merged", first.id)
        assert [(alike.id, alike.action) for alike in note.duplicates] == [(first.id, "merged")]
        (part,) = memory.state.forgotten.values()
        assert (part.content, part.session, part.merged_into) == (GOATS_NEARLY, "t", first.id)
        assert note.record == memory.get(first.id)
        assert note.record.absorbed == (Absorbed(part.id, 0.5),)
        assert (note.record.content, note.record.importance) == (GOATS, 0.9)
        assert list(memory.state.records) == [first.id]

    def test_row_is_the_mean_of_both_keys(self, memory: NTMMemoryManager) -> None:
        """At the length of the row, so that it matches either as well as it can."""
        slot = memory.memorize(GOATS).slot
        memory.memorize(GOATS_NEARLY)
        one, other = HashedEncoder(64).encode_passages([GOATS, GOATS_NEARLY])
        mean = (one + other) / np.linalg.norm(one + other)
        np.testing.assert_allclose(memory._live.projection().matrix.rows[slot], mean, atol=1e-6)
        (hit,) = memory.search(GOATS_NEARLY)
        assert hit.trace.cosine == pytest.approx(float(mean @ other), abs=1e-5)

    def test_row_of_a_faded_memory_keeps_its_length(self, memory: NTMMemoryManager) -> None:
        """Merging is no way around fading."""
        note = memory.memorize(GOATS)
        memory.erase(note.id, strength=0.75)
        memory.memorize(GOATS_NEARLY)
        row = memory._live.projection().matrix.rows[note.slot]
        assert float(np.linalg.norm(row)) == pytest.approx(0.25, abs=1e-6)
        assert_followed(memory)

    def test_other_words_make_the_row_their_own(self, memory: NTMMemoryManager) -> None:
        """The merged text is still kept."""
        note = memory.memorize(GOATS)
        memory.memorize(GOATS_NEARLY)
        memory.update(note.id, "Anna sold the goats")
        row = memory._live.projection().matrix.rows[note.slot]
        np.testing.assert_allclose(row, HashedEncoder(64).encode_query("Anna sold the goats"), atol=1e-6)
        assert [part.weight for part in memory.get(note.id).absorbed] == [0]
        assert len(memory.state.forgotten) == 1
        assert_followed(memory)

    def test_it_can_be_taken_apart_again(self, open_memory: OpenMemory) -> None:
        """Both are then as if they had been stored by themselves; also for another process and after a restart."""
        memory, other = open_memory(), open_memory()
        first = memory.memorize(GOATS)
        before = memory._live.projection().matrix.rows[first.slot].copy()
        other.warm_up()
        memory.memorize(GOATS_NEARLY)
        assert_followed(other)
        (part,) = memory.state.forgotten
        memory.restore(part)
        for each in (memory, other, open_memory()):
            assert (each.get(first.id).absorbed, each.get(part).merged_into) == ((), None)
            np.testing.assert_allclose(each._live.projection().matrix.rows[first.slot], before, atol=1e-6)
            assert_followed(each)

    def test_erasing_the_part_leaves_the_whole(self, memory: NTMMemoryManager) -> None:
        """Its key goes from the row with it; erasing the whole takes the part along."""
        first = memory.memorize(GOATS)
        memory.memorize(GOATS_NEARLY)
        (part,) = memory.state.forgotten
        memory.erase(part)
        assert memory.get(first.id).absorbed == ()
        assert_followed(memory)
        memory.memorize(GOATS_NEARLY)
        receipt = memory.erase(first.id)
        assert len(receipt.ids) == 2
        assert (memory.state.records, memory.state.forgotten) == ({}, {})

    def test_exact_repetition_of_the_part_counts_for_the_whole(self, memory: NTMMemoryManager) -> None:
        """The part is out of the matrix: what is nearly the same is merged as well."""
        first = memory.memorize(GOATS).id
        for _ in range(2):
            assert memory.memorize(GOATS_NEARLY).id == first
        assert [part.weight for part in memory.get(first).absorbed] == [1 / 2, 1 / 3]
        assert_followed(memory)


class TestSuperseded:
    """A new value for something that had another."""

    @pytest.mark.parametrize(("before", "after"), [(PARIS, BERLIN), (SHANGHAI, BEIJING)], ids=["English", "Chinese"])
    def test_what_no_longer_holds_is_marked(self, memory: NTMMemoryManager, before: str, after: str) -> None:
        """It stays, is not given any more, and the note says so."""
        plant(memory, FACTS[5:7])
        old = memory.memorize(before).id
        note = memory.memorize(after)
        (change,) = note.superseded
        assert (note.stored, change.old, change.new) == ("new", old, note.id)
        assert change.reason
        record = memory.get(old)
        assert (record.superseded_by, record.superseded_at) == (note.id, note.record.at)
        assert before not in found(everything(memory).values())
        assert_followed(memory)

    def test_older_value_that_comes_late_is_itself_superseded(self, memory: NTMMemoryManager) -> None:
        """What happened later holds, whenever it was told."""
        new = memory.memorize(BERLIN, at=EPOCH + 9 * DAY).id
        note = memory.memorize(PARIS, at=EPOCH)
        (change,) = note.superseded
        assert (change.old, change.new) == (note.id, new)
        assert note.record.superseded_by == new
        assert note.record == memory.get(note.id)
        assert set(everything(memory)) == {new}

    def test_replacing_by_hand_is_left_to_the_hand(self, memory: NTMMemoryManager) -> None:
        """`supersedes` says what is replaced, and nothing else is."""
        old, other = plant(memory, [PARIS, FACTS[0]])
        note = memory.memorize(BERLIN, supersedes=other)
        assert note.superseded == ()
        assert memory.get(old).superseded_by is None

    def test_nothing_is_marked_where_that_is_off(self, open_memory: OpenMemory) -> None:
        """Nor where many are written at once: the record of a chat is left as it is until it is consolidated."""
        memory = open_memory(settings=Settings(m3=M3Settings(successions="off")))
        plant(memory, [PARIS, BERLIN])
        many = unstored()
        many.memorize_many([{"content": PARIS}, {"content": BERLIN}])
        for each in (memory, many):
            assert [record.superseded_by for record in each.state.records.values()] == [None, None]

    def test_what_others_say_of_themselves_is_no_succession(self, memory: NTMMemoryManager) -> None:
        """Each speaks of their own home; what the same person says is."""
        anna = memory.memorize(PARIS, source="Anna").id
        marco = memory.memorize(BERLIN, source="Marco")
        assert marco.superseded == ()
        note = memory.memorize(BERLIN, source="Anna")
        assert (note.stored, [change.old for change in note.superseded]) == ("new", [anna])
        assert memory.get(marco.id).repeats == 0


def test_refused_memory_is_not_counted(memory: NTMMemoryManager) -> None:
    """Everything is checked before anything is looked for."""
    memory.memorize(GOATS)
    before = sight(memory)
    with pytest.raises(InvalidArgument):
        memory.memorize(GOATS, importance=2)
    assert sight(memory) == before


def test_likeness_says_that_both_were_kept_unless_told_otherwise() -> None:
    """Nothing was done about it."""
    assert Likeness("a", 1.0, 1.0).action == "both kept"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("I live in Paris", "I moved to Berlin"),
        ("My boss is Tom", "Kate is my boss now"),
        ("我住在上海", "我搬到北京了"),
    ],
)
def test_what_one_says_of_oneself_is_superseded_at_once(memory: NTMMemoryManager, old: str, new: str) -> None:
    """Though the two statements have no name and no value in common."""
    before = memory.memorize(old).id
    note = memory.memorize(new)
    assert [(change.old, change.new) for change in note.superseded] == [(before, note.id)]
    memory.restore(before)
    assert memory.get(before).superseded_by is None
