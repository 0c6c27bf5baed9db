"""The Neural Turing Machine once more, as slow loops over lists, for one sequence at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.ntm import oracle
from tests.ntm.oracle import Matrix, Vector

Rows = list[list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What one sequence has left behind; `units` are the hidden units and cells of an LSTM, empty without one."""

    memory: Rows
    weights: Rows
    """Read heads first."""
    reads: Rows
    units: Rows


def softplus(value: float) -> float:
    """Zero and more, smoothly."""
    return math.log1p(math.exp(value))


def layer(inputs: Vector, weights: Mapping[str, Any], name: str) -> list[float]:
    """A linear layer, whose weights have a row for each output."""
    rows, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return [offset + oracle.dot(row, inputs) for row, offset in zip(rows, bias, strict=True)]


def steer(seen: Vector, units: Rows, weights: Mapping[str, Any]) -> tuple[list[float], Rows]:
    """What the controller says, an LSTM if it has recurrent weights, and its units afterwards."""
    if "controller.U" in weights:
        units = oracle.lstm(seen, units, weights["controller.V"], weights["controller.U"], weights["controller.a"])
        return units[0], units
    return [math.tanh(unit) for unit in oracle.units(seen, weights["controller.V"], weights["controller.a"])], units


def address(emitted: Vector, length: int, memory: Matrix, before: Vector) -> list[float]:
    """Where one head looks, from the numbers that are emitted for it: k, β, g, s, γ."""
    key = [math.tanh(value) for value in emitted[:length]]
    strength, gate = softplus(emitted[length]), oracle.logistic(emitted[length + 1])
    kernel = oracle.content(emitted[length + 2 : -1], 1.0)
    weights = oracle.content(oracle.similarity(key, memory), strength)
    weights = oracle.interpolate(weights, before, gate)
    weights = oracle.shift(weights, kernel)
    return oracle.sharpen(weights, 1 + softplus(emitted[-1]))


def change(memory: Matrix, weights: Matrix, erase: Matrix, add: Matrix) -> Rows:
    """Every head erases, and then every head adds."""
    left = [list(row) for row in memory]
    for head, gone in enumerate(erase):
        for slot, row in enumerate(left):
            for place in range(len(row)):
                row[place] *= 1 - weights[head][slot] * gone[place]
    for head, new in enumerate(add):
        for slot, row in enumerate(left):
            for place in range(len(row)):
                row[place] += weights[head][slot] * new[place]
    return left


def step(x: Vector, state: Remembered, weights: Mapping[str, Any], reach: int) -> tuple[list[float], Remembered]:
    """One step: the emission is taken from its front, all focuses first, then what each write head does."""
    length, reading = len(state.memory[0]), len(state.reads)
    features, units = steer(
        [
            *(min(max(value, -3.0), 3.0) for value in x),
            *(value for read in state.reads for value in read),
        ],
        state.units,
        weights,
    )
    emitted = layer(features, weights, "heads.emit")

    def take(count: int) -> list[float]:
        taken = emitted[:count]
        del emitted[:count]
        return taken

    looking = [
        address(take(length + 2 + (2 * reach + 1) + 1), length, state.memory, before) for before in state.weights
    ]
    erase, add = [], []
    for _ in looking[reading:]:
        erase.append([oracle.logistic(value) for value in take(length)])
        add.append([math.tanh(value) for value in take(length)])
    assert emitted == []

    reads = [oracle.read(row, state.memory) for row in looking[:reading]]
    memory = change(state.memory, looking[reading:], erase, add)
    y = layer([*features, *(value for read in reads for value in read)], weights, "out")
    y = [math.exp(10 * float(weights.get("log_scale", 0.0))) * value for value in y]
    return y, Remembered(memory=memory, weights=looking, reads=reads, units=units)


def first(weights: Mapping[str, Any], *, recurrent: bool) -> Remembered:
    """What stands before the first step: weightings are kept as logits."""
    return Remembered(
        memory=weights["first_memory"],
        weights=[oracle.content(logits, 1.0) for logits in weights["first_weights"]],
        reads=weights["first_reads"],
        units=weights["controller.first"] if recurrent else [],
    )
