"""Where the files of a memory are, and what each is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ntm_memory_skill.errors import PathRefused
from ntm_memory_skill.store.fs import TEMPORARY, translated

DEFAULT_NAME = "ntm_memory.json"
_BESIDE = re.compile(r"\.(previous|v\d+|head|hops|crossbar)\.json$")


Beside = Literal["head", "hops", "crossbar"]
"""What is kept beside a memory: the addressing head and the hop policy that were trained for it; which devices of the
emulated crossbar hold its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The files of one memory, all in one folder."""

    snapshot: Path
    journal: Path
    """What happened since the snapshot."""
    keys: Path
    """The key cache."""
    lock: Path
    """What the operating system's lock is on."""
    writer: Path
    """Who wrote last, and up to where it was acknowledged."""
    previous: tuple[Path, Path]
    """The snapshot before this one, and its whole journal: folded, they are this one."""
    quarantine: Path
    """The folder that damaged files are put in."""
    head: Path
    """The addressing head that was trained for this memory."""
    hops: Path
    """The hop policy that was trained for it."""
    crossbar: Path
    """Which devices of the emulated crossbar hold its rows."""
    feedback: Path
    """Which given memories turned out to be of use."""

    @classmethod
    def of(cls, path: Path) -> Paths:
        """Return the files of a memory that is named by its snapshot, or by the folder that holds it.

        A name that does not exist yet is a folder's if it has no ending, as most people would read it.

        Raises:
            PathRefused: The name is none that a file can have.
            StoreUnreachable: Whether it is a folder cannot be told.
        """
        if any(ord(character) < 32 for character in str(path)):
            raise PathRefused(f"{str(path)!r} has control characters in it")
        if _BESIDE.search(path.name):
            raise PathRefused(f"{path} is the name of a file that is kept beside a memory, and replaced with it")
        with translated(path):
            is_folder = path.is_dir() or (not path.suffix and not path.exists())
        snapshot = path / DEFAULT_NAME if is_folder else path
        return cls(
            snapshot=snapshot,
            journal=_beside(snapshot, "journal.jsonl"),
            keys=_beside(snapshot, "keys.npy"),
            lock=_beside(snapshot, "lock"),
            writer=_beside(snapshot, "writer"),
            previous=(_beside(snapshot, "previous.json"), _beside(snapshot, "previous.journal.jsonl")),
            quarantine=_beside(snapshot, "damaged"),
            head=_beside(snapshot, "head.json"),
            hops=_beside(snapshot, "hops.json"),
            crossbar=_beside(snapshot, "crossbar.json"),
            feedback=_beside(snapshot, "feedback.jsonl"),
        )

    @property
    def folder(self) -> Path:
        """What they are in."""
        return self.snapshot.parent

    @property
    def companions(self) -> tuple[Path, ...]:
        """Where all is that may be beside the memory."""
        return self.head, self.hops, self.crossbar

    @property
    def socket(self) -> Path:
        """Where a process that has the memory open answers commands: no part of the memory."""
        return _beside(self.snapshot, "sock")

    def beside(self, what: Beside) -> Path:
        """Return where something beside the memory is kept."""
        match what:
            case "head":
                return self.head
            case "hops":
                return self.hops
            case "crossbar":
                return self.crossbar

    @property
    def temporaries(self) -> tuple[Path, ...]:
        """What a crash in the middle of a rewrite may leave behind."""
        rewritten = (self.snapshot, self.journal, self.keys, *self.previous, *self.companions, self.feedback)
        return tuple(path.with_name(path.name + TEMPORARY) for path in rewritten)

    def outdated(self, version: int) -> tuple[Path, Path]:
        """Return where snapshot and journal of an older format version are kept when they are upgraded."""
        return _beside(self.snapshot, f"v{version}.json"), _beside(self.snapshot, f"v{version}.journal.jsonl")


def _beside(snapshot: Path, ending: str) -> Path:
    return snapshot.with_name(f"{snapshot.name.removesuffix('.json')}.{ending}")
