"""A question to the memory, and its answer with the reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from ntm_memory_skill.model.record import Record

Mode = Literal["adaptive", "exact", "semantic", "contextual", "temporal"]
MODES: tuple[Mode, ...] = get_args(Mode)
Backend = Literal["dense", "crossbar"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
Matched = Literal["exact", "quantised", "ivf", "crossbar"]
"""What matched keys with rows: every row at full precision; every row by bytes, and the best exactly; an index, and the
best exactly; the emulated crossbar."""
MATCHED: tuple[Matched, ...] = get_args(Matched)
Lead = Literal["named", "shared", "linked", "joint"]
LEADS: tuple[Lead, ...] = get_args(Lead)


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
    include_superseded: bool = False
    """Also what no longer holds, behind what holds in its place."""
    include_forgotten: bool = False
    """Also what is out of the matrix, forgotten or merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked, and from where."""

    text: str
    top_k: int = 5
    filters: Filters = field(default_factory=Filters)
    session: str | None = None
    """The chat that asks: its last focus enters through the interpolation gate."""
    mode: Mode = "adaptive"
    """What decides; see `engine.modes`."""
    hops: int | None = None
    """How often the memory is read, each time for what was read before leads to, 1 to 4; None goes by the question."""
    backend: Backend | None = None
    """What matches its key with the rows; None goes by the settings."""


class Neighbour(NamedTuple):
    """A memory on the same tape whose weight was shifted onto a hit."""

    id: str
    offset: int
    """Places from it to the hit along the tape; +1 means that it stands directly before the hit."""
    weight: float
    """Weight that arrived from it, before normalisation and sharpening."""


@dataclass(frozen=True, slots=True)
class Step:
    """One hop: a memory that was read, and why it led to the next."""

    id: str
    """The memory that was read."""
    by: Lead
    """What led on most: "named" (it speaks of the next by its key), "shared" (both speak of a name that is not in the
    question), "joint" (the next matches its names, and what is left of the question's meaning), or "linked" (they were
    recalled together)."""
    name: str | None
    """What both speak of, as the first writes it; None where they share no whole name."""
    amount: float
    """What the chain up to here says for the next memory, in standard deviations of the content score."""


class Term(NamedTuple):
    """One term of a content score."""

    name: str
    """See `engine.evidence.TERMS`."""
    value: float
    weight: float
    """ω: what it weighs for this question."""

    @property
    def contribution(self) -> float:
        """What it adds to the content score."""
        return self.value * self.weight


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
    """λ: how much the words of the question weigh against its meaning, 0 to 1."""
    content_score: float
    """The sum of the terms' contributions."""
    terms: tuple[Term, ...]
    """What speaks for and against it, with the weights for this question; terms that weigh nothing are left out."""
    matched_terms: tuple[str, ...]
    """The query's terms that the memory holds."""
    content: float
    """w_c after the softmax with key strength β."""
    gated: float
    """w_g after interpolation with the session's last focus."""
    shifted: float
    """w̃ after the shift along the tape, and with what was `told`."""
    sharpened: float
    """w after sharpening: what hits are ranked by, unless a reranker has ranked them."""
    neighbours: tuple[Neighbour, ...] = ()
    """Where shifted weight came from, largest first."""
    told: float = 0.0
    """ln of what its weight was raised by after the shift, because somebody told it whom the question names; 0 where
    the question does not ask for several things of one kind."""
    chain: tuple[Step, ...] = ()
    """What led to it, in the order in which it was read; empty where it was found at once."""
    backend: Matched = "exact"
    """What matched the question's key with the rows."""
    later_than: str | None = None
    """Id of the best match, which says the same kind of thing and is older: this hit was put before it."""
    rerank: float | None = None
    """What the reranker gave for the query and the memory's text together, on its model's own scale: then an answer's
    hits stand in this order. None where there is no reranker, or none yet (`answer_while_loading`), and for hits that
    `recall` gives because of their name."""


@dataclass(frozen=True, slots=True)
class Surrounding:
    """A memory that stands near a hit on its session's tape: what was said shortly before or after it."""

    id: str
    content: str
    """Its text; at `as_of` the version that held then."""
    offset: int
    """Places from the hit to it along the tape: −1 is directly before the hit, 1 directly after; never 0."""
    at: datetime
    """When it happened."""
    source: str | None = None
    """Who or what it came from."""
    ref: str | None = None
    """The caller's own name for it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that answers a query."""

    record: Record
    score: float
    """The weight after sharpening: the share of attention that the memory holds. Hits stand in its order, or, where a
    reranker ranked them, in that of `trace.rerank`; the score is the head's own in either case."""
    trace: Trace
    text: str | None = None
    """What the memory said at `as_of`; None where no such moment was asked for."""
    context: tuple[Surrounding, ...] = ()
    """What was said around it, in order, where that was asked for; each memory once in an answer."""

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
