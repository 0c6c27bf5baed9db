"""One memory, and the versions that it had before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Version:
    """What a memory said before an update."""

    content: str
    importance: float
    tags: tuple[str, ...]
    replaced_at: datetime
    """The moment from which this version no longer held."""
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One memory as the store keeps it. Times are timezone-aware."""

    id: str
    slot: int
    """Row of the memory matrix, 0 and up. Freed by erasing, then used again."""
    ordinal: int
    """How many memories had been written before this one, ever. Orders a tape where times are equal."""
    content: str
    created: datetime
    """When it was written down."""
    at: datetime
    """When it happened: the caller's time, else `created`."""
    key: str | None = None
    """A name to recall it by, for example "launch date"."""
    importance: float = 0.5
    """From 0 (trivia) to 1 (must not be lost)."""
    tags: tuple[str, ...] = ()
    type: str = "note"
    session: str | None = None
    """The chat it belongs to: one session is one tape."""
    source: str | None = None
    """Who or what it came from."""
    ref: str | None = None
    """The caller's own name for it, for example a message id."""
    strength: float = 1.0
    """Length of the memory's row, (0, 1]. A partial erase shortens it."""
    accesses: int = 0
    """How often it was given as an answer. Counted in batches, of which a crash may lose the last."""
    accessed_at: datetime | None = None
    """When it was last given as an answer, with the same reservation."""
    versions: tuple[Version, ...] = ()
    """Earlier versions, oldest first."""
    supersedes: str | None = None
    """Id of the memory that this one replaced."""
    superseded_by: str | None = None
    superseded_at: datetime | None = None
    erased_at: datetime | None = None
    """Set in the archive alone: when it was erased."""
    erased_because: str | None = None

    def content_at(self, moment: datetime | None) -> str:
        """Return what it said at a moment; None: what it says now."""
        if moment is None:
            return self.content
        return next((version.content for version in self.versions if version.replaced_at > moment), self.content)


def indexed_text(key: str | None, content: str) -> str:
    """Return the text that a memory is found by: its name, if it has one, then its content."""
    return content if key is None else f"{key}: {content}"
