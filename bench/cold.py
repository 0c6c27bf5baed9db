"""What a fresh process waits for. Nothing but the standard library is imported before the clock runs."""

from __future__ import annotations

import time
from typing import Any

from footprint import mib_of


def first_key(exports: str | None) -> dict[str, float]:
    """Return the seconds from the first import to the first key, those for imports alone, and the process's peak."""
    started = time.perf_counter()
    from suite import encoder_of

    encoder = encoder_of(exports)
    imported = time.perf_counter()
    encoder.encode_query("When do we launch?")
    done = time.perf_counter()
    return {"import": imported - started, "to_first_key": done - started, "peak_mib": mib_of()["peak"]}


def first_answer(file: str, exports: str | None, question: str, key: str | None) -> dict[str, float]:
    """Return the seconds until a memory is imported, open, and has answered a question; each from the lap before.

    Args:
        file: The memory.
        exports: The folder with the exported model; None lets torch run it.
        question: What is asked.
        key: A file with the question's key, so that no model is needed; None has it encoded.
    """
    laps = [time.perf_counter()]
    from ntm_memory_skill import NTMMemoryManager
    from suite import encoder_of

    encoder: Any = encoder_of(exports) if key is None else _knowing(question, key)
    laps.append(time.perf_counter())
    memory = NTMMemoryManager.open(file, encoder=encoder)
    laps.append(time.perf_counter())
    hits = memory.search(question)
    laps.append(time.perf_counter())
    if not hits:
        raise AssertionError("the memory has found nothing")
    names = ("import", "open", "first_answer")
    return {name: end - start for name, start, end in zip(names, laps, laps[1:], strict=False)}


def _knowing(question: str, key: str) -> Any:
    """Return an encoder that knows one question's key, and nothing else."""
    import numpy as np

    from known_keys import KnownKeys

    found = np.load(key)
    arrays = {"passages": np.zeros((0, len(found)), np.float32), "questions": found[None], "unknown": np.zeros(2)}
    known = KnownKeys([], [question], arrays, {})
    known.array_library = "numpy"  # no model brings torch along
    return known
