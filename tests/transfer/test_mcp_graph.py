"""The reference MCP memory server's graph: observations and relations, as sentences under an entity's name."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

import pytest

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.transfer import parse
from tests.transfer.refusals import numbers, refusal

ANA = {"type": "entity", "name": "Ana", "entityType": "person", "observations": ["likes tea", "works nights"]}
LISBON = {"type": "entity", "name": "Lisbon", "entityType": "city", "observations": ["is hilly"]}
LIVES = {"type": "relation", "from": "Ana", "to": "Lisbon", "relationType": "lives_in"}


def graph(*values: object) -> str:
    """Return a graph's file."""
    return "".join(f"{json.dumps(value)}\n" for value in values)


def memories(*values: object) -> list[dict[str, Any]]:
    """Return the memories of a graph."""
    kind, items = parse(graph(*values), PurePath("memory.jsonl"))
    assert kind == "mcp-graph"
    return items


def test_each_observation_is_a_memory_under_its_entity_s_name() -> None:
    """Its kind is the label; what is said of one entity is one tape."""
    common = {"key": "Ana", "tags": ["person"], "type": "fact", "session": "about Ana", "source": "mcp-memory"}
    assert memories(ANA) == [{"content": "likes tea", **common}, {"content": "works nights", **common}]


def test_an_entity_of_a_blank_kind_has_no_label() -> None:
    """The server lets a model leave it empty; what was observed is worth as much."""
    for kind in ("", " "):
        assert [item["tags"] for item in memories({**ANA, "entityType": kind})] == [[], []]


def test_a_relation_is_a_sentence_on_the_tape_of_its_subject() -> None:
    """Underscores of its name become blanks."""
    assert memories(LIVES) == [
        {
            "content": "Ana lives in Lisbon",
            "key": "Ana",
            "tags": ["relation"],
            "type": "fact",
            "session": "about Ana",
            "source": "mcp-memory",
        }
    ]


def test_a_graph_keeps_its_order() -> None:
    """Entities and relations may stand in any."""
    told = [item["content"] for item in memories(LIVES, ANA, LISBON)]
    assert told == ["Ana lives in Lisbon", "likes tea", "works nights", "is hilly"]


def test_an_entity_of_which_nothing_was_observed_gives_no_memory() -> None:
    """A bare name says nothing."""
    assert memories({**LISBON, "observations": []}, LIVES) == memories(LIVES)


def test_parts_that_are_not_known_are_passed_over() -> None:
    """Newer servers may write more."""
    assert memories({**ANA, "id": 7}, {**LIVES, "weight": 0.5}) == memories(ANA, LIVES)


@pytest.mark.parametrize(
    "broken",
    [
        *(
            {name: value for name, value in ANA.items() if name != part}
            for part in ("name", "entityType", "observations")
        ),
        *({name: value for name, value in LIVES.items() if name != part} for part in ("from", "to", "relationType")),
        {**ANA, "observations": None},
        {**ANA, "observations": "likes tea"},
        {**ANA, "observations": {"first": "likes tea"}},
        {**ANA, "name": 5},
        {**ANA, "name": ["Ana"]},
        {**ANA, "entityType": None},
        {**LIVES, "from": None},
        {**LIVES, "to": 5},
        {**LIVES, "relationType": 5},
        {**LIVES, "relationType": ["lives_in"]},
    ],
    ids=repr,
)
def test_a_broken_entry_is_refused_with_its_number(broken: dict[str, Any]) -> None:
    """Nothing is guessed: a text is not taken for a list of letters."""
    assert numbers(refusal(graph(ANA, LIVES, broken, LISBON))) == [3]
    assert numbers(refusal(graph(broken))) == [1]


def test_a_graph_among_memories_is_refused() -> None:
    """A file is of one format; the entity has no content."""
    with pytest.raises(ImportRefused):
        parse(graph({"content": "The gate is green"}, ANA), PurePath("memory.jsonl"))
