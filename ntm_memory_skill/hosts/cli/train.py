"""The command that trains the memory's head: `ntm-memory train`."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ntm_memory_skill import __version__
from ntm_memory_skill.errors import InvalidArgument
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
Heads = Annotated[
    int | None, typer.Option(min=1, max=16, help="Read heads; by default as configured.", show_default=False)
]
Hidden = Annotated[int, typer.Option(min=1, max=MOST_HIDDEN, help="Units of the hidden layer, or of the LSTM.")]
Rate = Annotated[float | None, typer.Option(help="Above 0, up to 1; by default as configured.", show_default=False)]
Start = Annotated[
    Initialization | None, typer.Option(help="What to start from; by default as configured.", show_default=False)
]
Consolidation = Annotated[
    float,
    typer.Option(
        help="For learned: how strongly the head is held to what it has learnt before, 0 (not at all) and up."
    ),
]
Steps = Annotated[int, typer.Option(min=CHECK_EVERY, help="Of gradient descent at most.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same head.")]
File = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the head there in place of installing it.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite FILE.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the table, and keep nothing.")]
Remove = Annotated[bool, typer.Option("--remove", help="Delete the installed head: the default one looks again.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", rich_help_panel="Proof")(train)


def train(
    context: typer.Context,
    paths: Paths = None,
    feedback: Feedback = False,
    controller: Annotated[Controller, typer.Option(help="What steers the head.")] = Controller.LINEAR,
    heads: Heads = None,
    hidden: Hidden = _DEFAULTS.hidden,
    learning_rate: Rate = None,
    initialization: Start = None,
    consolidation: Consolidation = _DEFAULTS.consolidation,
    steps: Steps = _DEFAULTS.steps,
    seed: Seed = _DEFAULTS.seed,
    output: File = None,
    force: Force = False,
    dry_run: DryRun = False,
    remove: Remove = False,
) -> None:
    """Train the head on questions with known answers; install it unless it is worse than the default on any kind."""
    host = of(context)
    if remove:
        _check_alone(bool(paths or feedback or output or dry_run))
        _remove(host)
        return
    if not paths and not feedback:
        raise InvalidArgument(
            "there is nothing to learn from", hint="Give question sets (docs/training.md), or --feedback."
        )
    to = None if dry_run else output
    if to is not None:
        check_free(to, force=force)
    machine = host.config.machine
    settings = TrainingSettings(
        controller=controller.value,
        hidden=hidden,
        heads=machine.num_read_heads if heads is None else heads,
        learning_rate=_checked(machine.learning_rate if learning_rate is None else learning_rate),
        initialization=machine.initialization if initialization is None else initialization.value,
        consolidation=_held(consolidation),
        steps=steps,
        seed=seed,
    )
    lessons = Lessons(paths=tuple(dict.fromkeys(paths or ())), feedback=feedback, installed=not dry_run and to is None)
    course = run(host.config, lessons, settings, progress=False if host.as_json else None)
    envelope = {"ok": True, **_described(course, settings), "installed": False, "output": None}
    if not host.as_json:
        _print(host.console, envelope)
    refuse_if_worse(course.trained)
    if course.trained.head.scale and to is not None:
        write_new(to, course.trained.head.to_json().decode(), force=force)
        envelope["output"] = str(to)
    elif course.trained.head.scale and lessons.installed:
        with host.memory() as memory:
            memory.use_head(course.trained.head, keep=True)
        envelope["installed"] = True
    used = host.config.settings.addressing.trained
    host.show(envelope, lambda console, shown: _close(console, shown, used=used))


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
