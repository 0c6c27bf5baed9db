"""The part `calls`: memorize, recall and search as a whole, the encoder's part in them, and an fsync beside them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from fresh import fresh
from made_up import SEED
from ntm_memory_skill import NTMMemoryManager
from stopwatch import TOOLS, TimedEncoder, in_turns
from suite import LATER, Suite, encoder_of


def measure(suite: Suite) -> dict[str, Any]:
    """Return the milliseconds of calls, and their ratios, by engine and size; each on one thread."""
    rows = []
    for count in suite.sizes.memories:
        for engine in suite.engines:
            file = suite.copied(count, engine, f"calls-{count}-{engine}")
            about = {"file": str(file), "exports": suite.exported(engine), "calls": suite.sizes.calls}
            rows.append({"memories": count, "engine": engine, **fresh("suite_calls", "timed", about)})
    return {"calls": suite.sizes.calls, "seed": SEED + LATER, "rows": rows}


def timed(file: str, exports: str | None, calls: int) -> dict[str, Any]:
    """Return what calls on a memory take. In a fresh process."""
    rng = random.Random(SEED + LATER)  # noqa: S311  # repeatable is the point
    encoder = TimedEncoder(encoder_of(exports))
    with NTMMemoryManager.open(Path(file), encoder=encoder) as memory:
        figures = in_turns(memory, encoder, Path(file).parent / "baseline.jsonl", rng, calls)
    return {**figures, "ratios": ratios(figures)}


def ratios(figures: dict[str, Any]) -> dict[str, float]:
    """Return how many times the least that it can cost each tool's call takes: encoding, and for a write one fsync."""
    least = dict.fromkeys(TOOLS, 0.0) | {"memorize": figures["append_and_fsync"]}
    return {name: figures[name]["whole"] / (figures[name]["encoding"] + least[name]) for name in TOOLS}
