"""The controller: what steers the heads, as pure functions of its weights (Graves 2014, §3.4).

It sees a vector of statistics of the question and of the memory, never a text and never an answer, and says how far
each parameter of each head departs from its default. Its output layer starts at zero, or close to it, so a controller
that has learnt nothing is the default head.

    linear         o = W x + b
    feedforward    o = W tanh(V x + a) + b
    lstm           i, f, c̃, o' = V x + U h + a;  c = σ(f) c + σ(i) tanh(c̃);  h = σ(o') tanh(c);  o = W h + b

The LSTM (Hochreiter & Schmidhuber 1997) carries its state from one recall of a chat to the next.

    weights of the terms    ω = ω₀ + trust · o              any sign
    key strength            β = β₀ exp(o)
    gate                    g = σ(logit g₀ + o)
    kernel                  s = softmax(ln s₀ + o)
    sharpening              γ = 1 + (γ₀ − 1) exp(o)
    length ratio            ρ = ρ₀ exp(o)

Every o is first multiplied by the controller's `scale`, 0 to 1: at 0 it is the default head, whatever it has learnt.
A gate of 0 or 1 and a share of 0 count as 1e-8 away from that, so that they can be moved at all.
Written over the array API like the addressing itself: torch trains it, numpy runs it where torch is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ntm_memory_skill.ntm.addressing import EPSILON, Array
from ntm_memory_skill.ntm.head import HeadParameters, Steering
from ntm_memory_skill.ntm.namespaces import array_namespace

CONTROLLERS = ("linear", "feedforward", "lstm")
INITIALIZATIONS = ("constant", "small_random", "learned")
SMALL = 0.01  # standard deviation of a small random start
FAR = 3.0  # standard deviations: statistics beyond are taken as that far, so that a strange memory steers no further
FARTHEST = 2.0  # how far an exponent may go: parameters change by a factor of e² at most
OVERWHELMING = 1000.0  # the same for the kernel's: no share has any say beside one that is e to this as large

Weights = Mapping[str, Array]


class State(NamedTuple):
    """What an LSTM remembers between two recalls of a chat; other controllers have none."""

    hidden: Array
    cell: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerShape:
    """How large a controller is. Raises ValueError where a kind or a size is none."""

    kind: str
    """"linear", "feedforward" or "lstm"."""
    inputs: int
    """Statistics, 1 and up."""
    terms: int
    """Terms of the content score, 1 and up."""
    heads: int
    """Read heads, 1 and up."""
    width: int
    """Of the shift kernel: 2R + 1, so odd."""
    hidden: int = 16
    """Units of the hidden layer, or of the LSTM; 1 and up."""

    def __post_init__(self) -> None:
        if self.kind not in CONTROLLERS:
            raise ValueError(f"a controller is one of {', '.join(CONTROLLERS)}, not {self.kind!r}")
        sizes = (self.inputs, self.terms, self.heads, self.width, self.hidden)
        if not all(isinstance(size, int) and size >= 1 for size in sizes):  # they may come from a file
            raise ValueError(f"a controller's sizes are whole numbers from 1 up, not {sizes}")
        if self.width % 2 == 0:
            raise ValueError(f"a shift kernel has odd width (offsets -R to R), not {self.width}")

    @property
    def emitted(self) -> int:
        """Numbers that one head needs: its terms' weights, its kernel, β, g, γ and the length ratio."""
        return self.terms + self.width + 4

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each weight."""
        out = self.heads * self.emitted
        if self.kind == "linear":
            return {"W": (self.inputs, out), "b": (out,)}
        if self.kind == "feedforward":
            return {"V": (self.inputs, self.hidden), "a": (self.hidden,), "W": (self.hidden, out), "b": (out,)}
        gates = 4 * self.hidden
        recurrent = {"V": (self.inputs, gates), "U": (self.hidden, gates), "a": (gates,)}
        return {**recurrent, "W": (self.hidden, out), "b": (out,)}


def initial(shape: ControllerShape, initialization: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the weights that training starts from.

    Args:
        shape: The controller's.
        initialization: "constant" starts exactly at the default head, "small_random" close to it, each head elsewhere.
            Hidden layers are random in both (Glorot & Bengio 2010): equal units would learn the same.
        rng: Where the random numbers come from.

    Raises:
        ValueError: The initialization is neither of the two.
    """
    if initialization not in {"constant", "small_random"}:
        raise ValueError(f"weights start from constant or small_random, not {initialization!r}")
    weights = {}
    for name, size in shape.sizes().items():
        if name in {"V", "U"}:
            bound = np.sqrt(6 / (size[0] + size[1]))
            weights[name] = rng.uniform(-bound, bound, size).astype(np.float32)
        elif name == "a" or initialization == "constant":
            weights[name] = np.zeros(size, np.float32)
        else:
            weights[name] = rng.normal(0, SMALL, size).astype(np.float32)
    return weights


def forward(
    shape: ControllerShape, weights: Weights, inputs: Float[Array, "... inputs"], state: State | None = None
) -> tuple[Float[Array, "... heads emitted"], State | None]:
    """Return what the controller says for one step, and its state afterwards.

    Args:
        shape: The controller's.
        weights: As `initial` lays them out.
        inputs: Statistics, standardised.
        state: An LSTM's state of the step before; None at the first.
    """
    xp = array_namespace(inputs)
    x = xp.clip(inputs, -FAR, FAR)
    if shape.kind == "lstm":
        state = lstm(weights, x, state)
        x = state.hidden
    elif shape.kind == "feedforward":
        x = xp.tanh(x @ weights["V"] + weights["a"])
    out = x @ weights["W"] + weights["b"]
    return xp.reshape(out, (*out.shape[:-1], shape.heads, shape.emitted)), state


def emit(
    said: Float[Array, "... heads emitted"],
    term_weights: Float[Array, "... terms"],
    trust: Float[Array, "... terms"],
    base: HeadParameters,
) -> tuple[Float[Array, "... heads terms"], Steering]:
    """Return the terms' weights and the parameters of each head: the defaults, moved by what the controller says.

    Args:
        said: The controller's output, already scaled.
        term_weights: ω₀: the default weight of each term for this question.
        trust: From 0 to 1: how far each term may be moved. 0 where the encoder cannot read the question.
        base: The default head.
    """
    xp = array_namespace(said)
    terms = term_weights.shape[-1]
    omega = term_weights[..., None, :] + trust[..., None, :] * said[..., :terms]
    rest = said[..., terms:]
    exponents = xp.clip(rest[..., -4:], -FARTHEST, FARTHEST)
    shares = xp.clip(rest[..., :-4], -OVERWHELMING, OVERWHELMING)
    kernel = xp.asarray(base.kernel, dtype=said.dtype)
    g = min(max(base.gate, EPSILON), 1 - EPSILON)
    return omega, Steering(
        key_strength=base.key_strength * xp.exp(exponents[..., 0]),
        gate=1 / (1 + xp.exp(-(float(np.log(g / (1 - g))) + exponents[..., 1]))),
        kernel=_softmax(xp, xp.log(kernel + EPSILON) + shares),
        sharpening=1 + (base.sharpening - 1) * xp.exp(exponents[..., 2]),
        length_ratio=_times(xp, base.length_ratio, xp.exp(exponents[..., 3])),
    )


def lstm(weights: Weights, x: Float[Array, "... inputs"], state: State | None) -> State:
    """Return an LSTM's state after one more step; before the first there is none, which is a state of zeros.

    Args:
        weights: V, shape ``(inputs, 4 units)``, U, ``(units, 4 units)``, and a, ``(4 units,)``; gates i, f, c̃, o'.
        x: What is seen in this step.
        state: The state of the step before.
    """
    xp = array_namespace(x)
    units = weights["U"].shape[0]
    if state is None:
        nothing = xp.zeros((*x.shape[:-1], units), dtype=x.dtype)
        state = State(nothing, nothing)
    gates = x @ weights["V"] + state.hidden @ weights["U"] + weights["a"]
    i, f, new, o = (gates[..., k * units : (k + 1) * units] for k in range(4))
    cell = _sigmoid(xp, f) * state.cell + _sigmoid(xp, i) * xp.tanh(new)
    return State(_sigmoid(xp, o) * xp.tanh(cell), cell)


def _sigmoid(xp: Any, values: Array) -> Array:
    return (1 + xp.tanh(values / 2)) / 2  # 1 / (1 + exp(−x)) overflows, and its gradient with it


def _softmax(xp: Any, values: Array) -> Array:
    exponentials = xp.exp(values - xp.max(values, axis=-1, keepdims=True))
    return exponentials / xp.sum(exponentials, axis=-1, keepdims=True)


def _times(xp: Any, value: float, factors: Array) -> Array:
    """Return value × factors; infinity stays infinite without a gradient, which would be 0 × ∞."""
    return value * factors if value < np.inf else xp.full_like(factors, np.inf)
