"""The shapes in the annotations hold: the numeric modules run with every call checked, and refuse a wrong shape.

The check is an import hook, so it needs an interpreter in which nothing has been imported yet.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable

import pytest


def _hooked_modules() -> None:
    """Import the numeric modules with every signature checked; runs in the other interpreter."""
    from jaxtyping import install_import_hook

    names = [f"ntm_memory_skill.ntm.{name}" for name in ("addressing", "head", "tape", "backends.exact")]
    with install_import_hook(names, "beartype.beartype"):
        import ntm_memory_skill.ntm  # noqa: F401  # the import is the point: the hook works on it


def _right_shapes() -> None:
    """Call everything once with a batch and once without, on numpy and on torch; a head as the engine does."""
    import numpy as np
    import torch

    from ntm_memory_skill.ntm import ExactSimilarity, HeadParameters, Tape, address, addressing

    for asarray in (np.asarray, torch.tensor):
        for leading in ((), (2,)):
            ones = {
                size: asarray(np.ones((*leading, *size), dtype=np.float32)) for size in ((), (3,), (4,), (5,), (4, 3))
            }
            table = asarray(Tape(2).sources(4))
            scores = addressing.similarity(ones[3,], ones[4, 3])
            weights = addressing.content(scores, ones[()], asarray(np.ones((*leading, 4), dtype=bool)))
            weights = addressing.interpolate(weights, ones[4,], ones[()])
            weights = addressing.shift(weights, ones[5,])
            weights = addressing.shift_along(weights, ones[5,], table)
            weights = addressing.sharpen(weights, ones[()])
            addressing.read(weights, ones[4, 3])
            addressing.write(ones[4, 3], weights, ones[3,], ones[3,])
            addressing.standardize(weights, asarray(np.ones((*leading, 4), dtype=bool)))
    floats, present = np.ones(4, dtype=np.float32), np.ones(4, dtype=bool)
    address(floats, HeadParameters(), present=present, sources=Tape(3).sources(4), previous=floats / 4, xp=np)
    ExactSimilarity().scores(floats, np.ones((5, 4), dtype=np.float32))


def _wrong_shapes() -> None:
    """Call everything with one argument out of shape, or whole numbers for floats; each has to be refused."""
    import numpy as np
    from jaxtyping import TypeCheckError

    from ntm_memory_skill.ntm import ExactSimilarity, addressing

    three, four, rows, table = np.ones(3), np.ones(4), np.ones((4, 3)), np.ones((3, 4), dtype=np.int64)
    wrong: dict[str, Callable[[], object]] = {
        "key of another length": lambda: addressing.similarity(four, rows),
        "memory without slots": lambda: addressing.similarity(three, three),
        "whole numbers": lambda: addressing.similarity(three.astype(int), rows),
        "strength as text": lambda: addressing.content(four, "1"),
        "past of another memory": lambda: addressing.interpolate(four, three, 0.5),
        "kernel without a width": lambda: addressing.shift(four, np.ones(())),
        "table of another width": lambda: addressing.shift_along(four, np.ones(5), table),
        "table of another memory": lambda: addressing.shift_along(three, three, table),
        "table of floats": lambda: addressing.shift_along(four, three, table.astype(float)),
        "weights of another memory": lambda: addressing.read(three, rows),
        "erase of another length": lambda: addressing.write(rows, four, four, three),
        "add of another length": lambda: addressing.write(rows, four, three, four),
        "backend's key of another length": lambda: ExactSimilarity().scores(four, rows),
    }
    for name, call in wrong.items():
        try:
            call()
        except TypeCheckError:
            continue
        raise SystemExit(f"accepted: {name}")


@pytest.mark.parametrize("calls", [_right_shapes, _wrong_shapes])
def test_annotated_shapes_are_what_runs(calls: Callable[[], None]) -> None:
    """Right shapes pass every check, and each wrong one is refused by the check, not by a lucky numpy error."""
    program = "\n".join(
        [inspect.getsource(_hooked_modules), inspect.getsource(calls), "_hooked_modules()", f"{calls.__name__}()"]
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
