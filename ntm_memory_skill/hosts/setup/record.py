"""What a set-up of OpenClaw has changed: enough to put everything back as it was, byte for byte if nobody wrote since.

The record is on the disk before the change is made, without the hash of the file as it is afterwards. Whatever is
interrupted, what was there before is known; without the hash, the changes are taken back one by one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ntm_memory_skill.errors import HostRefused
from ntm_memory_skill.hosts.setup.files import read_file, replace_file
from ntm_memory_skill.hosts.setup.plan import Change, Place

NAME = "ntm-memory-setup.json"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was changed, and what was there before."""

    changes: tuple[Change, ...]
    made: tuple[Place, ...]
    """Objects that were not there before."""
    whole: bool
    """Whether the file as it was says all: not if somebody else wrote between two set-ups."""
    before: bytes | None
    """The configuration file as it was; None if there was none."""
    after: str | None = None
    """SHA-256 of the file as the set-up left it; None if that is not known."""


def beside(config_file: Path) -> Path:
    """Return where the record of a configuration file's change is kept."""
    return config_file.with_name(NAME)


def digest(data: bytes | None) -> str | None:
    """Return the SHA-256 of a file's bytes; None for no file."""
    return None if data is None else hashlib.sha256(data).hexdigest()


def load(path: Path) -> Record | None:
    """Return the record, or None if there is none.

    Raises:
        HostRefused: It cannot be read, or is none.
    """
    data = read_file(path)
    if data is None:
        return None
    try:
        found = json.loads(data)
        if found["version"] != VERSION:
            raise ValueError(f"version {found['version']}")
        return Record(
            changes=tuple(Change(tuple(each["path"]), each["before"], each["after"]) for each in found["changes"]),
            made=tuple(tuple(place) for place in found["made"]),
            whole=found["whole"],
            before=None if found["before"] is None else base64.b64decode(found["before"], validate=True),
            after=found["after"],
        )
    except (ValueError, KeyError, TypeError) as error:
        hint = "Move it away; then --undo takes out ntm-memory's own entries and nothing else."
        raise HostRefused(f"{path} is no record of a set-up: {error}", hint=hint) from error


def save(path: Path, record: Record) -> None:
    """Write the record, for its owner's eyes alone: the file as it was may hold secrets.

    Raises:
        HostRefused: It cannot be written.
    """
    value = {
        "version": VERSION,
        "changes": [{"path": each.path, "before": each.before, "after": each.after} for each in record.changes],
        "made": record.made,
        "whole": record.whole,
        "before": None if record.before is None else base64.b64encode(record.before).decode(),
        "after": record.after,
    }
    replace_file(path, json.dumps(value, indent=2, ensure_ascii=False).encode())


def joined(former: Record | None, latter: Record) -> Record:
    """Return one record for two set-ups, one after the other: what was there before the first counts.

    Unless somebody has changed a value in between: then theirs is the one to go back to.
    """
    if former is None:
        return latter
    wrote = {change.path: change for change in former.changes}
    news = [_through(wrote.pop(change.path, None), change) for change in latter.changes]
    return Record(
        changes=(*wrote.values(), *news),
        made=tuple(dict.fromkeys((*former.made, *latter.made))),
        whole=former.whole and former.after is not None and former.after == digest(latter.before),
        before=former.before,
        after=latter.after,
    )


def _through(former: Change | None, latter: Change) -> Change:
    if former is None or former.after != latter.before:
        return latter
    return Change(latter.path, former.before, latter.after)
