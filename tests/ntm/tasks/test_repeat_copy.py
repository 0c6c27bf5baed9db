"""Repeat copy: the answer is what was said, so often, and then an end marker."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm.tasks import RepeatCopy
from tests.ntm.tasks.draws import drawn, few, rng, sequence

TRAINED = range(1, 11)


@few
@given(length=st.integers(1, 12), repeats=st.integers(1, 12), batch=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_answer_is_what_was_said_so_often_and_an_end_marker(length: int, repeats: int, batch: int, seed: int) -> None:
    """Vectors, a delimiter, how often on a channel of its own; then nothing to see."""
    made = drawn(RepeatCopy(), (length, repeats), batch, seed)
    for which in range(batch):
        inputs, targets = sequence(made, which)
        said = []
        while inputs[0][8] == 0:
            vector = inputs.pop(0)
            assert all(bit in (0.0, 1.0) for bit in vector[:8])
            assert vector[9] == 0
            said.append(vector[:8])
        assert len(said) == length
        assert inputs.pop(0) == [0.0] * 8 + [1.0, 0.0]
        assert inputs.pop(0)[:9] == [0.0] * 9
        assert inputs == [[0.0] * 10] * (length * repeats + 1)
        answer = []
        for _ in range(repeats):
            answer += [[*vector, 0.0] for vector in said]
        assert targets == [[0.0] * 9] * (length + 2) + answer + [[0.0] * 8 + [1.0]]
    assert made.mask.tolist() == [False] * (length + 2) + [True] * (length * repeats + 1)


def test_repeats_are_shown_in_deviations_from_the_mean_of_training() -> None:
    """Over 1 to 10 they have mean 0 and deviation 1; twice as many repeats go on along the same line."""
    shown = {times: float(drawn(RepeatCopy(), (1, times)).inputs[2, 0, 9]) for times in range(1, 21)}
    trained = [shown[times] for times in TRAINED]
    assert statistics.fmean(trained) == pytest.approx(0, abs=1e-6)
    assert statistics.pstdev(trained) == pytest.approx(1, rel=1e-6)
    steps = [shown[times + 1] - shown[times] for times in range(1, 20)]
    assert steps == pytest.approx([steps[0]] * 19, rel=1e-4)


@pytest.mark.parametrize("level", [1, 3, 10])
def test_lengths_are_of_all_sizes_and_repeats_up_to_the_level(level: int) -> None:
    """A machine that begins with short sequences alone keeps them in its controller."""
    generator = rng()
    sizes = [RepeatCopy().size(generator, level) for _ in range(1000)]
    assert {length for length, _ in sizes} == set(range(1, 11))
    assert {repeats for _, repeats in sizes} == set(range(1, level + 1))


def test_long_sequences_are_drawn_more_often_than_short_ones() -> None:
    """The larger of two lengths: its mean is 7.15, and a length's own is 5.5."""
    generator = rng()
    lengths = [RepeatCopy().size(generator, 10)[0] for _ in range(4000)]
    assert statistics.fmean(lengths) == pytest.approx(7.15, abs=0.15)


def test_machines_are_asked_about_twice_the_length_and_twice_the_repeats() -> None:
    """One at a time."""
    assert RepeatCopy.tests == {"10x10": (10, 10), "20x10": (20, 10), "10x20": (10, 20)}
