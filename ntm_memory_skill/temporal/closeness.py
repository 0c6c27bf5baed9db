"""How close memories are to the times that a question names: the soft score."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float32, Float64

from ntm_memory_skill.temporal.values import TimeWindow

SECONDS_A_DAY = 86_400.0
"""The least scale of the decay: what happened on a day is often told on the next."""


def closeness(times: Float64[np.ndarray, "n"], windows: Iterable[TimeWindow]) -> Float32[np.ndarray, "n"]:
    """Return how well moments fit windows, 0 to 1: for each the best of them, and 0 where there is no window.

        c(t) = max over windows of e^(−d/s)     d = seconds from t to the window, 0 inside it and at its edges

    The scale s is half the window's width, or half of what was named where a side is open, and a day at least.

    Args:
        times: Seconds since 1970; finite.
        windows: What a question names.
    """
    result = np.zeros(len(times), dtype=np.float32)
    for window in windows:
        distance = np.zeros(len(times), dtype=np.float64)
        if window.start is not None:
            np.maximum(distance, window.start.timestamp() - times, out=distance)
        if window.end is not None:
            np.maximum(distance, times - window.end.timestamp(), out=distance)
        np.maximum(result, np.exp(-distance / _scale(window)).astype(np.float32), out=result)
    return result


def _scale(window: TimeWindow) -> float:
    """Return how many seconds outside a window its closeness falls to 1/e."""
    width = window.grain.total_seconds()
    if window.start is not None and window.end is not None:
        width = window.end.timestamp() - window.start.timestamp()
    return max(width / 2, SECONDS_A_DAY)
