"""Memories that are read by content alone: the modern Hopfield network and the differentiable neural dictionary.

    ξ  ← Xᵀ softmax(β X ξ)                                          retrieve()   Ramsauer et al. 2021, eq. 3
    E  = −lse(β, X ξ) + ½ ξᵀξ + β⁻¹ ln N + ½ L²                      energy()     eq. 2
    o  = Σ_i v_i k(h, h_i) / Σ_j k(h, h_j)                          look_up()    Pritzel et al. 2017, eq. 1 and 2
    k(h, h_i) = 1 / (|h − h_i|² + δ)                                             eq. 5

X holds N patterns as rows, lse(β, z) = β⁻¹ ln Σ_i exp(β z_i), L is the length of the longest pattern, and the
dictionary's sums run over the p nearest keys alone.

The law: no update raises the energy, so retrieving comes to rest; what is retrieved is a mean of the patterns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm import addressing
from ntm_memory_skill.ntm.machines.machine import Machine, View
from ntm_memory_skill.ntm.machines.settings import MachineSettings

AT_ONCE = 1 << 20
"""Scores held at a time, 4 MiB of float32: the 10⁸ of ten thousand queries to ten thousand patterns are 400 MB."""
CLOSEST = 2.0
"""Separation of two ±1 patterns that differ in one place, xᵀx − xᵀy = 2 · 1: different ones are never closer."""


def retrieve(
    patterns: Float[Tensor, "n d"], queries: Float[Tensor, "... d"], key_strength: float, steps: int = 1
) -> Float[Tensor, "... d"]:
    """Return what the modern Hopfield network makes of each query: ξ ← Xᵀ softmax(β X ξ) (Ramsauer 2021, eq. 3).

    One update is enough where patterns are well separated (theorem 4); see `separating` for how sharp that must be.

    Args:
        patterns: X, one stored pattern a row, at least one.
        queries: ξ, the states to start from.
        key_strength: β, above 0. Large retrieves the pattern of the largest dot product, small a mean of many.
        steps: Updates, 1 and up.

    Raises:
        InvalidArgument: β or the number of updates is out of range.
    """
    _check_positive("the key strength β", key_strength)
    if steps < 1:
        raise InvalidArgument(f"retrieving takes 1 update or more, not {steps}")

    def update(states: Tensor) -> Tensor:
        for _ in range(steps):
            states = torch.softmax(key_strength * (states @ patterns.T), dim=-1) @ patterns  # β
        return states

    return _in_parts(update, queries, len(patterns))


def energy(patterns: Float[Tensor, "n d"], states: Float[Tensor, "... d"], key_strength: float) -> Float[Tensor, "..."]:
    """Return each state's energy, which is 0 and up and which no update raises (Ramsauer 2021, eq. 2, theorem 1).

    Args:
        patterns: X, one stored pattern a row, at least one.
        states: ξ.
        key_strength: β, above 0.

    Raises:
        InvalidArgument: β is out of range.
    """
    _check_positive("the key strength β", key_strength)
    longest = (patterns * patterns).sum(dim=-1).max()
    constant = math.log(len(patterns)) / key_strength + longest / 2

    def measure(some: Tensor) -> Tensor:
        pull = torch.logsumexp(key_strength * (some @ patterns.T), dim=-1) / key_strength
        return (some * some).sum(dim=-1) / 2 - pull + constant

    return _in_parts(measure, states, len(patterns))


def separating(count: int, longest: float, separation: float) -> float:
    """Return the β from which on patterns are well separated, each a memory of its own (Ramsauer et al. 2021).

    Their condition is Δ ≥ 2 / (βN) + β⁻¹ ln(2 (N − 1) N β L²); Δ is how much larger a pattern's dot product
    with itself is than with any other. Below that β, patterns blur into a mean of several.

    Args:
        count: N, patterns; 1 counts as 2.
        longest: L, the length of the longest pattern, above 0.
        separation: Δ, above 0 and at most 2 L², which no two patterns exceed.

    Raises:
        InvalidArgument: A length or a separation is out of range.
    """
    _check_positive("the length of a pattern", longest)
    _check_positive("the separation of patterns", separation)
    if separation > 2 * longest**2:
        raise InvalidArgument(f"patterns of length {longest} are not {separation} apart, at most {2 * longest**2}")
    n = max(count, 2)
    edge = math.log(2 * (n - 1) * n * longest**2 / separation) + 2 / n
    strength = 2 * edge + 2  # βΔ, above the root of βΔ = edge + ln βΔ, towards which each round comes down
    for _ in range(64):
        strength = edge + math.log(strength)
    return strength / separation


def look_up(
    keys: Float[Tensor, "n m"],
    values: Float[Tensor, "n v"],
    query: Float[Tensor, "... m"],
    neighbours: int,
    delta: float,
) -> Float[Tensor, "... v"]:
    """Return the mean of the nearest keys' values, the nearer the heavier (Pritzel 2017, eq. 1, 2 and 5).

    Which keys are nearest has no gradient; how near they are has, to the query, the keys and the values.

    Args:
        keys: h_i, at least one.
        values: v_i, one for each key.
        query: h.
        neighbours: p, 1 and up; where there are fewer keys, all of them count.
        delta: δ, above 0: at this squared distance a key weighs half of one that is met exactly.

    Raises:
        InvalidArgument: p or δ is out of range.
    """
    _check_positive("δ", delta)
    if neighbours < 1:
        raise InvalidArgument(f"a look-up takes 1 neighbour or more, not {neighbours}")
    squares, p = (keys * keys).sum(dim=-1), min(neighbours, len(keys))

    def nearest(some: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.topk(some @ keys.T - squares / 2, p, dim=-1).indices  # nearer by |h|² − 2 (h·h_i − |h_i|²/2)

    near = _in_parts(nearest, query, len(keys))
    # From the difference itself: rounding in |h|² − 2 h·h_i + |h_i|² would be larger than a small δ.
    kernel = 1 / ((query[..., None, :] - keys[near]).square().sum(dim=-1) + delta)
    found: Tensor = addressing.read(kernel / kernel.sum(dim=-1, keepdim=True), values[near])
    return found


class PatternState(NamedTuple):
    """All that a memory of patterns remembers."""

    patterns: Float[Tensor, "b n d"]
    """The slots; those that hold nothing yet are 0."""
    stored: Int[Tensor, "b"]
    """How many patterns each sequence has stored, those since overwritten among them."""
    weights: Float[Tensor, "b n"]
    """Where the last step read; all 0 where nothing was stored."""


class PatternMemory(Machine[PatternState]):
    """A modern Hopfield network to store in and retrieve from, one pattern a step. It has no weights to learn.

    A step's input is a pattern of d numbers and one more that says whether it is to be stored: yes above ½, else no.
    Its output is what is retrieved for the pattern from all that the steps before have stored, and 0 where that is
    nothing. The N + 1st pattern overwrites the oldest.

    The key strength is, unless it is given, `separating(N, √d, 2)`: 7.7 for 128 slots of 20 numbers and 12.9 for 10,000
    of 64. A pattern of ±1 has length √d, and two different ones are at least 2 apart, so Ramsauer's condition holds
    whichever are stored, even two that differ in a single place. What comes back is the pattern with the largest dot
    product, and hardly any gradient reaches the weights. Random ±1 patterns of 64 numbers are some 20 apart: a β from ½
    on retrieves them as well, and is smoother. Ten thousand random patterns of unit length need 32.

    Args:
        settings: Of these, memory_size is N and memory_dim is d; inputs are d + 1 and outputs d.
        key_strength: β, above 0; None derives it.

    Raises:
        InvalidArgument: The sizes do not fit together, or β is out of range.
    """

    first_patterns: Tensor
    slots: Tensor

    def __init__(self, settings: MachineSettings, key_strength: float | None = None) -> None:
        super().__init__(settings.inputs, settings.outputs)
        n, d = settings.memory_size, settings.memory_dim
        if (settings.inputs, settings.outputs) != (d + 1, d):
            raise InvalidArgument(
                f"a memory of patterns of {d} numbers has {d + 1} inputs and {d} outputs, "
                f"not {settings.inputs} and {settings.outputs}",
                hint="Set inputs to memory_dim + 1 and outputs to memory_dim.",
            )
        self.key_strength = separating(n, math.sqrt(d), CLOSEST) if key_strength is None else key_strength  # β
        _check_positive("the key strength β", self.key_strength)
        self.register_buffer("first_patterns", torch.zeros(n, d), persistent=False)
        self.register_buffer("slots", torch.arange(n), persistent=False)

    def initial(self, batch: int) -> PatternState:
        """Return the state in which nothing is stored."""
        patterns = self.first_patterns.expand(batch, -1, -1)
        return PatternState(patterns, self.slots.new_zeros(batch), patterns[..., 0])

    def forward(
        self, x: Float[Tensor, "b inputs"], state: PatternState
    ) -> tuple[Float[Tensor, "b outputs"], PatternState]:
        """Take one step; see `Machine.forward`."""
        pattern, store = x[:, :-1], x[:, -1] > 0.5
        filled = self.slots < state.stored[:, None]
        scores = addressing.reads(pattern[:, None], state.patterns.mT)[:, 0]
        some = filled | (state.stored == 0)[:, None]  # a softmax over no slot is undefined
        weights = addressing.content(scores, self.key_strength, some) * filled
        here = store[:, None] & self._at(state.stored)
        patterns = torch.where(here[..., None], pattern[:, None], state.patterns)
        return addressing.read(weights, state.patterns), PatternState(patterns, state.stored + store, weights)

    def view(self, state: PatternState) -> View:
        """Return the patterns, where the last step read, and which slot was last stored in; see `Machine.view`."""
        last = self._at(state.stored - 1) & (state.stored > 0)[:, None]
        return View(state.patterns, state.weights[:, None], last[:, None].to(state.weights.dtype))

    def _at(self, count: Int[Tensor, "b"]) -> Tensor:
        """Return, as booleans over the slots, where pattern number `count` (from 0) is stored."""
        at: Tensor = self.slots == (count % len(self.slots))[:, None]
        return at


def _in_parts(law: Callable[[Tensor], Tensor], queries: Float[Tensor, "... d"], count: int) -> Tensor:
    """Apply a law to so many queries at a time that their scores over `count` patterns fit in `AT_ONCE`."""
    flat, size = queries.reshape(-1, queries.shape[-1]), max(1, AT_ONCE // count)
    results = torch.cat([law(flat[start : start + size]) for start in range(0, max(1, len(flat)), size)])
    return results.reshape(*queries.shape[:-1], *results.shape[1:])


def _check_positive(what: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise InvalidArgument(f"{what} is a number above 0, not {value!r}")
