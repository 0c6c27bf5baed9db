"""A question to the memory, and its answer with the reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ntm_memory_skill.model.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Hard conditions: a memory that fails one is never a hit. None means no condition."""

    tags: tuple[str, ...] = ()
    """All of them must be on the memory."""
    key: str | None = None
    """The name that it was given."""
    type: str | None = None
    session: str | None = None
    since: datetime | None = None
    """Happened at this moment or later."""
    until: datetime | None = None
    """Happened at this moment or earlier."""
    as_of: datetime | None = None
    """Answer with what held at this moment: later memories are unseen, superseded ones and old versions come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked, and from where."""

    text: str
    top_k: int = 5
    filters: Filters = field(default_factory=Filters)
    session: str | None = None
    """The chat that asks: its last focus enters through the interpolation gate."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A memory on the same tape whose weight was shifted onto a hit."""

    id: str
    offset: int
    """Places from it to the hit along the tape; +1 means that it stands directly before the hit."""
    weight: float
    """Weight that arrived from it, before normalisation and sharpening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Why a hit stands where it stands: the terms, then its weight after each stage of addressing (Graves 2014, §3.3).

    The four weights are probabilities over all memories that the filters let through.
    """

    cosine: float | None
    """Of the query's key and the memory's, −1 to 1; None where the model was still loading and words alone decided."""
    bm25: float
    """Lexical score, 0 and up."""
    lexical_share: float
    """λ of score = (1−λ)·z(cosine) + λ·z(bm25), 0 to 1."""
    content_score: float
    """That score: standard deviations above the memory's mean."""
    matched_terms: tuple[str, ...]
    """The query's terms that the memory holds."""
    content: float
    """w_c after the softmax with key strength β."""
    gated: float
    """w_g after interpolation with the session's last focus."""
    shifted: float
    """w̃ after the shift along the tape."""
    sharpened: float
    """w after sharpening: what hits are ranked by."""
    neighbours: tuple[Neighbour, ...] = ()
    """Where shifted weight came from, largest first."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that answers a query."""

    record: Record
    score: float
    """The weight after sharpening: the hits' order, and the share of attention that the memory holds."""
    trace: Trace
    text: str | None = None
    """What the memory said at `as_of`, where that is an older version."""

    @property
    def id(self) -> str:
        """The memory's id, for update and erase."""
        return self.record.id

    @property
    def content(self) -> str:
        """The memory's text."""
        return self.record.content if self.text is None else self.text

    @property
    def ref(self) -> str | None:
        """The caller's own name for the memory."""
        return self.record.ref

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self.record.at

    @property
    def session(self) -> str | None:
        """The chat it belongs to."""
        return self.record.session
