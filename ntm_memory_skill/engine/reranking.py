"""The first hits in the order of a reranker, which reads the question and each of them together.

The law: it decides which of the candidates are given, and in which order, and nothing else. A hit keeps its score, the
weight that the head gave it, and its trace says what the reranker gave. Where the head looked, and so where the chat's
next recall starts, is none of its business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Self

import numpy as np

from ntm_memory_skill.encoder import Reranker, load_reranker
from ntm_memory_skill.engine.loading import BackgroundLoad
from ntm_memory_skill.engine.settings import Settings
from ntm_memory_skill.model import Hit, Query, indexed_text

Find = Callable[[Query], list[Hit]]


class Reranking:
    """A reranker, or none, between a search and its answer. It holds nothing of a memory: several may share one.

    Args:
        reranker: None leaves every answer as it is.
        candidates: How many of the first hits it reads, 1 and up; never fewer than are asked for.
        wait: Whether an answer waits for the model to load. If not, hits keep the head's order until it is there.
    """

    def __init__(self, reranker: Reranker | None, candidates: int, *, wait: bool = True) -> None:
        self._reranker = reranker
        self._candidates = candidates
        self._loading = None if wait or reranker is None else BackgroundLoad(reranker)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the settings describe; no model is loaded yet."""
        chosen = settings.reranker
        return cls(load_reranker(chosen), chosen.candidates, wait=not settings.answer_while_loading)

    def waiting(self) -> Reranking:
        """Return the same reranker, with answers that wait for its model."""
        return Reranking(self._reranker, self._candidates)

    @property
    def decides(self) -> bool:
        """Whether there is a reranker: then the order of the first hits is its business."""
        return self._reranker is not None

    @property
    def pending(self) -> bool:
        """Whether answers do without the reranker because its model is not there yet."""
        return self._loading is not None and self._reranker is not None and not self._reranker.ready

    def warm_up(self) -> None:
        """Load the model now, if there is one. Raises RerankerUnavailable."""
        if self._reranker is not None:
            self._reranker.warm_up()

    def best(self, query: Query, find: Find) -> list[Hit]:
        """Return the `top_k` hits for a query.

        Equal scores leave hits as they stand. Call it while nobody else has to wait: the model takes its time.

        Args:
            query: What is asked.
            find: Returns as many hits as a query asks for, in the head's order.

        Raises:
            RerankerUnavailable: The model cannot be loaded; or, where answers do not wait for it, could not be.
        """
        if self._reranker is None:
            return find(query)
        hits = find(replace(query, top_k=max(query.top_k, self._candidates)))
        if not hits or (self._loading is not None and self._loading.under_way()):
            return hits[: query.top_k]
        scores = self._reranker.scores(query.text, [indexed_text(hit.record.key, hit.content) for hit in hits])
        order = np.argsort(-scores, kind="stable")[: query.top_k]
        return [_scored(hits[place], float(scores[place])) for place in order]


def _scored(hit: Hit, score: float) -> Hit:
    return replace(hit, trace=replace(hit.trace, rerank=score))
