"""Does a machine learn the paper's algorithms, and do they hold for what is longer than anything it was trained on?

    python bench/ntm_tasks.py                                     the Neural Turing Machine, all tasks, seeds 20 to 22
    python bench/ntm_tasks.py copy associative-recall --seeds 20  some of it
    python bench/ntm_tasks.py copy --machine dnc                  one of its siblings

Every run has one process and one thread, so one core; as many run at once as --jobs says. Minutes are those of
training, the compiling among them, and of a computer that does nothing else if that was so. After training, the machine
of the best check is asked about new sequences of each size. Bits are those of each sequence, wrong the share of wrong
bits among all that are judged.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

SEQUENCES = 256  # asked about, of each size
SECONDS = 60


@dataclass(frozen=True)
class Run:
    """One training, as asked for."""

    task: str
    machine: dict[str, Any]
    seed: int
    minutes: float
    folder: Path | None


@dataclass(frozen=True)
class Outcome:
    """One training, as it went."""

    task: str
    machine: str
    seed: int
    updates: int
    sequences: int
    minutes: float
    compiled: bool
    solved: bool
    bits: float
    """Of the held-back sequences at the best check."""
    tests: dict[str, tuple[float, float]]
    """Bits and share of wrong bits by size."""


def main() -> None:
    """Train, and print one row a run."""
    arguments = _arguments()
    console = Console(width=140)
    runs = [
        Run(
            task,
            {} if arguments.machine is None else {"kind": arguments.machine},
            seed,
            arguments.minutes,
            arguments.keep,
        )
        for task in arguments.tasks
        for seed in arguments.seeds
    ]
    with ProcessPoolExecutor(arguments.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        outcomes = []
        for outcome in pool.map(train, runs):
            outcomes.append(outcome)
            console.print(_line(outcome))
    for task in arguments.tasks:
        console.print(_table([each for each in outcomes if each.task == task]))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(each) for each in outcomes], indent=1) + "\n")


def train(run: Run) -> Outcome:
    """Train one machine, and ask it."""
    import torch

    from ntm_memory_skill.ntm.tasks import task_named
    from ntm_memory_skill.ntm.training import Trainer, preset, to_bytes

    torch.set_num_threads(1)
    task = task_named(run.task)
    trainer = Trainer(task, *preset(task, run.machine, {"seed": run.seed}))
    start = time.monotonic()
    for _ in trainer.run():
        if time.monotonic() - start > run.minutes * SECONDS:
            break
    minutes = (time.monotonic() - start) / SECONDS
    if run.folder is not None:
        run.folder.mkdir(parents=True, exist_ok=True)
        (run.folder / f"{run.task}-{trainer.machine_settings.kind}-{run.seed}.safetensors").write_bytes(
            to_bytes(trainer)
        )
    best = trainer.best_check
    return Outcome(
        task=run.task,
        machine=trainer.machine_settings.kind,
        seed=run.seed,
        updates=trainer.update,
        sequences=trainer.update * trainer.settings.batch,
        minutes=minutes,
        compiled=trainer.compiled,
        solved=trainer.solved,
        bits=float("nan") if best is None else best.bits,
        tests={name: trainer.evaluate(size, SEQUENCES, seed=10_000) for name, size in task.tests.items()},
    )


def _arguments() -> argparse.Namespace:
    from ntm_memory_skill.ntm.machines import MACHINES
    from ntm_memory_skill.ntm.tasks import TASKS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    paper = ("copy", "repeat-copy", "associative-recall", "priority-sort", "ngrams")
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], default=list(paper))
    parser.add_argument("--machine", choices=MACHINES, help="by default the usual one of each task")
    parser.add_argument("--seeds", type=int, nargs="+", default=[20, 21, 22])
    parser.add_argument("--minutes", type=float, default=60, help="the most that one training may take")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, each on one core")
    parser.add_argument("--keep", type=Path, help="folder for the trained machines")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


def _line(outcome: Outcome) -> str:
    tests = ", ".join(f"{name}: {100 * wrong:.3f} %" for name, (_, wrong) in outcome.tests.items())
    return (
        f"{outcome.task} {outcome.machine} seed {outcome.seed}: {outcome.updates:,} updates, "
        f"{outcome.minutes:.1f} min, {outcome.bits:.4f} bits, wrong {tests}"
    )


def _table(outcomes: list[Outcome]) -> Table:
    sizes = list(outcomes[0].tests)
    table = Table(
        "seed",
        "updates",
        "sequences",
        "minutes",
        *(f"{size}: bits" for size in sizes),
        *(f"{size}: wrong %" for size in sizes),
    )
    table.title = f"{outcomes[0].task}, {outcomes[0].machine}"
    for each in outcomes:
        bits = [f"{each.tests[size][0]:.4f}" for size in sizes]
        wrong = [f"{100 * each.tests[size][1]:.3f}" for size in sizes]
        table.add_row(str(each.seed), f"{each.updates:,}", f"{each.sequences:,}", f"{each.minutes:.1f}", *bits, *wrong)
    means = [f"{100 * statistics.mean(each.tests[size][1] for each in outcomes):.3f}" for size in sizes]
    table.add_row("mean", "", "", "", *("" for _ in sizes), *means)
    return table


if __name__ == "__main__":
    main()
