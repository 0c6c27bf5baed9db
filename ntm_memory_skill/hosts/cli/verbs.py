"""Which verbs there are, and in which module each is: a command line imports the one that it calls.

The law: `--help` shows what it would if all were imported, for then they are.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from ntm_memory_skill.hosts.cli.plain import passed_over

HOMES = {
    "tools": "memorize recall search update erase",
    "files": "import export stats",
    "serve": "serve",
    "upkeep": "verify repair compact restore reindex encrypt decrypt",
    "lifecycle": "consolidate audit graph",
    "setup": "setup doctor",
    "proof": "demo",
    "evaluate": "eval",
    "explain": "explain",
    "train": "train",
    "tasks": "tasks",
    "crossbar": "crossbar",
    "encoder": "encoder",
}
"""The modules of this package and the verbs that each registers, in the order in which they are listed."""


class Verbs(MutableMapping[str, Any]):
    """The commands by name; one is made when it is first looked at."""

    def __init__(self) -> None:
        self._homes = {verb: home for home, verbs in HOMES.items() for verb in verbs.split()}
        self._made: dict[str, Any] = {}

    def __getitem__(self, verb: str) -> Any:
        if verb not in self._made:
            parent = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)
            import_module(f"{__package__}.{self._homes[verb]}").register(parent)
            self._made.update(get_group(parent).commands)
        return self._made[verb]

    def __setitem__(self, verb: str, command: Any) -> None:
        self._homes.setdefault(verb, "")
        self._made[verb] = command

    def __delitem__(self, verb: str) -> None:
        del self._homes[verb]
        self._made.pop(verb, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)


class VerbGroup(TyperGroup):
    """The command line's root, with all verbs."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Verbs()

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options that every verb has."""
        return passed_over(super().get_params(ctx))
