"""The pieces that the tools' JSON schemas (2020-12) are made of."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

JSONSchema = dict[str, Any]


def text(description: str) -> JSONSchema:
    """Return the schema of a text."""
    return {"type": "string", "description": description}


def texts(description: str, **bounds: int) -> JSONSchema:
    """Return the schema of a list of texts."""
    return {"type": "array", "items": {"type": "string"}, **bounds, "description": description}


def flag(description: str) -> JSONSchema:
    """Return the schema of a yes or no."""
    return {"type": "boolean", "description": description}


def number(description: str) -> JSONSchema:
    """Return the schema of any number."""
    return {"type": "number", "description": description}


def share(description: str) -> JSONSchema:
    """Return the schema of a number from 0 to 1."""
    return {"type": "number", "minimum": 0, "maximum": 1, "description": description}


def whole(description: str, low: int) -> JSONSchema:
    """Return the schema of an integer that is `low` or more."""
    return {"type": "integer", "minimum": low, "description": description}


def each(items: JSONSchema, description: str) -> JSONSchema:
    """Return the schema of a list."""
    return {"type": "array", "items": items, "description": description}


def closed(properties: dict[str, JSONSchema], optional: Collection[str] = (), **more: Any) -> JSONSchema:
    """Return the schema of an object that has these properties, all but the optional ones, and no others."""
    required = [name for name in properties if name not in optional]
    schema: JSONSchema = {"type": "object", **more, "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema
