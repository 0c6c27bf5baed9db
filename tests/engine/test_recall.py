"""Recall: by name and by question, within a budget of characters, drawn by where the chat looked last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ntm_memory_skill import AddressingSettings, HeadParameters, NTMMemoryManager, Settings
from ntm_memory_skill.engine.answers import Recollection
from ntm_memory_skill.engine.sessions import KEPT, LastFocus, SessionFocuses
from ntm_memory_skill.errors import InvalidArgument
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, found, plant

PLENTY = 100_000


def test_recall_holds_to_its_budget_and_takes_the_best_that_fit(memory: NTMMemoryManager) -> None:
    """A long one is passed over for shorter ones behind it; what did not fit is counted."""
    plant(memory, ["goat " * 10, "goat goat goat goat", "goat " * 3, *FACTS])
    every = memory.recall("goat", budget=PLENTY)
    assert (len(every.hits), every.omitted) == (11, 0)
    for budget in range(1, 400, 7):
        some = memory.recall("goat", budget=budget)
        chosen: list[str] = []
        used = 0
        for hit in every.hits:
            if not chosen or used + len(hit.content) <= budget:
                chosen.append(hit.id)
                used += len(hit.content)
        assert [hit.id for hit in some.hits] == chosen
        assert (some.characters, some.omitted) == (used, 11 - len(chosen))


def test_recall_gives_no_more_than_were_asked_for(memory: NTMMemoryManager) -> None:
    """The best ones; only those count as given."""
    plant(memory)
    every = memory.search("violin", top_k=50)
    few = memory.recall("violin", budget=PLENTY, top_k=2)
    assert [hit.id for hit in few.hits] == [hit.id for hit in every[:2]]
    assert few.omitted == len(every) - 2
    with pytest.raises(InvalidArgument):
        memory.recall("violin", top_k=0)


def test_best_memory_comes_whole_however_small_the_budget(memory: NTMMemoryManager) -> None:
    """An answer too long is better than none."""
    plant(memory)
    best = memory.search("violin quartet")[0]
    recalled = memory.recall("violin quartet", budget=1)
    assert found(recalled.hits) == [best.content]
    assert recalled.characters == len(best.content)


def test_budget_that_is_not_given_is_that_of_the_settings(open_memory: OpenMemory) -> None:
    """It is set for the whole memory."""
    memory = open_memory(settings=Settings(recall_budget=50))
    plant(memory)
    assert memory.recall("goats").characters <= 50
    assert memory.recall("goats", budget=PLENTY).characters == sum(map(len, FACTS))


def test_recall_from_an_empty_memory_is_empty(memory: NTMMemoryManager) -> None:
    """By name and by question."""
    assert memory.recall("goats", key="name") == Recollection(hits=(), characters=0, omitted=0)


def test_memories_of_a_name_come_first_and_newest_first(memory: NTMMemoryManager) -> None:
    """All of them, also where there are more than a search would give."""
    start = datetime(2026, 5, 1, tzinfo=UTC)
    for day in (3, 7, 1, 8, 2, 6, 5, 4):
        memory.memorize(f"launch plan {day}", key="launch date", at=start + timedelta(days=day))
    plant(memory)
    named = memory.recall(key="launch date", budget=PLENTY)
    assert found(named.hits) == [f"launch plan {day}" for day in range(8, 0, -1)]
    both = memory.recall("who plays the violin?", key="launch date", budget=PLENTY)
    assert found(both.hits[:8]) == found(named.hits)
    assert both.hits[8].content == FACTS[5]
    assert len({hit.id for hit in both.hits}) == len(both.hits) == 16


def test_name_that_nobody_has_is_asked_for_as_a_question(memory: NTMMemoryManager) -> None:
    """It may still be in a text."""
    plant(memory)
    assert memory.recall(key="violin").hits[0].content == FACTS[5]


def test_replaced_memory_no_longer_answers_to_its_name(memory: NTMMemoryManager) -> None:
    """The one that replaced it does, where it has the name."""
    old = memory.memorize("2 May", key="launch date").id
    memory.memorize("9 May", key="launch date", supersedes=old)
    assert found(memory.recall(key="launch date").hits) == ["9 May"]


def gated(memory: NTMMemoryManager, query: str, session: str | None) -> dict[str, tuple[float, float]]:
    """Return every memory's weight before and after the gate, as a recall of a chat sees them."""
    hits = memory.recall(query, session=session, budget=PLENTY).hits
    return {hit.content: (hit.trace.content, hit.trace.gated) for hit in hits}


def test_chat_s_last_focus_draws_its_next_recall(memory: NTMMemoryManager) -> None:
    """By just the gate's share: w_g = g · w_c + (1 − g) · w_{t−1}, worked out here memory by memory."""
    plant(memory)
    last = {hit.content: hit.trace.shifted for hit in memory.recall("goats", session="chat", budget=PLENTY).hits}
    gate = HeadParameters().gate
    for content, (before, after) in gated(memory, "a tyre", "chat").items():
        assert after == pytest.approx(gate * before + (1 - gate) * last[content], abs=1e-6)
        if content == FACTS[0]:
            assert after > before


def test_first_recall_of_a_chat_is_drawn_nowhere(memory: NTMMemoryManager) -> None:
    """Nor is one without a chat, nor one of another chat."""
    plant(memory)
    memory.recall("goats", session="chat")
    for session in (None, "another chat"):
        assert all(before == after for before, after in gated(memory, "a tyre", session).values())


def test_search_neither_feels_nor_leaves_a_focus(memory: NTMMemoryManager) -> None:
    """There a session is a filter, not the one who asks."""
    plant(memory, session="chat")
    memory.search("goats", session="chat")
    assert all(before == after for before, after in gated(memory, "a tyre", "chat").values())
    assert all(hit.trace.content == hit.trace.gated for hit in memory.search("goats", session="chat"))


def test_gate_can_be_switched_off(open_memory: OpenMemory) -> None:
    """`hybrid` off: the past is forgotten at once."""
    memory = open_memory(settings=Settings(addressing=AddressingSettings(hybrid=False)))
    plant(memory)
    memory.recall("goats", session="chat")
    assert all(before == after for before, after in gated(memory, "a tyre", "chat").values())


def test_restart_opens_every_gate(open_memory: OpenMemory) -> None:
    """A focus is of the process, not of the memory."""
    memory = open_memory()
    plant(memory)
    memory.recall("goats", session="chat")
    memory.close()
    assert all(before == after for before, after in gated(open_memory(), "a tyre", "chat").values())


def test_focus_on_an_erased_memory_does_not_pass_to_the_next_one_in_its_slot(memory: NTMMemoryManager) -> None:
    """That one was never looked at."""
    ids = plant(memory)
    memory.recall("three goats in Kirchberg", session="chat")
    slot = memory.get(ids[0]).slot
    memory.erase(ids[0])
    assert memory.memorize("an entirely new thing").slot == slot
    before, after = gated(memory, "a tyre", "chat")["an entirely new thing"]
    assert after == pytest.approx(HeadParameters().gate * before)


def test_focus_of_which_nothing_is_left_leaves_the_gate_open(memory: NTMMemoryManager) -> None:
    """There is nothing to be drawn to."""
    ids = plant(memory, FACTS[:3])
    memory.recall("goats", session="chat")
    memory.erase(*ids)
    plant(memory, FACTS[3:])
    assert all(before == after for before, after in gated(memory, "a tyre", "chat").values())


def test_chat_that_was_quiet_longest_is_forgotten_first() -> None:
    """So that thousands of chats cost no more than the last few."""
    focuses, focus = SessionFocuses(), LastFocus(np.ones(1, dtype=np.float32), 1)
    for chat in range(KEPT):
        focuses.remember(f"chat {chat}", focus)
    focuses.remember("chat 0", focus)
    focuses.remember("one more", focus)
    assert focuses.last("chat 1") is None
    assert [focuses.last(f"chat {chat}") for chat in (0, 2, KEPT - 1)] == [focus] * 3
    assert focuses.last(None) is None
