"""How good one ranking is: functions of the refs that were found, best first, and of those that should be.

All are 0 to 1, and 1 is best. A memory is evidence or it is not (Manning, Raghavan & Schütze 2008, chapter 8).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Ranking = Sequence[str | None]
"""Refs, best first, none twice. None is a memory without one: it takes its place, and answers nothing."""
Metric = Callable[[Ranking, frozenset[str]], float]

NDCG_DEPTH = 10


def recall(ranking: Ranking, evidence: frozenset[str], depth: int) -> float:
    """Return the share of the evidence that is among the first `depth`."""
    return len(evidence.intersection(ranking[:depth])) / len(evidence)


def all_found(ranking: Ranking, evidence: frozenset[str], depth: int) -> float:
    """Return 1 if all evidence is among the first `depth`, else 0."""
    return float(evidence <= set(ranking[:depth]))


def any_found(ranking: Ranking, evidence: frozenset[str], depth: int) -> float:
    """Return 1 if some evidence is among the first `depth`, else 0."""
    return float(not evidence.isdisjoint(ranking[:depth]))


def reciprocal_rank(ranking: Ranking, evidence: frozenset[str]) -> float:
    """Return 1 over the place of the first evidence, from 1; 0 if there is none."""
    return next((1 / place for place, ref in enumerate(ranking, 1) if ref in evidence), 0.0)


def ndcg(ranking: Ranking, evidence: frozenset[str], depth: int = NDCG_DEPTH) -> float:
    """Return the discounted gain of the first `depth` as a share of the best possible (Järvelin & Kekäläinen 2002)."""
    gain = sum(_discount(place) for place, ref in enumerate(ranking[:depth], 1) if ref in evidence)
    return gain / sum(map(_discount, range(1, min(depth, len(evidence)) + 1)))


def metrics(depths: Sequence[int]) -> dict[str, Metric]:
    """Return all metrics by name: recall, all and any at each depth, then `mrr` and `ndcg@10`."""
    named: dict[str, Metric] = {}
    for name, metric in (("recall", recall), ("all", all_found), ("any", any_found)):
        for depth in depths:
            named[f"{name}@{depth}"] = _at(metric, depth)
    return {**named, "mrr": reciprocal_rank, f"ndcg@{NDCG_DEPTH}": ndcg}


def _at(metric: Callable[[Ranking, frozenset[str], int], float], depth: int) -> Metric:
    return lambda ranking, evidence: metric(ranking, evidence, depth)


def _discount(place: int) -> float:
    return 1 / math.log2(place + 1)
