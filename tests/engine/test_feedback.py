"""What a memory notes of its own use: which of the memories that it gave were then changed, or said to be of use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from ntm_memory_skill import NTMMemoryManager, Settings
from ntm_memory_skill.engine.feedback import REMEMBERED
from ntm_memory_skill.errors import InvalidArgument, InvalidContent, StoreClosed, StoreFull, UnknownMemory
from ntm_memory_skill.model import Feedback
from ntm_memory_skill.store import DirectoryStore
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, plant

KEEPING = Settings(feedback=True)
GOATS, DENTIST, WIFI = "who keeps goats?", "when is the dentist?", "where is the wifi password?"

Act = Callable[[NTMMemoryManager, str], object]
WAYS: dict[str, Act] = {
    "update": lambda memory, ident: memory.update(ident, "Anna keeps four goats in Kirchberg"),
    "supersede": lambda memory, ident: memory.memorize("Anna has sold her goats", supersedes=ident),
    "erase": lambda memory, ident: memory.erase(ident, reason="outdated"),
    "use": lambda memory, ident: memory.used(ident),
}


def remarks(memory: NTMMemoryManager) -> list[Feedback]:
    """Return what was noted."""
    return memory._live.store.feedback()


def noted(memory: NTMMemoryManager) -> list[tuple[str, str, str]]:
    """Return the question, the memory and the way of all that was noted."""
    return [(each.query, each.used, each.how) for each in remarks(memory)]


@pytest.fixture
def memory(open_memory: OpenMemory) -> NTMMemoryManager:
    """One open memory on disk that notes what is of use, with eight memories."""
    memory = open_memory(settings=KEEPING)
    plant(memory)
    return memory


@pytest.fixture
def ids(memory: NTMMemoryManager) -> list[str]:
    """Their ids, in the order of `FACTS`."""
    return list(memory.state.records)


class TestWhatIsNoted:
    """An answer, and what somebody then does with one of its memories."""

    @pytest.mark.parametrize("how", WAYS)
    def test_each_way_of_use_is_noted_with_the_question_and_all_that_it_was_given(
        self, memory: NTMMemoryManager, ids: list[str], how: str
    ) -> None:
        """Best first, as the caller had it."""
        given = [hit.id for hit in memory.search(GOATS, top_k=4)]
        assert ids[0] in given
        before = memory.memorize("the time before").record.created
        WAYS[how](memory, ids[0])
        after = memory.memorize("the time after").record.created
        (found,) = remarks(memory)
        assert (found.query, list(found.ids), found.used, found.how) == (GOATS, given, ids[0], how)
        assert before < found.at < after

    @pytest.mark.parametrize(
        "change",
        [
            lambda memory, ident: memory.update(ident, importance=1.0),
            lambda memory, ident: memory.update(ident, tags=["animals"]),
            lambda memory, ident: memory.memorize_many([{"content": "one"}, {"content": "two", "supersedes": ident}]),
            lambda memory, ident: memory.erase(memory.memorize("another").id, ident),
        ],
    )
    def test_it_is_no_matter_how_much_changes_or_what_else(
        self, memory: NTMMemoryManager, ids: list[str], change: Act
    ) -> None:
        """The memory was looked for."""
        memory.search(GOATS)
        change(memory, ids[0])
        assert [(query, used) for query, used, _ in noted(memory)] == [(GOATS, ids[0])]

    def test_a_recall_counts_like_a_search(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """By question or by name, which is then what was asked."""
        named = memory.memorize("Kirchberg has 900 inhabitants", key="the village").id
        memory.recall(GOATS, top_k=3)
        memory.used(ids[0])
        memory.recall(key="the village")
        memory.used(named)
        assert noted(memory) == [(GOATS, ids[0], "use"), ("the village", named, "use")]
        assert len(remarks(memory)[0].ids) == 3

    @pytest.mark.parametrize(
        "act",
        [
            lambda memory, ident: memory.erase(ident, strength=0.5),
            lambda memory, ident: memory.erase(ident, purge=True),
            lambda memory, ident: memory.search(GOATS),
            lambda memory, ident: memory.get(ident),
            lambda memory, ident: memory.compact(),
        ],
        ids=["fading", "purging", "asking again", "looking at it", "folding"],
    )
    def test_what_says_nothing_of_use_is_not_noted(self, memory: NTMMemoryManager, ids: list[str], act: Act) -> None:
        """A memory that fades is one that came up and should not have."""
        memory.search(GOATS)
        act(memory, ids[0])
        assert noted(memory) == []

    def test_what_was_not_given_has_no_credit(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """Neither what nobody asked for nor what came as context."""
        memory.update(ids[3], "Bread needs ten hours")
        first = memory.memorize("The boiler drips", session="house").id
        second = memory.memorize("Marco will look at it on Friday", session="house").id
        (hit,) = memory.search("the boiler drips", top_k=1, context=1)
        assert (hit.id, [each.id for each in hit.context]) == (first, [second])
        memory.update(second, "Marco will look at it on Monday")
        assert (noted(memory), memory.used(second)) == ([], 0)

    def test_what_fails_is_not_noted(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """Nothing was changed."""
        memory.search(GOATS)
        with pytest.raises(InvalidContent):
            memory.update(ids[0], "")
        with pytest.raises(UnknownMemory):
            memory.erase(ids[0], "nobody")
        assert noted(memory) == []

    def test_it_is_there_for_the_next_process(
        self, memory: NTMMemoryManager, ids: list[str], open_memory: OpenMemory
    ) -> None:
        """Which need not have the setting on to read it."""
        memory.search(GOATS)
        memory.used(ids[0])
        memory.close()
        assert noted(open_memory()) == [(GOATS, ids[0], "use")]


class TestWhoIsCredited:
    """There may have been several answers."""

    def test_the_latest_answer_that_gave_it_has_the_credit(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """Not one before it, nor one after it that did not give it."""
        memory.search(DENTIST, top_k=8)
        memory.search(GOATS, top_k=8)
        memory.search(WIFI, top_k=1)
        memory.used(ids[0])
        assert noted(memory) == [(GOATS, ids[0], "use")]

    def test_each_memory_is_credited_to_an_answer_of_its_own(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """One call may name several."""
        for question in (GOATS, DENTIST, WIFI):
            memory.search(question, top_k=1)
        assert memory.used(ids[2], ids[0], ids[1], ids[5]) == 3
        assert noted(memory) == [(WIFI, ids[2], "use"), (GOATS, ids[0], "use"), (DENTIST, ids[1], "use")]

    def test_the_same_is_noted_once(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """Also where the question was asked again; another way, and another question, are news."""
        memory.search(GOATS)
        assert [memory.used(ids[0]) for _ in range(3)] == [1, 0, 0]
        memory.search(GOATS, top_k=2)
        assert memory.used(ids[0]) == 0
        memory.update(ids[0], importance=0.9)
        memory.update(ids[0], importance=0.8)
        memory.search("goats?")
        assert memory.used(ids[0]) == 1
        assert noted(memory) == [(GOATS, ids[0], "use"), (GOATS, ids[0], "update"), ("goats?", ids[0], "use")]

    def test_the_last_answers_are_remembered_and_no_more(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """A memory that is changed because of an answer is changed soon after it."""
        memory.search(GOATS, top_k=1)
        for number in range(REMEMBERED - 1):
            memory.search(f"{DENTIST} {number}", top_k=1)
        assert memory.used(ids[0]) == 1
        memory.search(WIFI, top_k=1)
        memory.update(ids[0], importance=0.9)
        assert noted(memory) == [(GOATS, ids[0], "use")]

    def test_answers_of_another_process_are_its_own(
        self, memory: NTMMemoryManager, ids: list[str], open_memory: OpenMemory
    ) -> None:
        """They are not on disk."""
        memory.search(GOATS)
        other = open_memory(settings=KEEPING)
        other.update(ids[0], importance=0.9)
        assert (other.used(ids[0]), noted(memory)) == (0, [])

    def test_an_empty_answer_is_none(self, open_memory: OpenMemory) -> None:
        """Nothing was given."""
        memory = open_memory(settings=KEEPING)
        assert memory.search(GOATS) == []
        ident = memory.memorize(FACTS[0]).id
        assert (memory.used(ident), noted(memory)) == (0, [])


class TestSayingSo:
    """`used`."""

    def test_the_question_can_be_named(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """Then its own answer has the credit, though a later one gave the memory, too."""
        given = tuple(hit.id for hit in memory.search(GOATS, top_k=3))
        memory.search(DENTIST, top_k=8)
        assert memory.used(ids[0], query=GOATS) == 1
        assert noted(memory) == [(GOATS, ids[0], "use")]
        assert remarks(memory)[0].ids == given

    def test_a_question_that_was_asked_elsewhere_is_taken_at_its_word(
        self, memory: NTMMemoryManager, ids: list[str]
    ) -> None:
        """On the command line each question has a process of its own."""
        assert memory.used(ids[0], ids[2], query="asked elsewhere") == 2
        assert memory.used(ids[2], query="asked elsewhere") == 0
        assert [(each.query, each.ids, each.used) for each in remarks(memory)] == [
            ("asked elsewhere", (ids[0], ids[2]), ids[0]),
            ("asked elsewhere", (ids[0], ids[2]), ids[2]),
        ]

    def test_unknown_ids_are_refused_and_nothing_is_noted(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """An erased memory's is one of them."""
        memory.search(GOATS, top_k=8)
        memory.erase(ids[1])
        before = noted(memory)
        for wrong in ("nobody", ids[1]):
            with pytest.raises(UnknownMemory):
                memory.used(ids[0], wrong)
        assert noted(memory) == before

    @pytest.mark.parametrize("given", [(), ("one", "one"), (7,)])
    def test_ids_are_given_each_once(self, memory: NTMMemoryManager, given: tuple[str, ...]) -> None:
        """As for erasing."""
        with pytest.raises(InvalidArgument):
            memory.used(*given)

    @pytest.mark.parametrize("query", ["", " \n", "a\0b"])
    def test_a_question_is_one_that_could_be_asked(self, memory: NTMMemoryManager, ids: list[str], query: str) -> None:
        """Nothing is noted of another."""
        with pytest.raises(InvalidContent):
            memory.used(ids[0], query=query)
        assert noted(memory) == []

    def test_a_closed_memory_notes_nothing(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """Like every other verb."""
        memory.close()
        with pytest.raises(StoreClosed):
            memory.used(ids[0])


class TestPrivacy:
    """Questions are private."""

    def test_nothing_is_noted_unless_it_was_asked_for(self, open_memory: OpenMemory, path: Path) -> None:
        """No file is made; `used` checks its ids and does nothing."""
        assert Settings().feedback is False
        memory = open_memory()
        ids = plant(memory)
        memory.search(GOATS)
        assert memory.used(ids[0]) == memory.used(ids[0], query=GOATS) == 0
        with pytest.raises(UnknownMemory):
            memory.used("nobody")
        memory.update(ids[0], importance=1.0)
        memory.memorize("new", supersedes=ids[1])
        memory.erase(ids[0])
        memory.close()
        assert not path.with_name("ntm_memory.feedback.jsonl").exists()

    def test_a_purge_makes_all_answers_before_it_forgotten(self, memory: NTMMemoryManager, ids: list[str]) -> None:
        """Their questions may quote what was purged, and the text that would tell is gone."""
        memory.search(f"is it true that {FACTS[0]}?", top_k=8)
        memory.search(DENTIST, top_k=8)
        memory.erase(ids[0], purge=True)
        memory.update(ids[1], importance=0.9)
        assert (memory.used(ids[2]), noted(memory)) == (0, [])
        memory.search(WIFI)
        assert memory.used(ids[2]) == 1

    def test_another_process_s_purge_does_so_too(
        self, memory: NTMMemoryManager, ids: list[str], open_memory: OpenMemory, path: Path
    ) -> None:
        """What is written afterwards would not be looked through any more."""
        memory.search(f"is it true that {FACTS[0]}?", top_k=8)
        open_memory().erase(ids[0], purge=True)
        memory.update(ids[1], importance=0.9)
        assert (memory.used(ids[2]), noted(memory)) == (0, [])
        assert not any(FACTS[0].encode() in file.read_bytes() for file in path.parent.iterdir())

    def test_a_purge_cleans_what_was_noted_and_says_so(
        self, memory: NTMMemoryManager, ids: list[str], path: Path
    ) -> None:
        """The receipt names the file; what tells nothing stays."""
        memory.search(f"is it true that {FACTS[0]}?", top_k=1)
        memory.update(ids[0], importance=0.9)
        memory.search(WIFI, top_k=1)
        memory.used(ids[2])
        receipt = memory.erase(ids[0], purge=True)
        assert "ntm_memory.feedback.jsonl" in receipt.files_rewritten
        assert dict(receipt.checksums).keys() == set(receipt.files_rewritten)
        assert noted(memory) == [(WIFI, ids[2], "use")]
        assert not any(FACTS[0].encode() in file.read_bytes() for file in path.parent.iterdir())


class TestTrouble:
    """The feedback cannot be written."""

    @staticmethod
    def refuse(store: DirectoryStore, feedback: Feedback) -> None:
        """Find no space."""
        raise StoreFull("no space in this test")

    @pytest.mark.parametrize("how", ["update", "supersede", "erase"])
    def test_a_change_succeeds_all_the_same(
        self,
        memory: NTMMemoryManager,
        ids: list[str],
        how: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It is on disk by then; the log says what is missing."""
        monkeypatch.setattr(DirectoryStore, "keep_feedback", self.refuse)
        memory.search(GOATS)
        before = memory.state.records[ids[0]]
        with caplog.at_level(logging.INFO):
            WAYS[how](memory, ids[0])
        assert memory.state.records.get(ids[0]) != before
        assert "feedback was not kept" in caplog.text

    def test_saying_so_fails_and_can_be_said_again(
        self, memory: NTMMemoryManager, ids: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It does nothing else."""
        memory.search(GOATS)
        with monkeypatch.context() as patch:
            patch.setattr(DirectoryStore, "keep_feedback", self.refuse)
            with pytest.raises(StoreFull):
                memory.used(ids[0])
        assert memory.used(ids[0]) == 1
        assert noted(memory) == [(GOATS, ids[0], "use")]
