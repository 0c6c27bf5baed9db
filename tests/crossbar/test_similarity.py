"""The crossbar as a backend of the memory matrix, beside the exact one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ntm_memory_skill.crossbar import Crossbar, CrossbarSimilarity
from ntm_memory_skill.crossbar.energy import cost_of_comparing
from ntm_memory_skill.crossbar.presets import ideal, pcm
from ntm_memory_skill.errors import CrossbarFull
from ntm_memory_skill.ntm import ExactSimilarity, MemoryMatrix
from tests.crossbar.rows import DAY, YEAR, Values, unit_rows


@pytest.fixture(scope="session", params=["numpy", "torch"])
def xp(request: pytest.FixtureRequest) -> Any:
    """The array namespace: every test that asks for it runs on numpy and on torch."""
    if request.param == "torch":
        import torch

        return torch
    return np


def array(xp: Any, values: Any) -> Any:
    """Return numbers as an array of the namespace, which nobody else holds."""
    return xp.asarray(np.array(values, np.float32))


def backend(
    preset: Any = ideal, dimension: int = 4, capacity: int = 50, times: list[float] | None = None, rerank: int = 0
) -> CrossbarSimilarity:
    """Return the backend with a clock that shows these times, the last for ever."""
    moments = iter(times or [0.0])
    shown = [0.0]

    def clock() -> float:
        shown.append(next(moments, shown[-1]))
        return shown[-1]

    return CrossbarSimilarity(Crossbar(preset(dimension), dimension, capacity), clock, rerank)


@pytest.fixture
def rows() -> Values:
    """Ten unit rows of 16 numbers."""
    return unit_rows(10, 16)


class TestScores:
    """What a score is."""

    @given(
        shape=st.tuples(st.integers(1, 9), st.integers(1, 6)),
        data=st.data(),
        rerank=st.integers(0, 12),
        size=st.sampled_from([1e-10, 0.125]),
    )
    def test_exact_mathematics_scores_as_the_exact_backend(
        self, xp: Any, shape: tuple[int, int], data: st.DataObject, rerank: int, size: float
    ) -> None:
        """However many rows are compared exactly, on the rows' own kind of array."""
        drawn = data.draw(hnp.arrays(np.int64, (shape[0] + 1, shape[1]), elements=st.integers(-16, 16)))
        held, key = array(xp, drawn[1:] * size), array(xp, drawn[0] * 0.125)
        found = backend(dimension=shape[1], rerank=rerank).scores(key, held)
        exact = ExactSimilarity().scores(key, held)
        assert type(found) is type(held)
        assert found.dtype == held.dtype
        longest = float(np.linalg.norm(drawn[1:] * size, axis=1).max() * np.linalg.norm(drawn[0] * 0.125))
        np.testing.assert_allclose(np.asarray(found), np.asarray(exact), rtol=0, atol=1e-5 * longest)

    @pytest.mark.parametrize("rerank", [10, 11, 1_000])
    def test_comparing_all_rows_exactly_is_exact(self, xp: Any, rerank: int) -> None:
        """Whatever the devices say, a year later: in eighths, where the order of a sum makes no difference."""
        eighths = np.random.default_rng(1).integers(-8, 9, (11, 16)) / 8
        key, held = array(xp, eighths[0]), array(xp, eighths[1:])
        similarity = backend(pcm, 16, times=[0, YEAR], rerank=rerank)
        for _ in range(2):
            found, exact = similarity.scores(key, held), ExactSimilarity().scores(key, held)
            np.testing.assert_array_equal(np.asarray(found), np.asarray(exact))

    def test_only_the_best_matches_are_compared_exactly(self, rows: Values) -> None:
        """Three of ten have their exact score, the others what the converters gave: multiples of their step."""
        analog = backend(pcm, 16).scores(rows[0], rows)
        mixed = backend(pcm, 16, rerank=3).scores(rows[0], rows)
        best = np.argsort(-analog)[:3]
        np.testing.assert_allclose(mixed[best], (rows @ rows[0])[best], rtol=1e-6)
        others = np.setdiff1d(np.arange(10), best)
        np.testing.assert_array_equal(mixed[others], analog[others])
        assert (np.abs(analog - rows @ rows[0]) > 1e-4).all()

    def test_best_row_of_many_is_found(self, xp: Any) -> None:
        """On PCM of a day, with a few rows compared exactly."""
        many = unit_rows(500, 32)
        similarity = backend(pcm, 32, 500, times=[0, DAY], rerank=20)
        similarity.scores(array(xp, many[0]), array(xp, many))
        assert int(similarity.scores(array(xp, many[321]), array(xp, many)).argmax()) == 321

    def test_empty_matrix_has_no_scores(self, xp: Any) -> None:
        """The first recall may come before the first memory."""
        found = backend(pcm, rerank=5).scores(array(xp, np.ones(4)), array(xp, np.zeros((0, 4))))
        assert found.shape == (0,)

    def test_arguments_are_left_as_they_were(self, xp: Any, rows: Values) -> None:
        """The rows belong to the matrix."""
        key, held = array(xp, rows[0]), array(xp, rows)
        backend(pcm, 16, rerank=5).scores(key, held)
        np.testing.assert_array_equal(np.asarray(key), rows[0])
        np.testing.assert_array_equal(np.asarray(held), rows)

    def test_the_matrix_can_use_it(self, xp: Any) -> None:
        """Rows change in place, and grow, and are freed."""
        matrix, key = MemoryMatrix(xp, 2, backend(dimension=2)), np.array([1.0, 0.0], dtype=np.float32)
        matrix.store(0, key)
        assert np.asarray(matrix.similarities(key)).tolist() == [1.0]
        matrix.store(0, -key)
        matrix.store(1, key, 0.5)
        assert np.asarray(matrix.similarities(key)).tolist() == [-1.0, 0.5]
        matrix.free(1)
        assert np.asarray(matrix.similarities(key)).tolist() == [-1.0, 0.0]


class TestProgramming:
    """Which rows are programmed, and when."""

    def test_only_changed_rows_are_programmed(self, rows: Values) -> None:
        """Once when they are first seen, again when they change, and not because others did."""
        similarity = backend(pcm, 16)
        similarity.scores(rows[0], rows)
        similarity.scores(rows[1], rows)
        assert similarity.crossbar.programming.counts.tolist() == [1] * 10
        rows[[3, 7], 0] += 0.1
        similarity.scores(rows[0], rows)
        assert similarity.crossbar.programming.counts.tolist() == [1, 1, 1, 2, 1, 1, 1, 2, 1, 1]

    def test_rows_of_zeros_are_let_go_and_score_0(self, xp: Any, rows: Values) -> None:
        """Freed slots hold no device, whether they were ever used or not."""
        similarity = backend(pcm, 16, rerank=2)
        rows[2] = 0
        similarity.scores(array(xp, rows[0]), array(xp, rows))
        rows[5] = 0
        found = np.asarray(similarity.scores(array(xp, rows[0]), array(xp, rows)))
        assert np.flatnonzero(found == 0).tolist() == [2, 5]
        assert similarity.crossbar.programming.slots.tolist() == [0, 1, 3, 4, 6, 7, 8, 9]
        assert set(similarity.crossbar.programming.counts.tolist()) == {1}

    def test_rows_can_be_appended_and_cut_off(self, rows: Values) -> None:
        """What is cut off is let go; what comes in its place later is programmed anew."""
        similarity = backend(ideal, 16)
        for count, counts in ((4, [1] * 4), (9, [1] * 9), (3, [1] * 3), (5, [1, 1, 1, 2, 2])):
            found = similarity.scores(rows[0], rows[:count])
            np.testing.assert_allclose(found, rows[:count] @ rows[0], atol=1e-5)
            assert similarity.crossbar.programming.counts.tolist() == counts

    def test_too_many_rows_are_refused_every_time(self, rows: Values) -> None:
        """What was refused counts as neither seen nor let go: fewer rows later score as they did."""
        similarity = backend(ideal, 16, capacity=8)
        similarity.scores(rows[0], rows[:8])
        changed = rows.copy()
        changed[1] = 0
        for _ in range(2):
            with pytest.raises(CrossbarFull):
                similarity.scores(rows[0], changed)
        np.testing.assert_allclose(similarity.scores(rows[0], rows[:8]), rows[:8] @ rows[0], atol=1e-5)
        assert similarity.crossbar.programming.counts.tolist() == [1] * 8

    def test_rows_can_be_taken_before_anything_is_asked(self, rows: Values) -> None:
        """They are programmed at the clock's time, and not again by the first question."""
        similarity = backend(pcm, 16, times=[DAY])
        assert similarity.take(rows).picojoules > 0
        assert similarity.crossbar.programming.times.tolist() == [DAY] * 10
        similarity.scores(rows[0], rows)
        assert similarity.crossbar.programming.counts.tolist() == [1] * 10

    def test_resumed_rows_are_not_programmed_again(self, rows: Values) -> None:
        """Only those that changed meanwhile are; the others have the devices of before, and their scores."""
        first = backend(pcm, 16, times=[0.0, YEAR])
        first.scores(rows[0], rows)
        kept = first.crossbar.programming
        again = backend(pcm, 16, times=[YEAR])
        again.resume(kept, rows)
        np.testing.assert_array_equal(again.scores(rows[0], rows), first.scores(rows[0], rows))
        fewer = replace(kept, slots=kept.slots[1:], counts=kept.counts[1:], times=kept.times[1:])
        other = backend(pcm, 16, times=[YEAR])
        other.resume(fewer, rows)
        other.scores(rows[0], rows)
        assert other.crossbar.programming.times.tolist() == [YEAR, *[0] * 9]


class TestTimeAndCost:
    """What a question takes."""

    def test_a_clock_that_goes_back_stands_still(self, rows: Values) -> None:
        """Set back by a day, the crossbar goes on from where it was; rows written then are of that moment."""
        similarity = backend(pcm, 16, times=[10.0, 2 * DAY, DAY, DAY, 3 * DAY])
        for _ in range(3):
            similarity.scores(rows[0], rows)
        rows[4, 0] += 0.1
        similarity.scores(rows[0], rows)
        assert similarity.crossbar.programming.times[4] == 2 * DAY
        rows[4, 0] += 0.1
        similarity.scores(rows[0], rows)
        assert similarity.crossbar.programming.times[4] == 3 * DAY

    def test_spent_includes_programming_the_first_time_only(self, rows: Values) -> None:
        """A question of rows that are there costs a read and the comparison of some."""
        similarity = backend(pcm, 16, rerank=3)
        assert similarity.spent.picojoules == 0
        similarity.scores(rows[0], rows)
        first = similarity.spent
        similarity.scores(rows[0], rows)
        asked = similarity.crossbar.cost_of_read() + cost_of_comparing(16, 3)
        assert similarity.spent == asked
        assert first.array - asked.array == pytest.approx(10 * 16 * 2 * 20)
        assert (first.dac, first.adc, first.digital) == (asked.dac, asked.adc, asked.digital)

    @pytest.mark.parametrize(("rerank", "compared"), [(0, 0), (4, 4), (99, 10)])
    def test_comparing_exactly_costs_the_rows_that_there_are(self, rows: Values, rerank: int, compared: int) -> None:
        """No more than all of them."""
        similarity = backend(pcm, 16, rerank=rerank)
        similarity.scores(rows[0], rows)
        assert similarity.spent.digital == cost_of_comparing(16, compared).digital
