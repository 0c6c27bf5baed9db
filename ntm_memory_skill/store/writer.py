"""The note `ntm_memory.writer`: who holds the lock, and which entry was acknowledged last.

Two lines of fixed length, each written in place and without waiting for the disk: the note costs next to nothing, may
lag behind, and is believed only as far as that allows.

- The first names the process that took the lock last, for the message to those who wait in vain.
- The second is written after an entry's fsync has returned. It can be behind the journal, never ahead of it: a journal
  that ends before it has lost an entry that was acknowledged, and a torn line at its end is damage, not an unfinished
  write. With durability `relaxed` no such promise was made, and the line is left as it is.
"""

from __future__ import annotations

import platform
import re
import sys
import zlib
from os import getpid
from pathlib import Path

from ntm_memory_skill.errors import StoreError
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store.fs import FileSystem

LINE = 160  # bytes, the newline included
_HOLDER = re.compile(rb"process [ -~]*")  # it goes into a message, hence to a terminal
_ACKNOWLEDGED = re.compile(rb"acknowledged (\d{1,18}) crc ([0-9a-f]{8})")


class WriterNote:
    """The note beside one memory. It never fails a write that it is about."""

    def __init__(self, path: Path, fs: FileSystem, clock: Clock) -> None:
        self._path, self._fs, self._clock = path, fs, clock
        program = Path(sys.argv[0] or sys.executable).name
        self._myself = f"{program} on {platform.node()}"

    def take(self) -> None:
        """Write that this process holds the lock."""
        text = f"process {getpid()} ({self._myself}), since {self._clock().isoformat(timespec='seconds')}"
        self._write(re.sub(rb"[^ -~]", b"?", text.encode("ascii", "replace")), 0)

    def holder(self) -> str | None:
        """Return which process took the lock last, and since when."""
        found = _HOLDER.match(self._line(0))
        return None if found is None else found[0].decode("ascii").strip()

    def acknowledge(self, sequence: int) -> None:
        """Write that an entry was acknowledged."""
        number = b"%d" % sequence
        self._write(b"acknowledged %s crc %08x" % (number, zlib.crc32(number)), LINE)

    def acknowledged(self) -> int:
        """Return the last entry that is known to have been acknowledged; 0 if none is."""
        found = _ACKNOWLEDGED.match(self._line(LINE))
        return int(found[1]) if found is not None and int(found[2], 16) == zlib.crc32(found[1]) else 0

    def _write(self, text: bytes, at: int) -> None:
        try:
            self._fs.overwrite(self._path, text[: LINE - 1].ljust(LINE - 1) + b"\n", at)
        except StoreError:
            return  # what it is about has succeeded, or is about to fail by itself

    def _line(self, at: int) -> bytes:
        try:
            found = self._fs.read(self._path, at)
        except StoreError:
            return b""
        return b"" if found is None else found[0][:LINE]
