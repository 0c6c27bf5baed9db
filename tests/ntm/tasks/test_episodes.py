"""Episodes: five classes that are new in every sequence, and how well each instance of them is known."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm.tasks import Batch, Copy, Episodes
from ntm_memory_skill.ntm.tasks.episodes import instances
from tests.ntm.tasks.draws import drawn, few, sequence


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def labelled(labels: list[int], said: list[int]) -> tuple[Batch, torch.Tensor]:
    """Return one sequence with these labels, and outputs that are sure of others."""
    targets = torch.eye(5)[labels][:, None]
    outputs = 50 * torch.eye(5)[said][:, None]
    return Batch(torch.zeros(len(labels), 1, 21), targets, torch.ones(len(labels), dtype=torch.bool)), outputs


@few
@given(count=st.integers(1, 6), batch=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_label_is_shown_with_the_point_after_its_own(count: int, batch: int, seed: int) -> None:
    """Each class as often as any other; before the first point there is no label."""
    made = drawn(Episodes(), (count,), batch, seed)
    assert made.mask.tolist() == [True] * (5 * count)
    for which in range(batch):
        inputs, targets = sequence(made, which)
        assert [step[16:] for step in inputs] == [[0.0] * 5, *targets[:-1]]
        assert sorted(step.index(1.0) for step in targets) == sorted(list(range(5)) * count)
        assert all(sum(step) == 1 for step in targets)


def test_points_of_a_class_lie_about_a_centre_of_length_1() -> None:
    """Over 200 instances: the centre's length within 0.1 of 1, each number's deviation within 10 % of 0.1."""
    made = drawn(Episodes(), (200,), batch=1)
    labels = made.targets[:, 0].argmax(dim=-1)
    for label in range(5):
        points = made.inputs[labels == label, 0, :16]
        assert points.mean(dim=0).norm().item() == pytest.approx(1, abs=0.1)
        assert points.std(dim=0).mean().item() == pytest.approx(0.1, rel=0.1)


def test_classes_are_new_in_every_sequence() -> None:
    """The first points of one label lie far apart in two sequences."""
    made = drawn(Episodes(), (1,), batch=2)
    first, second = (made.inputs[made.targets[:, which, 0] == 1, which, :16] for which in range(2))
    assert (first - second).norm().item() > 0.5


def test_instances_count_what_was_shown_of_each_class() -> None:
    """0 for the first of a class, whatever lies between."""
    batch, _ = labelled([3, 1, 3, 3, 1, 0], [0] * 6)
    assert instances(batch.targets)[:, 0].tolist() == [0, 0, 1, 2, 1, 0]


def test_right_labels_are_counted_by_instance_and_the_first_ones_do_not_count_as_wrong() -> None:
    """Labels 0, 1, 0, 1, 0: of the first instances one of two is right, of the second one of two, the third is."""
    batch, outputs = labelled([0, 1, 0, 1, 0], [0, 2, 0, 3, 0])
    assert Episodes().right(outputs, batch) == [0.5, 0.5, 1.0]
    assert Episodes().wrong(outputs, batch) == pytest.approx(0.25)


def test_one_instance_of_each_class_is_judged_all_the_same() -> None:
    """There is nothing else to judge then."""
    batch, outputs = labelled([0, 1, 2, 3, 4], [0, 0, 2, 3, 4])
    assert Episodes().wrong(outputs, batch) == pytest.approx(0.2)


def test_guessing_costs_the_logarithm_of_five_for_each_point() -> None:
    """In bits for a sequence of 50 points, and in nats for a point."""
    made = drawn(Episodes(), (10,))
    nothing = torch.zeros_like(made.targets)
    assert Episodes().bits(nothing, made) == pytest.approx(50 * math.log2(5), rel=1e-5)
    assert Episodes().loss(nothing, made).item() == pytest.approx(math.log(5), rel=1e-5)


def test_chances_of_the_classes_sum_to_one() -> None:
    """Whatever the logits are; those of bits are each a chance of its own."""
    outputs = torch.tensor([[0.0, 0.0, 0.0, 0.0, 0.0], [9.0, -9.0, 0.0, 0.0, 0.0]])
    classes = Episodes().chances(outputs)
    assert classes.sum(dim=-1).tolist() == pytest.approx([1, 1])
    assert classes[0].tolist() == pytest.approx([0.2] * 5)
    assert Copy().chances(outputs)[0].tolist() == [0.5] * 5
