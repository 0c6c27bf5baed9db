"""What there is to say of a memory as a whole, and writing files that are asked for."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ntm_memory_skill.config import Config
from ntm_memory_skill.engine import NTMMemoryManager
from ntm_memory_skill.engine.footprint import Footprint
from ntm_memory_skill.errors import InvalidArgument, StoreUnreachable
from ntm_memory_skill.model import Record
from ntm_memory_skill.store import Paths
from ntm_memory_skill.store.fs import PRIVATE_FILE, translated

TOP_TAGS = 10


def statistics(memory: NTMMemoryManager, config: Config) -> dict[str, Any]:
    """Return counts, times, the encoder, the files' sizes in bytes, and what is taken of this process's memory."""
    state = memory.state
    records = list(state.records.values())
    times = sorted(record.at for record in records)
    paths = Paths.of(config.memory_file)
    files = (paths.snapshot, paths.journal, paths.keys, *paths.previous)
    return {
        "memory": str(paths.snapshot),
        "memories": len(records),
        "slots": config.settings.memory_size,
        "superseded": sum(record.superseded_by is not None for record in records),
        "older_versions": sum(len(record.versions) for record in records),
        "faded": sum(record.strength < 1 for record in records),
        "accesses": sum(record.accesses for record in records),
        "pinned": sum(record.pinned for record in records),
        "said_again": sum(record.repeats for record in records),
        "merged": sum(len(record.absorbed) for record in records),
        "links": sum(len(record.links) for record in records) // 2,
        "forgotten": sum(record.merged_into is None for record in state.forgotten.values()),
        "forgotten_because": _causes(record for record in state.forgotten.values() if record.merged_into is None),
        "consolidations": len(state.consolidations),
        "archive": len(state.archive),
        "purged": len(state.tombstones),
        "sessions": len({record.session for record in records if record.session is not None}),
        "types": dict(Counter(record.type for record in records).most_common()),
        "tags": dict(Counter(tag for record in records for tag in record.tags).most_common(TOP_TAGS)),
        "first": times[0].isoformat() if times else None,
        "last": times[-1].isoformat() if times else None,
        "encoder": None if memory.encoder is None else str(memory.encoder),
        "bytes": {path.name: path.stat().st_size for path in files if path.exists()},
        "in_memory": _in_memory(memory.footprint()),
    }


def _in_memory(footprint: Footprint) -> dict[str, int | None]:
    """Return the bytes that the memory takes of this process, by part; None where a part is not loaded."""
    parts = {name: value for name, value in asdict(footprint).items() if name != "memories"}
    return {**parts, "total": footprint.total, "per_memory": footprint.per_memory}


def _causes(forgotten: Iterable[Record]) -> dict[str, int]:
    """Return how many memories left the matrix for which cause: what stands in a reason before its first colon."""
    return dict(Counter((record.forgotten_because or "").split(":")[0] for record in forgotten).most_common())


def check_free(path: Path, *, force: bool) -> None:
    """Refuse a file that could not be written in the end, before it takes long to find out.

    Raises:
        InvalidArgument: It exists, and `force` is off; or there is no such folder.
        StoreUnreachable: It has a name that no file can have.
    """
    with translated(path):
        there = path.exists()
        folder = path.absolute().parent.is_dir()
    if there and not force:
        raise InvalidArgument(f"{path} exists", hint="Choose another name, or add --force.")
    if not folder:
        raise InvalidArgument(f"there is no folder {path.absolute().parent}", hint="Make it, or choose another.")


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file that a person asked for; an existing one only if they insist, and then all of it or nothing.

    Raises:
        InvalidArgument: It exists, and `force` is off.
        StoreUnreachable: It cannot be written.
    """
    written: Path | None = None
    try:
        handle, written = _new_file(path, aside=force)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        if force:
            written.replace(path)
    except FileExistsError as error:
        raise InvalidArgument(f"{path} exists", hint="Choose another name, or add --force.") from error
    except OSError as error:
        if written is not None:
            with contextlib.suppress(OSError):
                written.unlink()
        raise StoreUnreachable(f"{path}: {error.strerror}", hint="Choose a folder that you may write to.") from error


def _new_file(path: Path, *, aside: bool) -> tuple[int, Path]:
    """Make a file that is its owner's alone, and return it open: `path`, or one beside it under a name of its own."""
    if aside:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".ntm-memory-")
        return handle, Path(name)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), path
