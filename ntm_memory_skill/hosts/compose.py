"""The composition root: configuration in, an open memory out. Nothing else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ntm_memory_skill.config import Config, load_config
from ntm_memory_skill.engine import NTMMemoryManager
from ntm_memory_skill.errors import ConfigError, ImportRefused
from ntm_memory_skill.transfer import Item, parse

MARKDOWN_MEMORY = ("MEMORY.md", "memory.md", "memory/*.md")
"""What OpenClaw keeps in a workspace."""


def configured(memory_file: Path | None = None) -> Config:
    """Return the configuration of this process.

    Raises:
        ConfigError: It holds mistakes.
    """
    return load_config(os.environ, Path.cwd(), memory_file=memory_file)


def open_memory(config: Config, *, require_encoder: bool = True) -> NTMMemoryManager:
    """Open the memory that the configuration names; see `NTMMemoryManager.open`."""
    return NTMMemoryManager.open(config.memory_file, settings=config.settings, require_encoder=require_encoder)


def check_enabled(config: Config) -> None:
    """Let the tools be used only where clawhub.json does not switch the skill off.

    The commands over the files go on working: the memory is still its owner's.

    Raises:
        ConfigError: It is switched off.
    """
    if not config.enabled:
        message = f"the skill is switched off: {config.origin} says enabled: false"
        raise ConfigError(message, hint='Set "enabled" to true there to use the tools again.')


def keep_to_one_thread() -> None:
    """Let torch compute on one thread in this process, unless its owner said otherwise. Call it before torch loads.

    A single text and a few thousand rows are too little to share out, and on a busy machine threads that wait for each
    other make a search several times slower. Bulk work (import, reindex, demo) keeps all cores.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file offered for import."""

    path: Path
    format: str
    items: tuple[Item, ...]


def read_for_import(paths: Iterable[Path]) -> list[Imported]:
    """Read and parse files; a folder stands for the OpenClaw memory in it.

    Raises:
        ImportRefused: One cannot be read, or is in no known format. Nothing was imported.
    """
    files = [file for path in paths for file in _files(path)]
    return [Imported(file, *_parsed(file)) for file in files]


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [_regular(path)]
        found: dict[tuple[int, int], Path] = {}
        for pattern in MARKDOWN_MEMORY:
            for file in sorted(path.glob(pattern)):
                state = _regular(file).stat()
                found.setdefault((state.st_dev, state.st_ino), file)  # MEMORY.md and memory.md may be one file
    except OSError as error:
        raise _unreadable(path, error) from error
    if not found:
        raise ImportRefused(f"{path} holds no MEMORY.md and no memory/*.md")
    return sorted(found.values())


def _regular(file: Path) -> Path:
    """Return a file that is one, and is where it seems to be: a link in a workspace could lead to anybody's secrets."""
    for each in (file, file.parent):
        if each.is_symlink() and (each == file or each.name == "memory"):
            raise ImportRefused(f"{each} is a symbolic link", hint="Give the file that it leads to, by its real path.")
    if file.exists() and not file.is_file():
        raise ImportRefused(f"{file} is no regular file", hint="Give a file, or a folder with MEMORY.md in it.")
    return file


def _parsed(file: Path) -> tuple[str, tuple[Item, ...]]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(file, error) from error
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from error
    kind, items = parse(text, file)
    return kind, tuple(items)


def _unreadable(path: Path, error: OSError) -> ImportRefused:
    return ImportRefused(f"{path}: {error.strerror}", hint="Check the file's name and permissions.")
