"""`ntm-memory setup` with the real host, where there is one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.hosts.openclaw.contract import PLUGIN_FOLDER
from tests.hosts.command_line import Outcome, run_process
from tests.hosts.openclaw.host import Host
from tests.hosts.openclaw.installation import find_host

NOBODY = "http://127.0.0.1:9"
"""No model is asked for anything here."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with a configuration of its owner's, JSON5 with a remark; no process of its outlives the tests."""
    host = Host(find_host(os.environ), tmp_path_factory.mktemp("host"), model_address=NOBODY, registry_address=NOBODY)
    host.config["plugins"] = {"allow": ["openai"], "load": {"paths": ["${HOME}"]}}
    host.write()
    file = host.folder / "openclaw.json"
    file.write_text("// mine\n" + file.read_text().rstrip().removesuffix("}").rstrip() + ",\n}\n")
    yield host
    assert host.left() == []


def config(host: Host) -> Path:
    """Return where its configuration is."""
    return host.folder / "openclaw.json"


def ours(host: Host, *words: str) -> Outcome:
    """Run an `ntm-memory` command in the host's environment."""
    return run_process(*words, environment=host.environment)


def findings(host: Host) -> dict[str, Any]:
    """Return what doctor finds, by subject."""
    told = ours(host, "--json", "doctor", "--host").envelope
    return {row["subject"]: row["ok"] for row in told["findings"]}


def test_set_up_checked_repeated_and_undone(installed: Host) -> None:
    """Valid for the host, loaded by it, sound for doctor; the second time writes nothing; undone byte for byte."""
    before = config(installed).read_bytes()
    assert ours(installed, "setup", "--dry-run").status == 0
    assert config(installed).read_bytes() == before
    done = ours(installed, "setup", "--yes")
    assert (done.status, done.err) == (0, "")
    plugins = json.loads(config(installed).read_text())["plugins"]
    assert plugins["load"]["paths"] == ["${HOME}", str(PLUGIN_FOLDER)]
    assert json.loads(installed.openclaw("config", "validate", "--json").out)["valid"]
    inspected = json.loads(installed.openclaw("plugins", "inspect", "ntm-memory", "--json").out)["plugin"]
    assert (inspected["status"], inspected["memorySlotSelected"]) == ("loaded", True)
    assert [subject for subject, ok in findings(installed).items() if not ok] == []
    written = config(installed).read_bytes(), config(installed).stat().st_mtime_ns
    assert ours(installed, "--json", "setup", "--yes").envelope["done"] is False
    assert (config(installed).read_bytes(), config(installed).stat().st_mtime_ns) == written
    assert ours(installed, "setup", "--undo", "--yes").status == 0
    assert config(installed).read_bytes() == before
    assert installed.openclaw("config", "validate").status == 0
    assert config(installed).read_bytes() == before


def test_what_the_owner_changed_meanwhile_survives_the_undoing(installed: Host) -> None:
    """By the host's own command; though more than half of what is there goes."""
    before = config(installed).read_bytes()
    config(installed).write_text("{}")
    assert ours(installed, "setup", "--yes", "--data-folder", "data", "--disable-memory-core").status == 0
    assert installed.openclaw("config", "set", "update.checkOnStart", "false", "--strict-json").status == 0
    undone = ours(installed, "--json", "setup", "--undo", "--yes")
    assert (undone.status, undone.envelope["done"]) == (0, True)
    left = json.loads(config(installed).read_text())
    assert left["update"] == {"checkOnStart": False}
    assert "ntm-memory" not in config(installed).read_text()
    assert [each.name for each in installed.folder.glob("openclaw.json.rejected*")] == []
    config(installed).write_bytes(before)


def test_a_change_that_the_host_refuses_leaves_everything_as_it_was(installed: Host) -> None:
    """As where its configuration is managed by somebody else."""
    before = config(installed).read_bytes()
    readonly = {**installed.environment, "OPENCLAW_CONFIG_READONLY": "1"}
    outcome = run_process("--json", "setup", "--yes", environment=readonly)
    assert (outcome.status, outcome.code) == (1, "host_refused")
    assert config(installed).read_bytes() == before
    assert not config(installed).with_name("ntm-memory-setup.json").exists()


def test_a_configuration_in_an_included_file_is_changed_there_and_put_back(installed: Host) -> None:
    """The main file is then not touched at all."""
    before = config(installed).read_bytes()
    config(installed).write_text('{"gateway": {"mode": "local"}, "plugins": {"$include": "./plugins.json5"}}')
    part = installed.folder / "plugins.json5"
    part.write_text('{"allow": ["openai"]}')
    main = config(installed).read_bytes()
    assert ours(installed, "setup", "--yes").status == 0
    assert json.loads(part.read_text())["slots"] == {"memory": "ntm-memory"}
    assert ours(installed, "setup", "--undo", "--yes").status == 0
    assert json.loads(part.read_text()) == {"allow": ["openai"], "entries": {}}
    assert config(installed).read_bytes() == main
    config(installed).write_bytes(before)
