"""JSON lines: one memory a line, with the fields of `memorize` and its id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.model import Record
from ntm_memory_skill.transfer.items import Item


def document(text: str) -> dict[str, Any] | list[Any] | None:
    """Return the object or list that a file is as a whole, or None if it is no single one."""
    try:
        value = orjson.loads(text.removeprefix("\ufeff"))
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) else None


def objects(text: str, name: str) -> list[dict[str, Any]]:
    """Return the JSON objects of a file's lines; blank lines are passed over.

    Raises:
        ImportRefused: A line is not a JSON object.
    """
    values = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):  # U+2028 may stand inside a string
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ImportRefused(f"{name}, line {number} is no JSON: {error}") from error
        if not isinstance(value, dict):
            raise ImportRefused(f"{name}, line {number} is no JSON object")
        values.append(value)
    return values


def parse(values: Iterable[dict[str, Any]], name: str) -> list[Item]:
    """Return the memories of a file's objects.

    Raises:
        ImportRefused: An object has no content.
    """
    items = list(values)
    for number, item in enumerate(items, 1):
        if "content" not in item:
            raise ImportRefused(f"{name}, entry {number} has no content")
    return items


def to_jsonl(records: Iterable[Record]) -> Iterator[str]:
    """Yield a line for each memory, which `parse` reads back; fields that were not given are left out."""
    exported = list(records)
    replaced = {record.superseded_by: record.id for record in reversed(exported) if record.superseded_by is not None}
    for record in exported:
        fields = {
            "id": record.id,
            "content": record.content,
            "key": record.key,
            "importance": record.importance,
            "tags": list(record.tags) or None,
            "type": record.type,
            "session": record.session,
            "at": record.at.isoformat(),
            "source": record.source,
            "ref": record.ref,
            "supersedes": record.supersedes or replaced.get(record.id),
            "valid_until": None if record.valid_until is None else record.valid_until.isoformat(),
            "pinned": record.pinned or None,
        }
        yield orjson.dumps({name: value for name, value in fields.items() if value is not None}).decode() + "\n"
