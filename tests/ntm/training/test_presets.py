"""The sizes and settings that each task comes with."""

from __future__ import annotations

import pytest
import torch

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.machines import MachineSettings, unroll
from ntm_memory_skill.ntm.tasks import TASKS, Copy, RepeatCopy, Task
from ntm_memory_skill.ntm.training import Trainer, TrainingSettings, preset, usual_kind
from ntm_memory_skill.ntm.training.presets import PRESETS, SIBLINGS
from tests.ntm.training.tiny import Tiny

EVERY = pytest.mark.parametrize("task", [pytest.param(kind(), id=name) for name, kind in TASKS.items()])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def test_there_is_a_preset_for_every_task_and_for_nothing_else() -> None:
    """A new task needs one, a removed task leaves none behind."""
    assert set(PRESETS) == set(TASKS)


@EVERY
def test_preset_builds_a_machine_that_takes_the_task(task: Task) -> None:
    """A batch goes in, and what comes out can be judged and learnt from."""
    machine, training = preset(task, None, {"compiled": False})
    run = Trainer(task, machine, training)
    batch = task.of_size(run.rng, 2, task.smallest)
    outputs, _ = unroll(run.machine, batch.inputs)
    loss = task.loss(outputs, batch)
    torch.autograd.backward(loss)
    assert outputs.shape == batch.targets.shape
    assert torch.isfinite(loss)
    assert 0 <= task.wrong(outputs.detach(), batch) <= 1


def test_what_is_asked_for_beats_the_preset() -> None:
    """And what is not stays as it is."""
    machine, training = preset(RepeatCopy(), {"hidden": 7}, {"batch": 5})
    known = PRESETS["repeat-copy"]
    assert (machine.hidden, training.batch) == (7, 5)
    assert machine.habits == known.machine["habits"]
    assert training.first_level == known.training["first_level"]


def test_another_kind_of_machine_has_what_it_needs_beside_the_task_s_preset() -> None:
    """A DNC's links are as many as its slots squared, so it has fewer; what is asked for beats that as well."""
    usual, dnc = preset(Copy())[0], preset(Copy(), {"kind": "dnc"})[0]
    assert (usual.kind, dnc.kind) == ("ntm", "dnc")
    assert dnc.memory_size == SIBLINGS["copy", "dnc"].machine["memory_size"] < usual.memory_size
    assert preset(Copy(), {"kind": "dnc", "memory_size": 50})[0].memory_size == 50


def test_usual_kind_is_the_preset_s() -> None:
    """Whoever names a task's file must not be mistaken."""
    for name, kind in TASKS.items():
        assert usual_kind(name) == preset(kind())[0].kind
        assert usual_kind(name) in kind.machines


def test_inputs_and_outputs_are_always_the_task_s() -> None:
    """Whatever is asked for."""
    machine, _ = preset(Copy(), {"inputs": 3, "outputs": 1})
    assert (machine.inputs, machine.outputs) == (Copy.inputs, Copy.outputs)


def test_task_without_a_preset_has_the_defaults() -> None:
    """Sizes are its own."""
    machine, training = preset(Tiny())
    assert machine == MachineSettings(inputs=Tiny.inputs, outputs=Tiny.outputs)
    assert training == TrainingSettings()


def test_presets_are_not_changed_by_those_who_ask() -> None:
    """What one run asked for is not what the next one gets."""
    before = preset(RepeatCopy())
    preset(RepeatCopy(), {"memory_size": 9}, {"batch": 3})
    assert preset(RepeatCopy()) == before


def test_numbers_out_of_range_are_refused() -> None:
    """Of the machine and of the training."""
    with pytest.raises(InvalidArgument):
        preset(Copy(), {"hidden": 0})
    with pytest.raises(InvalidArgument):
        preset(Copy(), None, {"batch": 0})
