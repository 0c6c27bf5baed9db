"""The means by which the real host is driven, without a plugin: finding it, its registry, its gateway, its agents."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ntm_memory_skill.hosts.openclaw.contract import HOST_VERSION
from tests.hosts.openclaw.gateway import Gateway
from tests.hosts.openclaw.host import AGENTS, Host
from tests.hosts.openclaw.installation import PROGRAMS, VARIABLE, Installation, find_host
from tests.hosts.openclaw.model import CallTool, Prompt, Say, ScriptedModel, obey
from tests.hosts.openclaw.registry import Registry

GATE = Path(__file__).parents[3] / ".ci" / "run"
FILES = {"SKILL.md": "---\nname: tiny\ndescription: A tiny skill.\n---\n\n# Tiny\n", "deep/notes.txt": "ä\n"}
WAITING = "import sys; print(flush=True); sys.stdin.read()"
"""A program that says that it runs, and then waits for its input to end."""


def program(folder: Path, name: str, says: str) -> None:
    """Write a program that says one line."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / name).write_text(f"#!/bin/sh\necho {says}\n")
    (folder / name).chmod(0o755)


def skipped(environment: dict[str, str]) -> str:
    """Return the reason for which a test would be skipped there."""
    with pytest.raises(pytest.skip.Exception) as skip:
        find_host(environment)
    return str(skip.value)


class TestFinding:
    """Where the host is looked for."""

    def test_a_folder_that_is_not_there_skips_and_names_all_that_is_missing(self, tmp_path: Path) -> None:
        """Though there may be a host on the search path: a folder that is named is the one that is meant."""
        for name in PROGRAMS:
            program(tmp_path / "bin", name, "v24.16.0")
        reason = skipped({VARIABLE: str(tmp_path / "nowhere"), "PATH": str(tmp_path / "bin")})
        assert VARIABLE in reason
        assert all(name in reason for name in PROGRAMS)

    def test_what_is_missing_on_the_search_path_is_named(self, tmp_path: Path) -> None:
        """And nothing else is."""
        program(tmp_path, "node", "v24.16.0")
        program(tmp_path, "openclaw", "1")
        reason = skipped({"PATH": str(tmp_path)})
        assert "no clawhub on the PATH" in reason

    @pytest.mark.parametrize(("version", "found"), [("v22.20.0", False), ("v24.15.9", False), ("v24.16.0", True)])
    def test_a_node_that_is_too_old_skips(self, tmp_path: Path, version: str, found: bool) -> None:
        """One that is old enough is taken, with what lies beside it."""
        for name in PROGRAMS:
            program(tmp_path, name, version)
        if found:
            assert find_host({"PATH": str(tmp_path)}).program("clawhub") == str(tmp_path / "clawhub")
        else:
            assert "24.16" in skipped({"PATH": str(tmp_path)})

    def test_the_gate_installs_the_version_that_the_plugin_is_made_for(self) -> None:
        """It stands in the contract."""
        assert f" openclaw@{HOST_VERSION} " in GATE.read_text(encoding="utf-8")


class TestPlace:
    """A place of its own, in which nothing may be left."""

    def test_its_configuration_is_the_hosts(self, host: Host) -> None:
        """With two agents, each in a workspace of its own."""
        outcome = host.openclaw("config", "validate")
        assert (outcome.status, outcome.err) == (0, "")
        assert len({host.workspace(agent) for agent in AGENTS}) == len(AGENTS)

    def test_a_process_that_has_left_its_session_is_found_and_killed(self, host: Host) -> None:
        """Its environment gives it away."""
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [sys.executable, "-c", WAITING], env=host.environment, stdin=pipe, stdout=pipe, start_new_session=True
        ) as stray:
            assert stray.stdout is not None
            assert stray.stdout.readline() == b"\n"
            assert list(host.processes()) == [stray.pid]
            assert [sys.executable in line for line in host.left(limit_s=0)] == [True]
        assert stray.returncode < 0
        assert host.processes() == {}


class TestRegistry:
    """ClawHub's own command line."""

    def test_what_is_published_is_what_is_installed(self, host: Host, registry: Registry) -> None:
        """File by file, without what is hidden; the registry has seen them, and an unchanged folder not twice."""
        folder = host.folder / "tiny"
        for name, text in {**FILES, ".hidden": "x"}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        assert host.clawhub("login", "--token", "any", "--no-browser").status == 0
        for _ in range(2):
            outcome = host.clawhub("skill", "publish", folder, "--json")
            assert outcome.status == 0, outcome
        (published,) = registry.published
        assert published.slug == "tiny"
        assert {name: content.decode() for name, content in published.files.items()} == FILES
        outcome = host.clawhub("--workdir", host.workspace(), "install", "tiny")
        assert outcome.status == 0, outcome
        installed = host.workspace() / "skills" / "tiny"
        assert {name: (installed / name).read_text(encoding="utf-8") for name in FILES} == FILES

    def test_a_skill_that_was_never_published_cannot_be_installed(self, host: Host) -> None:
        """Its workspace stays without it."""
        assert host.clawhub("--workdir", host.workspace("other"), "install", "nobodys-skill").status != 0
        assert not (host.workspace("other") / "skills" / "nobodys-skill").exists()


class TestTurns:
    """Agents that the scripted model speaks for."""

    @pytest.fixture(autouse=True)
    def obeying(self, scripted: ScriptedModel) -> None:
        """Each test begins with the usual script and without a memory of earlier prompts."""
        scripted.script = obey
        scripted.prompts.clear()

    def test_an_agent_answers_what_the_model_says(self, gateway: Gateway, scripted: ScriptedModel) -> None:
        """And the model is shown what the user said."""
        scripted.script = lambda prompt: Say("good morning to you")
        assert gateway.chat("good morning") == "good morning to you"
        (prompt,) = scripted.prompts
        assert "good morning" in prompt.user

    def test_a_conversation_is_one_agents_and_goes_on_under_its_name(
        self, gateway: Gateway, scripted: ScriptedModel
    ) -> None:
        """Neither another agent nor another conversation is shown what was said in it."""
        gateway.chat("the password is tulip", session="garden")
        gateway.chat("hello again", session="garden")
        gateway.chat("hello", session="house")
        gateway.chat("hello", agent="other", session="garden")
        gateway.chat("hello")
        said = ["tulip" in str(prompt.messages) for prompt in scripted.prompts]
        assert said == [True, True, False, False, False]

    @pytest.mark.parametrize("agent", AGENTS)
    def test_a_tool_of_the_host_is_called_and_its_answer_shown(
        self, gateway: Gateway, host: Host, scripted: ScriptedModel, agent: str
    ) -> None:
        """In the agent's own workspace."""
        (host.workspace(agent) / "note.txt").write_text(f"{agent} was here", encoding="utf-8")

        def read_then_quote(prompt: Prompt) -> Say | CallTool:
            return CallTool("read", {"path": "note.txt"}) if prompt.result is None else Say(prompt.result)

        scripted.script = read_then_quote
        assert f"{agent} was here" in gateway.chat("read it", agent=agent)
        assert len(scripted.prompts) == 2

    def test_a_tool_behind_the_catalogue_is_called(self, gateway: Gateway, scripted: ScriptedModel) -> None:
        """The host has its own names for what it does not offer directly."""
        scripted.script = lambda prompt: (
            CallTool("agents_list", {}) if prompt.result is None else Say(f"answered {prompt.result}")
        )
        answer = gateway.chat("who is there?")
        assert "agents_list" not in scripted.prompts[0].tools
        assert answer.startswith("answered ")
        assert '"main"' in answer.replace("\\", "")


class TestGateway:
    """The gateway as a process."""

    def test_a_gateway_answers_and_ends_without_leaving_a_process(self, gateway: Gateway, host: Host) -> None:
        """It is several processes while it runs, and its log says that it was ready."""
        assert gateway.invoke("agents_list", {}).details["agents"]
        assert gateway.invoke("agents_list", {}, agent="other", session="s").status == 200
        assert gateway.invoke("no_such_tool", {}).status == 404
        assert len(host.processes()) > 1
        assert gateway.stop() == 0
        assert host.left() == []
        assert "[gateway] ready" in gateway.log

    def test_a_gateway_that_cannot_start_fails_with_its_log(
        self, installation: Installation, scripted: ScriptedModel, tmp_path: Path
    ) -> None:
        """At once, not when the time is over."""
        broken = Host(installation, tmp_path, model_address=scripted.address)
        broken.config["no such key"] = True
        broken.write()
        with pytest.raises(pytest.fail.Exception) as failure, Gateway(broken):
            pass
        assert "no such key" in str(failure.value)
        assert broken.left() == []
