"""Trained heads as files: the one beside a memory, and any other that somebody names."""

from __future__ import annotations

from pathlib import Path

from ntm_memory_skill.config import Config
from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.errors import UnusableHead
from ntm_memory_skill.store import Paths
from ntm_memory_skill.store.fs import FileSystem


def read_head(path: Path) -> TrainedHead:
    """Return the head that `ntm-memory train --output` wrote.

    Raises:
        UnusableHead: It cannot be read, or is none.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnusableHead(f"{path}: {error.strerror}", hint="Check the name and the permissions.") from error
    except ValueError as error:
        raise UnusableHead(f"{str(path)!r} is no name that a file can have") from error
    return TrainedHead.from_json(data)


def kept_head(config: Config) -> TrainedHead | None:
    """Return the head that is installed beside the configured memory; None where there is none.

    The memory itself is not opened: what is wrong with it is not in the way.

    Raises:
        StoreError: The file cannot be read.
        UnusableHead: It is no head.
    """
    found = FileSystem().read(Paths.of(config.memory_file).head)
    return None if found is None else TrainedHead.from_json(found[0])


def has_head(config: Config) -> bool:
    """Return whether a file is where the configured memory's head is kept, whatever is in it."""
    return FileSystem().read(Paths.of(config.memory_file).head) is not None
