"""Records, events and stores for the tests of this room, built without the engine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ntm_memory_skill.model import EncoderIdentity, Erased, Event, Faded, Memorized, Purged, Record, Updated
from ntm_memory_skill.store import Changes, DirectoryStore, State, Store, StoreSettings
from ntm_memory_skill.store.fs import FileSystem
from tests.conftest import EPOCH, ticking_clock

DIMENSION = 4
IDENTITY = EncoderIdentity(name="hashed", revision="1", dimension=DIMENSION)
OTHER_IDENTITY = EncoderIdentity(name="hashed", revision="2", dimension=DIMENSION)


def moment(seconds: int) -> datetime:
    """Return a time so many seconds after the epoch of the tests."""
    return EPOCH + timedelta(seconds=seconds)


def ident(number: int) -> str:
    """Return the id of the memory with a number."""
    return f"m{number:03d}"


def row(number: int, dimension: int = DIMENSION) -> bytes:
    """Return a key row that no other number has."""
    return np.full(dimension, number, dtype="<f4").tobytes()


def record(number: int, **fields: Any) -> Record:
    """Return a memory with a number: its id, slot, ordinal and content follow from it."""
    given: dict[str, Any] = {
        "id": ident(number),
        "slot": number,
        "ordinal": number,
        "content": f"memory number {number}",
        "created": moment(number),
        "at": moment(number),
    }
    return Record(**{**given, **fields})


def memorized(number: int, **fields: Any) -> Memorized:
    """Return the writing of the memory with a number."""
    return Memorized(record(number, **fields), row(number))


def eventful() -> list[list[Event]]:
    """Return transactions in which everything happens that can: each list is one commit."""
    return [
        [memorized(0), memorized(1, tags=("a", "b"), session="chat"), memorized(2)],
        [Updated(ident(0), moment(10), content="你好，世界 🌍", reason="greeted", key_row=row(10))],
        [Updated(ident(0), moment(11), importance=0.0, tags=("greeting",))],
        [Faded(ident(1), moment(12), 0.25)],
        [memorized(3, supersedes=ident(1)), memorized(4)],
        [Erased(ident(2), moment(13), "outdated")],
        [Erased(ident(4), moment(14)), Purged(ident(4), moment(14))],
    ]


def folded(transactions: Iterable[Iterable[Event]]) -> State:
    """Return the state that transactions amount to, one `apply` at a time."""
    state = State()
    for events in transactions:
        for event in events:
            state.apply(event)
    return state


def open_store(path: Path, fs: FileSystem | None = None, *, lock_timeout: float = 10.0) -> DirectoryStore:
    """Open the store at a path as a process of its own would."""
    return DirectoryStore(path, clock=ticking_clock(), settings=StoreSettings(lock_timeout=lock_timeout), fs=fs)


def commit(store: Store, *events: Event) -> Changes:
    """Commit one transaction, and return what came to light at its beginning."""
    with store.transaction() as changes:
        store.commit(events, IDENTITY)
    return changes


def compact(store: Store) -> tuple[str, ...]:
    """Compact in a transaction."""
    with store.transaction():
        return store.compact()


def contents(store: Store) -> dict[str, str]:
    """Return what each live memory says."""
    return {record.id: record.content for record in store.state.records.values()}


def all_bytes(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder but the lock, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".lock"}
