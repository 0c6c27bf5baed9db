"""What memories are called, and who tells them: the labels by which other memories and questions lead to them."""

from __future__ import annotations

import re
from collections import defaultdict

from ntm_memory_skill.lexical import tokenize
from ntm_memory_skill.m3.distillation import told_by
from ntm_memory_skill.model import Record

_ASIDE = re.compile(r"(?:\s*[(（][^()（）]*[)）])+\s*$")


def plain(name: str) -> str:
    """Return a name as it is compared: case folded, without what stands in brackets behind it."""
    return _ASIDE.sub("", name).strip().casefold()


class Labels:
    """Keys and tellers by slot."""

    def __init__(self) -> None:
        self._called: defaultdict[str, set[int]] = defaultdict(set)
        self._told: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
        self._labels: dict[int, tuple[str | None, tuple[str, ...]]] = {}

    def note(self, slot: int, record: Record) -> None:
        """Take in the memory in a slot, in place of what stood there."""
        self.remove(slot)
        name = None if record.key is None else plain(record.key)
        teller, _ = told_by(record.content)
        terms = tuple(tokenize(teller or record.source or ""))
        self._labels[slot] = (name, terms)
        if name is not None:
            self._called[name].add(slot)
        if terms:
            self._told[terms].add(slot)

    def remove(self, slot: int) -> None:
        """Forget a slot's labels; one that has none is left alone."""
        name, terms = self._labels.pop(slot, (None, ()))
        if name is not None:
            self._called[name].discard(slot)
            if not self._called[name]:
                del self._called[name]
        if terms:
            self._told[terms].discard(slot)
            if not self._told[terms]:
                del self._told[terms]

    def called(self, name: str) -> frozenset[int]:
        """Return the slots of the memories that have a name as their key."""
        return frozenset(self._called.get(plain(name), ()))

    def told_by(self, terms: frozenset[str]) -> list[int]:
        """Return the slots of the memories that are told by somebody whose whole name is among some terms."""
        return [slot for teller, slots in self._told.items() if terms.issuperset(teller) for slot in slots]
