"""The ways by which a tool call can reach the memory. A new host joins the suite by adding its own here."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.hosts.mcp import LazyMemory, build_server
from ntm_memory_skill.tools import call
from tests.hosts.command_line import run_here, words
from tests.hosts.servers import PATIENT, HttpServer

Arguments = Mapping[str, Any]
Envelope = dict[str, Any]


class Transport(Protocol):
    """One way to call the five tools over one memory."""

    def call(self, tool: str, arguments: Arguments) -> Envelope:
        """Call a tool and return its envelope."""

    def restart(self) -> None:
        """End what serves the calls, and start it anew over the same files."""

    def close(self) -> None:
        """End it."""


class PythonTransport:
    """`tools.call` on an open memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._memory = self._open()

    def call(self, tool: str, arguments: Arguments) -> Envelope:
        """Call the function."""
        return call(self._memory, tool, arguments)

    def restart(self) -> None:
        """Close the memory and open it again."""
        self.close()
        self._memory = self._open()

    def close(self) -> None:
        """Close the memory."""
        self._memory.close()

    def _open(self) -> NTMMemoryManager:
        return NTMMemoryManager.open(self._path, encoder=HashedEncoder())


class CommandLineTransport:
    """`ntm-memory --json` in this process; the fixture `no_model` has to be in force."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def call(self, tool: str, arguments: Arguments) -> Envelope:
        """Run one command line."""
        return run_here("--memory", self.path, "--json", *words(tool, arguments)).envelope

    def restart(self) -> None:
        """Do nothing: every command line opens the memory anew."""

    def close(self) -> None:
        """Do nothing, for the same reason."""


class McpTransport:
    """The MCP library's own client.

    Args:
        connect: Makes a client that is not connected yet.
    """

    def __init__(self, connect: Callable[[], AbstractAsyncContextManager[Client]]) -> None:
        self._connect = connect
        self._open: ExitStack
        self._portal: BlockingPortal
        self._client: Client
        self._start()

    def call(self, tool: str, arguments: Arguments) -> Envelope:
        """Send tools/call and return the structured content."""
        result = self._portal.call(self._client.call_tool, tool, dict(arguments))
        envelope = result.structured_content
        assert isinstance(envelope, dict)
        assert not result.is_error
        return envelope

    def restart(self) -> None:
        """Hang up, which ends the server, and connect to a new one."""
        self.close()
        self._start()

    def close(self) -> None:
        """Hang up."""
        self._open.close()

    def _start(self) -> None:
        with ExitStack() as opening:
            self._portal = opening.enter_context(start_blocking_portal())
            client: AbstractContextManager[Client] = self._portal.wrap_async_context_manager(self._connect())
            self._client = opening.enter_context(client)
            self._open = opening.pop_all()


def mcp_in_process(path: Path) -> McpTransport:
    """Return the server in this process, without a model, behind JSON-RPC messages."""
    return McpTransport(lambda: Client(build_server(LazyMemory(lambda: _hashed(path))), mode="legacy"))


def mcp_over_stdio(path: Path, log: TextIO) -> McpTransport:
    """Return the server as a client starts it: a process of its own, with the bundled model."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "ntm_memory_skill", "--memory", str(path), "serve", "--mcp", "stdio"],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    return McpTransport(lambda: Client(stdio_client(command, log)))


def mcp_over_http(path: Path) -> McpTransport:
    """Return the server as a process over HTTP, with the bundled model, and a client that holds its token."""
    return McpTransport(lambda: _served_over_http(path))


@asynccontextmanager
async def http_client(address: str, token: str, mode: str = "auto") -> AsyncIterator[Client]:
    """Connect the MCP library's own client to an address."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=PATIENT) as http,
        Client(streamable_http_client(address, http_client=http), mode=mode) as client,
    ):
        yield client


@asynccontextmanager
async def _served_over_http(path: Path) -> AsyncIterator[Client]:
    server = HttpServer(path, path.parent.parent)
    try:
        token = path.with_suffix(".token").read_text(encoding="utf-8").strip()
        async with http_client(server.address, token) as client:
            yield client
        assert server.stop(signal.SIGTERM) == (0, b"", b"")
    finally:
        server.kill()


class Tidied:
    """Another transport, whose memory can be emptied: so that a server that starts slowly serves several tests."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self._stored: set[str] = set()

    def call(self, tool: str, arguments: Arguments) -> Envelope:
        """Pass the call on, and take note of what it stored or purged."""
        envelope = self.inner.call(tool, arguments)
        if envelope["ok"] and tool == "memorize":
            self._stored.add(envelope["id"])
        if envelope["ok"] and tool == "erase" and envelope["receipt"]["action"] == "purged":
            self._stored.difference_update(envelope["receipt"]["ids"])
        return envelope

    def restart(self) -> None:
        """Restart what is underneath."""
        self.inner.restart()

    def close(self) -> None:
        """Purge all that was stored through this; what is underneath stays open."""
        if self._stored:
            receipt = self.inner.call("erase", {"ids": sorted(self._stored), "purge": True})
            assert receipt["ok"], receipt


def _hashed(path: Path) -> NTMMemoryManager:
    return NTMMemoryManager.open(path, encoder=HashedEncoder())
