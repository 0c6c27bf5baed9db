"""Commands that bring the memory into a host, and look at how it is doing there: setup, doctor."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts import doctor as checks
from ntm_memory_skill.hosts.cli.consent import Consent
from ntm_memory_skill.hosts.cli.output import of, show_findings
from ntm_memory_skill.hosts.cli.setup_clients import ClientSetup
from ntm_memory_skill.hosts.cli.setup_openclaw import HostSetup
from ntm_memory_skill.hosts.setup.checkup import examine_openclaw
from ntm_memory_skill.hosts.setup.clients import CLIENTS, GENERIC

Named = Annotated[Path | None, typer.Option(metavar="PATH", help="OpenClaw's command, if it is not on PATH.")]


class ClientName(StrEnum):
    """A client that can be set up."""

    CLAUDE_CODE = "claude-code"
    CLAUDE_DESKTOP = "claude-desktop"
    CODEX = "codex"
    CURSOR = "cursor"
    DEVIN_DESKTOP = "devin-desktop"
    GEMINI = "gemini"
    VSCODE = "vscode"
    WINDSURF = "windsurf"
    GENERIC = GENERIC


if {*ClientName} != {*CLIENTS, GENERIC}:
    raise AssertionError("a client cannot be named, or a name has no client")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (setup, doctor):
        app.command(command.__name__, rich_help_panel="Hosts")(command)


def setup(
    context: typer.Context,
    client: Annotated[
        list[ClientName] | None,
        typer.Option(
            metavar="NAME", help=f"Set up this MCP client in place of OpenClaw; repeatable: {', '.join(ClientName)}."
        ),
    ] = None,
    project: Annotated[
        bool, typer.Option("--project", help="With --client: for the project in this folder alone.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Put back what was there before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change, and make none.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Make the change without asking.")] = False,
    openclaw: Named = None,
    data_folder: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Keep all agents' memories here; else each lies in its workspace."),
    ] = None,
    auto_recall: Annotated[
        bool | None, typer.Option(help="Put what is remembered before the model in each turn; on at first.")
    ] = None,
    auto_capture: Annotated[
        bool | None, typer.Option(help="Memorize what the user says, when it sounds worth keeping; off at first.")
    ] = None,
    disable_memory_core: Annotated[
        bool,
        typer.Option("--disable-memory-core", help="Also switch off OpenClaw's own memory_search and openclaw memory."),
    ] = False,
) -> None:
    """Bring the memory into OpenClaw, or an MCP client: shows the change, asks, makes it, and can take it back."""
    output, consent = of(context), Consent(yes, dry_run)
    host = HostSetup(openclaw, data_folder, auto_recall, auto_capture, disable_memory_core)
    if client:
        foreign = [*host.wishes, *(["--openclaw"] if openclaw is not None else [])]
        if foreign:
            raise InvalidArgument(f"{', '.join(foreign)}: for OpenClaw alone", hint="Leave out one or the other.")
        ClientSetup([str(name) for name in dict.fromkeys(client)], Path.cwd() if project else None).run(
            output, consent, undo=undo
        )
        return
    if project:
        raise InvalidArgument("--project is for --client", hint="Leave it out, or name a client.")
    if undo:
        if host.wishes:
            raise InvalidArgument(f"{', '.join(host.wishes)}: not with --undo", hint="Leave out one or the other.")
        host.undo(output, consent)
    else:
        host.run(output, consent)


def doctor(
    context: typer.Context,
    host: Annotated[
        bool | None, typer.Option(help="Examine OpenClaw even if it seems absent, or not at all.", show_default=False)
    ] = None,
    openclaw: Named = None,
) -> None:
    """Say what is wrong with the installation, and how to mend it."""
    output = of(context)
    findings = checks.examine(output.memory_file)
    if host is not False:
        required = bool(host) or openclaw is not None
        findings += examine_openclaw(checks.enabled(output.memory_file), openclaw, required=required)
    rows = [{"ok": each.ok, "subject": each.subject, "detail": each.detail, "hint": each.hint} for each in findings]
    healthy = all(each.ok for each in findings)
    if output.as_json:
        output.dump({"ok": healthy, "findings": rows})
    else:
        show_findings(output.console, {"findings": rows})
    raise typer.Exit(0 if healthy else 1)
