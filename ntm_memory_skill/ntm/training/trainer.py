"""Training a machine on a task, one check after the other.

The law: a run is a function of its settings. The same seed gives the same machine on the same computer, and a run that
goes on from a checkpoint ends where one that was never interrupted does.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float

from ntm_memory_skill.errors import InvalidArgument, TrainingDiverged
from ntm_memory_skill.ntm.machines import Machine, MachineSettings, Unrolled, build, unroll
from ntm_memory_skill.ntm.tasks import Batch, Size, Task
from ntm_memory_skill.ntm.training.settings import TrainingSettings

HELD_BACK = 2**62  # added to a seed, it gives the held-back sequences theirs
HELD_BACK_SEQUENCES = 64
MEMORY = 0.98  # share of the running error that an update leaves; 50 updates have most of the say
EPSILON = 1e-6
"""Of Adam. Gradients become tiny once nothing is wrong any more; with 1e-8, one sequence that fails then throws a
machine far off."""
AT_THE_START = 0.5  # the running error of a level that has just begun: guessing

Weights = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Check:
    """How far a run has come: one point of the learning curve."""

    update: int
    sequences: int
    level: int
    loss: float
    """Nats for each number that is judged, in the last update."""
    bits: float
    """Bits for each held-back sequence."""
    wrong: float
    """Share of wrong bits in them, 0 to 1."""


class Trainer:
    """A machine, its optimizer and its random numbers, at one point of a run.

    Args:
        task: What is to be learnt.
        machine: How large a machine; its inputs and outputs are the task's.
        settings: How.

    Raises:
        InvalidArgument: The machine does not fit the task or has nothing to learn, or the task has no such level.
    """

    def __init__(self, task: Task, machine: MachineSettings, settings: TrainingSettings) -> None:
        if machine.kind not in task.machines:
            raise InvalidArgument(f"{task.name} is learnt by {' or '.join(task.machines)}, not by {machine.kind}")
        if (machine.inputs, machine.outputs) != (task.inputs, task.outputs):
            sizes = f"{task.inputs} numbers in and {task.outputs} out, not {machine.inputs} and {machine.outputs}"
            raise InvalidArgument(f"{task.name} has {sizes}")
        if settings.first_level > task.levels:
            raise InvalidArgument(f"the levels of {task.name} are 1 to {task.levels}, not {settings.first_level}")
        self.task = task
        self.machine_settings = machine
        self.settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.machine: Machine[Any] = build(machine)
        self.optimizer = _optimizer(self.machine, settings)
        self.rng = torch.Generator().manual_seed(settings.seed)
        self.level = settings.first_level
        self.error = AT_THE_START
        self.checks: list[Check] = []
        self.best: Weights = self._weights()
        self._held_back = _held_back(task, settings.seed)
        self._training = Unrolled(self.machine, compiled=settings.compiled)

    @property
    def update(self) -> int:
        """How many updates were made."""
        return self.checks[-1].update if self.checks else 0

    @property
    def compiled(self) -> bool:
        """Whether the machine is trained compiled."""
        return self._training.compiled

    @property
    def best_check(self) -> Check | None:
        """The check at which the held-back sequences cost least, at the hardest level if that was reached."""
        return min(self.checks, key=lambda check: (-check.level, check.bits), default=None)

    @property
    def solved(self) -> bool:
        """Whether the held-back sequences cost as little as they should."""
        return self.best_check is not None and self.best_check.bits < self.settings.solved

    @property
    def finished(self) -> bool:
        """Whether there is no more to do: solved, no better for long, or the updates are spent."""
        best = self.best_check
        if best is None:
            return False
        waited = self.checks[-1].update - best.update >= self.settings.patience * self.settings.check_every
        return self.solved or self.update >= self.settings.updates or (best.level == self.task.levels and waited)

    def run(self) -> Iterator[Check]:
        """Train until it is finished; give each check when it was made. Whoever has enough stops asking.

        Raises:
            TrainingDiverged: The loss, or what a check costs, is no number any more. The weights of the best check are
                kept in `best`.
        """
        while not self.finished:
            loss = math.nan
            target = min(self.update + self.settings.check_every, self.settings.updates)
            for update in range(self.update, target):
                loss = self._step(update)
            yield self._check(target, loss)

    def evaluate(self, size: Size, sequences: int, seed: int = 0) -> tuple[float, float]:
        """Return bits for each sequence and the share of wrong bits, of the best machine on new sequences of a size."""
        batch = self.task.of_size(torch.Generator().manual_seed(HELD_BACK + seed), sequences, size)
        outputs = self.outputs(batch)
        return self.task.bits(outputs, batch), self.task.wrong(outputs, batch)

    def outputs(self, batch: Batch) -> Float[torch.Tensor, "t b outputs"]:
        """Return what the best machine says of a batch."""
        with torch.no_grad():
            return unroll(self.best_machine(), batch.inputs)[0]

    def best_machine(self) -> Machine[Any]:
        """Return a machine with the weights of the best check."""
        with torch.random.fork_rng(devices=[]):  # its weights are drawn, and then replaced
            machine = build(self.machine_settings)
        machine.load_state_dict(self.best)
        return machine

    def _step(self, update: int) -> float:
        batch = self.task.draw(self.rng, self.settings.batch, self.level)
        outputs = self._training(batch.inputs)
        loss = self.task.loss(outputs, batch)
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingDiverged(f"the loss of update {update + 1} is {value}")
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.machine.parameters(), self.settings.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(update)
        self.optimizer.step()
        self.error = MEMORY * self.error + (1 - MEMORY) * self.task.wrong(outputs.detach(), batch)
        if self.error < self.settings.advance and self.level < self.task.levels:
            self.level, self.error = self.level + 1, AT_THE_START
        return value

    def _rate(self, update: int) -> float:
        """Return the learning rate: from the first check at the hardest level on it falls to its last share."""
        start = self._at_the_hardest()
        done = 0.0 if start is None else (update - start) / (self.settings.updates - start)
        falling = (1 + math.cos(math.pi * done)) / 2
        return self.settings.learning_rate * (self.settings.last_rate + (1 - self.settings.last_rate) * falling)

    def _at_the_hardest(self) -> int | None:
        """Return the update since which the level is the hardest, as the checks tell it; None where it is not yet."""
        if self.settings.first_level == self.task.levels:
            return 0
        return next((check.update for check in self.checks if check.level == self.task.levels), None)

    def _check(self, update: int, loss: float) -> Check:
        costs = []
        for batch in self._held_back:
            with torch.no_grad():
                outputs = unroll(self.machine, batch.inputs)[0]
            costs.append((self.task.bits(outputs, batch), self.task.wrong(outputs, batch)))
        bits, wrong = (statistics.fmean(each) for each in zip(*costs, strict=True))
        if not math.isfinite(bits):
            raise TrainingDiverged(f"after update {update} the held-back sequences cost {bits} bits")
        check = Check(update, update * self.settings.batch, self.level, loss, bits, wrong)
        self.checks.append(check)
        if self.best_check is check:
            self.best = self._weights()
        return check

    def _weights(self) -> Weights:
        return {name: value.detach().clone() for name, value in self.machine.state_dict().items()}


def _optimizer(machine: Machine[Any], settings: TrainingSettings) -> torch.optim.AdamW:
    """Return Adam over all that a machine learns; weights of layers decay."""
    layers: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in machine.named_parameters():
        (others if parameter.ndim < 2 or name.rpartition(".")[2].startswith("first") else layers).append(parameter)
    groups = [{"params": layers, "weight_decay": settings.decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, settings.learning_rate, eps=EPSILON, fused=True)


def _held_back(task: Task, seed: int) -> list[Batch]:
    """Return the sequences that training never sees, and by which the best machine is chosen: a batch of each size."""
    rng = torch.Generator().manual_seed(HELD_BACK + seed)
    return [task.of_size(rng, HELD_BACK_SEQUENCES // len(task.held_back), size) for size in task.held_back]
