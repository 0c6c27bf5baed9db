"""Update: a new version on top, the old one beneath."""

from __future__ import annotations

from typing import Any

import pytest

from ntm_memory_skill import NTMMemoryManager
from tests.tools.calls import done, everything, found, ids, noted, refused


def test_an_update_shows_the_version_and_what_it_replaced(memory: NTMMemoryManager) -> None:
    """Counting from 1, the first text."""
    ident = noted(memory, "The gate is green", tags=["garden"], importance=0.25)
    expected = [("The gate is red", 2, "The gate is green"), ("The gate is blue", 3, "The gate is red")]
    for content, version, previous in expected:
        envelope = done(memory, "update", id=ident, content=content, reason="painted")
        assert (envelope["version"], envelope["previous"]) == (version, previous)
        assert envelope["memory"]["content"] == content
        assert envelope["memory"]["id"] == ident
        assert envelope["memory"]["tags"] == ["garden"]
        assert envelope["memory"]["importance"] == 0.25
    assert [version.reason for version in memory.get(ident).versions] == ["painted", "painted"]


def test_what_was_updated_is_found_by_its_new_words(memory: NTMMemoryManager) -> None:
    """And under the same id; the old words lead nowhere in particular any more."""
    ident = noted(memory, "Lunch with Oskar on Monday")
    noted(memory, "Zebras live in herds")
    done(memory, "update", id=ident, content="Dinner with Wanda tonight")
    best = found(memory, "dinner with Wanda")[0]
    assert (best["id"], best["content"]) == (ident, "Dinner with Wanda tonight")
    assert all("words" not in hit["why"] for hit in found(memory, "lunch Oskar Monday"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"importance": 1}, {"importance": 1.0}),
        ({"importance": 0}, {"importance": 0.0}),
        ({"tags": ["a", "b", "a"]}, {"tags": ["a", "b"]}),
        ({"tags": []}, {"tags": None}),
        ({"content": None, "importance": 0.75, "tags": None}, {"importance": 0.75}),
        ({"content": "Same gate"}, {"content": "Same gate"}),
    ],
    ids=repr,
)
def test_what_is_not_given_stays_as_it_is(
    change: dict[str, Any], expected: dict[str, Any], memory: NTMMemoryManager
) -> None:
    """0 and an empty list are given; null is not."""
    ident = noted(memory, "The gate is green", tags=["garden"], importance=0.5, key="gate", ref="r1")
    before = done(memory, "recall", key="gate")["memories"][0]
    shown = done(memory, "update", id=ident, **change)["memory"]
    for name in ("content", "tags", "importance", "key", "ref", "when", "type"):
        assert shown.get(name) == expected.get(name, None if name in expected else before.get(name))


def test_nothing_to_change_is_refused(memory: NTMMemoryManager) -> None:
    """A reason alone is no change."""
    ident = noted(memory, "The gate is green")
    for arguments in ({}, {"reason": "why not"}, {"content": None, "tags": None, "importance": None}):
        assert refused(memory, "update", id=ident, **arguments)["code"] == "invalid_argument"
    assert memory.get(ident).versions == ()


def test_a_memory_that_is_not_there_cannot_be_updated(memory: NTMMemoryManager) -> None:
    """Neither one that never was, nor one that was erased."""
    erased = noted(memory, "The gate is green")
    done(memory, "erase", id=erased)
    before = everything(memory)
    for ident in ("m0", "", erased, erased.upper(), "\ud800"):
        assert refused(memory, "update", id=ident, content="The gate is red")["code"] == "unknown_memory"
    assert everything(memory) == before


@pytest.mark.parametrize("content", ["", "\n\t ", "x" * 32_769, "\x1b[31mred"], ids=["none", "blank", "long", "escape"])
def test_a_bad_new_text_leaves_the_old_one(content: str, memory: NTMMemoryManager) -> None:
    """By the same rules as for a first text."""
    ident = noted(memory, "The gate is green")
    before = everything(memory)
    assert refused(memory, "update", id=ident, content=content)["code"] == "invalid_content"
    assert everything(memory) == before
    assert ids(found(memory, "gate")) == [ident]
