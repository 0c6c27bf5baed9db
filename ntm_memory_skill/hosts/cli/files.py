"""Commands that bring memories in and out, and say what there is: import, export, stats."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ntm_memory_skill.hosts import report
from ntm_memory_skill.hosts.cli.output import Envelope, literal, of
from ntm_memory_skill.hosts.compose import read_for_import
from ntm_memory_skill.hosts.importing import bring_in
from ntm_memory_skill.transfer import to_jsonl, to_markdown


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import", rich_help_panel="Files")(import_)
    for command in (export, stats):
        app.command(command.__name__, rich_help_panel="Files")(command)


def import_(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="JSON lines, mem0 JSON, Markdown, or a folder with MEMORY.md.")],
) -> None:
    """Take in memories from files; what is there already is passed over."""
    output = of(context)
    offered = read_for_import(files)
    with output.memory() as memory:
        rows = bring_in(memory, offered, progress=False if output.as_json else None)

    def render(console: Console, envelope: Envelope) -> None:
        for row in envelope["files"]:
            counts = ", ".join(f"{row[count]} {count}" for count in ("taken", "merged", "skipped"))
            console.print(f"{literal(row['file'])} [dim]({row['format']})[/]: {counts}")

    output.show({"ok": True, "files": rows}, render)


def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write: .jsonl, or .md for people; - for JSON lines here.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    include_forgotten: Annotated[
        bool, typer.Option("--include-forgotten", help="Also what was forgotten to make room.")
    ] = False,
) -> None:
    """Write every live memory to a file. How often it was said and recalled stays behind."""
    output = of(context)
    with output.memory(require_encoder=False) as memory:
        state = memory.state
        forgotten = [record for record in state.forgotten.values() if record.merged_into is None]
        chosen = [*state.records.values(), *(forgotten if include_forgotten else ())]
        records = sorted(chosen, key=lambda record: record.ordinal)
    left = 0 if include_forgotten else len(forgotten)
    lines = to_markdown(records) if file.suffix.lower() == ".md" else to_jsonl(records)
    if str(file) == "-":
        sys.stdout.writelines(lines)
        return
    report.write_new(file, "".join(lines), force=force)
    output.show(
        {"ok": True, "file": str(file), "memories": len(records), "forgotten_left_out": left},
        lambda console, _: console.print(
            f"[green]exported[/] {len(records)} memories to {literal(str(file))}"
            + (f"; {left} forgotten ones are left out, --include-forgotten takes them along" if left else "")
        ),
    )


def stats(context: typer.Context) -> None:
    """Say what is in the memory, and how much room it takes."""
    output = of(context)
    with output.memory(require_encoder=False) as memory:
        found = report.statistics(memory, output.config)

    def render(console: Console, envelope: Envelope) -> None:
        table = Table(show_header=False, box=None)
        for name, value in envelope["stats"].items():
            shown = ", ".join(map(_said, value, value.values())) if isinstance(value, dict) else value
            table.add_row(f"[dim]{name.replace('_', ' ')}[/]", literal(str(shown)))
        console.print(table)

    output.show({"ok": True, "stats": found}, render)


def _said(name: str, number: int | None) -> str:
    return f"{name} {'not loaded' if number is None else number}"
