"""Stores that version 1 of the format wrote are read, checked and continued, today and by every later release."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.model import Memorized, indexed_text
from ntm_memory_skill.store import DirectoryStore, State, journal, verify
from tests.conftest import ticking_clock
from tests.store.builders import all_bytes, compact, open_store, record, row
from tests.store.make_golden import ENCODER, EXPECTED, GOLDEN, STORES, SUMS, described, make, sums

NAMES = [write.__name__ for write in STORES]
NEW = "mnew"


@pytest.fixture(params=NAMES)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a golden store: opening must not change the original, and neither must a test."""
    folder = tmp_path / str(request.param)
    shutil.copytree(GOLDEN / str(request.param), folder)
    return folder


def expected_of(folder: Path) -> dict[str, Any]:
    """Return what was written down of a golden store when it was made."""
    expected: dict[str, Any] = json.loads((folder / EXPECTED).read_text(encoding="utf-8"))
    return expected


def torn_bytes(store: DirectoryStore) -> int:
    """Return how many bytes of a store's journal are an unfinished line."""
    data = store.paths.journal.read_bytes()
    header = journal.read_header(data)
    assert header is not None
    return journal.read_lines(data[header[1] :], store.sequence).torn


def limited(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Return what was found, without the fields that memories have only since a later release."""
    result = dict(found)
    for part in ("records", "archive"):
        pairs = zip(found[part], expected[part], strict=True)
        result[part] = [{name: value for name, value in got.items() if name in known} for got, known in pairs]
    return result


def commit_one(store: DirectoryStore, state: State) -> None:
    """Write a new memory behind what a golden store holds."""
    slot = 1 + max(known.slot for known in state.records.values())
    new = record(0, id=NEW, slot=slot, ordinal=state.next_ordinal, content="written by a later release")
    with store.transaction():
        assert store.encoder is not None
        store.commit([Memorized(new, row(1, dimension=8))], store.encoder)


def test_the_golden_files_are_byte_for_byte_the_recorded_ones() -> None:
    """None was changed, added or lost: by an editor, by git's line endings, or by a run of the script."""
    lines = (GOLDEN / SUMS).read_text(encoding="utf-8").splitlines()
    recorded = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    assert sums(GOLDEN) == recorded
    assert {Path(name).parent.name for name in recorded} == set(NAMES)


def test_the_script_refuses_to_overwrite() -> None:
    """What is committed stays the evidence of what was written then."""
    before = sums(GOLDEN)
    with pytest.raises(FileExistsError):
        make(GOLDEN)
    assert sums(GOLDEN) == before


def test_opening_gives_exactly_what_was_written_down(golden: Path) -> None:
    """Every field of every memory, versions, archive, tombstones, and the torn bytes; and no file is changed."""
    expected, before = expected_of(golden), all_bytes(golden)
    store = open_store(golden)
    assert limited(described(store.state, torn_bytes(store)), expected) == expected
    assert store.encoder == ENCODER.identity
    assert bool(store.warnings) == (expected["torn_bytes"] > 0)
    assert all_bytes(golden) == before


def test_every_key_is_at_hand_and_right(golden: Path) -> None:
    """Out of cache or journal: the names of key rows have not changed, so nothing has to be encoded anew."""
    store = open_store(golden)
    rows = store.key_rows()
    texts = [indexed_text(known.key, known.content) for known in store.state.records.values()]
    assert texts
    for text in texts:
        place = rows.position(ENCODER.identity.digest(text))
        assert place is not None
        assert rows.keys[place] == pytest.approx(ENCODER.encode_query(text), abs=1e-6)


def test_verifying_finds_nothing_amiss(golden: Path) -> None:
    """In any part."""
    assert all(finding.ok for finding in verify(golden, ticking_clock()))


def test_a_golden_store_is_continued(golden: Path) -> None:
    """Commits and compactions go on where version 1 left off, and a torn line is gone."""
    idents = [known["id"] for known in expected_of(golden)["records"]]
    store = open_store(golden)
    commit_one(store, store.state)
    for _ in range(3):
        found = open_store(golden)
        assert [known.id for known in found.state.records.values()] == [*idents, NEW]
        assert (found.state, found.warnings) == (store.state, ())
        compact(found)
        store.refresh()


def test_the_script_tells_the_same_stories_today(tmp_path: Path) -> None:
    """It can make stores of a next version; the golden ones say what these memories say."""
    make(tmp_path)
    for name in NAMES:
        made, kept = expected_of(tmp_path / name), expected_of(GOLDEN / name)
        assert [known["content"] for known in made["records"]] == [known["content"] for known in kept["records"]]
