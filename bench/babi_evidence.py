"""The bAbI stories as memories: how many of the supporting facts of a question does the memory find, untrained?

    python bench/babi_evidence.py BABI.tar.gz                      25 test questions a task
    python bench/babi_evidence.py BABI.tar.gz --questions 100

Each story is a memory of its own, every sentence told so far a turn of one chat. The share is that of the supporting
facts among as many hits as there are supporting facts, and among the first five; in one reading, and in so many hops as
a question has supporting facts, up to four. `bench/babi.py` has the network that learns to answer the same questions.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections import defaultdict
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from babi import KINDS, Example, stories
from ntm_memory_skill import NTMMemoryManager, SentenceEncoder
from ntm_memory_skill.evaluation import RememberingEncoder
from ntm_memory_skill.memnet.hops import MOST_HOPS
from ntm_memory_skill.store import MemoryStore

SEED = 20141020
NEAR = 5
console = Console(width=120)


def main() -> None:
    """Print a row a task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--questions", type=int, default=25, help="of each task (default: 25)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rng = random.Random(SEED)  # noqa: S311  # repeatable is the point
    by_kind: dict[str, list[Example]] = defaultdict(list)
    for example in stories(arguments.archive, "test"):
        by_kind[example.kind].append(example)
    encoder = RememberingEncoder(SentenceEncoder())
    shown = Table(
        "task", "n", "facts", *(f"{hops}, {depth}" for hops in ("once", "hops") for depth in ("@facts", "@5"))
    )
    shown.title = "bAbI, supporting facts found, %"
    whole: list[list[float]] = []
    for kind in KINDS:
        some = rng.sample(by_kind[kind], min(arguments.questions, len(by_kind[kind])))
        if not some:
            continue
        rows = [found(each, encoder) for each in track(some, kind, console=console, transient=True)]
        whole.append([statistics.fmean(column) for column in zip(*rows, strict=True)])
        facts = statistics.fmean(len(set(each.supporting)) for each in some)
        shown.add_row(kind, str(len(some)), f"{facts:.1f}", *(f"{100 * share:.1f}" for share in whole[-1]))
    shown.add_section()
    means = [statistics.fmean(column) for column in zip(*whole, strict=True)]
    shown.add_row("mean of the tasks", "", "", *(f"{100 * share:.1f}" for share in means))
    console.print(shown)


def found(example: Example, encoder: RememberingEncoder) -> list[float]:
    """Return the share of supporting facts found: once among as many hits and among five, and the same in hops."""
    facts = {str(line) for line in example.supporting}
    told = zip(example.lines, example.told, strict=True)
    shares = []
    with NTMMemoryManager(MemoryStore(), encoder) as memory:
        memory.memorize_many([{"content": text, "ref": str(line), "session": "story"} for line, text in told])
        for hops in (1, min(len(facts), MOST_HOPS)):
            hits = memory.search(example.asked, top_k=max(NEAR, len(facts)), hops=hops, counted=False)
            refs = [hit.ref for hit in hits]
            shares += [len(facts.intersection(refs[:depth])) / len(facts) for depth in (len(facts), NEAR)]
    return shares


if __name__ == "__main__":
    main()
