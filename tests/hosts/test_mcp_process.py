"""The MCP server as a process: what it loads, what it writes, and that it ends with its client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.command_line import PROGRAM
from tests.hosts.folders import bytes_in

HEAVY = {"torch", "sentence_transformers", "transformers"}
LISTING = """
import sys, anyio
from mcp import Client
from ntm_memory_skill.errors import StoreClosed
from ntm_memory_skill.hosts.mcp import LazyMemory, build_server

def refuse():
    raise StoreClosed("not needed")

async def ask():
    async with Client(build_server(LazyMemory(refuse)), mode="legacy") as client:
        print(len((await client.list_tools()).tools))

anyio.run(ask)
print(*sys.modules)
"""


class Server:
    """A server process, spoken to in lines of JSON-RPC."""

    def __init__(self, path: Path, folder: Path) -> None:
        command = [*PROGRAM, "--memory", str(path), "serve", "--mcp", "stdio"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a request and return its result."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        result: dict[str, Any] = json.loads(self.process.stdout.readline())["result"]
        return result

    def initialize(self) -> dict[str, Any]:
        """Shake hands."""
        client = {"name": "test", "version": "1"}
        return self.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)

    def hang_up(self) -> tuple[int, bytes, bytes]:
        """Close standard input, and return the exit status and what else was written on both outputs."""
        out, err = self.process.communicate()
        return self.process.returncode, out, err


@pytest.fixture
def server(path: Path, here: Path) -> Iterator[Server]:
    """A server over the memory at `path`, started in a folder of its own."""
    started = Server(path, here)
    yield started
    started.process.kill()
    started.process.communicate()


def test_importing_the_server_loads_no_model() -> None:
    """Nor does it load a library that could."""
    program = "import sys, ntm_memory_skill.hosts.mcp; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
    assert HEAVY.isdisjoint(loaded.split())
    assert "ntm_memory_skill.hosts.mcp" in loaded.split()


def test_the_tools_are_listed_without_a_model() -> None:
    """Though the list is whole."""
    listed, loaded = subprocess.run(
        [sys.executable, "-c", LISTING], capture_output=True, check=True, text=True
    ).stdout.splitlines()
    assert listed == "5"
    assert HEAVY.isdisjoint(loaded.split())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups to look for what is left in")
class TestEnd:
    """A server ends when its client hangs up."""

    def test_a_server_ends_with_its_input(self, server: Server, path: Path, here: Path) -> None:
        """At once, in silence, with status 0; it leaves no process and has made no file."""
        assert server.initialize()["serverInfo"]["name"] == "ntm-memory"
        assert server.hang_up() == (0, b"", b"")
        with pytest.raises(ProcessLookupError):
            os.killpg(server.process.pid, 0)
        assert bytes_in(here) == {}
        assert not path.parent.exists()

    def test_a_server_that_was_never_spoken_to_ends_as_well(self, server: Server) -> None:
        """A client that died before it said a word."""
        assert server.hang_up() == (0, b"", b"")

    @pytest.mark.model
    def test_a_server_ends_while_it_loads_its_model(self, server: Server) -> None:
        """The list was asked for, and its loading has begun in the background."""
        server.initialize()
        assert len(server.ask("tools/list")["tools"]) == 5
        assert server.hang_up() == (0, b"", b"")
        with pytest.raises(ProcessLookupError):
            os.killpg(server.process.pid, 0)

    def test_a_damaged_memory_is_told_to_the_log_on_standard_error(self, server: Server, path: Path) -> None:
        """The answer on standard output names no path."""
        path.parent.mkdir()
        path.write_text("{")
        server.initialize()
        result = server.ask("tools/call", name="memorize", arguments={"content": "x"})
        assert result["isError"] is True
        assert result["structuredContent"]["error"]["code"] == "store_damaged"
        assert str(path.parent) not in json.dumps(result)
        status, out, err = server.hang_up()
        assert (status, out) == (0, b"")
        assert b"store_damaged" in err
        assert path.read_text() == "{"
