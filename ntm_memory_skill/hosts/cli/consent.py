"""A change to somebody's configuration: shown first, then made only by their leave."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli.output import Output, literal


@dataclass(frozen=True, slots=True)
class Consent:
    """How leave is given."""

    yes: bool
    """Beforehand."""
    dry_run: bool
    """Not at all: the change is to be shown only."""

    def given(self, output: Output) -> bool:
        """Return whether the change that was shown may be made, asking if need be.

        Raises:
            InvalidArgument: There is nobody to ask.
        """
        if self.dry_run or self.yes:
            return not self.dry_run
        if output.as_json or not sys.stdin.isatty():
            hint = "Look at the change with --dry-run, and make it with --yes."
            raise InvalidArgument("nothing was changed: there is no terminal to ask at", hint=hint)
        return typer.confirm("Make this change?")


def show_change(console: Console, name: str, before: Any, after: Any) -> None:
    """Print one value before and after, a line each."""
    console.print(f"  {literal(name)}")
    console.print(f"    [red]before[/]  {_value(before)}")
    console.print(f"    [green]after[/]   {_value(after)}")


def show_lines(console: Console, label: str, lines: Iterable[str]) -> None:
    """Print remarks, one line each."""
    for line in lines:
        console.print(f"[yellow]{label}:[/] {literal(line)}")


def _value(value: Any) -> str:
    return "[dim]not set[/]" if value is None else literal(json.dumps(value, ensure_ascii=False))
