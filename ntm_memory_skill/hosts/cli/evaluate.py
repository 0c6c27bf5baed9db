"""The command that measures: `ntm-memory eval`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ntm_memory_skill import __version__
from ntm_memory_skill.config import Config
from ntm_memory_skill.encoder import load_encoder
from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.errors import InvalidArgument, StoreError, UnusableHead
from ntm_memory_skill.evaluation import (
    Dataset,
    RememberingEncoder,
    Row,
    SetFigures,
    figures,
    measure,
    parse,
    read,
    rows_for,
    sample,
    searched,
)
from ntm_memory_skill.evaluation.rows import Addressed
from ntm_memory_skill.evaluation.statistics import Interval, p_value, points
from ntm_memory_skill.hosts.cli.output import Envelope, Output, literal, of, terminal
from ntm_memory_skill.hosts.compose import encoder_settings
from ntm_memory_skill.hosts.demo import shipped
from ntm_memory_skill.hosts.heads import kept_head, kept_policy, read_head, read_policy
from ntm_memory_skill.hosts.report import check_free, write_new
from ntm_memory_skill.memnet.trained import TrainedPolicy
from ntm_memory_skill.model import EncoderIdentity

DEPTHS = "1,5,10,20"
DEEPEST = 1_000
SHIPPED = "the shipped diary"

Kept = TypeVar("Kept", TrainedHead, TrainedPolicy)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval", rich_help_panel="Proof")(evaluate)


def evaluate(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Question sets: LoCoMo, MemDaily, MuSiQue or SQuAD JSON, a folder of BEAM chats, or JSON lines of your"
            " own; without any, the ten questions of the demo.",
        ),
    ] = None,
    rows: Annotated[
        str | None, typer.Option(metavar="NAMES", help="What to compare, by commas; the last with all others.")
    ] = None,
    depths: Annotated[str, typer.Option(metavar="NUMBERS", help="The k of recall@k, by commas.")] = DEPTHS,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions to draw from each set at most.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="For drawing questions, and for the intervals.")] = 0,
    head: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A trained head for the row `trained`; else the installed one.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A trained hop policy for that row; else the installed one.")
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Also write a page with plots.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the report.")] = False,
) -> None:
    """Measure how much of what answers a question is found, on data with known answers. Your memory is not touched."""
    output = of(context)
    wanted = _depths(depths)
    looks = _learnt(output, "head", head, read_head, kept_head)
    leads = _learnt(output, "hop policy", policy, read_policy, kept_policy)
    compared = _rows(rows, rows_for(output.config.settings, looks, leads))
    if report is not None:
        check_free(report, force=force)
    sets = [sample(each, limit, seed) for each in ([read(path) for path in paths] if paths else [_diary()])]
    encoder = RememberingEncoder(load_encoder(encoder_settings(output.config)))
    compared = _fitting(compared, encoder.identity, wanted=(head, policy, rows) != (None,) * 3)
    done = []
    for each in sets:
        measured = measure(each, compared, encoder, searched(wanted), progress=False if output.as_json else None)
        done.append(figures(measured, wanted, seed))
        if not output.as_json:
            print_figures(output.console, done[-1])
    circumstances = {"encoder": str(encoder.identity), "version": __version__, "seed": seed, "limit": limit}
    if report is not None:
        _write(report, done, circumstances, force=force)
    shown = {"ok": True, **circumstances, "report": None if report is None else str(report)}
    output.show({**shown, "sets": [asdict(each) for each in done]}, _close)


def _learnt(
    output: Output, name: str, file: Path | None, read: Callable[[Path], Kept], kept: Callable[[Config], Kept | None]
) -> Kept | None:
    """Return what was named, else what is installed; what is wrong with that is not in the other rows' way."""
    if file is not None:
        return read(file)
    try:
        return kept(output.config)
    except (StoreError, UnusableHead) as error:
        terminal(stderr=True).print(f"[yellow]note:[/] no row for the installed {name}: {literal(error.message)}")
        return None


def _fitting(compared: list[Row], identity: EncoderIdentity, *, wanted: bool) -> list[Row]:
    """Return the rows without that of what was trained for another encoder or another default head.

    Raises:
        UnusableHead: That row was asked for.
    """
    fitting = []
    for row in compared:
        try:
            if isinstance(row, Addressed):
                _check(row, identity)
        except UnusableHead as error:
            if wanted:
                raise
            terminal(stderr=True).print(f"[yellow]note:[/] {literal(error.message)}: it has no row")
        else:
            fitting.append(row)
    return fitting


def _check(row: Addressed, identity: EncoderIdentity) -> None:
    """Make sure that what a row was trained for is what it has. Raises UnusableHead."""
    if row.head is not None:
        row.head.check_encoder(identity.name)
        row.head.check_kernel(row.addressing.head)
    if row.policy is not None:
        row.policy.check_encoder(identity.name)


def _rows(names: str | None, known: Mapping[str, Row]) -> list[Row]:
    """Return the rows that were asked for, in the order in which they were."""
    if names is None:
        return list(known.values())
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",")))
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise InvalidArgument(f"there is no row {unknown[0]!r}", hint=f"The rows are: {', '.join(known)}.")
    return [known[name] for name in chosen]


def _depths(text: str) -> tuple[int, ...]:
    numbers = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,4}", each) and 1 <= int(each) <= DEEPEST for each in numbers):
        message = f"the depths are whole numbers from 1 to {DEEPEST} with commas between them, not {text!r}"
        raise InvalidArgument(message, hint=f"For example: --depths {DEPTHS}")
    return tuple(sorted(set(map(int, numbers))))


def _diary() -> Dataset:
    """Return what the demo stores and asks, as a question set."""
    asked = [
        {
            "question": each["question"],
            "gold": [each["ref"]],
            "category": "English" if each["question"].isascii() else "Chinese",
        }
        for each in shipped("diary_questions.jsonl")
    ]
    return parse({"memories": shipped("diary.jsonl"), "questions": asked}, Path(SHIPPED))


def _write(report: Path, done: Sequence[SetFigures], circumstances: Mapping[str, Any], *, force: bool) -> None:
    from ntm_memory_skill.evaluation.report import Circumstances, html

    write_new(report, html(done, Circumstances(**circumstances)), force=force)


def _close(console: Console, envelope: Envelope) -> None:
    console.print(
        "[dim]all: all evidence found · ±: half the 95 % interval over questions · "
        "ms: median of a search, the question encoded before[/]"
    )
    if envelope["report"] is not None:
        console.print(f"[green]written[/] {literal(envelope['report'])}")
    if [each["name"] for each in envelope["sets"]] == [SHIPPED]:
        console.print("[dim]Ten questions are a taste. On your own data: ntm-memory eval FILE (docs/evaluation.md)[/]")


def print_figures(console: Console, shown: SetFigures) -> None:
    """Print a set's figures: a line a row, a line a kind of question, and what differs by more than chance."""
    stores = "" if shown.corpora == 1 else f" in {shown.corpora:,} memories"
    console.print(
        f"[bold]{literal(shown.name)}[/] [dim]{shown.layout}: {shown.memories:,} entries{stores}, "
        f"{shown.questions:,} questions; figures in %[/]"
    )
    console.print(_overall(shown))
    if shown.rows[0].categories:
        console.print(_by_kind(shown))
    for name, other in shown.comparison.others.items():
        console.print(
            f"{shown.comparison.row} against {name}: {shown.comparison.metric} {points(other.interval)} points, "
            f"p {p_value(other.p_value)}"
        )
    console.print()


def _overall(shown: SetFigures) -> Table:
    metric = shown.comparison.metric
    named = {f"recall@{depth}": f"@{depth}" for depth in shown.depths}
    named |= {metric.replace("recall", "all"): metric.replace("recall", "all"), "mrr": "MRR", "ndcg@10": "NDCG@10"}
    table = Table("", *named.values(), "ms", box=SIMPLE_HEAD)
    for row in shown.rows:
        cells = [_percent(row.overall.metrics[name], precise=name == metric) for name in named]
        table.add_row(row.name, *cells, f"{row.latency.median:.1f}")
    return table


def _by_kind(shown: SetFigures) -> Table:
    metric = shown.comparison.metric
    table = Table(f"{metric} by kind", "n", *(row.name for row in shown.rows), box=SIMPLE_HEAD)
    for kind, group in shown.rows[0].categories.items():
        cells = [_percent(row.categories[kind].metrics[metric], precise=True) for row in shown.rows]
        table.add_row(literal(kind), str(group.questions), *cells)
    return table


def _percent(interval: Interval, *, precise: bool) -> str:
    half = f" [dim]±{50 * (interval.high - interval.low):.1f}[/]" if precise else ""
    return f"{100 * interval.mean:.1f}{half}"
