"""One writer at a time, between threads and processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ntm_memory_skill.errors import StoreLocked
from ntm_memory_skill.store.fs import PRIVATE_FILE, translated


class WriterLock:
    """The operating system's lock on `ntm_memory.lock`; it frees itself when its holder exits, however it exits.

    Args:
        path: The lock file. It is never deleted: deleting it could give two processes a lock each.
        timeout: Seconds to wait for another holder.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path, self._timeout = path, timeout
        self._lock = FileLock(path, timeout=timeout, mode=PRIVATE_FILE, thread_local=False)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for the block.

        Raises:
            StoreLocked: Another process held it for longer than the timeout.
            StoreUnreachable: The lock file cannot be made.
        """
        with translated(self._path):
            try:
                self._lock.acquire()
            except Timeout as error:
                message = f"another process has been writing to the memory for over {self._timeout:g} s ({self._path})"
                raise StoreLocked(message) from error
        try:
            yield
        finally:
            self._lock.release()
