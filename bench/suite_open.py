"""The part `open`: how long the first answer waits, in Python, at the command line, and of an MCP server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import anyio

from fresh import Failed, environment, fresh, seconds_of
from mcp_start import STEPS, once
from suite import QUESTION, QUESTION_KEY, Suite

RESIDENT = "ntm_memory_skill.hosts.resident"
"""The module of the process that answers commands over a memory, in versions that have one."""
PATIENCE = 60.0  # seconds for that process to listen, and to end


def measure(suite: Suite) -> dict[str, Any]:
    """Return the seconds of first answers, by size and engine."""
    python = [seconds_of([sys.executable, "-c", "pass"], environment(1)) for _ in range(suite.sizes.starts + 1)][1:]
    opening, commands, servers = [], [], []
    for count in suite.sizes.memories:
        opening.append({"memories": count, "engine": "known key", **_opened(suite, count, "known key")})
        for engine in suite.engines:
            about = {"memories": count, "engine": engine}
            opening.append({**about, **_opened(suite, count, engine)})
            file = suite.copied(count, engine, f"command-{count}-{engine}")
            commands.append({**about, **_commanded(file, suite.sizes.starts)})
            if find_spec(RESIDENT) is not None:
                with _resident(file):
                    commands[-1]["resident"] = _commanded(file, suite.sizes.starts)
            file = suite.copied(count, engine, f"mcp-{count}-{engine}")
            servers.append({**about, **_served(file, suite.sizes.starts)})
    return {
        "starts": suite.sizes.starts,
        "python": median(python),
        "opening": opening,
        "commands": commands,
        "servers": servers,
        "has_resident": find_spec(RESIDENT) is not None,
    }


def _opened(suite: Suite, count: int, engine: str) -> dict[str, float]:
    """Return the medians of opening a memory in fresh processes; "known key" needs no model."""
    known = engine == "known key"
    about = {
        "file": str(suite.copied(count, engine if not known else "torch", f"open-{count}-{engine.replace(' ', '-')}")),
        "exports": None if known else suite.exported(engine),
        "question": QUESTION,
        "key": str(suite.filled(count) / QUESTION_KEY) if known else None,
    }
    runs = [fresh("cold", "first_answer", about) for _ in range(suite.sizes.starts + 1)][1:]
    return {name: median(run[name] for run in runs) for name in runs[0]}


def _commanded(file: Path, starts: int) -> dict[str, float]:
    """Return the median and the longest seconds of `ntm-memory recall`, each in a fresh process."""
    command = [sys.executable, "-m", "ntm_memory_skill", "--json", "--memory", str(file), "recall", QUESTION]
    taken = [seconds_of(command, environment()) for _ in range(starts + 1)][1:]
    return {"median": median(taken), "worst": max(taken)}


def _served(file: Path, starts: int) -> dict[str, float]:
    """Return the median seconds from an MCP server's start to each step's answer."""
    runs = [anyio.run(once, file) for _ in range(starts + 1)][1:]
    return {step: median(run[number] for run in runs) for number, step in enumerate(STEPS)}


@contextmanager
def _resident(file: Path) -> Iterator[None]:
    """Have a process answer commands over a memory for a block. Raises Failed where it does not listen in time."""
    from ntm_memory_skill.hosts.resident.client import told

    command = [sys.executable, "-m", "ntm_memory_skill", "--memory", str(file), "serve", "--socket"]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while told(file, "status") is None:
            if time.monotonic() > until or process.poll() is not None:
                raise Failed("the resident process does not listen")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)
