"""Near duplicates and groups of memories, against a full matrix of products and the groups' own law."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float32

from ntm_memory_skill.m3.clusters import alike, communities


def unit_keys(seed: int, n: int, m: int = 8, topics: int = 5) -> Float32[np.ndarray, "n m"]:
    """Return unit keys around a few topics."""
    rng = np.random.default_rng(seed)
    keys = rng.normal(size=(topics, m))[rng.integers(0, topics, n)] + 0.5 * rng.normal(size=(n, m))
    found: Float32[np.ndarray, "n m"] = (keys / np.linalg.norm(keys, axis=1, keepdims=True)).astype(np.float32)
    return found


@st.composite
def pairs_among(draw: st.DrawFn) -> tuple[list[tuple[int, int, float]], int]:
    """Draw some pairs among a few memories."""
    n = draw(st.integers(2, 12))
    chosen = draw(st.lists(st.sampled_from(list(combinations(range(n), 2))), unique=True))
    return [(i, j, draw(st.sampled_from([0.7, 0.8, 0.81, 0.9]))) for i, j in chosen], n


@given(seed=st.integers(0, 2**16), n=st.integers(0, 40), block=st.integers(1, 50), threshold=st.floats(0.1, 0.99))
def test_tiles_give_the_pairs_of_the_full_matrix(seed: int, n: int, block: int, threshold: float) -> None:
    """Whatever the size of a tile, the pairs and their cosines are those of all products at once."""
    keys = unit_keys(seed, n)
    products = keys.astype(np.float64) @ keys.astype(np.float64).T
    found = {(i, j): cosine for i, j, cosine in alike(keys, threshold, block)}
    assert all(products[pair] == pytest.approx(cosine, abs=1e-5) for pair, cosine in found.items())
    clear = [(i, j) for i, j in combinations(range(n), 2) if abs(products[i, j] - threshold) > 1e-5]
    assert {pair for pair in clear if products[pair] > threshold} == found.keys() & set(clear)


def test_each_pair_comes_once_and_with_the_lower_index_first() -> None:
    """No memory is like itself, and no pair is given both ways."""
    pairs = [(i, j) for i, j, _ in alike(unit_keys(1, 30), 0.5, block=7)]
    assert len(pairs) == len(set(pairs)) > 0
    assert all(i < j for i, j in pairs)


def test_equal_keys_are_alike_at_a_threshold_of_one() -> None:
    """Rounding does not part a key from its copy, and no cosine is above 1."""
    key = unit_keys(2, 1, m=384)
    pairs = list(alike(np.repeat(key, 5, axis=0), 1.0, block=2))
    assert len(pairs) == 10
    assert all(cosine <= 1 for *_, cosine in pairs)


def test_a_row_of_zeros_is_like_nothing() -> None:
    """An erased row has no cosine."""
    assert list(alike(np.zeros((3, 4), np.float32), 0.01)) == []


@pytest.mark.parametrize(("threshold", "block"), [(0.0, 8), (1.1, 8), (-1.0, 8), (float("nan"), 8), (0.5, 0)])
def test_a_threshold_or_a_block_out_of_range_is_refused(threshold: float, block: int) -> None:
    """A threshold of 0 would make everything alike."""
    with pytest.raises(ValueError, match="threshold"):
        list(alike(unit_keys(0, 3), threshold, block))


def test_progress_is_told_of_every_tile_and_may_stop_the_search() -> None:
    """Tiles without a pair count as well, so that a budget of time is looked at in time."""
    keys = np.eye(10, dtype=np.float32)
    told: list[tuple[int, int]] = []
    assert list(alike(keys, 0.9, block=4, progress=lambda done, total: told.append((done, total)))) == []
    assert told == [(done, 6) for done in range(1, 7)]

    def enough(done: int, _total: int) -> None:
        if done == 2:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        list(alike(keys, 0.9, block=4, progress=enough))


def test_the_full_matrix_is_never_in_memory() -> None:
    """3,000 keys have 36 MB of products; a tile of 128 has 64 kB."""
    keys = unit_keys(3, 3000)
    tracemalloc.start()
    try:
        for _ in alike(keys, 0.999, block=128):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


@given(pairs_among())
def test_every_member_is_like_the_medoid_of_its_group(drawn: tuple[list[tuple[int, int, float]], int]) -> None:
    """The first of a group has the greatest sum of likeness within it, and a given pair with every other."""
    pairs, n = drawn
    likeness = {frozenset((i, j)): value for i, j, value in pairs}

    def sum_of(i: int, group: list[int]) -> float:
        exactly = sum(Fraction(likeness.get(frozenset((i, j)), 0.0)) for j in group if j != i)
        return float(exactly)  # thrice 0.8 is more than 0.7 + 0.8 + 0.9, by a bit

    groups = communities(pairs, n)
    members = [i for group in groups for i in group]
    assert len(members) == len(set(members))
    for medoid, *others in groups:
        assert others == sorted(others) != []
        assert all(frozenset((medoid, j)) in likeness for j in others)
        sums = {i: sum_of(i, [medoid, *others]) for i in [medoid, *others]}
        assert medoid == min(sums, key=lambda i: (-sums[i], i))


@given(pairs_among())
def test_no_pair_is_left_outside_the_groups(drawn: tuple[list[tuple[int, int, float]], int]) -> None:
    """Of two memories that are alike at least one is in a group."""
    pairs, n = drawn
    grouped = {i for group in communities(pairs, n) for i in group}
    assert all(i in grouped or j in grouped for i, j, _ in pairs)


@given(pairs_among(), st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_does_not_matter(drawn: tuple[list[tuple[int, int, float]], int], rng: Random) -> None:
    """The same pairs in another order, or the other way round, give the same groups in the same order."""
    pairs, n = drawn
    shuffled = [(j, i, value) if rng.random() < 0.5 else (i, j, value) for i, j, value in pairs]
    rng.shuffle(shuffled)
    assert communities(shuffled, n) == communities(pairs, n)


def test_a_chain_is_not_one_group() -> None:
    """Each is like the next, and the ends are far apart: single linkage would join all seven."""
    groups = communities([(i, i + 1, 0.9) for i in range(6)], 7)
    assert max(map(len, groups)) == 3


def test_groups_around_topics_are_found() -> None:
    """Three well-parted topics are three groups, in the order of their first memory."""
    keys = np.eye(3, dtype=np.float32)[[0, 1, 0, 2, 1, 0, 2]]
    assert communities(alike(keys, 0.9), 7) == [[0, 2, 5], [1, 4], [3, 6]]


@pytest.mark.parametrize("pair", [(1, 1, 0.9), (0, 3, 0.9), (-1, 0, 0.9)])
def test_a_pair_that_cannot_be_is_refused(pair: tuple[int, int, float]) -> None:
    """A memory with itself, and indices that nobody has."""
    with pytest.raises(ValueError, match="two of the 3"):
        communities([pair], 3)
