"""What the memory costs beside its encoder.

    python bench/latency.py

Fills a memory with made-up sentences on disk, then times single calls of search and memorize, and takes off the time
that the encoder spent in them. Beside memorize stands the least that a durable write can cost: appending a line of the
same length to a file in the same folder, and waiting for the disk (fsync).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ntm_memory_skill import NTMMemoryManager, SentenceEncoder
from ntm_memory_skill.encoder import Encoder, Progress

SEED = 20141020
CALLS = 200
WHO = "Ana Bruno Chen Dana Emil Farah Goran Hana Ivo Juno Kofi Lena Mika Noor Omar Pia Quinn Rosa Sven Tuva".split()
DID = "booked lost found painted repaired returned planted cancelled promised sold borrowed forgot signed".split()
WHAT = "ticket bicycle roof contract piano garden passport recipe invoice kitchen medal lamp boat mirror oven".split()
WHERE = "Lisbon Chengdu Oslo Porto Nairobi Lima Quito Turin Kyoto Leeds Gdansk Izmir Perth Tartu Hue Cork".split()
WHEN = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday noon dusk dawn Easter midsummer".split()


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


def main() -> None:
    """Print a table, and write the figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memories", type=int, default=10_000, help="how many to store first (default: 10000)")
    parser.add_argument("--threads", type=int, default=1, help="threads that torch may use (default: 1)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), arguments.memories)
    Console().print(table(figures))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def measure(folder: Path, memories: int) -> dict[str, Any]:
    """Return the median milliseconds of each part of a call, with `memories` stored."""
    rng = random.Random(SEED)  # noqa: S311  # repeatable is the point
    encoder = TimedEncoder(SentenceEncoder())
    with NTMMemoryManager.open(folder / "ntm_memory.json", encoder=encoder) as memory:
        memory.memorize_many(
            [{"content": sentence(rng), "session": f"day {number // 20}"} for number in range(memories)], progress=True
        )
        append = _appender(folder / "baseline.jsonl", rng)
        searching, memorizing, appending = Stopwatch(encoder), Stopwatch(encoder), Stopwatch(encoder)
        memory.search(sentence(rng))  # what is built once is not part of a call
        for number in track(range(CALLS), description="timing", transient=True):
            # In turns, so that all writes meet a disk that has been idle for as long: one after another, they would
            # share the cost of waking it.
            memorizing.time(partial(memory.memorize, sentence(rng), session=f"later {number // 20}"))
            searching.time(partial(memory.search, sentence(rng)))
            appending.time(partial(append, number))
            memory.search(sentence(rng))
    return {
        "memories": memories,
        "search": searching.medians(),
        "memorize": memorizing.medians(),
        "append_and_fsync": appending.medians()["whole"],
        "calls": CALLS,
        "seed": SEED,
    }


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


def _appender(path: Path, rng: random.Random) -> Callable[[int], object]:
    """Return what appends a line as long as a memory's to a file and waits for the disk."""

    def append(number: int) -> None:
        line = json.dumps({"seq": number, "content": sentence(rng), "key_row": "A" * 2048})
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    return append


def sentence(rng: random.Random) -> str:
    """Return a sentence that is much like others, with a number that is not."""
    who, did, what, where, when = (rng.choice(words) for words in (WHO, DID, WHAT, WHERE, WHEN))
    return f"{who} {did} the {what} in {where} on {when}, for {rng.randrange(10_000)} crowns."


def table(figures: dict[str, Any]) -> Table:
    """Return the figures as a table of milliseconds."""
    shown = Table("median ms", "whole call", "encoding", "above encoding", "encoding's share")
    shown.title = (
        f"{figures['memories']} memories, {figures['calls']} calls each, torch on {torch.get_num_threads()} thread(s)"
    )
    for name in ("search", "memorize"):
        part = figures[name]
        cells = [f"{part[column]:.2f}" for column in ("whole", "encoding", "above_encoding")]
        shown.add_row(name, *cells, f"{part['encoding'] / part['whole']:.0%}")
    shown.add_row("append a line and fsync", f"{figures['append_and_fsync']:.2f}")
    return shown


if __name__ == "__main__":
    main()
