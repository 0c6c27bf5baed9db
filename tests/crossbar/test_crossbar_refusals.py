"""What a crossbar refuses, and that it is afterwards what it was before."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ntm_memory_skill.crossbar import Crossbar
from ntm_memory_skill.crossbar.crossbar import Programming
from ntm_memory_skill.crossbar.presets import pcm
from ntm_memory_skill.errors import CrossbarFull, InvalidCrossbar, TimeReversed
from tests.crossbar.rows import DAY, HOUR, state, unit_rows

ROWS = unit_rows(5, 8)
NOT_NUMBERS = (math.nan, math.inf, -math.inf, 1e39)
"""The last is finite, and none in float32."""


def used() -> Crossbar:
    """Return four rows that were written, rewritten, erased and read."""
    crossbar = Crossbar(pcm(8), 8, 6, seed=2)
    crossbar.write(range(4), ROWS[:4], at=0)
    crossbar.write([1], ROWS[[4]], at=HOUR)
    crossbar.erase([2])
    crossbar.read(ROWS[0], at=DAY)
    return crossbar


def with_one(values: Any, wrong: float) -> Any:
    """Return numbers of which the last is another."""
    changed = np.array(values, np.float64)
    changed.flat[-1] = wrong
    return changed


WRITES = [
    pytest.param(CrossbarFull, [6], ROWS[:1], DAY, id="beyond the capacity"),
    pytest.param(CrossbarFull, [4, 99], ROWS[:2], DAY, id="one of two beyond the capacity"),
    pytest.param(TimeReversed, [0], ROWS[:1], DAY - 1, id="earlier than the last read"),
    pytest.param(TimeReversed, [0], ROWS[:1], math.nan, id="at no time"),
    pytest.param(TimeReversed, [0], ROWS[:1], math.inf, id="at the end of time"),
    pytest.param(InvalidCrossbar, [0, 1], ROWS[:1], DAY, id="fewer rows than slots"),
    pytest.param(InvalidCrossbar, [0], ROWS[:2], DAY, id="more rows than slots"),
    pytest.param(InvalidCrossbar, [0], ROWS[:1, :7], DAY, id="too short"),
    pytest.param(InvalidCrossbar, [0], ROWS[0], DAY, id="not a list of rows"),
    pytest.param(InvalidCrossbar, [], ROWS[0, :0], DAY, id="not an empty list of rows"),
    pytest.param(InvalidCrossbar, [4, 4], ROWS[:2], DAY, id="twice the same slot"),
    pytest.param(InvalidCrossbar, [-1], ROWS[:1], DAY, id="below the first slot"),
    *(pytest.param(InvalidCrossbar, [4], with_one(ROWS[:1], each), DAY, id=f"{each}") for each in NOT_NUMBERS),
]


def assert_unchanged(crossbar: Crossbar, attempt: Callable[[], Any], error: type[Exception]) -> None:
    """Check that what is attempted is refused, and makes no difference to what follows."""
    before = state(crossbar)
    with pytest.raises(error):
        attempt()
    assert state(crossbar) == before
    spared = used()
    for each in (crossbar, spared):
        each.write([2], ROWS[[2]], at=DAY)
    np.testing.assert_array_equal(crossbar.read(ROWS[0], 2 * DAY), spared.read(ROWS[0], 2 * DAY))


@pytest.mark.parametrize(("error", "slots", "rows", "at"), WRITES)
def test_a_write_that_cannot_be_changes_nothing(error: type[Exception], slots: list[int], rows: Any, at: float) -> None:
    """Neither a row nor the time."""
    crossbar = used()
    assert_unchanged(crossbar, lambda: crossbar.write(slots, rows, at), error)


@pytest.mark.parametrize(
    ("error", "query", "at"),
    [
        pytest.param(TimeReversed, ROWS[0], DAY - 1, id="earlier"),
        pytest.param(TimeReversed, ROWS[0], math.nan, id="at no time"),
        pytest.param(TimeReversed, ROWS[0], -math.inf, id="before all time"),
        pytest.param(InvalidCrossbar, ROWS[0, :7], DAY, id="too short"),
        pytest.param(InvalidCrossbar, ROWS[:1], DAY, id="a list of queries"),
        *(pytest.param(InvalidCrossbar, with_one(ROWS[0], each), DAY, id=f"{each}") for each in NOT_NUMBERS),
    ],
)
def test_a_read_that_cannot_be_changes_nothing(error: type[Exception], query: Any, at: float) -> None:
    """It is not counted, so that the next one has the noise that it would have had."""
    crossbar = used()
    assert_unchanged(crossbar, lambda: crossbar.read(query, at), error)


def test_the_same_time_is_no_earlier() -> None:
    """What happens at one moment may be several things."""
    crossbar = used()
    crossbar.write([0], ROWS[:1], at=DAY)
    crossbar.read(ROWS[0], at=DAY)
    assert crossbar.programming.times.tolist() == [DAY, HOUR, 0]


KEPT = used().programming


@pytest.mark.parametrize(
    ("error", "kept", "rows"),
    [
        pytest.param(InvalidCrossbar, KEPT, ROWS[:2], id="fewer rows"),
        pytest.param(InvalidCrossbar, KEPT, with_one(ROWS[:3], math.nan), id="not a number"),
        pytest.param(InvalidCrossbar, replace(KEPT, counts=np.array([1, 0, 1])), ROWS[:3], id="never programmed"),
        pytest.param(InvalidCrossbar, replace(KEPT, counts=np.array([1, 1])), ROWS[:3], id="fewer counts"),
        pytest.param(InvalidCrossbar, replace(KEPT, times=np.array([0.0, 1.0])), ROWS[:3], id="fewer times"),
        pytest.param(InvalidCrossbar, replace(KEPT, times=np.array([0, math.nan, 1])), ROWS[:3], id="at no time"),
        pytest.param(InvalidCrossbar, replace(KEPT, times=np.array([0, -math.inf, 1])), ROWS[:3], id="before time"),
        pytest.param(InvalidCrossbar, replace(KEPT, slots=np.array([0, 1, 1])), ROWS[:3], id="twice the same slot"),
        pytest.param(InvalidCrossbar, replace(KEPT, slots=np.array([-1, 1, 2])), ROWS[:3], id="below the first"),
        pytest.param(InvalidCrossbar, replace(KEPT, reads=-1), ROWS[:3], id="read less than never"),
        pytest.param(CrossbarFull, replace(KEPT, slots=np.array([0, 1, 6])), ROWS[:3], id="beyond the capacity"),
    ],
)
def test_what_cannot_have_been_is_not_restored(error: type[Exception], kept: Programming, rows: Any) -> None:
    """The crossbar is as empty as before."""
    crossbar = Crossbar(pcm(8), 8, 6)
    before = state(crossbar)
    with pytest.raises(error):
        crossbar.restore(kept, rows)
    assert state(crossbar) == before


def test_only_an_empty_crossbar_can_be_restored() -> None:
    """What was in one would be lost, or would be of two pasts."""
    crossbar = used()
    rows = ROWS[[0, 4, 3]]
    assert_unchanged(crossbar, lambda: crossbar.restore(crossbar.programming, rows), InvalidCrossbar)
