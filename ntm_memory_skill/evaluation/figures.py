"""From rankings to figures: means with their intervals, by row and kind of question, and how far rows differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ntm_memory_skill.evaluation.corpus import Question
from ntm_memory_skill.evaluation.metrics import NDCG_DEPTH, metrics
from ntm_memory_skill.evaluation.run import Answer, Measured
from ntm_memory_skill.evaluation.statistics import Difference, Interval, compare, intervals

DEPTHS = (1, 5, 10, 20)
PREFERRED = 10  # the depth that rows are compared at, where it is among those asked for


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one call."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Group:
    """What one row scores on some questions."""

    questions: int
    metrics: Mapping[str, Interval]
    """By name, in the order of `metrics.metrics`; 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFigures:
    """What one row scores on a set."""

    name: str
    about: str
    overall: Group
    categories: Mapping[str, Group]
    """By kind of question, in the order of their names; empty where there is one kind alone."""
    latency: Latency
    """Of a search, its question encoded already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How far the last row is ahead of each of the others, on the same questions."""

    row: str
    metric: str
    others: Mapping[str, Difference]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFigures:
    """All figures of one set."""

    name: str
    layout: str
    corpora: int
    """How many memories in the sense of stores: chats, people, or one for all passages."""
    memories: int
    """How many in them."""
    questions: int
    depths: tuple[int, ...]
    rows: tuple[RowFigures, ...]
    comparison: Comparison
    encoding: Latency
    """Of a question."""


def searched(depths: Sequence[int]) -> int:
    """Return how many memories have to be asked for so that all metrics can be worked out."""
    return max(*depths, NDCG_DEPTH)


def figures(measured: Measured, depths: Sequence[int] = DEPTHS, seed: int = 0) -> SetFigures:
    """Return the figures of a set.

    Args:
        measured: What was found, at least as deep as `searched` says.
        depths: The k of recall@k, each 1 or more, ascending.
        seed: Of the resampling: same seed, same intervals.
    """
    main = f"recall@{PREFERRED if PREFERRED in depths else max(depths)}"
    kinds = np.asarray([asked.category for asked in measured.questions])
    scores = {row.name: _scores(measured, row.name, depths) for row in measured.rows}
    return SetFigures(
        name=measured.dataset.name,
        layout=measured.dataset.layout,
        corpora=len(measured.dataset.corpora),
        memories=sum(len(corpus.items) for corpus in measured.dataset.corpora),
        questions=len(measured.questions),
        depths=tuple(depths),
        rows=tuple(
            RowFigures(
                name=row.name,
                about=row.about,
                overall=_group(scores[row.name], seed),
                categories=_by_kind(scores[row.name], kinds, seed),
                latency=_latency([given.seconds for given in measured.answers[row.name]]),
            )
            for row in measured.rows
        ),
        comparison=_comparison(main, {name: values[main] for name, values in scores.items()}, seed),
        encoding=_latency(measured.encoding),
    )


def _scores(measured: Measured, row: str, depths: Sequence[int]) -> dict[str, Float[np.ndarray, "n"]]:
    """Return each metric's score of each question."""
    pairs = [(given.ranking, asked.evidence) for given, asked in _together(measured, row)]
    return {name: np.asarray([metric(*pair) for pair in pairs]) for name, metric in metrics(depths).items()}


def _together(measured: Measured, row: str) -> Iterable[tuple[Answer, Question]]:
    return zip(measured.answers[row], measured.questions, strict=True)


def _group(scores: Mapping[str, Float[np.ndarray, "n"]], seed: int) -> Group:
    matrix = np.stack(list(scores.values()))
    return Group(matrix.shape[1], dict(zip(scores, intervals(matrix, seed), strict=True)))


def _by_kind(scores: Mapping[str, Float[np.ndarray, "n"]], kinds: np.ndarray, seed: int) -> dict[str, Group]:
    names = sorted(set(kinds.tolist()))
    if len(names) == 1:
        return {}
    return {name: _group({metric: each[kinds == name] for metric, each in scores.items()}, seed) for name in names}


def _comparison(metric: str, scores: Mapping[str, Float[np.ndarray, "n"]], seed: int) -> Comparison:
    *others, last = scores
    return Comparison(
        row=last, metric=metric, others={name: compare(scores[last], scores[name], seed) for name in others}
    )


def _latency(seconds: Sequence[float]) -> Latency:
    median, p95 = np.percentile(1000 * np.asarray(seconds), [50, 95])
    return Latency(float(median), float(p95))
