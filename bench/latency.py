"""What the memory costs beside its encoder.

    python bench/latency.py

Fills a memory with made-up sentences on disk, then times single calls of search, recall and memorize, and takes off the
time that the encoder spent in them. Beside memorize stands the least that a durable write can cost: appending a line of
the same length to a file in the same folder, and waiting for the disk (fsync).
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from made_up import SEED, SESSION, sentence
from ntm_memory_skill import NTMMemoryManager, SentenceEncoder
from stopwatch import TOOLS, TimedEncoder, in_turns

CALLS = 200


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
            [{"content": sentence(rng), "session": f"day {number // SESSION}"} for number in range(memories)],
            progress=True,
        )
        figures = in_turns(memory, encoder, folder / "baseline.jsonl", rng, CALLS)
    return {"memories": memories, **figures, "calls": CALLS, "seed": SEED}


def table(figures: dict[str, Any]) -> Table:
    """Return the figures as a table of milliseconds."""
    shown = Table("median ms", "whole call", "encoding", "above encoding", "encoding's share")
    shown.title = (
        f"{figures['memories']} memories, {figures['calls']} calls each, torch on {torch.get_num_threads()} thread(s)"
    )
    for name in TOOLS:
        part = figures[name]
        cells = [f"{part[column]:.2f}" for column in ("whole", "encoding", "above_encoding")]
        shown.add_row(name, *cells, f"{part['encoding'] / part['whole']:.0%}")
    shown.add_row("append a line and fsync", f"{figures['append_and_fsync']:.2f}")
    return shown


if __name__ == "__main__":
    main()
