"""Hits as a search gives them, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime

from ntm_memory_skill import Hit
from ntm_memory_skill.model import Record, Trace

WHEN = datetime(2026, 5, 9, 12, tzinfo=UTC)
TRACE = Trace(
    cosine=None,
    bm25=0.0,
    lexical_share=1.0,
    content_score=0.0,
    terms=(),
    matched_terms=(),
    content=1.0,
    gated=1.0,
    shifted=1.0,
    sharpened=1.0,
)


def hit(content: str, ident: str = "m0") -> Hit:
    """Return a memory that was found, of 9 May 2026."""
    record = Record(id=ident, slot=0, ordinal=0, content=content, created=WHEN, at=WHEN)
    return Hit(record, score=1.0, trace=TRACE)
