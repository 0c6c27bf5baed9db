"""What every test may use: a clock that ticks, ids that repeat, an encoder without a model, memories on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, SentenceEncoder, Settings
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.sources import Clock, seeded_ids

pytest.register_assert_rewrite("tests.tools.calls", "tests.hosts.verbs_suite", "tests.hosts.transports")

os.environ["HF_HUB_OFFLINE"] = "1"  # a test that would download fails instead

settings.register_profile("explore", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "explore")
"""New examples on a desk, the same ones each time at the gate: there a red run has to be the change's fault."""

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

OpenMemory = Callable[..., NTMMemoryManager]


def ticking_clock(start: datetime = EPOCH, step: timedelta = timedelta(seconds=1)) -> Clock:
    """Return a clock that moves on by `step` each time it is read."""
    moments = iter(range(10**9))
    return lambda: start + next(moments) * step


@pytest.fixture
def clock() -> Clock:
    """A clock that starts at 2026-01-01 UTC and ticks a second a reading."""
    return ticking_clock()


@pytest.fixture
def hashed() -> HashedEncoder:
    """An encoder that needs no model."""
    return HashedEncoder(dimension=64)


@pytest.fixture(scope="session")
def bundled() -> SentenceEncoder:
    """The bundled model, loaded once for the whole run."""
    return SentenceEncoder()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a memory's snapshot would be; nothing is there yet."""
    return tmp_path / "memory" / "ntm_memory.json"


@pytest.fixture
def open_memory(path: Path, hashed: HashedEncoder, clock: Clock) -> Iterator[OpenMemory]:
    """A function that opens the memory at `path`, each time as another process would; all are closed at the end."""
    opened: list[NTMMemoryManager] = []
    seeds = iter(range(100))

    def open_one(encoder: Encoder | None = None, settings: Settings | None = None) -> NTMMemoryManager:
        memory = NTMMemoryManager.open(
            path,
            settings=settings,
            encoder=hashed if encoder is None else encoder,
            clock=clock,
            ids=seeded_ids(next(seeds)),
        )
        opened.append(memory)
        return memory

    yield open_one
    for memory in opened:
        memory.close()


@pytest.fixture
def memory(open_memory: OpenMemory) -> NTMMemoryManager:
    """One open memory on disk, empty."""
    return open_memory()
