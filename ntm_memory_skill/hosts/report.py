"""What there is to say of a memory as a whole, and writing files that are asked for."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

from ntm_memory_skill.config import Config
from ntm_memory_skill.engine import NTMMemoryManager
from ntm_memory_skill.errors import InvalidArgument, StoreUnreachable
from ntm_memory_skill.store.directory import Paths

TOP_TAGS = 10


def statistics(memory: NTMMemoryManager, config: Config) -> dict[str, Any]:
    """Return counts, times, the encoder and the files' sizes in bytes."""
    state = memory.state
    records = list(state.records.values())
    times = sorted(record.at for record in records)
    paths = Paths.of(config.memory_file)
    files = (paths.snapshot, paths.journal, paths.keys)
    return {
        "memory": str(paths.snapshot),
        "memories": len(records),
        "slots": config.settings.memory_size,
        "superseded": sum(record.superseded_by is not None for record in records),
        "older_versions": sum(len(record.versions) for record in records),
        "faded": sum(record.strength < 1 for record in records),
        "archive": len(state.archive),
        "purged": len(state.tombstones),
        "sessions": len({record.session for record in records if record.session is not None}),
        "types": dict(Counter(record.type for record in records).most_common()),
        "tags": dict(Counter(tag for record in records for tag in record.tags).most_common(TOP_TAGS)),
        "first": times[0].isoformat() if times else None,
        "last": times[-1].isoformat() if times else None,
        "encoder": None if memory.encoder is None else str(memory.encoder),
        "bytes": {path.name: path.stat().st_size for path in files if path.exists()},
    }


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file that a person asked for; an existing one only if they insist.

    Raises:
        InvalidArgument: It exists, and `force` is off.
        StoreUnreachable: It cannot be written.
    """
    written = Path(f"{path}.tmp") if force else path  # the old file stays until the new one is whole
    try:
        with written.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
        if force:
            written.replace(path)
    except FileExistsError as error:
        raise InvalidArgument(f"{path} exists", hint="Choose another name, or add --force.") from error
    except OSError as error:
        with contextlib.suppress(OSError):
            written.unlink()
        raise StoreUnreachable(f"{path}: {error.strerror}", hint="Choose a folder that you may write to.") from error
