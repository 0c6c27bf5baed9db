"""A million damaged memories: a reader refuses them with a code, or shows what was written, or says what is missing.

    python bench/fuzz.py --inputs 1000000 --processes 2

The mutators and the judge are those of tests/store/test_fuzz.py: bytes flipped, cut, moved and mixed in snapshot,
journal, key cache and writer's note, of both format versions and encrypted; and JSON that says something else behind
right checksums. Each input is also read by a store that was open before; some are put in order and folded.

Counted are: refusals by code; memories that were read as written; shorter ones that say so; such that say something
else, which only right checksums can bring about; crashes, which are all other exceptions; silent losses; and hangs.
Exit status 1 on any of the last three. An input is named by kind and number, and is the same in every run with a seed,
but for what encryption draws by itself; `--keep` writes the files of those that failed.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from multiprocessing import get_context
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the mutators are the tests', which are not installed

from ntm_memory_skill.store import seal
from tests.store.judging import Verdict, tried
from tests.store.mutations import KINDS, made
from tests.store.specimens import CHEAP, Specimen, specimens

SEED = 20141020
LONGEST = 2.0  # seconds for one input, which takes about a millisecond
BATCH = 500  # inputs that a process takes at a time
SHOWN = 5  # failures of each kind
WIDTH = 150  # columns that the table needs
CODES = {"store_damaged": "damaged", "store_too_new": "too new", "key_refused": "key"}


class Hang(BaseException):
    """An input has taken too long. No handler of the store's must catch it."""


@dataclass(slots=True)
class Tally:
    """What became of the inputs of one kind."""

    inputs: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By code."""
    same: int = 0
    prefix: int = 0
    another: int = 0
    crashes: int = 0
    losses: int = 0
    hangs: int = 0
    slowest: float = 0.0
    """Seconds."""
    failures: list[tuple[int, str]] = field(default_factory=list)
    """(number, what happened) of some that crashed, hung or lost something."""

    def add(self, verdict: Verdict) -> None:
        """Count one."""
        match verdict.outcome:
            case "refused":
                self.refused[verdict.detail] += 1
            case "same":
                self.same += 1
            case "prefix":
                self.prefix += 1
            case "another":
                self.another += 1
            case "loss":
                self.losses += 1

    def merge(self, other: Tally) -> None:
        """Take in what another process has counted."""
        for name in ("inputs", "same", "prefix", "another", "crashes", "losses", "hangs"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused += other.refused
        self.slowest = max(self.slowest, other.slowest)
        self.failures = (self.failures + other.failures)[:SHOWN]

    def figures(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {spec.name: getattr(self, spec.name) for spec in fields(self)}

    @property
    def failed(self) -> bool:
        """Whether there was anything that must not be."""
        return bool(self.crashes or self.losses or self.hangs)


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs of one kind for one process."""

    kind: str
    first: int
    count: int
    seed: int


def main() -> int:
    """Run, print the table, and return 1 if anything crashed, hung or was lost without a word."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all (default: 1000000)")
    parser.add_argument("--processes", type=int, default=2, help="how many work at a time (default: 2)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of all that is random (default: {SEED})")
    parser.add_argument("--keep", type=Path, help="write the files of inputs that failed to this folder")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    started = time.monotonic()
    tallies = run(arguments.inputs, arguments.processes, arguments.seed)
    seconds = time.monotonic() - started
    console = Console(width=max(Console().width, WIDTH))
    console.print(table(tallies, seconds))
    for kind, tally in tallies.items():
        for number, what in tally.failures:
            console.print(f"[red]{kind}, number {number}[/]: {what}", highlight=False)
    if arguments.keep is not None:
        keep(arguments.keep, tallies, arguments.seed)
    if arguments.json is not None:
        kinds = {kind: tally.figures() for kind, tally in tallies.items()}
        figures = {"seed": arguments.seed, "seconds": seconds, "kinds": kinds}
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return int(any(tally.failed for tally in tallies.values()))


def run(inputs: int, processes: int, seed: int) -> dict[str, Tally]:
    """Judge so many inputs, as many of each kind."""
    tallies = {kind: Tally() for kind in KINDS}
    with Progress(transient=True) as progress, get_context("spawn").Pool(processes, _prepare) as pool:
        task = progress.add_task("damaging and reading", total=inputs)
        for kind, tally in pool.imap_unordered(_judge, _batches(inputs, seed)):
            tallies[kind].merge(tally)
            progress.advance(task, tally.inputs)
    return tallies


def _batches(inputs: int, seed: int) -> Iterator[Batch]:
    """Give each kind its share, in turns: a run that is broken off has seen all of them."""
    share, rest = divmod(inputs, len(KINDS))
    shares = {kind: share + (place < rest) for place, kind in enumerate(KINDS)}
    for first in range(0, share + 1, BATCH):
        for kind, count in shares.items():
            if count > first:
                yield Batch(kind, first, min(BATCH, count - first), seed)


_MEMORIES: list[Specimen] = []
"""A process's own: to make them takes longer than to damage one."""


def _prepare() -> None:
    signal.signal(signal.SIGALRM, _ring)
    _MEMORIES.extend(_specimens())


def _specimens() -> tuple[Specimen, ...]:
    name, cost = CHEAP
    seal.SCRYPT[name] = cost
    return specimens()


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise Hang


def _judge(batch: Batch) -> tuple[str, Tally]:
    """Judge the inputs of a batch."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="ntm-fuzz-") as folder:
        for number in range(batch.first, batch.first + batch.count):
            started = time.perf_counter()
            failure = _judge_one(batch, number, Path(folder), tally)
            tally.slowest = max(tally.slowest, time.perf_counter() - started)
            tally.inputs += 1
            if failure is not None and len(tally.failures) < SHOWN:
                tally.failures.append((number, failure))
    return batch.kind, tally


def _judge_one(batch: Batch, number: int, folder: Path, tally: Tally) -> str | None:
    """Judge one input, and return what is wrong with what came of it."""
    try:
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        verdict = tried(batch.kind, number, batch.seed, tuple(_MEMORIES), folder)
    except Hang:
        tally.hangs += 1
        return f"took longer than {LONGEST:g} s"
    except Exception as error:  # noqa: BLE001  # whatever is not the store's own error is what is looked for
        tally.crashes += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    tally.add(verdict)
    return verdict.detail if verdict.outcome == "loss" else None


def keep(folder: Path, tallies: dict[str, Tally], seed: int) -> None:
    """Write the files of inputs that failed, each memory in a folder of its own."""
    memories = _specimens()
    for kind, tally in tallies.items():
        for number, _ in tally.failures:
            case = made(kind, number, seed, memories)
            place = folder / f"{kind.replace(': ', '-').replace(' ', '_')}-{number}"
            place.mkdir(parents=True, exist_ok=True)
            for name, data in case.files.items():
                (place / name).write_bytes(data)


def table(tallies: dict[str, Tally], seconds: float) -> Table:
    """Return the figures as a table, with a line for all kinds together."""
    total = Tally()
    shown = Table()
    shown.add_column("kind", no_wrap=True)
    refused = [*CODES.values(), "other"]
    for name in ("inputs", *refused, "same", "shorter", "another", "crashes", "losses", "hangs", "ms"):
        shown.add_column(name, justify="right")
    for kind, tally in tallies.items():
        shown.add_row(kind, *_cells(tally))
        total.merge(tally)
    shown.add_section()
    shown.add_row("all", *_cells(total))
    shown.title = f"{total.inputs} damaged memories, {seconds / 60:.1f} minutes"
    shown.caption = f"{', '.join(refused)}: refused with such a code; shorter: and said so; ms: of the slowest input"
    return shown


def _cells(tally: Tally) -> list[str]:
    refused = [tally.refused[code] for code in CODES]
    refused.append(tally.refused.total() - sum(refused))
    counts = (tally.same, tally.prefix, tally.another, tally.crashes, tally.losses, tally.hangs)
    return [str(count) for count in (tally.inputs, *refused, *counts)] + [f"{tally.slowest * 1000:.0f}"]


if __name__ == "__main__":
    sys.exit(main())
