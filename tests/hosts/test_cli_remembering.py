"""What people read of a memory's life: said again, no longer holding, pinned, later than another."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.hosts.cli.tools import Mode
from ntm_memory_skill.model import MODES
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in

MARKED = "The [red]gate[/red] is green"
"""A content that a terminal could take for an instruction."""


def stored(cli: CommandLine, *line: str) -> str:
    """Memorize, and return the id."""
    return str(cli("--json", "memorize", *line).envelope["id"])


class TestMemorize:
    """What is said of a memory that was there."""

    def test_a_new_one_is_memorized(self, cli: CommandLine) -> None:
        """In one line, with its slot."""
        assert cli("memorize", MARKED).out.startswith("memorized m")

    @pytest.mark.parametrize(
        ("again", "said", "action"),
        [
            (MARKED.upper(), "known already, counted", "counted"),
            (f"By the way, {MARKED}", "known already, kept with it", "merged"),
        ],
    )
    def test_one_that_is_known_is_said_to_be(self, cli: CommandLine, again: str, said: str, action: str) -> None:
        """With the memory that says it, as it stands."""
        ident = stored(cli, MARKED)
        first, *more = cli("memorize", again).out.splitlines()
        assert first == f"{said} {ident} (slot 0)"
        assert f"  nearly the same, {action}: {ident} {MARKED}" in more

    def test_a_forced_one_is_memorized_and_the_other_named(self, cli: CommandLine) -> None:
        """Both are kept."""
        ident = stored(cli, MARKED)
        first, *more = cli("memorize", MARKED, "--force").out.splitlines()
        assert first.startswith("memorized m")
        assert more == [f"  nearly the same, both kept: {ident} {MARKED}"]

    def test_what_no_longer_holds_is_named_with_what_changed(self, cli: CommandLine) -> None:
        """And with what holds in its place."""
        old = stored(cli, "My dentist is Dr. Wu", "--at", "2025-01-01")
        envelope = cli("--json", "memorize", "My dentist is Dr. Kim", "--at", "2025-02-01").envelope
        (change,) = envelope["superseded"]
        newest = cli("memorize", "My dentist is Dr. Lee", "--at", "2025-03-01").out.splitlines()
        (line,) = (line for line in newest if line.startswith("  no longer holds: "))
        assert change["id"] == old
        assert line.startswith(f"  no longer holds: {envelope['id']} by m")
        assert line.split(": ", 2)[2]

    @pytest.mark.parametrize("line", [["--pin=yes"], ["--unpin"], ["--force=no"], ["--valid-until"]], ids=" ".join)
    def test_an_option_that_there_is_not_stores_nothing(self, cli: CommandLine, path: Path, line: list[str]) -> None:
        """Wrong usage."""
        assert cli("memorize", "x", *line).status == 2
        assert not path.parent.exists()


class TestUpdate:
    """`--pin` and `--unpin`."""

    def test_a_memory_is_pinned_and_unpinned_without_a_new_text(self, cli: CommandLine) -> None:
        """Neither leaves it as it is."""
        ident = stored(cli, MARKED)
        for option, pinned in (("--pin", True), (None, True), ("--unpin", None), (None, None)):
            line = ["--reason", "why not", *([option] if option else ["--importance", "0.5"])]
            memory = cli("--json", "update", ident, *line).envelope["memory"]
            assert (memory["content"], memory.get("pinned")) == (MARKED, pinned)

    def test_saying_both_takes_the_last_word(self, cli: CommandLine) -> None:
        """As with every such pair of options."""
        ident = stored(cli, MARKED)
        assert cli("--json", "update", ident, "--unpin", "--pin").envelope["memory"]["pinned"] is True
        assert "pinned" not in cli("--json", "update", ident, "--pin", "--unpin").envelope["memory"]


class TestSearch:
    """`--mode`, and why a hit is where it is."""

    def test_the_modes_are_the_engine_s(self) -> None:
        """Each by its own name, in its order."""
        assert tuple(mode.value for mode in Mode) == MODES

    @pytest.mark.parametrize("command", ["search", "recall"])
    @pytest.mark.parametrize("mode", ["fuzzy", "Exact", ""])
    def test_another_mode_is_wrong_usage(self, cli: CommandLine, path: Path, command: str, mode: str) -> None:
        """The known ones are named; nothing is looked for."""
        stored(cli, MARKED)
        before = bytes_in(path.parent)
        outcome = cli(command, "gate", f"--mode={mode}")
        assert outcome.status == 2
        assert all(known in outcome.err for known in MODES)
        assert bytes_in(path.parent) == before

    def test_a_later_one_in_front_says_what_it_is_later_than(self, cli: CommandLine, path: Path) -> None:
        """Beside the other reasons."""
        told = [("2025-01-01", "Ana's dentist is Dr. Wu"), ("2025-02-01", "Ana's dentist is Dr. Kim from now on")]
        with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
            memory.memorize_many([{"content": f"{number} {'abcdefgh'[number] * 9}"} for number in range(8)])
            old, new = memory.memorize_many([{"content": text, "at": at} for at, text in told])
        lines = cli("search", "who is Ana's dentist?").out.splitlines()
        assert lines[0] == f" 1. {told[1][1]}"
        assert new in lines[1]
        assert f"later than {old}" in lines[1]
        assert "later than" not in "".join(lines[2:])
