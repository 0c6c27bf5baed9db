"""The index: what it finds, that changed rows are seen as they are, filters, and how it is made and given up."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.ntm import MemoryMatrix
from ntm_memory_skill.ntm.backends import inverted, inverted_build
from ntm_memory_skill.ntm.backends.inverted import InvertedSimilarity
from ntm_memory_skill.ntm.backends.inverted_build import Making, make, nearest_centroid
from ntm_memory_skill.ntm.backends.inverted_lists import Abandoned, IndexSettings, InvertedLists
from tests.ntm.inverted_rows import LONGEST_BUILD, SMALL, Rows, best, built, clustered

pytest.importorskip("faiss")

KEYS = clustered(20, seed=5)
ALL_LISTS = replace(SMALL, probes=1000, rerank=190)
"""Every list is looked through, and nearly half of 400 rows compared: the best are among them, whatever codes say."""


@pytest.fixture
def rows() -> Rows:
    """Four hundred rows, every ninth of them free."""
    made = clustered(400)
    made[::9] = 0
    return made


@pytest.fixture
def backend(rows: Rows) -> InvertedSimilarity:
    """A backend with an index of them that is really asked."""
    return built(InvertedSimilarity(SMALL), rows)


class Slow:
    """A stand-in for the making of an index, which goes on when it is told to."""

    def __init__(self) -> None:
        self.begun, self.on = threading.Event(), threading.Event()

    def __call__(self, *arguments: Any) -> Any:
        """Wait, then make it."""
        self.begun.set()
        assert self.on.wait(LONGEST_BUILD)
        return make(*arguments)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """No index is made until the test says so."""
    held = Slow()
    monkeypatch.setattr(inverted_build, "make", held)
    return held


class TestNearest:
    """What comes back of a matrix that does not change."""

    @pytest.mark.parametrize("count", [1, 5, 20])
    def test_all_lists_give_what_an_exact_search_gives(self, rows: Rows, count: int) -> None:
        """The same slots in the same order with the same scores, and through the index."""
        asked = built(InvertedSimilarity(ALL_LISTS), rows)
        for key in KEYS:
            slots, scores = asked.nearest(key, rows, count)
            assert slots.tolist() == best(key, rows, count)
            np.testing.assert_allclose(scores, rows[slots] @ key, atol=1e-6)
            assert scores.dtype == np.float32

    def test_some_lists_give_nearly_all(self, backend: InvertedSimilarity, rows: Rows) -> None:
        """A third of the lists holds nine of ten, and each score is exact."""
        found = 0
        for key in KEYS:
            slots, scores = backend.nearest(key, rows, 5)
            np.testing.assert_allclose(scores, rows[slots] @ key, atol=1e-6)
            assert (np.diff(scores) <= 0).all()
            found += len(set(slots.tolist()) & set(best(key, rows, 5)))
        assert found >= 0.9 * 5 * len(KEYS)

    def test_not_every_row_is_looked_at(self, backend: InvertedSimilarity, rows: Rows) -> None:
        """Else none of these tests would be about an index."""
        lists = backend._lists
        assert lists is not None
        assert lists.count == 20
        assert len(lists.propose(KEYS[0], len(rows), 6, None)) < len(rows) / 2

    def test_equal_rows_come_by_slot(self, rows: Rows) -> None:
        """The order among them is nobody's accident."""
        rows[[301, 17, 200, 44]] = KEYS[0]
        slots, scores = built(InvertedSimilarity(SMALL), rows).nearest(KEYS[0], rows, 3)
        assert slots.tolist() == [17, 44, 200]
        assert len(set(scores.tolist())) == 1

    def test_faded_row_scores_by_its_strength(self, rows: Rows) -> None:
        """Its length is in the score."""
        rows[40] = KEYS[0] * 0.5
        slots, scores = built(InvertedSimilarity(ALL_LISTS), rows).nearest(KEYS[0], rows, 190 // 4)
        at = slots.tolist().index(40)
        assert scores[at] == pytest.approx(0.5)

    def test_free_rows_come_last_and_only_where_nothing_else_is(self, backend: InvertedSimilarity, rows: Rows) -> None:
        """Behind rows that score below zero."""
        slots, scores = backend.nearest(KEYS[0], rows, len(rows))
        taken = int(rows.any(axis=1).sum())
        assert scores[taken - 1] < 0
        assert rows[slots[:taken]].any(axis=1).all()
        assert slots[taken:].tolist() == list(range(0, 400, 9))
        assert not scores[taken:].any()

    @pytest.mark.parametrize(
        "rows", [np.zeros((0, 32), np.float32), np.zeros((40, 32), np.float32)], ids=["none", "free"]
    )
    def test_nothing_is_found_in_nothing(self, rows: Rows) -> None:
        """No rows, or none that holds anything."""
        asked = InvertedSimilarity(SMALL)
        asked.ready(rows)
        slots, scores = asked.nearest(KEYS[0], rows, 3)
        assert len(slots) == len(scores) == min(3, len(rows))
        assert not scores.any()

    def test_without_an_index_the_search_is_exact(self, rows: Rows) -> None:
        """An answer never waits for one."""
        slots, _ = InvertedSimilarity(SMALL).nearest(KEYS[0], rows, 7)
        assert slots.tolist() == best(KEYS[0], rows, 7)

    def test_same_seed_makes_the_same_index(self, rows: Rows) -> None:
        """And another seed another one."""
        first, again, other = (make(rows, replace(SMALL, seed=seed), lambda: False) for seed in (1, 1, 2))
        assert (first.centroids == again.centroids).all()
        assert (first.list_of == again.list_of).all()
        assert not np.array_equal(first.centroids, other.centroids)
        assert first.propose(KEYS[0], 9, 4, None).tolist() == again.propose(KEYS[0], 9, 4, None).tolist()


class TestScores:
    """A score for every row."""

    def test_best_are_exact_and_the_rest_are_near(self, backend: InvertedSimilarity, rows: Rows) -> None:
        """What was not looked at has its list's mean, so that the scores as a whole are what they should be."""
        for key in KEYS:
            found, right = backend.scores(key, rows), rows @ key
            assert found.dtype == np.float32
            slots, scores = backend.nearest(key, rows, 2)
            np.testing.assert_allclose(found[slots], scores, atol=1e-6)
            assert np.corrcoef(found, right)[0, 1] > 0.8
            assert found.mean() == pytest.approx(right.mean(), abs=0.05)

    def test_free_and_erased_rows_score_zero(self, backend: InvertedSimilarity, rows: Rows) -> None:
        """Whatever else is in the list that they were in."""
        rows[[1, 2, 3]] = 0
        backend.changed([1, 2, 3])
        assert not backend.scores(KEYS[0], rows)[~rows.any(axis=1)].any()

    def test_changed_and_new_rows_are_exact(self, backend: InvertedSimilarity, rows: Rows) -> None:
        """Each of them, however badly it matches."""
        rows[[4, 5]] = -KEYS[0]
        backend.changed([4, 5])
        grown = np.concatenate([rows, clustered(30, seed=8)])
        found = backend.scores(KEYS[0], grown)
        fresh = [4, 5, *range(400, 430)]
        np.testing.assert_allclose(found[fresh], grown[fresh] @ KEYS[0], atol=1e-6)


step = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 9), st.integers(0, 999)),
    st.tuples(st.just("update"), st.integers(0, 999), st.integers(0, 999)),
    st.tuples(st.just("fade"), st.integers(0, 999), st.integers(0, 999)),
    st.tuples(st.just("erase"), st.integers(0, 999), st.integers(0, 999)),
    st.tuples(st.just("build"), st.just(0), st.just(0)),
)


class TestChanges:
    """Rows that are written, faded, freed and added after the index was made."""

    @settings(deadline=None, max_examples=30)
    @given(steps=st.lists(step, max_size=12), share=st.sampled_from([None, 0.03, 0.3, 0.8]), seed=st.integers(0, 99))
    def test_any_sequence_is_answered_from_the_rows_as_they_are(
        self, steps: list[tuple[str, int, int]], share: float | None, seed: int
    ) -> None:
        """Changed rows are always found, erased ones and those not admitted never, and few others are missed."""
        asked, rows = InvertedSimilarity(SMALL), clustered(300, seed=seed)
        built(asked, rows)
        for what, first, second in steps:
            if what == "build":
                built(asked, rows)
                continue
            rows, written = _changed(rows, what, first, second)
            asked.changed(written)
        draw = np.random.default_rng(seed)
        admitted = None if share is None else draw.random(len(rows)) < share
        found = 0
        for key in KEYS:
            slots, scores = asked.nearest(key, rows, 5, admitted)
            right = best(key, rows, 5, admitted)
            assert len(slots) == len(set(slots.tolist())) == len(right)
            np.testing.assert_allclose(scores, rows[slots] @ key, atol=1e-6)
            assert rows[slots].any(axis=1).tolist() == rows[right].any(axis=1).tolist()
            assert admitted is None or admitted[slots].all()
            since = asked._since.flags
            fresh = [slot for slot in right if slot >= len(since) or since[slot]]
            assert set(fresh) <= set(slots.tolist())
            found += len(set(slots.tolist()) & set(right))
        assert found >= 0.85 * sum(len(best(key, rows, 5, admitted)) for key in KEYS)

    @pytest.mark.parametrize("filtered", [False, True])
    def test_row_that_faded_comes_once(self, rows: Rows, filtered: bool) -> None:
        """Not as it was as well, whether or not there is a filter."""
        rows[40] = KEYS[0]
        asked = built(InvertedSimilarity(SMALL), rows)
        rows[40] *= 0.9
        asked.changed([40])
        slots, scores = asked.nearest(KEYS[0], rows, 5, np.ones(len(rows), np.bool_) if filtered else None)
        assert slots.tolist().count(40) == 1
        assert scores[slots == 40] == pytest.approx(0.9)

    def test_row_written_while_the_index_is_made_is_seen_as_it_is(self, rows: Rows, slow: Slow) -> None:
        """The making may have read it before or after."""
        asked = InvertedSimilarity(SMALL)
        assert not asked.ready(rows)
        assert slow.begun.wait(LONGEST_BUILD)
        rows[10] = KEYS[0]
        asked.changed([10])
        slow.on.set()
        built(asked, rows)
        assert asked._since.slots.tolist() == [10]
        rows[10] = 0  # as if the making had read it before this
        assert 10 not in asked.nearest(KEYS[0], rows, 5)[0]

    def test_old_index_answers_while_the_next_one_is_made(
        self, backend: InvertedSimilarity, rows: Rows, slow: Slow
    ) -> None:
        """And what is written meanwhile is known to both."""
        _write(backend, rows, range(90))
        assert backend.ready(rows)
        assert slow.begun.wait(LONGEST_BUILD)
        rows[200] = KEYS[1]
        backend.changed([200])
        assert backend.nearest(KEYS[1], rows, 1)[0].tolist() == [200]
        before = backend._lists
        slow.on.set()
        built(backend, rows)
        assert backend._lists is not before
        assert backend._since.slots.tolist() == [200]
        assert backend.nearest(KEYS[1], rows, 1)[0].tolist() == [200]

    def test_next_index_keeps_centroids_until_rows_have_doubled(self, backend: InvertedSimilarity, rows: Rows) -> None:
        """Only what changed is put into lists anew; many more rows are worth lists of their own."""
        first = backend._lists
        assert first is not None
        _write(backend, rows, range(90))
        second = built(backend, rows)._lists
        assert second is not None
        assert second is not first
        assert second.centroids is first.centroids
        assert (second.list_of[90:] == first.list_of[90:]).all()
        assert (second.list_of[:90] == nearest_centroid(first.centroids, rows[:90], lambda: False)).all()
        grown = np.concatenate([rows, clustered(500, seed=9)])
        third = built(backend, grown)._lists
        assert third is not None
        assert third.count > first.count

    def test_too_many_changes_make_the_index_not_worth_asking(
        self, backend: InvertedSimilarity, rows: Rows, slow: Slow
    ) -> None:
        """Another backend then reads all rows sooner; what is asked in spite of that is right."""
        _write(backend, rows, range(350))
        assert not backend.ready(rows)
        assert backend.nearest(KEYS[0], rows, 3)[0].tolist() == best(KEYS[0], rows, 3)
        slow.on.set()
        built(backend, rows)

    @pytest.mark.parametrize("how", ["all changed", "fewer rows", "other keys", "closed"])
    def test_other_rows_are_not_looked_up_in_the_index(
        self, backend: InvertedSimilarity, rows: Rows, slow: Slow, how: str
    ) -> None:
        """It is let go of, and another one begun where that is asked."""
        other = (
            clustered(300, seed=3) if how == "fewer rows" else clustered(400, 8 if how == "other keys" else 32, seed=3)
        )
        if how == "all changed":
            backend.changed(None)
        if how == "closed":
            backend.close()
        key = other[77]
        assert backend.nearest(key, other, 4)[0].tolist() == best(key, other, 4)
        assert backend._lists is None
        slow.on.set()
        built(backend, other)

    def test_index_of_rows_that_all_changed_meanwhile_is_not_taken(self, rows: Rows, slow: Slow) -> None:
        """Nothing tells which of its lists still say anything."""
        asked = InvertedSimilarity(SMALL)
        asked.ready(rows)
        making = asked._making
        assert making is not None
        asked.changed(None)
        slow.on.set()
        making.wait(LONGEST_BUILD)
        assert making.made is None
        assert asked._current(rows) is None


class TestInAMatrix:
    """As the backend of a memory matrix, which tells it what it writes."""

    def test_every_way_to_write_is_followed(self, xp: Any) -> None:
        """Whatever kind of array the rows are."""
        asked = InvertedSimilarity(SMALL)
        matrix, held = MemoryMatrix(xp, 32, asked), clustered(300)
        matrix.store_many(list(range(300)), held)
        built(asked, np.asarray(matrix.rows))
        matrix.store(3, KEYS[0], 0.9)
        matrix.fade(4, 0.5)
        matrix.free(5)
        matrix.blend(6, KEYS[0], 0.7)
        matrix.store_many([300, 7], KEYS[:2])
        assert sorted(asked._since.slots.tolist()) == [3, 4, 5, 6, 7]
        found, rows = np.asarray(matrix.similarities(KEYS[0])), np.asarray(matrix.rows)
        np.testing.assert_allclose(found[[3, 4, 5, 6, 7, 300]], rows[[3, 4, 5, 6, 7, 300]] @ KEYS[0], atol=1e-6)
        matrix.erase(matrix.one_hot(3))
        assert asked._lists is None
        np.testing.assert_allclose(matrix.similarities(KEYS[0]), np.asarray(matrix.rows) @ KEYS[0], atol=1e-6)


class TestFilters:
    """Rows that may not come back."""

    @pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
    def test_few_admitted_rows_are_found_as_well_as_many(self, backend: InvertedSimilarity, share: float) -> None:
        """More lists are looked through, so that the filter costs no hits."""
        rows = clustered(2000, seed=4)
        asked = built(InvertedSimilarity(SMALL), rows)
        found = 0
        for seed, key in enumerate(KEYS):
            admitted = np.random.default_rng(seed).random(2000) < share
            slots, _ = asked.nearest(key, rows, 5, admitted)
            assert admitted[slots].all()
            found += len(set(slots.tolist()) & set(best(key, rows, 5, admitted)))
        assert found >= 0.9 * 5 * len(KEYS)

    @pytest.mark.parametrize(("every", "probes"), [(1, [6]), (2, [12]), (10, [20]), (40, [])])
    def test_the_fewer_are_admitted_the_more_lists_are_looked_through(
        self, backend: InvertedSimilarity, rows: Rows, monkeypatch: pytest.MonkeyPatch, every: int, probes: list[int]
    ) -> None:
        """So that as many admitted rows are looked at as without a filter; in the end the rows themselves are less."""
        asked, lists = list[int](), backend._lists
        assert lists is not None

        def propose(key: Rows, count: int, probes: int, live: Any) -> Any:
            asked.append(probes)
            return InvertedLists.propose(lists, key, count, probes, live)

        monkeypatch.setattr(lists, "propose", propose)
        monkeypatch.setattr(backend, "_settings", replace(SMALL, rerank=1))
        backend.nearest(KEYS[0], rows, 1, np.arange(len(rows)) % every == 1 % every)
        assert asked == probes

    def test_rows_far_from_the_key_are_found_where_only_they_are_admitted(self, rows: Rows) -> None:
        """The lists that are nearest hold too few of them: then others are looked through, until there are enough."""
        asked = built(InvertedSimilarity(replace(SMALL, rerank=1, probes=1)), rows)
        key = KEYS[0]
        farthest = [slot for slot in best(key, rows, len(rows)) if rows[slot].any()][-30:]
        admitted = np.zeros(len(rows), np.bool_)
        admitted[farthest] = True
        slots, scores = asked.nearest(key, rows, 3, admitted)
        assert len(slots) == 3
        assert set(slots.tolist()) <= set(farthest)
        np.testing.assert_allclose(scores, rows[slots] @ key, atol=1e-6)

    @pytest.mark.parametrize("count", [0, 3])
    def test_no_admitted_row_is_no_hit(self, backend: InvertedSimilarity, rows: Rows, count: int) -> None:
        """Not even a free one."""
        slots, scores = backend.nearest(KEYS[0], rows, count, np.zeros(len(rows), np.bool_))
        assert slots.shape == scores.shape == (0,)


class TestMaking:
    """How an index comes to be, or does not."""

    def test_ready_does_not_wait(self, rows: Rows, slow: Slow) -> None:
        """It says no until the index is there, and begins one only once."""
        asked = InvertedSimilarity(SMALL)
        assert not asked.ready(rows)
        making = asked._making
        assert not asked.ready(rows)
        assert asked._making is making
        slow.on.set()
        built(asked, rows)

    def test_failure_is_told_once_and_never_tried_again(
        self, rows: Rows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Until all rows are others; searches stay exact."""

        def fails(*arguments: Any) -> Any:
            raise MemoryError("no room")

        asked = InvertedSimilarity(SMALL)
        with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
            patched.setattr(inverted_build, "make", fails)
            asked.ready(rows)
            making = asked._making
            assert making is not None
            making.wait(LONGEST_BUILD)
            assert not asked.ready(rows)
            assert not asked.ready(rows)
        assert len(caplog.records) == 1
        assert "no room" in caplog.text
        assert asked._making is None
        assert asked.nearest(KEYS[0], rows, 3)[0].tolist() == best(KEYS[0], rows, 3)
        asked.changed(None)
        built(asked, rows)

    def test_without_faiss_it_is_never_ready_and_says_once_what_to_install(
        self, rows: Rows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nothing else fails."""
        inverted.can_index.cache_clear()
        with monkeypatch.context() as patched, caplog.at_level(logging.INFO):
            patched.setattr("importlib.util.find_spec", lambda name: None)
            asked = InvertedSimilarity(SMALL)
            assert not asked.ready(rows)
            assert not InvertedSimilarity(SMALL).ready(rows)
        inverted.can_index.cache_clear()
        assert caplog.text.count("ntm-memory-skill[fast]") == 1
        assert asked.nearest(KEYS[0], rows, 3)[0].tolist() == best(KEYS[0], rows, 3)

    def test_import_needs_no_faiss(self) -> None:
        """It is loaded by whoever builds."""
        program = "import sys, ntm_memory_skill.ntm.backends.inverted; print('faiss' in sys.modules)"
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == "False"

    def test_row_that_is_erased_meanwhile_is_in_no_list(self, rows: Rows) -> None:
        """Although it was in one before, and nothing was known to have changed."""
        before = make(rows, SMALL, lambda: False)
        assert before.list_of[40] < before.count
        rows[40] = 0
        after = make(rows, SMALL, lambda: False, before, np.ones(len(rows), np.bool_))
        assert after.list_of[40] == after.count
        assert after.estimate(KEYS[0])[40] == 0

    def test_abandoned_making_gives_up(self, rows: Rows) -> None:
        """Between one chunk and the next."""
        with pytest.raises(Abandoned):
            make(rows, SMALL, lambda: True)

    def test_close_waits_for_nothing(self, rows: Rows, slow: Slow) -> None:
        """The making that was under way ends by itself, without a result."""
        asked = InvertedSimilarity(SMALL)
        asked.ready(rows)
        making = asked._making
        assert isinstance(making, Making)
        asked.close()  # returns although nothing goes on
        slow.on.set()
        making.wait(LONGEST_BUILD)
        assert making.made is None
        assert not making.failed

    def test_process_ends_while_an_index_is_made(self) -> None:
        """The thread is not inside a library that is being taken down."""
        program = (
            "import numpy as np\n"
            "from ntm_memory_skill.ntm.backends.inverted import InvertedSimilarity\n"
            "rows = np.random.default_rng(0).standard_normal((20_000, 64), dtype=np.float32)\n"
            "print(InvertedSimilarity().ready(rows))\n"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
        assert ran.stdout.strip() == "False"
        assert ran.stderr == ""

    def test_threads_of_others_are_left_alone(self, backend: InvertedSimilarity, rows: Rows) -> None:
        """Their number is the calling thread's own, and is put back."""
        import faiss

        before = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(2)
        try:
            backend.nearest(KEYS[0], rows, 3)
            built(InvertedSimilarity(SMALL), rows)
            assert faiss.omp_get_max_threads() == 2
        finally:
            faiss.omp_set_num_threads(before)


WRONG: dict[str, Any] = {
    "lists_per_root": 0.0,
    "probes": 0,
    "fresh": float("nan"),
    "rerank": 0,
    "few": -1,
    "learnt_from": 0,
    "rounds": -1,
    "threads": 1.5,
    "seed": -1,
}


class TestSettings:
    """What is out of range is refused, all of it at once."""

    @pytest.mark.parametrize("name", WRONG)
    def test_each_is_named(self, name: str) -> None:
        """With what it may be."""
        with pytest.raises(ValueError, match=name):
            IndexSettings(**{name: WRONG[name]})

    def test_all_are_named(self) -> None:
        """One message for everything."""
        with pytest.raises(ValueError, match="probes") as caught:
            IndexSettings(**WRONG)
        assert all(name in str(caught.value) for name in WRONG)

    @pytest.mark.parametrize(("rows", "lists"), [(0, 1), (15, 1), (320, 20), (1_000_000, 4_000)])
    def test_lists_grow_with_the_root(self, rows: int, lists: int) -> None:
        """And hold 16 rows or more each."""
        assert IndexSettings().lists_for(rows) == lists


def _changed(rows: Rows, what: str, first: int, second: int) -> tuple[Rows, list[int]]:
    """Return rows after one change, and the slots that it named."""
    if what == "add":
        return np.concatenate([rows, clustered(first, seed=second)]), list(range(len(rows), len(rows) + first))
    slot = first % len(rows)
    if what == "update":
        rows[slot] = KEYS[second % len(KEYS)]
    rows[slot] *= {"update": 1.0, "fade": 0.5, "erase": 0.0}[what]
    return rows, [slot]


def _write(backend: InvertedSimilarity, rows: Rows, slots: range) -> None:
    """Write other keys into some slots."""
    rows[list(slots)] = clustered(len(slots), seed=11)
    backend.changed(slots)
