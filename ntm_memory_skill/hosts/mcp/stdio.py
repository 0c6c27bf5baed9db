"""The server over standard input and output: it ends when its client hangs up."""

from __future__ import annotations

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from ntm_memory_skill.config import Config
from ntm_memory_skill.engine import NTMMemoryManager
from ntm_memory_skill.hosts.compose import (
    SharedModels,
    check_enabled,
    configured,
    log_to_stderr,
    open_to_serve,
    prepare_to_serve,
)
from ntm_memory_skill.hosts.mcp.agents import build_agent_server
from ntm_memory_skill.hosts.mcp.memories import AgentMemories, LazyMemory, Memories, Place
from ntm_memory_skill.hosts.mcp.server import build_server
from ntm_memory_skill.hosts.resident.server import offered


def serve_one(config: Config) -> None:
    """Serve the configured memory until the client closes standard input, and answer the command line meanwhile.

    Raises:
        ConfigError: The skill is switched off.
    """
    check_enabled(config)
    memory = LazyMemory(lambda: open_to_serve(config))
    with offered(config, memory):
        _serve(build_server(memory), memory)


def serve_agents() -> None:
    """Serve the memories of all agents of a host until it closes standard input. The models begin to load at once."""
    shared = SharedModels()

    def open_it(place: Place) -> NTMMemoryManager:
        return shared.open_to_serve(configured(place.file, place.workspace))

    memories = AgentMemories(open_it, lambda: shared.warm_up(configured()))
    memories.warm_up_in_background()
    _serve(build_agent_server(memories), memories)


def _serve(server: Server[dict[str, object]], memories: Memories) -> None:
    log_to_stderr()
    prepare_to_serve()
    try:
        anyio.run(_until_hung_up, server)
    finally:
        memories.close()


async def _until_hung_up(server: Server[dict[str, object]]) -> None:
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
