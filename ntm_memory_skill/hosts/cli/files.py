"""Commands that bring memories in and out, say what there is, and serve it: import, export, stats, serve, doctor."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ntm_memory_skill.hosts import doctor as checks
from ntm_memory_skill.hosts import report
from ntm_memory_skill.hosts.cli.output import Envelope, literal, of, show_findings
from ntm_memory_skill.hosts.compose import read_for_import
from ntm_memory_skill.hosts.importing import bring_in
from ntm_memory_skill.transfer import to_jsonl, to_markdown


class Transport(StrEnum):
    """How an MCP client talks to the server."""

    STDIO = "stdio"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import", rich_help_panel="Files")(import_)
    for command in (export, stats):
        app.command(command.__name__, rich_help_panel="Files")(command)
    app.command("serve", rich_help_panel="Hosts")(serve)
    app.command("doctor", rich_help_panel="Hosts")(doctor)


def import_(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="JSON lines, Markdown, or a folder with MEMORY.md.")],
) -> None:
    """Take in memories from files; what is there already is passed over."""
    output = of(context)
    offered = read_for_import(files)
    with output.memory() as memory:
        rows = [bring_in(memory, each, progress=False if output.as_json else None) for each in offered]

    def render(console: Console, envelope: Envelope) -> None:
        for row in envelope["files"]:
            console.print(
                f"{literal(row['file'])} [dim]({row['format']})[/]: {row['taken']} taken, {row['skipped']} there"
            )

    output.show({"ok": True, "files": rows}, render)


def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write: .jsonl, or .md for people; - for JSON lines here.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write every live memory to a file."""
    output = of(context)
    with output.memory(require_encoder=False) as memory:
        records = sorted(memory.state.records.values(), key=lambda record: record.ordinal)
    lines = to_markdown(records) if file.suffix.lower() == ".md" else to_jsonl(records)
    if str(file) == "-":
        sys.stdout.writelines(lines)
        return
    report.write_new(file, "".join(lines), force=force)
    output.show(
        {"ok": True, "file": str(file), "memories": len(records)},
        lambda console, _: console.print(f"[green]exported[/] {len(records)} memories to {literal(str(file))}"),
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
    mcp: Annotated[Transport, typer.Option(help="How the client talks to it.")] = Transport.STDIO,  # noqa: ARG001  # one so far
) -> None:
    """Serve the five tools to an MCP client until it hangs up."""
    from ntm_memory_skill.hosts.mcp import serve_stdio

    serve_stdio(of(context).config)


def doctor(context: typer.Context) -> None:
    """Say what is wrong with the installation, and how to mend it."""
    output = of(context)
    findings = checks.examine(output.memory_file)
    rows = [{"ok": each.ok, "subject": each.subject, "detail": each.detail, "hint": each.hint} for each in findings]
    healthy = all(each.ok for each in findings)
    if output.as_json:
        output.dump({"ok": healthy, "findings": rows})
    else:
        show_findings(output.console, {"findings": rows})
    raise typer.Exit(0 if healthy else 1)
