"""What survives a kill, and what survives two writers at once, in other stores and in ours.

The stores with keys stand in rival_stores.py; beside them is the reference MCP memory server, over stdio, as any MCP
client would use it. An added text is acknowledged when `add` has returned. Every store gets the same texts and the same
hashed keys.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from itertools import islice
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from rich.progress import track

from ntm_memory_skill import HashedEncoder
from rival_stores import DIMENSION, Chroma, Item, Ours, Rival, SqliteVec
from witness import FORK, PATIENCE, Child, ask, listen, note

LONGEST_WAIT = 0.05  # seconds from a writer's first acknowledged add to its death, at most
MOST_ADDS = 10_000  # of one writer: it is killed long before
MCP_PACKAGE = "@modelcontextprotocol/server-memory"
MCP_VERSION = "2025-06-18"
ENCODER = HashedEncoder(DIMENSION)


class McpMemory:
    """The reference MCP memory server, one a writer, as each of two chat programs would start it.

    Args:
        npm_folder: Where it was installed; None asks npm for its folders.
    """

    name = "MCP server-memory"
    install = f"npm install {MCP_PACKAGE}"
    errors: tuple[type[Exception], ...] = (ConnectionError,)

    def __init__(self, npm_folder: Path | None) -> None:
        self._node = shutil.which("node")
        folders = _npm_roots() if npm_folder is None else [npm_folder, npm_folder / "node_modules"]
        self._package = next((folder / MCP_PACKAGE for folder in folders if (folder / MCP_PACKAGE).is_dir()), None)

    def version(self) -> str | None:
        """Return that of the server, if there is a node to run it."""
        if self._node is None or self._package is None:
            return None
        return str(json.loads((self._package / "package.json").read_text("utf-8"))["version"])

    def open(self, folder: Path) -> McpHandle:
        """Start a server, and shake hands."""
        environment = {**os.environ, "MEMORY_FILE_PATH": str((folder / "memory.jsonl").resolve())}
        return McpHandle([str(self._node), f"{self._package}/dist/index.js"], environment)


def _npm_roots() -> list[Path]:
    npm = shutil.which("npm")
    if npm is None:
        return []
    asked = (subprocess.run([npm, "root", *more], capture_output=True, text=True, check=False) for more in ([], ["-g"]))
    return [Path(answer.stdout.strip()) for answer in asked if answer.returncode == 0]


class McpHandle:
    """A client of one server: JSON-RPC, one message a line."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
        self._server: Any = subprocess.Popen(  # Any: that there are pipes is not in its type
            command, stdin=pipe, stdout=pipe, stderr=quiet, env=environment, text=True, bufsize=1
        )
        self._number = 0
        about = {"protocolVersion": MCP_VERSION, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        self._request("initialize", about)
        self._send({"method": "notifications/initialized"})

    @property
    def process(self) -> int:
        """The server's process id."""
        return int(self._server.pid)

    def add(self, item: Item) -> str:
        """Store a text as an entity of its own, and return its name, which is the text."""
        text = str(item["content"])
        self._call("create_entities", {"entities": [{"name": text, "entityType": "note", "observations": [text]}]})
        return text

    def looked_up(self, word: str) -> list[str]:
        """Return the names of the entities that hold a word."""
        graph = json.loads(self._call("search_nodes", {"query": word})["content"][0]["text"])
        return [entity["name"] for entity in graph["entities"]]

    def listed(self) -> dict[str, str]:
        """Return all texts by name."""
        graph = json.loads(self._call("read_graph", {})["content"][0]["text"])
        return {entity["name"]: entity["observations"][0] for entity in graph["entities"]}

    def close(self) -> None:
        """End the server."""
        self._server.kill()  # it has answered: whatever it acknowledged should be in its file by now
        self._server.communicate()

    def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result = self._request("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise ConnectionError(f"{tool}: {result['content'][0]['text']}")
        return result

    def _request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while (answer := self._next()).get("id") != self._number:
            pass  # a notification
        if "error" in answer:
            raise ConnectionError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def _send(self, message: dict[str, Any]) -> None:
        self._server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")

    def _next(self) -> dict[str, Any]:
        """Return the next message. A server that says nothing is waited for as long as its client is: see `Child`."""
        line = self._server.stdout.readline()
        if not line:
            raise ConnectionError("the server has gone")
        return dict(json.loads(line))


def rivals(npm_folder: Path | None) -> list[Rival]:
    """Return all stores that are compared, ours first."""
    return [Ours(ENCODER), SqliteVec(ENCODER), Chroma(ENCODER), McpMemory(npm_folder)]


@dataclass(slots=True)
class Fate:
    """What became of the texts that a store was given."""

    acknowledged: int = 0
    found: int = 0
    lost: int = 0
    refused: int = 0
    """Writers that could not open the store."""
    errors: int = 0
    """Adds that were answered with an error, and writers that crashed."""
    unreadable: int = 0
    """How often the store could not be opened afterwards."""
    kills: int = 0
    killed_in_an_add: int = 0
    said: list[str] = field(default_factory=list)
    """With which words writers were refused and adds answered, each once."""

    def take_down(self, reports: list[tuple[str, str]]) -> set[str]:
        """Count refusals and errors, and return the texts that were acknowledged."""
        self.refused += sum(what == "refused" for what, _ in reports)
        self.errors += sum(what == "failed" for what, _ in reports)
        words = [text for what, text in reports if what in ("refused", "failed")]
        self.said = list(dict.fromkeys([*self.said, *words]))
        return {text for what, text in reports if what == "acknowledged"}

    def judge(self, rival: Rival, folder: Path, acknowledged: set[str]) -> None:
        """Count what is left in a store that nobody has open any more."""
        texts = ask(list_all, rival, folder)
        self.acknowledged += len(acknowledged)
        self.found += len(acknowledged & (texts or set()))
        self.lost = self.acknowledged - self.found
        self.unreadable += texts is None


def list_all(rival: Rival, folder: Path) -> set[str] | None:
    """Return all texts in a store; None if it cannot be opened."""
    try:
        with closing(rival.open(folder)) as handle:
            return set(handle.listed().values())
    except rival.errors:
        return None


def add(report: Callable[[Any], None], rival: Rival, folder: Path, writer: int, writes: int, go: Event) -> None:
    """Open a store, and once it may go on, add texts. Reports (what happened, the text or the error's)."""
    try:
        handle = rival.open(folder)
    except rival.errors as error:
        report(("refused", str(error)))
        return
    with closing(handle):
        report(("opened", ""))
        go.wait(PATIENCE)
        for number in range(writes):
            text = note(f"{writer}-{number}", "The boat leaves at dusk.")
            report(("begun", text))
            try:
                handle.add({"content": text})
                report(("acknowledged", text))
            except rival.errors as error:
                report(("failed", str(error)))


def two_writers(rival: Rival, folder: Path, writes: int) -> Fate:
    """Let two processes write to one store at the same time. It was opened before: not all can be begun by two."""
    fate, go = Fate(), FORK.Event()
    folder.mkdir(parents=True)
    ask(list_all, rival, folder)
    with ExitStack() as stack:
        children = [stack.enter_context(Child(add, rival, folder, writer, writes, go)) for writer in range(2)]
        said = [report for child in children for report in islice(child.heard(PATIENCE), 1)]  # opened, or refused
        go.set()
        said += [report for _, report in listen(children, PATIENCE)]
        fate.errors = sum(child.failed for child in children)
    fate.judge(rival, folder, fate.take_down(said))
    return fate


def kill_test(rival: Rival, folder: Path, kills: int, seed: int) -> Fate:
    """Kill one writer after the other, each some moments after its first add; then look at what is left."""
    fate, go = Fate(), FORK.Event()
    go.set()
    rng = random.Random(seed)  # noqa: S311  # repeatable is the point
    acknowledged: set[str] = set()
    stores = 0  # a new one is begun after each that would not open again
    for number in track(range(kills), rival.name, auto_refresh=False, transient=True):
        store = folder / str(stores)
        store.mkdir(parents=True, exist_ok=True)
        with Child(add, rival, store, number, MOST_ADDS, go) as child:
            said = list(islice(child.heard(PATIENCE), 3))  # opened, begun, acknowledged
            said += [report for _, report in listen([child], rng.uniform(0, LONGEST_WAIT))]
            fate.kills += child.kill()
            said += child.heard()
        fate.killed_in_an_add += said[-1:] != [] and said[-1][0] == "begun"
        acknowledged |= fate.take_down(said)
        opened = said[:1] == [("opened", "")]
        if not opened or number == kills - 1:
            fate.judge(rival, store, acknowledged)
            acknowledged, stores = set(), stores + 1
    return fate


def compare(rival: Rival, folder: Path, kills: int, writes: int, seed: int) -> dict[str, Any]:
    """Return what became of a rival's texts under kills and between two writers; how to install it if it is absent."""
    about = {"store": rival.name, "version": rival.version(), "install": rival.install}
    if about["version"] is None:
        return about
    started = time.monotonic()
    killed = kill_test(rival, folder / "killed", kills, seed)
    shared = two_writers(rival, folder / "shared", writes)
    seconds = round(time.monotonic() - started, 1)
    return {**about, "one writer, killed": asdict(killed), "two writers at once": asdict(shared), "seconds": seconds}
