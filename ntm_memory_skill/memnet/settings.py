"""How large a memory network is and of which kind: a value that its weights can be kept with."""

from __future__ import annotations

from dataclasses import dataclass

from ntm_memory_skill.errors import InvalidArgument

KINDS = ("end-to-end", "key-value")
TYINGS = ("adjacent", "layer-wise")
ENCODINGS = ("bag", "position")
SIZES = {"words": 3, "dimension": 1, "hops": 1, "capacity": 1, "hidden": 0}
"""The least that each may be."""
LARGEST = 1 << 20
"""The most of anything, so that a mistyped number is an error and not a machine that fills the computer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """A memory network's sizes. Raises InvalidArgument where one is out of range, with all that is wrong."""

    kind: str = "end-to-end"
    """"end-to-end" (Sukhbaatar et al. 2015) or "key-value" (Miller et al. 2016)."""
    words: int
    """V: words in the vocabulary, the answers and the two marks for no and for unknown words included; 3 and up."""
    dimension: int = 50
    """d: numbers in an embedding, 1 and up."""
    hops: int = 3
    """K: how often memory is read before the answer, 1 and up."""
    tying: str = "adjacent"
    """"adjacent": a hop's output embedding is the next one's input embedding. "layer-wise": all hops share theirs, and
    a linear map H goes between them. Of the end-to-end network alone; the key-value network has one embedding."""
    encoding: str = "position"
    """"bag" or "position": whether the order of words counts."""
    capacity: int = 50
    """Memories that a question may look at, the latest ones; also the ages that temporal encoding tells apart."""
    temporal: bool = True
    """Whether a memory's age is learnt and added to it."""
    noise: float = 0.1
    """Share of memories before which training puts an empty one, 0 to 1, so that ages are not learnt by heart."""
    hidden: int = 0
    """Units of a layer after each hop that compares what was asked with what was found, 0 and up; 0 is no such layer,
    as in the papers."""
    dropout: float = 0.0
    """Share of those units that training sets to 0, 0 and up, below 1."""
    spread: float = 0.1
    """Standard deviation of the first weights, above 0, up to 10."""

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is one of {', '.join(known)}, not {getattr(self, name)!r}"
            for name, known in (("kind", KINDS), ("tying", TYINGS), ("encoding", ENCODINGS))
            if getattr(self, name) not in known
        ]
        wrong += [
            f"{name} is a whole number from {least} to {LARGEST}, not {getattr(self, name)!r}"
            for name, least in SIZES.items()
            if not (is_number(getattr(self, name), whole=True) and least <= getattr(self, name) <= LARGEST)
        ]
        if not isinstance(self.temporal, bool):
            wrong.append(f"temporal is true or false, not {self.temporal!r}")
        if not (is_number(self.noise) and 0 <= self.noise <= 1):
            wrong.append(f"noise is a share from 0 to 1, not {self.noise!r}")
        if not (is_number(self.dropout) and 0 <= self.dropout < 1):
            wrong.append(f"dropout is a share from 0 to below 1, not {self.dropout!r}")
        if not (is_number(self.spread) and 0 < self.spread <= 10):
            wrong.append(f"spread is above 0, up to 10, not {self.spread!r}")
        if wrong:
            raise InvalidArgument("; ".join(wrong), hint="Correct the network's settings.")


def is_number(value: object, *, whole: bool = False) -> bool:
    """Tell whether a value is a number; it may come from a file. True is none here, though Python calls it 1."""
    return isinstance(value, int if whole else int | float) and not isinstance(value, bool)
