"""The Differentiable Neural Computer once more, as slow loops over lists, for one sequence at a time."""

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
    write_weights: list[float]
    read_weights: Rows
    precedence: list[float]
    links: Rows
    reads: Rows
    units: Rows


def oneplus(value: float) -> float:
    """One and more, smoothly."""
    return 1 + math.log(1 + math.exp(value))


def retain(free_gates: Vector, read_weights: Matrix) -> list[float]:
    """What each head in turn leaves of each slot."""
    kept = [1.0] * len(read_weights[0])
    for gate, weights in zip(free_gates, read_weights, strict=True):
        for slot, weight in enumerate(weights):
            kept[slot] *= 1 - gate * weight
    return kept


def use(usage: Vector, write_weights: Vector, retention: Vector) -> list[float]:
    """What was free and is not written to stays free; then the retention."""
    return [
        (1 - (1 - used) * (1 - written)) * kept
        for used, written, kept in zip(usage, write_weights, retention, strict=True)
    ]


def allocate(usage: Vector) -> list[float]:
    """Walk through the slots from the least used one; each takes its free share of what the ones before have left."""
    found = [0.0] * len(usage)
    left = 1.0
    for slot in sorted(range(len(usage)), key=lambda slot: (usage[slot], slot)):
        found[slot] = (1 - usage[slot]) * left
        left *= usage[slot]
    return found


def write_where(content: Vector, allocated: Vector, allocation_gate: float, write_gate: float) -> list[float]:
    """Blend of what is free and what is alike, as far as anything is written."""
    return [
        write_gate * (allocation_gate * free + (1 - allocation_gate) * alike)
        for alike, free in zip(content, allocated, strict=True)
    ]


def precede(precedence: Vector, write_weights: Vector) -> list[float]:
    """What was last, as far as nothing is written now."""
    written = sum(write_weights)
    return [(1 - written) * before + now for before, now in zip(precedence, write_weights, strict=True)]


def link(links: Matrix, write_weights: Vector, precedence: Vector) -> Rows:
    """Entry by entry; none from a slot to itself."""
    size = len(write_weights)
    found = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(size):
            if i != j:
                old = (1 - write_weights[i] - write_weights[j]) * links[i][j]
                found[i][j] = old + write_weights[i] * precedence[j]
    return found


def forward(links: Matrix, read_weights: Matrix) -> Rows:
    """Each head's next slots: the row i of the links says from where slot i is reached."""
    return [[oracle.dot(row, weights) for row in links] for weights in read_weights]


def backward(links: Matrix, read_weights: Matrix) -> Rows:
    """Each head's previous slots: the same by columns."""
    return [[oracle.dot(column, weights) for column in zip(*links, strict=True)] for weights in read_weights]


def read_where(behind: Matrix, content: Matrix, ahead: Matrix, modes: Matrix) -> Rows:
    """Blend of the three ways to look, head by head."""
    return [
        [
            mode[0] * back + mode[1] * alike + mode[2] * onward
            for back, alike, onward in zip(behind[head], content[head], ahead[head], strict=True)
        ]
        for head, mode in enumerate(modes)
    ]


def step(x: Vector, state: Remembered, weights: Mapping[str, Any]) -> tuple[list[float], Remembered]:
    """One step from the paper, top to bottom: the interface is taken from the front of what was emitted, bit by bit."""
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

    def take(count: int) -> list[float]:
        taken = emitted[:count]
        del emitted[:count]
        return taken

    read_keys = [take(length) for _ in range(heads)]
    read_strengths = [oneplus(value) for value in take(heads)]
    write_key = take(length)
    write_strength = oneplus(take(1)[0])
    erase = [oracle.logistic(value) for value in take(length)]
    write_vector = take(length)
    free_gates = [oracle.logistic(value) for value in take(heads)]
    allocation_gate, write_gate = oracle.logistic(take(1)[0]), oracle.logistic(take(1)[0])
    modes = [oracle.content(take(3), 1.0) for _ in range(heads)]
    assert emitted == []

    usage = use(state.usage, state.write_weights, retain(free_gates, state.read_weights))
    alike = oracle.content(oracle.similarity(write_key, state.memory), write_strength)
    written = write_where(alike, allocate(usage), allocation_gate, write_gate)
    memory = oracle.write(state.memory, written, erase, write_vector)
    links = link(state.links, written, state.precedence)
    content = [
        oracle.content(oracle.similarity(key, memory), strength)
        for key, strength in zip(read_keys, read_strengths, strict=True)
    ]
    behind, ahead = backward(links, state.read_weights), forward(links, state.read_weights)
    read_weights = read_where(behind, content, ahead, modes)
    reads = [oracle.read(row, memory) for row in read_weights]
    y = layer([*features, *(value for read in reads for value in read)], weights, "out")
    return y, Remembered(
        memory=memory,
        usage=usage,
        write_weights=written,
        read_weights=read_weights,
        precedence=precede(state.precedence, written),
        links=links,
        reads=reads,
        units=units,
    )
