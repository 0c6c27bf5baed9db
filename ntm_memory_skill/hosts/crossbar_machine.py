"""A trained machine whose heads find their rows through an emulated crossbar: how its errors grow with noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntm_memory_skill.crossbar import PRESETS
from ntm_memory_skill.crossbar.presets import noisier
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.tasks import one_thread

if TYPE_CHECKING:
    from ntm_memory_skill.ntm.training import Trainer

FACTORS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
SEQUENCES = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """What a machine cost on sequences that it had not seen."""

    noise: float | None
    """Times the preset's errors of programming and reading; None is exact."""
    bits: float
    """For each sequence."""
    wrong: float
    """Share of wrong bits, 0 to 1."""


def trials(trainer: Trainer, preset: str, seed: int = 0, factors: Sequence[float] = FACTORS) -> Iterator[Trial]:
    """Give what the best machine of a run costs, exactly at first, then with more and more noise.

    Sequences are of the first size that its task is tested on.

    Args:
        trainer: A run that has made a check.
        preset: One of `PRESETS`.
        seed: Of the sequences and of the noise, 0 and up.
        factors: How noisy, 0 and up.

    Raises:
        InvalidArgument: It is no Neural Turing Machine: other machines do not look through a crossbar here.
    """
    import torch

    from ntm_memory_skill.crossbar.machine import AnalogSimilarities
    from ntm_memory_skill.ntm.machines import NeuralTuringMachine, unroll

    machine = trainer.best_machine()
    if not isinstance(machine, NeuralTuringMachine):
        kind = trainer.machine_settings.kind
        raise InvalidArgument(f"the machine is a {kind}, not an ntm", hint="Train one: ntm-memory train --task copy.")
    size = next(iter(dict(trainer.task.tests).values()))
    batch = trainer.task.of_size(torch.Generator().manual_seed(trainer.settings.seed + 1 + seed), SEQUENCES, size)
    parameters = PRESETS[preset](trainer.machine_settings.memory_dim)
    for factor in (None, *factors):
        if factor is not None:
            machine.match = AnalogSimilarities(noisier(parameters, factor), seed)
        with torch.no_grad(), one_thread():
            outputs = unroll(machine, batch.inputs)[0]
        yield Trial(factor, trainer.task.bits(outputs, batch), trainer.task.wrong(outputs, batch))
