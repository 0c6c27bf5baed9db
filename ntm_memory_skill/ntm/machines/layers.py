"""What several machines are made of: layers as training starts from them, and what a memory starts as."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

CONSTANT = 1e-6  # what every number of a constant memory starts as (Collier & Beel 2018)
SMALL = 0.01  # standard deviation of biases that must not all be the same


def emitting(features: int, emitted: int) -> nn.Linear:
    """Return the layer between a controller and what steers a memory: weights by Glorot & Bengio 2010, small biases."""
    layer = nn.Linear(features, emitted)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.normal_(layer.bias, std=SMALL)
    return layer


def saying(features: int, outputs: int) -> nn.Linear:
    """Return the layer that a machine's outputs come from: weights by Glorot & Bengio 2010, biases of 0."""
    layer = nn.Linear(features, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def first_rows(initialization: str, size: int, dimension: int) -> Float[Tensor, "n m"]:
    """Return what a memory starts as: a parameter if it is to be learned.

    Args:
        initialization: "constant": 1e-6 everywhere (Collier & Beel 2018).
            "small_random": uniform within ±1/√(N + M), drawn once. "learned": the same, to be trained.
        size: N.
        dimension: M.
    """
    if initialization == "constant":
        return torch.full((size, dimension), CONSTANT)
    bound = 1 / math.sqrt(size + dimension)
    rows = torch.empty(size, dimension).uniform_(-bound, bound)
    return nn.Parameter(rows) if initialization == "learned" else rows


def hold(machine: nn.Module, name: str, rows: Float[Tensor, "n m"]) -> None:
    """Let a machine have rows under a name, in its weights' file in either case: to be learned, or as they are."""
    if isinstance(rows, nn.Parameter):
        machine.register_parameter(name, rows)
    else:
        machine.register_buffer(name, rows)
