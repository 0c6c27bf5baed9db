"""The five tools for every MCP client: over standard input and output, or over HTTP on this machine."""

from ntm_memory_skill.hosts.mcp.memories import AgentMemories, LazyMemory, Memories
from ntm_memory_skill.hosts.mcp.server import build_server

__all__ = ["AgentMemories", "LazyMemory", "Memories", "build_server"]
