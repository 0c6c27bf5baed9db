"""The Neural Turing Machine (Graves, Wayne & Danihelka 2014).

    h_t          = controller(x_t, r_{t−1})
    w_t          = addressing(heads(h_t), M_{t−1}, w_{t−1})     every read and write head
    r_t          = Σ_i w_t(i) M_{t−1}(i)                        eq. 2
    M_t          = M_{t−1} ∘ Π(1 − w_t e_t) + Σ w_t a_t         eq. 3 and 4, over the write heads
    y_t          = c (W [h_t, r_t] + b)                         c: 1, or exp(10 o), o learned

Reading and writing happen side by side: what a step writes, the next can read.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntm_memory_skill.ntm import addressing
from ntm_memory_skill.ntm.controller import State as ControllerState
from ntm_memory_skill.ntm.machines.controller import controller, seen
from ntm_memory_skill.ntm.machines.heads import Heads, Match, look
from ntm_memory_skill.ntm.machines.layers import first_rows, hold, saying
from ntm_memory_skill.ntm.machines.machine import Machine, View
from ntm_memory_skill.ntm.machines.settings import MachineSettings

AT_THE_FIRST = 10.0
"""Logit of slot 0 in the heads' first weighting, against 0 elsewhere. Starting on one slot is what lets a machine find
that it can move along the memory; from a uniform start the copy task was not learnt in twice the time."""
HASTE = 10.0  # how much faster than any other number the scale of the outputs is learned
SMALL = 0.01  # standard deviation of the first read vectors, which are learned


class TuringState(NamedTuple):
    """All that a Neural Turing Machine remembers."""

    memory: Float[Tensor, "b n m"]
    weights: Float[Tensor, "b h n"]
    """Where each head looked last; read heads first."""
    reads: Float[Tensor, "b r m"]
    controller: ControllerState


class NeuralTuringMachine(Machine[TuringState]):
    """A controller, heads and an N×M memory, batched over sequences.

    Args:
        settings: Sizes, the controller's kind and what the memory starts as.
    """

    first_memory: Tensor

    def __init__(self, settings: MachineSettings) -> None:
        super().__init__(settings.inputs, settings.outputs)
        n, m, self.reading = settings.memory_size, settings.memory_dim, settings.num_read_heads
        seeing = settings.inputs + self.reading * m
        self.controller = controller(settings.controller, seeing, settings.hidden, settings.forget_bias)
        self.heads = Heads(settings.hidden, m, self.reading, settings.num_write_heads, settings.reach)
        self.heads.begin_with(settings.habits)
        self.out = saying(settings.hidden + self.reading * m, settings.outputs)
        self.log_scale = nn.Parameter(torch.zeros(())) if settings.scaled else None
        first = torch.zeros(self.heads.count, n)
        first[:, 0] = AT_THE_FIRST
        self.first_weights = nn.Parameter(first)
        self.match: Match = addressing.similarities
        """What compares keys with rows; a crossbar may be put in its place once the machine is trained."""
        self.first_reads = nn.Parameter(SMALL * torch.randn(self.reading, m))
        hold(self, "first_memory", first_rows(settings.initialization, n, m))

    def initial(self, batch: int) -> TuringState:
        """Return the state before the first step: each part is learned, or as the initialization says."""
        return TuringState(
            memory=self.first_memory.expand(batch, -1, -1),
            weights=torch.softmax(self.first_weights, dim=-1).expand(batch, -1, -1),
            reads=self.first_reads.expand(batch, -1, -1),
            controller=self.controller.initial(batch),
        )

    def forward(
        self, x: Float[Tensor, "b inputs"], state: TuringState
    ) -> tuple[Float[Tensor, "b outputs"], TuringState]:
        """Take one step; see `Machine.forward`."""
        features, steering = self.controller(seen(x, state.reads), state.controller)
        focus, change = self.heads(features)
        weights = look(focus, state.memory, state.weights, self.match).sharpened
        reads = addressing.reads(weights[:, : self.reading], state.memory)
        memory = addressing.writes(state.memory, weights[:, self.reading :], change.erase, change.add)
        y = self.out(torch.cat([features, reads.flatten(1)], dim=1))
        if self.log_scale is not None:
            y = torch.exp(HASTE * self.log_scale) * y
        return y, TuringState(memory, weights, reads, steering)

    def view(self, state: TuringState) -> View:
        """Return the memory and where each head looked; see `Machine.view`."""
        return View(state.memory, state.weights[:, : self.reading], state.weights[:, self.reading :])
