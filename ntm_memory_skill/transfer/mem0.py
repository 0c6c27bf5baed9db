"""What mem0 gives out: the answer of `get_all`, its own or its platform's, as JSON; or its memories as JSON lines.

    {"results": [{"id": "0f3c…", "memory": "Likes tea", "created_at": "2026-05-09T10:00:00Z", "user_id": "ana", …}, …],
     "relations": [{"source": "ana", "relationship": "lives_in", "target": "lisbon"}, …]}

Older versions give the list alone; the platform gives pages, with `count`, `next` and `previous`: each is a file. Its
id becomes a memory's `ref`; its run, or else its user, is the tape. A relation of the graph becomes a sentence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.transfer.items import Item

SOURCE = "mem0"


def looks_like_it(document: object) -> bool:
    """Return whether a piece of JSON, or a list of the objects in its lines, is an export; the first entry tells."""
    if isinstance(document, list):
        return all(_is_memory(value) for value in document[:1])
    return isinstance(document, dict) and (isinstance(document.get("results"), list) or _is_memory(document))


def parse(document: dict[str, Any] | list[Any], name: str) -> list[Item]:
    """Return the memories of an export, and behind them its relations.

    Raises:
        ImportRefused: A memory or relation lacks a part, or one is of the wrong type.
    """
    whole = {"results": document} if isinstance(document, list) else document
    relations = whole.get("relations") or []
    if not isinstance(relations, list):
        raise ImportRefused(f"{name}: relations are no list")
    items: list[Item] = []
    for kind, values, read in (
        ("entry", whole.get("results", [whole]), _memory),
        ("relation", relations, _relation),
    ):
        for number, value in enumerate(values, 1):
            try:
                items.append(read(value))
            except (TypeError, ValueError) as error:
                raise ImportRefused(f"{name}, {kind} {number} is broken: {error}") from error
    return items


def _is_memory(value: object) -> bool:
    return isinstance(value, dict) and "memory" in value and "content" not in value


def _memory(value: object) -> Item:
    fields = {
        "content": _text(value, "memory"),
        "tags": _tags(value),
        "type": "fact",
        "session": _optional(value, "run_id") or _optional(value, "user_id"),
        "at": _moment(value, "created_at"),
        "source": SOURCE,
        "ref": _optional(value, "id"),
    }
    return {name: given for name, given in fields.items() if given}


def _relation(value: object) -> Item:
    start, kind = (_text(value, part).replace("_", " ") for part in ("source", "relationship"))
    end = _text(value, "target" if _part(value, "target") is not None else "destination").replace("_", " ")
    return {
        "content": f"{start} {kind} {end}",  # mem0 writes underscores for the blanks in all three
        "key": start,
        "tags": ["relation"],
        "type": "fact",
        "session": f"about {start}",
        "source": SOURCE,
    }


def _tags(value: object) -> list[str]:
    """Return the categories: the platform's own, and those that people put into the metadata by habit."""
    metadata = _part(value, "metadata")
    found: list[str] = []
    for given in (_part(value, "categories"), _part(metadata, "categories"), _part(metadata, "category")):
        several = [given] if isinstance(given, str) else given
        if isinstance(several, list) and all(isinstance(tag, str) for tag in several):
            found.extend(tag for tag in several if tag.strip())
    return list(dict.fromkeys(found))


def _moment(value: object, part: str) -> str | None:
    text = _optional(value, part)
    if text is not None:
        datetime.fromisoformat(text)  # or a ValueError, which says what it is
    return text


def _optional(value: object, part: str) -> str | None:
    """Return a text that may be missing or blank; the numbers that some stores hold as users are texts here."""
    given = _part(value, part)
    if isinstance(given, int):
        return str(given)
    return _text(value, part) if given is not None and given != "" else None


def _text(value: object, part: str) -> str:
    text = _part(value, part)
    if not isinstance(text, str) or not text.strip():
        raise TypeError(f"its {part} is no text")
    return text


def _part(value: object, part: str) -> Any:
    return value.get(part) if isinstance(value, dict) else None
