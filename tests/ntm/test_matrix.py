"""The memory matrix against a dict of rows: slots, reuse, growth, and the equations over its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm import ExactSimilarity, MemoryMatrix
from ntm_memory_skill.ntm.matrix import FIRST_ROWS
from tests.ntm import oracle
from tests.ntm.draws import array, distributions, few, numbers, plain, shares
from tests.ntm.oracle import Array

M = 3

OpenMatrix = Callable[[], MemoryMatrix]


@pytest.fixture(scope="session")
def new_matrix(xp: Any) -> OpenMatrix:
    """A function that returns an empty matrix."""
    return lambda: MemoryMatrix(xp, M, ExactSimilarity())


@pytest.fixture
def matrix(new_matrix: OpenMatrix) -> MemoryMatrix:
    """An empty matrix."""
    return new_matrix()


def key(slot: int) -> Array:
    """Return a key that tells its slot from every other."""
    return np.array([slot + 1, -slot, 0.5], dtype=np.float32)


def take(matrix: MemoryMatrix, *slots: int) -> None:
    """Store its own key in each slot."""
    for slot in slots:
        matrix.store(slot, key(slot))


class TestSlots:
    """Which slots are free, and which come next."""

    def test_new_matrix_is_empty(self, matrix: MemoryMatrix) -> None:
        """No row, and the first slots are the next ones."""
        assert (len(matrix), matrix.occupied, matrix.dimension) == (0, 0, M)
        assert plain(matrix.rows).shape == (0, M)
        assert matrix.allocate(3) == [0, 1, 2]

    def test_allocating_takes_nothing(self, matrix: MemoryMatrix) -> None:
        """A write that fails before it is stored leaves the slot for the next one."""
        assert matrix.allocate() == matrix.allocate() == [0]
        assert matrix.allocate(0) == []
        assert (len(matrix), matrix.occupied) == (0, 0)

    def test_lowest_free_slots_come_first(self, matrix: MemoryMatrix) -> None:
        """In order, before any slot that was never used."""
        take(matrix, *range(6))
        for slot in (4, 1, 3):
            matrix.free(slot)
        assert matrix.allocate() == [1]
        assert matrix.allocate(5) == [1, 3, 4, 6, 7]

    def test_freed_slot_is_used_again(self, matrix: MemoryMatrix) -> None:
        """And no longer offered while it is taken."""
        take(matrix, 0, 1, 2)
        matrix.free(1)
        assert (matrix.occupied, len(matrix)) == (2, 3)
        take(matrix, 1)
        assert matrix.allocate(2) == [3, 4]
        assert (matrix.occupied, len(matrix)) == (3, 3)

    def test_freeing_twice_offers_the_slot_once(self, matrix: MemoryMatrix) -> None:
        """A free slot stays one free slot."""
        take(matrix, 0, 1)
        matrix.free(0)
        matrix.free(0)
        assert matrix.allocate(2) == [0, 2]
        assert matrix.occupied == 1

    def test_slots_passed_over_are_free(self, matrix: MemoryMatrix) -> None:
        """A store that is replayed may begin with a high slot."""
        take(matrix, 3)
        assert (len(matrix), matrix.occupied) == (4, 1)
        assert matrix.allocate(5) == [0, 1, 2, 4, 5]

    @few
    @given(changes=st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=40), count=st.integers(0, 6))
    def test_any_run_of_changes_leaves_the_rows_and_slots_of_a_dict(
        self, new_matrix: OpenMatrix, changes: list[tuple[int, bool]], count: int
    ) -> None:
        """Each change stores a slot's key or frees the slot."""
        matrix, model, length = new_matrix(), dict[int, Array](), 0
        for slot, stores in changes:
            if stores:
                take(matrix, slot)
                model[slot], length = key(slot), max(length, slot + 1)
            else:
                matrix.free(slot)
                model.pop(slot, None)
        expected = np.array([model.get(slot, np.zeros(M)) for slot in range(length)]).reshape(length, M)
        np.testing.assert_array_equal(plain(matrix.rows), expected)
        assert (len(matrix), matrix.occupied) == (length, len(model))
        assert matrix.allocate(count) == [slot for slot in range(99) if slot not in model][:count]


class TestStore:
    """Rows at an address."""

    def test_row_is_the_key_times_the_strength(self, matrix: MemoryMatrix) -> None:
        """Its match with its own unit key is then the strength."""
        matrix.store(0, np.array([0.6, 0.8, 0.0], dtype=np.float32), 0.25)
        assert plain(matrix.similarities(np.array([0.6, 0.8, 0.0], dtype=np.float32))) == pytest.approx([0.25])

    def test_storing_in_a_taken_slot_replaces_its_row_alone(self, matrix: MemoryMatrix) -> None:
        """An update at an address."""
        take(matrix, 0, 1, 2)
        matrix.store(1, key(9))
        np.testing.assert_array_equal(plain(matrix.rows), [key(0), key(9), key(2)])
        assert matrix.occupied == 3

    def test_free_slot_matches_nothing(self, matrix: MemoryMatrix) -> None:
        """Its row is zero."""
        take(matrix, 0, 1)
        matrix.free(0)
        assert plain(matrix.similarities(key(0)))[0] == 0

    @pytest.mark.parametrize("slots", [[0], [2, 0, 5], [FIRST_ROWS + 3, 1]])
    def test_storing_many_equals_storing_each(self, new_matrix: OpenMatrix, slots: list[int]) -> None:
        """In any order, over freed and unused slots, beyond the first rows."""
        together, each = new_matrix(), new_matrix()
        for matrix in (together, each):
            take(matrix, 0, 1)
            matrix.free(0)
        together.store_many(slots, np.stack([key(slot) for slot in slots]))
        take(each, *slots)
        np.testing.assert_array_equal(plain(together.rows), plain(each.rows))
        assert (len(together), together.occupied) == (len(each), each.occupied)
        assert together.allocate(9) == each.allocate(9)

    def test_storing_none_changes_nothing(self, matrix: MemoryMatrix) -> None:
        """An empty memory is filled with no rows."""
        matrix.store_many([], np.zeros((0, M), dtype=np.float32))
        assert (len(matrix), matrix.occupied) == (0, 0)

    def test_rows_survive_growth(self, matrix: MemoryMatrix) -> None:
        """One by one past the first rows and past the doubled ones; then far beyond at once."""
        size = 2 * FIRST_ROWS + 2
        take(matrix, *range(size))
        take(matrix, 10 * size)
        rows = plain(matrix.rows)
        np.testing.assert_array_equal(rows[:size], [key(slot) for slot in range(size)])
        np.testing.assert_array_equal(rows[10 * size], key(10 * size))
        assert not rows[size : 10 * size].any()
        assert (len(matrix), matrix.occupied) == (10 * size + 1, size + 1)

    def test_what_was_stored_is_a_copy(self, matrix: MemoryMatrix) -> None:
        """The caller may use its array again."""
        mine = key(0)
        matrix.store(0, mine)
        matrix.store_many([1], mine[None])
        mine[:] = 7
        np.testing.assert_array_equal(plain(matrix.rows), [key(0), key(0)])


class TestEquations:
    """Read, write and erase by weights, over the rows in use."""

    @few
    @given(data=st.data(), slots=st.integers(1, 6))
    def test_read_write_and_match_follow_the_equations(
        self, xp: Any, new_matrix: OpenMatrix, data: st.DataObject, slots: int
    ) -> None:
        """In float32, on rows of any length."""
        rows, weights = data.draw(numbers((slots, M))), data.draw(distributions((slots,)))
        erase, add = data.draw(shares((M,))), data.draw(numbers((M,)))
        matrix = new_matrix()
        matrix.store_many(list(range(slots)), rows.astype(np.float32))
        looks = array(xp, weights, "float32")
        self._close(matrix.read(looks), oracle.read(weights.tolist(), rows.tolist()))
        self._close(
            matrix.similarities(add.astype(np.float32)), [oracle.dot(row, add.tolist()) for row in rows.tolist()]
        )
        matrix.write(looks, array(xp, erase, "float32"), array(xp, add, "float32"))
        expected = oracle.write(rows.tolist(), weights.tolist(), erase.tolist(), add.tolist())
        self._close(matrix.rows, expected)
        self._close(matrix.read(looks), oracle.read(weights.tolist(), expected))

    @few
    @given(data=st.data(), slots=st.integers(1, 6), strength=st.sampled_from([0.0, 0.25, 1.0]))
    def test_erasing_scales_each_row_by_what_its_weight_leaves(
        self, xp: Any, new_matrix: OpenMatrix, data: st.DataObject, slots: int, strength: float
    ) -> None:
        """By 1 − w(i) × strength."""
        rows, weights = data.draw(numbers((slots, M))), data.draw(distributions((slots,)))
        matrix = new_matrix()
        matrix.store_many(list(range(slots)), rows.astype(np.float32))
        matrix.erase(array(xp, weights, "float32"), strength)
        kept = [[value * (1 - weight * strength) for value in row] for row, weight in zip(rows, weights, strict=True)]
        self._close(matrix.rows, kept)

    def test_erasing_one_slot_in_part_weakens_its_match_alone(self, matrix: MemoryMatrix) -> None:
        """A look at one slot, erase 0.75: a quarter of the match is left."""
        take(matrix, 0, 1, 2)
        before = plain(matrix.similarities(key(1))).copy()
        matrix.erase(matrix.one_hot(1), 0.75)
        np.testing.assert_allclose(plain(matrix.similarities(key(1))), before * [1, 0.25, 1])

    @pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
    def test_fading_a_slot_is_erasing_with_all_weight_on_it(
        self, matrix: MemoryMatrix, new_matrix: OpenMatrix, strength: float
    ) -> None:
        """The short way for one slot gives what the paper's erase gives, and leaves the other rows alone."""
        other = new_matrix()
        for each in (matrix, other):
            take(each, 0, 1, 2)
        matrix.fade(1, strength)
        other.erase(other.one_hot(1), strength)
        np.testing.assert_allclose(plain(matrix.rows), plain(other.rows), atol=1e-7)

    def test_mean_direction_follows_every_write(self, matrix: MemoryMatrix, new_matrix: OpenMatrix) -> None:
        """Asked for before the writes, it is what it is when asked for after them; fading moves nothing."""
        other = new_matrix()
        assert matrix.mean_direction().tolist() == [0, 0, 0]
        for each in (matrix, other):
            take(each, *range(5))
            each.blend(1, np.array([0, 0, 1], np.float32), 0.5)
            each.fade(2, 0.75)
            each.free(3)
            each.store(0, key(7), 0.5)
        rows = plain(matrix.rows)[[0, 1, 2, 4]]
        expected = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).mean(axis=0)
        for each in (matrix, other):
            np.testing.assert_allclose(each.mean_direction(), expected, atol=1e-6)

    @pytest.mark.parametrize("written", ["many", "by weights", "faded wholly"])
    def test_mean_direction_follows_writes_of_many_rows(self, matrix: MemoryMatrix, written: str) -> None:
        """They are read again."""
        take(matrix, 0, 1, 2)
        matrix.mean_direction()
        match written:
            case "many":
                matrix.store_many([1, 3], np.stack([key(5), key(6)]))
            case "by weights":
                matrix.write(matrix.one_hot(1), *(matrix.read(matrix.one_hot(0)) * 0 + 1 for _ in range(2)))
            case _:
                matrix.fade(1, 1.0)
        rows = plain(matrix.rows)
        units = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-8)
        np.testing.assert_allclose(matrix.mean_direction(), units.sum(axis=0) / matrix.occupied, atol=1e-6)

    def test_one_hot_looks_at_one_slot(self, matrix: MemoryMatrix) -> None:
        """Reading by it returns the row."""
        take(matrix, 0, 1, 2)
        assert plain(matrix.one_hot(2)).tolist() == [0, 0, 1]
        np.testing.assert_array_equal(plain(matrix.read(matrix.one_hot(2))), key(2))

    def test_matrix_grows_after_a_write_by_weights(self, matrix: MemoryMatrix) -> None:
        """What was written stays, and unused rows are still zero."""
        take(matrix, 0)
        matrix.write(matrix.one_hot(0), *(matrix.read(matrix.one_hot(0)) * 0 + 1 for _ in range(2)))
        take(matrix, FIRST_ROWS + 1)
        rows = plain(matrix.rows)
        assert rows[0].tolist() == [1, 1, 1]
        assert not rows[1 : FIRST_ROWS + 1].any()
        np.testing.assert_array_equal(rows[FIRST_ROWS + 1], key(FIRST_ROWS + 1))

    @staticmethod
    def _close(found: Any, expected: Any) -> None:
        """Check values in float32."""
        assert plain(found).dtype == np.float32
        np.testing.assert_allclose(plain(found), expected, atol=1e-5)


class TestLayingOut:
    """Room for rows that are written in parts."""

    @pytest.mark.parametrize(
        "slots", [[], [0], [4, 0, 2], list(range(600)), [700, 3]], ids=lambda slots: str(len(slots))
    )
    def test_rows_written_in_parts_are_those_written_at_once(self, slots: list[int]) -> None:
        """And the same slots are free."""
        keys = np.random.default_rng(1).standard_normal((len(slots), 8)).astype(np.float32)
        at_once, in_parts = (MemoryMatrix(np, 8, ExactSimilarity()) for _ in range(2))
        at_once.store_many(slots, keys)
        in_parts.lay_out(slots)
        for first in range(0, len(slots), 2):
            in_parts.store_many(slots[first : first + 2], keys[first : first + 2])
        assert np.array_equal(at_once.rows, in_parts.rows)
        assert len(at_once) == len(in_parts)
        assert at_once.occupied == in_parts.occupied == len(slots)
        assert at_once.allocate(5) == in_parts.allocate(5)

    def test_rows_that_are_there_stay(self) -> None:
        """And so do the slots that are free among them."""
        matrix = MemoryMatrix(np, 2, ExactSimilarity())
        matrix.store(1, np.asarray([1.0, 0.0], np.float32))
        for slots in ([], [0], [400]):
            matrix.lay_out(slots)
            assert matrix.row(1).tolist() == [1.0, 0.0]
        assert matrix.allocate(2) == [0, 2]

    def test_bytes_are_those_of_the_rows(self) -> None:
        """Room for more is not counted; the exact backend keeps nothing."""
        matrix = MemoryMatrix(np, 8, ExactSimilarity())
        assert (matrix.nbytes, matrix.backend_nbytes) == (0, None)
        matrix.store(2, np.ones(8, np.float32))
        assert matrix.nbytes == matrix.rows.nbytes == 3 * 8 * 4
