"""The command that trains the memory's head or, with `--hops`, its hop policy: `ntm-memory train`.

With `--task` it hands over to `tasks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ntm_memory_skill import __version__
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli import hop_training, tasks
from ntm_memory_skill.hosts.cli.lessons import Lesson, checked_rate, close, compared, keep, print_table
from ntm_memory_skill.hosts.cli.output import Envelope, Output, of
from ntm_memory_skill.hosts.heads import is_kept
from ntm_memory_skill.hosts.training import Course, refuse_if_worse, run
from ntm_memory_skill.learning import TrainingSettings
from ntm_memory_skill.learning.fitting import CHECK_EVERY
from ntm_memory_skill.ntm import CONTROLLERS, INITIALIZATIONS
from ntm_memory_skill.store import Beside

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
    typer.Argument(
        metavar="PATH", help="Question sets, as for `eval`. Each is a kind: what is learnt is to serve all."
    ),
]
Feedback = Annotated[
    bool, typer.Option("--feedback", help="Learn from which of this memory's answers were of use, too.")
]
Hops = Annotated[
    bool, typer.Option("--hops", help="Train what leads from one memory to the next, in place of the head.")
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
    Path | None, typer.Option(metavar="FILE", help="Write what was trained there, in place of installing it.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite FILE.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the table, and keep nothing.")]
Remove = Annotated[
    bool,
    typer.Option("--remove", help="Delete what is installed: the head or, with --hops, the hop policy."),
]

_Said = dict[str, Any]
"""Options by name, as they were given; None where nothing was said."""
_MACHINES_ALONE = "is for machines that learn a task: without --task, the head is trained"
_HEADS_ALONE = "is for training the head: with --task, a machine is trained"
_NOTHING = "Nothing better than the default head was found: what looked before goes on looking."
_NOT_FOR_HOPS = "is for training the head: with --hops, a hop policy is trained"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", rich_help_panel="Proof")(train)


def train(
    context: typer.Context,
    paths: Paths = None,
    feedback: Feedback = False,
    hops: Hops = False,
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

    With --hops, train in the same way what leads from one memory to the next; it is installed only if it wins.

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
        alone |= {"--hops": hops or None}
        tasks.refuse(alone, _HEADS_ALONE)
        said = both | machines
        tasks.train(host, said, task=task, minutes=minutes, resume=resume, to=output, force=force)
        return
    tasks.refuse({**machines, "--minutes": minutes, "--resume": resume or None}, _MACHINES_ALONE)
    if remove:
        _check_alone(bool(paths or feedback or output or dry_run))
        _remove(host, "hops" if hops else "head")
        return
    lesson = Lesson(paths=paths, feedback=feedback, output=output, force=force, dry_run=dry_run)
    if hops:
        of_head = {"--controller": controller, "--heads": heads, "--hidden": hidden, "--initialization": initialization}
        tasks.refuse({**of_head, "--consolidation": consolidation}, _NOT_FOR_HOPS)
        hop_training.train(host, lesson, {"learning_rate": learning_rate, "steps": steps, "seed": seed})
    else:
        _train_head(host, lesson, {**both, "--consolidation": consolidation, "--steps": steps})


def _train_head(host: Output, lesson: Lesson, said: Mapping[str, Any]) -> None:
    lessons = lesson.checked()
    settings = _settings(host, said)
    course = run(host.config, lessons, settings, progress=False if host.as_json else None)
    envelope = {"ok": True, **_described(course, settings), "installed": False, "output": None}
    if not host.as_json:
        print_table(host.console, envelope)
        _print(host.console, envelope)
    refuse_if_worse(course.trained)
    if course.trained.head.scale:
        envelope |= keep(host, lesson, course.trained.head)
    unused = None if host.config.settings.addressing.trained else "addressing.trained"
    host.show(envelope, lambda console, shown: close(console, shown, nothing=_NOTHING, unused=unused))


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
        learning_rate=checked_rate(chosen["learning-rate"]),
        initialization=str(chosen["initialization"]),
        consolidation=_held(chosen["consolidation"]),
        steps=chosen["steps"],
        seed=chosen["seed"],
    )


def _check_alone(others: bool) -> None:
    if others:
        raise InvalidArgument("--remove goes alone", hint="Leave out one or the other.")


def _held(strength: float) -> float:
    if not 0 <= strength < inf:
        raise InvalidArgument(f"the consolidation is a number from 0 up, not {strength}", hint="0 turns it off.")
    return strength


def _remove(host: Output, what: Beside) -> None:
    there = is_kept(host.config, what)
    if there:
        with host.memory(require_encoder=False) as memory:
            if what == "head":
                memory.use_head(None, keep=True)
            else:
                memory.use_hop_policy(None, keep=True)
    before = "the default head looks" if what == "head" else "the configured policy leads on"
    name = "head" if what == "head" else "hop policy"
    text = f"[green]removed[/]: {before} again" if there else f"[dim]no {name} is installed[/]"
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
        **compared(trained.table),
    }


def _print(console: Console, envelope: Envelope) -> None:
    """Print how the head was come by."""
    heads = "one head" if envelope["heads"] == 1 else f"{envelope['heads']} heads"
    console.print(
        "[dim]evidence among the first k, default→trained, for questions that the head had not seen; gain: on average\n"
        f"{envelope['controller']} controller, {heads}, from {envelope['initialization']} · {envelope['steps']} steps"
        f" · scale {envelope['scale']}: how far it departs from the default, 0 to 1[/]"
    )
