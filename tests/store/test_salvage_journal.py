"""What damaged journals still give: what is called lost, what is purged, and what a key opens."""

from __future__ import annotations

import re
import zlib

import pytest

from ntm_memory_skill.errors import KeyRefused, StoreTooNew
from ntm_memory_skill.store import snapshot
from ntm_memory_skill.store.salvage import salvage
from ntm_memory_skill.store.seal import Seal
from tests.store.builders import ident
from tests.store.losses import flipped, unnamed
from tests.store.mending import all_there, evidence_of, lines, salvaged, without
from tests.store.wrecks import (
    JOURNAL,
    SALT_AND_PEPPER,
    SNAPSHOT,
    cheap_key,
    kept,
)

__all__ = ["cheap_key"]


class TestJournal:
    """What is said of entries that are not there."""

    @pytest.mark.parametrize("number", [1, 2, 3, 4])
    def test_an_entry_that_is_missing_is_named_by_its_number(self, number: int) -> None:
        """In the middle, because the numbers go on; at the end, because it was acknowledged."""
        whole = kept("two generations")
        found = salvaged(whole, {JOURNAL: without(whole.files[JOURNAL], number)})
        assert any(f"entries {number + 5} to {number + 5}" in each for each in found.lost)
        assert unnamed(whole, found.state, found.lost) == set()

    @pytest.mark.parametrize("data", [None, b"", b'{"journal":"ntm'], ids=["missing", "empty", "cut"])
    def test_a_journal_that_is_gone_has_lost_what_was_acknowledged(self, data: bytes | None) -> None:
        """All of its entries by their numbers."""
        found = salvaged(kept("two generations"), {JOURNAL: data})
        assert any("entries 6 to 9" in each for each in found.lost)

    def test_half_a_line_at_the_end_was_never_acknowledged(self) -> None:
        """A crash leaves it: it is left out, and the file is as it was written."""
        whole = kept("two generations")
        found = salvaged(whole, {JOURNAL: whole.files[JOURNAL] + lines(whole.files[JOURNAL])[1][:20]})
        assert all_there(whole, found)
        assert found.damaged == set()
        assert found.mended != []

    def test_half_a_line_that_was_acknowledged_is_lost(self) -> None:
        """The note says so."""
        whole = kept("two generations")
        found = salvaged(whole, {JOURNAL: whole.files[JOURNAL][:-20]})
        assert found.damaged == {"journal"}
        assert any("entries 9 to 9" in each for each in found.lost)

    def test_a_finished_line_with_a_wrong_checksum_is_lost_without_a_note_as_well(self) -> None:
        """It was written whole once: its end is there."""
        whole = kept("two generations")
        journal = whole.files[JOURNAL]
        found = salvaged(whole, {JOURNAL: flipped(journal, len(journal) - 20)}, noted=False)
        assert found.lost != []

    @pytest.mark.parametrize("number", [1, 2, 4])
    def test_something_between_two_whole_lines_costs_nothing(self, number: int) -> None:
        """Their numbers show that nothing is missing; the file is not what was written all the same."""
        whole = kept("two generations")
        there = lines(whole.files[JOURNAL])
        found = salvaged(whole, {JOURNAL: b"".join((*there[:number], b"\xff\0\n", *there[number:]))})
        assert all_there(whole, found)
        assert found.damaged == {"journal"}

    def test_lines_that_have_met_are_told_apart(self) -> None:
        """Each is whole; only the line's end between them is not."""
        whole = kept("two generations")
        first, *rest = lines(whole.files[JOURNAL])
        for end in (b"", b"\r", b"\0"):
            assert all_there(whole, salvaged(whole, {JOURNAL: first + end.join(line[:-1] for line in rest) + b"\n"}))

    def test_a_first_line_that_contradicts_the_snapshot_is_not_believed(self) -> None:
        """Its numbers have no checksum; the line behind it has one of it."""
        whole = kept("two generations")
        for change in (rb'"generation":\d', rb'"sequence":\d', rb'"version":\d'):
            for digit in b"0123456789":
                name = change.rpartition(b"\\")[0]
                found = salvaged(whole, {JOURNAL: re.sub(change, name + bytes([digit]), whole.files[JOURNAL], count=1)})
                assert all_there(whole, found)

    @pytest.mark.parametrize("name", [b'"generation":', b'"sequence":'])
    def test_a_first_line_without_entries_is_held_against_the_snapshot(self, name: bytes) -> None:
        """Its numbers are all that there is: what is more than the snapshot says is not believed, nor passed over."""
        whole = kept("folded")
        place = whole.files[JOURNAL].index(name) + len(name)
        changed = whole.files[JOURNAL][:place] + b"9" + whole.files[JOURNAL][place + 1 :]
        found = salvaged(whole, {JOURNAL: changed})
        assert all_there(whole, found)
        assert "journal" in found.damaged
        assert not found.sound

    def test_a_whole_line_without_its_end_counts_if_it_was_acknowledged(self) -> None:
        """Else it is an unfinished write, as every opening takes it for."""
        whole = kept("two generations")
        files = {**whole.files, JOURNAL: whole.files[JOURNAL][:-1]}
        assert all_there(whole, salvage(evidence_of(files, 9), None))
        unfinished = salvage(evidence_of(files, 8), None)
        assert (unfinished.sequence, unfinished.lost, unfinished.damaged) == (8, [], set())

    def test_a_journal_of_a_newer_release_is_left_alone(self) -> None:
        """Where no line proves that its version is damage."""
        whole = kept("folded")
        changed = whole.files[JOURNAL].replace(b'"version":2', b'"version":3')
        with pytest.raises(StoreTooNew):
            salvaged(whole, {JOURNAL: changed})

    def test_a_line_that_was_not_written_behind_the_one_before_it_is_called_uncertain(self) -> None:
        """Its checksum is right, and its number: somebody has exchanged lines."""
        whole = kept("two generations")
        first, second, *rest = lines(whole.files[JOURNAL])
        other = re.sub(rb'"after":"\w{8}"', b'"after":"00000000"', rest[0])
        payload = other[other.index(b'"events":') + 9 : -2]
        crc = zlib.crc32(payload, zlib.crc32(b"7:00000000:"))
        other = re.sub(rb'"crc":"\w{8}"', b'"crc":"%08x"' % crc, other, count=1)
        found = salvaged(whole, {JOURNAL: b"".join((first, second, other, *rest[1:]))})
        assert whole.told.same_as(found.state)
        assert any("certainty" in each and "7" in each for each in found.lost)

    def test_what_cannot_be_done_to_a_memory_that_is_lost_is_named_by_its_entry(self) -> None:
        """Once for each thing; that it was given as an answer is no loss."""
        whole = kept("first journal")
        found = salvaged(whole, {JOURNAL: without(whole.files[JOURNAL], 1)})  # which wrote m000, m001 and m002
        parts = [number for each in found.lost for number in re.findall(r"part of entry (\d+)", each)]
        assert parts == ["2", "3", "4", "6", "7"]

    def test_a_memory_whose_slot_was_not_freed_gets_another(self) -> None:
        """The entry that erased the one before it is lost; neither memory is."""
        whole = kept("first journal")
        found = salvaged(whole, {JOURNAL: without(whole.files[JOURNAL], 3)})  # which erased m002, whose slot m003 took
        slots = [record.slot for record in found.state.records.values()]
        assert {ident(2), ident(4)} <= found.state.records.keys()
        assert ident(3) in found.state.archive
        assert len(set(slots)) == len(slots)


class TestPurges:
    """What was purged stays so."""

    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_a_purge_holds_though_the_entry_that_erased_is_lost(self, number: int) -> None:
        """Whatever else of the journal is damaged."""
        whole = kept("purge without a scrub")
        found = salvaged(whole, {JOURNAL: without(whole.files[JOURNAL], number)})
        assert ident(6) not in {*found.state.records, *found.state.archive}
        assert ident(6) in found.state.tombstones
        assert found.purges

    @pytest.mark.parametrize("condition", ["purge without a scrub", "purge broken off"])
    def test_a_purge_that_was_broken_off_is_noticed(self, condition: str) -> None:
        """Even where the snapshot has it already: its text is still in the journal."""
        assert salvaged(kept(condition)).purges

    @pytest.mark.parametrize("condition", ["purged", "two generations"])
    def test_a_purge_that_was_finished_is_over(self, condition: str) -> None:
        """No file holds what was purged."""
        assert not salvaged(kept(condition)).purges


class TestKeys:
    """Encrypted memories."""

    def test_a_wrong_key_is_refused(self) -> None:
        """Damaged or not: what cannot be read cannot be judged."""
        whole = kept("encrypted")
        other = Seal("another", snapshot.salt(whole.files[SNAPSHOT]))
        for files in (whole.files, {**whole.files, SNAPSHOT: b""}):
            with pytest.raises(KeyRefused):
                salvage(evidence_of(files), other)

    def test_no_key_is_refused(self) -> None:
        """The same."""
        whole = kept("encrypted")
        for files in (whole.files, {**whole.files, SNAPSHOT: b""}):
            with pytest.raises(KeyRefused):
                salvage(evidence_of(files), None)

    def test_a_key_for_a_memory_that_is_not_encrypted_is_refused(self) -> None:
        """It would be encrypted in passing."""
        whole = kept("two generations")
        with pytest.raises(KeyRefused):
            salvage(evidence_of(whole.files), Seal(SALT_AND_PEPPER))
