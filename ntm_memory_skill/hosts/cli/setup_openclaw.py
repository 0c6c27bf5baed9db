"""`ntm-memory setup`, and its --undo, for OpenClaw: what a person sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from ntm_memory_skill.config import Config
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli.consent import Consent, show_change, show_lines
from ntm_memory_skill.hosts.cli.output import Envelope, Output, literal
from ntm_memory_skill.hosts.manifest import SKILL
from ntm_memory_skill.hosts.setup import install, openclaw
from ntm_memory_skill.hosts.setup.clients import interpreter
from ntm_memory_skill.hosts.setup.install import Prepared
from ntm_memory_skill.hosts.setup.plan import CORE, ENTRY, Change, Wishes, at

RELOADS = (
    "A running gateway takes the change up by itself, unless OpenClaw says otherwise here; else: openclaw gateway run"
)
FIRST_WORDS = "Tell your agent something to remember, and ask for it in a new chat. To check: ntm-memory doctor"


@dataclass(frozen=True, slots=True)
class HostSetup:
    """The options that are for OpenClaw."""

    openclaw: Path | None
    data_folder: Path | None
    auto_recall: bool | None
    auto_capture: bool | None
    disable_memory_core: bool

    @property
    def wishes(self) -> list[str]:
        """The options that were given and say how it is to be set up."""
        values = {
            "--data-folder": self.data_folder,
            "--auto-recall": self.auto_recall,
            "--auto-capture": self.auto_capture,
            "--disable-memory-core": self.disable_memory_core or None,
        }
        return [name for name, value in values.items() if value is not None]

    def run(self, output: Output, consent: Consent) -> None:
        """Set OpenClaw up."""
        wishes = self._wishes(output.config)
        prepared = install.prepare(openclaw.find(self.openclaw), wishes)
        notes = [*_notes(prepared, wishes, output)]
        if not output.as_json:
            _show(output.console, prepared, prepared.changes, notes)
        if not prepared.changes:
            _end(output, prepared, notes, said="", done=False, closing="nothing is to be changed")
        elif consent.given(output):
            said = install.carry_out(prepared)
            _end(output, prepared, notes, said=said, done=True, closing="set up", following=(RELOADS, FIRST_WORDS))
        else:
            _end(output, prepared, notes, said="", done=False, closing="nothing was changed")

    def undo(self, output: Output, consent: Consent) -> None:
        """Put back what was there before."""
        prepared = install.prepare_undo(openclaw.find(self.openclaw))
        notes = [*_notes_on_undo(prepared)]
        if not output.as_json:
            _show(output.console, prepared, prepared.changes, notes)
        if not prepared.changes and prepared.former is None:
            _end(output, prepared, notes, said="", done=False, closing="nothing is to be undone")
        elif consent.given(output):
            said = install.take_back(prepared)
            _end(output, prepared, notes, said=said, done=True, closing="undone", following=(RELOADS,))
        else:
            _end(output, prepared, notes, said="", done=False, closing="nothing was changed")

    def _wishes(self, config: Config) -> Wishes:
        folder = None if self.data_folder is None else self.data_folder.expanduser().absolute()
        if folder is not None and folder.exists() and not folder.is_dir():
            raise InvalidArgument(f"{folder} is no folder", hint="Give a folder with --data-folder.")
        return Wishes(
            command=(str(interpreter()), "-m", "ntm_memory_skill"),
            enabled=config.enabled,
            data_folder=folder,
            auto_recall=self.auto_recall,
            auto_capture=self.auto_capture,
            disable_memory_core=self.disable_memory_core,
        )


def _notes(prepared: Prepared, wishes: Wishes, output: Output) -> Iterator[str]:
    """Yield what a person should know before they agree."""
    config = output.config
    if not wishes.enabled:
        yield f"{config.origin} says enabled: false, so the plugin is switched off and leaves the memory slot alone"
    if "auto_update" in config.stated:
        yield (
            f"auto_update in {config.origin} has no counterpart in OpenClaw, and is not written there: "
            f"the skill is updated by clawhub update {SKILL}, and ntm-memory never updates itself"
        )
    if output.memory_file is not None:
        yield "--memory is not used: each agent has a memory of its own, in its workspace or below --data-folder"
    if wishes.enabled and not wishes.disable_memory_core and at(prepared.tree, CORE) is not False:
        yield (
            "OpenClaw's memory-core stays loaded and goes on offering its own memory_search; "
            "--disable-memory-core removes that, and with it the command openclaw memory"
        )
    if any(change.path == (*ENTRY, "config", "dataDir") for change in prepared.changes):
        yield "memories that agents have elsewhere are not moved"
    if prepared.changes:
        if prepared.loses_comments:
            yield "OpenClaw writes the file anew as plain JSON, without its comments; --undo brings them back"
        yield f"what was there before is kept for --undo in {prepared.record_file}, which only you can read"


def _notes_on_undo(prepared: Prepared) -> Iterator[str]:
    if prepared.former is None and prepared.changes:
        yield f"there is no {prepared.record_file}, so only ntm-memory's own entries are taken out"
    elif prepared.former is not None and prepared.exactly:
        was = (
            "it becomes what it was, byte for byte" if prepared.former.before is not None else "it goes, as it was made"
        )
        yield f"nobody has written to the file since: {was}"
    elif prepared.former is not None:
        yield "the file has been changed since: only what ntm-memory setup has written is taken back"
    for change in prepared.left:
        yield f"{change.name} has been changed since, and is left as it is"


def _show(console: Console, prepared: Prepared, changes: tuple[Change, ...], notes: list[str]) -> None:
    console.print(f"OpenClaw {prepared.host.version}: {literal(prepared.host.command)}")
    console.print(f"Configuration: {literal(str(prepared.file))}")
    for change in changes:
        show_change(console, change.name, change.before, change.after)
    show_lines(console, "note", notes)


def _end(
    output: Output,
    prepared: Prepared,
    notes: list[str],
    *,
    said: str,
    done: bool,
    closing: str,
    following: tuple[str, ...] = (),
) -> None:
    """Say how it ended, and what comes next."""
    changes = [{"path": each.name, "before": each.before, "after": each.after} for each in prepared.changes]
    envelope: dict[str, Any] = {
        "ok": True,
        "done": done,
        "openclaw": {"command": prepared.host.command, "version": prepared.host.version},
        "file": str(prepared.file),
        "changes": changes,
        "notes": notes,
        "said": said,
        "next": list(following),
    }

    def render(console: Console, _: Envelope) -> None:
        console.print(f"[green]{closing}[/]" if done else f"[dim]{closing}[/]")
        if said:
            console.print(f"OpenClaw: {literal(said)}")
        for line in following:
            console.print(literal(line))

    output.show(envelope, render)
