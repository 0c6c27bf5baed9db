"""What can happen to a memory. State is a fold over these; the journal is a list of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ntm_memory_skill.model.record import Link, Occurrence, Record


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
    pinned: bool | None = None


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
    """A memory that was erased, forgotten or merged came back, into a slot that is free now."""

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
    stabilities: tuple[float, ...] = ()
    """S of each of them after that, in days; none where nothing is reconsolidated."""
    difficulties: tuple[float, ...] = ()
    """D of each of them after that, 1 to 10."""

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.counts):
            raise ValueError("an access count for each memory, and for no other")
        if {len(self.stabilities), len(self.difficulties)} not in ({0}, {len(self.ids)}):
            raise ValueError("a stability and a difficulty for each memory, or none at all")


@dataclass(frozen=True, slots=True)
class Linked:
    """A memory has other links than before: what it is recalled together with."""

    id: str
    links: tuple[Link, ...]
    """All of them, in the place of those before."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Somebody said again what a memory says: it is counted there, and stored once."""

    id: str
    occurrence: Occurrence


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A memory left the matrix. It keeps all that it has, can be searched on demand, and comes back when recalled."""

    id: str
    at: datetime
    reason: str
    """Why, in words for people."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A memory was merged into another: its key is written into that one's row, and it leaves the matrix."""

    id: str
    into: str
    at: datetime
    weight: float
    """w of the write: row ← row∘(1 − w·e) + w·a, with e of ones and a the key of what is merged; 0 to 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """Another memory turned out to say what holds in a memory's place; or, without `by`, no longer does."""

    id: str
    by: str | None
    at: datetime | None
    """From when on."""


@dataclass(frozen=True, slots=True)
class Consolidated:
    """What one step of a consolidation did, beside the events that did it: the report, and what undoing it needs."""

    run: str
    """Which consolidation; its steps have it in common."""
    at: datetime
    merged: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    gists: tuple[str, ...] = ()
    """Ids of the memories that each of these befell, in order."""
    successors: tuple[str, ...] = ()
    """What holds in the place of each of the superseded ones, in the same order."""

    def and_then(self, later: Consolidated) -> Consolidated:
        """Return what this step and a later one of the same run did together."""
        return Consolidated(
            self.run,
            later.at,
            merged=self.merged + later.merged,
            superseded=self.superseded + later.superseded,
            forgotten=self.forgotten + later.forgotten,
            gists=self.gists + later.gists,
            successors=self.successors + later.successors,
        )


@dataclass(frozen=True, slots=True)
class Undone:
    """A consolidation was taken back, by the events beside this one: it is no longer listed."""

    run: str


Event = (
    Memorized
    | Updated
    | Faded
    | Erased
    | Purged
    | Restored
    | Accessed
    | Linked
    | Repeated
    | Forgotten
    | Merged
    | Superseded
    | Consolidated
    | Undone
)
