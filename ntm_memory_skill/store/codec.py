"""Records and events as JSON values, and back.

A field that has its default value is left out, so a file stays short and a later release may add fields. An unknown
field or event is refused: it comes from a newer release or from damage, and guessing would lose it.
"""

from __future__ import annotations

import base64
import binascii
import math
import sys
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import (
    Absorbed,
    Accessed,
    Consolidated,
    EncoderIdentity,
    Erased,
    Event,
    Faded,
    Feedback,
    Forgotten,
    Link,
    Linked,
    Memorized,
    Merged,
    Occurrence,
    Purged,
    Record,
    Repeated,
    Restored,
    Superseded,
    Undone,
    Updated,
    Version,
    made,
)

T = TypeVar("T")
JSON = dict[str, Any]

LARGEST = 2**53
"""The largest whole number: beyond it, other programs that read JSON are no longer exact."""

_EVENTS: dict[str, type[Event]] = {
    "memorized": Memorized,
    "updated": Updated,
    "faded": Faded,
    "erased": Erased,
    "purged": Purged,
    "restored": Restored,
    "accessed": Accessed,
    "linked": Linked,
    "repeated": Repeated,
    "forgotten": Forgotten,
    "merged": Merged,
    "superseded": Superseded,
    "consolidated": Consolidated,
    "undone": Undone,
}
_EVENT_NAMES = {kind: name for name, kind in _EVENTS.items()}


def record_to_json(record: Record) -> JSON:
    """Return a record as a JSON object.

    Raises:
        StoreDamaged: It holds a number that JSON has no word for, so that it could not be read again.
    """
    return _to_json(record)


def record_from_json(value: object) -> Record:
    """Return the record of a JSON object.

    Raises:
        StoreDamaged: It is not one.
    """
    return _from_json(Record, value)


def event_to_json(event: Event) -> JSON:
    """Return an event as a JSON object, with its kind under "event".

    Raises:
        StoreDamaged: It holds a number that JSON has no word for, so that it could not be read again.
    """
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


def moment_from_json(value: object) -> datetime:
    """Return the time that a JSON value says.

    Raises:
        StoreDamaged: It says none, or leaves its zone open.
    """
    try:
        return _moment("a time", value)
    except ValueError as error:
        raise StoreDamaged(f"a time cannot be read: {error}") from error


def identity_to_json(identity: EncoderIdentity) -> JSON:
    """Return an encoder's identity as a JSON object."""
    return _to_json(identity)


def identity_from_json(value: object) -> EncoderIdentity:
    """Return the encoder's identity of a JSON object.

    Raises:
        StoreDamaged: It is not one.
    """
    return _from_json(EncoderIdentity, value)


def feedback_to_json(feedback: Feedback) -> JSON:
    """Return a piece of feedback as a JSON object."""
    return _to_json(feedback)


def feedback_from_json(value: object) -> Feedback:
    """Return the piece of feedback of a JSON object.

    Raises:
        StoreDamaged: It is not one.
    """
    return _from_json(Feedback, value)


def consolidation_to_json(consolidation: Consolidated) -> JSON:
    """Return what a consolidation did as a JSON object."""
    return _to_json(consolidation)


def consolidation_from_json(value: object) -> Consolidated:
    """Return the consolidation of a JSON object.

    Raises:
        StoreDamaged: It is not one.
    """
    return _from_json(Consolidated, value)


def _to_json(value: Any) -> JSON:
    result: JSON = {}
    for name, default in _DEFAULTS[type(value)]:
        part = getattr(value, name)
        if part is None or part is default or part == default:
            continue
        write = _WRITERS.get(type(part))
        result[name] = part if write is None else write(part)
    return result


_PARTS = (Version, Link, Absorbed, Occurrence)
"""What a record or an event may hold several of, or one."""

_DEFAULTS: dict[type, tuple[tuple[str, Any], ...]] = {
    kind: tuple((spec.name, spec.default) for spec in fields(kind))  # no value equals dataclasses.MISSING
    for kind in (Record, *_PARTS, EncoderIdentity, Feedback, *_EVENTS.values())
}
"""The fields of every kind of value, with their defaults."""

_KNOWN = {kind: frozenset(name for name, _ in known) for kind, known in _DEFAULTS.items()}

_UNSAID: dict[type, JSON] = {Superseded: {"by": None, "at": None}}
"""Fields without a default that may be None: left out as well, for null is never written."""


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise StoreDamaged(f"{number} cannot be stored: it could not be read again")
    return number


def _countable(number: int) -> int:
    if not 0 <= number <= LARGEST:
        raise StoreDamaged(f"{number} cannot be stored: it could not be read again")
    return number


def _time(moment: datetime) -> str:
    return _time_in_utc(moment) if moment.tzinfo is UTC else moment.isoformat()


@lru_cache(maxsize=256)
def _time_in_utc(moment: datetime) -> str:
    """Return a time as it is written; that of an answer stands in many links. Elsewhere equal times may read apart."""
    return moment.isoformat()


def _several_to_json(parts: tuple[Any, ...]) -> list[Any]:
    return [part if (write := _WRITERS.get(type(part))) is None else write(part) for part in parts]


_WRITERS: dict[type, Callable[[Any], Any]] = {
    Record: _to_json,
    **dict.fromkeys(_PARTS, _to_json),
    bytes: lambda part: base64.b64encode(part).decode(),
    datetime: _time,
    float: _finite,
    int: _countable,
    tuple: _several_to_json,
}
"""How to write a value; those of other types are JSON already."""

_MAKERS: dict[type, Callable[..., Any]] = {Record: made}
"""How to make a value of its fields; those of other types by their class."""


def _from_json(kind: type[T], value: object) -> T:
    if not isinstance(value, dict):
        raise StoreDamaged(f"a {kind.__name__.lower()} is not a JSON object")
    if not value.keys() <= _KNOWN[kind]:
        raise StoreDamaged(f"a {kind.__name__.lower()} has unknown fields: {sorted(value.keys() - _KNOWN[kind])}")
    try:
        parts = {name: _READERS.get(name, _READ_TEXT)(name, part) for name, part in value.items()}
        make: Callable[..., T] = _MAKERS.get(kind, kind)
        return make(**({**_UNSAID[kind], **parts} if kind in _UNSAID else parts))
    except (TypeError, ValueError, binascii.Error) as error:
        raise StoreDamaged(f"a {kind.__name__.lower()} cannot be read: {error}") from error


def _text(name: str, part: Any) -> str:
    text: str = part if type(part) is str else _typed(name, part, str)
    return text


def _label(name: str, part: Any) -> str:
    """Return a text that many memories have in common, as one string for all of them."""
    return sys.intern(_text(name, part))


def _moment(name: str, part: Any) -> datetime:
    return _read_moment(_text(name, part))


@lru_cache(maxsize=64)
def _read_moment(text: str) -> datetime:
    """Return the time that a text says; a memory's times are often the same, and the next one's as well."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without its zone: {text}")
    return moment


def _typed(name: str, part: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(part, kind) or (isinstance(part, bool) and kind is not bool):
        raise ValueError(f"{name} is of the wrong type")  # damage in a file, not a caller's mistake
    return part


def _number(name: str, part: Any) -> float:
    return float(_typed(name, part, (int, float)))


def _integer(name: str, part: Any) -> int:
    number: int = part if type(part) is int else int(_typed(name, part, int))
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{name} is out of range: {number}")
    return number


def _texts(name: str, part: Any) -> tuple[str, ...]:
    return tuple(_text(name, each) for each in _typed(name, part, list))


def _labels(name: str, part: Any) -> tuple[str, ...]:
    return tuple(_label(name, each) for each in _typed(name, part, list))


def _several(kind: type) -> Callable[[str, Any], Any]:
    return lambda name, part: tuple(_from_json(kind, each) for each in _typed(name, part, list))


_READ_TEXT: Callable[[str, Any], Any] = _text

_MOMENTS = (
    "at",
    "created",
    "replaced_at",
    "superseded_at",
    "erased_at",
    "accessed_at",
    "forgotten_at",
    "valid_until",
)

_READERS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(_MOMENTS, _moment),
    **dict.fromkeys(("importance", "strength", "stability", "difficulty", "weight"), _number),
    **dict.fromkeys(("slot", "ordinal", "dimension", "accesses", "repeats"), _integer),
    "pinned": lambda name, part: _typed(name, part, bool),
    "record": lambda _, part: record_from_json(part),
    "versions": _several(Version),
    "links": _several(Link),
    "absorbed": _several(Absorbed),
    "occurrences": _several(Occurrence),
    "occurrence": lambda _, part: _from_json(Occurrence, part),
    **dict.fromkeys(("type", "session", "source"), _label),
    "tags": _labels,
    **dict.fromkeys(("ids", "distilled_from", "merged", "superseded", "forgotten", "gists", "successors"), _texts),
    "counts": lambda name, part: tuple(_integer(name, count) for count in _typed(name, part, list)),
    **dict.fromkeys(
        ("stabilities", "difficulties"),
        lambda name, part: tuple(_number(name, number) for number in _typed(name, part, list)),
    ),
    "key_row": lambda name, part: base64.b64decode(_typed(name, part, str), validate=True),
}
"""How to read a field; those that are not listed are texts. A field name means the same in every event."""
