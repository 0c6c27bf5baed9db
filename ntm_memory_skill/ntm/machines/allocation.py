"""How a Differentiable Neural Computer finds free slots and the order it wrote in, as pure functions.

The law: from weightings (no entry below 0, sum at most 1), a usage within [0, 1] and links that are zero on the
diagonal and whose rows and columns are weightings, comes more of the same. A slot that nothing holds is given out
before one in use, and the order of writing can be followed both ways.

The equations are those of Graves et al. 2016 (Nature 538:471–476, Methods), in the order of a step:

    ψ_t(i)    = Π_r (1 − f_t^r w_{t−1}^r(i))                                 retain()
    u_t       = (u_{t−1} + w_{t−1} − u_{t−1} ∘ w_{t−1}) ∘ ψ_t                 use()
    a_t[φ_j]  = (1 − u_t[φ_j]) Π_{i<j} u_t[φ_i]      φ: ascending usage      allocate()
    w_t       = g^w (g^a a_t + (1 − g^a) c_t)                                write_where()
    L_t[i,j]  = (1 − w_t(i) − w_t(j)) L_{t−1}[i,j] + w_t(i) p_{t−1}(j)       link()
    p_t       = (1 − Σ_i w_t(i)) p_{t−1} + w_t                               precede()
    f_t^r     = L_t w_{t−1}^r,   b_t^r = L_tᵀ w_{t−1}^r                      follow()
    w_t^r     = π^r[1] b_t^r + π^r[2] c_t^r + π^r[3] f_t^r                   read_where()

Each takes any number of leading batch dimensions, written ``...``; N is the number of slots, R that of read heads.
Nothing is modified in place.
"""

from __future__ import annotations

from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor

from ntm_memory_skill.ntm.addressing import EPSILON


def retain(free_gates: Float[Tensor, "... r"], read_weights: Float[Tensor, "... r n"]) -> Float[Tensor, "... n"]:
    """Return the retention ψ in [0, 1]: how much of each slot is kept by the read heads that were there.

    ψ(i) = Π_r (1 − f^r w^r(i)).
    """
    kept = 1 - free_gates[..., None] * read_weights
    return reduce(torch.mul, kept.unbind(dim=-2))  # the gradient of torch.prod looks for zeros, which costs more


def use(
    usage: Float[Tensor, "... n"], write_weights: Float[Tensor, "... n"], retention: Float[Tensor, "... n"]
) -> Float[Tensor, "... n"]:
    """Return the usage u_t in [0, 1]: what was written to is in use, what was given up is not.

    u_t = (u_{t−1} + w_{t−1} − u_{t−1} ∘ w_{t−1}) ∘ ψ_t.
    """
    return (usage + write_weights - usage * write_weights) * retention


def allocate(usage: Float[Tensor, "... n"]) -> Float[Tensor, "... n"]:
    """Return the allocation weighting a: the least used slot first, what it leaves to the next; all in use give none.

    a[φ_j] = (1 − u[φ_j]) Π_{i<j} u[φ_i], where φ lists the slots by ascending usage, and equal ones as they lie.
    The gradient is the one of the values; there is none of the order. A usage of 0 counts as 1e-8, so that the product
    can be taken in logarithms; its gradient there is finite and right.
    """
    order = usage.detach().sort(dim=-1, stable=True).indices  # φ
    ascending = EPSILON + (1 - EPSILON) * usage.gather(-1, order)
    logarithms = ascending.log()  # the gradient of torch.cumprod is a loop over slots once it is compiled
    left = torch.exp(logarithms.cumsum(dim=-1) - logarithms)
    return torch.zeros_like(usage).scatter(-1, order, (1 - ascending) * left)


def write_where(
    content: Float[Tensor, "... n"],
    allocated: Float[Tensor, "... n"],
    allocation_gate: Float[Tensor, "..."],
    write_gate: Float[Tensor, "..."],
) -> Float[Tensor, "... n"]:
    """Return the write weighting w = g^w (g^a a + (1 − g^a) c): to free slots or by content, and whether at all.

    Args:
        content: c, the content weighting of the write key.
        allocated: a, as `allocate` gives it.
        allocation_gate: g^a in [0, 1]; 1 writes to free slots alone.
        write_gate: g^w in [0, 1]; 0 writes nothing.
    """
    g = allocation_gate[..., None]
    return write_gate[..., None] * (g * allocated + (1 - g) * content)


def precede(precedence: Float[Tensor, "... n"], write_weights: Float[Tensor, "... n"]) -> Float[Tensor, "... n"]:
    """Return the precedence p_t = (1 − Σ_i w_t(i)) p_{t−1} + w_t: to what degree each slot was the last written to."""
    return (1 - write_weights.sum(dim=-1, keepdim=True)) * precedence + write_weights


def link(
    links: Float[Tensor, "... n n"], write_weights: Float[Tensor, "... n"], precedence: Float[Tensor, "... n"]
) -> Float[Tensor, "... n n"]:
    """Return the temporal links: L[i, j] is to what degree slot i was written to right after slot j; none to itself.

    L_t[i, j] = (1 − w_t(i) − w_t(j)) L_{t−1}[i, j] + w_t(i) p_{t−1}(j), and L_t[i, i] = 0.

    Args:
        links: L_{t−1}.
        write_weights: w_t.
        precedence: p_{t−1}, from before this write.
    """
    after, before = write_weights[..., :, None], write_weights[..., None, :]
    elsewhere = 1 - torch.eye(links.shape[-1], dtype=links.dtype, device=links.device)
    return ((1 - after - before) * links + after * precedence[..., None, :]) * elsewhere


def follow(
    links: Float[Tensor, "... n n"], read_weights: Float[Tensor, "... r n"]
) -> tuple[Float[Tensor, "... r n"], Float[Tensor, "... r n"]]:
    """Return what was written after what each head read, f = L w, and what was before it, b = Lᵀ w."""
    return torch.matmul(read_weights, links.mT), torch.matmul(read_weights, links)


def read_where(
    backward: Float[Tensor, "... r n"],
    content: Float[Tensor, "... r n"],
    forward: Float[Tensor, "... r n"],
    modes: Float[Tensor, "... r 3"],
) -> Float[Tensor, "... r n"]:
    """Return the read weightings w = π[1] b + π[2] c + π[3] f; the modes π of each head are a distribution."""
    back, by_content, onward = modes[..., None].unbind(dim=-2)  # π
    return back * backward + by_content * content + onward * forward
