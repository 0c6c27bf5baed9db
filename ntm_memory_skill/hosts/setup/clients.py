"""The MCP clients: where each keeps its servers, and what it wants to be told of one.

A memory belongs to a person, and its entry names absolute paths: so the person's own file is written, unless the
project's is asked for, which others may share. Places as documented by each client in autumn 2026.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntm_memory_skill.config import CLAWHUB_VARIABLE
from ntm_memory_skill.hosts.setup.documents import Format, JsonFormat, TomlFormat

SERVER = "ntm-memory"
GENERIC = "generic"
Entry = dict[str, Any]

_JSON, _TOML = JsonFormat(), TomlFormat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that starts MCP servers."""

    title: str
    user: str | dict[str, str]
    """The person's file below the home folder; where it differs, by `sys.platform` ("" for all others)."""
    project: str | None = None
    """The project's file; None if the client has none."""
    servers: str = "mcpServers"
    """What the servers stand under."""
    typed: bool = False
    """Whether an entry says that it is "stdio"."""
    format: Format = field(default=_JSON)
    restart: str = "Restart it"
    """What makes the client read its file anew."""
    note: str = ""
    """What to mind before the file is changed."""

    def file(self, home: Path, project: Path | None = None, platform: str = sys.platform) -> Path | None:
        """Return the file to write: the person's, or the project's, which is None where the client has none."""
        if project is not None:
            return None if self.project is None else project / self.project
        below = self.user if isinstance(self.user, str) else self.user.get(platform, self.user[""])
        return home / below


def _application(name: str) -> dict[str, str]:
    """Return where an application keeps a file on each platform."""
    return {
        "darwin": f"Library/Application Support/{name}",
        "win32": f"AppData/Roaming/{name}",
        "": f".config/{name}",
    }


CLIENTS: dict[str, Client] = {
    "claude-code": Client(
        title="Claude Code",
        user=".claude.json",
        project=".mcp.json",
        typed=True,
        note="Claude Code writes to ~/.claude.json as well: quit it first",
    ),
    "claude-desktop": Client(
        title="Claude Desktop",
        user=_application("Claude/claude_desktop_config.json"),
        restart="Quit and start it again; closing its window is not enough",
    ),
    "codex": Client(
        title="Codex",
        user=".codex/config.toml",
        project=".codex/config.toml",  # read where the project is trusted
        servers="mcp_servers",
        format=_TOML,
    ),
    "cursor": Client(title="Cursor", user=".cursor/mcp.json", project=".cursor/mcp.json", typed=True),
    "devin-desktop": Client(  # what Windsurf is called since June 2026
        title="Devin Desktop",
        user={"win32": "AppData/Roaming/devin/mcp_config.json", "": ".config/devin/mcp_config.json"},
        project=".devin/mcp_config.json",
    ),
    "gemini": Client(title="Gemini CLI", user=".gemini/settings.json", project=".gemini/settings.json"),
    "vscode": Client(
        title="VS Code",
        user=_application("Code/User/mcp.json"),
        project=".vscode/mcp.json",
        servers="servers",
        typed=True,
        restart="Start the server there: MCP: List Servers",
    ),
    "windsurf": Client(title="Windsurf", user=".codeium/windsurf/mcp_config.json"),
}


def server_entry(client: Client | None, memory: Path, clawhub: Path | None = None) -> Entry:
    """Return what a client has to know of the server; for None, what most of them understand.

    Args:
        client: Who is told.
        memory: The memory's file, as an absolute path.
        clawhub: The clawhub.json in force, which the client's working folder would not lead to.
    """
    from openclaw_sdk.mcp import McpServer  # takes half a second

    environment = {} if clawhub is None else {CLAWHUB_VARIABLE: str(clawhub)}
    arguments = ["-m", "ntm_memory_skill", "--memory", str(memory), "serve", "--mcp", "stdio"]
    entry = McpServer.stdio(str(interpreter()), arguments, environment).to_openclaw()
    return {"type": "stdio", **entry} if client is not None and client.typed else entry


def interpreter() -> Path:
    """Return the Python that runs this, in its virtual environment if it has one: links are not followed."""
    return Path(sys.executable).absolute()


def snippet(client: Client | None, entry: Entry) -> str:
    """Return the text that a person can put into a client's file."""
    servers = {"mcpServers" if client is None else client.servers: {SERVER: entry}}
    if client is None or client.format is not _TOML:
        return json.dumps(servers, indent=2, ensure_ascii=False)
    return _TOML.render(servers, b"").decode().strip()
