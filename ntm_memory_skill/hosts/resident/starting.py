"""Starting a resident on demand, in a session of its own. Of several that are started at once, one stays."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

from ntm_memory_skill.config import Found
from ntm_memory_skill.hosts.resident.place import connected
from ntm_memory_skill.hosts.resident.protocol import ACCEPTANCE

logger = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds within which a resident listens. Its model loads later, with the first call."""
STEP = 0.02
"""Seconds between two looks at whether it does."""


def started(configured: Found, path: Path) -> socket.socket | None:
    """Start a resident and return a connection to it, or to one that was quicker; None where there is none.

    It is not started for a memory whose folder does not exist, so that looking for nothing leaves nothing behind.

    Args:
        configured: Names the memory, and says after how many minutes without a call the resident ends.
        path: Where it is to listen.
    """
    if not path.parent.is_dir():
        return None
    words = ["--memory", str(configured.memory_file), "serve", "--socket", "--idle", str(configured.resident.minutes)]
    try:
        process = subprocess.Popen(  # noqa: S603  # this very program
            [sys.executable, "-P", "-m", "ntm_memory_skill", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        logger.info("no resident could be started: %s", error)
        return None
    try:
        return _awaited(process, path)
    finally:
        if process.returncode is None:
            process.returncode = 0  # it outlives this process, which is as it should be: nothing is to warn of it


def _awaited(process: subprocess.Popen[bytes], path: Path) -> socket.socket | None:
    deadline = time.monotonic() + PATIENCE
    ended = False
    while time.monotonic() < deadline:
        try:
            return connected(path, ACCEPTANCE)
        except OSError as error:
            if ended:
                logger.info("the resident that was started ended, and no other is there: %s", error)
                return None
        ended = process.poll() is not None  # perhaps because another was quicker: look once more
        if not ended:
            time.sleep(STEP)
    logger.info("the resident that was started does not listen yet")
    return None
