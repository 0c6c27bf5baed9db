"""What is refused changes nothing: every file is the same to the last byte, and every memory still answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.errors import (
    InputError,
    InvalidArgument,
    InvalidContent,
    MemoryFull,
    UnknownArgument,
    UnknownFilter,
    UnknownMemory,
)
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, assert_same_hits, fingerprint, plant

Call = Callable[[NTMMemoryManager, list[str]], object]


def many(bad: Any) -> Call:
    """Return a call that stores good items around a bad one."""
    return lambda memory, ids: memory.memorize_many([{"content": "good"}, bad, {"content": "good too"}])


REFUSED: dict[str, tuple[type[InputError], Call]] = {
    "blank content": (InvalidContent, lambda memory, ids: memory.memorize("  ")),
    "control character": (InvalidContent, lambda memory, ids: memory.memorize("a\x00b")),
    "lone surrogate": (InvalidContent, lambda memory, ids: memory.memorize("\ud800")),
    "content too long": (InvalidContent, lambda memory, ids: memory.memorize("x" * 32_769)),
    "update to blank": (InvalidContent, lambda memory, ids: memory.update(ids[0], "")),
    "blank question": (InvalidContent, lambda memory, ids: memory.search(" ")),
    "blank recall": (InvalidContent, lambda memory, ids: memory.recall("\n")),
    "blank attention": (InvalidContent, lambda memory, ids: memory.attention("")),
    "one of many blank": (InvalidContent, many({"content": ""})),
    "importance out of range": (InvalidArgument, lambda memory, ids: memory.memorize("x", importance=1.5)),
    "importance not a number": (InvalidArgument, lambda memory, ids: memory.memorize("x", importance=float("nan"))),
    "tags not a list": (InvalidArgument, lambda memory, ids: memory.memorize("x", tags="tag")),
    "time not a time": (InvalidArgument, lambda memory, ids: memory.memorize("x", at="soon")),
    "id in use": (InvalidArgument, lambda memory, ids: memory.memorize("x", id=ids[0])),
    "one of many no mapping": (InvalidArgument, many("text")),
    "one of many with an id in use": (InvalidArgument, many({"content": "x", "id": "fact3"})),
    "update of nothing": (InvalidArgument, lambda memory, ids: memory.update(ids[0])),
    "update out of range": (InvalidArgument, lambda memory, ids: memory.update(ids[0], "x", importance=-1)),
    "no hits wanted": (InvalidArgument, lambda memory, ids: memory.search("x", top_k=0)),
    "too many hits wanted": (InvalidArgument, lambda memory, ids: memory.search("x", top_k=10**9)),
    "recall of nothing": (InvalidArgument, lambda memory, ids: memory.recall()),
    "no budget": (InvalidArgument, lambda memory, ids: memory.recall("x", budget=0)),
    "erase of nothing": (InvalidArgument, lambda memory, ids: memory.erase()),
    "erase of one twice": (InvalidArgument, lambda memory, ids: memory.erase(ids[0], ids[0])),
    "strength out of range": (InvalidArgument, lambda memory, ids: memory.erase(ids[0], strength=2)),
    "purge by half": (InvalidArgument, lambda memory, ids: memory.erase(ids[0], strength=0.5, purge=True)),
    "reason too long": (InvalidArgument, lambda memory, ids: memory.erase(ids[0], reason="x" * 257)),
    "unknown field": (UnknownArgument, lambda memory, ids: memory.memorize("x", colour="red")),
    "one of many with an unknown field": (UnknownArgument, many({"content": "x", "colour": "red"})),
    "unknown filter": (UnknownFilter, lambda memory, ids: memory.search("x", colour="red")),
    "get of nobody": (UnknownMemory, lambda memory, ids: memory.get("nobody")),
    "update of nobody": (UnknownMemory, lambda memory, ids: memory.update("nobody", "x")),
    "importance of nobody": (UnknownMemory, lambda memory, ids: memory.update("nobody", importance=1)),
    "erase of nobody": (UnknownMemory, lambda memory, ids: memory.erase("nobody")),
    "erase of one known, one not": (UnknownMemory, lambda memory, ids: memory.erase(ids[0], "nobody")),
    "purge of one known, one not": (UnknownMemory, lambda memory, ids: memory.erase(ids[0], "nobody", purge=True)),
    "fading of one known, one not": (UnknownMemory, lambda memory, ids: memory.erase(ids[0], "nobody", strength=0.5)),
    "erase of what was erased": (UnknownMemory, lambda memory, ids: memory.erase("erased")),
    "fading of what was erased": (UnknownMemory, lambda memory, ids: memory.erase("erased", strength=0.5)),
    "update of what was erased": (UnknownMemory, lambda memory, ids: memory.update("erased", "x")),
    "replacing nobody": (UnknownMemory, lambda memory, ids: memory.memorize("x", supersedes="nobody")),
    "one of many replacing nobody": (UnknownMemory, many({"content": "x", "supersedes": "nobody"})),
    "too few slots left": (MemoryFull, lambda memory, ids: memory.memorize_many([{"content": "x"}] * 4)),
}


@pytest.fixture
def nearly_full(open_memory: OpenMemory) -> NTMMemoryManager:
    """A memory with three slots left, in which nothing is forgotten, and one more memory in the archive."""
    memory = open_memory(settings=Settings(memory_size=len(FACTS) + 3, m3=M3Settings(forget=False)))
    memory.memorize("was erased", id="erased")
    memory.erase("erased")
    memory.memorize_many([{"content": content, "id": f"fact{n}"} for n, content in enumerate(FACTS)])
    return memory


@pytest.mark.parametrize(("error", "call"), REFUSED.values(), ids=REFUSED)
def test_refused_call_leaves_every_file_as_it_was(
    nearly_full: NTMMemoryManager, path: Path, error: type[InputError], call: Call
) -> None:
    """And the memory that was asked goes on as before."""
    ids = list(nearly_full.state.records)
    before, answers = fingerprint(path.parent), nearly_full.search("goats and bread", top_k=1000)
    with pytest.raises(error) as refused:
        call(nearly_full, ids)
    assert type(refused.value) is error
    assert refused.value.code == error.code
    assert fingerprint(path.parent) == before
    assert list(nearly_full.state.records) == ids
    assert_same_hits(nearly_full.search("goats and bread", top_k=1000), answers)


def test_reading_changes_no_file(nearly_full: NTMMemoryManager, path: Path) -> None:
    """Searching, recalling and looking up leave no trace on disk, whoever asks."""
    before = fingerprint(path.parent)
    nearly_full.search("goats", tags=["a"], session="s")
    nearly_full.recall("goats", key="name", session="s")
    nearly_full.attention("goats")
    nearly_full.get("fact1")
    assert fingerprint(path.parent) == before


def test_reading_a_memory_that_is_not_there_makes_no_file(memory: NTMMemoryManager, path: Path) -> None:
    """Only a first memory makes the folder."""
    assert memory.search("anything") == []
    assert memory.recall("anything").hits == ()
    assert memory.attention("anything").records == ()
    assert len(memory) == 0
    assert not path.parent.exists()


def test_refused_first_memory_makes_no_file(memory: NTMMemoryManager, path: Path) -> None:
    """What is checked without the store fails before it."""
    with pytest.raises(InputError):
        memory.memorize("x", colour="red")
    with pytest.raises(InputError):
        memory.memorize_many([{"content": "good"}, {"content": ""}])
    assert not path.exists()


def test_a_write_does_change_the_files(nearly_full: NTMMemoryManager, path: Path) -> None:
    """Else the tests above could not fail."""
    before = fingerprint(path.parent)
    nearly_full.update("fact1", importance=0.9)
    assert fingerprint(path.parent) != before


def test_content_limit_is_the_one_that_was_set(open_memory: OpenMemory) -> None:
    """For what is stored and for what is asked."""
    memory = open_memory(settings=Settings(content_limit=10))
    assert plant(memory, ["x" * 10])
    for call in (lambda: memory.memorize("x" * 11), lambda: memory.search("x" * 11)):
        with pytest.raises(InvalidContent):
            call()
