"""Consolidation: what it merges, supersedes, forgets and distils, step by step, and what a crash leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ntm_memory_skill import M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.engine import auditing, consolidation, lifecycle
from ntm_memory_skill.engine.intake import speaker, statement
from ntm_memory_skill.errors import InvalidArgument, InvalidContent
from ntm_memory_skill.m3 import essence, junk_reasons
from tests.conftest import EPOCH, OpenMemory, ticking_clock
from tests.engine.lives import (
    BERLIN,
    GOATS,
    GOATS_AGAIN,
    GOATS_NEARLY,
    PARIS,
    TEXTS,
    Standing,
    assert_followed,
    nearness,
    sight,
    unstored,
)
from tests.engine.support import FACTS, everything, fingerprint

DAY = timedelta(days=1)
GARDEN = [f"The garden needs water on {day}, said Olga." for day in ("Monday", "Tuesday", "Friday", "Sunday")]


def many(memory: NTMMemoryManager, contents: Sequence[str], **fields: object) -> list[str]:
    """Write memories down as they are, in one go."""
    return memory.memorize_many([{"content": content, **fields} for content in contents])


class TestMerging:
    """What says the same."""

    def test_it_is_merged_into_the_one_that_happened_first(self, memory: NTMMemoryManager) -> None:
        """Whichever was written first; the others are kept whole."""
        late, first, later = memory.memorize_many([{"content": GOATS, "at": EPOCH + day * DAY} for day in (2, 1, 3)])
        other = memory.memorize(FACTS[1]).id
        done = memory.consolidate()
        assert {(each.old, each.new) for each in done.merged} == {(late, first), (later, first)}
        assert set(memory.state.records) == {first, other}
        assert {record.merged_into for record in memory.state.forgotten.values()} == {first}
        assert [part.id for part in memory.get(first).absorbed] == [late, later]
        assert [part.weight for part in memory.get(first).absorbed] == [1 / 2, 1 / 3]
        assert_followed(memory)

    def test_report_says_what_was_done(self, memory: NTMMemoryManager) -> None:
        """And the list of consolidations says the same, by id."""
        ids = many(memory, [GOATS, GOATS_AGAIN, PARIS, BERLIN])
        done = memory.consolidate()
        assert (done.before, done.after, done.finished) == (4, 3, True)
        assert [(each.old, each.new) for each in done.superseded] == [(ids[2], ids[3])]
        assert all(each.reason for each in (*done.merged, *done.superseded))
        assert (done.forgotten, done.gists) == ((), ())
        (noted,) = memory.state.consolidations.values()
        assert (noted.run, noted.merged, noted.superseded) == (done.run, (ids[1],), (ids[2],))

    @pytest.mark.parametrize(
        "fields",
        [
            {"key": "k"},
            {"type": "fact"},
            {"tags": ["a"]},
            {"importance": 0.7},
            {"pinned": True},
            {"source": "Anna"},
            {"valid_until": "2999-01-01"},
        ],
        ids=lambda fields: next(iter(fields)),
    )
    def test_what_differs_in_more_than_its_occasion_stays(
        self, memory: NTMMemoryManager, fields: dict[str, object]
    ) -> None:
        """Nothing that a memory is found by, or kept for, is lost."""
        many(memory, [GOATS], source="Marco")
        many(memory, [GOATS], **{"source": "Marco", **fields})
        assert memory.consolidate().merged == ()
        assert len(memory) == 2

    def test_superseded_memory_is_left_alone(self, memory: NTMMemoryManager) -> None:
        """What it says held once; the other holds now."""
        (old,) = many(memory, [GOATS])
        new = memory.memorize("no goats", supersedes=old).id
        (again,) = many(memory, [GOATS])
        memory.consolidate()
        assert set(memory.state.records) == {old, new, again}

    def test_other_words_for_the_same_are_merged(self, memory: NTMMemoryManager) -> None:
        """As they would be on memorizing."""
        with nearness():
            ids = many(memory, [GOATS, GOATS_NEARLY])
            (change,) = memory.consolidate().merged
        assert (change.old, change.new) == (ids[1], ids[0])

    def test_nothing_is_merged_where_duplicates_are_kept(self) -> None:
        """Nor is anything superseded where successions are off."""
        memory = unstored(M3Settings(duplicates="keep", successions="off"))
        many(memory, [GOATS, GOATS, PARIS, BERLIN])
        before = sight(memory)
        done = memory.consolidate()
        assert (done.merged, done.superseded, done.before, done.after, done.finished) == ((), (), 4, 4, True)
        assert sight(memory) == before

    def test_second_consolidation_finds_nothing_to_do(self, memory: NTMMemoryManager) -> None:
        """And is not listed."""
        many(memory, TEXTS)
        memory.consolidate()
        before = sight(memory)
        done = memory.consolidate()
        assert (done.merged, done.superseded, done.forgotten, done.gists) == ((), (), (), ())
        assert sight(memory) == before

    def test_empty_memory_is_consolidated_to_nothing(self, memory: NTMMemoryManager) -> None:
        """With everything on, too."""
        for each in (memory, unstored(M3Settings(gists=True, forget_below=0.9))):
            done = each.consolidate()
            assert (done.before, done.after, done.finished) == (0, 0, True)
            assert not each.state.consolidations


class TestWeak:
    """What fell under a strength that was set."""

    def test_weak_memory_is_forgotten_and_says_why(self) -> None:
        """A pinned, an important and a fresh one stay; by default none goes."""
        for threshold, expected in ((0.9, 1), (0.0, 0)):
            clock = Standing()
            memory = unstored(M3Settings(forget_below=threshold), clock=clock)
            weak = memory.memorize(FACTS[0]).id
            memory.memorize(FACTS[1], pinned=True)
            memory.memorize(FACTS[2], importance=0.9)
            clock.now += 60 * DAY
            memory.memorize(FACTS[3])
            done = memory.consolidate()
            assert [each.old for each in done.forgotten] == [weak][:expected]
            assert list(memory.state.forgotten) == [weak][:expected]
            assert all(each.reason == memory.state.forgotten[each.old].forgotten_because for each in done.forgotten)

    def test_recalled_memory_stays_longer(self) -> None:
        """That is what strength is for."""
        clock = Standing()
        memory = unstored(M3Settings(forget_below=0.9), clock=clock)
        recalled, other = many(memory, FACTS[:2])
        for _ in range(3):
            clock.now += 2 * DAY
            memory.search(FACTS[0], top_k=1)
        memory.memorize(FACTS[2])
        clock.now += 3 * DAY
        memory.consolidate()
        assert other in memory.state.forgotten
        assert recalled in memory.state.records


class TestGists:
    """What a cluster comes to."""

    @pytest.fixture
    def garden(self) -> NTMMemoryManager:
        """A memory of four that belong together, and of one that does not."""
        memory = unstored(M3Settings(gists=True, successions="off"))
        many(memory, [*GARDEN, FACTS[0]])
        return memory

    def test_cluster_gets_a_gist_from_whoever_can_make_one(self, garden: NTMMemoryManager) -> None:
        """It is a memory of its own, says what it is made of, and leaves that as it was."""
        told: list[list[str]] = []

        def distiller(contents: Sequence[str]) -> str:
            told.append(list(contents))
            return "The garden needs water"

        sources = list(garden.state.records)[:4]
        done = garden.consolidate(distiller=distiller)
        (change,) = done.gists
        gist = garden.get(change.old)
        assert told == [GARDEN]
        assert (gist.content, gist.type, gist.source) == ("The garden needs water", consolidation.GIST, "consolidation")
        assert gist.distilled_from == tuple(sources)
        assert (done.before, done.after) == (5, 6)
        assert gist.id in everything(garden, "water")
        assert_followed(garden)

    def test_cluster_that_has_one_gets_no_other(self, garden: NTMMemoryManager) -> None:
        """However often it is looked at; nor is a gist distilled or merged."""
        garden.consolidate(distiller=lambda contents: GARDEN[0])
        before = sight(garden)
        assert garden.consolidate(distiller=lambda contents: GARDEN[0]).gists == ()
        assert sight(garden) == before

    def test_distiller_may_have_nothing_to_say(self, garden: NTMMemoryManager) -> None:
        """Then there is no gist; and what no memory may hold, no gist may."""
        assert garden.consolidate(distiller=lambda contents: " \n").gists == ()
        with pytest.raises(InvalidContent):
            garden.consolidate(distiller=lambda contents: "a gist\x00")
        assert len(garden) == 5

    def test_gist_by_extraction_is_in_the_words_of_its_cluster(self, garden: NTMMemoryManager) -> None:
        """No model is asked."""
        for change in garden.consolidate().gists:
            words = set(" ".join(GARDEN).split())
            assert set(garden.get(change.old).content.split()) <= words

    def test_full_memory_gets_no_gist(self) -> None:
        """It pushes nothing out."""
        memory = unstored(M3Settings(gists=True, successions="off"), size=5)
        many(memory, [*GARDEN, FACTS[0]])
        assert memory.consolidate(distiller=lambda contents: "The garden needs water").gists == ()
        assert (len(memory), memory.state.forgotten) == (5, {})

    def test_no_gist_is_made_where_that_is_not_asked_for(self, memory: NTMMemoryManager) -> None:
        """As is the default."""
        many(memory, GARDEN)
        assert memory.consolidate(distiller=lambda contents: "water").gists == ()


class TestBounds:
    """How long it may take, and what it does then."""

    def test_dry_run_changes_no_file_and_says_what_would_be_done(self, open_memory: OpenMemory, path: Path) -> None:
        """The same as is done then."""
        memory = open_memory()
        many(memory, [GOATS, GOATS_AGAIN, PARIS, BERLIN])
        before, files = sight(memory), fingerprint(path.parent)
        would = memory.consolidate(dry_run=True)
        assert (sight(memory), fingerprint(path.parent)) == (before, files)
        done = memory.consolidate()
        for name in ("merged", "superseded", "forgotten", "before", "after", "finished"):
            assert getattr(would, name) == getattr(done, name), name

    def test_dry_run_counts_nothing_twice(self) -> None:
        """What would be merged is not superseded or forgotten as well."""
        memory = unstored(M3Settings(forget_below=0.9), clock=ticking_clock(step=3 * DAY))
        many(memory, [PARIS, PARIS, BERLIN, BERLIN])
        would = memory.consolidate(dry_run=True)
        done = memory.consolidate()
        for name in ("merged", "superseded", "before", "after"):
            assert getattr(would, name) == getattr(done, name), name
        assert [each.old for each in would.forgotten] == [each.old for each in done.forgotten]

    def test_what_there_was_no_time_for_is_left_to_the_next(self) -> None:
        """Each step that was taken stands."""
        outcomes, totals = [], set()
        for ticks in range(1, 25):
            memory = unstored()
            many(memory, TEXTS)
            with mock.patch.object(consolidation, "BATCH", 1):
                done = memory.consolidate(seconds=ticks)
                assert len(memory) == done.after == done.before - len(done.merged)
                assert len(memory.state.forgotten) == len(done.merged)
                outcomes.append((done.finished, len(done.merged) + len(done.superseded)))
                rest = memory.consolidate()
            assert rest.finished
            changed = (done.merged, rest.merged, done.superseded, rest.superseded)
            totals.add(sum(len(each) for each in changed))
        assert outcomes == sorted(outcomes)
        assert (outcomes[0][0], outcomes[-1][0]) == (False, True)
        assert len(totals) == 1

    @pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e300, "5", [5]], ids=repr)
    def test_no_time_is_no_time(self, memory: NTMMemoryManager, seconds: Any) -> None:
        """It is refused, rather than taken for all the time in the world."""
        with pytest.raises(InvalidArgument):
            memory.consolidate(seconds=seconds)

    def test_progress_is_told_step_by_step(self, memory: NTMMemoryManager) -> None:
        """To the end."""
        many(memory, TEXTS)
        seen: list[tuple[int, int]] = []
        memory.consolidate(progress=lambda *step: seen.append(step))
        assert seen == [(number, consolidation.STEPS) for number in range(1, consolidation.STEPS + 1)]

    @pytest.mark.parametrize("change", ["update", "pin", "erase"])
    def test_what_another_changes_meanwhile_is_left_alone(self, open_memory: OpenMemory, change: str) -> None:
        """Between the look at it and the write."""
        memory, other = open_memory(), open_memory()
        kept, gone = many(memory, [GOATS, GOATS_AGAIN])
        do = consolidation._do

        def overtaken(*arguments: object) -> object:
            match change:
                case "update":
                    other.update(gone, "Anna sold the goats")
                case "pin":
                    other.update(gone, pinned=True)
                case "erase":
                    other.erase(gone)
            return do(*arguments)  # type: ignore[arg-type]  # handed on as they came

        with mock.patch.object(consolidation, "_do", overtaken):
            done = memory.consolidate()
        assert (done.merged, memory.state.forgotten, memory.state.consolidations) == ((), {}, {})
        assert memory.get(kept).absorbed == ()
        assert_followed(memory)


def test_others_may_write_while_all_is_looked_at(memory: NTMMemoryManager) -> None:
    """Nobody is kept waiting for as long as that takes; what comes in between is left to the next time."""
    many(memory, [GOATS, GOATS_AGAIN, *FACTS])

    def written(what: Callable[..., Any]) -> Callable[..., Any]:
        def overtaken(*arguments: Any) -> Any:
            memory.memorize("one more", force=True)  # as another thread would
            return what(*arguments)

        return overtaken

    with mock.patch.object(auditing, "junk_reasons", written(junk_reasons)):
        memory.audit()
    with mock.patch.object(lifecycle, "speaker", written(speaker)):
        memory.graph()
    with (
        mock.patch.object(consolidation, "essence", written(essence)),
        mock.patch.object(consolidation, "statement", written(statement)),
    ):
        assert len(memory.consolidate().merged) > 0
    assert_followed(memory)


def test_settings_of_the_lifecycle_are_checked() -> None:
    """All that is wrong with them at once."""
    with pytest.raises(ValueError, match="duplicates") as caught:
        Settings(m3=M3Settings(duplicates="drop", successions="maybe", strength="weak"))
    assert all(name in str(caught.value) for name in ("duplicates", "successions", "strength"))
