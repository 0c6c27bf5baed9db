"""Further hops of the read head: from what was read first to what it leads to.

The question is addressed once as ever. What stands where the head looks most begins a chain. For each chain the memory
is asked again: for what the chain leaves of the question, in words and in meaning, for what its last memory names that
the question does not, and for what is linked with it (`memnet.hops` weighs these clues, and sets the bounds). The head
then addresses the memory anew, with all its stages. A question for several things of one kind needs no chain; it is
drawn to what those have told whom it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int64

from ntm_memory_skill.engine.naming import Name, Naming
from ntm_memory_skill.engine.recall import Focus, Sight, led, raised
from ntm_memory_skill.engine.settings import ReasoningSettings
from ntm_memory_skill.lexical import Asking
from ntm_memory_skill.m3 import spread
from ntm_memory_skill.memnet.hops import Chain, Claims, Clues, Column, Said, Trail, journey
from ntm_memory_skill.model import LEADS, Step
from ntm_memory_skill.ntm import Ground, Steering, addressing

STRONGEST = 6.0
"""Standard deviations that a factor of the joint clue counts at most."""
LIKELY = 64
"""Memories that match a chain's names best, and are compared with the rest of the question's meaning."""
SAMPLE = 256
"""Memories that tell what likeness to the rest of a question is usual."""
AUTOMATIC = 4
"""The most hops that are made unasked."""


@dataclass(frozen=True)
class Itinerary:
    """What was said on one journey, and what the heads saw before it: what training a hop policy learns from."""

    by_head: Float32[np.ndarray, "heads n"]
    """Content scores of the first hop."""
    heads: Steering
    ground: Ground
    """Without a conveyance: that is numpy's."""
    deviation: float
    """σ."""
    claims: Claims


class Journey:
    """What was read in hops, and how one thing led to the next.

    Args:
        seen: The memory, as the first hop sees it.
        settings: What clues weigh, and how many chains are followed.
    """

    def __init__(self, seen: Sight, settings: ReasoningSettings) -> None:
        self._projection, self._cue, self._first, self._settings = seen.projection, seen.cue, seen.focus, settings
        self._admitted = seen.focus.evidence.admitted
        self._deviation = float(seen.focus.scores[self._admitted].std()) or 1.0
        self._naming = Naming(seen.projection, seen.cue)
        self._trail = Trail(len(seen.projection), self._admitted)
        self._clues: dict[Chain, Clues] = {}

    def take(self, hops: int) -> Focus:
        """Read in hops, at most so many, and return where the heads look in the end."""
        first = looked = self._first

        def look(bonus: Column) -> Column:
            nonlocal looked
            looked = led(first, bonus)
            return np.asarray(looked.stages.shifted)

        def read(chains: list[Chain]) -> list[Said]:
            lasts = looked.scores[[chain[-1] for chain in chains]]
            ahead = np.maximum(lasts[:, None] - first.scores, 0) / np.float32(self._deviation)
            found = self._look_for(chains, ahead)
            self._clues.update(zip(chains, found, strict=True))
            added = [self._settings.policy.contributions(each) for each in found]
            return [Said.of(each, self._deviation, lower) for each, lower in zip(added, ahead > 0, strict=True)]

        weights = np.asarray(first.stages.shifted)
        journey(self._trail, weights, read, look, hops=hops, beam=self._settings.beam)
        return looked

    def steps(self, slot: int) -> tuple[Step, ...]:
        """Return the memories that led to one, in the order of reading; none where it was found at once."""
        chain = self._trail.chain(slot)
        return tuple(self._step(chain[:place], chain[place]) for place in range(1, len(chain)))

    def itinerary(self) -> Itinerary:
        """Return what was said on the way."""
        first = self._first
        ground = first.ground._replace(conveyance=None)
        if ground.sources is not None:
            ground = ground._replace(relative_lengths=self._projection.derived.relative_lengths)
        return Itinerary(first.by_head, first.heads, ground, self._deviation, self._trail.claims(self._clues))

    def _step(self, chain: Chain, to: int) -> Step:
        """Return why a chain led to a memory."""
        said = self._settings.policy.contributions(Clues(*(values[[to]] for values in self._clues[chain])))
        amounts = {name: values.item() for name, values in said._asdict().items()}
        by = max(LEADS, key=lambda name: amounts[name])
        last = chain[-1]
        return Step(self._projection.record(last).id, by, self._naming.shared(last, to), sum(amounts.values()))

    def _look_for(self, chains: list[Chain], ahead: Float32[np.ndarray, "chains n"]) -> list[Clues]:
        """Return what each of some chains says for each memory.

        Args:
            chains: What was read.
            ahead: How far each one's last memory's score is above each other's, in standard deviations, 0 and up.
        """
        lexical, size = self._projection.lexical, len(self._projection)
        names = [self._naming.names(chain[-1]) for chain in chains]
        rest = np.stack([lexical.match(self._rest(chain), size).scores for chain in chains])
        brought = np.stack([lexical.match(_terms(each), size).scores for each in names])
        joint = np.clip(addressing.standardize(brought, self._admitted), 0, STRONGEST)
        some = np.unique(np.argpartition(-joint, min(LIKELY, size) - 1, axis=1)[:, :LIKELY])
        meant = np.zeros_like(joint)
        meant[:, some] = self._meant(chains, some)
        words = addressing.standardize(rest, self._admitted)
        found = []
        for place, chain in enumerate(chains):
            called = (slot for name in names[place] for slot in self._projection.labels.called(name.text))
            clues = Clues(
                words=words[place],
                joint=joint[place] * meant[place],
                named=_at(size, called),
                shared=self._naming.rarity(chain[-1]) * ahead[place],
                linked=self._linked(chain[-1]) * ahead[place],
            )
            for values in clues:
                values[list(chain)] = 0
            found.append(clues)
        return found

    def _rest(self, chain: Chain) -> list[str]:
        """Return the question's terms that no memory of a chain holds."""
        held = frozenset[str]().union(*(self._projection.lexical.terms(slot) for slot in chain))
        return [term for term in self._cue.terms if term not in held]

    def _meant(self, chains: list[Chain], slots: Int64[np.ndarray, "s"]) -> Float32[np.ndarray, "chains s"]:
        """Return how well some memories match what chains leave of the question's meaning: u ← q − (q·p) p.

        In standard deviations above the mean of `SAMPLE` memories, evenly chosen, from 0 to `STRONGEST`.
        """
        if self._cue.key is None:
            return np.zeros((len(chains), len(slots)), np.float32)
        key = np.asarray(self._cue.key)
        read = np.stack([np.sum([self._unit(slot) for slot in chain], axis=0) for chain in chains])
        lengths = np.maximum(np.linalg.norm(read, axis=1, keepdims=True), addressing.EPSILON)
        left = key - (read / lengths @ key)[:, None] * read / lengths
        present = np.flatnonzero(self._admitted)
        some = present[:: max(1, len(present) // SAMPLE)]
        matches = self._projection.matrix.matches(left, np.concatenate([slots, some]))
        usual = matches[:, len(slots) :]
        mean, deviation = usual.mean(axis=1, keepdims=True), usual.std(axis=1, keepdims=True)
        above = (matches[:, : len(slots)] - mean) / (deviation + addressing.EPSILON)
        bounded: Float32[np.ndarray, "chains s"] = np.clip(above, 0, STRONGEST)
        return bounded

    def _unit(self, slot: int) -> Float32[np.ndarray, "m"]:
        row = np.asarray(self._projection.matrix.row(slot))
        unit: Float32[np.ndarray, "m"] = row / max(float(np.linalg.norm(row)), addressing.EPSILON)
        return unit

    def _linked(self, slot: int) -> Column:
        """Return how strongly others are linked with a memory; see `m3.spread`."""
        record = self._projection.record(slot)
        reached = spread({record.id: 1.0}, lambda _: record.links, self._cue.now) if record.links else {}
        values = np.zeros(len(self._projection), np.float32)
        for ident, activation in reached.items():
            other = self._projection.slot(ident)
            if other is not None:
                values[other] = activation
        return values


def further(seen: Sight, hops: int | None, settings: ReasoningSettings) -> Sight:
    """Return the memory as it is seen after some hops, with what led there.

    Args:
        seen: The memory, as the first hop sees it.
        hops: How many in all, 1 to 4; None goes by the form of the question.
        settings: What clues weigh, and how many chains are followed.
    """
    form, focus, journey = seen.cue.asking, seen.focus, None
    most = automatic(form) if hops is None else hops
    if most > 1:
        journey = Journey(seen, settings)
        focus = journey.take(most)
    if form.several and settings.told and hops != 1:
        told = seen.projection.labels.told_by(frozenset(seen.cue.terms))
        focus = raised(focus, np.float32(settings.told) * _at(len(seen.projection), told)) if told else focus
    return replace(seen, focus=focus, journey=journey)


def automatic(form: Asking) -> int:
    """Return how many hops a question is worth that does not say."""
    return min(1 + form.described, AUTOMATIC)


def _terms(names: Iterable[Name]) -> list[str]:
    """Return the terms of some names, each once, in an order that does not change."""
    return sorted(frozenset[str]().union(*(name.terms for name in names)))


def _at(size: int, slots: Iterable[int]) -> Column:
    values = np.zeros(size, np.float32)
    values[list(slots)] = 1
    return values
