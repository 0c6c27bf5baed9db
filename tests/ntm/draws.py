"""What the addressing tests draw: shapes with and without leading dimensions, weightings, kernels, tapes, heads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ntm_memory_skill.ntm import HeadParameters, Steering
from tests.ntm.oracle import Array

Draw = st.DrawFn

few = settings(deadline=None, max_examples=40)
"""Enough to meet every leading shape, one slot, and zero weights; both array libraries run each."""

LEADING = ((), (2,), (1, 3))


@dataclass(frozen=True, slots=True)
class Shape:
    """Leading dimensions, N slots of M numbers."""

    leading: tuple[int, ...]
    slots: int
    length: int

    def of(self, *last: int) -> tuple[int, ...]:
        """Return the leading dimensions with `last` behind them."""
        return (*self.leading, *last)


shapes = st.builds(Shape, st.sampled_from(LEADING), st.integers(1, 7), st.integers(1, 4))


def numbers(shape: Sequence[int]) -> st.SearchStrategy[Array]:
    """Draw numbers from −2 to 2 in eighths: often 0, never so small that a norm vanishes in rounding."""
    return hnp.arrays(np.int64, tuple(shape), elements=st.integers(-16, 16)).map(lambda eighths: eighths / 8)


def shares(shape: Sequence[int]) -> st.SearchStrategy[Array]:
    """Draw numbers from 0 to 1, both ends among them."""
    return hnp.arrays(np.int64, tuple(shape), elements=st.integers(0, 8)).map(lambda eighths: eighths / 8)


def distributions(shape: Sequence[int]) -> st.SearchStrategy[Array]:
    """Draw weightings over the last dimension, zeros and one-hot ones among them."""
    return hnp.arrays(np.int64, tuple(shape), elements=st.integers(0, 5)).map(_normalised)


def kernels(shape: Sequence[int]) -> st.SearchStrategy[Array]:
    """Draw shift kernels of width 1 to 11, so often wider than the memory is long."""
    return st.integers(0, 5).flatmap(lambda reach: distributions((*shape, 2 * reach + 1)))


def masks(shape: Sequence[int]) -> st.SearchStrategy[Array]:
    """Draw which slots are present, at least one of them."""
    return hnp.arrays(np.bool_, tuple(shape)).map(_with_one)


@st.composite
def tapes(draw: Draw, slots: int) -> list[list[int]]:
    """Draw a partition of the slots into tapes, in any order on each."""
    order = draw(st.permutations(range(slots)))
    cuts = sorted(draw(st.sets(st.integers(1, slots - 1)))) if slots > 1 else []
    return [list(order[start:stop]) for start, stop in zip([0, *cuts], [*cuts, slots], strict=True)]


def lengths(slots: int) -> st.SearchStrategy[list[float]]:
    """Draw how long the text of each slot is, equal ones and ones hundreds of times as long among them."""
    return st.lists(st.sampled_from([1.0, 2.0, 3.0, 10.0, 40.0, 500.0]), min_size=slots, max_size=slots)


ratios = st.sampled_from([0.25, 1.0, 4.0, 30.0, math.inf])
"""Length ratios: below 1 even equal texts hold something back; at infinity nothing does."""


@st.composite
def heads(draw: Draw, reach: int) -> HeadParameters:
    """Draw a head from all over its bounds."""
    return HeadParameters(
        key_strength=draw(st.sampled_from([0.1, 0.5, 2.0, 6.0])),
        gate=draw(st.sampled_from([0.0, 0.25, 0.9, 1.0])),
        kernel=tuple(draw(distributions((2 * reach + 1,))).tolist()),
        sharpening=draw(st.sampled_from([1.0, 2.0, 5.5])),
        length_ratio=draw(ratios),
    )


def side_by_side(
    xp: Any, team: Sequence[HeadParameters], leading: Sequence[int] = (), dtype: str = "float64"
) -> Steering:
    """Return heads as arrays, as many at each leading index as there are for it."""
    values = ([getattr(head, name) for head in team] for name in Steering._fields)
    shaped = (np.array(each).reshape(*leading, -1, *np.shape(each)[1:]) for each in values)
    return Steering(*(array(xp, each, dtype) for each in shaped))


def array(xp: Any, values: Any, dtype: str = "float64") -> Any:
    """Return values as an array of the namespace."""
    return xp.asarray(np.array(values).tolist(), dtype=getattr(xp, dtype))


def plain(values: Any) -> Array:
    """Return an array of either kind as numpy's."""
    return np.asarray(values.detach() if hasattr(values, "detach") else values)


def assert_distribution(weights: Any, tolerance: float = 1e-5) -> None:
    """Check the law of addressing: no weight below 0, sum 1."""
    found = plain(weights)
    assert np.all(found >= 0)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=tolerance)


def _normalised(counts: Array) -> Array:
    counts[..., -1] += counts.sum(axis=-1) == 0
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


def _with_one(mask: Array) -> Array:
    mask[..., 0] |= ~mask.any(axis=-1)
    return mask
