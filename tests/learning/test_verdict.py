"""The verdict: what is found is counted right, and no kind of data may lose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ntm_memory_skill.learning import Comparison, compare
from ntm_memory_skill.learning.verdict import CHANCE, DEPTHS, found, recalled, wins
from tests.learning.made_up import scene


def slow_shares(weights: list[float], gold: set[int], wanted: float) -> list[float]:
    """Return which share of the evidence is among the first k, for each depth, from a sorted list."""
    order = sorted(range(len(weights)), key=lambda slot: (-weights[slot], slot))
    return [sum(slot in gold for slot in order[:depth]) / wanted for depth in DEPTHS]


def judged(default: list[list[float]], trained: list[list[float]]) -> Comparison:
    """Compare shares of one kind; each list is a question's."""
    (only,) = compare({"kind": np.asarray(default)}, {"kind": np.asarray(trained)})
    return only


def test_what_is_found_is_what_a_sorted_list_holds() -> None:
    """Equal weights in the order of slots; what a memory lacks counts as not found."""
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 6, (9, 40)).astype(np.float32)
    evidence = rng.random((9, 40)) < 0.1
    evidence[:, 0] = True
    wanted = evidence.sum(axis=1).astype(np.float32)
    wanted[3] += 2
    slow = [
        slow_shares(row.tolist(), set(np.flatnonzero(gold).tolist()), float(count))
        for row, gold, count in zip(weights, evidence, wanted, strict=True)
    ]
    np.testing.assert_allclose(recalled(weights, evidence, wanted), slow, rtol=1e-6)


def test_a_memory_smaller_than_a_depth_is_looked_through() -> None:
    """All that there is has been seen by then."""
    shares = recalled(np.asarray([[0.1, 0.9]], np.float32), np.asarray([[True, False]]), np.ones(1, np.float32))
    assert shares.tolist() == [[0, 1, 1, 1]]


def test_scenes_of_a_kind_are_counted_together() -> None:
    """Question by question, in their order."""
    scenes = [scene(1, questions=3, kind="a"), scene(2, questions=4, kind="b"), scene(3, questions=5, kind="a")]
    looked = [each.evidence.astype(np.float32) for each in scenes]
    looked[0] = -looked[0]
    counted = found(scenes, looked)
    assert {kind: len(shares) for kind, shares in counted.items()} == {"a": 8, "b": 4}
    assert counted["a"][:, 0].tolist() == [0] * 3 + [1] * 5


def test_each_kind_has_its_own_means() -> None:
    """Before and after."""
    before, after = [[0.0, 0.0, 0.5, 1.0], [0.0, 1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]]
    only = judged(before, after)
    assert (only.kind, only.questions) == ("kind", 2)
    assert only.default == pytest.approx((0, 0.5, 0.75, 1))
    assert only.trained == pytest.approx((0.5, 1, 1, 1))
    assert only.gain > 0
    assert not only.worse


def test_a_kind_that_lost_is_worse_and_one_that_did_not_is_not() -> None:
    """A tenth of many questions is no chance; the same figures are no loss."""
    every = [[1.0, 1.0, 1.0, 1.0]] * 200
    fewer = [[0.0, 0.0, 0.0, 0.0]] * 20 + every[20:]
    assert judged(every, fewer).worse
    assert not judged(every, every).worse
    assert not judged(fewer, every).worse


def test_the_other_kinds_gain_makes_up_for_nothing() -> None:
    """Each is judged by itself."""
    good, bad = np.ones((50, len(DEPTHS))), np.zeros((50, len(DEPTHS)))
    table = compare({"won": bad, "lost": good}, {"won": good, "lost": bad})
    assert [each.kind for each in table if each.worse] == ["lost"]


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=30), st.lists(st.integers(-4, 4), min_size=2, max_size=30))
def test_what_is_won_is_more_than_chance(one: list[int], other: list[int]) -> None:
    """Against a z-test of the mean over two kinds, worked out in plain sums; each kind has the same say."""
    kinds = {"one": one, "other": other}
    default = {name: np.full((len(gains), len(DEPTHS)), 0.5) for name, gains in kinds.items()}
    trained = {name: default[name] + np.asarray(gains)[:, None] / 8 for name, gains in kinds.items()}
    means = [sum(gains) / len(gains) / 8 for gains in kinds.values()]
    squares = [
        sum((gain / 8 - mean) ** 2 for gain in gains) / len(gains) ** 2
        for gains, mean in zip(kinds.values(), means, strict=True)
    ]
    gain, error = sum(means) / 2, sum(squares) ** 0.5 / 2
    assume(abs(gain - CHANCE * error) > 1e-9)
    assert wins(default, trained) is (gain > CHANCE * error)


def test_what_is_as_it_was_is_no_win() -> None:
    """Not even without any spread."""
    same = {"one": np.full((3, len(DEPTHS)), 0.5)}
    assert not wins(same, same)
