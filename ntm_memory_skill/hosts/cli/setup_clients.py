"""`ntm-memory setup --client`, and its --undo: what a person sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from ntm_memory_skill.hosts.cli.consent import Consent, show_change, show_lines
from ntm_memory_skill.hosts.cli.output import Envelope, Output, literal
from ntm_memory_skill.hosts.compose import check_enabled
from ntm_memory_skill.hosts.setup import clients, edit
from ntm_memory_skill.hosts.setup.clients import CLIENTS, GENERIC, Client, Entry
from ntm_memory_skill.hosts.setup.edit import Edit
from ntm_memory_skill.hosts.setup.plan import dotted
from ntm_memory_skill.store import Paths

FIRST_WORDS = "Tell it something to remember, and ask for it in a new chat."


@dataclass(frozen=True, slots=True)
class ClientSetup:
    """Which clients are meant, and whether for a project."""

    names: list[str]
    project: Path | None

    def run(self, output: Output, consent: Consent, *, undo: bool) -> None:
        """Set the clients up, or take that back: all are looked at before any is changed."""
        if not undo:
            check_enabled(output.config)
        memory = Paths.of(output.config.memory_file).snapshot.absolute()
        clawhub = None if output.config.origin is None else output.config.origin.absolute()

        def entry(client: Client | None) -> Entry:
            return clients.server_entry(client, memory, clawhub)

        generic = clients.snippet(None, entry(None)) if GENERIC in self.names and not undo else None
        edits = [
            edit.prepare(
                CLIENTS[name], edit.locate(name, Path.home(), self.project), None if undo else entry(CLIENTS[name])
            )
            for name in self.names
            if name != GENERIC
        ]
        if not output.as_json:
            if not undo:
                output.console.print(f"Memory: {literal(str(memory))}")
            self._show(output.console, edits, generic)
        needed = [each for each in edits if each.needed]
        done = bool(needed) and consent.given(output)
        for each in needed if done else ():
            edit.make(each)
        _end(output, memory, edits, generic, done=done, undo=undo)

    def _show(self, console: Console, edits: list[Edit], generic: str | None) -> None:
        for each in edits:
            console.print(f"{each.client.title}: {literal(str(each.file))}")
            if each.needed:
                show_change(console, _name(each), each.before, each.after)
                show_lines(console, "note", self._notes(each))
            else:
                console.print("  [dim]nothing is to be changed[/]")
        if generic is not None:
            console.print("For any other client:")
            console.print(literal(generic))

    def _notes(self, each: Edit) -> Iterator[str]:
        if self.project is None and each.client.note:
            yield each.client.note
        if self.project is not None and each.after is not None:
            yield "the entry holds paths of this machine: do not share the file"
        if each.data is None:
            yield "the file will be made, for your eyes alone"
        if each.result is None and each.data is not None:
            yield "nothing else is in the file, so it goes"


def _name(each: Edit) -> str:
    return dotted((each.client.servers, clients.SERVER))


def _end(output: Output, memory: Path, edits: list[Edit], generic: str | None, *, done: bool, undo: bool) -> None:
    """Say how it ended, and what comes next."""
    following = [f"{each.client.title}: {each.client.restart}." for each in edits if done and each.needed]
    if done and not undo:
        following.append(FIRST_WORDS)
    rows = [
        {
            "client": each.client.title,
            "file": str(each.file),
            "path": _name(each),
            "before": each.before,
            "after": each.after,
        }
        for each in edits
    ]
    envelope: dict[str, Any] = {"ok": True, "done": done, "memory": str(memory), "clients": rows, "next": following}
    if generic is not None:
        envelope["generic"] = generic

    def render(console: Console, _: Envelope) -> None:
        if edits:
            closing = ("undone" if undo else "set up") if done else "nothing was changed"
            console.print(f"[green]{closing}[/]" if done else f"[dim]{closing}[/]")
        for line in following:
            console.print(literal(line))

    output.show(envelope, render)
