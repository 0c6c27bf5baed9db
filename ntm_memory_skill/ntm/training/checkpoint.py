"""A run of training as bytes, and back: safetensors, which holds numbers and text and nothing that could be executed.

    machine.*     the weights as they stand          best.*    the weights of the best check
    optimizer.*   what Adam remembers of each        rng       the state of the random numbers
    metadata      the task, all settings, the level and the checks, as JSON

The law: what does not fit is refused before anything is changed. A file that is damaged, or describes a machine of
another shape than its own weights, is `UnusableMachine`.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import asdict, replace
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from ntm_memory_skill.errors import InvalidArgument, UnusableMachine
from ntm_memory_skill.ntm.machines import MachineSettings, build
from ntm_memory_skill.ntm.tasks import task_named
from ntm_memory_skill.ntm.training.settings import TrainingSettings
from ntm_memory_skill.ntm.training.trainer import Check, Trainer, Weights

FORMAT = "1"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each weight


def to_bytes(trainer: Trainer) -> bytes:
    """Return all that a run can be gone on from, and its machine used with."""
    tensors = {f"machine.{name}": value for name, value in trainer.machine.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in trainer.best.items()}
    for number, state in trainer.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{moment}": state[moment] for moment in MOMENTS}
    tensors["rng"] = trainer.rng.get_state()
    described = {
        "task": trainer.task.name,
        "machine": asdict(trainer.machine_settings),
        "settings": asdict(trainer.settings),
        "level": trainer.level,
        "error": trainer.error,
        "checks": [asdict(check) for check in trainer.checks],
    }
    return save(
        {name: value.detach().contiguous() for name, value in tensors.items()},
        metadata={"format": FORMAT, "run": json.dumps(described)},
    )


def from_bytes(data: bytes, **changed: Any) -> Trainer:
    """Return a run as it was kept.

    Args:
        data: What `to_bytes` gave.
        changed: Settings of training to go on with in place of those that were kept, as `updates`.

    Raises:
        UnusableMachine: It is no such file, or its parts do not fit each other.
        InvalidArgument: A changed setting is out of range.
    """
    tensors, described = _read(data)
    try:
        kept = TrainingSettings(**described["settings"])
    except (InvalidArgument, KeyError, TypeError) as error:
        raise UnusableMachine(f"the training does not fit its description: {_first_line(error)}") from error
    settings = replace(kept, **changed)  # what is wrong here is the caller's, not the file's
    try:
        return _restored(tensors, described, settings)
    except (InvalidArgument, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UnusableMachine(f"the machine does not fit its description: {_first_line(error)}") from error


def _restored(tensors: Weights, described: dict[str, Any], settings: TrainingSettings) -> Trainer:
    task = task_named(described["task"])
    machine = MachineSettings(**described["machine"])
    with torch.device("meta"):
        wanted = build(machine).state_dict()  # without its numbers: a mistaken size must not fill the computer
    weights, best = _named(tensors, "machine."), _named(tensors, "best.")
    _check_alike("the weights", weights, wanted)
    _check_alike("the best weights", best, wanted)
    trainer = Trainer(task, machine, settings)
    trainer.machine.load_state_dict(weights)
    trainer.best = best
    trainer.checks = [_check(**check) for check in described["checks"]]
    _load_optimizer(trainer.optimizer, _named(tensors, "optimizer."), trained=trainer.update > 0)
    trainer.rng.set_state(tensors["rng"])
    trainer.level = int(_within(described["level"], range(1, task.levels + 1)))
    trainer.error = _finite(described["error"])
    return trainer


def _read(data: bytes) -> tuple[Weights, dict[str, Any]]:
    try:
        tensors = load(data)
        (size,) = struct.unpack("<Q", data[:8])  # safetensors gives the metadata of files alone
        metadata = json.loads(data[8 : 8 + size])["__metadata__"]
        described = json.loads(metadata["run"])
    except (SafetensorError, struct.error, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnusableMachine(f"this is no machine's file: {_first_line(error)}") from error
    if metadata.get("format") != FORMAT or not isinstance(described, dict):
        raise UnusableMachine(f"this machine's file has format {metadata.get('format')}, not {FORMAT}")
    return tensors, described


def _named(tensors: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _check(*, update: int, sequences: int, level: int, loss: float, bits: float, wrong: float) -> Check:
    counts = [_within(count, range(2**63)) for count in (update, sequences, level)]
    return Check(*counts, *map(_finite, (loss, bits, wrong)))


def _within(value: object, allowed: range) -> int:
    if not isinstance(value, int) or value not in allowed:
        raise ValueError(f"{value!r} is no number from {allowed.start} to {allowed.stop - 1}")
    return value


def _finite(value: object) -> float:
    if not isinstance(value, float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return value


def _check_alike(what: str, found: Weights, wanted: Weights) -> None:
    """Raise ValueError unless there are the same names, and each has the same shape and kind of numbers."""
    if _kinds(found) != _kinds(wanted):
        raise ValueError(f"{what} are of another shape")


def _kinds(weights: Weights) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (value.shape, value.dtype) for name, value in weights.items()}


def _load_optimizer(optimizer: torch.optim.Adam, moments: Weights, *, trained: bool) -> None:
    parameters = [each for group in optimizer.param_groups for each in group["params"]] if trained else []
    wanted = {
        f"{number}.{moment}": torch.zeros(()) if moment == "step" else parameter
        for number, parameter in enumerate(parameters)
        for moment in MOMENTS
    }
    _check_alike("the optimizer's numbers", moments, wanted)
    state = {n: {moment: moments[f"{n}.{moment}"] for moment in MOMENTS} for n in range(len(parameters))}
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
