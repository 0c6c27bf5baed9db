"""A crossbar as it ages: drift and what takes it back, the noise of reads, and wires that lose the same at any time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ntm_memory_skill.crossbar import Circuit, Converter, Crossbar, Device, Parameters, Tile
from ntm_memory_skill.crossbar.presets import ideal, pcm, reram
from ntm_memory_skill.crossbar.tile import with_wires
from tests.crossbar.rows import DAY, HOUR, YEAR, Values, conductances, exact_circuit, quiet_pcm, unit_rows

Wide = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def slope(crossbar: Crossbar, rows: Values, at: float) -> float:
    """Return by what analog products are larger than exact ones: least squares through 0, over some of the rows."""
    analog, exact = [], []
    for row in rows[::10]:
        analog.append(crossbar.read(row, at))
        exact.append(rows @ row)
    x, y = np.concatenate(exact), np.concatenate(analog)
    return float((x * y).sum() / (x * x).sum())


class TestDrift:
    """PCM conducts less from second to second; compensation divides the mean out."""

    ROWS = unit_rows(200, 64)

    def made(self, compensate: bool) -> Crossbar:
        """Return 200 rows on PCM with the preset's converters."""
        preset = pcm(64)
        circuit = replace(preset.circuit, compensate=compensate)
        crossbar = Crossbar(replace(preset, circuit=circuit), 64, 200)
        crossbar.write(range(200), self.ROWS, at=0)
        return crossbar

    def test_products_shrink_without_compensation(self) -> None:
        """Every time a row's product with itself, from all of it to about half a year later."""
        crossbar = self.made(compensate=False)
        slopes = [slope(crossbar, self.ROWS, at) for at in (0, HOUR, DAY, YEAR)]
        assert slopes[0] == pytest.approx(1, abs=0.03)
        assert slopes == sorted(slopes, reverse=True)
        assert slopes[-1] < 0.65

    @pytest.mark.parametrize("at", [0, HOUR, DAY, YEAR])
    def test_compensation_brings_the_mean_back(self, at: float) -> None:
        """As large as exact products on average, at any age."""
        assert slope(self.made(compensate=True), self.ROWS, at) == pytest.approx(1, abs=0.05)

    def test_the_sum_of_conductances_falls(self) -> None:
        """As measured by compensation, for every row and at every time: the factor that it divides by grows."""
        crossbar = self.made(compensate=True)
        factors = []
        for at in (0, DAY, YEAR):
            crossbar.read(self.ROWS[0], at)
            factors.append(crossbar._factors.copy())
        assert (factors[0] < factors[1]).all()
        assert (factors[1] < factors[2]).all()
        assert factors[0].mean() == pytest.approx(1, abs=0.02)

    def test_rows_age_from_when_they_were_written(self) -> None:
        """Of two halves, the one of a year ago has lost much, the one of now nothing."""
        crossbar = Crossbar(quiet_pcm(64, Tile()), 64, 200)
        crossbar.write(range(100), self.ROWS[:100], at=0)
        crossbar.write(range(100, 200), self.ROWS[100:], at=YEAR)
        own = np.array([crossbar.read(row, YEAR)[slot] for slot, row in enumerate(self.ROWS)])
        assert own[:100].mean() < 0.65
        assert own[100:].mean() == pytest.approx(1, abs=0.05)

    @pytest.mark.parametrize("preset", [pcm, reram])
    def test_conductances_are_not_worked_out_for_less_than_matters(self, preset: Callable[[int], Parameters]) -> None:
        """A read a little later is of the conductances of a little before: nearly those that they would be."""
        made = exact_circuit(preset(64))
        made = replace(made, device=replace(made.device, read=0.0))
        often = Crossbar(made, 64, 10)
        often.write(range(10), self.ROWS[:10], at=0)
        for at in (each * later for each in np.geomspace(1, YEAR, 40).tolist() for later in (1, 1.015)):
            once = Crossbar(made, 64, 10)
            once.write(range(10), self.ROWS[:10], at=0)
            np.testing.assert_allclose(often.read(self.ROWS[0], at), once.read(self.ROWS[0], at), atol=0.003)


def cells(crossbar: Crossbar, slot: int, at: float) -> tuple[Wide, Wide]:
    """Return conductance and spread of a slot's PCM devices, µS, by the published formulas, in float64."""
    held = crossbar._held[slot]
    assert held is not None
    assert held.exponent is not None
    first = held.conductance.astype(np.float64)
    now = first * ((at + 20) / 20) ** -held.exponent.astype(np.float64)
    relative = np.minimum(0.0088 / np.maximum((first / 25) ** 0.65, 1e-3), 0.2)
    return now, now * relative * np.sqrt(np.log((at + 20 + 250e-9) / 500e-9))


class TestNoiseOfReads:
    """Each read draws anew; what it draws is what all its cells together would."""

    READS = 6_000

    @pytest.mark.parametrize("slices", [1, 2])
    def test_reads_spread_as_their_cells_would(self, slices: int) -> None:
        """Mean and deviation of each row's sum, against as many reads in which every cell has noise of its own."""
        made = exact_circuit(pcm(12), Tile(rows=5), slices)
        crossbar = Crossbar(made, 12, 6, seed=3)
        crossbar.write(range(6), unit_rows(6, 12), at=0)
        query = unit_rows(1, 12, seed=9)[0]
        reads = np.array([crossbar.read(query, DAY) for _ in range(self.READS)])
        rng, limit = np.random.default_rng(17), made.circuit.weight_range or 0.0
        worth = [1.0] if slices == 1 else [15 * 16 / 255, 15 / 255]
        for slot in range(6):
            now, spread = cells(crossbar, slot, DAY)
            drawn = now + spread * rng.standard_normal((self.READS, *now.shape))
            sums = ((drawn[:, :, 0] - drawn[:, :, 1]) / 25 * limit) @ query @ np.array(worth)
            exact = ((now[:, 0] - now[:, 1]) / 25 * limit) @ query @ np.array(worth)
            assert reads[:, slot].std() == pytest.approx(sums.std(), rel=0.05)
            assert reads[:, slot].mean() == pytest.approx(exact, abs=4 * sums.std() / self.READS**0.5)

    def test_noise_of_a_row_tells_nothing_of_another(self) -> None:
        """Neither of the next row nor of the next read."""
        crossbar = Crossbar(exact_circuit(pcm(12)), 12, 2)
        crossbar.write(range(2), unit_rows(2, 12), at=0)
        reads = np.array([crossbar.read(np.ones(12), DAY) for _ in range(2_000)])
        assert abs(np.corrcoef(reads[:, 0], reads[:, 1])[0, 1]) < 0.1
        assert abs(np.corrcoef(reads[1:, 0], reads[:-1, 0])[0, 1]) < 0.1
        assert (reads[0] != reads[1]).all()

    def test_a_query_of_zeros_has_no_noise(self) -> None:
        """No voltage, no current."""
        crossbar = Crossbar(pcm(12), 12, 2)
        crossbar.write(range(2), unit_rows(2, 12), at=0)
        assert crossbar.read(np.zeros(12), DAY).tolist() == [0, 0]


WIRED = Tile(rows=5, columns=8, wire_ohm=40.0)
"""Four pairs of columns to a tile, of inputs five; a percent or two is lost."""

Step = Callable[[Crossbar], Any]


class TestWires:
    """What one device loses depends on all that share its wires, and on nothing that was read before."""

    ROWS = unit_rows(11, 12)
    QUERY = unit_rows(1, 12, seed=2)[0]

    def test_a_read_is_of_what_a_tiles_wires_leave(self) -> None:
        """Tile by tile, by `with_wires`, which is tested against the equations of the network."""
        plain = Converter(bits=None)
        crossbar = Crossbar(Parameters(circuit=Circuit(dac=plain, adc=plain, tile=WIRED, weight_range=1.0)), 12, 11)
        crossbar.write(range(11), self.ROWS, at=0)
        found = crossbar.read(self.QUERY, at=0)
        held = conductances(crossbar)
        wanted = np.zeros(11)
        for first in (0, 4, 8):
            slots = range(first, min(first + 4, 11))
            columns = np.concatenate([held[slot][0] for slot in slots])
            for start in (0, 5, 10):
                inputs = slice(start, min(start + 5, 12))
                seen = with_wires(columns[:, inputs], 40.0) @ self.QUERY[inputs]
                for place, slot in enumerate(slots):
                    wanted[slot] += (seen[2 * place] - seen[2 * place + 1]) / 25
        np.testing.assert_allclose(found, wanted, atol=1e-6)
        lost = np.abs(found - self.ROWS @ self.QUERY)
        assert 1e-4 < lost.max() < 0.05

    @pytest.mark.parametrize("g_min", [0.0, 1.0])
    @pytest.mark.parametrize(
        "later",
        [
            lambda crossbar: None,
            lambda crossbar: crossbar.write([2], unit_rows(1, 12, seed=5), at=DAY),
            lambda crossbar: crossbar.write([7], unit_rows(1, 12, seed=5), at=DAY),
            lambda crossbar: crossbar.write([10], unit_rows(1, 12, seed=5), at=DAY),
            lambda crossbar: crossbar.erase([1, 5]),
        ],
        ids=["nothing", "in a read tile", "in the last tile", "in a new tile", "erasing"],
    )
    def test_nothing_is_lost_twice(self, later: Step, g_min: float) -> None:
        """Reads before, at other times, make no difference to a read after: nor what is written between them."""
        made = quiet_pcm(12, WIRED)
        made = replace(made, device=replace(made.device, g_min=g_min))
        often, once = Crossbar(made, 12, 12), Crossbar(made, 12, 12)
        for each in (often, once):
            each.write(range(6), self.ROWS[:6], at=0)
        for at in (0, HOUR, DAY, DAY):
            often.read(self.QUERY, at)
        for each in (often, once):
            later(each)
        for at in (DAY, YEAR):
            np.testing.assert_allclose(often.read(self.QUERY, at), once.read(self.QUERY, at), rtol=0, atol=1e-7)

    def test_young_and_old_rows_share_a_tile(self) -> None:
        """Where only the young ones have changed since the last read, the old ones do not lose a second time."""
        often, once = (Crossbar(quiet_pcm(12, WIRED), 12, 4) for _ in range(2))
        for each in (often, once):
            each.write([0, 2], self.ROWS[:2], at=0)
            each.write([1, 3], self.ROWS[2:4], at=YEAR)
        for at in (YEAR, YEAR + 10, YEAR + 100):
            often.read(self.QUERY, at)
        found, wanted = often.read(self.QUERY, YEAR + HOUR), once.read(self.QUERY, YEAR + HOUR)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-7)

    def test_a_new_neighbour_takes_some_of_the_current(self) -> None:
        """A row of the same tile reads less than before; one of another tile, the same."""
        exact = replace(ideal(12), circuit=replace(ideal(12).circuit, tile=WIRED))
        crossbar = Crossbar(replace(exact, device=Device()), 12, 12)
        crossbar.write([1, 5], np.ones((2, 12), np.float32), at=0)
        before = crossbar.read(np.ones(12), at=0)
        crossbar.write([0], np.ones((1, 12), np.float32), at=0)
        after = crossbar.read(np.ones(12), at=0)
        assert after[1] < before[1] < 12
        assert after[5] == before[5]
