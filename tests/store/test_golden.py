"""Stores that earlier releases wrote are read, upgraded, checked and continued, today and by every later release."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.errors import KeyRefused, StoreDamaged
from ntm_memory_skill.model import Memorized, indexed_text
from ntm_memory_skill.store import DirectoryStore, State, StoreSettings, journal, verify
from ntm_memory_skill.store.fold import Fold
from ntm_memory_skill.store.seal import Seal
from tests.conftest import ticking_clock
from tests.store import builders
from tests.store.builders import all_bytes, compact, read_only_disk, record, row
from tests.store.make_golden import (
    ENCODER,
    ENCRYPTED,
    EXPECTED,
    GOLDEN,
    PASSPHRASE,
    VERSION_1,
    VERSION_2,
    described,
    make,
    recorded,
    sums,
)

NEW = "mnew"
COPIES = ("ntm_memory.v1.json", "ntm_memory.v1.journal.jsonl")
ORIGINALS = ("ntm_memory.json", "ntm_memory.journal.jsonl")


def copied(name: str, tmp_path: Path) -> Path:
    """Return a copy of a golden store: opening must not change the original, and neither must a test."""
    folder = tmp_path / name
    shutil.copytree(GOLDEN / name, folder)
    return folder


@pytest.fixture(params=VERSION_1 + VERSION_2)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of each golden store."""
    return copied(str(request.param), tmp_path)


@pytest.fixture(params=VERSION_1)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of each golden store of version 1."""
    return copied(str(request.param), tmp_path)


def settings_of(folder: Path) -> StoreSettings:
    """Return settings with the key of a golden store, if it has one."""
    return StoreSettings(passphrase=PASSPHRASE if folder.name == ENCRYPTED else None)


def open_store(folder: Path, *, tidy: bool = True) -> DirectoryStore:
    """Open a golden store with its own key."""
    return builders.open_store(folder, tidy=tidy, passphrase=settings_of(folder).passphrase)


def expected_of(folder: Path) -> dict[str, Any]:
    """Return what was written down of a golden store when it was made."""
    expected: dict[str, Any] = json.loads((folder / EXPECTED).read_text(encoding="utf-8"))
    return expected


def limited(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Return what was found, without the fields that memories have only since a later release."""
    result = {part: value for part, value in found.items() if part in expected}
    assert not any(value for part, value in found.items() if part not in expected)
    for part in {"records", "archive", "forgotten"} & expected.keys():
        pairs = zip(found[part], expected[part], strict=True)
        result[part] = [{name: value for name, value in got.items() if name in known} for got, known in pairs]
    return result


def torn_bytes(folder: Path) -> int:
    """Return how many bytes of a journal stand behind its last newline."""
    data = (folder / ORIGINALS[1]).read_bytes()
    return len(data) - data.rfind(b"\n") - 1


def is_as_expected(folder: Path, store: DirectoryStore) -> None:
    """Check that a store holds exactly what was written down, with nothing left out."""
    expected = expected_of(folder)
    assert limited(described(store.state, expected["torn_bytes"]), expected) == expected
    assert list(store.state.records) == [known["id"] for known in expected["records"]]
    assert store.encoder == ENCODER.identity


def commit_one(store: DirectoryStore, state: State) -> None:
    """Write a new memory behind what a golden store holds."""
    slot = 1 + max(known.slot for known in state.records.values())
    new = record(0, id=NEW, slot=slot, ordinal=state.next_ordinal, content="written by a later release")
    with store.transaction():
        assert store.encoder is not None
        store.commit([Memorized(new, row(1, dimension=8))], store.encoder)


class TestEvidence:
    """The stores are what was written then."""

    def test_the_golden_files_are_byte_for_byte_the_recorded_ones(self) -> None:
        """None was changed, added or lost: by an editor, by git's line endings, or by a run of the script."""
        assert sums(GOLDEN) == recorded(GOLDEN)
        assert {Path(name).parent.name for name in recorded(GOLDEN)} == {*VERSION_1, *VERSION_2}

    def test_the_script_refuses_to_overwrite(self) -> None:
        """What is committed stays the evidence of what was written then."""
        before = sums(GOLDEN)
        with pytest.raises(FileExistsError):
            make(GOLDEN)
        assert sums(GOLDEN) == before

    def test_the_script_refuses_to_record_what_was_changed(self, tmp_path: Path) -> None:
        """New stores beside old ones must not give the old ones new checksums."""
        root = tmp_path / "golden"
        for name in VERSION_1:
            shutil.copytree(GOLDEN / name, root / name)
        lines = (GOLDEN / "SHA256SUMS").read_text(encoding="utf-8").splitlines(keepends=True)
        (root / "SHA256SUMS").write_text("".join(line for line in lines if "  v2_" not in line), encoding="utf-8")
        (root / VERSION_1[0] / ORIGINALS[0]).write_bytes(b"changed")
        with pytest.raises(FileExistsError):
            make(root)
        assert {folder.name for folder in root.iterdir() if folder.is_dir()} == set(VERSION_1)

    def test_the_script_tells_the_same_stories_today(self, tmp_path: Path) -> None:
        """It can make stores of a next version; the golden ones say what these memories say."""
        make(tmp_path)
        for name in VERSION_2:
            made, kept = expected_of(tmp_path / name), expected_of(GOLDEN / name)
            assert [known["content"] for known in made["records"]] == [known["content"] for known in kept["records"]]

    def test_every_version_is_there_in_every_part(self) -> None:
        """The tests below would show nothing of a version whose stores were of another one."""
        for names, version in ((VERSION_1, 1), (VERSION_2, 2)):
            for name in names:
                head = journal.read_header((GOLDEN / name / ORIGINALS[1]).read_bytes())
                assert head is not None
                assert head.version == version
                assert f'"version":{version},'.encode() in (GOLDEN / name / ORIGINALS[0]).read_bytes()


class TestReading:
    """What is found in them."""

    def test_opening_gives_exactly_what_was_written_down(self, golden: Path) -> None:
        """Every field of every memory, versions, archive, tombstones; a torn line is told of once and then gone."""
        torn = torn_bytes(golden)
        assert torn == expected_of(golden)["torn_bytes"]
        for expected_warnings in (int(torn > 0), 0):
            store = open_store(golden)
            is_as_expected(golden, store)
            assert len(store.warnings) == expected_warnings
        assert torn_bytes(golden) == 0

    def test_looking_gives_the_same_and_changes_nothing(self, golden: Path) -> None:
        """Whoever only looks neither mends nor upgrades, and makes no lock."""
        before = sums(golden.parent)
        store = open_store(golden, tidy=False)
        is_as_expected(golden, store)
        assert bool(store.warnings) == (torn_bytes(golden) > 0)
        assert len(store.key_rows()) > 0
        assert sums(golden.parent) == before

    def test_a_store_that_cannot_be_written_is_read_as_it_is(self, golden: Path) -> None:
        """From a read-only disk, or out of a backup: it need not be upgraded to be read."""
        before = sums(golden.parent)
        with read_only_disk():
            is_as_expected(golden, open_store(golden))
        assert sums(golden.parent) == before

    def test_every_key_is_at_hand_and_right(self, golden: Path) -> None:
        """Out of cache or journal: the names of key rows have not changed, so nothing has to be encoded anew."""
        for _ in range(2):  # before and after an upgrade
            store = open_store(golden)
            rows = store.key_rows()
            texts = [indexed_text(known.key, known.content) for known in store.state.remembered()]
            assert texts
            for text in texts:
                place = rows.position(ENCODER.identity.digest(text))
                assert place is not None
                assert rows.keys[place] == pytest.approx(ENCODER.encode_query(text), abs=1e-6)

    def test_verifying_finds_nothing_amiss(self, golden: Path) -> None:
        """In any part, before and after an upgrade, and of a copy of an older version."""
        for _ in range(2):
            findings = verify(golden, ticking_clock(), settings_of(golden))
            assert [finding for finding in findings if not finding.ok] == []
            open_store(golden)

    def test_a_golden_store_is_continued(self, golden: Path) -> None:
        """Commits and compactions go on where the older release left off, and a torn line is gone."""
        idents = [known["id"] for known in expected_of(golden)["records"]]
        store = open_store(golden)
        commit_one(store, store.state)
        for _ in range(3):
            found = open_store(golden)
            assert [known.id for known in found.state.records.values()] == [*idents, NEW]
            assert (found.state, found.warnings) == (store.state, ())
            compact(found)
            store.refresh()


class TestUpgrade:
    """Version 1 becomes version 2 at the first opening by somebody who may write."""

    def test_the_files_are_of_version_2_afterwards(self, old: Path) -> None:
        """And hold the same: a second opening upgrades nothing."""
        open_store(old)
        upgraded = all_bytes(old)
        head = journal.read_header(upgraded[ORIGINALS[1]])
        assert head is not None
        assert (head.version, json.loads(upgraded[ORIGINALS[0]])["version"]) == (2, 2)
        is_as_expected(old, open_store(old))
        assert all_bytes(old) == upgraded

    def test_the_old_files_are_kept_as_they_were(self, old: Path) -> None:
        """Byte for byte, but for a line that was never finished: an older release can still open them."""
        before = all_bytes(old)
        torn = torn_bytes(old)
        open_store(old)
        after = all_bytes(old)
        assert after[COPIES[0]] == before[ORIGINALS[0]]
        assert after[COPIES[1]] == before[ORIGINALS[1]][: len(before[ORIGINALS[1]]) - torn]

    def test_the_kept_files_are_left_alone_ever_after(self, old: Path) -> None:
        """Commits and compactions are of version 2."""
        store = open_store(old)
        kept = {name: data for name, data in all_bytes(old).items() if name in COPIES}
        commit_one(store, store.state)
        for _ in range(2):
            compact(store)
        assert {name: data for name, data in all_bytes(old).items() if name in COPIES} == kept
        assert len(kept) == 2

    def test_a_purge_deletes_the_kept_files(self, old: Path) -> None:
        """They hold what was purged."""
        store = open_store(old)
        with store.transaction():
            removed = store.scrub().removed
        assert set(removed) >= set(COPIES)
        assert not any((old / name).exists() for name in COPIES)
        is_as_expected(old, open_store(old))

    def test_a_writer_who_only_looked_upgrades_before_its_first_write(self, old: Path) -> None:
        """A line of version 2 in a journal of version 1 could be read by nobody else."""
        store = open_store(old, tidy=False)
        commit_one(store, store.state)
        data = all_bytes(old)
        head = journal.read_header(data[ORIGINALS[1]])
        assert head is not None
        assert (head.version, data.keys() >= set(COPIES)) == (2, True)
        assert open_store(old).state == store.state


class TestVersion2:
    """What is particular about single stores of version 2."""

    def test_opening_changes_no_file(self, tmp_path: Path) -> None:
        """There is nothing to put in order; but a torn line is cut off."""
        for name in VERSION_2:
            folder = copied(name, tmp_path)
            expected = all_bytes(folder)
            torn = torn_bytes(folder)
            expected[ORIGINALS[1]] = expected[ORIGINALS[1]][: len(expected[ORIGINALS[1]]) - torn]
            open_store(folder)
            assert all_bytes(folder) == expected

    @pytest.mark.parametrize("name", ["v2_previous_generation", ENCRYPTED])
    def test_the_previous_generation_folds_to_the_snapshot(self, name: str) -> None:
        """It is what the snapshot was made of."""
        files = all_bytes(GOLDEN / name)
        seal = None
        if name == ENCRYPTED:
            seal = Seal(PASSPHRASE, bytes.fromhex(json.loads(files[ORIGINALS[0]])["kdf"]["salt"]))
        previous = Fold.of(files["ntm_memory.previous.json"], files["ntm_memory.previous.journal.jsonl"], seal)
        present = Fold.of(files[ORIGINALS[0]], None, seal)
        assert (previous.state, previous.sequence) == (present.state, present.sequence)
        assert previous.generation + 1 == present.generation

    def test_every_kind_of_event_is_in_a_journal(self) -> None:
        """Also those that version 1 did not have."""
        data = (GOLDEN / "v2_every_event" / ORIGINALS[1]).read_bytes()
        kinds = {"memorized", "updated", "faded", "erased", "restored", "accessed"}
        events = [event for line in data.splitlines()[1:] for event in json.loads(line)["events"]]
        assert {event["event"] for event in events} == kinds
        assert len(expected_of(GOLDEN / "v2_every_event")["tombstones"]) == 1

    def test_every_event_of_the_lifecycle_is_in_a_journal(self) -> None:
        """Those that there were before, too; and what they amount to is in every place that a memory can be."""
        folder = GOLDEN / "v2_lifecycle"
        lines = (folder / ORIGINALS[1]).read_bytes().splitlines()[1:]
        kinds = {event["event"] for line in lines for event in json.loads(line)["events"]}
        assert kinds >= {"linked", "repeated", "forgotten", "merged", "superseded", "consolidated", "undone"}
        expected, head = expected_of(folder), json.loads((folder / ORIGINALS[0]).read_bytes())
        assert all(expected[part] for part in ("records", "forgotten", "consolidations", "tombstones"))
        assert head["forgotten"]
        assert head["consolidations"]

    def test_the_encrypted_store_opens_with_its_key_alone(self, tmp_path: Path) -> None:
        """And no word of it stands in any file."""
        folder = copied(ENCRYPTED, tmp_path)
        for passphrase in (None, "", PASSPHRASE.upper()):
            with pytest.raises(KeyRefused):
                builders.open_store(folder, passphrase=passphrase)
        for name, data in all_bytes(folder).items():
            if name != EXPECTED:
                assert b"ecret" not in data
                assert "秘密".encode() not in data

    def test_a_note_of_the_writer_is_believed(self, tmp_path: Path) -> None:
        """The last entry that it names has to be there."""
        folder = copied("v2_previous_generation", tmp_path)
        journal_file = folder / ORIGINALS[1]
        journal_file.write_bytes(journal_file.read_bytes().splitlines(keepends=True)[0])
        with pytest.raises(StoreDamaged):
            open_store(folder)
