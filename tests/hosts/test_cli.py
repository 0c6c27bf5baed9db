"""The command line's shape: verbs, options, exit statuses, and which memory is meant."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import __version__
from ntm_memory_skill.hosts.cli import app, tools
from ntm_memory_skill.hosts.cli.app import global_options_first
from ntm_memory_skill.model import BACKENDS, MODES
from ntm_memory_skill.tools import TOOLS
from tests.hosts.command_line import run_here
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import cut_in_half

VERBS = """
    memorize recall search update erase
    import export stats
    verify repair compact restore reindex encrypt decrypt
    consolidate audit graph
    serve setup doctor demo eval explain train tasks crossbar encoder
""".split()
WITH_ARGUMENTS = {*TOOLS, "import", "export", "explain", "train", "tasks", "crossbar", "encoder"}
WITHOUT_ARGUMENTS = [verb for verb in VERBS if verb not in WITH_ARGUMENTS]
ON_THE_COMMAND_LINE = {"content": "text", "tags": "tag", "id": "ids", "pinned": "pin"}
"""Tool arguments that have another name there."""

ANYWHERE = [("--json",), ("--memory", "place"), ("-m", "place"), ("--memory=place",)]
IN_PLACE = [("search",), ("text",), ("-k", "3"), ("--tag=x",)]
TAILS = [(), ("--",), ("--", "--json", "-m"), ("--memory",)]
"""Parts of a command line: options for all verbs, other words, and what ends it."""


def memories(place: Path | str) -> int:
    """Return how many memories the command line sees at a place."""
    found: int = run_here("--memory", place, "--json", "stats").envelope["stats"]["memories"]
    return found


class TestVerbs:
    """Which there are, and what they take."""

    def test_help_lists_every_verb_and_no_other(self, here: Path) -> None:
        """In a table, each at the start of its line."""
        told = run_here("--help")
        assert told.status == 0
        plain = re.sub(r"\x1b\[[0-9;]*m", "", told.out)  # typer colours it wherever it believes in a CI service
        assert [verb for verb in VERBS if f"│ {verb} " not in plain] == []
        command = typer.main.get_command(app)
        assert isinstance(command, typer.core.TyperGroup)
        assert sorted(command.commands) == sorted(VERBS)

    @pytest.mark.parametrize("verb", VERBS)
    def test_every_verb_explains_itself(self, verb: str) -> None:
        """With -h and --help alike."""
        short, long = run_here(verb, "-h"), run_here(verb, "--help")
        assert short.status == long.status == 0
        assert short.out == long.out
        assert re.search(rf"ntm-memory {verb}\b", short.out)

    @pytest.mark.parametrize("tool", TOOLS)
    def test_a_tool_and_its_command_take_the_same_arguments(self, tool: str) -> None:
        """All of the tool's, each filter as an option of its own, and nothing besides."""
        command = typer.main.get_command(app)
        assert isinstance(command, typer.core.TyperGroup)
        there = {parameter.name for parameter in command.commands[tool].params} - {"help"}
        properties = TOOLS[tool].properties
        wanted = set(properties) - {"filters"} | set(properties.get("filters", {}).get("properties", {}))
        renamed = {ON_THE_COMMAND_LINE.get(name, name) for name in wanted}
        assert there == (renamed - {"ids"} | {"id"} if tool == "update" else renamed)

    def test_every_choice_of_a_tool_can_be_named(self) -> None:
        """The options that are one of several name all of them; and every tool's answer can be shown."""
        assert tuple(tools.Mode) == MODES
        assert tuple(tools.Backend) == BACKENDS
        assert tools._RENDERERS.keys() == TOOLS.keys()

    def test_the_version_is_printed(self) -> None:
        """And nothing is opened."""
        assert run_here("--version").out == f"ntm-memory {__version__}\n"


class TestExitStatus:
    """0 done, 1 the tool's own error, 2 wrong usage or configuration, 3 the store."""

    def test_what_was_done_exits_with_0(self, cli: CommandLine) -> None:
        """Finding nothing included."""
        assert cli("memorize", "x").status == 0
        assert cli("search", "x", "--session", "other").status == 0

    def test_a_refused_argument_exits_with_1(self, cli: CommandLine) -> None:
        """Better arguments would have prevented it."""
        assert cli("search", "x", "--top-k", "0").status == 1
        assert cli("erase", "nobody").status == 1
        assert cli("erase").status == 1

    @pytest.mark.parametrize(
        "wrong",
        [[], ["conjure"], ["search"], ["search", "x", "--top-k", "many"], ["search", "x", "--limit", "3"], ["import"]],
        ids=" ".join,
    )
    def test_wrong_usage_exits_with_2(self, cli: CommandLine, path: Path, wrong: list[str]) -> None:
        """No verb, an unknown one, or options that do not fit; nothing is stored."""
        assert cli(*wrong).status == 2
        assert not path.parent.exists()

    def test_a_wrong_configuration_exits_with_2(self, cli: CommandLine, here: Path) -> None:
        """Whatever the verb; only doctor goes on, to say so among other things."""
        (here / "clawhub.json").write_text("{")
        assert [verb for verb in WITHOUT_ARGUMENTS if cli(verb).status != 2] == ["doctor"]

    def test_a_damaged_store_exits_with_3(self, cli: CommandLine, path: Path) -> None:
        """So does one that cannot be reached."""
        cli("memorize", "x")
        cut_in_half(path)
        assert cli("search", "x").status == 3
        assert run_here("--memory", path / "below" / "a" / "file", "memorize", "x").status == 3


class TestGlobalOptions:
    """They may stand before the verb and behind it."""

    @pytest.mark.parametrize("line", [["--json", "memorize", "x"], ["memorize", "x", "--json"]], ids=" ".join)
    def test_json_stands_anywhere(self, cli: CommandLine, line: list[str]) -> None:
        """The answer is an envelope either way."""
        assert cli(*line).envelope["ok"] is True

    @pytest.mark.parametrize("option", [["--memory", "{}"], ["--memory={}"], ["-m", "{}"]], ids=" ".join)
    def test_the_memory_is_named_anywhere(self, no_model: None, tmp_path: Path, option: list[str]) -> None:
        """Before the verb and behind it, long and short."""
        words = [word.format(tmp_path / "a.json") for word in option]
        assert run_here(*words, "memorize", "x").status == 0
        assert run_here("memorize", "y", *words).status == 0
        assert memories(tmp_path / "a.json") == 2

    def test_what_follows_two_dashes_is_content(self, cli: CommandLine) -> None:
        """Even if it looks like an option."""
        assert cli("memorize", "--json", "--", "--memory").envelope["ok"] is True
        assert cli("--json", "search", "--", "--json").envelope["hits"][0]["content"] == "--memory"

    def test_content_that_looks_like_json_mode_leaves_errors_in_words(self, cli: CommandLine, path: Path) -> None:
        """An error that ends the command asks for --json among the options, not in the content."""
        cli("memorize", "x")
        cut_in_half(path)
        outcome = cli("memorize", "--", "--json")
        assert (outcome.status, outcome.out) == (3, "")

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.sampled_from([*ANYWHERE, *IN_PLACE]), max_size=6), st.sampled_from(TAILS))
    def test_moving_options_to_the_front_keeps_everything_in_order(
        self, parts: list[tuple[str, ...]], tail: tuple[str, ...]
    ) -> None:
        """The global ones come first, then the others, and from two dashes on nothing moves."""
        ahead = [word for part in parts if part in ANYWHERE for word in part]
        behind = [word for part in parts if part in IN_PLACE for word in part]
        words = [word for part in parts for word in part]
        assert global_options_first([*words, *tail]) == [*ahead, *behind, *tail]


class TestDisabled:
    """clawhub.json says that the skill is not to be used."""

    @pytest.fixture(autouse=True)
    def disabled(self, no_model: None, here: Path) -> None:
        """A memory with one note, and then the switch."""
        assert run_here("memorize", "kept").status == 0
        plugin = "official-1580021414-afk-ntm-memory-system"
        (here / "clawhub.json").write_text(json.dumps({"plugins": {plugin: {"enabled": False}}}))

    @pytest.mark.parametrize(
        "line",
        [["memorize", "x"], ["recall", "x"], ["search", "x"], ["update", "x", "y"], ["erase", "x"], ["serve"]],
        ids=lambda line: str(line[0]),
    )
    def test_no_tool_answers(self, here: Path, line: list[str]) -> None:
        """Neither on the command line nor as a server; the memory is not touched."""
        before = (here / "memory" / "ntm_memory.json").read_bytes()
        outcome = run_here("--json", *line)
        assert (outcome.status, outcome.code) == (2, "invalid_config")
        assert (here / "memory" / "ntm_memory.json").read_bytes() == before

    def test_its_owner_can_still_get_at_the_memory(self) -> None:
        """To look, to check, to take it elsewhere."""
        assert "kept" in run_here("export", "-").out
        assert run_here("--json", "stats").envelope["stats"]["memories"] == 1
        for verb in ("verify", "repair", "compact", "restore", "encrypt", "decrypt"):
            assert run_here(verb).status == (2 if verb == "encrypt" else 0)  # there is no key


class TestPlace:
    """Which memory is meant: the option, else the environment, else the current folder's."""

    def test_a_folder_stands_for_the_memory_in_it(self, no_model: None, tmp_path: Path) -> None:
        """Under the usual name."""
        (tmp_path / "folder").mkdir()
        run_here("--memory", tmp_path / "folder", "memorize", "x")
        assert (tmp_path / "folder" / "ntm_memory.json").is_file()
        assert memories(tmp_path / "folder" / "ntm_memory.json") == 1

    def test_the_environment_names_the_memory(
        self, no_model: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file or a folder."""
        monkeypatch.setenv("NTM_MEMORY_FILE", str(tmp_path / "named.json"))
        run_here("memorize", "x")
        assert memories(tmp_path / "named.json") == 1

    def test_the_option_beats_the_environment(
        self, no_model: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is said last is meant most."""
        monkeypatch.setenv("NTM_MEMORY_FILE", str(tmp_path / "environment.json"))
        run_here("--memory", tmp_path / "option.json", "memorize", "x")
        assert memories(tmp_path / "option.json") == 1
        assert not (tmp_path / "environment.json").exists()

    @pytest.mark.parametrize("value", [None, ""])
    def test_without_either_it_is_in_the_current_folder(
        self, no_model: None, here: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
    ) -> None:
        """In memory/ntm_memory.json; an empty variable counts as none."""
        if value is not None:
            monkeypatch.setenv("NTM_MEMORY_FILE", value)
        run_here("memorize", "x")
        assert memories(here / "memory" / "ntm_memory.json") == 1

    def test_the_environment_names_the_configuration(
        self, no_model: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In place of the current folder's clawhub.json."""
        config = {"ntm_memory": {"memory_size": 1}, "m3": {"forget": False}}
        plugin = "official-1580021414-afk-ntm-memory-system"
        (tmp_path / "other.json").write_text(json.dumps({"plugins": {plugin: {"config": config}}}))
        monkeypatch.setenv("NTM_CLAWHUB_JSON", str(tmp_path / "other.json"))
        assert run_here("memorize", "x", "--json").envelope["ok"] is True
        assert run_here("memorize", "y", "--json").code == "memory_full"
