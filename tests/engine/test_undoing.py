"""Taking a consolidation back: everything is as it was, whatever it did and however far it came."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntm_memory_skill import M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.engine import consolidation
from ntm_memory_skill.errors import MemoryFull, UnknownConsolidation
from tests.conftest import EPOCH, OpenMemory, ticking_clock
from tests.engine.lives import (
    BERLIN,
    EVERYTHING,
    GOATS,
    GOATS_AGAIN,
    HOURS,
    PARIS,
    Step,
    assert_followed,
    fresh_path,
    live,
    nearness,
    opened,
    settled,
    sight,
    steps,
    texts,
)
from tests.engine.support import everything

WRITING = ("memorize", "force", "force", "many", "many", "many", "pin", "important", "fade", "ask", "consolidate")


class Broken(Exception):
    """Raised by a progress callback."""


def breaking_off(after: int) -> Progress:
    """Return a progress callback that breaks off behind a step; 0 never does."""

    def tell(done: int, of: int) -> None:
        assert (1 <= done <= of, of) == (True, consolidation.STEPS)
        if done == after:
            raise Broken

    return tell


@given(
    st.lists(steps(WRITING), min_size=1, max_size=14),
    st.integers(0, consolidation.STEPS),
    st.integers(1, 3),
    st.booleans(),
)
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
def test_undoing_restores_what_was(history: list[Step], after: int, batch: int, reopen: bool) -> None:
    """Of any mix of duplicates, successions, weak memories and clusters; gists that it made are in the archive."""
    clock = ticking_clock(step=HOURS)
    with nearness(), mock.patch.multiple(consolidation, BATCH=batch, CLOSE=0.2), fresh_path() as path:
        memory = opened(path, EVERYTHING, clock=clock)
        for step in history:
            live(memory, step)
        settled(memory)
        records, forgotten, archive, listed = sight(memory)
        with suppress(Broken):
            memory.consolidate(progress=breaking_off(after))
        changed = sight(memory)
        if reopen:
            memory.close()
            memory = opened(path, EVERYTHING, clock=clock)
        assert sight(memory) == changed
        if changed[3] != listed:
            done = memory.undo_consolidation()
            assert done == next(reversed(changed[3].values()))
            after_all = sight(memory)
            assert after_all[0] == records
            assert after_all[1] == forgotten
            assert after_all[2].keys() == archive.keys() | set(done.gists)
            assert after_all[3] == listed
        else:
            assert changed == (records, forgotten, archive, listed)
        assert_followed(memory)
        memory.close()
        with opened(path, EVERYTHING, clock=clock) as again:
            assert sight(again) == (after_all if changed[3] != listed else changed)


def worn(open_memory: OpenMemory, m3: M3Settings | None = None) -> NTMMemoryManager:
    """Return a memory with two duplicates and a succession in it, as it is written down in one go."""
    memory = open_memory(settings=Settings(m3=M3Settings() if m3 is None else m3))
    memory.memorize_many({"content": content} for content in (GOATS, PARIS, GOATS_AGAIN, BERLIN))
    return memory


def test_latest_consolidation_is_undone_first(open_memory: OpenMemory) -> None:
    """Each once; then there is none left."""
    memory = worn(open_memory)
    before = sight(memory)[0]
    first = memory.consolidate()
    memory.memorize_many([{"content": GOATS_AGAIN}])
    between = sight(memory)[0]
    second = memory.consolidate()
    assert list(memory.state.consolidations) == [first.run, second.run]
    assert memory.undo_consolidation().run == second.run
    assert sight(memory)[0] == between
    assert memory.undo_consolidation().run == first.run
    after = sight(memory)[0]
    assert {ident: replace(after[ident], slot=0) for ident in before} == {
        ident: replace(record, slot=0) for ident, record in before.items()
    }  # what was merged found its slot taken
    for run in (None, first.run, "nobody"):
        with pytest.raises(UnknownConsolidation) as caught:
            memory.undo_consolidation(run)
        assert caught.value.code == UnknownConsolidation.code


def test_one_is_undone_by_its_name_and_the_later_one_stands(open_memory: OpenMemory) -> None:
    """They are independent of each other."""
    memory = worn(open_memory)
    first = memory.consolidate()
    memory.memorize_many([{"content": "The cellar is damp"}, {"content": "the cellar is damp!"}])
    second = memory.consolidate()
    memory.undo_consolidation(first.run)
    assert list(memory.state.consolidations) == [second.run]
    assert texts(memory.state.forgotten) == ["the cellar is damp!"]


def test_what_happened_since_stays(open_memory: OpenMemory) -> None:
    """Other words, a fading, an erased memory: nothing of that is taken back."""
    memory = worn(open_memory)
    kept, _, gone, _ = memory.state.records
    memory.consolidate()
    memory.update(kept, "Anna sold the goats")
    new = memory.memorize("one more").id
    memory.undo_consolidation()
    assert memory.get(kept).content == "Anna sold the goats"
    assert memory.get(kept).absorbed == ()
    assert memory.get(gone).content == GOATS_AGAIN
    assert new in memory.state.records
    assert_followed(memory)


def test_merged_memory_that_was_erased_since_stays_erased(open_memory: OpenMemory) -> None:
    """To undo is no way around erasing."""
    memory = worn(open_memory)
    kept, _, gone, _ = memory.state.records
    memory.consolidate()
    memory.erase(gone)
    memory.undo_consolidation()
    assert gone in memory.state.archive
    assert gone not in memory.state.records
    assert memory.get(kept).absorbed == ()


def test_merged_memory_whose_slot_was_given_away_takes_another(open_memory: OpenMemory) -> None:
    """Neither is disturbed."""
    memory = worn(open_memory)
    _, _, gone, _ = memory.state.records
    slot = memory.get(gone).slot
    memory.consolidate()
    new = memory.memorize("one in its place")
    assert new.slot == slot
    memory.undo_consolidation()
    assert memory.get(new.id).slot == slot
    assert len({record.slot for record in memory.state.records.values()}) == 5
    assert_followed(memory)


def test_undoing_that_has_no_room_changes_nothing(open_memory: OpenMemory) -> None:
    """A memory is not pushed out for one that was merged."""
    memory = open_memory(settings=Settings(memory_size=4))
    memory.memorize_many({"content": content} for content in (GOATS, PARIS, GOATS_AGAIN, BERLIN))
    memory.consolidate()
    memory.memorize("one in its place")
    before = sight(memory)
    with pytest.raises(MemoryFull):
        memory.undo_consolidation()
    assert sight(memory) == before


def test_gist_that_was_erased_makes_no_room() -> None:
    """It takes none any more: what comes back is counted against the slots that are free."""
    with fresh_path() as path, mock.patch.multiple(consolidation, CLOSE=0.2):
        memory = opened(path, M3Settings(gists=True, successions="off"), size=6)
        about = [f"The garden needs water on {day}, said Olga." for day in ("Monday", "Tuesday", "Friday", "Sunday")]
        memory.memorize_many({"content": content} for content in [*about, about[0]])
        done = memory.consolidate(distiller=lambda texts: "The garden needs water")
        assert (len(done.merged), len(done.gists), len(memory)) == (1, 1, 5)
        memory.erase(done.gists[0].old)
        memory.memorize_many([{"content": GOATS}, {"content": PARIS}])
        assert len(memory) == 6
        with pytest.raises(MemoryFull):
            memory.undo_consolidation()
        assert len(memory) == 6
        memory.close()


def test_slot_that_a_gist_took_is_free_for_what_comes_back() -> None:
    """It is erased in the same breath."""
    with fresh_path() as path, mock.patch.multiple(consolidation, CLOSE=0.2):
        memory = opened(path, M3Settings(gists=True, successions="off"))
        about = [f"The garden needs water on {day}, said Olga." for day in ("Monday", "Tuesday", "Friday", "Sunday")]
        memory.memorize_many({"content": content} for content in [about[0], *about])
        before = sight(memory)[0]
        done = memory.consolidate(distiller=lambda texts: "The garden needs water")
        assert memory.get(done.gists[0].old).slot == before[done.merged[0].old].slot
        memory.undo_consolidation()
        assert sight(memory)[0] == before
        memory.close()


def test_undone_gist_is_not_found_any_more() -> None:
    """What it was made of is."""
    with fresh_path() as path, mock.patch.multiple(consolidation, CLOSE=0.2):
        memory = opened(path, M3Settings(gists=True, successions="off"))
        about = [f"The garden needs water on {day}, said Olga." for day in ("Monday", "Tuesday", "Friday", "Sunday")]
        ids = memory.memorize_many({"content": content} for content in about)
        (gist,) = memory.consolidate(distiller=lambda texts: "The garden needs water").gists
        assert gist.old in everything(memory, type=consolidation.GIST)
        memory.undo_consolidation()
        assert set(everything(memory)) == set(ids)
        assert memory.state.archive[gist.old].distilled_from == tuple(ids)
        memory.close()


def test_purge_of_a_source_leaves_no_gist_of_it_in_the_archive() -> None:
    """An undone gist still has its words."""
    with fresh_path() as path, mock.patch.multiple(consolidation, CLOSE=0.2):
        memory = opened(path, M3Settings(gists=True, successions="off"))
        about = [f"The garden needs water on {day}, said Olga." for day in ("Monday", "Tuesday", "Friday", "Sunday")]
        ids = memory.memorize_many({"content": content} for content in about)
        assert len(memory.consolidate(distiller=lambda texts: "A watering can in vermilion").gists) == 1
        memory.undo_consolidation()
        memory.erase(ids[0], purge=True)
        memory.close()
        assert all(b"vermilion" not in file.read_bytes() for file in path.parent.iterdir())


def test_memory_that_was_superseded_and_forgotten_since_holds_again_when_it_is_back(open_memory: OpenMemory) -> None:
    """Undoing reaches it where it is."""
    memory = open_memory(settings=Settings(memory_size=2, m3=M3Settings(successions="mark")))
    old, _ = memory.memorize_many([{"content": PARIS}, {"content": BERLIN}])
    memory.consolidate()
    assert memory.get(old).superseded_by is not None
    memory.memorize("Bread needs twelve hours of cold proofing")
    assert old in memory.state.forgotten
    memory.undo_consolidation()
    assert memory.state.forgotten[old].superseded_by is None


def test_weak_memory_that_was_superseded_as_well_holds_again() -> None:
    """Two things befell it in one consolidation; both are taken back."""
    with fresh_path() as path:
        clock = ticking_clock(start=EPOCH, step=timedelta(days=3))
        memory = opened(path, M3Settings(forget_below=0.9), clock=clock)
        old, new = memory.memorize_many([{"content": PARIS}, {"content": BERLIN, "pinned": True}])
        before = sight(memory)[0]
        done = memory.consolidate()
        assert [(each.old, each.new) for each in done.superseded] == [(old, new)]
        assert [each.old for each in done.forgotten] == [old]
        memory.undo_consolidation()
        assert sight(memory)[0] == before
        memory.close()
