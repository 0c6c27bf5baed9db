"""Heads' parameters keep their bounds; `address` is the stages of each by itself, over the slots that may be read."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm import TAPE_KERNEL, Ground, HeadParameters, Stages, Steering, address
from tests.ntm import oracle
from tests.ntm.draws import (
    array,
    assert_distribution,
    distributions,
    few,
    heads,
    lengths,
    masks,
    numbers,
    plain,
    side_by_side,
    tapes,
)
from tests.ntm.oracle import Array

REFUSED: dict[str, tuple[Any, ...]] = {
    "key_strength": (0.0, -1.0, math.inf, math.nan),
    "gate": (-0.01, 1.01, math.nan),
    "kernel": (
        (),
        (0.5, 0.5),
        (0.6, -0.2, 0.6),
        (0.2, 0.5, 0.2),
        (0.4, 0.5, 0.4),
        (math.nan, 0.5, 0.5),
        (0.5, math.nan, 0.5),
        (math.inf, 0.0, 0.0),
    ),
    "sharpening": (0.99, -2.0, math.inf, math.nan),
    "length_ratio": (0.0, -1.0, -math.inf, math.nan),
}

ACCEPTED: dict[str, tuple[Any, ...]] = {
    "key_strength": (1e-9, 1e9, 1),
    "gate": (0.0, 1.0, 0, 1),
    "kernel": ((1.0,), (0.0, 0.0, 1.0), (0.1,) * 3 + (0.7,) + (0.0,)),
    "sharpening": (1.0, 1, 1e9),
    "length_ratio": (1e-9, 1, math.inf),
}


def cases(table: dict[str, tuple[Any, ...]]) -> list[tuple[str, Any]]:
    """Return every field with each of its values."""
    return [(name, value) for name, values in table.items() for value in values]


class TestHeadParameters:
    """Every bound, from both sides."""

    @pytest.mark.parametrize(("name", "value"), cases(REFUSED))
    def test_value_out_of_bounds_is_refused(self, name: str, value: Any) -> None:
        """NaN and infinity among them: they would pass a comparison turned the other way."""
        with pytest.raises(ValueError):  # noqa: PT011  # tests check the class, not the text
            HeadParameters(**{name: value})

    @pytest.mark.parametrize(("name", "value"), cases(ACCEPTED))
    def test_value_at_a_bound_is_accepted(self, name: str, value: Any) -> None:
        """The ends that belong to a range, as whole numbers too."""
        assert getattr(HeadParameters(**{name: value}), name) == value

    @pytest.mark.parametrize(("kernel", "reach"), [((1.0,), 0), ((0.0, 1.0, 0.0), 1), (TAPE_KERNEL, 3)])
    def test_reach_is_half_the_kernel(self, kernel: tuple[float, ...], reach: int) -> None:
        """R of a kernel of width 2R + 1."""
        assert HeadParameters(kernel=kernel).reach == reach


class TestSteering:
    """A head's parameters, as arrays."""

    def test_single_head_becomes_arrays_of_one(self, xp: Any) -> None:
        """In float32, as the memory's rows are, each in its place."""
        head = HeadParameters(key_strength=1.5, gate=0.25, kernel=(0.0, 0.75, 0.25), sharpening=3.0, length_ratio=8.0)
        steering = head.steering(xp)
        assert {name: plain(values).tolist() for name, values in steering._asdict().items()} == {
            "key_strength": [1.5],
            "gate": [0.25],
            "kernel": [[0.0, 0.75, 0.25]],
            "sharpening": [3.0],
            "length_ratio": [8.0],
        }
        assert {plain(values).dtype for values in steering} == {np.dtype(np.float32)}

    def test_every_parameter_reaches_the_arrays(self) -> None:
        """A field that is added to one has to be added to the other."""
        assert [field.name for field in fields(HeadParameters)] == list(Steering._fields)


@dataclass(frozen=True)
class Scene:
    """A memory, heads side by side at each leading index, and the scores that each has for every slot."""

    leading: tuple[int, ...]
    team: list[HeadParameters]
    scores: Array
    terrain: oracle.Terrain

    @property
    def heads(self) -> int:
        """How many there are at each leading index."""
        return int(self.scores.shape[-2])

    def ground(self, xp: Any) -> Ground:
        """Return the memory as arrays."""
        here, reach = self.terrain, self.team[0].reach
        sources = lengths = None
        if here.tapes is not None:
            sources = array(xp, oracle.neighbour_table(here.tapes, len(here.present), reach), "int64")
            if here.lengths is not None:
                lengths = array(xp, oracle.relative_lengths(here.lengths, here.tapes, reach))
        past = None if here.past is None else array(xp, here.past)
        return Ground(array(xp, here.present, "bool"), sources, lengths, past)

    def steering(self, xp: Any) -> Steering:
        """Return the heads as arrays."""
        return side_by_side(xp, self.team, self.leading)

    def expected(self) -> Array:
        """Return each stage of each head by its loops; shape (3, leading, heads, n)."""
        rows = self.scores.reshape(len(self.team), -1).tolist()
        looks = [oracle.address(row, head, self.terrain) for row, head in zip(rows, self.team, strict=True)]
        return np.stack([np.reshape([look[stage] for look in looks], self.scores.shape) for stage in range(3)])


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Draw one to three heads, alone or in a batch, over a memory with and without tapes, lengths and a past."""
    leading, count, slots = draw(st.sampled_from([(), (2,), (2, 1)])), draw(st.integers(1, 3)), draw(st.integers(1, 7))
    reach = draw(st.integers(0, 3))
    size = math.prod(leading) * count
    terrain = oracle.Terrain(
        present=draw(masks((slots,))).tolist(),
        tapes=draw(st.none() | tapes(slots)),
        lengths=draw(st.none() | lengths(slots)),
        past=draw(st.none() | distributions((slots,)).map(lambda weights: weights.tolist())),
    )
    team = draw(st.lists(heads(reach), min_size=size, max_size=size))
    return Scene(leading, team, draw(numbers((*leading, count, slots))), terrain)


class TestAddress:
    """Content, gate and shift, each head by itself."""

    @few
    @given(scene=scenes())
    def test_each_head_goes_through_the_stages_by_itself(self, xp: Any, scene: Scene) -> None:
        """Each stage from the one before, over present slots, whoever stands beside it."""
        looks = address(array(xp, scene.scores), scene.steering(xp), scene.ground(xp))
        for found, wanted in zip(looks, scene.expected(), strict=True):
            assert plain(found).shape == scene.scores.shape
            np.testing.assert_allclose(plain(found), wanted, atol=1e-7)
            assert np.all(plain(found)[..., ~np.array(scene.terrain.present)] == 0)
            assert_distribution(found)

    @few
    @given(scene=scenes())
    def test_heads_side_by_side_look_where_each_alone_looks(self, xp: Any, scene: Scene) -> None:
        """A batch is nothing but haste."""
        together = address(array(xp, scene.scores), scene.steering(xp), scene.ground(xp))
        rows = scene.scores.reshape(len(scene.team), 1, -1)
        apart = [
            address(array(xp, row), side_by_side(xp, [head]), scene.ground(xp))
            for row, head in zip(rows, scene.team, strict=True)
        ]
        for stage, found in enumerate(together):
            alone = np.concatenate([plain(look[stage]) for look in apart])
            np.testing.assert_allclose(plain(found).reshape(alone.shape), alone, atol=1e-14)

    def test_shift_that_finds_no_present_slot_leaves_the_focus(self, xp: Any) -> None:
        """A kernel that always moves on, and a filter that admits one slot: there is nowhere to go."""
        stages = self._address(xp, HeadParameters(kernel=(0.0, 0.0, 1.0)), present=[False, True, False])
        assert plain(stages.sharpened).tolist() == [0.0, 1.0, 0.0]

    def test_focus_that_is_left_is_that_of_the_gate(self, xp: Any) -> None:
        """Not the content's before it: every step leads to an absent slot, and the past knew better."""
        head = HeadParameters(kernel=(0.0, 0.0, 1.0), gate=0.5)
        present, past, tapes_of_two = [True, False, True, False], [0.0, 0.0, 1.0, 0.0], [[0, 1], [2, 3]]
        stages = self._address(xp, head, present=present, previous=past, tape=tapes_of_two)
        assert plain(stages.content).tolist() == [0.5, 0.0, 0.5, 0.0]
        assert plain(stages.shifted).tolist() == [0.25, 0.0, 0.75, 0.0]

    def test_head_that_loses_its_way_leaves_the_others_theirs(self, xp: Any) -> None:
        """One is carried off to an absent slot with all that it has; the other stays where it is."""
        still, moves = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
        team = [HeadParameters(key_strength=100.0, kernel=kernel) for kernel in (still, moves)]
        present, table = [True, True, False], oracle.neighbour_table([[0, 1, 2]], 3, 1)
        ground = Ground(array(xp, present, "bool"), array(xp, table, "int64"))
        looks = address(array(xp, [[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]]), side_by_side(xp, team), ground)
        assert plain(looks.shifted).tolist() == [[1, 0, 0], [0, 1, 0]]

    @pytest.mark.parametrize("shifts", [True, False])
    def test_past_focus_on_an_absent_slot_gives_it_no_weight(self, xp: Any, shifts: bool) -> None:
        """Not even where the gate lets nothing but the past through; the content weighting stands in."""
        head = HeadParameters(gate=0.0)
        stages = self._address(xp, head, present=[False, True, True], previous=[1.0, 0.0, 0.0], shifts=shifts)
        for weights in stages:
            assert plain(weights)[0] == 0
            assert_distribution(weights)

    def test_shift_lends_weight_to_what_was_said_next(self, xp: Any) -> None:
        """The slot after the match outweighs one that matches as little and stands elsewhere."""
        head = HeadParameters(key_strength=5.0)
        stages = self._address(xp, head, present=[True] * 4, scores=[1.0, 0.0, 0.0, 0.0], tape=[[0, 2], [1], [3]])
        assert plain(stages.sharpened).argsort().tolist()[-2:] == [2, 0]

    def test_page_beside_the_match_gets_less_than_a_remark_beside_it(self, xp: Any) -> None:
        """The same scores, and as far away; only the lengths differ."""
        table = oracle.neighbour_table([[1, 0, 2]], 3, 1)
        lengths = array(xp, oracle.relative_lengths([10.0, 10.0, 400.0], [[1, 0, 2]], 1), "float32")
        head = HeadParameters(kernel=(0.25, 0.5, 0.25), key_strength=5.0)
        ground = Ground(array(xp, [True] * 3, "bool"), array(xp, table, "int64"), lengths)
        _, remark, page = plain(address(array(xp, [[1.0, 0.0, 0.0]], "float32"), head.steering(xp), ground).shifted)[0]
        assert remark > 3 * page

    @staticmethod
    def _address(
        xp: Any,
        head: HeadParameters,
        *,
        present: list[bool],
        scores: list[float] | None = None,
        previous: list[float] | None = None,
        tape: list[list[int]] | None = None,
        shifts: bool = True,
    ) -> Stages:
        """Address a memory of one tape, in float32 as the engine does; all scores are 0 unless given."""
        slots = len(present)
        laid = [list(range(slots))] if tape is None else tape
        ground = Ground(
            present=array(xp, present, "bool"),
            sources=array(xp, oracle.neighbour_table(laid, slots, head.reach), "int64") if shifts else None,
            previous=None if previous is None else array(xp, previous, "float32"),
        )
        steering = head.steering(xp)
        looks = address(array(xp, [[0.0] * slots if scores is None else scores], "float32"), steering, ground)
        assert {plain(weights).dtype for weights in looks} == {np.dtype(np.float32)}
        return looks.merged(steering.sharpening)


class TestMerging:
    """What several heads make of what each found."""

    @few
    @given(scene=scenes())
    def test_weights_are_averaged_then_sharpened_together(self, xp: Any, scene: Scene) -> None:
        """By the mean of their γ, at each leading index for itself."""
        steering = scene.steering(xp)
        stages = address(array(xp, scene.scores), steering, scene.ground(xp)).merged(steering.sharpening)
        content, gated, shifted = (
            oracle.over_batch(oracle.average, scene.leading, weights) for weights in scene.expected()
        )
        gamma = np.array([head.sharpening for head in scene.team]).reshape(*scene.leading, scene.heads)
        mean = oracle.over_batch(lambda each: sum(each) / len(each), scene.leading, gamma)
        sharpened = oracle.over_batch(oracle.sharpen, scene.leading, shifted, mean)
        for found, wanted in zip(stages, (content, gated, shifted, sharpened), strict=True):
            np.testing.assert_allclose(plain(found), wanted, atol=1e-7)
            assert_distribution(found)

    def test_heads_that_are_alike_see_what_one_sees(self, xp: Any) -> None:
        """Three times the same head is that head."""
        ground = Ground(array(xp, [True] * 4, "bool"), array(xp, oracle.neighbour_table([[0, 1, 2, 3]], 4, 3), "int64"))
        scores, one, three = [0.5, -1.0, 2.0, 0.0], side_by_side(xp, [HeadParameters()]), [HeadParameters()] * 3
        alone = address(array(xp, [scores]), one, ground).merged(one.sharpening)
        alike = side_by_side(xp, three)
        agreed = address(array(xp, [scores] * 3), alike, ground).merged(alike.sharpening)
        for found, wanted in zip(agreed, alone, strict=True):
            np.testing.assert_allclose(plain(found), plain(wanted), atol=1e-14)

    def test_what_most_heads_agree_on_comes_first(self, xp: Any) -> None:
        """Two that look at one slot outweigh one that looks elsewhere."""
        team = side_by_side(xp, [HeadParameters(key_strength=3.0)] * 3)
        scores = array(xp, [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 2.0, 0.0]])
        stages = address(scores, team, Ground(array(xp, [True] * 3, "bool"), None)).merged(team.sharpening)
        assert plain(stages.sharpened).argsort().tolist() == [2, 0, 1]

    @few
    @given(scene=scenes())
    def test_sharpening_keeps_the_order(self, xp: Any, scene: Scene) -> None:
        """It only spreads the weights apart; rounding may part equal ones."""
        steering = scene.steering(xp)
        stages = address(array(xp, scene.scores), steering, scene.ground(xp)).merged(steering.sharpening)
        order = np.argsort(plain(stages.shifted), axis=-1, kind="stable")
        assert np.all(np.diff(np.take_along_axis(plain(stages.sharpened), order, axis=-1), axis=-1) >= -1e-6)
