"""Talking to an MCP server in this process, and memories that take as long to open as a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
import mcp_types as types
from mcp import Client
from mcp.server.lowlevel import Server
from pydantic import TypeAdapter

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.hosts.mcp import Memories, build_server
from ntm_memory_skill.hosts.openclaw.contract import META_FILE, META_WORKSPACE

Result = TypeVar("Result")
JSON = dict[str, Any]
PATIENT = 60.0  # seconds that no test waits unless it is broken


def talk(memories: Memories, conversation: Callable[[Client], Awaitable[Result]]) -> Result:
    """Connect to a server over a memory, and return what comes of a conversation with it."""
    return talk_to(build_server(memories), conversation)


def talk_to(server: Server[dict[str, object]], conversation: Callable[[Client], Awaitable[Result]]) -> Result:
    """Connect to a server, and return what comes of a conversation with it."""

    async def connected() -> Result:
        with anyio.fail_after(PATIENT):
            async with Client(server, mode="legacy") as client:
                return await conversation(client)

    return anyio.run(connected)


async def requested(client: Client, method: str, parameters: Mapping[str, Any]) -> JSON:
    """Send a request that the protocol does not know, and return its result."""
    request = types.Request[JSON, str](method=method, params=dict(parameters))
    return await client.session.send_request(request, TypeAdapter(JSON))


async def called(client: Client, tool: str, arguments: JSON, meta: JSON | None) -> types.CallToolResult:
    """Call a tool with a `_meta` of one's own."""
    return await client.call_tool(tool, arguments, meta=cast("types.RequestParamsMeta | None", meta))


def structured(result: types.CallToolResult) -> JSON:
    """Return a result's envelope, which it has to hold twice: for programs, and as text."""
    (text,) = result.content
    assert isinstance(text, types.TextContent)
    assert json.loads(text.text) == result.structured_content
    envelope = result.structured_content
    assert isinstance(envelope, dict)
    return envelope


class Opener:
    """Opens a memory once it may, and counts.

    Args:
        path: Where.
        errors: Raised first, one a call.
    """

    def __init__(self, path: Path, *errors: Exception) -> None:
        self.calls = 0
        self.called, self.allowed = threading.Event(), threading.Event()
        self.allowed.set()
        self._path, self._errors = path, list(errors)

    def __call__(self) -> NTMMemoryManager:
        """Open the memory."""
        self.calls += 1
        self.called.set()
        assert self.allowed.wait(timeout=PATIENT)
        if self._errors:
            raise self._errors.pop(0)
        return NTMMemoryManager.open(self._path, encoder=HashedEncoder())


class Agent:
    """One agent of a host, as its requests name it."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder
        self.file = folder / "memory" / "ntm_memory.json"
        self.meta: JSON = {META_FILE: str(self.file), META_WORKSPACE: str(folder)}

    async def call(self, client: Client, tool: str, **arguments: Any) -> JSON:
        """Call a tool and return its envelope."""
        return structured(await called(client, tool, arguments, self.meta))

    async def turn(self, client: Client, method: str, **parameters: Any) -> JSON:
        """Send one of the plugin's requests and return its answer."""
        return await requested(client, method, {**parameters, "_meta": self.meta})
