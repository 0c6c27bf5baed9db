"""`verify` finds what is amiss, says where, raises nothing and changes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ntm_memory_skill.errors import KeyRefused, PathRefused, StoreDamaged, StoreTooNew, StoreUnreachable
from ntm_memory_skill.store import Finding, StoreSettings, keycache, verify
from ntm_memory_skill.store.keycache import KeyRows
from tests.conftest import ticking_clock
from tests.store.builders import IDENTITY, commit, compact, eventful, ident, memorized, open_store, record
from tests.store.doubles import ForbiddenFileSystem
from tests.store.forging import note_bytes, snapshot_bytes
from tests.store.losses import DAMAGES, flipped
from tests.store.wrecks import (
    CONDITIONS,
    JOURNAL,
    KEYS,
    OLD_JOURNAL,
    OLD_SNAPSHOT,
    SALT_AND_PEPPER,
    SNAPSHOT,
    VERSION_1,
    WRITER,
    Kept,
    cheap_key,
    golden,
    kept,
)

__all__ = ["cheap_key"]

LINKED = {"id": "m001", "at": "2026-01-01T00:00:00+00:00"}
PARTS = ["snapshot", "journal", "matrix", "keys", "previous generation"]
Change = Callable[[bytes], bytes | None]


def everything(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder, those that every writer touches included."""
    return {each.name: each.read_bytes() for each in sorted(folder.glob("*")) if each.is_file()}


def append(file: Path, data: bytes) -> None:
    """Write something behind a file's end."""
    with file.open("ab") as end:
        end.write(data)


def findings(path: Path, passphrase: str | None = None) -> list[Finding]:
    """Verify the memory at a path, and check that every file stays as it is, and that none is made."""
    before = everything(path.parent)
    found = verify(path, ticking_clock(), StoreSettings(passphrase=passphrase))
    assert everything(path.parent) == before
    assert all(finding.detail for finding in found)
    return found


def by_subject(found: list[Finding]) -> dict[str, bool]:
    """Return whether each thing that was looked at is well; it is not, if one of its findings is not."""
    return {each.subject: all(other.ok for other in found if other.subject == each.subject) for each in found}


def bad(found: list[Finding]) -> list[str]:
    """Return what is amiss."""
    return [finding.subject for finding in found if not finding.ok]


def detail(found: list[Finding], subject: str) -> str:
    """Return what is said of a thing."""
    return "; ".join(finding.detail for finding in found if finding.subject == subject)


def laid(whole: Kept, folder: Path, changes: Mapping[str, bytes | None] | None = None) -> list[Finding]:
    """Verify a memory of which some files are others."""
    folder.mkdir(exist_ok=True)
    return findings(whole.lay(folder / "laid", changes), whole.passphrase)


@pytest.fixture
def history(path: Path) -> Path:
    """A memory with a snapshot, a key cache and a journal with lines."""
    store = open_store(path)
    for number, events in enumerate(eventful()):
        commit(store, *events)
        if number == 3:
            compact(store)
    return path


class TestWhole:
    """Nothing is amiss."""

    def test_a_memory_that_is_not_there_yet_is_well(self, path: Path) -> None:
        """There is nothing that could be amiss; and looking does not make it."""
        assert by_subject(findings(path)) == {"snapshot": True}
        assert not path.parent.exists()

    @pytest.mark.parametrize("condition", [*CONDITIONS, *VERSION_1])
    def test_a_whole_memory_is_well_in_every_part(self, condition: str, tmp_path: Path) -> None:
        """Whatever a crash, a purge, a key or an older release made of it; and all of it is looked at."""
        whole = golden(condition) if condition in VERSION_1 else kept(condition)
        found = laid(whole, tmp_path)
        assert bad(found) == []
        assert [subject for subject in by_subject(found) if subject != "files"] == PARTS

    def test_what_was_found_is_counted(self, history: Path) -> None:
        """A person reads it: memories, archive, entries, keys."""
        found = findings(history)
        state = open_store(history).state
        assert f"{len(state.records)} memories" in detail(found, "snapshot")
        assert f"{len(state.archive)} in the archive" in detail(found, "snapshot")
        assert f"entry {len(eventful())}" in detail(found, "journal")
        assert f"{len(state.forgotten)} forgotten" in detail(found, "snapshot")
        known = len(list(state.remembered()))
        assert f"{known} of {known}" in detail(found, "keys")

    def test_an_encrypted_memory_is_said_to_be_so(self, tmp_path: Path) -> None:
        """And it is looked into all the same."""
        assert "encrypted" in detail(laid(kept("encrypted"), tmp_path), "snapshot")
        assert "encrypted" not in detail(laid(kept("two generations"), tmp_path / "other"), "snapshot")

    def test_a_text_that_two_memories_share_is_no_fault(self, path: Path) -> None:
        """They share a key row as well."""
        store = open_store(path)
        commit(store, memorized(0), memorized(1, content=record(0).content))
        compact(store)
        assert bad(findings(path)) == []

    def test_a_folder_that_cannot_be_written_to_is_verified_all_the_same(
        self, history: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Such as a backup on a read-only disk, with whatever a crash left in it."""
        append(history.with_name(JOURNAL), b'{"seq":11')
        history.with_name(f"{SNAPSHOT}.tmp").write_bytes(b"half")
        for module in ("check", "directory", "repair"):
            monkeypatch.setattr(f"ntm_memory_skill.store.{module}.FileSystem", ForbiddenFileSystem)
        assert bad(findings(history)) == []
        history.write_bytes(b"")
        assert bad(findings(history)) == ["snapshot and journal"]

    @pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write to every folder")
    @pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits on folders")
    def test_a_read_only_folder_is_verified_all_the_same(self, history: Path) -> None:
        """Where the operating system itself lets nothing be written."""
        history.parent.chmod(0o500)
        try:
            assert bad(findings(history)) == []
        finally:
            history.parent.chmod(0o700)


class TestLeftovers:
    """What a crash leaves is told, and is no fault."""

    def test_a_torn_last_line_is_told(self, history: Path) -> None:
        """It was never acknowledged, and the next opening cuts it off."""
        whole = len(findings(history))
        append(history.with_name(JOURNAL), b'{"seq":11,"after":"')
        found = findings(history)
        assert (bad(found), len(found)) == ([], whole + 1)

    @pytest.mark.parametrize("name", [SNAPSHOT, JOURNAL, KEYS, OLD_SNAPSHOT, OLD_JOURNAL])
    def test_a_temporary_file_is_told(self, history: Path, name: str) -> None:
        """By its name."""
        history.with_name(f"{name}.tmp").write_bytes(b"half")
        found = findings(history)
        assert bad(found) == []
        assert f"{name}.tmp" in detail(found, "files")

    @pytest.mark.parametrize("data", [b"", b"no array", None], ids=["empty", "no array", "missing"])
    def test_missing_keys_are_told(self, history: Path, data: bytes | None) -> None:
        """They are encoded anew when they are needed."""
        before = detail(findings(history), "keys")
        keys = history.with_name(KEYS)
        keys.unlink()
        if data is not None:
            keys.write_bytes(data)
        found = findings(history)
        assert bad(found) == []
        assert detail(found, "keys") != before

    @pytest.mark.parametrize("note", [None, b"", b"\xff" * 320, note_bytes(3), note_bytes(0)])
    def test_a_note_that_is_gone_damaged_or_behind_is_no_fault(self, history: Path, note: bytes | None) -> None:
        """It is not waited for; the number that it gives is told."""
        history.with_name(WRITER).unlink()
        if note is not None:
            history.with_name(WRITER).write_bytes(note)
        found = findings(history)
        assert bad(found) == []
        assert f"{3 if note == note_bytes(3) else 0} known as acknowledged" in detail(found, "journal")

    def test_every_damage_to_the_note_is_seen_through(self, history: Path) -> None:
        """A flipped bit in it never accuses a whole memory of a loss."""
        note = history.with_name(WRITER)
        whole = note.read_bytes()
        for place in range(160, len(whole), 3):
            note.write_bytes(flipped(whole, place, 1))
            assert bad(findings(history)) == []

    def test_a_generation_before_of_which_the_snapshot_is_missing_is_told(self, tmp_path: Path) -> None:
        """The next fold makes a new one."""
        whole = detail(laid(kept("two generations"), tmp_path), "previous generation")
        found = laid(kept("two generations"), tmp_path / "other", {OLD_SNAPSHOT: None})
        assert bad(found) == []
        assert detail(found, "previous generation") != whole


class TestDamage:
    """Every kind is found, and named; what a repair would come to is said beside it."""

    @pytest.mark.parametrize("condition", ["two generations", "encrypted", "first journal", "upgraded"])
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_a_damaged_snapshot_is_found_and_could_be_mended(self, condition: str, damage: str, tmp_path: Path) -> None:
        """Nothing is lost: it is in the generation before, or in the journal."""
        whole = kept(condition)
        changed = DAMAGES[damage](whole.files[SNAPSHOT])
        found = laid(whole, tmp_path, {SNAPSHOT: changed})
        assert "snapshot and journal" in bad(found)
        assert isinstance(found[0].error, StoreDamaged)
        assert found[1].ok or isinstance(found[1].error, KeyRefused)

    @pytest.mark.parametrize("condition", ["two generations", "encrypted", "first journal"])
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_a_damaged_journal_is_found(self, condition: str, damage: str, tmp_path: Path) -> None:
        """The very last byte included, and a journal that is gone."""
        whole = kept(condition)
        found = laid(whole, tmp_path, {JOURNAL: DAMAGES[damage](whole.files[JOURNAL])})
        assert "snapshot and journal" in bad(found)
        assert isinstance(found[0].error, StoreDamaged)

    @pytest.mark.parametrize("name", [OLD_SNAPSHOT, OLD_JOURNAL])
    @pytest.mark.parametrize("condition", ["two generations", "encrypted", "upgraded"])
    def test_a_damaged_generation_before_is_found(self, condition: str, name: str, tmp_path: Path) -> None:
        """Nothing is lost by it, as long as nothing else is damaged; the present memory is well."""
        whole = kept(condition)
        for label, damage in DAMAGES.items():
            if (name, label) == (OLD_SNAPSHOT, "missing"):
                continue  # told, and no fault
            found = laid(whole, tmp_path / label, {name: damage(whole.files[name])})
            assert bad(found) == ["previous generation"], label

    def test_what_would_be_lost_is_said(self, tmp_path: Path) -> None:
        """By `repair`, before anybody runs it."""
        whole = kept("two generations")
        cut = whole.files[JOURNAL][:-20]
        found = laid(whole, tmp_path, {JOURNAL: cut})
        assert bad(found) == ["snapshot and journal", "repair"]
        assert "9" in detail(found, "repair")

    def test_a_snapshot_that_was_rolled_back_is_found(self, tmp_path: Path) -> None:
        """Its checksums are right; the journal is of another generation."""
        whole = kept("two generations")
        found = laid(whole, tmp_path, {SNAPSHOT: whole.files[OLD_SNAPSHOT]})
        assert bad(found) == ["snapshot and journal"]
        assert by_subject(found)["repair"]

    def test_a_memory_that_was_rolled_back_as_a_whole_is_found(self, tmp_path: Path) -> None:
        """The note knows better; without it nobody does, but for the generation before."""
        whole, older = kept("two generations"), kept("first journal")
        changes = {name: older.files[name] for name in (SNAPSHOT, JOURNAL)}
        assert bad(laid(whole, tmp_path, {**changes, WRITER: note_bytes(9)})) == ["snapshot and journal", "repair"]
        assert bad(laid(whole, tmp_path / "other", {**changes, WRITER: None})) == ["previous generation"]

    @pytest.mark.parametrize("name", [OLD_SNAPSHOT, OLD_JOURNAL])
    def test_a_generation_before_that_does_not_amount_to_the_snapshot_is_found(self, name: str, tmp_path: Path) -> None:
        """Though every checksum is right."""
        present = {OLD_SNAPSHOT: SNAPSHOT, OLD_JOURNAL: JOURNAL}[name]
        found = laid(kept("two generations"), tmp_path, {name: kept("first journal").files[present]})
        assert bad(found) == ["previous generation"]

    def test_a_file_of_a_newer_release_is_told_apart(self, tmp_path: Path) -> None:
        """It is not damaged; in the generation before it can be nothing else."""
        whole = kept("two generations")
        newer = whole.files[SNAPSHOT].replace(b'"version":2', b'"version":9')
        found = laid(whole, tmp_path, {SNAPSHOT: newer})
        assert isinstance(found[0].error, StoreTooNew)
        older = whole.files[OLD_SNAPSHOT].replace(b'"version":2', b'"version":9')
        assert bad(laid(whole, tmp_path / "other", {OLD_SNAPSHOT: older})) == ["previous generation"]

    @pytest.mark.parametrize("passphrase", [None, "another"])
    def test_a_key_that_does_not_fit_is_found(self, passphrase: str | None, tmp_path: Path) -> None:
        """What cannot be read cannot be judged."""
        found = findings(kept("encrypted").lay(tmp_path / "laid"), passphrase)
        assert [(finding.ok, type(finding.error)) for finding in found] == [(False, KeyRefused)]
        found = findings(kept("two generations").lay(tmp_path / "plain"), SALT_AND_PEPPER)
        assert [(finding.ok, type(finding.error)) for finding in found] == [(False, KeyRefused)]


class TestCrafted:
    """What is wrong behind right checksums: no damage, but somebody's program."""

    def crafted(self, path: Path, change: Callable[[dict[str, object]], object]) -> list[Finding]:
        """Verify a memory whose snapshot says something else."""
        store = open_store(path)
        commit(store, memorized(0), memorized(1))
        compact(store)
        said = json.loads(path.read_bytes())
        del said["crc"]
        for each in said["records"]:
            del each["crc"]
        change(said)
        path.write_bytes(snapshot_bytes(said))
        for name in (OLD_SNAPSHOT, OLD_JOURNAL):
            path.with_name(name).unlink()
        return findings(path)

    def test_the_forgery_itself_is_well(self, path: Path) -> None:
        """Else the tests below would find something else."""
        assert bad(self.crafted(path, lambda said: None)) == []

    def test_two_memories_in_one_slot_are_found(self, path: Path) -> None:
        """One would overwrite the other's row of the matrix: such a snapshot is not even read."""
        found = self.crafted(path, lambda said: said["records"][1].update(slot=0))  # type: ignore[index]  # JSON
        assert bad(found)[0] == "snapshot and journal"
        assert isinstance(found[0].error, StoreDamaged)

    @pytest.mark.parametrize(
        "change",
        [
            lambda said: said["records"][1].update(ordinal=0),
            lambda said: said["records"][1].update(ordinal=7),
            lambda said: said.update(next_ordinal=1),
            lambda said: said["records"][0].update(strength=0.0),
            lambda said: said["records"][0].update(strength=1.5),
            lambda said: said["records"][0].update(stability=0.0),
            lambda said: said["records"][0].update(difficulty=0.5),
            lambda said: said["records"][0].update(difficulty=10.5),
            lambda said: said["records"][0].update(links=[{**LINKED, "weight": 1.5}]),
            lambda said: said["records"][0].update(absorbed=[{"id": "gone", "weight": 0.5}]),
            lambda said: said["records"][0].update(absorbed=[{"id": ident(1), "weight": 0.5}]),
        ],
        ids=[
            *("same place", "later than the last", "fewer than there are", "no strength", "too strong"),
            *("no stability", "too easy", "too hard", "too close", "absorbed nobody", "absorbed what is live"),
        ],
    )
    def test_a_matrix_that_cannot_be_is_found(self, path: Path, change: Callable[[dict[str, object]], object]) -> None:
        """A place in the order of writing is one memory's, a number within its range, a merge known to both."""
        assert bad(self.crafted(path, change)) == ["matrix"]

    @pytest.mark.parametrize("factor", [0.0, 0.5, 1.01, float("nan"), float("inf")])
    def test_a_key_that_is_not_of_length_1_is_found(self, history: Path, factor: float) -> None:
        """It would be found too often, or never."""
        rows = open_store(history).key_rows()
        keys = rows.keys.copy()
        keys[1] *= factor
        history.with_name(KEYS).write_bytes(keycache.encode(KeyRows(rows.digests, keys)))
        assert bad(findings(history)) == ["matrix"]

    def test_a_key_in_the_journal_is_looked_at_as_well(self, path: Path) -> None:
        """Nobody has folded it yet."""
        store = open_store(path)
        commit(store, memorized(0))
        crooked = memorized(1)
        commit(store, type(crooked)(crooked.record, b"\0" * 4 * IDENTITY.dimension))
        assert bad(findings(path)) == ["matrix"]


class TestPlaces:
    """Where there is no memory that could be read."""

    def test_files_that_cannot_be_reached_are_found(self, tmp_path: Path) -> None:
        """A folder where the snapshot should be, a name that no file can have, one with control characters in it."""
        (tmp_path / "memory.json" / SNAPSHOT).mkdir(parents=True)
        for path, kind in (
            (tmp_path / "memory.json", PathRefused),
            (tmp_path / ("x" * 300), StoreUnreachable),
            (tmp_path / "a\nb", PathRefused),
        ):
            found = verify(path, ticking_clock())
            assert [(finding.ok, type(finding.error)) for finding in found] == [(False, kind)]

    @pytest.mark.parametrize("name", [SNAPSHOT, JOURNAL, KEYS, WRITER, "ntm_memory.lock"])
    def test_a_link_in_the_place_of_a_file_is_found(self, history: Path, name: str) -> None:
        """Nobody knows what stands at its end."""
        file = history.with_name(name)
        file.rename(file.with_name("elsewhere"))
        file.symlink_to("elsewhere")
        assert [type(finding.error) for finding in findings(history)] == [PathRefused]

    @pytest.mark.parametrize("name", [OLD_SNAPSHOT, OLD_JOURNAL])
    def test_a_link_in_the_generation_before_is_found(self, tmp_path: Path, name: str) -> None:
        """The present memory is well."""
        path = kept("two generations").lay(tmp_path / "laid")
        path.with_name(name).rename(path.with_name("elsewhere"))
        path.with_name(name).symlink_to("elsewhere")
        assert bad(findings(path)) == ["previous generation"]
