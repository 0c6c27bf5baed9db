"""Dynamic n-grams: bits from a hidden table, and what the best estimator for such tables costs."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm.tasks import Batch, NGrams
from ntm_memory_skill.ntm.tasks.ngrams import _beta
from tests.ntm.tasks.draws import drawn, few, rng, sequence


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def bits_of(batch: Batch, which: int) -> list[int]:
    """Return a sequence's bits: those that are seen, and the last one, which is only asked for."""
    inputs, targets = sequence(batch, which)
    return [int(step[0]) for step in inputs] + [int(targets[-1][0])]


def estimated(bits: list[int]) -> float:
    """Cost in bits of guessing each bit after the fifth by what came after the same five before, plus a half each."""
    came: Counter[tuple[int, ...]] = Counter()
    total = 0.0
    for place in range(5, len(bits)):
        five, bit = tuple(bits[place - 5 : place]), bits[place]
        ones, zeros = came[*five, 1] + 0.5, came[*five, 0] + 0.5
        total -= math.log2((ones if bit else zeros) / (ones + zeros))
        came[*five, bit] += 1
    return total


@few
@given(count=st.integers(1, 60), batch=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_every_bit_but_the_first_five_is_to_be_predicted(count: int, batch: int, seed: int) -> None:
    """What is asked for in a step is what is seen in the next."""
    made = drawn(NGrams(), (count,), batch, seed)
    for which in range(batch):
        inputs, targets = sequence(made, which)
        assert targets[:-1] == inputs[1:]
        assert set(bits_of(made, which)) <= {0, 1}
    assert made.mask.tolist() == [False] * 4 + [True] * count


@few
@given(count=st.integers(1, 80), batch=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_optimum_is_what_counting_costs(count: int, batch: int, seed: int) -> None:
    """The mean over the sequences, against counts kept in a dictionary."""
    made = drawn(NGrams(), (count,), batch, seed)
    expected = sum(estimated(bits_of(made, which)) for which in range(batch)) / batch
    assert NGrams().optimum(made) == pytest.approx(expected, rel=1e-4)


def test_optimum_by_hand() -> None:
    """Eight zeros: a bit, then −log₂ ¾, then −log₂ ⅚, for the same five zeros are seen three times."""
    zeros = Batch(torch.zeros(7, 1, 1), torch.zeros(7, 1, 1), torch.arange(7) >= 4)
    assert NGrams().optimum(zeros) == pytest.approx(1 - math.log2(3 / 4) - math.log2(5 / 6), rel=1e-6)


def test_no_constant_prediction_is_as_cheap_as_the_optimum() -> None:
    """Over 200 sequences of 200 bits; not even the share of ones in each sequence, which nobody knows beforehand."""
    task = NGrams()
    made = drawn(task, (200,), batch=200)
    best = task.optimum(made)
    for chance in (0.1, 0.3, 0.5, 0.7, 0.9):
        said = torch.full_like(made.targets, math.log(chance / (1 - chance)))
        assert task.bits(said, made) > best
    shares = made.targets[made.mask].mean(dim=0).clamp(0.01, 0.99)
    assert task.bits(torch.logit(shares).expand_as(made.targets), made) > best


def test_nothing_is_cheaper_on_average_than_the_optimum() -> None:
    """The same counting with other priors costs more over 200 sequences: the chances do come from Beta(½, ½)."""
    made = drawn(NGrams(), (200,), batch=200)
    costs = dict.fromkeys((0.1, 0.25, 0.5, 1.0, 2.0), 0.0)
    for which in range(200):
        bits = bits_of(made, which)
        for prior in costs:
            costs[prior] += with_prior(bits, prior) / 200
    assert min(costs, key=costs.__getitem__) == 0.5
    assert costs[0.5] == pytest.approx(NGrams().optimum(made), rel=1e-4)


def with_prior(bits: list[int], prior: float) -> float:
    """Cost in bits of counting from a symmetric prior."""
    came: Counter[tuple[int, ...]] = Counter()
    total = 0.0
    for place in range(5, len(bits)):
        window = tuple(bits[place - 5 : place + 1])
        seen = came[*window[:5], 0] + came[*window[:5], 1] + 2 * prior
        total -= math.log2((came[window] + prior) / seen)
        came[window] += 1
    return total


def test_chances_are_drawn_from_the_arcsine_distribution() -> None:
    """Beta(½, ½): mean ½, variance ⅛, and a third of them below a quarter, within five standard errors."""
    chances = _beta(rng(), 1000, 32)
    assert abs(chances.mean().item() - 1 / 2) < 5 * (1 / 8 / 32_000) ** 0.5
    assert abs(chances.var().item() - 1 / 8) < 5 * (1 / 128 / 32_000) ** 0.5
    assert abs((chances < 0.25).float().mean().item() - 1 / 3) < 5 * (2 / 9 / 32_000) ** 0.5
    assert torch.all((chances >= 0) & (chances <= 1))


def test_each_sequence_has_a_table_of_its_own() -> None:
    """What follows five zeros differs: in some sequences mostly ones, in others mostly zeros."""
    made = drawn(NGrams(), (2000,), batch=30)
    shares = []
    for which in range(30):
        bits = bits_of(made, which)
        after = [bits[place] for place in range(5, len(bits)) if bits[place - 5 : place] == [0] * 5]
        if len(after) >= 10:
            shares.append(sum(after) / len(after))
    assert min(shares) < 0.25
    assert max(shares) > 0.75


def test_bits_depend_on_the_five_before_them_and_on_no_more() -> None:
    """In long sequences the share of ones after five bits is the same whatever the sixth was: within 5 errors."""
    made = drawn(NGrams(), (2000,), batch=30)
    compared = 0
    for which in range(30):
        bits = bits_of(made, which)
        came: dict[tuple[int, ...], list[int]] = {}
        for place in range(6, len(bits)):
            came.setdefault(tuple(bits[place - 6 : place]), []).append(bits[place])
        for six, after in came.items():
            other = came.get((1 - six[0], *six[1:]), [])
            if min(len(after), len(other)) >= 40:
                pooled = (sum(after) + sum(other)) / (len(after) + len(other))
                error = math.sqrt(pooled * (1 - pooled) * (1 / len(after) + 1 / len(other)))
                assert abs(sum(after) / len(after) - sum(other) / len(other)) <= 5 * error
                compared += 1
    assert compared >= 20


def test_every_sequence_of_training_has_200_bits() -> None:
    """Whatever the random numbers."""
    generator = rng()
    assert {NGrams().size(generator, 1) for _ in range(5)} == {(200,)}
    assert len(NGrams().draw(rng(), 2).mask) == 204
