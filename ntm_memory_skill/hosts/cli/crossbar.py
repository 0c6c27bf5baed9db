"""`ntm-memory crossbar`: what an emulated memristor crossbar does for this memory, and what it would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from jaxtyping import Float32
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ntm_memory_skill import __version__
from ntm_memory_skill.config import Config
from ntm_memory_skill.crossbar import PRESETS
from ntm_memory_skill.crossbar.energy import Cost
from ntm_memory_skill.engine.progress import bar
from ntm_memory_skill.hosts import tasks
from ntm_memory_skill.hosts.cli.output import Envelope, literal, of
from ntm_memory_skill.hosts.report import check_free
from ntm_memory_skill.model import indexed_text
from ntm_memory_skill.sources import system_clock
from ntm_memory_skill.store import DirectoryStore

if TYPE_CHECKING:
    from ntm_memory_skill.hosts.crossbar_machine import Trial
    from ntm_memory_skill.hosts.crossbar_report import Point, Report

LEAST_KEYS = 100
"""Memories below which random keys are looked at in their place: among few, everything is found."""
RANDOM_KEYS, QUERIES, RANDOM_LENGTH = 2_000, 50, 384


class Preset(StrEnum):
    """What a crossbar is made of."""

    IDEAL = "ideal"
    PCM = "pcm"
    RERAM = "reram"


if set(Preset) != set(PRESETS):
    raise AssertionError("a preset cannot be named, or a name has none")

app = typer.Typer(
    help="The emulated memristor crossbar that can match questions with memories.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="crossbar", rich_help_panel="Proof")


@app.command("report")
def report(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw a picture there, too.")] = None,
    preset: Annotated[
        Preset | None, typer.Option(help="What it is made of; as configured by default.", show_default=False)
    ] = None,
    machine: Annotated[
        str | None,
        typer.Option(metavar="FILE|TASK", help="Also let a trained Neural Turing Machine look through it."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the devices, and of what is drawn.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the picture.")] = False,
) -> None:
    """Emulate a crossbar with this memory's keys: accuracy and modelled energy by ADC, time and array size."""
    from ntm_memory_skill.hosts import crossbar_report
    from ntm_memory_skill.hosts.crossbar_machine import trials

    host = of(context)
    if output is not None:
        check_free(output, force=force)
    made_of = host.config.settings.crossbar.preset if preset is None else preset.value
    trainer = None if machine is None else tasks.named(host.config, machine)[1]
    keys, queries, origin = _keys(host.config, seed)
    progress = False if host.as_json else None
    with bar("emulating", progress) as advance:
        found = crossbar_report.measured(keys, queries, made_of, seed, advance)
    costs = [] if trainer is None else list(trials(trainer, made_of, seed))
    if output is not None:
        crossbar_report.draw(found, output)
    envelope = {
        "ok": True,
        "version": __version__,
        "keys_from": origin,
        **asdict(found),
        "machine": [asdict(each) for each in costs],
        "output": None if output is None else str(output),
    }
    host.show(envelope, lambda console, shown: _print(console, found, costs, shown))


def _keys(config: Config, seed: int) -> tuple[Float32[np.ndarray, "n m"], Float32[np.ndarray, "q m"], str]:
    """Return keys to hold, keys to look for, and where they are from: the memory's own or, where these are few, random.

    Each of the memory's keys that are looked for is one of those held: what is to be found are the ten nearest to it.
    """
    store = DirectoryStore(config.memory_file, clock=system_clock, settings=config.settings.store)
    rng = np.random.default_rng(seed)
    if store.encoder is not None:
        rows = store.key_rows()
        digests = [
            store.encoder.digest(indexed_text(record.key, record.content)) for record in store.state.records.values()
        ]
        places = [place for digest in digests if (place := rows.position(digest)) is not None]
        if len(places) >= LEAST_KEYS:
            own = np.asarray(rows.keys[places], np.float32)
            return own, own[rng.permutation(len(own))[:QUERIES]], "memory"
    keys, queries = (_random(rng, count) for count in (RANDOM_KEYS, QUERIES))
    return keys, queries, "random"


def _random(rng: np.random.Generator, count: int) -> Float32[np.ndarray, "k m"]:
    rows = rng.standard_normal((count, RANDOM_LENGTH), dtype=np.float32)
    units: Float32[np.ndarray, "k m"] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return units


def _print(console: Console, found: Report, costs: Sequence[Trial], envelope: Envelope) -> None:
    origin = "of this memory" if envelope["keys_from"] == "memory" else "drawn at random, for this memory is small"
    held = f"{found.keys:,} keys of {found.dimension} numbers, {origin}, and {found.queries} queries"
    console.print(f"[bold]{found.preset}[/]: {held}\n[dim]{literal(found.source)}[/]")
    for title, unit, points in (
        ("ADC", "bits", found.bits),
        ("since programming", "s", found.times),
        ("array", "inputs", found.sizes),
    ):
        console.print(_accuracies(f"{title}, {unit}", points))
    console.print(
        "[dim]analog: recall@10 against the exact search · inside: the exact ten among the analog fifty · "
        "reranked: recall@10 once a hundred are compared exactly[/]"
    )
    console.print(_energies(found))
    if costs:
        console.print(_trials(costs))
    console.print("[dim]Modelled, not measured: docs/crossbar.md says what each number stands on.[/]")
    if envelope["output"] is not None:
        console.print(f"[green]written[/] {literal(envelope['output'])}")


def _accuracies(title: str, points: Sequence[Point]) -> Table:
    table = Table(title, "analog", "inside", "reranked", "pJ a read", box=SIMPLE_HEAD)
    for each in points:
        accuracy = each.accuracy
        shares = (accuracy.alone, accuracy.inside, accuracy.reranked)
        table.add_row(f"{each.at:,.0f}", *(f"{share:.3f}" for share in shares), f"{each.read.picojoules:,.0f}")
    return table


def _energies(found: Report) -> Table:
    table = Table("modelled energy, pJ", "array", "DAC", "ADC", "digital", "in all", "µs", box=SIMPLE_HEAD)
    rows: tuple[tuple[str, Cost], ...] = (
        ("a memory programmed", _share(found.programming, found.keys)),
        ("a search, analog", found.read),
        ("its exact rerank", found.rerank),
        ("all rows exactly", found.digital),
    )
    for name, cost in rows:
        items = (cost.array, cost.dac, cost.adc, cost.digital, cost.picojoules)
        table.add_row(name, *(f"{item:,.0f}" for item in items), f"{1e6 * cost.seconds:,.2f}")
    return table


def _share(cost: Cost, count: int) -> Cost:
    return Cost(*(getattr(cost, name) / count for name in ("dac", "array", "adc", "digital", "seconds")))


def _trials(costs: Sequence[Trial]) -> Table:
    table = Table("a trained machine: noise", "bits a sequence", "wrong bits, %", box=SIMPLE_HEAD)
    for each in costs:
        noise = "exact" if each.noise is None else f"× {each.noise:g}"
        table.add_row(noise, f"{each.bits:.2f}", f"{100 * each.wrong:.2f}")
    return table
