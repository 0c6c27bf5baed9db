"""`ntm-memory setup --client`: each client's own file, in a home folder of the test's."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.config import CLAWHUB_VARIABLE, PLUGIN
from ntm_memory_skill.hosts.setup import edit
from ntm_memory_skill.hosts.setup.clients import CLIENTS, SERVER, server_entry
from tests.hosts.command_line import Outcome, run_here
from tests.hosts.folders import bytes_in

PLACES = {
    "claude-code": (".claude.json", ".mcp.json"),
    "claude-desktop": (".config/Claude/claude_desktop_config.json", None),
    "codex": (".codex/config.toml", ".codex/config.toml"),
    "cursor": (".cursor/mcp.json", ".cursor/mcp.json"),
    "devin-desktop": (".config/devin/mcp_config.json", ".devin/mcp_config.json"),
    "gemini": (".gemini/settings.json", ".gemini/settings.json"),
    "vscode": (".config/Code/User/mcp.json", ".vscode/mcp.json"),
    "windsurf": (".codeium/windsurf/mcp_config.json", None),
}
"""Where each client keeps a person's servers on Linux, and a project's: written down from their documentation."""
WITH_PROJECTS = [name for name, (_, project) in PLACES.items() if project is not None]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="PLACES are those on Linux")


@pytest.fixture
def home(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with nothing in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


def setup(*options: str | Path) -> Outcome:
    """Set a client up, agreed to beforehand."""
    return run_here("setup", "--yes", *options)


def servers(file: Path) -> dict[str, Any]:
    """Return the servers in a client's file."""
    value = tomllib.loads(file.read_text()) if file.suffix == ".toml" else json.loads(file.read_text())
    found: dict[str, Any] = next(value[name] for name in ("mcpServers", "mcp_servers", "servers") if name in value)
    return found


@pytest.mark.parametrize("name", PLACES)
class TestEveryClient:
    """Each has a place and a form of its own."""

    def test_the_server_is_put_where_the_client_looks(self, home: Path, here: Path, name: str) -> None:
        """By absolute paths, for nobody else's eyes."""
        assert setup("--client", name).status == 0
        file = home / PLACES[name][0]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        entry = servers(file)[SERVER]
        arguments = ["-m", "ntm_memory_skill", "--memory", str(here / "memory" / "ntm_memory.json"), "serve"]
        assert (entry["command"], entry["args"]) == (sys.executable, [*arguments, "--mcp", "stdio"])

    def test_a_second_time_changes_nothing(self, home: Path, name: str) -> None:
        """Not a byte, nor the file's time."""
        setup("--client", name)
        file = home / PLACES[name][0]
        before = file.read_bytes(), file.stat().st_mtime_ns
        again = setup("--client", name, "--json")
        assert (again.status, again.envelope["done"]) == (0, False)
        assert (file.read_bytes(), file.stat().st_mtime_ns) == before

    def test_undoing_removes_a_file_that_held_nothing_else(self, home: Path, name: str) -> None:
        """It was made for this; the folders stay."""
        setup("--client", name)
        assert setup("--client", name, "--undo").status == 0
        assert [each for each in home.rglob("*") if each.is_file()] == []

    def test_what_others_have_in_the_file_stays(self, home: Path, name: str) -> None:
        """Byte for byte once it is undone."""
        file = home / PLACES[name][0]
        file.parent.mkdir(parents=True, exist_ok=True)
        table = CLIENTS[name].servers
        text = json.dumps({"z": 1, table: {"b": {"command": "x"}, "a": {"command": "y"}}, "é": [1.5, None]}, indent=4)
        if file.suffix == ".toml":
            text = f'# mine\nz = 1\n\n[{table}.b]\ncommand = "x" # yes\n\n[{table}.a]\ncommand = "y"\n'
        file.write_text(text)
        file.chmod(0o644)
        assert setup("--client", name).status == 0
        assert [*servers(file)] == ["b", "a", SERVER]
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
        assert setup("--client", name, "--undo").status == 0
        assert file.read_text() == text

    def test_the_place_on_other_platforms_is_another_where_it_should_be(self, name: str) -> None:
        """Applications keep their files elsewhere on macOS and Windows; the dot files are the same."""
        client, places = CLIENTS[name], []
        for platform in ("linux", "darwin", "win32"):
            file = client.file(Path("/h"), platform=platform)
            assert file is not None
            places.append(file.as_posix())
        assert places[0] == f"/h/{PLACES[name][0]}"
        if name in ("claude-desktop", "vscode"):
            assert "/Library/Application Support/" in places[1]
            assert "/AppData/Roaming/" in places[2]
        else:
            assert places[1] == places[0]

    def test_the_projects_file_is_written_on_request(self, home: Path, here: Path, name: str) -> None:
        """Where the client has one."""
        outcome = setup("--client", name, "--project", "--json")
        place = PLACES[name][1]
        assert bytes_in(home) == {}
        if place is None:
            assert (outcome.status, outcome.code) == (1, "invalid_argument")
        else:
            assert SERVER in servers(here / place)


class TestEntry:
    """What a client is told."""

    @pytest.mark.model
    def test_the_command_starts_a_server(self, home: Path) -> None:
        """From any folder, without a shell; it answers and ends with its input."""
        setup("--client", "cursor")
        entry = servers(home / ".cursor/mcp.json")[SERVER]
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}) + "\n"
        ran = subprocess.run(
            [entry["command"], *entry["args"]], input=request, capture_output=True, text=True, cwd=home, check=True
        )
        assert json.loads(ran.stdout)["result"]["serverInfo"]["name"]

    def test_the_memory_that_is_named_is_served(self, home: Path, tmp_path: Path) -> None:
        """By its absolute path, a folder by the memory in it."""
        assert run_here("--memory", "some/where", "setup", "--client", "cursor", "--yes").status == 0
        assert (
            str(Path.cwd() / "some" / "where" / "ntm_memory.json") in servers(home / ".cursor/mcp.json")[SERVER]["args"]
        )

    def test_the_configuration_in_force_goes_with_it(self, home: Path, here: Path) -> None:
        """The client's folder would not lead to it."""
        (here / "clawhub.json").write_text("{}")
        setup("--client", "cursor")
        assert servers(home / ".cursor/mcp.json")[SERVER]["env"] == {CLAWHUB_VARIABLE: str(here / "clawhub.json")}

    def test_a_skill_that_is_switched_off_is_not_set_up(self, home: Path, here: Path) -> None:
        """The server would refuse to start; taking it out still works."""
        setup("--client", "cursor")
        (here / "clawhub.json").write_text(json.dumps({"plugins": {PLUGIN: {"enabled": False}}}))
        assert setup("--client", "codex").status == 2
        assert setup("--client", "cursor", "--undo").status == 0
        assert [each for each in home.rglob("*") if each.is_file()] == []

    def test_an_entry_that_is_out_of_date_is_replaced_in_its_place(self, home: Path) -> None:
        """After a move of the memory, say."""
        file = home / ".cursor" / "mcp.json"
        file.parent.mkdir()
        file.write_text(json.dumps({"mcpServers": {SERVER: {"command": "old"}, "b": {}}}))
        setup("--client", "cursor")
        assert [*servers(file)] == [SERVER, "b"]
        assert servers(file)[SERVER]["command"] == sys.executable

    def test_any_other_client_is_shown_what_to_paste(self, home: Path) -> None:
        """As JSON that most of them understand; no file is touched."""
        shown = setup("--client", "generic", "--json").envelope
        entry = json.loads(shown["generic"])["mcpServers"][SERVER]
        assert entry == server_entry(None, Path.cwd() / "memory" / "ntm_memory.json")
        assert bytes_in(home) == {}
        assert shown["generic"] in setup("--client", "generic").out


class TestCaution:
    """No file of anybody's is lost."""

    @pytest.mark.parametrize("text", ['{ // mine\n "mcpServers": {} }', "[]", '{"mcpServers": []}', "{"])
    def test_a_file_that_cannot_be_written_again_is_left_with_the_entry_to_paste(self, home: Path, text: str) -> None:
        """And so is every other client's file that was asked for with it."""
        file = home / ".cursor" / "mcp.json"
        file.parent.mkdir()
        file.write_text(text)
        before = bytes_in(home)
        outcome = setup("--client", "gemini", "--client", "cursor", "--json")
        assert (outcome.status, outcome.code) == (1, "host_refused")
        hint = outcome.envelope["error"]["hint"]
        assert SERVER in json.loads(hint[hint.index("{") :])["mcpServers"]
        assert bytes_in(home) == before

    def test_a_toml_file_that_is_none_is_left_with_the_entry_to_paste(self, home: Path) -> None:
        """As TOML."""
        (home / ".codex").mkdir()
        (home / ".codex" / "config.toml").write_text("a =")
        hint = setup("--client", "codex", "--json").envelope["error"]["hint"]
        assert SERVER in tomllib.loads(hint[hint.index("[") :])["mcp_servers"]

    def test_a_link_in_the_home_folder_is_followed_and_kept(self, home: Path, tmp_path: Path) -> None:
        """As people have it who keep their files elsewhere."""
        (tmp_path / "real.json").write_text("{}")
        (home / ".cursor").mkdir()
        (home / ".cursor" / "mcp.json").symlink_to(tmp_path / "real.json")
        shown = setup("--client", "cursor", "--json").envelope
        assert shown["clients"][0]["file"] == str(tmp_path / "real.json")
        assert (home / ".cursor" / "mcp.json").is_symlink()
        assert SERVER in servers(tmp_path / "real.json")

    @pytest.mark.parametrize("linked", [".cursor", ".cursor/mcp.json"])
    def test_a_link_out_of_a_project_is_refused(self, home: Path, here: Path, tmp_path: Path, linked: str) -> None:
        """Whoever made the project could have anything written to."""
        (tmp_path / "elsewhere").mkdir()
        target = tmp_path / "elsewhere" / ("" if linked == ".cursor" else "mcp.json")
        (here / linked).parent.mkdir(exist_ok=True)
        (here / linked).symlink_to(target)
        outcome = setup("--client", "cursor", "--project", "--json")
        assert (outcome.status, outcome.code) == (1, "host_refused")
        assert bytes_in(tmp_path / "elsewhere") == {}

    def test_what_a_client_writes_meanwhile_stays(self, home: Path) -> None:
        """Some write to their own file all the time."""
        file = home / ".claude.json"
        file.write_text('{"a": 1}')
        client = CLIENTS["claude-code"]
        prepared = edit.prepare(client, file, server_entry(client, home / "m.json"))
        file.write_text('{"a": 2}')
        edit.make(prepared)
        assert json.loads(file.read_text())["a"] == 2
        assert SERVER in servers(file)

    @pytest.mark.parametrize("options", [["--dry-run"], ["--json"], []], ids=str)
    def test_nothing_is_written_without_leave(self, home: Path, options: list[str]) -> None:
        """To look is not to agree, and without a terminal there is nobody to ask."""
        assert run_here("setup", "--client", "cursor", *options).status == (0 if options == ["--dry-run"] else 1)
        assert bytes_in(home) == {}

    def test_undoing_what_was_never_set_up_changes_nothing(self, home: Path) -> None:
        """Neither where there is no file, nor in one of others."""
        (home / ".gemini").mkdir()
        (home / ".gemini" / "settings.json").write_text('{"mcpServers":{"b":{}}}')
        before = bytes_in(home)
        outcome = setup("--client", "cursor", "--client", "gemini", "--undo", "--json")
        assert (outcome.status, outcome.envelope["done"]) == (0, False)
        assert bytes_in(home) == before

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whose rights cannot be taken away like this")
    def test_a_folder_that_cannot_be_written_to_is_an_error(self, home: Path) -> None:
        """And leaves no temporary file."""
        (home / ".cursor").mkdir(mode=0o500)
        assert setup("--client", "cursor", "--json").code == "host_refused"
        assert bytes_in(home) == {".cursor": None}
