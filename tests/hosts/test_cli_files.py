"""Commands over the files: import, export, stats, verify, reindex, doctor; and which files no command touches."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from tests.hosts.command_line import Outcome, run_here
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in, cut_in_half

EXAMINED = ["Python", "packages", "configuration", "encoder", "folder"]
"""What doctor looks at besides the memory."""

VERIFIED = ["snapshot", "journal", "matrix", "keys", "previous generation"]
"""What verify looks at in a memory."""
FILES = {"json", "journal.jsonl", "keys.npy", "previous.json", "previous.journal.jsonl", "writer", "lock"}
"""The endings of all that a memory's folder holds while nothing is damaged."""

LINES: list[list[str]] = [
    ["memorize", "new"],
    ["recall", "x"],
    ["search", "x"],
    ["update", "nobody", "new"],
    ["erase", "nobody"],
    ["import", "in.jsonl"],
    ["export", "-"],
    ["stats"],
    ["verify"],
    ["repair"],
    ["compact"],
    ["restore"],
    ["restore", "nobody"],
    ["reindex"],
    ["encrypt", "--key-file", "key.txt"],
    ["decrypt"],
    ["doctor", "--no-host"],
    ["demo"],
    ["eval", "--limit", "1"],
]
"""A command line for every verb but serve, which test_mcp.py starts."""
READING = [line for line in LINES if line[0] not in ("memorize", "import", "demo")]
"""Those that change nothing where there is no memory."""
WITH_AN_ID = [line for line in LINES if "nobody" in line]
OPENING = [line for line in LINES if line[0] not in ("repair", "doctor", "demo", "eval")]


def verb(line: list[str]) -> str:
    """Return what to call a command line in a test's name."""
    return " ".join(line[: 2 if line[0] == "restore" else 1])


def findings(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """Return what was examined, by subject; the last where one has several."""
    return {finding["subject"]: finding for finding in outcome.envelope["findings"]}


@pytest.fixture
def world(no_model: None, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds all that a command could reach: the current folder, a home, one for temporary files."""
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (here / "in.jsonl").write_text('{"content": "from a file"}\n')
    (here / "key.txt").write_text("open sesame\n")
    return tmp_path


@pytest.fixture
def broken_replace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes a new file, and fails to put it in the old one's place."""

    def fail(_: Path, __: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ntm_memory_skill.hosts.report.Path.replace", fail)


class TestImport:
    """Memories from elsewhere."""

    @pytest.fixture(autouse=True)
    def two_files(self, cli: CommandLine, here: Path) -> None:
        """With what the memory has, something new, and that again."""
        cli("memorize", "tea")
        (here / "a.jsonl").write_text('{"content": "tea"}\n{"content": "coffee"}\n')
        (here / "[b].json").write_text('[{"memory": "milk"}, {"memory": "milk"}, {"memory": "coffee"}]')

    def test_a_program_reads_what_was_taken_merged_and_skipped(self, cli: CommandLine) -> None:
        """Of each file; the second time nothing is taken."""
        first, second = ({"file": "a.jsonl", "format": "jsonl"}, {"file": "[b].json", "format": "mem0"})
        assert cli("--json", "import", "a.jsonl", "[b].json").envelope == {
            "ok": True,
            "files": [
                {**first, "taken": 1, "merged": 0, "skipped": 1},
                {**second, "taken": 1, "merged": 2, "skipped": 0},
            ],
        }
        assert cli("--json", "import", "a.jsonl", "[b].json").envelope == {
            "ok": True,
            "files": [
                {**first, "taken": 0, "merged": 0, "skipped": 2},
                {**second, "taken": 0, "merged": 0, "skipped": 3},
            ],
        }

    def test_people_read_the_same_numbers(self, cli: CommandLine) -> None:
        """A line each, under the name that they gave."""
        assert cli("import", "a.jsonl", "[b].json").out.splitlines() == [
            "a.jsonl (jsonl): 1 taken, 0 merged, 1 skipped",
            "[b].json (mem0): 1 taken, 2 merged, 0 skipped",
        ]

    def test_a_file_in_no_known_format_is_refused_with_those_that_are(self, cli: CommandLine, here: Path) -> None:
        """And keeps the good one before it out."""
        (here / "c.json").write_text('{\n  "title": "tea"\n}\n')
        outcome = cli("--json", "import", "a.jsonl", "c.json")
        assert (outcome.status, outcome.code) == (1, "import_refused")
        assert all(name in outcome.envelope["error"]["hint"] for name in ("JSON lines", "OpenClaw", "MCP", "mem0"))
        assert cli("export", "-").out.count("\n") == 1


class TestExport:
    """A file that a person asked for."""

    @pytest.fixture(autouse=True)
    def two_memories(self, cli: CommandLine) -> None:
        """Something to export."""
        cli("memorize", "first", "--tag", "a")
        cli("memorize", "第二", "--session", "s")

    def test_a_line_is_written_for_each_memory(self, cli: CommandLine, here: Path) -> None:
        """In the order in which they were stored."""
        assert cli("--json", "export", "out.jsonl").envelope == {
            "ok": True,
            "file": "out.jsonl",
            "memories": 2,
            "forgotten_left_out": 0,
        }
        lines = [json.loads(line) for line in (here / "out.jsonl").read_text(encoding="utf-8").splitlines()]
        assert [line["content"] for line in lines] == ["first", "第二"]
        assert (lines[0]["tags"], lines[1]["session"]) == (["a"], "s")

    def test_a_dash_writes_the_same_lines_to_standard_output(self, cli: CommandLine, here: Path) -> None:
        """And makes no file of that name."""
        cli("export", "out.jsonl")
        assert cli("export", "-").out == (here / "out.jsonl").read_text(encoding="utf-8")
        assert not (here / "-").exists()

    def test_markdown_is_written_for_people(self, cli: CommandLine, here: Path) -> None:
        """By the file's ending."""
        cli("export", "out.MD")
        text = (here / "out.MD").read_text(encoding="utf-8")
        assert "第二" in text
        assert not text.startswith("{")

    def test_an_existing_file_is_kept_unless_forced(self, cli: CommandLine, here: Path) -> None:
        """Its bytes are as they were; with --force they are the export."""
        (here / "out.jsonl").write_text("precious")
        assert cli("--json", "export", "out.jsonl").code == "invalid_argument"
        assert (here / "out.jsonl").read_text() == "precious"
        assert cli("export", "out.jsonl", "--force").status == 0
        assert (here / "out.jsonl").read_text(encoding="utf-8").count("\n") == 2

    @pytest.mark.usefixtures("broken_replace")
    def test_an_export_that_fails_leaves_the_old_one(self, cli: CommandLine, here: Path) -> None:
        """And nothing beside it: what was exported before is worth more than half of something new."""
        (here / "out.jsonl").write_text("precious")
        before = bytes_in(here)
        assert cli("--json", "export", "out.jsonl", "--force").code == "store_unreachable"
        assert bytes_in(here) == before

    @pytest.mark.parametrize("name", ["no/such/folder.jsonl", ".", "x" * 300], ids=["folder", "itself", "long"])
    def test_a_place_that_cannot_be_written_exits_with_3(self, cli: CommandLine, name: str) -> None:
        """With an envelope."""
        outcome = cli("--json", "export", name, "--force")
        assert (outcome.status, outcome.code) == (3, "store_unreachable")


class TestStats:
    """What is in the memory."""

    def test_every_number_is_counted(self, cli: CommandLine, path: Path, hashed: HashedEncoder) -> None:
        """Against what was done to it."""
        with NTMMemoryManager.open(path, encoder=hashed) as memory:
            first = memory.memorize("first", tags=["a", "b"], session="s", at="2025-01-01").id
            memory.memorize("second", tags=["a"], type="plan", session="s", at="2025-03-01", supersedes=first)
            third = memory.memorize("third", session="t", at="2025-02-01", pinned=True).id
            for again in ("second", "Second!", "Well, second"):
                memory.memorize(again, type="plan")
            memory.memorize_many([{"content": text, "at": "2025-02-02"} for text in ("sixth", "Sixth.")])
            memory.consolidate(progress=False)
            memory.update(third, "third, revised")
            memory.erase(third, strength=0.5)
            memory.erase(memory.memorize("fourth").id)
            memory.erase(memory.memorize("fifth").id, purge=True)
            memory.search("second third", top_k=2)
            memory.recall(key="third", budget=1)
        stats = cli("--json", "stats").envelope["stats"]
        files = [each for each in path.parent.iterdir() if each.suffix not in (".lock", ".writer")]
        sizes = {each.name: each.stat().st_size for each in files}
        in_memory = stats.pop("in_memory")
        assert stats == {
            "memory": str(path),
            "memories": 4,
            "slots": 100_000,
            "superseded": 1,
            "older_versions": 1,
            "faded": 1,
            "accesses": 3,
            "pinned": 1,
            "said_again": 2,
            "merged": 2,
            "links": 1,
            "forgotten": 0,
            "forgotten_because": {},
            "consolidations": 1,
            "archive": 1,
            "purged": 1,
            "sessions": 2,
            "types": {"note": 3, "plan": 1},
            "tags": {"a": 2, "b": 1},
            "first": "2025-01-01T00:00:00+00:00",
            "last": "2025-03-01T00:00:00+00:00",
            "encoder": str(hashed.identity),
            "bytes": sizes,
        }
        loaded = ("texts", "records", "waiting_keys")
        assert in_memory["total"] == sum(in_memory[part] for part in loaded) > 0
        assert in_memory["per_memory"] == round(in_memory["total"] / 7)  # 4, 2 that were merged, and 1 in the archive

    def test_what_is_not_loaded_is_said_to_be_so(self, cli: CommandLine) -> None:
        """To count memories no matrix is built, and no model is loaded."""
        cli("memorize", "x")
        in_memory = cli("--json", "stats").envelope["stats"]["in_memory"]
        assert [name for name, value in in_memory.items() if value is None] == ["rows", "quantised_rows", "words"]
        assert cli("stats").out.count("not loaded") == 3

    def test_an_empty_memory_has_nothing(self, cli: CommandLine) -> None:
        """No times, no encoder, no files."""
        stats = cli("--json", "stats").envelope["stats"]
        assert (stats["memories"], stats["first"], stats["encoder"], stats["bytes"]) == (0, None, None, {})

    def test_people_read_the_same_names(self, cli: CommandLine) -> None:
        """Each on a line of its own, with blanks for underscores; what is long goes on below."""
        names = cli("--json", "stats").envelope["stats"]
        shown = [line for line in cli("stats").out.splitlines() if not line.startswith("   ")]
        assert [line.strip().split("  ")[0] for line in shown] == [name.replace("_", " ") for name in names]


class TestVerify:
    """The files against each other."""

    def test_whole_files_are_found_whole(self, cli: CommandLine) -> None:
        """Each with what was seen."""
        cli("memorize", "x")
        outcome = cli("--json", "verify")
        assert outcome.status == 0
        assert set(findings(outcome)) == set(VERIFIED)
        assert all(finding.keys() == {"ok", "subject", "detail"} for finding in findings(outcome).values())
        assert all(line.startswith("ok  ") for line in cli("verify").out.splitlines())

    def test_damage_is_found_and_left_alone(self, cli: CommandLine, path: Path) -> None:
        """In words and as an envelope, with status 3."""
        cli("memorize", "x")
        cut_in_half(path)
        before = bytes_in(path.parent)
        assert (cli("--json", "verify").status, cli("--json", "verify").code) == (3, "store_damaged")
        words = cli("verify")
        assert words.status == 3
        assert words.out.startswith("bad ")
        assert words.err.startswith("store_damaged: ")
        assert bytes_in(path.parent) == before


class TestReindex:
    """A change of encoder."""

    def test_every_memory_is_encoded_anew(self, cli: CommandLine, path: Path) -> None:
        """After which the tools work again."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder(32)) as memory:
            memory.memorize_many([{"content": "one"}, {"content": "two"}], progress=False)
        assert cli("search", "one").status == 1
        assert cli("--json", "reindex").envelope == {
            "ok": True,
            "memories": 2,
            "encoder": str(HashedEncoder(64).identity),
        }
        assert cli("--json", "search", "one").envelope["hits"][0]["content"] == "one"


class TestDoctor:
    """The installation."""

    def test_a_healthy_installation_exits_with_0(self, cli: CommandLine) -> None:
        """Every finding says what was looked at."""
        cli("memorize", "x")
        outcome = cli("--json", "doctor", "--no-host")
        assert (outcome.status, outcome.envelope["ok"]) == (0, True)
        found = findings(outcome)
        assert list(found) == [*EXAMINED, *VERIFIED, "memory and encoder", "resident"]
        for finding in found.values():
            assert finding.keys() == {"ok", "subject", "detail", "hint"}
            assert (finding["ok"], finding["hint"]) == (True, "")
            assert finding["detail"]

    def test_a_wrong_configuration_ends_the_examination(self, cli: CommandLine, here: Path) -> None:
        """What depends on it cannot be told."""
        (here / "clawhub.json").write_text("[]")
        outcome = cli("--json", "doctor", "--no-host")
        assert (outcome.status, outcome.envelope["ok"]) == (1, False)
        assert list(findings(outcome)) == EXAMINED[:3]
        assert findings(outcome)["configuration"]["ok"] is False
        assert findings(outcome)["configuration"]["hint"]

    def test_a_damaged_memory_is_found(self, cli: CommandLine, path: Path) -> None:
        """By the file and by opening it; the rest is well."""
        cli("memorize", "x")
        cut_in_half(path)
        outcome = cli("--json", "doctor", "--no-host")
        assert outcome.status == 1
        bad = {subject for subject, finding in findings(outcome).items() if not finding["ok"]}
        assert bad == {"snapshot and journal", "memory and encoder"}

    def test_another_encoders_memory_is_found(self, cli: CommandLine, path: Path) -> None:
        """With the way out of it."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder(32)) as memory:
            memory.memorize("x")
        outcome = cli("--json", "doctor", "--no-host")
        assert outcome.status == 1
        assert "ntm-memory reindex" in findings(outcome)["memory and encoder"]["hint"]

    @pytest.mark.parametrize(
        "place", ["x" * 300, "in.txt/memory.json", "a\nb.json"], ids=["long", "below a file", "line"]
    )
    def test_a_place_that_cannot_be_is_found(self, world: Path, here: Path, place: str) -> None:
        """A name that no disk takes, a folder that is a file, a name that would spoil the terminal."""
        (here / "in.txt").write_text("a file")
        outcome = run_here("--memory", place, "--json", "doctor", "--no-host")
        assert outcome.status == 1
        assert findings(outcome)["folder"]["ok"] is False


class TestForeignFiles:
    """Files that are none of the memory's."""

    @pytest.mark.parametrize("line", LINES, ids=verb)
    def test_no_verb_writes_outside_the_memorys_folder(
        self, world: Path, cli: CommandLine, path: Path, line: list[str]
    ) -> None:
        """Not in the current folder, not at home, and nothing is left among temporary files."""
        cli("memorize", "x")
        before = {name: content for name, content in bytes_in(world).items() if not name.startswith("memory")}
        cli(*line)
        after = {name: content for name, content in bytes_in(world).items() if not name.startswith("memory")}
        assert after == before
        written = {name.split(".", 1)[1] for name in bytes_in(path.parent)}
        assert written <= FILES

    @pytest.mark.parametrize("line", READING, ids=verb)
    def test_what_stores_nothing_creates_nothing_either(self, world: Path, cli: CommandLine, line: list[str]) -> None:
        """Not even a folder where there is no memory yet; the memory is empty, and an id in it unknown."""
        before = bytes_in(world)
        outcome = cli("--json", *line) if line in WITH_AN_ID else cli(*line)
        if line in WITH_AN_ID:
            assert (outcome.status, outcome.code) == (1, "unknown_memory")
        else:
            assert outcome.status == 0
        assert bytes_in(world) == before
        assert not (world / "memory").exists()

    @pytest.mark.parametrize("line", OPENING, ids=verb)
    def test_a_damaged_memory_stops_every_verb_and_stays_as_it_is(
        self, world: Path, cli: CommandLine, path: Path, line: list[str]
    ) -> None:
        """With status 3, so that a person can look."""
        cli("memorize", "x")
        cut_in_half(path)
        before = bytes_in(world)
        outcome = cli("--json", *line)
        assert (outcome.status, outcome.code) == (3, "store_damaged")
        assert bytes_in(world) == before
