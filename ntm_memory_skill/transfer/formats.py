"""Telling formats apart, and parsing what is offered for import."""

from __future__ import annotations

from pathlib import PurePath

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.transfer import jsonl, markdown, mcp_graph, mem0
from ntm_memory_skill.transfer.items import Item

FORMATS = {
    "jsonl": "JSON lines with the fields of memorize",
    "markdown": "OpenClaw's Markdown memory (MEMORY.md, USER.md, memory/*.md)",
    "mcp-graph": "the reference MCP memory server's JSON lines",
    "mem0": "what mem0's get_all returns, as JSON or JSON lines",
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
    document = jsonl.document(text)
    if document is not None and mem0.looks_like_it(document):
        return "mem0", mem0.parse(document, path.name)
    if isinstance(document, list) or (document is not None and "\n" in text.strip()):
        raise ImportRefused(f"{path.name} is JSON, but no export of mem0")
    values = jsonl.objects(text, path.name)
    if values and mem0.looks_like_it(values):
        return "mem0", mem0.parse(values, path.name)
    if mcp_graph.looks_like_it(values):
        return "mcp-graph", mcp_graph.parse(values, path.name)
    return "jsonl", jsonl.parse(values, path.name)
