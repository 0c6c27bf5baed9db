"""No acknowledged write is lost, whoever is killed, whenever.

    python bench/durability.py            # four writers on one memory, a thousand kills
    python bench/durability.py --many     # eight writers at the same time, twenty times over
    python bench/durability.py --rivals   # the same questions put to other stores as well

The law: when a call has returned, what it did is on disk and stays; a call that was cut short took effect as a whole or
not at all; whoever was killed, the memory opens, and nothing stands in it that nobody wrote.

Writers are processes of their own, killed with SIGKILL at random moments, in the middle of appending, folding, purging.
Before each call they report what they are about to do, after it what they were told, over a pipe that outlives them.
Each new writer compares what it finds with what its predecessors were told, while the others go on; now and then all
are killed at once, and everything is compared. The oracle stands in witness.py. Needs `fork`.

Not tested is what a power failure leaves: a killed process leaves its written bytes with the operating system.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import BrokenBarrierError
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, track
from rich.table import Table

import witness
from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings, StoreSettings
from ntm_memory_skill.errors import NTMMemoryError
from rival_durability import compare, rivals

SEED = 20141020
CHECK_EVERY = 25  # kills
LONGEST_WAIT = 0.2  # seconds between kills, at most: a writer lives through some dozens of calls, and opens in a tenth
AT_WORK = 0.5  # share of kills that hit who was heard last, who has the lock more often than the others
MOST_CALLS = 100  # on one handle; then it is closed, which folds, and opened anew
OFTEN = {"memorize": 70, "memorize_many": 6, "update": 10, "erase": 8, "purge": 6}
LENGTHS = (1,) * 20 + (10, 100)  # sentences: the longest notes make lines of several pages, which a kill can tear
SENTENCE = "The boat leaves at dusk from the second pier. "
SETTINGS = Settings(store=StoreSettings(fold_ratio=0.25, fold_always_below=2**15))  # folds after some dozens of calls
KILLS, RIVAL_KILLS = 1000, 100
CROWD, CROWD_WRITES = 8, 500
EXAMPLES = 10  # of what was amiss
RIVAL_ROWS = {
    "one writer, killed": (
        "kills",
        "killed_in_an_add",
        "acknowledged",
        "found",
        "lost",
        "unreadable",
        "refused",
        "errors",
    ),
    "two writers at once": ("acknowledged", "found", "lost", "unreadable", "refused", "errors"),
}


def main() -> int:
    """Run what was asked for, print its table, and return 1 if anything was lost or unreadable."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--many", action="store_true", help="many writers at the same time, and no kills")
    mode.add_argument("--rivals", action="store_true", help="compare with other stores")
    parser.add_argument("--kills", type=int, help="how many (default: 1000; with --rivals 100 each)")
    parser.add_argument("--writers", type=int, default=4, help="processes that write (default: 4)")
    parser.add_argument("--repeat", type=int, default=20, help="with --many: how many times (default: 20)")
    parser.add_argument("--writes", type=int, default=20, help="with --rivals: of each of two writers (default: 20)")
    parser.add_argument("--npm-folder", type=Path, help="with --rivals: the folder that npm installed into")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of all that is random (default: {SEED})")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--folder", type=Path, help="an empty folder: keep the memories there, to see what went wrong")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ntm-durability-") as temporary:
        folder = Path(temporary) if arguments.folder is None else arguments.folder
        run = run_many if arguments.many else run_rivals if arguments.rivals else run_kills
        figures, table, good = run(folder, arguments)
    Console().print(table)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({"seed": arguments.seed, **figures}, indent=1), encoding="utf-8")
    return 0 if good else 1


def opened(folder: Path) -> NTMMemoryManager:
    """Return the memory in a folder, as a writer opens it: without torch, and folding often."""
    return NTMMemoryManager.open(folder / "ntm_memory.json", settings=SETTINGS, encoder=HashedEncoder())


def write(report: Callable[[Any], None], folder: Path, ledger: witness.Ledger, name: str, seed: int) -> None:
    """Change a memory until killed. `ledger` is a copy of what this lane was told so far."""
    rng = random.Random(f"{seed} {name}")  # noqa: S311  # repeatable is the point
    marks = (f"{name}-{number}" for number in count(1))
    try:
        while True:
            with opened(folder) as memory:
                report(witness.Opened(tuple(ledger.broken(witness.Picture.of(memory)))))
                for mark in islice(marks, rng.randrange(MOST_CALLS)):
                    operation = propose(ledger, mark, rng)
                    report(witness.Begun(operation))
                    ledger.begin(operation)
                    made = operation.perform(memory)
                    report(witness.Done(made))
                    ledger.acknowledge(made)
    except NTMMemoryError as error:
        report(witness.Refused.over(error))


def propose(ledger: witness.Ledger, mark: str, rng: random.Random) -> witness.Operation:
    """Return what a writer might do next. More memories are written than erased one by one; purges keep the balance."""
    (verb,) = rng.choices(list(OFTEN), list(OFTEN.values()))
    live = [] if verb.startswith("memorize") else ledger.certain("live")
    if verb == "memorize_many":
        return witness.Operation(
            "memorize_many", tuple(text(f"{mark}-{part}", rng) for part in range(rng.randrange(2, 9)))
        )
    if not live:
        return witness.Operation("memorize", (text(mark, rng),))
    if verb == "purge":
        known = live + ledger.certain("erased")
        return witness.Operation("purge", idents=tuple(rng.sample(known, 1 + len(known) // 8)))
    if verb == "update":
        return witness.Operation("update", (text(mark, rng),), (rng.choice(live),))
    return witness.Operation("erase", idents=tuple(rng.sample(live, min(len(live), rng.choice((1, 1, 3))))))


def text(mark: str, rng: random.Random) -> str:
    """Return a note of some length."""
    return witness.note(mark, SENTENCE * rng.choice(LENGTHS)).strip()


@dataclass(slots=True)
class Lane:
    """One writer at a time, and the ledger that each leaves to the next."""

    number: int
    ledger: witness.Ledger = field(default_factory=witness.Ledger)
    child: witness.Child | None = None
    lives: int = 0


@dataclass(slots=True)
class Tally:
    """What a campaign has counted."""

    kills: int = 0
    struck: int = 0
    """Kills in the middle of an operation: begun, and not acknowledged."""
    opened: int = 0
    checks: int = 0
    half_written: int = 0
    """Temporary files of rewrites that were cut short, as far as they were seen: only when all writers are dead."""
    warnings: int = 0
    locked: int = 0
    found: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """What became of the operations that were not acknowledged."""
    broken: dict[tuple[str, str], None] = field(default_factory=dict)
    """(kind, what) of everything that was amiss, each once, in order."""

    def amiss(self, kind: str) -> int:
        """Return how many things of a kind were amiss."""
        return sum(kind == each for each, _ in self.broken)


class Campaign:
    """Writers on one memory, and the one who kills them.

    Args:
        folder: Where the memory is.
        writers: How many write at a time.
        seed: Of the moments, the victims and the writers' doings.
    """

    def __init__(self, folder: Path, writers: int, seed: int) -> None:
        self.tally = Tally()
        self.lanes = [Lane(number) for number in range(writers)]
        self._folder, self._seed = folder, seed
        self._rng = random.Random(seed)  # noqa: S311  # repeatable is the point
        self._last_heard = self.lanes[0]

    def run(self, kills: int, advance: Callable[[int], None]) -> None:
        """Kill writers one by one and start others, now and then all at once; then look at everything."""
        next_check = CHECK_EVERY
        try:
            while self.tally.kills + len(self.lanes) < kills and not self.tally.amiss("unreadable openings"):
                self._let_write(self._rng.uniform(0, LONGEST_WAIT))
                at_work = self._rng.random() < AT_WORK
                self._kill(self._last_heard if at_work else self._rng.choice(self.lanes))
                if next_check <= self.tally.kills <= kills - 2 * len(self.lanes):  # all die here, and all at the end
                    self._check()
                    next_check = self.tally.kills + CHECK_EVERY
                advance(self.tally.kills)
            self._let_write(self._rng.uniform(0, LONGEST_WAIT))
            self._check()
        finally:
            self._kill(*self.lanes)

    def _let_write(self, seconds: float) -> None:
        """Start who is missing, and take down what all report within some seconds."""
        for lane in self.lanes:
            if lane.child is not None and lane.child.ended:
                if lane.child.failed:
                    self.tally.broken["crashed writers", f"writer {lane.number}-{lane.lives}"] = None
                lane.ledger.interrupt()
                lane.child = None
            if lane.child is None:
                lane.lives += 1
                name = f"{lane.number}-{lane.lives}"
                lane.child = witness.Child(write, self._folder, lane.ledger, name, self._seed)
        by_child = {id(lane.child): lane for lane in self.lanes}
        for child, report in witness.listen([lane.child for lane in self.lanes if lane.child is not None], seconds):
            self._hear(by_child[id(child)], report)

    def _hear(self, lane: Lane, report: Any) -> None:
        self._last_heard = lane
        match report:
            case witness.Opened(missed):
                self.tally.opened += 1
                self.tally.broken |= dict.fromkeys(missed)
            case witness.Begun(operation):
                lane.ledger.begin(operation)
            case witness.Done(made):
                lane.ledger.acknowledge(made)
            case witness.Refused(locked, message):
                kind = "failed calls" if lane.ledger.interrupt() else "unreadable openings"
                self.tally.locked += locked
                if not locked:
                    self.tally.broken[kind, message] = None

    def _kill(self, *lanes: Lane) -> None:
        """Kill the writers of some lanes, and take down their last words."""
        for lane in lanes:
            if lane.child is not None:
                self.tally.kills += lane.child.kill()
        for lane in lanes:
            if lane.child is not None:
                for report in lane.child.heard():
                    self._hear(lane, report)
                self.tally.struck += lane.ledger.interrupt()
                lane.child = None

    def _check(self) -> None:
        """Kill all, compare what a fresh process finds with every ledger, and take it for true from now on."""
        self._kill(*self.lanes)
        picture = witness.look(opened, self._folder)
        ledgers = [lane.ledger for lane in self.lanes]
        self.tally.broken |= dict.fromkeys(witness.broken(ledgers, picture))
        for ledger in ledgers:
            self.tally.outcomes.update(ledger.settle(picture))
        self.tally.found = sum(ledger.kept(picture) for ledger in ledgers)
        self.tally.checks += 1
        self.tally.half_written += len(picture.half_written)
        self.tally.warnings += len(picture.warnings)


def write_in_crowd(report: Callable[[Any], None], folder: Path, number: int, writes: int, barrier: Barrier) -> None:
    """Write at the same time as others; once all are done, report what the open handle shows at the first call."""
    try:
        with opened(folder) as memory:
            barrier.wait(witness.PATIENCE)
            for each in range(writes):
                started = time.monotonic()
                made = (memory.memorize(witness.note(f"{number}-{each}", SENTENCE)).id,)
                report((witness.Done(made), time.monotonic() - started))
            barrier.wait(witness.PATIENCE)
            report(frozenset(memory.state.records))
    except NTMMemoryError as error:
        barrier.abort()  # the others need not wait for this one
        report(witness.Refused.over(error))
    except BrokenBarrierError:
        return  # another was refused, and has said so


def crowd(folder: Path) -> dict[str, Any]:
    """Return what became of the writes of many processes, in all and as each of them sees it."""
    started = time.monotonic()
    barrier = witness.FORK.Barrier(CROWD)
    made: set[str] = set()
    seen: list[frozenset[str]] = []
    refused: list[str] = []
    slowest = 0.0
    with ExitStack() as stack:
        children = [
            stack.enter_context(witness.Child(write_in_crowd, folder, number, CROWD_WRITES, barrier))
            for number in range(CROWD)
        ]
        for _, report in witness.listen(children, witness.PATIENCE):
            match report:
                case witness.Done(idents), seconds:
                    made.update(idents)
                    slowest = max(slowest, seconds)
                case witness.Refused(_, message):
                    refused.append(message)
                case frozenset():
                    seen.append(report)
    picture = witness.look(opened, folder)
    return {
        "acknowledged": len(made),
        "found": len(made & picture.live.keys()),
        "strange": len(picture.live.keys() - made),
        "seen_by_each": min((len(made & each) for each in seen), default=0) if len(seen) == CROWD else 0,
        "refused": refused,
        "unreadable": picture.unreadable,
        "slowest_call": round(slowest, 2),
        "seconds": round(time.monotonic() - started, 1),
    }


def run_kills(folder: Path, arguments: argparse.Namespace) -> tuple[dict[str, Any], Table, bool]:
    """Run the campaign on one memory."""
    kills = KILLS if arguments.kills is None else arguments.kills
    campaign = Campaign(folder, arguments.writers, arguments.seed)
    started = time.monotonic()
    with Progress(auto_refresh=False, transient=True) as progress:  # no second thread: this process forks
        bar = progress.add_task("killing", total=kills)

        def advance(done: int) -> None:
            progress.update(bar, completed=done, refresh=True)

        campaign.run(kills, advance)
    tally, ledgers = campaign.tally, [lane.ledger for lane in campaign.lanes]
    calls = sum((ledger.acknowledged for ledger in ledgers), Counter[str]())
    figures = {
        "kills": tally.kills,
        "kills in the middle of an operation": tally.struck,
        "of these operations took effect": tally.outcomes["whole"],
        "of these operations left no trace": tally.outcomes["absent"],
        "half-written files that kills left": tally.half_written,
        "unfinished lines that kills left": tally.warnings,
        "openings": tally.opened + tally.checks,
        "calls acknowledged": calls.total(),
        "memories acknowledged, or since seen": sum(len(ledger.promises) for ledger in ledgers),
        "memories found in that condition": tally.found,
        **{kind: tally.amiss(kind) for kind in witness.FAULTS},
        "gave up waiting for the lock": tally.locked,
        "seconds": round(time.monotonic() - started, 1),
    }
    shown = Table("what", "count", title=f"{arguments.writers} writers on one memory, seed {arguments.seed}")
    for name, figure in figures.items():
        shown.add_row(name, f"{figure}", style="red" if figure and name in witness.FAULTS else None)
    for kind, what in list(tally.broken)[:EXAMPLES]:
        shown.add_row(f"[red]{kind}", escape(what))
    return {**figures, "broken": [list(each) for each in tally.broken]}, shown, not tally.broken


def run_many(folder: Path, arguments: argparse.Namespace) -> tuple[dict[str, Any], Table, bool]:
    """Let a crowd write to a new memory, several times."""
    numbers = track(range(arguments.repeat), "writing", auto_refresh=False, transient=True)
    rounds = [crowd(folder / str(number)) for number in numbers]
    shown = Table("round", "acknowledged", "found", "seen by each, at least", "refused", "slowest call, s", "s")
    shown.title = f"{CROWD} processes, {CROWD_WRITES} writes each, at the same time"
    for number, each in enumerate(rounds, 1):
        counts = (each["acknowledged"], each["found"], each["seen_by_each"], len(each["refused"]))
        shown.add_row(*map(str, (number, *counts, each["slowest_call"], each["seconds"])))
    everything = CROWD * CROWD_WRITES
    good = all(each["found"] == each["seen_by_each"] == everything and not each["strange"] for each in rounds)
    return {"rounds": rounds}, shown, good


def run_rivals(folder: Path, arguments: argparse.Namespace) -> tuple[dict[str, Any], Table, bool]:
    """Put the same questions to every store that is installed."""
    kills = RIVAL_KILLS if arguments.kills is None else arguments.kills
    rows = [
        compare(rival, folder / str(number), kills, arguments.writes, arguments.seed)
        for number, rival in enumerate(rivals(arguments.npm_folder))
    ]
    shown = Table("what", *(f"{row['store']}\n{row['version'] or '–'}" for row in rows))
    shown.title = f"one writer killed {kills} times; two writers, {arguments.writes} writes each; seed {arguments.seed}"
    for test, counts in RIVAL_ROWS.items():
        shown.add_row(f"[bold]{test}")
        for each in counts:
            shown.add_row(each.replace("_", " "), *(str(row[test][each]) if test in row else "–" for row in rows))
        shown.add_section()
    shown.add_row("seconds", *(str(row.get("seconds", "–")) for row in rows))
    shown.caption = "\n".join(
        f"{row['store']} is not installed: {row['install']}" for row in rows if row["version"] is None
    )
    ours = rows[0]
    good = all(ours[test][fault] == 0 for test in RIVAL_ROWS for fault in ("lost", "unreadable"))
    return {"stores": rows}, shown, good


if __name__ == "__main__":
    raise SystemExit(main())
