"""Memory networks that learn to answer questions: end-to-end (Sukhbaatar et al. 2015), key-value (Miller et al. 2016).

    p_i = softmax(uᵀ m_i)      o = Σ_i p_i c_i                       read()      Sukhbaatar 2015, eq. 1 and 2
    u^{k+1} = u^k + o^k                                              adjacent    eq. 4
    u^{k+1} = H u^k + o^k                                            layer-wise  section 2.2
    q_{j+1} = R_j (q_j + o_j)                                        key-value   Miller 2016, section 3.1
    answer = argmax W u^{K+1}                                                    eq. 3
    u^{k+1} ← u^{k+1} + V^k ReLU(U^k [u^k; o^k; u^k ∘ o^k] + b^k)    Comparison  ours, where there are hidden units

m_i is memory i as it is addressed, c_i as it is read, u (q) what is asked. Adjacent: A^{k+1} = C^k, B = A^1, Wᵀ = C^K.
With temporal encoding the vector of the memory's age is added to m_i and c_i. In the linear start p_i = uᵀ m_i.

The law: an answer depends on the question and on the memories that are present, and in evaluation on nothing else.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding

from ntm_memory_skill.memnet.encoding import encode
from ntm_memory_skill.memnet.settings import NetworkSettings
from ntm_memory_skill.memnet.stories import Batch, with_empty_memories

WAVES = 25
"""Frequencies that first ages are mixed from, each as a sine and a cosine."""


class Answer(NamedTuple):
    """What a network makes of B questions over N memories in K hops, V words to answer with."""

    scores: Float[Tensor, "b v"]
    """Logits of the words. The marks for no and for unknown words are among them."""
    weights: Float[Tensor, "b k n"]
    """p: where each hop read, the latest memory first. They sum to 1, but not in the linear start."""


def read(
    keys: Float[Tensor, "b n d"],
    values: Float[Tensor, "b n d"],
    query: Float[Tensor, "b d"],
    present: Bool[Tensor, "b n"],
    *,
    linear: bool = False,
) -> tuple[Float[Tensor, "b d"], Float[Tensor, "b n"]]:
    """Return what one hop reads, and where (Sukhbaatar 2015, eq. 1 and 2).

    Args:
        keys: m_i.
        values: c_i.
        query: u.
        present: Which memories there are, at least one for each question; others weigh nothing.
        linear: Whether to leave out the softmax (section 4.1, linear start).
    """
    scores = torch.einsum("bnd,bd->bn", keys, query)
    weights = scores * present if linear else torch.softmax(scores.masked_fill(~present, -torch.inf), dim=1)
    return torch.einsum("bn,bnd->bd", weights, values), weights


class Comparison(nn.Module):
    """A layer that compares what was asked in a hop with what was found: V ReLU(U [u; o; u ∘ o] + b).

    Sums of embeddings alone cannot tell whether two places are the same one, which yes and no depend on. V begins as 0,
    so that a network begins as it is without. This layer is in neither paper.

    Args:
        dimension: d.
        hidden: Units, 1 and up.
        dropout: Share of units set to 0 in training.
    """

    def __init__(self, dimension: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.up = nn.Linear(3 * dimension, hidden)  # U, b
        self.down = nn.Linear(hidden, dimension, bias=False)  # V
        nn.init.zeros_(self.down.weight)

    def forward(
        self, asked: Float[Tensor, "b d"], found: Float[Tensor, "b d"], rng: torch.Generator | None
    ) -> Float[Tensor, "b d"]:
        """Return what is added to u^{k+1}; without random numbers no unit is dropped."""
        units = torch.relu(self.up(torch.cat([asked, found, asked * found], dim=1)))
        if rng is not None and self.dropout:
            units = units * (torch.rand(units.shape, generator=rng) >= self.dropout) / (1 - self.dropout)
        compared: Tensor = self.down(units)
        return compared


class MemoryNetwork(nn.Module, ABC):
    """A network that reads memory in several hops and answers with one word of its vocabulary.

    Args:
        settings: Sizes.
        embeddings: How many embeddings a word has.
        aged: How many embeddings of a memory have an age added to them.
    """

    def __init__(self, settings: NetworkSettings, embeddings: int, aged: int) -> None:
        super().__init__()
        self.settings = settings
        v, d, spread = settings.words, settings.dimension, settings.spread
        self.embeddings = nn.Parameter(torch.randn(v, embeddings, d) * spread)
        ages = first_ages(settings.capacity, aged * d).view(-1, aged, d) * spread
        self.ages = nn.Parameter(ages if settings.temporal else ages[:0])  # T_A and T_C, age 0 is the latest memory's
        compared = settings.hops if settings.hidden else 0
        self.comparisons = nn.ModuleList(Comparison(d, settings.hidden, settings.dropout) for _ in range(compared))

    def forward(self, batch: Batch, *, linear: bool = False, rng: torch.Generator | None = None) -> Answer:
        """Answer questions.

        Args:
            batch: At least one memory for each question and at most `capacity`.
            linear: Whether hops read without a softmax.
            rng: Random numbers for empty memories and for dropout. Both are of training mode alone, and without random
                numbers there is neither.
        """
        noise = rng if self.training else None
        if noise is not None and self.settings.noise:
            batch = with_empty_memories(batch, self.settings.noise, self.settings.capacity, noise)
        query, weights = self._asked(batch.questions), []
        for hop, (keys, values) in enumerate(self._memories(batch)):
            found, where = read(keys, values, query, batch.present, linear=linear)
            following = self._next(hop, query, found)
            query = following + self.comparisons[hop](query, found, noise) if self.comparisons else following
            weights.append(where)
        return Answer(query @ self._answers().T, torch.stack(weights, dim=1))

    @abstractmethod
    def _asked(self, questions: Int[Tensor, "b q"]) -> Float[Tensor, "b d"]:
        """Return u^1."""

    @abstractmethod
    def _memories(self, batch: Batch) -> list[tuple[Float[Tensor, "b n d"], Float[Tensor, "b n d"]]]:
        """Return m and c of each hop."""

    @abstractmethod
    def _next(self, hop: int, query: Float[Tensor, "b d"], found: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """Return u^{k+1}; hops are counted from 0."""

    @abstractmethod
    def _answers(self) -> Float[Tensor, "v d"]:
        """Return W."""

    def _encoded(self, texts: Int[Tensor, "t j"], first: int, last: int) -> Float[Tensor, "t m d"]:
        """Return each text's vector in the embeddings from `first` up to, not including, `last`."""
        return encode(texts, self.embeddings[:, first:last], position=self.settings.encoding == "position")

    def _aged(self, vectors: Float[Tensor, "b n m d"], first: int = 0) -> Float[Tensor, "b n m d"]:
        """Return memories' vectors with their age added, in the embeddings from `first` on."""
        if not self.settings.temporal:
            return vectors
        return vectors + self.ages[: vectors.shape[1], first : first + vectors.shape[2]]


def first_ages(capacity: int, numbers: int) -> Float[Tensor, "capacity numbers"]:
    """Return what ages begin as: random mixes of waves, each number with mean 0 and variance 1.

    The waves are 2π to 2π · capacity ages long, so that ages near each other begin alike, and what is learnt of one
    says something about its neighbours; training is free to tell them apart.
    """
    frequencies = torch.logspace(0, -math.log10(capacity), WAVES)
    phases = torch.arange(capacity)[:, None] * frequencies
    return torch.cat([phases.sin(), phases.cos()], dim=1) @ torch.randn(2 * WAVES, numbers) / math.sqrt(WAVES)


class EndToEnd(MemoryNetwork):
    """The end-to-end memory network: what is addressed and what is read are two embeddings of the same sentence."""

    def __init__(self, settings: NetworkSettings) -> None:
        self.adjacent = settings.tying == "adjacent"
        if self.adjacent:  # A^1 = B, C^1 = A^2, …, C^K = Wᵀ
            super().__init__(settings, settings.hops + 1, settings.hops + 1)
        else:  # A, C, B, Wᵀ
            super().__init__(settings, 4, 2)
            self.between = nn.Linear(settings.dimension, settings.dimension, bias=False)  # H

    def _asked(self, questions: Int[Tensor, "b q"]) -> Float[Tensor, "b d"]:
        b = 0 if self.adjacent else 2
        return self._encoded(questions, b, b + 1)[:, 0]

    def _memories(self, batch: Batch) -> list[tuple[Float[Tensor, "b n d"], Float[Tensor, "b n d"]]]:
        vectors = embedding(batch.keys, self._encoded(batch.texts, 0, self.ages.shape[1]).flatten(1))
        each = self._aged(vectors.view(*batch.keys.shape, *self.ages.shape[1:])).unbind(dim=2)
        return list(pairwise(each)) if self.adjacent else [(each[0], each[1])] * self.settings.hops

    def _next(self, hop: int, query: Float[Tensor, "b d"], found: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:  # noqa: ARG002  # all hops are alike
        return (query if self.adjacent else self.between(query)) + found

    def _answers(self) -> Float[Tensor, "v d"]:
        return self.embeddings[:, -1]


class KeyValue(MemoryNetwork):
    """The key-value memory network: a memory is found by one text and gives another."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(settings, 2, 2)  # A for all texts, B for the answers
        d = settings.dimension
        self.between = nn.ModuleList(nn.Linear(d, d, bias=False) for _ in range(settings.hops))  # R_j

    def _asked(self, questions: Int[Tensor, "b q"]) -> Float[Tensor, "b d"]:
        return self._encoded(questions, 0, 1)[:, 0]

    def _memories(self, batch: Batch) -> list[tuple[Float[Tensor, "b n d"], Float[Tensor, "b n d"]]]:
        vectors = self._encoded(batch.texts, 0, 1)[:, 0]
        keys, values = (
            self._aged(embedding(rows, vectors)[:, :, None], first)[:, :, 0]
            for first, rows in enumerate((batch.keys, batch.values))
        )
        return [(keys, values)] * self.settings.hops

    def _next(self, hop: int, query: Float[Tensor, "b d"], found: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        following: Tensor = self.between[hop](query + found)
        return following

    def _answers(self) -> Float[Tensor, "v d"]:
        return self.embeddings[:, 1]


def build(settings: NetworkSettings, seed: int = 0) -> MemoryNetwork:
    """Return a network with first weights from a normal distribution, the same ones for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return KeyValue(settings) if settings.kind == "key-value" else EndToEnd(settings)
