"""A configured reranker on the command line: what is printed of it, what doctor says; and servers that share one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.config import PLUGIN, Config
from ntm_memory_skill.encoder import RerankerSettings
from ntm_memory_skill.engine import reranking
from ntm_memory_skill.hosts.compose import SharedModels
from tests.encoder.rerankers import LetterReranker, save_tiny_cross_encoder
from tests.hosts.command_line import run_here
from tests.hosts.conftest import CommandLine
from tests.hosts.test_cli_files import EXAMINED


def configure(folder: Path, **reranker: object) -> None:
    """Write a clawhub.json with a reranker."""
    entry = {"config": {"reranker": reranker}}
    (folder / "clawhub.json").write_text(json.dumps({"plugins": {PLUGIN: entry}}))


@pytest.fixture(scope="module")
def tiny_cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cross-encoder of random weights."""
    return save_tiny_cross_encoder(tmp_path_factory.mktemp("rerankers") / "tiny")


class TestCommandLine:
    """Searching with a reranker that clawhub.json names."""

    @pytest.fixture
    def double(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> LetterReranker:
        """A reranker without a model, which is used where one is configured."""
        double = LetterReranker()
        chosen = lambda settings: None if settings.model is None else double  # noqa: E731  # a patch of one line
        monkeypatch.setattr(reranking, "load_reranker", chosen)
        return double

    @pytest.mark.parametrize("verb", ["search", "recall"])
    def test_what_it_gave_is_printed_with_each_memory(
        self, cli: CommandLine, here: Path, double: LetterReranker, verb: str
    ) -> None:
        """Among the reasons, and with --explain as what decides; without one there is no word of it."""
        cli("memorize", "goats graze")
        cli("memorize", "xylophones")
        assert "rerank" not in cli(verb, "xo", "--explain").out
        configure(here, model="some/model")
        assert "rerank 3.00" in cli(verb, "xo").out
        explained = cli(verb, "xo", "--explain").out
        assert explained.index("rerank +3.0000") < explained.index("rerank +1.0000")
        assert {query for query, _ in double.asked} == {"xo"}

    def test_a_model_that_is_missing_is_told_with_the_way_out(self, cli: CommandLine, here: Path) -> None:
        """Storing goes on; exit status 1."""
        configure(here, model="nobody/no-such-model")
        assert cli("memorize", "goats").status == 0
        outcome = cli("--json", "search", "goats")
        assert (outcome.status, outcome.code) == (1, "reranker_unavailable")
        assert "reranker.model" in outcome.envelope["error"]["hint"]
        assert "no-such-model" in outcome.envelope["error"]["message"]

    def test_demo_compares_with_a_cosine_that_no_reranker_helps(
        self, no_model: None, here: Path, double: LetterReranker
    ) -> None:
        """Each question is read by it once, not twice."""
        configure(here, model="some/model")
        run_here("--json", "demo")
        asked = [query for query, _ in double.asked]
        assert len(asked) == len(set(asked)) == 10


class TestDoctor:
    """Whether it can be loaded."""

    def findings(self) -> dict[str, dict[str, Any]]:
        """Run doctor, and return what it found, by subject."""
        outcome = run_here("--json", "doctor", "--no-host")
        return {finding["subject"]: finding for finding in outcome.envelope["findings"]}

    def test_without_one_there_is_nothing_to_examine(self, here: Path, no_model: None) -> None:
        """And nothing is loaded."""
        assert list(self.findings())[: len(EXAMINED)] == EXAMINED
        assert "reranker" not in self.findings()

    def test_one_that_can_be_loaded_is_sound(self, here: Path, no_model: None, tiny_cross_encoder: Path) -> None:
        """Doctor has tried."""
        configure(here, model=str(tiny_cross_encoder))
        found = self.findings()["reranker"]
        assert (found["ok"], found["hint"]) == (True, "")
        assert str(tiny_cross_encoder) in found["detail"]

    def test_one_that_cannot_is_found_with_the_way_out(self, here: Path, no_model: None, tmp_path: Path) -> None:
        """Missing, or a model of another kind."""
        for model in ("nobody/no-such-model", str(save_tiny_cross_encoder(tmp_path / "plain", scores=False))):
            configure(here, model=model)
            found = self.findings()["reranker"]
            assert found["ok"] is False
            assert model in found["detail"]
            assert "reranker.model" in found["hint"]

    def test_one_that_may_be_fetched_is_not_fetched_to_examine_it(
        self, here: Path, no_model: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nor is it a fault that it is not there yet."""
        told: list[object] = []

        def record(name: str, *, local_files_only: bool, **named: object) -> None:
            told.append(local_files_only)
            raise OSError("this double has no models")

        monkeypatch.setattr("sentence_transformers.CrossEncoder", record)
        configure(here, model="nobody/no-such-model", allow_download=True)
        assert self.findings()["reranker"]["ok"] is True
        assert told == [True]


class TestSharing:
    """The agents of one host."""

    def test_memories_that_are_set_to_the_same_share_both_models(self, tmp_path: Path) -> None:
        """Another reranker is another; no search of a server waits for one."""
        shared = SharedModels()
        base = Config(settings=Settings(reranker=RerankerSettings(model="some/model")))
        off = replace(base, settings=Settings())
        opened: list[NTMMemoryManager] = []
        for number, config in enumerate([base, base, off]):
            opened.append(shared.open_to_serve(replace(config, memory_file=tmp_path / f"{number}.json")))
        one, other, plain = opened
        assert one.reranking is other.reranking
        assert one.reranking is not plain.reranking
        assert [each.reranking.pending for each in opened] == [True, True, False]
        for each in opened:
            each.close()

    def test_warming_up_loads_what_they_share(
        self, no_model: None, tmp_path: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An agent's memory that is opened later finds it loaded."""
        monkeypatch.setattr("ntm_memory_skill.hosts.compose.load_encoder", lambda settings: HashedEncoder())
        shared = SharedModels()
        settings = Settings(reranker=RerankerSettings(model=str(tiny_cross_encoder)))
        config = Config(settings=settings, memory_file=tmp_path / "a.json")
        shared.warm_up(config)
        memory = shared.open_to_serve(config)
        assert not memory.reranking.pending
        memory.memorize("goats")
        assert memory.search("goats")[0].trace.rerank is not None
        memory.close()
