"""`ntm-memory encoder`: export the model, see what runs it, remove the export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import HashedEncoder
from ntm_memory_skill.config import PLUGIN, Config
from ntm_memory_skill.encoder import EXPORTS, EncoderSettings
from ntm_memory_skill.hosts import compose
from tests.encoder.conftest import PROMPTS, save_tiny_model
from tests.evaluation import sets
from tests.hosts.command_line import Outcome, run_here

pytest.importorskip("onnx", reason="the extra 'fast' is not installed: nothing can be exported")
pytest.importorskip("onnxruntime", reason="the extra 'fast' is not installed: nothing exported can be run")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a few hundred weights."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny", seed=1, prompts=PROMPTS)


@pytest.fixture
def configured(model: Path, here: Path) -> Path:
    """A folder whose clawhub.json names the model; the current one."""
    return write(here, model=str(model))


def write(here: Path, **encoder: Any) -> Path:
    """Write a clawhub.json."""
    sets.written(here / "clawhub.json", {"plugins": {PLUGIN: {"config": {"encoder": encoder}}}})
    return here


def encoder(*line: str) -> Outcome:
    """Run one of the commands."""
    return run_here("encoder", *line, "--json")


def test_an_exported_model_is_used_from_then_on(configured: Path) -> None:
    """It lies beside the memory, makes the same keys, and is no longer used once it is removed."""
    assert encoder("show").envelope["engine"] == "torch"
    assert "ntm-memory encoder export" in run_here("doctor", "--json").out
    written = run_here("memorize", "abc", "--json").envelope
    assert written["ok"]
    envelope = encoder("export").envelope
    assert envelope["used"]
    assert envelope["least_cosine"] > 0.9999
    assert Path(envelope["folder"]).parent == Path("memory") / EXPORTS
    shown = encoder("show").envelope
    assert (shown["engine"], shown["identity"]) == ("onnx", envelope["identity"])
    examined = run_here("doctor", "--json").out
    assert "run by onnxruntime" in examined
    assert "ntm-memory encoder export" not in examined
    hits = run_here("search", "abc", "--json").envelope["hits"]
    assert [hit["id"] for hit in hits] == [written["id"]]
    broken_off = Path(f"{envelope['folder']}-x1y2")
    broken_off.mkdir()
    assert encoder("remove").envelope == {"ok": True, "removed": True}
    assert list(broken_off.parent.iterdir()) == []
    assert encoder("remove").envelope == {"ok": True, "removed": False}
    assert encoder("show").envelope["engine"] == "torch"


def test_an_export_is_made_anew_only_with_force(configured: Path) -> None:
    """It takes a while, and what is there works."""
    assert encoder("export").envelope["ok"]
    assert encoder("export").code == "invalid_argument"
    assert encoder("export", "--force").envelope["ok"]


def test_where_torch_is_asked_for_that_is_said(configured: Path, model: Path) -> None:
    """The export is made all the same."""
    write(configured, model=str(model), engine="torch")
    outcome = run_here("encoder", "export")
    assert outcome.status == 0
    assert "encoder.engine: torch" in outcome.out
    assert "ntm-memory encoder export" not in run_here("doctor", "--json").out
    assert encoder("show").envelope["engine"] == "torch"


def test_where_onnx_is_asked_for_and_not_there_it_says_what_to_do(configured: Path, model: Path) -> None:
    """By the command."""
    write(configured, model=str(model), engine="onnx")
    outcome = encoder("show")
    assert (outcome.status, outcome.code) == (1, "encoder_unavailable")
    assert "ntm-memory encoder export" in outcome.envelope["error"]["hint"]
    assert encoder("export").envelope["used"]
    assert encoder("show").envelope["engine"] == "onnx"


def test_people_see_where_it_is_and_how_fast_it_runs(configured: Path) -> None:
    """And, while torch runs it, what would be faster."""
    before = run_here("encoder", "show").out
    assert '"ntm-memory-skill[fast]"' in before
    assert "exported" in run_here("encoder", "export").out
    after = run_here("encoder", "show").out
    assert "ms a question" in after
    assert "faster" not in after


def test_memories_of_one_server_share_an_encoder_wherever_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was exported beside the first that asks runs it for all: the keys are the same."""
    asked: list[EncoderSettings] = []

    def load(settings: EncoderSettings) -> HashedEncoder:
        asked.append(settings)
        return HashedEncoder()

    monkeypatch.setattr(compose, "load_encoder", load)
    shared = compose.SharedModels()
    for name in ("anna", "bert"):
        shared.open_to_serve(Config(memory_file=tmp_path / name / "memory.json")).close()
    assert [settings.exports for settings in asked] == [tmp_path / "anna" / EXPORTS]
