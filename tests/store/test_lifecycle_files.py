"""Memories out of the matrix in the files of a store: their keys, their traces, and what damage makes of them."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from ntm_memory_skill.model import (
    Consolidated,
    Erased,
    Event,
    Forgotten,
    Link,
    Linked,
    Merged,
    Occurrence,
    Purged,
    Record,
    Repeated,
    Restored,
    Superseded,
    Undone,
    Updated,
    indexed_text,
)
from ntm_memory_skill.store import DirectoryStore, State, snapshot, verify
from ntm_memory_skill.store.fold import Fold
from ntm_memory_skill.store.repair import examine
from ntm_memory_skill.store.replay import Salvage
from ntm_memory_skill.store.salvage import Evidence, salvage
from ntm_memory_skill.store.seal import SCRYPT
from tests.conftest import ticking_clock
from tests.store.builders import (
    IDENTITY,
    commit,
    compact,
    folded,
    ident,
    lifecycle,
    memorized,
    moment,
    open_store,
    record,
    row,
)
from tests.store.test_fold import journal_of
from tests.store.wrecks import SALT_AND_PEPPER

SECRET, EARLIER, AGAIN = "the treasure lies under the oak", "it lies under the elm", "said at the treasure hunt"
TRACES = [
    *(text.encode() for text in (SECRET, EARLIER, AGAIN)),
    *(form for number in (70, 71) for form in (row(number), base64.b64encode(row(number)))),
]
FORGOTTEN = Forgotten(ident(1), moment(9), "not recalled")
MERGED = Merged(ident(1), ident(0), moment(9), 0.5, "the same")
EITHER = pytest.mark.parametrize("leaving", [FORGOTTEN, MERGED], ids=["forgotten", "merged"])


def secret(store: DirectoryStore, leaving: Event) -> None:
    """Leave a secret that was said twice, updated and put out of the matrix, in every file."""
    commit(store, memorized(0), type(memorized(1))(record(1, content=EARLIER), row(70)))
    compact(store)
    said = Repeated(ident(1), Occurrence(at=moment(5), source=AGAIN, ref=AGAIN))
    links = [Linked(ident(0), (Link(ident(1), 0.5, moment(5)),)), Linked(ident(1), (Link(ident(0), 0.5, moment(5)),))]
    commit(store, Updated(ident(1), moment(5), content=SECRET, key_row=row(71)), said, *links)
    compact(store)
    commit(store, leaving, Consolidated("a run", moment(9), forgotten=(ident(1),)))
    compact(store)


def holders(folder: Path) -> set[str]:
    """Return the names of the files in which a trace of the secret stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if any(trace in path.read_bytes() for trace in TRACES)}


def key_of(store: DirectoryStore, known: Record) -> bytes | None:
    """Return the key that a store has at hand for a memory."""
    rows = store.key_rows()
    place = rows.position(IDENTITY.digest(indexed_text(known.key, known.content)))
    return None if place is None else rows.keys[place].tobytes()


class TestKeys:
    """What a row is made of has to be at hand."""

    @EITHER
    def test_the_key_of_a_forgotten_memory_stays_in_the_cache(self, path: Path, leaving: Event) -> None:
        """For searching it, and for the row of the one that absorbed it; that of an erased one goes."""
        store = open_store(path)
        commit(store, memorized(0), memorized(1), memorized(2), leaving, Erased(ident(2), moment(9)))
        for _ in range(2):
            compact(store)
            found = open_store(path)
            assert key_of(found, record(1)) == row(1)
            assert key_of(found, record(2)) is None
            assert len(found.key_rows()) == 2

    def test_it_comes_back_with_the_key_that_it_is_given(self, path: Path) -> None:
        """As whatever is written."""
        store = open_store(path)
        commit(store, memorized(0), memorized(1), MERGED)
        compact(store)
        commit(store, Restored(ident(1), moment(10), 1, row(1)))
        assert open_store(path).state.records == {ident(0): record(0), ident(1): record(1)}


class TestPurging:
    """No byte of what was purged is left, wherever it was."""

    @EITHER
    def test_a_memory_out_of_the_matrix_is_purged_from_every_file(self, path: Path, leaving: Event) -> None:
        """Its texts, its keys, who said it again; and the links to it."""
        store = open_store(path)
        secret(store, leaving)
        assert {path.name, "ntm_memory.keys.npy", "ntm_memory.previous.json"} <= holders(path.parent)
        with store.transaction():
            store.commit([Erased(ident(1), moment(20)), Purged(ident(1), moment(20))], IDENTITY)
            store.scrub()
        assert holders(path.parent) == set()
        found = open_store(path)
        assert (found.state.records, found.state.forgotten) == ({ident(0): record(0)}, {})
        assert list(found.state.tombstones) == [ident(1)]
        assert all(finding.ok for finding in verify(path, ticking_clock()))

    @EITHER
    def test_a_purge_that_was_broken_off_is_finished(self, path: Path, leaving: Event) -> None:
        """By the next opening."""
        store = open_store(path)
        secret(store, leaving)
        commit(store, Erased(ident(1), moment(20)), Purged(ident(1), moment(20)))
        assert holders(path.parent) != set()
        open_store(path)
        assert holders(path.parent) == set()

    def test_nothing_of_it_can_be_read_without_the_key(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In an encrypted memory, live or forgotten."""
        monkeypatch.setitem(SCRYPT, "n", 2)
        store = open_store(path, passphrase=SALT_AND_PEPPER)
        secret(store, MERGED)
        commit(store, Restored(ident(1), moment(10), 1, row(71)), Undone("a run"))
        assert holders(path.parent) == set()
        assert b"forgotten" not in path.read_bytes()
        assert open_store(path, passphrase=SALT_AND_PEPPER).state == store.state


def salvaged(*transactions: list[Event], without: int) -> Salvage:
    """Salvage a memory of which all entries are in the journal, but one."""
    empty = snapshot.encode(snapshot.Header(1, 0, IDENTITY, moment(0)), State())
    journal = journal_of(*transactions, generation=1, sequence=0).splitlines(keepends=True)
    left = b"".join(line for number, line in enumerate(journal) if number != without)
    return salvage(Evidence(empty, left, None, None, acknowledged=len(transactions)), None)


class TestMissingEntries:
    """What a lost line costs: that line, and no text that another one holds."""

    BEFORE: tuple[list[Event], ...] = ([memorized(0)], [memorized(1)])

    def test_a_merge_of_what_is_lost_is_named(self) -> None:
        """The absorber has nothing of it in its row."""
        found = salvaged(*self.BEFORE, [MERGED], without=2)
        assert found.state.records == {ident(0): record(0)}
        assert any("part of entry 3" in each and ident(1) in each for each in found.lost)

    def test_what_was_merged_into_the_lost_stays_live(self) -> None:
        """Its text is whole, and found."""
        found = salvaged(*self.BEFORE, [MERGED], without=1)
        assert found.state.records == {ident(1): record(1)}
        assert any("part of entry 3" in each and ident(0) in each for each in found.lost)

    @EITHER
    def test_what_was_forgotten_by_a_lost_entry_is_live(self, leaving: Event) -> None:
        """What took its slot since gets another; that it then comes back changes nothing."""
        later: list[list[Event]] = [[memorized(2, slot=1)], [Restored(ident(1), moment(20), 3, row(1))]]
        found = salvaged(*self.BEFORE, [leaving], *later, without=3)
        assert found.state.records == {ident(0): record(0), ident(1): record(1), ident(2): record(2, slot=2)}

    @EITHER
    def test_what_came_back_by_a_lost_entry_is_still_out(self, leaving: Event) -> None:
        """It can be erased and purged from there."""
        gone: list[Event] = [Erased(ident(1), moment(21)), Purged(ident(1), moment(21))]
        found = salvaged(*self.BEFORE, [leaving], [Restored(ident(1), moment(20), 1, row(1))], gone, without=4)
        assert found.state.records == {ident(0): record(0)}
        assert (found.state.forgotten, found.state.archive, list(found.state.tombstones)) == ({}, {}, [ident(1)])

    @EITHER
    def test_a_purge_holds_though_the_entry_that_erased_is_lost(self, leaving: Event) -> None:
        """Of a memory that is out of the matrix as well."""
        gone: list[list[Event]] = [[Erased(ident(1), moment(20))], [Purged(ident(1), moment(21))]]
        found = salvaged(*self.BEFORE, [leaving], *gone, without=4)
        assert found.state.records == {ident(0): record(0)}
        assert (found.state.forgotten, found.state.archive, list(found.state.tombstones)) == ({}, {}, [ident(1)])
        assert found.purges

    def test_one_that_comes_back_into_a_slot_that_was_not_freed_gets_another(self) -> None:
        """As what is written."""
        gone: list[list[Event]] = [[Erased(ident(0), moment(10))], [Restored(ident(1), moment(20), 0, row(1))]]
        found = salvaged(*self.BEFORE, [FORGOTTEN], *gone, without=4)
        assert found.state.records == {ident(0): record(0), ident(1): record(1, slot=1)}

    def test_undoing_what_a_lost_entry_did_is_no_further_loss(self) -> None:
        """It is not listed, as it should be."""
        done: list[list[Event]] = [[Consolidated("a run", moment(9))], [Undone("a run")]]
        found = salvaged(*self.BEFORE, *done, without=3)
        assert found.state.consolidations == {}
        assert [each for each in found.lost if "part of" in each] == []

    @pytest.mark.parametrize("number", range(1, len(lifecycle(0, at=5)) + 1))
    def test_whatever_is_lost_the_rest_is_consistent(self, number: int) -> None:
        """No row has the key of a memory that is elsewhere, and the loss has a name."""
        found = salvaged(*lifecycle(0, at=5), without=number)
        assert found.lost
        for known in (*found.state.remembered(), *found.state.archive.values()):
            assert all(found.state.forgotten[each.id].merged_into == known.id for each in known.absorbed)


class TestRemains:
    """Single memories out of damaged snapshots, which may be of different moments."""

    BEFORE = folded([[memorized(number) for number in range(4)]])
    AFTER = folded([[memorized(number) for number in range(4)], [MERGED, Superseded(ident(3), ident(2), moment(9))]])

    def salvaged(self, *damaged: int) -> State:
        """Salvage the snapshots before and after, of which the later has lost the memories of these numbers."""
        earlier, present = (
            snapshot.encode(snapshot.Header(generation, generation, IDENTITY, moment(0)), state)
            for generation, state in ((1, self.BEFORE), (2, self.AFTER))
        )
        for text in (b'"tombstones"', *(record(number).content.encode() for number in damaged)):
            present = present.replace(text, text[:-1] + b"*")
        return salvage(Evidence(present, None, earlier[:-5], None, acknowledged=0), None).state

    def test_forgotten_memories_are_found_and_stay_so(self) -> None:
        """Each says itself what it is, and what superseded it."""
        assert replace(self.salvaged(), next_ordinal=4) == replace(self.AFTER, next_ordinal=4)

    def test_a_memory_of_the_moment_before_is_in_nobody_s_row(self) -> None:
        """It was not merged then: its key would be found twice."""
        found = self.salvaged(1)
        assert (found.records[ident(0)], found.records[ident(1)]) == (record(0), record(1))
        assert found.forgotten == {}

    def test_a_merged_memory_whose_absorber_is_lost_is_forgotten_still(self) -> None:
        """The absorber is taken from the moment before, when it had nothing of it."""
        found = self.salvaged(0)
        assert found.records[ident(0)] == record(0)
        assert found.forgotten[ident(1)].merged_into == ident(0)

    def test_what_supersedes_another_says_so_where_that_one_cannot(self) -> None:
        """But not against what it says itself."""
        newer = folded([[memorized(0), memorized(1, supersedes=ident(0)), Superseded(ident(0), ident(7), moment(9))]])
        data = snapshot.encode(snapshot.Header(1, 1, IDENTITY, moment(0)), newer)[:-5]
        found = salvage(Evidence(data, None, None, None, acknowledged=0), None).state
        assert found.records[ident(0)] == newer.records[ident(0)]
        earlier = snapshot.encode(snapshot.Header(1, 1, IDENTITY, moment(0)), folded([[memorized(0)]]))[:-5]
        lost = data.replace(b"memory number 0", b"memory number *")
        found = salvage(Evidence(lost, None, earlier, None, acknowledged=0), None).state
        assert found.records[ident(0)].superseded_by == ident(1)


def test_a_repair_counts_the_forgotten(path: Path) -> None:
    """So that nobody takes them for lost."""
    store = open_store(path)
    for events in lifecycle(0, at=5):
        commit(store, *events)
    compact(store)
    path.write_bytes(b"")
    found = examine(path, clock=ticking_clock())
    assert (found.memories, found.archived, found.forgotten, found.lost) == (2, 0, 2, ())
    assert any("2 forgotten" in finding.detail for finding in verify(path, ticking_clock()))


def test_a_fold_is_the_live_state_whatever_is_forgotten(path: Path) -> None:
    """After every entry and every compaction; another program reads it all in one JSON object."""
    store = open_store(path)
    for events in lifecycle(0, at=5):
        commit(store, *events)
        fold = Fold.of(path.read_bytes(), store.paths.journal.read_bytes(), None)
        assert fold.state == store.state
        compact(store)
        assert open_store(path).state == store.state
    said = json.loads(path.read_bytes())
    assert [each["id"] for each in said["forgotten"]] == [ident(1), ident(3)]
    assert said["consolidations"]["b"]["gists"] == [ident(0)]
