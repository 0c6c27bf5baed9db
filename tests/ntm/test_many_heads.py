"""Several heads over one memory: each does what one head does alone, and none has to wait for another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm import addressing
from tests.ntm import oracle
from tests.ntm.draws import Shape, array, distributions, few, numbers, plain, shapes, shares
from tests.ntm.oracle import Array, Matrix

counts = st.integers(1, 4)


def agree(found: Any, expected: Array) -> None:
    """Check shape and values in float64."""
    assert plain(found).shape == expected.shape
    np.testing.assert_allclose(plain(found), expected, atol=1e-7)


def look_alike(keys: Matrix, memory: Matrix) -> list[list[float]]:
    """One head after the other."""
    return [oracle.similarity(key, memory) for key in keys]


def read_all(weights: Matrix, memory: Matrix) -> list[list[float]]:
    """One head after the other."""
    return [oracle.read(row, memory) for row in weights]


def write_all(memory: Matrix, weights: Matrix, erase: Matrix, add: Matrix) -> list[list[float]]:
    """Number by number: everything that is erased first, and then everything that is added."""
    left = [list(row) for row in memory]
    for slot, row in enumerate(left):
        for place in range(len(row)):
            for head in range(len(weights)):
                row[place] *= 1 - weights[head][slot] * erase[head][place]
            for head in range(len(weights)):
                row[place] += weights[head][slot] * add[head][place]
    return left


def written(data: st.DataObject, shape: Shape, heads: int) -> list[Array]:
    """Draw a memory and what each write head does to it: weights, erase, add."""
    return [
        data.draw(numbers(shape.of(shape.slots, shape.length))),
        data.draw(distributions(shape.of(heads, shape.slots))),
        data.draw(shares(shape.of(heads, shape.length))),
        data.draw(numbers(shape.of(heads, shape.length))),
    ]


def arrays(xp: Any, values: Sequence[Array]) -> list[Any]:
    """Return each as an array of the namespace."""
    return [array(xp, each) for each in values]


class TestEachHead:
    """All heads at once, against a loop over heads."""

    @few
    @given(data=st.data(), shape=shapes, heads=counts)
    def test_similarities_are_the_cosines_of_every_key(
        self, xp: Any, data: st.DataObject, shape: Shape, heads: int
    ) -> None:
        """Zero rows and zero keys are among the draws: cosine 0."""
        keys = data.draw(numbers(shape.of(heads, shape.length)))
        memory = data.draw(numbers(shape.of(shape.slots, shape.length)))
        found = addressing.similarities(array(xp, keys), array(xp, memory))
        agree(found, oracle.over_batch(look_alike, shape.leading, keys, memory))

    @few
    @given(data=st.data(), shape=shapes, heads=counts)
    def test_reads_sum_the_rows_for_every_head(self, xp: Any, data: st.DataObject, shape: Shape, heads: int) -> None:
        """The weightings need not be distributions."""
        weights = data.draw(numbers(shape.of(heads, shape.slots)))
        memory = data.draw(numbers(shape.of(shape.slots, shape.length)))
        found = addressing.reads(array(xp, weights), array(xp, memory))
        agree(found, oracle.over_batch(read_all, shape.leading, weights, memory))

    @few
    @given(data=st.data(), shape=shapes, heads=counts)
    def test_writes_erase_for_every_head_before_any_adds(
        self, xp: Any, data: st.DataObject, shape: Shape, heads: int
    ) -> None:
        """Heads that meet in one slot, of weight 1 and with an erase of 1, are among the draws."""
        given_ = written(data, shape, heads)
        found = addressing.writes(*arrays(xp, given_))
        agree(found, oracle.over_batch(write_all, shape.leading, *given_))


class TestTogether:
    """What the dimension of heads promises beyond its equations."""

    @few
    @given(data=st.data(), shape=shapes, heads=st.integers(2, 4))
    def test_order_of_write_heads_does_not_matter(self, xp: Any, data: st.DataObject, shape: Shape, heads: int) -> None:
        """Any permutation of them leaves the same memory, to rounding."""
        memory, *heads_do = written(data, shape, heads)
        order = list(data.draw(st.permutations(range(heads))))
        found = addressing.writes(*arrays(xp, [memory, *heads_do]))
        other = addressing.writes(*arrays(xp, [memory, *(each[..., order, :] for each in heads_do)]))
        np.testing.assert_allclose(plain(other), plain(found), atol=1e-12)

    def test_nothing_that_a_head_adds_is_erased_by_another(self, xp: Any) -> None:
        """Two heads meet in a slot, each erases all of it and adds 1: 2 is left, where one after the other leaves 1."""
        memory, weights = array(xp, [[5.0], [7.0]]), array(xp, [[1.0, 0.0], [1.0, 0.0]])
        erase, add = array(xp, [[1.0], [1.0]]), array(xp, [[1.0], [1.0]])
        assert plain(addressing.writes(memory, weights, erase, add)).tolist() == [[2.0], [7.0]]

    @few
    @given(data=st.data(), shape=shapes)
    def test_one_head_is_the_law_for_one(self, xp: Any, data: st.DataObject, shape: Shape) -> None:
        """The dimension of heads, of length 1, is all the difference."""
        memory, weights, erase, add = arrays(xp, written(data, shape, 1))
        one = (..., 0, slice(None))
        alone = {
            "similarity": (addressing.similarities(add, memory)[one], addressing.similarity(add[one], memory)),
            "read": (addressing.reads(weights, memory)[one], addressing.read(weights[one], memory)),
            "write": (
                addressing.writes(memory, weights, erase, add),
                addressing.write(memory, weights[one], erase[one], add[one]),
            ),
        }
        for law, (several, single) in alone.items():
            np.testing.assert_array_equal(plain(several), plain(single), err_msg=law)

    @few
    @given(data=st.data(), shape=shapes, heads=st.integers(2, 4))
    def test_heads_read_each_for_itself(self, xp: Any, data: st.DataObject, shape: Shape, heads: int) -> None:
        """What a head sees and reads does not depend on what the others look for."""
        memory, weights, _, keys = written(data, shape, heads)
        several = addressing.similarities(*arrays(xp, [keys, memory])), addressing.reads(*arrays(xp, [weights, memory]))
        for head in range(heads):
            single = (
                addressing.similarity(*arrays(xp, [keys[..., head, :], memory])),
                addressing.read(*arrays(xp, [weights[..., head, :], memory])),
            )
            for all_heads, one in zip(several, single, strict=True):
                np.testing.assert_allclose(plain(all_heads)[..., head, :], plain(one), atol=1e-12)

    def test_arguments_are_left_as_they_were(self, xp: Any) -> None:
        """Nothing is modified in place."""
        memory, weights = array(xp, [[1.0, 2.0], [3.0, 4.0]]), array(xp, [[0.5, 0.5], [0.0, 1.0]])
        erase, add = array(xp, [[1.0, 0.0], [0.5, 0.5]]), array(xp, [[1.0, 1.0], [-1.0, 2.0]])
        before = [plain(each).copy() for each in (memory, weights, erase, add)]
        addressing.similarities(add, memory)
        addressing.reads(weights, memory)
        addressing.writes(memory, weights, erase, add)
        for kept, values in zip(before, (memory, weights, erase, add), strict=True):
            np.testing.assert_array_equal(kept, plain(values))
