"""What becomes of memories, as the five tools say it: said again, replaced, pinned, forgotten, brought back."""

from __future__ import annotations

import pytest

from ntm_memory_skill import M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.model import MODES
from tests.conftest import OpenMemory
from tests.tools.calls import JSON, called, done, everything, found, ids, noted, refused

AGAIN = [
    ("The garden gate is green", "the garden gate is GREEN!", "counted"),
    ("The garden gate is green", "By the way, the garden gate is green", "merged"),
    ("外婆最爱吃桂花糕", "外婆最爱吃桂花糕。", "counted"),
    ("外婆最爱吃桂花糕", "顺便说一下，外婆最爱吃桂花糕", "merged"),
]
"""A text, the same said again, and what becomes of that."""
CHAT = "contextual"
"""The mode that is about the chat that asks."""
SUCCESSIONS = [
    ("My dentist is Dr. Wu", "My dentist is Dr. Kim"),
    ("我的手机号是13800000000", "我的手机号是13900000000"),
]
"""A value, and one that holds in its place."""


def crowded(open_memory: OpenMemory, size: int = 3) -> NTMMemoryManager:
    """Return a memory with few slots."""
    return open_memory(settings=Settings(memory_size=size))


class TestSaidAgain:
    """`stored`, `duplicates` and `said`."""

    @pytest.mark.parametrize(("text", "again", "stored"), AGAIN)
    def test_what_is_known_is_stored_once_and_the_answer_says_how(
        self, memory: NTMMemoryManager, text: str, again: str, stored: str
    ) -> None:
        """The id is that of the memory that says it, which tells how often it was said."""
        first = done(memory, "memorize", content=text)
        answer = done(memory, "memorize", content=again)
        assert (answer["stored"], answer["id"], answer["slot"]) == (stored, first["id"], first["slot"])
        (duplicate,) = answer["duplicates"]
        assert (duplicate["id"], duplicate["content"], duplicate["action"]) == (first["id"], text, stored)
        (hit,) = found(memory, text)
        assert (hit["id"], hit["content"], hit["said"]) == (first["id"], text, 2)

    def test_how_often_it_was_said_is_not_told_of_what_was_said_once(self, memory: NTMMemoryManager) -> None:
        """Fields that say nothing are left out."""
        noted(memory, "The garden gate is green")
        assert "said" not in found(memory, "gate")[0]

    @pytest.mark.parametrize(("text", "again", "_"), AGAIN)
    def test_force_stores_it_all_the_same(self, memory: NTMMemoryManager, text: str, again: str, _: str) -> None:
        """As a memory of its own; that there is another is said."""
        first = noted(memory, text)
        answer = done(memory, "memorize", content=again, force=True)
        assert answer["stored"] == "new"
        assert answer["id"] != first
        assert {each["action"] for each in answer["duplicates"]} <= {"both kept"}
        assert len(memory) == 2

    def test_not_to_force_is_the_default(self, memory: NTMMemoryManager) -> None:
        """`force: false` says what saying nothing says."""
        noted(memory, "The garden gate is green")
        assert done(memory, "memorize", content="The garden gate is green", force=False)["stored"] == "counted"

    @pytest.mark.parametrize(
        "more", [{"tags": ["home"]}, {"key": "gate"}, {"type": "fact"}, {"valid_until": "2099-01-01"}, {"pinned": True}]
    )
    def test_what_says_more_about_it_is_a_memory_of_its_own(self, memory: NTMMemoryManager, more: JSON) -> None:
        """Counting it would lose that."""
        noted(memory, "The garden gate is green")
        answer = done(memory, "memorize", content="The garden gate is green", **more)
        assert answer["stored"] == "new"
        assert [each["action"] for each in answer["duplicates"]] == ["both kept"]

    def test_a_merged_text_is_kept_and_can_be_asked_for(self, memory: NTMMemoryManager) -> None:
        """With why it is out of the matrix."""
        first = noted(memory, "The garden gate is green")
        done(memory, "memorize", content="By the way, the garden gate is green")
        hits = {hit["id"]: hit for hit in found(memory, "gate", filters={"include_forgotten": True})}
        (merged,) = (hit for ident, hit in hits.items() if ident != first)
        assert merged["content"] == "By the way, the garden gate is green"
        assert merged["forgotten_because"]
        assert "forgotten_because" not in hits[first]
        assert ids(found(memory, "gate")) == [first]

    def test_a_memory_that_keeps_duplicates_says_so(self, open_memory: OpenMemory) -> None:
        """`m3.duplicates` decides."""
        memory = open_memory(settings=Settings(m3=M3Settings(duplicates="keep")))
        first = noted(memory, "The garden gate is green")
        answer = done(memory, "memorize", content="The garden gate is green")
        assert (answer["stored"], ids(answer["duplicates"])) == ("new", [first])
        assert answer["duplicates"][0]["action"] == "both kept"


class TestHoldsNoMore:
    """`superseded`, `superseded_by`, `include_superseded` and `valid_until`."""

    @pytest.mark.parametrize(("old", "new"), SUCCESSIONS)
    def test_what_no_longer_holds_is_told_with_the_reason(self, memory: NTMMemoryManager, old: str, new: str) -> None:
        """It is found no more, but as of then; where it is asked for, it stands behind what holds."""
        first = noted(memory, old, at="2025-01-01")
        answer = done(memory, "memorize", content=new, at="2025-06-01")
        (change,) = answer["superseded"]
        assert (change["id"], change["by"]) == (first, answer["id"])
        assert change["reason"]
        assert ids(found(memory, old)) == [answer["id"]]
        assert ids(found(memory, old, filters={"as_of": "2025-03-01"})) == [first]
        both = found(memory, old, filters={"include_superseded": True})
        assert ids(both) == [answer["id"], first]
        assert [hit.get("superseded_by") for hit in both] == [None, answer["id"]]
        assert ids(done(memory, "recall", query=old, include_superseded=True)["memories"]) == ids(both)
        assert ids(done(memory, "recall", query=old)["memories"]) == [answer["id"]]

    def test_an_older_value_that_is_told_late_is_superseded_itself(self, memory: NTMMemoryManager) -> None:
        """What holds stays in its place."""
        now = noted(memory, "My dentist is Dr. Kim", at="2025-06-01")
        answer = done(memory, "memorize", content="My dentist is Dr. Wu", at="2025-01-01")
        assert [(each["id"], each["by"]) for each in answer["superseded"]] == [(answer["id"], now)]
        assert answer["stored"] == "new"
        assert ids(found(memory, "who is my dentist?")) == [now]

    def test_nothing_is_superseded_where_that_is_switched_off(self, open_memory: OpenMemory) -> None:
        """`m3.successions` decides; naming the memory still works."""
        memory = open_memory(settings=Settings(m3=M3Settings(successions="off")))
        first = noted(memory, "My dentist is Dr. Wu", at="2025-01-01")
        assert done(memory, "memorize", content="My dentist is Dr. Kim", at="2025-06-01")["superseded"] == []
        third = noted(memory, "My dentist is Dr. Lee", at="2025-07-01", supersedes=first)
        assert first not in ids(found(memory, "dentist"))
        assert third in ids(found(memory, "dentist"))

    def test_a_memory_is_found_until_it_stops_holding(self, memory: NTMMemoryManager) -> None:
        """The clock stands in January 2026; a moment later on is the past for `as_of` alone."""
        over = noted(memory, "The gym is closed for repairs", at="2025-01-01", valid_until="2025-02-01")
        open_end = noted(memory, "The gym opens at six", at="2025-01-01", valid_until="2099-01-01")
        assert ids(found(memory, "gym")) == [open_end]
        assert found(memory, "gym")[0]["valid_until"] == "2099-01-01T00:00:00+00:00"
        then = found(memory, "gym", filters={"as_of": "2025-01-15"})
        assert set(ids(then)) == {over, open_end}
        assert ids(found(memory, "gym", filters={"as_of": "2025-02-01"})) == [open_end]
        assert set(ids(found(memory, "gym", filters={"include_superseded": True}))) == {over, open_end}

    @pytest.mark.parametrize("until", ["2025-01-01", "2024-12-31T23:59:59Z", "2025-01-01T01:00:00+02:00"])
    def test_a_memory_that_would_never_hold_is_refused(self, memory: NTMMemoryManager, until: str) -> None:
        """It stops before it begins, or at once."""
        before = everything(memory)
        error = refused(memory, "memorize", content="The gym is closed", at="2025-01-01", valid_until=until)
        assert error["code"] == "invalid_argument"
        assert "valid_until" in error["message"]
        assert everything(memory) == before

    def test_the_latest_of_what_answers_alike_says_what_it_was_put_before(self, memory: NTMMemoryManager) -> None:
        """In `why` and in the trace; the others say nothing of it."""
        for number in range(8):
            noted(memory, f"{number} {'abcdefgh'[number] * 9}")
        told = [("2025-01-01", "Ana's dentist is Dr. Wu"), ("2025-02-01", "Ana's dentist is Dr. Kim from now on")]
        old, new = memory.memorize_many({"content": text, "at": at} for at, text in told)
        hits = found(memory, "who is Ana's dentist?", explain=True)
        assert ids(hits)[:2] == [new, old]
        assert hits[0]["score"] < hits[1]["score"]
        assert hits[0]["why"]["later_than"] == hits[0]["trace"]["later_than"] == old
        assert all("later_than" not in hit["why"] and hit["trace"]["later_than"] is None for hit in hits[1:])


class TestForgetting:
    """`pinned`, `include_forgotten` and `forgotten_because`."""

    def test_a_full_memory_makes_room_and_keeps_what_is_pinned(self, open_memory: OpenMemory) -> None:
        """The new one is stored; the pinned one, though it is the oldest, stays."""
        memory = crowded(open_memory)
        pinned = noted(memory, "The garden gate is green", pinned=True)
        others = [noted(memory, text) for text in ("Zebras live in herds", "Winter begins soon")]
        new = noted(memory, "Piano lessons at noon")
        live = set(ids(found(memory, "gate")))
        assert live >= {pinned, new}
        assert len(live & set(others)) == 1
        assert found(memory, "garden gate")[0]["pinned"] is True

    def test_what_was_forgotten_is_asked_for_and_comes_back_for_good(self, open_memory: OpenMemory) -> None:
        """The answer says why it was gone; afterwards it is a memory like any other."""
        memory = crowded(open_memory)
        texts = {
            text: noted(memory, text)
            for text in ("The garden gate is green", "Zebras live in herds", "Winter begins soon", "Piano at noon")
        }
        (lost,) = set(texts.values()) - set(memory.state.records)
        (text,) = (text for text, ident in texts.items() if ident == lost)
        assert lost not in ids(found(memory, text))
        (hit,) = found(memory, text, top_k=1, filters={"include_forgotten": True})
        assert (hit["id"], hit["content"]) == (lost, text)
        assert hit["forgotten_because"].startswith("the memory was full")
        again = found(memory, text)[0]
        assert again["id"] == lost
        assert "forgotten_because" not in again
        assert len(memory) == 3

    def test_recall_brings_back_as_search_does(self, open_memory: OpenMemory) -> None:
        """With the argument of the same name."""
        memory = crowded(open_memory, size=1)
        gone = noted(memory, "The garden gate is green")
        noted(memory, "Zebras live in herds")
        assert gone not in ids(done(memory, "recall", query="garden gate")["memories"])
        (best,) = done(memory, "recall", query="garden gate", budget=1, include_forgotten=True)["memories"]
        assert best["id"] == gone
        assert gone in ids(done(memory, "recall", query="garden gate")["memories"])

    def test_nothing_that_is_asked_for_is_lost_by_being_brought_back(self, open_memory: OpenMemory) -> None:
        """Another makes room for it, and is forgotten in its turn, not gone."""
        memory = crowded(open_memory, size=2)
        texts = ["The garden gate is green", "Zebras live in herds", "Winter begins soon", "Piano at noon"]
        stored = {noted(memory, text) for text in texts}
        for text in texts:
            found(memory, text, top_k=1, filters={"include_forgotten": True})
            assert memory.state.records.keys() | memory.state.forgotten.keys() == stored

    def test_pinning_is_an_update_that_can_be_taken_back(self, open_memory: OpenMemory) -> None:
        """Alone, too: the text need not be given again."""
        memory = crowded(open_memory, size=1)
        ident = noted(memory, "The garden gate is green")
        shown = done(memory, "update", id=ident, pinned=True)["memory"]
        assert (shown["content"], shown["pinned"]) == ("The garden gate is green", True)
        assert refused(memory, "memorize", content="Zebras live in herds")["code"] == "memory_full"
        assert "pinned" not in done(memory, "update", id=ident, pinned=False)["memory"]
        noted(memory, "Zebras live in herds")

    def test_an_update_that_says_nothing_of_it_leaves_it_pinned(self, memory: NTMMemoryManager) -> None:
        """As with the other fields."""
        ident = noted(memory, "The garden gate is green", pinned=True)
        assert done(memory, "update", id=ident, content="The garden gate is red")["memory"]["pinned"] is True


class TestModes:
    """`mode`."""

    TALK = (
        ("The gate squeaks", "2025-03-01"),
        ("The garden gate is green", "2025-01-01"),
        ("Ana oiled the garden gate", "2025-02-01"),
    )

    @pytest.fixture
    def garden(self, memory: NTMMemoryManager) -> NTMMemoryManager:
        """A memory of a gate."""
        for text, at in self.TALK:
            noted(memory, text, at=at)
        return memory

    @pytest.mark.parametrize("mode", MODES)
    def test_recall_takes_every_mode(self, garden: NTMMemoryManager, mode: str) -> None:
        """Explained as well."""
        for explain in (False, True):
            answer = done(garden, "recall", query="garden gate", session="garden", mode=mode, explain=explain)
            assert ids(answer["memories"])

    @pytest.mark.parametrize("mode", [mode for mode in MODES if mode != CHAT])
    def test_search_takes_every_mode_that_needs_no_chat(self, garden: NTMMemoryManager, mode: str) -> None:
        """Explained as well."""
        for explain in (False, True):
            assert found(garden, "garden gate", mode=mode, explain=explain)

    def test_the_mode_that_needs_a_chat_is_refused_without_one(self, garden: NTMMemoryManager) -> None:
        """Nobody asks in a search, and nobody said who asks in the recall."""
        assert refused(garden, "search", query="gate", mode=CHAT)["code"] == "invalid_argument"
        assert refused(garden, "recall", query="gate", mode=CHAT)["code"] == "invalid_argument"

    def test_exact_wants_every_word(self, garden: NTMMemoryManager) -> None:
        """Else there is nothing to give."""
        hits = found(garden, "garden gate", mode="exact")
        assert {hit["content"] for hit in hits} == {text for text, _ in self.TALK if "garden gate" in text}
        assert found(garden, "garden zebra", mode="exact") == []

    def test_temporal_answers_in_the_order_of_time(self, garden: NTMMemoryManager) -> None:
        """By search and by recall alike."""
        searched = found(garden, "gate", mode="temporal")
        recalled = done(garden, "recall", query="gate", mode="temporal")["memories"]
        for hits in (searched, recalled):
            assert [hit["when"][:10] for hit in hits] == sorted(at for _, at in self.TALK)

    def test_semantic_goes_by_meaning_alone(self, garden: NTMMemoryManager) -> None:
        """Words have no part in the score."""
        hits = found(garden, "garden gate", mode="semantic", explain=True)
        assert {hit["trace"]["lexical_share"] for hit in hits} == {0.0}
        cosines = [hit["why"]["cosine"] for hit in hits]
        assert cosines == sorted(cosines, reverse=True)

    def test_adaptive_is_the_default(self, garden: NTMMemoryManager) -> None:
        """Saying so changes nothing."""
        assert ids(found(garden, "garden gate", mode="adaptive")) == ids(found(garden, "garden gate"))

    def test_a_mode_is_no_filter(self, garden: NTMMemoryManager) -> None:
        """It stands beside them; the engine's own way of taking it is not the tool's."""
        error = refused(garden, "search", query="gate", filters={"mode": "exact"})
        assert error["code"] == "unknown_filter"

    def test_an_unknown_mode_is_answered_with_the_known_ones(self, garden: NTMMemoryManager) -> None:
        """So that the next call is right."""
        error = called(garden, "search", {"query": "gate", "mode": "fuzzy"})["error"]
        assert error["code"] == "invalid_argument"
        assert all(mode in error["message"] + error["hint"] for mode in MODES if mode != CHAT)
