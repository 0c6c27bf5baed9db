"""Whether what was trained may be installed: compared with the default, kind by kind, on questions it never saw.

The law: it must not be worse on any kind. Worse is a recall@5 or recall@10 that lies below the default's by more than
`TOLERANCE`, and by more than chance: `CHANCE` standard errors of the difference, question by question. A gain on one
kind is no excuse for a loss on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32

from ntm_memory_skill.learning.scenes import Scene

DEPTHS = (1, 5, 10, 20)
JUDGED = (5, 10)
TOLERANCE = 0.01
CHANCE = 1.645  # standard errors: a head that is as good as the default lies further below it once in twenty times

Found = dict[str, Float[np.ndarray, "q depths"]]
"""By kind: for each question the share of its evidence among the first k, for each depth."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One kind of data, before and after. Shares of the evidence, 0 to 1, for each of `DEPTHS`."""

    kind: str
    questions: int
    default: tuple[float, ...]
    trained: tuple[float, ...]
    errors: tuple[float, ...]
    """Standard errors of the differences."""

    @property
    def gain(self) -> float:
        """How much more is found, averaged over the depths."""
        return float(np.mean(np.subtract(self.trained, self.default)))

    @property
    def worse(self) -> bool:
        """Whether the trained head may not be used because of this kind."""
        at = [DEPTHS.index(depth) for depth in JUDGED]
        return any(self.default[k] - self.trained[k] > max(TOLERANCE, CHANCE * self.errors[k]) for k in at)


def compare(default: Found, trained: Found) -> tuple[Comparison, ...]:
    """Return the comparison of every kind."""
    compared = []
    for kind, before in default.items():
        after = trained[kind]
        errors = (after - before).std(axis=0) / np.sqrt(len(before))
        means = [tuple(values.tolist()) for values in (before.mean(axis=0), after.mean(axis=0), errors)]
        compared.append(Comparison(kind, len(before), *means))
    return tuple(compared)


def wins(default: Found, trained: Found) -> bool:
    """Return whether more is found by more than chance: by the gain of `Comparison`, averaged over the kinds."""
    gains = [(trained[kind] - before).mean(axis=1) for kind, before in default.items()]
    errors = [gain.std() / np.sqrt(len(gain)) for gain in gains]
    return bool(np.mean([gain.mean() for gain in gains]) > CHANCE * np.linalg.norm(errors) / len(gains))


def found(scenes: Sequence[Scene], weights: Sequence[Float32[np.ndarray, "q n"]]) -> Found:
    """Return what weights find of the evidence, kind by kind."""
    kinds: dict[str, list[np.ndarray]] = {}
    for scene, looked in zip(scenes, weights, strict=True):
        kinds.setdefault(scene.kind, []).append(recalled(looked, scene.evidence, scene.wanted))
    return {kind: np.concatenate(parts) for kind, parts in kinds.items()}


def recalled(
    weights: Float32[np.ndarray, "q n"], evidence: Bool[np.ndarray, "q n"], wanted: Float32[np.ndarray, "q"]
) -> Float[np.ndarray, "q depths"]:
    """Return the share of each question's evidence among the first k slots; equal weights in the order of slots."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, : max(DEPTHS)]
    hit = np.take_along_axis(evidence, order, axis=1)
    return np.stack([hit[:, :depth].sum(axis=1) / wanted for depth in DEPTHS], axis=1)
