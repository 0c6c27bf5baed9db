"""What a question can say about time: stretches of it, and events that only the memory knows the time of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Relation = Literal["before", "after", "around"]


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A stretch of time that a text names: timezone-aware, from `start` up to but not including `end`."""

    start: datetime | None
    """None: from the beginning."""
    end: datetime | None
    """None: without an end."""
    phrase: str
    """The text's own words for it."""
    grain: timedelta = timedelta(days=1)
    """How long the period is that was named, before an open end was made of it: a month for "since June"."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """An event that a text places itself by, and whose time only the memory knows."""

    relation: Relation
    """Where what is asked for lies, seen from the event."""
    phrase: str
    """The text's own words: "before the trip"."""
    text: str
    """The event's, to be looked up by content: "the trip"."""


@dataclass(frozen=True, slots=True)
class TimeMentions:
    """All that a text says about time, each in the order in which it is said."""

    windows: tuple[TimeWindow, ...] = ()
    anchors: tuple[Anchor, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything was said."""
        return bool(self.windows or self.anchors)
