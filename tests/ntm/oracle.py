"""Each equation once more, as slow loops over lists that share nothing with the code under test.

The controllers' weights lie as `ControllerShape.sizes` has them: a row an input, a column a unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntm_memory_skill.ntm import HeadParameters

Vector = Sequence[float]
Matrix = Sequence[Vector]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """The slots that a head moves over. Without tapes there is no shift, without lengths everything passes."""

    present: list[bool]
    tapes: list[list[int]] | None = None
    lengths: list[float] | None = None
    past: list[float] | None = None


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


def passing(source: float, slot: float, length_ratio: float) -> float:
    """Share of the weight that a text of one length lets pass to one of another."""
    return 1.0 if slot <= length_ratio * source else length_ratio * source / slot


def shift_along(
    weights: Vector,
    kernel: Vector,
    tapes: Sequence[Sequence[int]],
    lengths: Vector | None = None,
    length_ratio: float = math.inf,
) -> list[float]:
    """Carry each slot's weight along its tape; what would run off an end stays where it is (eq. 8 within segments).

    So does what a longer text does not let pass, where lengths are given.
    """
    reach = len(kernel) // 2
    moved = [0.0] * len(weights)
    for tape in tapes:
        for position, slot in enumerate(tape):
            for place, share in enumerate(kernel):
                target = position + place - reach
                arrives = tape[target] if 0 <= target < len(tape) else slot
                passes = 1.0 if lengths is None else passing(lengths[slot], lengths[arrives], length_ratio)
                moved[arrives] += passes * share * weights[slot]
                moved[slot] += (1 - passes) * share * weights[slot]
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


def relative_lengths(lengths: Vector, tapes: Sequence[Sequence[int]], reach: int) -> list[list[float]]:
    """How much longer the source of each place in the neighbour table is, as a logarithm; 0 where there is none."""
    size = len(lengths)
    return [
        [math.log(lengths[source] / lengths[slot]) if source < size else 0.0 for slot, source in enumerate(row)]
        for row in neighbour_table(tapes, size, reach)
    ]


def sharpen(weights: Vector, sharpening: float) -> list[float]:
    """Raise to the power and normalise (eq. 9)."""
    powers = [weight**sharpening for weight in weights]
    return [power / sum(powers) for power in powers]


def among(present: Sequence[bool], weights: list[float], otherwise: list[float]) -> list[float]:
    """Share a weighting out again over the present slots, or return the other one."""
    kept = [weight if here else 0.0 for weight, here in zip(weights, present, strict=True)]
    return [weight / sum(kept) for weight in kept] if sum(kept) > 0 else otherwise


def address(scores: Vector, head: HeadParameters, terrain: Terrain) -> list[list[float]]:
    """One head's weights by content, after the gate and after the shift (figure 2)."""
    weights = gated = content(scores, head.key_strength, terrain.present)
    if terrain.past is not None:
        gated = interpolate(weights, among(terrain.present, terrain.past, weights), head.gate)
    shifted = gated
    if terrain.tapes is not None:
        moved = shift_along(gated, head.kernel, terrain.tapes, terrain.lengths, head.length_ratio)
        shifted = among(terrain.present, moved, gated)
    return [weights, gated, shifted]


def average(rows: Matrix) -> list[float]:
    """Mean of several weightings, slot by slot."""
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


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


def within(values: Vector, limit: float) -> list[float]:
    """Take what is beyond a limit as the limit."""
    return [max(-limit, min(limit, value)) for value in values]


def units(inputs: Vector, weights: Matrix, bias: Vector) -> list[float]:
    """One unit after the other: its bias, and each input times its weight."""
    found = []
    for unit, offset in enumerate(bias):
        total = offset
        for value, row in zip(inputs, weights, strict=True):
            total += value * row[unit]
        found.append(total)
    return found


def logistic(value: float) -> float:
    """The share that odds of e to the value are."""
    return 1 / (1 + math.exp(-value))


def lstm(inputs: Vector, state: Matrix, V: Matrix, U: Matrix, a: Vector) -> list[list[float]]:  # noqa: N803  # the paper's
    """Hidden units and cells after one more step, from those before it."""
    before, cells = state
    wide = [given + kept for given, kept in zip(units(inputs, V, a), units(before, U, [0.0] * len(a)), strict=True)]
    hidden, new = [], []
    for unit, cell in enumerate(cells):
        let_in, keep, candidate, let_out = (wide[gate * len(cells) + unit] for gate in range(4))
        new.append(logistic(keep) * cell + logistic(let_in) * math.tanh(candidate))
        hidden.append(logistic(let_out) * math.tanh(new[-1]))
    return [hidden, new]


def emit(said: Vector, term_weights: Vector, trust: Vector, base: HeadParameters) -> list[float]:
    """One head's term weights, β, g, s, γ and length ratio, in one row, from what a controller says.

    A gate of 0 or 1 counts as a hair's breadth from it, and a share of the kernel as a hair more.
    """
    terms, width, hair = len(term_weights), len(base.kernel), 1e-8
    omega = [weight + share * move for weight, share, move in zip(term_weights, trust, said, strict=False)]
    powers = [
        (share + hair) * math.exp(move) for share, move in zip(base.kernel, said[terms : terms + width], strict=True)
    ]
    beta, gate, gamma, ratio = (math.exp(exponent) for exponent in within(said[terms + width :], 2.0))
    default = max(hair, min(1 - hair, base.gate))
    odds = default / (1 - default) * gate
    return [
        *omega,
        base.key_strength * beta,
        odds / (1 + odds),
        *(power / sum(powers) for power in powers),
        1 + (base.sharpening - 1) * gamma,
        base.length_ratio * ratio,
    ]


def over_batch(law: Callable[..., Any], leading: Sequence[int], *arguments: Any) -> Array:
    """Apply a loop to each leading index of its arguments in turn."""
    if not leading:
        return np.asarray(law(*(argument.tolist() for argument in arguments)))
    return np.stack([over_batch(law, leading[1:], *(argument[i] for argument in arguments)) for i in range(leading[0])])
