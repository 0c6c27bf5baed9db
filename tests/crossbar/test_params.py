"""What cannot be built is refused, every wrong number in one message, and presets can be built for any key."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.crossbar import PRESETS, Circuit, Converter, Crossbar, Device, Parameters, Tile
from ntm_memory_skill.errors import InvalidCrossbar

NOT_FINITE = (math.nan, math.inf, -math.inf)
NOT_FROM_0 = (-1e-9, *NOT_FINITE)
NOT_ABOVE_0 = (0.0, *NOT_FROM_0)
NOT_WHOLE = (True, 2.0, "2", None)


def refused(kind: Callable[..., Any], **given: Any) -> str:
    """Return what is said when `kind` refuses to be made of the given."""
    with pytest.raises(InvalidCrossbar) as caught:
        kind(**given)
    return caught.value.message


def cases(**values: tuple[Any, ...]) -> list[Any]:
    """Return a case for each value of each field."""
    return [pytest.param(name, each, id=f"{name}={each!r}") for name, many in values.items() for each in many]


@pytest.mark.parametrize(
    ("name", "value"),
    cases(
        g_min=(*NOT_FROM_0, 25.0, 26.0),
        g_max=(0.0, -1.0, *NOT_FINITE),
        programming=tuple((0.1, each) for each in NOT_FINITE),
        relaxation=tuple((each, 0.1) for each in NOT_FINITE),
        drift_mean=tuple((0.1, each) for each in NOT_FINITE),
        drift_mean_bounds=((0.1, 0.05), (-0.1, 0.1), (math.nan, 1.0), (0.0, math.nan)),
        drift_deviation=tuple((each, 0.1) for each in NOT_FINITE),
        drift_deviation_bounds=((0.1, 0.05), (-0.1, 0.1), (math.nan, 1.0), (0.0, math.nan)),
        read=NOT_FROM_0,
        read_exponent=NOT_FROM_0,
        read_cap=NOT_FROM_0,
        read_seconds=NOT_ABOVE_0,
        settled=NOT_ABOVE_0,
        stuck_off=(-0.1, 1.1, *NOT_FINITE),
        stuck_on=(-0.1, 1.1, *NOT_FINITE),
    ),
)
def test_a_device_that_cannot_be_is_refused(name: str, value: Any) -> None:
    """Each number has its range, and what is not a finite number is in none."""
    refused(Device, **{name: value})


def test_shares_of_stuck_devices_are_no_more_than_all_together() -> None:
    """Each share may be right and their sum wrong."""
    refused(Device, stuck_off=0.6, stuck_on=0.5)
    assert Device(stuck_off=0.5, stuck_on=0.5).stuck_on == 0.5


@pytest.mark.parametrize(
    ("name", "value"), cases(bits=(1, 0, -8, 17, math.nan, 8.0, True, False, "8"), full_scale=NOT_ABOVE_0)
)
def test_a_converter_that_cannot_be_is_refused(name: str, value: Any) -> None:
    """Widths are whole numbers from 2 to 16, and there is no full scale of nothing."""
    refused(Converter, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    cases(rows=(0, -1, 8_193, math.nan, *NOT_WHOLE), columns=(1, 0, 8_193, math.nan, *NOT_WHOLE), wire_ohm=NOT_FROM_0),
)
def test_a_tile_that_cannot_be_is_refused(name: str, value: Any) -> None:
    """A tile has a row, and a pair of columns, and wires that do not give current."""
    refused(Tile, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    cases(
        weight_range=NOT_ABOVE_0,
        slices=(0, 9, *NOT_WHOLE),
        slice_bits=(0, 9, *NOT_WHOLE),
        pulses=(0, 101, *NOT_WHOLE),
        tolerance=NOT_ABOVE_0,
    ),
)
def test_a_circuit_that_cannot_be_is_refused(name: str, value: Any) -> None:
    """Counts are whole numbers from 1, ranges are above 0."""
    refused(Circuit, **{name: value})


def test_a_circuit_has_no_more_bits_in_slices_than_can_be_told_apart() -> None:
    """Slices and their bits may each be right, and make numbers that no arithmetic here holds."""
    refused(Circuit, slices=8, slice_bits=8)
    assert Circuit(slices=8, slice_bits=4).slices == 8


@pytest.mark.parametrize(
    ("name", "value"),
    cases(
        dimension=(0, -1, math.nan, True, 2.0, "2", None),
        capacity=(0, -1, math.nan, True, 2.0, "2", None),
        seed=(-1, math.nan, True, 2.0, "2", None),
    ),
)
def test_a_crossbar_that_cannot_be_is_refused(name: str, value: Any) -> None:
    """A crossbar has room for a row of a number, and a seed from 0."""
    refused(Crossbar, **{"parameters": Parameters(), "dimension": 3, "capacity": 2, "seed": 0, name: value})


@pytest.mark.parametrize(
    ("kind", "wrong", "named"),
    [
        (Device, {"g_min": 3.0, "g_max": 2.0, "read": -1.0, "settled": 0.0, "stuck_on": 2.0}, 4),
        (Converter, {"bits": 1, "full_scale": 0.0}, 2),
        (Tile, {"rows": 0, "columns": 0, "wire_ohm": -1.0}, 3),
        (Circuit, {"slices": 0, "slice_bits": 0, "pulses": 0, "weight_range": 0.0, "tolerance": 0.0}, 5),
        (Crossbar, {"parameters": Parameters(), "dimension": 0, "capacity": 0, "seed": -1}, 3),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else None,
)
def test_all_that_is_wrong_is_said_at_once(kind: Callable[..., Any], wrong: dict[str, Any], named: int) -> None:
    """One message has a part for each wrong number, so that nobody mends them one by one."""
    assert len(refused(kind, **wrong).split("; ")) == named


@pytest.mark.parametrize("bits", [2, 8, 16])
def test_a_converter_has_as_many_steps_on_either_side(bits: int) -> None:
    """A step of each width is lost to 0, which has to stand in the middle."""
    assert Converter(bits=bits).steps == sum(2**place for place in range(bits - 1))
    assert Converter(bits=None).steps is None


@pytest.mark.parametrize("name", sorted(PRESETS))
@given(dimension=st.integers(1, 4096))
def test_a_preset_says_where_it_is_from_and_fits_any_key(name: str, dimension: int) -> None:
    """Parameters check themselves; a converter has to express what a unit key of that length has."""
    made = PRESETS[name](dimension)
    assert made.source
    assert Crossbar(made, dimension, 1).dimension == dimension
    usual = 1 / math.sqrt(dimension)
    for converter in (made.circuit.dac, made.circuit.adc):
        assert converter.bits is None or converter.full_scale >= min(1.0, 3 * usual)
    assert made.circuit.weight_range is None or min(1.0, 3 * usual) <= made.circuit.weight_range <= 1


def test_only_exact_mathematics_is_without_noise() -> None:
    """The other presets are measured devices."""
    assert {name for name, made in PRESETS.items() if made(64).device == Device()} == {"ideal"}
