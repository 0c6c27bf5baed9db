"""What a crossbar is made of, as frozen values. Every field has its unit and range; what is out of range is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from ntm_memory_skill.errors import InvalidCrossbar

MOST_BITS = 16
MOST_SLICES = 8
MOST_SLICED_BITS = 32
MOST_LINES = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One memristive device. Conductances are in µS, g is one over `g_max`, times are in seconds."""

    g_min: float = 0.0
    """Lowest conductance that is aimed at, 0 and up."""
    g_max: float = 25.0
    """Highest, above `g_min`."""
    programming: tuple[float, ...] = ()
    """Standard deviation of what programming leaves around the target: c₀ + c₁ g + c₂ g² + … µS; none is exact."""
    drift_mean: tuple[float, float] | None = None
    """(a, b) of the mean drift exponent a·ln g + b, within `drift_mean_bounds`; None does not drift."""
    drift_mean_bounds: tuple[float, float] = (0.0, math.inf)
    """Lowest and highest, 0 and up."""
    drift_deviation: tuple[float, float] = (0.0, 0.0)
    """(a, b) of its standard deviation from device to device, within `drift_deviation_bounds`."""
    drift_deviation_bounds: tuple[float, float] = (0.0, math.inf)
    """Lowest and highest, 0 and up."""
    relaxation: tuple[float, ...] = ()
    """Standard deviation around the target after a day, where it is more than that of `programming`, in the same form;
    devices wander there evenly with ln t, and no further."""
    read: float = 0.0
    """Relative noise of a read, min(`read` / g^`read_exponent`, `read_cap`) · √ln((t + t_r) / 2 t_r), 0 and up."""
    read_exponent: float = 0.0
    """0 and up."""
    read_cap: float = 0.0
    """0 and up."""
    read_seconds: float = 250e-9
    """t_r: how long a read takes, above 0."""
    settled: float = 20.0
    """t₀: when after programming the device was first measured, above 0. Times count from then: t = t₀ + elapsed."""
    stuck_off: float = 0.0
    """Share of devices that stay at `g_min`, 0 to 1."""
    stuck_on: float = 0.0
    """Share that stay at `g_max`, 0 to 1."""

    def __post_init__(self) -> None:
        _refuse(self._problems())

    def _problems(self) -> Iterator[str]:
        numbers = (self.g_min, self.g_max, *self.programming, *(self.drift_mean or ()), *self.drift_deviation)
        if not all(math.isfinite(each) for each in (*numbers, *self.relaxation)):
            yield "a device's numbers are finite"
        if not 0 <= self.g_min < self.g_max:
            yield f"conductances range from {self.g_min:g} to {self.g_max:g} µS: that is no range from 0 up"
        for name in ("read", "read_exponent", "read_cap"):
            if not 0 <= getattr(self, name) < math.inf:
                yield f"{name} is a number from 0 up, not {getattr(self, name)!r}"
        for name in ("read_seconds", "settled"):
            if not 0 < getattr(self, name) < math.inf:
                yield f"{name} is a number above 0, not {getattr(self, name)!r}"
        for bounds in (self.drift_mean_bounds, self.drift_deviation_bounds):
            if not 0 <= bounds[0] <= bounds[1]:
                yield f"bounds of drift exponents are a lowest and a highest from 0 up, not {bounds!r}"
        if not (self.stuck_off >= 0 and self.stuck_on >= 0 and self.stuck_off + self.stuck_on <= 1):
            yield f"shares of stuck devices are {self.stuck_off!r} and {self.stuck_on!r}, not from 0 to 1 together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """Numbers to voltages, or currents to numbers: 2^(bits−1) − 1 steps on either side of 0."""

    bits: int | None = 8
    """Width, 2 to 16; None converts without rounding and without a limit."""
    full_scale: float = 1.0
    """The largest number that it can express; what is larger saturates. Above 0."""

    def __post_init__(self) -> None:
        wrong = []
        whole = isinstance(self.bits, int) and not isinstance(self.bits, bool)
        if self.bits is not None and not (whole and 2 <= self.bits <= MOST_BITS):
            wrong.append(f"a converter has 2 to {MOST_BITS} bits, or none, not {self.bits!r}")
        if not 0 < self.full_scale < math.inf:
            wrong.append(f"a converter's full scale is above 0, not {self.full_scale!r}")
        _refuse(wrong)

    @property
    def steps(self) -> int | None:
        """Steps on either side of 0."""
        return None if self.bits is None else 2 ** (self.bits - 1) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One array: inputs on its rows, and a pair of columns for each memory (and slice)."""

    rows: int = 512
    """Inputs, 1 to 8192: longer keys take several tiles, whose converted sums are added."""
    columns: int = 512
    """Columns, 2 to 8192."""
    wire_ohm: float = 0.0
    """Resistance of a wire from one device to the next, Ω, 0 and up. Its effect is computed to first order, for tiles
    in which little is lost."""

    def __post_init__(self) -> None:
        wrong = [
            f"a tile has {least} to {MOST_LINES} {name}, not {getattr(self, name)!r}"
            for name, least in (("rows", 1), ("columns", 2))
            if type(getattr(self, name)) is not int or not least <= getattr(self, name) <= MOST_LINES
        ]
        if not 0 <= self.wire_ohm < math.inf:
            wrong.append(f"a wire has a resistance from 0 up, not {self.wire_ohm!r} Ω")
        _refuse(wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What stands around the devices."""

    weight_range: float | None = None
    """The largest number that a device pair can stand for, above 0; larger ones saturate. None scales each row by its
    own largest number, which a digital multiplier takes back."""
    slices: int = 1
    """Device pairs for each number, 1 to 8. With several, each holds `slice_bits` of it."""
    slice_bits: int = 4
    """Bits of a slice, 1 to 8; 32 at most in all slices together."""
    dac: Converter = field(default_factory=Converter)
    adc: Converter = field(default_factory=Converter)
    """Of the sum of one tile, in units of the product of query and row; where `weight_range` is none, over the row's
    scale, which is multiplied in behind it."""
    tile: Tile = field(default_factory=Tile)
    pulses: int = 1
    """The most times that a device is programmed, 1 to 100; write–verify stops where it is within `tolerance`."""
    tolerance: float = 0.5
    """µS, above 0."""
    compensate: bool = False
    """Whether each row's sum of conductances is read now and then, and its drift divided out."""

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is a whole number from 1 to {most}, not {getattr(self, name)!r}"
            for name, most in (("slices", MOST_SLICES), ("slice_bits", MOST_SLICES), ("pulses", 100))
            if type(getattr(self, name)) is not int or not 1 <= getattr(self, name) <= most
        ]
        if not wrong and self.slices * self.slice_bits > MOST_SLICED_BITS:
            wrong.append(f"slices have {MOST_SLICED_BITS} bits at most together, not {self.slices} × {self.slice_bits}")
        if self.weight_range is not None and not 0 < self.weight_range < math.inf:
            wrong.append(f"weight_range is above 0, or none, not {self.weight_range!r}")
        if not 0 < self.tolerance < math.inf:
            wrong.append(f"tolerance is above 0, not {self.tolerance!r} µS")
        _refuse(wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A whole crossbar."""

    device: Device = field(default_factory=Device)
    circuit: Circuit = field(default_factory=Circuit)
    source: str = ""
    """Where its numbers are from."""


def _refuse(problems: list[str] | Iterator[str]) -> None:
    wrong = list(problems)
    if wrong:
        raise InvalidCrossbar("; ".join(wrong))
