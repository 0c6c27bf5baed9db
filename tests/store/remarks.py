"""Feedback, and memories to keep it beside, for the tests of it."""

from __future__ import annotations

from pathlib import Path

from ntm_memory_skill.model import HOWS, Feedback
from ntm_memory_skill.store import DirectoryStore
from tests.store.builders import commit, compact, ident, memorized, moment, open_store

NAME = "ntm_memory.feedback.jsonl"
KEPT = 5


GOOD = {"query": "q", "ids": ["m001"], "used": "m001", "how": "use", "at": "2026-01-01T00:00:00+00:00"}
"""A line that is ours, as JSON says it."""


def remark(number: int, query: str | None = None, *given: str) -> Feedback:
    """Return a piece of feedback that no other number has; the last of what was given was of use."""
    ids = given or (ident(1), ident(0))
    text = f"question {number}" if query is None else query
    return Feedback(query=text, ids=ids, used=ids[-1], how=HOWS[number % len(HOWS)], at=moment(number))


def keep(store: DirectoryStore, *remarks: Feedback) -> None:
    """Keep feedback in a transaction."""
    with store.transaction():
        for each in remarks:
            store.keep_feedback(each)


def history(path: Path, passphrase: str | None = None) -> DirectoryStore:
    """Leave a memory of two, folded once."""
    store = open_store(path, passphrase=passphrase)
    commit(store, memorized(0), memorized(1))
    compact(store)
    return store


def lines_of(path: Path) -> list[bytes]:
    """Return the lines of the file."""
    return path.with_name(NAME).read_bytes().splitlines()
