"""Each equation once more, as slow loops over lists that share nothing with the code under test."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Vector = Sequence[float]
Matrix = Sequence[Vector]
Array = np.ndarray[Any, Any]


def dot(left: Vector, right: Vector) -> float:
    """Return the sum of products."""
    total = 0.0
    for a, b in zip(left, right, strict=True):
        total += a * b
    return total


def similarity(key: Vector, memory: Matrix) -> list[float]:
    """Cosine of the key and each row; 0 where either is zero (eq. 6)."""
    cosines = []
    for row in memory:
        lengths = math.sqrt(dot(key, key)) * math.sqrt(dot(row, row))
        cosines.append(dot(key, row) / lengths if lengths > 0 else 0.0)
    return cosines


def content(scores: Vector, key_strength: float, present: Sequence[bool] | None = None) -> list[float]:
    """Softmax over the present slots (eq. 5)."""
    seen = [True] * len(scores) if present is None else present
    powers = [math.exp(key_strength * score) if here else 0.0 for score, here in zip(scores, seen, strict=True)]
    return [power / sum(powers) for power in powers]


def interpolate(weights: Vector, previous: Vector, gate: float) -> list[float]:
    """Blend two weightings (eq. 7)."""
    return [gate * new + (1 - gate) * old for new, old in zip(weights, previous, strict=True)]


def shift(weights: Vector, kernel: Vector) -> list[float]:
    """Carry each slot's weight around the circle of all slots (eq. 8)."""
    reach = len(kernel) // 2
    moved = [0.0] * len(weights)
    for slot, weight in enumerate(weights):
        for place, share in enumerate(kernel):
            moved[(slot + place - reach) % len(weights)] += share * weight
    return moved


def shift_along(weights: Vector, kernel: Vector, tapes: Sequence[Sequence[int]]) -> list[float]:
    """Carry each slot's weight along its tape; what would run off an end stays where it is (eq. 8 within segments)."""
    reach = len(kernel) // 2
    moved = [0.0] * len(weights)
    for tape in tapes:
        for position, slot in enumerate(tape):
            for place, share in enumerate(kernel):
                target = position + place - reach
                arrives = tape[target] if 0 <= target < len(tape) else slot
                moved[arrives] += share * weights[slot]
    return moved


def neighbour_table(tapes: Sequence[Sequence[int]], size: int, reach: int) -> list[list[int]]:
    """Row o + R holds the slot that stands o places before each slot on its tape; `size` where there is none."""
    table = [[size] * size for _ in range(2 * reach + 1)]
    table[reach] = list(range(size))
    for tape in tapes:
        for position, slot in enumerate(tape):
            for offset in range(-reach, reach + 1):
                if 0 <= position - offset < len(tape):
                    table[offset + reach][slot] = tape[position - offset]
    return table


def sharpen(weights: Vector, sharpening: float) -> list[float]:
    """Raise to the power and normalise (eq. 9)."""
    powers = [weight**sharpening for weight in weights]
    return [power / sum(powers) for power in powers]


def read(weights: Vector, memory: Matrix) -> list[float]:
    """Sum of the rows by their weights (eq. 2)."""
    result = [0.0] * len(memory[0])
    for weight, row in zip(weights, memory, strict=True):
        for column, value in enumerate(row):
            result[column] += weight * value
    return result


def write(memory: Matrix, weights: Vector, erase: Vector, add: Vector) -> list[list[float]]:
    """Erase, then add (eq. 3 and 4)."""
    return [
        [value * (1 - weight * gone) + weight * new for value, gone, new in zip(row, erase, add, strict=True)]
        for row, weight in zip(memory, weights, strict=True)
    ]


def standardize(scores: Vector, present: Sequence[bool]) -> list[float]:
    """Standard deviations from the mean over the present slots; 0 for the others, and where all are equal."""
    seen = [score for score, here in zip(scores, present, strict=True) if here]
    mean = sum(seen) / len(seen) if seen else 0.0
    spread = math.sqrt(sum((score - mean) ** 2 for score in seen) / len(seen)) if seen else 0.0
    return [
        (score - mean) / spread if here and spread > 0 else 0.0 for score, here in zip(scores, present, strict=True)
    ]


def over_batch(law: Callable[..., Any], leading: Sequence[int], *arguments: Any) -> Array:
    """Apply a loop to each leading index of its arguments in turn."""
    if not leading:
        return np.asarray(law(*(argument.tolist() for argument in arguments)))
    return np.stack([over_batch(law, leading[1:], *(argument[i] for argument in arguments)) for i in range(leading[0])])
