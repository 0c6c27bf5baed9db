"""What times calls of a memory, and the encoder's part in each; and the least that a write can cost."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.progress import track

from made_up import SESSION, sentence
from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.encoder import Encoder, Progress

TOOLS = ("search", "recall", "memorize")


class TimedEncoder:
    """Another encoder, with a stopwatch on its model."""

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner
        self.identity = inner.identity
        self.known_identity = inner.known_identity
        self.array_library = inner.array_library
        self.ready = True  # nobody here answers before the model is there
        self.spent = 0.0

    def warm_up(self) -> None:
        """Load the inner model."""
        self._inner.warm_up()

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """Return a unit key for each text."""
        return self._timed(lambda: self._inner.encode_passages(texts, on_progress))

    def encode_query(self, text: str) -> np.ndarray:
        """Return the unit key of a question."""
        return self._timed(lambda: self._inner.encode_query(text))

    def unknown_share(self, text: str) -> float:
        """Return the inner encoder's share; it counts as the memory's own time."""
        return self._inner.unknown_share(text)

    def _timed(self, encode: Callable[[], np.ndarray]) -> np.ndarray:
        started = time.perf_counter()
        keys = encode()
        self.spent += time.perf_counter() - started
        return keys


class Stopwatch:
    """Times calls, and the encoder's part in them."""

    def __init__(self, encoder: TimedEncoder) -> None:
        self._encoder = encoder
        self._whole: list[float] = []
        self._encoding: list[float] = []

    def time(self, call: Callable[[], object]) -> None:
        """Time one call."""
        self._encoder.spent = 0.0
        started = time.perf_counter()
        call()
        self._whole.append((time.perf_counter() - started) * 1000)
        self._encoding.append(self._encoder.spent * 1000)

    def medians(self) -> dict[str, float]:
        """Return the median milliseconds of whole calls, of the encoder's part, and of the rest."""
        rest = [whole - part for whole, part in zip(self._whole, self._encoding, strict=True)]
        return {"whole": median(self._whole), "encoding": median(self._encoding), "above_encoding": median(rest)}


def appender(path: Path, rng: random.Random) -> Callable[[int], object]:
    """Return what appends a line as long as a memory's to a file and waits for the disk."""

    def append(number: int) -> None:
        line = json.dumps({"seq": number, "content": sentence(rng), "key_row": "A" * 2048})
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    return append


def in_turns(
    memory: NTMMemoryManager, encoder: TimedEncoder, baseline: Path, rng: random.Random, calls: int
) -> dict[str, Any]:
    """Return the median milliseconds of each part of `calls` calls of each tool, and of as many lines appended.

    They take turns, so that all writes meet a disk that has been idle for as long: one after another, they would share
    the cost of waking it.
    """
    append = appender(baseline, rng)
    searching, recalling, memorizing, appending = (Stopwatch(encoder) for _ in range(4))
    memory.search(sentence(rng))  # what is built once is not part of a call
    for number in track(range(calls), description="timing", transient=True):
        memorizing.time(partial(memory.memorize, sentence(rng), session=f"later {number // SESSION}"))
        searching.time(partial(memory.search, sentence(rng)))
        appending.time(partial(append, number))
        recalling.time(partial(memory.recall, sentence(rng)))
    return {
        "search": searching.medians(),
        "recall": recalling.medians(),
        "memorize": memorizing.medians(),
        "append_and_fsync": appending.medians()["whole"],
    }


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    return {"median": median(milliseconds), "p95": float(np.percentile(milliseconds, 95))}
