"""A command line without a model, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder
from ntm_memory_skill.config import ENVIRONMENT
from ntm_memory_skill.engine import manager
from ntm_memory_skill.hosts import demo, training
from ntm_memory_skill.hosts.cli import evaluate
from ntm_memory_skill.hosts.mcp import LazyMemory
from tests.hosts.command_line import Outcome, run_here
from tests.hosts.mcp_clients import Opener

CommandLine = Callable[..., Outcome]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder for the test's length: an empty one, and an environment that configures nothing."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in (*ENVIRONMENT, "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # what the commands set, so that it does not outlive the test
    return folder


@pytest.fixture
def no_model(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memories that are opened in this process take the hashed encoder."""
    for module in (manager, demo, evaluate, training):
        monkeypatch.setattr(module, "load_encoder", lambda settings: HashedEncoder())


@pytest.fixture
def cli(no_model: None, path: Path) -> CommandLine:
    """A function that runs a command line over the memory at `path`."""
    return lambda *arguments, stdin=b"": run_here("--memory", path, *arguments, stdin=stdin)


@pytest.fixture
def opener(path: Path) -> Opener:
    """Opens the memory at `path`."""
    return Opener(path)


@pytest.fixture
def lazy(opener: Opener) -> Iterator[LazyMemory]:
    """The memory that the opener opens."""
    memory = LazyMemory(opener)
    yield memory
    memory.close()


@pytest.fixture
def owned(cli: CommandLine, path: Path) -> Path:
    """The memory at `path`, with one entry."""
    assert cli("memorize", "the harbour master rings at noon").status == 0
    return path
