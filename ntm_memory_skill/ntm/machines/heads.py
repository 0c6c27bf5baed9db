"""The heads: what the controller emits for each, and where that makes it look (Graves 2014, §3.2 and figure 2).

    k = tanh(o)        key, M numbers
    β = softplus(o)    key strength
    g = σ(o)           gate
    s = softmax(o)     shift over the offsets −R … R
    γ = 1 + softplus(o)  sharpening
    e = σ(o)           erase, of a write head: M numbers
    a = tanh(o)        add, of a write head: M numbers

Every o is a linear function of what the controller gives. All heads of a step address the same memory, the one that the
step before has left, so that no head waits for another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from ntm_memory_skill.ntm import addressing
from ntm_memory_skill.ntm.addressing import Stages
from ntm_memory_skill.ntm.machines.layers import emitting

HABITS = ("none", "sharp", "list")
"""What heads begin with.

"none": nothing, all is learnt.
"sharp": a key strength of 5, with which a key finds one row. From 0.7 it finds all of them alike, and that a head can
    jump by content is discovered late or never.
"list": sharp, too; the first write head goes on by one slot, all others look by content, and the last write head, where
    there are two or more, looks where the first read head does, so that what was read can be taken away: how a list is
    kept and searched. Without this, sorting was learnt by inserting, which is never exact.
"""


Match = Callable[[Tensor, Tensor], Tensor]
"""Takes keys ``(b, h, m)`` and rows ``(b, n, m)``; returns how well each key matches each row, ``(b, h, n)``."""


class Focus(NamedTuple):
    """What H heads are told to look for."""

    key: Float[Tensor, "b h m"]
    key_strength: Float[Tensor, "b h"]
    gate: Float[Tensor, "b h"]
    kernel: Float[Tensor, "b h width"]
    sharpening: Float[Tensor, "b h"]


class Change(NamedTuple):
    """What W write heads are told to do where they look."""

    erase: Float[Tensor, "b w m"]
    add: Float[Tensor, "b w m"]


class Heads(nn.Module):
    """The layer between a controller and its heads, read heads first.

    Args:
        features: Numbers that the controller gives.
        dimension: M, the length of a row.
        reading: Read heads.
        writing: Write heads.
        reach: R, how many slots the shift moves at most.
    """

    def __init__(self, features: int, dimension: int, reading: int, writing: int, reach: int) -> None:
        super().__init__()
        self.dimension = dimension
        self.count = reading + writing
        self.writing = writing
        self.sizes = [dimension, 1, 1, 2 * reach + 1, 1]  # k, β, g, s, γ
        self.emit = emitting(features, self.count * sum(self.sizes) + writing * 2 * dimension)

    def begin_with(self, habits: str) -> None:
        """Give the heads something to start from; see `HABITS`."""
        with torch.no_grad():
            focusing = self.count * sum(self.sizes)
            biases = self.emit.bias[:focusing].view(self.count, -1)
            strength, gate, kernel, sharpening = torch.split(biases[:, self.dimension :], self.sizes[1:], dim=-1)
            if habits != "none":
                strength.fill_(5.0)
            if habits == "list":
                gate.fill_(3.0)
                sharpening.fill_(2.0)
                appending = self.count - self.writing
                gate[appending] = -4.0
                kernel[appending, self.sizes[3] // 2 + 1] = 4.0
                sharpening[appending] = 4.0
                if self.writing > 1:
                    self._follow(focusing)

    def _follow(self, focusing: int) -> None:
        """Let the last write head look where the first read head does, and do little there for the time being."""
        weights = self.emit.weight[:focusing].view(self.count, sum(self.sizes), -1)
        biases = self.emit.bias[:focusing].view(self.count, -1)
        weights[-1], biases[-1] = weights[0], biases[0]
        self.emit.bias[-2 * self.dimension : -self.dimension] = -1.0  # erase
        self.emit.weight[-self.dimension :] *= 0.1  # add

    def forward(self, features: Float[Tensor, "b features"]) -> tuple[Focus, Change]:
        """Return what each head is to look for, and what each write head is to do there."""
        out = self.emit(features)
        focusing = self.count * sum(self.sizes)
        k, beta, g, s, gamma = torch.split(out[:, :focusing].unflatten(1, (self.count, -1)), self.sizes, dim=-1)
        changing = out[:, focusing:].unflatten(1, (self.writing, 2, self.dimension))
        focus = Focus(
            key=torch.tanh(k),
            key_strength=softplus(beta[..., 0]),
            gate=torch.sigmoid(g[..., 0]),
            kernel=torch.softmax(s, dim=-1),
            sharpening=1 + softplus(gamma[..., 0]),
        )
        return focus, Change(erase=torch.sigmoid(changing[:, :, 0]), add=torch.tanh(changing[:, :, 1]))


def look(
    focus: Focus,
    memory: Float[Tensor, "b n m"],
    previous: Float[Tensor, "b h n"],
    match: Match = addressing.similarities,
) -> Stages:
    """Return where each head looks: content, gate, circular shift, sharpening; each stage of shape ``(b, h, n)``."""
    content = addressing.content(match(focus.key, memory), focus.key_strength)
    gated = addressing.interpolate(content, previous, focus.gate)
    shifted = addressing.shift(gated, focus.kernel)
    return Stages(content, gated, shifted, addressing.sharpen(shifted, focus.sharpening))
