"""The tapes, patched slot by slot, against tapes that are rebuilt from a dict at every look."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ntm_memory_skill.ntm import Tape
from tests.ntm import oracle

Entry = tuple[int, str | None, float, int]

SESSIONS = (None, "a", "b")

standings = st.tuples(st.sampled_from(SESSIONS), st.integers(0, 3).map(float), st.integers(0, 3))
"""Session, seconds, ordinal: few values, so that ties are frequent and the slot decides."""


class Shelf:
    """What a tape is, without any of its haste: a dict of standings."""

    def __init__(self) -> None:
        self.standings: dict[int, tuple[str | None, float, int]] = {}

    def slots(self, session: str) -> list[int]:
        """Return a session's slots in order."""
        order = sorted((at, nth, slot) for slot, (name, at, nth) in self.standings.items() if name == session)
        return [slot for _, _, slot in order]

    def around(self, slot: int, reach: int) -> list[tuple[int, int]]:
        """Return what stands within reach of a slot, by its distance from it in the list of its session."""
        session, _, _ = self.standings[slot]
        if session is None:
            return []
        order = self.slots(session)
        distances = [(order.index(other) - order.index(slot), other) for other in order]
        return [(distance, other) for distance, other in distances if 0 < abs(distance) <= reach]

    def table(self, size: int, reach: int) -> list[list[int]]:
        """Return the neighbour table, rebuilt."""
        return oracle.neighbour_table([self.slots("a"), self.slots("b")], size, reach)


class TapeMachine(RuleBasedStateMachine):
    """Any run of changes leaves the tape as if it had been built at once."""

    @initialize(reach=st.integers(0, 3))
    def open(self, reach: int) -> None:
        """Start with no slot."""
        self.reach, self.tape, self.shelf = reach, Tape(reach), Shelf()

    @rule(slot=st.integers(0, 80), standing=standings)
    def add(self, slot: int, standing: tuple[str | None, float, int]) -> None:
        """Put a free slot on a tape; one that was removed before may come back elsewhere."""
        if slot not in self.shelf.standings:
            self.tape.add(slot, *standing)
            self.shelf.standings[slot] = standing

    @rule(entries=st.dictionaries(st.integers(0, 80), standings, max_size=8))
    def extend(self, entries: dict[int, tuple[str | None, float, int]]) -> None:
        """Put several free slots on their tapes at once, in no order."""
        new = {slot: standing for slot, standing in entries.items() if slot not in self.shelf.standings}
        self.tape.extend((slot, *standing) for slot, standing in new.items())
        self.shelf.standings.update(new)

    @precondition(lambda self: self.shelf.standings)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """Take a slot off; its neighbours close up."""
        slot = data.draw(st.sampled_from(sorted(self.shelf.standings)))
        self.tape.remove(slot)
        del self.shelf.standings[slot]

    @invariant()
    def agrees_with_the_rebuilt_one(self) -> None:
        """The order of every session, and the table over all slots and one that never was."""
        for session in ("a", "b", "none such"):
            assert self.tape.slots(session) == self.shelf.slots(session)
        top = max(self.shelf.standings, default=-1) + 1
        for slot, reach in product(range(top), range(5)):  # beyond the reach of the table as well
            there = slot in self.shelf.standings
            assert self.tape.around(slot, reach) == (self.shelf.around(slot, reach) if there else [])
        for size in (top, top + 1):  # never far ahead, so that later slots make the table grow
            assert self.tape.sources(size).tolist() == self.shelf.table(size, self.reach)


TestTapeMachine = TapeMachine.TestCase
TestTapeMachine.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)


def spoken(*slots: int, session: str | None = "chat") -> list[Entry]:
    """Return entries of one session, a second apart, in this order."""
    return [(slot, session, float(second), second) for second, slot in enumerate(slots)]


class TestOrder:
    """Where a slot stands."""

    def test_time_orders_then_the_ordinal_then_the_slot(self) -> None:
        """Not the order in which they were put there."""
        tape = Tape(1)
        for slot, seconds, ordinal in [(0, 9.0, 0), (1, 5.0, 2), (3, 5.0, 1), (2, 5.0, 1)]:
            tape.add(slot, "chat", seconds, ordinal)
        assert tape.slots("chat") == [2, 3, 1, 0]

    @pytest.mark.parametrize("at_once", [True, False])
    def test_memories_without_a_session_are_alone(self, at_once: bool) -> None:
        """Each is a tape of its own, so it has no neighbour but itself."""
        tape = Tape(2)
        if at_once:
            tape.extend(spoken(0, 1, 2, session=None))
        else:
            for entry in spoken(0, 1, 2, session=None):
                tape.add(*entry)
        assert tape.sources(3).tolist() == oracle.neighbour_table([[0], [1], [2]], 3, 2)

    def test_extending_equals_adding_one_by_one(self) -> None:
        """Over more slots than there was room for at first, so that the table grows under links already made."""
        entries = spoken(*range(0, 300, 2)) + spoken(*range(1, 300, 2), session="other")
        together, one_by_one = Tape(3), Tape(3)
        together.extend(entries)
        for entry in entries:
            one_by_one.add(*entry)
        np.testing.assert_array_equal(together.sources(300), one_by_one.sources(300))
        assert together.slots("other") == one_by_one.slots("other") == list(range(1, 300, 2))


class TestAround:
    """What stands near a slot, counted from it."""

    def test_places_before_are_below_zero_and_places_after_above(self) -> None:
        """The other way about than in the table, which counts from the neighbour to the slot."""
        tape = Tape(1)
        tape.extend(spoken(4, 7, 2, 9, 1))
        assert tape.around(2, 2) == [(-2, 4), (-1, 7), (1, 9), (2, 1)]
        assert tape.sources(10)[:, 2].tolist() == [9, 2, 7]

    @pytest.mark.parametrize(
        ("slot", "expected"), [(4, [(1, 7), (2, 2)]), (1, [(-2, 2), (-1, 9)]), (7, [(-1, 4), (1, 2), (2, 9)])]
    )
    def test_at_the_ends_of_a_tape_there_is_less(self, slot: int, expected: list[tuple[int, int]]) -> None:
        """It does not go round."""
        tape = Tape(1)
        tape.extend(spoken(4, 7, 2, 9, 1))
        assert tape.around(slot, 2) == expected

    def test_nothing_is_around_what_stands_on_no_tape(self) -> None:
        """A memory without a session, one that was removed, and a slot that never was."""
        tape = Tape(1)
        tape.extend([*spoken(0, 1), *spoken(2, session=None)])
        tape.remove(1)
        assert [tape.around(slot, 3) for slot in (0, 1, 2, 50)] == [[]] * 4
        assert tape.around(0, 0) == []


class TestRemoval:
    """What is gone has no neighbours and is nobody's."""

    def test_neighbours_close_up_over_a_removed_slot(self) -> None:
        """The one before and the one after stand side by side."""
        tape = Tape(1)
        tape.extend(spoken(0, 1, 2))
        tape.remove(1)
        assert tape.slots("chat") == [0, 2]
        assert tape.sources(3).tolist() == oracle.neighbour_table([[0, 2], [1]], 3, 1)

    def test_session_that_lost_its_last_slot_can_begin_again(self) -> None:
        """And one that never was is empty."""
        tape = Tape(1)
        tape.add(0, "chat", 1.0, 1)
        tape.remove(0)
        assert tape.slots("chat") == tape.slots("none such") == []
        tape.add(4, "chat", 2.0, 2)
        assert tape.slots("chat") == [4]

    def test_table_handed_out_does_not_change_later(self) -> None:
        """A reader keeps what it was given while a writer goes on."""
        tape = Tape(1)
        tape.extend(spoken(0, 1))
        handed_out = tape.sources(2)
        before = handed_out.copy()
        tape.remove(1)
        np.testing.assert_array_equal(handed_out, before)
