"""Salvaging, repairing and looking at memories, as the tests do it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ntm_memory_skill.store import StoreSettings, snapshot, verify
from ntm_memory_skill.store.repair import Repair, repair
from ntm_memory_skill.store.replay import Salvage
from ntm_memory_skill.store.salvage import Evidence, salvage
from ntm_memory_skill.store.seal import Seal
from tests.conftest import ticking_clock
from tests.store.wrecks import EVIDENCE, SNAPSHOT, VERSION_1, WRITER, Kept, golden, kept

Changes = Mapping[str, bytes | None]
"""Bytes by name of what is there in place of a memory's files; None is no file."""


def mend(path: Path, whole: Kept | None = None, **given: Any) -> Repair:
    """Repair as a process of its own that does not wait for others."""
    settings = StoreSettings(lock_timeout=0) if whole is None else whole.settings
    return repair(path, **{"clock": ticking_clock(), "settings": settings, **given})


def well(path: Path, whole: Kept) -> bool:
    """Return whether nothing is amiss."""
    return all(finding.ok for finding in verify(path, ticking_clock(), whole.settings))


def below(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder, but those that every holder of the lock touches."""
    files = (each for each in folder.rglob("*") if each.is_file() and each.suffix not in {".lock", ".writer"})
    return {str(each.relative_to(folder)): each.read_bytes() for each in files}


def memory(condition: str) -> Kept:
    """Return a memory in some condition."""
    return golden(condition) if condition in VERSION_1 else kept(condition)


def acknowledged(whole: Kept) -> int:
    """Return what the writer's note says."""
    found = re.search(rb"acknowledged (\d+)", whole.files.get(WRITER, b""))
    return 0 if found is None else int(found[1])


def seal_of(whole: Kept) -> Seal | None:
    """Return what opens a memory."""
    return None if whole.passphrase is None else Seal(whole.passphrase, snapshot.salt(whole.files[SNAPSHOT]))


def salvaged(whole: Kept, changes: Changes | None = None, *, noted: bool = True) -> Salvage:
    """Salvage a memory of which some files are others, or are not there."""
    evidence = evidence_of({**whole.files, **(changes or {})}, acknowledged(whole) if noted else 0)
    return salvage(evidence, seal_of(whole))


def evidence_of(files: Changes, noted: int = 0) -> Evidence:
    """Return what is judged of some files."""
    in_snapshot, in_journal, before, its_journal = (files.get(name) for name in EVIDENCE)
    return Evidence(in_snapshot, in_journal, before, its_journal, acknowledged=noted)


def all_there(whole: Kept, found: Salvage) -> bool:
    """Return whether nothing is lost, and nothing is called lost."""
    return whole.told.same_as(found.state) and found.lost == []


def lines(data: bytes) -> list[bytes]:
    """Return the lines of a file with their ends."""
    return data.splitlines(keepends=True)


def without(data: bytes, number: int) -> bytes:
    """Return a file without one of its lines."""
    return b"".join(line for place, line in enumerate(lines(data)) if place != number)
