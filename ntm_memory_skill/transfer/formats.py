"""Telling formats apart, and parsing what is offered for import."""

from __future__ import annotations

from pathlib import PurePath

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.transfer import jsonl, markdown, mcp_graph
from ntm_memory_skill.transfer.items import Item

FORMATS = {
    "jsonl": "JSON lines with the fields of memorize",
    "markdown": "OpenClaw's Markdown memory (MEMORY.md, memory/*.md)",
    "mcp-graph": "the reference MCP memory server's JSON lines",
}


def parse(text: str, path: PurePath) -> tuple[str, list[Item]]:
    """Return the format of a file's text and the memories in it, as arguments of `memorize`.

    Args:
        text: The whole file.
        path: Its name: the ending tells Markdown, and Markdown memories take their session and day from it.

    Raises:
        ImportRefused: It is in none of the known formats; the message says where it broke.
    """
    if "\x00" in text:
        raise ImportRefused(f"{path.name} is no text")
    if path.suffix.lower() in {".md", ".markdown"}:
        return "markdown", markdown.parse(text, path)
    values = jsonl.objects(text, path.name)
    if mcp_graph.looks_like_it(values):
        return "mcp-graph", mcp_graph.parse(values, path.name)
    return "jsonl", jsonl.parse(values, path.name)
