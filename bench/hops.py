"""What reading in hops finds, which chains it takes, and what it costs.

    python bench/hops.py locomo_dev.json musique_train.json     how much of the evidence is found, by hops
    python bench/hops.py --planted                              chains of 2 to 4 memories among a thousand of their kind
    python bench/hops.py --speed                                one to four hops over 10,000 memories

Any layout that `ntm-memory eval` reads will do. A row reads so often; "as needed" is the default, which goes by the
form of the question. "all@5" is the share of questions with all their evidence among the first five. Of the chains that
led to one of the first five hits, "gold" are those of whose memories each is evidence for the question.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from harness import KeepingEncoder
from latency import CALLS
from made_up import SEED, sentence
from ntm_memory_skill import AddressingSettings, Hit, NTMMemoryManager, ReasoningSettings, SentenceEncoder
from ntm_memory_skill.evaluation import Measured, measure, read
from ntm_memory_skill.evaluation.rows import Filled, Search
from ntm_memory_skill.store import MemoryStore
from stopwatch import Stopwatch, TimedEncoder

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the chains are the tests', which are not installed

from tests.engine.chains import Planted, chinese, english

DEPTHS = (1, 5, 10, 20)
NEAR = 5
HOPS = (1, 2, 3, 4, None)
LINKS = (2, 3, 4)
Chain = tuple[str | None, ...]
console = Console(width=140)


@dataclass(frozen=True, kw_only=True)
class Hopping:
    """The product's own search in so many hops; it keeps the chains that led to its first hits."""

    hops: int | None
    chains: list[list[Chain]] = field(default_factory=list)
    """Of each question, in order: refs, the hit's last."""

    @property
    def name(self) -> str:
        """For tables."""
        return "as needed" if self.hops is None else str(self.hops)

    @property
    def about(self) -> str:
        """What it is."""
        return f"the default head, hops: {self.name}"

    @contextmanager
    def open(self, filled: Filled) -> Iterator[Search]:
        """Give the search for a block."""
        with filled.open(AddressingSettings(), ReasoningSettings(hops=self.hops)) as memory:
            yield partial(self._search, memory)

    def _search(self, memory: NTMMemoryManager, text: str, depth: int) -> list[str | None]:
        hits = memory.search(text, top_k=depth)
        self.chains.append([_refs(memory, hit) for hit in hits[:NEAR] if hit.trace.chain])
        return [hit.ref for hit in hits]


def main() -> None:
    """Print a table for each file, and those that were asked for besides."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--cache", type=Path, metavar="FILE.npz", help="keep the keys there: encoding takes long")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)), help="of what is planted")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--memories", type=int, default=10_000, help="to read for --speed (default: 10000)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = KeepingEncoder(SentenceEncoder(), arguments.cache)
    for path in arguments.paths:
        rows = [Hopping(hops=hops) for hops in HOPS]
        console.print(found(measure(read(path), rows, encoder, max(DEPTHS)), rows))
        encoder.keep()
    if arguments.planted:
        console.print(planted(arguments.seeds))
    if arguments.speed:
        console.print(speed(arguments.memories))


def found(measured: Measured, rows: Sequence[Hopping]) -> Table:
    """Return how much of the evidence each row finds, and how good its chains are, by kind of question."""
    evidence = [question.evidence for question in measured.questions]
    kinds = [question.category for question in measured.questions]
    shown = Table("kind", "n", "hops", *(f"@{depth}" for depth in DEPTHS), f"all@{NEAR}", "chains", "gold", "ms")
    shown.title = f"{measured.dataset.name}: evidence found, %"
    for kind in ("all", *sorted(set(kinds) if len(set(kinds)) > 1 else ())):
        some = [place for place, each in enumerate(kinds) if kind in ("all", each)]
        for row in rows:
            answers = measured.answers[row.name]
            share = {
                depth: [len(evidence[each] & set(answers[each].ranking[:depth])) / len(evidence[each]) for each in some]
                for depth in DEPTHS
            }
            chains = [(set(chain), evidence[each]) for each in some for chain in row.chains[each]]
            shown.add_row(
                kind,
                str(len(some)),
                row.name,
                *(_percent(share[depth]) for depth in DEPTHS),
                _percent([each == 1 for each in share[NEAR]]),
                str(len(chains)),
                _percent([chain <= gold for chain, gold in chains]),
                f"{1000 * statistics.median(answers[each].seconds for each in some):.1f}",
                end_section=row is rows[-1],
            )
    return shown


def planted(seeds: Sequence[int]) -> Table:
    """Return how often the end of a chain, and all of it, is found among a thousand memories of the same forms."""
    shown = Table("language", "links", "hops", "end in 5", "end in 10", "all in 10", title="planted chains, %")
    encoder = SentenceEncoder()
    outcomes: dict[tuple[str, int, str], list[tuple[bool, bool, bool]]] = {}
    cases = [(language, seed) for language in (english, chinese) for seed in seeds]
    for language, seed in track(cases, "planting", console=console, transient=True):
        around: Planted = language(seed)
        with NTMMemoryManager(MemoryStore(), encoder) as memory:
            memory.memorize_many([{"content": content} for content in around.memories], progress=False)
            for links in LINKS:
                chain = around.chain[:links]
                for row in (Hopping(hops=1), Hopping(hops=None)):
                    hits = memory.search(around.questions[links], top_k=10, counted=False, hops=row.hops)
                    texts = [hit.content for hit in hits]
                    outcome = (chain[-1] in texts[:NEAR], chain[-1] in texts, set(chain) <= set(texts))
                    outcomes.setdefault((language.__name__, links, row.name), []).append(outcome)
    for (name, links, hops), cases_of in outcomes.items():
        shown.add_row(name, str(links), hops, *(_percent(each) for each in zip(*cases_of, strict=True)))
    return shown


def speed(memories: int) -> Table:
    """Return the median milliseconds of a search in one to four hops, and how many times as long as one hop that is."""
    rng = random.Random(SEED)  # noqa: S311  # repeatable is the point
    encoder = TimedEncoder(SentenceEncoder())
    watches = {hops: Stopwatch(encoder) for hops in HOPS[:-1]}
    with NTMMemoryManager(MemoryStore(), encoder) as memory:
        memory.memorize_many([{"content": sentence(rng)} for _ in range(memories)], progress=True)
        memory.search(sentence(rng), hops=max(watches))  # what is built once is not part of a call
        for _ in track(range(CALLS), "timing", console=console, transient=True):
            question = f"Who knows the one that {sentence(rng)}"
            for hops, watch in watches.items():
                watch.time(partial(memory.search, question, hops=hops, counted=False))
    shown = Table("hops", "whole call, ms", "× one hop", "above encoding, ms", "× one hop")
    shown.title = f"{memories} memories, {CALLS} questions, torch on {torch.get_num_threads()} thread(s)"
    medians = {hops: watch.medians() for hops, watch in watches.items()}
    for hops, each in medians.items():
        cells = [(each[name], each[name] / medians[1][name]) for name in ("whole", "above_encoding")]
        shown.add_row(str(hops), *(text for value, ratio in cells for text in (f"{value:.2f}", f"{ratio:.2f}")))
    return shown


def _refs(memory: NTMMemoryManager, hit: Hit) -> Chain:
    return (*(memory.get(step.id).ref for step in hit.trace.chain), hit.ref)


def _percent(shares: Sequence[float]) -> str:
    return f"{100 * statistics.fmean(shares):.1f}" if shares else "–"


if __name__ == "__main__":
    main()
