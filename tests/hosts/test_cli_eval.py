"""`ntm-memory eval`: tables for people, one envelope for programs, a report only where one was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntm_memory_skill import EncoderSettings, HashedEncoder, NTMMemoryManager
from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.hosts.cli import evaluate
from ntm_memory_skill.hosts.demo import shipped
from tests.evaluation import sets
from tests.hosts.command_line import Outcome, run_here
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in
from tests.learning.made_up import head

USUAL_ROWS = ["cosine", "bm25", "rrf", "default"]
SET = {"name", "layout", "corpora", "memories", "questions", "depths", "rows", "comparison", "encoding"}
ROW = {"name", "about", "overall", "categories", "latency"}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A made-up set of every layout, by the layout's name."""
    return {name: write(tmp_path / "data" / str(number)) for number, (name, write) in enumerate(sets.WRITERS.items())}


def rows(outcome: Outcome, number: int = 0) -> list[dict[str, Any]]:
    """Return the rows of one of the sets in an envelope."""
    found: list[dict[str, Any]] = outcome.envelope["sets"][number]["rows"]
    return found


def other_width(made: TrainedHead) -> TrainedHead:
    """Return a head for a kernel of another width than the default one."""
    shape = replace(made.shape, width=made.shape.width + 2)
    weights = {name: np.zeros(size, np.float32) for name, size in shape.sizes().items()}
    return replace(made, shape=shape, weights=weights)


class TestSets:
    """What is measured."""

    def test_every_layout_can_be_measured_in_one_run(self, no_model: None, files: dict[str, Path]) -> None:
        """Each set has figures of its own, in the order given."""
        outcome = run_here("eval", *files.values(), "--json")
        envelope = outcome.envelope
        assert outcome.status == 0
        assert envelope.keys() == {"ok", "encoder", "version", "seed", "limit", "report", "sets"}
        assert [each["layout"] for each in envelope["sets"]] == list(files)
        for each in envelope["sets"]:
            assert each.keys() == SET
            assert [row["name"] for row in each["rows"]] == USUAL_ROWS
            for row in each["rows"]:
                assert row.keys() == ROW
                metrics = row["overall"]["metrics"]
                assert {"recall@10", "all@10", "any@10", "mrr", "ndcg@10"} <= metrics.keys()
                assert all(0 <= value["low"] <= value["mean"] <= value["high"] <= 1 for value in metrics.values())

    def test_without_a_path_the_shipped_questions_are_asked(self, no_model: None) -> None:
        """Over the shipped diary, in two languages."""
        envelope = run_here("eval", "--json").envelope
        (found,) = envelope["sets"]
        assert found["memories"] == len(shipped("diary.jsonl"))
        assert found["questions"] == len(shipped("diary_questions.jsonl"))
        assert found["rows"][0]["categories"].keys() == {"Chinese", "English"}

    def test_a_limit_draws_as_many_questions_from_each_set(self, no_model: None, files: dict[str, Path]) -> None:
        """The same with the same seed."""
        line: list[str | Path] = ["eval", files["SQuAD"], files["MuSiQue"], "--limit", "2", "--seed", "5", "--json"]
        first, second = run_here(*line).envelope, run_here(*line).envelope
        assert [each["questions"] for each in first["sets"]] == [2, 2]
        assert (first["limit"], first["seed"]) == (2, 5)
        for each in (*first["sets"], *second["sets"]):
            each["encoding"] = each["rows"][0]["latency"] = None
        overall = [[row["overall"] for each in run["sets"] for row in each["rows"]] for run in (first, second)]
        assert overall[0] == overall[1]


class TestRows:
    """What is compared."""

    def test_rows_are_chosen_by_name_and_the_last_is_compared(self, no_model: None, files: dict[str, Path]) -> None:
        """In the order given."""
        outcome = run_here("eval", files["SQuAD"], "--rows", "default, cosine", "--json")
        assert [row["name"] for row in rows(outcome)] == ["default", "cosine"]
        comparison = outcome.envelope["sets"][0]["comparison"]
        assert (comparison["row"], list(comparison["others"])) == ("cosine", ["default"])

    def test_a_head_that_clawhub_json_sets_is_a_row_of_its_own(
        self, no_model: None, here: Path, files: dict[str, Path]
    ) -> None:
        """Beside the default."""
        addressing = {"addressing": {"location": False}}
        sets.written(here / "clawhub.json", {"plugins": {PLUGIN: {"config": {"ntm_memory": addressing}}}})
        outcome = run_here("eval", files["LoCoMo"], "--json")
        assert [row["name"] for row in rows(outcome)] == [*USUAL_ROWS, "configured"]

    def test_depths_are_the_k_of_recall(self, no_model: None, files: dict[str, Path]) -> None:
        """Sorted, each once; the deepest is compared where 10 is not among them."""
        outcome = run_here("eval", files["SQuAD"], "--depths", "3,1,3", "--json")
        assert outcome.envelope["sets"][0]["depths"] == [1, 3]
        assert outcome.envelope["sets"][0]["comparison"]["metric"] == "recall@3"
        assert "recall@10" not in rows(outcome)[0]["overall"]["metrics"]

    def test_ndcg_looks_at_ten_however_small_the_depths_are(self, no_model: None, files: dict[str, Path]) -> None:
        """All passages of this set are among the first ten."""
        shallow, deep = (run_here("eval", files["MuSiQue"], f"--depths={each}", "--json") for each in ("1", "20"))
        for one, other in zip(rows(shallow), rows(deep), strict=True):
            assert one["overall"]["metrics"]["ndcg@10"]["mean"] == other["overall"]["metrics"]["ndcg@10"]["mean"] > 0


class TestPeople:
    """Without --json."""

    def test_tables_have_a_line_a_row_and_a_line_a_kind(self, no_model: None, files: dict[str, Path]) -> None:
        """And say how far the last row is ahead."""
        outcome = run_here("eval", files["LoCoMo"])
        lines = [line.split() for line in outcome.out.splitlines() if line.strip()]
        for name in USUAL_ROWS:
            assert [line for line in lines if line[0] == name and len(line) > 7]
        assert [line for line in lines if line[0] == "multi-hop"]
        assert sum(line[:2] == ["default", "against"] for line in lines) == 3
        assert (outcome.status, outcome.err) == (0, "")

    def test_a_name_is_printed_as_it_stands(self, no_model: None, tmp_path: Path) -> None:
        """No markup of the terminal's is taken from it."""
        data = sets.own()
        data["questions"][0]["category"] = "[red]money[/]"
        outcome = run_here("eval", sets.written(tmp_path / "[bold]x.json", data))
        assert "[bold]x.json" in outcome.out
        assert "[red]money[/]" in outcome.out

    def test_a_newcomer_is_told_what_else_can_be_measured(self, no_model: None) -> None:
        """Ten questions say little."""
        assert "ntm-memory eval FILE" in run_here("eval").out


class TestReport:
    """The page with plots."""

    def test_a_report_is_written_where_it_was_asked_for(
        self, no_model: None, files: dict[str, Path], here: Path
    ) -> None:
        """And nothing else, anywhere."""
        before = bytes_in(here.parent)
        outcome = run_here("eval", files["BEAM"], "--report", "page.html", "--json")
        after = bytes_in(here.parent)
        assert outcome.envelope["report"] == "page.html"
        assert after.keys() - before.keys() == {"here/page.html"}
        assert {name: after[name] for name in before} == before
        page = (here / "page.html").read_text(encoding="utf-8")
        assert page.startswith("<!doctype html>")
        assert "knowledge_update" in page

    def test_an_existing_file_is_overwritten_only_with_force(
        self, no_model: None, files: dict[str, Path], here: Path
    ) -> None:
        """And it is said before anything is measured."""
        (here / "page.html").write_text("mine", encoding="utf-8")
        line: list[str | Path] = ["eval", files["SQuAD"], "--report", "page.html"]
        outcome = run_here(*line, "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert (here / "page.html").read_text(encoding="utf-8") == "mine"
        assert run_here(*line, "--force").status == 0
        assert (here / "page.html").read_text(encoding="utf-8") != "mine"

    def test_a_report_that_cannot_be_written_is_refused_before_measuring(
        self, here: Path, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A folder that is not there, a name that no disk takes: no model is loaded for it."""
        monkeypatch.setattr(evaluate, "load_encoder", lambda settings: pytest.fail("a model was loaded"))
        missing = run_here("eval", files["SQuAD"], "--report", "missing/page.html", "--json")
        assert (missing.status, missing.code) == (1, "invalid_argument")
        unnamed = run_here("eval", files["SQuAD"], "--report", "x" * 300, "--json")
        assert (unnamed.status, unnamed.code) == (3, "store_unreachable")


class TestRefusals:
    """What cannot be measured."""

    @pytest.mark.parametrize(
        ("option", "value"),
        [("--rows", "cosine,nobody"), ("--rows", ""), ("--depths", "0"), ("--depths", "1,,5"), ("--depths", "1001")],
    )
    def test_a_wrong_option_is_refused(self, option: str, value: str, here: Path, files: dict[str, Path]) -> None:
        """With what is right."""
        outcome = run_here("eval", files["SQuAD"], f"{option}={value}", "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert outcome.envelope["error"]["hint"]

    @pytest.mark.parametrize("option", ["--limit=0", "--seed=-1", "--limit=many", "--nothing"])
    def test_wrong_usage_exits_with_2(self, option: str, here: Path) -> None:
        """As for every command."""
        assert run_here("eval", option).status == 2

    def test_a_file_in_no_known_layout_is_refused_before_measuring(
        self, here: Path, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though another one is whole; the hint names the layouts."""
        monkeypatch.setattr(evaluate, "load_encoder", lambda settings: pytest.fail("a model was loaded"))
        other = sets.written(here / "other.json", {"hello": "world"})
        outcome = run_here("eval", files["SQuAD"], other, "--json")
        assert (outcome.status, outcome.code) == (1, "dataset_refused")
        assert "MuSiQue" in outcome.envelope["error"]["hint"]

    def test_a_broken_configuration_exits_with_2(self, here: Path, files: dict[str, Path]) -> None:
        """Nothing is measured with settings that nobody meant."""
        (here / "clawhub.json").write_text("{", encoding="utf-8")
        outcome = run_here("eval", files["SQuAD"], "--json")
        assert (outcome.status, outcome.code) == (2, "invalid_config")


class TestMemory:
    """The user's own memory."""

    def test_its_memories_are_neither_read_nor_written(
        self, cli: CommandLine, path: Path, files: dict[str, Path]
    ) -> None:
        """Not even a damaged one is in the way."""
        cli("memorize", "x")
        path.write_bytes(b"damaged")
        before = bytes_in(path.parent)
        assert cli("eval", files["SQuAD"]).status == 0
        assert bytes_in(path.parent) == before

    def test_the_configured_encoder_makes_the_keys(
        self, here: Path, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The one that the memory would be searched with."""
        monkeypatch.setenv("NTM_ENCODER_MODEL", "somebody/model")
        asked: list[str] = []

        def load(chosen: EncoderSettings) -> HashedEncoder:
            asked.append(chosen.model)
            return HashedEncoder(32)

        monkeypatch.setattr(evaluate, "load_encoder", load)
        envelope = run_here("eval", files["SQuAD"], "--json").envelope
        assert asked == ["somebody/model"]
        assert envelope["encoder"] == str(HashedEncoder(32).identity)


class TestTrained:
    """The row of a trained head."""

    @pytest.fixture
    def installed(self, cli: CommandLine, path: Path) -> TrainedHead:
        """The head that is installed beside the memory at `path`."""
        cli("memorize", "x")
        with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
            memory.use_head(head(1), keep=True)
        return head(1)

    def test_the_installed_head_is_a_row_and_is_compared_with_the_default(
        self, installed: TrainedHead, cli: CommandLine, files: dict[str, Path]
    ) -> None:
        """The last; the default's own figures are what they are without it."""
        outcome = cli("eval", files["LoCoMo"], "--json")
        assert [row["name"] for row in rows(outcome)] == [*USUAL_ROWS, "trained"]
        comparison = outcome.envelope["sets"][0]["comparison"]
        assert comparison["row"] == "trained"
        assert "default" in comparison["others"]
        plain = rows(run_here("eval", files["LoCoMo"], "--json"))
        assert [row["overall"] for row in plain] == [row["overall"] for row in rows(outcome)[:-1]]

    def test_a_heads_file_can_be_named(
        self, installed: TrainedHead, no_model: None, files: dict[str, Path], tmp_path: Path
    ) -> None:
        """There need not be a memory."""
        file = tmp_path / "head.json"
        file.write_bytes(installed.to_json())
        outcome = run_here("eval", files["SQuAD"], "--head", file, "--rows", "trained,default", "--json")
        assert [row["name"] for row in rows(outcome)] == ["trained", "default"]

    def test_without_a_head_there_is_no_such_row(self, cli: CommandLine, files: dict[str, Path]) -> None:
        """Asking for it is a mistake."""
        outcome = cli("eval", files["SQuAD"], "--rows", "trained", "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")

    @pytest.mark.parametrize("content", [None, b"{", b"[]"], ids=["missing", "broken", "none"])
    def test_a_file_that_holds_no_head_is_refused_before_measuring(
        self,
        content: bytes | None,
        here: Path,
        files: dict[str, Path],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """No model is loaded for it."""
        monkeypatch.setattr(evaluate, "load_encoder", lambda settings: pytest.fail("a model was loaded"))
        if content is not None:
            (tmp_path / "head.json").write_bytes(content)
        outcome = run_here("eval", files["SQuAD"], "--head", tmp_path / "head.json", "--json")
        assert (outcome.status, outcome.code) == (1, "unusable_head")

    @pytest.mark.parametrize(
        "other", [replace(head(1), encoder="another"), other_width(head(1))], ids=["encoder", "kernel"]
    )
    def test_a_head_that_does_not_fit_is_left_out_unless_it_was_asked_for(
        self, other: TrainedHead, cli: CommandLine, path: Path, files: dict[str, Path], tmp_path: Path
    ) -> None:
        """Made for another encoder or another kernel: its figures would mean nothing."""
        cli("memorize", "x")
        path.with_suffix(".head.json").write_bytes(other.to_json())
        outcome = cli("eval", files["SQuAD"], "--json")
        assert [row["name"] for row in rows(outcome)] == USUAL_ROWS
        assert "no row" in outcome.err
        file = tmp_path / "head.json"
        file.write_bytes(other.to_json())
        for wish in (["--rows", "trained"], ["--head", file]):
            outcome = cli("eval", files["SQuAD"], *wish, "--json")
            assert (outcome.status, outcome.code) == (1, "unusable_head")

    def test_an_installed_head_that_is_damaged_is_not_in_the_way(
        self, installed: TrainedHead, cli: CommandLine, path: Path, files: dict[str, Path]
    ) -> None:
        """The others are measured, and it is said."""
        path.with_suffix(".head.json").write_bytes(b"{")
        outcome = cli("eval", files["SQuAD"], "--json")
        assert [row["name"] for row in rows(outcome)] == USUAL_ROWS
        assert "installed head" in outcome.err
