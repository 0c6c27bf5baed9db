"""What a memory speaks of that a question does not: the names by which one memory leads to others.

Names are looked for in the few memories that are read, not in all: what holds all terms of a name speaks of it. In
Chinese, where rules find few names, any two or three characters that few memories share are taken for one; in a text
without names, so are its rarest words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.engine.cue import Cue
from ntm_memory_skill.engine.labels import plain
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.lexical import tokenize
from ntm_memory_skill.lexical.language import CJK_RANGES

MOST = 12
"""How many stand-ins for names a memory has at most: those that fewest share."""
_GLUE = "的了在是我你他她它们这那和与有叫把被给也都就不没很吗呢吧啊"
"""Characters that stand between Chinese words and hardly ever within a name."""
READ, WINDOWS = 2_000, 300
"""Characters of a memory, and runs of its characters, that are looked at: what is read in a hop is bounded."""
_RUN = re.compile(rf"(?:(?![{_GLUE}])[{CJK_RANGES}]){{2,}}")
_WIDTHS = (3, 2)


class Name(NamedTuple):
    """What a memory speaks of and the question does not."""

    text: str
    terms: frozenset[str]
    """Those that the question does not have."""
    slots: frozenset[int]
    """The other memories that hold all its terms; at least one, and not too many."""


class Naming:
    """The names in memories, as far as they are news to one question.

    Args:
        projection: The memory.
        cue: The question.
    """

    def __init__(self, projection: Projection, cue: Cue) -> None:
        self._projection, self._cue = projection, cue
        self._found: dict[int, tuple[Name, ...]] = {}

    def names(self, slot: int) -> tuple[Name, ...]:
        """Return what leads from a memory to others."""
        if slot not in self._found:
            names = self._leading(self._entities(slot), slot)
            if not names or _RUN.search(self._text(slot)):
                names += self._stand_ins(slot, names)
            self._found[slot] = tuple(names)
        return self._found[slot]

    def shared(self, slot: int, other: int) -> str | None:
        """Return the rarest name of a memory that leads to another; None where none does."""
        found = [name for name in self.names(slot) if other in name.slots]
        return min(found, key=lambda name: len(name.slots)).text if found else None

    def rarity(self, slot: int) -> Float32[np.ndarray, "n"]:
        """Return how rare the rarest name is that each memory shares with one: ln(N / n) / ln N, 0 to 1.

        N counts the memories, n those that the name leads to.
        """
        total, values = len(self._projection.lexical), np.zeros(len(self._projection), np.float32)
        for name in sorted(self.names(slot), key=lambda name: -len(name.slots)):
            values[list(name.slots)] = math.log(total / len(name.slots)) / math.log(total)
        return values

    def _entities(self, slot: int) -> list[str]:
        from ntm_memory_skill.m3.graph import entities  # its patterns take a while to compile

        key = self._projection.record(slot).key
        called = [] if key is None else [plain(key)]
        return [entity.name for entity in entities(self._text(slot)) if entity.kind != "amount"] + called

    def _stand_ins(self, slot: int, names: list[Name]) -> list[Name]:
        """Return what is taken for names, those that fewest share first."""
        texts = list(islice(_windows(self._text(slot)), WINDOWS))
        if not texts:
            texts = sorted(self._projection.lexical.terms(slot))
        found: list[Name] = []
        for name in self._leading(texts, slot):  # the longer ones come first
            if not any(name.text in known.text for known in (*names, *found)):
                found.append(name)
        return sorted(found, key=lambda name: len(name.slots))[:MOST]

    def _leading(self, texts: list[str], slot: int) -> list[Name]:
        """Return the names among some texts: new to the question, and leading to other memories, not to everything."""
        found = []
        for text in dict.fromkeys(texts):
            terms = frozenset(tokenize(text))
            new = terms.difference(self._cue.terms)
            if not new or text.casefold() in self._asked:
                continue
            slots = frozenset(self._projection.lexical.holders(terms).tolist()) - {slot}
            if 0 < len(slots) < self._most:
                found.append(Name(text, new, slots))
        return found

    def _text(self, slot: int) -> str:
        return self._projection.record(slot).content[:READ]

    @cached_property
    def _asked(self) -> str:
        return self._cue.text.casefold()

    @cached_property
    def _most(self) -> float:
        """How many memories may hold a name that still leads from one to another: what the graph takes for common."""
        from ntm_memory_skill.m3.graph import COMMON_LEAST, COMMON_SHARE  # see `_entities`

        return max(COMMON_LEAST, COMMON_SHARE * len(self._projection.lexical))


def _windows(text: str) -> Iterator[str]:
    """Yield all runs of three characters in the Chinese of a text, then of two."""
    runs = _RUN.findall(text)
    for width in _WIDTHS:
        for run in runs:
            yield from (run[start : start + width] for start in range(len(run) - width + 1))
