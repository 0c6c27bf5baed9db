"""What every task promises: shapes, the same seed the same batch, sizes that are refused, and how it is judged."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.tasks import TASKS, Batch, Copy, Task, task_named
from tests.ntm.tasks.draws import drawn, rng, same

EVERY = pytest.mark.parametrize("task", [pytest.param(kind(), id=name) for name, kind in TASKS.items()])

PREDICTED = ("ngrams", "episodes", "tracing")  # asked about while they are shown
RECALLED = pytest.mark.parametrize(
    "task", [pytest.param(kind(), id=name) for name, kind in TASKS.items() if name not in PREDICTED]
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def test_the_five_of_the_paper_are_among_the_tasks() -> None:
    """Each under its own name."""
    assert set(TASKS) >= {"copy", "repeat-copy", "associative-recall", "ngrams", "priority-sort"}
    assert all(type(task_named(name)) is kind and kind.name == name for name, kind in TASKS.items())


@pytest.mark.parametrize("name", ["", "Copy", "sort", "repeat_copy"])
def test_unknown_task_is_refused(name: str) -> None:
    """The error is one that the caller can correct."""
    with pytest.raises(InvalidArgument):
        task_named(name)


class TestEveryTask:
    """One contract for all of them."""

    @EVERY
    @pytest.mark.parametrize("batch", [1, 4])
    def test_shapes_are_those_that_the_task_states(self, task: Task, batch: int) -> None:
        """At the smallest size, and at every size that a trained machine is asked about."""
        for size in (task.smallest, *task.tests.values()):
            made = drawn(task, size, batch)
            steps = len(made.mask)
            assert made.inputs.shape == (steps, batch, task.inputs)
            assert made.targets.shape == (steps, batch, task.outputs)
            assert made.mask.dtype == torch.bool
            assert made.mask.any()
            assert torch.all((made.targets == 0) | (made.targets == 1))

    @EVERY
    def test_machines_are_chosen_by_less_than_they_are_asked_about(self, task: Task) -> None:
        """The first held-back size is the first that is asked about; others lie between that and the largest."""
        first, *others = task.held_back
        assert first == next(iter(task.tests.values()))
        largest = [max(numbers) for numbers in zip(*task.tests.values(), strict=True)]
        for other in others:
            assert all(low < number < high for low, number, high in zip(first, other, largest, strict=True))

    @RECALLED
    def test_nothing_is_asked_for_outside_the_mask(self, task: Task) -> None:
        """Targets there are 0."""
        made = drawn(task, next(iter(task.tests.values())))
        assert made.targets[made.mask].any()
        assert not made.targets[~made.mask].any()

    @RECALLED
    def test_nothing_is_to_be_seen_in_the_answer(self, task: Task) -> None:
        """All inputs are 0 where an answer is judged."""
        made = drawn(task, next(iter(task.tests.values())))
        assert made.inputs[~made.mask].any()
        assert not made.inputs[made.mask].any()

    @EVERY
    def test_same_seed_gives_the_same_batch(self, task: Task) -> None:
        """And another seed another one; torch's own random numbers are neither used nor moved."""
        torch.manual_seed(1)
        before = torch.random.get_rng_state()
        one = task.draw(rng(5), 8)
        torch.manual_seed(2)
        assert same(one, task.draw(rng(5), 8))
        torch.manual_seed(1)
        task.draw(rng(5), 8)
        assert torch.equal(torch.random.get_rng_state(), before)
        size = next(iter(task.tests.values()))
        assert not torch.equal(drawn(task, size, seed=5).inputs, drawn(task, size, seed=6).inputs)

    @EVERY
    def test_a_generator_goes_on_to_new_sequences(self, task: Task) -> None:
        """Two batches of one generator differ, and so do the sequences of a batch."""
        generator, size = rng(), next(iter(task.tests.values()))
        one, other = (task.of_size(generator, 2, size) for _ in range(2))
        assert not torch.equal(one.inputs, other.inputs)
        assert not torch.equal(one.inputs[:, 0], one.inputs[:, 1])

    @EVERY
    def test_sizes_of_every_level_can_be_drawn(self, task: Task) -> None:
        """None is smaller than the smallest, and the hardest level is reached by no other's sizes."""
        largest = []
        for level in range(1, task.levels + 1):
            generator = rng(level)
            sizes = [task.size(generator, level) for _ in range(150)]
            assert all(part >= least for size in sizes for part, least in zip(size, task.smallest, strict=True))
            largest.append(tuple(map(max, zip(*sizes, strict=True))))
        assert largest == sorted(set(largest))

    @EVERY
    def test_hardest_level_is_the_default_and_as_large_as_the_first_test(self, task: Task) -> None:
        """What is held back in training is no larger than what is trained on."""
        assert same(task.draw(rng(3), 2), task.draw(rng(3), 2, task.levels))
        generator = rng()
        sizes = [task.size(generator, task.levels) for _ in range(600)]
        assert tuple(map(max, zip(*sizes, strict=True))) == next(iter(task.tests.values()))

    @EVERY
    def test_levels_that_are_none_are_refused(self, task: Task) -> None:
        """0, below, and beyond the hardest."""
        for level in (0, -1, task.levels + 1):
            with pytest.raises(InvalidArgument):
                task.draw(rng(), 2, level)

    @EVERY
    def test_batches_of_none_are_refused(self, task: Task) -> None:
        """Of a size and for training alike."""
        for batch in (0, -3):
            with pytest.raises(InvalidArgument):
                task.of_size(rng(), batch, task.smallest)
            with pytest.raises(InvalidArgument):
                task.draw(rng(), batch)

    @EVERY
    def test_sizes_that_are_none_are_refused(self, task: Task) -> None:
        """One measure too small, one too many, one too few."""
        wrong = [(), (*task.smallest, 1)]
        wrong += [
            tuple(least - (place == which) for place, least in enumerate(task.smallest))
            for which in range(len(task.smallest))
        ]
        wrong.append(tuple(-1 for _ in task.smallest))
        for size in wrong:
            with pytest.raises(InvalidArgument):
                task.of_size(rng(), 2, size)


def planted() -> tuple[Batch, Any]:
    """Return two sequences of which three steps are judged, and outputs with known odds."""
    mask = torch.tensor([False, True, True, True])
    targets = torch.zeros(4, 2, 8)
    targets[1, 0, 0] = targets[2, 1, 3] = 1
    outputs = torch.zeros(4, 2, 8)
    outputs[1, 0, 0] = math.log(3)  # says 1 with ¾, and it is
    outputs[2, 1, 3] = -math.log(3)  # says 1 with ¼, but it is
    outputs[3, 1, 7] = math.log(3)  # says 1 with ¾, but it is 0
    outputs[0] = 100.0  # not judged
    return Batch(torch.zeros(4, 2, 9), targets, mask), outputs


class TestJudgement:
    """Numbers worked out by hand, and what has no say."""

    def test_bits_are_the_cost_of_a_sequence(self) -> None:
        """45 coins at a bit each, log₂ 4/3, and twice log₂ 4: over two sequences."""
        batch, outputs = planted()
        expected = (45 + math.log2(4 / 3) + 2 * 2) / 2
        assert Copy().bits(outputs, batch) == pytest.approx(expected, rel=1e-6)

    def test_loss_is_nats_for_each_number(self) -> None:
        """The same over all 48 numbers that are judged."""
        batch, outputs = planted()
        expected = (45 + math.log2(4 / 3) + 2 * 2) * math.log(2) / 48
        assert Copy().loss(outputs, batch).item() == pytest.approx(expected, rel=1e-6)

    def test_wrong_is_the_share_of_wrong_bits(self) -> None:
        """Two of 48; an output of exactly 0 says 0."""
        batch, outputs = planted()
        assert Copy().wrong(outputs, batch) == pytest.approx(2 / 48)

    def test_right_outputs_cost_nothing_and_opposite_ones_are_all_wrong(self) -> None:
        """The ends of the range."""
        task = Copy()
        batch = drawn(task, (5,))
        sure = 60 * (2 * batch.targets - 1)
        assert task.bits(sure, batch) == pytest.approx(0, abs=1e-9)
        assert (task.wrong(sure, batch), task.wrong(-sure, batch)) == (0.0, 1.0)

    def test_saying_nothing_costs_a_bit_for_each_number(self) -> None:
        """Five steps of eight bits."""
        batch = drawn(Copy(), (5,))
        assert Copy().bits(torch.zeros_like(batch.targets), batch) == pytest.approx(40)

    def test_what_is_not_judged_has_no_say(self) -> None:
        """Neither in the cost, nor in the errors, nor in the gradient."""
        batch, outputs = planted()
        other = outputs.clone()
        other[0] = -7.0
        assert Copy().bits(other, batch) == Copy().bits(outputs, batch)
        assert Copy().wrong(other, batch) == Copy().wrong(outputs, batch)
        other.requires_grad_()
        (gradient,) = torch.autograd.grad(Copy().loss(other, batch), other)
        assert not gradient[0].any()
        assert gradient[1:].all()
