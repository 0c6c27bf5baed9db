"""What the files cost: a durable write beside the least that one can cost, opening, folding, and how much memory.

    python bench/store.py --memories 1000 100000

Writing: an acknowledged memory is one line and one fsync. The baseline is thirty lines that anybody would write: the
same fields as a JSON line, appended to a file in the same folder, flushed, synced. It takes turns with the store's own
part (lock, catching up, checking, one commit) and with the whole of `memorize` less its encoding, each on files of its
own: back to back, and with a pause before each write, as a chat has.

Opening and folding are measured in processes of their own, on the largest of the given sizes: the memory as it is after
folding, with ten thousand more entries in the journal, and encrypted. Keys have 384 numbers; no model is loaded, and
numpy works with one thread.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads that wait for a busy core would be measured, and not the work

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings, StoreSettings
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.model import Memorized, Record
from ntm_memory_skill.store import DirectoryStore

SEED = 20141020
DIMENSION = 384  # of the default model's keys
ROUNDS = 200  # writes of each sort and mode
MODES = {"back to back": 0.0, "paced": 0.02}  # seconds of pause before each write
MORE = 10_000  # entries that wait in the journal
BATCH = 1000  # memories in one transaction while a store is built
OPENINGS = 3
WIDTH = 110  # columns that the tables need
PASSPHRASE = "correct horse battery staple"  # noqa: S105  # of files that live as long as the bench
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = (
    "Ana Bruno Chen Dana Emil Farah booked lost found painted repaired returned planted the ticket bicycle roof "
    "contract piano garden passport recipe invoice kitchen in Lisbon Chengdu Oslo Porto Nairobi Lima Quito on Monday "
    "Tuesday Wednesday for some crowns and thought nothing of it at all"
).split()


def main() -> int:
    """Print the tables, and write the figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memories", type=int, nargs="+", default=[1000, 100_000], help="(default: 1000 100000)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        what, folder = arguments.child
        print(json.dumps(CHILDREN[what](Path(folder))), flush=True)
        os._exit(0)  # without closing, which would fold
    with tempfile.TemporaryDirectory(prefix="ntm-store-") as temporary:
        figures = measure(Path(temporary), sorted(arguments.memories))
    console = Console(width=max(Console().width, WIDTH))
    for table in (
        writing_table(figures["writing"]),
        opening_table(figures),
        files_table(figures),
        folding_table(figures),
    ):
        console.print(table)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


def measure(folder: Path, sizes: Sequence[int]) -> dict[str, Any]:
    """Return all figures."""
    writing = []
    for size in sizes:
        build(folder / str(size), size)
        writing.append({"memories": size, **measure_writing(folder / str(size), size)})
    largest = folder / str(sizes[-1])
    kinds = {"folded": largest, f"and {MORE} entries": folder / "more", "encrypted": folder / "encrypted"}
    make_more(largest, folder / "more", sizes[-1])
    make_encrypted(largest, folder / "encrypted")
    opening: dict[str, Any] = {}
    folding = {}
    for kind, place in kinds.items():
        runs = [child("open", place) for _ in track(range(OPENINGS), f"opening, {kind}", transient=True)]
        opening[kind] = {name: median(run[name] for run in runs) for name in runs[0]} | {"files": file_sizes(place)}
        folding[kind] = child("fold", place)
    return {"seed": SEED, "writing": writing, "memories": sizes[-1], "opening": opening, "folding": folding}


# --- memories that are made up ----------------------------------------------------------------------------------------


def made_up(first: int, count: int) -> Iterator[Memorized]:
    """Give memories with a number: sentences, and keys of length 1 that mean nothing."""
    rng = random.Random(f"{SEED} {first}")  # noqa: S311  # repeatable is the point
    keys = np.random.default_rng([SEED, first]).standard_normal((count, DIMENSION)).astype("<f4")
    keys /= np.linalg.norm(keys, axis=1, keepdims=True)
    for number, key in enumerate(keys, first):
        at = EPOCH + timedelta(minutes=number)
        content = f"{' '.join(rng.choices(WORDS, k=12))}, number {number}."
        session = f"day {number // 20}"
        record = Record(
            id=f"m{number:012d}", slot=number, ordinal=number, content=content, created=at, at=at, session=session
        )
        yield Memorized(record, key.tobytes())


def opened(folder: Path, **settings: Any) -> DirectoryStore:
    """Return the store in a folder."""
    return DirectoryStore(
        folder / "ntm_memory.json", clock=lambda: datetime.now(UTC), settings=StoreSettings(**settings)
    )


def build(folder: Path, size: int) -> None:
    """Write a memory of some size, and fold it."""
    store, identity = opened(folder, durability="relaxed"), HashedEncoder(DIMENSION).identity
    with store.transaction():
        for first in track(range(0, size, BATCH), f"writing {size} memories", transient=True):
            store.commit(list(made_up(first, min(BATCH, size - first))), identity)
        store.compact()


def make_more(source: Path, folder: Path, size: int) -> None:
    """Copy a memory, and write entries that stay in the journal."""
    shutil.copytree(source, folder)
    store, identity = opened(folder, durability="relaxed"), HashedEncoder(DIMENSION).identity
    with store.transaction():
        for event in track(made_up(size, MORE), "writing entries", total=MORE, transient=True):
            store.commit([event], identity)
    store.flush()


def make_encrypted(source: Path, folder: Path) -> None:
    """Copy a memory, and encrypt it."""
    shutil.copytree(source, folder)
    store = opened(folder)
    for _ in track([0], "encrypting", transient=True):
        with store.transaction():
            store.reseal(PASSPHRASE)


# --- writing ----------------------------------------------------------------------------------------------------------


Write = Callable[[Memorized], float]
"""Stores a memory durably, and returns the seconds that count."""


class TimedEncoder(HashedEncoder):
    """An encoder with a stopwatch."""

    spent = 0.0

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """Return a unit key for each text."""
        started = time.perf_counter()
        keys = super().encode_passages(texts, on_progress)
        self.spent += time.perf_counter() - started
        return keys


def append_line(path: Path, event: Memorized) -> None:
    """Store a memory as thirty lines of one's own would: append it to a file as JSON, and wait for the disk."""
    record = event.record
    line = {
        "id": record.id,
        "slot": record.slot,
        "ordinal": record.ordinal,
        "content": record.content,
        "created": record.created.isoformat(),
        "at": record.at.isoformat(),
        "session": record.session,
        "key_row": base64.b64encode(event.key_row).decode(),
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def measure_writing(built: Path, size: int) -> dict[str, Any]:
    """Return the milliseconds of writes to a baseline, and to two copies of a memory, all in turns."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=built.parent) as place:
        for copied in ("store", "memorize"):
            shutil.copytree(built, Path(place) / copied)
        encoder = TimedEncoder(DIMENSION)
        path = Path(place) / "memorize" / "ntm_memory.json"
        settings = Settings(memory_size=size + 10 * ROUNDS)
        with closing(NTMMemoryManager.open(path, settings=settings, encoder=encoder)) as memory:
            writers = {
                "baseline": baseline(Path(place) / "baseline.jsonl"),
                "store": store_writer(Path(place) / "store"),
                "memorize": memorizer(memory, encoder),
            }
            for number, (mode, pause) in enumerate(MODES.items()):
                events = list(made_up(size + number * ROUNDS, ROUNDS))
                figures[mode] = in_turns(writers, events, pause, f"{size} memories, {mode}")
    return figures


def in_turns(
    writers: dict[str, Write], events: Sequence[Memorized], pause: float, what: str
) -> dict[str, dict[str, float]]:
    """Return the milliseconds of each writer's writes, with whoever comes first changing from turn to turn."""
    taken: dict[str, list[float]] = {name: [] for name in writers}
    order = list(writers)
    for event in track(events, what, transient=True):
        order.append(order.pop(0))
        for name in order:
            time.sleep(pause)
            taken[name].append(writers[name](event) * 1000)
    return {name: spread(values) for name, values in taken.items()}


def baseline(path: Path) -> Write:
    """Return what appends lines to a file."""

    def write(event: Memorized) -> float:
        started = time.perf_counter()
        append_line(path, event)
        return time.perf_counter() - started

    return write


def store_writer(folder: Path) -> Write:
    """Return what commits to a store: lock, catching up, one transaction."""
    store, identity = opened(folder), HashedEncoder(DIMENSION).identity

    def write(event: Memorized) -> float:
        started = time.perf_counter()
        with store.transaction():
            store.commit([event], identity)
        return time.perf_counter() - started

    return write


def memorizer(memory: NTMMemoryManager, encoder: TimedEncoder) -> Write:
    """Return what calls `memorize`, and takes off the encoding."""
    memory.search("what is built once is not part of a call")

    def write(event: Memorized) -> float:
        encoder.spent, started = 0.0, time.perf_counter()
        memory.memorize(event.record.content, session=event.record.session)
        return time.perf_counter() - started - encoder.spent

    return write


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    return {"median": median(values), "p95": quantiles(values, n=20)[-1]}


# --- opening and folding, each in a process of its own ----------------------------------------------------------------


def child(what: str, folder: Path) -> dict[str, float]:
    """Measure something in a fresh process."""
    command = [sys.executable, __file__, "--child", what, str(folder)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure_opening(folder: Path) -> dict[str, float]:
    """Return seconds until the memory is open, and until its first search, and the memory that they took."""
    settings = Settings(memory_size=10**6, store=StoreSettings(passphrase=_passphrase(folder)))
    before, started = peak(), time.perf_counter()
    memory = NTMMemoryManager.open(folder / "ntm_memory.json", settings=settings, encoder=HashedEncoder(DIMENSION))
    opened_at, after = time.perf_counter(), peak()
    memory.search("Ana painted the piano in Oslo")
    searched_at = time.perf_counter()
    memory.search("Bruno lost the passport in Lima")
    return {
        "open": opened_at - started,
        "first_search": searched_at - opened_at,
        "next_search": time.perf_counter() - searched_at,
        "peak_before": before,
        "peak_open": after,
        "peak_search": peak(),
    }


def measure_folding(folder: Path) -> dict[str, float]:
    """Return the seconds that folding takes, and the memory, on a copy."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as copied:
        place = Path(copied) / folder.name
        shutil.copytree(folder, place)
        store = opened(place, passphrase=_passphrase(folder))
        before = peak()
        with store.transaction():
            started = time.perf_counter()
            store.compact()
            seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_before": before, "peak": peak()}


CHILDREN = {"open": measure_opening, "fold": measure_folding}


def peak() -> float:
    """Return the most MiB that this process has held so far; `getrusage` would count its parent's."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), float("nan"))


def _passphrase(folder: Path) -> str | None:
    return PASSPHRASE if folder.name == "encrypted" else None


def file_sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of a memory's files."""
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.suffix != ".lock"}


# --- tables -----------------------------------------------------------------------------------------------------------


def writing_table(writing: Sequence[dict[str, Any]]) -> Table:
    """Return the milliseconds of writes, and how they compare with the baseline's."""
    shown = Table("memories", "mode", "a durable write", "median ms", "p95 ms", "× baseline", title="Writing")
    names = {
        "baseline": "append a JSON line, fsync",
        "store": "the store's part",
        "memorize": "memorize, less the encoding",
    }
    for figures in writing:
        shown.add_section()
        for mode in MODES:
            least = figures[mode]["baseline"]["median"]
            for name, found in figures[mode].items():
                ratio = f"{found['median'] / least:.2f}"
                cells = (f"{found['median']:.3f}", f"{found['p95']:.3f}", ratio)
                shown.add_row(str(figures["memories"]), mode, names[name], *cells)
    return shown


def opening_table(figures: dict[str, Any]) -> Table:
    """Return what opening costs."""
    title = f"Opening {figures['memories']} memories in a fresh process (median of {OPENINGS})"
    shown = Table("", "open s", "first search s", "next search s", "peak RSS MiB", "without any MiB", title=title)
    for kind, found in figures["opening"].items():
        seconds = (f"{found[name]:.3f}" for name in ("open", "first_search", "next_search"))
        shown.add_row(kind, *seconds, f"{found['peak_search']:.0f}", f"{found['peak_before']:.0f}")
    return shown


def files_table(figures: dict[str, Any]) -> Table:
    """Return how long the files are."""
    names = [name for name in figures["opening"]["folded"]["files"] if not name.endswith(".writer")]
    shown = Table("MiB", *(name.partition(".")[2] for name in names), title="Files")
    for kind, found in figures["opening"].items():
        shown.add_row(kind, *(f"{found['files'].get(name, 0) / 2**20:.1f}" for name in names))
    return shown


def folding_table(figures: dict[str, Any]) -> Table:
    """Return what folding costs."""
    shown = Table("", "seconds", "peak RSS MiB", "before MiB", title=f"Folding {figures['memories']} memories")
    for kind, found in figures["folding"].items():
        shown.add_row(kind, f"{found['seconds']:.2f}", f"{found['peak']:.0f}", f"{found['peak_before']:.0f}")
    return shown


if __name__ == "__main__":
    sys.exit(main())
