"""A mistake is told in words: where it is, what was given, and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.config import CONFIG_SCHEMA, Violation, violations
from ntm_memory_skill.tools import TOOLS

SCHEMAS = [CONFIG_SCHEMA, *(spec.input_schema for spec in TOOLS.values())]
SCHEMA_WORDS = {"type", "anyOf", "const", "enum", "integer", "minimum", "exclusiveMinimum", "additionalProperties"}

GROUPS = CONFIG_SCHEMA["properties"]

names = st.sampled_from(sorted({*GROUPS, *GROUPS["ntm_memory"]["properties"]}))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


def the_one(value: object, schema: dict[str, Any]) -> Violation:
    """Return the only thing that is wrong."""
    (found,) = violations(value, schema)
    return found


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 16}, 17, ["whole number", "1", "16", "17"]),
        ({"type": "integer", "minimum": 1}, 0, ["whole number", "1", "0"]),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 5}, 0, ["above 0", "5"]),
        ({"type": "number", "exclusiveMinimum": 0}, -1, ["above 0", "-1"]),
        ({"type": "number", "minimum": 0, "maximum": 1}, "half", ["number", "0", "1", "'half'"]),
        ({"type": "boolean"}, 1, ["true", "false", "1"]),
        ({"type": "boolean"}, "true", ["true", "false", "'true'"]),
        ({"type": "string"}, True, ["text", "true"]),
        ({"type": "string", "minLength": 1}, "", ["characters", "1"]),
        ({"type": "string", "maxLength": 2}, "abc", ["characters", "0", "2", "'abc'"]),
        ({"type": "array", "maxItems": 2}, [1, 2, 3], ["list", "entries", "2"]),
        ({"type": "object"}, None, ["object", "null"]),
        ({"enum": ["small", "large", None]}, "medium", ["'small'", "'large'", "null", "'medium'"]),
        ({"const": "auto"}, "none", ["'auto'", "'none'"]),
        ({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 8, "maximum": 9}]}, 7, ["'auto' or", "8", "9"]),
    ],
)
def test_a_violation_says_what_is_allowed_and_what_was_given(
    schema: dict[str, Any], value: object, words: list[str]
) -> None:
    """In JSON's own true, false and null, and without the schema's vocabulary."""
    found = the_one(value, schema)
    assert found.path == ""
    assert not found.unknown
    assert all(word in found.problem for word in words)
    assert not SCHEMA_WORDS & set(found.problem.replace(",", " ").split())


def test_a_violation_names_its_place_with_dots_and_places_in_lists() -> None:
    """The way down from the value that was checked."""
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}
    assert the_one({"a": ["x", 5]}, schema).path == "a.1"


def test_an_unknown_name_is_marked_and_the_known_ones_are_listed() -> None:
    """Misspelt, most of the time."""
    found = the_one({"ntm_memory": {"memory_sise": 1}}, CONFIG_SCHEMA)
    assert found.path == "ntm_memory.memory_sise"
    assert found.unknown
    assert "memory_size" in found.problem


def test_each_unknown_name_is_a_violation_of_its_own() -> None:
    """The checker reports them as one; whoever mends them needs them apart."""
    found = violations({"b": 1, "a": 2, "encoder": {}}, CONFIG_SCHEMA)
    assert {(each.path, each.unknown) for each in found} == {("a", True), ("b", True)}


def test_a_missing_name_is_told() -> None:
    """At the object that lacks it; nothing there is unknown."""
    found = the_one({}, TOOLS["memorize"].input_schema)
    assert (found.path, found.unknown) == ("", False)
    assert "content" in found.problem


@pytest.mark.parametrize("name", ["\ud800", "\x1b[31m", "two\nlines"], ids=repr)
def test_an_unknown_name_that_cannot_be_shown_is_quoted(name: str) -> None:
    """Else the report itself could not be sent on, or would paint the reader's terminal."""
    found = the_one({name: 1}, CONFIG_SCHEMA)
    assert str(found).isprintable()
    assert str(found).encode()


def test_a_long_value_is_cut_short() -> None:
    """A report is no place for a whole document."""
    assert len(the_one({"encoder": "x" * 10_000}, CONFIG_SCHEMA).problem) < 200


def test_a_violation_reads_as_its_place_and_its_problem() -> None:
    """Without a place, as the problem alone."""
    assert str(Violation("a.b", "too large")) == "a.b: too large"
    assert str(Violation("", "too large")) == "too large"


@given(st.sampled_from(SCHEMAS), json_values | st.dictionaries(names, json_values))
@settings(deadline=None, max_examples=150)
def test_whatever_is_given_every_violation_can_be_told(schema: dict[str, Any], value: object) -> None:
    """No value makes the report itself fail, and none is told in an empty sentence."""
    for each in violations(value, schema):
        assert each.problem
        assert str(each).isprintable()
