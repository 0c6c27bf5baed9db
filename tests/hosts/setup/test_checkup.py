"""What `ntm-memory doctor` says of OpenClaw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.hosts.setup import checkup
from ntm_memory_skill.hosts.setup.checkup import memory_files
from ntm_memory_skill.hosts.setup.openclaw import Agent
from tests.hosts.command_line import run_here
from tests.hosts.setup.conftest import MakeHost
from tests.hosts.setup.fake import FakeHost


@pytest.fixture
def installed(host: FakeHost) -> FakeHost:
    """A host that ntm-memory is set up in."""
    assert host.setup("--yes").status == 0
    return host


def test_what_is_set_up_is_sound(installed: FakeHost) -> None:
    """Version, plugin, switch, slot, command, permission, the host's own memory, and each agent's folder."""
    found = installed.doctor()
    wanted = [
        "OpenClaw",
        "plugin",
        "plugin's switch",
        "memory slot",
        "plugin's command",
        "plugin's permission",
        "memory-core",
        "memory of agent main",
        "memory of agent other",
    ]
    assert [subject for subject in found if subject in wanted] == wanted
    assert [subject for subject, row in found.items() if not row["ok"]] == []


Change = Callable[[dict[str, Any]], object]
FAULTS: dict[str, Change] = {
    "plugin": lambda plugins: plugins["load"].update(paths=["/old/ntm_memory_skill/hosts/openclaw/plugin"]),
    "plugin's switch": lambda plugins: plugins["entries"]["ntm-memory"].update(enabled=False),
    "memory slot": lambda plugins: plugins["slots"].update(memory="other"),
    "plugin's command": lambda plugins: plugins["entries"]["ntm-memory"]["config"].update(command=["/no/python"]),
    "plugin's permission": lambda plugins: plugins["entries"]["ntm-memory"].pop("hooks"),
}


@pytest.mark.parametrize("subject", FAULTS)
def test_every_fault_is_found_and_setup_mends_it(installed: FakeHost, subject: str) -> None:
    """Each names what to run, and that helps."""
    config = json.loads(installed.file.read_text())
    FAULTS[subject](config["plugins"])
    installed.file.write_text(json.dumps(config))
    found = installed.doctor()
    assert not found[subject]["ok"]
    assert "ntm-memory setup" in found[subject]["hint"]
    assert installed.setup("--yes").status == 0
    assert all(row["ok"] for row in installed.doctor().values())


@pytest.mark.parametrize("script", ["echo ntm-memory 0.0.1", "exit 3", "echo no such module >&2; exit 1"])
def test_a_command_that_starts_something_else_is_found(installed: FakeHost, tmp_path: Path, script: str) -> None:
    """Another version, or nothing at all."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    config = json.loads(installed.file.read_text())
    config["plugins"]["entries"]["ntm-memory"]["config"]["command"] = [str(program)]
    installed.file.write_text(json.dumps(config))
    assert not installed.doctor()["plugin's command"]["ok"]


def test_a_switch_that_clawhub_json_has_otherwise_is_found(installed: FakeHost, here: Path) -> None:
    """Running setup brings both together; the slot is then rightly somebody else's."""
    (here / "clawhub.json").write_text(json.dumps({"plugins": {PLUGIN: {"enabled": False}}}))
    assert not installed.doctor()["plugin's switch"]["ok"]
    installed.setup("--yes")
    assert all(row["ok"] for row in installed.doctor().values())


def test_a_folder_that_cannot_be_one_is_found(installed: FakeHost) -> None:
    """Where a file is in its way."""
    (installed.folder / "work").write_text("")
    found = installed.doctor()
    assert not found["memory of agent main"]["ok"]
    assert "--data-folder" in found["memory of agent main"]["hint"]


def test_what_is_not_set_up_is_a_fault_only_if_asked_for(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenClaw may be there for something else."""
    monkeypatch.setenv("PATH", f"{host.folder}:/usr/bin:/bin")
    rows = {row["subject"]: row for row in run_here("--json", "doctor").envelope["findings"]}
    assert rows["plugin"]["ok"]
    assert "ntm-memory setup" in rows["plugin"]["hint"]
    assert not host.doctor()["plugin"]["ok"]


def test_no_openclaw_is_a_fault_only_if_asked_for(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says so; with --no-host, none."""
    monkeypatch.setenv("PATH", str(here))
    for options, wanted in (([], [True]), (["--host"], [False]), (["--no-host"], [])):
        outcome = run_here("--json", "doctor", *options)
        assert [row["ok"] for row in outcome.envelope["findings"] if row["subject"] == "OpenClaw"] == wanted
        assert outcome.status == int(wanted == [False])


@pytest.mark.parametrize("behaviour", [{"version": "2026.1.1"}, {"broken": "Node 20 is too old"}], ids=str)
def test_an_openclaw_that_cannot_be_used_is_found(make_host: MakeHost, behaviour: dict[str, str]) -> None:
    """Too old, or with a Node that is."""
    assert not make_host(**behaviour).doctor()["OpenClaw"]["ok"]


def test_a_configuration_that_is_not_valid_is_found(make_host: MakeHost) -> None:
    """With the host's own words."""
    row = make_host("{").doctor()["OpenClaw's configuration"]
    assert not row["ok"]
    assert "<root>" in row["detail"]


def test_a_host_that_hangs_does_not_hang_the_doctor(installed: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for a while, and says so."""
    monkeypatch.setattr(checkup, "PATIENCE", 2.0)
    installed.behave(hangs="config get")
    assert not installed.doctor()["OpenClaw's configuration"]["ok"]


def test_a_wrong_clawhub_json_keeps_it_from_no_other_finding(installed: FakeHost, here: Path) -> None:
    """What it says of the switch is then not known."""
    (here / "clawhub.json").write_text("{")
    found = installed.doctor()
    assert [subject for subject, row in found.items() if not row["ok"]] == ["configuration"]


def test_each_agents_memory_is_where_the_plugin_has_it() -> None:
    """In its workspace, beside the first agent's if two share one; or all below one folder."""
    agents = (Agent("a", Path("/w")), Agent("b", Path("/w")), Agent("c", Path("/v")))
    assert [str(file) for file in memory_files(agents, None).values()] == [
        "/w/memory/ntm_memory.json",
        "/w/memory/agents/b/ntm_memory.json",
        "/v/memory/ntm_memory.json",
    ]
    assert [str(file) for file in memory_files(agents, Path("/d")).values()] == [
        f"/d/{name}/ntm_memory.json" for name in "abc"
    ]
