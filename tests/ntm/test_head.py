"""A head's parameters keep their bounds; `address` is its four stages over the slots that may be read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm import TAPE_KERNEL, HeadParameters, Stages, address
from tests.ntm import oracle
from tests.ntm.draws import array, assert_distribution, distributions, few, kernels, masks, numbers, plain, tapes
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
}

ACCEPTED: dict[str, tuple[Any, ...]] = {
    "key_strength": (1e-9, 1e9, 1),
    "gate": (0.0, 1.0, 0, 1),
    "kernel": ((1.0,), (0.0, 0.0, 1.0), (0.1,) * 3 + (0.7,) + (0.0,)),
    "sharpening": (1.0, 1, 1e9),
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


def among(present: Array, weights: list[float], otherwise: list[float]) -> list[float]:
    """Share a weighting out again over the present slots, or return the other one."""
    kept = [weight if here else 0.0 for weight, here in zip(weights, present, strict=True)]
    return [weight / sum(kept) for weight in kept] if sum(kept) > 0 else otherwise


@st.composite
def heads(draw: st.DrawFn) -> HeadParameters:
    """Draw a head from all over its bounds."""
    return HeadParameters(
        key_strength=draw(st.sampled_from([0.1, 0.5, 2.0, 6.0])),
        gate=draw(st.sampled_from([0.0, 0.25, 0.9, 1.0])),
        kernel=tuple(draw(kernels(())).tolist()),
        sharpening=draw(st.sampled_from([1.0, 2.0, 5.5])),
    )


class TestAddress:
    """The four stages, one after the other."""

    @few
    @given(data=st.data(), head=heads(), slots=st.integers(1, 7), shifts=st.booleans(), has_past=st.booleans())
    def test_stages_follow_from_one_another(
        self, xp: Any, data: st.DataObject, head: HeadParameters, slots: int, shifts: bool, has_past: bool
    ) -> None:
        """Content, gate, shift and sharpening, each from the stage before, over present slots."""
        scores, present = data.draw(numbers((slots,))), data.draw(masks((slots,)))
        laid, past = data.draw(tapes(slots)), data.draw(distributions((slots,)))
        table = array(xp, oracle.neighbour_table(laid, slots, head.reach), "int64")
        stages = address(
            array(xp, scores),
            head,
            present=array(xp, present, "bool"),
            sources=table if shifts else None,
            previous=array(xp, past) if has_past else None,
            xp=xp,
        )
        content = gated = oracle.content(scores.tolist(), head.key_strength, present.tolist())
        if has_past:
            gated = oracle.interpolate(content, among(present, past.tolist(), content), head.gate)
        shifted = among(present, oracle.shift_along(gated, head.kernel, laid), gated) if shifts else gated
        expected = Stages(content, gated, shifted, oracle.sharpen(shifted, head.sharpening))
        for found, wanted in zip(stages, expected, strict=True):
            np.testing.assert_allclose(plain(found), wanted, atol=1e-7)
            assert np.all(plain(found)[~present] == 0)
            assert_distribution(found)

    def test_shift_that_finds_no_present_slot_leaves_the_focus(self, xp: Any) -> None:
        """A kernel that always moves on, and a filter that admits one slot: there is nowhere to go."""
        stages = self._address(xp, HeadParameters(kernel=(0.0, 0.0, 1.0)), present=[False, True, False])
        assert plain(stages.sharpened).tolist() == [0.0, 1.0, 0.0]

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

    @few
    @given(data=st.data(), slots=st.integers(2, 7))
    def test_sharpening_keeps_the_order(self, xp: Any, data: st.DataObject, slots: int) -> None:
        """It only spreads the weights apart."""
        scores = data.draw(numbers((slots,)))
        stages = self._address(xp, HeadParameters(sharpening=3.0), present=[True] * slots, scores=scores.tolist())
        shifted, sharpened = plain(stages.shifted), plain(stages.sharpened)
        assert np.all(
            np.diff(sharpened[np.argsort(shifted, kind="stable")]) >= -1e-6
        )  # rounding may part equal weights

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
        return address(
            array(xp, [0.0] * slots if scores is None else scores, "float32"),
            head,
            present=array(xp, present, "bool"),
            sources=array(xp, oracle.neighbour_table(laid, slots, head.reach), "int64") if shifts else None,
            previous=None if previous is None else array(xp, previous, "float32"),
            xp=xp,
        )
