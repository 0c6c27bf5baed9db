"""Calling tools as a host does: JSON in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.tools import TOOLS, call

JSON = dict[str, Any]

PUBLISHED = {name: Draft202012Validator(spec.output_schema) for name, spec in TOOLS.items()}
"""What holds each tool's answers against its output schema."""


def conforming(tool: str, envelope: JSON) -> JSON:
    """Return an envelope, which has to fit the output schema that its tool publishes.

    Raises:
        ValidationError: It does not.
    """
    if tool in PUBLISHED:  # a name that is none of the five publishes nothing
        PUBLISHED[tool].validate(envelope)
    return envelope


def called(memory: NTMMemoryManager, tool: str, arguments: Mapping[str, Any]) -> JSON:
    """Return a call's envelope, which has to be as published, and to come through JSON and UTF-8 as it is."""
    envelope = conforming(tool, call(memory, tool, arguments))
    sent = json.dumps(envelope, ensure_ascii=False, allow_nan=False).encode()
    assert json.loads(sent) == envelope
    return envelope


def done(memory: NTMMemoryManager, tool: str, **arguments: Any) -> JSON:
    """Return the envelope of a call that succeeds."""
    envelope = called(memory, tool, arguments)
    assert envelope["ok"] is True, envelope
    return envelope


def refused(memory: NTMMemoryManager, tool: str, **arguments: Any) -> JSON:
    """Return the error of a call that fails for its arguments: a code, what went wrong, and what to do."""
    envelope = called(memory, tool, arguments)
    assert envelope.keys() == {"ok", "error"}
    assert envelope["ok"] is False
    error: JSON = envelope["error"]
    assert error.keys() == {"code", "message", "hint"}
    assert all(isinstance(text, str) and text for text in error.values())
    return error


def noted(memory: NTMMemoryManager, content: str, **fields: Any) -> str:
    """Store a memory and return its id."""
    ident: str = done(memory, "memorize", content=content, **fields)["id"]
    return ident


def found(memory: NTMMemoryManager, query: str, **arguments: Any) -> list[JSON]:
    """Return a search's hits."""
    hits: list[JSON] = done(memory, "search", query=query, **arguments)["hits"]
    return hits


def ids(shown: list[JSON]) -> list[str]:
    """Return the ids of memories that were shown, in their order."""
    return [each["id"] for each in shown]


def everything(memory: NTMMemoryManager) -> JSON:
    """Return all that the memory holds, to compare before and after."""
    state = memory.state
    return {
        "live": dict(state.records),
        "forgotten": dict(state.forgotten),
        "archive": dict(state.archive),
        "purged": dict(state.tombstones),
        "consolidations": dict(state.consolidations),
    }
