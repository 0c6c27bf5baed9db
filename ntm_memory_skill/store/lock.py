"""One writer at a time, between threads and processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ntm_memory_skill.errors import StoreLocked
from ntm_memory_skill.store.fs import PRIVATE_FILE, translated
from ntm_memory_skill.store.writer import WriterNote

POLL = 0.02  # seconds between two attempts: shorter costs a crowd of writers more time than it saves


class WriterLock:
    """The operating system's lock on `ntm_memory.lock`; it frees itself when its holder exits, however it exits.

    Args:
        path: The lock file. It is never deleted: deleting it could give two processes a lock each.
        timeout: Seconds to wait for another holder.
        note: Where the holder's name is written.
    """

    def __init__(self, path: Path, timeout: float, note: WriterNote) -> None:
        self._path, self._timeout, self._note = path, timeout, note
        self._lock = FileLock(
            path,
            timeout=timeout,
            mode=PRIVATE_FILE,
            thread_local=False,
            poll_interval=POLL,
            fallback_to_soft=False,  # a lock that is only a file would outlive a holder that was killed
            preserve_lock_file=True,
        )

    @contextmanager
    def held(self, *, wait: bool = True) -> Iterator[None]:
        """Hold the lock for the block; without `wait`, only if nobody has it.

        Raises:
            StoreLocked: Another process held it for longer than the timeout. The message names it.
            StoreUnreachable: The lock file cannot be made, or the file system has no locks.
        """
        with translated(self._path):
            try:
                self._lock.acquire(timeout=self._timeout if wait else 0)
            except Timeout as error:
                raise StoreLocked(self._held_by(wait=wait)) from error
        try:
            self._note.take()
            yield
        finally:
            self._lock.release()

    def _held_by(self, *, wait: bool) -> str:
        holder = self._note.holder() or "another process"
        how_long = (
            f"has been writing to the memory for over {self._timeout:g} s" if wait else "is writing to the memory"
        )
        return f"{holder}, {how_long} ({self._path})"
