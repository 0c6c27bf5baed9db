"""The graph: a union of what its memories say, so that one that is removed leaves nothing behind."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ntm_memory_skill.m3.graph.naming import Entity, entities, fold
from ntm_memory_skill.m3.graph.relating import SELF, Relation, relations

COMMON_SHARE, COMMON_LEAST = 0.05, 20
"""What more than 5 % of the memories speak of, and more than 20 of them, makes no two of them neighbours."""


class KnowledgeGraph:
    """Entities and relations of the memories that are in it, each with where it comes from."""

    def __init__(self) -> None:
        self._named: dict[str, dict[str, Entity]] = {}  # memory -> what it speaks of, folded
        self._said: dict[str, set[Relation]] = {}  # memory -> relations, folded
        self._speaking: dict[str, set[str]] = {}  # entity -> memories
        self._sources: dict[Relation, set[str]] = {}
        self._edges: dict[str, set[Relation]] = {}  # entity -> relations that begin or end there

    def add(self, memory: str, text: str, speaker: str | None = None) -> None:
        """Take in a memory, in the place of what stood under its id."""
        self.remove(memory)
        named, told = {fold(entity.name): entity for entity in entities(text)}, relations(text, speaker)
        for end in (end for relation in told for end in (relation.subject, relation.object) if end != SELF):
            named.setdefault(fold(end), Entity(end, "thing"))
        self._named[memory], self._said[memory] = named, {_folded(relation) for relation in told}
        for name in named:
            self._speaking.setdefault(name, set()).add(memory)
        for edge in self._said[memory]:
            self._sources.setdefault(edge, set()).add(memory)
            for end in (edge.subject, edge.object):
                self._edges.setdefault(end, set()).add(edge)

    def remove(self, memory: str) -> None:
        """Take out a memory, and what no other tells of; one that is not there is ignored."""
        for name in self._named.pop(memory, {}):
            _drop(self._speaking, name, memory)
        for edge in self._said.pop(memory, ()):
            _drop(self._sources, edge, memory)
            if edge not in self._sources:
                for end in {edge.subject, edge.object}:
                    _drop(self._edges, end, edge)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many memories, entities and relations there are."""
        return len(self._named), len(self._speaking), len(self._sources)

    def edges_of(self, entity: str | None = None) -> tuple[Relation, ...]:
        """Return the relations that begin or end at an entity, its name in any form, or all of them; in order."""
        return self._written(self._sources if entity is None else self._edges.get(fold(entity), ()))

    def sources(self, edge: Relation) -> tuple[str, ...]:
        """Return the ids of the memories that tell of a relation, ascending; none for one that nobody tells of."""
        return tuple(sorted(self._sources.get(_folded(edge), ())))

    def memories_of(self, entity: str) -> tuple[str, ...]:
        """Return the ids of the memories that speak of an entity, ascending; its name in any form."""
        return tuple(sorted(self._speaking.get(fold(entity), ())))

    def neighbours(self, memory: str) -> dict[str, float]:
        """Return the memories that speak of something that this one speaks of as well, with a weight, greatest first.

        The weight is Σ ln(N / n) / ln N over what both speak of, N memories in all, n of them speaking of it: 0 and up,
        each shared entity at most 1. Amounts count for nothing, nor does what is common (`COMMON_SHARE`).
        """
        weights: dict[str, list[float]] = {}
        total = len(self._named)
        for name, entity in self._named.get(memory, {}).items():
            speaking = self._speaking[name]
            if entity.kind != "amount" and 1 < len(speaking) <= max(COMMON_SHARE * total, COMMON_LEAST):
                for other in speaking - {memory}:
                    weights.setdefault(other, []).append(math.log(total / len(speaking)) / math.log(total))
        sums = {other: math.fsum(each) for other, each in weights.items()}
        return dict(sorted(((o, w) for o, w in sums.items() if w > 0), key=lambda item: (-item[1], item[0])))

    def _shown(self, name: str) -> str:
        """Return a name as it is written most often; of equals the first by its characters."""
        forms = Counter(self._named[memory][name].name for memory in self._speaking[name])
        return min(forms.items(), key=lambda item: (-item[1], item[0]))[0]

    def _written(self, edges: Iterable[Relation]) -> tuple[Relation, ...]:
        names = {end for edge in edges for end in (edge.subject, edge.object)}
        shown = {name: SELF if name == fold(SELF) else self._shown(name) for name in names}
        return tuple(Relation(shown[e.subject], e.predicate, shown[e.object]) for e in sorted(edges))


def _folded(relation: Relation) -> Relation:
    return Relation(fold(relation.subject), relation.predicate.casefold(), fold(relation.object))


def _drop(sets: dict[Any, set[Any]], key: Any, value: Any) -> None:
    sets[key].discard(value)
    if not sets[key]:
        del sets[key]
