"""A process that holds a memory open and answers tool calls, one JSON line each: `python -m tests.hosts.peer FILE`.

It needs no model, so that tests can start and kill several.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.tools import call

ROOT = Path(__file__).parents[2]


class Peer:
    """Such a process, seen from the one that started it."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-m", "tests.hosts.peer", str(path)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, tool: str, arguments: Mapping[str, Any]) -> None:
        """Send a call and wait for nothing."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"tool": tool, "arguments": arguments}).encode() + b"\n")
        self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Return the next answer."""
        assert self._process.stdout is not None
        envelope: dict[str, Any] = json.loads(self._process.stdout.readline())
        return envelope

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Send a call and return its answer."""
        self.send(tool, arguments)
        return self.receive()

    def contents(self) -> set[str]:
        """Return the text of every memory that it finds."""
        return {hit["content"] for hit in self.call("search", query="everything", top_k=1000)["hits"]}

    def kill(self) -> list[dict[str, Any]]:
        """End it as a crash would, and return the whole answers that it still gave."""
        self._process.send_signal(signal.SIGKILL)
        assert self._process.stdout is not None
        answers = self._process.stdout.read().split(b"\n")[:-1]
        self.close()
        return [json.loads(answer) for answer in answers]

    def close(self) -> None:
        """Hang up, and wait until it has ended."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.wait()


def main() -> None:
    """Answer until standard input ends."""
    with NTMMemoryManager.open(sys.argv[1], encoder=HashedEncoder()) as memory:
        for line in sys.stdin:
            request = json.loads(line)
            print(json.dumps(call(memory, request["tool"], request["arguments"])), flush=True)  # noqa: T201  # its answer


if __name__ == "__main__":
    main()
