"""How long an MCP client waits: for the list of tools, and for the first answer.

    python bench/mcp_start.py

Starts the server as a client would, several times, and times each answer from the start of the process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import anyio
from mcp import ClientSession, StdioServerParameters, stdio_client
from rich.console import Console
from rich.table import Table

STEPS = ("initialize", "tools/list", "first memorize")


async def once(folder: Path) -> list[float]:
    """Return the seconds from the process's start to each step's answer."""
    command = ["-m", "ntm_memory_skill", "--memory", str(folder / "ntm_memory.json"), "serve", "--mcp", "stdio"]
    started = time.perf_counter()
    times = []
    async with (
        stdio_client(StdioServerParameters(command=sys.executable, args=command)) as (incoming, outgoing),
        ClientSession(incoming, outgoing) as session,
    ):
        await session.initialize()
        times.append(time.perf_counter() - started)
        await session.list_tools()
        times.append(time.perf_counter() - started)
        await session.call_tool("memorize", {"content": "The spare key is with the neighbour."})
        times.append(time.perf_counter() - started)
    return times


def main() -> None:
    """Print the median and the worst of some starts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5, help="how many (default: 5)")
    arguments = parser.parse_args()
    runs = []
    for _ in range(arguments.starts):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(anyio.run(once, Path(folder)))
    shown = Table("seconds from process start", "median", "worst", title=f"{arguments.starts} starts")
    for number, step in enumerate(STEPS):
        times = [run[number] for run in runs]
        shown.add_row(step, f"{median(times):.2f}", f"{max(times):.2f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
