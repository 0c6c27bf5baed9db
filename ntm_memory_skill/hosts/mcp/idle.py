"""Consolidating while nobody asks for anything."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ntm_memory_skill.errors import NTMMemoryError

logger = logging.getLogger(__name__)

SECONDS = 5.0
"""How long a consolidation in idle time may take: a call that comes meanwhile waits for one of its steps at most."""


class Idle:
    """Does a piece of work once in every stretch of quiet.

    Args:
        seconds: How long it has to be quiet, above 0; 0 never does the work.
        work: The work.
    """

    def __init__(self, seconds: float, work: Callable[[], object]) -> None:
        self._seconds, self._work = seconds, work
        self._state = threading.Lock()
        self._last = 0.0
        self._timer: threading.Timer | None = None
        self._stopped = False
        self._working = threading.Lock()

    def touch(self) -> None:
        """Note that something was asked for."""
        if self._seconds <= 0:
            return
        with self._state:
            self._last = time.monotonic()
            if self._timer is None and not self._stopped:
                self._arm(self._seconds)

    def stop(self) -> None:
        """Do the work no more, and wait for what is under way."""
        with self._state:
            self._stopped = True
            if self._timer is not None:
                self._timer.cancel()
        with self._working:
            pass

    def _arm(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._due)
        self._timer.daemon = True
        self._timer.start()

    def _due(self) -> None:
        with self._state:
            if self._stopped:
                return
            left = self._last + self._seconds - time.monotonic()
            if left > 0:
                self._arm(left)
                return
            self._timer = None
        with self._working:
            if not self._stopped:
                self._do()

    def _do(self) -> None:
        try:
            self._work()
        except NTMMemoryError as error:  # nobody waits for it, and the next quiet stretch tries again
            logger.warning("consolidating in idle time failed: %s: %s", error.code, error.message)
        except Exception:  # a timer's thread would print it and be gone
            logger.exception("consolidating in idle time failed unexpectedly")
