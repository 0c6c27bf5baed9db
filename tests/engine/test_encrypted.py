"""An encrypted memory from end to end: nothing in clear in any file, and no way in without the key."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings, StoreSettings
from ntm_memory_skill.errors import KeyRefused
from ntm_memory_skill.store import seal
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, CountingEncoder, assert_same_hits, everything, fingerprint, plant

ENCODER = HashedEncoder(64)


def with_key(key: str) -> Settings:
    """Return settings that encrypt."""
    return Settings(store=StoreSettings(passphrase=key))


OURS, OTHER = with_key("open sesame"), with_key("open, rye")


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are derived without delay; what a real one costs is paid for in the store's own tests."""
    monkeypatch.setitem(seal.SCRYPT, "n", 2)


def use_every_verb(memory: NTMMemoryManager) -> list[str]:
    """Write, ask, change, erase, restore and purge; return the ids of the facts."""
    ids = plant(memory, session="a session", tags=["a tag"], source="a source", key="a key")
    memory.search("goats in Kirchberg")
    memory.update(ids[0], "Anna keeps four goats", reason="one was born")
    memory.erase(ids[1], reason="it was cancelled")
    memory.erase(ids[2], strength=0.5)
    memory.restore(ids[1])
    memory.erase(memory.memorize("nobody is to know this").id, purge=True)
    return ids


def traces() -> list[bytes]:
    """Return what would stand in the files in clear: every text that was given, as text and as key."""
    texts = [*FACTS, "Anna keeps four goats", "one was born", "it was cancelled", "nobody is to know this"]
    names = ["a session", "a tag", "a source", "a key", "hashed", "memorized"]
    forms = [form for text in texts + names for form in (text.encode(), json.dumps(text)[1:-1].encode())]
    rows = [key.tobytes() for key in ENCODER.encode_passages([*texts, *(f"a key: {text}" for text in texts)])]
    return [*forms, *rows, *map(base64.b64encode, rows)]


def in_clear(folder: Path, ids: list[str]) -> set[str]:
    """Return the names of the files in which anything stands in clear, be it an id."""
    files = (path for path in folder.rglob("*") if path.is_file())
    forms = [*traces(), *(ident.encode() for ident in ids)]
    return {path.name for path in files if any(form in path.read_bytes() for form in forms)}


@pytest.mark.parametrize("close", [False, True])
def test_nothing_stands_in_clear_in_any_file(open_memory: OpenMemory, path: Path, close: bool) -> None:
    """In the journal, and in what closing folds it into; the same memory without a key shows that it would."""
    for settings, expected in ((OURS, False), (Settings(), True)):
        memory = open_memory(settings=settings)
        ids = use_every_verb(memory)
        if close:
            memory.close()
        assert bool(in_clear(path.parent, ids)) is expected
        memory.close()
        for file in path.parent.iterdir():
            file.unlink()


def test_it_answers_as_a_memory_in_clear_does(open_memory: OpenMemory, path: Path) -> None:
    """Every hit, with every number; encryption is a matter of files alone."""
    answers = []
    for settings in (OURS, Settings()):
        memory = open_memory(settings=settings)
        memory.memorize_many([{"content": fact, "id": f"fact{place}"} for place, fact in enumerate(FACTS)])
        memory.close()
        answers.append(everything(open_memory(settings=settings), "goats and bread").values())
        for file in path.parent.iterdir():
            file.unlink()
    assert_same_hits(*answers)


def test_opening_it_encodes_nothing(open_memory: OpenMemory) -> None:
    """The keys are on disk, encrypted with the rest."""
    memory = open_memory(settings=OURS)
    use_every_verb(memory)
    memory.close()
    counting = CountingEncoder()
    assert len(everything(open_memory(encoder=counting, settings=OURS))) == len(FACTS)
    assert counting.encoded == []


@pytest.mark.parametrize("settings", [Settings(), OTHER], ids=["no key", "another key"])
def test_without_the_key_nobody_gets_in(open_memory: OpenMemory, path: Path, settings: Settings) -> None:
    """And no file is touched by the attempt."""
    with open_memory(settings=OURS) as memory:
        plant(memory)
    before = fingerprint(path.parent)
    with pytest.raises(KeyRefused) as caught:
        open_memory(settings=settings)
    assert caught.value.code == "key_refused"
    assert fingerprint(path.parent) == before


def test_a_key_for_a_memory_in_clear_is_refused(open_memory: OpenMemory, path: Path) -> None:
    """Whoever gives one believes that it is encrypted."""
    with open_memory() as memory:
        plant(memory)
    before = fingerprint(path.parent)
    with pytest.raises(KeyRefused) as caught:
        open_memory(settings=OURS)
    assert caught.value.code == "key_refused"
    assert fingerprint(path.parent) == before


def test_two_processes_share_it(open_memory: OpenMemory) -> None:
    """Each sees the other's every step."""
    one, other = open_memory(settings=OURS), open_memory(settings=OURS)
    ids = plant(one)
    other.erase(ids[0])
    new = other.memorize("one more").id
    for memory in (one, other):
        assert set(everything(memory)) == {*ids[1:], new}


def test_it_can_be_handed_to_another_encoder(open_memory: OpenMemory, path: Path) -> None:
    """And stays encrypted."""
    with open_memory(settings=OURS) as memory:
        ids = plant(memory)
    with NTMMemoryManager.open(path, settings=OURS, encoder=HashedEncoder(32), require_encoder=False) as memory:
        assert memory.reindex() == len(FACTS)
        assert len(everything(memory)) == len(FACTS)
    assert in_clear(path.parent, ids) == set()


def test_the_key_is_in_no_message_and_no_description() -> None:
    """Settings are printed for people, and end up in logs."""
    assert "open sesame" not in repr(OURS)
