"""Sizes and settings with which each task was found to be learnt; `bench/ntm_tasks.py` shows how well.

They were found on seeds 0, 10 to 12 and 100 to 109; the bench begins with 20, which had no part in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ntm_memory_skill.ntm.machines import MachineSettings
from ntm_memory_skill.ntm.tasks import Task
from ntm_memory_skill.ntm.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Preset:
    """What differs from the settings' defaults."""

    machine: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


PRESETS = {
    "copy": Preset(
        {"hidden": 40, "forget_bias": 0.0, "habits": "list", "scaled": True, "initialization": "small_random"},
        {"decay": 0.03, "last_rate": 0.02, "updates": 6_000},
    ),
    "repeat-copy": Preset(
        {
            "hidden": 40,
            "memory_size": 64,
            "habits": "sharp",
            "scaled": True,
            "initialization": "small_random",
        },
        {
            "learning_rate": 0.002,
            "decay": 0.1,
            "last_rate": 0.02,
            "clip": 1.0,
            "first_level": 4,
            "advance": 0.03,
            "updates": 12_000,
        },
    ),
    "associative-recall": Preset(
        {"habits": "list", "scaled": True, "initialization": "small_random"},
        {"learning_rate": 0.003, "decay": 0.03, "last_rate": 0.02, "updates": 6_000},
    ),
    "ngrams": Preset(),
    "priority-sort": Preset(
        {"memory_size": 32, "num_write_heads": 2, "habits": "list"},
        {"learning_rate": 0.003, "decay": 0.01, "first_level": 8, "advance": 0.1, "updates": 26_000},
    ),
    "episodes": Preset(
        {"kind": "mann", "num_read_heads": 4, "num_write_heads": 4, "memory_dim": 40},
        {"learning_rate": 0.003, "batch": 16, "updates": 5_000},
    ),
    "tracing": Preset({"kind": "dkvmn", "memory_size": 5, "hidden": 30}, {"learning_rate": 0.005, "batch": 50}),
}
"""By task, for the machine that it is usually learnt by."""

SIBLINGS = {
    ("copy", "dnc"): Preset({"memory_size": 64}),
    ("associative-recall", "dnc"): Preset({"memory_size": 32}),
}
"""By task and kind of machine: what another one needs beside that."""


def usual_kind(task: str) -> str:
    """Return the kind of machine that a task is learnt by if nothing else is said."""
    return str(PRESETS.get(task, Preset()).machine.get("kind", "ntm"))


def preset(
    task: Task, machine: dict[str, Any] | None = None, training: dict[str, Any] | None = None
) -> tuple[MachineSettings, TrainingSettings]:
    """Return the settings for a task, changed where asked to. Raises InvalidArgument where one is out of range."""
    asked = machine or {}
    usual = PRESETS.get(task.name, Preset())
    other = SIBLINGS.get((task.name, str(asked.get("kind"))), Preset())
    sizes = {**usual.machine, **other.machine, **asked, "inputs": task.inputs, "outputs": task.outputs}
    return MachineSettings(**sizes), TrainingSettings(**{**usual.training, **other.training, **(training or {})})
