"""The part `matrix`: matching one key with all rows, on one thread, beside a plain product and beside reading memory.

The keys are those of real texts, grown to each size by the rule of grown_keys.py; the questions' are real. The product
is numpy's `rows @ key` in float32. Reading is what it takes to go once over as many bytes as the matrix would have with
one byte a number: a dot product of a buffer of that size with itself, the fastest of several.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import grown_keys
from fresh import fresh
from grown_keys import grown
from made_up import SEED
from ntm_memory_skill.ntm import MemoryMatrix, backends
from suite import Skipped, Suite
from suite_machine import free_bytes

DEPTH = 10
WARM = 3
READS = 20
BUILDING = 1_800.0  # seconds that an index may take in the background
COPIES = 4  # of the matrix in float32 that a size may need at the same time
RULE = (
    f"row = unit(a + w (b - a) + {grown_keys.SPREAD} * sum of z_j (n_j - a) / sqrt({grown_keys.NEAR})): a a real key, "
    f"n its {grown_keys.NEAR} nearest, b one of them, w from 0 to {grown_keys.MOST}, z normal"
)
BACKENDS: dict[str, tuple[str, str, str | None]] = {
    "exact": ("exact", "ExactSimilarity", None),
    "quantised": ("quantised", "QuantisedSimilarity", "numkong"),
    "inverted": ("inverted", "InvertedSimilarity", "faiss"),
    "by size": ("by_size", "SimilarityBySize", None),
}
"""Which of the product's backends are compared, by the name that the table has for them: each with its module, its
class, and the library that it needs."""

Search = Callable[[np.ndarray], np.ndarray]


def factories() -> list[tuple[str, Callable[[], Any]]]:
    """Return the backends that this version has, each with what makes one, or raises Skipped."""
    there = [(name, f"{backends.__name__}.{module}", kind, needs) for name, (module, kind, needs) in BACKENDS.items()]
    return [(name, partial(_made, module, kind, needs)) for name, module, kind, needs in there if find_spec(module)]


def _made(module: str, kind: str, library: str | None) -> Any:
    if library is not None and find_spec(library) is None:
        raise Skipped(f"{library} is not installed")
    return getattr(import_module(module), kind)()


def measure(suite: Suite) -> dict[str, Any]:
    """Return milliseconds, recall and ratios by size and backend.

    Raises:
        Skipped: No texts were given.
    """
    if not suite.texts:
        raise Skipped("keys of real texts are needed: give question sets with --texts")
    file, about = _real(suite)
    sizes = suite.sizes
    rows: list[dict[str, Any]] = []
    left: dict[str, str] = {}
    for count in sizes.rows:
        needed = COPIES * 4 * about["dimension"] * count
        if needed > free_bytes():
            left[str(count)] = f"{needed / 2**30:.1f} GiB of memory are needed, {free_bytes() / 2**30:.1f} are free"
            continue
        arguments = {"file": str(file), "count": count, "questions": sizes.questions}
        rows += fresh("suite_matrix", "searched", arguments)
    return {"keys": about, "rule": RULE, "seed": SEED, "questions": sizes.questions, "rows": rows, "left_out": left}


def _real(suite: Suite) -> tuple[Path, dict[str, Any]]:
    """Return a file with the keys of real texts and questions, and what they are."""
    from ntm_memory_skill.evaluation import read
    from rivals import keys_of, texts

    sets = [read(path) for path in suite.texts]
    passages, questions = texts(sets)
    known = keys_of(suite.keys, passages, questions)
    file = suite.folder / "real.npz"
    rows = known.encode_passages(passages)
    np.savez(file, passages=rows, questions=np.stack([known.encode_query(each) for each in questions]))
    about = {"sets": [each.name for each in sets], "texts": len(passages), "questions": len(questions)}
    return file, {**about, "dimension": int(rows.shape[1])}


def searched(file: str, count: int, questions: int) -> list[dict[str, Any]]:
    """Return a line for the plain product, for reading, and for each backend. In a fresh process, on one thread."""
    with np.load(file) as kept:
        rows, pool = grown(kept["passages"], count, SEED), kept["questions"]
    asked = pool[np.random.default_rng(SEED).permutation(len(pool))[:questions]]
    plain, true = _both(lambda key: rows @ key, None, asked)
    reading = _reading(count * rows.shape[1])
    found: list[dict[str, Any]] = [{"backend": "numpy float32", **plain, "recall": 1.0, "answered": "numpy"}]
    for name, make in factories():
        try:
            found.append({"backend": name, **_with_backend(make(), rows, asked, true)})
        except Skipped as reason:
            found.append({"backend": name, "skipped": str(reason)})
    reading = min(reading, _reading(count * rows.shape[1]))  # the machine may have been busier before
    common = {"rows": count, "reading_ms": reading}
    return [{**common, **line, **_ratios(line, plain, reading)} for line in found]


def _ratios(line: dict[str, Any], plain: dict[str, float], reading: float) -> dict[str, float]:
    """Return how many times the plain product's, and how many times reading's, a backend's milliseconds are."""
    if "ms" not in line:
        return {}
    return {
        "times_product": line["scores_ms"] / plain["scores_ms"],
        "times_product_and_best": line["ms"] / plain["ms"],
        "times_reading": line["ms"] / reading,
    }


def _with_backend(backend: Any, rows: np.ndarray, asked: np.ndarray, true: list[set[int]]) -> dict[str, Any]:
    """Return what one backend takes, behind the product's own matrix. Raises Skipped where its index is never built."""
    matrix = MemoryMatrix(np, rows.shape[1], backend)
    started = time.perf_counter()
    matrix.store_many(list(range(len(rows))), rows)
    stored = time.perf_counter()
    _until_ready(matrix, backend, asked[0])
    built = time.perf_counter()
    nearest = getattr(backend, "nearest", None)
    search = None if nearest is None else lambda key: nearest(key, matrix.rows, DEPTH)[0]
    taken, best = _both(lambda key: np.asarray(matrix.similarities(key)), search, asked)
    recall = float(np.mean([len(mine & right) / len(right) for mine, right in zip(best, true, strict=True)]))
    waited = {"store_s": stored - started, "build_s": built - stored}
    return {**taken, "recall": recall, **waited, "answered": backend.name}


def _until_ready(matrix: MemoryMatrix, backend: Any, key: np.ndarray) -> None:
    """Ask until a backend answers as it will from then on: an index is built beside the first answers.

    Raises:
        Skipped: It takes too long.
    """
    until = time.monotonic() + BUILDING
    ready = getattr(backend, "ready", None)
    matrix.similarities(key)
    while ready is not None and not ready(matrix.rows):
        if time.monotonic() > until:
            raise Skipped(f"no index after {BUILDING:.0f} s")
        time.sleep(0.1)
    matrix.similarities(key)


def _both(scores: Search, nearest: Search | None, asked: np.ndarray) -> tuple[dict[str, float], list[set[int]]]:
    """Return the median milliseconds to all scores and to the best rows, and the places of each question's best.

    Args:
        scores: Gives every row's score.
        nearest: Gives the places of the best; None takes them from the scores.
        asked: The questions' keys.
    """
    search = nearest or (lambda key: np.argpartition(-scores(key), DEPTH - 1)[:DEPTH])
    scoring, _ = _timed(scores, asked)
    finding, best = _timed(search, asked)
    return {"scores_ms": scoring, "ms": finding}, [set(each.tolist()) for each in best]


def _timed(search: Search, asked: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """Return the median milliseconds of a search, and what it gave for each question."""
    for key in asked[:WARM]:
        search(key)
    taken, found = [], []
    for key in asked:
        started = time.perf_counter()
        given = search(key)
        taken.append(1000 * (time.perf_counter() - started))
        found.append(given[:DEPTH])
    return median(taken), found


def _reading(size: int) -> float:
    """Return the milliseconds that it takes to read so many bytes once, the fastest of several."""
    buffer = np.ones(size // 4, np.float32)
    taken = []
    for _ in range(READS):
        started = time.perf_counter()
        np.dot(buffer, buffer)
        taken.append(1000 * (time.perf_counter() - started))
    return min(taken)
