"""What a power failure leaves of a folder.

The law that the model keeps is POSIX's, not one file system's: the content of a file is on the disk once the file was
synced, a name (created, moved, linked or deleted) once its folder was. Whatever came later may be there or not, each
name and each file by itself, in part or in another order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any, Literal

from ntm_memory_skill.store.fs import TEMPORARY
from tests.store.doubles import Call, FaultyOS, Plan

NOTE = ".writer"
LOCK = ".lock"
MANY = 5  # pending names, of which not every subset is tried

Survival = Literal["none", "half", "zeros", "all"]
"""How much of a file's unsynced content is on the disk; "zeros": its length alone."""
SURVIVALS: tuple[Survival, ...] = ("none", "half", "zeros", "all")


@dataclass(frozen=True)
class Picture:
    """A folder's files and folders, as they are at some moment. The lock is left out: only who holds it matters."""

    folders: tuple[str, ...]
    files: tuple[tuple[str, bytes, int], ...]
    """Name, content, and which file of this list it is the same one as, by a hard link."""

    @classmethod
    def of(cls, root: Path) -> Picture:
        """Return what a folder holds."""
        return cls.made(
            {path: None if entry.is_dir() else entry.inode() for path, entry in _below(root)}, root, Path.read_bytes
        )

    @classmethod
    def made(cls, found: Mapping[Path, Hashable], root: Path, content: Callable[[Path], bytes]) -> Picture:
        """Return the picture of names, each with what tells its file from others, or with None for a folder."""
        folders: list[str] = []
        files: list[tuple[str, bytes, int]] = []
        first: dict[Hashable, int] = {}
        for path in sorted(found):
            name, same = str(path)[len(str(root)) + 1 :], found[path]
            if same is None:
                folders.append(name)
            elif path.suffix != LOCK:
                files.append((name, content(path), first.setdefault(same, len(files))))
        return cls(tuple(folders), tuple(files))

    def lay(self, root: Path) -> None:
        """Make a folder hold this and nothing else."""
        root.mkdir(exist_ok=True)
        wanted = {root / name for name in self.folders}
        for path, entry in reversed(_below(root)):
            if not entry.is_dir():
                path.unlink()
            elif path not in wanted:
                path.rmdir()
        for name in self.folders:
            (root / name).mkdir(exist_ok=True)
        for number, (name, content, same) in enumerate(self.files):
            if same == number:
                (root / name).write_bytes(content)
            else:
                (root / name).hardlink_to(root / self.files[same][0])

    def temporaries(self) -> set[str]:
        """Return the names of temporary files."""
        return {name for name, _, _ in self.files if name.endswith(TEMPORARY)}

    def read(self, name: str) -> bytes | None:
        """Return what a file holds, or None if there is none."""
        return next((content for found, content, _ in self.files if found == name), None)


@dataclass(eq=False)
class Inode:
    """A file, whatever its names."""

    durable: bytes = b""
    """What was there when it was last synced."""
    latest: bytes = b""

    def survived(self, how: Survival) -> bytes:
        """Return what is found after the power failed."""
        if how == "none" or self.durable == self.latest:
            return self.durable
        same = _common(self.durable, self.latest)
        written = len(self.latest) - same
        if how == "all" or written == 0:
            return self.latest
        if how == "zeros":
            return self.latest[:same] + bytes(written)
        return self.latest[: same + (written + 1) // 2] + self.durable[same + (written + 1) // 2 :]


Names = dict[Path, Inode | None]
"""None is a folder."""


@dataclass(frozen=True)
class Renaming:
    """Something done to names in a folder that was not synced since."""

    folder: Path
    gone: Path | None = None
    there: Path | None = None
    inode: Inode | None = None

    def apply(self, names: Names) -> None:
        """Do it once more."""
        if self.gone is not None:
            names.pop(self.gone, None)
        if self.there is not None:
            names[self.there] = self.inode


@dataclass(frozen=True)
class Outcome:
    """One of the things that a power failure may leave."""

    label: str
    picture: Picture


class VolatileDisk(FaultyOS):
    """The module `os`, on a disk that keeps for good only what was synced.

    Args:
        root: The folder that is looked at, with all below it. What it holds now is on the disk.
        watch: What to call before and after every system call.
        plan: What else goes wrong.
        folders_last: Whether a new folder is on the disk at once. POSIX does not say so, but the file systems in use
            put it there with the first file in it that is synced.
    """

    def __init__(
        self,
        root: Path,
        watch: Callable[[VolatileDisk], None],
        plan: Plan = lambda number, call: None,
        *,
        folders_last: bool = False,
    ) -> None:
        super().__init__(plan)
        self._folders_last = folders_last
        self.changes = 0
        """Goes up whenever more or less may be found after a power failure."""
        self._root, self._watch = root, watch
        self._pending: list[Renaming] = []
        self._open: dict[int, Path | Inode] = {}
        self._names = _present(root)
        self._durable = dict(self._names)

    def perform(self, call: Call, real: Callable[[], Any]) -> Any:
        """Do it, and follow what it means for the disk."""
        self._watch(self)
        result = super().perform(call, real)
        follow = getattr(self, f"_after_{call.name}", None)
        if follow is not None:
            follow(result, *call.arguments)
        self._watch(self)
        return result

    def outcomes(self) -> Iterator[Outcome]:
        """Give what may be found if the power fails now; the writer's note may be older or newer than all the rest."""
        for chosen in _subsets(self._pending):
            names = dict(self._durable)
            for renaming in chosen:
                renaming.apply(names)
            reachable = {path: inode for path, inode in names.items() if self._reachable(path, names)}
            for rest, note in product(SURVIVALS, SURVIVALS):
                label = f"{len(chosen)} of {len(self._pending)} names, {rest} of the data, {note} of the note"
                yield Outcome(label, self._picture(reachable, rest, note))

    def durable(self) -> Picture:
        """Return the least that will be found: what was synced, and nothing else."""
        return next(outcome.picture for outcome in self.outcomes())

    def _picture(self, names: Names, rest: Survival, note: Survival) -> Picture:
        def content(path: Path) -> bytes:
            inode = names[path]
            return b"" if inode is None else inode.survived(note if path.suffix == NOTE else rest)

        return Picture.made(names, self._root, content)

    def _reachable(self, path: Path, names: Names) -> bool:
        return path.parent == self._root or (path.parent in names and self._reachable(path.parent, names))

    def _rename(self, renaming: Renaming) -> None:
        self.changes += 1
        renaming.apply(self._names)
        self._pending.append(renaming)

    def _after_open(self, handle: int, path: Path, flags: int, mode: int = 0) -> None:
        if path.is_dir():
            self._open[handle] = path
            return
        found = self._names.get(path)
        if found is None:
            found = Inode()
            self._rename(Renaming(path.parent, there=path, inode=found))
        self._open[handle] = found

    def _after_close(self, _: None, handle: int) -> None:
        del self._open[handle]

    def _after_write(self, _: int, handle: int, data: memoryview) -> None:
        self._changed(handle)

    def _after_ftruncate(self, _: None, handle: int, length: int) -> None:
        self._changed(handle)

    def _changed(self, handle: int) -> None:
        self.changes += 1
        inode = self._open[handle]
        assert isinstance(inode, Inode)
        path = next(path for path, each in self._names.items() if each is inode)
        inode.latest = path.read_bytes()

    def _after_fsync(self, _: None, handle: int) -> None:
        self.changes += 1
        found = self._open[handle]
        if isinstance(found, Inode):
            found.durable = found.latest
            return
        for renaming in self._pending:
            if renaming.folder == found:
                renaming.apply(self._durable)
        self._pending = [renaming for renaming in self._pending if renaming.folder != found]

    def _after_mkdir(self, _: None, path: Path, mode: int) -> None:
        renaming = Renaming(path.parent, there=path)
        self._rename(renaming)
        if self._folders_last:
            renaming.apply(self._durable)

    def _after_replace(self, _: None, source: Path, target: Path) -> None:
        inode = self._names[source]
        if self._names.get(target) is not inode:  # else it did nothing
            self._rename(Renaming(source.parent, gone=source, there=target, inode=inode))

    def _after_link(self, _: None, source: Path, target: Path) -> None:
        self._rename(Renaming(target.parent, there=target, inode=self._names[source]))

    def _after_unlink(self, _: None, path: Path) -> None:
        self._rename(Renaming(path.parent, gone=path))


def _present(root: Path) -> Names:
    inodes: dict[int, Inode] = {}
    names: Names = {}
    for path, entry in _below(root):
        if entry.is_dir():
            names[path] = None
        else:
            data = path.read_bytes()
            names[path] = inodes.setdefault(entry.inode(), Inode(data, data))
    return names


def _common(one: bytes, other: bytes) -> int:
    """Return how many bytes two files have in common at their beginning."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _below(folder: Path) -> list[tuple[Path, os.DirEntry[str]]]:
    """Return everything below a folder, what holds something before what it holds."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            found.append((path, entry))
            if entry.is_dir():
                found += _below(path)
    return found


def _subsets(pending: list[Renaming]) -> Iterable[tuple[Renaming, ...]]:
    """Give which of the renamings survive: all subsets, or of many only the first or the last so many."""
    count = len(pending)
    if count <= MANY:
        return chain.from_iterable(combinations(pending, size) for size in range(count + 1))
    ends = [tuple(pending[:size]) for size in range(count + 1)]
    return [*ends, *(tuple(pending[size:]) for size in range(1, count))]
