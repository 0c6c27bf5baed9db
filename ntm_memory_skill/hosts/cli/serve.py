"""`ntm-memory serve`: the five tools for MCP clients, and for the command line."""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import Annotated

import typer

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli.output import Output, of


class Transport(StrEnum):
    """How an MCP client talks to the server."""

    STDIO = "stdio"
    HTTP = "http"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", rich_help_panel="Hosts")(serve)


def serve(
    context: typer.Context,
    mcp: Annotated[Transport, typer.Option(help="How clients talk to it.")] = Transport.STDIO,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="For http: 0 takes a free one.")] = 8765,
    agents: Annotated[
        bool, typer.Option("--agents", help="For the OpenClaw plugin: each request names its agent's memory.")
    ] = False,
    socket: Annotated[
        bool, typer.Option("--socket", help="Serve no MCP clients, only the commands of the five tools here.")
    ] = False,
    idle: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="With --socket: end after so long without a command.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End the --socket server of this memory.")] = False,
) -> None:
    """Serve the five tools to MCP clients: over stdio until the client hangs up, over http until interrupted.

    Over http it listens on this machine alone; clients show the token that lies beside the memory. Whichever it is, it
    also answers the commands of the five tools, over a socket beside the memory.
    """
    output = of(context)
    if agents and mcp is Transport.HTTP:
        raise InvalidArgument("--agents is for stdio", hint="Leave out --agents, or --mcp http.")
    if agents + socket + stop > 1:
        raise InvalidArgument("--agents, --socket and --stop go alone", hint="Leave out all but one.")
    if idle is not None and not (socket and 0 < idle < inf):
        raise InvalidArgument("--idle is for --socket, and above 0", hint="Leave it out, or give both.")
    if stop:
        _stop(output)
    elif socket:
        from ntm_memory_skill.hosts.resident.server import serve_commands

        serve_commands(output.config, idle)
    elif agents:
        from ntm_memory_skill.hosts.mcp.stdio import serve_agents

        serve_agents()
    elif mcp is Transport.STDIO:
        from ntm_memory_skill.hosts.mcp.stdio import serve_one

        serve_one(output.config)
    else:
        from ntm_memory_skill.hosts.mcp.http import serve_http

        serve_http(output.config, port)


def _stop(output: Output) -> None:
    """End the process that answers commands over this memory, if there is one."""
    from ntm_memory_skill.hosts.resident.client import told

    answer = told(output.config.memory_file, "stop")
    if answer is not None and not answer.get("stopping"):
        message = f"process {answer.get('process')} serves MCP clients as well"
        raise InvalidArgument(message, hint="It ends with its clients, or when you end it.")
    text = "[dim]none is there[/]" if answer is None else f"[green]stopped[/]: process {answer.get('process')}"
    output.show({"ok": True, "stopped": answer is not None}, lambda console, _: console.print(text))
