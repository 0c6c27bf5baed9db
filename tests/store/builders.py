"""Records, events and stores for the tests of this room, built without the engine."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntm_memory_skill.model import (
    Accessed,
    Consolidated,
    EncoderIdentity,
    Erased,
    Event,
    Faded,
    Forgotten,
    Link,
    Linked,
    Memorized,
    Merged,
    Occurrence,
    Purged,
    Record,
    Repeated,
    Restored,
    Superseded,
    Undone,
    Updated,
)
from ntm_memory_skill.store import Changes, DirectoryStore, State, Store, StoreSettings
from ntm_memory_skill.store.fold import Fold
from ntm_memory_skill.store.fs import FileSystem, Signature
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
    """Return a key row, of length 1, that no other number has."""
    values = np.ones(dimension)
    values[0] += number
    return (values / np.linalg.norm(values)).astype("<f4").tobytes()


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
        [Accessed((ident(0), ident(3)), (2, 1), moment(15))],
        [Restored(ident(2), moment(16), 4, row(2)), Accessed((ident(2),), (1,), moment(17))],
        [Erased(ident(2), moment(18))],
        *lifecycle(5, at=19),
    ]


def lifecycle(first: int, *, at: int) -> list[list[Event]]:
    """Return transactions over four new memories: linked, repeated, merged, superseded, forgotten, brought back.

    In the end the first and the third are live, the second is merged into the first, the fourth is forgotten.

    Args:
        first: The number of the first of them; the others follow.
        at: When it happens, in seconds.
    """
    one, two, three, four = (ident(first + place) for place in range(4))
    when = moment(at)
    said = Occurrence(at=when, session="chat", source="Ana", ref=f"said again/{first}")
    return [
        [
            memorized(first, valid_until=moment(at + 80), distilled_from=(two, three)),
            *(memorized(first + place) for place in (1, 2, 3)),
        ],
        [Linked(one, (Link(two, 0.5, when),)), Linked(two, (Link(one, 0.5, when),)), Repeated(one, said)],
        [Updated(one, when, pinned=True), Accessed((one, two), (1, 2), when, (2.5, 3.5), (5.5, 1.0))],
        [Superseded(three, one, when)],
        [Forgotten(three, when, "not recalled"), Consolidated("a", when, forgotten=(three,))],
        [Restored(three, when, first + 2, row(first + 2)), Superseded(three, None, None), Undone("a")],
        [Merged(two, one, when, 0.75, "says the same"), Consolidated("b", when, merged=(two,))],
        [Superseded(three, one, when), Consolidated("b", when, superseded=(three,), gists=(one,), successors=(one,))],
        [Forgotten(four, when, "not recalled")],
    ]


def folded(transactions: Iterable[Iterable[Event]]) -> State:
    """Return the state that transactions amount to, one `apply` at a time."""
    state = State()
    for events in transactions:
        for event in events:
            state.apply(event)
    return state


def open_store(
    path: Path, fs: FileSystem | None = None, *, lock_timeout: float = 10.0, tidy: bool = True, **settings: Any
) -> DirectoryStore:
    """Open the store at a path as a process of its own would."""
    given = StoreSettings(lock_timeout=lock_timeout, **settings)
    return DirectoryStore(path, clock=ticking_clock(), settings=given, fs=fs, tidy=tidy)


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
    """Return the bytes of every file in a folder, by name, but of those that every holder of the lock touches."""
    files = (path for path in folder.iterdir() if path.is_file() and path.suffix not in {".lock", ".writer"})
    return {path.name: path.read_bytes() for path in files}


def previous_fold(store: DirectoryStore) -> Fold | None:
    """Return the fold of the generation before, read by itself; None where none is kept."""
    in_snapshot, in_journal = store.paths.previous
    if not in_snapshot.exists():
        return None
    return Fold.of(in_snapshot.read_bytes(), in_journal.read_bytes() if in_journal.exists() else None, None)


class Death(Exception):
    """A process died: nothing of it runs any more."""


class MidwayFileSystem(FileSystem):
    """Does something else when a share of an appended line is on the disk.

    Args:
        share: 0 to 1.
        meanwhile: What is done then; the rest is written afterwards, unless it raises.
    """

    def __init__(self, share: float, meanwhile: Callable[[], object]) -> None:
        self._share, self._meanwhile = share, meanwhile

    def append(self, path: Path, data: bytes, at: int, *, sync: bool = True) -> Signature:
        """Append in two steps."""
        super().append(path, data[: int(self._share * len(data))], at, sync=sync)
        self._meanwhile()
        return super().append(path, data, at, sync=sync)


def die_writing(path: Path, *events: Event, share: float = 0.5) -> None:
    """Have a process die when a share of its line is on the disk: the line was never acknowledged."""

    def die() -> None:
        raise Death

    store = open_store(path, MidwayFileSystem(share, die), tidy=False)
    with pytest.raises(Death):
        commit(store, *events)


@contextmanager
def read_only_disk() -> Iterator[None]:
    """Have the operating system refuse everything that would change a file or a folder, within the block."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    plain_open = os.open

    def open_to_read(path: str, flags: int, *rest: int, **options: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            refuse()
        return plain_open(path, flags, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", open_to_read)
        for name in ("mkdir", "unlink", "replace", "rename", "link", "ftruncate", "chmod", "fchmod"):
            patch.setattr(os, name, refuse)
        yield
