"""What is being talked about in each chat: the sensory buffer of this process."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.settings import M3Settings
from ntm_memory_skill.m3 import Compressor, SensoryBuffer, fit

Key = Float32[np.ndarray, "m"]
ENOUGH = 2
"""Memories for each component that a compressor is fitted to, at least."""


class Contexts:
    """The last inputs of each chat. Safe to use from several threads; a restart forgets them.

    Args:
        live: The memory, to whose keys a compressor is fitted.
        settings: How many inputs are held, and whether they are compressed.
    """

    def __init__(self, live: LiveMemory, settings: M3Settings) -> None:
        self._live, self._dimension = live, settings.buffer_dimension
        self._buffer = SensoryBuffer(size=settings.context_window)
        self._compressor: Compressor | None = None

    def heard(self, session: str | None, key: Key) -> None:
        """Take in what was said in a chat."""
        if session is None:
            return
        with self._live.mutex:
            self._fit()
            held = key if self._compressor is None else self._compressor.compress(key)[0]
            self._buffer = self._buffer.heard(session, held)

    def context(self, session: str | None) -> Key | None:
        """Return the unit mean of what was said last, the later the heavier; None where nothing was."""
        if session is None:
            return None
        with self._live.mutex:
            mean = self._buffer.context(session)
            return mean if mean is None or self._compressor is None else self._compressor.expand(mean)

    def _fit(self) -> None:
        """Fit the compressor once there are enough memories; what was heard before is forgotten."""
        if self._dimension is None or self._compressor is not None:
            return
        rows = np.asarray(self._live.projection().matrix.rows)
        if self._dimension < rows.shape[1] and len(rows) >= ENOUGH * self._dimension:
            self._compressor = fit(rows, self._dimension)
            self._buffer = SensoryBuffer(size=self._buffer.size)
