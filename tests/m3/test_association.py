"""The associator's formula, against loops over the memories one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.m3.association import MONTH, ContextualAssociator, Cue, Surroundings

LENGTH = 4


def vectors(count: int) -> st.SearchStrategy[np.ndarray]:
    """Return keys as any encoder might make them, zeros among them."""
    entries = st.floats(-2, 2, width=16)
    rows = st.lists(st.lists(entries, min_size=LENGTH, max_size=LENGTH), min_size=count, max_size=count)
    return rows.map(lambda drawn: np.asarray(drawn, np.float32))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Cue, Surroundings]:
    """Return a cue and its surroundings, with and without a context and a tape."""
    count = draw(st.integers(1, 8))
    keys = draw(vectors(count + 2))
    times = draw(st.lists(st.floats(0, 2e9), min_size=count + 1, max_size=count + 1))
    distances = draw(st.lists(st.sampled_from([0, 1, 2, 7, 100, np.inf]), min_size=count, max_size=count) | st.none())
    return (
        Cue(key=keys[-1], at=times[-1], context=draw(st.sampled_from([keys[-2], None]))),
        Surroundings(
            keys=keys[:count],
            times=np.asarray(times[:count]),
            present=np.asarray(draw(st.lists(st.booleans(), min_size=count, max_size=count))),
            distances=None if distances is None else np.asarray(distances, np.float32),
        ),
    )


@st.composite
def associators(draw: st.DrawFn) -> ContextualAssociator:
    """Return a formula with any weights."""
    raw = [draw(st.integers(0, 10)) for _ in range(2)] + [draw(st.integers(1, 10))]
    time, meaning, context = (each / sum(raw) for each in raw)
    half_close, half_near = draw(st.sampled_from([60.0, MONTH, 12 * MONTH])), draw(st.sampled_from([0.5, 3.0]))
    return ContextualAssociator(time=time, meaning=meaning, context=context, half_close=half_close, half_near=half_near)


def slow_cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Return the cosine, at least 0, number by number."""
    product = sum(float(a) * float(b) for a, b in zip(one, other, strict=True))
    lengths = math.sqrt(sum(float(a) ** 2 for a in one)) * math.sqrt(sum(float(b) ** 2 for b in other))
    return max(product / lengths, 0) if lengths > 0 else 0.0


def slow_score(formula: ContextualAssociator, cue: Cue, around: Surroundings, row: int) -> float:
    """Return one memory's score as the module's docstring writes it."""
    if not around.present[row]:
        return 0.0
    time = 1 / (1 + math.log2(1 + abs(float(around.times[row]) - cue.at) / formula.half_close))
    if around.distances is not None:
        time = 0.5 * (time + 0.5 ** (float(around.distances[row]) / formula.half_near))
    meaning = slow_cosine(cue.key, around.keys[row])
    context = 0.0 if cue.context is None else slow_cosine(cue.context, around.keys[row])
    return formula.time * time + formula.meaning * meaning + formula.context * context


def simple(**changes: Any) -> Surroundings:
    """Return four memories at right angles, all at once, but for what is changed."""
    fields: dict[str, Any] = {
        "keys": np.eye(4, dtype=np.float32),
        "times": np.zeros(4),
        "present": np.ones(4, bool),
    } | changes
    return Surroundings(**fields)


@given(situation=situations(), formula=associators())
def test_score_is_the_formula_worked_out_memory_by_memory(
    situation: tuple[Cue, Surroundings], formula: ContextualAssociator
) -> None:
    """Any keys, times, tapes and weights; and it stays within 0 and 1."""
    cue, around = situation
    scores = formula.associate(cue, around)
    expected = [slow_score(formula, cue, around, row) for row in range(len(scores))]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert scores.dtype == np.float32
    assert (scores >= 0).all()
    assert (scores <= 1).all()


@given(situation=situations(), formula=associators())
def test_each_part_is_from_0_to_1(situation: tuple[Cue, Surroundings], formula: ContextualAssociator) -> None:
    """Before it is weighed."""
    for part in formula.parts(*situation):
        assert ((part >= 0) & (part <= 1)).all()


@given(situation=situations(), top_k=st.integers(1, 10))
def test_related_memories_are_the_best_of_those_present(situation: tuple[Cue, Surroundings], top_k: int) -> None:
    """In the order of their scores, equal ones by row."""
    cue, around = situation
    formula = ContextualAssociator()
    scores = formula.associate(cue, around)
    expected = sorted(np.flatnonzero(around.present), key=lambda row: (-scores[row], row))[:top_k]
    assert formula.related(cue, around, top_k).tolist() == expected


def test_a_memory_like_the_cue_at_the_same_time_in_its_context_scores_one() -> None:
    """The bound is reached."""
    key = np.eye(4, dtype=np.float32)[1]
    scores = ContextualAssociator().associate(Cue(key=3 * key, at=0.0, context=key), simple(distances=np.zeros(4)))
    np.testing.assert_allclose(scores, [0.4, 1, 0.4, 0.4])


def test_closeness_halves_a_month_away_and_again_seven_months_away() -> None:
    """On a log scale: years are still told apart."""
    times = np.asarray([0, MONTH, 7 * MONTH, 36 * MONTH])
    formula = ContextualAssociator(time=1.0, meaning=0.0, context=0.0)
    cue = Cue(key=np.ones(4, np.float32), at=0.0)
    np.testing.assert_allclose(formula.associate(cue, simple(times=times))[:3], [1, 0.5, 0.25])
    long_before = formula.associate(cue, simple(times=-7 * times))
    assert (np.diff(long_before) < -0.01).all()


def test_neighbours_on_the_tape_are_told_apart_where_all_have_one_time() -> None:
    """The turns of a chat often do; another chat's have no place on this tape."""
    formula = ContextualAssociator(time=1.0, meaning=0.0, context=0.0)
    distances = np.asarray([0, 3, 6, np.inf], np.float32)
    found = formula.associate(Cue(key=np.ones(4, np.float32), at=0.0), simple(distances=distances))
    np.testing.assert_allclose(found, [1, 0.75, 0.625, 0.5])


def test_cue_without_a_direction_is_related_by_time_and_context_alone() -> None:
    """A text that the encoder cannot read has a key of zeros."""
    cue = Cue(key=np.zeros(4, np.float32), at=0.0, context=np.eye(4, dtype=np.float32)[2])
    np.testing.assert_allclose(ContextualAssociator().associate(cue, simple()), [0.4, 0.4, 0.6, 0.4])


def test_opposite_meaning_is_no_more_related_than_another_one() -> None:
    """A cosine below 0 counts as 0: it may not take away what time speaks for."""
    cue = Cue(key=-np.eye(4, dtype=np.float32)[0], at=0.0)
    np.testing.assert_allclose(ContextualAssociator().associate(cue, simple()), [0.4] * 4)


def test_weights_and_distances_out_of_range_are_refused_all_at_once() -> None:
    """Every one of them is named."""
    with pytest.raises(ValueError, match=r"time.*sum to 1.*half_close.*half_near"):
        ContextualAssociator(time=-0.4, half_close=0.0, half_near=math.inf)
    with pytest.raises(ValueError, match=r"meaning.*sum to 1"):
        ContextualAssociator(meaning=math.nan)
    with pytest.raises(ValueError, match="sum to 1"):
        ContextualAssociator(time=0.5)


def test_fewer_than_one_related_memory_is_refused() -> None:
    """`top_k` is at least 1."""
    with pytest.raises(ValueError, match="top_k"):
        ContextualAssociator().related(Cue(key=np.ones(4, np.float32), at=0.0), simple(), 0)
