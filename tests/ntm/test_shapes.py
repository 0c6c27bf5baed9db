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

    names = [f"ntm_memory_skill.ntm.{name}" for name in ("addressing", "head", "controller", "tape", "backends.exact")]
    with install_import_hook(names, "beartype.beartype"):
        import ntm_memory_skill.ntm  # noqa: F401  # the import is the point: the hook works on it


def _right_shapes() -> None:
    """Call everything once with a batch and once without, on numpy and on torch; heads as the engine does."""
    import array_api_compat
    import numpy as np
    import torch

    from ntm_memory_skill.ntm import (
        CONTROLLERS,
        ControllerShape,
        ExactSimilarity,
        Ground,
        HeadParameters,
        Tape,
        address,
        addressing,
        emit,
        forward,
        initial,
    )

    for asarray in (np.asarray, torch.tensor):
        for leading in ((), (2,)):
            ones = {
                size: asarray(np.ones((*leading, *size), dtype=np.float32))
                for size in ((), (2,), (3,), (4,), (5,), (4, 3), (1, 4))
            }
            table = asarray(Tape(2).sources(4))
            scores = addressing.similarity(ones[3,], ones[4, 3])
            weights = addressing.content(scores, ones[()], asarray(np.ones((*leading, 4), dtype=bool)))
            weights = addressing.interpolate(weights, ones[4,], ones[()])
            weights = addressing.shift(weights, ones[5,])
            let = addressing.passing(asarray(np.ones((5, 4), dtype=np.float32)), ones[()])
            weights = addressing.shift_along(weights, ones[5,], table)
            weights = addressing.shift_along(weights, ones[5,], table, let)
            weights = addressing.sharpen(weights, ones[()])
            addressing.read(weights, ones[4, 3])
            addressing.write(ones[4, 3], weights, ones[3,], ones[3,])
            addressing.standardize(weights, asarray(np.ones((*leading, 4), dtype=bool)))
            base = HeadParameters(kernel=(0.1, 0.2, 0.4, 0.2, 0.1))
            one = {size: asarray(np.ones(size, dtype=np.float32)) for size in ((4,), (5, 4), (2, 4))}
            ground = Ground(asarray(np.ones(4, dtype=bool)), table, one[5, 4], one[4,])
            xp = array_api_compat.array_namespace(table)
            address(ones[1, 4], base.steering(xp), ground).merged(ones[()][..., None])
            for kind in CONTROLLERS:
                shape = ControllerShape(kind=kind, inputs=3, terms=2, heads=2, width=5)
                weighing = {
                    name: asarray(values)
                    for name, values in initial(shape, "small_random", np.random.default_rng(0)).items()
                }
                _, state = forward(shape, weighing, ones[3,])
                said, _ = forward(shape, weighing, ones[3,], state)
                omega, heads = emit(said, ones[2,], ones[2,], base)
                address(omega @ one[2, 4], heads, ground).merged(heads.sharpening)
    floats = np.ones(4, dtype=np.float32)
    ExactSimilarity().scores(floats, np.ones((5, 4), dtype=np.float32))


def _wrong_shapes() -> None:
    """Call everything with one argument out of shape, or whole numbers for floats; each has to be refused."""
    import numpy as np
    from jaxtyping import TypeCheckError

    from ntm_memory_skill.ntm import ControllerShape, ExactSimilarity, HeadParameters, addressing, emit, forward

    shape = ControllerShape(kind="linear", inputs=3, terms=3, heads=1, width=3)
    said, weights = np.ones((1, shape.emitted)), {name: np.ones(size) for name, size in shape.sizes().items()}
    base = HeadParameters(kernel=(0.2, 0.5, 0.3))
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
        "passing of another width": lambda: addressing.shift_along(four, three, table, np.ones((5, 4))),
        "passing of another memory": lambda: addressing.shift_along(four, three, table, np.ones((3, 3))),
        "lengths of one slot": lambda: addressing.passing(four, 4.0),
        "ratio as text": lambda: addressing.passing(rows, "4"),
        "statistics as whole numbers": lambda: forward(shape, weights, three.astype(int)),
        "trust in other terms": lambda: emit(said, three, four, base),
        "one head's output without heads": lambda: emit(said[0], three, three, base),
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
