"""Making the change to OpenClaw, and taking it back: in one write each, and not at all where anything goes wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ntm_memory_skill.errors import HostRefused, NTMMemoryError
from ntm_memory_skill.hosts.setup import plan, record
from ntm_memory_skill.hosts.setup.files import read_file, remove_file, replace_file
from ntm_memory_skill.hosts.setup.openclaw import OpenClaw
from ntm_memory_skill.hosts.setup.plan import Change, Wishes
from ntm_memory_skill.hosts.setup.portions import portions
from ntm_memory_skill.hosts.setup.record import Record

MANIFEST = "openclaw.plugin.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A change that can be made, or taken back: what will be different, and what was found."""

    host: OpenClaw
    file: Path
    """The host's configuration."""
    data: bytes | None
    """Its bytes when this was prepared; None if there is no such file."""
    tree: dict[str, Any]
    changes: tuple[Change, ...]
    former: Record | None
    """What earlier set-ups have changed."""
    left: tuple[Change, ...] = ()
    """What is not taken back, because somebody has changed it since."""

    @property
    def record_file(self) -> Path:
        """Where it is noted how to take the change back."""
        return record.beside(self.file)

    @property
    def exactly(self) -> bool:
        """Whether undoing puts the very bytes back that were there before."""
        return (
            self.former is not None
            and self.former.whole
            and self.former.after is not None
            and self.former.after == record.digest(self.data)
            and self.former.before != self.data  # else the change is in a file that the configuration includes
        )

    @property
    def loses_comments(self) -> bool:
        """Whether the file holds more than plain JSON, which the host does not write."""
        try:
            json.loads(self.data or b"{}")
        except ValueError:
            return True
        return False


def prepare(host: OpenClaw, wishes: Wishes) -> Prepared:
    """Find out what has to change.

    Raises:
        HostRefused: The plugin or the host's configuration is not fit for it, or its owner has decided against it.
    """
    if not (wishes.folder / MANIFEST).is_file():
        hint = "Install ntm-memory again: pip install --force-reinstall --no-deps ntm-memory-skill"
        raise HostRefused(f"{wishes.folder} holds no OpenClaw plugin", hint=hint)
    found = _look(host)
    blocked = plan.obstacles(found.tree)
    if blocked:
        raise HostRefused("; ".join(blocked), hint="Change that first, if you want ntm-memory in OpenClaw.")
    return replace(found, changes=plan.changes(found.tree, wishes))


def prepare_undo(host: OpenClaw) -> Prepared:
    """Find out what takes the set-up back: with its record what was there before, else only what is ntm-memory's own.

    Raises:
        HostRefused: The host's configuration, or the record, cannot be read.
    """
    found = _look(host)
    if found.former is None:
        return replace(found, changes=plan.removal(found.tree))
    back, left = plan.reversal(found.tree, found.former.changes, found.former.made)
    return replace(found, changes=back, left=left)


def carry_out(prepared: Prepared) -> str:
    """Make the change, check it, and return what the host said of it. If anything fails, all is as it was.

    Raises:
        HostRefused: The host refused the change, or the result; or the file has been changed since it was prepared.
    """
    _unchanged(prepared)
    noted = record.joined(
        prepared.former,
        Record(
            changes=prepared.changes,
            made=plan.missing_objects(prepared.tree, prepared.changes),
            whole=True,
            before=prepared.data,
        ),
    )
    record.save(prepared.record_file, noted)  # before the change: what was there must not be lost with this process
    try:
        said = _patch(prepared, prepared.changes)
    except NTMMemoryError:
        _forget(prepared)
        raise
    record.save(prepared.record_file, replace(noted, after=record.digest(read_file(prepared.file))))
    return said


def take_back(prepared: Prepared) -> str:
    """Undo the set-up, check the result, and return what the host said of it. If anything fails, all is as it was.

    Raises:
        HostRefused: As in `carry_out`.
    """
    _unchanged(prepared)
    said = ""
    if prepared.former is not None and prepared.exactly:
        _put(prepared.file, prepared.former.before)
        prepared = _rest(prepared, prepared.former)
    if prepared.changes:
        said = _patch(prepared, *portions(prepared.tree, prepared.changes, len(prepared.data or b"")))
    remove_file(prepared.record_file)
    return said


def _look(host: OpenClaw) -> Prepared:
    file = host.config_file()
    if file.is_symlink():
        hint = "Set OPENCLAW_CONFIG_PATH to the real file: OpenClaw would put a file of its own in the link's place."
        raise HostRefused(f"{file} is a symbolic link", hint=hint)
    data = read_file(file)
    return Prepared(
        host=host,
        file=file,
        data=data,
        tree=host.plugins(),
        changes=(),
        former=record.load(record.beside(file)),
    )


def _rest(prepared: Prepared, former: Record) -> Prepared:
    """Return what is left to take back once the file is as it was: what stands in a file that it includes.

    The host reads the file for this, and notes that it has shrunk: unread, its next start would bring a backup back.
    """
    tree = prepared.host.plugins()
    back, left = plan.reversal(tree, former.changes, former.made)
    return replace(prepared, data=former.before, tree=tree, changes=back, left=left)


def _unchanged(prepared: Prepared) -> None:
    if read_file(prepared.file) != prepared.data:
        raise HostRefused(f"{prepared.file} has been changed meanwhile", hint="Run the command again.")


def _patch(prepared: Prepared, *parts: tuple[Change, ...]) -> str:
    """Let the host write, once for each part, and check the result; where that fails, put the file back as it was."""
    said = ""
    try:
        for part in parts:
            said = prepared.host.patch(plan.patch(part))
        complaints = prepared.host.complaints()
        if complaints:
            raise HostRefused(f"with the change the configuration is not valid: {'; '.join(complaints)}")
    except NTMMemoryError:
        if read_file(prepared.file) != prepared.data:
            _put(prepared.file, prepared.data)
        raise
    return said


def _forget(prepared: Prepared) -> None:
    """Let the record say what it said before."""
    if prepared.former is None:
        remove_file(prepared.record_file)
    else:
        record.save(prepared.record_file, prepared.former)


def _put(file: Path, data: bytes | None) -> None:
    if data is None:
        remove_file(file)
    else:
        replace_file(file, data)
