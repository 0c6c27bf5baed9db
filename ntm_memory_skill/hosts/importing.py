"""Bringing other memories in, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ntm_memory_skill.engine import NTMMemoryManager
from ntm_memory_skill.engine.progress import bar
from ntm_memory_skill.engine.validation import optional_moment
from ntm_memory_skill.hosts.compose import Imported
from ntm_memory_skill.model import Record
from ntm_memory_skill.transfer import Item

BATCH = 500  # memories a transaction: an import that is broken off keeps what it had, and goes on from there

Sameness = tuple[str, str | None, str | None, datetime | None]
"""What makes two memories the same for an import: content, key, session, and the time if the file gives one."""


def bring_in(memory: NTMMemoryManager, offered: Imported, *, progress: bool | None) -> dict[str, Any]:
    """Store what is not there yet, and report. Doing it twice takes nothing the second time.

    Raises:
        InputError: A memory in the file is not acceptable. What came before its batch is stored; mend it and repeat.
    """
    new = _not_there(memory, offered.items)
    with bar(f"importing {offered.path.name}", progress) as advance:
        for start in range(0, len(new), BATCH):
            memory.memorize_many(new[start : start + BATCH], progress=False)
            if advance is not None:
                advance(min(start + BATCH, len(new)), len(new))
    return {
        "file": str(offered.path),
        "format": offered.format,
        "taken": len(new),
        "skipped": len(offered.items) - len(new),
    }


def _not_there(memory: NTMMemoryManager, items: tuple[Item, ...]) -> list[Item]:
    state = memory.state
    known = {same for record in state.records.values() for same in _samenesses(record)}
    new: list[Item] = []
    ids: set[str] = set(state.records)
    for item in items:
        if not all(isinstance(item.get(name), str | None) for name in ("content", "key", "session", "supersedes")):
            new.append(item)  # it cannot be compared with anything: memorize refuses it, and says why
            continue
        same = _sameness(item)
        ident = item.get("id")
        if same in known or (isinstance(ident, str) and state.knows(ident)):
            continue
        # What it replaced was erased before the export, or is not part of the file: nothing is left to point to.
        dangling = "supersedes" in item and item["supersedes"] not in ids
        known.add(same)
        if isinstance(ident, str):
            ids.add(ident)
        new.append({name: value for name, value in item.items() if not (dangling and name == "supersedes")})
    return new


def _sameness(item: Item) -> Sameness:
    return (item["content"], item.get("key"), item.get("session"), optional_moment("at", item.get("at")))


def _samenesses(record: Record) -> tuple[Sameness, Sameness]:
    """Return a memory's sameness with its time and without, for files that give none."""
    common = (record.content, record.key, record.session)
    return (*common, record.at), (*common, None)
