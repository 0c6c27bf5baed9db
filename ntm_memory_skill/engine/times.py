"""How well memories fit the times that a question names: windows, and events whose time only the memory knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from jaxtyping import Bool, Float32

from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.lexical import tokenize
from ntm_memory_skill.temporal import Anchor, TimeMentions, TimeWindow, closeness

RECOGNIZED = 0.5
"""Share of an event's words, weighed by their rarity, that a memory must hold to be taken for that event."""


def closeness_of(
    projection: Projection, times: TimeMentions, admitted: Bool[np.ndarray, "n"]
) -> Float32[np.ndarray, "n"]:
    """Return how well each memory's time fits a question's, 0 to 1.

    An event ("before the trip") is looked up by its words alone; one that no memory is clearly about is passed over.
    """
    anchored = (_window(projection, anchor, admitted) for anchor in times.anchors)
    windows = (*times.windows, *(window for window in anchored if window is not None))
    return closeness(projection.times[: len(projection)], windows)


def _window(projection: Projection, anchor: Anchor, admitted: Bool[np.ndarray, "n"]) -> TimeWindow | None:
    found = projection.lexical.match(tokenize(anchor.text), len(projection))
    scores = np.where(admitted, found.scores, -1.0)
    best = int(scores.argmax())
    if found.coverage[best] < RECOGNIZED or scores[best] <= 0:
        return None
    event = datetime.fromtimestamp(float(projection.times[best]), UTC)
    day = timedelta(days=1)
    match anchor.relation:
        case "before":
            return TimeWindow(None, event, anchor.phrase, day)
        case "after":
            return TimeWindow(event, None, anchor.phrase, day)
        case _:
            return TimeWindow(event - day, event + day, anchor.phrase, day)
