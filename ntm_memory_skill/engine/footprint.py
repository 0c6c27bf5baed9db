"""What an open memory takes of this process's memory: its largest parts, as far as they are loaded.

An estimate. Counted are memories as the store holds them, the keys that wait in the journal, the rows of the matrix,
what a backend has made of them, and the index of words; where forgotten memories were looked for as well, their matrix
and index too. Left out are the tapes and columns beside the rows, models, and Python itself. Nothing is loaded to be
counted, and of many memories an even choice is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from sys import getsizeof
from typing import TYPE_CHECKING

from ntm_memory_skill.model import Record
from ntm_memory_skill.store import State

if TYPE_CHECKING:
    from ntm_memory_skill.engine.projection import Projection

LOOKED_AT = 4096
"""Memories that are looked at; the others are taken to be like them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes by part. None: it is not loaded, and takes nothing."""

    memories: int
    """How many the parts belong to: live, forgotten and erased ones. No bytes."""
    texts: int
    """What they say and have said, and their names."""
    records: int
    """What else is known of them."""
    waiting_keys: int
    """Keys that the journal holds until it is folded."""
    rows: int | None
    """The matrix."""
    quantised_rows: int | None
    """What the backend keeps of it beside it."""
    words: int | None
    """The index of words."""

    @property
    def total(self) -> int:
        """All parts together."""
        loaded = (self.rows, self.quantised_rows, self.words)
        return self.texts + self.records + self.waiting_keys + sum(each for each in loaded if each is not None)

    @property
    def per_memory(self) -> int | None:
        """The total for each memory; None where there is none."""
        return round(self.total / self.memories) if self.memories else None

    @classmethod
    def of(cls, state: State, waiting_keys: int, projections: Sequence[Projection]) -> Footprint:
        """Return what a memory takes.

        Args:
            state: What the store holds.
            waiting_keys: Bytes of the keys that only the journal holds.
            projections: What has been built of it.
        """
        places = (state.records, state.forgotten, state.archive)
        count = sum(map(len, places))
        step = max(1, count // LOOKED_AT)
        looked_at = list(islice((record for place in places for record in place.values()), 0, None, step))
        share = count / len(looked_at) if looked_at else 0.0
        kept = [each.matrix.backend_nbytes for each in projections]
        return cls(
            memories=count,
            texts=round(share * sum(getsizeof(text) for record in looked_at for text in _texts(record))),
            records=sum(map(getsizeof, places)) + round(share * sum(map(_beside_texts, looked_at))),
            waiting_keys=waiting_keys,
            rows=sum(each.matrix.nbytes for each in projections) if projections else None,
            quantised_rows=_sum(kept),
            words=sum(each.lexical.nbytes for each in projections) if projections else None,
        )


def _sum(parts: Sequence[int | None]) -> int | None:
    there = [part for part in parts if part is not None]
    return sum(there) if there else None


def _texts(record: Record) -> Iterator[str]:
    yield record.content
    if record.key is not None:
        yield record.key
    yield from (version.content for version in record.versions)


def _beside_texts(record: Record) -> int:
    """Return the bytes of a memory without its texts, and without labels, which many have in common."""
    several = (record.versions, record.links, record.occurrences, record.absorbed)
    own = (record, record.id, record.at, record.slot, *several, *(each for some in several for each in some))
    return sum(map(getsizeof, own))
