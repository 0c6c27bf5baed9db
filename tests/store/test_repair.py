"""`repair`: what is well is left alone, what would be lost is refused, and one works at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntm_memory_skill.errors import KeyRefused, LossRefused, PathRefused, StoreLocked, StoreUnreachable
from ntm_memory_skill.store import StoreSettings
from ntm_memory_skill.store.fs import FileSystem, Signature
from ntm_memory_skill.store.repair import examine
from tests.conftest import ticking_clock
from tests.store.builders import (
    all_bytes,
    commit,
    contents,
    ident,
    memorized,
    open_store,
)
from tests.store.doubles import ForbiddenFileSystem
from tests.store.forging import note_bytes
from tests.store.mending import below, mend, well
from tests.store.wrecks import (
    CONDITIONS,
    EVIDENCE,
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


@pytest.fixture
def whole() -> Kept:
    """A memory with a snapshot, a journal and a generation before."""
    return kept("two generations")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where its folder is to be."""
    return tmp_path / "memory"


class TestHealthy:
    """What is well is not touched."""

    @pytest.mark.parametrize("condition", [*CONDITIONS, *VERSION_1])
    def test_a_healthy_memory_is_left_as_it_is(self, condition: str, place: Path) -> None:
        """Whatever a crash left in it: only a torn line is cut off, and then all is as it was."""
        whole = golden(condition) if condition in VERSION_1 else kept(condition)
        path = whole.lay(place)
        before = all_bytes(place)
        done = mend(path, whole)
        assert done.lost == done.quarantined == ()
        assert done.needed == (condition == "torn")
        assert (all_bytes(place) == before) == (condition != "torn")
        assert whole.told.same_as(whole.open(path).state)
        assert whole.open(path).warnings == ()

    @pytest.mark.parametrize("note", [None, b"", b"\0" * 320, note_bytes(7), note_bytes(0)])
    def test_a_note_that_lags_behind_is_no_damage(self, whole: Kept, place: Path, note: bytes | None) -> None:
        """A power failure takes it back to any earlier state."""
        path = whole.lay(place, {WRITER: note})
        before = all_bytes(place)
        assert not mend(path, whole).needed
        assert all_bytes(place) == before

    @pytest.mark.parametrize("name", [SNAPSHOT, JOURNAL, KEYS, OLD_SNAPSHOT, OLD_JOURNAL])
    def test_a_temporary_file_is_no_damage(self, whole: Kept, place: Path, name: str) -> None:
        """The next opening deletes it."""
        path = whole.lay(place)
        (place / f"{name}.tmp").write_bytes(b"half")
        assert not mend(path, whole).needed
        assert well(path, whole)

    def test_looking_changes_nothing(self, whole: Kept, place: Path) -> None:
        """And makes no lock: it can be done where nothing can be written."""
        path = whole.lay(place, {SNAPSHOT: b""})
        before = below(place)
        found = examine(path, clock=ticking_clock(), settings=whole.settings, fs=ForbiddenFileSystem())
        assert found.needed
        assert below(place) == before
        assert not (place / "ntm_memory.lock").exists()


class TestNoMemory:
    """There is nothing to repair."""

    @pytest.mark.parametrize("files", [None, {}, {"notes.txt": b"x", "ntm_memory.keys.npy": b"x"}])
    def test_where_there_is_no_memory_nothing_is_made(self, place: Path, files: dict[str, bytes] | None) -> None:
        """No folder, an empty one, somebody else's: not even a lock."""
        if files is not None:
            place.mkdir()
            for name, data in files.items():
                (place / name).write_bytes(data)
        done = mend(place / SNAPSHOT)
        assert not done.needed
        assert (done.memories, done.archived) == (0, 0)
        assert {each.name for each in place.glob("*")} == set(files or {})

    def test_a_memory_of_which_the_note_alone_is_left_is_lost(self, whole: Kept, place: Path) -> None:
        """The note says how much there was."""
        path = whole.lay(place, dict.fromkeys((*EVIDENCE, KEYS)))
        with pytest.raises(LossRefused) as caught:
            mend(path, whole)
        assert caught.value.code == "loss_refused"
        done = mend(path, whole, accept_loss=True)
        assert any("1 to 9" in each for each in done.lost)
        assert open_store(path).state.records == {}
        commit(open_store(path), memorized(0))
        assert contents(open_store(path)) == {ident(0): memorized(0).record.content}
        assert well(path, whole)


class TestRefusals:
    """Nothing is lost without being told to."""

    def test_a_loss_is_refused_with_everything_that_would_be_lost(self, whole: Kept, place: Path) -> None:
        """And not a byte is changed; the same list comes back when it is accepted."""
        path = whole.lay(place, {JOURNAL: whole.files[JOURNAL].replace(b'"seq":7', b'"seq":1')})
        before = below(place)
        with pytest.raises(LossRefused) as caught:
            mend(path, whole)
        assert below(place) == before
        done = mend(path, whole, accept_loss=True)
        assert done.lost
        assert all(each in caught.value.message for each in done.lost)

    @pytest.mark.parametrize("damage", [{}, {SNAPSHOT: b""}, {SNAPSHOT: b"", OLD_SNAPSHOT: b""}])
    @pytest.mark.parametrize("passphrase", [None, "another"])
    def test_a_wrong_key_is_refused(self, place: Path, damage: dict[str, bytes], passphrase: str | None) -> None:
        """Even with the loss accepted: with the right one nothing might be lost."""
        path = kept("encrypted").lay(place, damage)
        before = below(place)
        for accept_loss in (False, True):
            with pytest.raises(KeyRefused):
                mend(path, settings=StoreSettings(passphrase=passphrase), accept_loss=accept_loss)
        assert below(place) == before

    def test_a_key_for_a_memory_that_is_not_encrypted_is_refused(self, whole: Kept, place: Path) -> None:
        """A repair encrypts nothing in passing."""
        path = whole.lay(place, {SNAPSHOT: b""})
        before = below(place)
        with pytest.raises(KeyRefused):
            mend(path, settings=StoreSettings(passphrase=SALT_AND_PEPPER))
        assert below(place) == before

    def test_a_folder_that_cannot_be_written_to_stays_as_it_is(self, whole: Kept, place: Path) -> None:
        """With an error of the tree."""
        path = whole.lay(place, {SNAPSHOT: b""})
        before = below(place)
        with pytest.raises(StoreUnreachable):
            mend(path, whole, fs=ForbiddenFileSystem())
        assert below(place) == before

    @pytest.mark.parametrize("name", EVIDENCE)
    def test_a_link_in_the_place_of_a_file_is_refused(self, whole: Kept, place: Path, name: str) -> None:
        """What it leads to is neither read nor replaced."""
        path = whole.lay(place)
        (place / name).rename(place / "elsewhere")
        (place / name).symlink_to("elsewhere")
        with pytest.raises(PathRefused):
            mend(path, whole)
        assert (place / name).is_symlink()


class TestSalt:
    """What was mixed into the key stands in the snapshots."""

    def test_a_damaged_salt_is_taken_from_the_generation_before(self, place: Path) -> None:
        """One digit of it is another, so that it looks like a salt still."""
        whole = kept("encrypted")
        data = whole.files[SNAPSHOT]
        start = data.index(b'"salt":"') + 8
        for digit in b"0123456789abcdef":
            changed = data[:start] + bytes([digit]) + data[start + 1 :]
            path = whole.lay(place, {SNAPSHOT: changed})
            assert mend(path, whole).lost == ()
            assert whole.told.same_as(whole.open(path).state)

    def test_a_salt_that_stands_in_a_damaged_snapshot_is_tried(self, place: Path) -> None:
        """Where there is no other: the journal is whole, and it is opened."""
        whole = kept("encrypted first journal")
        path = whole.lay(place, {SNAPSHOT: whole.files[SNAPSHOT].replace(b'"crc":', b'"CRC":')})
        assert mend(path, whole).lost == ()
        assert whole.told.same_as(whole.open(path).state)

    def test_a_salt_that_is_gone_is_told_apart_from_a_wrong_key(self, place: Path) -> None:
        """Nothing is changed; the hint is not to look for another key."""
        whole = kept("encrypted first journal")
        path = whole.lay(place, {SNAPSHOT: None})
        before = below(place)
        with pytest.raises(KeyRefused) as caught:
            mend(path, whole, accept_loss=True)
        assert caught.value.hint != KeyRefused.default_hint
        assert below(place) == before


class TestLock:
    """One at a time."""

    def test_a_writer_at_work_is_not_disturbed(self, whole: Kept, place: Path) -> None:
        """The repair gives up when it has waited long enough."""
        path = whole.lay(place)
        with whole.open(path).transaction():
            (place / OLD_SNAPSHOT).write_bytes(b"")
            before = below(place)
            with pytest.raises(StoreLocked):
                mend(path, whole)
            assert below(place) == before
        assert mend(path, whole).needed

    def test_two_repairs_do_not_meet(self, whole: Kept, place: Path) -> None:
        """The second finds the lock taken at every step of the first, and nothing to do when it is done."""
        path, met = whole.lay(place, {SNAPSHOT: b""}), []

        class Interrupted(FileSystem):
            def replace(self, path_: Path, data: bytes) -> Signature:
                with pytest.raises(StoreLocked):
                    mend(path, whole)
                met.append(path_.name)
                return super().replace(path_, data)

        assert mend(path, whole, fs=Interrupted()).needed
        assert met
        assert not mend(path, whole).needed

    def test_an_open_store_goes_on_after_a_repair(self, whole: Kept, place: Path) -> None:
        """It notices that the files are others, and writes behind them."""
        path = whole.lay(place)
        store = whole.open(path)
        (place / OLD_JOURNAL).write_bytes(b"")
        assert mend(path, whole).needed
        commit(store, memorized(80))
        assert contents(whole.open(path)) == {**whole.told.live, ident(80): memorized(80).record.content}
        assert well(path, whole)
