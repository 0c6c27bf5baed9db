"""From when until when a memory holds: what has ended is not given, unless it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ntm_memory_skill import M3Settings, NTMMemoryManager
from ntm_memory_skill.errors import InvalidArgument, UnknownFilter
from tests.conftest import OpenMemory
from tests.engine.lives import unstored
from tests.engine.support import everything

DAY = timedelta(days=1)
NOON = datetime(2026, 5, 9, 12, tzinfo=UTC)


class Calendar:
    """A clock that a test sets."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return what it was set to."""
        return self.now


@pytest.fixture
def calendar() -> Calendar:
    """A clock that stands at noon."""
    return Calendar()


@pytest.fixture
def dated(calendar: Calendar) -> NTMMemoryManager:
    """A memory without a sense of its own for what changes."""
    return unstored(M3Settings(successions="off", reconsolidate=False), clock=calendar)


def test_memory_that_ends_is_given_until_then(dated: NTMMemoryManager, calendar: Calendar) -> None:
    """The moment itself is behind it."""
    ident = dated.memorize("The guest room is taken", valid_until=NOON + DAY).id
    kept = dated.memorize("The guest room has two beds").id
    for passed, expected in (
        (0 * DAY, {ident, kept}),
        (DAY - DAY / 99, {ident, kept}),
        (DAY, {kept}),
        (9 * DAY, {kept}),
    ):
        calendar.now = NOON + passed
        assert set(everything(dated, "guest room")) == expected
        assert {hit.id for hit in dated.recall("guest room").hits} == expected
    assert dated.get(ident).valid_until == NOON + DAY


def test_ended_memory_is_given_where_what_does_not_hold_is_asked_for(
    dated: NTMMemoryManager, calendar: Calendar
) -> None:
    """It is not forgotten."""
    ident = dated.memorize("The guest room is taken", valid_until=NOON + DAY).id
    calendar.now = NOON + 2 * DAY
    assert set(everything(dated, include_superseded=True)) == {ident}
    assert everything(dated) == {}


def test_past_is_asked_as_of_then(dated: NTMMemoryManager, calendar: Calendar) -> None:
    """What held at that moment comes back, and what had ended by then does not."""
    ident = dated.memorize("The guest room is taken", at=NOON - 3 * DAY, valid_until=NOON - DAY).id
    assert everything(dated) == {}
    assert set(everything(dated, as_of=NOON - 2 * DAY)) == {ident}
    for moment in (NOON - DAY, NOON, NOON - 4 * DAY):
        assert everything(dated, as_of=moment) == {}


def test_memory_that_never_held_is_refused(dated: NTMMemoryManager) -> None:
    """It has to end after it begins; so has one that ended before it was told, with its beginning."""
    for end in (NOON, NOON - DAY):
        with pytest.raises(InvalidArgument):
            dated.memorize("x", at=NOON, valid_until=end)
    with pytest.raises(InvalidArgument):
        dated.memorize("x", valid_until="soon")
    assert len(dated) == 0
    assert dated.memorize("x", valid_until="2026-05-10T14:00:00+02:00").record.valid_until == NOON + DAY


def test_end_is_kept_on_disk_and_in_a_batch(open_memory: OpenMemory) -> None:
    """As any other field is."""
    memory = open_memory()
    (ident,) = memory.memorize_many([{"content": "x", "valid_until": "2999-01-01"}])
    memory.close()
    assert open_memory().get(ident).valid_until == datetime(2999, 1, 1, tzinfo=UTC)


def test_same_text_with_another_end_is_another_memory(dated: NTMMemoryManager) -> None:
    """Counting it would lose when it ends; one that says nothing of it adds nothing."""
    first = dated.memorize("The guest room is taken", valid_until=NOON + DAY)
    assert dated.memorize("The guest room is taken", valid_until=NOON + 2 * DAY).stored == "new"
    assert dated.memorize("The guest room is taken", valid_until=NOON + DAY).id == first.id
    assert dated.memorize("The guest room is taken").stored == "counted"
    assert len(dated) == 2


def test_what_is_said_again_once_it_has_ended_holds_anew(dated: NTMMemoryManager, calendar: Calendar) -> None:
    """Counted on the memory that ended, nobody would ever find it."""
    dated.memorize("The guest room is taken", valid_until=NOON + DAY)
    calendar.now = NOON + 2 * DAY
    note = dated.memorize("The guest room is taken")
    assert note.stored == "new"
    assert set(everything(dated)) == {note.id}


def test_memory_that_has_ended_absorbs_nothing_that_holds(calendar: Calendar) -> None:
    """Nor does consolidation merge what holds into what does not."""
    memory = unstored(clock=calendar)
    memory.memorize("The guest room is taken", valid_until=NOON + DAY)
    (again,) = memory.memorize_many([{"content": "The guest room is taken"}])
    memory.consolidate()
    calendar.now = NOON + 2 * DAY
    assert set(everything(memory)) == {again}


def test_superseded_memory_holds_until_its_successor_happened(calendar: Calendar) -> None:
    """Not until that was written down."""
    memory = unstored(clock=calendar)
    old = memory.memorize("I live in Paris", at=NOON - 30 * DAY).id
    new = memory.memorize("I moved to Berlin", at=NOON - 10 * DAY).id
    assert memory.get(old).superseded_at == NOON - 10 * DAY
    assert set(everything(memory)) == {new}
    assert set(everything(memory, as_of=NOON - 11 * DAY)) == {old}
    assert set(everything(memory, as_of=NOON - 10 * DAY)) == {new}
    assert set(everything(memory, include_superseded=True)) == {old, new}


@pytest.mark.parametrize("name", ["include_superseded", "include_forgotten"])
@pytest.mark.parametrize("value", [1, 0, "yes", "true", [True]], ids=repr)
def test_what_is_neither_true_nor_false_is_refused(dated: NTMMemoryManager, name: str, value: Any) -> None:
    """Though Python would take it for one; None stands for left out."""
    dated.memorize("x")
    given: list[dict[str, Any]] = [{name: value}, {name: None}, {name: False}]
    with pytest.raises(InvalidArgument):
        dated.search("x", **given[0])
    assert everything(dated, **given[1]).keys() == everything(dated, **given[2]).keys()


def test_whether_memories_are_pinned_is_no_filter(dated: NTMMemoryManager) -> None:
    """It says what may be forgotten."""
    with pytest.raises(UnknownFilter):
        dated.search("x", pinned=True)
    with pytest.raises(InvalidArgument):
        dated.memorize("x", pinned="yes")
    assert dated.memorize("x", pinned=True).record.pinned is True
