"""Comments in Markdown: no text of a memory, but what OpenClaw says of one in them is understood."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import pytest

from ntm_memory_skill.transfer import parse

ACTIVE = "<!-- observed: 2026-07-27 | status: active -->"
SUPERSEDED = "<!-- observed: 2026-05-10 | status: superseded -->"


def memories(text: str) -> list[dict[str, Any]]:
    """Return the memories of a user model, without what its name gives them."""
    items = parse(text, PurePath("USER.md"))[1]
    return [{name: value for name, value in item.items() if name not in ("session", "source")} for item in items]


def contents(text: str) -> list[str]:
    """Return the text of each memory."""
    return [item["content"] for item in memories(text)]


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n \n\n", "\r\n\r\n"], ids=repr)
def test_a_directive_has_the_day_on_which_it_was_observed(gap: str) -> None:
    """The line above it says so; the next one has its own, or none."""
    text = gap.join(
        ["# Style", ACTIVE, "- Prefer tea", "- Prefer green gates", ACTIVE.replace("07-27", "07-28"), "Ask"]
    )
    assert memories(text) == [
        {"content": "Prefer tea", "key": "Style", "at": "2026-07-27"},
        {"content": "Prefer green gates", "key": "Style"},
        {"content": "Ask", "key": "Style", "at": "2026-07-28"},
    ]


def test_a_superseded_directive_is_left_out_and_its_replacement_is_taken() -> None:
    """All its lines, and no others."""
    text = f"{SUPERSEDED}\n\n- Prefer coffee\n  at all times\n\n{ACTIVE}\n\n- Prefer tea\n- Never gin"
    assert memories(text) == [{"content": "Prefer tea", "at": "2026-07-27"}, {"content": "Never gin"}]
    assert contents(f"- Prefer tea\n{SUPERSEDED}\n- Prefer coffee") == ["Prefer tea"]


def test_a_heading_parts_a_comment_from_what_follows() -> None:
    """It spoke of an entry that somebody took away."""
    assert memories(f"{SUPERSEDED}\n\n# Style\n\n- Prefer tea") == [{"content": "Prefer tea", "key": "Style"}]


def test_comments_behind_an_entry_are_its_own() -> None:
    """Importance is from 1 to 10; what triggers it and its project are OpenClaw's business."""
    text = (
        "- Keep the gate shut. <!-- trigger: gate, safety --> <!-- importance: 9 -->\n"
        "- Oil it\n  in May <!-- importance: 10 -->\n"
        "- Paint it <!-- project: example.org/gate -->\n"
    )
    assert memories(text) == [
        {"content": "Keep the gate shut.", "importance": 0.9},
        {"content": "Oil it\nin May", "importance": 1.0},
        {"content": "Paint it"},
    ]


@pytest.mark.parametrize(
    "note", ["importance: 0", "importance: 11", "importance: high", "observed: 2026-02-30", ":", "|"]
)
def test_a_comment_that_makes_no_sense_is_passed_over(note: str) -> None:
    """It says nothing of the memory, and is no part of it."""
    assert memories(f"- Prefer tea <!-- {note} -->") == [{"content": "Prefer tea"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one <!-- or two --> three", ["one three"]),
        ("<!-- marker:a1 -->\n- one\n<!---->\n- two", ["one", "two"]),
        ("- <!-- nothing -->\n- one", ["one"]),
        ("<!--\n- none\n\n# No heading\n```\n-->\n- one", ["one"]),
        ("<!-- a --> <!-- b\nc --> one", ["one"]),
        ("one <!-- never closed\n- two", ["one <!-- never closed", "two"]),
        ("<!-- never closed\n- two", ["<!-- never closed", "two"]),
        ("one -->\n<!-- two", ["one -->\n<!-- two"]),
        ("Write `<!-- status: superseded -->` above it", ["Write `<!-- status: superseded -->` above it"]),
        ("```\n<!-- status: superseded -->\n```", ["```\n<!-- status: superseded -->\n```"]),
    ],
)
def test_a_comment_is_no_text_and_all_else_is(text: str, expected: list[str]) -> None:
    """Code shows it to people; one that is never closed is none."""
    assert contents(text) == expected


@pytest.mark.parametrize("phase", ["light", "rem", "deep"])
def test_what_was_dreamt_is_left_out_of_a_day(phase: str) -> None:
    """OpenClaw may write it among what happened; without an end it is not known how much that is."""
    start, end = f"<!-- openclaw:dreaming:{phase}:start -->", f"<!-- openclaw:dreaming:{phase}:end -->"
    dreamt = "- Candidate: tea\n  - confidence: 0.62\n\n```\nnever closed\n"
    assert contents(f"- one\n\n## Sleep\n{start}\n{dreamt}{end}\n- two\n") == ["one", "two"]
    assert contents(f"- one\n{start}\n- two") == ["one", "two"]


@pytest.mark.parametrize("piece", ["`", "<!--", "-->", "<!---->", " ", "`a"])
def test_a_long_line_is_read_at_once(piece: str) -> None:
    """A pattern that tries every way to part it would not come to an end."""
    assert len(contents(f"one {piece * 20_000} two")) == 1
