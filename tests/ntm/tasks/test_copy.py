"""Copy: the answer is what was said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm.tasks import Copy
from tests.ntm.tasks.draws import drawn, few, rng, sequence

BLANK = [0.0] * 9


@few
@given(length=st.integers(1, 30), batch=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_answer_is_what_was_said(length: int, batch: int, seed: int) -> None:
    """Vectors, a delimiter on a channel of its own, and then nothing to see while they are said again."""
    made = drawn(Copy(), (length,), batch, seed)
    for which in range(batch):
        inputs, targets = sequence(made, which)
        said = []
        while inputs[0][8] == 0:
            vector = inputs.pop(0)
            assert all(bit in (0.0, 1.0) for bit in vector[:8])
            said.append(vector[:8])
        assert len(said) == length
        assert inputs == [[0.0] * 8 + [1.0], *[BLANK] * length]
        assert targets == [[0.0] * 8] * (length + 1) + said
    assert made.mask.tolist() == [False] * (length + 1) + [True] * length


def test_lengths_of_training_are_1_to_20() -> None:
    """All of them."""
    generator = rng()
    assert {Copy().size(generator, 1) for _ in range(600)} == {(length,) for length in range(1, 21)}


def test_bits_are_fair_coins() -> None:
    """On every channel, among 2,000 draws of each: five standard deviations are 0.056."""
    bits = drawn(Copy(), (20,), batch=100).inputs[:20, :, :8]
    assert all(abs(mean - 0.5) < 0.056 for mean in bits.mean(dim=(0, 1)).tolist())


def test_machines_are_asked_about_lengths_that_they_never_saw() -> None:
    """Up to the paper's 120."""
    assert Copy.tests == {"20": (20,), "50": (50,), "120": (120,)}
