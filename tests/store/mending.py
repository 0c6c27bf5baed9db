"""Repairing and looking at memories, as the tests of `repair` do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ntm_memory_skill.store import StoreSettings, verify
from ntm_memory_skill.store.repair import Repair, repair
from tests.conftest import ticking_clock
from tests.store.wrecks import Kept


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
