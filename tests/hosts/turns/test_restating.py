"""The memory does not feed on itself: what was recalled is not captured again, however it comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.hosts.turns import Turns
from ntm_memory_skill.hosts.turns.block import CLOSING, OPENING

PLENTY = 10_000

REWORDED = [
    ("My dentist Ana is living in Lisbon.", "As I said, my dentist Ana is at home in Lisbon."),
    ("My dentist Ana is living in Lisbon.", "I told you already that Lisbon is where my dentist Ana lives."),
    ("My cousin Leo is a baker.", "Right, my cousin Leo is working as a baker by trade."),
    ("我表哥高敏住在杭州。", "对，我说过，我表哥高敏的家是在杭州。"),
    ("我邻居小林是裁缝。", "没错，我邻居小林的职业是裁缝。"),
]
"""What was told, and the same in other words."""

CHANGED = [
    ("My dentist Ana is living in Lisbon.", "My dentist Ana is living in Oslo."),
    ("My cousin Leo is a baker.", "My cousin Leo is not a baker."),
    ("I like green tea.", "I like green tea and black tea."),
    ("The spare key is in the shed.", "Remember: the spare key is in the cellar."),
    ("我表哥高敏住在杭州。", "我表哥高敏住在苏州。"),
    ("我喜欢喝茶。", "我不喜欢喝茶。"),
    ("我邻居小林是裁缝。", "我邻居小林是律师。"),
]
"""What was told, and something that is not known by that."""

HANDED_BACK: dict[str, Callable[[str], str]] = {
    "whole": lambda block: block,
    "quoted": lambda block: "> " + block.replace("\n", "\n> "),
    "its lines": lambda block: "\n".join(block.split("\n")[2:-1]),
    "its texts": lambda block: "\n".join(line.split(": ", 1)[1] for line in block.split("\n")[2:-1]),
    "without its end": lambda block: block.removesuffix(CLOSING),
    "without its beginning": lambda block: block.removeprefix(OPENING),
}
"""How a host may pass a block back as a part of the message."""


@pytest.fixture
def turns(memory: NTMMemoryManager) -> Turns:
    """The turns of a memory's chats."""
    return Turns(memory)


@pytest.mark.parametrize("recalled", [True, False])
@pytest.mark.parametrize(("told", "again"), REWORDED)
def test_what_is_known_is_not_kept_in_other_words(
    memory: NTMMemoryManager, turns: Turns, told: str, again: str, recalled: bool
) -> None:
    """Whether it was recalled in the chat or only stands in the memory."""
    memory.memorize(told)
    if recalled:
        assert turns.begin(told, session="chat", budget=PLENTY)
    assert turns.end(again, session="chat") == []
    assert len(memory) == 1


@pytest.mark.parametrize("recalled", [True, False])
@pytest.mark.parametrize(("told", "new"), CHANGED)
def test_a_new_fact_and_a_changed_value_are_kept(
    memory: NTMMemoryManager, turns: Turns, told: str, new: str, recalled: bool
) -> None:
    """Though they stand beside the old one in nearly the same words."""
    memory.memorize(told)
    if recalled:
        assert turns.begin(told, session="chat", budget=PLENTY)
    (ident,) = turns.end(new, session="chat")
    assert memory.get(ident).content in new


@pytest.mark.parametrize("form", HANDED_BACK.values(), ids=HANDED_BACK)
@pytest.mark.parametrize("first", [True, False])
def test_a_block_that_is_handed_back_in_any_form_is_not_kept(
    memory: NTMMemoryManager, turns: Turns, form: Callable[[str], str], first: bool
) -> None:
    """What the user said beside it is."""
    memory.memorize_many({"content": text} for text in ("I like green tea", "I like old bicycles", "我喜欢乌龙茶"))
    block = turns.begin("what do I like? 乌龙茶", session="chat", budget=PLENTY)
    assert block is not None
    parts = [form(block), "My cat is called Miso."]
    (ident,) = turns.end("\n\n".join(parts if first else parts[::-1]), session="chat")
    assert memory.get(ident).content == "My cat is called Miso."


@pytest.mark.parametrize("share", [place / 20 for place in range(1, 20)])
@pytest.mark.parametrize("head", [True, False])
def test_a_block_that_was_cut_anywhere_is_not_kept(
    memory: NTMMemoryManager, turns: Turns, share: float, head: bool
) -> None:
    """Its beginning or its end."""
    memory.memorize_many({"content": text} for text in ("I like green tea in the garden", "我喜欢在花园里喝乌龙茶"))
    block = turns.begin("what do I like? 乌龙茶", session="chat", budget=PLENTY)
    assert block is not None
    place = int(share * len(block))
    turns.end(f"{block[:place] if head else block[place:]}\n\nMy cat is called Miso.", session="chat")
    kept = {record.content for record in memory.state.records.values()}
    assert kept == {"I like green tea in the garden", "我喜欢在花园里喝乌龙茶", "My cat is called Miso."}


def test_a_diary_is_kept(memory: NTMMemoryManager, turns: Turns) -> None:
    """Its lines begin as those of a block do, but for the id."""
    assert len(turns.end("2026-05-09: I moved to Oslo.\n2026-05-10: my cat is called Miso.")) == 2


def test_a_value_that_changed_back_is_kept_once_more(memory: NTMMemoryManager, turns: Turns) -> None:
    """What was superseded is no longer known; the chat before had recalled neither."""
    first = turns.end("My dentist is Dr. Wu.", session="one")
    second = turns.end("My dentist is Dr. Kim.", session="two")
    third = turns.end("My dentist is Dr. Wu.", session="three")
    assert len(first) == len(second) == len(third) == 1
    assert memory.get(first[0]).superseded_by == second[0]
    assert [hit.id for hit in memory.search("who is my dentist?")] == third
