"""What the memory accepts. Each check returns the value in its final form, or says what is wrong and how to mend it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ntm_memory_skill.engine.modes import IN_HOPS
from ntm_memory_skill.errors import InputError, InvalidArgument, InvalidContent, UnknownArgument, UnknownFilter
from ntm_memory_skill.memnet.hops import MOST_HOPS
from ntm_memory_skill.model import BACKENDS, MODES, Backend, Filters, Mode, Query, Record

NAME_LIMIT = 256
TAG_LIMIT = 32
TOP_K_LIMIT = 1_000
CONTEXT_LIMIT = 10
FAINTEST = 1e-6  # the least strength that fading leaves: a row of length 0 has no direction to be found by
SHOWN = 40  # characters of a refused value that a message repeats
_IDENTIFIER = re.compile(r"[a-z0-9]{1,64}")
ALLOWED_CONTROLS = "\t\n\r"
FIELDS = (
    "content",
    "key",
    "importance",
    "tags",
    "type",
    "session",
    "at",
    "valid_until",
    "source",
    "ref",
    "supersedes",
    "pinned",
    "id",
)
HOW = ("mode", "hops", "backend")
"""Arguments of a search that are no filters."""
FILTERS = ("tags", "type", "session", "since", "until", "as_of", "include_superseded", "include_forgotten")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A memory that was asked for and checked, before it has an id and a slot."""

    content: str
    key: str | None = None
    importance: float = 0.5
    tags: tuple[str, ...] = ()
    type: str = "note"
    session: str | None = None
    at: datetime | None = None
    source: str | None = None
    ref: str | None = None
    supersedes: str | None = None
    valid_until: datetime | None = None
    pinned: bool = False
    id: str | None = None
    """The id that it had before, where it comes back from an export; new memories are given one."""

    def record(self, ident: str, slot: int, ordinal: int, now: datetime) -> Record:
        """Return the memory that this becomes under an id, in a slot, at a moment."""
        return Record(
            id=ident,
            slot=slot,
            ordinal=ordinal,
            content=self.content,
            created=now,
            at=now if self.at is None else self.at,
            key=self.key,
            importance=self.importance,
            tags=self.tags,
            type=self.type,
            session=self.session,
            source=self.source,
            ref=self.ref,
            supersedes=self.supersedes,
            valid_until=self.valid_until,
            pinned=self.pinned,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An update that was asked for and checked; None leaves a field as it is."""

    content: str | None
    importance: float | None
    tags: tuple[str, ...] | None
    reason: str | None
    pinned: bool | None = None


def draft(fields: Mapping[str, Any], content_limit: int) -> Draft:
    """Return the checked draft of a memory from the arguments of `memorize`.

    Raises:
        UnknownArgument: A field that memories do not have.
        InvalidContent: Content that is missing, blank, too long, or has control characters or lone surrogates.
        InvalidArgument: Another field is of the wrong type or out of range.
    """
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise UnknownArgument(f"a memory has no field {unknown[0]!r}", hint=f"The fields are: {', '.join(FIELDS)}.")
    kind = name("type", fields.get("type"))
    begins, ends = optional_moment("at", fields.get("at")), optional_moment("valid_until", fields.get("valid_until"))
    if begins is not None and ends is not None and ends <= begins:
        raise InvalidArgument("valid_until is not after at, so that the memory would never hold")
    return Draft(
        content=content(fields.get("content"), content_limit),
        key=name("key", fields.get("key")),
        importance=fraction("importance", fields["importance"]) if fields.get("importance") is not None else 0.5,
        tags=tags(fields.get("tags")),
        type="note" if kind is None else kind,
        session=name("session", fields.get("session")),
        at=begins,
        valid_until=ends,
        pinned=flag("pinned", fields.get("pinned")),
        source=name("source", fields.get("source")),
        ref=name("ref", fields.get("ref")),
        supersedes=name("supersedes", fields.get("supersedes")),
        id=identifier(fields.get("id")),
    )


def drafts(items: Iterable[object], content_limit: int) -> list[Draft]:
    """Return the checked drafts of many memories; an error names the item by its number, from 0."""
    checked: list[Draft] = []
    for number, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise InvalidArgument(f"item {number}: a memory is a mapping of fields, not {_kind(item)}")
        try:
            checked.append(draft(item, content_limit))
        except InputError as error:
            raise type(error)(f"item {number}: {error.message}", hint=error.hint) from error
    return checked


def change(given: Mapping[str, Any], content_limit: int) -> Change:
    """Return a checked update from content, importance, tags, reason and pinned.

    Raises:
        InvalidArgument: There is nothing to change, or a value is out of range.
        InvalidContent: See `content`.
    """
    if all(given.get(each) is None for each in ("content", "importance", "tags", "pinned")):
        raise InvalidArgument("nothing to change was given", hint="Give content, importance, tags or pinned.")
    return Change(
        content=None if given.get("content") is None else content(given["content"], content_limit),
        importance=None if given.get("importance") is None else fraction("importance", given["importance"]),
        tags=None if given.get("tags") is None else tags(given["tags"]),
        reason=name("reason", given.get("reason")),
        pinned=None if given.get("pinned") is None else flag("pinned", given["pinned"]),
    )


def erasure(idents: tuple[str, ...], strength: object, *, purge: bool) -> float:
    """Return how far to erase, 0 to 1, once the arguments fit together."""
    identifiers("erase", idents)
    share = fraction("strength", strength)
    if purge and share < 1:
        raise InvalidArgument("a purge is always whole", hint="Leave strength out, or purge.")
    return share


def identifiers(verb: str, idents: tuple[str, ...]) -> None:
    """Make sure that a verb which takes ids was given some, each once."""
    if not idents or not all(isinstance(ident, str) for ident in idents) or len(set(idents)) < len(idents):
        raise InvalidArgument(f"{verb} takes one or more different ids")


def faded(strength: float, share: float) -> float:
    """Return the strength that is left once a memory is erased by a share below 1."""
    return max(strength * (1 - share), FAINTEST)


def recall_text(query: object, key: str | None, content_limit: int) -> str:
    """Return the text to recall by: the query, or without one the key."""
    if query is None and key is None:
        raise InvalidArgument("recall needs a query or a key")
    return content(key if query is None else query, content_limit)


def question(query: object, top_k: object, given: Mapping[str, Any], content_limit: int) -> Query:
    """Return what is asked, with how many answers at most, its filters and, among them, its mode."""
    text, limit = content(query, content_limit), count("top_k", top_k, TOP_K_LIMIT)
    conditions = {each: value for each, value in given.items() if each not in HOW}
    way, matched = mode(given.get("mode"), chat=False), backend(given.get("backend"))
    wanted = hops(given.get("hops"), way)
    return Query(text=text, top_k=limit, filters=filters(conditions), mode=way, hops=wanted, backend=matched)


def manner(text: str, session: object, given: Mapping[str, Any]) -> Query:
    """Return what a chat recalls, with its mode and with whether superseded and forgotten memories may be seen."""
    allowed = ("include_superseded", "include_forgotten", *HOW)
    unknown = next((each for each in given if each not in allowed), None)
    if unknown is not None:
        raise UnknownArgument(f"recall has no argument {unknown!r}", hint=f"It has, besides: {', '.join(allowed)}.")
    chat = name("session", session)
    asked = question(text, TOP_K_LIMIT, {each: value for each, value in given.items() if each not in HOW}, len(text))
    way = mode(given.get("mode"), chat=chat is not None)
    matched = backend(given.get("backend"))
    return replace(asked, session=chat, mode=way, hops=hops(given.get("hops"), way), backend=matched)


def mode(value: object, *, chat: bool) -> Mode:
    """Return the mode of a search; "adaptive" if none is given.

    Args:
        value: What was given.
        chat: Whether it is known which chat asks.
    """
    if value is None:
        return "adaptive"
    found = next((each for each in MODES if each == value), None)
    if found is None:
        raise InvalidArgument(f"there is no mode {_shown(value)}", hint=f"The modes are: {', '.join(MODES)}.")
    if found == "contextual" and not chat:
        raise InvalidArgument("the mode contextual needs the chat that asks", hint="Use recall, with its session.")
    return found


def hops(value: object, way: Mode) -> int | None:
    """Return how often the memory is to be read, 1 to 4; None if that is not given, and goes by the question."""
    if value is None:
        return None
    wanted = count("hops", value, MOST_HOPS)
    if wanted > 1 and way not in IN_HOPS:
        hint = f"Leave hops out, or use one of the modes {', '.join(each for each in MODES if each in IN_HOPS)}."
        raise InvalidArgument(f"the mode {way} reads once", hint=hint)
    return wanted


def backend(value: object) -> Backend | None:
    """Return what is to match keys with rows; None if that is not given, and goes by the settings."""
    if value is None:
        return None
    found = next((each for each in BACKENDS if each == value), None)
    if found is None:
        raise InvalidArgument(f"there is no backend {_shown(value)}", hint=f"The backends are: {', '.join(BACKENDS)}.")
    return found


def filters(given: Mapping[str, Any]) -> Filters:
    """Return checked search filters.

    Raises:
        UnknownFilter: There is no such filter.
        InvalidArgument: A filter's value is of the wrong type.
    """
    for each in given:
        if each not in FILTERS:
            raise UnknownFilter(f"there is no filter {each!r}")
    return Filters(
        tags=tags(given.get("tags")),
        type=name("type", given.get("type")),
        session=name("session", given.get("session")),
        since=optional_moment("since", given.get("since")),
        until=optional_moment("until", given.get("until")),
        as_of=optional_moment("as_of", given.get("as_of")),
        include_superseded=flag("include_superseded", given.get("include_superseded")),
        include_forgotten=flag("include_forgotten", given.get("include_forgotten")),
    )


def content(value: object, limit: int) -> str:
    """Return content that can be stored: some text, not too long, without control characters and lone surrogates."""
    if not isinstance(value, str):
        raise InvalidContent(f"content is text, not {_kind(value)}")
    if not value.strip():
        raise InvalidContent("content is empty", hint="Give some text to remember.")
    if len(value) > limit:
        message = f"content has {len(value)} characters; one memory holds up to {limit}"
        raise InvalidContent(message, hint="Split it into several memories of one session.")
    fault = _bad_character(value)
    if fault is not None:
        raise InvalidContent(f"content has {fault}", hint="Remove it and call again.")
    return value


def name(label: str, value: object) -> str | None:
    """Return a short text such as a session's name, or None if it is not given."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidArgument(f"{label} is text, not {_kind(value)}")
    fault = _bad_character(value)
    if not value.strip() or len(value) > NAME_LIMIT or fault is not None:
        raise InvalidArgument(f"{label} has {fault or f'to have 1 to {NAME_LIMIT} characters'}")
    return value


def identifier(value: object) -> str | None:
    """Return an id that needs no quoting anywhere, or None if it is not given."""
    if value is None:
        return None
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise InvalidArgument("an id is 1 to 64 of the letters a-z and digits")
    return value


def tags(value: object) -> tuple[str, ...]:
    """Return tags without repeats, in their order."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidArgument(f"tags are a list of texts, not {_kind(value)}", hint='For example: ["travel", "2026"].')
    found = dict.fromkeys(name("a tag", tag) for tag in value)
    if None in found or len(found) > TAG_LIMIT:
        raise InvalidArgument(f"tags are up to {TAG_LIMIT} texts")
    return tuple(tag for tag in found if tag is not None)


def fraction(label: str, value: object) -> float:
    """Return a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:  # NaN fails as well
        raise InvalidArgument(f"{label} is a number from 0 to 1, not {_shown(value)}")
    return float(value)


def flag(label: str, value: object) -> bool:
    """Return true or false; false if nothing is given."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise InvalidArgument(f"{label} is true or false, not {_shown(value)}")
    return value


def count(label: str, value: object, limit: int, *, least: int = 1) -> int:
    """Return a whole number from `least` to `limit`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= limit:
        raise InvalidArgument(f"{label} is a whole number from {least} to {limit}, not {_shown(value)}")
    return value


def optional_moment(label: str, value: object) -> datetime | None:
    """Return a time, or None if it is not given."""
    return None if value is None else moment(label, value)


def moment(label: str, value: object) -> datetime:
    """Return a time with its zone from a datetime or ISO 8601 text; one without a zone is taken as UTC."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            hint = "For example: 2026-05-09, or 2026-05-09T14:30:00+02:00."
            raise InvalidArgument(f"{label} is no ISO 8601 date or time: {text[:SHOWN]!r}", hint=hint) from None
    if not isinstance(value, datetime):
        raise InvalidArgument(f"{label} is a time, not {_kind(value)}")
    return value.replace(tzinfo=UTC) if value.utcoffset() is None else value


def _bad_character(text: str) -> str | None:
    """Return what is wrong with the first character that no text should hold, or None."""
    for place, char in enumerate(text):
        if char >= " " and char < "\x7f":
            continue
        if "\ud800" <= char <= "\udfff":
            return f"a lone surrogate at character {place}"
        if unicodedata.category(char) == "Cc" and char not in ALLOWED_CONTROLS:
            return f"the control character U+{ord(char):04X} at character {place}"
    return None


def _shown(value: object) -> str:
    """Return a refused value as a message repeats it, cut short."""
    if isinstance(value, int) and abs(value) >= 10**SHOWN:
        return "one with too many digits"  # Python refuses to write out a number of thousands of them
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
