"""A command loads an exported model while it imports the rest: with the same answers, and the same errors."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder
from ntm_memory_skill.config import PLUGIN, Found, find
from ntm_memory_skill.encoder import EXPORTS, EncoderSettings, Progress
from ntm_memory_skill.errors import EncoderUnavailable
from ntm_memory_skill.hosts import compose
from tests.evaluation import sets
from tests.hosts.command_line import run_here

PATIENCE = 30.0  # seconds
NAME = "ntm-memory loads its model"


class Exported(HashedEncoder):
    """Loads no torch, and notes who loads it; or cannot be loaded."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.loaded, self.broken = threading.Event(), broken
        self.by: list[str] = []

    def warm_up(self) -> None:
        """Note the thread."""
        self.by.append(threading.current_thread().name)
        self.loaded.set()
        self._check()

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """Need the model."""
        self._check()
        return super().encode_passages(texts, on_progress)

    def _check(self) -> None:
        if self.broken:
            raise EncoderUnavailable("the exported model cannot be loaded")


class WithTorch(Exported):
    """Brings torch along."""

    array_library = "torch"


class Configured:
    """What the settings describe, whatever they are; notes with which ones it was asked for."""

    def __init__(self) -> None:
        self.encoder = Exported()
        self.asked: list[EncoderSettings] = []

    def load(self, settings: EncoderSettings) -> Exported:
        """Return the encoder."""
        self.asked.append(settings)
        return self.encoder


@pytest.fixture
def configured(here: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """Has every command of this process use one encoder."""
    made = Configured()
    monkeypatch.setattr(compose, "load_encoder", made.load)
    return made


def looked_up(here: Path) -> Found:
    """Return what is configured in a folder."""
    found = find({}, here, None)
    assert found is not None
    return found


def test_it_is_loaded_in_a_thread_of_its_own(here: Path, configured: Configured) -> None:
    """From beside the memory, and nothing else of it is assumed."""
    assert compose.loading_ahead(looked_up(here)) is configured.encoder
    assert configured.encoder.loaded.wait(PATIENCE)
    assert configured.encoder.by == [NAME]
    assert configured.asked == [EncoderSettings(exports=Path("memory") / EXPORTS)]


def test_a_model_for_torch_waits_until_it_is_needed(here: Path, configured: Configured) -> None:
    """Most of its loading is imports, which would take turns with those of the command."""
    configured.encoder = WithTorch()
    assert compose.loading_ahead(looked_up(here)) is None
    assert configured.encoder.by == []


def test_so_does_one_whose_settings_were_not_checked(here: Path, configured: Configured) -> None:
    """And nothing is loaded where nothing was found."""
    assert compose.loading_ahead(None) is None
    assert compose.loading_ahead(replace(looked_up(here), plain_encoder=False)) is None
    assert configured.asked == []


class TestCommands:
    """What a command does with it."""

    @pytest.mark.parametrize(
        "line", [("memorize", "abc"), ("recall", "abc"), ("erase", "--query", "abc")], ids=" ".join
    )
    def test_what_encodes_uses_it(self, here: Path, configured: Configured, line: tuple[str, ...]) -> None:
        """The model is loaded once."""
        assert run_here("memorize", "abc", "--json").envelope["ok"]
        configured.encoder = Exported()
        assert run_here(*line, "--json").envelope["ok"]
        assert configured.encoder.loaded.wait(PATIENCE)
        assert configured.encoder.by == [NAME]

    def test_what_encodes_nothing_loads_nothing(self, here: Path, configured: Configured) -> None:
        """An id is enough to erase by."""
        ident = run_here("memorize", "abc", "--json").envelope["id"]
        configured.asked.clear()
        assert run_here("erase", ident, "--json").envelope["ok"]
        assert configured.asked == []

    def test_a_model_that_cannot_be_loaded_is_told_of_once(
        self, here: Path, configured: Configured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the call that needs it: the thread says nothing."""
        told: list[object] = []
        monkeypatch.setattr(threading, "excepthook", told.append)
        configured.encoder = Exported(broken=True)
        outcome = run_here("memorize", "abc")
        assert configured.encoder.loaded.wait(PATIENCE)
        for thread in threading.enumerate():
            if thread.name == NAME:
                thread.join(PATIENCE)
        assert outcome.status == 1
        assert outcome.err.count("the exported model cannot be loaded") == 1
        assert told == []

    def test_a_mistake_in_the_configuration_is_told_of_as_ever(self, here: Path, configured: Configured) -> None:
        """Whatever was begun."""
        sets.written(here / "clawhub.json", {"plugins": {PLUGIN: {"config": {"m3": {"gist": True}}}}})
        outcome = run_here("recall", "abc", "--json")
        assert outcome.code == "invalid_config"
        assert "m3.gist" in outcome.out
