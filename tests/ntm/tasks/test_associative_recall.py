"""Associative recall: the answer is the item after the one that is asked about."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm.tasks import AssociativeRecall
from tests.ntm.tasks.draws import drawn, few, rng, sequence

ITEM, QUESTION = [0.0] * 6 + [1.0, 0.0], [0.0] * 6 + [0.0, 1.0]
BLANK = [0.0] * 8

Vectors = list[list[float]]


def read_item(inputs: Vectors) -> Vectors:
    """Take three vectors of six bits from the front."""
    vectors = []
    for _ in range(3):
        vector = inputs.pop(0)
        assert all(bit in (0.0, 1.0) for bit in vector)
        assert vector[6:] == [0.0, 0.0]
        vectors.append(vector[:6])
    return vectors


@few
@given(items=st.integers(2, 12), batch=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_answer_is_the_item_after_the_one_asked_about(items: int, batch: int, seed: int) -> None:
    """Items behind delimiters, a question between two marks, and then nothing to see; never about the last item."""
    made = drawn(AssociativeRecall(), (items,), batch, seed)
    for which in range(batch):
        inputs, targets = sequence(made, which)
        listed = []
        while inputs[0] == ITEM:
            inputs.pop(0)
            listed.append(read_item(inputs))
        assert len(listed) == items
        assert inputs.pop(0) == QUESTION
        asked = read_item(inputs)
        assert inputs == [QUESTION, BLANK, BLANK, BLANK]
        following = [after for item, after in pairwise(listed) if item == asked]
        assert targets[:-3] == [[0.0] * 6] * (4 * items + 5)
        assert targets[-3:] in following
    assert made.mask.tolist() == [False] * (4 * items + 5) + [True] * 3


def test_every_item_but_the_last_is_asked_about() -> None:
    """In 200 sequences of four items, each of the first three about 67 times: six deviations fewer are 27."""
    made = drawn(AssociativeRecall(), (4,), batch=200)
    places = []
    for which in range(200):
        inputs, _ = sequence(made, which)
        items = [inputs[4 * item + 1 : 4 * item + 4] for item in range(4)]
        places.append(items.index(inputs[17:20]))
    assert set(places) == {0, 1, 2}
    assert min(places.count(place) for place in range(3)) > 27


def test_two_items_are_asked_about_the_first() -> None:
    """There is no other question then."""
    inputs, targets = sequence(drawn(AssociativeRecall(), (2,), batch=1), 0)
    assert inputs[9:12] == inputs[1:4]
    assert targets[-3:] == [vector[:6] for vector in inputs[5:8]]


def test_items_of_training_are_2_to_6() -> None:
    """All of them; asked about up to 20."""
    generator = rng()
    assert {AssociativeRecall().size(generator, 1) for _ in range(300)} == {(items,) for items in range(2, 7)}
    assert AssociativeRecall.tests == {"6": (6,), "12": (12,), "20": (20,)}
