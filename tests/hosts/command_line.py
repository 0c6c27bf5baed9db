"""Running `ntm-memory` command lines: in this process without a model, or in one of their own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.hosts.cli import run

PROGRAM = (sys.executable, "-m", "ntm_memory_skill")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command line did."""

    status: int
    out: str
    err: str

    @property
    def envelope(self) -> dict[str, Any]:
        """The one JSON object on one line that standard output holds."""
        assert self.out.endswith("\n"), self
        assert self.out.count("\n") == 1, self
        envelope: dict[str, Any] = json.loads(self.out)
        return envelope

    @property
    def code(self) -> str:
        """The error's code in the envelope of a failure."""
        envelope = self.envelope
        assert envelope.keys() == {"ok", "error"}
        assert envelope["ok"] is False
        assert envelope["error"].keys() == {"code", "message", "hint"}
        return str(envelope["error"]["code"])


def run_here(*arguments: str | Path, stdin: bytes = b"") -> Outcome:
    """Run a command line in this process, with standard streams of its own."""
    out, err = _stream(), _stream()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "stdin", _stream(stdin))
        status = run([str(argument) for argument in arguments])
    return Outcome(status, _text(out), _text(err))


def run_process(
    *arguments: str | Path | bytes, environment: Mapping[str, str] | None = None, stdin: bytes = b""
) -> Outcome:
    """Run a command line in a process of its own."""
    done = subprocess.run(
        [*PROGRAM, *arguments], input=stdin, capture_output=True, check=False, env={**os.environ, **(environment or {})}
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def words(tool: str, arguments: Mapping[str, Any]) -> list[str]:
    """Return a tool call as a command line has it: what it is about stands alone, everything else is an option."""
    given = {name: value for name, value in arguments.items() if value is not None}
    given.update(given.pop("filters", {}))
    about = _ABOUT.get(tool, ())
    alone = [each for name in about for each in _listed(given.pop(name, []))]
    options = [word for name, value in given.items() for word in _option(name, value)]
    return [tool, *options, "--", *alone] if alone else [tool, *options]


_ABOUT: Mapping[str, Sequence[str]] = {
    "memorize": ("content",),
    "recall": ("query",),
    "search": ("query",),
    "update": ("id", "content"),
    "erase": ("id", "ids"),
}


_SWITCHES: Mapping[str, Sequence[str]] = {"pinned": ("--unpin", "--pin")}
"""Truth values that a command line says in words of its own: what stands for false, and what for true."""


def _option(name: str, value: object) -> list[str]:
    if name in _SWITCHES and isinstance(value, bool):
        return [_SWITCHES[name][value]]
    flag = "--tag" if name == "tags" else f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag] if value else []
    return [f"{flag}={each}" for each in _listed(value)]


def _listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _stream(content: bytes = b"") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="ascii")  # as in a locale that knows no Chinese


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
