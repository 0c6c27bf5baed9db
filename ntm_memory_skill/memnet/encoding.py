"""How a text becomes a vector: the sum of its words' embeddings, each weighed by where in the text it stands.

    m   = Σ_j l_j · A x_j                                            encode()    Sukhbaatar et al. 2015, section 4.1
    l_kj = (1 − j/J) − (k/d)(1 − 2j/J)                               position encoding; 1 for a bag of words

x_j is the j-th of the text's J words, k one of the embedding's d numbers; both are counted from 1. The weight of a word
is linear in k/d, so that the sum is that of two weighted bags, and no tensor of words times numbers is ever made:

    m_k = Σ_j (1 − j/J) A_k x_j  −  (k/d) Σ_j (1 − 2j/J) A_k x_j
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag

from ntm_memory_skill.memnet.stories import EMPTY


def encode(texts: Int[Tensor, "t j"], embeddings: Float[Tensor, "v m d"], *, position: bool) -> Float[Tensor, "t m d"]:
    """Return each text's vector in each of several embeddings.

    Args:
        texts: Words by index, EMPTY after the last.
        embeddings: A word's vector in each of M embeddings.
        position: Whether the order of words counts; else they are a bag.
    """
    v, m, d = embeddings.shape
    table = embeddings.reshape(v, m * d)
    words = texts != EMPTY
    whole = words.to(table.dtype)

    def bag(weights: Tensor) -> Tensor:
        total: Tensor = embedding_bag(texts, table, mode="sum", per_sample_weights=weights)
        return total.view(-1, m, d)

    if not position:
        return bag(whole)
    order = whole.cumsum(dim=1) / whole.sum(dim=1, keepdim=True).clamp(min=1)  # j/J
    depth = torch.arange(1, d + 1, dtype=table.dtype, device=table.device) / d  # k/d
    return bag((1 - order) * whole) - depth * bag((1 - 2 * order) * whole)
