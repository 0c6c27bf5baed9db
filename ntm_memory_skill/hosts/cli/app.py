"""The application: global options, the verbs' registration, and what an error looks like.

Exit status: 0 done, 1 the tool's own error, 2 wrong usage or configuration, 3 the store is damaged or unreachable.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from ntm_memory_skill import __version__
from ntm_memory_skill.config import ENVIRONMENT, MEMORY_VARIABLE
from ntm_memory_skill.errors import NTMMemoryError
from ntm_memory_skill.hosts.cli.output import Output
from ntm_memory_skill.hosts.cli.verbs import VerbGroup
from ntm_memory_skill.tools import failure

HELP = "A memory for chat agents: stored for good, found by meaning, words and what was said next to it."
ENVIRONMENT_HELP = "Environment: " + " · ".join(f"{name}: {text}" for name, text in ENVIRONMENT.items())

app = typer.Typer(
    name="ntm-memory",
    cls=VerbGroup,
    help=HELP,
    epilog=ENVIRONMENT_HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ntm-memory {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    memory: Annotated[
        str | None,
        typer.Option("--memory", "-m", metavar="PATH", help=f"The memory's file or folder; else {MEMORY_VARIABLE}."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON envelope on standard output.")] = False,
    version: Annotated[  # noqa: ARG001  # the callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that every verb has."""
    context.obj = Output(memory_file=None if memory is None else Path(memory), as_json=as_json)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status."""
    _speak_utf8()
    try:
        return _status(global_options_first(arguments))
    except BrokenPipeError:
        # Whoever read our output has gone; so does the rest, without a complaint at the interpreter's exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _status(arguments: list[str]) -> int:
    try:
        result = app(args=arguments, prog_name="ntm-memory", standalone_mode=True)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # typer makes an exit with 1 of it
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except NTMMemoryError as error:
        as_json = "--json" in takewhile(lambda word: word != "--", arguments)
        Output(memory_file=None, as_json=as_json).error(failure(error))
        return error.exit_status
    return int(result or 0)


def global_options_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with `--json` and `--memory` in front, so that they may stand behind the verb as well."""
    ahead: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return [*ahead, *rest, word, *waiting]
        if word == "--json" or word.startswith("--memory="):
            ahead.append(word)
        elif word in ("--memory", "-m") and waiting:
            ahead.extend((word, waiting.pop(0)))
        else:
            rest.append(word)
    return [*ahead, *rest]


def _speak_utf8() -> None:
    """Read and print Chinese on terminals whose locale would not. Bytes that are no UTF-8 are left for the tools."""
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "replace"), (sys.stderr, "replace")):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors=errors)  # type: ignore[union-attr]  # absent on a double
