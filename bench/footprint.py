"""What a process takes, as Linux counts it. Nothing but the standard library is imported."""

from __future__ import annotations

import os
from pathlib import Path

NAMES = {"VmRSS": "rss", "VmHWM": "peak", "Pss": "pss"}


def mib_of(process: int | None = None) -> dict[str, float]:
    """Return a process's memory in MiB: `rss`, `peak`, and `pss` where it may be read; none where there is no /proc.

    Args:
        process: Its id; None is this process.
    """
    folder = _folder(process)
    found = {}
    for file in (folder / "status", folder / "smaps_rollup"):
        try:
            lines = file.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            continue
        for label, value in (line.split(":", 1) for line in lines if ":" in line):
            if label in NAMES:
                found[NAMES[label]] = int(value.split()[0]) / 1024
    return found


def cpu_seconds(process: int | None = None) -> float:
    """Return the seconds that a process's threads have computed so far, together; 0 where the system does not say."""
    try:
        stat = (_folder(process) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _folder(process: int | None) -> Path:
    return Path("/proc") / ("self" if process is None else str(process))
