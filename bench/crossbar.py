"""How well an emulated memristor crossbar finds what an exact match finds, and what emulating it costs.

    python bench/crossbar.py                                over time since programming, with and without compensation
    python bench/crossbar.py --keys keys.npz                the same on real keys, as `--cache` of any bench keeps them
    python bench/crossbar.py --sweeps                       against the ADC's bits, and the size and wires of an array
    python bench/crossbar.py --speed                        milliseconds of the emulation, and the modelled energy
    python bench/crossbar.py locomo_dev.json --cache keys.npz     the product's search, crossbar against dense

Without --keys, keys and queries are random unit vectors, drawn anew for each seed, as the devices are. "alone" is
recall@10 of the analog match against the exact one, "in 50" the share of the exact ten inside the analog fifty, and
"reranked" recall@10 after an exact comparison of the hundred that match best. Means over the seeds, ± their standard
deviation. Energy is modelled, not measured.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from rich.console import Console
from rich.progress import track
from rich.table import Table

from harness import KeepingEncoder
from ntm_memory_skill import AddressingSettings, NTMMemoryManager, SentenceEncoder
from ntm_memory_skill.crossbar import PRESETS, Crossbar, CrossbarSimilarity, Parameters
from ntm_memory_skill.crossbar.energy import Cost, cost_of_comparing
from ntm_memory_skill.evaluation import Measured, measure, read
from ntm_memory_skill.evaluation.rows import Filled, Search
from ntm_memory_skill.hosts.crossbar_report import RERANK, Accuracy, accuracy, with_bits, with_rows

DIMENSION = 384
MEMORIES, QUERIES, CALLS = 10_000, 200, 20
DAY = 86_400.0
AGES = {"fresh": 0.0, "1 hour": 3_600.0, "1 day": DAY, "1 month": 30 * DAY, "1 year": 365 * DAY}
"""Seconds after the devices were first measured: for PCM, that is 20 s after programming."""
TARGET = {
    "fresh": (0.715, 0.994),
    "1 hour": (0.691, 0.989),
    "1 day": (0.668, 0.984),
    "1 month": (0.612, 0.973),
    "1 year": (0.581, 0.962),
}
"""The target to be met, by an emulation before this one: alone and in 50, uncompensated. None of it is our result."""
BITS = range(4, 11)
ROWS = (64, 128, 256, 384)
OHMS = (0.0, 1.0)
DEPTHS = (1, 5, 10, 20)
BACKENDS = ("dense", "crossbar")
MEASURED = 2_000  # rows whose memory is counted
MICRO = 1e6  # pJ in a µJ
SHARES = ("alone", "inside", "reranked")
console = Console(width=140)


@dataclass(frozen=True)
class Keys:
    """What is held, what is looked for, and what exact mathematics says."""

    rows: Float32[np.ndarray, "n m"]
    queries: Float32[np.ndarray, "q m"]

    def found(self, crossbar: Crossbar, at: float = 0.0) -> Accuracy:
        """Return how well a crossbar that holds the rows does at a time, seconds."""
        analog = np.stack([crossbar.read(query, at) for query in self.queries])
        return accuracy(self.queries @ self.rows.T, analog)

    def programmed(self, parameters: Parameters, seed: int) -> Crossbar:
        """Return a crossbar that has held the rows since 0 s."""
        crossbar = Crossbar(parameters, self.rows.shape[1], len(self.rows), seed)
        crossbar.write(range(len(self.rows)), self.rows, 0.0)
        return crossbar


Source = Callable[[int], Keys]
"""Gives the keys for a seed."""


@dataclass(frozen=True, kw_only=True)
class Matching:
    """The product's own search, by one of its backends."""

    backend: str

    @property
    def name(self) -> str:
        """For tables."""
        return self.backend

    @property
    def about(self) -> str:
        """What it is."""
        return f"the default head, backend {self.backend}"

    @contextmanager
    def open(self, filled: Filled) -> Iterator[Search]:
        """Give the search for a block."""
        with filled.open(AddressingSettings()) as memory:
            yield partial(self._search, memory)

    def _search(self, memory: NTMMemoryManager, text: str, depth: int) -> list[str | None]:
        return [hit.ref for hit in memory.search(text, top_k=depth, backend=self.backend)]


def main() -> None:
    """Print what was asked for; the table over time if nothing was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="whatever `ntm-memory eval` reads")
    parser.add_argument("--cache", type=Path, metavar="FILE.npz", help="keep the keys of PATHs there")
    parser.add_argument("--keys", type=Path, metavar="FILE.npz", help="real keys instead of random ones")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--memories", type=int, default=MEMORIES, help="at most (default: 10000)")
    parser.add_argument("--queries", type=int, default=QUERIES, help="at most (default: 200)")
    parser.add_argument("--sweeps", action="store_true")
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = KeepingEncoder(SentenceEncoder(), arguments.cache)
    for path in arguments.paths:
        console.print(
            searched(measure(read(path), [Matching(backend=each) for each in BACKENDS], encoder, max(DEPTHS)))
        )
        encoder.keep()
    sizes = arguments.memories, arguments.queries
    source = partial(_drawn, *sizes) if arguments.keys is None else partial(_kept, arguments.keys, *sizes)
    if arguments.sweeps:
        console.print(converters(source, arguments.seeds))
        console.print(arrays(source, arguments.seeds))
    if arguments.speed:
        keys = source(arguments.seeds[0])
        console.print(speed(keys, arguments.seeds[0]))
        console.print(energy(keys, arguments.seeds[0]))
    if not (arguments.paths or arguments.sweeps or arguments.speed):
        alike = arguments.keys is None and arguments.memories == MEMORIES
        console.print(ageing(source, arguments.seeds, target=alike))


def ageing(source: Source, seeds: Sequence[int], *, target: bool) -> Table:
    """Return how well PCM does as it gets older, beside the target where the keys are of the same kind."""
    found: dict[tuple[str, bool], list[Accuracy]] = {}
    keys = source(seeds[0])
    for seed in track(seeds, "ageing", console=console, transient=True):
        keys = source(seed)
        for compensate in (False, True):
            plain = PRESETS["pcm"](DIMENSION)
            crossbar = keys.programmed(replace(plain, circuit=replace(plain.circuit, compensate=compensate)), seed)
            for name, at in AGES.items():
                found.setdefault((name, compensate), []).append(keys.found(crossbar, at))
    beside = ("reference",) if target else ()
    shown = Table("time", "alone", *beside, "in 50", *beside, "reranked", "alone, comp.", "in 50", "reranked")
    shown.title = f"pcm, recall of the exact ten over time; {_about(keys, seeds)}"
    for name in AGES:
        bare, compensated = ([_spread(found[name, how], share) for share in SHARES] for how in (False, True))
        if target:
            bare = [bare[0], f"{TARGET[name][0]:.3f}", bare[1], f"{TARGET[name][1]:.3f}", bare[2]]
        shown.add_row(name, *bare, *compensated)
    return shown


def converters(source: Source, seeds: Sequence[int]) -> Table:
    """Return how well fresh crossbars do with ADCs of different widths; "as set" is the preset's own."""
    shown = Table("preset", "ADC bits", "alone", "in 50", "reranked")
    cases = [(name, bits) for name in PRESETS for bits in (*BITS, None)]
    keys = source(seeds[0])
    for name, bits in track(cases, "converters", console=console, transient=True):
        found = []
        for seed in seeds:
            keys = source(seed)
            plain = PRESETS[name](DIMENSION)
            parameters = plain if bits is None else with_bits(plain, bits, keys.rows)
            found.append(keys.found(keys.programmed(parameters, seed)))
        shares = [_spread(found, share) for share in SHARES]
        shown.add_row(name, "as set" if bits is None else str(bits), *shares, end_section=bits is None)
    shown.title = f"fresh, recall of the exact ten by the ADC's bits; {_about(keys, seeds)}"
    return shown


def arrays(source: Source, seeds: Sequence[int]) -> Table:
    """Return how well fresh crossbars do with arrays of different sizes, whose sums are added, and with wires."""
    shown = Table("preset", "wire, Ω", "inputs of an array", "alone", "in 50", "reranked")
    cases = [(name, ohm, rows) for name in PRESETS for ohm in OHMS for rows in ROWS]
    keys = source(seeds[0])
    for name, ohm, rows in track(cases, "arrays", console=console, transient=True):
        found = []
        for seed in seeds:
            keys = source(seed)
            parameters = with_rows(PRESETS[name](DIMENSION), rows)
            circuit = parameters.circuit
            wired = replace(parameters, circuit=replace(circuit, tile=replace(circuit.tile, wire_ohm=ohm)))
            found.append(keys.found(keys.programmed(wired, seed)))
        shares = [_spread(found, share) for share in SHARES]
        shown.add_row(name, f"{ohm:g}", str(rows), *shares, end_section=rows == ROWS[-1])
    columns = PRESETS["pcm"](DIMENSION).circuit.tile.columns
    shown.title = f"fresh, arrays of {columns} columns, recall of the exact ten; {_about(keys, seeds)}"
    return shown


def speed(keys: Keys, seed: int) -> Table:
    """Return how long the emulation takes on this machine."""
    shown = Table("preset", "program all", "read after that", "read", "program one row", "read after that", "KiB a row")
    shown.title = f"milliseconds, {len(keys.rows)} keys; medians of {CALLS}, but those of programming all and after it"
    for name in PRESETS:
        crossbar = Crossbar(PRESETS[name](DIMENSION), keys.rows.shape[1], len(keys.rows), seed)
        everything = _milliseconds(partial(crossbar.write, range(len(keys.rows)), keys.rows, 0.0))
        first = _milliseconds(partial(crossbar.read, keys.queries[0], 0.0))
        warm = [_milliseconds(partial(crossbar.read, query, 0.0)) for query in _calls(keys)]
        one, after = [], []
        for slot, query in enumerate(_calls(keys)):
            one.append(_milliseconds(partial(crossbar.write, [slot], keys.rows[slot : slot + 1], 0.0)))
            after.append(_milliseconds(partial(crossbar.read, query, 0.0)))
        times = (everything, first, *(statistics.median(each) for each in (warm, one, after)))
        taken = _kibibytes(PRESETS[name](DIMENSION), keys.rows[:MEASURED])
        shown.add_row(name, *(f"{each:.2f}" for each in times), f"{taken:.1f}")
    return shown


def energy(keys: Keys, seed: int) -> Table:
    """Return what a search and programming would cost, item by item, beside comparing all rows digitally."""
    count, dimension = keys.rows.shape
    shown = Table("µJ", "preset", "DAC", "array", "ADC", "digital", "in all", "digital search, ×")
    shown.title = f"modelled, not measured: {count} keys of {dimension} numbers; the last column: of a digital search"
    digital, rerank = cost_of_comparing(dimension, count), cost_of_comparing(dimension, min(RERANK, count))
    for name in PRESETS:
        crossbar = Crossbar(PRESETS[name](DIMENSION), dimension, count, seed)
        programming = crossbar.write(range(count), keys.rows, 0.0)
        reading = crossbar.cost_of_read()
        _costs(shown, "read", name, reading, digital)
        _costs(shown, f"read, rerank of {RERANK}", name, reading + rerank, digital)
        _costs(shown, "program all", name, programming, digital)
        shown.add_row("program a memory", name, *["–"] * 4, f"{programming.picojoules / count / MICRO:.4g}", "–")
        shown.add_section()
    _costs(shown, "digital search", "–", digital, digital)
    return shown


def searched(measured: Measured) -> Table:
    """Return how much of the evidence the product finds by either backend, by kind of question."""
    evidence = [question.evidence for question in measured.questions]
    kinds = [question.category for question in measured.questions]
    shown = Table("kind", "n", "backend", *(f"@{depth}" for depth in DEPTHS), "ms")
    shown.title = f"{measured.dataset.name}: evidence found, %"
    for kind in ("all", *sorted(set(kinds) if len(set(kinds)) > 1 else ())):
        some = [place for place, each in enumerate(kinds) if kind in ("all", each)]
        for backend in BACKENDS:
            answers = measured.answers[backend]
            shares = [
                statistics.fmean(
                    len(evidence[each] & set(answers[each].ranking[:depth])) / len(evidence[each]) for each in some
                )
                for depth in DEPTHS
            ]
            milliseconds = 1000 * statistics.median(answers[each].seconds for each in some)
            cells = (*(f"{100 * share:.1f}" for share in shares), f"{milliseconds:.1f}")
            shown.add_row(kind, str(len(some)), backend, *cells, end_section=backend == BACKENDS[-1])
    return shown


def _drawn(memories: int, queries: int, seed: int) -> Keys:
    """Return random keys of unit length."""
    rng = np.random.default_rng(seed)
    return Keys(*(_unit(rng.normal(size=(count, DIMENSION))) for count in (memories, queries)))


def _kept(file: Path, memories: int, queries: int, seed: int) -> Keys:
    """Return real keys: as many as there are, or so many that are drawn."""
    rng = np.random.default_rng(seed)
    some = []
    with np.load(file) as kept:
        for name, most in (("passage_keys", memories), ("query_keys", queries)):
            keys = kept[name]
            some.append(_unit(keys[rng.permutation(len(keys))[:most]]))
    return Keys(*some)


def _unit(rows: np.ndarray) -> Float32[np.ndarray, "n m"]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _about(keys: Keys, seeds: Sequence[int]) -> str:
    return f"{len(keys.rows)} keys, {len(keys.queries)} queries, seeds {', '.join(map(str, seeds))}"


def _spread(found: Sequence[Accuracy], share: str) -> str:
    values = [getattr(each, share) for each in found]
    return f"{statistics.fmean(values):.3f}" + (f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else "")


def _calls(keys: Keys) -> list[np.ndarray]:
    return [keys.queries[call % len(keys.queries)] for call in range(CALLS)]


def _kibibytes(parameters: Parameters, rows: Float32[np.ndarray, "n m"]) -> float:
    """Return how much of this process's memory a row takes in a search, with what notices that it changed."""
    tracemalloc.start()
    backend = CrossbarSimilarity(Crossbar(parameters, rows.shape[1], len(rows)), lambda: 0.0)
    backend.scores(rows[0], rows)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / len(rows) / 1024


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def _costs(shown: Table, what: str, preset: str, cost: Cost, digital: Cost) -> None:
    items = (cost.dac, cost.array, cost.adc, cost.digital, cost.picojoules)
    share = f"{cost.picojoules / digital.picojoules:.4g}"
    shown.add_row(what, preset, *(f"{each / MICRO:.4g}" for each in items), share)


if __name__ == "__main__":
    main()
