"""Any history, any damage: a repair loses nothing that is anywhere, and names what is nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import LossRefused, StoreTooNew
from ntm_memory_skill.model import Erased, Event, Faded, Forgotten, Memorized, Merged, Purged, Restored, Updated
from ntm_memory_skill.store import DirectoryStore
from ntm_memory_skill.store.repair import Repair, repair
from tests.conftest import ticking_clock
from tests.store.builders import IDENTITY, commit, compact, contents, memorized, moment, record, row
from tests.store.losses import invented, unnamed
from tests.store.specimens import Shelf, opened
from tests.store.wrecks import EVIDENCE, JOURNAL, KEYS, OLD_JOURNAL, OLD_SNAPSHOT, SNAPSHOT, WRITER, Kept, Told

Files = dict[str, bytes]


@dataclass
class History:
    """A memory as it came about, on a shelf."""

    folder: Path
    shelf: Shelf = field(default_factory=lambda: Shelf({}))
    told: Told = field(default_factory=Told)
    earlier: dict[str, list[bytes]] = field(default_factory=dict)
    """What each file has held, in order."""

    def open(self) -> DirectoryStore:
        """Open it as a process of its own."""
        return opened(self.folder, self.shelf, None, tidy=True)

    def step(self, name: str, number: int) -> None:
        """Do something to it, if it can be done."""
        store = self.open()
        if name == "fold":
            compact(store)
        else:
            events = self._events(store, name, number)
            if events:
                self.told.tell(events)
                with store.transaction():
                    store.commit(events, IDENTITY)
                    if name == "purge":
                        store.scrub()
        for file, data in self.shelf.files.items():
            self.earlier.setdefault(file, []).append(data)

    def _events(self, store: DirectoryStore, name: str, number: int) -> list[Event]:
        """Return what to commit: about the memory that the number picks, if there is one."""
        count, state, at = len(self.told.ever), store.state, moment(100 + len(self.told.about))
        if name == "write":
            return [memorized(count, slot=state.free_slot(), content=f"memory {count} said {number}")]
        places = {
            "restore": {**self.told.archive, **self.told.forgotten},
            "purge": {**self.told.live, **self.told.forgotten},
        }
        there = sorted(places.get(name, self.told.live))
        if not there:
            return []
        chosen, other = there[number % len(there)], there[(number + 1) % len(there)]
        made: dict[str, list[Event]] = {
            "update": [Updated(chosen, at, content=f"{chosen} now says {number}", key_row=row(number))],
            "fade": [Faded(chosen, at, 0.5)],
            "erase": [Erased(chosen, at)],
            "restore": [Restored(chosen, at, state.free_slot(), row(number))],
            "purge": [Erased(chosen, at), Purged(chosen, at)],
            "forget": [Forgotten(chosen, at, "not recalled")],
            "merge": [] if chosen == other else [Merged(chosen, other, at, 0.5, "the same")],
        }
        return made[name]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the locks lie: everything else is in this process's memory."""
    return tmp_path_factory.mktemp("locks")


WRITING = ("write", "write", "write", "write", "update", "fade")
LEAVING = ("erase", "forget", "merge", "restore", "restore", "purge")
NAMES = st.sampled_from([*WRITING, *LEAVING, "fold", "fold", "fold"])
HISTORIES = st.lists(st.tuples(NAMES, st.integers(0, 50)), min_size=1, max_size=14)
Damage = Callable[[bytes, list[bytes]], bytes | None]


@st.composite
def damages(draw: st.DrawFn, *, rolled_back: bool = True) -> Damage:
    """Return damage to a file's bytes, given what the file has held before."""
    share, mask, junk = draw(st.floats(0, 1)), draw(st.integers(1, 255)), draw(st.binary(max_size=40))
    kind = draw(st.sampled_from(["flip", "cut", "overwrite", "insert", "zero", "missing", *(["back"] * rolled_back)]))

    def damage(data: bytes, earlier: list[bytes]) -> bytes | None:
        place = min(int(share * len(data)), max(len(data) - 1, 0))
        changed: dict[str, bytes | None] = {
            "flip": data[:place] + bytes(byte ^ mask for byte in data[place : place + 1]) + data[place + 1 :],
            "cut": data[:place],
            "overwrite": data[:place] + junk + data[place + len(junk) :],
            "insert": data[:place] + junk + data[place:],
            "zero": data[:place] + bytes(len(data) - place),
            "missing": None,
            "back": earlier[int(share * (len(earlier) - 1))] if earlier else data,
        }
        return changed[kind]

    return damage


def lived(folder: Path, steps: list[tuple[str, int]]) -> History:
    """Return a memory to which all of this happened."""
    history = History(folder)
    for name, number in steps:
        history.step(name, number)
    assume(history.told.about)
    return history


def mended(history: History, files: Files, *, accept_loss: bool) -> tuple[Repair, Shelf]:
    """Repair files, and return what was done and what is there now."""
    shelf = Shelf(files)
    path = history.folder / SNAPSHOT
    return repair(path, clock=ticking_clock(), fs=shelf, accept_loss=accept_loss), shelf


def is_elsewhere(name: str, files: Files) -> bool:
    """Return whether what a file held is in other files as well."""
    if name == SNAPSHOT:
        return {OLD_SNAPSHOT, OLD_JOURNAL} <= files.keys() or b'{"seq":1,' in files.get(JOURNAL, b"")
    return name != JOURNAL


def looks_newer(name: str, files: Files) -> bool:
    """Return whether damage made a later version of a file's: then it is left to the release that it names."""
    return b'"version":2' not in files.get(name, b"")[:60]


def check_goes_on(history: History, shelf: Shelf, state: dict[str, str]) -> None:
    """Check that there is nothing left to repair, and that the memory can be written to."""
    before = dict(shelf.files)
    again, after = mended(history, before, accept_loss=False)
    assert not again.needed
    assert {name: data for name, data in after.files.items() if name != WRITER} == {
        name: data for name, data in before.items() if name != WRITER
    }
    store = opened(history.folder, shelf, None, tidy=True)
    assert contents(store) == state
    dimension = IDENTITY.dimension if store.encoder is None else store.encoder.dimension
    told = record(900, slot=store.state.free_slot(), ordinal=store.state.next_ordinal)
    commit(store, Memorized(told, row(900, dimension)))
    compact(store)
    store = opened(history.folder, shelf, None, tidy=True)
    assert contents(store) == {**state, told.id: told.content}


@given(HISTORIES, st.sampled_from([*EVIDENCE, KEYS, WRITER]), damages())
@settings(deadline=None, max_examples=300)
def test_damage_to_one_file_costs_nothing_that_is_in_another(
    folder: Path, steps: list[tuple[str, int]], name: str, damage: Damage
) -> None:
    """The snapshot is in the generation before, or in a journal that goes back to the first entry; the rest is copies.

    What is in the journal alone is refused to be lost, then named.
    """
    history = lived(folder, steps)
    whole = dict(history.shelf.files)
    assume(name in whole)
    data = damage(whole[name], history.earlier[name])
    files = {**{other: whole[other] for other in whole if other != name}, **({} if data is None else {name: data})}
    try:
        done, shelf = mended(history, files, accept_loss=False)
    except StoreTooNew:
        assert looks_newer(name, files)
        return
    except LossRefused:
        assert not is_elsewhere(name, whole)
        check_loss(history, files)
        return
    assert done.lost == ()
    state = opened(history.folder, shelf, None, tidy=False).state
    assert history.told.same_as(state)
    check_goes_on(history, shelf, history.told.live)


def check_loss(history: History, files: Files) -> None:
    """Check that an accepted loss is named, that nothing is made up, and that nothing purged is back."""
    done, shelf = mended(history, files, accept_loss=True)
    whole = Kept("a history", dict(history.shelf.files), history.told)
    state = opened(history.folder, shelf, None, tidy=False).state
    assert done.lost
    assert unnamed(whole, state, done.lost) == set()
    assert invented(whole, state, done.lost) == {}
    assert {name for name in EVIDENCE if name in files} <= {each.partition("-")[2] for each in done.quarantined}
    check_goes_on(history, shelf, contents_of(shelf, history))


def contents_of(shelf: Shelf, history: History) -> dict[str, str]:
    """Return what a repaired memory says."""
    return contents(opened(history.folder, Shelf(shelf.files), None, tidy=False))


@given(HISTORIES, st.lists(damages(rolled_back=False) | st.none(), min_size=6, max_size=6))
@settings(deadline=None, max_examples=200)
def test_damage_to_all_files_makes_nothing_up_and_keeps_no_loss_secret(
    folder: Path, steps: list[tuple[str, int]], plan: list[Damage | None]
) -> None:
    """Whatever is left: it is what the memory was told once, and not what was purged."""
    history = lived(folder, steps)
    files: Files = {}
    for name, damage in zip((*EVIDENCE, KEYS, WRITER), plan, strict=True):
        data = history.shelf.files.get(name)
        data = data if data is None or damage is None else damage(data, [])
        if data is not None:
            files[name] = data
    assume(SNAPSHOT in files or OLD_SNAPSHOT in files or WRITER in files)
    try:
        done, shelf = mended(history, files, accept_loss=True)
    except StoreTooNew:
        assert any(looks_newer(name, files) for name in EVIDENCE)
        return
    whole = Kept("a history", dict(history.shelf.files), history.told)
    state = opened(history.folder, shelf, None, tidy=False).state
    assert invented(whole, state, done.lost) == {}
    if files.get(WRITER) == history.shelf.files[WRITER]:
        assert unnamed(whole, state, done.lost) == set()
    check_goes_on(history, shelf, contents_of(shelf, history))
