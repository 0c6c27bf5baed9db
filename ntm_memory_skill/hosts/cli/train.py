"""The command that trains the memory's head: `ntm-memory train`. With `--task` it hands over to `tasks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ntm_memory_skill import __version__
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli import tasks
from ntm_memory_skill.hosts.cli.output import Envelope, Output, literal, of
from ntm_memory_skill.hosts.heads import has_head
from ntm_memory_skill.hosts.report import check_free, write_new
from ntm_memory_skill.hosts.training import Course, Lessons, refuse_if_worse, run
from ntm_memory_skill.learning import TrainingSettings
from ntm_memory_skill.learning.fitting import CHECK_EVERY
from ntm_memory_skill.learning.verdict import DEPTHS
from ntm_memory_skill.ntm import CONTROLLERS, INITIALIZATIONS

_DEFAULTS = TrainingSettings()
MOST_HIDDEN = 1_024


class Controller(StrEnum):
    """What steers the head."""

    LINEAR = "linear"
    FEEDFORWARD = "feedforward"
    LSTM = "lstm"


class Initialization(StrEnum):
    """What training starts from."""

    CONSTANT = "constant"
    SMALL_RANDOM = "small_random"
    LEARNED = "learned"


if (*Controller, *Initialization) != (*CONTROLLERS, *INITIALIZATIONS):
    raise AssertionError("a controller or an initialization cannot be named, or a name has none")

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH", help="Question sets, as for `eval`. Each is a kind: the head is to serve them all."),
]
Feedback = Annotated[
    bool, typer.Option("--feedback", help="Learn from which of this memory's answers were of use, too.")
]
Steers = Annotated[
    Controller | None,
    typer.Option(help="What steers the head, linear by default; or a task's machine, then lstm.", show_default=False),
]
Heads = Annotated[
    int | None,
    typer.Option(min=1, max=16, help="Read heads; by default as configured, or the task's.", show_default=False),
]
Hidden = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_HIDDEN,
        help=f"Units of the hidden layer, or of the LSTM; {_DEFAULTS.hidden} by default, or the task's.",
        show_default=False,
    ),
]
Rate = Annotated[
    float | None, typer.Option(help="Above 0, up to 1; by default as configured, or the task's.", show_default=False)
]
Start = Annotated[
    Initialization | None,
    typer.Option(help="What to start from; by default as configured, or the task's.", show_default=False),
]
Consolidation = Annotated[
    float | None,
    typer.Option(
        help="For learned: how strongly the head is held to what it has learnt before, 0 (not at all) and up; "
        f"{_DEFAULTS.consolidation:g} by default.",
        show_default=False,
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        min=CHECK_EVERY, help=f"Of gradient descent at most; {_DEFAULTS.steps} by default.", show_default=False
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        min=0, help=f"The same seed gives the same head or machine; {_DEFAULTS.seed} by default.", show_default=False
    ),
]
File = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the head there in place of installing it; or the machine.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite FILE.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the table, and keep nothing.")]
Remove = Annotated[bool, typer.Option("--remove", help="Delete the installed head: the default one looks again.")]

_Said = dict[str, Any]
"""Options by name, as they were given; None where nothing was said."""
_MACHINES_ALONE = "is for machines that learn a task: without --task, the head is trained"
_HEADS_ALONE = "is for training the head: with --task, a machine is trained"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lesson:
    """What a head is to learn from, and where it is to go."""

    paths: list[Path] | None
    feedback: bool
    output: Path | None
    force: bool
    dry_run: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", rich_help_panel="Proof")(train)


def train(
    context: typer.Context,
    paths: Paths = None,
    feedback: Feedback = False,
    controller: Steers = None,
    heads: Heads = None,
    hidden: Hidden = None,
    learning_rate: Rate = None,
    initialization: Start = None,
    consolidation: Consolidation = None,
    steps: Steps = None,
    seed: Seed = None,
    output: File = None,
    force: Force = False,
    dry_run: DryRun = False,
    remove: Remove = False,
    task: tasks.Named = None,
    machine: tasks.Machine = None,
    memory_size: tasks.Slots = None,
    memory_dim: tasks.Width = None,
    write_heads: tasks.Writers = None,
    batch: tasks.Batch = None,
    updates: tasks.Updates = None,
    minutes: tasks.Minutes = None,
    resume: tasks.Resume = False,
    compiled: tasks.Compile = None,
) -> None:
    """Train the head on questions with known answers; install it unless it is worse than the default on any kind.

    With --task, train a machine on a task instead and keep it beside the memory, in machines/.
    """
    host = of(context)
    both: _Said = {"--controller": controller, "--heads": heads, "--hidden": hidden, "--learning-rate": learning_rate}
    both |= {"--initialization": initialization, "--seed": seed}
    machines: _Said = {"--machine": machine, "--memory-size": memory_size, "--memory-dim": memory_dim}
    machines |= {"--write-heads": write_heads, "--batch": batch, "--updates": updates, "--no-compile": compiled}
    if task is not None:
        tasks.refuse({"PATH": paths or None, "--feedback": feedback or None, "--steps": steps}, _HEADS_ALONE)
        alone = {"--consolidation": consolidation, "--dry-run": dry_run or None, "--remove": remove or None}
        tasks.refuse(alone, _HEADS_ALONE)
        said = both | machines
        tasks.train(host, said, task=task, minutes=minutes, resume=resume, to=output, force=force)
        return
    tasks.refuse({**machines, "--minutes": minutes, "--resume": resume or None}, _MACHINES_ALONE)
    if remove:
        _check_alone(bool(paths or feedback or output or dry_run))
        _remove(host)
        return
    lesson = _Lesson(paths=paths, feedback=feedback, output=output, force=force, dry_run=dry_run)
    _train_head(host, lesson, {**both, "--consolidation": consolidation, "--steps": steps})


def _train_head(host: Output, lesson: _Lesson, said: Mapping[str, Any]) -> None:
    if not lesson.paths and not lesson.feedback:
        raise InvalidArgument(
            "there is nothing to learn from", hint="Give question sets (docs/training.md), or --feedback."
        )
    to = None if lesson.dry_run else lesson.output
    if to is not None:
        check_free(to, force=lesson.force)
    settings = _settings(host, said)
    paths = tuple(dict.fromkeys(lesson.paths or ()))
    lessons = Lessons(paths=paths, feedback=lesson.feedback, installed=not lesson.dry_run and to is None)
    course = run(host.config, lessons, settings, progress=False if host.as_json else None)
    envelope = {"ok": True, **_described(course, settings), "installed": False, "output": None}
    if not host.as_json:
        _print(host.console, envelope)
    refuse_if_worse(course.trained)
    if course.trained.head.scale and to is not None:
        write_new(to, course.trained.head.to_json().decode(), force=lesson.force)
        envelope["output"] = str(to)
    elif course.trained.head.scale and lessons.installed:
        with host.memory() as memory:
            memory.use_head(course.trained.head, keep=True)
        envelope["installed"] = True
    used = host.config.settings.addressing.trained
    host.show(envelope, lambda console, shown: _close(console, shown, used=used))


def _settings(host: Output, said: Mapping[str, Any]) -> TrainingSettings:
    """Return how to train: what was said goes first, then what is configured, then the default."""
    machine = host.config.machine
    known: dict[str, Any] = {
        "controller": _DEFAULTS.controller,
        "hidden": _DEFAULTS.hidden,
        "heads": machine.num_read_heads,
        "learning-rate": machine.learning_rate,
        "initialization": machine.initialization,
        "consolidation": _DEFAULTS.consolidation,
        "steps": _DEFAULTS.steps,
        "seed": _DEFAULTS.seed,
    }
    chosen = {name: value if said[f"--{name}"] is None else said[f"--{name}"] for name, value in known.items()}
    return TrainingSettings(
        controller=str(chosen["controller"]),
        hidden=chosen["hidden"],
        heads=chosen["heads"],
        learning_rate=_checked(chosen["learning-rate"]),
        initialization=str(chosen["initialization"]),
        consolidation=_held(chosen["consolidation"]),
        steps=chosen["steps"],
        seed=chosen["seed"],
    )


def _check_alone(others: bool) -> None:
    if others:
        raise InvalidArgument("--remove goes alone", hint="Leave out one or the other.")


def _checked(rate: float) -> float:
    if not 0 < rate <= 1:
        raise InvalidArgument(
            f"the learning rate is above 0, up to 1, not {rate}", hint="For example: --learning-rate 0.001"
        )
    return rate


def _held(strength: float) -> float:
    if not 0 <= strength < inf:
        raise InvalidArgument(f"the consolidation is a number from 0 up, not {strength}", hint="0 turns it off.")
    return strength


def _remove(host: Output) -> None:
    there = has_head(host.config)
    if there:
        with host.memory(require_encoder=False) as memory:
            memory.use_head(None, keep=True)
    text = "[green]removed[/]: the default head looks again" if there else "[dim]no head is installed[/]"
    host.show({"ok": True, "removed": there}, lambda console, _: console.print(text))


def _described(course: Course, settings: TrainingSettings) -> Envelope:
    trained = course.trained
    return {
        "version": __version__,
        "encoder": trained.head.encoder,
        "controller": settings.controller,
        "heads": settings.heads,
        "hidden": None if settings.controller == Controller.LINEAR else settings.hidden,
        "learning_rate": settings.learning_rate,
        "initialization": course.started,
        "seed": settings.seed,
        "steps": trained.steps,
        "scale": trained.head.scale,
        "feedback": course.feedback,
        "depths": list(DEPTHS),
        "kinds": [{**asdict(each), "gain": each.gain, "worse": each.worse} for each in trained.table],
    }


def _print(console: Console, envelope: Envelope) -> None:
    """Print every kind before and after, and how the head was come by."""
    depths = [f"@{depth}" for depth in envelope["depths"]]
    table = Table("found, %", "n", *depths, "gain", box=SIMPLE_HEAD)
    for each in envelope["kinds"]:
        pairs = zip(each["default"], each["trained"], strict=True)
        cells = [f"{100 * before:.1f}→{100 * after:.1f}" for before, after in pairs]
        table.add_row(
            literal(each["kind"]), f"{each['questions']:,}", *cells, f"{100 * each['gain']:+.1f}".replace("-", "−")
        )
    console.print(table)
    heads = "one head" if envelope["heads"] == 1 else f"{envelope['heads']} heads"
    console.print(
        "[dim]evidence among the first k, default→trained, for questions that the head had not seen; gain: on average\n"
        f"{envelope['controller']} controller, {heads}, from {envelope['initialization']} · {envelope['steps']} steps"
        f" · scale {envelope['scale']}: how far it departs from the default, 0 to 1[/]"
    )


def _close(console: Console, envelope: Envelope, *, used: bool) -> None:
    if envelope["feedback"] == 0:
        console.print("[dim]this memory has no feedback yet: ntm_memory.feedback in clawhub.json lets it be kept[/]")
    if not envelope["scale"]:
        console.print("Nothing better than the default head was found: what looked before goes on looking.")
    elif envelope["output"] is not None:
        console.print(f"[green]written[/] {literal(envelope['output'])}")
    elif envelope["installed"]:
        console.print(
            "[green]installed[/]: whoever opens this memory from now on looks with it; --remove takes it out again"
        )
        if not used:
            console.print("[yellow]note:[/] clawhub.json says addressing.trained: false, so that it is not used")
    else:
        console.print("[dim]a dry run: nothing was kept[/]")
