"""Scenes that no text stands behind, with a rule that can be learnt from them; and a slow reading of the loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ntm_memory_skill.engine import STATISTICS, TERMS, TrainedHead
from ntm_memory_skill.learning import Scene
from ntm_memory_skill.ntm import ControllerShape, HeadParameters, initial
from ntm_memory_skill.ntm.tape import Tape
from tests.ntm import oracle

BASE = HeadParameters()
MATCH = 4.0  # standard deviations by which the memory that a question resembles stands out
NOISE = 0.3
VARYING = 3  # statistics that differ from question to question, and have nothing to do with the answer


def scene(
    seed: int, *, questions: int = 24, size: int = 40, answer: int = 2, kind: str = "chats", tapes: int = 2
) -> Scene:
    """Return a scene in which what answers a question stands `answer` places after what it resembles.

    Args:
        seed: Of everything random.
        questions: How many.
        size: Slots.
        answer: 0 is what the default head finds first.
        kind: Its kind.
        tapes: On how many tapes the slots stand, one after the other.
    """
    rng = np.random.default_rng(seed)
    long = size // tapes
    terms = np.zeros((questions, len(TERMS), size), np.float32)
    terms[:, :2] = rng.normal(0, NOISE, (questions, 2, size))
    evidence = np.zeros((questions, size), bool)
    for number in range(questions):
        match = int(rng.integers(0, tapes)) * long + int(rng.integers(0, long - max(0, answer)))
        terms[number, :2, match] += MATCH
        evidence[number, match + answer] = True
    weights = np.zeros((questions, len(TERMS)), np.float32)
    weights[:, :2] = 0.7, 0.3
    statistics = np.ones((questions, len(STATISTICS)), np.float32)
    statistics[:, :VARYING] = rng.normal(0, 1, (questions, VARYING))
    return Scene(
        kind=kind,
        sources=tape(size, tapes).sources(size),
        relative_lengths=np.zeros((len(BASE.kernel), size), np.float32),
        terms=terms,
        weights=weights,
        statistics=statistics,
        trust=np.ones((questions, len(TERMS)), np.float32),
        evidence=evidence,
        wanted=np.ones(questions, np.float32),
    )


def tape(size: int, tapes: int) -> Tape:
    """Return slots in their order on so many tapes of equal length."""
    made = Tape(BASE.reach)
    made.extend((slot, f"tape {slot // (size // tapes)}", float(slot), slot) for slot in range(size))
    return made


def head(seed: int, kind: str = "linear", heads: int = 1, *, scale: float = 1.0) -> TrainedHead:
    """Return a head that was never trained: its weights are all drawn at random."""
    rng = np.random.default_rng(seed)
    shape = ControllerShape(
        kind=kind, inputs=len(STATISTICS), terms=len(TERMS), heads=heads, width=len(BASE.kernel), hidden=5
    )
    weights = {name: rng.normal(0, 0.3, size).astype(np.float32) for name, size in shape.sizes().items()}
    assert weights.keys() == initial(shape, "constant", rng).keys()
    return TrainedHead(
        shape=shape,
        weights=weights,
        mean=np.full(len(STATISTICS), 0.1, np.float32),
        deviation=np.full(len(STATISTICS), 1.5, np.float32),
        scale=scale,
        encoder="hashed",
    )


def slow_look(found: Scene, number: int, said: Sequence[Sequence[float]], tapes: int) -> list[float]:
    """Return where heads look for one question of a scene whose texts are all as long: a loop for every sum.

    Args:
        found: The scene.
        number: Which question.
        said: What the controller says for each head.
        tapes: As it was made with.
    """
    count, long = found.terms.shape[1], found.terms.shape[2] // tapes
    looks = []
    for spoken in said:
        omega = [float(found.weights[number, t]) + float(found.trust[number, t]) * spoken[t] for t in range(count)]
        scores = [
            sum(omega[t] * float(found.terms[number, t, slot]) for t in range(count)) for slot in range(tapes * long)
        ]
        moved = [math.log(share) + more for share, more in zip(BASE.kernel, spoken[count:-4], strict=True)]
        beta = BASE.key_strength * math.exp(min(max(spoken[-4], -2), 2))
        kernel = oracle.content(moved, 1.0)
        content = oracle.content(scores, beta)
        ratio = BASE.length_ratio * math.exp(
            min(max(spoken[-1], -2), 2)
        )  # below 1, not even as long a text lets all pass
        each = [range(k * long, (k + 1) * long) for k in range(tapes)]
        looks.append(oracle.shift_along(content, kernel, each, [1.0] * (tapes * long), ratio))
    return [sum(each) / len(looks) for each in zip(*looks, strict=True)]
