"""The metrics, against counting by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.evaluation import metrics

REFS = "abcdefgh"
rankings = st.permutations([*REFS, None]).flatmap(lambda refs: st.integers(0, 9).map(lambda cut: tuple(refs[:cut])))
evidences = st.frozensets(st.sampled_from([*REFS, "missing"]), min_size=1)
depths = st.integers(1, 12)


def found(ranking: tuple[str | None, ...], evidence: frozenset[str], depth: int) -> int:
    """Return how many of the first `depth` are evidence, by looking at each."""
    count = 0
    for place, ref in enumerate(ranking):
        if place < depth and ref is not None and ref in evidence:
            count += 1
    return count


def slow_gain(hits: list[bool]) -> float:
    """Return the discounted gain of a list of hits and misses, term by term."""
    total = 0.0
    for place in range(len(hits)):
        if hits[place]:
            total += 1 / (math.log(place + 2) / math.log(2))
    return total


@given(rankings, evidences, depths)
def test_recall_all_and_any_count_the_evidence(
    ranking: tuple[str | None, ...], evidence: frozenset[str], depth: int
) -> None:
    """A memory without a ref takes its place, and is never evidence."""
    count = found(ranking, evidence, depth)
    assert metrics.recall(ranking, evidence, depth) == count / len(evidence)
    assert metrics.all_found(ranking, evidence, depth) == (1.0 if count == len(evidence) else 0.0)
    assert metrics.any_found(ranking, evidence, depth) == (1.0 if count else 0.0)


@given(rankings, evidences)
def test_the_reciprocal_rank_is_that_of_the_first_evidence(
    ranking: tuple[str | None, ...], evidence: frozenset[str]
) -> None:
    """Nothing where there is none."""
    first = [place for place in range(len(ranking)) if ranking[place] in evidence]
    assert metrics.reciprocal_rank(ranking, evidence) == (1 / (first[0] + 1) if first else 0)


@given(rankings, evidences, depths)
def test_ndcg_is_the_gain_over_that_of_the_best_ranking(
    ranking: tuple[str | None, ...], evidence: frozenset[str], depth: int
) -> None:
    """The best has all evidence in front, as far as it goes."""
    hits = [ref in evidence for ref in ranking[:depth]]
    best = [True] * min(depth, len(evidence))
    assert metrics.ndcg(ranking, evidence, depth) == pytest.approx(slow_gain(hits) / slow_gain(best))


@given(rankings, evidences)
def test_every_metric_is_a_share_and_full_marks_go_to_the_best_ranking(
    ranking: tuple[str | None, ...], evidence: frozenset[str]
) -> None:
    """From 0 to 1; with all evidence in front, 1 at every depth that it fits into."""
    best = (*evidence, *(ref for ref in ranking if ref not in evidence))
    for name, metric in metrics.metrics([9, 12]).items():
        assert 0 <= metric(ranking, evidence) <= 1, name
        assert metric(best, evidence) == pytest.approx(1), name


def test_a_worked_example() -> None:
    """Two of three found, at the second and the fourth place."""
    named = metrics.metrics([1, 3, 5])
    ranking, evidence = ["x", "a", "y", "b", "z"], frozenset("abc")
    values = {name: metric(ranking, evidence) for name, metric in named.items()}
    gain, best = 1 / math.log2(3) + 1 / math.log2(5), 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert values == pytest.approx(
        {
            "recall@1": 0,
            "recall@3": 1 / 3,
            "recall@5": 2 / 3,
            "all@1": 0,
            "all@3": 0,
            "all@5": 0,
            "any@1": 0,
            "any@3": 1,
            "any@5": 1,
            "mrr": 1 / 2,
            "ndcg@10": gain / best,
        }
    )
