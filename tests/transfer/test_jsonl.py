"""JSON lines: what is written out reads back the same, one memory a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import Record
from ntm_memory_skill.engine.validation import FIELDS
from ntm_memory_skill.transfer import parse, to_jsonl

NOON = datetime(2026, 5, 9, 12, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("\t\n\r\u2028\u2029"), min_size=1)
names = st.none() | texts
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Return a memory with any fields."""
    moment = draw(st.datetimes(timezones=zones))
    return Record(
        id=draw(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)),
        slot=draw(st.integers(0, 99)),
        ordinal=draw(st.integers(0, 99)),
        content=draw(texts),
        created=NOON,
        at=moment,
        key=draw(names),
        importance=draw(st.floats(0, 1)),
        tags=tuple(draw(st.lists(texts, max_size=3))),
        type=draw(texts),
        session=draw(names),
        source=draw(names),
        ref=draw(names),
        supersedes=draw(names),
        valid_until=draw(st.none() | st.datetimes(timezones=zones)),
        pinned=draw(st.booleans()),
    )


def read_back(kept: list[Record]) -> list[dict[str, Any]]:
    """Return what an export of memories holds."""
    kind, items = parse("".join(to_jsonl(kept)), PurePath("export.jsonl"))
    assert kind == "jsonl"
    return items


@given(st.lists(records(), max_size=4))
@settings(deadline=None, max_examples=100)
def test_every_field_of_memorize_reads_back_as_it_was(kept: list[Record]) -> None:
    """And the id; a field that is not set is left out."""
    for record, item in zip(kept, read_back(kept), strict=True):
        assert item.keys() <= set(FIELDS)
        for name in FIELDS:
            value = getattr(record, name)
            if value is None or value == () or value is False:
                assert name not in item
            elif isinstance(value, datetime):
                assert datetime.fromisoformat(item[name]) == value
            else:
                assert item[name] == (list(value) if name == "tags" else value)


def test_what_was_superseded_is_told_by_what_holds_in_its_place() -> None:
    """A mark that nobody made by hand comes back as one that somebody did."""
    old, new = (
        Record(id=ident, slot=slot, ordinal=slot, content=ident, created=NOON, at=NOON, superseded_by=by)
        for slot, (ident, by) in enumerate([("old", "new"), ("new", None)])
    )
    assert [item.get("supersedes") for item in read_back([old, new])] == [None, "old"]


@given(st.lists(records(), max_size=4))
@settings(deadline=None, max_examples=50)
def test_each_line_is_one_memory_for_any_reader_of_json(kept: list[Record]) -> None:
    """Split at line feeds alone: a separator of Unicode inside a text is no end of a line."""
    lines = "".join(to_jsonl(kept)).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["id"] for line in lines] == [record.id for record in kept]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"], ids=repr)
def test_a_separator_inside_a_string_ends_no_line(separator: str) -> None:
    """Python's own idea of lines is wider than that of JSON lines."""
    text = json.dumps({"content": f"one{separator}two"}, ensure_ascii=False)
    assert parse(text, PurePath("a.jsonl"))[1] == [{"content": f"one{separator}two"}]


def test_a_memory_with_nothing_but_its_text_has_a_short_line() -> None:
    """A file for people to read as well."""
    record = Record(id="m1", slot=0, ordinal=0, content="The gate is 绿色", created=NOON, at=NOON)
    assert list(to_jsonl([record])) == [
        '{"id":"m1","content":"The gate is 绿色","importance":0.5,"type":"note","at":"2026-05-09T12:00:00+00:00"}\n'
    ]


def test_a_field_that_memories_do_not_have_is_left_for_the_memory_to_refuse() -> None:
    """Whoever stores it says so, with the number of the memory."""
    assert parse('{"content": "x", "colour": "red"}', PurePath("a.jsonl"))[1] == [{"content": "x", "colour": "red"}]
