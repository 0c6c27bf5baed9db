"""The figures of rivals.py as tables, and how many times ours they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from ntm_memory_skill.evaluation import Dataset
from rival_stores import FindingRival

DEPTHS = (1, 5, 10)
COSTS = {
    "start": "to the first memory, ms",
    "add_mean": "add one, ms: mean",
    "add_median": "median",
    "add_p95": "p95",
    "add_many": "add many, ms each",
    "search_median": "search, ms: median",
    "search_p95": "p95",
    "kib_each": "on disk, KiB each",
    "kib_each_many": "if added as many",
    "peak_mib": "peak of memory, MiB",
}
RATIOS = ("add_mean", "add_median", "add_many", "search_median", "kib_each", "peak_mib")

Figures = dict[str, float]


def finding_table(
    stores: Sequence[FindingRival], sets: Sequence[Dataset], found: dict[str, dict[str, Figures | None]]
) -> Table:
    """Return a block a set, a line a store."""
    columns = [f"recall@{depth}" for depth in DEPTHS]
    shown = Table(
        "set",
        "store",
        *columns,
        title="evidence found, %: same texts, same keys",
        caption=_caption(stores),
        caption_justify="left",
    )
    for dataset in sets:
        memories = sum(len(corpus.items) for corpus in dataset.corpora)
        about = f"{dataset.name}\n{memories} memories in {len(dataset.corpora)}\n{dataset.questions} questions"
        for rival in stores:
            shown.add_row(about, rival.name, *_cells(rival, found[dataset.name].get(rival.name), columns, ".1f"))
            about = ""
        shown.add_section()
    return shown


def cost_table(stores: Sequence[FindingRival], figures: dict[str, Any]) -> Table:
    """Return what each store takes, and below it how many times ours that is."""
    of, cost, encoding = figures["cost_of"], figures["cost"], figures["encoding_ms"]
    shown = Table("", *(f"{rival.name}\n{rival.version() or ''}" for rival in stores))
    shown.title = f"{of['set']}: {of['memories']} memories, {of['searches']} searches"
    columns = [_cells(rival, cost.get(rival.name), list(COSTS), ".2f") for rival in stores]
    for label, *cells in zip(COSTS.values(), *columns, strict=True):
        shown.add_row(label, *cells)
    shown.add_section()
    for name in RATIOS:
        ratios = [times(cost.get(rival.name), cost[stores[0].name]) for rival in stores]
        shown.add_row(f"× ours: {COSTS[name]}", *(f"{each[name]:.2f}" if name in each else "–" for each in ratios))
    shown.caption_justify = "left"
    shown.caption = (
        f"No encoding is in these: a text takes {encoding['text']:.1f} ms, {encoding['text_of_many']:.1f} among many, "
        f"a question {encoding['question']:.1f}, and how much of it the model can read, which ours alone asks, "
        f"{encoding['how_much_of_a_question_is_readable']:.2f}.\nAppending a line and waiting for the disk: "
        f"{cost['append and fsync']['add_median']:.2f} ms."
    )
    return shown


def times(theirs: Figures | None, ours: Figures | None) -> Figures:
    """Return how many times ours each figure of theirs is, where both are known."""
    if theirs is None or ours is None:
        return {}
    return {name: theirs[name] / ours[name] for name in RATIOS if name in theirs and ours[name] > 0}


def _cells(rival: FindingRival, figures: Figures | None, columns: Sequence[str], form: str) -> list[str]:
    if rival.version() is None:
        return ["–" for _ in columns]
    return ["failed" if figures is None else f"{figures[column]:{form}}" for column in columns]


def _caption(stores: Sequence[FindingRival]) -> str:
    """Return what a reader should know of each store, and how to install those that are missing."""
    lines = [f"{rival.name}: {rival.remark}" for rival in stores if rival.version() is not None and rival.remark]
    missing = {f"{rival.name} is not installed: {rival.install}": None for rival in stores if rival.version() is None}
    return "\n".join([*lines, *missing])
