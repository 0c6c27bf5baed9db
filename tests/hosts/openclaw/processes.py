"""Processes seen from outside, and waiting for what they do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PAUSE_S = 0.05


def until(condition: Callable[[], bool], limit_s: float) -> bool:
    """Look again and again until a condition holds, for so many seconds at most, and return whether it does."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE_S)
    return True


def processes_with(variable: str, value: str) -> dict[int, str]:
    """Return the command line, by number, of every process that was started with a variable of this value.

    Children inherit it, also those that have left their parent's session, or have lost their parent.
    """
    wanted = f"{variable}={value}".encode()
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError):  # somebody else's, or ended while it was looked at
            if folder.name.isdigit() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return found


def kill(numbers: list[int]) -> None:
    """End processes as a crash would; those that have ended by themselves are no error."""
    for number in numbers:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
