"""The network that steers a machine's heads: an LSTM, or one hidden layer without a memory of its own.

The LSTM is the one of `ntm.controller`, which steers the memory's head: one text of its equations, seen there by
questions and here by tasks.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.controller import FAR, State, lstm

MACHINE_CONTROLLERS = ("lstm", "feedforward")
OPEN = 1.0  # bias of a forget gate that starts open (Jozefowicz et al. 2015)
SMALL = 0.05  # standard deviation of the LSTM's first state, which is learned


class LSTMController(nn.Module):
    """An LSTM whose first state is learned.

    Args:
        inputs: Numbers that it sees in a step.
        hidden: Units, and numbers that it gives.
        forget_bias: Of the forget gate at the start.
    """

    def __init__(self, inputs: int, hidden: int, forget_bias: float = OPEN) -> None:
        super().__init__()
        self.hidden = hidden
        bound = 1 / math.sqrt(hidden)
        self.V = nn.Parameter(torch.empty(inputs, 4 * hidden).uniform_(-bound, bound))
        self.U = nn.Parameter(torch.empty(hidden, 4 * hidden).uniform_(-bound, bound))
        self.a = nn.Parameter(torch.zeros(4 * hidden))
        self.first = nn.Parameter(SMALL * torch.randn(2, hidden))
        with torch.no_grad():
            self.a[hidden : 2 * hidden] = forget_bias

    def initial(self, batch: int) -> State:
        """Return the first state for a batch of sequences."""
        return State(*self.first[:, None, :].expand(2, batch, self.hidden).unbind(0))

    def forward(self, x: Float[Tensor, "b inputs"], state: State) -> tuple[Float[Tensor, "b hidden"], State]:
        """Return what steers the heads, and the state afterwards."""
        state = lstm({"V": self.V, "U": self.U, "a": self.a}, x, state)
        return state.hidden, state


class FeedforwardController(nn.Module):
    """One hidden layer: whatever is remembered from one step to the next is in the memory (Graves 2014, §3.4).

    Args:
        inputs: Numbers that it sees in a step.
        hidden: Units, and numbers that it gives.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.V = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, hidden)))
        self.a = nn.Parameter(torch.zeros(hidden))

    def initial(self, batch: int) -> State:
        """Return a state that holds nothing."""
        nothing = self.a.new_zeros(batch, 0)
        return State(nothing, nothing)

    def forward(self, x: Float[Tensor, "b inputs"], state: State) -> tuple[Float[Tensor, "b hidden"], State]:
        """Return what steers the heads, and the empty state."""
        return torch.tanh(x @ self.V + self.a), state


def seen(x: Float[Tensor, "b inputs"], reads: Float[Tensor, "b r m"]) -> Float[Tensor, "b numbers"]:
    """Return what a controller sees in a step: the input, within ±`FAR`, and what its heads read in the step before."""
    return torch.cat([torch.clamp(x, -FAR, FAR), reads.flatten(1)], dim=1)


def controller(
    kind: str, inputs: int, hidden: int, forget_bias: float = OPEN
) -> LSTMController | FeedforwardController:
    """Make a controller: "lstm" or "feedforward". Raises InvalidArgument for another kind."""
    if kind == "lstm":
        return LSTMController(inputs, hidden, forget_bias)
    if kind == "feedforward":
        return FeedforwardController(inputs, hidden)
    raise InvalidArgument(f"a machine's controller is one of {', '.join(MACHINE_CONTROLLERS)}, not {kind!r}")
