"""How long an MCP client waits: for the list of tools, for the first answer by words, and for the first by meaning.

    python bench/mcp_start.py [--memories 1000] [--busy 2]

Starts the server as a client would, several times, over a memory that was written before, and times each answer from
the start of the process. `--busy` keeps as many processes computing beside it: hosts give up after 15 s, and their
machines are seldom idle.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import anyio
from mcp import ClientSession, StdioServerParameters, stdio_client
from rich.console import Console
from rich.table import Table

from ntm_memory_skill import NTMMemoryManager

DEADLINE = 15.0
STEPS = ("initialize", "tools/list", "first search (by words)", "first memorize", "first search by meaning")
QUESTION = {"query": "where is the spare key?", "top_k": 1}
POLLING = 0.2  # seconds between two questions while meaning is not there yet


async def once(file: Path) -> list[float]:
    """Return the seconds from the process's start to each step's answer."""
    command = ["-m", "ntm_memory_skill", "--memory", str(file), "serve", "--mcp", "stdio"]
    started = time.perf_counter()
    times = {}
    async with (
        stdio_client(StdioServerParameters(command=sys.executable, args=command)) as (incoming, outgoing),
        ClientSession(incoming, outgoing) as session,
        anyio.create_task_group() as tasks,
    ):

        def lap(step: str) -> None:
            times[step] = time.perf_counter() - started

        async def memorize() -> None:
            await session.call_tool("memorize", {"content": "The cat is called Doubao."})
            lap("first memorize")

        await session.initialize()
        lap("initialize")
        await session.list_tools()
        lap("tools/list")
        tasks.start_soon(memorize)
        answer = await session.call_tool("search", QUESTION)
        lap("first search (by words)")
        while "notice" in (answer.structured_content or {}):
            await anyio.sleep(POLLING)
            answer = await session.call_tool("search", QUESTION)
        lap("first search by meaning")
    return [times[step] for step in STEPS]


@contextmanager
def load(processes: int) -> Iterator[None]:
    """Keep some processes computing."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


def main() -> None:
    """Print the median and the worst of some starts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--memories", type=int, default=1_000, help="how many were written before (default: 1000)")
    parser.add_argument("--busy", type=int, default=0, help="processes that compute beside it (default: 0)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ntm_memory.json"
        with NTMMemoryManager.open(file) as memory:
            notes = (
                {"content": f"Note {number}: parcel {number * 7} came"} for number in range(arguments.memories - 1)
            )
            memory.memorize_many([*notes, {"content": "The spare key is with the neighbour."}])
        with load(arguments.busy):
            runs = [anyio.run(once, file) for _ in range(arguments.starts)]
    title = f"{arguments.starts} starts over {arguments.memories} memories, {arguments.busy} busy processes beside"
    shown = Table("seconds from process start", "median", "worst", title=title)
    for number, step in enumerate(STEPS):
        times = [run[number] for run in runs]
        shown.add_row(step, f"{median(times):.2f}", f"{max(times):.2f}")
    Console().print(shown)
    late = [step for number, step in enumerate(STEPS) if max(run[number] for run in runs) > DEADLINE]
    Console().print(f"over {DEADLINE:.0f} s: {', '.join(late) or 'none'}")


if __name__ == "__main__":
    main()
