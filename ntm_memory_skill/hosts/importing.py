"""Bringing other memories in, once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ntm_memory_skill.engine import NTMMemoryManager
from ntm_memory_skill.engine.progress import bar
from ntm_memory_skill.engine.validation import draft, optional_moment
from ntm_memory_skill.errors import InputError, InvalidArgument
from ntm_memory_skill.hosts.compose import Imported
from ntm_memory_skill.model import Record
from ntm_memory_skill.transfer import Item

BATCH = 500  # memories a transaction: an import that is broken off keeps what it had, and goes on from there

Sameness = tuple[str, str | None, str | None, datetime | None]
"""What makes two memories the same for an import: content, key, session, and the time if the file gives one."""

Numbered = list[tuple[int, Item]]
"""Memories with their places in a file, from 1."""


@dataclass(frozen=True, slots=True)
class Known:
    """The memories that an import does not take again."""

    before: frozenset[Sameness]
    """Those of the memory, before the import."""
    said: set[Sameness] = field(default_factory=set)
    """Those that the import has come across since."""


def bring_in(memory: NTMMemoryManager, offered: Iterable[Imported], *, progress: bool | None) -> list[dict[str, Any]]:
    """Store what is not there yet, and report on each file. Doing it twice takes nothing the second time.

    Every memory offered is counted once: as taken; as merged, if the same was said before in these files; or as
    skipped, if it was in the memory already.

    Raises:
        InputError: A memory in a file is not acceptable. What came before its batch is stored; mend it and repeat.
    """
    known = Known(frozenset(same for record in list(memory.state.remembered()) for same in _samenesses(record)))
    return [_bring_in_one(memory, each, known, progress) for each in offered]


def _bring_in_one(memory: NTMMemoryManager, offered: Imported, known: Known, progress: bool | None) -> dict[str, Any]:
    new, merged = _sifted(memory, offered.items, known)
    with bar(f"importing {offered.path.name}", progress) as advance:
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            _check(memory, batch, offered.path.name)
            memory.memorize_many([item for _, item in batch], progress=False)
            if advance is not None:
                advance(start + len(batch), len(new))
    return {
        "file": str(offered.path),
        "format": offered.format,
        "taken": len(new),
        "merged": merged,
        "skipped": len(offered.items) - len(new) - merged,
    }


def _sifted(memory: NTMMemoryManager, items: Iterable[Item], known: Known) -> tuple[Numbered, int]:
    """Return the memories of a file that are new, and how many of the others the import has met itself."""
    state = memory.state
    new: Numbered = []
    merged = 0
    ids: set[str] = set(state.records)
    for number, item in enumerate(items, 1):
        same = _sameness(item)
        if same is None:
            new.append((number, item))
            continue
        ident = item.get("id")
        if same in known.said and same not in known.before:
            merged += 1
            continue
        if same in known.before or (isinstance(ident, str) and state.knows(ident)):
            continue
        # What it replaced was erased before the export, or is not part of the file: nothing is left to point to.
        dangling = "supersedes" in item and item["supersedes"] not in ids
        known.said.update((same, (*same[:3], None)))  # one that gives no time later on means this one
        if isinstance(ident, str):
            ids.add(ident)
        new.append((number, {name: value for name, value in item.items() if not (dangling and name == "supersedes")}))
    return new, merged


def _check(memory: NTMMemoryManager, batch: Numbered, name: str) -> None:
    """Let a memory that is not acceptable be named by its file and its place there."""
    for number, item in batch:
        try:
            draft(item, memory.settings.content_limit)
        except InputError as error:
            raise type(error)(f"{name}, memory {number}: {error.message}", hint=error.hint) from error


def _sameness(item: Item) -> Sameness | None:
    """Return what an item is compared by, or None where it is of the wrong type: it is refused once it is stored."""
    if not all(isinstance(item.get(name), str | None) for name in ("content", "key", "session", "supersedes")):
        return None
    try:
        return (item["content"], item.get("key"), item.get("session"), optional_moment("at", item.get("at")))
    except InvalidArgument:
        return None


def _samenesses(record: Record) -> tuple[Sameness, Sameness]:
    """Return a memory's sameness with its time and without, for files that give none."""
    common = (record.content, record.key, record.session)
    return (*common, record.at), (*common, None)
