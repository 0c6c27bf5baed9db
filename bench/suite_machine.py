"""What a run was made on: the machine, the versions, the commit."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fresh import THREADS

ROOT = Path(__file__).parents[1]
LIBRARIES = (
    "ntm-memory-skill numpy torch sentence-transformers onnxruntime onnx mcp orjson "
    "chromadb sqlite-vec pysqlite3-binary lancedb mem0ai"
).split()


def machine() -> dict[str, Any]:
    """Return what tells whether two runs can be compared."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "usable_cores": usable,
        "memory_gib": round(_kib("MemTotal") / 2**20, 1),
        "os": _field("/etc/os-release", "PRETTY_NAME", "=").strip('"') or platform.platform(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name)) is not None},
        "threads": {name: os.environ.get(name) for name in THREADS},
        "load_before": load(),
        "commit": _git("rev-parse", "HEAD") or "unknown",
        "dirty": bool(_git("status", "--porcelain")),
    }


def load() -> float | None:
    """Return the processes that were ready to run over the last minute, where the system says."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def free_bytes() -> int:
    """Return the bytes of memory that can be had without swapping; 0 where the system does not say."""
    return int(_kib("MemAvailable") * 1024)


def _kib(name: str) -> float:
    return float((_field("/proc/meminfo", name) or "0").split()[0])


def _field(file: str, name: str, mark: str = ":") -> str:
    """Return what stands behind a name in one of the system's files; nothing where there is no such line."""
    path = Path(file)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    split = (line.split(mark, 1) for line in lines if mark in line)
    return next((value.strip() for label, value in split if label.strip() == name), "")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    """Return what git says of this repository; nothing where there is none, or no git."""
    try:
        asked = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607  # the one on the path
    except OSError:
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
