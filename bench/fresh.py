"""A function of a bench in a fresh process: nothing is imported, cached or threaded before it.

    python bench/fresh.py MODULE FUNCTION '{"an": "argument"}'    # prints what it returns, as the last line, as JSON

The process may write byte code, as a program does that was installed.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PATIENCE = 7_200.0  # seconds
TOLD = 2_000  # characters of what a failed process said


class Failed(RuntimeError):
    """The process ended with an error; its message is the end of what it said."""


def environment(threads: int | None = None) -> dict[str, str]:
    """Return the environment of a fresh process: offline, with so many threads for torch and numpy; None says nothing.

    Args:
        threads: 1 and up.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", *THREADS)}
    stated = {} if threads is None else dict.fromkeys(THREADS, str(threads))
    return {**kept, "HF_HUB_OFFLINE": "1", **stated}


def fresh(
    module: str, function: str, arguments: Mapping[str, Any], *, threads: int | None = 1, one_core: bool = False
) -> Any:
    """Return what a function of a bench returns in a fresh process.

    Args:
        module: The bench.
        function: Its function; takes and returns what JSON can hold.
        arguments: Of the function, by name.
        threads: That torch and numpy may use; None leaves it to them.
        one_core: Whether the process is kept to one core, where the system can do that.

    Raises:
        Failed: It ended with an error, or took two hours.
    """
    command = [sys.executable, __file__, module, function, json.dumps(arguments)]
    settings = environment(threads) | ({"BENCH_ONE_CORE": "1"} if one_core else {})
    said = finished(command, settings)
    return json.loads(said.splitlines()[-1])


def finished(command: list[str], settings: dict[str, str]) -> str:
    """Return what a command printed. Raises Failed where it ended with an error, or took two hours."""
    try:
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(command[1:4])} took over {PATIENCE:.0f} s") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(command[1:4])} ended with {done.returncode}: {done.stderr.strip()[-TOLD:]}")
    return done.stdout


def seconds_of(command: list[str], settings: dict[str, str]) -> float:
    """Return the seconds that a command takes, from its start to its end. Raises Failed as `finished` does."""
    started = time.perf_counter()
    finished(command, settings)
    return time.perf_counter() - started


def main() -> None:
    """Print what a function returns."""
    module, function, arguments = sys.argv[1:]
    if "BENCH_ONE_CORE" in os.environ and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sys.path.insert(0, str(Path(__file__).parent))
    found = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
