"""What becomes of memories out of the matrix: forgotten, merged, brought back, and what their consolidation notes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import (
    OCCURRENCES,
    Absorbed,
    Accessed,
    Consolidated,
    Erased,
    Event,
    Faded,
    Forgotten,
    Link,
    Linked,
    Memorized,
    Merged,
    Occurrence,
    Purged,
    Record,
    Repeated,
    Restored,
    Superseded,
    Undone,
    Updated,
)
from ntm_memory_skill.store import State
from ntm_memory_skill.store.codec import LARGEST
from ntm_memory_skill.store.state import CONSOLIDATIONS
from tests.store.builders import folded, ident, memorized, moment, record, row
from tests.store.strategies import RECORDS


def state_after(*events: Event) -> State:
    """Return the state after some events."""
    return folded([events])


def back(number: int, slot: int | None = None) -> Restored:
    """Return the coming back of a memory, by default into the slot of its number."""
    return Restored(ident(number), moment(60), number if slot is None else slot, row(number))


def link(number: int) -> Link:
    """Return a link to a memory."""
    return Link(ident(number), 0.5, moment(8))


FORGOTTEN = Forgotten(ident(0), moment(9), "not recalled")
MERGED = Merged(ident(0), ident(1), moment(9), 0.75, "the same")
EITHER = pytest.mark.parametrize("leaving", [FORGOTTEN, MERGED], ids=["forgotten", "merged"])
FULL = record(
    0,
    key="name",
    strength=0.5,
    links=(link(1),),
    repeats=3,
    occurrences=(Occurrence(at=moment(3)),),
    stability=2.5,
    difficulty=5.5,
    pinned=True,
    valid_until=moment(90),
    superseded_by=ident(1),
    superseded_at=moment(4),
)
"""A memory of which much is known."""


class TestForgetting:
    """A memory leaves the matrix, and nothing else of it."""

    def test_a_forgotten_memory_keeps_all_that_it_has(self) -> None:
        """With the moment and the reason; its slot is free for another."""
        state = state_after(Memorized(FULL, row(0)), FORGOTTEN)
        out = replace(FULL, forgotten_at=moment(9), forgotten_because="not recalled")
        assert (state.records, state.archive, state.forgotten) == ({}, {}, {ident(0): out})
        assert state.anywhere(ident(0)) == out
        assert list(state.remembered()) == [out]
        assert state.is_free(0)

    @EITHER
    def test_it_comes_back_exactly_as_it_was_but_for_its_slot(self, leaving: Event) -> None:
        """Behind those that are live; that it was out of the matrix is forgotten."""
        state = state_after(Memorized(FULL, row(0)), memorized(1), leaving, memorized(2, slot=0), back(0, slot=7))
        assert list(state.records.values()) == [record(1), record(2, slot=0), replace(FULL, slot=7)]
        assert (state.forgotten, state.archive) == ({}, {})

    @EITHER
    def test_it_can_be_erased_and_comes_back_as_it_was_before(self, leaving: Event) -> None:
        """In the archive it is an erased memory like any other, which says by whom it was absorbed, if it was."""
        state = state_after(Memorized(FULL, row(0)), memorized(1), leaving, Erased(ident(0), moment(20), "asked"))
        into = leaving.into if isinstance(leaving, Merged) else None
        erased = replace(FULL, erased_at=moment(20), erased_because="asked", merged_into=into)
        assert state.archive == {ident(0): erased}
        assert (state.forgotten, state.records) == ({}, {ident(1): record(1)})
        state.apply(back(0))
        assert state.records[ident(0)] == FULL

    @EITHER
    def test_it_can_be_purged(self, leaving: Event) -> None:
        """Nothing of it is left but a tombstone."""
        gone = (Erased(ident(0), moment(20)), Purged(ident(0), moment(20)))
        state = state_after(Memorized(FULL, row(0)), memorized(1), leaving, *gone)
        assert (state.tombstones, state.forgotten, state.archive) == ({ident(0): moment(20)}, {}, {})
        assert state.records == {ident(1): record(1)}

    def test_it_can_be_forgotten_and_come_back_again_and_again(self) -> None:
        """As often as it is recalled."""
        state = state_after(memorized(0))
        for turn in range(3):
            state.apply(FORGOTTEN)
            assert state.records == {}
            state.apply(back(0, slot=turn))
            assert state.records == {ident(0): record(0, slot=turn)}

    def test_it_still_counts_for_the_order_of_writing(self) -> None:
        """Its place is its own for good."""
        state = state_after(memorized(0), memorized(5), Forgotten(ident(5), moment(9), "not recalled"))
        assert state.next_ordinal == 6


class TestMerging:
    """A memory is absorbed by another, and can be taken out of it."""

    def test_a_merged_memory_is_forgotten_and_its_absorber_says_so(self) -> None:
        """With the weight of the write; what either says is not changed."""
        state = state_after(memorized(0), memorized(1), MERGED)
        assert state.records == {ident(1): record(1, absorbed=(Absorbed(ident(0), 0.75),))}
        out = record(0, forgotten_at=moment(9), forgotten_because="the same", merged_into=ident(1))
        assert state.forgotten == {ident(0): out}

    @given(RECORDS, RECORDS)
    @settings(deadline=None, max_examples=60)
    def test_merging_and_coming_apart_gives_both_back_exactly(self, one: Record, other: Record) -> None:
        """Whatever is known of them, and though the one has absorbed others before."""
        here: dict[str, Any] = {
            "erased_at": None,
            "erased_because": None,
            "forgotten_at": None,
            "forgotten_because": None,
        }
        here |= {"merged_into": None, "supersedes": None}
        one = replace(one, id="one", slot=0, ordinal=0, **here)
        other = replace(other, id="other", slot=1, ordinal=1, **here)
        state = state_after(Memorized(one, row(0)), Memorized(other, row(1)))
        state.apply(Merged("one", "other", moment(9), 0.5, "the same"))
        assert [each.id for each in state.records["other"].absorbed] == [*(each.id for each in other.absorbed), "one"]
        state.apply(Restored("one", moment(9), 0, row(0)))
        assert state.records == {"other": other, "one": one}

    def test_erasing_a_merged_memory_takes_it_out_of_its_absorber_alone(self) -> None:
        """The others that it has absorbed stay. In the archive it still says by whom: purging that one purges both."""
        state = state_after(
            *(memorized(number) for number in range(3)),
            MERGED,
            Merged(ident(2), ident(1), moment(9), 0.25, "the same"),
            Erased(ident(0), moment(20)),
        )
        assert state.records[ident(1)].absorbed == (Absorbed(ident(2), 0.25),)
        assert state.archive[ident(0)].merged_into == ident(1)

    @pytest.mark.parametrize(
        "leaving",
        [Erased(ident(1), moment(20)), Forgotten(ident(1), moment(20), "not recalled")],
        ids=["erased", "out"],
    )
    def test_it_comes_out_of_an_absorber_that_left_itself(self, leaving: Event) -> None:
        """Wherever that one is; it comes back without what it no longer has."""
        state = state_after(memorized(0), memorized(1), MERGED, leaving, back(0), back(1))
        assert state.records == {ident(0): record(0), ident(1): record(1)}

    def test_it_comes_back_though_its_absorber_was_purged(self) -> None:
        """It is whole by itself."""
        gone = (Erased(ident(1), moment(20)), Purged(ident(1), moment(20)))
        state = state_after(memorized(0), memorized(1), MERGED, *gone, back(0))
        assert state.records == {ident(0): record(0)}

    def test_what_was_merged_is_out_of_the_row_once_the_text_has_changed(self) -> None:
        """The row is the new text's alone; the merge is still known, and other updates leave it as it is."""
        state = state_after(memorized(0), memorized(1), MERGED, Updated(ident(1), moment(20), importance=1.0))
        assert state.records[ident(1)].absorbed == (Absorbed(ident(0), 0.75),)
        state.apply(Updated(ident(1), moment(21), content="new", key_row=row(9)))
        assert state.records[ident(1)].absorbed == (Absorbed(ident(0), 0.0),)

    def test_a_merge_can_be_of_what_has_absorbed_others(self) -> None:
        """Each comes out of its own absorber."""
        state = state_after(
            *(memorized(number) for number in range(3)), MERGED, Merged(ident(1), ident(2), moment(9), 0.5, "the same")
        )
        state.apply(back(0))
        assert state.forgotten[ident(1)].absorbed == ()
        state.apply(back(1))
        assert state.records == {ident(number): record(number) for number in (0, 1, 2)}


class TestLinks:
    """What memories were recalled together with."""

    def test_links_are_put_in_the_place_of_those_before(self) -> None:
        """Of one memory; the other end is told by itself."""
        state = state_after(
            memorized(0), memorized(1), Linked(ident(0), (link(1), link(2))), Linked(ident(0), (link(1),))
        )
        assert state.records == {ident(0): record(0, links=(link(1),)), ident(1): record(1)}

    def test_a_purge_takes_the_links_to_it_out_of_others(self) -> None:
        """Wherever they are: live, forgotten or erased; other links stay."""
        pairs = [Linked(ident(0), (link(1), link(2), link(3)))]
        pairs += [Linked(ident(number), (link(0), link(9))) for number in (1, 2, 3)]
        state = state_after(
            *(memorized(number) for number in range(4)),
            *pairs,
            Forgotten(ident(2), moment(9), "not recalled"),
            Erased(ident(3), moment(9)),
            Erased(ident(0), moment(9)),
        )
        assert all(state.anywhere(ident(number)).links == (link(0), link(9)) for number in (1, 2, 3))  # type: ignore[union-attr]  # they are there
        state.apply(Purged(ident(0), moment(10)))
        for place, number in ((state.records, 1), (state.forgotten, 2), (state.archive, 3)):
            assert place[ident(number)].links == (link(9),)


class TestRepeating:
    """What is said again is stored once."""

    def test_repetitions_are_counted_and_the_latest_are_kept(self) -> None:
        """Oldest first; nothing else of the memory changes."""
        said = [Occurrence(at=moment(number), ref=f"message {number}") for number in range(OCCURRENCES + 3)]
        state = state_after(memorized(0), *(Repeated(ident(0), each) for each in said))
        assert state.records == {ident(0): record(0, repeats=len(said), occurrences=tuple(said[3:]))}

    def test_more_repetitions_than_can_be_written_are_refused(self) -> None:
        """As of accesses: the state could not be folded any more."""
        state = state_after(memorized(0, repeats=LARGEST))
        with pytest.raises(StoreDamaged):
            state.apply(Repeated(ident(0), Occurrence(at=moment(9))))
        assert state.records == {ident(0): record(0, repeats=LARGEST)}


class TestRecalling:
    """What recalling a memory makes of it."""

    def test_stability_and_difficulty_are_set_where_they_are_told(self) -> None:
        """Of each memory; a batch without them leaves them as they are."""
        state = state_after(
            memorized(0),
            memorized(1),
            Accessed((ident(0), ident(1)), (1, 2), moment(5), (2.5, 0.5), (5.5, 1.0)),
            Accessed((ident(0),), (1,), moment(6)),
        )
        assert state.records == {
            ident(0): record(0, accesses=2, accessed_at=moment(6), stability=2.5, difficulty=5.5),
            ident(1): record(1, accesses=2, accessed_at=moment(5), stability=0.5, difficulty=1.0),
        }

    def test_pinning_and_unpinning_are_versions(self) -> None:
        """An update without a word about it leaves it."""
        state = state_after(memorized(0), Updated(ident(0), moment(1), pinned=True), Faded(ident(0), moment(2), 0.5))
        assert state.records[ident(0)].pinned
        state.apply(Updated(ident(0), moment(3), importance=1.0))
        assert state.records[ident(0)].pinned
        state.apply(Updated(ident(0), moment(4), pinned=False))
        assert not state.records[ident(0)].pinned

    def test_a_memory_can_be_superseded_later_and_hold_again(self) -> None:
        """By another, or by none any more."""
        state = state_after(memorized(0), memorized(1), Superseded(ident(0), ident(1), moment(5)))
        assert state.records[ident(0)] == record(0, superseded_by=ident(1), superseded_at=moment(5))
        state.apply(Superseded(ident(0), None, None))
        assert state.records == {ident(0): record(0), ident(1): record(1)}


@pytest.mark.parametrize("away", [Forgotten(ident(0), moment(2), "not recalled"), Erased(ident(0), moment(2))])
def test_marks_and_links_reach_what_is_out_of_the_matrix(away: Event) -> None:
    """Undoing, and the other end of a link, are not to wait until it is back."""
    state = state_after(memorized(0), memorized(1), Superseded(ident(0), ident(1), moment(1)), away)
    state.apply(Superseded(ident(0), None, None))
    state.apply(Linked(ident(0), (Link(ident(1), 0.5, moment(3)),)))
    out = state.anywhere(ident(0))
    assert out is not None
    assert (out.superseded_by, out.superseded_at, len(out.links)) == (None, None, 1)
    assert ident(0) not in state.records


class TestConsolidations:
    """What was done, for the report and for undoing it."""

    def test_the_steps_of_one_run_are_added_up(self) -> None:
        """In order, with the time of the last; a run that goes on is the latest."""
        state = state_after(
            Consolidated("a", moment(1), merged=("m1",), forgotten=("m2",)),
            Consolidated("b", moment(2)),
            Consolidated("a", moment(3), merged=("m3",), superseded=("m4",), gists=("m5",), successors=("m1",)),
        )
        both = Consolidated("a", moment(3), ("m1", "m3"), ("m4",), ("m2",), ("m5",), ("m1",))
        assert list(state.consolidations.values()) == [Consolidated("b", moment(2)), both]

    def test_the_latest_are_listed(self) -> None:
        """An older one cannot be undone any more."""
        state = state_after(*(Consolidated(f"run {number}", moment(number)) for number in range(CONSOLIDATIONS + 3)))
        assert list(state.consolidations) == [f"run {number}" for number in range(3, CONSOLIDATIONS + 3)]
        with pytest.raises(StoreDamaged):
            state.apply(Undone("run 2"))

    def test_what_was_undone_is_not_listed(self) -> None:
        """The events beside it have taken it back."""
        state = state_after(Consolidated("a", moment(1)), Consolidated("b", moment(2)), Undone("a"))
        assert list(state.consolidations) == ["b"]

    @given(st.lists(st.sampled_from("abc"), max_size=8))
    @settings(deadline=None, max_examples=50)
    def test_no_step_is_lost_however_runs_alternate(self, runs: list[str]) -> None:
        """Each is with its own run."""
        steps = [Consolidated(run, moment(place), merged=(ident(place),)) for place, run in enumerate(runs)]
        state = state_after(*steps)
        for run in set(runs):
            assert state.consolidations[run].merged == tuple(
                ident(place) for place, each in enumerate(runs) if each == run
            )
