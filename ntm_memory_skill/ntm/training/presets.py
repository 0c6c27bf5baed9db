"""Sizes and settings with which each task was found to be learnt; `bench/ntm_tasks.py` shows how well.

They were found on seeds 100 and up; the bench uses others.
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
    "copy": Preset(),
    "repeat-copy": Preset(
        {"memory_size": 40, "hidden": 40, "habits": "sharp"},
        {"learning_rate": 0.003, "first_level": 2, "advance": 0.03, "updates": 20_000},
    ),
    "associative-recall": Preset({"memory_size": 64}),
    "ngrams": Preset(),
    "priority-sort": Preset(
        {"memory_size": 32, "num_write_heads": 2, "habits": "list"},
        {"learning_rate": 0.003, "first_level": 4, "advance": 0.08, "updates": 40_000},
    ),
    "episodes": Preset({"kind": "mann"}),
    "tracing": Preset({"kind": "dkvmn", "memory_size": 5, "hidden": 30}, {"learning_rate": 0.005, "batch": 50}),
}
"""By task, for the machine that it is usually learnt by."""

SIBLINGS = {
    ("copy", "dnc"): Preset({"memory_size": 32}),
    ("associative-recall", "dnc"): Preset({"memory_size": 32}),
}
"""By task and kind of machine: what another one needs in place of that."""


def preset(
    task: Task, machine: dict[str, Any] | None = None, training: dict[str, Any] | None = None
) -> tuple[MachineSettings, TrainingSettings]:
    """Return the settings for a task, changed where asked to. Raises InvalidArgument where one is out of range."""
    asked = machine or {}
    known = PRESETS.get(task.name, Preset())
    known = SIBLINGS.get((task.name, str(asked.get("kind"))), known)
    sizes = {**known.machine, **asked, "inputs": task.inputs, "outputs": task.outputs}
    return MachineSettings(**sizes), TrainingSettings(**{**known.training, **(training or {})})
