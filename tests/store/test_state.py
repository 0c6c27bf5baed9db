"""The state is what its events amount to, and refuses events that do not fit."""

from __future__ import annotations

import copy
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import (
    Accessed,
    Consolidated,
    Erased,
    Event,
    Faded,
    Forgotten,
    Link,
    Linked,
    Merged,
    Occurrence,
    Purged,
    Repeated,
    Restored,
    Superseded,
    Undone,
    Updated,
    Version,
)
from ntm_memory_skill.store import State
from ntm_memory_skill.store.codec import LARGEST
from ntm_memory_skill.store.state import updated
from tests.store.builders import eventful, folded, ident, memorized, moment, record, row


def state_after(*events: Event) -> State:
    """Return the state after some events."""
    return folded([events])


def test_a_new_memory_is_live_and_counted() -> None:
    """In the order of writing, with the ordinals going on behind the highest."""
    state = state_after(memorized(3), memorized(1))
    assert list(state.records.items()) == [(ident(3), record(3)), (ident(1), record(1))]
    assert state.next_ordinal == 4


def test_ordinals_are_not_used_again() -> None:
    """Also where the memory that had the highest one is gone."""
    state = state_after(memorized(0), memorized(5), Erased(ident(5), moment(6)), Purged(ident(5), moment(6)))
    assert state.next_ordinal == 6


def test_a_superseded_memory_stays_and_points_to_its_successor() -> None:
    """It is marked with the time at which the new one happened, in the same event."""
    state = state_after(memorized(0), memorized(1, supersedes=ident(0), at=moment(50)))
    old, new = state.records[ident(0)], state.records[ident(1)]
    assert (old.superseded_by, old.superseded_at, old.content) == (ident(1), moment(50), record(0).content)
    assert (new.supersedes, new.superseded_by) == (ident(0), None)
    assert list(state.records) == [ident(0), ident(1)]


def test_superseding_a_memory_that_is_gone_marks_nothing() -> None:
    """It may have been erased by another process in between; the new memory holds all the same."""
    state = state_after(memorized(0), Erased(ident(0), moment(1)), memorized(1, supersedes=ident(0)))
    assert state.archive[ident(0)].superseded_by is None
    assert list(state.records) == [ident(1)]


def test_an_update_puts_the_new_version_on_top_and_keeps_the_old_one() -> None:
    """Oldest first, each with the moment from which it no longer held."""
    state = state_after(
        memorized(0, importance=0.25, tags=("a",)),
        Updated(ident(0), moment(1), content="second", reason="why", key_row=row(7)),
        Updated(ident(0), moment(2), content="third", importance=0.0, tags=()),
    )
    found = state.records[ident(0)]
    assert (found.content, found.importance, found.tags) == ("third", 0.0, ())
    assert found.versions == (
        Version(record(0).content, 0.25, ("a",), moment(1), "why"),
        Version("second", 0.25, ("a",), moment(2)),
    )


def test_an_update_leaves_what_it_does_not_name() -> None:
    """None is no value: content, importance and tags stay, and everything else always does."""
    before = record(0, key="k", importance=0.25, tags=("a",), session="s", strength=0.5)
    after = updated(before, Updated(ident(0), moment(1), reason="only looked at"))
    assert after.versions == (Version(before.content, 0.25, ("a",), moment(1), "only looked at"),)
    for name in ("id", "slot", "ordinal", "content", "at", "key", "importance", "tags", "session", "strength"):
        assert getattr(after, name) == getattr(before, name)


def test_a_fade_sets_the_strength_and_nothing_else() -> None:
    """The text is whole; only its row is shorter."""
    state = state_after(memorized(0), Faded(ident(0), moment(1), 0.5), Faded(ident(0), moment(2), 0.125))
    assert state.records[ident(0)] == record(0, strength=0.125)


def test_an_erased_memory_goes_to_the_archive_with_the_reason() -> None:
    """No reader sees it any more, and nothing of it is lost."""
    state = state_after(memorized(0), memorized(1), Erased(ident(0), moment(9), "outdated"))
    assert list(state.records) == [ident(1)]
    assert state.archive == {ident(0): record(0, erased_at=moment(9), erased_because="outdated")}
    assert state.tombstones == {}


def test_a_purged_memory_leaves_a_tombstone_only() -> None:
    """Its id and the moment; its text is nowhere in the state."""
    state = state_after(memorized(0), Erased(ident(0), moment(1)), Purged(ident(0), moment(2)))
    assert (state.records, state.archive, state.tombstones) == ({}, {}, {ident(0): moment(2)})
    assert record(0).content not in repr(state)


def test_a_restored_memory_is_live_again_as_it_was_but_for_its_slot() -> None:
    """Behind those that were there meanwhile; that it was erased is forgotten, what it said before is not."""
    state = state_after(
        memorized(0, importance=0.25, tags=("a",)),
        Updated(ident(0), moment(1), content="second"),
        Faded(ident(0), moment(2), 0.5),
        Accessed((ident(0),), (3,), moment(3)),
        memorized(1, supersedes=ident(0)),
        Erased(ident(0), moment(4), "outdated"),
        Restored(ident(0), moment(5), 9, row(0)),
    )
    before = Version(record(0).content, 0.25, ("a",), moment(1))
    assert list(state.records) == [ident(1), ident(0)]
    assert state.records[ident(0)] == record(
        0,
        slot=9,
        content="second",
        importance=0.25,
        tags=("a",),
        strength=0.5,
        accesses=3,
        accessed_at=moment(3),
        versions=(before,),
        superseded_by=ident(1),
        superseded_at=moment(1),
    )
    assert (state.archive, state.next_ordinal) == ({}, 2)


def test_a_restored_memory_can_be_erased_and_restored_again() -> None:
    """As often as anyone changes their mind."""
    state = state_after(memorized(0))
    for turn in range(3):
        state.apply(Erased(ident(0), moment(turn)))
        assert state.archive[ident(0)].erased_at == moment(turn)
        state.apply(Restored(ident(0), moment(turn), turn, row(0)))
        assert state.records == {ident(0): record(0, slot=turn)}


def test_accesses_are_added_up_and_the_last_moment_is_kept() -> None:
    """Of each memory by itself; a batch that comes late says its own time."""
    state = state_after(
        memorized(0),
        memorized(1),
        memorized(2),
        Accessed((ident(0), ident(1)), (2, 1), moment(7)),
        Accessed((ident(1),), (5,), moment(6)),
        Accessed((), (), moment(8)),
    )
    assert state.records == {
        ident(0): record(0, accesses=2, accessed_at=moment(7)),
        ident(1): record(1, accesses=6, accessed_at=moment(6)),
        ident(2): record(2),
    }


def test_a_slot_is_free_again_once_its_memory_is_erased() -> None:
    """For a new memory or one that comes back; where its last one went does not matter."""
    state = state_after(memorized(0), memorized(1), Erased(ident(0), moment(1)), Erased(ident(1), moment(1)))
    state.check([memorized(2, slot=0), Restored(ident(0), moment(2), 1, row(0))])
    state.apply(memorized(2, slot=0))
    state.apply(Restored(ident(0), moment(2), 1, row(0)))
    assert {known.slot: known.id for known in state.records.values()} == {0: ident(2), 1: ident(0)}


def test_two_memories_with_the_same_slot_are_no_state() -> None:
    """One would overwrite the other's row of the matrix."""
    with pytest.raises(StoreDamaged):
        State({ident(0): record(0), ident(1): record(1, slot=0)})


def test_ids_stay_known_for_good() -> None:
    """Live, forgotten, archived or purged: none is given out again."""
    state = folded(eventful())
    assert all(state.knows(ident(number)) for number in range(9))
    assert not state.knows(ident(9))


BEFORE: list[Event] = [
    *(memorized(number) for number in range(3)),
    Erased(ident(1), moment(5)),
    Erased(ident(2), moment(5)),
    Purged(ident(2), moment(5)),
    *(memorized(number) for number in (10, 11)),
    Forgotten(ident(10), moment(5), "not recalled"),
    Merged(ident(11), ident(0), moment(5), 0.5, "the same"),
]
"""Number 0 is live, 1 in the archive, 2 purged, 3 unknown, 10 forgotten, 11 merged into 0."""

UNFIT: dict[str, Event] = {
    "memorize a live id": memorized(0),
    "memorize an archived id": memorized(1),
    "memorize a purged id": memorized(2),
    "memorize a forgotten id": memorized(10),
    **{
        f"{type(event).__name__} number {number}": event
        for number in (1, 2, 3, 10, 11)
        for event in (
            Updated(ident(number), moment(9), content="x", key_row=row(0)),
            Faded(ident(number), moment(9), 0.5),
            Repeated(ident(number), Occurrence(at=moment(9))),
            Forgotten(ident(number), moment(9), "not recalled"),
            Merged(ident(number), ident(0), moment(9), 0.5, "the same"),
        )
    },
    **{f"link number {number}": Linked(ident(number), ()) for number in (2, 3)},
    **{f"supersede number {number}": Superseded(ident(number), None, None) for number in (2, 3)},
    **{f"erase number {number}": Erased(ident(number), moment(9)) for number in (1, 2, 3)},
    **{
        f"merge into number {number}": Merged(ident(0), ident(number), moment(9), 0.5, "the same")
        for number in (0, 1, 2, 3, 10, 11)
    },
    "put a memory in its own place": Superseded(ident(0), ident(0), moment(9)),
    "undo what was never done": Undone("a run"),
    **{f"purge number {number}": Purged(ident(number), moment(9)) for number in (0, 2, 3, 10, 11)},
    **{f"restore number {number}": Restored(ident(number), moment(9), 7, row(number)) for number in (0, 2, 3)},
    **{f"access number {number}": Accessed((ident(number),), (1,), moment(9)) for number in (1, 2, 3, 10, 11)},
    "access a live memory and another": Accessed((ident(0), ident(3)), (1, 1), moment(9)),
    "memorize into a taken slot": memorized(5, slot=0),
    "restore into a taken slot": Restored(ident(1), moment(9), 0, row(1)),
    "restore a forgotten one into a taken slot": Restored(ident(10), moment(9), 0, row(10)),
    "restore a merged one into a taken slot": Restored(ident(11), moment(9), 0, row(11)),
}
EVERY_UNFIT = pytest.mark.parametrize("event", UNFIT.values(), ids=UNFIT.keys())


@EVERY_UNFIT
def test_an_event_that_does_not_fit_is_refused_and_changes_nothing(event: Event) -> None:
    """Only a damaged journal can hold one."""
    state = state_after(*BEFORE)
    before = copy.deepcopy(state)
    with pytest.raises(StoreDamaged):
        state.apply(event)
    assert state == before


@EVERY_UNFIT
def test_a_check_finds_an_unfit_event_wherever_it_stands(event: Event) -> None:
    """Before anything is applied: the fitting events around it are not applied either."""
    state = state_after(*BEFORE)
    before = copy.deepcopy(state)
    for events in ([event], [memorized(8), event], [event, memorized(8)], [memorized(8), memorized(9), event]):
        with pytest.raises(StoreDamaged):
            state.check(events)
    assert state == before


def test_a_check_follows_events_that_build_on_each_other() -> None:
    """What does not fit now may fit after the events before it, and the other way round."""
    state = state_after(*BEFORE)
    before = copy.deepcopy(state)
    state.check([memorized(7, supersedes=ident(0)), Faded(ident(7), moment(9), 0.5), Erased(ident(7), moment(9))])
    state.check([Erased(ident(0), moment(9)), Purged(ident(0), moment(9)), Purged(ident(1), moment(9))])
    state.check([Erased(ident(0), moment(9)), Restored(ident(1), moment(9), 0, row(1)), Faded(ident(1), moment(9), 1)])
    state.check([memorized(7), Accessed((ident(7), ident(0)), (1, 1), moment(9)), Erased(ident(7), moment(9))])
    state.check([Restored(ident(11), moment(9), 11, row(11)), Forgotten(ident(0), moment(9), "not recalled")])
    state.check([Erased(ident(0), moment(9)), Purged(ident(0), moment(9)), Erased(ident(11), moment(9))])
    state.check([Consolidated("a run", moment(9)), Undone("a run")])
    state.check([memorized(7), Merged(*same(7, 0)), memorized(8, slot=7)])
    unfit: list[list[Event]] = [
        [Erased(ident(0), moment(9)), Faded(ident(0), moment(9), 0.5)],
        [memorized(7), memorized(7)],
        [Purged(ident(1), moment(9)), Purged(ident(1), moment(9))],
        [Restored(ident(1), moment(9), 0, row(1)), Erased(ident(0), moment(9))],
        [Restored(ident(1), moment(9), 7, row(1)), memorized(7)],
        [Purged(ident(1), moment(9)), Restored(ident(1), moment(9), 7, row(1))],
        [Erased(ident(0), moment(9)), Accessed((ident(0),), (1,), moment(9))],
        [Restored(ident(10), moment(9), 10, row(10)), Restored(ident(10), moment(9), 12, row(10))],
        [Restored(ident(10), moment(9), 10, row(10)), Merged(*same(0, 10)), Merged(*same(10, 0))],
        [Consolidated("a run", moment(9)), Undone("a run"), Undone("a run")],
        [Forgotten(ident(0), moment(9), "not recalled"), Forgotten(ident(0), moment(9), "not recalled")],
    ]
    for events in unfit:
        with pytest.raises(StoreDamaged):
            state.check(events)
    assert state == before


def test_a_check_adds_up_counts_of_several_events() -> None:
    """Each fits alone, and the second not after the first."""
    state = state_after(*BEFORE)
    half = Accessed((ident(0),), (LARGEST // 2 + 1,), moment(9))
    state.check([half])
    with pytest.raises(StoreDamaged):
        state.check([half, Linked(ident(0), ()), half])


def same(number: int, into: int) -> tuple[str, str, datetime, float, str]:
    """Return what a merge of a memory into another says."""
    return ident(number), ident(into), moment(9), 0.5, "the same"


NUMBERS = st.integers(0, 4)
RUNS = st.sampled_from(["one", "two"])
SLOTS = st.integers(0, 4)
ANY_EVENT: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        lambda number, slot, old: memorized(number, slot=slot, supersedes=old),
        NUMBERS,
        SLOTS,
        st.none() | NUMBERS.map(ident),
    ),
    st.builds(lambda number: Updated(ident(number), moment(9), content="x"), NUMBERS),
    st.builds(lambda number: Faded(ident(number), moment(9), 0.5), NUMBERS),
    st.builds(lambda number: Erased(ident(number), moment(9)), NUMBERS),
    st.builds(lambda number: Purged(ident(number), moment(9)), NUMBERS),
    st.builds(lambda number, slot: Restored(ident(number), moment(9), slot, row(0)), NUMBERS, SLOTS),
    st.builds(lambda number, other: Accessed((ident(number), ident(other)), (1, 2), moment(9)), NUMBERS, NUMBERS),
    st.builds(
        lambda number, other: Linked(ident(number), (Link(ident(other), 0.5, moment(9)),)),
        NUMBERS,
        NUMBERS,
    ),
    st.builds(lambda number: Repeated(ident(number), Occurrence(at=moment(9))), NUMBERS),
    st.builds(lambda number: Forgotten(ident(number), moment(9), "not recalled"), NUMBERS),
    st.builds(lambda number, into: Merged(*same(number, into)), NUMBERS, NUMBERS),
    st.builds(lambda number, other: Superseded(ident(number), ident(other), moment(9)), NUMBERS, NUMBERS),
    st.builds(lambda run, number: Consolidated(run, moment(9), forgotten=(ident(number),)), RUNS, NUMBERS),
    st.builds(Undone, RUNS),
)


@given(st.lists(ANY_EVENT, max_size=6), st.lists(ANY_EVENT, max_size=6))
@settings(deadline=None, max_examples=200)
def test_a_check_says_what_applying_would(before: list[Event], events: list[Event]) -> None:
    """It looks at the named memories alone, and comes to the same end as a whole copy of the state would."""
    state = State()
    for event in before:
        known = copy.deepcopy(state)
        if not applies(state, [event]):
            assert state == known
    trial = copy.deepcopy(state)
    assert fits(state, events) == applies(trial, events)


@given(st.lists(ANY_EVENT, max_size=14))
@settings(deadline=None, max_examples=200)
def test_no_two_live_memories_ever_share_a_slot(events: list[Event]) -> None:
    """Whatever is refused and whatever is not; and each memory is in one place alone."""
    state = State()
    for event in events:
        applies(state, [event])
        slots = [known.slot for known in state.records.values()]
        assert len(slots) == len(set(slots))
        places = [*state.records, *state.forgotten, *state.archive, *state.tombstones]
        assert len(places) == len(set(places))
        for known in (*state.remembered(), *state.archive.values()):
            for each in known.absorbed:
                assert state.forgotten[each.id].merged_into == known.id
            assert (known.forgotten_at is not None) == (known.id in state.forgotten)


def fits(state: State, events: list[Event]) -> bool:
    """Return whether the state accepts events."""
    try:
        state.check(events)
    except StoreDamaged:
        return False
    return True


def applies(state: State, events: list[Event]) -> bool:
    """Return whether events can be applied, one after the other."""
    try:
        for event in events:
            state.apply(event)
    except StoreDamaged:
        return False
    return True
