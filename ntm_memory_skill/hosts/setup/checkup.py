"""What is wrong with ntm-memory in OpenClaw, and how to mend it: a few calls of the host's, none of which may hang."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntm_memory_skill import __version__
from ntm_memory_skill.errors import HostError, HostMissing
from ntm_memory_skill.hosts.doctor import Diagnosis, examine_folder
from ntm_memory_skill.hosts.openclaw import contract
from ntm_memory_skill.hosts.setup import openclaw
from ntm_memory_skill.hosts.setup.openclaw import Agent
from ntm_memory_skill.hosts.setup.plan import CORE, ENTRY, LOAD, SLOT, at, ours
from ntm_memory_skill.store.paths import DEFAULT_NAME

PATIENCE = 30.0
"""Seconds that one call may take."""

SET_UP = "Run: ntm-memory setup"


def examine_openclaw(enabled: bool | None, named: Path | None = None, *, required: bool = False) -> list[Diagnosis]:
    """Examine OpenClaw, what it loads, how that is set, and each agent's folder, in that order.

    Args:
        enabled: What clawhub.json says; None if it cannot be read.
        named: Its command, in place of the one on PATH.
        required: Whether it is a failure that there is no OpenClaw, or no ntm-memory in it.
    """
    try:
        host = openclaw.find(named, patience=PATIENCE)
    except HostMissing as error:
        return [Diagnosis(not required, "OpenClaw", error.message, error.hint if required else "")]
    except HostError as error:
        return [Diagnosis(False, "OpenClaw", error.message, error.hint)]
    found = [Diagnosis(True, "OpenClaw", f"{host.version} at {host.command}")]
    try:
        tree = host.plugins()
        installed = Installed(tree, enabled)
        if installed.is_set_up:
            found += [*installed.examine(), *_folders(host.agents(), installed.data_folder)]
        else:
            found.append(Diagnosis(not required, "plugin", "ntm-memory is not set up in OpenClaw", SET_UP))
    except HostError as error:
        found.append(Diagnosis(False, "OpenClaw's configuration", error.message, error.hint))
    return found


@dataclass(frozen=True, slots=True)
class Installed:
    """What a configuration says of ntm-memory."""

    tree: dict[str, Any]
    enabled: bool | None

    @property
    def is_set_up(self) -> bool:
        """Whether anything in it is about ntm-memory."""
        return bool(self._folders or self._entry("command")) or at(self.tree, SLOT) == contract.PLUGIN_ID

    @property
    def data_folder(self) -> Path | None:
        """The folder for all agents' memories, if there is one."""
        named = self._entry("dataDir")
        return Path(named) if isinstance(named, str) else None

    def examine(self) -> Iterator[Diagnosis]:
        """Examine where the plugin is loaded from, what it starts, and what it is allowed."""
        yield self._plugin()
        yield self._switch()
        yield self._slot()
        yield self._command()
        yield self._hooks()
        yield self._core()

    @property
    def _folders(self) -> list[str]:
        return [each for each in at(self.tree, LOAD) or () if ours(each)]

    @property
    def _on(self) -> bool:
        return at(self.tree, (*ENTRY, "enabled")) is True

    def _entry(self, name: str) -> Any:
        return at(self.tree, (*ENTRY, "config", name))

    def _plugin(self) -> Diagnosis:
        wanted = str(contract.PLUGIN_FOLDER)
        if self._folders != [wanted]:
            others = ", ".join(self._folders) or "nowhere"
            return Diagnosis(False, "plugin", f"is loaded from {others}, not from this installation: {wanted}", SET_UP)
        if not contract.PLUGIN_FOLDER.is_dir():
            hint = "Install ntm-memory again."
            return Diagnosis(False, "plugin", f"{wanted} is not there", hint)
        return Diagnosis(True, "plugin", f"is loaded from {wanted}")

    def _switch(self) -> Diagnosis:
        state = "on" if self._on else "off"
        if self.enabled is not None and self._on != self.enabled:
            detail = f"is {state}, but clawhub.json says enabled: {str(self.enabled).lower()}"
            return Diagnosis(False, "plugin's switch", detail, SET_UP)
        return Diagnosis(True, "plugin's switch", f"is {state}")

    def _slot(self) -> Diagnosis:
        holder = at(self.tree, SLOT) or "memory-core"
        good = (holder == contract.PLUGIN_ID) == self._on
        return Diagnosis(good, "memory slot", f"is held by {holder}", "" if good else SET_UP)

    def _command(self) -> Diagnosis:
        command, subject = self._entry("command"), "plugin's command"
        if not isinstance(command, list) or not command:
            return Diagnosis(False, subject, "is not set", SET_UP)
        try:
            ran = openclaw.run([*map(str, command), "--version"], PATIENCE)
        except HostError as error:
            return Diagnosis(False, subject, error.message, SET_UP)
        shown, wanted = " ".join(map(str, command)), f"ntm-memory {__version__}"
        if ran.status or ran.out.strip() != wanted:
            answer = ran.words.splitlines()[-1] if ran.words else f"exit status {ran.status}"
            return Diagnosis(False, subject, f"{shown} answers {answer!r}, not {wanted!r}", SET_UP)
        return Diagnosis(True, subject, f"{shown} is {wanted}")

    def _hooks(self) -> Diagnosis:
        if at(self.tree, (*ENTRY, "hooks", "allowConversationAccess")) is not True:
            detail = "automatic recall and capture are blocked; run ntm-memory setup"
            return Diagnosis(False, "plugin's permission", detail, SET_UP)
        states = ((name, self._entry(f"auto{name.capitalize()}")) for name in ("recall", "capture"))
        shown = ", ".join(f"{name} is {'on' if state else 'off'}" for name, state in states)
        return Diagnosis(True, "plugin's permission", f"it may take part in conversations; automatic {shown}")

    def _core(self) -> Diagnosis:
        if at(self.tree, CORE) is False:
            return Diagnosis(True, "memory-core", "is switched off")
        detail = (
            "is loaded as well, and offers its own memory_search; ntm-memory setup --disable-memory-core removes it"
        )
        return Diagnosis(True, "memory-core", detail)


def memory_files(agents: tuple[Agent, ...], data_folder: Path | None) -> dict[str, Path]:
    """Return where each agent's memory lies, as the plugin has it: memory-place.js."""
    first: dict[Path, str] = {}
    found = {}
    for agent in agents:
        if data_folder is not None:
            folder = data_folder / agent.name
        elif first.setdefault(agent.workspace, agent.name) == agent.name:
            folder = agent.workspace / "memory"
        else:
            folder = agent.workspace / "memory" / "agents" / agent.name
        found[agent.name] = folder / DEFAULT_NAME
    return found


def _folders(agents: tuple[Agent, ...], data_folder: Path | None) -> Iterator[Diagnosis]:
    hint = "Give it the rights that it lacks, or choose another: ntm-memory setup --data-folder PATH"
    for name, file in memory_files(agents, data_folder).items():
        yield examine_folder(file, f"memory of agent {name}", hint)
