"""The Markdown that people get: a heading a chat, an item a memory, in the order of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

from ntm_memory_skill import Record
from ntm_memory_skill.transfer import parse, to_markdown

START = datetime(2026, 5, 9, 12, tzinfo=UTC)


def record(number: int, content: str, session: str | None = None, key: str | None = None) -> Record:
    """Return a memory of some hours after the start."""
    return Record(
        id=f"m{number}",
        slot=number,
        ordinal=number,
        content=content,
        created=START,
        at=START + timedelta(hours=number),
        session=session,
        key=key,
    )


def document(*kept: Record) -> str:
    """Return the document that memories make."""
    return "".join(to_markdown(kept))


def test_memories_stand_under_their_chat_in_the_order_of_time() -> None:
    """Whatever order they were handed over in; equal times by what was written first."""
    kept = [
        record(3, "third", "b"),
        record(1, "first", "b", key="name"),
        record(2, "second", "a"),
        record(4, "fourth"),
    ]
    later = replace(record(9, "after"), at=kept[3].at)
    assert document(later, *kept) == (
        "# Memories\n"
        "\n## Without a session\n\n- 2026-05-09 16:00 fourth\n- 2026-05-09 16:00 after\n"
        "\n## a\n\n- 2026-05-09 14:00 second\n"
        "\n## b\n\n- 2026-05-09 13:00 **name**: first\n- 2026-05-09 15:00 third\n"
    )


def test_the_lines_of_a_memory_stay_together() -> None:
    """Indented, so that a reader of Markdown keeps them in the item."""
    assert document(record(1, "one\ntwo", "a")).endswith("- 2026-05-09 13:00 one\n  two\n")


def test_without_memories_there_is_a_title_alone() -> None:
    """And it reads back as nothing."""
    assert document() == "# Memories\n"
    assert parse(document(), PurePath("a.md"))[1] == []


def test_a_document_reads_back_with_each_text_once() -> None:
    """For people first; ids and fields are what JSON lines are for."""
    items = parse(
        document(record(1, "first", "a"), record(2, "second", "a"), record(3, "third", "b")), PurePath("a.md")
    )[1]
    assert [item["key"] for item in items] == ["a", "a", "b"]
    assert [item["content"].split()[-1] for item in items] == ["first", "second", "third"]
