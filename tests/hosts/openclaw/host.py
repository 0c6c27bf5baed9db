"""A place of its own for the real host: home, state, configuration, two agents with their workspaces.

What runs here reads and writes nothing outside its folder, and its configuration names nothing but 127.0.0.1.
A process belongs to a place when its environment names the place's state folder.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.hosts.openclaw.contract import PLUGIN_FOLDER, PLUGIN_ID
from tests.hosts.command_line import PROGRAM, Outcome
from tests.hosts.openclaw import model
from tests.hosts.openclaw.installation import Installation
from tests.hosts.openclaw.processes import kill, processes_with, until

AGENTS = ("main", "other")
TOKEN = "token-of-this-test"  # noqa: S105  # it opens a gateway on 127.0.0.1 that lives as long as the test
COMMAND_S = 180
"""Seconds that one command may take; most take five."""
ENDING_S = 10
"""Seconds that a child may take to notice that its parent has ended."""


class Host:
    """Such a place, under `folder`.

    Args:
        installation: The programs.
        folder: Where it lies; made if it is not there.
        model_address: Of the model that both agents use.
        registry_address: Of the registry that skills are published to and installed from.
    """

    def __init__(
        self, installation: Installation, folder: Path, *, model_address: str, registry_address: str | None = None
    ) -> None:
        self.folder = folder
        self.port = _free_port()
        self.config = _configuration(folder, self.port, model_address)
        """What openclaw.json says, until `write` is called again."""
        self._installation = installation
        self._registry = registry_address or f"http://127.0.0.1:{_free_port()}"
        for name in ("home", "state", "temporary", *(f"workspaces/{agent}" for agent in AGENTS)):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.write()

    @property
    def environment(self) -> dict[str, str]:
        """All that its processes inherit."""
        folders = {"HOME": "home", "OPENCLAW_HOME": "home", "OPENCLAW_STATE_DIR": "state", "TMPDIR": "temporary"}
        files = {"OPENCLAW_CONFIG_PATH": "openclaw.json", "CLAWHUB_CONFIG_PATH": "clawhub.json"}
        addresses = ("OPENCLAW_CLAWHUB_URL", "CLAWHUB_REGISTRY", "CLAWHUB_SITE")
        switches = ("NO_RESPAWN", "NO_AUTO_UPDATE", "DISABLE_BONJOUR", "SKIP_CHANNELS")
        return {
            "PATH": self._installation.path,
            "LANG": "C.UTF-8",
            "CI": "1",
            "NO_COLOR": "1",
            "HF_HUB_OFFLINE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "CLAWHUB_DISABLE_TELEMETRY": "1",
            **{name: str(self.folder / place) for name, place in (folders | files).items()},
            **dict.fromkeys(addresses, self._registry),
            **{f"OPENCLAW_{switch}": "1" for switch in switches},
        }

    def workspace(self, agent: str = "main") -> Path:
        """Return an agent's workspace."""
        return self.folder / "workspaces" / agent

    def write(self) -> None:
        """Write `config` to openclaw.json."""
        (self.folder / "openclaw.json").write_text(json.dumps(self.config, indent=2), encoding="utf-8")

    def enable_plugin(self, folder: Path = PLUGIN_FOLDER, ident: str = PLUGIN_ID, **config: Any) -> None:
        """Configure a plugin for the memory slot, as it lies in its folder; our own one if none is named.

        Args:
            folder: Where the plugin is.
            ident: What it is called.
            config: Its own configuration; `command` is this project, run by the tests' interpreter, unless it is given.
        """
        entry = {"enabled": True, "hooks": {"allowConversationAccess": True}, "config": {"command": PROGRAM, **config}}
        self.config["plugins"] = {
            "load": {"paths": [str(folder)]},
            "slots": {"memory": ident},
            "entries": {ident: entry},
        }
        self.write()

    def openclaw(self, *arguments: str | Path, limit_s: float = COMMAND_S) -> Outcome:
        """Run one `openclaw` command to its end."""
        return self._run("openclaw", arguments, limit_s)

    def clawhub(self, *arguments: str | Path, limit_s: float = COMMAND_S) -> Outcome:
        """Run one `clawhub` command to its end."""
        return self._run("clawhub", arguments, limit_s)

    def start(self, program: str, *arguments: str | Path, log: Path) -> subprocess.Popen[bytes]:
        """Start a program of the host in a session of its own, with both outputs in a log."""
        command = [self._installation.program(program), *map(str, arguments)]
        with log.open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def processes(self) -> dict[int, str]:
        """Return the command line of every process that runs here, by its number."""
        return processes_with("OPENCLAW_STATE_DIR", str(self.folder / "state"))

    def left(self, limit_s: float = ENDING_S) -> list[str]:
        """Return the command lines of what still runs here after so many seconds, and kill it."""
        until(lambda: not self.processes(), limit_s)
        left = self.processes()
        kill(list(left))
        return list(left.values())

    def _run(self, program: str, arguments: tuple[str | Path, ...], limit_s: float) -> Outcome:
        command = [self._installation.program(program), *map(str, arguments)]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
                pytest.fail(f"{program} {arguments} took over {limit_s} s:\n{out.decode()}\n{err.decode()}")
        return Outcome(process.returncode, out.decode(), err.decode())


def _configuration(folder: Path, port: int, model_address: str) -> dict[str, Any]:
    agents = {
        "ownership": "explicit",
        "defaults": {
            "model": {"primary": f"stub/{model.NAME}"},
            "skipBootstrap": True,
            "systemAgent": {"agentId": "main"},
            "heartbeat": {"agentId": "main", "every": "0m"},  # or the model is asked things that no test asked
        },
        "entries": {agent: {"workspace": str(folder / "workspaces" / agent)} for agent in AGENTS},
    }
    gateway = {
        "mode": "local",
        "bind": "loopback",
        "port": port,
        "auth": {"mode": "token", "token": TOKEN},
        "http": {"endpoints": {"chatCompletions": {"enabled": True}}},
    }
    return {
        "agents": agents,
        "models": _models(model_address),
        "gateway": gateway,
        "logging": {"file": str(folder / "host.log")},  # or it is one that all gateways of a day share
        "update": {"checkOnStart": False},
    }


def _models(address: str) -> Mapping[str, Any]:
    scripted = {
        "id": model.NAME,
        "name": model.NAME,
        "reasoning": False,
        "input": ["text"],
        "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
        "contextWindow": 120_000,
        "maxTokens": 4096,
    }
    stub = {"baseUrl": f"{address}/v1", "apiKey": "none", "api": "openai-completions", "models": [scripted]}
    return {"mode": "replace", "catalogRefresh": {"enabled": False}, "providers": {"stub": stub}}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
