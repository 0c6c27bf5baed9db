"""Devices: their statistics against IBM's aihwkit, and what must hold of any."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.crossbar import Circuit, Device
from ntm_memory_skill.crossbar import device as devices
from ntm_memory_skill.crossbar.presets import pcm, reram

HOUR, DAY, YEAR = 3_600.0, 86_400.0, 31_557_600.0
TIMES = (HOUR, DAY, YEAR)
MANY = 400_000
"""Devices for each conductance: a standard deviation is then known to 0.2 %."""

Values = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Moments = tuple[float, float]
"""Mean and standard deviation."""

REFERENCE: dict[float, tuple[Moments, ...]] = {
    0.0: ((0.10506, 0.15394), (0.10040, 0.04405), (0.06623, 0.12223), (0.05070, 0.09950), (0.03223, 0.07367),
          (0.05320, 0.76503), (0.06525, 0.80504), (0.08778, 0.87242)),
    0.05: ((1.24971, 0.35868), (0.07114, 0.03093), (0.87482, 0.38846), (0.71283, 0.36159), (0.49849, 0.32940),
           (0.00059, 0.31784), (0.00097, 0.33868), (0.00152, 0.37365)),
    0.1: ((2.50062, 0.44816), (0.06014, 0.02273), (1.84198, 0.52772), (1.53891, 0.51295), (1.11685, 0.49644),
          (0.00005, 0.19237), (-0.00001, 0.20501), (0.00003, 0.22749)),
    0.25: ((6.25017, 0.68164), (0.04902, 0.01143), (4.85299, 0.78484), (4.16544, 0.76177), (3.14598, 0.73447),
           (-0.00003, 0.10420), (0.00007, 0.11133), (0.00014, 0.12322)),
    0.5: ((12.49910, 0.95281), (0.04900, 0.00800), (9.69696, 1.05682), (8.31194, 1.02772), (6.25189, 0.99178),
          (0.00007, 0.06603), (0.00000, 0.07055), (0.00000, 0.07823)),
    0.75: ((18.75091, 1.07761), (0.04900, 0.00800), (14.54660, 1.26864), (12.47066, 1.29166), (9.37897, 1.33000),
           (-0.00004, 0.05066), (-0.00004, 0.05412), (-0.00001, 0.05993)),
    1.0: ((24.99981, 1.05619), (0.04899, 0.00801), (19.39657, 1.41022), (16.62710, 1.51598), (12.50685, 1.65220),
          (-0.00001, 0.04205), (0.00003, 0.04481), (0.00006, 0.04968)),
}  # fmt: skip
"""By g: mean and standard deviation of programmed conductance (µS), of ν, of conductance as read an hour, a day and a
year later (µS), and of the relative error of these reads, where there is anything to read. Measured on aihwkit 1.1.0,
`PCMLikeNoiseModel(g_max=25)`, 2,000,000 devices for each g, torch 2.13.0 seeded with 20260101."""


def aged(made: devices.Programmed, elapsed: float, device: Device) -> Values:
    """Return conductances after some seconds."""
    return devices.conductances(made, np.asarray(elapsed), device)


def noise_of(made: devices.Programmed, now: Values, elapsed: float, device: Device) -> Values:
    """Return the deviation of a read after some seconds."""
    return devices.read_deviation(made, now, np.asarray(elapsed), device)


def moments(values: Any) -> Moments:
    """Return mean and standard deviation, added up in float64."""
    wide = np.asarray(values, np.float64)
    return float(wide.mean()), float(wide.std())


def pcm_moments(share: float) -> tuple[Moments, ...]:
    """Return the statistics of this package's PCM, in the order of `REFERENCE`."""
    device, rng = pcm(1).device, np.random.default_rng(20_260_102)
    made = devices.program(np.full(MANY, share * device.g_max, np.float32), device, rng)
    reads, errors = [], []
    for elapsed in TIMES:
        now = aged(made, elapsed, device)
        noise = noise_of(made, now, elapsed, device) * rng.standard_normal(MANY, dtype=np.float32)
        read = np.maximum(now + noise, 0)
        reads.append(moments(read))
        errors.append(moments(read[now > 0] / now[now > 0] - 1))
    return (moments(made.conductance), moments(made.exponent), *reads, *errors)


def aihwkit_moments(share: float) -> tuple[Moments, ...]:
    """Return the same statistics of aihwkit's PCM, where it is installed."""
    reason = "aihwkit is not installed; the stored statistics are what it gave"
    inference = pytest.importorskip("aihwkit.inference", reason=reason)
    torch = pytest.importorskip("torch", reason=reason)
    model = inference.PCMLikeNoiseModel(g_max=25.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20_260_103)
        goal = torch.full((MANY,), share * 25.0)
        made = model.apply_programming_noise_to_conductance(goal.clone())
        exponent = model.generate_drift_coefficients(goal.clone())
        reads, errors = [], []
        for elapsed in TIMES:
            now = made * ((elapsed + 20) / 20) ** -exponent
            read = model.apply_drift_noise_to_conductance(made.clone(), exponent, elapsed)
            reads.append(moments(read))
            errors.append(moments(read[now > 0] / now[now > 0] - 1))
    return (moments(made), moments(exponent), *reads, *errors)


def assert_alike(found: tuple[Moments, ...], wanted: tuple[Moments, ...]) -> None:
    """Check all moments to 3 %, or to 0.004 µS or 0.004 of a conductance near 0."""
    np.testing.assert_allclose(np.array(found[:1]), np.array(wanted[:1]), rtol=0.03, atol=0.004)
    np.testing.assert_allclose(np.array(found[1]), np.array(wanted[1]), rtol=0.03, atol=0.0001)
    np.testing.assert_allclose(np.array(found[2:]), np.array(wanted[2:]), rtol=0.03, atol=0.004)


@pytest.mark.parametrize("share", REFERENCE)
def test_pcm_is_what_aihwkit_gave(share: float) -> None:
    """Programmed, an hour, a day and a year old: mean and spread are those of the published model."""
    assert_alike(pcm_moments(share), REFERENCE[share])


@pytest.mark.parametrize("share", REFERENCE)
def test_pcm_is_what_aihwkit_gives(share: float) -> None:
    """The stored statistics are not out of date, and neither are ours."""
    live = aihwkit_moments(share)
    assert_alike(live, REFERENCE[share])
    assert_alike(pcm_moments(share), live)


def goals(*shape: int, seed: int = 5) -> Values:
    """Return targets from all over the range of PCM."""
    return np.random.default_rng(seed).uniform(0, 25, shape).astype(np.float32)


@pytest.mark.parametrize("preset", [pcm, reram])
def test_the_same_generator_makes_the_same_devices(preset: Callable[[int], Any]) -> None:
    """All that is random comes from the generator that is given, and another one makes others."""
    device, target = preset(8).device, goals(3, 8)
    first, again, other = (devices.program(target, device, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for name, one, two in zip(first._fields, first, again, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=name)
    assert (first.conductance != other.conductance).any()


def test_a_device_without_errors_is_what_was_aimed_at() -> None:
    """Nothing is drawn, nothing drifts, nothing is added by a read."""
    target = goals(50)
    made = devices.program(target, Device(), np.random.default_rng(0))
    later = aged(made, YEAR, Device())
    np.testing.assert_array_equal(later, target)
    assert not noise_of(made, later, YEAR, Device()).any()


@pytest.mark.parametrize("preset", [pcm, reram])
@given(elapsed=st.floats(0, 1e10), seed=st.integers(0, 2**32))
def test_no_conductance_is_below_0(preset: Callable[[int], Any], elapsed: float, seed: int) -> None:
    """Whatever the errors are, a device conducts or it does not; the spread of a read is no less than 0 either."""
    device = replace(preset(8).device, stuck_off=0.05, stuck_on=0.05)
    made = devices.program(goals(4, 25, seed=seed) * np.float32(0.2), device, np.random.default_rng(seed))
    now = aged(made, elapsed, device)
    assert made.conductance.min() >= 0
    assert now.min() >= 0
    assert noise_of(made, now, elapsed, device).min() >= 0


def test_pcm_only_loses_with_time() -> None:
    """Exponents are positive: no device of PCM conducts more than it did."""
    device = pcm(8).device
    made = devices.program(goals(5_000), device, np.random.default_rng(3))
    series = [aged(made, elapsed, device) for elapsed in (0, 1, *TIMES)]
    np.testing.assert_array_equal(series[0], made.conductance)
    for earlier, later in pairwise(series):
        assert (later <= earlier).all()


@pytest.mark.parametrize("preset", [pcm, reram])
def test_stuck_devices_are_as_many_as_said_and_stay(preset: Callable[[int], Any]) -> None:
    """Shares within four standard errors; what is stuck neither drifts nor wanders."""
    device = replace(preset(8).device, g_min=1.0, stuck_off=0.1, stuck_on=0.02)
    target = np.full(100_000, 12.0, np.float32)
    made = devices.program(target, device, np.random.default_rng(11))
    for elapsed in (0.0, YEAR):
        now = aged(made, elapsed, device)
        for value, share in ((device.g_min, 0.1), (device.g_max, 0.02)):
            error = math.sqrt(share * (1 - share) / len(target))
            assert float((now == np.float32(value)).mean()) == pytest.approx(share, abs=4 * error)


@pytest.mark.parametrize(
    ("device", "end"), [(Device(g_min=1.0, stuck_off=1.0), 1.0), (Device(g_min=1.0, stuck_on=1.0), 25.0)]
)
def test_all_devices_may_be_stuck(device: Device, end: float) -> None:
    """A share of 1 leaves none out."""
    made = devices.program(goals(10_000), device, np.random.default_rng(1))
    assert np.unique(made.conductance).tolist() == [end]


class TestVerifying:
    """Write and verify: program again what is off by more than is tolerated."""

    def tried(self, pulses: int, seed: int = 4, target: Values | None = None) -> devices.Programmed:
        """Return PCM devices programmed up to so often."""
        aims = goals(20_000) if target is None else target
        circuit = Circuit(pulses=pulses, tolerance=0.3)
        return devices.program(aims, pcm(8).device, np.random.default_rng(seed), circuit)

    def test_no_device_gets_farther_from_its_target(self) -> None:
        """A further try only counts where it is nearer, for each device; together they get much nearer."""
        target = goals(20_000)
        errors = [np.abs(self.tried(pulses).conductance - target) for pulses in (1, 2, 3, 5, 20)]
        for fewer, more in pairwise(errors):
            assert (more <= fewer).all()
        assert errors[-1].mean() < errors[0].mean() / 3

    def test_tries_end_where_a_device_is_near_enough(self) -> None:
        """A device has had its last try, or it is within what is tolerated."""
        target = goals(20_000)
        made = self.tried(6)
        off = np.abs(made.conductance - target) > 0.3
        assert made.pulses.min() == 1
        assert made.pulses.max() == 6
        assert (made.pulses[off] == 6).all()
        assert off.any()

    def test_pulses_are_those_that_were_needed(self) -> None:
        """A device takes one pulse more for each number of pulses at which it was still off."""
        target = goals(2_000)
        wanted = np.ones(2_000, np.int64)
        for allowed in range(1, 6):
            wanted += np.abs(self.tried(allowed, target=target).conductance - target) > 0.3
        np.testing.assert_array_equal(self.tried(6, target=target).pulses, wanted)

    def test_exact_devices_take_one_pulse(self) -> None:
        """There is nothing to verify twice."""
        made = devices.program(goals(100), Device(), np.random.default_rng(0), Circuit(pulses=9, tolerance=0.001))
        assert (made.pulses == 1).all()


class TestWandering:
    """ReRAM, as published: a spread a second after programming, and another a day after."""

    SECOND = (-16.815, 45.393, -43.853, 16.030, 0.348)
    AFTER_A_DAY = (-16.458, 47.095, -50.773, 22.086, 0.701)
    """µS, of the polynomial in g, highest power first: Wan et al. 2022, as fitted in aihwkit 1.1.0."""

    @pytest.mark.parametrize("share", [0.4, 0.5, 0.75, 1.0])
    def test_spread_is_the_published_one(self, share: float) -> None:
        """Where nothing is cut off at 0, it is the polynomial's value at both times, and no more after two days."""
        device = reram(8).device
        target = np.full(MANY, share * 40, np.float32)
        made = devices.program(target, device, np.random.default_rng(8))
        for elapsed, fit in ((0.0, self.SECOND), (DAY, self.AFTER_A_DAY), (2 * DAY, self.AFTER_A_DAY)):
            mean, deviation = moments(aged(made, elapsed, device))
            assert mean == pytest.approx(share * 40, rel=0.005)
            assert deviation == pytest.approx(float(np.polyval(fit, share)), rel=0.01)

    def test_a_device_wanders_one_way_evenly_with_the_logarithm(self) -> None:
        """Half of the logarithm of a day, half of the way."""
        device = reram(8).device
        made = devices.program(np.full(1_000, 30, np.float32), device, np.random.default_rng(8))
        half = math.sqrt(DAY + 1) - 1
        start, middle, end = (aged(made, elapsed, device) for elapsed in (0.0, half, DAY))
        np.testing.assert_allclose(middle - start, (end - start) / 2, atol=1e-4)
        assert np.abs(end - start).max() > 1
