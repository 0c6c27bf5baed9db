"""What consolidating does to a memory: what is still found, how many rows are left, and how long it takes.

    python bench/consolidation.py locomo_dev.json --cache keys.npz

Two measurements for each conversation of a question set, with the product's default settings:

    as it is        the conversation, before and after a consolidation
    with repeats    the same, with a share of its turns said again later, word for word and in other words: beside
                    the evidence that is found, how many of the first ten places are taken by what stands in one of
                    them already

Evidence counts as found if it is among the first ten, or was merged into a memory that is; `strict` counts the former
alone. Other words are made by rules (openings, contractions, endings), in which no word that carries meaning changes:
what a stricter reader would call a paraphrase is not stored once, and is measured as `synonyms`.

A third table is about links: every other question is asked, three days running, so that what was recalled together is
linked; then the questions that were not asked, and those that were, against a memory of which nothing was asked.

Then one consolidation of 10,000 memories is timed, half of them repeated, in one process with two threads.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from harness import KeepingEncoder
from ntm_memory_skill import M3Settings, NTMMemoryManager, SentenceEncoder, Settings
from ntm_memory_skill.evaluation import Corpus, Dataset, read
from ntm_memory_skill.model import Hit, Record
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore

DEPTH = 10
SHARE = 0.1  # of the turns that are repeated, of each kind
MANY = 10_000
WIDTH = 140

OPENINGS = ("By the way, ", "Just so you know, ", "As I said, ", "Well, ", "Oh, ")
CONTRACTIONS = {
    "I'm": "I am",
    "it's": "it is",
    "don't": "do not",
    "can't": "cannot",
    "that's": "that is",
    "we're": "we are",
    "I've": "I have",
    "isn't": "is not",
    "didn't": "did not",
}
SYNONYMS = {
    "great": "wonderful",
    "really": "truly",
    "awesome": "fantastic",
    "started": "began",
    "got": "received",
    "job": "position",
    "kids": "children",
    "big": "large",
    "pics": "photos",
    "talk": "speak",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One memory, asked all its questions."""

    found: float
    """Share of the evidence among the first ten, merged ones included."""
    strict: float
    crowded: float
    """Places of the first ten that repeat another of them, on average."""
    rows: int
    """Active memories."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a question set, as for `ntm-memory eval`")
    parser.add_argument("--cache", type=Path, metavar="FILE.npz", help="keep the keys there: encoding takes long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = KeepingEncoder(SentenceEncoder(), arguments.cache)
    console = Console(width=WIDTH)
    written: dict[str, Any] = {}
    for path in arguments.paths:
        table, figures = measured(read(path), encoder, arguments.seed)
        console.print(table)
        table, linked = used(read(path), encoder)
        console.print(table)
        written[path.name] = {**figures, **linked}
        encoder.keep()
    torch.set_num_threads(2)
    seconds, merged = timed(read(arguments.paths[0]), encoder, arguments.seed)
    written["seconds"] = seconds
    console.print(f"one consolidation of {MANY:,} memories: {seconds:.1f} s, {merged:,} merged")
    encoder.keep()
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(written, indent=1), encoding="utf-8")


def measured(dataset: Dataset, encoder: KeepingEncoder, seed: int) -> tuple[Table, dict[str, Any]]:
    """Return a table of one set, and its figures."""
    table = Table("memory", "active rows", "evidence @10, %", "strict, %", "places that repeat", title=dataset.name)
    written: dict[str, Any] = {}
    kinds = {"as it is": (), "said again": (_again,), "other words": (_reworded,), "synonyms": (_synonyms,)}
    kinds["said again and other words"] = (_again, _reworded)
    for kind, makers in kinds.items():
        before, after = [], []
        for corpus in track(dataset.corpora, description=kind, transient=True):
            items = repeated(corpus, makers, seed)
            with filled(items, corpus, encoder) as memory:
                before.append(asked(memory, corpus))
                memory.consolidate(progress=False)
                after.append(asked(memory, corpus))
        weights = [len(corpus.questions) for corpus in dataset.corpora]
        for when, figures in (("before", before), ("after", after)):
            whole = _averaged(figures, weights)
            written[f"{kind}, {when}"] = {name: getattr(whole, name) for name in Figures.__dataclass_fields__}
            cells = [f"{100 * whole.found:.1f}", f"{100 * whole.strict:.1f}", f"{whole.crowded:.2f}"]
            table.add_row(f"{kind}, {when}", f"{whole.rows:,}", *cells, end_section=when == "after")
    return table, written


def used(dataset: Dataset, encoder: KeepingEncoder) -> tuple[Table, dict[str, Any]]:
    """Return a table of what links change, and its figures."""
    found: dict[str, list[float]] = {}
    links = 0
    for corpus in track(dataset.corpora, description="links", transient=True):
        halves = {"asked before": corpus.questions[::2], "never asked": corpus.questions[1::2]}
        for when in ("nothing asked", "after use"):
            store, clock = MemoryStore(), Clock(corpus.now)
            with opened(store, clock, encoder, reconsolidate=when == "after use") as memory:
                memory.memorize_many(corpus.items, progress=False)
                for _ in range(3 if when == "after use" else 0):
                    clock.now += timedelta(days=1)
                    for question in halves["asked before"]:
                        memory.search(question.text, top_k=5)
            with opened(store, clock, encoder, reconsolidate=False) as memory:
                links += sum(len(record.links) for record in memory.state.records.values()) // 2
                for half, questions in halves.items():
                    for question in questions:
                        refs = {hit.ref for hit in memory.search(question.text, top_k=DEPTH)}
                        share = len(question.evidence & refs) / len(question.evidence)
                        found.setdefault(f"{half}, {when}", []).append(share)
    figures = {name: 100 * float(np.mean(shares)) for name, shares in found.items()}
    table = Table("questions", "evidence @10, %", title=f"{dataset.name}: {links:,} links")
    for name, share in figures.items():
        table.add_row(name, f"{share:.1f}")
    return table, figures


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the moment that it was set to."""
        return self.now


def opened(store: MemoryStore, clock: Clock, encoder: KeepingEncoder, *, reconsolidate: bool) -> NTMMemoryManager:
    """Open a memory in a store."""
    settings = Settings(m3=M3Settings(reconsolidate=reconsolidate), content_limit=1_000_000)
    return NTMMemoryManager(store, encoder, settings, clock=clock, ids=seeded_ids(0))


def repeated(corpus: Corpus, makers: Sequence[Callable[[str], str | None]], seed: int) -> list[dict[str, Any]]:
    """Return a corpus's items with some of them said again, each a while later and in another chat."""
    rng = random.Random(seed)  # noqa: S311  # repeatable is the point
    added = []
    for number, make in enumerate(makers):
        chosen = rng.sample(range(len(corpus.items)), round(SHARE * len(corpus.items)))
        for place in chosen:
            item = corpus.items[place]
            said = make(item["content"])
            if said is not None:
                later = item["at"] + timedelta(days=1 + number, minutes=rng.randrange(600))
                added.append(
                    {**item, "content": said, "at": later, "session": "again", "ref": f"again {number} {item['ref']}"}
                )
    return [*corpus.items, *added]


class filled:  # noqa: N801  # used like a function
    """A memory that holds items, for a block."""

    def __init__(self, items: Sequence[dict[str, Any]], corpus: Corpus, encoder: KeepingEncoder) -> None:
        settings = Settings(m3=M3Settings(reconsolidate=False), content_limit=1_000_000)
        now = corpus.now + timedelta(days=7)
        self._items = items
        self._memory = NTMMemoryManager(MemoryStore(), encoder, settings, clock=lambda: now, ids=seeded_ids(0))

    def __enter__(self) -> NTMMemoryManager:
        self._memory.memorize_many(self._items, progress=False)
        return self._memory

    def __exit__(self, *_: object) -> None:
        self._memory.close()


def asked(memory: NTMMemoryManager, corpus: Corpus) -> Figures:
    """Ask a memory all questions of its corpus."""
    found, strict, crowded = [], [], []
    for question in corpus.questions:
        hits = memory.search(question.text, top_k=DEPTH)
        refs = {hit.ref for hit in hits}
        merged = {ref for hit in hits for ref in _merged(memory, hit.record)}
        found.append(len(question.evidence & (refs | merged)) / len(question.evidence))
        strict.append(len(question.evidence & refs) / len(question.evidence))
        crowded.append(_repeats(hits))
    return Figures(float(np.mean(found)), float(np.mean(strict)), float(np.mean(crowded)), len(memory))


def timed(dataset: Dataset, encoder: KeepingEncoder, seed: int) -> tuple[float, int]:
    """Return how many seconds a consolidation of 10,000 memories takes, and how many memories it merged."""
    items = [item for corpus in dataset.corpora for item in repeated(corpus, (_again, _reworded), seed)]
    items = [{**items[place % len(items)], "ref": str(place)} for place in range(MANY)]
    with filled(items, dataset.corpora[-1], encoder) as memory:
        memory.search("anything at all?")
        started = time.perf_counter()
        done = memory.consolidate(progress=True)
        return time.perf_counter() - started, len(done.merged)


def _again(text: str) -> str:
    return text


def _reworded(text: str) -> str | None:
    """Return a text in other words that carry no meaning; None where it offers no way to."""
    name, colon, said = text.partition(": ")
    if not colon:
        name, said = "", text
    words = re.sub(r"[\w']+", lambda found: CONTRACTIONS.get(found[0], found[0]), said).rstrip("!. ")
    opening = OPENINGS[len(said) % len(OPENINGS)]
    return f"{name}{colon}{opening}{words}." if words else None


def _synonyms(text: str) -> str | None:
    """Return a text with other words of the same meaning; None where none of its words has one here."""
    other = re.sub(r"\w+", lambda found: SYNONYMS.get(found[0], found[0]), text)
    return None if other == text else other


def _merged(memory: NTMMemoryManager, record: Record) -> Iterator[str | None]:
    for each in record.absorbed:
        source = memory.state.forgotten.get(each.id)
        if source is not None:
            yield source.ref


def _repeats(hits: Sequence[Hit]) -> int:
    """Return how many hits say again, by the way in which they were made, what another hit says."""
    origins = [(hit.ref or "").rpartition(" ")[2] for hit in hits]
    return len(origins) - len(set(origins))


def _averaged(figures: Sequence[Figures], weights: Sequence[int]) -> Figures:
    mean = {
        name: float(np.average([getattr(each, name) for each in figures], weights=weights))
        for name in ("found", "strict", "crowded")
    }
    return Figures(**mean, rows=sum(each.rows for each in figures))


if __name__ == "__main__":
    main()
