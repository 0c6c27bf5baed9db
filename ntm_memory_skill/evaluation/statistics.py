"""How far a figure can be trusted: intervals and comparisons that assume nothing about how scores are distributed.

What is drawn anew is always the question. Questions over one conversation are not independent of each other, so an
interval says what other questions over the same conversations would give, not what other conversations would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

CONFIDENCE = 0.95
RESAMPLES = 2_000
PERMUTATIONS = 9_999
LEAST_P = 0.001  # that is told from smaller ones
ROOM = 4_000_000
"""Numbers that a batch of resamples may hold at once."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and where 95 % of the means of resampled questions lie."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one row is ahead of another on the same questions."""

    interval: Interval
    """Of the differences, question by question."""
    p_value: float
    """How often a difference as large, in either direction, comes from chance alone: a paired permutation test."""


def intervals(scores: Float[np.ndarray, "m n"], seed: int) -> list[Interval]:
    """Return the percentile bootstrap interval of each of m means over n questions (Efron & Tibshirani 1993, ch. 13).

    Args:
        scores: A row a metric, a column a question.
        seed: Same seed, same intervals.
    """
    from scipy.stats import bootstrap

    means = scores.mean(axis=1)
    low = high = means
    if scores.shape[1] > 1:  # of one question, every resample is that question
        found = bootstrap(
            (scores,),
            _mean,
            axis=1,
            confidence_level=CONFIDENCE,
            n_resamples=RESAMPLES,
            method="percentile",
            vectorized=True,
            batch=max(1, ROOM // scores.size),
            rng=np.random.default_rng(seed),
        )
        low, high = found.confidence_interval
    return [Interval(*map(float, each)) for each in zip(means, low, high, strict=True)]


def compare(scores: Float[np.ndarray, "n"], others: Float[np.ndarray, "n"], seed: int) -> Difference:
    """Return how far scores are above others of the same questions.

    The test swaps the two scores of a question at random (Fisher 1935, ch. 3): all ways if they are few, else some
    thousands, of which the observed one is counted as one, so that p is never 0.
    """
    from scipy.stats import permutation_test

    (interval,) = intervals((scores - others)[None], seed)
    if len(scores) == 1 or np.array_equal(scores, others):  # of one question, both ways are as far apart
        return Difference(interval, 1.0)
    found = permutation_test(
        (scores, others),
        lambda x, y, axis: _mean(x - y, axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=max(1, ROOM // (2 * scores.size)),
        rng=np.random.default_rng(seed),
    )
    return Difference(interval, float(found.pvalue))


def points(interval: Interval) -> str:
    """Return a difference with its interval as it is printed, in points of a hundred."""
    text = f"{100 * interval.mean:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"
    return text.replace("-", "−")


def p_value(p: float) -> str:
    """Return a p-value as it is printed: three decimals, and never as 0."""
    return f"< {LEAST_P}" if p < LEAST_P else f"= {p:.3f}"


def _mean(values: Any, axis: int) -> Any:
    return np.mean(values, axis=axis)
