"""How well an emulated crossbar finds a memory's keys, and what that would cost: figures, and a picture of them.

    accuracy    against the ADC's bits, the time since programming and the size of an array
    energy      of one search, item by item, beside a digital search through all rows

An exact comparison of the k rows that match best puts those of the exact ten that are among them first, and no others:
recall@10 after it is the share of the exact ten inside the analog k. So all three accuracies are such a share: k is 10
for the analog match alone, `CANDIDATES`, and `RERANK`. A row that is as close as the tenth counts as one of the ten.

The same seed, keys and queries give the same report. All of it is a model; no chip was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32, Float64

from ntm_memory_skill.crossbar import PRESETS, Crossbar, Parameters, mapping
from ntm_memory_skill.crossbar.energy import Cost, cost_of_comparing
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.drawing import LINE, MARK, drawn
from ntm_memory_skill.store.fs import FileSystem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEPTH, CANDIDATES, RERANK = 10, 50, 100
MOST_KEYS, MOST_QUERIES = 2_000, 50
ALIKE = 1e-6  # products that are nearer to each other are the same, but for rounding
MINUTE, HOUR, DAY = 60, 3_600, 86_400
WIDTH, HEIGHT = 13.0, 8.4  # inches
GREEN, GREY, PALE = "#3c7d4e", "0.62", "#8db4d6"
JOULES = (("µJ", 1e6), ("nJ", 1e3), ("pJ", 1.0))
"""Units, in pJ."""
PERIODS = (("y", 365 * DAY), ("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", 1))
"""Units, in seconds."""
LINES = (
    ("reranked", f"recall@{DEPTH} after an exact rerank of {RERANK}", LINE, 2.4),
    ("inside", f"exact ten inside the analog {CANDIDATES}", PALE, 1.2),
    ("alone", f"recall@{DEPTH} of the analog match alone", MARK, 1.4),
)
"""The first is the widest: the others, where they are the same, are seen upon it."""
ITEMS = (("array", "array", LINE), ("adc", "ADC", MARK), ("dac", "DAC", GREEN), ("digital", "sums", GREY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """At what a crossbar is looked at; all else is as the preset has it."""

    bits: tuple[int, ...] = tuple(range(4, 11))
    """Of the ADC, 2 to 16."""
    seconds: tuple[float, ...] = (HOUR, DAY, 30 * DAY, 365 * DAY)
    """Since programming, ascending, above the device's first measurement, which comes before them all."""
    rows: tuple[int, ...] = (64, 128, 192, 256, 384, 512)
    """Inputs of one array, 1 to 8192."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Means over the queries, 0 to 1."""

    alone: float
    """Recall@10 of the analog match against the exact one."""
    inside: float
    """Share of the exact ten inside the analog `CANDIDATES`."""
    reranked: float
    """Recall@10 after an exact comparison of the analog `RERANK`."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was seen in one place of a sweep."""

    at: float
    """Bits, seconds since programming, or inputs of an array."""
    accuracy: Accuracy
    read: Cost
    """Of reading all rows once. Devices count as they were when they were programmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures."""

    preset: str
    source: str
    """Where the preset's numbers are from."""
    seed: int
    dimension: int
    """M, numbers in a key."""
    keys: int
    """How many were taken."""
    queries: int
    bits: tuple[Point, ...]
    times: tuple[Point, ...]
    sizes: tuple[Point, ...]
    programming: Cost
    """Of programming all keys once."""
    read: Cost
    """Of reading them once, all as the preset has it."""
    rerank: Cost
    """Of comparing `RERANK` rows exactly."""
    digital: Cost
    """Of comparing all rows exactly: a search without a crossbar."""


def accuracy(exact: Float[np.ndarray, "q n"], analog: Float[np.ndarray, "q n"]) -> Accuracy:
    """Return how well analog matches of queries with rows tell the best ones.

    Args:
        exact: What the matches are, 1 row and up.
        analog: What the crossbar says.
    """
    depth = min(DEPTH, exact.shape[1])
    tenth = -np.partition(-exact, depth - 1, axis=1)[:, depth - 1, None]
    good = np.take_along_axis(exact >= tenth - ALIKE, np.argsort(-analog, axis=1, kind="stable"), axis=1)
    shares = [float(np.minimum(good[:, :k].sum(axis=1), depth).mean()) / depth for k in (depth, CANDIDATES, RERANK)]
    return Accuracy(*shares)


def measured(
    keys: Float[np.ndarray, "n m"],
    queries: Float[np.ndarray, "q m"],
    preset: str = "pcm",
    seed: int = 0,
    progress: Progress | None = None,
    sweep: Sweep | None = None,
) -> Report:
    """Emulate crossbars that hold a memory's keys, and return how they did.

    Args:
        keys: Of unit length, one and up; of more than `MOST_KEYS`, so many are drawn.
        queries: Of unit length, one and up; of more than `MOST_QUERIES`, so many are drawn.
        preset: One of `PRESETS`.
        seed: Of the devices, and of what is drawn, 0 and up.
        progress: Told how many crossbars and times have been looked at, and of how many.
        sweep: At what; the usual where it is None.

    Raises:
        InvalidArgument: There is no such preset, nothing to look for or in, or keys and queries do not fit.
    """
    if preset not in PRESETS:
        raise InvalidArgument(f"there is no crossbar preset {preset!r}", hint=f"Presets are {', '.join(PRESETS)}.")
    if not (len(keys) and len(queries)) or np.shape(keys)[1:] != np.shape(queries)[1:]:
        shapes = f"{np.shape(keys)} and {np.shape(queries)}"
        raise InvalidArgument(f"a report takes one key and one query at least, of the same length, not {shapes}")
    sweep = Sweep() if sweep is None else sweep
    rng = np.random.default_rng(seed)
    some, asked = _some(keys, MOST_KEYS, rng), _some(queries, MOST_QUERIES, rng)
    dimension = some.shape[1]
    plain = PRESETS[preset](dimension)
    bench = _Bench(some, asked, seed, _counted(progress, len(sweep.bits) + 1 + len(sweep.seconds) + len(sweep.rows)))
    crossbar, programming = bench.programmed(plain)
    fresh = plain.device.settled
    return Report(
        preset=preset,
        source=plain.source,
        seed=seed,
        dimension=dimension,
        keys=len(some),
        queries=len(asked),
        bits=tuple(bench.point(bench.programmed(with_bits(plain, each, some))[0], each) for each in sweep.bits),
        times=tuple(bench.point(crossbar, each, each - fresh) for each in (fresh, *sweep.seconds)),
        sizes=tuple(bench.point(bench.programmed(with_rows(plain, each))[0], each) for each in sweep.rows),
        programming=programming,
        read=crossbar.cost_of_read(),
        rerank=cost_of_comparing(dimension, min(RERANK, len(some))),
        digital=cost_of_comparing(dimension, len(some)),
    )


def with_bits(parameters: Parameters, bits: int, keys: Float[np.ndarray, "n m"]) -> Parameters:
    """Return a crossbar with an ADC of so many bits.

    One that had no limits is given the least full scale that no product of unit keys exceeds. Rows with a scale of
    their own have that behind the ADC, so that a product of 1 comes to one over the scale there.

    Args:
        parameters: What it was.
        bits: Width of the ADC, 2 to 16.
        keys: What it will hold.
    """
    circuit = parameters.circuit
    full = circuit.adc.full_scale
    if circuit.adc.bits is None:
        full = 1.0 if circuit.weight_range is not None else float(1 / mapping.scales(keys, circuit).min())
    return replace(parameters, circuit=replace(circuit, adc=replace(circuit.adc, bits=bits, full_scale=full)))


def with_rows(parameters: Parameters, rows: int) -> Parameters:
    """Return a crossbar whose arrays have so many inputs, 1 to 8192."""
    circuit = parameters.circuit
    return replace(parameters, circuit=replace(circuit, tile=replace(circuit.tile, rows=rows)))


def draw(report: Report, file: Path) -> None:
    """Write the picture of a report, in the place of what is there. Raises InvalidArgument without matplotlib."""
    FileSystem().replace(file, png(report))


def png(report: Report) -> bytes:
    """Return the picture of a report.

    Raises:
        InvalidArgument: matplotlib is not installed.
    """
    return drawn(WIDTH, HEIGHT, lambda figure: _draw(figure, report))


@dataclass(frozen=True, slots=True)
class _Bench:
    """What is looked for, in what."""

    keys: Float32[np.ndarray, "n m"]
    queries: Float32[np.ndarray, "q m"]
    seed: int
    done: Callable[[], None]

    def programmed(self, parameters: Parameters) -> tuple[Crossbar, Cost]:
        """Return a crossbar that holds the keys since 0 s, and what programming them would have cost."""
        crossbar = Crossbar(parameters, self.keys.shape[1], len(self.keys), self.seed)
        return crossbar, crossbar.write(range(len(self.keys)), self.keys, 0.0)

    def point(self, crossbar: Crossbar, value: float, at: float = 0.0) -> Point:
        """Return how it does at a time, seconds."""
        analog = np.stack([crossbar.read(each, at) for each in self.queries])
        found = accuracy(self.queries @ self.keys.T, analog)
        self.done()
        return Point(float(value), found, crossbar.cost_of_read())


def _some(rows: Float[np.ndarray, "n m"], most: int, rng: np.random.Generator) -> Float32[np.ndarray, "k m"]:
    """Return rows, or so many of them in their order."""
    chosen = np.arange(len(rows)) if len(rows) <= most else np.sort(rng.choice(len(rows), most, replace=False))
    return np.asarray(rows[chosen], np.float32)


def _counted(progress: Progress | None, total: int) -> Callable[[], None]:
    """Return what tells, each time that it is called, that one more is done."""
    numbers = count(1)

    def done() -> None:
        """Tell it."""
        number = next(numbers)
        if progress is not None:
            progress(number, total)

    return done


def _draw(figure: Figure, report: Report) -> None:
    figure.suptitle(
        f"emulated crossbar, preset {report.preset}: {report.keys:,} keys of {report.dimension} numbers, "
        f"{report.queries} queries",
        fontsize=14,
    )
    (upper,), (lower,) = figure.subfigures(
        2, 1, squeeze=False
    )  # so that names beside the bars do not narrow what is above them
    panels = upper.subplots(1, 3, sharey=True)
    for axes, points in zip(panels, (report.bits, report.times, report.sizes), strict=True):
        _accuracies(axes, points)
    _bits_axis(panels[0], report.bits)
    _time_axis(panels[1], report.times)
    _size_axis(panels[2], report.sizes)
    panels[0].set_ylabel("share of the exact ten")
    upper.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(LINES), frameon=False)
    bars = lower.subplots(1, 3)
    _energies(bars[0], report.bits, "bits of the ADC")
    _totals(bars[1], report)
    _energies(bars[2], report.sizes, "inputs of one array")
    source = f"devices: {report.source}; " if report.source else ""
    figure.supxlabel(f"modelled, not measured; {source}seed {report.seed}", fontsize=9, color="0.3")


def _accuracies(axes: Axes, points: Sequence[Point]) -> None:
    places = [point.at for point in points]
    for name, label, color, width in LINES:
        shares = [getattr(point.accuracy, name) for point in points]
        axes.plot(places, shares, label=label, color=color, marker="o", markersize=2 + 2 * width, linewidth=width)
    axes.set_ylim(0, 1.04)
    axes.grid(visible=True, color="0.9")


def _bits_axis(axes: Axes, points: Sequence[Point]) -> None:
    axes.set_xticks([point.at for point in points])
    axes.set_xlabel("bits of the ADC")
    axes.set_title("accuracy by ADC, fresh")


def _time_axis(axes: Axes, points: Sequence[Point]) -> None:
    axes.set_xscale("log")
    axes.set_xticks([point.at for point in points], [_period(point.at) for point in points])
    axes.minorticks_off()
    axes.set_xlabel("time since programming (log)")
    axes.set_title("accuracy over time")


def _size_axis(axes: Axes, points: Sequence[Point]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks([point.at for point in points], [f"{point.at:.0f}" for point in points])
    axes.minorticks_off()
    axes.set_xlabel("inputs of one array (log)")
    axes.set_title("accuracy by array, fresh")


def _energies(axes: Axes, points: Sequence[Point], label: str) -> None:
    """Draw what reading all rows once costs, item above item."""
    unit, worth = _unit(max(point.read.picojoules for point in points))
    places = range(len(points))
    below: Float64[np.ndarray, "k"] = np.zeros(len(points))
    for name, item, color in ITEMS:
        heights = np.asarray([getattr(point.read, name) / worth for point in points])
        axes.bar(places, heights, bottom=below, width=0.7, color=color, label=item)
        below = below + heights
    axes.set_ylim(0, 1.32 * float(below.max()))  # the legend stands above the bars
    axes.set_xticks(list(places), [f"{point.at:.0f}" for point in points])
    axes.set_xlabel(label)
    axes.set_ylabel(f"energy of one analog read ({unit})")
    axes.set_title("energy of the analog read, by item")
    axes.grid(visible=True, axis="y", color="0.9")
    axes.set_axisbelow(True)
    axes.legend(loc="upper center", ncols=len(ITEMS), frameon=False, fontsize=8, columnspacing=1.2, handlelength=1.2)


def _totals(axes: Axes, report: Report) -> None:
    """Draw what a search costs beside a digital one."""
    rerank = report.rerank.picojoules
    bars = [
        (name, energy, color)
        for name, energy, color in (
            ("analog read", report.read.picojoules, LINE),
            (f"exact rerank of {min(RERANK, report.keys)}", rerank, LINE),
            ("analog search,\nread + rerank", report.read.picojoules + rerank, LINE),
            (f"digital search\nof all {report.keys:,}", report.digital.picojoules, GREY),
            (f"programming\nall {report.keys:,}, once", report.programming.picojoules, GREEN),
        )
        if energy > 0
    ]
    places = range(len(bars))
    axes.barh(places, [energy for _, energy, _ in bars], height=0.6, color=[color for _, _, color in bars])
    low, high = min(energy for _, energy, _ in bars), max(energy for _, energy, _ in bars)
    axes.set_xscale("log")
    axes.set_xlim(low / 10, high * (high / low * 10) ** 0.35)  # the numbers stand to the right of the bars
    for place, (_, energy, _) in zip(places, bars, strict=True):
        axes.annotate(_joules(energy), (energy, place), xytext=(4, 0), textcoords="offset points", va="center", size=9)
    axes.set_yticks(list(places), [name for name, _, _ in bars], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel("energy (pJ, log)")
    axes.set_title("energy of a search, and of programming")
    axes.grid(visible=True, axis="x", color="0.9")
    axes.set_axisbelow(True)


def _unit(picojoules: float) -> tuple[str, float]:
    """Return the largest unit of which there is one at least, and how many pJ it has."""
    return next((each for each in JOULES if picojoules >= each[1]), JOULES[-1])


def _joules(picojoules: float) -> str:
    unit, worth = _unit(picojoules)
    return f"{picojoules / worth:,.3g} {unit}" if picojoules < 1000 * worth else f"{picojoules / worth:,.0f} {unit}"


def _period(seconds: float) -> str:
    unit, worth = next((each for each in PERIODS if seconds >= each[1]), PERIODS[-1])
    return f"{seconds / worth:.3g} {unit}"
