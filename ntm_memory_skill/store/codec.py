"""Records and events as JSON values, and back.

A field that has its default value is left out, so a file stays short and a later release may add fields. An unknown
field or event is refused: it comes from a newer release or from damage, and guessing would lose it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any, TypeVar

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import EncoderIdentity, Erased, Event, Faded, Memorized, Purged, Record, Updated, Version

T = TypeVar("T")
JSON = dict[str, Any]

_EVENTS: dict[str, type[Event]] = {
    "memorized": Memorized,
    "updated": Updated,
    "faded": Faded,
    "erased": Erased,
    "purged": Purged,
}
_EVENT_NAMES = {kind: name for name, kind in _EVENTS.items()}


def record_to_json(record: Record) -> JSON:
    """Return a record as a JSON object."""
    return _to_json(record)


def record_from_json(value: object) -> Record:
    """Return the record of a JSON object.

    Raises:
        StoreDamaged: It is not one.
    """
    return _from_json(Record, value)


def event_to_json(event: Event) -> JSON:
    """Return an event as a JSON object, with its kind under "event"."""
    return {"event": _EVENT_NAMES[type(event)], **_to_json(event)}


def event_from_json(value: object) -> Event:
    """Return the event of a JSON object.

    Raises:
        StoreDamaged: It is not one.
    """
    name = value.get("event") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str) or name not in _EVENTS:
        raise StoreDamaged("a journal entry holds an event of unknown kind")
    event: Event = _from_json(_EVENTS[name], {field: part for field, part in value.items() if field != "event"})
    return event


def identity_to_json(identity: EncoderIdentity) -> JSON:
    """Return an encoder's identity as a JSON object."""
    return _to_json(identity)


def identity_from_json(value: object) -> EncoderIdentity:
    """Return the encoder's identity of a JSON object.

    Raises:
        StoreDamaged: It is not one.
    """
    return _from_json(EncoderIdentity, value)


def _to_json(value: Any) -> JSON:
    result: JSON = {}
    for spec in fields(value):
        part = getattr(value, spec.name)
        if spec.default is not MISSING and part == spec.default:
            continue
        if isinstance(part, Record):
            part = _to_json(part)
        elif isinstance(part, bytes):
            part = base64.b64encode(part).decode()
        elif isinstance(part, datetime):
            part = part.isoformat()
        elif spec.name == "versions":
            part = [_to_json(version) for version in part]
        result[spec.name] = part
    return result


def _from_json(kind: type[T], value: object) -> T:
    if not isinstance(value, dict):
        raise StoreDamaged(f"a {kind.__name__.lower()} is not a JSON object")
    known = {spec.name for spec in fields(kind)}  # type: ignore[arg-type]  # every kind is a dataclass
    if not value.keys() <= known:
        raise StoreDamaged(f"a {kind.__name__.lower()} has unknown fields: {sorted(value.keys() - known)}")
    try:
        return kind(**{name: _part(name, part) for name, part in value.items()})
    except (TypeError, ValueError, binascii.Error) as error:
        raise StoreDamaged(f"a {kind.__name__.lower()} cannot be read: {error}") from error


def _part(name: str, part: Any) -> Any:
    """Return one field's value; None is never written, for it is the default wherever it may stand."""
    read = _READERS.get(name)
    return _typed(name, part, str) if read is None else read(name, part)


def _moment(name: str, part: Any) -> datetime:
    moment = datetime.fromisoformat(_typed(name, part, str))
    if moment.tzinfo is None:
        raise ValueError(f"a time without its zone: {part}")
    return moment


def _typed(name: str, part: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(part, kind) or isinstance(part, bool):
        raise ValueError(f"{name} is of the wrong type")  # damage in a file, not a caller's mistake
    return part


def _number(name: str, part: Any) -> float:
    return float(_typed(name, part, (int, float)))


def _integer(name: str, part: Any) -> int:
    return int(_typed(name, part, int))


def _texts(name: str, part: Any) -> tuple[str, ...]:
    return tuple(_typed(name, tag, str) for tag in _typed(name, part, list))


_READERS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("at", "created", "replaced_at", "superseded_at", "erased_at"), _moment),
    **dict.fromkeys(("importance", "strength"), _number),
    **dict.fromkeys(("slot", "ordinal", "dimension"), _integer),
    "record": lambda _, part: record_from_json(part),
    "versions": lambda name, part: tuple(_from_json(Version, version) for version in _typed(name, part, list)),
    "tags": _texts,
    "key_row": lambda name, part: base64.b64decode(_typed(name, part, str), validate=True),
}
"""How to read a field; those that are not listed are texts. A field name means the same in every event."""
