"""A server over HTTP as a process of its own, and how much memory it takes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from footprint import cpu_seconds, mib_of
from fresh import environment

PATIENCE = 60.0  # seconds for a server to start or to end
LISTENING = re.compile(r"listening on (\S+);")
POLLING = 0.2


class HttpServer:
    """`ntm-memory serve --mcp http` over a memory, on a free port, from its start to the end of a block.

    Args:
        file: The memory.
        log: Where its standard error is kept.

    Raises:
        TimeoutError: It does not say in time where it listens.
    """

    def __init__(self, file: Path, log: Path) -> None:
        self._log, self._token_file = log, file.with_suffix(".token")
        command = [sys.executable, "-m", "ntm_memory_skill", "--memory", str(file)]
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                [*command, "serve", "--mcp", "http", "--port", "0"], stderr=said, env=environment()
            )
        try:
            self.address = self._wait_for_address()
        except TimeoutError:
            self._process.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def said(self) -> str:
        """What stands on its standard error so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def token(self) -> str:
        """The bearer token that it has made."""
        return self._token_file.read_text(encoding="utf-8").strip()

    def mib(self) -> dict[str, float]:
        """Return its resident memory, its share of what it shares, and the most that it had; none where unknown."""
        return mib_of(self._process.pid)

    def cpu_seconds(self) -> float:
        """Return the seconds that its threads have computed so far, together."""
        return cpu_seconds(self._process.pid)

    def stop(self) -> int:
        """End it in order, or by force if it does not, and return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _wait_for_address(self) -> str:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            found = LISTENING.search(self.said)
            if found:
                return found[1]
            time.sleep(POLLING)
        raise TimeoutError(f"the server does not listen: {self.said[-500:]}")
