"""A user's way from ClawHub to an agent that remembers, on the real host: one test, step after step.

Published, installed into a workspace, its Python part installed from the skill's folder into a fresh environment, set
up with one command, and then used: by calls, in turns, after a restart, by two agents.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ntm_memory_skill.hosts.manifest import SKILL
from ntm_memory_skill.hosts.turns.block import CLOSING, OPENING
from tests.hosts.openclaw.gateway import Gateway
from tests.hosts.openclaw.host import Host
from tests.hosts.openclaw.model import ScriptedModel
from tests.hosts.openclaw.processes import until
from tests.hosts.openclaw.registry import Registry
from tests.test_project import ROOT, published

PATIENT = 60.0  # seconds that a capture may take: it runs after the turn has been answered


@pytest.fixture(scope="class")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment's Python."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin" / "python"


@pytest.mark.model
class TestJourney:
    """All of it."""

    def test_from_clawhub_to_an_agent_that_remembers(
        self, host: Host, registry: Registry, scripted: ScriptedModel, environment: Path
    ) -> None:
        """Each step rests on the one before."""
        skill = _install_from_clawhub(host, registry)
        _install_python_part(skill, environment)
        _set_up(host, environment)
        with Gateway(host) as gateway:
            _call_all_five_tools(gateway)
            _memorize_in_one_chat_and_recall_in_another(gateway)
            _recall_unasked(gateway, scripted)
            _capture_unasked(gateway)
            _keep_two_agents_apart(gateway, scripted)
            assert gateway.stop() == 0
        assert host.left() == []
        with Gateway(host) as gateway:
            assert "4471" in str(gateway.invoke("search", {"query": "door code of the dentist"}).details["hits"][0])
            assert "Lisbon" in gateway.chat("recall: where do I live?")
            assert gateway.stop() == 0
        assert host.left() == []


def _install_from_clawhub(host: Host, registry: Registry) -> Path:
    """Publish this checkout, install it into the main agent's workspace, and return the skill's folder."""
    assert host.clawhub("login", "--token", "any", "--no-browser").status == 0
    publish = ("skill", "publish", ROOT, "--slug", SKILL, "--json")
    tried = host.clawhub(*publish, "--dry-run")
    assert json.loads(tried.out)["fileCount"] == len(published()), tried
    assert registry.latest(SKILL) is None
    done = host.clawhub(*publish)
    assert done.status == 0, done
    latest = registry.latest(SKILL)
    assert latest is not None
    assert set(latest.files) == set(published())
    done = host.clawhub("--workdir", host.workspace(), "install", SKILL)
    assert done.status == 0, done
    return host.workspace() / "skills" / SKILL


def _install_python_part(skill: Path, python: Path) -> None:
    """Run the set-up command of SKILL.md."""
    command = [str(python), "-m", "pip", "install", "-q", "-c", "constraints.txt", "-e", "."]
    done = subprocess.run(command, cwd=skill, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _set_up(host: Host, python: Path) -> None:
    """Run `ntm-memory setup` as it is installed there; the host finds nothing wrong with what it has written."""
    command = [str(python.with_name("ntm-memory")), "setup", "--yes", "--auto-capture"]
    environment = {**os.environ, **host.environment}
    done = subprocess.run(command, cwd=host.workspace(), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    validated = host.openclaw("config", "validate")
    assert (validated.status, validated.err) == (0, ""), validated


def _call_all_five_tools(gateway: Gateway) -> None:
    memorized = gateway.invoke("memorize", {"content": "The dentist's door code is 4417"}).details
    ident = memorized["id"]
    assert gateway.invoke("update", {"id": ident, "content": "The dentist's door code is 4471"}).details["version"] == 2
    assert gateway.invoke("search", {"query": "door code"}).details["hits"][0]["id"] == ident
    passing = gateway.invoke("memorize", {"content": "A passing remark"}).details["id"]
    assert gateway.invoke("erase", {"id": passing, "purge": True}).details["receipt"]["action"] == "purged"
    found = gateway.invoke("recall", {"query": "door code"}).details["memories"]
    assert [memory["content"] for memory in found] == ["The dentist's door code is 4471"]


def _memorize_in_one_chat_and_recall_in_another(gateway: Gateway) -> None:
    assert '"ok":true' in gateway.chat("memorize: the plumber comes on Thursday at nine", session="first")
    assert "Thursday at nine" in gateway.chat("recall: when does the plumber come?", session="second")


def _recall_unasked(gateway: Gateway, scripted: ScriptedModel) -> None:
    scripted.prompts.clear()
    gateway.chat("what do I need at the dentist's door?", session="third")
    (prompt,) = scripted.prompts
    block = prompt.user[prompt.user.index(OPENING) : prompt.user.index(CLOSING)]
    assert "4471" in block
    assert {"memorize", "recall", "search", "update", "erase"} <= set(prompt.tools)
    assert "## Long-term memory" in prompt.system


def _capture_unasked(gateway: Gateway) -> None:
    gateway.chat("I live in Lisbon now. What is the weather like?", session="fourth")

    def captured() -> bool:
        hits = gateway.invoke("search", {"query": "Lisbon", "filters": {"tags": ["auto-capture"]}}).details["hits"]
        return [hit["content"] for hit in hits] == ["I live in Lisbon now."]

    assert until(captured, PATIENT)


def _keep_two_agents_apart(gateway: Gateway, scripted: ScriptedModel) -> None:
    assert gateway.invoke("search", {"query": "door code"}, agent="other").details["hits"] == []
    gateway.chat("memorize: the attic is locked", agent="other")
    scripted.prompts.clear()
    gateway.chat("what is the dentist's door code?", agent="other")
    assert "4471" not in str(scripted.prompts)
    assert "attic" not in str(gateway.invoke("search", {"query": "attic", "top_k": 50}).details["hits"])
