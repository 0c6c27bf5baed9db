"""`ntm-memory crossbar report`: figures with the memory's own keys, a picture, and a machine that looks through it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.hosts import crossbar_report
from ntm_memory_skill.hosts.cli import crossbar as command
from ntm_memory_skill.hosts.crossbar_machine import FACTORS
from ntm_memory_skill.hosts.crossbar_report import Sweep, measured
from ntm_memory_skill.ntm.tasks import TASKS
from ntm_memory_skill.ntm.training import presets
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in

TRAIN = ("train", "--task", "copy", "--memory-size=8", "--memory-dim=6", "--hidden=8", "--batch=2", "--updates=2")
FEW = Sweep(bits=(4, 8), seconds=(3600,), rows=(64,))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bits and times, small random keys, and tasks of short sequences."""
    monkeypatch.setattr(crossbar_report, "measured", partial(measured, sweep=FEW))
    monkeypatch.setattr(command, "RANDOM_LENGTH", 32)
    monkeypatch.setattr(command, "RANDOM_KEYS", 150)
    monkeypatch.setitem(presets.PRESETS, "copy", presets.Preset({}, {"check_every": 1}))
    monkeypatch.setattr(TASKS["copy"], "tests", {"3": (3,)})


@pytest.fixture
def filled(path: Path) -> Path:
    """A memory of as many memories as a report takes its keys from."""
    with NTMMemoryManager.open(path, encoder=HashedEncoder(64)) as memory:
        texts = [f"number {number} of many" for number in range(command.LEAST_KEYS)]
        memory.memorize_many([{"content": text} for text in texts], progress=False)
    return path


def test_a_small_memory_is_stood_in_for_by_random_keys(cli: CommandLine, path: Path) -> None:
    """It is said; nothing is written, and there need not be a memory."""
    envelope = cli("crossbar", "report", "--json").envelope
    assert (envelope["keys_from"], envelope["keys"], envelope["output"]) == ("random", 150, None)
    assert [each["at"] for each in envelope["bits"]] == [4, 8]
    assert not path.parent.exists()
    assert "drawn at random" in cli("crossbar", "report").out


def test_a_memory_s_own_keys_are_looked_at(cli: CommandLine, filled: Path) -> None:
    """The memory is left as it is; the preset is the configured one, or the one that is asked for."""
    before = bytes_in(filled.parent)
    envelope = cli("crossbar", "report", "--json").envelope
    assert (envelope["keys_from"], envelope["keys"], envelope["preset"]) == ("memory", command.LEAST_KEYS, "pcm")
    ideal = cli("crossbar", "report", "--preset=ideal", "--json").envelope
    assert ideal["times"][-1]["accuracy"] == {"alone": 1.0, "inside": 1.0, "reranked": 1.0}
    assert bytes_in(filled.parent) == before


def test_people_see_tables_and_what_they_stand_on(cli: CommandLine, filled: Path) -> None:
    """Accuracy three times, energy, and that it is a model."""
    shown = " ".join(cli("crossbar", "report").out.split())
    for part in ("of this memory", "ADC", "since programming", "array", "all rows exactly", "not measured"):
        assert part in shown


def test_a_picture_is_drawn_where_it_is_asked_for(cli: CommandLine, filled: Path, here: Path) -> None:
    """A file that is there is overwritten only with force."""
    assert cli("crossbar", "report", "--output", "c.png", "--json").envelope["output"] == "c.png"
    assert (here / "c.png").read_bytes().startswith(b"\x89PNG")
    outcome = cli("crossbar", "report", "--output", "c.png", "--json")
    assert (outcome.status, outcome.code) == (1, "invalid_argument")
    assert cli("crossbar", "report", "--output", "c.png", "--force").status == 0


def test_a_trained_machine_looks_through_it(cli: CommandLine, path: Path) -> None:
    """Exactly at first, then with more and more noise."""
    assert cli(*TRAIN, "--no-compile", "--json").envelope["ok"]
    envelope = cli("crossbar", "report", "--machine", "copy", "--json").envelope
    assert [each["noise"] for each in envelope["machine"]] == [None, *FACTORS]
    assert all(0 <= each["wrong"] <= 1 for each in envelope["machine"])
    ideal = cli("crossbar", "report", "--machine", "copy", "--preset=ideal", "--json").envelope["machine"]
    assert [each["bits"] for each in ideal] == pytest.approx([ideal[0]["bits"]] * len(ideal), abs=1e-3)
    assert "wrong bits" in cli("crossbar", "report", "--machine", "copy").out


@pytest.mark.parametrize("option", ["--machine=nobody", "--machine=missing.safetensors"])
def test_a_machine_that_is_none_is_refused(option: str, cli: CommandLine) -> None:
    """Before anything is emulated."""
    outcome = cli("crossbar", "report", option, "--json")
    assert outcome.status == 1
    assert outcome.code in {"invalid_argument", "unusable_machine"}


def test_a_machine_of_another_kind_is_refused(cli: CommandLine) -> None:
    """It finds its rows in other ways."""
    assert cli(*TRAIN, "--machine=dnc", "--no-compile", "--json").envelope["ok"]
    outcome = cli("crossbar", "report", "--machine", "machines/copy-dnc.safetensors", "--json")
    assert outcome.status == 1


@pytest.mark.parametrize("option", ["--preset=diamond", "--seed=-1"])
def test_wrong_usage_exits_with_2(option: str, cli: CommandLine) -> None:
    """As for every command."""
    assert cli("crossbar", "report", option).status == 2
