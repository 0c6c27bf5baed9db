"""`verify` finds what is amiss, says where, raises nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ntm_memory_skill.store import Finding, verify
from tests.conftest import ticking_clock
from tests.store.builders import all_bytes, commit, compact, eventful, ident, memorized, open_store, record


def findings(path: Path) -> list[Finding]:
    """Verify the memory at a path, and check that its files stay as they are."""
    before = all_bytes(path.parent) if path.parent.exists() else None
    found = verify(path, ticking_clock())
    assert (all_bytes(path.parent) if path.parent.exists() else None) == before
    return found


def by_subject(path: Path) -> dict[str, bool]:
    """Return whether each thing that was looked at is well; it is not, if one of its findings is not."""
    result: dict[str, bool] = {}
    for finding in findings(path):
        result[finding.subject] = result.get(finding.subject, True) and finding.ok
    return result


@pytest.fixture
def history(path: Path) -> Path:
    """A memory with a snapshot, a key cache and a journal with lines."""
    store = open_store(path)
    for number, events in enumerate(eventful()):
        commit(store, *events)
        if number == 3:
            compact(store)
    return path


def test_a_memory_that_is_not_there_yet_is_well(path: Path) -> None:
    """There is nothing that could be amiss; and looking does not make it."""
    assert [finding.ok for finding in findings(path)] == [True]
    assert not path.parent.exists()


def test_a_whole_memory_is_well_in_every_part(history: Path) -> None:
    """Snapshot, journal, keys and slots are all looked at."""
    assert by_subject(history) == {"snapshot": True, "journal": True, "slots": True, "keys": True}
    compact(open_store(history))
    assert by_subject(history) == {"snapshot": True, "journal": True, "slots": True, "keys": True}


def test_every_finding_says_what_was_found(history: Path) -> None:
    """A person reads them."""
    assert all(finding.detail for finding in findings(history))


def flip(path: Path, offset: int) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("ntm_memory.json", lambda path: flip(path, path.stat().st_size // 2)),
        ("ntm_memory.json", lambda path: path.write_bytes(path.read_bytes()[:-10])),
        ("ntm_memory.json", lambda path: path.write_bytes(b"")),
        ("ntm_memory.json", lambda path: path.unlink()),
        ("ntm_memory.json", lambda path: path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":2'))),
        ("ntm_memory.journal.jsonl", lambda path: flip(path, 0)),
        ("ntm_memory.journal.jsonl", lambda path: flip(path, 100)),
    ],
    ids=["flipped", "cut", "empty", "missing", "newer", "journal header", "journal line"],
)
def test_damaged_files_are_found(history: Path, name: str, damage: Callable[[Path], object]) -> None:
    """And named, instead of raised."""
    damage(history.with_name(name))
    assert [finding.ok for finding in findings(history)] == [False]


def test_a_torn_last_line_is_told_and_is_no_fault(history: Path) -> None:
    """It was never acknowledged, and the next write puts it right; a person is told all the same."""
    whole = len(findings(history))
    journal = open_store(history).paths.journal
    journal.write_bytes(journal.read_bytes()[:-10])
    found = findings(history)
    assert all(finding.ok for finding in found)
    assert len(found) == whole + 1


@pytest.mark.parametrize("data", [b"", b"no array", None], ids=["empty", "no array", "missing"])
def test_missing_keys_are_told_and_are_no_fault(history: Path, data: bytes | None) -> None:
    """They are encoded anew when they are needed."""
    before = [finding.detail for finding in findings(history) if finding.subject == "keys"]
    keys = open_store(history).paths.keys
    if data is None:
        keys.unlink()
    else:
        keys.write_bytes(data)
    assert by_subject(history)["keys"]
    assert [finding.detail for finding in findings(history) if finding.subject == "keys"] != before


def test_keys_that_cannot_be_read_are_found(history: Path) -> None:
    """A folder stands in their place: no compaction could save them."""
    keys = open_store(history).paths.keys
    keys.unlink()
    keys.mkdir()
    assert by_subject(history) == {"snapshot": True, "journal": True, "slots": True, "keys": False}


def test_two_memories_in_one_slot_are_found(path: Path) -> None:
    """One would overwrite the other's row of the matrix."""
    store = open_store(path)
    commit(store, memorized(0), memorized(1, slot=0))
    assert list(store.state.records) == [ident(0), ident(1)]
    assert by_subject(path) == {"snapshot": True, "journal": True, "slots": False, "keys": True}


def test_files_that_cannot_be_reached_are_found(tmp_path: Path) -> None:
    """A folder where the snapshot should be, and a name that no file can have."""
    (tmp_path / "memory.json" / "ntm_memory.json").mkdir(parents=True)
    for path in (tmp_path / "memory.json", tmp_path / ("x" * 300)):
        assert [finding.ok for finding in verify(path, ticking_clock())] == [False]


def test_a_text_that_two_memories_share_is_no_fault(path: Path) -> None:
    """They share a key row as well."""
    store = open_store(path)
    commit(store, memorized(0), memorized(1, content=record(0).content))
    compact(store)
    assert all(finding.ok for finding in findings(path))
