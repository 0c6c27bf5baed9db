"""What is inside an encoder that was loaded, and a stand-in for an engine whose runs a test can hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from ntm_memory_skill import HashedEncoder
from ntm_memory_skill.encoder import Encoder, ProjectedEncoder
from ntm_memory_skill.encoder.batching import BatchingEncoder
from ntm_memory_skill.encoder.caching import CachingEncoder
from ntm_memory_skill.encoder.protocol import Text

PATIENCE = 20.0
"""Seconds that a test waits for what should happen at once."""


def engine(encoder: Encoder) -> Encoder:
    """Return what runs the model, without what is around it."""
    while isinstance(encoder, CachingEncoder | BatchingEncoder | ProjectedEncoder):
        encoder = encoder._inner
    return encoder


class HeldEncoder(HashedEncoder):
    """An engine that can be given texts together; a test holds its first runs, and says which fail.

    Args:
        dimension: Of its keys.
        side_by_side: How many runs may go on at once.
        held: How many of the first runs wait until `go` is set.
    """

    def __init__(self, dimension: int = 16, *, side_by_side: int = 1, held: int = 0) -> None:
        super().__init__(dimension)
        self.runs_at_once = side_by_side
        self.go = threading.Event()
        self.began = threading.Semaphore(0)
        self.runs: list[list[str]] = []
        self.before_run: Callable[[list[str]], None] = lambda texts: None  # may raise what the run is to fail with
        self._held = held
        self._counting = threading.Lock()

    def encode_together(self, texts: Sequence[Text]) -> np.ndarray:
        """Return a unit key for each text, in one run."""
        asked = [each.text for each in texts]
        with self._counting:
            self.runs.append(asked)
            waits = len(self.runs) <= self._held
        self.began.release()
        if waits:
            assert self.go.wait(PATIENCE)
        self.before_run(asked)
        return np.stack([HashedEncoder.encode_query(self, text) for text in asked])
