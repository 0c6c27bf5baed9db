"""A memory of a few short notes, as everybody's is on the first day: what is asked for comes first."""

from __future__ import annotations

import pytest

from ntm_memory_skill import NTMMemoryManager, SentenceEncoder
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import ticking_clock
from tests.engine.support import PlannedEncoder, plant

TALKS = (
    "Yesterday the whole family spent the afternoon planting tomatoes, beans and two rows of carrots behind the shed",
    "Paul explained at length why the new office needs thicker curtains, better lamps and a coat stand near the door",
    "The neighbours told a long story about their ferry to Gotland, the storm, the broken engine and the cold soup",
    "After the concert Nadia wrote down which pieces the quartet had played, who had conducted and what it had cost",
    "Grandfather remembered how his village kept bees, sold honey on Saturdays and lost every hive in one hard winter",
)
"""Notes that say much, and nothing of what is asked."""

MEMORIES: tuple[tuple[tuple[str, ...], dict[str, int]], ...] = (
    (
        ("wifi: swordfish99", "The landlord answers his telephone in the mornings only and would rather be written to"),
        {"what is the wifi password?": 0, "wifi": 0, "how do I reach the landlord?": 1},
    ),
    (
        ("Gate code 4711", TALKS[0]),
        {"what is the gate code?": 0, "code for the gate": 0, "what did we plant?": 1},
    ),
    (
        (
            "Tea, no sugar",
            "Meeting with Paul moved to Thursday at three, in the small room on the second floor",
            "Dog: Rex",
        ),
        {"what is my dog called?": 2, "how do I take my tea?": 0, "when is the meeting with Paul?": 1},
    ),
    (
        (
            "Timezone: CET",
            "Name: Ravi",
            "The user wants code samples in Python with type hints and without comments",
            TALKS[1],
        ),
        {"what timezone is the user in?": 0, "what is the user's name?": 1, "how should code samples look?": 2},
    ),
    (
        ("无线密码是旗鱼九十九", "房东只在上午接电话，不急的事情最好给他发短信", "会议改到周四下午三点"),
        {"无线密码是什么？": 0, "会议改到什么时候？": 2, "房东什么时候接电话？": 1},
    ),
)
"""What somebody had noted, and which note answers each question."""


def holding(encoder: Encoder, notes: tuple[str, ...], session: str | None) -> tuple[NTMMemoryManager, list[str]]:
    """Return a memory of some notes, and their ids."""
    memory = NTMMemoryManager(MemoryStore(), encoder, clock=ticking_clock(), ids=seeded_ids(1))
    return memory, plant(memory, notes, session=session)


@pytest.mark.model
@pytest.mark.parametrize("session", [None, "first chat"])
@pytest.mark.parametrize(("notes", "questions"), MEMORIES, ids=["two", "two more", "three", "four", "Chinese"])
def test_note_that_answers_comes_first_however_short(
    bundled: SentenceEncoder, notes: tuple[str, ...], questions: dict[str, int], session: str | None
) -> None:
    """With the model that everybody starts with, whether the notes came from one chat or from none."""
    memory, ids = holding(bundled, notes, session)
    for question, place in questions.items():
        assert memory.search(question)[0].id == ids[place], question


@pytest.mark.parametrize("count", range(1, 6))
def test_short_note_that_alone_resembles_the_question_comes_first(count: int) -> None:
    """Among a few that say more: with so few, no deviation is large, and how little it says must not outweigh it."""
    encoder = PlannedEncoder({"the code?": [1, 0], "Gate 4711": [0.6, 0.8]})
    memory, ids = holding(encoder, ("Gate 4711", *TALKS[:count]), None)
    assert memory.search("the code?")[0].id == ids[0]
