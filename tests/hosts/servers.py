"""`ntm-memory serve` as a process, seen by whoever started it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.hosts.command_line import PROGRAM

PATIENT = 60.0  # seconds that no test waits unless it is broken


class StdioServer:
    """A server process, spoken to in lines of JSON-RPC.

    Args:
        folder: Where it is started.
        arguments: Of `ntm-memory`.
    """

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments], cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )

    def exchange(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a request and return the message that answers it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a request and return its result."""
        result: dict[str, Any] = self.exchange(method, **parameters)["result"]
        return result

    def initialize(self) -> dict[str, Any]:
        """Shake hands."""
        client = {"name": "test", "version": "1"}
        return self.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)

    def hang_up(self) -> tuple[int, bytes, bytes]:
        """Close standard input, and return the exit status and what else was written on both outputs."""
        out, err = self.process.communicate(timeout=PATIENT)
        return self.process.returncode, out, err

    def kill(self) -> None:
        """End it, however it is."""
        self.process.kill()
        self.process.communicate()


class HttpServer:
    """A server process over HTTP, which has said where it listens.

    Args:
        path: The memory.
        folder: Where it is started.
        environment: What it has beside this process's.
    """

    def __init__(self, path: Path, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        command = [*PROGRAM, "--memory", str(path), "serve", "--mcp", "http", "--port", "0"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=pipe, stderr=pipe, env={**os.environ, **(environment or {})}
        )
        assert self.process.stderr is not None
        self.said = self.process.stderr.readline().decode()
        found = re.fullmatch(r"ntm-memory: listening on (http://127\.0\.0\.1:(\d+)/mcp); .*\n", self.said)
        assert found is not None, self.said + self.process.stderr.read().decode()
        self.address, self.port = found[1], int(found[2])

    def stop(self, how: signal.Signals) -> tuple[int, bytes, bytes]:
        """Send a signal, and return the exit status and what else was written on both outputs."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=PATIENT)
        return self.process.returncode, out, err

    def kill(self) -> None:
        """End it, however it is."""
        self.process.kill()
        self.process.communicate()
