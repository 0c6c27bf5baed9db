"""Times that a question names: a term of the score for memories of that time, and never a filter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ntm_memory_skill import AddressingSettings, HashedEncoder, Hit, NTMMemoryManager, Settings
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.engine.support import LoadingEncoder, PlannedEncoder, found

DAY = timedelta(days=1)
NOW = datetime(2026, 5, 13, 15, tzinfo=UTC)
"""A Wednesday."""
MONDAY = datetime(2026, 5, 4, tzinfo=UTC)
"""Of the week before."""

DOINGS = (
    "painted the garden fence green",
    "went swimming in the lake",
    "baked rye bread with Ida",
    "fixed the puncture of the bicycle",
    "sorted the photographs from Norway",
    "planted beans behind the house",
    "visited the museum of clocks",
    "cooked soup for the neighbours",
)
CHINESE_DOINGS = (
    "给花园栅栏刷漆",
    "去湖里游泳两次",
    "和小红烤黑面包",
    "修好蓝色自行车",
    "整理挪威的照片",
    "在屋后种下豆子",
    "参观钟表博物馆",
    "给邻居煮南瓜汤",
)
"""All of one length: how little they say is no matter here."""


def diary(texts: Sequence[str], days: Sequence[float], now: datetime = NOW, **addressing: Any) -> NTMMemoryManager:
    """Return a memory of what was done so many days before `NOW`, as somebody sees it who asks at another moment.

    To the encoder each text is as far from every question as any other.
    """
    settings, encoder = Settings(addressing=AddressingSettings(**addressing)), PlannedEncoder({})
    memory = NTMMemoryManager(MemoryStore(), encoder, settings, clock=lambda: now, ids=seeded_ids(2))
    for text, day in zip(texts, days, strict=True):
        memory.memorize(text, at=NOW - day * DAY, force=True)
    return memory


def closeness(hit: Hit) -> float:
    """Return a hit's time term; its weight is 1 by default."""
    (term,) = [term for term in hit.trace.terms if term.name == "time"]
    assert term.weight == 1
    return term.value


def days_ago(hits: Sequence[Hit]) -> set[int]:
    """Return how many days before `NOW` the hits happened."""
    return {(NOW - hit.at).days for hit in hits}


AGES = (1, 3, 5, 7, 8, 20, 40, 300)
LAST_WEEK = {3, 5, 7, 8}  # from Monday the 4th to Sunday the 10th


class TestWindows:
    """Stretches of time that a question names."""

    @pytest.mark.parametrize(
        ("texts", "question"),
        [(DOINGS, "what did we do last week?"), (CHINESE_DOINGS, "上周我们做了什么？")],
        ids=["English", "Chinese"],
    )
    def test_what_was_done_last_week_comes_first_and_nothing_is_left_out(
        self, texts: Sequence[str], question: str
    ) -> None:
        """All of it, where nothing else tells memories apart; the rest stands behind."""
        hits = diary(texts, AGES).search(question, top_k=50)
        assert days_ago(hits[:4]) == LAST_WEEK
        assert days_ago(hits) == set(AGES)

    def test_without_the_term_it_would_not(self) -> None:
        """So the test above tests something; and "time" at 0 switches it off."""
        hits = diary(DOINGS, AGES, time=0.0).search("what did we do last week?", top_k=50)
        assert days_ago(hits[:4]) != LAST_WEEK
        assert not [term for hit in hits for term in hit.trace.terms if term.name == "time"]

    def test_time_is_counted_from_the_clock(self) -> None:
        """A week later, another week is the last."""
        later = diary(DOINGS, AGES, now=NOW + 7 * DAY)
        assert days_ago([hit for hit in later.search("last week", top_k=50) if closeness(hit) == 1]) == {1}

    def test_closeness_falls_with_the_distance_from_the_window(self) -> None:
        """1 within it; outside e^(−d/s), where s is half of its seven days."""
        for hit in diary(DOINGS, AGES).search("what did we do last week?", top_k=50):
            distance = max(MONDAY - hit.at, hit.at - (MONDAY + 7 * DAY), timedelta(0))
            assert closeness(hit) == pytest.approx(math.exp(-distance / (3.5 * DAY)), abs=1e-5)

    def test_question_that_names_no_time_has_no_such_term(self) -> None:
        """Nor has one that only looks like it."""
        for question in ("what did we do?", "my last name", "上面写了什么？"):
            hits = diary(DOINGS, AGES).search(question)
            assert not [term for hit in hits for term in hit.trace.terms if term.name == "time"]

    def test_better_answer_of_another_time_still_comes_first(self) -> None:
        """Somebody may be wrong about when it was."""
        hits = diary(DOINGS, AGES).search("who baked rye bread with Ida yesterday?")
        assert closeness(hits[0]) < 0.1
        assert hits[0].content == DOINGS[2]

    def test_time_counts_while_the_model_is_loading(self) -> None:
        """It needs none."""
        encoder = LoadingEncoder()
        settings = Settings(answer_while_loading=True)
        store = MemoryStore()
        with NTMMemoryManager(store, HashedEncoder(), clock=lambda: NOW, ids=seeded_ids(2)) as writer:
            for text, day in zip(DOINGS, AGES, strict=True):
                writer.memorize(text, at=NOW - day * DAY)
        memory = NTMMemoryManager(store, encoder, settings, clock=lambda: NOW, ids=seeded_ids(3))
        hits = memory.search("what did we do last week?", top_k=50)
        assert not encoder.loaded
        assert days_ago(hits[:4]) == LAST_WEEK
        encoder.allowed.set()

    def test_filters_stay_hard_whatever_the_question_says(self) -> None:
        """`since`, `until` and `as_of` leave out what the question asks for."""
        memory = diary(DOINGS, AGES)
        question = "what did we do last week?"
        assert days_ago(memory.search(question, top_k=50, since=NOW - 5.5 * DAY)) == {1, 3, 5}
        assert days_ago(memory.search(question, top_k=50, until=NOW - 7 * DAY)) == {7, 8, 20, 40, 300}
        assert days_ago(memory.search(question, top_k=50, as_of=NOW - 6 * DAY)) == {7, 8, 20, 40, 300}
        assert memory.search(question, since=NOW) == []


TRIP = (
    "bought a tent and two sleeping bags",
    "bought new boots for the children",
    "our trip to Norway began at the harbour",
    "bought a wooden spoon in Bergen",
    "bought a carpet for the hall",
)
TRIP_DAYS = (60, 55, 50, 47, 10)
CHINESE_TRIP = (
    "买了帐篷和睡袋",
    "给孩子们买了靴子",
    "我们去挪威旅行了，在港口出发",
    "在卑尔根买了木勺",
    "给走廊买了地毯",
)


class TestAnchors:
    """Events that a question places itself by, and whose time only the memory knows."""

    @pytest.mark.parametrize(
        ("question", "near"),
        [
            ("what did we buy before the trip to Norway?", {60, 55, 50}),
            ("what did we buy after the trip to Norway?", {50, 47, 10}),
            ("what did we buy during the trip to Norway?", {50}),
        ],
    )
    def test_event_is_looked_up_in_the_memory(self, question: str, near: set[int]) -> None:
        """Before it, after it, or within a day of it."""
        hits = diary(TRIP, TRIP_DAYS).search(question, top_k=50)
        assert days_ago([hit for hit in hits if closeness(hit) == 1]) == near
        assert len(hits) == len(TRIP)

    @pytest.mark.parametrize(
        ("question", "near"), [("旅行之前买了什么？", {60, 55, 50}), ("旅行之后买了什么？", {50, 47, 10})]
    )
    def test_event_is_looked_up_in_chinese(self, question: str, near: set[int]) -> None:
        """By the characters that the two have in common."""
        hits = diary(CHINESE_TRIP, TRIP_DAYS).search(question, top_k=50)
        assert days_ago([hit for hit in hits if closeness(hit) == 1]) == near

    def test_closeness_falls_within_days_of_the_event(self) -> None:
        """By e each day on the other side of it."""
        for hit in diary(TRIP, TRIP_DAYS).search("what did we buy before the trip to Norway?", top_k=50):
            late = max(0, 50 - (NOW - hit.at).days)
            assert closeness(hit) == pytest.approx(math.exp(-late), abs=1e-5)

    def test_what_is_around_an_event_is_within_a_day_of_it(self) -> None:
        """Before it as after it; farther off by e each day."""
        days = (53, 51.5, 50, 49.25, 48)
        for hit in diary(TRIP, days).search("what did we buy during the trip to Norway?", top_k=50):
            distance = abs((NOW - hit.at) / DAY - 50)
            assert closeness(hit) == pytest.approx(math.exp(-max(0.0, distance - 1)), abs=1e-5)

    def test_event_decides_between_memories_that_fit_alike(self) -> None:
        """Two say the same; the one before the trip is meant."""
        texts = ["bought new boots", *TRIP[2:], "bought new boots"]
        memory = diary(texts, (55, 50, 47, 10, 5))
        for side, expected in (("before", 55), ("after", 5)):
            hits = memory.search(f"boots bought {side} the trip to Norway", top_k=50)
            boots = [hit for hit in hits if "boots" in hit.content]
            assert [days_ago([hit]) for hit in boots] == [{expected}, {60 - expected}]

    @pytest.mark.parametrize("event", ["the wedding in Lisbon", "the wedding in Norway"])
    def test_event_that_no_memory_is_about_is_passed_over(self, event: str) -> None:
        """It is near nothing and far from nothing; one word in common, and not the rarest, is no recognition."""
        hits = diary(TRIP, TRIP_DAYS).search(f"what did we buy before {event}?", top_k=50)
        assert {closeness(hit) for hit in hits} == {0}

    def test_event_that_may_not_be_seen_is_not_known(self) -> None:
        """Its date would tell of it."""
        memory = diary(TRIP, TRIP_DAYS)
        hits = memory.search("what did we buy before the trip to Norway?", top_k=50, since=NOW - 48 * DAY)
        assert found(hits) == [text for text in found(hits) if text in TRIP[3:]]
        assert {closeness(hit) for hit in hits} == {0}

    def test_event_and_window_count_together(self) -> None:
        """A memory is as near as to the nearest of them."""
        question = "what did we buy before the trip to Norway, or last week?"
        hits = diary(TRIP, (*TRIP_DAYS[:4], 7)).search(question, top_k=50)
        assert days_ago([hit for hit in hits if closeness(hit) == 1]) == {60, 55, 50, 7}
