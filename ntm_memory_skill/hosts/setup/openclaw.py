"""OpenClaw's own command line: the only way in which its configuration is read or written here.

It takes includes, references to the environment and JSON5 into account, and checks a change as a whole before it
writes. No call may hang: each has a time limit, after which its process and all that it started are ended.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntm_memory_skill.errors import HostMissing, HostRefused, HostTooOld
from ntm_memory_skill.hosts.openclaw import contract

COMMAND = "openclaw"
PATIENCE = 60.0
"""Seconds that one call may take: on a slow machine a write takes ten."""

_VERSION = re.compile(r"\b(\d{4})\.(\d+)\.(\d+)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a call left."""

    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it said, for a person: what went wrong stands on standard error, if anything does."""
        return _COLOURS.sub("", self.err.strip() or self.out.strip())


@dataclass(frozen=True, slots=True)
class Agent:
    """One of the host's agents."""

    name: str
    workspace: Path


@dataclass(frozen=True, slots=True)
class OpenClaw:
    """An OpenClaw that can be talked to."""

    command: str
    version: str
    patience: float = PATIENCE

    def config_file(self) -> Path:
        """Return where its configuration is, or would be.

        Raises:
            HostRefused: It does not say.
        """
        return Path(self._answer("config", "file", "--json")["path"])

    def plugins(self) -> dict[str, Any]:
        """Return the configuration down to `plugins`: as in force, secrets left out.

        Raises:
            HostRefused: The configuration is not valid.
        """
        ran = self._call("config", "get", "plugins", "--json")
        value = _json(ran)
        if ran.status == 0:
            return {"plugins": value}
        if "issues" not in value and "unset" in _complaint(value):
            return {}
        raise HostRefused(f"{COMMAND} config: {_complaint(value)}", hint="Mend it: openclaw doctor --fix")

    def agents(self) -> tuple[Agent, ...]:
        """Return the agents, each with its workspace.

        Raises:
            HostRefused: It does not say.
        """
        listed: Any = self._answer("agents", "list", "--json")
        return tuple(Agent(each["id"], Path(each["workspace"])) for each in listed)

    def patch(self, change: dict[str, Any]) -> str:
        """Write a change as one, checked as a whole, and return what the host says of it.

        Raises:
            HostRefused: It refuses, or does not answer in time.
        """
        ran = self._call("config", "patch", "--stdin", stdin=json.dumps(change))
        if ran.status:
            raise HostRefused(f"openclaw refused the change: {ran.words}")
        return _COLOURS.sub("", ran.out).strip()

    def complaints(self) -> tuple[str, ...]:
        """Return what is wrong with the configuration as it is.

        Raises:
            HostRefused: It does not say.
        """
        ran = self._call("config", "validate", "--json")
        found = _json(ran)
        if found.get("valid"):
            return ()
        return (_complaint(found),)

    def _answer(self, *arguments: str) -> Any:
        ran = self._call(*arguments)
        value = _json(ran)
        if ran.status:
            raise HostRefused(f"openclaw {' '.join(arguments)}: {_complaint(value)}")
        return value

    def _call(self, *arguments: str, stdin: str = "") -> Ran:
        return run([self.command, *arguments], self.patience, stdin)


def find(named: Path | None = None, *, patience: float = PATIENCE) -> OpenClaw:
    """Return the OpenClaw that is named, or the one on PATH.

    Raises:
        HostMissing: There is none.
        HostTooOld: It, or the Node that runs it, is too old for the plugin.
        HostRefused: It does not start.
    """
    command = shutil.which(COMMAND if named is None else str(named.expanduser().absolute()))
    if command is None:
        message = "openclaw is not on PATH" if named is None else f"{named} is no program that can be run"
        raise HostMissing(message)
    ran = run([command, "--version"], patience)
    if ran.status:
        if "node" in ran.words.lower():
            hint = "Update Node, or put a newer one first on PATH."
            raise HostTooOld(f"{command} does not run: {ran.words}", hint=hint)
        raise HostRefused(f"{command} does not run: {ran.words or f'exit status {ran.status}'}")
    version = _VERSION.search(ran.out)
    if version is None:
        raise HostRefused(f"{command} --version answers {ran.words!r}: that is no OpenClaw")
    if _numbers(version[0]) < _numbers(contract.HOST_VERSION):
        raise HostTooOld(f"OpenClaw {version[0]} is older than {contract.HOST_VERSION}, which the plugin needs")
    return OpenClaw(command, version[0], patience)


def run(command: list[str], patience: float, stdin: str = "") -> Ran:
    """Run a program, and end it with all that it started if it takes longer than `patience` seconds.

    Raises:
        HostRefused: It took too long, or could not be started.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # the command is the owner's own, and no shell reads it
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise HostRefused(f"{command[0]} cannot be started: {error.strerror}") from error
    with process:
        try:
            out, err = process.communicate(stdin, timeout=patience)
        except subprocess.TimeoutExpired as error:
            shown = " ".join([Path(command[0]).name, *command[1:]])
            raise HostRefused(f"{shown} gave no answer within {patience:.0f} s", hint="Try again later.") from error
        finally:
            _end(process)
    return Ran(process.returncode, out, err)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process that still runs, and whatever it has started."""
    if process.poll() is not None:
        return
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _json(ran: Ran) -> Any:
    try:
        return json.loads(ran.out)
    except ValueError as error:
        raise HostRefused(f"openclaw answered with no JSON: {ran.words[:200]}") from error


def _complaint(value: Any) -> str:
    """Return what a failure's envelope says, in one line."""
    if not isinstance(value, dict):
        return "no reason given"
    message = value.get("error", {}).get("message", "no reason given")
    issues = "; ".join(f"{issue['path']}: {issue['message']}" for issue in value.get("issues", ()))
    return f"{message} ({issues})" if issues else str(message)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
