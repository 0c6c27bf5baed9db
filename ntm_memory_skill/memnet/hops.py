"""Reading a memory in hops: what was read decides what is looked for next (Weston 2015, Sukhbaatar 2015).

    support(c, i)  =  Σ_f  v_f · clue_f(c, i)          what a chain c of memories that were read says for memory i
    bonus(i)       =  max_c  a(c) · σ · support(c, i)  at least 0
    score'(i)      =  score(i) + bonus(i)

σ is the scores' standard deviation, a(c) the weight at which the head looks at the chain's last memory, over the
largest one. The head then addresses the memory anew with score', and from where it looks further chains begin, as long
as there are hops left. A Memory Network adds what it has read to its query, u ← u + o; here the question loses what the
chain has explained, and gains the names that its last memory brings in, which a sum of keys would blur.

The laws: a chain never comes back to a memory that it holds, so every journey ends; the work is bounded by
hops · `beam` chains; with one hop the scores stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64

Column = Float32[np.ndarray, "n"]
Chain = tuple[int, ...]
"""Slots in the order in which they were read."""

MOST_HOPS = 4


class Clues(NamedTuple):
    """What a chain says for each memory. Arrays have one entry a slot; all are 0 for the chain's own memories."""

    words: Column
    """How well it matches the words of the question that no memory of the chain holds, in standard deviations."""
    joint: Column
    """How well it matches what the chain's last memory names, times how well it matches what the chain leaves of the
    question's meaning, both in standard deviations, from 0 up."""
    named: Column
    """1 where the last memory speaks of it by its name, else 0."""
    shared: Column
    """Rarity of the rarest name that it shares with the last memory and that the question does not say, 0 to 1, times
    how far the last memory's score is above its own, in standard deviations: at weight 1 a memory that alone shares a
    name comes to stand where the last one stands."""
    linked: Column
    """The same with the strength of their link, 0 to 1, in the place of the name's rarity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HopPolicy:
    """v: what each clue weighs; see `Clues`. Raises ValueError where one is no finite number."""

    words: float = 0.19
    joint: float = 0.09
    named: float = 1.0
    shared: float = 0.9
    linked: float = 0.5

    def __post_init__(self) -> None:
        wrong = [each.name for each in fields(self) if not math.isfinite(getattr(self, each.name))]
        if wrong:
            raise ValueError(f"{', '.join(wrong)} of a hop policy must be finite")

    def contributions(self, clues: Clues) -> Clues:
        """Return v_f · clue_f."""
        return Clues(*(np.float32(weight) * clue for weight, clue in zip(astuple(self), clues, strict=True)))


class Claims(NamedTuple):
    """All that the chains of one journey said: an entry for each chain and memory with a clue above 0."""

    slots: Int64[np.ndarray, "p"]
    """The memory that something was said for."""
    shares: Float32[np.ndarray, "p"]
    """a(c) of the chain that said it."""
    clues: Float32[np.ndarray, "p clues"]
    """In the order of `Clues`."""


class Said(NamedTuple):
    """What a chain says for each memory, all clues together. Arrays have one entry a slot."""

    support: Column
    """σ · support(c, i)."""
    leads: Bool[np.ndarray, "n"]
    """Whether it leads there: whether something but the rest of the question speaks for a memory that stands lower."""

    @classmethod
    def of(cls, contributions: Clues, spread: float, lower: Bool[np.ndarray, "n"]) -> Said:
        """Return the sum of what clues contribute, σ times.

        Args:
            contributions: v_f · clue_f.
            spread: σ.
            lower: Which memories score less than the chain's last one.
        """
        total: Column = np.stack(contributions).sum(axis=0, dtype=np.float32)
        return cls(np.float32(spread) * total, lower & (total > contributions.words))


class Trail:
    """What has been read so far in one journey, and what speaks for reading on.

    Args:
        size: N.
        admitted: Which slots may be read.
    """

    def __init__(self, size: int, admitted: Bool[np.ndarray, "n"]) -> None:
        self.bonus: Column = np.zeros(size, np.float32)
        """What the chains add to each memory's score, 0 and up."""
        self._admitted = admitted
        self._via: Int64[np.ndarray, "n"] = np.full(size, -1, np.int64)
        self._chains: list[Chain] = []
        self._shares: list[float] = []

    def claims(self, clues: Mapping[Chain, Clues]) -> Claims:
        """Return all that the chains which were read on from said for memories that may be read.

        Args:
            clues: Of each of them.
        """
        slots, shares, said = [], [], []
        for chain, share in zip(self._chains, self._shares, strict=True):
            columns = np.stack(clues[chain])
            some = np.flatnonzero((columns > 0).any(axis=0) & self._admitted)
            slots.append(some)
            shares.append(np.full(len(some), share, np.float32))
            said.append(columns[:, some].T)
        if not slots:
            return Claims(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((0, len(Clues._fields)), np.float32))
        return Claims(np.concatenate(slots), np.concatenate(shares), np.concatenate(said))

    def chain(self, slot: int) -> Chain:
        """Return the memories that led to one, itself last; itself alone where none did."""
        via = int(self._via[slot])
        return (slot,) if via < 0 else (*self._chains[via], slot)

    def ahead(self, weights: Column, width: int) -> list[tuple[Chain, float]]:
        """Return the chains to read on from, and a(c) of each: those that end where the head looks most.

        Chains that were read on from before are left out.
        """
        most = min(width + len(self._chains), int(np.count_nonzero(weights > 0)))
        if most == 0:
            return []
        best = np.argpartition(-weights, most - 1)[:most]
        best = best[np.lexsort((best, -weights[best]))]
        chains = [(self.chain(slot), float(weights[slot])) for slot in best.tolist()]
        new = [(chain, weight) for chain, weight in chains if chain not in self._chains][:width]
        return [(chain, weight / new[0][1]) for chain, weight in new]

    def read(self, chain: Chain, said: Said, share: float) -> None:
        """Take in what a chain says: each memory keeps the best that any chain has said for it.

        Args:
            chain: The memories that were read.
            said: What they say.
            share: a(c), 0 to 1.
        """
        self._chains.append(chain)
        self._shares.append(share)
        offered = np.where(self._admitted, np.float32(share) * said.support, np.float32(0))
        offered[list(chain)] = 0
        better = offered > self.bonus
        self.bonus = np.where(better, offered, self.bonus)
        self._via[better] = np.where(said.leads[better], len(self._chains) - 1, -1)


def journey(
    trail: Trail,
    weights: Column,
    read: Callable[[list[Chain]], list[Said]],
    look: Callable[[Column], Column],
    *,
    hops: int,
    beam: int,
) -> int:
    """Read in hops, and return how many were made; the trail then holds what was found.

    Args:
        trail: Of a journey that has not begun.
        weights: Where the head looks in the first hop.
        read: Says what each of some chains says.
        look: Addresses the memory with a bonus on the scores; returns the weights.
        hops: How many at most, 1 and up; with 1 nothing is read.
        beam: How many chains are read on from in a hop, 1 and up.
    """
    for made in range(1, hops):
        ahead, before = trail.ahead(weights, beam), trail.bonus
        if not ahead:
            return made
        for (chain, share), said in zip(ahead, read([chain for chain, _ in ahead]), strict=True):
            trail.read(chain, said, share)
        if not (trail.bonus > before).any():
            return made
        weights = look(trail.bonus)
    return hops
