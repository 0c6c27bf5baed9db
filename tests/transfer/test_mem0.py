"""mem0's export: its memories with their ids, days and tapes, and its graph as sentences."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

import pytest

from ntm_memory_skill.engine.validation import draft
from ntm_memory_skill.transfer import parse
from tests.transfer.refusals import numbers, refusal

FILE = "export.json"

TEA = {
    "id": "7b0c5a52-4d1e-4c6f-9d8a-2f1b3c4d5e6f",
    "memory": "Ana likes tea",
    "hash": "9a0364b9e99bb480dd25e1f0284c8555",
    "metadata": {"category": "drinks", "room": 4},
    "created_at": "2026-05-09T10:00:00.123456+00:00",
    "updated_at": "2026-05-10T10:00:00+00:00",
    "user_id": "ana",
    "run_id": "breakfast",
    "role": "user",
}
GATE = {"id": "a1", "memory": "大门是绿色的", "hash": None, "created_at": None, "updated_at": None, "user_id": "ben"}
LIVES = {"source": "ana_maria", "relationship": "lives_in", "target": "new_lisbon"}

ITEMS = [
    {
        "content": "Ana likes tea",
        "tags": ["drinks"],
        "type": "fact",
        "session": "breakfast",
        "at": TEA["created_at"],
        "source": "mem0",
        "ref": TEA["id"],
    },
    {"content": "大门是绿色的", "type": "fact", "session": "ben", "source": "mem0", "ref": "a1"},
]
SENTENCE = {
    "content": "ana maria lives in new lisbon",
    "key": "ana maria",
    "tags": ["relation"],
    "type": "fact",
    "session": "about ana maria",
    "source": "mem0",
}

Dumped = dict[str, Any] | list[Any]


def memories(text: str, name: str = FILE) -> list[dict[str, Any]]:
    """Return the memories of an export, each of which the memory accepts."""
    kind, items = parse(text, PurePath(name))
    assert kind == "mem0"
    for item in items:
        draft(item, 1_000)
    return items


def tags(**fields: object) -> list[str] | None:
    """Return the tags that a memory with some fields gets."""
    (item,) = memories(json.dumps([{"memory": "x", **fields}]))
    return item.get("tags")


@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "indented"])
@pytest.mark.parametrize(
    "whole",
    [
        {"results": [TEA, GATE]},
        {"results": [TEA, GATE], "relations": []},
        {"results": [TEA, GATE], "relations": None},
        {"count": 2, "next": None, "previous": None, "results": [TEA, GATE]},
        {"count": 9, "next": "https://example.org/?page=2", "previous": None, "results": [TEA, GATE]},
        [TEA, GATE],
    ],
    ids=["answer", "without relations", "relations unset", "last page", "first page", "list"],
)
def test_every_form_of_the_answer_gives_the_same_memories(whole: Dumped, indent: int | None) -> None:
    """With the ending .json or without one, as the whole file."""
    text = json.dumps(whole, indent=indent)
    assert memories(text) == memories("\ufeff" + text, "export") == memories(text, "export.jsonl") == ITEMS


def test_lines_give_the_same_memories() -> None:
    """One on each, blank ones between them."""
    assert memories(f"{json.dumps(TEA)}\r\n\n{json.dumps(GATE)}\n", "export.jsonl") == ITEMS
    assert memories(json.dumps(GATE)) == memories(json.dumps(GATE, indent=2)) == ITEMS[1:]


@pytest.mark.parametrize("text", ["[]", '{"results": []}', '{"results": [], "relations": []}'])
def test_an_empty_export_holds_no_memories(text: str) -> None:
    """It is no mistake to have remembered nothing yet."""
    assert memories(text) == []


@pytest.mark.parametrize("end", ["target", "destination"])
def test_a_relation_is_a_sentence_on_the_tape_of_its_subject(end: str) -> None:
    """Behind the memories. Its end has two names in mem0; underscores stand for blanks everywhere."""
    relation = {**{name: value for name, value in LIVES.items() if name != "target"}, end: LIVES["target"]}
    assert memories(json.dumps({"results": [TEA], "relations": [relation]})) == [ITEMS[0], SENTENCE]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"run_id": "r", "user_id": "u"}, "r"),
        ({"run_id": None, "user_id": "u"}, "u"),
        ({"run_id": "", "user_id": "u"}, "u"),
        ({"user_id": 42}, "42"),
        ({"user_id": 0}, "0"),
        ({"agent_id": "a"}, None),
    ],
)
def test_the_run_is_the_tape_or_else_the_user(fields: dict[str, Any], expected: str | None) -> None:
    """An agent is none: all its users would stand on one."""
    (item,) = memories(json.dumps([{"memory": "x", **fields}]))
    assert item.get("session") == expected


def test_categories_are_tags_wherever_they_are_kept() -> None:
    """The platform's own, and those in the metadata; each once, and only texts."""
    assert tags(categories=["food", "health"]) == ["food", "health"]
    assert tags(categories=["food"], metadata={"categories": ["food", "tea"], "category": "daily"}) == [
        "food",
        "tea",
        "daily",
    ]
    for nothing in (None, [], [""], ["food", 5], {"food": 1}, 5):
        assert tags(categories=nothing, metadata={"category": nothing}) is None
    assert tags(metadata=None) is tags(metadata=["food"]) is None


@pytest.mark.parametrize(
    "broken",
    [
        {name: value for name, value in TEA.items() if name != "memory"},
        {**TEA, "memory": None},
        {**TEA, "memory": " "},
        {**TEA, "memory": ["Ana likes tea"]},
        {**TEA, "id": ["7b"]},
        {**TEA, "user_id": 4.5, "run_id": None},
        {**TEA, "created_at": "at teatime"},
        {**TEA, "created_at": ["2026"]},
        "Ana likes tea",
        None,
    ],
    ids=repr,
)
def test_a_broken_memory_is_refused_with_its_number(broken: object) -> None:
    """Nothing is guessed, and nothing of the file is taken."""
    for whole in ([TEA, GATE, broken], {"results": [TEA, GATE, broken, TEA]}):
        assert numbers(refusal(json.dumps(whole), FILE), FILE) == [3]


@pytest.mark.parametrize("part", LIVES)
@pytest.mark.parametrize("value", [None, 5, "", ["ana"]], ids=repr)
def test_a_broken_relation_is_refused_with_its_number(part: str, value: object) -> None:
    """As in the MCP server's graph."""
    whole = {"results": [TEA, GATE], "relations": [LIVES, {**LIVES, part: value}]}
    assert numbers(refusal(json.dumps(whole), FILE), FILE) == [2]


@pytest.mark.parametrize("relations", [{"source": "ana"}, "ana", 5], ids=repr)
def test_relations_that_are_no_list_are_refused(relations: object) -> None:
    """The memories beside them as well."""
    refusal(json.dumps({"results": [TEA], "relations": relations}), FILE)


@pytest.mark.parametrize(
    "whole",
    [
        [{"content": "x"}],
        ["x"],
        [[TEA]],
        {"entities": [], "relations": []},
        {"results": {"memory": "x"}},
        {"content": "x", "key": "y"},
    ],
    ids=repr,
)
def test_other_json_is_refused_with_what_is_accepted(whole: Dumped) -> None:
    """Spread over lines, it is no JSON lines either."""
    hint = refusal(json.dumps(whole, indent=2), FILE).hint
    assert all(name in hint for name in ("JSON lines", "OpenClaw", "MCP", "mem0"))


def test_memories_among_others_are_refused() -> None:
    """A file is of one format, which its first line tells."""
    own = json.dumps({"content": "The gate is green"})
    assert numbers(refusal(f"{json.dumps(TEA)}\n{own}", FILE), FILE) == [2]
    assert numbers(refusal(f"{own}\n{json.dumps(TEA)}", FILE), FILE) == [2]
