"""A snapshot with its journal folded in: what it amounts to, up to where it holds, and what is kept at hand."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreDamaged, StoreTooNew
from ntm_memory_skill.model import Erased, Event, Faded, Purged, Restored, Updated, indexed_text
from ntm_memory_skill.store import State, journal, snapshot
from ntm_memory_skill.store.fold import Fold
from tests.store.builders import (
    IDENTITY,
    commit,
    compact,
    eventful,
    folded,
    ident,
    memorized,
    moment,
    open_store,
    record,
    row,
)

BEFORE = [[memorized(0)], [memorized(1)]]
"""What the snapshot of these tests holds: entries 1 and 2."""
HEADER = snapshot.Header(generation=3, sequence=2, encoder=IDENTITY, written=moment(60))


def snapshot_of(header: snapshot.Header = HEADER) -> bytes:
    """Return a snapshot with two memories in it."""
    return snapshot.encode(header, folded(BEFORE))


def journal_of(*transactions: list[Event], generation: int = 3, sequence: int = 2) -> bytes:
    """Return a journal that goes on behind an entry."""
    data = journal.header(generation, sequence)
    head = journal.read_header(data)
    assert head is not None
    checksum = head.checksum
    for number, events in enumerate(transactions, sequence + 1):
        text, checksum = journal.line(number, events, checksum)
        data += text
    return data


def digest(text: str) -> bytes:
    """Return what a text's key row is kept under."""
    return IDENTITY.digest(text)


class TestReading:
    """What two files amount to."""

    @pytest.mark.parametrize("entries", range(4))
    def test_it_is_the_snapshot_with_every_event_applied(self, entries: int) -> None:
        """In order; and it says which entry was the last."""
        every: list[list[Event]] = [[Faded(ident(0), moment(5), 0.5)], [memorized(2), memorized(3)], []]
        after = every[:entries]
        data = journal_of(*after)
        fold = Fold.of(snapshot_of(), data, None)
        assert fold.state == folded([*BEFORE, *after])
        assert (fold.sequence, fold.generation, fold.end, fold.torn) == (2 + entries, 3, len(data), 0)
        assert (fold.ahead, fold.behind) == (False, False)

    def test_an_empty_fold_is_no_memory(self) -> None:
        """Before anything was written."""
        fold = Fold()
        assert (fold.state, fold.header, fold.sequence, fold.generation) == (State(), None, 0, 0)
        assert (fold.ahead, fold.behind, fold.purges, fold.rows) == (False, False, False, {})

    @pytest.mark.parametrize("data", [None, b"", b'{"journal":"ntm'])
    def test_without_a_journal_it_is_the_snapshot(self, data: bytes | None) -> None:
        """Or with one whose first line was never finished, which is told."""
        fold = Fold.of(snapshot_of(), data, None)
        assert (fold.state, fold.sequence, fold.end, fold.head) == (folded(BEFORE), 2, 0, None)
        assert fold.torn == (0 if data is None else len(data))

    def test_a_torn_end_is_left_out_and_measured(self) -> None:
        """At whichever byte the last line was cut."""
        whole, more = journal_of([memorized(2)]), journal_of([memorized(2)], [memorized(3)])
        for length in range(len(whole), len(more)):
            fold = Fold.of(snapshot_of(), more[:length], None)
            assert (fold.sequence, fold.end, fold.torn) == (3, len(whole), length - len(whole))

    def test_a_journal_of_an_earlier_generation_is_passed_over(self) -> None:
        """Folding was broken off before its last step: what it says is in the snapshot."""
        for generation in (1, 2):
            data = journal_of([memorized(0)], [memorized(1)], generation=generation, sequence=0)
            fold = Fold.of(snapshot_of(), data, None)
            assert (fold.state, fold.sequence, fold.end) == (folded(BEFORE), 2, len(data))
            assert (fold.behind, fold.ahead) == (True, False)

    def test_what_came_since_in_an_earlier_generation_s_journal_counts(self) -> None:
        """Somebody went on writing behind entries that the snapshot holds."""
        data = journal_of([memorized(0)], [memorized(1)], [memorized(2)], generation=2, sequence=0)
        fold = Fold.of(snapshot_of(), data, None)
        assert (fold.state, fold.sequence) == (folded([*BEFORE, [memorized(2)]]), 3)

    def test_a_journal_of_a_later_generation_is_not_read(self) -> None:
        """Another process has folded between two looks: both files have to be read anew."""
        fold = Fold.of(snapshot_of(), journal_of([memorized(2)], generation=4), None)
        assert fold.ahead
        assert fold.state == folded(BEFORE)

    def test_a_journal_that_goes_on_from_elsewhere_is_refused(self) -> None:
        """Of the same generation, but of another memory: nothing but this tells when it has no entries."""
        for sequence in (0, 1, 3, 40):
            with pytest.raises(StoreDamaged):
                Fold.of(snapshot_of(), journal_of(sequence=sequence), None)

    def test_an_event_that_does_not_fit_is_refused(self) -> None:
        """Whatever its checksum says."""
        unfit: list[Event] = [memorized(0), Faded(ident(7), moment(5), 0.5), Purged(ident(0), moment(5))]
        for event in unfit:
            with pytest.raises(StoreDamaged):
                Fold.of(snapshot_of(), journal_of([event]), None)

    def test_a_key_of_another_length_is_refused(self) -> None:
        """It could not stand in one matrix with the others."""
        for length in (0, 4, 12, 17, 32):
            with pytest.raises(StoreDamaged):
                Fold.of(snapshot_of(), journal_of([Updated(ident(0), moment(5), key_row=bytes(length))]), None)

    def test_a_line_that_follows_nothing_is_version_1_s_alone(self) -> None:
        """In a later journal nothing tells that it was written there; in one of its time it is read."""
        payload = b"[]"
        line = b'{"seq":3,"crc":"%08x","events":%s}\n' % (zlib.crc32(b"3:" + payload), payload)
        assert (
            Fold.of(snapshot_of(), b'{"journal":"ntm-memory","version":1,"generation":3}\n' + line, None).sequence == 3
        )
        with pytest.raises(StoreDamaged):
            Fold.of(snapshot_of(), journal_of() + line, None)

    def test_a_newer_release_s_files_are_told_apart(self) -> None:
        """Either of the two."""
        newer = journal_of().replace(b'"version":2', b'"version":3')
        with pytest.raises(StoreTooNew):
            Fold.of(snapshot_of(), newer, None)


class TestGoingOn:
    """A reader that stands behind a line."""

    def test_new_lines_are_folded_in_and_told(self) -> None:
        """From where it stopped; what is torn is looked at again later."""
        first: list[Event] = [memorized(2)]
        second: list[Event] = [Faded(ident(2), moment(5), 0.5), Erased(ident(0), moment(5))]
        data = journal_of(first, second)
        fold = Fold.of(snapshot_of(), journal_of(first), None)
        for end in (fold.end, fold.end + 7, len(data) - 1):
            assert fold.go_on(data[fold.end : end]) == ()
        assert fold.torn > 0
        assert fold.go_on(data[fold.end :]) == tuple(second)
        assert (fold.end, fold.torn, fold.sequence) == (len(data), 0, 4)
        assert fold.state == folded([*BEFORE, first, second])

    def test_a_line_that_follows_another_one_is_refused(self) -> None:
        """The line that it has read was written over since, by one of the same length."""
        fold = Fold.of(snapshot_of(), journal_of([Faded(ident(0), moment(5), 0.5)]), None)
        other = journal_of([Faded(ident(0), moment(5), 0.1)], [memorized(2)])
        with pytest.raises(StoreDamaged):
            fold.go_on(other[fold.end :])


class TestWriting:
    """The next line, and what follows its commit."""

    def test_what_is_appended_can_be_read_by_another(self) -> None:
        """Behind nothing, behind a header, and behind lines."""
        for start in (None, journal_of(), journal_of([memorized(2)])):
            fold = Fold.of(snapshot_of(), start, None)
            data = b"" if start is None else start
            for number in (5, 6):
                events = (memorized(number),)
                text, checksum = fold.next_line(events)
                fold.appended(text, checksum, events)
                data += text
            found = Fold.of(snapshot_of(), data, None)
            assert (found.state, found.sequence, found.end) == (fold.state, fold.sequence, fold.end)
            assert fold.end == len(data)

    def test_what_would_not_fit_is_refused_before_it_is_written(self) -> None:
        """A journal that held it could not be read again; the state stays."""
        fold = Fold.of(snapshot_of(), journal_of(), None)
        unfit: list[tuple[Event, ...]] = [
            (memorized(0),),
            (memorized(2), Faded(ident(9), moment(5), 0.5)),
            (memorized(2, slot=0),),
            (memorized(2, importance=float("nan")),),
            (Updated(ident(0), moment(5), key_row=bytes(5)),),
        ]
        for events in unfit:
            with pytest.raises(StoreDamaged):
                fold.next_line(events)
        assert (fold.state, fold.sequence) == (folded(BEFORE), 2)

    def test_a_restarted_journal_begins_behind_the_snapshot(self) -> None:
        """The next line follows the new header; rows and purges of the old one are forgotten."""
        gone: list[list[Event]] = [[memorized(2)], [Erased(ident(2), moment(5)), Purged(ident(2), moment(5))]]
        fold = Fold.of(snapshot_of(), journal_of(*gone), None)
        assert fold.purges
        header = snapshot.Header(4, fold.sequence, IDENTITY, moment(61))
        in_snapshot = snapshot.encode(header, fold.state)
        fold.folded(header)
        start = journal.header(4, 4)
        fold.restarted(start)
        assert (fold.rows, fold.purges, fold.behind, fold.end) == ({}, False, False, len(start))
        text, _ = fold.next_line((memorized(5),))
        assert Fold.of(in_snapshot, start + text, None).state == folded([*BEFORE, *gone, [memorized(5)]])


class TestAtHand:
    """Key rows that need not be in the cache, and whether something was purged."""

    def test_rows_of_the_journal_are_kept_under_their_texts(self) -> None:
        """Of new memories, of new versions, and of those that came back; a row without a new text is none."""
        named = memorized(2, key="name", content="said")
        fold = Fold.of(
            snapshot_of(),
            journal_of(
                [named, Updated(ident(0), moment(5), content="new", key_row=row(50))],
                [Updated(ident(0), moment(6), importance=1.0), Erased(ident(1), moment(6))],
                [Restored(ident(1), moment(7), 1, row(51))],
            ),
            None,
        )
        assert fold.rows == {
            digest(indexed_text("name", "said")): row(2),
            digest("new"): row(50),
            digest(record(1).content): row(51),
        }

    def test_a_row_of_what_was_erased_in_the_meantime_is_no_matter(self) -> None:
        """Whoever saves rows asks for those of live memories."""
        fold = Fold.of(snapshot_of(), journal_of([memorized(2), Erased(ident(2), moment(5))]), None)
        assert digest(record(2).content) in fold.rows

    def test_a_purge_in_the_journal_is_noticed(self) -> None:
        """Its text is still in older files until they are written anew."""
        gone: list[Event] = [Erased(ident(0), moment(5)), Purged(ident(0), moment(5))]
        assert not Fold.of(snapshot_of(), journal_of(gone[:1]), None).purges
        fold = Fold.of(snapshot_of(), journal_of(gone), None)
        assert fold.purges
        live = Fold.of(snapshot_of(), journal_of(), None)
        live.go_on(journal_of(gone)[live.end :])
        assert live.purges

    def test_what_the_journal_purges_is_known_until_it_is_started_anew(self) -> None:
        """As it was when it was erased: what quotes it can be told by that alone."""
        said = Updated(ident(0), moment(4), content="new", key_row=row(9))
        gone: list[Event] = [said, Erased(ident(0), moment(5)), Purged(ident(0), moment(5))]
        assert Fold.of(snapshot_of(), journal_of(gone[:2]), None).purged == []
        fold = Fold.of(snapshot_of(), journal_of(gone), None)
        assert [(was.id, was.content, len(was.versions)) for was in fold.purged] == [(ident(0), "new", 1)]
        fold.restarted(journal.header(4, 3))
        assert fold.purged == []


class TestFiles:
    """The law, over the files of a store."""

    def test_fold_of_snapshot_and_journal_is_the_live_state(self, path: Path) -> None:
        """After every commit and every compaction."""
        store = open_store(path)
        for number, events in enumerate(eventful()):
            commit(store, *events)
            if number in (1, 4):
                compact(store)
            fold = Fold.of(path.read_bytes(), store.paths.journal.read_bytes(), None)
            assert (fold.state, fold.sequence) == (store.state, store.sequence)
            assert json.loads(path.read_bytes())["generation"] == fold.generation
