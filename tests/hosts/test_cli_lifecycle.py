"""Commands that look after what is in the memory: consolidate, and how the others are called."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.hosts.cli.lifecycle import SHOWN
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in
from tests.store.builders import read_only_disk

KINDS = ("merged", "superseded", "forgotten", "gists")
NOTHING: dict[str, Any] = {kind: [] for kind in KINDS}
MARKED = "My [red]kettle[/red] is in the \\[shed"
"""A content that a terminal could take for an instruction."""
TOLD = [
    {"content": "The garden gate is green", "at": "2025-01-01"},
    {"content": "By the way, the garden gate is green", "at": "2025-01-02"},
    {"content": "外婆最爱吃桂花糕", "at": "2025-01-03"},
    {"content": "外婆最爱吃桂花糕。", "at": "2025-01-04"},
    {"content": "My dentist is Dr. Wu", "at": "2025-01-05"},
    {"content": "My dentist is Dr. Kim", "at": "2025-01-06"},
    {"content": "我的手机号是13800000000", "at": "2025-01-07"},
    {"content": "我的手机号是13900000000", "at": "2025-01-08"},
    {"content": "Zebras live in herds", "at": "2025-01-09"},
]
"""What a consolidation has something to do with: two pairs that say the same, two that change a value."""


def stored(path: Path, items: list[dict[str, Any]] = TOLD) -> list[str]:
    """Store memories as a chat's record is stored, each as it is, and return their ids."""
    with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
        return memory.memorize_many(items, progress=False)


def configure(here: Path, **config: Any) -> None:
    """Write a clawhub.json into the current folder."""
    (here / "clawhub.json").write_text(json.dumps({"plugins": {PLUGIN: {"config": config}}}))


def as_it_is(path: Path) -> dict[str, Any]:
    """Return everything that the memory holds, by id."""
    with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
        state = memory.state
        return {"live": dict(state.records), "out": dict(state.forgotten), "runs": dict(state.consolidations)}


class TestUsage:
    """What does not go together, and what is none."""

    @pytest.mark.parametrize(
        "line",
        [
            ["--list", "--undo"],
            ["--list", "--dry-run"],
            ["--list", "--seconds", "1"],
            ["--undo", "--dry-run"],
            ["--undo", "--seconds", "1"],
            ["--list", "--undo", "--dry-run"],
            ["--run", "c1"],
            ["--run", "c1", "--list"],
            ["--run", "c1", "--dry-run"],
            ["--seconds", "0"],
            ["--seconds", "-1"],
            ["--seconds", "nan"],
            ["--seconds", "inf"],
            ["--seconds", "86401"],
        ],
        ids=" ".join,
    )
    def test_what_does_not_fit_together_is_refused_and_nothing_is_done(
        self, cli: CommandLine, path: Path, line: list[str]
    ) -> None:
        """With the code of a wrong argument, for programs and for people."""
        stored(path)
        before = bytes_in(path.parent)
        refused = cli("--json", "consolidate", *line)
        assert (refused.status, refused.code) == (1, "invalid_argument")
        assert cli("consolidate", *line).err.startswith("invalid_argument: ")
        assert bytes_in(path.parent) == before

    @pytest.mark.parametrize(
        "line",
        [
            ["consolidate", "everything"],
            ["consolidate", "--seconds", "soon"],
            ["consolidate", "--undo", "c1"],
            ["audit", "--fix"],
            ["audit", "m0"],
            ["graph", "Ana", "Ben"],
            ["graph", "--of", "Ana"],
        ],
        ids=" ".join,
    )
    def test_an_argument_that_there_is_not_exits_with_2(self, cli: CommandLine, path: Path, line: list[str]) -> None:
        """Nothing is done."""
        stored(path)
        before = bytes_in(path.parent)
        assert cli(*line).status == 2
        assert bytes_in(path.parent) == before

    @pytest.mark.parametrize(
        ("command", "options"),
        [("consolidate", ["--dry-run", "--seconds", "--list", "--undo", "--run"]), ("audit", []), ("graph", [])],
    )
    def test_help_names_every_option(self, cli: CommandLine, command: str, options: list[str]) -> None:
        """And no other."""
        told = re.sub(r"\x1b\[[0-9;]*m", "", cli(command, "--help").out)
        assert sorted(re.findall(r"^│ (--[a-z-]+)", told, re.MULTILINE)) == sorted([*options, "--help"])


class TestWithoutAMemory:
    """Nothing was ever stored."""

    def test_each_command_answers_and_makes_no_folder(self, cli: CommandLine, path: Path) -> None:
        """There is nothing to do, and that is no error."""
        done = cli("--json", "consolidate").envelope
        assert done == {
            "ok": True,
            "dry_run": False,
            "run": done["run"],
            "before": 0,
            "after": 0,
            "finished": True,
            **NOTHING,
        }
        assert cli("--json", "consolidate", "--list").envelope == {"ok": True, "consolidations": []}
        assert cli("--json", "audit").envelope == {"ok": True, "memories": 0, "suspects": []}
        for of in ((), ("Ana",)):
            assert cli("--json", "graph", *of).envelope == {"ok": True, "entities": 0, "relations": 0, "edges": []}
        assert not path.parent.exists()

    def test_people_are_told_so(self, cli: CommandLine) -> None:
        """In a line each."""
        assert cli("consolidate").out.startswith("consolidated: 0 merged, 0 superseded, 0 forgotten, 0 gists; 0 active")
        assert cli("consolidate", "--list").out == "no consolidation yet\n"
        assert cli("audit").out == "0 of 0 memories are suspected of something\n"
        assert cli("graph").out == "0 entities, 0 relations\n"
        assert cli("restore").out == "nothing was erased or forgotten\n"

    @pytest.mark.parametrize("which", [[], ["--run", "c1"]])
    def test_there_is_nothing_to_take_back(self, cli: CommandLine, path: Path, which: list[str]) -> None:
        """With an error of its own."""
        outcome = cli("--json", "consolidate", "--undo", *which)
        assert (outcome.status, outcome.code) == (1, "unknown_consolidation")
        assert "--list" in outcome.envelope["error"]["hint"]
        assert not path.parent.exists()


class TestConsolidate:
    """Merging, superseding, and what is told of it."""

    def test_what_was_done_is_told_with_texts_and_reasons(self, cli: CommandLine, path: Path) -> None:
        """Of each: what it was, what it went into or gave way to, and why."""
        idents = stored(path)
        done = cli("--json", "consolidate").envelope
        assert done["ok"] is done["finished"] is True
        assert done["dry_run"] is False
        assert (done["before"], done["after"]) == (9, 7)
        merged = {(each["id"], each["into"]) for each in done["merged"]}
        assert merged == {(idents[1], idents[0]), (idents[3], idents[2])}
        superseded = {(each["id"], each["into"]) for each in done["superseded"]}
        assert superseded == {(idents[4], idents[5]), (idents[6], idents[7])}
        assert (done["forgotten"], done["gists"]) == ([], [])
        texts = {ident: item["content"] for ident, item in zip(idents, TOLD, strict=True)}
        for each in (*done["merged"], *done["superseded"]):
            assert (each["content"], each["into_content"]) == (texts[each["id"]], texts[each["into"]])
            assert each["reason"]

    def test_a_dry_run_says_the_same_and_changes_nothing(self, cli: CommandLine, path: Path) -> None:
        """But for the name, and that it is one."""
        stored(path)
        before = bytes_in(path.parent)
        told = cli("--json", "consolidate", "--dry-run").envelope
        assert cli("consolidate", "--dry-run").out.splitlines()[-1].startswith("would be: 2 merged, 2 superseded")
        assert bytes_in(path.parent) == before
        done = cli("--json", "consolidate").envelope
        assert {**told, "run": done["run"], "dry_run": False} == done

    def test_a_second_one_finds_nothing_more(self, cli: CommandLine, path: Path) -> None:
        """And is not listed."""
        stored(path)
        first = cli("--json", "consolidate").envelope["run"]
        assert {kind: cli("--json", "consolidate").envelope[kind] for kind in KINDS} == NOTHING
        runs = cli("--json", "consolidate", "--list").envelope["consolidations"]
        assert [each["run"] for each in runs] == [first]

    def test_the_list_has_the_latest_first_with_its_counts(self, cli: CommandLine, path: Path) -> None:
        """As people read it, too."""
        stored(path, TOLD[:2])
        first = cli("--json", "consolidate").envelope["run"]
        stored(path, TOLD[4:6])
        second = cli("--json", "consolidate").envelope["run"]
        runs = cli("--json", "consolidate", "--list").envelope["consolidations"]
        assert [(each["run"], each["merged"], each["superseded"]) for each in runs] == [(second, 0, 1), (first, 1, 0)]
        assert all(each.keys() == {"run", "at", *KINDS} for each in runs)
        lines = cli("consolidate", "--list").out.splitlines()
        assert [line.split(" ")[0] for line in lines] == [second, first]
        assert lines[1].endswith("1 merged, 0 superseded, 0 forgotten, 0 gists")

    def test_enough_seconds_bring_it_to_its_end(self, cli: CommandLine, path: Path) -> None:
        """A bound alone changes nothing."""
        stored(path)
        done = cli("--json", "consolidate", "--seconds", "600").envelope
        assert (done["finished"], len(done["merged"])) == (True, 2)

    def test_too_few_seconds_end_it_and_the_next_one_goes_on(self, cli: CommandLine, path: Path) -> None:
        """People are told to run it again."""
        stored(path)
        cut_short = cli("--json", "consolidate", "--seconds", "1e-9").envelope
        assert cut_short["finished"] is False
        assert {kind: cut_short[kind] for kind in KINDS} == NOTHING
        assert "the time was up; run it again to go on" in cli("consolidate", "--seconds", "1e-9").out
        assert len(cli("--json", "consolidate").envelope["merged"]) == 2

    def test_people_read_what_was_done_and_how_to_take_it_back(self, cli: CommandLine, path: Path) -> None:
        """Contents as they stand, whatever they look like."""
        stored(path, [{"content": MARKED}, {"content": f"By the way, {MARKED}"}, *TOLD[4:6]])
        lines = cli("consolidate").out.splitlines()
        assert lines[0].startswith("says the same: ")
        assert lines[0].endswith(f"By the way, {MARKED}")
        assert lines[1].endswith(MARKED)
        assert lines[3].startswith("no longer holds: ")
        assert lines[4].endswith("My dentist is Dr. Kim")
        assert (
            lines[-2] == "consolidated: 1 merged, 1 superseded, 0 forgotten, 0 gists; 4 active memories before, 3 after"
        )
        (run,) = re.findall(r"ntm-memory (consolidate --undo --run c\w+)$", lines[-1])
        assert cli(*run.split()).status == 0
        assert len(as_it_is(path)["live"]) == 4

    def test_of_many_people_read_the_first_and_programs_all(self, cli: CommandLine, path: Path) -> None:
        """The rest is counted."""
        stored(path, [{"content": "I like tea"}] * (SHOWN + 4))
        shown = cli("consolidate", "--dry-run").out
        assert shown.count("says the same: ") == SHOWN
        assert "and 3 more; --json lists all" in shown
        assert len(cli("--json", "consolidate", "--dry-run").envelope["merged"]) == SHOWN + 3

    def test_what_is_configured_is_kept_to(self, cli: CommandLine, path: Path, here: Path) -> None:
        """Neither merged nor superseded where both are switched off."""
        stored(path)
        configure(here, m3={"duplicates": "keep", "successions": "off"})
        assert {kind: cli("--json", "consolidate").envelope[kind] for kind in KINDS} == NOTHING

    def test_what_is_weak_is_forgotten_where_that_is_configured(self, cli: CommandLine, path: Path, here: Path) -> None:
        """With its reason; it is listed among what can come back."""
        idents = stored(path, TOLD[-1:])
        configure(here, m3={"forget_below": 1.0})
        (each,) = cli("--json", "consolidate").envelope["forgotten"]
        assert each.keys() == {"id", "content", "reason"}
        assert (each["id"], each["content"]) == (idents[0], "Zebras live in herds")
        (out,) = cli("--json", "restore").envelope["forgotten"]
        assert (out["id"], out["forgotten_because"]) == (each["id"], each["reason"])

    def test_another_encoders_memory_can_be_consolidated(self, cli: CommandLine, path: Path) -> None:
        """Merging needs no model."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder(32)) as memory:
            memory.memorize_many(TOLD[:2], progress=False)
        assert len(cli("--json", "consolidate", "--dry-run").envelope["merged"]) == 1


class TestUndo:
    """Taking it back."""

    @pytest.mark.parametrize("named", [False, True])
    def test_everything_is_as_it_was(self, cli: CommandLine, path: Path, named: bool) -> None:
        """Every memory with every field and its slot; the entry is gone from the list."""
        stored(path)
        before = as_it_is(path)
        run = cli("--json", "consolidate").envelope["run"]
        assert as_it_is(path) != before
        undone = cli("--json", "consolidate", "--undo", *(["--run", run] if named else [])).envelope["undone"]
        assert undone.keys() == {"run", "at", *KINDS}
        assert (undone["run"], undone["merged"], undone["superseded"]) == (run, 2, 2)
        assert as_it_is(path) == before
        assert cli("--json", "consolidate", "--list").envelope["consolidations"] == []

    def test_the_latest_goes_first_and_an_earlier_one_by_its_name(self, cli: CommandLine, path: Path) -> None:
        """Each alone."""
        stored(path, TOLD[:2])
        first = cli("--json", "consolidate").envelope["run"]
        stored(path, TOLD[2:4])
        second = cli("--json", "consolidate").envelope["run"]
        assert cli("--json", "consolidate", "--undo", "--run", first).envelope["undone"]["run"] == first
        assert len(as_it_is(path)["live"]) == 3
        assert cli("--json", "consolidate", "--undo").envelope["undone"]["run"] == second
        assert len(as_it_is(path)["live"]) == 4

    @pytest.mark.parametrize("name", ["c1", "", "[red]"])
    def test_a_name_that_there_is_not_takes_nothing_back(self, cli: CommandLine, path: Path, name: str) -> None:
        """Nor does one that was taken back already."""
        stored(path)
        run = cli("--json", "consolidate").envelope["run"]
        before = as_it_is(path)
        outcome = cli("--json", "consolidate", "--undo", "--run", name)
        assert (outcome.status, outcome.code) == (1, "unknown_consolidation")
        assert as_it_is(path) == before
        assert cli("consolidate", "--undo", "--run", run).out == (
            f"taken back {run}: 2 merged, 2 superseded, 0 forgotten, 0 gists\n"
        )
        assert cli("--json", "consolidate", "--undo", "--run", run).code == "unknown_consolidation"

    def test_a_memory_without_room_takes_nothing_back(self, cli: CommandLine, path: Path, here: Path) -> None:
        """It is told so, and the consolidation stays in the list."""
        stored(path, TOLD[:2])
        cli("consolidate")
        configure(here, ntm_memory={"memory_size": 1})
        assert cli("--json", "consolidate", "--undo").code == "memory_full"
        assert len(cli("--json", "consolidate", "--list").envelope["consolidations"]) == 1


class TestReadOnly:
    """A folder that cannot be written to."""

    def test_what_only_reads_answers_and_what_writes_is_refused(self, cli: CommandLine, path: Path) -> None:
        """Nothing changes, on disk or in the list."""
        stored(path, TOLD[:2])
        cli("consolidate")
        stored(path, [*TOLD[4:6], {"content": "ok thanks"}])
        before = bytes_in(path.parent)
        with read_only_disk():
            assert len(cli("--json", "consolidate", "--dry-run").envelope["superseded"]) == 1
            assert len(cli("--json", "consolidate", "--list").envelope["consolidations"]) == 1
            assert len(cli("--json", "audit").envelope["suspects"]) == 1
            assert cli("graph").status == 0
            assert len(cli("--json", "restore").envelope["forgotten"]) == 1
            for line in (["consolidate"], ["consolidate", "--undo"]):
                outcome = cli("--json", *line)
                assert (line, outcome.status, outcome.code) == (line, 3, "store_unreachable")
        assert bytes_in(path.parent) == before
