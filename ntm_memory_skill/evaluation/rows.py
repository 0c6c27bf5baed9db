"""What is compared: ways to search the same memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from jaxtyping import Float

from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.engine import (
    AddressingSettings,
    Attention,
    NTMMemoryManager,
    ReasoningSettings,
    Reranking,
    Settings,
    TrainedHead,
)
from ntm_memory_skill.evaluation.metrics import Ranking
from ntm_memory_skill.memnet.trained import TrainedPolicy
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store import Store

Search = Callable[[str, int], Ranking]
"""Takes a question, and how many refs are wanted at most."""

RRF_CONSTANT = 60
ANYTHING = "?"
ONCE = ReasoningSettings(hops=1)
"""Reads once."""
CHAT = "evaluation"
BUDGET = 1_000_000  # characters: the most that a recall can be asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A memory with everything in it, before it is known how the head looks at it."""

    store: Store
    encoder: Encoder
    settings: Settings
    clock: Clock

    @contextmanager
    def open(
        self,
        addressing: AddressingSettings,
        reasoning: ReasoningSettings = ONCE,
        reranking: Reranking | None = None,
        head: TrainedHead | None = None,
        policy: TrainedPolicy | None = None,
    ) -> Iterator[NTMMemoryManager]:
        """Open it for a block; what the first search would have to make first is there.

        It looks with the trained head and hop policy that it is given, or as set; never with what the store keeps.
        """
        settings = replace(self.settings, addressing=addressing, reasoning=reasoning)
        with NTMMemoryManager(self.store, self.encoder, settings, clock=self.clock) as memory:
            memory.use_head(head)
            memory.use_hop_policy(policy)
            if reranking is not None:
                memory.reranking = reranking
            memory.warm_up()
            memory.attention(ANYTHING)
            yield memory


class Row(Protocol):
    """One line of a comparison."""

    @property
    def name(self) -> str:
        """For tables and options."""

    @property
    def about(self) -> str:
        """What it is, in a few words."""

    def open(self, filled: Filled) -> AbstractContextManager[Search]:
        """Give the search for a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """The product's own search with a head."""

    name: str
    about: str
    addressing: AddressingSettings
    reasoning: ReasoningSettings = ONCE
    """In how many hops it reads; once where nothing is said."""
    reranking: Reranking | None = None
    """Reads the first hits again; None leaves them as they are."""
    head: TrainedHead | None = None
    """None for the default one."""
    policy: TrainedPolicy | None = None
    """None for that of `reasoning`."""
    in_one_chat: bool = False
    """Whether the questions are asked one after another in one chat, by recall: only then does the gate have a past.
    Recall gives 20 memories at most."""

    @contextmanager
    def open(self, filled: Filled) -> Iterator[Search]:
        """Give the search for a block."""
        with filled.open(self.addressing, self.reasoning, self.reranking, self.head, self.policy) as memory:
            yield self._recall(memory) if self.in_one_chat else self._search(memory)

    @staticmethod
    def _search(memory: NTMMemoryManager) -> Search:
        return lambda text, depth: [hit.ref for hit in memory.search(text, top_k=depth)]

    @staticmethod
    def _recall(memory: NTMMemoryManager) -> Search:
        return lambda text, depth: [
            hit.ref for hit in memory.recall(text, session=CHAT, budget=BUDGET, top_k=depth).hits
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """Reciprocal rank fusion of several heads' rankings over all memories, each with the same say."""

    name: str
    about: str
    heads: tuple[AddressingSettings, ...]

    @contextmanager
    def open(self, filled: Filled) -> Iterator[Search]:
        """Give the search for a block."""
        with ExitStack() as stack:
            memories = [stack.enter_context(filled.open(head)) for head in self.heads]
            yield lambda text, depth: _fused([memory.attention(text) for memory in memories], depth)


def fuse(weights: Sequence[Float[np.ndarray, "n"]], constant: int = RRF_CONSTANT) -> Float[np.ndarray, "n"]:
    """Return Σ 1 / (constant + place) of each of n entries over several weightings (Cormack, Clarke & Büttcher 2009).

    Entries of equal weight share the best of their places: those that hold none of a question's words are all alike.
    """
    fused: Float[np.ndarray, "n"] = np.sum([1 / (constant + _places(each)) for each in weights], axis=0)
    return fused


def _places(weights: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    """Return 1 + how many weigh more, for each entry."""
    return 1.0 + len(weights) - np.searchsorted(np.sort(weights), weights, side="right")


def _fused(attentions: Sequence[Attention], depth: int) -> Ranking:
    refs: dict[int, str | None] = {}
    by_slot: list[dict[int, float]] = []
    for attention in attentions:
        refs.update((record.slot, record.ref) for record in attention.records)
        by_slot.append(
            {record.slot: weight for record, weight in zip(attention.records, attention.shifted, strict=True)}
        )
    slots = sorted(refs)
    scores = fuse([np.asarray([weights.get(slot, 0.0) for slot in slots]) for weights in by_slot])
    return [refs[slots[index]] for index in np.argsort(-scores, kind="stable")[:depth]]


_PLAIN = AddressingSettings(location=False, commonness=0.0, brevity=0.0, time=0.0)
COSINE = Addressed(
    name="cosine",
    about="meaning alone, what a vector memory does",
    addressing=replace(_PLAIN, lexical_share=0.0, unknown_tolerance=math.inf),
)
BM25 = Addressed(name="bm25", about="words alone", addressing=replace(_PLAIN, lexical_share=1.0))
RRF = Fused(
    name="rrf",
    about=f"cosine and bm25 by reciprocal rank fusion with equal weights, k = {RRF_CONSTANT}",
    heads=(COSINE.addressing, BM25.addressing),
)
DEFAULT = Addressed(
    name="default",
    about="the head with its default settings, in as many hops as a question needs",
    addressing=AddressingSettings(),
    reasoning=ReasoningSettings(),
)


def rows_for(
    settings: Settings, head: TrainedHead | None = None, policy: TrainedPolicy | None = None
) -> dict[str, Row]:
    """Return the rows that a user can choose from, by name.

    Args:
        settings: What they configured: a row of its own if it differs from the defaults.
        head: Their trained head, if there is one: in the last row, otherwise as configured.
        policy: Their trained hop policy, likewise.
    """
    rows: list[Row] = [COSINE, BM25, RRF, DEFAULT]
    plain = Settings()
    addressing = replace(settings.addressing, trained=plain.addressing.trained)  # each row's head is said outright
    reasoning = replace(settings.reasoning, trained=plain.reasoning.trained)
    differs = (addressing, reasoning, settings.reranker) != (plain.addressing, plain.reasoning, plain.reranker)
    own = partial(Addressed, addressing=addressing, reasoning=reasoning)
    reranking = Reranking.of(settings) if differs else None
    with_reranker = ", and its reranker" if settings.reranker.model else ""
    if differs:
        about = f"the head as clawhub.json sets it{with_reranker}"
        rows.append(own(name="configured", about=about, reranking=reranking))
    if head is not None or policy is not None:
        learnt = " and ".join(["head"] * (head is not None) + ["hop policy"] * (policy is not None))
        about = f"the {learnt} that was trained{with_reranker}"
        rows.append(own(name="trained", about=about, reranking=reranking, head=head, policy=policy))
    return {row.name: row for row in rows}
