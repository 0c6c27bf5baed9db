"""Whole lives: whatever happens, nothing is lost, the view keeps in step, and the journal tells the same story."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntm_memory_skill import M3Settings, NTMMemoryManager
from ntm_memory_skill.errors import MemoryFull
from tests.conftest import ticking_clock
from tests.engine.lives import (
    EVERYTHING,
    GOATS,
    GOATS_NEARLY,
    HOURS,
    PARIS,
    TEXTS,
    Step,
    assert_followed,
    fresh_path,
    live,
    nearness,
    opened,
    settled,
    sight,
    steps,
    unstored,
)
from tests.engine.support import assert_same_hits, everything

SLOW = [HealthCheck.too_slow]


@given(st.lists(st.tuples(steps(), st.booleans()), min_size=1, max_size=18), st.sampled_from([4, 100]))
@settings(deadline=None, max_examples=60, suppress_health_check=SLOW)
def test_view_that_followed_a_life_equals_one_that_is_filled_anew(history: list[tuple[Step, bool]], size: int) -> None:
    """The writer's, and that of a reader who looks now and then and follows in leaps; merges and partings included."""
    clock = ticking_clock(step=HOURS)
    with nearness(), fresh_path() as path, ExitStack() as stack:
        writer, reader = (stack.enter_context(opened(path, EVERYTHING, clock=clock, size=size)) for _ in range(2))
        for memory in (writer, reader):
            memory.memorize("something to begin with", force=True)
            memory._live.projection()
            memory._live.whole()
        for step, look in history:
            live(writer, step)
            if look:
                reader._live.projection()
                reader._live.whole()
        for memory in (writer, reader):
            assert_followed(memory)


LEAPS = {
    "merged and erased": [Step("memorize", 0, 2), Step("erase", 1, 0)],
    "merged and taken apart": [Step("memorize", 0, 2), Step("recover", 0, 0)],
    "merged, other words, taken apart": [Step("memorize", 0, 2), Step("update", 0, 9), Step("recover", 0, 0)],
    "merged, other words, and that part erased": [Step("memorize", 0, 2), Step("update", 0, 9), Step("part", 0, 0)],
    "merged, and that part erased": [Step("memorize", 0, 2), Step("part", 0, 0)],
    "merged, and that part purged": [Step("memorize", 0, 2), Step("part", 1, 0)],
    "merged twice over": [Step("memorize", 3, 2), Step("many", 0, 0), Step("consolidate", 0, 0)],
    "merged and undone": [Step("many", 5, 1), Step("consolidate", 0, 0), Step("undo", 0, 0)],
    "linked, and one of them purged": [Step("memorize", 0, 3), Step("linked", 0, 0), Step("purge", 1, 0)],
}


@pytest.mark.parametrize("leap", LEAPS.values(), ids=LEAPS)
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "step by step"])
def test_reader_that_follows_a_merge_misses_nothing(leap: list[Step], at_once: bool) -> None:
    """Also where the state is at the end of it when its beginning is followed."""
    with nearness(), fresh_path() as path, opened(path) as writer, opened(path) as reader:
        writer.memorize(GOATS, at="2020-01-02")
        for step in leap:
            if not at_once or step is leap[0]:
                reader._live.projection()
                reader._live.whole()
            if step.verb == "part":
                (part,) = [ident for ident, record in writer.state.forgotten.items() if record.merged_into]
                writer.erase(part, purge=bool(step.which))
            elif step.verb == "linked":
                writer.search(f"{GOATS} {PARIS}", top_k=2)
                settled(writer)
            else:
                live(writer, step)
        for memory in (writer, reader):
            assert_followed(memory)


@given(st.lists(steps(), min_size=1, max_size=18), st.sampled_from([4, 100]))
@settings(deadline=None, max_examples=40, suppress_health_check=SLOW)
def test_journal_that_is_read_again_tells_the_same(history: list[Step], size: int) -> None:
    """The same state, and the same answers: all that anybody ever saw of it."""
    m3 = M3Settings(forget_below=0.9, gists=True, reconsolidate=False)
    moments = [ticking_clock(step=HOURS) for _ in range(3)]
    with nearness(), fresh_path() as path:
        with opened(path, m3, clock=moments[0], size=size) as memory:
            for step in history:
                live(memory, step)
            settled(memory)
            with opened(path, m3, clock=moments[1], size=size) as follower:
                assert follower.state == memory.state
                expected = [everything(follower, text, include_superseded=True) for text in TEXTS[:4]]
            before = sight(memory)
        with opened(path, m3, clock=moments[2], size=size) as again:
            assert_but_for_counts(sight(again), before)
            for text, hits in zip(TEXTS[:4], expected, strict=True):
                assert_same_hits(everything(again, text, include_superseded=True).values(), hits.values())


def test_reader_learns_what_a_memory_said_when_it_was_forgotten() -> None:
    """It was changed, replaced and faded before that; all of it is followed at once."""
    with fresh_path() as path, opened(path, size=2) as writer, opened(path, size=2) as reader:
        old = writer.memorize(GOATS).id
        reader._live.whole()
        writer.update(old, "Marco plays the violin")
        writer.erase(old, strength=0.5)
        writer.memorize("one more", supersedes=old)
        for text in ("a third", "a fourth"):
            writer.memorize(text)
        assert old in writer.state.forgotten
        assert_followed(reader)


def assert_but_for_counts(after: tuple[dict, ...], before: tuple[dict, ...]) -> None:  # type: ignore[type-arg]  # of any memories
    """Compare two sights of a memory; what was asked since has been counted."""
    for now, then in zip(after, before, strict=True):
        assert now.keys() == then.keys()
        for ident, one in now.items():
            other = then[ident]
            names = [name for name in one.__dataclass_fields__ if name not in ("accesses", "accessed_at")]
            assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]


@given(
    st.lists(steps(["memorize", "force", "pin", "important", "many", "consolidate"]), min_size=1, max_size=25),
    st.integers(1, 4),
)
@settings(deadline=None, max_examples=80, suppress_health_check=SLOW)
def test_what_was_memorized_can_be_found_whatever_came_after(history: list[Step], size: int) -> None:
    """Live, forgotten, or in the memory that says it; where there is no room, the refusal changes nothing."""
    clock, told = ticking_clock(step=HOURS), {}
    with nearness():
        memory = unstored(EVERYTHING, clock=clock, size=size)
        for step in history:
            before = sight(memory)
            try:
                if step.verb == "many":
                    (ident,) = memory.memorize_many([{"content": TEXTS[step.what]}])
                    told[ident] = TEXTS[step.what]
                elif step.verb == "consolidate":
                    memory.consolidate()
                else:
                    ident = said(memory, step)
                    told.setdefault(ident, TEXTS[step.what])
            except MemoryFull:
                assert sight(memory) == before
                assert all(record.pinned or record.importance >= 0.8 for record in before[0].values())
            assert len(memory) <= size
        state = memory.state
        for ident, content in told.items():
            record = state.records.get(ident) or state.forgotten[ident]
            assert record.content == content
        if told:
            found = everything(memory, include_forgotten=True, include_superseded=True)
            assert told.keys() <= found.keys()


def said(memory: NTMMemoryManager, step: Step) -> str:
    """Memorize what a step says, make sure that it was stored, counted or merged, and return the id that has it."""
    content = TEXTS[step.what]
    known, importance = dict(memory.state.records), 0.9 if step.verb == "important" else 0.5
    note = memory.memorize(content, force=step.verb == "force", pinned=step.verb == "pin", importance=importance)
    if note.stored == "new":
        assert note.id not in known
        assert note.record.content == content
        return note.id
    assert step.verb != "force"
    if note.stored == "counted":
        assert note.record.repeats == known[note.id].repeats + 1
        return note.id
    part = note.record.absorbed[-1].id
    assert memory.state.forgotten[part].merged_into == note.id
    assert memory.state.forgotten[part].content == content
    return part


def test_erasing_takes_all_that_says_the_same_with_it() -> None:
    """What was merged into what was merged as well: nobody who has something erased wants a copy to stay."""
    for purge in (False, True):
        with nearness():
            memory = unstored()
            middle = memory.memorize(GOATS, at="2026-01-02").id
            memory.memorize(GOATS_NEARLY)
            (first,) = memory.memorize_many([{"content": GOATS, "at": "2026-01-01"}])
            memory.consolidate()
            assert memory.state.forgotten[middle].merged_into == first
            memory.erase(first, purge=purge)
            assert (memory.state.records, memory.state.forgotten) == ({}, {})
            assert everything(memory, include_forgotten=True) == {}


def test_a_life_takes_every_step() -> None:
    """Else the properties above would say less than they seem to."""
    numbers = count()
    with nearness():
        memory = unstored(EVERYTHING, clock=ticking_clock(step=HOURS), size=4)
        for verb in ("memorize", "memorize", "many", "many", "force", "pin", "important", "consolidate"):
            live(memory, Step(verb, next(numbers), 0))
        assert memory.state.consolidations
        live(memory, Step("undo", 0, 0))
        assert not memory.state.consolidations
        assert memory.state.forgotten
