"""What a new memory is told it resembles; what is done about that is tested with the intake."""

from __future__ import annotations

import pytest

from ntm_memory_skill import NTMMemoryManager
from tests.engine.support import FACTS, plant


def test_first_memory_resembles_nothing(memory: NTMMemoryManager) -> None:
    """There is nothing yet."""
    note = memory.memorize("goats")
    assert (note.related, note.duplicates) == ((), ())


@pytest.mark.parametrize("again", [FACTS[0], FACTS[0].upper(), f"{FACTS[0]}!", "Kirchberg: goats, three. Keeps Anna!"])
def test_same_words_are_reported_as_a_duplicate_and_stored(memory: NTMMemoryManager, again: str) -> None:
    """In whatever case, order and punctuation; the writer decides what to do."""
    ids = plant(memory)
    note = memory.memorize(again, force=True)
    assert [alike.action for alike in note.duplicates] == ["both kept"]
    assert [alike.id for alike in note.duplicates] == [ids[0]]
    assert note.duplicates[0].overlap == 1
    assert ids[0] not in [alike.id for alike in note.related]
    assert len(memory) == len(FACTS) + 1


def test_texts_that_differ_in_little_are_duplicates_where_their_keys_agree(memory: NTMMemoryManager) -> None:
    """Half of the words and nearly all of the key; with either less, the two are different statements."""
    plant(memory)
    (old,) = plant(memory, ["internationalisation notwithstanding counterproductive 7"])
    (duplicate,) = memory.memorize("internationalisation notwithstanding counterproductive 8").duplicates
    assert duplicate.id == old
    assert duplicate.overlap == pytest.approx(0.6)
    assert duplicate.cosine > 0.95
    assert memory.memorize("Flight LX 1613 leaves Zurich at dawn").duplicates == ()


def test_same_text_has_the_same_key(memory: NTMMemoryManager) -> None:
    """A duplicate's cosine says how far meanings agree, also where the old memory has faded."""
    ids = plant(memory)
    memory.erase(ids[2], strength=0.5)
    (duplicate,) = memory.memorize(FACTS[2]).duplicates
    assert (duplicate.id, duplicate.overlap) == (ids[2], 1.0)
    assert duplicate.cosine == pytest.approx(1, abs=1e-5)


def test_memory_that_stands_out_as_alike_is_reported_as_related(memory: NTMMemoryManager) -> None:
    """More alike than all others by far, and yet no duplicate."""
    ids = plant(memory)
    note = memory.memorize("Anna sold two goats and a cow in Kirchberg")
    assert [alike.id for alike in note.related] == [ids[0]]
    assert note.duplicates == ()
    assert 0 < note.related[0].overlap < 0.8


def test_at_most_three_are_related_most_alike_first(memory: NTMMemoryManager) -> None:
    """However many there are."""
    memory.memorize_many({"content": f"{fact} {number}"} for number in range(8) for fact in FACTS[1:])
    ids = plant(memory, [f"Anna keeps {number} goats in Kirchberg" for number in ("three", "seven", "twenty", "no")])
    related = memory.memorize("Anna keeps some goats and dogs in Kirchberg").related
    assert len(related) == 3
    assert {alike.id for alike in related} < set(ids)
    cosines = [alike.cosine for alike in related]
    assert cosines == sorted(cosines, reverse=True)


def test_only_what_holds_now_is_compared(memory: NTMMemoryManager) -> None:
    """Neither a replaced memory nor an erased one is reported."""
    ids = plant(memory)
    memory.memorize("Anna gave her animals away", supersedes=ids[0])
    memory.erase(ids[1])
    assert memory.memorize(FACTS[0]).duplicates == ()
    assert memory.memorize(FACTS[1]).duplicates == ()


def test_name_counts_among_the_words(memory: NTMMemoryManager) -> None:
    """The same content under another name is another statement."""
    memory.memorize("9 May 2026", key="launch date")
    assert memory.memorize("9 May 2026", key="wedding anniversary celebration").duplicates == ()
    assert len(memory.memorize("9 May 2026", key="launch date").duplicates) == 1
