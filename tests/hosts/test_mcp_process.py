"""The MCP server as a process: what it loads, what it writes, and that it ends with its client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.folders import bytes_in
from tests.hosts.servers import StdioServer

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


@pytest.fixture
def server(path: Path, here: Path) -> Iterator[StdioServer]:
    """A server over the memory at `path`, started in a folder of its own."""
    started = StdioServer(here, "--memory", path, "serve", "--mcp", "stdio")
    yield started
    started.kill()


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

    def test_a_server_ends_with_its_input(self, server: StdioServer, path: Path, here: Path) -> None:
        """At once, in silence, with status 0; it leaves no process and has made no file."""
        assert server.initialize()["serverInfo"]["name"] == "ntm-memory"
        assert server.hang_up() == (0, b"", b"")
        with pytest.raises(ProcessLookupError):
            os.killpg(server.process.pid, 0)
        assert bytes_in(here) == {}
        assert not path.parent.exists()

    def test_a_server_that_was_never_spoken_to_ends_as_well(self, server: StdioServer) -> None:
        """A client that died before it said a word."""
        assert server.hang_up() == (0, b"", b"")

    @pytest.mark.model
    def test_a_server_ends_while_it_loads_its_model(self, server: StdioServer) -> None:
        """The list was asked for, and its loading has begun in the background."""
        server.initialize()
        assert len(server.ask("tools/list")["tools"]) == 5
        assert server.hang_up() == (0, b"", b"")
        with pytest.raises(ProcessLookupError):
            os.killpg(server.process.pid, 0)

    def test_a_damaged_memory_is_told_to_the_log_on_standard_error(self, server: StdioServer, path: Path) -> None:
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
