"""Running `ntm-memory setup` against a host that does as it is told."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntm_memory_skill.hosts.openclaw.contract import PLUGIN_ID
from tests.hosts.command_line import Outcome, run_here

SCRIPT = Path(__file__).with_name("fake_openclaw.py")


@dataclass(frozen=True, slots=True)
class FakeHost:
    """Such a host in a folder of its own."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, config: str | None = None, **behaviour: Any) -> FakeHost:
        """Make one, with the text of its configuration."""
        folder.mkdir()
        host = cls(folder)
        host.behave(**behaviour)
        words = shlex.join([sys.executable, str(SCRIPT), str(folder)])
        host.command.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        host.command.chmod(0o755)
        if config is not None:
            host.file.write_text(config)
        return host

    def behave(self, **behaviour: Any) -> None:
        """Let it behave like this from now on; see the script."""
        (self.folder / "behaviour.json").write_text(json.dumps(behaviour))

    @property
    def command(self) -> Path:
        """What starts it."""
        return self.folder / "openclaw"

    @property
    def file(self) -> Path:
        """Its configuration."""
        return self.folder / "openclaw.json"

    @property
    def record(self) -> Path:
        """Where a set-up notes what it has changed."""
        return self.folder / "ntm-memory-setup.json"

    @property
    def plugins(self) -> dict[str, Any]:
        """What its configuration says of plugins."""
        found: dict[str, Any] = json.loads(self.file.read_text())["plugins"]
        return found

    @property
    def entry(self) -> dict[str, Any]:
        """What it says of ntm-memory."""
        found: dict[str, Any] = self.plugins["entries"][PLUGIN_ID]
        return found

    @property
    def writes(self) -> int:
        """How often it was asked to write."""
        calls = self.folder / "calls"
        return calls.read_text().count("config patch") if calls.exists() else 0

    def setup(self, *options: str | Path) -> Outcome:
        """Run `ntm-memory setup` with it."""
        return run_here("setup", "--openclaw", self.command, *options)

    def doctor(self, *options: str | Path) -> dict[str, dict[str, Any]]:
        """Run `ntm-memory doctor` with it, and return the findings by subject."""
        found = run_here("--json", "doctor", "--openclaw", self.command, *options).envelope
        return {row["subject"]: row for row in found["findings"]}
