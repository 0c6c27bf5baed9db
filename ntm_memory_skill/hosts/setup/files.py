"""Other programs' files: read as they are, and replaced whole or not at all, with the rights that they had."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from ntm_memory_skill.errors import HostRefused
from ntm_memory_skill.store.fs import PRIVATE_FILE, PRIVATE_FOLDER


def read_file(path: Path) -> bytes | None:
    """Return a file's bytes, or None if there is no such file.

    Raises:
        HostRefused: It cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(path, error) from error


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file, so that a crash leaves the old or the new one; a new one is its owner's alone.

    Raises:
        HostRefused: It cannot be written; it is as it was.
    """
    written: Path | None = None
    try:
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else PRIVATE_FILE
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".ntm-memory-")
        written = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # else the rename may reach the disk before the data
        written.chmod(mode)
        written.replace(path)
    except OSError as error:
        if written is not None:
            with contextlib.suppress(OSError):
                written.unlink()
        raise _refused(path, error) from error


def remove_file(path: Path) -> None:
    """Delete a file, if it is there.

    Raises:
        HostRefused: It cannot be deleted.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> HostRefused:
    return HostRefused(f"{path}: {error.strerror}", hint="Check the file's permissions, and those of its folder.")
