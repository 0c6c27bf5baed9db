"""Elastic weight consolidation: what is learnt next does not cost what was learnt before.

    L(θ) = L_new(θ) + Σ_i λ/2 F_i (θ_i − θ*_i)²                                  (Kirkpatrick et al. 2017, eq. 3)

θ* is the head that training goes on from. F_i says how much the loss of what it was trained on depends on a weight: the
mean squared gradient of the questions' losses, the diagonal of the empirical Fisher information. A weight that the old
questions do not feel is free, one that they hang on is held. F is taken at the end of a training and kept with the
head, for the questions are gone when it is needed. The loss is not the logarithm of a likelihood, so that λ has no
natural value; it is measured.

A head that was trained more than once has one anchor, its last weights, and one F in which the older ones fade:
F ← γ F + F_new (online EWC, Schwarz et al. 2018). Feedback is trained on again and again, and a plain sum would hold
the head ever faster.

What a head does is its scale times what its weights say. The scale was chosen on the old questions, and the new ones
cannot tell what a greater one would do to them; so where a head is held, its scale does not grow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.engine import TrainedHead

FADING = 0.9  # γ

Weights = Mapping[str, Float32[np.ndarray, "..."]]


@dataclass(frozen=True, slots=True)
class Anchor:
    """What holds weights in training."""

    weights: Weights
    """θ*: where."""
    fisher: Weights
    """F: how fast each, 0 and up."""
    strength: float
    """λ, above 0."""
    scale: float
    """How far at most a head that is held departs from the default, above 0 to 1."""


def anchored(start: TrainedHead | None, strength: float) -> Anchor | None:
    """Return what holds a head to the one that it starts from; None where there is nothing to hold.

    That is so without such a head, with one that kept no F or is the default head (a scale of 0), and with a λ of 0.
    """
    if start is None or not start.fisher or start.scale == 0 or strength == 0:
        return None
    return Anchor(start.weights, start.fisher, strength, start.scale)


def penalty(weights: Mapping[str, Any], anchor: Anchor, array: Callable[[Any], Any]) -> Any:
    """Return what departing from an anchor costs, Σ_i λ/2 F_i (θ_i − θ*_i)².

    Args:
        weights: θ.
        anchor: Holds them.
        array: Makes an array of the same kind as the weights.
    """
    parts = [
        (array(anchor.fisher[name]) * (values - array(anchor.weights[name])) ** 2).sum()
        for name, values in weights.items()
    ]
    return anchor.strength / 2 * sum(parts)


def squared_gradients(said: Any, losses: Any, weights: Mapping[str, Any]) -> dict[str, Float32[np.ndarray, "..."]]:
    """Return, for each weight, the sum over questions of the square of its loss's gradient.

    A question's loss depends on the weights through what the controller says for it alone, so that the addressing is
    gone through backwards once for all questions and only the controller once for each.

    Args:
        said: What the controller says for each question, shape ``(q, heads, emitted)``, a torch tensor with its graph.
        losses: Of each question, shape ``(q,)``.
        weights: Torch tensors that `said` was computed from.
    """
    import torch

    (blame,) = torch.autograd.grad(losses.sum(), said, retain_graph=True)
    found = {name: np.zeros(tuple(values.shape), np.float32) for name, values in weights.items()}
    for one, its_blame in zip(said, blame, strict=True):
        gradients = torch.autograd.grad(one, list(weights.values()), its_blame, retain_graph=True)
        for name, gradient in zip(found, gradients, strict=True):
            found[name] += gradient.numpy() ** 2
    return found


def remembered(before: Weights, now: Weights) -> dict[str, Float32[np.ndarray, "..."]]:
    """Return the Fisher information of all that a head was trained on: what it had kept, faded, and what came."""
    return {name: np.asarray(FADING * before[name] + values if before else values) for name, values in now.items()}
