"""What training a hop policy brings on data that it did not see, on question sets that you have.

    python bench/hop_training.py locomo_dev.json beam/ musique_train.json --cache keys.npz
    python bench/hop_training.py locomo_dev.json beam/ musique_train.json --cache keys.npz --together --seeds 0 1 2

Each file or folder is a kind of data. Each is trained on by itself or, with --together, all are at once. A policy is
trained on one half of each kind and asked about the other, both ways: a kind with several memories is halved between
memories, one with a single memory between its questions. How far to depart from the default, and whether at all,
training decides within the half that it is given, as `ntm-memory train --hops` does.

Shown are the questions that are read on from, for all others are answered as without a policy: the mean share of a
question's evidence among the first k, in percent, default → trained; the standard error of the mean difference at 10;
and the scale that was taken in either half, 0 where nothing was won.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from harness import KeepingEncoder
from ntm_memory_skill import SentenceEncoder, Settings
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.evaluation import read
from ntm_memory_skill.learning import HopTrainingSettings, Journeys, compare, journeys_of, train_hops
from ntm_memory_skill.learning.hop_training import halves
from ntm_memory_skill.learning.journeys import answered
from ntm_memory_skill.learning.verdict import DEPTHS, Found
from ntm_memory_skill.memnet.trained import TrainedPolicy

SETTINGS = Settings()
PLAIN = HopTrainingSettings()
console = Console(width=120)


def main() -> None:
    """Print a table for each kind, or for all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="whatever `ntm-memory eval` reads")
    parser.add_argument("--together", action="store_true", help="train one policy for all kinds")
    parser.add_argument("--seeds", type=int, nargs="+", default=[PLAIN.seed])
    parser.add_argument("--steps", type=int, default=PLAIN.steps)
    parser.add_argument("--learning-rate", type=float, default=PLAIN.learning_rate)
    parser.add_argument("--price", type=float, default=PLAIN.price, help="of departing from the default policy")
    parser.add_argument("--cache", type=Path, metavar="FILE.npz", help="keep the keys there: encoding takes long")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = KeepingEncoder(SentenceEncoder(), arguments.cache)
    kinds = []
    for path in arguments.paths:
        dataset = read(path)
        encoder.encode_all(dataset)
        kinds.append(journeys_of(dataset, encoder, SETTINGS))
        encoder.keep()
        console.print(f"{kinds[-1].kind}: {len(kinds[-1].lessons)} of {kinds[-1].asked} questions are read on from")
    how = HopTrainingSettings(steps=arguments.steps, learning_rate=arguments.learning_rate, price=arguments.price)
    table = Table("found, %", "n", "seed", *(f"@{depth}" for depth in DEPTHS), "±@10", "scales", "s")
    for some in [kinds] if arguments.together else [[each] for each in kinds]:
        for seed in arguments.seeds:
            two_fold(table, some, encoder, replace(how, seed=seed))
        table.add_section()
    console.print(table)


def two_fold(table: Table, kinds: Sequence[Journeys], encoder: KeepingEncoder, how: HopTrainingSettings) -> None:
    """Add a row for each kind, asked with what was trained on the other half."""
    start = time.monotonic()
    dealt = halves(kinds, how.seed + 1)  # not as training deals what it is given
    sides = np.unique(np.concatenate(dealt)).tolist()
    policies: dict[int, TrainedPolicy | None] = {}
    scales = []
    for side in sides:
        others = [each.only(half != side) for each, half in zip(kinds, dealt, strict=True)]
        try:
            learnt = train_hops(others, encoder, SETTINGS, how)
        except InvalidArgument as error:
            console.print(f"seed {how.seed}: {error.message}")
            policies[side] = None
            scales.append("–")
            continue
        policies[side] = learnt.policy if learnt.scale else None
        scales.append(f"{learnt.scale:g}")
    default: Found = {}
    after: Found = {}
    for each, half in zip(kinds, dealt, strict=True):
        trained = [policies[side] for side in half.tolist()]
        answers = answered(each, {"default": [None] * len(half), "trained": trained}, encoder, SETTINGS)
        default[each.kind], after[each.kind] = answers["default"], answers["trained"]
    seconds = time.monotonic() - start
    for row in compare(default, after):
        pairs = zip(row.default, row.trained, strict=True)
        table.add_row(
            row.kind,
            str(row.questions),
            str(how.seed),
            *(f"{100 * before:.1f} → {100 * now:.1f}" for before, now in pairs),
            f"{100 * row.errors[DEPTHS.index(10)]:.1f}",
            ", ".join(scales),
            f"{seconds:.0f}",
        )


if __name__ == "__main__":
    main()
