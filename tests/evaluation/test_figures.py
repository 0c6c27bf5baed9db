"""Figures: the metrics' means over the right questions, by row and by kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.evaluation import Measured, figures, parse
from ntm_memory_skill.evaluation.rows import BM25, COSINE
from ntm_memory_skill.evaluation.run import Answer

ENTRIES = [{"content": ref, "ref": ref} for ref in "abcd"]
ASKED: list[dict[str, Any]] = [
    {"question": "one?", "gold": ["a"], "category": "short"},
    {"question": "two?", "gold": ["b", "c"], "category": "long"},
    {"question": "three?", "gold": ["d"], "category": "short"},
]
GIVEN = {"cosine": ["abcd", "bdac", "abc"], "bm25": ["bacd", "bcad", "dabc"]}
SECONDS = [0.001, 0.002, 0.009]


def measured(asked: list[dict[str, Any]] = ASKED) -> Measured:
    """Return what two rows are said to have found."""
    dataset = parse({"memories": ENTRIES, "questions": asked}, Path("made up"))
    return Measured(
        dataset=dataset,
        questions=dataset.corpora[0].questions,
        rows=(COSINE, BM25),
        answers={
            name: tuple(Answer(tuple(refs), time) for refs, time in zip(rankings, SECONDS, strict=True))
            for name, rankings in GIVEN.items()
        },
        encoding=(0.5, 0.5, 0.5),
    )


def mean(row: int, metric: str, kind: str | None = None) -> float:
    """Return one figure."""
    found = figures(measured(), (1, 2)).rows[row]
    return (found.overall if kind is None else found.categories[kind]).metrics[metric].mean


def test_means_are_over_all_questions_of_a_row() -> None:
    """Worked out by hand."""
    assert mean(0, "recall@1") == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert mean(0, "recall@2") == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert mean(1, "recall@2") == pytest.approx((1 + 1 + 1) / 3)
    assert mean(1, "all@2") == pytest.approx(1)
    assert mean(1, "mrr") == pytest.approx((1 / 2 + 1 + 1) / 3)


def test_each_kind_has_its_own_questions() -> None:
    """And says how many."""
    assert mean(0, "recall@1", "short") == pytest.approx(1 / 2)
    assert mean(0, "recall@1", "long") == pytest.approx(1 / 2)
    row = figures(measured(), (1, 2)).rows[0]
    assert {kind: group.questions for kind, group in row.categories.items()} == {"long": 1, "short": 2}
    assert row.overall.questions == 3


def test_one_kind_alone_is_not_told_apart() -> None:
    """It would say the same twice."""
    same = [{**each, "category": "x"} for each in ASKED]
    assert [row.categories for row in figures(measured(same), (1,)).rows] == [{}, {}]


def test_the_last_row_is_compared_with_the_others_at_ten_or_the_greatest_depth() -> None:
    """On the same questions."""
    found = figures(measured(), (1, 2)).comparison
    assert (found.row, found.metric, list(found.others)) == ("bm25", "recall@2", ["cosine"])
    assert found.others["cosine"].interval.mean == pytest.approx(1 - 1 / 2)
    assert figures(measured(), (1, 10, 20)).comparison.metric == "recall@10"


def test_latency_is_in_milliseconds_and_apart_from_encoding() -> None:
    """The median, and what 95 of 100 stay below."""
    found = figures(measured())
    assert found.rows[0].latency.median == pytest.approx(2)
    assert 2 < found.rows[0].latency.p95 <= 9
    assert found.encoding.median == pytest.approx(500)


def test_the_set_is_counted() -> None:
    """Memories, entries and questions."""
    found = figures(measured())
    assert (found.name, found.layout) == ("made up", "JSON lines")
    assert (found.corpora, found.memories, found.questions) == (1, 4, 3)


def test_the_same_seed_gives_the_same_figures() -> None:
    """Another one moves the intervals alone."""
    first, second = (figures(measured(), seed=seed) for seed in (0, 1))
    assert first == figures(measured(), seed=0)
    assert first.rows[0].overall.metrics["mrr"].mean == second.rows[0].overall.metrics["mrr"].mean
