"""The modes of a search: what decides in each, and in which order the answer stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from ntm_memory_skill import AddressingSettings, HashedEncoder, Hit, M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.engine.modes import CONTEXT, TIMES, addressing_for, current_first
from ntm_memory_skill.errors import InvalidArgument, UnknownArgument
from ntm_memory_skill.model import MODES
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import EPOCH, OpenMemory, ticking_clock
from tests.engine.heads import random_head
from tests.engine.support import FACTS, STEADY, PlannedEncoder, assert_same_hits, everything, found, plant

QUESTION = "who plays the violin?"


def opened(encoder: Encoder | None = None, **addressing: Any) -> NTMMemoryManager:
    """Return an empty memory that is kept nowhere."""
    settings = Settings(addressing=AddressingSettings(**addressing), m3=M3Settings(reconsolidate=False))
    encoder = HashedEncoder(64) if encoder is None else encoder
    return NTMMemoryManager(MemoryStore(), encoder, settings, clock=ticking_clock(), ids=seeded_ids(3))


def weights(hits: list[Hit]) -> dict[str, float]:
    """Return what each term weighed."""
    return {term.name: term.weight for term in hits[0].trace.terms}


def test_adaptive_is_the_mode_of_a_search_that_names_none(open_memory: OpenMemory) -> None:
    """And None stands for left out."""
    memory = open_memory(settings=STEADY)
    plant(memory)
    plain = memory.search(QUESTION, top_k=50)
    for mode in ("adaptive", None):
        assert_same_hits(memory.search(QUESTION, top_k=50, mode=mode), plain)
    assert addressing_for("adaptive", memory.settings.addressing) is memory.settings.addressing


@pytest.mark.parametrize("mode", ["fuzzy", "", "Exact", 1, True, ["exact"]], ids=repr)
def test_mode_that_does_not_exist_is_refused(memory: NTMMemoryManager, mode: object) -> None:
    """In a search and in a recall."""
    plant(memory)
    for ask in (memory.search, memory.recall):
        with pytest.raises(InvalidArgument) as caught:
            ask(QUESTION, mode=mode)
        assert caught.value.code == "invalid_argument"


def test_recall_takes_no_other_manner(memory: NTMMemoryManager) -> None:
    """A filter would let through less than was asked for by name."""
    plant(memory)
    with pytest.raises(UnknownArgument):
        memory.recall(QUESTION, tags=["a"])


@pytest.mark.parametrize("mode", sorted(set(MODES) - {"contextual"}))
def test_every_mode_finds_a_memory_by_its_own_words(memory: NTMMemoryManager, mode: str) -> None:
    """In a search and in a recall; a memory that nothing was told is asked in vain."""
    assert memory.search(FACTS[5], mode=mode) == []
    plant(memory)
    assert memory.search(FACTS[5], top_k=1, mode=mode)[0].content == FACTS[5]
    assert FACTS[5] in found(memory.recall(FACTS[5], mode=mode).hits)
    assert found(memory.search(FACTS[4], top_k=1, mode=mode)) == [FACTS[4]]


def test_contextual_needs_the_chat_that_asks(memory: NTMMemoryManager) -> None:
    """Else there is no context to be drawn to; a search comes from no chat."""
    plant(memory)
    for ask in (memory.search, memory.recall):
        with pytest.raises(InvalidArgument):
            ask(FACTS[5], mode="contextual")


class TestExact:
    """Every word of the question, and words alone."""

    def test_memory_that_lacks_a_word_is_left_out(self) -> None:
        """However much it means the same."""
        memory = opened()
        plant(memory)
        assert found(memory.search("plays violin", mode="exact")) == [FACTS[5]]
        assert found(memory.search("goats Kirchberg", mode="exact")) == [FACTS[0]]
        assert memory.search("goats Zurich", mode="exact") == []
        assert memory.search("no such words", mode="exact") == []

    def test_word_that_stands_in_no_memory_leaves_none(self) -> None:
        """It is a word of the question all the same."""
        memory = opened()
        plant(memory)
        assert memory.search("goats Quetzalcoatl", mode="exact") == []

    def test_words_alone_decide(self) -> None:
        """The encoder is against it."""
        planned: dict[str, list[float]] = {"goats": [1, 0], "goats and more": [0, 1], "sheep": [1, 0.01]}
        memory = opened(PlannedEncoder(planned))
        plant(memory, ["goats and more", "sheep"])
        hits = memory.search("goats", mode="exact")
        assert found(hits) == ["goats and more"]
        assert weights(hits) == {"words": 1}

    def test_filters_hold(self) -> None:
        """All of them together."""
        memory = opened()
        plant(memory, FACTS, tags=["a"])
        plant(memory, ["goats, goats, goats"], tags=["b"])
        assert found(memory.search("goats", mode="exact", tags=["a"])) == [FACTS[0]]


class TestSemantic:
    """The cosine, and nothing else."""

    def test_hits_stand_in_the_order_of_their_cosines(self) -> None:
        """Though words say otherwise."""
        memory = opened()
        plant(memory, [*FACTS, "violin violin"], session="s")
        hits = memory.search(QUESTION, top_k=50, mode="semantic")
        cosines = [hit.trace.cosine for hit in hits]
        assert cosines == sorted(cosines, key=lambda cosine: -(cosine or 0))
        assert weights(hits) == {"meaning": 1}
        assert {hit.trace.shifted == hit.trace.content for hit in hits} == {True}

    def test_question_that_the_encoder_cannot_read_is_left_to_the_encoder(self) -> None:
        """It was asked for."""
        memory = opened(lexical_share=1.0)
        plant(memory)
        assert weights(memory.search("北京", mode="semantic")) == {"meaning": 1}

    def test_time_does_not_count(self) -> None:
        """Though the question names one."""
        memory = opened()
        plant(memory, FACTS[:4], at=EPOCH - timedelta(days=1))
        assert "time" in weights(memory.search("what was yesterday?"))
        assert "time" not in weights(memory.search("what was yesterday?", mode="semantic"))


class TestContextual:
    """Drawn to what was last said in the chat."""

    PLANNED: ClassVar[dict[str, list[float]]] = {
        "and what else?": [0, 0, 1.0],
        "goats": [1, 0.2, 0],
        "goats again": [1, 0, 0.1],
        "bicycles again": [0, 1, 0.1],
    }

    def chat(self, **addressing: Any) -> NTMMemoryManager:
        """Return a memory with two answers of the same worth."""
        memory = opened(PlannedEncoder(self.PLANNED), lexical_share=0.0, location=False, hybrid=False, **addressing)
        plant(memory, ["bicycles again", "goats again"])
        return memory

    def test_what_was_last_asked_draws_the_next_recall(self) -> None:
        """In that chat, and in that mode; a question does not go with its own words alone."""
        memory = self.chat()
        memory.recall("goats", session="a")
        ask = "and what else?"
        hits = memory.recall(ask, session="a", mode="contextual").hits
        assert hits[0].content == "goats again"
        assert weights(list(hits))["context"] == CONTEXT
        for session, mode in (("b", "contextual"), ("a", "adaptive")):
            (first, *_) = self.unmoved(session, mode).hits
            assert "context" not in {term.name for term in first.trace.terms}

    def unmoved(self, session: str | None, mode: str) -> Any:
        """Return what a chat recalls that has said nothing, or is not listened to."""
        memory = self.chat()
        memory.recall("goats", session="a")
        return memory.recall("and what else?", session=session, mode=mode)

    def test_what_was_last_memorized_draws_as_well(self) -> None:
        """It was said in the chat."""
        memory = self.chat()
        memory.memorize("goats", session="a")
        hits = memory.recall("and what else?", session="a", mode="contextual").hits
        assert [hit.content for hit in hits if "again" in hit.content][0] == "goats again"  # noqa: RUF015  # the order

    def test_configured_weight_is_kept(self) -> None:
        """In both modes, where it is above 0."""
        memory = self.chat(context=0.125)
        for mode in ("adaptive", "contextual"):
            memory.recall("goats", session="a")
            assert weights(list(memory.recall("and what else?", session="a", mode=mode).hits))["context"] == 0.125


class TestTemporal:
    """In the order in which things happened."""

    def test_hits_stand_in_the_order_of_their_times(self) -> None:
        """The same hits as are given otherwise, as many as were asked for."""
        memory = opened()
        for day, fact in zip((5, 1, 8, 3, 2, 7, 4, 6), FACTS, strict=True):
            memory.memorize(fact, at=EPOCH - timedelta(days=day))
        hits = memory.search("goats and bread", top_k=4, mode="temporal")
        assert [hit.at for hit in hits] == sorted(hit.at for hit in hits)
        assert len(hits) == 4
        assert {FACTS[0], FACTS[3]} <= set(found(hits))

    def test_times_of_the_question_weigh_more(self) -> None:
        """Three times as much as is configured."""
        memory = opened(time=0.5)
        plant(memory, FACTS[:4], at=EPOCH - timedelta(days=1))
        assert weights(memory.search("what was yesterday?", mode="temporal"))["time"] == 0.5 * TIMES
        assert weights(memory.search("what was yesterday?"))["time"] == 0.5


def test_trained_head_is_for_the_adaptive_mode_alone() -> None:
    """The others are what they say they are."""
    plain, steered = opened(), opened()
    for memory in (plain, steered):
        plant(memory)
    steered.use_head(random_head(seed=3))
    for mode in MODES:
        answers = (memory.recall(QUESTION, session="a", budget=10_000, mode=mode).hits for memory in (plain, steered))
        mine, theirs = map(list, answers)
        assert (weights(mine) == weights(theirs)) is (mode != "adaptive"), mode


class TestSuperseded:
    """What no longer holds, where it is asked for."""

    def test_it_stands_directly_behind_what_holds_in_its_place(self, memory: NTMMemoryManager) -> None:
        """However well it matches itself; a chain stands in its order."""
        first = memory.memorize("the launch, the launch is on 2 May").id
        second = memory.memorize("the launch is on 3 May", supersedes=first).id
        third = memory.memorize("it is on 4 May", supersedes=second).id
        plant(memory)
        assert set(everything(memory)).isdisjoint({first, second})
        hits = [hit.id for hit in memory.search("the launch in May", top_k=50, include_superseded=True)]
        place = hits.index(third)
        assert hits[place : place + 3] == [third, second, first]
        recalled = [hit.id for hit in memory.recall("the launch in May", include_superseded=True).hits]
        assert [ident for ident in recalled if ident in {first, second, third}] == [third, second, first]

    def test_one_whose_successor_is_not_given_keeps_its_place(self, memory: NTMMemoryManager) -> None:
        """There is nothing to stand behind."""
        first = memory.memorize("the launch, the launch is on 2 May", tags=["a"]).id
        memory.memorize("it was put off", supersedes=first)
        assert [hit.id for hit in memory.search("launch", tags=["a"], include_superseded=True)] == [first]

    def test_every_hit_is_kept_once_whatever_refers_to_whom(self, memory: NTMMemoryManager) -> None:
        """Also where two say of each other that they hold in its place, which a repair may bring about."""
        plant(memory, FACTS[:3])
        hits = memory.search("goats", top_k=3)
        ring = [
            replace(hit, record=replace(hit.record, superseded_by=hits[(place + 1) % 3].id))
            for place, hit in enumerate(hits)
        ]
        assert sorted(hit.id for hit in current_first(ring)) == sorted(hit.id for hit in hits)
