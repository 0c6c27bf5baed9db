"""Commands that bring memories in and out, say what there is, and serve it: import, export, stats, serve."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts import report
from ntm_memory_skill.hosts.cli.output import Envelope, literal, of
from ntm_memory_skill.hosts.compose import read_for_import
from ntm_memory_skill.hosts.importing import bring_in
from ntm_memory_skill.transfer import to_jsonl, to_markdown


class Transport(StrEnum):
    """How an MCP client talks to the server."""

    STDIO = "stdio"
    HTTP = "http"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import", rich_help_panel="Files")(import_)
    for command in (export, stats):
        app.command(command.__name__, rich_help_panel="Files")(command)
    app.command("serve", rich_help_panel="Hosts")(serve)


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
            shown = ", ".join(f"{key} {number}" for key, number in value.items()) if isinstance(value, dict) else value
            table.add_row(f"[dim]{name.replace('_', ' ')}[/]", literal(str(shown)))
        console.print(table)

    output.show({"ok": True, "stats": found}, render)


def serve(
    context: typer.Context,
    mcp: Annotated[Transport, typer.Option(help="How clients talk to it.")] = Transport.STDIO,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="For http: 0 takes a free one.")] = 8765,
    agents: Annotated[
        bool, typer.Option("--agents", help="For the OpenClaw plugin: each request names its agent's memory.")
    ] = False,
) -> None:
    """Serve the five tools to MCP clients: over stdio until the client hangs up, over http until interrupted.

    Over http it listens on this machine alone; clients show the token that lies beside the memory.
    """
    if agents and mcp is Transport.HTTP:
        raise InvalidArgument("--agents is for stdio", hint="Leave out --agents, or --mcp http.")
    if agents:
        from ntm_memory_skill.hosts.mcp.stdio import serve_agents

        serve_agents()
    elif mcp is Transport.STDIO:
        from ntm_memory_skill.hosts.mcp.stdio import serve_one

        serve_one(of(context).config)
    else:
        from ntm_memory_skill.hosts.mcp.http import serve_http

        serve_http(of(context).config, port)
