"""What every command has at hand: the memory's place, and a way to show results to a person or a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ntm_memory_skill.config import Config
    from ntm_memory_skill.encoder import Encoder
    from ntm_memory_skill.engine import NTMMemoryManager

Envelope = Mapping[str, Any]

BRACKET = "\\[[none][/]"


@dataclass(frozen=True)
class Output:
    """The global options, and what follows from them."""

    memory_file: Path | None
    as_json: bool

    @cached_property
    def config(self) -> Config:
        """The configuration; raises ConfigError where it holds mistakes."""
        from ntm_memory_skill.hosts import compose

        return compose.configured(self.memory_file)

    @cached_property
    def console(self) -> Console:
        """Where results go."""
        return terminal()

    @contextmanager
    def memory(self, *, require_encoder: bool = True, encoder: Encoder | None = None) -> Iterator[NTMMemoryManager]:
        """Open the configured memory for a block, and say what was mended in it."""
        from ntm_memory_skill.hosts import compose

        with compose.open_memory(self.config, require_encoder=require_encoder, encoder=encoder) as memory:
            self.note(memory.warnings)
            yield memory

    def note(self, warnings: Sequence[str]) -> None:
        """Say on standard error what was mended in the memory."""
        for warning in warnings:
            terminal(stderr=True).print(f"[yellow]note:[/] {literal(warning)}")

    def show(self, envelope: Envelope, render: Callable[[Console, Envelope], None]) -> None:
        """Print an envelope as JSON, or through `render` for a person; exit with 1 if it is a failure."""
        if not envelope.get("ok"):
            self.error(envelope)
            raise typer.Exit(1)
        if self.as_json:
            self.dump(envelope)
        else:
            render(self.console, envelope)

    def error(self, envelope: Envelope) -> None:
        """Print a failure: JSON on standard output, or words on standard error."""
        if self.as_json:
            self.dump(envelope)
            return
        error = envelope["error"]
        console = terminal(stderr=True)
        console.print(f"[red]{literal(error['code'])}[/]: {literal(error['message'])}")
        if error["hint"]:
            console.print(f"  {literal(error['hint'])}")

    def dump(self, envelope: Envelope) -> None:
        """Print JSON, one object on one line, readable in any language."""
        typer.echo(json.dumps(envelope, ensure_ascii=False))


def terminal(*, stderr: bool = False) -> Console:
    """Return a console that prints text as it stands: no colours for numbers, no line breaks, no emoji for codes."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)


def literal(text: str) -> str:
    """Return markup that prints exactly `text`.

    rich's own `escape` misjudges backslashes: at the end of a text, since it cannot know whether a tag follows them,
    and before a bracket that begins none. Here a tag always follows: at the end it halves them, and behind a bracket it
    keeps that from beginning another, so that one backslash is all that it takes.
    """
    bare = text.rstrip("\\")
    return f"[none]{bare.replace('[', BRACKET)}" + "\\" * 2 * (len(text) - len(bare)) + "[/]"


def of(context: typer.Context) -> Output:
    """Return the output that a command was given."""
    output: Output = context.obj
    return output


def show_findings(console: Console, envelope: Envelope) -> None:
    """Print what was examined, one line each."""
    for row in envelope["findings"]:
        mark = "[green]ok [/]" if row["ok"] else "[red]bad[/]"
        console.print(f"{mark} {literal(row['subject'])}: {literal(row['detail'])}")
        if row.get("hint"):
            console.print(f"     {literal(row['hint'])}")
