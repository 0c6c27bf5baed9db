"""What a repair does to the files: what is damaged is put aside, what is purged is not, and it can be broken off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.errors import PathRefused, StoreDamaged
from ntm_memory_skill.model import Erased, Purged
from ntm_memory_skill.store import keycache
from ntm_memory_skill.store.fs import FileSystem
from ntm_memory_skill.store.keycache import KeyRows
from ntm_memory_skill.store.repair import repair
from tests.conftest import ticking_clock
from tests.store.builders import (
    IDENTITY,
    Death,
    commit,
    compact,
    contents,
    eventful,
    folded,
    ident,
    moment,
    open_store,
)
from tests.store.forging import note_bytes
from tests.store.losses import flipped
from tests.store.mending import below, mend, well
from tests.store.wrecks import (
    ALL,
    JOURNAL,
    KEYS,
    OLD_JOURNAL,
    OLD_SNAPSHOT,
    SECRET,
    SNAPSHOT,
    WRITER,
    Kept,
    cheap_key,
    kept,
)

__all__ = ["cheap_key"]

QUARANTINE = "ntm_memory.damaged"
FEEDBACK = "ntm_memory.feedback.jsonl"


@pytest.fixture
def whole() -> Kept:
    """A memory with a snapshot, a journal and a generation before."""
    return kept("two generations")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where its folder is to be."""
    return tmp_path / "memory"


class TestQuarantine:
    """Damaged files are kept, and their place is ours."""

    def test_a_damaged_file_is_kept_and_those_that_are_whole_are_not(self, whole: Kept, place: Path) -> None:
        """Where nothing is lost."""
        path = whole.lay(place, {SNAPSHOT: b"garbage"})
        (name,) = mend(path, whole).quarantined
        assert (place / name).read_bytes() == b"garbage"
        assert name.startswith(QUARANTINE)
        assert name.endswith(SNAPSHOT)
        assert not {key for key in below(place) if key.startswith(QUARANTINE)} - {name}

    def test_all_files_are_kept_where_something_is_lost(self, whole: Kept, place: Path) -> None:
        """A whole one may hold what could not be used: an update of a memory that is gone."""
        path = whole.lay(place, dict.fromkeys((SNAPSHOT, OLD_SNAPSHOT)))
        done = mend(path, whole, accept_loss=True)
        assert {(place / name).read_bytes() for name in done.quarantined} == {
            whole.files[JOURNAL],
            whole.files[OLD_JOURNAL],
        }

    def test_a_second_repair_in_the_same_second_keeps_what_the_first_put_aside(self, whole: Kept, place: Path) -> None:
        """Under another name."""
        kept_bytes = set()
        for data in (b"one", b"two", b"three"):
            path = whole.lay(place, {SNAPSHOT: data})
            done = mend(path, whole, accept_loss=True, clock=lambda: moment(0))
            kept_bytes |= {(place / name).read_bytes() for name in done.quarantined}
        assert {b"one", b"two", b"three"} <= {each.read_bytes() for each in (place / QUARANTINE).iterdir()}
        assert {b"one", b"two", b"three"} <= kept_bytes

    def test_a_quarantine_that_leads_elsewhere_is_refused(self, whole: Kept, place: Path, tmp_path: Path) -> None:
        """Neither is a memory's copy put there, nor, in a purge, anything deleted."""
        path = whole.lay(place, {OLD_SNAPSHOT: b""})
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "thesis.txt").write_text("years of work")
        (place / QUARANTINE).symlink_to(tmp_path / "elsewhere")
        before = below(place)
        with pytest.raises(PathRefused):
            mend(path, whole)
        store = whole.open(path)
        with store.transaction(), pytest.raises(PathRefused):
            store.scrub()
        assert below(place) == before
        assert [each.name for each in (tmp_path / "elsewhere").iterdir()] == ["thesis.txt"]

    def test_a_purge_empties_it(self, whole: Kept, place: Path) -> None:
        """What was purged is in no file any more."""
        path = whole.lay(place, {SNAPSHOT: whole.files[SNAPSHOT][:-1]})
        assert mend(path, whole).quarantined
        store = whole.open(path)
        with store.transaction():
            store.commit([Erased(ident(0), moment(60)), Purged(ident(0), moment(60))], IDENTITY)
            removed = store.scrub().removed
        assert any(name.startswith(QUARANTINE) for name in removed)
        assert not any(b"quoted" in data for data in below(place).values())


class TestBeside:
    """What lies beside the memory is no part of it."""

    @pytest.mark.parametrize("name", [SNAPSHOT, JOURNAL])
    def test_head_and_feedback_are_left_byte_for_byte(self, whole: Kept, name: str, place: Path) -> None:
        """They are neither mended nor put aside."""
        path = whole.lay(place, {name: whole.files[name][:-9]})
        beside = {FEEDBACK: b'{"query":"whatever"}\nand so', "ntm_memory.head.json": b"numbers"}
        for other, data in beside.items():
            (place / other).write_bytes(data)
        done = mend(path, whole, accept_loss=True)
        assert done.needed
        assert not any(other in kept_name for kept_name in done.quarantined for other in beside)
        assert {other: (place / other).read_bytes() for other in beside} == beside


class TestPurge:
    """A purge that was broken off is finished: its text must not survive in what a repair puts aside."""

    @pytest.mark.parametrize("name", [SNAPSHOT, JOURNAL])
    @pytest.mark.parametrize("condition", ["purge without a scrub", "purge broken off"])
    def test_a_purged_text_is_in_no_file_after_a_repair(self, condition: str, name: str, place: Path) -> None:
        """Not in quarantine either, not among an older version's files; and no question is kept that might quote it."""
        whole = kept(condition)
        data = whole.files[name]
        place_of_damage = data.index(b'"m002"') if name == SNAPSHOT else data.index(b'"generation"')
        path = whole.lay(place, {name: flipped(data, place_of_damage + 2)})
        (place / QUARANTINE).mkdir()
        for other in (f"{QUARANTINE}/20250101T000000-{SNAPSHOT}", "ntm_memory.v1.json", FEEDBACK):
            (place / other).write_bytes(SECRET.encode())
        done = mend(path, whole, accept_loss=True)
        assert done.needed
        assert done.quarantined == ()
        assert [key for key, content in below(place).items() if SECRET.encode() in content] == []
        assert ident(6) not in contents(whole.open(path))
        assert well(path, whole)


class TestKeys:
    """The key cache can be wrong behind right checksums."""

    @pytest.mark.parametrize("factor", [0.0, 2.0, float("nan")])
    def test_a_key_that_is_not_of_length_1_is_dropped(self, whole: Kept, place: Path, factor: float) -> None:
        """And no other; it is encoded anew when it is needed."""
        path = whole.lay(place)
        rows = whole.open(path).key_rows()
        keys = rows.keys.copy()
        keys[0] *= factor
        (place / KEYS).write_bytes(keycache.encode(KeyRows(rows.digests, keys)))
        live = len(open_store(path).state.records)
        assert not well(path, whole)
        assert mend(path, whole).lost == ()
        assert well(path, whole)
        assert live - 1 <= len(whole.open(path).key_rows()) < len(rows)
        assert whole.told.same_as(whole.open(path).state)

    def test_keys_are_at_hand_after_a_repair(self, whole: Kept, place: Path) -> None:
        """Those of the cache and those of the journal."""
        path = whole.lay(place)
        compact(whole.open(path))
        expected = set(whole.open(path).key_rows().digests)
        path = whole.lay(place, {SNAPSHOT: b""})
        mend(path, whole)
        assert set(whole.open(path).key_rows().digests) == expected


class TestNote:
    """What was acknowledged is noted anew."""

    @pytest.mark.parametrize("note", [None, b"", note_bytes(3)])
    def test_the_note_is_made_good(self, whole: Kept, place: Path, note: bytes | None) -> None:
        """So that an end of the journal that is missing is noticed from now on."""
        path = whole.lay(place, {SNAPSHOT: b"", WRITER: note})
        mend(path, whole)
        assert note_bytes(9)[160:] == (place / WRITER).read_bytes()[160:]


class TestDeath:
    """A repair that is broken off has lost nothing more, and is done once more."""

    @pytest.mark.parametrize(
        ("condition", "damage"),
        [
            ("two generations", {SNAPSHOT: b""}),
            ("two generations", {OLD_JOURNAL: b"garbage\n"}),
            ("first journal", {SNAPSHOT: b"{"}),
            ("encrypted", {SNAPSHOT: b"{}"}),
            ("purge without a scrub", {WRITER: b"", OLD_SNAPSHOT: b""}),
        ],
    )
    def test_a_repair_can_die_before_any_step(self, condition: str, damage: dict[str, bytes], tmp_path: Path) -> None:
        """The next one loses nothing, and afterwards all is well."""
        whole = kept(condition)
        for step in range(100):
            path = whole.lay(tmp_path / str(step), damage)
            try:
                mend(path, whole, fs=dying_before(step))
            except Death:
                assert mend(path, whole).lost == ()
            else:
                assert step > 4
                return
            assert whole.told.same_as(whole.open(path).state)
            assert well(path, whole)
        pytest.fail("it never came to an end")


def dying_before(step: int) -> FileSystem:
    """Return a file system on which a process dies before its change of a number, counted from 0."""
    remaining = iter([True] * step)

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*arguments: Any, **options: Any) -> Any:
            if not next(remaining, False):
                raise Death
            return change(*arguments, **options)

        return changed

    fs = FileSystem()
    for name in ("replace", "preserve", "remove", "make_folder", "overwrite"):
        setattr(fs, name, counted(getattr(fs, name)))
    return fs


def test_every_file_that_is_repaired_is_private(whole: Kept, place: Path) -> None:
    """As all files of a memory are, the quarantine included."""
    path = whole.lay(place, {SNAPSHOT: b"x"})
    (place / SNAPSHOT).chmod(0o600)
    done = mend(path, whole)
    modes = {name: (place / name).stat().st_mode & 0o077 for name in (*ALL[:5], *done.quarantined, QUARANTINE)}
    assert set(modes.values()) == {0}


def test_a_line_that_stands_there_twice_costs_nothing(path: Path) -> None:
    """No entry is missing, but a reader refuses the journal: repairing has to see what a reader sees."""
    store = open_store(path)
    for events in eventful():
        commit(store, *events)
    lines = store.paths.journal.read_bytes().splitlines(keepends=True)
    store.paths.journal.write_bytes(b"".join([*lines[:3], lines[2], *lines[3:]]))
    with pytest.raises(StoreDamaged):
        open_store(path)
    done = repair(path, clock=ticking_clock())
    assert (done.needed, done.lost) == (True, ())
    assert open_store(path).state == folded(eventful())
