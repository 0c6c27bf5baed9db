"""Rows read as bytes, beside rows read as they are: the best are exact, the others near."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm import ExactSimilarity, MemoryMatrix, SimilarityBySize
from ntm_memory_skill.ntm.backends import QuantisedSimilarity, quantised
from ntm_memory_skill.ntm.backends.quantised import TILE, can_scan_bytes
from tests.ntm.draws import array, few, numbers, plain
from tests.ntm.oracle import Array

pytestmark = pytest.mark.skipif(not can_scan_bytes(), reason="numkong, of the extra fast, is not installed")
BEST = 8


def unit_rows(count: int, length: int = 64, seed: int = 5) -> Array:
    """Return unit rows in clumps, so that many are nearly as good as the best."""
    rng = np.random.default_rng(seed)
    clumps = rng.normal(size=(max(1, count // 25), length))
    rows = clumps[rng.integers(len(clumps), size=count)] + 0.5 * rng.normal(size=(count, length))
    units: Array = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units


def ranked(scores: Array, count: int) -> list[int]:
    """Return the places of the best scores, best first, equal ones in order."""
    places: list[int] = np.argsort(-scores, kind="stable")[:count].tolist()
    return places


class TestScores:
    """What a score is."""

    @few
    @given(data=st.data(), count=st.integers(BEST + 1, 60), length=st.integers(1, 24))
    def test_best_are_those_of_the_exact_product(self, data: st.DataObject, count: int, length: int) -> None:
        """Whatever the rows are, long ones beside short ones and zeros: the same numbers, which nothing outranks."""
        rows = data.draw(numbers((count, length))).astype(np.float32)
        key = data.draw(numbers((length,))).astype(np.float32)
        exact, found = rows @ key, QuantisedSimilarity(BEST).scores(key, rows)
        least = np.sort(exact)[-BEST]
        np.testing.assert_allclose(found[exact >= least], exact[exact >= least], atol=1e-5)
        assert (found[exact < least - 1e-4] < least).all()

    @pytest.mark.parametrize("count", [50, TILE - 1, TILE + 1, 3 * TILE])
    def test_order_of_the_best_among_many(self, count: int) -> None:
        """For sizes around those that are quantised at once."""
        rows = unit_rows(count)
        for place in (0, count // 2, count - 1):
            exact, found = rows @ rows[place], QuantisedSimilarity(BEST).scores(rows[place], rows)
            assert ranked(found, BEST) == ranked(exact, BEST)

    def test_others_are_a_hundredth_off_at_most(self) -> None:
        """And some are off: they were read as bytes."""
        rows = unit_rows(2000)
        errors = np.abs(QuantisedSimilarity(BEST).scores(rows[3], rows) - rows @ rows[3])
        assert 1e-5 < errors.max() < 0.01

    def test_equal_rows_are_all_compared_exactly(self) -> None:
        """However many there are: none may be left behind by the rounding."""
        rows = np.repeat(unit_rows(2), 300, axis=0)
        found = QuantisedSimilarity(BEST).scores(rows[0], rows)
        np.testing.assert_allclose(found[:300], 1, atol=1e-6)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_numbers_that_are_none_are_left_to_the_exact_product(self, value: float) -> None:
        """A margin that is no number leaves nothing to go by."""
        rows = unit_rows(50)
        key = rows[0].copy()
        key[0] = value
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(QuantisedSimilarity(BEST).scores(key, rows), rows @ key)


class TestFollowing:
    """Rows change, and are read again when it is told so."""

    @few
    @given(data=st.data())
    def test_matrix_tells_what_it_writes(self, xp: Any, data: st.DataObject) -> None:
        """After any writes, scores are those of a backend that reads the rows for the first time."""
        rows = unit_rows(40, 8)
        matrix, asked = MemoryMatrix(xp, 8, QuantisedSimilarity(BEST)), rows[7]
        matrix.store_many(list(range(30)), rows[:30])
        steps = st.tuples(st.sampled_from(["store", "many", "free", "fade", "blend", "write"]), st.integers(0, 39))
        for verb, drawn in data.draw(st.lists(steps, max_size=8)):
            slot = drawn if verb in ("store", "many") else drawn % len(matrix)
            match verb:
                case "store":
                    matrix.store(slot, -rows[slot], 0.5)
                case "many":
                    matrix.store_many([slot, 3], rows[[slot, 4]])
                case "free":
                    matrix.free(slot)
                case "fade":
                    matrix.fade(slot, 0.5)
                case "blend":
                    matrix.blend(slot, rows[1], 0.3)
                case _:
                    matrix.erase(matrix.one_hot(slot), 0.7)
            found = plain(matrix.similarities(asked))
            fresh = plain(QuantisedSimilarity(BEST).scores(array(xp, asked, "float32"), matrix.rows))
            np.testing.assert_allclose(found, fresh, atol=1e-6)

    def test_rows_of_another_length_are_other_rows(self) -> None:
        """Nothing is kept of the first ones."""
        backend, long, short = QuantisedSimilarity(BEST), unit_rows(30, 16), unit_rows(20, 8)
        backend.scores(long[0], long)
        np.testing.assert_allclose(backend.scores(short[0], short), short @ short[0], atol=0.02)


class TestBySize:
    """Which backend answers."""

    def test_few_rows_are_matched_exactly_and_many_by_bytes(self) -> None:
        """The name is that of the last answer."""
        matrix = MemoryMatrix(np, 64, SimilarityBySize(quantised_from=100))
        rows = unit_rows(100)
        matrix.store_many(list(range(99)), rows[:99])
        np.testing.assert_array_equal(matrix.similarities(rows[0]), rows[:99] @ rows[0])
        answered = [matrix.backend]
        matrix.store(99, rows[99])
        assert ranked(plain(matrix.similarities(rows[99])), 5) == ranked(rows @ rows[99], 5)
        assert [*answered, matrix.backend] == ["exact", "quantised"]

    def test_changes_before_the_first_scan_are_in_it(self) -> None:
        """What is built late is built of the rows as they are."""
        matrix, rows = MemoryMatrix(np, 64, SimilarityBySize(quantised_from=20)), unit_rows(40)
        matrix.store_many(list(range(40)), rows)
        matrix.similarities(rows[0])
        matrix.store(5, rows[0])
        assert plain(matrix.similarities(rows[0]))[5] == pytest.approx(1)

    def test_without_the_library_all_are_matched_exactly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An extra is no condition."""
        monkeypatch.setattr("ntm_memory_skill.ntm.backends.by_size.can_scan_bytes", lambda: False)
        backend, rows = SimilarityBySize(quantised_from=0), unit_rows(50)
        np.testing.assert_array_equal(backend.scores(rows[0], rows), ExactSimilarity().scores(rows[0], rows))
        assert backend.name == "exact"

    def test_library_is_looked_for_by_its_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And not imported for that."""
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        can_scan_bytes.cache_clear()
        try:
            assert not quantised.can_scan_bytes()
        finally:
            can_scan_bytes.cache_clear()
