"""The crossbar with exact devices is exact mathematics; with others, the same devices every time, and older."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ntm_memory_skill.crossbar import Circuit, Converter, Crossbar, Device, Parameters, Tile
from ntm_memory_skill.crossbar.presets import ideal, pcm, reram
from tests.crossbar.rows import (
    DAY,
    HOUR,
    YEAR,
    Values,
    conductances,
    quiet_pcm,
    same_devices,
    unit_rows,
)

tiles = st.builds(Tile, rows=st.integers(1, 5), columns=st.integers(2, 6))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Values, Values]:
    """Draw a query and rows of any shape and size: none, one, zeros, tiny and large ones, on both sides of 0."""
    count, length = draw(st.integers(0, 7)), draw(st.integers(1, 9))
    eighths = draw(hnp.arrays(np.int64, (count + 1, length), elements=st.integers(-16, 16)))
    sizes = draw(st.lists(st.sampled_from([0.125, 1e-20, 1e6]), min_size=count + 1, max_size=count + 1))
    values = (eighths * np.array(sizes)[:, None]).astype(np.float32)
    return values[0], values[1:]


def assert_products(found: Values, query: Values, rows: Values) -> None:
    """Check products to 1e-5 of the lengths that are multiplied; none is smaller than a float32 can be."""
    assert found.dtype == np.float32
    assert found.shape == (len(rows),)
    for answer, row in zip(found.tolist(), rows.tolist(), strict=True):
        exact = sum(one * other for one, other in zip(query.tolist(), row, strict=True))
        lengths = np.linalg.norm(query.astype(float)) * np.linalg.norm(np.array(row))
        assert answer == pytest.approx(exact, rel=0, abs=float(1e-5 * lengths) + 1e-37)


class TestExactMathematics:
    """The path of every crossbar, without what devices and converters do to it."""

    @given(asked=questions(), tile=tiles)
    def test_a_read_is_the_product_of_a_query_and_each_row(self, asked: tuple[Values, Values], tile: Tile) -> None:
        """Whatever the shapes, and however many tiles they take."""
        query, rows = asked
        made = ideal(len(query))
        crossbar = Crossbar(replace(made, circuit=replace(made.circuit, tile=tile)), len(query), max(1, len(rows)))
        crossbar.write(range(len(rows)), rows, at=0)
        assert_products(crossbar.read(query, at=0), query, rows)
        assert_products(crossbar.read(query, at=YEAR), query, rows)

    @given(asked=questions(), g_min=st.sampled_from([0.0, 3.0]), weight_range=st.sampled_from([None, 3.0, 7e6]))
    def test_a_fixed_range_and_resting_conductances_make_no_difference(
        self, asked: tuple[Values, Values], g_min: float, weight_range: float | None
    ) -> None:
        """Both devices of a pair have the same rest; what the range cannot express saturates."""
        query, rows = asked
        circuit = replace(ideal(1).circuit, weight_range=weight_range)
        crossbar = Crossbar(Parameters(device=Device(g_min=g_min), circuit=circuit), len(query), 8)
        crossbar.write(range(len(rows)), rows, at=0)
        limit = np.inf if weight_range is None else weight_range
        held = np.clip(rows, -limit, limit)
        found = crossbar.read(query, at=0)
        rest = 0 if weight_range is None else 1e-6 * weight_range * g_min * float(np.abs(query).sum())
        exact = held.astype(float) @ query.astype(float)
        lengths = np.linalg.norm(held.astype(float), axis=1) * np.linalg.norm(query.astype(float))
        assert (np.abs(found - exact) <= 1e-5 * lengths + rest + 1e-37).all()

    @given(
        slices=st.integers(2, 4),
        bits=st.integers(1, 4),
        scale=st.sampled_from([1e-20, 1.0, 300.0]),
        shape=st.tuples(st.integers(1, 4), st.integers(1, 6)),
        seed=st.integers(0, 2**32),
    )
    def test_slices_round_each_number_to_their_bits(
        self, slices: int, bits: int, scale: float, shape: tuple[int, int], seed: int
    ) -> None:
        """A number that is off a step by up to 0.3 of one is that step; the row's largest number is exact."""
        rng = np.random.default_rng(seed)
        most = 2 ** (slices * bits) - 1
        steps = rng.integers(-most, most, shape, endpoint=True)
        off = rng.uniform(-0.3, 0.3, shape) * (np.abs(steps) < most)
        steps[:, 0], off[:, 0] = most, 0
        query = rng.normal(size=shape[1]).astype(np.float32)
        circuit = replace(ideal(1).circuit, slices=slices, slice_bits=bits, tile=Tile(rows=4))
        crossbar = Crossbar(Parameters(circuit=circuit), shape[1], 4)
        crossbar.write(range(shape[0]), ((steps + off) / most * scale).astype(np.float32), at=0)
        assert_products(crossbar.read(query, at=0), query, (steps / most * scale).astype(np.float32))

    def test_converters_round_inputs_and_the_sum_of_each_tile(self) -> None:
        """Worked out by hand, in tenths: 7 steps on either side for inputs to 0.7, and 7 for sums to 1.4."""
        circuit = Circuit(
            dac=Converter(bits=4, full_scale=0.7), adc=Converter(bits=4, full_scale=1.4), tile=Tile(rows=2)
        )
        crossbar = Crossbar(Parameters(circuit=circuit), 4, 2)
        crossbar.write([0, 1], np.array([[1, 1, 1, 1], [1, -1, 0.5, 0]], np.float32), at=0)
        found = crossbar.read(np.array([0.52, 0.33, 9.0, 0.66]), at=0)  # volts .5 .3 .7 .7, sums .8 1.4 and .2 .35
        np.testing.assert_allclose(found, [0.8 + 1.4, 0.2 + 0.4], rtol=1e-6)

    def test_slots_without_a_row_read_0(self) -> None:
        """Between rows there may be room; beyond the last there is no answer."""
        crossbar = Crossbar(ideal(2), 2, 10)
        assert crossbar.read(np.ones(2), at=0).shape == (0,)
        crossbar.write([3, 1], np.array([[1, 2], [3, 4]], np.float32), at=0)
        np.testing.assert_allclose(crossbar.read(np.ones(2), at=0), [0, 7, 0, 3], rtol=1e-6)
        assert crossbar.occupied.tolist() == [False, True, False, True]
        assert crossbar.programming.slots.tolist() == [1, 3]


class TestTheSameDevices:
    """All that is random is drawn from the seed, the place and the count of programmings."""

    ROWS = unit_rows(12, 32)
    QUERY = unit_rows(1, 32, seed=2)[0]

    def written(self, seed: int = 7, preset: Parameters | None = None) -> Crossbar:
        """Return twelve rows on PCM, written at different times, some twice, one let go."""
        crossbar = Crossbar(preset or pcm(32), 32, 20, seed)
        crossbar.write(range(12), self.ROWS, at=0)
        crossbar.write([2, 5], self.ROWS[[2, 5]], at=HOUR)
        crossbar.erase([4])
        return crossbar

    def test_the_same_seed_and_writes_give_the_same_reads(self) -> None:
        """Bit for bit, at every time."""
        one, other = self.written(), self.written()
        for at in (HOUR, HOUR, DAY, YEAR):
            np.testing.assert_array_equal(one.read(self.QUERY, at), other.read(self.QUERY, at))

    def test_another_seed_gives_other_devices(self) -> None:
        """Not one slot has the same."""
        one, other = conductances(self.written(1)), conductances(self.written(2))
        assert all((one[slot] != other[slot]).any() for slot in one)
        assert (self.written(1).read(self.QUERY, DAY) != self.written(2).read(self.QUERY, DAY)).any()

    def test_no_two_slots_have_the_same_devices(self) -> None:
        """The same row in all slots, and different errors in each."""
        crossbar = Crossbar(pcm(32), 32, 9)
        crossbar.write(range(9), np.repeat(self.ROWS[:1], 9, axis=0), at=0)
        assert len({each.tobytes() for each in conductances(crossbar).values()}) == 9

    def test_the_order_of_writes_to_different_slots_makes_no_difference(self) -> None:
        """To the devices, and so to a read."""
        made = []
        for order in permutations(range(4)):
            crossbar = Crossbar(pcm(32), 32, 4)
            for slot in order:
                crossbar.write([slot], self.ROWS[[slot]], at=0)
            made.append(crossbar)
        assert all(same_devices(made[0], each) for each in made)
        reads = [each.read(self.QUERY, DAY) for each in made]
        assert all(np.array_equal(reads[0], each) for each in reads)

    def test_one_by_one_is_all_at_once(self) -> None:
        """A crossbar that grows row by row is the one that was filled in one go, and costs the same."""
        whole, grown = Crossbar(pcm(32), 32, 12), Crossbar(pcm(32), 32, 12)
        cost = whole.write(range(12), self.ROWS, at=0)
        costs = [grown.write([slot], self.ROWS[[slot]], at=0) for slot in range(12)]
        assert sum(each.picojoules for each in costs) == pytest.approx(cost.picojoules)
        np.testing.assert_array_equal(whole.read(self.QUERY, DAY), grown.read(self.QUERY, DAY))

    def test_programming_a_slot_again_draws_new_devices(self) -> None:
        """The same row, with other errors, and counted; the others stay what they are."""
        crossbar = Crossbar(pcm(32), 32, 12)
        crossbar.write(range(12), self.ROWS, at=0)
        before = conductances(crossbar)
        crossbar.write([3], self.ROWS[[3]], at=HOUR)
        after = conductances(crossbar)
        assert [slot for slot in range(12) if not np.array_equal(before[slot], after[slot])] == [3]
        assert crossbar.programming.counts.tolist() == [1, 1, 1, 2, *[1] * 8]
        assert crossbar.programming.times.tolist() == [0, 0, 0, HOUR, *[0] * 8]

    @pytest.mark.parametrize("reads_before", [0, 1, 3])
    @pytest.mark.parametrize("preset", [pcm, reram])
    def test_a_restored_crossbar_is_the_one_that_was_kept(
        self, preset: Callable[[int], Parameters], reads_before: int
    ) -> None:
        """Devices, ages and the noise of the next reads, bit for bit, at any later time."""
        crossbar = self.written(preset=preset(32))
        for at in (HOUR, DAY, 2 * DAY)[:reads_before]:
            crossbar.read(self.QUERY, at)
        kept = crossbar.programming
        fresh = Crossbar(preset(32), 32, 20, seed=7)
        fresh.restore(kept, self.ROWS[kept.slots])
        assert same_devices(crossbar, fresh)
        for at in (30 * DAY, YEAR):
            np.testing.assert_array_equal(fresh.read(self.QUERY, at), crossbar.read(self.QUERY, at))
        for each in (crossbar, fresh):
            each.write([2], self.ROWS[[2]], at=YEAR)
        assert same_devices(crossbar, fresh)

    def test_nothing_is_restored_from_nothing(self) -> None:
        """A crossbar that was never written to can be kept, too."""
        fresh = Crossbar(pcm(32), 32, 20)
        fresh.restore(fresh.programming, np.zeros((0, 32), np.float32))
        assert len(fresh) == 0

    def test_no_stream_of_random_numbers_is_used_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Programming, reading and measuring drift each draw from a stream of their own, whatever the places."""
        streams: list[bytes] = []
        make = np.random.default_rng

        def recorded(entropy: Any) -> np.random.Generator:
            streams.append(np.random.SeedSequence(entropy).generate_state(4).tobytes())
            return make(entropy)

        monkeypatch.setattr(np.random, "default_rng", recorded)
        crossbar = Crossbar(pcm(32), 32, 20)
        crossbar.write(range(1, 12), self.ROWS[1:], at=0)
        for at in (0, HOUR, DAY, DAY, YEAR):
            crossbar.read(self.QUERY, at)
            crossbar.write([int(at) % 7], self.ROWS[:1], at)
        assert len(streams) > 20
        assert len(set(streams)) == len(streams)


class TestErasing:
    """A row that is let go is not read any more."""

    def test_only_the_erased_rows_are_0(self) -> None:
        """The others give what they gave, where reads have no noise."""
        rows = unit_rows(6, 10)
        crossbar = Crossbar(quiet_pcm(10, Tile()), 10, 6)
        crossbar.write(range(6), rows, at=0)
        before = crossbar.read(rows[0], DAY)
        crossbar.erase([0, 4])
        after = crossbar.read(rows[0], DAY)
        assert after[[0, 4]].tolist() == [0, 0]
        np.testing.assert_array_equal(after[[1, 2, 3, 5]], before[[1, 2, 3, 5]])
        assert crossbar.occupied.tolist() == [False, True, True, True, False, True]

    def test_slots_that_hold_nothing_are_left_alone(self) -> None:
        """Erased twice, beyond the last, below the first."""
        crossbar = Crossbar(ideal(2), 2, 6)
        crossbar.write([0, 2], np.ones((2, 2), np.float32), at=0)
        crossbar.erase([1, 1, 5, 99, -1])
        assert crossbar.occupied.tolist() == [True, False, True]

    def test_an_erased_slot_can_be_programmed_again_and_is_counted_on(self) -> None:
        """New devices, not those that were let go."""
        crossbar = Crossbar(pcm(8), 8, 2)
        crossbar.write([0], unit_rows(1, 8), at=0)
        before = conductances(crossbar)[0]
        crossbar.erase([0])
        crossbar.write([0], unit_rows(1, 8), at=0)
        assert crossbar.programming.counts.tolist() == [2]
        assert (conductances(crossbar)[0] != before).any()
