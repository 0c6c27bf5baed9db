"""Commands that look after the files: verify, repair, compact, restore."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.config import PLUGIN
from tests.hosts.command_line import Outcome, run_here
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in, cut_in_half

MARKED = "[red]the kettle[/red] \\"
"""A content that a terminal could take for an instruction."""

NOTHING_DONE = {"ok": True, "mended": [], "lost": [], "quarantined": []}
"""What a repair says where nothing was amiss."""


def memorize(cli: CommandLine, *texts: str) -> list[str]:
    """Store texts, each with a command of its own, and return their ids."""
    return [str(cli("--json", "memorize", text).envelope["id"]) for text in texts]


def beside(path: Path, ending: str) -> Path:
    """Return another file of a memory."""
    return path.with_name(f"{path.stem}.{ending}")


def add_to_journal(path: Path, *texts: str) -> None:
    """Store texts as a process does that is killed before it folds its journal."""
    for text in texts:
        NTMMemoryManager.open(path, encoder=HashedEncoder()).memorize(text)


def failed(outcome: Outcome, status: int, code: str) -> bool:
    """Return whether a command failed in words: on standard error, with its code first and a hint below."""
    first, *rest = outcome.err.splitlines()
    return outcome.status == status and first.startswith(f"{code}: ") and rest[-1].startswith("  ")


class TestUsage:
    """What is no such command line."""

    @pytest.mark.parametrize(
        "line",
        [
            ["verify", "everything"],
            ["verify", "--repair"],
            ["repair", "now"],
            ["repair", "--accept-everything"],
            ["compact", "twice"],
            ["restore", "--all"],
            ["encrypt", "key.txt"],
            ["encrypt", "--key-file"],
            ["decrypt", "--key-file", "key.txt"],
        ],
        ids=" ".join,
    )
    def test_an_argument_that_there_is_not_exits_with_2(self, cli: CommandLine, path: Path, line: list[str]) -> None:
        """Nothing is done."""
        memorize(cli, "x")
        before = bytes_in(path.parent)
        assert cli(*line).status == 2
        assert bytes_in(path.parent) == before


class TestVerify:
    """The files against each other."""

    def test_every_finding_is_a_line(self, cli: CommandLine) -> None:
        """And one object of the envelope."""
        memorize(cli, "x")
        rows = cli("--json", "verify").envelope["findings"]
        lines = cli("verify").out.splitlines()
        assert lines == [f"ok  {row['subject']}: {row['detail']}" for row in rows]

    def test_what_a_repair_would_come_to_is_said_beside_the_damage(self, cli: CommandLine, path: Path) -> None:
        """On standard output; the error, and what to do, on standard error."""
        memorize(cli, "x", "y")
        cut_in_half(path)
        outcome = cli("verify")
        assert failed(outcome, 3, "store_damaged")
        assert "ntm-memory repair" in outcome.err
        assert [line[:4] for line in outcome.out.splitlines()] == ["bad ", "ok  "]

    def test_a_damaged_generation_before_exits_with_3_as_well(self, cli: CommandLine, path: Path) -> None:
        """Though every memory can be read: it is the copy that is damaged."""
        memorize(cli, "x", "y")
        cut_in_half(beside(path, "previous.json"))
        assert cli("--json", "verify").code == "store_damaged"
        assert cli("--json", "search", "x").envelope["ok"] is True

    def test_a_memory_that_is_not_there_is_well(self, cli: CommandLine, path: Path) -> None:
        """There is nothing to find."""
        outcome = cli("--json", "verify")
        assert (outcome.status, outcome.envelope["ok"]) == (0, True)


class TestRepair:
    """Mending, and saying what it costs."""

    def test_a_healthy_memory_needs_none(self, cli: CommandLine, path: Path) -> None:
        """And is left as it is."""
        memorize(cli, "x")
        before = bytes_in(path.parent)
        assert cli("--json", "repair").envelope == {**NOTHING_DONE, "memories": 1, "archive": 0}
        assert cli("repair").out == "nothing to repair\n"
        assert bytes_in(path.parent) == before

    def test_where_there_is_no_memory_there_is_nothing_to_repair(self, cli: CommandLine, path: Path) -> None:
        """Not even a folder."""
        assert cli("--json", "repair").envelope == {**NOTHING_DONE, "memories": 0, "archive": 0}
        assert not path.parent.exists()

    def test_damage_that_costs_nothing_is_mended(self, cli: CommandLine, path: Path) -> None:
        """The damaged file is put aside, and its place named."""
        memorize(cli, "x", "y")
        cut_in_half(path)
        damaged = path.read_bytes()
        envelope = cli("--json", "repair").envelope
        assert envelope["mended"]
        assert (envelope["lost"], envelope["memories"], envelope["archive"]) == ([], 2, 0)
        (aside,) = envelope["quarantined"]
        assert (path.parent / aside).read_bytes() == damaged
        assert cli("verify").status == 0
        assert {hit["content"] for hit in cli("--json", "search", "x y").envelope["hits"]} == {"x", "y"}
        assert cli("repair").out == "nothing to repair\n"

    def test_people_read_what_was_mended_lost_and_put_aside(self, cli: CommandLine, path: Path) -> None:
        """A line each."""
        memorize(cli, "x", "y")
        add_to_journal(path, "z")
        journal = beside(path, "journal.jsonl")
        journal.write_bytes(journal.read_bytes()[:-9])
        lines = cli("repair", "--accept-loss").out.splitlines()
        assert {line.split(":")[0] for line in lines} == {"lost", "put aside", "repaired"}
        assert lines[-1].startswith("repaired: 2 memories")

    def test_a_loss_is_refused_and_named(self, cli: CommandLine, path: Path) -> None:
        """With status 3; not a byte is changed."""
        memorize(cli, "x")
        add_to_journal(path, "y")
        beside(path, "journal.jsonl").unlink()
        before = bytes_in(path.parent)
        refused = cli("--json", "repair")
        assert (refused.status, refused.code) == (3, "loss_refused")
        assert "--accept-loss" in refused.envelope["error"]["hint"]
        assert failed(cli("repair"), 3, "loss_refused")
        assert bytes_in(path.parent) == before
        accepted = cli("--json", "repair", "--accept-loss")
        assert (accepted.status, accepted.envelope["memories"]) == (0, 1)
        assert all(each in refused.envelope["error"]["message"] for each in accepted.envelope["lost"])
        assert cli("verify").status == 0

    def test_an_encoder_that_nobody_knows_any_more_is_named_by_a_reindex(self, cli: CommandLine, path: Path) -> None:
        """The texts are there, their keys are not; until then a search is refused with the way out of it."""
        add_to_journal(path, "first", "second")
        path.write_bytes(b"\0" * 300)
        envelope = cli("--json", "repair").envelope
        assert envelope["lost"] == []
        assert any("ntm-memory reindex" in each for each in envelope["mended"])
        assert cli("--json", "search", "first").code == "encoder_mismatch"
        assert cli("--json", "reindex").envelope["memories"] == 2
        assert cli("--json", "search", "first").envelope["hits"][0]["content"] == "first"

    def test_a_writer_at_work_is_waited_for_and_then_named(self, cli: CommandLine, path: Path, here: Path) -> None:
        """With status 3."""
        memorize(cli, "x")
        store = {"store": {"lock_timeout": 0}}
        (here / "clawhub.json").write_text(json.dumps({"plugins": {PLUGIN: {"config": store}}}))
        with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory, memory._live.transaction():
            outcome = cli("--json", "repair")
        assert (outcome.status, outcome.code) == (3, "store_locked")

    def test_file_names_are_printed_as_they_stand(self, no_model: None, tmp_path: Path) -> None:
        """Brackets in them are not obeyed."""
        place = tmp_path / "[red]" / "[bold]memory.json"
        for text in ("x", "y"):
            run_here("--memory", place, "memorize", text)
        cut_in_half(place)
        assert "[bold]memory.damaged/" in run_here("--memory", place, "repair").out


class TestCompact:
    """Folding now."""

    def test_the_journal_is_folded_and_the_generation_before_kept(self, cli: CommandLine, path: Path) -> None:
        """The sizes are those of the files."""
        memorize(cli, "x")
        add_to_journal(path, "y")
        before = path.read_bytes(), beside(path, "journal.jsonl").read_bytes()
        envelope = cli("--json", "compact").envelope
        assert envelope["files_rewritten"] == [f"ntm_memory.{end}" for end in ("json", "journal.jsonl", "keys.npy")]
        assert envelope["bytes"] == {
            name: (path.parent / name).stat().st_size for name in ("ntm_memory.json", "ntm_memory.journal.jsonl")
        }
        assert beside(path, "journal.jsonl").read_bytes().count(b"\n") == 1
        kept = beside(path, "previous.json").read_bytes(), beside(path, "previous.journal.jsonl").read_bytes()
        assert kept == before
        assert cli("verify").status == 0

    def test_people_read_the_sizes(self, cli: CommandLine, path: Path) -> None:
        """In one line."""
        assert cli("compact").out == "no memory yet\n"
        memorize(cli, "x")
        assert cli("compact").out.startswith("folded: ntm_memory.json ")

    def test_a_memory_that_is_not_there_is_not_made(self, cli: CommandLine, path: Path) -> None:
        """There is nothing to fold."""
        assert cli("--json", "compact").envelope == {"ok": True, "files_rewritten": [], "bytes": {}}
        assert not path.parent.exists()

    def test_another_encoders_memory_is_folded_as_well(self, cli: CommandLine, path: Path) -> None:
        """Its keys are not looked into."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder(32)) as memory:
            memory.memorize("x")
        assert cli("compact").status == 0
        with NTMMemoryManager.open(path, encoder=HashedEncoder(32)) as memory:
            assert memory.search("x")[0].content == "x"


class TestRestore:
    """Bringing erased memories back."""

    def test_without_an_id_it_lists_what_could_come_back(self, cli: CommandLine) -> None:
        """In the order of writing, with the time of its erasure; what was purged is not there."""
        first, second, third = memorize(cli, "first", MARKED, "third")
        for line in ([second], [first], [third, "--purge"]):
            cli("erase", *line)
        archive = cli("--json", "restore").envelope["archive"]
        assert [(each["id"], each["content"]) for each in archive] == [(first, "first"), (second, MARKED)]
        assert all(each["erased"] for each in archive)
        shown = cli("restore").out.splitlines()
        assert [line.split(" ")[0] for line in shown] == [first, second]
        assert shown[1].endswith(MARKED)

    def test_an_empty_archive_is_said_to_be_empty(self, cli: CommandLine) -> None:
        """With or without a memory."""
        assert cli("restore").out == "nothing was erased or forgotten\n"
        memorize(cli, "x")
        assert cli("--json", "restore").envelope == {"ok": True, "archive": [], "forgotten": []}

    def test_by_id_memories_come_back_as_they_were(self, cli: CommandLine) -> None:
        """Several at once; they are found again, and have left the archive."""
        first, second, _ = memorize(cli, "first", MARKED, "third")
        cli("erase", first, second)
        envelope = cli("--json", "restore", first, second).envelope
        assert [(each["id"], each["content"]) for each in envelope["restored"]] == [(first, "first"), (second, MARKED)]
        assert cli("--json", "search", "first").envelope["hits"][0]["id"] == first
        assert cli("--json", "restore").envelope["archive"] == []
        cli("erase", second)
        assert cli("restore", second).out == f"restored {second} {MARKED}\n"

    def test_an_id_that_is_not_in_the_archive_brings_nothing_back(self, cli: CommandLine, path: Path) -> None:
        """One that was never there, one that is live, one that was purged; the others with it are not restored."""
        erased, live, purged = memorize(cli, "first", "second", "third")
        cli("erase", erased)
        cli("erase", purged, "--purge")
        before = bytes_in(path.parent)
        for wrong in ("nobody", live, purged):
            outcome = cli("--json", "restore", erased, wrong)
            assert (outcome.status, outcome.code) == (1, "unknown_memory")
        assert failed(cli("restore", "nobody"), 1, "unknown_memory")
        outcome = cli("--json", "restore", erased, erased)
        assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert bytes_in(path.parent) == before

    def test_a_memory_without_a_free_slot_takes_nothing_back(self, cli: CommandLine, here: Path) -> None:
        """It is told so."""
        (erased,) = memorize(cli, "first")
        cli("erase", erased)
        memorize(cli, "second")
        config = {"ntm_memory": {"memory_size": 1}, "m3": {"forget": False}}
        (here / "clawhub.json").write_text(json.dumps({"plugins": {PLUGIN: {"config": config}}}))
        outcome = cli("--json", "restore", erased)
        assert (outcome.status, outcome.code) == (1, "memory_full")

    def test_the_archive_of_another_encoders_memory_can_be_listed(self, cli: CommandLine, path: Path) -> None:
        """Nothing comes back from it before a reindex: its keys would be others."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder(32)) as memory:
            ident = memory.memorize("x").id
            memory.erase(ident)
        assert [each["id"] for each in cli("--json", "restore").envelope["archive"]] == [ident]
        assert cli("--json", "restore", ident).code == "encoder_mismatch"
