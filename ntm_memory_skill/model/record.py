"""One memory, and the versions that it had before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any


@dataclass(frozen=True, slots=True)
class Version:
    """What a memory said before an update."""

    content: str
    importance: float
    tags: tuple[str, ...]
    replaced_at: datetime
    """The moment from which this version no longer held."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A synapse: memories that were recalled together draw each other. Held by both of its ends."""

    id: str
    """The other memory."""
    weight: float
    """0 to 1, as it was at `at`; it decays from then on."""
    at: datetime
    """When the two were last recalled together."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """A memory that was merged into this one. It is out of the matrix, whole, and can be taken back."""

    id: str
    weight: float
    """w of the write that put its key into this one's row (Graves 2014, §3.2), 0 to 1; 0 once this one's text has
    changed, so that the row is the new text's alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Once more somebody said what a memory says already."""

    at: datetime
    session: str | None = None
    source: str | None = None
    ref: str | None = None


OCCURRENCES = 8
"""How many of a memory's latest repetitions are kept; all of them are counted."""


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
    valid_until: datetime | None = None
    """When it stops holding, where the caller knew; it holds from `at` on."""
    pinned: bool = False
    """Never forgotten, whatever the pressure."""
    stability: float | None = None
    """S: days after which it would be recalled with probability 0.9 (FSRS-6). None until it was first recalled."""
    difficulty: float | None = None
    """D: how slowly recalling it makes it more stable, 1 to 10 (FSRS-6). None until it was first recalled."""
    links: tuple[Link, ...] = ()
    """What it was recalled together with."""
    repeats: int = 0
    """How often it was said again."""
    occurrences: tuple[Occurrence, ...] = ()
    """The latest of these times, oldest first; `OCCURRENCES` at most."""
    absorbed: tuple[Absorbed, ...] = ()
    """Memories that were merged into it."""
    distilled_from: tuple[str, ...] = ()
    """Ids of the memories that it is the gist of."""
    forgotten_at: datetime | None = None
    """Set out of the matrix alone: when it was forgotten."""
    forgotten_because: str | None = None
    merged_into: str | None = None
    """Id of the memory that absorbed it, where that is why it is out of the matrix, or was before it was erased."""
    erased_at: datetime | None = None
    """Set in the archive alone: when it was erased."""
    erased_because: str | None = None

    @property
    def last_recalled(self) -> datetime:
        """When it was last given as an answer; before the first time, when it was written down."""
        return self.created if self.accessed_at is None else self.accessed_at

    def said_at(self, moment: datetime | None = None) -> datetime:
        """Return when it was last said: when it happened, or the latest time that it was said again.

        Args:
            moment: Repetitions after it do not count; None: all do.
        """
        return max((self.at, *(each.at for each in self.occurrences if moment is None or each.at <= moment)))

    def content_at(self, moment: datetime | None) -> str:
        """Return what it said at a moment; None: what it says now."""
        if moment is None:
            return self.content
        return next((version.content for version in self.versions if version.replaced_at > moment), self.content)


_FIELDS = tuple(field.name for field in fields(Record))
_PUT = tuple(Record.__dict__[name].__set__ for name in _FIELDS)
_values = attrgetter(*_FIELDS)
_BLANK = {field.name: field.default for field in fields(Record)}
_NEEDED = frozenset(name for name, default in _BLANK.items() if default is MISSING)


def made(**values: Any) -> Record:
    """Return the memory with these fields; the others have their defaults.

    The same as `Record`, in less than half the time: opening a memory makes all that are in it.

    Raises:
        TypeError: There is no such field, or one that has no default is missing.
    """
    whole = _BLANK | values
    if len(whole) > len(_BLANK) or not values.keys() >= _NEEDED:
        raise TypeError(f"these are not the fields of a memory: {sorted(values)}")
    return _filled(whole.values())


def evolve(record: Record, **changes: Any) -> Record:
    """Return a memory with some of its fields changed.

    The same as `dataclasses.replace`, without a call of the constructor with all fields: a third of the time, and every
    recall changes some memories.

    Raises:
        AttributeError: There is no such field.
    """
    new = _filled(_values(record))
    for name, value in changes.items():
        object.__setattr__(new, name, value)
    return new


def _filled(values: Iterable[Any]) -> Record:
    """Return a memory with the values of all fields, in their order."""
    new = object.__new__(Record)
    for put, value in zip(_PUT, values, strict=True):
        put(new, value)
    return new


def indexed_text(key: str | None, content: str) -> str:
    """Return the text that a memory is found by: its name, if it has one, then its content."""
    return content if key is None else f"{key}: {content}"
