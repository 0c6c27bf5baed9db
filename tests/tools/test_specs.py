"""What is published about the tools is true: schemas that validate, examples that work, annotations that hold."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.engine.validation import FIELDS
from ntm_memory_skill.tools import TOOLS, ToolSpec
from tests.tools.calls import JSON, done, everything, noted

FIRST, SECOND = "{first}", "{second}"
"""Stand for the ids of the two memories that are there before an example."""

EXAMPLES: list[tuple[str, JSON]] = [
    ("memorize", {"content": "The launch moved to 9 May"}),
    (
        "memorize",
        {
            "content": "Ana lives in Lisbon",
            "key": "where Ana lives",
            "importance": 1,
            "tags": ["people", "travel"],
            "type": "fact",
            "session": "standup",
            "at": "2026-05-09T14:30:00+02:00",
            "source": "Ana",
            "ref": "msg-17",
            "supersedes": FIRST,
            "valid_until": "2027-01-01",
            "pinned": True,
            "force": True,
        },
    ),
    ("recall", {"query": "the garden gate"}),
    (
        "recall",
        {
            "query": "gate",
            "key": "gate colour",
            "session": "standup",
            "budget": 1,
            "mode": "temporal",
            "hops": 4,
            "backend": "crossbar",
            "include_superseded": True,
            "include_forgotten": True,
            "context": 10,
            "explain": True,
        },
    ),
    ("search", {"query": "the garden gate"}),
    (
        "search",
        {
            "query": "the garden gate",
            "top_k": 1000,
            "filters": {
                "tags": [],
                "type": "note",
                "session": "standup",
                "since": "2026-01-01",
                "until": "2026-05-09T14:30:00Z",
                "as_of": "2026-05-09 14:30",
                "include_superseded": False,
                "include_forgotten": True,
            },
            "mode": "semantic",
            "hops": 1,
            "backend": "dense",
            "context": 0,
            "explain": False,
        },
    ),
    (
        "update",
        {"id": FIRST, "content": "new", "importance": 0, "tags": ["a"], "pinned": True, "reason": "it was wrong"},
    ),
    ("erase", {"id": FIRST, "reason": "asked to"}),
    ("erase", {"ids": [FIRST, SECOND], "strength": 0.5}),
    ("erase", {"query": "gate colour", "purge": True}),
]


def filled_in(value: Any, names: dict[str, str]) -> Any:
    """Return an example with real ids."""
    if isinstance(value, dict):
        return {name: filled_in(part, names) for name, part in value.items()}
    if isinstance(value, list):
        return [filled_in(part, names) for part in value]
    return names.get(value, value) if isinstance(value, str) else value


def prepared(memory: NTMMemoryManager, arguments: JSON) -> JSON:
    """Store the two memories that examples speak of, and return an example's arguments with their ids."""
    first = noted(memory, "The garden gate is green", key="gate colour", session="standup")
    second = noted(memory, "The letter box is red")
    return {name: filled_in(value, {FIRST: first, SECOND: second}) for name, value in arguments.items()}


def test_there_are_five_tools_under_their_own_names() -> None:
    """In the order in which an agent reads them."""
    assert list(TOOLS) == ["memorize", "recall", "search", "update", "erase"]
    assert [spec.name for spec in TOOLS.values()] == list(TOOLS)


@pytest.mark.parametrize("spec", TOOLS.values(), ids=list(TOOLS))
def test_a_schema_is_json_schema_and_takes_nothing_unnamed(spec: ToolSpec) -> None:
    """Draft 2020-12, as MCP asks; every property is explained, and what is required exists."""
    Draft202012Validator.check_schema(spec.input_schema)
    assert spec.input_schema["additionalProperties"] is False
    assert set(spec.required) <= spec.properties.keys()
    assert all(part["description"] for part in spec.properties.values())
    assert spec.title
    assert spec.description


def test_memorize_takes_every_field_of_a_memory_but_its_id() -> None:
    """Ids are given, not chosen; only an import brings them along. And it can be told to store what is known."""
    assert TOOLS["memorize"].properties.keys() == (set(FIELDS) - {"id"}) | {"force"}


def test_the_examples_below_use_every_argument() -> None:
    """Else an argument would be published that no test ever gave."""
    for name, spec in TOOLS.items():
        assert {argument for tool, arguments in EXAMPLES if tool == name for argument in arguments} == set(
            spec.properties
        )


@pytest.mark.parametrize(("tool", "arguments"), EXAMPLES)
def test_an_example_is_accepted_by_the_schema_and_by_the_tool(
    tool: str, arguments: JSON, memory: NTMMemoryManager
) -> None:
    """The published schema and the tool's own checks agree."""
    arguments = prepared(memory, arguments)
    Draft202012Validator(TOOLS[tool].input_schema).validate(arguments)
    done(memory, tool, **arguments)


def test_the_time_in_the_description_is_accepted(memory: NTMMemoryManager) -> None:
    """A model copies what it is shown."""
    shown = re.findall(r"\d{4}-\d{2}-\d{2}T[\d:+]+", TOOLS["memorize"].properties["at"]["description"])
    assert shown
    for at in shown:
        noted(memory, "An appointment", at=at)


@pytest.mark.parametrize(("tool", "arguments"), [example for example in EXAMPLES if TOOLS[example[0]].read_only])
def test_a_tool_that_is_called_read_only_changes_nothing(tool: str, arguments: JSON, memory: NTMMemoryManager) -> None:
    """Hosts let an agent call it unasked."""
    arguments = prepared(memory, arguments)
    before = everything(memory)
    done(memory, tool, **arguments)
    assert everything(memory) == before


@pytest.mark.parametrize(
    ("tool", "arguments"), [example for example in EXAMPLES if not TOOLS[example[0]].destructive], ids=repr
)
def test_a_tool_that_is_not_called_destructive_takes_no_text_away(
    tool: str, arguments: JSON, memory: NTMMemoryManager
) -> None:
    """Every text that was there is there still, if only as an earlier version."""
    arguments = prepared(memory, arguments)
    before = {record.content for record in memory.state.records.values()}
    done(memory, tool, **arguments)
    kept = {record.content for record in memory.state.records.values()}
    kept |= {version.content for record in memory.state.records.values() for version in record.versions}
    assert before <= kept


def test_erase_alone_is_destructive_and_two_tools_only_read() -> None:
    """What the two tests above stand on."""
    assert {name for name, spec in TOOLS.items() if spec.destructive} == {"erase"}
    assert {name for name, spec in TOOLS.items() if spec.read_only} == {"recall", "search"}
    assert {name for name, spec in TOOLS.items() if spec.idempotent} == {"recall", "search"}
