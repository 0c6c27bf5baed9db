"""OpenClaw's Markdown memory: lists and paragraphs under headings, one file a day or one for what lasts.

Each list item and each paragraph becomes a memory, named by the heading that it stands under. A file is one tape; one
that is named for a day (2026-05-09.md) gives its memories that day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from pathlib import PurePath

from ntm_memory_skill.model import Record
from ntm_memory_skill.transfer.items import Item

KEY_LIMIT = 256

_HEADING = re.compile(r"#{1,6}(?:\s(?P<title>.*))?$")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)](?=\s+\S))(?:\s+\[[ xX]\])?(?:\s+(?P<text>\S.*)|\s*)$")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})")
_FENCE = re.compile(r"\s*(?P<fence>`{3,}(?=[^`]*$)|~{3,})")
_RULE = re.compile(r"\s*([-*_])(\s*\1){2,}\s*$")


def parse(text: str, path: PurePath) -> list[Item]:
    """Return the memories of a Markdown file, in their order."""
    common: Item = {"session": path.stem, "source": path.name}
    day = _day(path.stem)
    if day is not None:
        common["at"] = day
    return [
        {"content": content, **common, **({} if title is None else {"key": title[:KEY_LIMIT]})}
        for title, content in _blocks(_without_front_matter(text.removeprefix("\ufeff").splitlines()))
    ]


def to_markdown(records: Iterable[Record]) -> Iterator[str]:
    """Yield the lines of a document for people: a heading a chat, a list item a memory, in the order of time."""
    ordered = sorted(records, key=lambda record: (record.session or "", record.at, record.ordinal))
    yield "# Memories\n"
    for session, group in groupby(ordered, key=lambda record: record.session):
        yield f"\n## {session or 'Without a session'}\n\n"
        for record in group:
            lines = record.content.splitlines() or [""]
            named = f"**{record.key}**: " if record.key else ""
            yield f"- {record.at:%Y-%m-%d %H:%M} {named}{lines[0]}\n"
            yield from (f"  {line}\n" for line in lines[1:])


def _blocks(lines: Iterable[str]) -> Iterator[tuple[str | None, str]]:
    """Yield (heading, text) for each item and paragraph."""
    title: str | None = None
    block: list[str] = []
    fence = ""  # what the block of code began with, while inside one
    for line in [*lines, ""]:
        opening = None if fence else _FENCE.match(line)
        code = bool(fence or opening)  # a fence's own lines are part of it
        if opening:
            fence = opening["fence"]
        elif fence and line.strip().startswith(fence) and set(line.strip()) == set(fence):
            fence = ""
        heading, item = (None, None) if code else (_HEADING.match(line), _ITEM.match(line))
        starts_anew = not code and (not line.strip() or heading or item or _RULE.match(line))
        if starts_anew and block:
            yield title, "\n".join(block)
            block = []
        if heading:
            title = _title(heading["title"] or "")
        elif item and not _RULE.match(line):
            block = [] if item["text"] is None else [item["text"].rstrip()]
        elif code:
            block.append(line.rstrip())
        elif line.strip() and not _RULE.match(line):
            block.append(line.strip())
    if block:  # a fence that is never closed
        yield title, "\n".join(block).rstrip("\n")


def _title(text: str) -> str | None:
    """Return a heading's text without the signs that may close it, or None where nothing is left."""
    whole = text.strip()
    bare = whole.rstrip("#")
    closed = not bare or bare[-1].isspace()  # the sign in "C#" closes nothing
    return (bare.rstrip() if closed else whole) or None


def _without_front_matter(lines: list[str]) -> list[str]:
    if lines and lines[0].strip() == "---" and "---" in (line.strip() for line in lines[1:]):
        end = next(number for number, line in enumerate(lines[1:], 1) if line.strip() == "---")
        return lines[end + 1 :]
    return lines


def _day(stem: str) -> str | None:
    """Return the day that a file is named for, or None."""
    found = _DAY.search(stem)
    if found is None:
        return None
    try:
        return date.fromisoformat(found[1]).isoformat()
    except ValueError:
        return None
