"""Looking at folders from outside."""

from __future__ import annotations

from pathlib import Path

HOLDER = 160
"""Bytes of the writer's note that name the process which took the lock last: a refused write changes them, too."""


def bytes_in(folder: Path) -> dict[str, bytes | None]:
    """Return every file under a folder with its bytes, and every folder with None; of a writer's note, what it says."""
    found = sorted(folder.rglob("*")) if folder.exists() else []
    return {str(each.relative_to(folder)): _content(each) if each.is_file() else None for each in found}


def cut_in_half(file: Path) -> None:
    """Leave the first half of a file, as a copy that was broken off would."""
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def written(folder: Path, name: str, text: str) -> Path:
    """Write a file, with the folders above it."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def _content(file: Path) -> bytes:
    return file.read_bytes()[HOLDER if file.suffix == ".writer" else 0 :]
