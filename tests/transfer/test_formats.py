"""Which format a file is in, and what is refused because it is in none."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.transfer import FORMATS, parse
from tests.transfer.refusals import numbers, refusal

MEMORY = '{"content": "The gate is green"}\n'
ENTITY = '{"type": "entity", "name": "Ana", "entityType": "person", "observations": ["likes tea"]}\n'
RELATION = '{"type": "relation", "from": "Ana", "to": "Lisbon", "relationType": "lives_in"}\n'
MEM0 = '{"id": "a1", "memory": "Ana likes tea", "user_id": "ana"}'
SUFFIXES = [".md", ".MARKDOWN", ".jsonl", ".json", ".txt", ""]

any_text = st.text(st.characters(exclude_categories=()))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
graph_like = st.fixed_dictionaries(
    {"type": st.sampled_from(["entity", "relation"])},
    optional=dict.fromkeys(["name", "entityType", "observations", "from", "to", "relationType"], json_values),
)
json_lines = st.lists(graph_like | st.just({"content": "text"}) | json_values).map(
    lambda values: "\n".join(json.dumps(value) for value in values)
)
mem0_like = st.fixed_dictionaries(
    {"memory": st.just("text") | json_values},
    optional=dict.fromkeys(["id", "created_at", "user_id", "run_id", "metadata", "categories"], json_values),
)
documents = st.builds(
    json.dumps,
    json_values
    | st.lists(mem0_like | json_values, max_size=3)
    | st.fixed_dictionaries({"results": st.lists(mem0_like, max_size=3)}, optional={"relations": json_values}),
    indent=st.sampled_from([None, 2]),
)
markdown_like = st.lists(
    st.sampled_from(
        ["#", "##  ", "# a #", "-", "- ", "- [ ]", "- [x] a", "1. ", "2) b", "---", "```", "~~~", "a", "", "  "]
    )
).map("\n".join)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.jsonl", MEMORY, "jsonl"),
        ("a.json", MEMORY, "jsonl"),
        ("a.txt", MEMORY, "jsonl"),
        ("a", MEMORY, "jsonl"),
        ("a.jsonl", "", "jsonl"),
        ("a.jsonl", ENTITY + RELATION, "mcp-graph"),
        ("a.json", RELATION, "mcp-graph"),
        ("a.jsonl", ENTITY + MEMORY, None),
        ("a.json", f'{{"results": [{MEM0}]}}', "mem0"),
        ("a.txt", f"[\n{MEM0}\n]\n", "mem0"),
        ("a.jsonl", f"{MEM0}\n{MEM0}\n", "mem0"),
        ("a.jsonl", '{"content": "x", "memory": "y"}', "jsonl"),
        ("a.json", '[{"content": "x"}]', None),
        ("a.json", '{"memories": []}', None),
        ("a.json", f"[{MEM0}", None),
        ("a.jsonl", '{"content": "x", "type": "entity"}', "jsonl"),
        ("a.md", "- x", "markdown"),
        ("a.markdown", "- x", "markdown"),
        ("A.MD", "- x", "markdown"),
        ("a.md", MEMORY, "markdown"),
        ("a.jsonl", "- x", None),
        ("a.md.jsonl", "- x", None),
    ],
)
def test_a_format_is_told_by_the_ending_or_by_what_is_inside(name: str, text: str, expected: str | None) -> None:
    """Markdown by its ending; mem0 and a graph by their objects; else JSON lines, or nothing."""
    if expected is None:
        refusal(text, name)
        return
    assert parse(text, PurePath(name))[0] == expected
    assert expected in FORMATS


@pytest.mark.parametrize("name", ["memories.jsonl", "memories.md"])
def test_a_file_with_a_nul_is_no_text(name: str) -> None:
    """Such as a picture, or UTF-16."""
    refusal("The gate\x00is green", name)


@pytest.mark.parametrize(
    "broken", ["{", "{'content': 'x'}", "content", '{"content": NaN}', '{"content": "\ud800"}', "[" * 5_000]
)
def test_invalid_json_is_refused_with_its_line(broken: str) -> None:
    """Counting from 1, blank lines included, as an editor does."""
    for above in (0, 1, 4):
        assert numbers(refusal(f"{MEMORY}\n" * above + broken)) == [2 * above + 1]


@pytest.mark.parametrize("value", ["[]", '"content"', "5", "null", "true"])
def test_json_that_is_no_object_is_refused_with_its_line(value: str) -> None:
    """One memory a line, not a list of them."""
    assert numbers(refusal(MEMORY + value)) == [2]


def test_an_object_without_content_is_refused_with_its_number() -> None:
    """Blank lines are not counted: it is the third memory."""
    assert numbers(refusal(f'{MEMORY}\n\n{MEMORY}{{"text": "x"}}')) == [3]


@pytest.mark.parametrize("text", ["", "\n\n", " \n\t\n", "\ufeff", "\ufeff\n"], ids=repr)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file_holds_no_memories(text: str, suffix: str) -> None:
    """It is no mistake to have written nothing yet."""
    assert parse(text, PurePath(f"a{suffix}"))[1] == []


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=repr)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["bare", "BOM"])
def test_line_ends_and_byte_order_marks_do_not_matter(mark: str, end: str) -> None:
    """Windows writes both."""
    lines = mark + end.join([MEMORY.strip(), "", '{"content": "second", "key": "k"}', ""])
    assert parse(lines, PurePath("a.jsonl"))[1] == [
        {"content": "The gate is green"},
        {"content": "second", "key": "k"},
    ]


@given(any_text | json_lines | documents | markdown_like, st.sampled_from(SUFFIXES))
@settings(deadline=None, max_examples=300)
def test_whatever_a_file_holds_it_is_parsed_or_refused(text: str, suffix: str) -> None:
    """Nothing else comes out, and what is parsed is memories with something to store."""
    try:
        kind, items = parse(text, PurePath(f"a{suffix}"))
    except ImportRefused:
        return
    assert kind in FORMATS
    assert all("content" in item for item in items)


@given(any_text | markdown_like)
@settings(deadline=None, max_examples=200)
def test_markdown_is_never_refused_but_for_a_nul(text: str) -> None:
    """Any text is Markdown. No memory is blank, and no key is blank or too long to be stored."""
    items: list[dict[str, Any]] = parse(text.replace("\x00", ""), PurePath("a.md"))[1]
    for item in items:
        assert item["content"].strip()
        assert item.get("key", "key").strip()
        assert len(item.get("key", "")) <= 256
