"""What a memory or an input is related to: by time, by meaning and by what is being talked about.

    score(i)   = 0.4 · time(i) + 0.4 · meaning(i) + 0.2 · context(i)

    time(i)    = ½ · (1 / (1 + log2(1 + |t − t_i|/T)) + ½^(d_i/D))
    meaning(i) = max(0, cos(key, key_i))
    context(i) = max(0, cos(c, key_i)), c the context of the sensory buffer; 0 where there is none

Closeness in time is on a log scale: what lies T away is half as close as what happened at the same time, and what lies
7·T away half as close again. Beside it counts how near two stand on one chat's tape, d places apart, as the turns of a
chat often have one time: that halves every D places, and another tape is not near at all. A cue that stands on no tape
is judged by time alone, without the ½.

Each part is from 0 to 1, and so is the score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

MONTH = 30 * 86_400.0  # seconds
PARTS = ("time", "meaning", "context")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cue:
    """What others are to be related to: a memory, or an input that may become one."""

    key: Float32[np.ndarray, "m"]
    """Of any length above 0; one without a direction means nothing."""
    at: float
    """When it happened, in seconds since 1970."""
    context: Float32[np.ndarray, "m"] | None = None
    """What is being talked about, as `SensoryBuffer.context` gives it, in the same space as the keys."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Surroundings:
    """The memories that may be related to a cue. Arrays have one entry a memory."""

    keys: Float32[np.ndarray, "n m"]
    """Of any length; zeros mean nothing."""
    times: Float64[np.ndarray, "n"]
    """When each happened, in seconds since 1970."""
    present: Bool[np.ndarray, "n"]
    """Which ones count. The cue itself, if it is a memory, should not."""
    distances: Float32[np.ndarray, "n"] | None = None
    """How many places lie between each and the cue on their tape, 0 and up; infinity for another tape. None: the cue
    stands on no tape."""


class Parts(NamedTuple):
    """What speaks for each memory, before it is weighed: 0 to 1 each."""

    time: Float32[np.ndarray, "n"]
    meaning: Float32[np.ndarray, "n"]
    context: Float32[np.ndarray, "n"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextualAssociator:
    """The formula and its weights, which sum to 1."""

    time: float = 0.4
    """Weight of closeness in time and on the tape, 0 and up."""
    meaning: float = 0.4
    """Weight of likeness in meaning, 0 and up."""
    context: float = 0.2
    """Weight of likeness to what is being talked about, 0 and up."""
    half_close: float = MONTH
    """T: seconds between two that are half as close as two of the same time, above 0."""
    half_near: float = 3.0
    """D: places on a tape that halve nearness, above 0. 3 is how far the read head shifts."""

    def __post_init__(self) -> None:
        weights = (self.time, self.meaning, self.context)
        problems = [
            f"{name} is a weight from 0 up, not {w}" for name, w in zip(PARTS, weights, strict=True) if not w >= 0
        ]
        if not abs(sum(weights) - 1) <= 1e-6:
            problems.append(f"the weights sum to 1, not {sum(weights)}")
        for name, value in (("half_close", self.half_close), ("half_near", self.half_near)):
            if not 0 < value < math.inf:
                problems.append(f"{name} is a finite number above 0, not {value}")
        if problems:
            raise ValueError("; ".join(problems))

    def parts(self, cue: Cue, around: Surroundings) -> Parts:
        """Return what speaks for each memory, whether it is present or not."""
        time = 1 / (1 + np.log2(1 + np.abs(around.times - cue.at) / self.half_close))
        if around.distances is not None:
            time = (time + np.exp2(-around.distances / self.half_near)) / 2
        meaning = _likeness(around.keys, cue.key)
        context = np.zeros_like(meaning) if cue.context is None else _likeness(around.keys, cue.context)
        return Parts(time.astype(np.float32), meaning, context)

    def associate(self, cue: Cue, around: Surroundings) -> Float32[np.ndarray, "n"]:
        """Return how strongly each memory is related to the cue, 0 to 1; 0 for those that are not present."""
        parts = self.parts(cue, around)
        score = self.time * parts.time + self.meaning * parts.meaning + self.context * parts.context
        return np.where(around.present, np.minimum(score, 1), 0).astype(np.float32)

    def related(self, cue: Cue, around: Surroundings, top_k: int = 5) -> Int64[np.ndarray, "k"]:
        """Return the rows of the most related memories, most related first, equal ones in order: `top_k` at most.

        Raises:
            ValueError: `top_k` is below 1.
        """
        if top_k < 1:
            raise ValueError(f"top_k is a whole number from 1 up, not {top_k}")
        score = self.associate(cue, around)
        rows = np.flatnonzero(around.present)
        chosen: Int64[np.ndarray, "k"] = rows[np.argsort(-score[rows], kind="stable")[:top_k]]
        return chosen


def _likeness(keys: Float32[np.ndarray, "n m"], key: Float32[np.ndarray, "m"]) -> Float32[np.ndarray, "n"]:
    """Return the cosine of each row with a key, 0 to 1: below 0, and of what has no direction, 0."""
    lengths = np.linalg.norm(keys, axis=1) * np.linalg.norm(key)
    cosine = np.divide(keys @ key, lengths, out=np.zeros(len(keys), np.float32), where=lengths > 0)
    return np.asarray(np.clip(cosine, 0, 1), np.float32)
