"""How much of the evidence for a question the memory finds, by stage of addressing, on data that you have.

    python bench/retrieval.py locomo_dev.json cmrc2018_trial_squad.json beam/

Any layout that `ntm-memory eval` reads will do. The score is the mean share of a question's evidence among the first k
hits, and the share of questions with any. All rows share one encoder and run through the product's own search, with its
default settings except for what the row says:

    cosine      meaning alone: what a vector memory does
    bm25        words alone
    rrf         these two fused by rank, each with the same say
    content     the content score: all its terms but time, no location
    + gate      that, each set's questions asked one after another in one chat, so that the last focus draws the next
    + shift     the content score and the shift along the chat
    + sharpen   that, sharpened: scores are spread apart, their order stays
    + time      that, with the times that questions name: the default head
    3 heads     the default head with three read heads
    default     the default head, in as many hops as each question needs: the default
    learned     a head trained on one half of every set and asked about the other, both ways (bench/train.py has more)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import train
from harness import KeepingEncoder
from ntm_memory_skill import AddressingSettings, HeadParameters, SentenceEncoder, Settings
from ntm_memory_skill.evaluation import Row, SetFigures, figures, measure, read, searched
from ntm_memory_skill.evaluation.figures import DEPTHS, Group
from ntm_memory_skill.evaluation.rows import BM25, COSINE, DEFAULT, RRF, Addressed
from ntm_memory_skill.evaluation.statistics import p_value, points
from ntm_memory_skill.learning import TrainingSettings, scenes_of

CONTENT = AddressingSettings(location=False, time=0.0)
FLAT = AddressingSettings(head=HeadParameters(sharpening=1.0), time=0.0)
SHARP = AddressingSettings(time=0.0)
ROWS: dict[str, Row] = {
    "cosine": COSINE,
    "bm25": BM25,
    "rrf": RRF,
    "content": Addressed(name="content", about="content", addressing=CONTENT),
    "+ gate": Addressed(name="+ gate", about="content and gate", addressing=CONTENT, in_one_chat=True),
    "+ shift": Addressed(name="+ shift", about="content and shift", addressing=FLAT),
    "+ sharpen": Addressed(name="+ sharpen", about="content, shift and sharpening", addressing=SHARP),
    "3 heads": Addressed(name="3 heads", about="three heads", addressing=AddressingSettings(num_read_heads=3)),
    "+ time": Addressed(name="+ time", about="one hop of the default", addressing=AddressingSettings()),
    DEFAULT.name: DEFAULT,
}
WIDTH = 160  # characters: a table in a file is as wide as one on a wide terminal
COLUMNS = [f"{kind}@{depth}" for kind in ("recall", "any") for depth in DEPTHS]


def main() -> None:
    """Print a table for each file, and write all figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a file in a known layout, or a BEAM folder"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--rows", help=f"which rows, by commas; the last is compared with the others: {', '.join(ROWS)}"
    )
    parser.add_argument("--learned", action=argparse.BooleanOptionalAction, default=True, help="train a head as well")
    parser.add_argument("--cache", type=Path, metavar="FILE.npz", help="keep the keys there: encoding takes long")
    arguments = parser.parse_args()
    names = list(ROWS) if arguments.rows is None else arguments.rows.split(",")
    if unknown := [name for name in names if name not in ROWS]:
        parser.error(f"there is no row {unknown[0]!r}")
    rows = [ROWS[name] for name in names]
    sets = [read(path) for path in arguments.paths]
    encoder = KeepingEncoder(SentenceEncoder(), arguments.cache)
    written: dict[str, Any] = {}
    for each in sets:
        found = figures(measure(each, rows, encoder, searched(DEPTHS)))
        Console(width=WIDTH).print(table(found), *compared(found), sep="\n")
        written[each.name] = {row.name: _plain(_groups(found, row.name)) for row in found.rows}
        if arguments.json is not None:  # after each set: the next may take long
            arguments.json.write_text(json.dumps(written, indent=1), encoding="utf-8")
        encoder.keep()
    if arguments.learned:
        scenes = [scene for each in sets for scene in scenes_of(each, encoder, Settings())]
        judgement = train.judged(list(train.two_fold(scenes, TrainingSettings())))
        Console(width=WIDTH).print(train.table(judgement, "learned: default → trained, each asked what it did not see"))


def table(found: SetFigures) -> Table:
    """Return a table of one file: a block a kind of question, a line a row."""
    shown = Table("category", "n", "addressing", *COLUMNS, "MRR", "NDCG", title=f"{found.name}: evidence found, %")
    for category in ("all", *found.rows[0].categories):
        for row in found.rows:
            group = _groups(found, row.name)[category]
            cells = [f"{100 * group.metrics[name].mean:.1f}" for name in (*COLUMNS, "mrr", "ndcg@10")]
            last = row == found.rows[-1]
            shown.add_row(category, str(group.questions), row.name, *cells, end_section=last)
    return shown


def compared(found: SetFigures) -> list[str]:
    """Return how far the last row is ahead of each other one, a line each."""
    against, metric = found.comparison.row, found.comparison.metric
    return [
        f"{against} against {name}: {metric} {points(other.interval)} points, p {p_value(other.p_value)}"
        for name, other in found.comparison.others.items()
    ]


def _groups(found: SetFigures, name: str) -> dict[str, Group]:
    row = next(row for row in found.rows if row.name == name)
    return {"all": row.overall, **row.categories}


def _plain(groups: dict[str, Group]) -> dict[str, dict[str, Any]]:
    """Return the figures in percent: each metric's mean, their 95 % intervals, and how many questions there were."""
    return {
        category: {
            **{name: 100 * each.mean for name, each in group.metrics.items()},
            "intervals": {name: [100 * each.low, 100 * each.high] for name, each in group.metrics.items()},
            "questions": group.questions,
        }
        for category, group in groups.items()
    }


if __name__ == "__main__":
    main()
