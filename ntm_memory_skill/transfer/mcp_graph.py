"""The knowledge graph of the reference MCP memory server: entities with observations, and relations between them.

    {"type": "entity", "name": "Ana", "entityType": "person", "observations": ["likes tea", …]}
    {"type": "relation", "from": "Ana", "to": "Lisbon", "relationType": "lives in"}

Each observation becomes a memory under the entity's name, and so does each relation, as a sentence. What is said of one
entity is one tape, so that a match on one observation draws the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.transfer.items import Item

SOURCE = "mcp-memory"


def looks_like_it(values: Sequence[dict[str, Any]]) -> bool:
    """Return whether a file's objects are entities and relations."""
    return bool(values) and all(
        value.get("type") in ("entity", "relation") and "content" not in value for value in values
    )


def parse(values: Sequence[dict[str, Any]], name: str) -> list[Item]:
    """Return the memories of a graph.

    Raises:
        ImportRefused: An entity or relation lacks a part, or one is of the wrong type.
    """
    items: list[Item] = []
    for number, value in enumerate(values, 1):
        try:
            items.extend(_entity(value) if value["type"] == "entity" else [_relation(value)])
        except (KeyError, TypeError) as error:
            raise ImportRefused(f"{name}, entry {number} is a broken {value['type']}: {error}") from error
    return items


def _entity(value: dict[str, Any]) -> list[Item]:
    name, kind, observations = _text(value, "name"), _text(value, "entityType"), value["observations"]
    if not isinstance(observations, list):
        raise TypeError("observations are no list")
    return [
        {
            "content": observation,
            "key": name,
            "tags": [kind] if kind.strip() else [],  # the server takes any text for a kind, none included
            "type": "fact",
            "session": _tape(name),
            "source": SOURCE,
        }
        for observation in observations
    ]


def _relation(value: dict[str, Any]) -> Item:
    start, kind, end = _text(value, "from"), _text(value, "relationType"), _text(value, "to")
    return {
        "content": f"{start} {kind.replace('_', ' ')} {end}",
        "key": start,
        "tags": ["relation"],
        "type": "fact",
        "session": _tape(start),
        "source": SOURCE,
    }


def _text(value: dict[str, Any], part: str) -> str:
    text = value[part]
    if not isinstance(text, str):
        raise TypeError(f"{part} is no text")
    return text


def _tape(entity: str) -> str:
    return f"about {entity}"
