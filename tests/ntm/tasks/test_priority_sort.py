"""Priority sort: the answer is what has the highest priorities, the highest first."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ntm_memory_skill.ntm.tasks import PrioritySort
from tests.ntm.tasks.draws import drawn, few, rng, sequence


def fifths(vectors: int) -> int:
    """Four fifths of the vectors, to the nearest whole number, and one at least."""
    return max(1, (8 * vectors + 5) // 10)


@few
@given(vectors=st.integers(1, 24), batch=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_answer_is_the_first_four_fifths_in_order_of_priority(vectors: int, batch: int, seed: int) -> None:
    """Vectors with their priorities, a delimiter, and then nothing to see."""
    made = drawn(PrioritySort(), (vectors,), batch, seed)
    asked = fifths(vectors)
    for which in range(batch):
        inputs, targets = sequence(made, which)
        left = inputs[:vectors]
        assume(len({vector[8] for vector in left}) == vectors)  # equal priorities have no order
        assert all(bit in (0.0, 1.0) for vector in left for bit in vector[:8])
        assert all(-1 <= vector[8] <= 1 and vector[9] == 0 for vector in left)
        assert inputs[vectors:] == [[0.0] * 9 + [1.0], *[[0.0] * 10] * asked]
        answer: list[list[float]] = []
        while len(answer) < asked:
            best = max(left, key=lambda vector: vector[8])
            left.remove(best)
            answer.append(best[:8])
        assert targets == [[0.0] * 8] * (vectors + 1) + answer
    assert made.mask.tolist() == [False] * (vectors + 1) + [True] * asked


def test_paper_s_20_vectors_are_asked_for_16() -> None:
    """The hardest level."""
    assert int(drawn(PrioritySort(), (20,)).mask.sum()) == 16
    assert PrioritySort.tests == {"20": (20,)}


def test_priorities_are_uniform_from_minus_1_to_1() -> None:
    """Mean 0 and variance ⅓ over 4,000 draws, within five standard errors."""
    priorities = drawn(PrioritySort(), (20,), batch=200).inputs[:20, :, 8]
    assert abs(priorities.mean().item()) < 5 * (1 / 3 / 4000) ** 0.5
    assert abs(priorities.var().item() - 1 / 3) < 5 * (4 / 45 / 4000) ** 0.5


@pytest.mark.parametrize(("level", "sizes"), [(1, {1}), (2, {1, 2}), (5, {3, 4, 5}), (20, {18, 19, 20})])
def test_vectors_of_a_level_are_up_to_it_and_somewhat_fewer(level: int, sizes: set[int]) -> None:
    """All of them are drawn."""
    generator = rng()
    assert {PrioritySort().size(generator, level) for _ in range(100)} == {(size,) for size in sizes}
