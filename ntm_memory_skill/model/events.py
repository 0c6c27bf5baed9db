"""What can happen to a memory. State is a fold over these; the journal is a list of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ntm_memory_skill.model.record import Record


@dataclass(frozen=True, slots=True)
class Memorized:
    """A new memory was written into its slot. If it supersedes another, that one is marked in the same step."""

    record: Record
    key_row: bytes
    """The encoder's unit key, float32 little-endian: M × 4 bytes."""


@dataclass(frozen=True, slots=True)
class Updated:
    """A memory says something new from `at` on; the old version is kept. A field that is None did not change."""

    id: str
    at: datetime
    content: str | None = None
    importance: float | None = None
    tags: tuple[str, ...] | None = None
    reason: str | None = None
    key_row: bytes | None = None
    """The new content's key; None where the content did not change."""


@dataclass(frozen=True, slots=True)
class Faded:
    """A memory was erased in part: its row now has length `strength`."""

    id: str
    at: datetime
    strength: float


@dataclass(frozen=True, slots=True)
class Erased:
    """A memory left the matrix for the archive. No reader sees it again."""

    id: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Purged:
    """A memory's content left every file; only its id and this moment remain, as a tombstone."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Restored:
    """An erased memory came back from the archive, into a slot that is free now."""

    id: str
    at: datetime
    slot: int
    key_row: bytes
    """As in `Memorized`."""


@dataclass(frozen=True, slots=True)
class Accessed:
    """Live memories were given as answers: a batch of counts. Losing one loses statistics and nothing else."""

    ids: tuple[str, ...]
    counts: tuple[int, ...]
    """How often each of them, 1 and up."""
    at: datetime
    """When the last of these answers was given."""

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.counts):
            raise ValueError("an access count for each memory, and for no other")


Event = Memorized | Updated | Faded | Erased | Purged | Restored | Accessed
