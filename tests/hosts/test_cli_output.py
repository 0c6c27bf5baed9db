"""What the command line reads and prints: words for people, envelopes for programs, text as it stands."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.hosts.cli.output import literal
from tests.hosts.command_line import PROGRAM, run_here, run_process
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import cut_in_half

MARKED = [
    "[red]x[/red]",
    r"\[",
    r"\\[x",
    "[/]",
    "[bold",
    "a]b",
    r"C:\temp\[x]",
    "ends in \\",
    "ends in \\\\",
    ":smile:",
    "1 < 2 & [#]",
]


class TestStandardInput:
    """A lone dash reads it."""

    @pytest.mark.parametrize("text", ["one line", "两行\n中文", "  kept blanks"])
    def test_a_dash_stores_standard_input(self, cli: CommandLine, text: str) -> None:
        """As UTF-8 whatever the locale, without the line's end."""
        cli("memorize", "-", stdin=f"{text}\n".encode())
        assert cli("--json", "search", "x").envelope["hits"][0]["content"] == text

    def test_a_dash_updates_from_standard_input(self, cli: CommandLine) -> None:
        """The same for the new version."""
        ident = cli("--json", "memorize", "old").envelope["id"]
        assert cli("--json", "update", ident, "-", stdin=b"new").envelope["memory"]["content"] == "new"

    def test_empty_standard_input_is_refused(self, cli: CommandLine) -> None:
        """As empty content is."""
        assert cli("--json", "memorize", "-").code == "invalid_content"

    def test_bytes_that_are_no_text_are_refused(self, cli: CommandLine) -> None:
        """With an envelope, not with a traceback."""
        assert cli("--json", "memorize", "-", stdin=b"caf\xe9").code == "invalid_content"

    def test_a_dash_elsewhere_is_a_dash(self, cli: CommandLine) -> None:
        """Only content is read from standard input."""
        assert cli("memorize", "x", "--session", "-", stdin=b"not read").status == 0
        assert cli("--json", "search", "-", stdin=b"not read").envelope["hits"][0]["session"] == "-"


class TestErrors:
    """Words on standard error, or an envelope on standard output."""

    def test_words_go_to_standard_error(self, cli: CommandLine) -> None:
        """With the code and a hint; standard output stays empty."""
        outcome = cli("search", "x", "--top-k", "0")
        assert outcome.out == ""
        code, hint = outcome.err.splitlines()
        assert code.startswith("invalid_argument: ")
        assert hint.startswith("  ")

    def test_an_envelope_goes_to_standard_output(self, cli: CommandLine) -> None:
        """Standard error stays empty."""
        outcome = cli("search", "x", "--top-k", "0", "--json")
        assert (outcome.code, outcome.err) == ("invalid_argument", "")

    def test_errors_of_the_store_take_the_same_ways(self, cli: CommandLine, path: Path) -> None:
        """Though they are raised, and the tools' are not."""
        cli("memorize", "x")
        cut_in_half(path)
        outcome = cli("recall", "x", "--json")
        assert (outcome.code, outcome.err) == ("store_damaged", "")
        outcome = cli("recall", "x")
        assert outcome.out == ""
        assert outcome.err.startswith("store_damaged: ")

    @pytest.mark.parametrize("arguments", [["memorize", "y"], ["memorize", "y", "--json"]], ids=" ".join)
    def test_what_was_mended_is_said_on_standard_error(self, no_model: None, path: Path, arguments: list[str]) -> None:
        """A line that was never acknowledged is left out; standard output holds the answer alone."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
            memory.memorize("x")
            with path.with_name("ntm_memory.journal.jsonl").open("ab") as journal:
                journal.write(b'{"seq":2,')
            outcome = run_here("--memory", path, *arguments)
        assert outcome.status == 0
        assert outcome.err.startswith("note: ")
        assert outcome.out.count("\n") == 1


class TestHits:
    """How a memory stands on the terminal."""

    def test_its_name_stands_before_it_and_its_lines_under_each_other(self, cli: CommandLine) -> None:
        """So that "is afraid of heights" tells of whom."""
        cli("memorize", "is afraid\nof [heights]", "--key", "[Ana]")
        assert cli("search", "heights").out.startswith(" 1. [Ana]: is afraid\n    of [heights]\n")


class TestContext:
    """What was said around a hit, on the terminal."""

    def test_it_stands_before_and_behind_its_hit_with_its_places(self, cli: CommandLine) -> None:
        """The hit's own reasons stay next to it; a text of several lines keeps them under each other."""
        for day, text in enumerate(["[red] one", "two\nlines", "the boiler drips", "ends in \\"], 1):
            cli("memorize", text, "--session", "chat", "--at", f"2026-01-0{day}")
        for words in (["search", "the boiler drips", "-k", "1", "--context", "2"], ["search", "-C2", "-k1", "drips"]):
            lines = cli(*words).out.splitlines()
            assert lines[:4] == ["     -2 [red] one", "     -1 two", "        lines", " 1. the boiler drips"]
            assert " · score " in lines[4]
            assert lines[5:] == ["     +1 ends in \\"]

    def test_it_is_dim_where_there_are_colours(self, cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that the hit stands out."""
        monkeypatch.setenv("FORCE_COLOR", "1")
        cli("memorize", "the boiler drips", "--key", "boiler", "--session", "chat")
        cli("memorize", "call Okonkwo", "--session", "chat")
        last = cli("recall", "--key", "boiler", "--context", "1").out.splitlines()[-1]
        assert last.startswith("    \x1b[2m")
        assert last.endswith("\x1b[0m")
        assert "call Okonkwo" in last


class TestLiteralText:
    """What was stored is shown, not obeyed."""

    @settings(deadline=None, max_examples=200)
    @given(
        st.text(st.one_of(st.sampled_from("[]/\\:ab#@="), st.characters(exclude_categories=["Cs", "Cc"]))),
        st.sampled_from([("", ""), ("[dim]after[/]", "after"), (" after", " after")]),
    )
    def test_markup_prints_exactly_the_text(self, text: str, after: tuple[str, str]) -> None:
        """Wherever it stands in a line, and whatever follows it."""
        stream = io.StringIO()
        Console(file=stream, color_system=None, emoji=False, soft_wrap=True).print(f"[red]{literal(text)}[/]{after[0]}")
        assert stream.getvalue() == f"{text}{after[1]}\n"

    @pytest.mark.parametrize("text", MARKED)
    def test_every_tool_prints_content_as_it_stands(self, cli: CommandLine, text: str) -> None:
        """Stored twice, found, recalled, listed as candidates, updated."""
        text = f"note {text}"
        ident = cli("--json", "memorize", text).envelope["id"]
        assert cli("memorize", text, "--force").out.splitlines()[1].endswith(f": {ident} {text}")
        assert f" 1. {text}" in cli("search", text).out.splitlines()
        assert f" 1. {text}" in cli("recall", text).out.splitlines()
        assert f"  {ident} {text}" in cli("erase", "--query", text).out.splitlines()
        shown = cli("update", ident, f"not {text}").out.splitlines()
        assert shown[1:] == [f"  was: {text}", f"  is:  not {text}"]

    @pytest.mark.parametrize("text", MARKED)
    def test_names_are_printed_as_they_stand(self, cli: CommandLine, text: str) -> None:
        """A session's in a hit, an id's in an error, a file's in a report."""
        cli("memorize", "x", "--session", text)
        assert f" · {text} · cosine" in cli("search", "x", "--explain").out
        assert repr(text) in cli("update", "--", text, "y").err
        assert cli("export", f"{text.replace('/', '')}.md").out.endswith(f"to {text.replace('/', '')}.md\n")

    def test_nothing_is_coloured_where_nobody_looks(self, cli: CommandLine) -> None:
        """A pipe or a file gets no terminal codes."""
        cli("memorize", "x")
        everything = [cli("search", "x", "--explain"), cli("stats"), cli("verify"), cli("update", "nobody", "y")]
        assert "\x1b" not in "".join(outcome.out + outcome.err for outcome in everything)

    def test_a_long_content_is_not_broken_into_lines(self, cli: CommandLine) -> None:
        """So that it can be found and copied."""
        text = "很长的一行 " * 60 + "end"
        cli("memorize", text)
        assert f" 1. {text}" in cli("search", "end").out.splitlines()


class TestBrokenPipe:
    """Whoever read the output has gone."""

    @pytest.fixture
    def full(self, path: Path) -> Path:
        """A memory whose export is more than a pipe holds."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
            memory.memorize_many([{"content": f"{number} " + "x" * 500} for number in range(300)], progress=False)
        return path

    def test_a_reader_that_leaves_midway_is_not_complained_to(self, full: Path) -> None:
        """As with `ntm-memory export - | head -1`."""
        command = [*PROGRAM, "--memory", str(full), "export", "-"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline().startswith(b'{"id":')
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0

    @pytest.mark.parametrize("arguments", [["stats"], ["--json", "stats"], ["--json", "erase"]], ids=" ".join)
    def test_a_reader_that_was_never_there_is_not_complained_to(self, full: Path, arguments: list[str]) -> None:
        """Results and errors alike, however short."""
        read, write = os.pipe()
        os.close(read)
        command = [*PROGRAM, "--memory", str(full), *arguments]
        with subprocess.Popen(command, stdout=write, stderr=subprocess.PIPE) as process:
            os.close(write)
            assert process.stderr is not None
            assert process.stderr.read() == b""
        assert process.returncode == 0


def test_chinese_is_printed_in_a_locale_that_has_none(path: Path) -> None:
    """By a real process, with Python's own choice of encoding against it."""
    with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
        memory.memorize("外婆的生日", tags=["家人"])
    outcome = run_process("--memory", path, "stats", environment={"PYTHONIOENCODING": "ascii"})
    assert outcome.status == 0
    assert "家人 1" in outcome.out
