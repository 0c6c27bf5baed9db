"""The memory-augmented network that writes where it was least recently used (Santoro et al. 2016, §3.2).

    h_t          = controller(x_t, r_{t−1});  k_t, β_t, α_t = heads(h_t), for each of H heads
    w_t^w        = σ(α_t) w_{t−1}^r + (1 − σ(α_t)) w_{t−1}^{lu}        write_where()
    M_t          = M_{t−1} ∘ (1 − Σ w_{t−1}^{lu}) + Σ w_t^w k_tᵀ       overwrite()
    w_t^r        = softmax_i( β_t cos(k_t, M_t(i)) )                   by content, as the Neural Turing Machine
    r_t          = Σ_i w_t^r(i) M_t(i)
    w_t^u        = γ w_{t−1}^u + Σ w_t^r + Σ w_t^w                     use()
    w_t^{lu}     = 1 at the H slots of smallest w_t^u, 0 elsewhere     least_used()
    y_t          = W [h_t, r_t] + b

Each head reads by its key and writes it: to where it read in the step before, or to a slot that was least used, which
is emptied before. With several heads the paper's w^{lu} has several ones; here the h-th of them, in the order of usage,
is the h-th head's, so that every write weighting stays one (no entry below 0, sum at most 1). The key strength β is an
addition: the paper's softmax has none, and over 128 cosines it can hardly tell one slot from the others.
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
from ntm_memory_skill.ntm.machines.controller import controller, seen
from ntm_memory_skill.ntm.machines.layers import emitting, first_rows, hold, saying
from ntm_memory_skill.ntm.machines.machine import Machine, View
from ntm_memory_skill.ntm.machines.settings import MachineSettings

DECAY = 0.95
"""γ: how much of the usage lasts one more step; after 14 steps half of it is left."""

SHARP = 10.0
"""β at the start, with which a key finds what is like it. From 0.7 it finds all slots alike, and nothing was learnt in
1,500 updates."""


class MANNState(NamedTuple):
    """All that a memory-augmented network remembers."""

    memory: Float[Tensor, "b n m"]
    usage: Float[Tensor, "b n"]
    """w^u, 0 and up. Only its order counts, so it has no gradient."""
    read_weights: Float[Tensor, "b h n"]
    write_weights: Float[Tensor, "b h n"]
    reads: Float[Tensor, "b h m"]
    controller: ControllerState


class MemoryAugmentedNetwork(Machine[MANNState]):
    """A controller and an N×M memory whose heads read by content and write where it was least recently used.

    Args:
        settings: Sizes, the controller's kind and what the memory starts as.

    Raises:
        InvalidArgument: The settings have not as many write heads as read heads.
    """

    first_memory: Tensor

    def __init__(self, settings: MachineSettings) -> None:
        if settings.num_read_heads != settings.num_write_heads:
            raise InvalidArgument(
                f"each head of a mann reads and writes, so {settings.num_read_heads} read head(s) do not go with "
                f"{settings.num_write_heads} write head(s)"
            )
        super().__init__(settings.inputs, settings.outputs)
        n, m, self.heads = settings.memory_size, settings.memory_dim, settings.num_read_heads
        self.controller = controller(settings.controller, settings.inputs + self.heads * m, settings.hidden)
        self.emit = emitting(settings.hidden, self.heads * (m + 2))  # k, β, α
        with torch.no_grad():
            self.emit.bias.view(self.heads, m + 2)[:, m] = SHARP
        self.out = saying(settings.hidden + self.heads * m, settings.outputs)
        hold(self, "first_memory", first_rows(settings.initialization, n, m))

    def initial(self, batch: int) -> MANNState:
        """Return the state before the first step: nothing has been read, written or used."""
        n, m = self.first_memory.shape
        zeros = self.first_memory.new_zeros
        return MANNState(
            memory=self.first_memory.expand(batch, -1, -1),
            usage=zeros(batch, n),
            read_weights=zeros(batch, self.heads, n),
            write_weights=zeros(batch, self.heads, n),
            reads=zeros(batch, self.heads, m),
            controller=self.controller.initial(batch),
        )

    def forward(self, x: Float[Tensor, "b inputs"], state: MANNState) -> tuple[Float[Tensor, "b outputs"], MANNState]:
        """Take one step; see `Machine.forward`."""
        features, steering = self.controller(seen(x, state.reads), state.controller)
        said = self.emit(features).unflatten(1, (self.heads, -1))
        keys, strengths, gates = torch.tanh(said[..., :-2]), softplus(said[..., -2]), torch.sigmoid(said[..., -1])
        least = least_used(state.usage, self.heads)
        write_weights = write_where(state.read_weights, least, gates)
        memory = overwrite(state.memory, least, write_weights, keys)
        read_weights = addressing.content(addressing.similarities(keys, memory), strengths)
        reads = addressing.reads(read_weights, memory)
        y = self.out(torch.cat([features, reads.flatten(1)], dim=1))
        usage = use(state.usage, read_weights.detach(), write_weights.detach())
        return y, MANNState(memory, usage, read_weights, write_weights, reads, steering)

    def view(self, state: MANNState) -> View:
        """Return the memory and where each head looked; see `Machine.view`."""
        return View(state.memory, state.read_weights, state.write_weights)


def least_used(usage: Float[Tensor, "... n"], heads: int) -> Float[Tensor, "... h n"]:
    """Return w^{lu}: for head h, 1 at the slot that is the h-th least used, and 0 elsewhere.

    Slots of equal usage come as they lie. There is no gradient.

    Args:
        usage: w^u.
        heads: H, from 1 to N.
    """
    order = usage.sort(dim=-1, stable=True).indices[..., :heads, None]
    return (order == torch.arange(usage.shape[-1], device=usage.device)).to(usage.dtype)


def write_where(
    read_weights: Float[Tensor, "... h n"], least: Float[Tensor, "... h n"], gates: Float[Tensor, "... h"]
) -> Float[Tensor, "... h n"]:
    """Return the write weightings w_t^w = σ(α) w_{t−1}^r + (1 − σ(α)) w_{t−1}^{lu}.

    Args:
        read_weights: w_{t−1}^r.
        least: w_{t−1}^{lu}.
        gates: σ(α), 0 to 1: 1 writes to where was read, 0 to what is least used.
    """
    weights: Tensor = addressing.interpolate(read_weights, least, gates)
    return weights


def overwrite(
    memory: Float[Tensor, "... n m"],
    least: Float[Tensor, "... h n"],
    write_weights: Float[Tensor, "... h n"],
    keys: Float[Tensor, "... h m"],
) -> Float[Tensor, "... n m"]:
    """Return the memory once the least used slots have been set to zero and every head has added its key.

    M_t(i) = M_{t−1}(i) (1 − Σ_h w_{t−1}^{lu,h}(i)) + Σ_h w_t^{w,h}(i) k_t^h.
    """
    kept = 1 - least.sum(dim=-2)
    return memory * kept[..., None] + torch.matmul(write_weights.mT, keys)


def use(
    usage: Float[Tensor, "... n"],
    read_weights: Float[Tensor, "... h n"],
    write_weights: Float[Tensor, "... h n"],
    decay: float = DECAY,
) -> Float[Tensor, "... n"]:
    """Return the usage w_t^u = γ w_{t−1}^u + Σ_h w_t^{r,h} + Σ_h w_t^{w,h}: what was touched of late counts most.

    Args:
        usage: w_{t−1}^u.
        read_weights: w_t^r.
        write_weights: w_t^w.
        decay: γ, 0 to 1.
    """
    return decay * usage + read_weights.sum(dim=-2) + write_weights.sum(dim=-2)
