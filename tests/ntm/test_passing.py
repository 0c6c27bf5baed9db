"""What a shift lets pass between texts of different lengths: as much as the ratio says, and nothing is lost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm import addressing
from tests.ntm import oracle
from tests.ntm.draws import (
    LEADING,
    array,
    assert_distribution,
    distributions,
    few,
    lengths,
    plain,
    ratios,
    shares,
    tapes,
)
from tests.ntm.oracle import Array

STEPS = (1 / 3, 1 / 3, 1 / 3)


class Chat:
    """Texts of some lengths on tapes, and a kernel and a length ratio for each leading index."""

    def __init__(self, data: st.DataObject) -> None:
        self.slots, self.reach = data.draw(st.integers(1, 7)), data.draw(st.integers(0, 3))
        self.leading = data.draw(st.sampled_from(LEADING))
        self.tapes, self.lengths = data.draw(tapes(self.slots)), data.draw(lengths(self.slots))
        self.weights: Array = data.draw(distributions((*self.leading, self.slots)))
        self.kernel: Array = data.draw(distributions((*self.leading, 2 * self.reach + 1)))
        size = math.prod(self.leading)
        self.ratio = np.array(data.draw(st.lists(ratios, min_size=size, max_size=size))).reshape(self.leading)

    def table(self, xp: Any) -> Any:
        """Return the neighbour table."""
        return array(xp, oracle.neighbour_table(self.tapes, self.slots, self.reach), "int64")

    def passing(self, xp: Any) -> Any:
        """Return what may pass."""
        relative = oracle.relative_lengths(self.lengths, self.tapes, self.reach)
        return addressing.passing(array(xp, relative), array(xp, self.ratio))

    def shifted(self, xp: Any) -> Any:
        """Return the weights after the shift."""
        kernel = array(xp, self.kernel)
        return addressing.shift_along(array(xp, self.weights), kernel, self.table(xp), self.passing(xp))


def pair(xp: Any, source: float, slot: float, ratio: float) -> list[float]:
    """Return what two texts on one tape, of which the first has all the weight, have after a step ahead."""
    relative = array(xp, oracle.relative_lengths([source, slot], [[0, 1]], 1))
    table, kernel = array(xp, oracle.neighbour_table([[0, 1]], 2, 1), "int64"), array(xp, [0.0, 0.0, 1.0])
    moved = addressing.shift_along(array(xp, [1.0, 0.0]), kernel, table, addressing.passing(relative, ratio))
    found: list[float] = plain(moved).tolist()
    return found


class TestShare:
    """How much of the weight may pass."""

    @few
    @given(data=st.data())
    def test_share_is_what_the_lengths_give(self, xp: Any, data: st.DataObject) -> None:
        """Each leading index has its own ratio; where there is no source, nothing is on its way."""
        chat = Chat(data)
        found = plain(chat.passing(xp))
        assert found.shape == (*chat.leading, 2 * chat.reach + 1, chat.slots)
        assert np.all((found > 0) & (found <= 1))
        table = plain(chat.table(xp))
        for index in np.ndindex(*chat.leading):
            for row, slot in zip(*np.nonzero(table < chat.slots), strict=True):
                source = chat.lengths[table[row, slot]]
                expected = oracle.passing(source, chat.lengths[slot], float(chat.ratio[index]))
                assert found[(*index, row, slot)] == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("ratio", [0.5, 4.0, math.inf])
    def test_numbers_and_arrays_are_the_same_ratio(self, xp: Any, dtype: str, ratio: float) -> None:
        """And the dtype of the lengths is kept."""
        relative = array(xp, oracle.relative_lengths([1.0, 9.0, 2.0], [[0, 1, 2]], 1), dtype)
        by_number, by_array = addressing.passing(relative, ratio), addressing.passing(relative, array(xp, ratio, dtype))
        assert plain(by_number).tolist() == plain(by_array).tolist()
        assert plain(by_number).dtype == plain(by_array).dtype == np.dtype(dtype)

    @pytest.mark.parametrize(("slot", "arrives"), [(1.0, 1.0), (10.0, 1.0), (40.0, 1.0), (80.0, 0.5), (400.0, 0.1)])
    def test_longer_slot_gets_less_in_inverse_proportion_beyond_the_ratio(
        self, xp: Any, slot: float, arrives: float
    ) -> None:
        """Ratio 4, and a source of length 10: up to 40 all of it, then half for twice as long."""
        assert pair(xp, 10.0, slot, 4.0) == pytest.approx([1 - arrives, arrives])

    @pytest.mark.parametrize("ratio", [1.0, 4.0])
    def test_shorter_slot_gets_everything(self, xp: Any, ratio: float) -> None:
        """A page lends to the remark beside it what the remark does not lend to the page."""
        assert pair(xp, 400.0, 10.0, ratio) == pytest.approx([0, 1])
        assert pair(xp, 10.0, 400.0, ratio)[1] < 0.11


class TestShift:
    """What becomes of the weights."""

    @few
    @given(data=st.data())
    def test_what_may_not_pass_stays_where_it_is(self, xp: Any, data: st.DataObject) -> None:
        """Slot by slot, with a kernel and a ratio of its own at each leading index."""
        chat = Chat(data)
        expected = oracle.over_batch(
            lambda w, s, ratio: oracle.shift_along(w, s, chat.tapes, chat.lengths, ratio),
            chat.leading,
            chat.weights,
            chat.kernel,
            chat.ratio,
        )
        np.testing.assert_allclose(plain(chat.shifted(xp)), expected, atol=1e-12)

    @few
    @given(data=st.data())
    def test_nothing_is_lost_on_the_way(self, xp: Any, data: st.DataObject) -> None:
        """Each tape keeps its own sum, so that all together keep theirs."""
        chat = Chat(data)
        moved = plain(chat.shifted(xp))
        assert_distribution(moved, 1e-12)
        for tape in chat.tapes:
            kept = chat.weights[..., tape].sum(axis=-1)
            np.testing.assert_allclose(moved[..., tape].sum(axis=-1), kept, atol=1e-12)

    @few
    @given(data=st.data())
    def test_any_shares_keep_the_sum(self, xp: Any, data: st.DataObject) -> None:
        """Not only those that lengths give: 0 and 1 among them, and no order in them."""
        chat = Chat(data)
        let = data.draw(shares((*chat.leading, 2 * chat.reach + 1, chat.slots)))
        weights, kernel = array(xp, chat.weights), array(xp, chat.kernel)
        assert_distribution(addressing.shift_along(weights, kernel, chat.table(xp), array(xp, let)), 1e-12)

    @few
    @given(data=st.data())
    def test_map_that_is_made_once_does_the_same(self, xp: Any, data: st.DataObject) -> None:
        """Slot by slot, against the definition; and each column follows from its own."""
        chat = Chat(data)
        relative = array(xp, oracle.relative_lengths(chat.lengths, chat.tapes, chat.reach))
        table, there = chat.table(xp), array(xp, plain(chat.table(xp)) < chat.slots, "bool")
        index = data.draw(st.sampled_from(list(np.ndindex(*chat.leading))))
        kernel, ratio = array(xp, chat.kernel[index]), float(chat.ratio[index])
        by = addressing.conveyance(kernel, there, relative, ratio)
        expected = oracle.over_batch(
            lambda w: oracle.shift_along(w, chat.kernel[index].tolist(), chat.tapes, chat.lengths, ratio),
            chat.leading,
            chat.weights,
        )
        np.testing.assert_allclose(plain(addressing.convey(array(xp, chat.weights), table, by)), expected, atol=1e-12)
        some = addressing.conveyance(kernel, there[:, :1], relative[:, :1], ratio)
        assert plain(some.arriving).tolist() == plain(by.arriving[:, :1]).tolist()
        assert plain(some.staying).tolist() == plain(by.staying[:1]).tolist()

    @few
    @given(data=st.data())
    def test_infinite_ratio_is_no_ratio(self, xp: Any, data: st.DataObject) -> None:
        """The plain shift along tapes, number for number."""
        chat = Chat(data)
        chat.ratio = np.full(chat.leading, math.inf)
        plainly = addressing.shift_along(array(xp, chat.weights), array(xp, chat.kernel), chat.table(xp))
        assert plain(chat.passing(xp)).min() == 1
        assert plain(chat.shifted(xp)).tolist() == plain(plainly).tolist()

    @few
    @given(data=st.data())
    def test_texts_of_one_length_are_shifted_as_without(self, xp: Any, data: st.DataObject) -> None:
        """Whatever the ratio is, from 1 up."""
        chat = Chat(data)
        chat.lengths, chat.ratio = [7.0] * chat.slots, np.maximum(chat.ratio, 1)
        plainly = addressing.shift_along(array(xp, chat.weights), array(xp, chat.kernel), chat.table(xp))
        np.testing.assert_allclose(plain(chat.shifted(xp)), plain(plainly), atol=1e-14)

    def test_nothing_moves_where_nothing_passes(self, xp: Any) -> None:
        """All shares 0."""
        weights, kernel = array(xp, [0.5, 0.25, 0.25]), array(xp, STEPS)
        table, closed = array(xp, oracle.neighbour_table([[0, 1, 2]], 3, 1), "int64"), array(xp, np.zeros((3, 3)))
        moved = addressing.shift_along(weights, kernel, table, closed)
        np.testing.assert_allclose(plain(moved), [0.5, 0.25, 0.25], atol=1e-15)

    def test_arguments_are_left_as_they_were(self, xp: Any) -> None:
        """Nothing is modified in place."""
        weights, kernel = array(xp, [1.0, 0.0]), array(xp, STEPS)
        table = array(xp, oracle.neighbour_table([[0, 1]], 2, 1), "int64")
        relative, ratio = array(xp, oracle.relative_lengths([1.0, 9.0], [[0, 1]], 1)), array(xp, [0.5, 4.0])
        used = (weights, kernel, table, relative, ratio)
        before = [plain(values).copy() for values in used]
        addressing.shift_along(weights, kernel, table, addressing.passing(relative, ratio))
        for kept, values in zip(before, used, strict=True):
            np.testing.assert_array_equal(kept, plain(values))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-14)])
@pytest.mark.parametrize("slots", [1, 2, 10_000])
def test_numpy_and_torch_agree(torch: Any, slots: int, dtype: str, tolerance: float) -> None:
    """The same lines give the same numbers, to rounding, and a distribution over ten thousand slots."""
    rng = np.random.default_rng(slots)
    chats = [list(range(slots // 2)), list(range(slots // 2, slots))]
    relative = oracle.relative_lengths(rng.integers(1, 500, slots).tolist(), chats, 3)
    weights, kernel = rng.dirichlet(np.ones(slots), size=2), rng.dirichlet(np.ones(7), size=2)
    found = []
    for xp in (np, torch):
        table = array(xp, oracle.neighbour_table(chats, slots, 3), "int64")
        let = addressing.passing(array(xp, relative, dtype), array(xp, [1.0, 4.0], dtype))
        found.append(addressing.shift_along(array(xp, weights, dtype), array(xp, kernel, dtype), table, let))
        assert_distribution(found[-1])
    np.testing.assert_allclose(plain(found[1]), plain(found[0]), atol=tolerance)
