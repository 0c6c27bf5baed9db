"""Memory networks in plain loops over lists of numbers: the oracle, which shares no code with what it judges."""

from __future__ import annotations

import math
from collections.abc import Sequence

Row = Sequence[float]


def dot(a: Row, b: Row) -> float:
    """Return Σ a_k b_k."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def plus(a: Row, b: Row) -> list[float]:
    """Return a + b."""
    return [x + y for x, y in zip(a, b, strict=True)]


def times(matrix: Sequence[Row], vector: Row) -> list[float]:
    """Return M v."""
    return [dot(row, vector) for row in matrix]


def softmax(scores: Row) -> list[float]:
    """Return the shares of exp(score)."""
    masses = [math.exp(score) for score in scores]
    return [mass / sum(masses) for mass in masses]


def encoded(words: Sequence[int], table: Sequence[Row], *, position: bool) -> list[float]:
    """Return Σ_j l_j · A x_j with l_kj = (1 − j/J) − (k/d)(1 − 2j/J), or l = 1."""
    d, total = len(table[0]), len(words)
    vector = [0.0] * d
    for j, word in enumerate(words, 1):
        for k in range(1, d + 1):
            weight = (1 - j / total) - (k / d) * (1 - 2 * j / total) if position else 1.0
            vector[k - 1] += weight * table[word][k - 1]
    return vector


def hop(
    keys: Sequence[Row], values: Sequence[Row], query: Row, *, linear: bool = False
) -> tuple[list[float], list[float]]:
    """Return what one hop reads, and where."""
    scores = [dot(query, key) for key in keys]
    weights = scores if linear else softmax(scores)
    read = [0.0] * len(query)
    for weight, value in zip(weights, values, strict=True):
        read = plus(read, [weight * number for number in value])
    return read, weights
