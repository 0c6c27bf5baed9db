"""`ntm-memory train --hops`: training what leads from one memory to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console

from ntm_memory_skill import __version__
from ntm_memory_skill.hosts.cli.lessons import Lesson, checked_rate, close, compared, keep, print_table
from ntm_memory_skill.hosts.cli.output import Envelope, Output
from ntm_memory_skill.hosts.training import HopCourse, refuse_if_worse, run_hops
from ntm_memory_skill.learning import HopTrainingSettings

NOTHING = "Nothing that finds more, beyond chance, was learnt: what led on before goes on leading."


def train(host: Output, lesson: Lesson, said: Mapping[str, Any]) -> None:
    """Train a hop policy as the options say, show what it finds, and keep it if it wins.

    Args:
        host: What the command was called with.
        lesson: What to learn from, and where what was learnt is to go.
        said: Fields of `HopTrainingSettings`; None where nothing was said.
    """
    lessons = lesson.checked()
    settings = HopTrainingSettings(**{name: value for name, value in said.items() if value is not None})
    checked_rate(settings.learning_rate)
    course = run_hops(host.config, lessons, settings, progress=False if host.as_json else None)
    envelope = {"ok": True, **_described(course, settings), "installed": False, "output": None}
    if not host.as_json:
        print_table(host.console, envelope)
        _print(host.console, envelope)
    refuse_if_worse(course.trained)
    if course.trained.scale:
        envelope |= keep(host, lesson, course.trained.policy)
    unused = None if host.config.settings.reasoning.trained else "reasoning.trained"
    host.show(envelope, lambda console, shown: close(console, shown, nothing=NOTHING, unused=unused))


def _described(course: HopCourse, settings: HopTrainingSettings) -> Envelope:
    policy = course.trained.policy
    return {
        "version": __version__,
        "encoder": policy.encoder,
        "learning_rate": settings.learning_rate,
        "seed": settings.seed,
        "steps": settings.steps,
        "asked": course.asked,
        "clues": asdict(policy.policy),
        "scale": course.trained.scale,
        "feedback": course.feedback,
        **compared(course.trained.table),
    }


def _print(console: Console, envelope: Envelope) -> None:
    """Print how the policy was come by."""
    read_on = sum(each["questions"] for each in envelope["kinds"])
    clues = ", ".join(f"{name} {weight:.2f}" for name, weight in envelope["clues"].items())
    console.print(
        "[dim]evidence among the first k, configured→trained, for questions that the policy had not seen; "
        "gain: on average\n"
        f"{read_on:,} of {envelope['asked']:,} questions are read on from · {envelope['steps']} steps"
        f" · scale {envelope['scale']}: how far it departs from the configured policy, 0 to 1\n{clues}[/]"
    )
