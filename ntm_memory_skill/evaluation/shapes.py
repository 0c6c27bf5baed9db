"""What the layouts' readers share: what JSON of a certain shape is, and texts and times as a memory takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ntm_memory_skill.config import violations
from ntm_memory_skill.errors import DatasetRefused
from ntm_memory_skill.evaluation.corpus import Corpus

Entry = dict[str, Any]
Schema = Mapping[str, Any]

WHOLE = "question"
"""The category where a set has no kinds of questions."""
MISTAKES_SHOWN = 5

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
TEXT_OR_NUMBER: Schema = {"anyOf": [TEXT, NUMBER]}
ANYTHING: Schema = {}


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which a question set is written down."""

    name: str
    shown: str
    """What an entry looks like, for those whose file was refused."""
    marks: frozenset[str]
    """Names that the first entry has, and no other layout's."""
    schema: Schema
    """Of one entry; a file that is a list has several."""
    read: Callable[[Sequence[Entry], Path], list[Corpus]]
    """Takes a file's entries, and where it lies: some sets have a second file beside it."""


def an_object(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """Return the schema of an object that has all `required` names, perhaps `optional` ones, and others unchecked."""
    return {"type": "object", "properties": {**(optional or {}), **required}, "required": list(required)}


def a_list(entry: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": entry}


def check(value: object, schema: Schema, file: Path) -> None:
    """Let only what has the right shape through.

    Raises:
        DatasetRefused: It has not; the first mistakes are listed, each with its place.
    """
    found = violations(value, schema)
    if found:
        lines = [f"{file} has {len(found)} mistake(s):", *map(str, found[:MISTAKES_SHOWN])]
        rest = len(found) - MISTAKES_SHOWN
        raise DatasetRefused("\n  ".join([*lines, f"and {rest} more"] if rest > 0 else lines))


def json_of(file: Path) -> Any:
    """Return the value that a file holds, or the list of its lines' values where it is JSON lines.

    Raises:
        DatasetRefused: It cannot be read, or is neither.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DatasetRefused(f"{file}: {error.strerror}", hint="Check the name and the permissions.") from error
    except ValueError as error:
        raise DatasetRefused(f"{file} is no UTF-8 text, or has a name that no file can have") from error
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > 1 and _is_json(lines[0][1]):
        return [_loads(line, f"{file}, line {number},") for number, line in lines]
    return _loads(text, str(file))


def clean(text: str) -> str:
    """Return a text with blanks for the characters that no memory may hold, and none around it."""
    return _UNFIT.sub(" ", text).strip()


def moment(text: str, form: str, file: Path) -> datetime:
    """Return the time that a text states; none of the sets says in which zone, so UTC is taken.

    Raises:
        DatasetRefused: It does not have the form.
    """
    try:
        return datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
    except ValueError as error:
        raise DatasetRefused(f"{file}: {text!r} is no time of the form {form}") from error


_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _loads(text: str, label: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetRefused(f"{label} is no JSON: {error}") from error
