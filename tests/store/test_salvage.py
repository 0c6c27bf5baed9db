"""What damaged files still give: with which the memory begins, what the journals add, and what is called lost."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

import pytest

from ntm_memory_skill.errors import KeyRefused, StoreTooNew
from ntm_memory_skill.store import snapshot
from ntm_memory_skill.store.replay import Salvage
from ntm_memory_skill.store.salvage import UNKNOWN_ENCODER, Evidence, salvage
from ntm_memory_skill.store.seal import Seal
from tests.store.builders import IDENTITY, OTHER_IDENTITY, ident
from tests.store.losses import flipped, invented, unnamed
from tests.store.wrecks import (
    CONDITIONS,
    EVIDENCE,
    JOURNAL,
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

MASKS = (1, 2, 4, 8, 16, 32, 64, 128, 0xFF, 0x55)
"""Bits to change; a byte's place in its file says which, so that over a file all come up."""
GOING_BACK = ("first journal", "folded", "journal_only")
"""Conditions in which a journal goes back to the first entry."""

Changes = Mapping[str, bytes | None]


def memory(condition: str) -> Kept:
    """Return a memory in some condition."""
    return golden(condition) if condition in VERSION_1 else kept(condition)


def acknowledged(whole: Kept) -> int:
    """Return what the writer's note says."""
    found = re.search(rb"acknowledged (\d+)", whole.files.get(WRITER, b""))
    return 0 if found is None else int(found[1])


def seal_of(whole: Kept) -> Seal | None:
    """Return what opens a memory."""
    return None if whole.passphrase is None else Seal(whole.passphrase, snapshot.salt(whole.files[SNAPSHOT]))


def salvaged(whole: Kept, changes: Changes | None = None, *, noted: bool = True) -> Salvage:
    """Salvage a memory of which some files are others, or are not there."""
    evidence = evidence_of({**whole.files, **(changes or {})}, acknowledged(whole) if noted else 0)
    return salvage(evidence, seal_of(whole))


def evidence_of(files: Changes, noted: int = 0) -> Evidence:
    """Return what is judged of some files."""
    in_snapshot, in_journal, before, its_journal = (files.get(name) for name in EVIDENCE)
    return Evidence(in_snapshot, in_journal, before, its_journal, acknowledged=noted)


def all_there(whole: Kept, found: Salvage) -> bool:
    """Return whether nothing is lost, and nothing is called lost."""
    return whole.told.same_as(found.state) and found.lost == []


def lines(data: bytes) -> list[bytes]:
    """Return the lines of a file with their ends."""
    return data.splitlines(keepends=True)


def without(data: bytes, number: int) -> bytes:
    """Return a file without one of its lines."""
    return b"".join(line for place, line in enumerate(lines(data)) if place != number)


class TestWhole:
    """Nothing is amiss."""

    @pytest.mark.parametrize("condition", [*CONDITIONS, *VERSION_1])
    def test_whole_files_give_everything_and_nothing_is_to_be_mended(self, condition: str) -> None:
        """A torn line, which a crash leaves, is all that is ever mentioned."""
        whole = memory(condition)
        found = salvaged(whole)
        assert all_there(whole, found)
        assert found.damaged == set()
        assert found.sound == (condition != "torn")

    def test_nothing_at_all_is_a_memory_that_is_not_there_yet(self) -> None:
        """As in a folder that nobody has written to."""
        found = salvage(Evidence(None, None, None, None, acknowledged=0), None)
        assert found.sound
        assert (found.state.records, found.encoder) == ({}, None)

    def test_the_keys_of_the_journal_are_kept_by_the_text_that_they_are_of(self) -> None:
        """So that nothing has to be encoded anew after a repair."""
        found = salvaged(kept("two generations"))
        digest = IDENTITY.digest("the last word")
        assert digest in found.rows
        assert len(found.rows[digest]) == 4 * IDENTITY.dimension


def places(whole: Kept, name: str) -> Iterator[tuple[int, int]]:
    """Give every place in a file, each with bits to change there."""
    return ((place, MASKS[place % len(MASKS)]) for place in range(len(whole.files[name])))


class TestEveryByte:
    """One byte is another, wherever in a file: no such damage is too small to be found, nor large enough to hurt."""

    @pytest.mark.parametrize(
        ("condition", "name"),
        [
            *product(("two generations", "broken off before the journal"), (SNAPSHOT, OLD_SNAPSHOT, OLD_JOURNAL)),
            ("broken off before the journal", JOURNAL),
            ("encrypted", SNAPSHOT),
            ("upgraded", SNAPSHOT),
            ("first journal", SNAPSHOT),
            ("journal_only", SNAPSHOT),
        ],
    )
    def test_a_byte_in_a_file_that_can_be_done_without_costs_nothing(self, condition: str, name: str) -> None:
        """The snapshot is in the generation before, which is in the snapshot."""
        whole, problems = memory(condition), []
        for place, mask in places(whole, name):
            try:
                found = salvaged(whole, {name: flipped(whole.files[name], place, mask)})
            except StoreTooNew:
                assert whole.files[name][:place].endswith(b'"version":')
                continue
            if not all_there(whole, found):
                problems.append((place, mask, found.lost))
        assert problems == []

    @pytest.mark.parametrize("condition", ["two generations", "first journal", "encrypted", "folded_with_archive"])
    def test_a_byte_in_the_journal_costs_the_entry_that_it_is_in_and_no_other(self, condition: str) -> None:
        """That one is named; a byte in the first line, or at a line's end, costs nothing."""
        whole = memory(condition)
        journal = whole.files[JOURNAL]
        for place, mask in places(whole, JOURNAL):
            found = salvaged(whole, {JOURNAL: flipped(journal, place, mask)})
            cheap = journal[:place].count(b"\n") == 0 or (whole.noted and journal[place : place + 1] == b"\n")
            assert all_there(whole, found) or not cheap, (place, mask, found.lost)
            assert unnamed(whole, found.state, found.lost) == set() or self.unfinished(whole, journal, place)
            assert invented(whole, found.state, found.lost) == {}

    def unfinished(self, whole: Kept, journal: bytes, place: int) -> bool:
        """Return whether an entry looks like one that was never finished, to a version that had no note."""
        return not whole.noted and place == len(journal) - 1


class TestBeginnings:
    """What the memory is begun from."""

    @pytest.mark.parametrize("condition", ["folded", "two generations", "purged", "encrypted", "upgraded"])
    def test_a_snapshot_that_is_missing_is_in_the_generation_before(self, condition: str) -> None:
        """Together with its journal."""
        whole = memory(condition)
        assert all_there(whole, salvaged(whole, {SNAPSHOT: None}))

    @pytest.mark.parametrize("condition", GOING_BACK)
    def test_journals_that_go_back_to_the_first_entry_need_no_snapshot(self, condition: str) -> None:
        """The first snapshot of all is empty."""
        whole = memory(condition)
        assert all_there(whole, salvaged(whole, {SNAPSHOT: None, OLD_SNAPSHOT: None}))

    def test_a_snapshot_that_was_rolled_back_is_brought_up_to_date(self) -> None:
        """By a backup, or a program that synchronises folders: its own checksums are right."""
        whole = kept("two generations")
        found = salvaged(whole, {SNAPSHOT: whole.files[OLD_SNAPSHOT]})
        assert all_there(whole, found)
        assert "snapshot" in found.damaged
        assert not found.sound

    def test_a_snapshot_that_was_rolled_back_alone_has_lost_what_came_between(self) -> None:
        """Nothing else has it: the entries are named, and the later ones are there."""
        whole = kept("two generations")
        found = salvaged(whole, {SNAPSHOT: whole.files[OLD_SNAPSHOT], OLD_SNAPSHOT: None, OLD_JOURNAL: None})
        assert any("entries 5 to 5" in each for each in found.lost)
        assert found.state.records[ident(4)].content == "the last word"

    def test_a_snapshot_that_was_rolled_back_further_is_passed_over(self) -> None:
        """There is a later one, with its journal."""
        whole, older = kept("two generations"), kept("first journal")
        assert all_there(whole, salvaged(whole, {SNAPSHOT: older.files[SNAPSHOT]}))

    def test_a_snapshot_and_journal_that_go_together_beat_a_later_generation_before(self) -> None:
        """They are what the memory says today; what its owner has put back is not undone."""
        newer, older = kept("two generations"), kept("first journal")
        files = {name: older.files[name] for name in (SNAPSHOT, JOURNAL)}
        found = salvage(evidence_of({**newer.files, **files}), None)
        assert all_there(older, found)
        assert found.damaged == {"previous_snapshot", "previous_journal"}

    @pytest.mark.parametrize("name", [OLD_SNAPSHOT, OLD_JOURNAL])
    def test_a_generation_before_that_does_not_amount_to_the_snapshot_is_replaced(self, name: str) -> None:
        """It would be of no use when it is needed."""
        whole = kept("two generations")
        found = salvaged(
            whole, {name: kept("first journal").files[{OLD_SNAPSHOT: SNAPSHOT, OLD_JOURNAL: JOURNAL}[name]]}
        )
        assert all_there(whole, found)
        assert found.damaged == {"previous_snapshot", "previous_journal"}

    def test_single_memories_are_taken_where_nothing_else_is_left(self) -> None:
        """From both snapshots; those that are damaged are named, if they still have a name."""
        whole = kept("two generations")
        changes = {
            SNAPSHOT: whole.files[SNAPSHOT].replace(b'"chat"', b'"chit"'),
            OLD_SNAPSHOT: whole.files[OLD_SNAPSHOT].replace(b'"chat"', b'"chit"'),
            OLD_JOURNAL: None,
        }
        found = salvaged(whole, changes)
        assert ident(1) not in found.state.records
        assert found.state.records[ident(5)].content == whole.told.live[ident(5)]
        assert any(ident(1) in each for each in found.lost)
        assert {"snapshot"} <= found.damaged

    def test_what_a_damaged_snapshot_says_of_its_place_is_not_believed_against_the_journal(self) -> None:
        """Else whole entries of the journal would be passed over for old ones."""
        whole = kept("two generations")
        changed = re.sub(rb'"sequence":\d', b'"sequence":9', whole.files[SNAPSHOT])
        found = salvaged(whole, {SNAPSHOT: changed, OLD_SNAPSHOT: None, OLD_JOURNAL: None})
        assert found.state.records[ident(4)].content == "the last word"

    @pytest.mark.parametrize("gone", [None, b"", b"\0" * 200], ids=["missing", "empty", "zeros"])
    def test_an_encoder_that_nothing_names_is_unknown(self, gone: bytes | None) -> None:
        """The texts are there; their keys have to be made anew, which is said."""
        whole = kept("first journal")
        found = salvaged(whole, {SNAPSHOT: gone})
        assert all_there(whole, found)
        assert found.encoder is not None
        assert (found.encoder.name, found.encoder.dimension) == (UNKNOWN_ENCODER, IDENTITY.dimension)
        assert found.rows == {}
        assert any("reindex" in each for each in found.mended)

    @pytest.mark.parametrize("said", [b"0", b"-4", b"4000000000", b"9" * 17])
    def test_an_encoder_that_cannot_be_is_not_believed(self, said: bytes) -> None:
        """It stands in a line that is damaged."""
        whole = kept("first journal")
        changed = whole.files[SNAPSHOT].replace(b'"dimension":4', b'"dimension":' + said)
        found = salvaged(whole, {SNAPSHOT: changed})
        assert all_there(whole, found)
        assert found.encoder is not None
        assert found.encoder.name == UNKNOWN_ENCODER

    def test_keys_of_another_length_than_the_encoders_are_left_out(self) -> None:
        """The memory was reindexed in between; a text without its key is encoded when it is needed."""
        whole = kept("two generations")
        header, state = snapshot.decode(whole.files[SNAPSHOT])
        other = replace(header, encoder=replace(OTHER_IDENTITY, dimension=IDENTITY.dimension + 1))
        found = salvaged(whole, {SNAPSHOT: snapshot.encode(other, state)})
        assert (found.rows, found.lost) == ({}, [])


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

    def test_a_memory_whose_slot_was_not_freed_gets_another(self) -> None:
        """The entry that erased the one before it is lost; neither memory is."""
        whole = kept("first journal")
        found = salvaged(whole, {JOURNAL: without(whole.files[JOURNAL], 3)})  # which erased m002, whose slot m003 took
        slots = [record.slot for record in found.state.records.values()]
        assert {ident(2), ident(4)} <= found.state.records.keys()
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
