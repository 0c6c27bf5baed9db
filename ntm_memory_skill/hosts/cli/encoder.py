"""`ntm-memory encoder`: export the model once, so that it starts in half a second without torch; see what runs it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console

from ntm_memory_skill.encoder import load_encoder
from ntm_memory_skill.encoder.exported import MODEL, WEIGHTS, ExportedEncoder
from ntm_memory_skill.encoder.settings import export_folder, exported, with_torch
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli.output import Envelope, literal, of
from ntm_memory_skill.hosts.compose import encoder_settings, exports

MEGABYTE = 2**20
TIMED = 20
INSTALL = 'pip install "ntm-memory-skill[fast]"'
TEXT = "What did Anna say about the move to Lisbon last week?"

app = typer.Typer(
    help="What turns text into keys: which engine runs it, and exporting the model for the fast one.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="encoder", rich_help_panel="Upkeep")


@app.command("export")
def export(
    context: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Export anew what was exported already.")] = False,
) -> None:
    """Export the configured model to ONNX beside the memory, and check that its keys are the same: then it is used."""
    from ntm_memory_skill.encoder import exporting

    output = of(context)
    settings, folder = encoder_settings(output.config), _folder(context)
    if folder.exists() and not force:
        raise InvalidArgument(f"the model has been exported to {folder}", hint="Export it anew with --force.")
    started = time.perf_counter()
    least = exporting.export(with_torch(settings), folder)
    envelope = {
        "ok": True,
        "folder": str(folder),
        "identity": str(ExportedEncoder(folder).identity),
        "least_cosine": least,
        "megabytes": round(sum((folder / each).stat().st_size for each in (MODEL, WEIGHTS)) / MEGABYTE, 1),
        "seconds": round(time.perf_counter() - started, 1),
        "used": settings.engine != "torch",
    }
    output.show(envelope, _exported)


@app.command("show")
def show(context: typer.Context) -> None:
    """Say which engine runs the model, whose keys it makes, and how long it takes to start and to encode a question."""
    output = of(context)
    settings = encoder_settings(output.config)
    engine = "torch" if exported(settings) is None else "onnx"
    started = time.perf_counter()
    encoder = load_encoder(settings)
    encoder.encode_query(TEXT)
    start = time.perf_counter() - started
    times = []
    for number in range(TIMED):
        started = time.perf_counter()
        encoder.encode_query(f"{TEXT} {number}")
        times.append(time.perf_counter() - started)
    envelope: dict[str, Any] = {
        "ok": True,
        "engine": engine,
        "identity": str(encoder.identity),
        "start_seconds": round(start, 3),
        "milliseconds": round(1000 * median(times), 3),
    }
    output.show(envelope, _shown)


@app.command("remove")
def remove(context: typer.Context) -> None:
    """Delete the exported model, and what was left of exports that were broken off: torch runs it again."""
    folder = _folder(context)
    there = folder.is_dir()
    for each in (folder, *folder.parent.glob(f"{folder.name}-*")):
        shutil.rmtree(each, ignore_errors=True)
    text = f"[green]removed[/] {literal(str(folder))}" if there else "[dim]the model was not exported[/]"
    of(context).show({"ok": True, "removed": there}, lambda console, _: console.print(text))


def _folder(context: typer.Context) -> Path:
    config = of(context).config
    return export_folder(config.settings.encoder, exports(config.memory_file))


def _exported(console: Console, envelope: Envelope) -> None:
    console.print(
        f"[green]exported[/] to {literal(envelope['folder'])}: {envelope['megabytes']} MB in {envelope['seconds']} s\n"
        f"[dim]{literal(envelope['identity'])}; the least cosine with its own keys is {envelope['least_cosine']:.7f}[/]"
    )
    if not envelope["used"]:
        console.print("[yellow]note:[/] clawhub.json says encoder.engine: torch, so that it is not used")


def _shown(console: Console, envelope: Envelope) -> None:
    console.print(
        f"[bold]{envelope['engine']}[/] {literal(envelope['identity'])}\n"
        f"started in {envelope['start_seconds']:.2f} s, then {envelope['milliseconds']:.1f} ms a question"
    )
    if envelope["engine"] == "torch":
        console.print(f"[dim]faster: {literal(INSTALL)}, then ntm-memory encoder export[/]")
