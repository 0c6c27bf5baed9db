"""Intervals and comparisons: what has to hold for any scores, and slow versions of both."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.evaluation.statistics import PERMUTATIONS, Interval, compare, intervals, p_value, points

scores = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=12)
pairs = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=8)


def interval(values: list[float], seed: int = 0) -> Interval:
    """Return the interval of one metric."""
    return intervals(np.asarray([values]), seed)[0]


def exact_p(pairs: list[tuple[float, float]]) -> float:
    """Return how often swapping the scores of some questions gives a mean difference as large, over all ways."""
    observed = abs(sum(mine - theirs for mine, theirs in pairs))
    ways = list(itertools.product((1, -1), repeat=len(pairs)))
    sums = [abs(sum(sign * (a - b) for sign, (a, b) in zip(way, pairs, strict=True))) for way in ways]
    return sum(each >= observed - 1e-9 for each in sums) / len(ways)


class TestIntervals:
    """The percentile bootstrap over questions."""

    @given(scores)
    @settings(max_examples=30)
    def test_the_mean_lies_inside_and_the_interval_inside_the_scores(self, values: list[float]) -> None:
        """No mean of drawn scores is outside what was drawn from."""
        found = interval(values)
        assert found.mean == pytest.approx(sum(values) / len(values))
        assert min(values) <= found.low <= found.mean + 1e-9
        assert found.mean - 1e-9 <= found.high <= max(values)

    @given(scores, st.integers(0, 5))
    @settings(max_examples=20)
    def test_the_same_seed_gives_the_same_interval(self, values: list[float], seed: int) -> None:
        """Figures can be printed again."""
        assert interval(values, seed) == interval(values, seed)

    def test_equal_scores_leave_nothing_open(self) -> None:
        """Every resample is the same; so is that of a single question."""
        assert interval([0.5] * 9) == Interval(0.5, 0.5, 0.5)
        assert interval([1.0]) == Interval(1.0, 1.0, 1.0)

    def test_more_questions_make_it_narrower(self) -> None:
        """By about the square root of their number."""
        few, many = interval([0.0, 1.0] * 20), interval([0.0, 1.0] * 320)
        ratio = (few.high - few.low) / (many.high - many.low)
        assert 3 < ratio < 5

    def test_it_is_where_95_of_100_resampled_means_are(self) -> None:
        """By drawing questions one by one, from another source of randomness."""
        values = [0.0] * 30 + [0.5] * 10 + [1.0] * 20
        draw = random.Random(5)  # noqa: S311  # repeatable is the point
        means = sorted(sum(draw.choices(values, k=len(values))) / len(values) for _ in range(4_000))
        found = interval(values)
        assert found.low == pytest.approx(means[100], abs=0.015)
        assert found.high == pytest.approx(means[3_900], abs=0.015)

    def test_each_metric_has_its_own(self) -> None:
        """As if it had been asked for alone."""
        first, second = [0.0, 1.0, 1.0, 0.5], [1.0, 0.0, 0.0, 0.0]
        assert intervals(np.asarray([first, second]), 3) == [interval(first, 3), interval(second, 3)]


class TestComparison:
    """The paired permutation test."""

    @given(pairs)
    @settings(max_examples=30)
    def test_with_few_questions_it_is_exact(self, given_pairs: list[tuple[float, float]]) -> None:
        """All ways of swapping are tried."""
        mine, theirs = (np.asarray(each) for each in zip(*given_pairs, strict=True))
        assert compare(mine, theirs, 0).p_value == pytest.approx(min(1.0, exact_p(given_pairs)))

    @given(pairs)
    @settings(max_examples=20)
    def test_the_other_way_round_only_the_sign_changes(self, given_pairs: list[tuple[float, float]]) -> None:
        """Neither row is favoured."""
        mine, theirs = (np.asarray(each) for each in zip(*given_pairs, strict=True))
        there, back = compare(mine, theirs, 0), compare(theirs, mine, 0)
        assert there.interval.mean == pytest.approx(-back.interval.mean)
        assert there.p_value == pytest.approx(back.p_value)

    def test_equal_rows_do_not_differ(self) -> None:
        """Whatever their scores."""
        same = np.asarray([0.0, 1.0, 0.5] * 20)
        found = compare(same, same.copy(), 0)
        assert (found.interval, found.p_value) == (Interval(0.0, 0.0, 0.0), 1.0)

    def test_a_row_that_is_always_better_differs_by_more_than_chance(self) -> None:
        """Its p is as small as the number of permutations lets it be, and not 0."""
        found = compare(np.full(60, 0.75), np.linspace(0, 0.5, 60), 0)
        assert found.interval.low > 0.25
        assert 0 < found.p_value <= 2 / (PERMUTATIONS + 1)

    def test_chance_alone_is_called_chance(self) -> None:
        """Two rows of coin flips: of twenty such pairs hardly any differs at 5 %."""
        draw = np.random.default_rng(11)
        flips = draw.integers(0, 2, (20, 2, 80)).astype(float)
        values = [compare(mine, theirs, 0).p_value for mine, theirs in flips]
        assert sum(p < 0.05 for p in values) <= 4

    def test_pairs_count_not_rows(self) -> None:
        """A small gain on every question is more certain than the same between questions that differ widely."""
        spread = np.linspace(0, 0.9, 30)
        paired = compare(spread + 0.05, spread, 0)
        shuffled = compare(np.roll(spread, 7) + 0.05, spread, 0)
        assert paired.p_value < 0.001 < shuffled.p_value


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0001, "< 0.001"), (0.001, "= 0.001"), (0.04567, "= 0.046"), (1.0, "= 1.000")]
)
def test_a_p_value_is_printed_with_three_decimals_and_never_as_zero(p: float, shown: str) -> None:
    """What is smaller is said to be."""
    assert p_value(p) == shown


def test_a_difference_is_printed_in_points_with_signs() -> None:
    """And its interval."""
    assert points(Interval(-0.0125, -0.03, 0.00375)) == "−1.2 (−3.0 to +0.4)"
