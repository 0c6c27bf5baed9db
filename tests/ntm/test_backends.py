"""The contract of a similarity backend: every backend passes every test here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.model import MATCHED
from ntm_memory_skill.ntm import ExactSimilarity, MemoryMatrix, Similarity, SimilarityBySize
from ntm_memory_skill.ntm.backends import InvertedSimilarity, QuantisedSimilarity
from tests.ntm import oracle
from tests.ntm.draws import array, few, numbers, plain

BACKENDS = (ExactSimilarity, SimilarityBySize, InvertedSimilarity)
"""A new backend is added here, and nowhere else in this module."""


@pytest.fixture(scope="session", params=BACKENDS, ids=lambda backend: backend.__name__)
def backend(request: pytest.FixtureRequest) -> Similarity:
    """One backend; every test runs on each."""
    made: Similarity = request.param()
    return made


class TestContract:
    """What the matrix relies on."""

    @few
    @given(data=st.data(), slots=st.integers(1, 9), length=st.integers(1, 6))
    def test_scores_are_the_dot_products(
        self, xp: Any, backend: Similarity, data: st.DataObject, slots: int, length: int
    ) -> None:
        """One float32 score for each row, on the rows' own kind of array."""
        key, rows = data.draw(numbers((length,))), data.draw(numbers((slots, length)))
        held = array(xp, rows, "float32")
        found = backend.scores(array(xp, key, "float32"), held)
        assert type(found) is type(held)
        assert plain(found).dtype == np.float32
        expected = np.array([oracle.dot(row, key.tolist()) for row in rows.tolist()])
        np.testing.assert_allclose(plain(found), expected, atol=1e-4)

    def test_row_of_zeros_scores_exactly_zero(self, xp: Any, backend: Similarity) -> None:
        """A free slot matches nothing, not even nearly."""
        rows = array(xp, [[0.0, 0.0], [0.6, 0.8], [0.0, 0.0]], "float32")
        found = plain(backend.scores(array(xp, [0.6, 0.8], "float32"), rows))
        assert found[[0, 2]].tolist() == [0.0, 0.0]
        assert found[1] == pytest.approx(1)

    def test_best_row_of_many_is_found(self, xp: Any, backend: Similarity) -> None:
        """A row that is the key outscores two thousand that are not."""
        rows = np.random.default_rng(7).normal(size=(2000, 32))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found = plain(backend.scores(array(xp, rows[1234], "float32"), array(xp, rows, "float32")))
        assert found.argmax() == 1234

    def test_empty_matrix_has_no_scores(self, xp: Any, backend: Similarity) -> None:
        """The first recall may come before the first memory."""
        key = array(xp, [1.0, 0.0], "float32")
        assert plain(backend.scores(key, xp.zeros((0, 2), dtype=xp.float32))).shape == (0,)

    def test_scores_follow_the_rows_as_they_change(self, xp: Any, backend: Similarity) -> None:
        """Nothing stale is kept from an earlier question: rows change in place, and grow."""
        matrix, key = MemoryMatrix(xp, 2, backend), np.array([1.0, 0.0], dtype=np.float32)
        matrix.store(0, key)
        assert plain(matrix.similarities(key)).tolist() == [1.0]
        matrix.store(0, -key)
        matrix.store(1, key, 0.5)
        assert plain(matrix.similarities(key)).tolist() == [-1.0, 0.5]
        matrix.free(1)
        assert plain(matrix.similarities(key)).tolist() == [-1.0, 0.0]

    def test_arguments_are_left_as_they_were(self, xp: Any, backend: Similarity) -> None:
        """The rows belong to the matrix."""
        key, rows = array(xp, [1.0, 2.0], "float32"), array(xp, [[3.0, 4.0]], "float32")
        backend.scores(key, rows)
        assert plain(key).tolist() == [1.0, 2.0]
        assert plain(rows).tolist() == [[3.0, 4.0]]


def test_backends_have_names_of_their_own() -> None:
    """A name tells in an answer what computed it."""
    names = [backend.name for backend in (ExactSimilarity, QuantisedSimilarity, InvertedSimilarity)]
    assert len(set(names)) == len(names)
    assert set(names) < set(MATCHED)
    assert SimilarityBySize().name == ExactSimilarity.name
