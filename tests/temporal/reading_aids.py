"""What the tests of reading share: a moment to ask at, and windows as pairs of short strings."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ntm_memory_skill.temporal import TimeWindow, mentioned

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2023, 8, 16, 15, 30, tzinfo=ZONE)
"""A Wednesday."""

Edges = tuple[str | None, str | None]
"""A window's edges as ISO dates or moments without a zone; None where a side is open."""

Row = tuple[str, str | None, str | None]
"""A sentence and the edges of its one window."""


def edges(window: TimeWindow) -> Edges:
    """Return a window's edges, at midnight without the time of day."""
    return _short(window.start), _short(window.end)


def read(text: str, now: datetime = NOW) -> list[Edges]:
    """Return the edges of all windows that a text names."""
    return [edges(window) for window in mentioned(text, now).windows]


def _short(edge: datetime | None) -> str | None:
    if edge is None:
        return None
    return edge.replace(tzinfo=None).isoformat(timespec="minutes").removesuffix("T00:00")
