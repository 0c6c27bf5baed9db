"""Trained heads and hop policies as files: what is beside a memory, and any other that somebody names."""

from __future__ import annotations

from pathlib import Path

from ntm_memory_skill.config import Config
from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.errors import UnusableHead
from ntm_memory_skill.memnet.trained import TrainedPolicy
from ntm_memory_skill.store import Beside, Paths
from ntm_memory_skill.store.fs import FileSystem


def read_head(path: Path) -> TrainedHead:
    """Return the head that `ntm-memory train --output` wrote.

    Raises:
        UnusableHead: It cannot be read, or is none.
    """
    return TrainedHead.from_json(_bytes(path))


def read_policy(path: Path) -> TrainedPolicy:
    """Return the hop policy that `ntm-memory train --hops --output` wrote.

    Raises:
        UnusableHead: It cannot be read, or is none.
    """
    return TrainedPolicy.from_json(_bytes(path))


def kept_head(config: Config) -> TrainedHead | None:
    """Return the head that is installed beside the configured memory; None where there is none.

    The memory itself is not opened: what is wrong with it is not in the way.

    Raises:
        StoreError: The file cannot be read.
        UnusableHead: It is no head.
    """
    data = _kept(config, "head")
    return None if data is None else TrainedHead.from_json(data)


def kept_policy(config: Config) -> TrainedPolicy | None:
    """Return the hop policy that is installed beside the configured memory; see `kept_head`."""
    data = _kept(config, "hops")
    return None if data is None else TrainedPolicy.from_json(data)


def is_kept(config: Config, what: Beside) -> bool:
    """Return whether a file is where something trained is kept for the configured memory, whatever is in it."""
    return _kept(config, what) is not None


def _kept(config: Config, what: Beside) -> bytes | None:
    found = FileSystem().read(Paths.of(config.memory_file).beside(what))
    return None if found is None else found[0]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableHead(f"{path}: {error.strerror}", hint="Check the name and the permissions.") from error
    except ValueError as error:
        raise UnusableHead(f"{str(path)!r} is no name that a file can have") from error
