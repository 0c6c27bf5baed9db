"""The Differentiable Neural Computer (Graves et al. 2016, Nature 538:471–476, Methods).

    h_t          = controller(x_t, r_{t−1})
    ξ_t          = W_ξ h_t + b_ξ                              the interface, see Interface
    w_t          = g^w (g^a a_t + (1 − g^a) c_t)              to free slots or by content; see allocation.py
    M_t          = M_{t−1} ∘ (1 − w_t e_tᵀ) + w_t v_tᵀ
    w_t^r        = π[1] b_t^r + π[2] c_t^r + π[3] f_t^r       backward, by content, forward; R read heads
    r_t^r        = Σ_i w_t^r(i) M_t(i)
    y_t          = W [h_t, r_t] + b

It writes first, with its one write head, and reads what has then been written. Content weightings are the Neural Turing
Machine's. Everything starts at zero, but for the memory, which starts as the initialization says, and the controller.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm import addressing
from ntm_memory_skill.ntm.controller import State as ControllerState
from ntm_memory_skill.ntm.machines import allocation
from ntm_memory_skill.ntm.machines.controller import controller, seen
from ntm_memory_skill.ntm.machines.layers import emitting, first_rows, hold, saying
from ntm_memory_skill.ntm.machines.machine import Machine, View
from ntm_memory_skill.ntm.machines.settings import MachineSettings

MODES = 3  # backward, by content, forward


class DNCState(NamedTuple):
    """All that a Differentiable Neural Computer remembers."""

    memory: Float[Tensor, "b n m"]
    usage: Float[Tensor, "b n"]
    """u, 0 to 1: how much each slot is in use."""
    write_weights: Float[Tensor, "b n"]
    read_weights: Float[Tensor, "b r n"]
    precedence: Float[Tensor, "b n"]
    """p: to what degree each slot was the last written to."""
    links: Float[Tensor, "b n n"]
    """L[i, j]: to what degree slot i was written to right after slot j."""
    reads: Float[Tensor, "b r m"]
    controller: ControllerState


class Interface(NamedTuple):
    """What the heads are told in one step: ξ, each part in its range."""

    read_keys: Float[Tensor, "b r m"]
    read_strengths: Float[Tensor, "b r"]
    """1 + softplus(o), so 1 and up."""
    write_key: Float[Tensor, "b m"]
    write_strength: Float[Tensor, "b"]
    """1 + softplus(o), so 1 and up."""
    erase: Float[Tensor, "b m"]
    """e = σ(o)."""
    write_vector: Float[Tensor, "b m"]
    """v."""
    free_gates: Float[Tensor, "b r"]
    """f = σ(o)."""
    allocation_gate: Float[Tensor, "b"]
    """g^a = σ(o)."""
    write_gate: Float[Tensor, "b"]
    """g^w = σ(o)."""
    read_modes: Float[Tensor, "b r 3"]
    """π = softmax(o): backward, by content, forward."""


class DifferentiableNeuralComputer(Machine[DNCState]):
    """A controller and an N×M memory that knows which slots are free and in which order they were written to.

    Args:
        settings: Sizes, the controller's kind and what the memory starts as.

    Raises:
        InvalidArgument: The settings have more than one write head.
    """

    first_memory: Tensor

    def __init__(self, settings: MachineSettings) -> None:
        if settings.num_write_heads != 1:
            raise InvalidArgument(f"a dnc has one write head, not {settings.num_write_heads}")
        super().__init__(settings.inputs, settings.outputs)
        n, m, self.reading = settings.memory_size, settings.memory_dim, settings.num_read_heads
        self.controller = controller(settings.controller, settings.inputs + self.reading * m, settings.hidden)
        self.emit = emitting(settings.hidden, sum(parts(self.reading, m)))
        self.out = saying(settings.hidden + self.reading * m, settings.outputs)
        hold(self, "first_memory", first_rows(settings.initialization, n, m))

    def initial(self, batch: int) -> DNCState:
        """Return the state before the first step: nothing is in use, linked or read."""
        n, m = self.first_memory.shape
        zeros = self.first_memory.new_zeros
        return DNCState(
            memory=self.first_memory.expand(batch, -1, -1),
            usage=zeros(batch, n),
            write_weights=zeros(batch, n),
            read_weights=zeros(batch, self.reading, n),
            precedence=zeros(batch, n),
            links=zeros(batch, n, n),
            reads=zeros(batch, self.reading, m),
            controller=self.controller.initial(batch),
        )

    def forward(self, x: Float[Tensor, "b inputs"], state: DNCState) -> tuple[Float[Tensor, "b outputs"], DNCState]:
        """Take one step; see `Machine.forward`."""
        features, steering = self.controller(seen(x, state.reads), state.controller)
        told = interface(self.emit(features), self.reading, state.memory.shape[-1])
        usage, written = find_room(told, state)
        memory = addressing.writes(state.memory, written[:, None], told.erase[:, None], told.write_vector[:, None])
        links = allocation.link(state.links, written, state.precedence)
        read_weights = look(told, memory, links, state.read_weights)
        reads = addressing.reads(read_weights, memory)
        y = self.out(torch.cat([features, reads.flatten(1)], dim=1))
        precedence = allocation.precede(state.precedence, written)
        return y, DNCState(memory, usage, written, read_weights, precedence, links, reads, steering)

    def view(self, state: DNCState) -> View:
        """Return the memory and where each head looked; see `Machine.view`."""
        return View(state.memory, state.read_weights, state.write_weights[:, None])


def parts(reading: int, dimension: int) -> list[int]:
    """Return how many numbers each part of `Interface` takes, in its order, for R read heads and rows of M."""
    r, m = reading, dimension
    return [r * m, r, m, 1, m, m, r, 1, 1, r * MODES]


def interface(said: Float[Tensor, "b emitted"], reading: int, dimension: int) -> Interface:
    """Return the interface that R M + 3 M + 5 R + 3 numbers stand for, each part brought into its range.

    Args:
        said: The numbers, part after part as `Interface` lists them, head after head in each.
        reading: R, the number of read heads.
        dimension: M, the length of a row.
    """
    keys, strengths, key, strength, erase, vector, free, allocating, writing, modes = torch.split(
        said, parts(reading, dimension), dim=-1
    )
    return Interface(
        read_keys=keys.reshape(-1, reading, dimension),
        read_strengths=1 + softplus(strengths),
        write_key=key,
        write_strength=1 + softplus(strength[..., 0]),
        erase=torch.sigmoid(erase),
        write_vector=vector,
        free_gates=torch.sigmoid(free),
        allocation_gate=torch.sigmoid(allocating[..., 0]),
        write_gate=torch.sigmoid(writing[..., 0]),
        read_modes=torch.softmax(modes.reshape(-1, reading, MODES), dim=-1),
    )


def find_room(told: Interface, state: DNCState) -> tuple[Float[Tensor, "b n"], Float[Tensor, "b n"]]:
    """Return the usage u_t, with what the free gates give up, and the write weighting w_t that follows from it."""
    retention = allocation.retain(told.free_gates, state.read_weights)
    usage = allocation.use(state.usage, state.write_weights, retention)
    scores = addressing.similarity(told.write_key, state.memory)
    content = addressing.content(scores, told.write_strength)
    allocated = allocation.allocate(usage)
    return usage, allocation.write_where(content, allocated, told.allocation_gate, told.write_gate)


def look(
    told: Interface,
    memory: Float[Tensor, "b n m"],
    links: Float[Tensor, "b n n"],
    previous: Float[Tensor, "b r n"],
) -> Float[Tensor, "b r n"]:
    """Return where each read head looks: from where it looked before along the links, or by content."""
    forward, backward = allocation.follow(links, previous)
    content = addressing.content(addressing.similarities(told.read_keys, memory), told.read_strengths)
    return allocation.read_where(backward, content, forward, told.read_modes)
