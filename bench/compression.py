"""What compressed keys cost in recall, and what they save, on data that you have.

    python bench/compression.py locomo_dev.json cmrc2018_trial_squad.json beam/ --cache keys.npz

Any layout that `ntm-memory eval` reads will do. Each memory's compressor is fitted to its own keys, as the memory would
fit it, and questions are asked by cosine alone. A line for the full keys, then one for each number of components,
without a gate and with gates of two fidelities:

    recall@10   mean share of a question's evidence among the ten nearest memories, %, with a 95 % interval
    - full      that less the same with full keys, in points, paired by question
    bytes       of a memory's row: four a number that is kept, and one that says how many are, where there is a gate
    loss        share of the memories' energy that no kept component holds, %

Memories with fewer rows than components lose nothing by being fitted to them; `small` says how many questions are asked
of one that has fewer than 128.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from harness import KeepingEncoder
from ntm_memory_skill import SentenceEncoder
from ntm_memory_skill.evaluation import Dataset, read
from ntm_memory_skill.m3.sensory import fit
from ntm_memory_skill.model import indexed_text

DEPTH = 10
SIZES = (256, 128, 64)
FIDELITIES = (None, 0.95, 0.9)
ROW = 4  # bytes a number
RESAMPLES = 2_000


class Held(NamedTuple):
    """One memory's keys, and what it is asked."""

    keys: np.ndarray
    """Unit rows, ``(n, m)``."""
    questions: np.ndarray
    """Unit rows, ``(q, m)``."""
    relevant: list[np.ndarray]
    """Rows of each question's evidence."""
    evidence: list[int]
    """How many memories each question's evidence is, also those that the set lacks."""


class Outcome(NamedTuple):
    """What one way of keeping keys led to, over all memories of a set."""

    recalls: np.ndarray
    """Of each question, 0 to 1."""
    bytes_a_row: float
    loss: float


def main() -> None:
    """Print a table for each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file in a known layout, or a folder")
    parser.add_argument("--cache", type=Path, metavar="FILE.npz", help="keep the keys there: encoding takes long")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = KeepingEncoder(SentenceEncoder(), arguments.cache)
    for path in arguments.paths:
        dataset = read(path)
        memories = [each for each in held(dataset, encoder) if each.relevant]
        encoder.keep()
        Console(width=110).print(table(dataset.name, memories))


def held(dataset: Dataset, encoder: KeepingEncoder) -> Iterator[Held]:
    """Yield each memory of a set."""
    for corpus in dataset.corpora:
        rows = {item.get("ref"): row for row, item in enumerate(corpus.items)}
        asked = [question for question in corpus.questions if question.evidence]
        texts = [indexed_text(item.get("key"), item["content"]) for item in corpus.items]
        yield Held(
            encoder.encode_passages(texts),
            np.asarray([encoder.encode_query(question.text) for question in asked], np.float32),
            [np.asarray([rows[ref] for ref in question.evidence if ref in rows], np.int64) for question in asked],
            [len(question.evidence) for question in asked],
        )


def recalls(keys: np.ndarray, questions: np.ndarray, memory: Held) -> list[float]:
    """Return the share of each question's evidence among its ten nearest rows, equal ones in order."""
    nearest = np.argsort(-(questions @ keys.T), axis=1, kind="stable")[:, :DEPTH]
    found = zip(nearest, memory.relevant, memory.evidence, strict=True)
    return [float(np.isin(rows, top).sum()) / count for top, rows, count in found]


def full(memories: Sequence[Held]) -> Outcome:
    """Return what whole keys lead to."""
    found = [recall for memory in memories for recall in recalls(memory.keys, memory.questions, memory)]
    return Outcome(np.asarray(found), ROW * memories[0].keys.shape[1], 0.0)


def compressed(memories: Sequence[Held], dimension: int, fidelity: float | None) -> Outcome:
    """Return what compressed keys lead to. Questions keep all components: they are not stored."""
    found: list[float] = []
    kept, loss = [], []
    for memory in memories:
        compressor = fit(memory.keys, dimension, fidelity)
        rows = compressor.compress_all(memory.keys)
        questions = np.asarray([compressor.project(question) for question in memory.questions])
        found += recalls(rows.vectors, questions, memory)
        kept.append(rows.kept)
        loss.append(rows.loss)
    told = 0 if fidelity is None else 1
    return Outcome(np.asarray(found), ROW * np.concatenate(kept).mean() + told, float(np.concatenate(loss).mean()))


def table(name: str, memories: Sequence[Held]) -> Table:
    """Return a set's table."""
    rows = sum(len(memory.keys) for memory in memories)
    whole = full(memories)
    small = sum(len(memory.questions) for memory in memories if len(memory.keys) < 128)
    title = f"{name}: {len(memories)} memories of {rows} rows, {len(whole.recalls)} questions, small {small}"
    shown = Table("components", "gate", f"recall@{DEPTH}", "- full", "bytes", "loss", title=title)
    shown.add_row(str(memories[0].keys.shape[1]), "", _mean(whole.recalls), "", f"{whole.bytes_a_row:.0f}", "0.0")
    for dimension in SIZES:
        for fidelity in FIDELITIES:
            outcome = compressed(memories, dimension, fidelity)
            gate = "none" if fidelity is None else f"{fidelity:.2f}"
            lost = _mean(outcome.recalls - whole.recalls)
            cells = (_mean(outcome.recalls), lost, f"{outcome.bytes_a_row:.0f}", f"{100 * outcome.loss:.1f}")
            shown.add_row(str(dimension), gate, *cells, end_section=fidelity == FIDELITIES[-1])
    return shown


def _mean(values: np.ndarray) -> str:
    """Return a mean in percent with its bootstrap interval over questions."""
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return f"{100 * values.mean():.1f} [{100 * low:.1f}, {100 * high:.1f}]"


if __name__ == "__main__":
    main()
