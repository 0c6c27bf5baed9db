"""What the crossbar's report says of small memories, against counting row by row and exact mathematics; its picture."""

from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ntm_memory_skill.crossbar import PRESETS
from ntm_memory_skill.crossbar.energy import ADC_PJ, DRAM_PJ, MULTIPLY_ADD_PJ, PULSE_PJ, Cost
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts import crossbar_report
from ntm_memory_skill.hosts.crossbar_report import HOUR, Accuracy, Point, Report, Sweep, accuracy, draw, measured

DIMENSION, KEYS, QUERIES, SEED = 24, 130, 7, 3
FEW = Sweep(bits=(4, 8), seconds=(HOUR, 100 * HOUR), rows=(8, 24, 32))
PNG = b"\x89PNG\r\n\x1a\n"


def unit(count: int, seed: int, dimension: int = DIMENSION) -> np.ndarray:
    """Return random rows of length 1."""
    drawn = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def few(preset: str, seed: int = SEED, **more: Any) -> Report:
    """Return a report on few keys, few queries and few points."""
    return measured(unit(KEYS, 0), unit(QUERIES, 1), preset, seed, sweep=FEW, **more)


def points(report: Report) -> list[Point]:
    """Return the points of all sweeps."""
    return [*report.bits, *report.times, *report.sizes]


def counted(exact: list[float], analog: list[float], k: int) -> float:
    """Return the share of the exact ten among the analog k, one row after the other. No two are the same."""
    places = range(len(exact))
    best = sorted(places, key=lambda place: exact[place])[::-1][:10]
    taken = sorted(places, key=lambda place: analog[place])[::-1][:k]
    return sum(place in taken for place in best) / len(best)


class TestAccuracy:
    """How analog matches are judged."""

    @given(st.integers(1, 140), st.integers(1, 3), st.integers(0, 99))
    def test_it_is_the_share_of_the_exact_ten_counted_row_by_row(self, rows: int, queries: int, seed: int) -> None:
        """Among the ten, fifty and hundred rows that match best; all of them where there are fewer."""
        rng = np.random.default_rng(seed)
        exact = np.asarray([rng.permutation(rows) for _ in range(queries)], float)
        analog = np.asarray([rng.permutation(rows) for _ in range(queries)], float)
        found = accuracy(exact, analog)
        for share, k in ((found.alone, 10), (found.inside, 50), (found.reranked, 100)):
            each = [counted(list(one), list(other), k) for one, other in zip(exact, analog, strict=True)]
            assert share == pytest.approx(sum(each) / queries)

    def test_an_exact_comparison_of_the_candidates_finds_what_is_said(self) -> None:
        """Recall after a rerank is done here, not derived."""
        rng = np.random.default_rng(SEED)
        exact = rng.normal(size=300)
        analog = exact + 3 * rng.normal(size=300)
        candidates = np.argsort(-analog)[:100]
        ten = candidates[np.argsort(-exact[candidates])][:10]
        recall = len(set(ten.tolist()) & set(np.argsort(-exact)[:10].tolist())) / 10
        assert recall < 1
        assert accuracy(exact[None], analog[None]).reranked == recall

    def test_rows_that_are_as_close_as_the_tenth_are_as_good(self) -> None:
        """Whichever copy is found, nothing is lost, and ten are all that count."""
        exact = np.repeat([1.0, 0.5], [20, 80])[None]
        assert accuracy(exact, -np.arange(100.0)[None]) == Accuracy(1.0, 1.0, 1.0)
        assert accuracy(exact, np.arange(100.0)[None]) == Accuracy(0.0, 0.0, 1.0)


class TestFigures:
    """`measured`."""

    def test_exact_mathematics_finds_all_at_any_time_in_arrays_of_any_size(self) -> None:
        """Only a converter takes something away, the less the more bits it has."""
        report = few("ideal")
        assert [point.accuracy for point in (*report.times, *report.sizes)] == [Accuracy(1.0, 1.0, 1.0)] * 6
        coarse, fine = report.bits
        assert coarse.accuracy.alone < fine.accuracy.alone
        exact = measured(unit(KEYS, 0), unit(QUERIES, 1), "ideal", SEED, sweep=replace(FEW, bits=(16,)))
        assert exact.bits[0].accuracy.alone > 0.95

    @pytest.mark.parametrize("preset", PRESETS)
    def test_what_is_wider_never_holds_less(self, preset: str) -> None:
        """Fifty rows hold what ten do, a hundred what fifty do; all are shares."""
        for point in points(few(preset)):
            found = point.accuracy
            assert 0 <= found.alone <= found.inside <= found.reranked <= 1

    def test_real_devices_lose_something_and_more_with_fewer_bits(self) -> None:
        """A rerank gets it back; the sweeps meet where they look at the same crossbar."""
        report = few("pcm")
        assert report.times[0].accuracy.alone < 1
        assert report.bits[0].accuracy.alone < report.bits[1].accuracy.alone
        assert report.times[0].accuracy.reranked == 1
        assert report.bits[1].accuracy == report.times[0].accuracy == report.sizes[1].accuracy

    def test_places_are_those_that_were_asked_for(self) -> None:
        """Times begin when the device was first measured."""
        report = few("reram")
        assert [point.at for point in report.bits] == list(FEW.bits)
        assert [point.at for point in report.times] == [PRESETS["reram"](DIMENSION).device.settled, *FEW.seconds]
        assert [point.at for point in report.sizes] == list(FEW.rows)
        assert (report.keys, report.queries, report.dimension) == (KEYS, QUERIES, DIMENSION)

    def test_energy_of_the_converter_doubles_with_every_bit(self) -> None:
        """One conversion a row; nothing else changes."""
        coarse, fine = few("pcm").bits
        assert fine.read.adc == pytest.approx(KEYS * ADC_PJ)
        assert fine.read.adc == pytest.approx(2**4 * coarse.read.adc)
        assert fine.read == replace(coarse.read, adc=fine.read.adc)

    def test_small_arrays_convert_and_add_more_often(self) -> None:
        """Three arrays for each row are three conversions and two sums; a larger one than is needed costs nothing."""
        small, whole, large = (point.read for point in few("pcm").sizes)
        assert small.adc == pytest.approx(3 * whole.adc)
        assert small.digital == pytest.approx(2 * KEYS * MULTIPLY_ADD_PJ)
        assert whole.digital == 0
        assert large == whole

    def test_a_digital_search_is_what_is_compared_with(self) -> None:
        """Each number is fetched, multiplied and added; a rerank does so for a hundred rows."""
        report = few("pcm")
        number = MULTIPLY_ADD_PJ + DRAM_PJ / 2
        assert report.digital.picojoules == pytest.approx(KEYS * DIMENSION * number)
        assert report.rerank.picojoules == pytest.approx(100 * DIMENSION * number)
        assert report.programming.picojoules == pytest.approx(2 * KEYS * DIMENSION * PULSE_PJ)
        assert report.read == report.times[0].read

    def test_fewer_rows_than_are_reranked_are_all_compared(self) -> None:
        """One key and one query are enough for a report."""
        report = measured(unit(1, 0), unit(1, 1), "pcm", SEED, sweep=FEW)
        assert report.rerank == report.digital
        assert report.times[0].accuracy == Accuracy(1.0, 1.0, 1.0)

    def test_a_seed_gives_the_same_report_twice(self) -> None:
        """And another seed has other devices."""
        assert few("pcm") == few("pcm")
        assert few("pcm").read.array != few("pcm", seed=SEED + 1).read.array

    def test_of_many_keys_some_are_drawn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By the seed; the arrays that were given stay as they are."""
        all_of_them = few("pcm").digital.picojoules
        monkeypatch.setattr(crossbar_report, "MOST_KEYS", 40)
        monkeypatch.setattr(crossbar_report, "MOST_QUERIES", 5)
        keys, queries = unit(KEYS, 0), unit(QUERIES, 1)
        before = keys.copy(), queries.copy()
        report = measured(keys, queries, "pcm", SEED, sweep=FEW)
        assert (report.keys, report.queries) == (40, 5)
        assert report == measured(keys, queries, "pcm", SEED, sweep=FEW)
        assert report.digital.picojoules == pytest.approx(all_of_them * 40 / KEYS)
        assert np.array_equal(keys, before[0])
        assert np.array_equal(queries, before[1])

    def test_progress_counts_to_its_end(self) -> None:
        """A step for every point."""
        told: list[tuple[int, int]] = []
        report = few("pcm", progress=lambda done, of: told.append((done, of)))
        total = len(points(report))
        assert told == [(number, total) for number in range(1, total + 1)]

    @pytest.mark.parametrize(
        ("keys", "queries", "preset"),
        [
            (unit(3, 0), unit(3, 1), "flash"),
            (unit(0, 0), unit(3, 1), "pcm"),
            (unit(3, 0), unit(0, 1), "pcm"),
            (unit(3, 0), unit(3, 1, DIMENSION + 1), "pcm"),
        ],
    )
    def test_what_cannot_be_reported_on_is_refused(self, keys: np.ndarray, queries: np.ndarray, preset: str) -> None:
        """An unknown preset, an empty memory, no question, keys that do not fit."""
        with pytest.raises(InvalidArgument):
            measured(keys, queries, preset, SEED, sweep=FEW)


class TestPicture:
    """`draw`."""

    @pytest.mark.parametrize("preset", PRESETS)
    def test_a_png_is_written_and_nothing_else(self, preset: str, tmp_path: Path) -> None:
        """Of a size to be read on a page, in the place of what was there."""
        file = tmp_path / "report.png"
        file.write_bytes(b"old")
        draw(few(preset), file)
        assert [each.name for each in tmp_path.iterdir()] == ["report.png"]
        assert file.read_bytes().startswith(PNG)
        with Image.open(file) as image:
            assert image.format == "PNG"
            assert all(600 <= side <= 2_000 for side in image.size)
            assert np.asarray(image.convert("L"), float).std() > 0

    def test_nothing_is_written_at_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where matplotlib would keep a list of fonts."""
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            monkeypatch.setenv(name, str(tmp_path))
        monkeypatch.delenv("MPLCONFIGDIR", raising=False)
        assert crossbar_report.png(few("pcm")).startswith(PNG)
        assert list(tmp_path.iterdir()) == []

    def test_a_picture_shows_the_figures(self) -> None:
        """Another accuracy, energy or baseline is another picture; the same report is the same one."""
        report = few("pcm")
        lost = replace(report.times[1], accuracy=Accuracy(0.1, 0.2, 0.3))
        dear = replace(report.bits[1], read=Cost(1.0, 2.0, 3e6, 4.0, 5.0))
        others = (
            replace(report, times=(report.times[0], lost, *report.times[2:])),
            replace(report, bits=(report.bits[0], dear)),
            replace(report, digital=dear.read),
        )
        drawn = [pixels(crossbar_report.png(each)) for each in (report, report, *others)]
        assert np.array_equal(drawn[0], drawn[1])
        assert all(not np.array_equal(drawn[0], each) for each in drawn[2:])

    def test_one_key_can_be_drawn(self, tmp_path: Path) -> None:
        """Whatever warns is an error in these tests."""
        draw(
            measured(unit(1, 0), unit(1, 1), "pcm", SEED, sweep=Sweep(bits=(8,), seconds=(), rows=(64,))),
            tmp_path / "x",
        )
        assert (tmp_path / "x").read_bytes().startswith(PNG)

    def test_without_matplotlib_it_is_said_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And nothing is written."""
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        with pytest.raises(InvalidArgument) as caught:
            draw(few("pcm"), tmp_path / "report.png")
        assert "ntm-memory-skill[plots]" in str(caught.value.hint)
        assert list(tmp_path.iterdir()) == []


def pixels(data: bytes) -> np.ndarray:
    """Return a picture as numbers."""
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
