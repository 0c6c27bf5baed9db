"""Looking at folders from outside."""

from __future__ import annotations

from pathlib import Path


def bytes_in(folder: Path) -> dict[str, bytes | None]:
    """Return every file under a folder with its bytes, and every folder with None."""
    found = sorted(folder.rglob("*")) if folder.exists() else []
    return {str(each.relative_to(folder)): each.read_bytes() if each.is_file() else None for each in found}


def cut_in_half(file: Path) -> None:
    """Leave the first half of a file, as a copy that was broken off would."""
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
