"""OpenClaw's Markdown memory: lists and paragraphs under headings, one file a day or one for what lasts.

Each list item and each paragraph becomes a memory, named by the heading that it stands under. A file is one tape; one
that is named for a day (2026-05-09.md) gives its memories that day. What OpenClaw says of a memory in comments, on its
lines or above it, is understood where it says what the memory is worth: `importance: 9` (of 10), and of a directive in
USER.md `observed: 2026-07-27 | status: active`. What is superseded is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from pathlib import PurePath

from ntm_memory_skill.model import Record
from ntm_memory_skill.transfer.comments import Line, spoken
from ntm_memory_skill.transfer.items import Item

NAME_LIMIT = 256  # characters of a key, session or source

_HEADING = re.compile(r"#{1,6}(?:\s(?P<title>.*))?$")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)](?=\s+\S))(?:\s+\[[ xX]\])?(?:\s+(?P<text>\S.*)|\s*)$")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})")
_IMPORTANCE = re.compile(r"[1-9]|10")
_RULE = re.compile(r"\s*([-*_])(\s*\1){2,}\s*$")


def parse(text: str, path: PurePath) -> list[Item]:
    """Return the memories of a Markdown file, in their order."""
    place = _place(path)
    common: Item = {"session": place.with_suffix("").as_posix()[-NAME_LIMIT:], "source": place.as_posix()[-NAME_LIMIT:]}
    day = _day(path.stem)
    if day is not None:
        common["at"] = day
    items: list[Item] = []
    for title, content, notes in _blocks(spoken(_without_front_matter(text.removeprefix("\ufeff").splitlines()))):
        said = _fields(notes)
        if said.get("status") != "superseded":
            named = {} if title is None else {"key": title[:NAME_LIMIT]}
            items.append({"content": content, **common, **named, **_worth(said)})
    return items


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


def _blocks(lines: Iterable[Line]) -> Iterator[tuple[str | None, str, list[str]]]:
    """Yield (heading, text, comments) for each item and paragraph; comments above it are its own."""
    title: str | None = None
    block: list[str] = []
    notes: list[str] = []
    for line in lines:
        text = line.text
        heading, item = (None, None) if line.code else (_HEADING.match(text), _ITEM.match(text))
        rule = not line.code and _RULE.match(text)
        if block and not line.code and (not text.strip() or heading or item or rule):
            yield title, "\n".join(block), notes
            block, notes = [], []
        if heading:
            title, notes = _title(heading["title"] or ""), []
        elif item and not rule:
            block = [] if item["text"] is None else [item["text"].rstrip()]
        elif line.code:
            block.append(text.rstrip())
        elif text.strip() and not rule:
            block.append(text.strip())
        notes.extend(line.notes)
    if block:
        yield title, "\n".join(block).rstrip("\n"), notes


def _fields(notes: Iterable[str]) -> dict[str, str]:
    """Return what comments of the form `name: value | name: value` say."""
    parts = [part.partition(":") for note in notes for part in note.split("|")]
    return {name.strip().lower(): value.strip() for name, _, value in parts}


def _worth(said: Mapping[str, str]) -> Item:
    """Return the time and the importance that comments give a memory, as far as they make sense."""
    observed, importance = _day(said.get("observed", "")), said.get("importance", "")
    worth: Item = {} if observed is None else {"at": observed}
    if _IMPORTANCE.fullmatch(importance):
        worth["importance"] = int(importance) / 10
    return worth


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


def _place(path: PurePath) -> PurePath:
    """Return a file's name, or where it lies below memory/: each program whose memory was copied has a MEMORY.md."""
    for above in path.parents:
        if (above.parent.name, above.name) == ("memory", "imports"):
            return path.relative_to(above.parent)
    return PurePath(path.name)


def _day(stem: str) -> str | None:
    """Return the day that a file is named for, or None."""
    found = _DAY.search(stem)
    if found is None:
        return None
    try:
        return date.fromisoformat(found[1]).isoformat()
    except ValueError:
        return None
