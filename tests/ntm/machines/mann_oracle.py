"""The memory-augmented network once more, as slow loops over lists, for one sequence at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.ntm import oracle
from tests.ntm.machines.turing_oracle import layer, steer
from tests.ntm.oracle import Matrix, Vector

Rows = list[list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What one sequence has left behind; `units` are the hidden units and cells of an LSTM, empty without one."""

    memory: Rows
    usage: list[float]
    read_weights: Rows
    write_weights: Rows
    reads: Rows
    units: Rows


def least_used(usage: Vector, heads: int) -> Rows:
    """One head after the other takes the least used slot that is left, the first of several."""
    taken: list[int] = []
    for _ in range(heads):
        best = -1
        for slot, used in enumerate(usage):
            if slot not in taken and (best < 0 or used < usage[best]):
                best = slot
        taken.append(best)
    return [[1.0 if slot == mine else 0.0 for slot in range(len(usage))] for mine in taken]


def write_where(read_weights: Matrix, least: Matrix, gates: Vector) -> Rows:
    """Each head's blend of where it read and what is least used."""
    return [
        [gate * seen + (1 - gate) * free for seen, free in zip(read_weights[head], least[head], strict=True)]
        for head, gate in enumerate(gates)
    ]


def overwrite(memory: Matrix, least: Matrix, write_weights: Matrix, keys: Matrix) -> Rows:
    """Empty the slots that are least used; then let one head after the other add its key."""
    rows = [
        [0.0] * len(row) if any(head[slot] == 1.0 for head in least) else list(row) for slot, row in enumerate(memory)
    ]
    for weights, key in zip(write_weights, keys, strict=True):
        for slot, weight in enumerate(weights):
            for column, value in enumerate(key):
                rows[slot][column] += weight * value
    return rows


def use(usage: Vector, read_weights: Matrix, write_weights: Matrix, decay: float) -> list[float]:
    """What is left of the usage, and one more for each time that a slot was touched."""
    found = [decay * used for used in usage]
    for weights in (*read_weights, *write_weights):
        for slot, weight in enumerate(weights):
            found[slot] += weight
    return found


def step(x: Vector, state: Remembered, weights: Mapping[str, Any]) -> tuple[list[float], Remembered]:
    """One step from the paper, top to bottom; each head has emitted its key, its key strength and its gate."""
    heads, length = len(state.reads), len(state.reads[0])
    features, units = steer(
        [
            *(min(max(value, -3.0), 3.0) for value in x),
            *(value for read in state.reads for value in read),
        ],
        state.units,
        weights,
    )
    emitted = layer(features, weights, "emit")
    told = [emitted[head * (length + 2) : (head + 1) * (length + 2)] for head in range(heads)]
    keys = [[math.tanh(value) for value in one[:length]] for one in told]
    strengths = [math.log(1 + math.exp(one[length])) for one in told]
    gates = [oracle.logistic(one[length + 1]) for one in told]

    least = least_used(state.usage, heads)
    write_weights = write_where(state.read_weights, least, gates)
    memory = overwrite(state.memory, least, write_weights, keys)
    read_weights = [
        oracle.content(oracle.similarity(key, memory), strength) for key, strength in zip(keys, strengths, strict=True)
    ]
    reads = [oracle.read(row, memory) for row in read_weights]
    y = layer([*features, *(value for read in reads for value in read)], weights, "out")
    return y, Remembered(
        memory=memory,
        usage=use(state.usage, read_weights, write_weights, 0.95),
        read_weights=read_weights,
        write_weights=write_weights,
        reads=reads,
        units=units,
    )
