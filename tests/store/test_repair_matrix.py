"""Every file of a memory in every condition, damaged in every way: repaired without loss, or refused and then told."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from ntm_memory_skill.errors import KeyRefused, LossRefused
from ntm_memory_skill.model import Memorized
from ntm_memory_skill.store import DirectoryStore, verify
from ntm_memory_skill.store.repair import Repair, examine, repair
from tests.conftest import ticking_clock
from tests.store.builders import IDENTITY, all_bytes, compact, contents, record, row
from tests.store.losses import DAMAGES, Damage, invented, unnamed
from tests.store.wrecks import (
    ALL,
    CONDITIONS,
    EVIDENCE,
    JOURNAL,
    KEYS,
    OLD_SNAPSHOT,
    SNAPSHOT,
    VERSION_1,
    WRITER,
    Kept,
    cheap_key,
    golden,
    kept,
)

__all__ = ["cheap_key"]

A_FEW = {"a byte flipped at 0.5", "a byte flipped at 1", "missing", "empty", "cut in half", "garbage", "zeros"}
"""What is done to the files that memories are not in."""


@dataclass(frozen=True)
class Wreck:
    """A memory of which one file is damaged."""

    whole: Kept
    path: Path
    name: str
    data: bytes | None

    def repair(self, *, accept_loss: bool = False) -> Repair:
        """Repair it as a process of its own."""
        settings = self.whole.settings
        return repair(self.path, clock=ticking_clock(), settings=settings, accept_loss=accept_loss)

    def healthy(self) -> bool:
        """Verify it, and check that this changes nothing."""
        before = all_bytes(self.path.parent)
        found = verify(self.path, ticking_clock(), self.whole.settings)
        assert all_bytes(self.path.parent) == before
        return all(finding.ok for finding in found)

    @property
    def salt_is_gone(self) -> bool:
        """Whether no file says any more what was mixed into the key."""
        salt = self.whole.files[SNAPSHOT].partition(b'"salt":"')[2].partition(b'"')[0]
        return self.name == SNAPSHOT and OLD_SNAPSHOT not in self.whole.files and salt not in (self.data or b"")


def must_lose_nothing(whole: Kept, name: str) -> bool:
    """Return whether everything is there without a file: in the generation before, in the journal, or anyhow."""
    if name == SNAPSHOT:
        return OLD_SNAPSHOT in whole.files or b'{"seq":1,' in whole.files[JOURNAL]
    return name != JOURNAL


def check(wreck: Wreck) -> None:
    """Repair a memory, and check that the law was kept."""
    was_healthy, before = wreck.healthy(), all_bytes(wreck.path.parent)
    found = examine(wreck.path, clock=ticking_clock(), settings=wreck.whole.settings)
    assert all_bytes(wreck.path.parent) == before
    try:
        done = wreck.repair()
    except LossRefused:
        assert all_bytes(wreck.path.parent) == before
        assert not was_healthy
        assert not must_lose_nothing(wreck.whole, wreck.name)
        done = wreck.repair(accept_loss=True)
        check_loss(wreck, done)
    else:
        assert done.lost == ()
        assert done.needed or was_healthy
        assert wreck.whole.told.same_as(wreck.whole.open(wreck.path, tidy=False).state) or undetectable(wreck)
    assert (found.mended, found.lost) == (done.mended, done.lost)
    check_outcome(wreck, done)


def undetectable(wreck: Wreck) -> bool:
    """Return whether entries can be missing without a trace: version 1 had no note of what was acknowledged."""
    return not wreck.whole.noted and wreck.name == JOURNAL


def check_loss(wreck: Wreck, done: Repair) -> None:
    """Check that what is missing is named, and that the damaged bytes are kept, unless a purge had to be finished."""
    state = wreck.whole.open(wreck.path, tidy=False).state
    assert unnamed(wreck.whole, state, done.lost) == set()
    assert invented(wreck.whole, state, done.lost) == {}
    aside = {name.partition("-")[2]: wreck.path.parent / name for name in done.quarantined}
    if aside or "purge" not in wreck.whole.name:
        assert aside.keys() == {name for name in all_bytes_of(wreck) if name in EVIDENCE}
        for name, file in aside.items():
            assert file.read_bytes() == all_bytes_of(wreck)[name]


def all_bytes_of(wreck: Wreck) -> dict[str, bytes]:
    """Return the bytes of every file as they were before the repair."""
    files = {**wreck.whole.files, wreck.name: wreck.data}
    return {name: data for name, data in files.items() if data is not None}


def check_outcome(wreck: Wreck, done: Repair) -> None:
    """Check that all is well afterwards, that there is nothing left to repair, and that the memory goes on."""
    assert wreck.healthy()
    store = wreck.whole.open(wreck.path)
    assert (len(store.state.records), len(store.state.archive)) == (done.memories, done.archived)
    before = all_bytes(wreck.path.parent)
    assert not wreck.repair().needed
    assert all_bytes(wreck.path.parent) == before
    expected = {**contents(store), "mnew": "written after the repair"}
    write_on(store)
    assert contents(wreck.whole.open(wreck.path)) == expected
    compact(wreck.whole.open(wreck.path))
    assert contents(wreck.whole.open(wreck.path)) == expected
    assert wreck.healthy()


def write_on(store: DirectoryStore) -> None:
    """Commit a new memory."""
    encoder = store.encoder or IDENTITY
    new = record(99, id="mnew", content="written after the repair", ordinal=store.state.next_ordinal)
    with store.transaction():
        store.commit([Memorized(new, row(99, encoder.dimension))], encoder)


def damaged(whole: Kept, name: str, damage: Damage, folder: Path) -> Wreck:
    """Lay a memory's files, one of them damaged."""
    data = damage(whole.files[name])
    return Wreck(whole, whole.lay(folder, {name: data}), name, data)


@pytest.mark.parametrize("condition", [*CONDITIONS, *VERSION_1])
def test_a_damaged_file_is_mended_without_loss_or_the_loss_is_refused_and_named(condition: str, tmp_path: Path) -> None:
    """Whatever it was in, and whatever happened to it; the memory is whole and goes on afterwards."""
    whole = golden(condition) if condition in VERSION_1 else kept(condition)
    for name, label in product([name for name in ALL if name in whole.files], DAMAGES):
        if name in (KEYS, WRITER) and label not in A_FEW:
            continue
        wreck = damaged(whole, name, DAMAGES[label], tmp_path / f"{name} {label}")
        try:
            check(wreck)
        except KeyRefused:
            assert wreck.salt_is_gone
        except BaseException as error:
            error.add_note(f"{condition}, {name}, {label}")
            raise
