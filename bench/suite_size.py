"""The part `size`: the memory that an MCP server takes, and the disk that a memory takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio

from http_caller import HttpCaller
from http_server import HttpServer
from suite import Suite, later

SEARCHES = 50
LONGEST_WAIT = 60.0  # seconds for one answer, the loading of the model among them


def measure(suite: Suite) -> dict[str, Any]:
    """Return the MiB of a server by engine, and the bytes on the disk by size."""
    servers = []
    for engine in suite.engines:
        file = suite.copied(suite.sizes.served, engine, f"served-{engine}")
        with HttpServer(file, file.parent.parent / f"served-{engine}.log") as server:
            anyio.run(_ask, server)
            servers.append({"engine": engine, "memories": suite.sizes.served, **server.mib()})
    counts = sorted({*suite.sizes.memories, suite.sizes.served})
    return {"searches": SEARCHES, "servers": servers, "disk": [_disk(suite.filled(count), count) for count in counts]}


async def _ask(server: HttpServer) -> None:
    """Search until the model is there, and then some more."""
    async with HttpCaller(server.address, server.token, LONGEST_WAIT) as caller:
        with anyio.fail_after(LONGEST_WAIT):
            while "notice" in await caller.call("search", {"query": "who lost the medal?"}):
                await anyio.sleep(0.2)
        for text in later(SEARCHES):
            await caller.call("search", {"query": text})


def _disk(folder: Path, count: int) -> dict[str, Any]:
    """Return the bytes of a folded memory's files, and how many, in whole blocks, each memory takes.

    The generation before is kept beside the present one until the next folding, and is counted apart.
    """
    files = [path for path in sorted(folder.iterdir()) if path.name.startswith("ntm_memory") and path.is_file()]
    before = [path for path in files if ".previous." in path.name]
    return {
        "memories": count,
        "files": {path.name: path.stat().st_size for path in files},
        "bytes_each": _blocks(files) / count,
        "bytes_each_before": _blocks(before) / count,
    }


def _blocks(files: list[Path]) -> int:
    return sum(path.stat().st_blocks * 512 for path in files)
