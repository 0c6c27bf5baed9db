"""A trained head departs from the default one in memories like those that it was trained on, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.engine import MEMORY_STATISTICS, STATISTICS, TrainedHead
from ntm_memory_skill.engine.derived import MEMORY_SCALES
from tests.engine.heads import random_head

COUNT = len(MEMORY_STATISTICS)
KINDS = np.stack([np.zeros(COUNT), np.full(COUNT, 10.0)]).astype(np.float32)


def taught(scale: float = 0.5) -> TrainedHead:
    """Return a head that knows two kinds of memory."""
    return replace(random_head(), scale=scale, known=KINDS)


def seen(offset: float, kind: int = 0) -> np.ndarray:
    """Return the statistics of a memory that lies so many scales from a kind in every respect."""
    statistics = np.zeros(len(STATISTICS), np.float32)
    statistics[-COUNT:] = KINDS[kind] + offset * MEMORY_SCALES
    return statistics


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize(
    ("offset", "share"), [(0.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (1.5, 0.5), (2.0, 0.0), (50.0, 0.0)]
)
def test_it_departs_as_far_as_the_memory_is_like_a_known_kind(kind: int, offset: float, share: float) -> None:
    """All the way up to one scale, no way from two; whichever kind is nearest counts."""
    if kind == 0 and offset == 50.0:
        offset = -50.0  # else it comes near the other kind
    assert taught().departure(seen(offset, kind)) == pytest.approx(0.5 * share, abs=1e-4)


def test_a_head_that_names_no_kind_departs_everywhere() -> None:
    """As one does that was made by hand."""
    head = replace(random_head(), scale=0.25)
    assert head.departure(np.stack([seen(0.0), seen(99.0)])).tolist() == [0.25, 0.25]


def test_another_scale_may_be_asked_for() -> None:
    """0 gives the default head."""
    assert taught().departure(seen(0.0), 1.0) == 1
    assert taught().departure(seen(0.0), 0.0) == 0


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=COUNT, max_size=COUNT))
def test_it_never_departs_further_than_its_scale(values: list[float]) -> None:
    """Nor the other way."""
    statistics = seen(0.0)
    statistics[-COUNT:] = values
    assert 0 <= float(taught().departure(statistics)) <= 0.5


def test_known_kinds_survive_the_file() -> None:
    """And are numbers, or the head is refused with the rest."""
    assert TrainedHead.from_json(taught().to_json()).known.tolist() == KINDS.tolist()
