"""What damaged files still give: nothing is missed where nothing is lost, and the memory is begun with the best."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from ntm_memory_skill.errors import StoreTooNew
from ntm_memory_skill.store import snapshot
from ntm_memory_skill.store.salvage import UNKNOWN_ENCODER, Evidence, salvage
from tests.store.builders import IDENTITY, OTHER_IDENTITY, ident
from tests.store.losses import flipped, invented, unnamed
from tests.store.mending import all_there, evidence_of, memory, salvaged
from tests.store.wrecks import (
    CONDITIONS,
    JOURNAL,
    OLD_JOURNAL,
    OLD_SNAPSHOT,
    SNAPSHOT,
    VERSION_1,
    Kept,
    cheap_key,
    kept,
)

__all__ = ["cheap_key"]

MASKS = (1, 2, 4, 8, 16, 32, 64, 128, 0xFF, 0x55)
"""Bits to change; a byte's place in its file says which, so that over a file all come up."""
GOING_BACK = ("first journal", "folded", "journal_only")
"""Conditions in which a journal goes back to the first entry."""


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
            ("forgetful", SNAPSHOT),
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

    @pytest.mark.parametrize(
        "condition", ["two generations", "first journal", "encrypted", "folded_with_archive", "forgetful"]
    )
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

    def test_a_journal_without_entries_says_that_a_snapshot_was_rolled_back(self) -> None:
        """By its first line, though no note says anything."""
        whole = kept("folded")
        assert all_there(whole, salvaged(whole, {SNAPSHOT: whole.files[OLD_SNAPSHOT]}, noted=False))

    def test_a_generation_before_that_a_newer_release_seems_to_have_written_is_damage(self) -> None:
        """A newer release would have begun with the present snapshot."""
        whole = kept("two generations")
        found = salvaged(whole, {OLD_SNAPSHOT: whole.files[OLD_SNAPSHOT].replace(b'"version":2', b'"version":9')})
        assert all_there(whole, found)
        assert found.damaged == {"previous_snapshot", "previous_journal"}

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

    def test_what_is_written_anew_comes_after_every_generation_that_was_seen(self) -> None:
        """Else the old journal, should the repair die, would seem to come after the new snapshot."""
        whole = kept("two generations")
        header, _ = snapshot.decode(whole.files[SNAPSHOT])
        damaged = whole.files[SNAPSHOT].replace(b'"chat"', b'"chit"')
        gone = dict.fromkeys((OLD_SNAPSHOT, OLD_JOURNAL))
        for files in ({SNAPSHOT: damaged, JOURNAL: None}, {SNAPSHOT: None}):
            assert salvaged(whole, {**gone, **files}).generation == header.generation

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
