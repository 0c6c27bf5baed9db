"""`serve --mcp stdio --agents`: each agent's own configuration, one model for all of them, and an orderly end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.server.lowlevel import Server

from ntm_memory_skill import HashedEncoder
from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.encoder import Encoder, EncoderSettings
from ntm_memory_skill.hosts import compose
from ntm_memory_skill.hosts.mcp import stdio
from ntm_memory_skill.hosts.mcp.memories import Memories
from ntm_memory_skill.hosts.openclaw.contract import TURN_BEGINS, TURN_ENDS
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import written
from tests.hosts.mcp_clients import JSON, Agent, talk_to
from tests.hosts.servers import StdioServer

FACT = "Anna hides the spare key in a blue teapot"


class Served:
    """What `serve --agents` would serve, and the encoders that were loaded for it."""

    def __init__(self) -> None:
        self.server: Server[dict[str, object]]
        self.memories: Memories
        self.loaded: list[EncoderSettings] = []

    def load(self, settings: EncoderSettings) -> Encoder:
        """Load one without a model."""
        self.loaded.append(settings)
        return HashedEncoder(64 if settings.dimension is None else settings.dimension)

    def take(self, server: Server[dict[str, object]], memories: Memories) -> None:
        """Stand in for the serving itself."""
        self.server, self.memories = server, memories


@pytest.fixture
def served(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that was put together, but is not run."""
    taken = Served()
    monkeypatch.setattr(compose, "load_encoder", taken.load)
    monkeypatch.setattr(stdio, "_serve", taken.take)
    stdio.serve_agents()
    yield taken
    taken.memories.close()


def configure(agent: Agent, **entry: Any) -> None:
    """Write the clawhub.json of an agent's workspace."""
    written(agent.workspace, "clawhub.json", json.dumps({"plugins": {PLUGIN: entry}}))


class TestConfiguration:
    """Each agent has its workspace's."""

    def test_agents_of_the_same_settings_share_one_encoder(self, served: Served, tmp_path: Path) -> None:
        """The one that is being loaded from the start; whoever wants another gets one of its own."""
        anna, bert, cleo = (Agent(tmp_path / name) for name in ("anna", "bert", "cleo"))
        configure(bert, config={"ntm_memory": {"recall_budget": 900}})
        configure(cleo, config={"ntm_memory": {"memory_dim": 32}})

        async def converse(client: Client) -> None:
            for agent in (anna, bert, cleo):
                assert (await agent.call(client, "memorize", content=FACT))["ok"]

        talk_to(served.server, converse)
        assert sorted(str(settings.dimension) for settings in served.loaded) == ["32", "None"]
        assert served.memories.of(bert.meta).get().settings.recall_budget == 900

    def test_an_agent_whose_skill_is_switched_off_has_no_memory(self, served: Served, tmp_path: Path) -> None:
        """Neither by tools nor by turns, and nothing is written for it; the others have theirs."""
        anna, bert = Agent(tmp_path / "anna"), Agent(tmp_path / "bert")
        configure(anna, enabled=False)

        async def converse(client: Client) -> None:
            refused = [
                await anna.call(client, "memorize", content=FACT),
                await anna.turn(client, TURN_BEGINS, message=FACT),
                await anna.turn(client, TURN_ENDS, message="I like tea."),
            ]
            assert [answer["error"]["code"] for answer in refused] == ["invalid_config"] * 3
            assert [answer for answer in refused if str(tmp_path) in json.dumps(answer)] == []
            assert (await bert.call(client, "memorize", content=FACT))["ok"]

        talk_to(served.server, converse)
        assert not anna.file.parent.exists()
        assert bert.file.parent.exists()

    def test_an_agent_that_is_switched_on_again_has_its_memory_at_once(self, served: Served, tmp_path: Path) -> None:
        """The server need not be started anew."""
        anna = Agent(tmp_path / "anna")

        async def converse(client: Client) -> None:
            configure(anna, enabled=False)
            assert not (await anna.call(client, "memorize", content=FACT))["ok"]
            configure(anna, enabled=True)
            assert (await anna.call(client, "memorize", content=FACT))["ok"]

        talk_to(served.server, converse)

    def test_mistakes_in_one_workspace_are_that_agent_s_alone(self, served: Served, tmp_path: Path) -> None:
        """The server goes on."""
        anna, bert = Agent(tmp_path / "anna"), Agent(tmp_path / "bert")
        configure(anna, config={"no such": "setting"})

        async def converse(client: Client) -> list[JSON]:
            return [await agent.call(client, "memorize", content=FACT) for agent in (anna, bert)]

        wrong, right = talk_to(served.server, converse)
        assert wrong["error"]["code"] == "invalid_config"
        assert str(tmp_path) not in json.dumps(wrong)
        assert right["ok"]


@pytest.mark.model
class TestProcess:
    """The server as the plugin starts it."""

    @pytest.fixture
    def server(self, here: Path) -> Iterator[StdioServer]:
        """A server, started in a folder of its own, that has been greeted."""
        started = StdioServer(here, "serve", "--mcp", "stdio", "--agents")
        started.initialize()
        yield started
        started.kill()

    @staticmethod
    def call(server: StdioServer, agent: Agent, tool: str, **arguments: Any) -> JSON:
        """Call a tool and return its result as a whole."""
        return server.ask("tools/call", name=tool, arguments=arguments, _meta=agent.meta)

    def test_two_agents_talk_to_one_process_and_have_a_memory_each(
        self, server: StdioServer, tmp_path: Path, here: Path
    ) -> None:
        """By tools and by turns; at the end both memories are folded and closed, and nothing else was written."""
        anna, bert = Agent(tmp_path / "anna"), Agent(tmp_path / "bert")
        answers = [
            self.call(server, anna, "memorize", content=FACT),
            self.call(server, bert, "search", query=FACT),
            server.ask(TURN_ENDS, message="I like black tea.", session="main", _meta=bert.meta),
            server.ask(TURN_BEGINS, message="where is the key?", session="main", _meta=anna.meta),
            server.ask(TURN_BEGINS, message="where is the key?", session="main", _meta=bert.meta),
        ]
        assert answers[0]["structuredContent"]["ok"]
        assert answers[1]["structuredContent"]["hits"] == []
        assert len(answers[2]["memorized"]) == 1
        assert FACT in answers[3]["context"]
        assert FACT not in answers[4]["context"]
        assert str(tmp_path) not in json.dumps(answers)
        assert server.hang_up() == (0, b"", b"")
        assert FACT in anna.file.read_text(encoding="utf-8")
        assert "black tea" in bert.file.read_text(encoding="utf-8")
        assert list(here.iterdir()) == []

    def test_a_request_of_nobody_is_told_to_the_log_alone(self, server: StdioServer, tmp_path: Path) -> None:
        """And a server that is loading its model ends with its input like any other."""
        assert len(server.ask("tools/list")["tools"]) == 5
        place = dict.fromkeys(Agent(tmp_path).meta, f"{tmp_path}/../secret.json")
        result = server.ask("tools/call", name="search", arguments={"query": "x"}, _meta=place)
        assert result["isError"] is True
        assert result["structuredContent"]["error"]["code"] == "unknown_agent"
        assert "secret" not in json.dumps(result)
        assert server.ask(TURN_BEGINS, message="x")["error"]["code"] == "unknown_agent"
        status, out, err = server.hang_up()
        assert (status, out) == (0, b"")
        assert b"unknown_agent" in err
        assert b"secret" in err


class TestCommand:
    """How it is asked for."""

    def test_several_agents_are_served_over_stdio_alone(self, cli: CommandLine) -> None:
        """A network's client could name any file."""
        outcome = cli("--json", "serve", "--mcp", "http", "--agents")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")

    def test_its_help_names_every_option(self, cli: CommandLine) -> None:
        """And each value that --mcp takes."""
        outcome = cli("serve", "--help")
        assert outcome.status == 0
        for word in ("--mcp", "stdio", "http", "--port", "--agents", "8765"):
            assert word in outcome.out
