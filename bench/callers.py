"""Many MCP callers of one server over HTTP at the same time: what they wait for, and whether anything is lost.

    python bench/callers.py                          # 200 callers for 60 seconds
    python bench/callers.py --engine onnx --calls 100000 --callers 50 --json callers.json    # is its memory flat?

Starts `ntm-memory serve --mcp http` over a fresh memory with some made-up sentences in it, and connects that many
clients, each with a session of its own. Each calls one tool after the other: recall, search and memorize, drawn by
shares. Their answers are timed from the call to the answer, so that waiting behind other callers is in the figures.

No error is allowed. Afterwards the server is ended, a fresh process opens the memory, and every memory that was
acknowledged has to be there: live or in the archive, with the text that was sent where it was stored as a new one.
The status is 1 if there were errors, or if a write was lost.

With --calls the server's size after the first tenth of the calls is compared with that at the end, beside what the
memories that were written in between add by themselves: their keys and texts.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console

from footprint import cpu_seconds
from fresh import fresh
from http_caller import HttpCaller, Refused
from http_server import HttpServer
from made_up import SEED, sentences
from sheets import Sheet, sheet
from stopwatch import spread
from suite import LATER, QUICK, Suite
from suite_machine import load, machine

TOOLS = ("recall", "search", "memorize")
SHARES = (70, 20, 10)
EACH = 5.0  # seconds between two looks at the server's size
DEADLINE = 120.0  # seconds that a caller waits for one answer
STARTING = 16  # callers that connect at the same time
KEY_BYTES = 4 * 384
LOOKS = 20  # at the server's size, that are shown
WIDTH = 130  # columns that the tables need


@dataclass(slots=True)
class Tally:
    """What the callers were told."""

    limit: int | None = None
    """Calls after which no further one is begun."""
    until: float = float("inf")
    """When no further one is begun, by the monotonic clock."""
    begun: int = 0
    taken: dict[str, list[float]] = field(default_factory=lambda: {tool: [] for tool in TOOLS})
    """Milliseconds of answered calls."""
    errors: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, str | None] = field(default_factory=dict)
    """Text by id of memories that were acknowledged; None where the text was counted or merged into another."""
    worked_before: tuple[float, float] = (0.0, 0.0)
    """Seconds that the server's and the callers' threads had computed when the calls began."""
    sizes: list[tuple[float, int, float]] = field(default_factory=list)
    """The server's: seconds since the start, calls answered, MiB."""

    @property
    def done(self) -> int:
        """How many calls were answered."""
        return sum(map(len, self.taken.values()))

    def may_begin(self) -> bool:
        """Count a further call as begun, if there is to be one."""
        if time.monotonic() >= self.until or (self.limit is not None and self.begun >= self.limit):
            return False
        self.begun += 1
        return True


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done."""

    callers: int
    seconds: float
    calls: int | None
    shares: tuple[int, ...]


def main() -> int:
    """Print the tables, write the figures if asked to, and return 1 if there were errors or lost writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, default=200, help="(default: 200)")
    parser.add_argument("--seconds", type=float, default=60.0, help="(default: 60)")
    parser.add_argument("--calls", type=int, help="run so many calls, however long that takes")
    parser.add_argument("--shares", type=int, nargs=3, default=SHARES, metavar="N", help=f"of {', '.join(TOOLS)}")
    parser.add_argument("--memories", type=int, default=1_000, help="that are there before (default: 1000)")
    parser.add_argument("--engine", choices=("torch", "onnx"), default="onnx", help="what encodes (default: onnx)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    plan = Plan(arguments.callers, arguments.seconds, arguments.calls, tuple(arguments.shares))
    with tempfile.TemporaryDirectory(prefix="ntm-callers-") as folder:
        suite = Suite(folder=Path(folder), sizes=QUICK)
        if arguments.engine not in suite.engines:
            parser.error('the engine onnx needs onnx and onnxruntime: pip install "ntm-memory-skill[fast]"')
        file = suite.copied(arguments.memories, arguments.engine, "served")
        figures = {"machine": machine(), "engine": arguments.engine, "memories_before": arguments.memories}
        figures |= measure(file, plan)
    for each in sheets(figures):
        Console(width=WIDTH).print(each.as_table())
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 1 if figures["errors"] or figures["lost"] else 0


def measure(file: Path, plan: Plan) -> dict[str, Any]:
    """Return all figures of callers of a server over a memory."""
    log = file.parent.parent / "server.log"
    tally = Tally(limit=plan.calls)
    with HttpServer(file, log) as server:
        started = anyio.run(_call_all, server, plan, tally)
        seconds = time.monotonic() - started
        spent = [after - before for after, before in zip(_worked(server), tally.worked_before, strict=True)]
    acknowledged = file.parent.parent / "acknowledged.json"
    acknowledged.write_text(json.dumps(tally.acknowledged), encoding="utf-8")
    lost = fresh("callers", "missing", {"file": str(file), "acknowledged": str(acknowledged)})
    return {
        "callers": plan.callers,
        "shares": dict(zip(TOOLS, plan.shares, strict=True)),
        "seed": SEED + LATER,
        "seconds": seconds,
        "calls": tally.done,
        "calls_a_second": tally.done / seconds,
        "server_cpu_ms_a_call": 1000 * spent[0] / max(1, tally.done),
        "callers_cpu_ms_a_call": 1000 * spent[1] / max(1, tally.done),
        "ms": {tool: {"calls": len(taken), **_quantiles(taken)} for tool, taken in tally.taken.items() if taken},
        "errors": dict(tally.errors),
        "acknowledged": len(tally.acknowledged),
        "lost": lost,
        "server_mib": tally.sizes,
        "growth": growth(tally) if plan.calls is not None else None,
        "load_after": load(),
        "server_said": log.read_text(encoding="utf-8", errors="replace")[-2_000:],
    }


async def _call_all(server: HttpServer, plan: Plan, tally: Tally) -> float:
    """Connect all callers, let them call, and return when they began, by the monotonic clock."""
    ready, opening = anyio.Event(), anyio.CapacityLimiter(STARTING)
    connections: list[int] = []
    started = 0.0
    async with anyio.create_task_group() as tasks:
        watching = anyio.CancelScope()
        async with anyio.create_task_group() as calling:
            for number in range(plan.callers):
                calling.start_soon(_caller, server, _calls(number, plan), tally, (opening, connections, ready))
            while len(connections) < plan.callers:
                await anyio.sleep(0.05)
            await _warmed(server)
            started, tally.worked_before = time.monotonic(), _worked(server)
            tally.until = float("inf") if plan.calls is not None else started + plan.seconds
            tasks.start_soon(_watch, server, tally, started, watching)
            ready.set()
        watching.cancel()
    return started


def _worked(server: HttpServer) -> tuple[float, float]:
    """Return the seconds that the server's and this process's threads have computed so far."""
    return server.cpu_seconds(), cpu_seconds()


async def _warmed(server: HttpServer) -> None:
    """Wait until the server answers by meaning."""
    async with HttpCaller(server.address, server.token, DEADLINE) as caller:
        with anyio.fail_after(DEADLINE):
            while "notice" in await caller.call("search", {"query": "is the model there?"}):
                await anyio.sleep(0.2)


async def _watch(server: HttpServer, tally: Tally, started: float, scope: anyio.CancelScope) -> None:
    """Note the server's size every few seconds, until told to stop, and once more then."""

    def look() -> None:
        tally.sizes.append((time.monotonic() - started, tally.done, server.mib().get("rss", float("nan"))))

    with scope:
        while True:
            look()
            await anyio.sleep(EACH)
    look()


def _calls(number: int, plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what one caller asks, without end: tools by shares, and texts that no other caller has."""
    rng = random.Random(SEED + LATER + number)  # noqa: S311  # repeatable is the point
    for place, text in enumerate(sentences(SEED + LATER + number)):
        tool = rng.choices(TOOLS, plan.shares)[0]
        if tool == "memorize":
            yield tool, {"content": f"Caller {number}, note {place}: {text}", "session": f"caller {number}"}
        else:
            yield tool, {"query": text}


async def _caller(
    server: HttpServer, calls: Iterator[tuple[str, dict[str, Any]]], tally: Tally, start: tuple[Any, list[int], Any]
) -> None:
    """Connect, wait for the others, and call until no further call is to be begun."""
    opening, connections, ready = start
    caller, refused = HttpCaller(server.address, server.token, DEADLINE), False
    try:
        async with opening:  # only connecting is limited, not the calls
            await caller.__aenter__()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is counted
        tally.errors[f"connect: {_kind(error)}"] += 1
        refused = True
    connections.append(1)
    await ready.wait()
    if refused:
        return
    while tally.may_begin():
        await _one(caller, *next(calls), tally)
    try:
        await caller.__aexit__(None, None, None)
    except Exception as error:  # noqa: BLE001  # the same
        tally.errors[f"hang up: {_kind(error)}"] += 1


async def _one(caller: HttpCaller, tool: str, arguments: dict[str, Any], tally: Tally) -> None:
    """Make one call, and note what came of it."""
    started = time.perf_counter()
    try:
        with anyio.fail_after(DEADLINE):
            found = await caller.call(tool, arguments)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is counted
        tally.errors[f"{tool}: {_kind(error)}"] += 1
        return
    if not found.get("ok"):
        tally.errors[f"{tool}: {found.get('error', {}).get('code', 'an answer without a reason')}"] += 1
        return
    tally.taken[tool].append(1000 * (time.perf_counter() - started))
    if tool == "memorize":
        tally.acknowledged[found["id"]] = arguments["content"] if found["stored"] == "new" else None


def _kind(error: BaseException) -> str:
    """Return what kind of error it is, with the protocol's reason where there is one."""
    return f"{type(error).__name__} {error}" if isinstance(error, Refused) else type(error).__name__


def missing(file: str, acknowledged: str) -> list[str]:
    """Return the ids of acknowledged memories that a memory does not hold as they were. In a fresh process."""
    from ntm_memory_skill import NTMMemoryManager

    promised: dict[str, str | None] = json.loads(Path(acknowledged).read_text(encoding="utf-8"))
    with NTMMemoryManager.open(Path(file)) as memory:
        held = {ident: record.content for ident, record in (memory.state.archive | memory.state.records).items()}
    return [ident for ident, text in promised.items() if text not in (held.get(ident), None) or ident not in held]


def growth(tally: Tally) -> dict[str, float]:
    """Return the server's MiB after the first tenth of the calls and at the end, and what was written in between."""
    tenth = next((each for each in tally.sizes if each[1] >= tally.done / 10), tally.sizes[-1])
    texts = [text for text in tally.acknowledged.values() if text is not None]
    share = 1 - tenth[1] / max(1, tally.done)
    written = share * sum(KEY_BYTES + len(text.encode()) for text in texts) / 2**20
    return {
        "mib_after_a_tenth": tenth[2],
        "mib_at_the_end": tally.sizes[-1][2],
        "grown_mib": tally.sizes[-1][2] - tenth[2],
        "written_mib": written,
    }


def _quantiles(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {**spread(taken), "p99": ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], "worst": ordered[-1]}


def sheets(figures: dict[str, Any]) -> list[Sheet]:
    """Return the milliseconds of each tool, and the server's size over time."""
    columns = ("tool", "calls", "p50, ms", "p95, ms", "p99, ms", "worst, ms")
    names = ("calls", "median", "p95", "p99", "worst")
    waits = [(tool, *(found[name] for name in names)) for tool, found in figures["ms"].items()]
    every = max(1, len(figures["server_mib"]) // LOOKS)
    title = f"{figures['callers']} callers at the same time, {figures['engine']}, {figures['seconds']:.0f} s"
    sizes = [(f"{seconds:.0f}", calls, mib) for seconds, calls, mib in figures["server_mib"][::every]]
    return [
        sheet(title, columns, waits, *findings(figures)),
        sheet("The server's size meanwhile", ("after, s", "calls answered", "resident, MiB"), sizes),
    ]


def findings(figures: dict[str, Any]) -> list[str]:
    """Return what a run has shown, a line each."""
    lost = figures["lost"]
    lines = [
        f"{figures['calls_a_second']:.1f} calls a second; errors: {sum(figures['errors'].values())}; acknowledged "
        f"memories: {figures['acknowledged']}, lost: {len(lost)}{''.join(f' {ident}' for ident in lost[:5])}.",
        *(f"{count} × {kind}" for kind, count in figures["errors"].items()),
        f"Computed a call, on all threads together: {figures['server_cpu_ms_a_call']:.1f} ms by the server, "
        f"{figures['callers_cpu_ms_a_call']:.1f} ms by the callers, on the same machine.",
    ]
    if figures["growth"] is not None:
        grown = figures["growth"]
        lines.append(
            f"The server: {grown['mib_after_a_tenth']:.0f} MiB after a tenth of the calls, "
            f"{grown['mib_at_the_end']:.0f} at the end: {grown['grown_mib']:+.1f}; the memories written in between "
            f"hold {grown['written_mib']:.1f}."
        )
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
