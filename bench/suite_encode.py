"""The part `encode`: what a single short text takes with each engine, and how long the first one waits."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np

from fresh import fresh
from stopwatch import spread
from suite import Suite, encoder_of, later


def measure(suite: Suite) -> dict[str, Any]:
    """Return milliseconds and seconds by engine, each on one core and on all."""
    sizes, found, keys = suite.sizes, {}, {}
    for engine in suite.engines:
        about: dict[str, Any] = {"exports": suite.exported(engine)}
        found[engine] = {"cold": _cold(about, sizes.starts)}
        for name, kept in (("one_core", True), ("all_cores", False)):
            texts = later(sizes.texts)
            threads = 1 if kept else None
            answer = fresh("suite_encode", "singles", {"texts": texts, **about}, threads=threads, one_core=kept)
            keys[engine] = np.asarray(answer.pop("keys"))
            found[engine][name] = answer
    figures: dict[str, Any] = {"engines": found, "texts": sizes.texts, "starts": sizes.starts, "export": suite.export}
    if "onnx" in keys:
        figures["least_cosine_between_engines"] = float((keys["torch"] * keys["onnx"]).sum(axis=1).min())
    return figures


def singles(texts: list[str], exports: str | None) -> dict[str, Any]:
    """Return what texts take that are encoded one by one, and their keys. In a fresh process."""
    encoder, taken, keys = encoder_of(exports), [], []
    encoder.warm_up()
    encoder.encode_passages(texts[:3])
    for text in texts:
        started = time.perf_counter()
        keys.append(encoder.encode_passages([text])[0])
        taken.append(1000 * (time.perf_counter() - started))
    return {**spread(taken), "keys": [key.tolist() for key in keys]}


def _cold(about: dict[str, Any], starts: int) -> dict[str, float]:
    """Return the medians of some starts, after one that finds the files on the disk and writes byte code."""
    runs = [fresh("cold", "first_key", about) for _ in range(starts + 1)][1:]
    return {name: median(run[name] for run in runs) for name in runs[0]}
