"""Machines that learn tasks: what `ntm-memory train --task` does, and `ntm-memory tasks` to look at what was learnt."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from math import inf, prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ntm_memory_skill.errors import InvalidArgument, MachineError
from ntm_memory_skill.hosts import tasks
from ntm_memory_skill.hosts.cli.output import Envelope, Output, literal, of
from ntm_memory_skill.hosts.report import check_free
from ntm_memory_skill.hosts.tasks import Ended, Files, Order
from ntm_memory_skill.store.fs import FileSystem

if TYPE_CHECKING:
    from ntm_memory_skill.ntm.tasks import Size
    from ntm_memory_skill.ntm.training import Check, Trainer

MOST = 10_000
"""The most that the numbers of a size may come to, multiplied: a mistyped one is an error, and no endless sequence."""


class Kind(StrEnum):
    """The machines that learn tasks."""

    NTM = "ntm"
    DNC = "dnc"
    MANN = "mann"
    DKVMN = "dkvmn"


FIELDS = {
    "--machine": "kind",
    "--memory-size": "memory_size",
    "--memory-dim": "memory_dim",
    "--heads": "num_read_heads",
    "--write-heads": "num_write_heads",
    "--controller": "controller",
    "--hidden": "hidden",
    "--initialization": "initialization",
}
"""The options that are sizes of a machine, and what the settings call them."""
TRAINING = {
    "--learning-rate": "learning_rate",
    "--batch": "batch",
    "--updates": "updates",
    "--seed": "seed",
    "--no-compile": "compiled",
}

Named = Annotated[
    str | None,
    typer.Option(
        "--task", metavar="NAME", help="Train a machine on this task, in place of the head; `tasks list` has them."
    ),
]
Machine = Annotated[
    Kind | None,
    typer.Option("--machine", help="For a task: which machine; the usual one by default.", show_default=False),
]
Slots = Annotated[int | None, typer.Option("--memory-size", min=1, help="For a task: slots.", show_default=False)]
Width = Annotated[int | None, typer.Option("--memory-dim", min=1, help="For a task: numbers in a slot.")]
Writers = Annotated[int | None, typer.Option("--write-heads", min=1, max=16, help="For a task: write heads.")]
Batch = Annotated[int | None, typer.Option("--batch", min=1, help="For a task: sequences in an update.")]
Updates = Annotated[int | None, typer.Option("--updates", min=1, help="For a task: of the weights, at most.")]
Minutes = Annotated[float | None, typer.Option("--minutes", help="For a task: stop after so many; --resume goes on.")]
Resume = Annotated[bool, typer.Option("--resume", help="For a task: go on from the machine's file.")]
Compile = Annotated[
    bool | None,
    typer.Option("--compile/--no-compile", help="For a task: compile, which takes a minute and pays after a few."),
]
Target = Annotated[
    str, typer.Argument(metavar="FILE|TASK", help="A machine's file, or the name of one that `tasks list` shows.")
]
Large = Annotated[str | None, typer.Option("--size", metavar="NUMBERS", help="How large a sequence, as 120 or 20x10.")]

app = typer.Typer(
    help="Machines that learn tasks, as in Graves 2014: list them, test them, draw them; `train --task` trains one.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="tasks", rich_help_panel="Proof")


def refuse(said: Mapping[str, object], why: str) -> None:
    """Refuse what was given and says nothing here; None was not given. Raises InvalidArgument with the first name."""
    for name, value in said.items():
        if value is not None:
            raise InvalidArgument(f"{name} {why}", hint=f"Leave out {name}, or see `ntm-memory train --help`.")


def train(
    output: Output,
    said: Mapping[str, Any],
    *,
    task: str,
    minutes: float | None,
    resume: bool,
    to: Path | None,
    force: bool,
) -> None:
    """Train a machine on a task as the options say, keep it and show what it has learnt.

    Args:
        output: The command's output.
        said: What stands for the options in `FIELDS` and `TRAINING`; None where nothing was said.
        task: The task's name.
        minutes: How long at most.
        resume: Whether to go on from the file.
        to: The file; None is the task's own in the folder beside the memory.
        force: Whether to overwrite it.
    """
    order = _order(task, said)
    if minutes is not None and not 0 < minutes < inf:
        raise InvalidArgument(f"--minutes is a number above 0, not {minutes}", hint="For example: --minutes 10")
    if resume and force:
        raise InvalidArgument(
            "--resume and --force do not go together", hint="Go on with one, or start with the other."
        )
    place = tasks.kept_in(tasks.folder(output.config), task, order.kind) if to is None else to
    files = Files(machine=place, ours=to is None)
    if resume:
        trainer = tasks.resume(place, order)
    else:
        trainer = tasks.start(order)
        files.check_free(force=force)
    with _display(trainer, wanted=not output.as_json) as shown:
        ended = tasks.train(trainer, files, clock=time.monotonic, minutes=minutes, shown=shown)
    output.show(_trained(ended, files), lambda console, envelope: _close(console, envelope, ended))


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the tasks, how large their sequences are, and the machines that were trained."""
    from ntm_memory_skill.ntm.tasks import TASKS

    output = of(context)
    known = [
        {
            "name": task.name,
            "about": " ".join((task.__doc__ or "").split("\n\n")[0].split()),
            "measures": list(task.measures),
            "levels": task.levels,
            "tests": {name: list(size) for name, size in task.tests.items()},
        }
        for task in TASKS.values()
    ]
    folder = tasks.folder(output.config)
    found = [folder / name for name in FileSystem().list_folder(folder) if name.endswith(tasks.ENDING)]
    machines = [_listed(path) for path in found]
    output.show({"ok": True, "folder": str(folder), "tasks": known, "machines": machines}, _list)


@app.command("test")
def ask(
    context: typer.Context,
    target: Target,
    size: Large = None,
    sequences: Annotated[int, typer.Option(min=1, max=4_096, help="How many to ask about.")] = tasks.TEST_SEQUENCES,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**62, help="Of the sequences; by default none that training saw.")
    ] = None,
) -> None:
    """Say what a machine costs on sequences that it has not seen, as large as those of training or larger."""
    output = of(context)
    path, trainer = tasks.named(output.config, target)
    measured = tasks.costs(trainer, None if size is None else _size(size), sequences, seed)
    described = {"task": trainer.task.name, "machine": trainer.machine_settings.kind, "file": str(path)}
    envelope = {"ok": True, **described, "sequences": sequences, "tests": measured}
    output.show(envelope, lambda console, shown: console.print(_costs(shown)))


@app.command("plot")
def plot(
    context: typer.Context,
    target: Target,
    to: Annotated[
        Path | None, typer.Option("--output", metavar="PNG", help="Where to; beside the machine by default.")
    ] = None,
    size: Large = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the picture.")] = False,
) -> None:
    """Draw how a machine learnt, and what it reads and writes in one sequence, as in the paper's figures."""
    from ntm_memory_skill.hosts import drawing

    output = of(context)
    path, trainer = tasks.named(output.config, target)
    picture = path.with_name(f"{path.stem}.png") if to is None else to
    check_free(picture, force=force)
    wanted = next(iter(trainer.task.tests.values())) if size is None else _size(size)
    seen = drawing.watch(trainer, wanted, trainer.settings.seed + 1)
    large = " × ".join(map(str, wanted))
    title = f"{trainer.task.name}: {trainer.machine_settings.kind.upper()}, a sequence of size {large}"
    FileSystem().replace(picture, drawing.png(title, trainer.checks, seen))
    envelope = {"ok": True, "task": trainer.task.name, "file": str(path), "size": list(wanted), "output": str(picture)}
    output.show(envelope, lambda console, shown: console.print(f"[green]drawn[/] {literal(shown['output'])}"))


def _order(task: str, said: Mapping[str, Any]) -> Order:
    given = {name: value.value if isinstance(value, StrEnum) else value for name, value in said.items()}
    given = {name: value for name, value in given.items() if value is not None}
    if given.get("--machine") == Kind.MANN and "--heads" in given:
        given.setdefault("--write-heads", given["--heads"])  # each of its heads reads and writes
    return Order(
        task=task,
        machine={FIELDS[name]: value for name, value in given.items() if name in FIELDS},
        training={TRAINING[name]: value for name, value in given.items() if name in TRAINING},
        named={field: name for name, field in (*FIELDS.items(), *TRAINING.items())},
    )


def _size(text: str) -> Size:
    numbers = text.split("x")
    if not all(re.fullmatch("[0-9]{1,5}", each) for each in numbers) or prod(map(int, numbers)) > MOST:
        message = f"a size is numbers with x between them that come to {MOST} at most, not {text!r}"
        raise InvalidArgument(message, hint="For example: --size 120, or --size 20x10 for repeat-copy.")
    return tuple(map(int, numbers))


def _trained(ended: Ended, files: Files) -> Envelope:
    trainer = ended.trainer
    return {
        "ok": True,
        "task": trainer.task.name,
        "machine": trainer.machine_settings.kind,
        "solved": trainer.solved,
        "updates": trainer.update,
        "sequences": trainer.update * trainer.settings.batch,
        "seconds": round(ended.seconds, 3),
        "compiled": trainer.compiled,
        "tests": tasks.costs(trainer) if ended.kept else {},
        "output": str(files.machine) if ended.kept else None,
        "log": str(files.log) if ended.kept else None,
    }


def _listed(path: Path) -> dict[str, Any]:
    try:
        trainer = tasks.read(path, compiled=False)
    except MachineError as error:
        return {"file": path.name, "error": error.message}
    best = trainer.best_check
    return {
        "file": path.name,
        "task": trainer.task.name,
        "machine": trainer.machine_settings.kind,
        "updates": trainer.update,
        "level": trainer.level,
        "bits": None if best is None else best.bits,
        "wrong": None if best is None else best.wrong,
        "solved": trainer.solved,
    }


@contextmanager
def _display(trainer: Trainer, *, wanted: bool) -> Iterator[Callable[[Check, float], None] | None]:
    """Show how far training has come, where somebody watches; give what it is to be told."""
    console = Console(stderr=True, highlight=False)
    if not wanted or not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    name, settings = trainer.task.name, trainer.settings
    columns = (TextColumn("{task.description}"), BarColumn(12), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[said]}"), console=console, transient=True) as progress:
        first = f"{name}: compiling, about a minute" if trainer.compiled else name
        line = progress.add_task(first, total=settings.updates, completed=trainer.update, said="")
        last: tuple[int, float] | None = None

        def shown(check: Check, seconds: float) -> None:
            nonlocal last
            said = f"{check.bits:.2f} bits · {100 * check.wrong:.2f} % wrong · loss {check.loss:.4f}"
            if last is not None:  # the first check has had to wait for the compiler
                pace = (check.update - last[0]) * settings.batch / max(seconds - last[1], 1e-9)
                said += f" · {pace:,.0f} sequences/s"
            last = (check.update, seconds)
            progress.update(line, completed=check.update, description=f"{name}: level {check.level}", said=said)

        yield shown


def _costs(envelope: Envelope) -> Table:
    table = Table(f"{envelope['task']}, size", "bits per sequence", "wrong bits, %", box=SIMPLE_HEAD)
    for name, each in envelope["tests"].items():
        table.add_row(name, f"{each['bits']:.3f}", f"{100 * each['wrong']:.3f}")
    return table


def _close(console: Console, envelope: Envelope, ended: Ended) -> None:
    if not ended.kept:
        console.print("[yellow]stopped[/] before the first check: nothing was written")
        return
    console.print(_costs(envelope))
    how = "compiled" if envelope["compiled"] else "not compiled"
    console.print(
        f"[dim]the best {envelope['machine']} on {tasks.TEST_SEQUENCES} sequences of each size that it had not seen\n"
        f"{envelope['updates']:,} updates · {envelope['sequences']:,} sequences · "
        f"{envelope['seconds'] / 60:.1f} minutes · {how}[/]"
    )
    if not ended.trainer.finished:
        console.print("[yellow]stopped[/]: the same line with --resume goes on")
    console.print(
        f"[green]written[/] {literal(envelope['output'])}\n[dim]the learning curve: {literal(envelope['log'])}[/]"
    )


def _list(console: Console, envelope: Envelope) -> None:
    for each in envelope["tasks"]:
        levels = "one level" if each["levels"] == 1 else f"levels 1 to {each['levels']}"
        size = f"a size is {' x '.join(each['measures'])}; tested on {', '.join(each['tests'])}; {levels}"
        console.print(f"[bold]{each['name']}[/] [dim]{size}[/]\n  {literal(each['about'])}")
    console.print(f"\n[dim]machines in {literal(envelope['folder'])}[/]")
    for each in envelope["machines"]:
        if "error" in each:
            console.print(f"[red]bad[/] {literal(each['error'])}")
            continue
        cost = "" if each["bits"] is None else f", {each['bits']:.3f} bits, {100 * each['wrong']:.2f} % wrong"
        told = f"{each['task']}, {each['machine']}: {each['updates']:,} updates, level {each['level']}{cost}"
        console.print(f"{literal(each['file'])} [dim]{literal(told)}{', solved' if each['solved'] else ''}[/]")
    if not envelope["machines"]:
        console.print("[dim]none yet; for example: ntm-memory train --task copy[/]")
