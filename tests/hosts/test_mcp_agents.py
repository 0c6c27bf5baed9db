"""One server for several agents: the host says whose memory a request is for, and no agent reaches another's."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS, METHOD_NOT_FOUND

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.errors import StoreClosed, StoreDamaged
from ntm_memory_skill.hosts.mcp import AgentMemories, LazyMemory
from ntm_memory_skill.hosts.mcp.agents import build_agent_server
from ntm_memory_skill.hosts.mcp.memories import Place
from ntm_memory_skill.hosts.openclaw.contract import (
    HIGHEST_RECALL_BUDGET,
    LOWEST_RECALL_BUDGET,
    META_FILE,
    META_WORKSPACE,
    TURN_BEGINS,
    TURN_ENDS,
)
from tests.hosts.mcp_clients import JSON, PATIENT, Agent, called, requested, structured, talk, talk_to

KEPT = "Anna hides the spare key in a blue teapot"
PRIVATE = "/srv/someone/secret.json"
VERBS: list[tuple[str, JSON]] = [
    ("memorize", {"content": "x"}),
    ("recall", {"query": "x"}),
    ("search", {"query": "x"}),
    ("update", {"id": "m0", "content": "x"}),
    ("erase", {"id": "m0"}),
]
TURNS: list[tuple[str, JSON]] = [(TURN_BEGINS, {"message": "spare key"}), (TURN_ENDS, {"message": "I like tea."})]


class Openings:
    """Opens memories without a model, and notes which."""

    def __init__(self) -> None:
        self.opened: list[Place] = []
        self.warmed = threading.Event()

    def __call__(self, place: Place) -> NTMMemoryManager:
        """Open one."""
        self.opened.append(place)
        return NTMMemoryManager.open(place.file, encoder=HashedEncoder())


@pytest.fixture
def agents(tmp_path: Path) -> tuple[Agent, Agent]:
    """Two agents of one host."""
    return Agent(tmp_path / "anna"), Agent(tmp_path / "bert")


@pytest.fixture
def openings() -> Openings:
    """What was opened."""
    return Openings()


@pytest.fixture
def memories(openings: Openings) -> Iterator[AgentMemories]:
    """The memories of all agents."""
    with closing(AgentMemories(openings, openings.warmed.set)) as served:
        yield served


class TestApart:
    """What one agent memorized is nobody else's."""

    def test_no_tool_reaches_another_agent_s_memory(self, memories: AgentMemories, agents: tuple[Agent, Agent]) -> None:
        """Neither by words, nor by id; both go on with their own."""
        anna, bert = agents

        async def converse(client: Client) -> None:
            ident = (await anna.call(client, "memorize", content=KEPT, key="key"))["id"]
            assert (await bert.call(client, "memorize", content=KEPT))["duplicates"] == []
            own = (await bert.call(client, "search", query=KEPT))["hits"]
            assert [hit["id"] for hit in own] != [ident]
            assert (await bert.call(client, "erase", id=own[0]["id"], purge=True))["ok"]
            assert (await bert.call(client, "search", query=KEPT))["hits"] == []
            assert (await bert.call(client, "recall", query=KEPT))["memories"] == []
            assert (await bert.call(client, "recall", key="key"))["memories"] == []
            for tool, arguments in (("update", {"id": ident, "content": "x"}), ("erase", {"id": ident})):
                assert (await bert.call(client, tool, **arguments))["error"]["code"] == "unknown_memory"
            assert (await bert.call(client, "erase", query=KEPT))["receipt"]["count"] == 0
            (hit,) = (await anna.call(client, "search", query="teapot"))["hits"]
            assert (hit["id"], hit["content"]) == (ident, KEPT)

        talk_to(build_agent_server(memories), converse)

    def test_no_turn_reaches_another_agent_s_memory(self, memories: AgentMemories, agents: tuple[Agent, Agent]) -> None:
        """Though both speak in a chat of the same name."""
        anna, bert = agents

        async def converse(client: Client) -> None:
            kept = await anna.turn(client, TURN_ENDS, message="I like black tea.", session="main")
            assert len(kept["memorized"]) == 1
            assert await bert.turn(client, TURN_BEGINS, message="black tea", session="main") == {"context": None}
            block = (await anna.turn(client, TURN_BEGINS, message="black tea", session="main"))["context"]
            assert "I like black tea." in block
            assert (await anna.turn(client, TURN_ENDS, message="I like black tea", session="main"))["memorized"] == []
            assert len((await bert.turn(client, TURN_ENDS, message="I like black tea"))["memorized"]) == 1

        talk_to(build_agent_server(memories), converse)

    def test_a_memory_is_opened_when_its_agent_first_needs_it_and_once(
        self, memories: AgentMemories, openings: Openings, agents: tuple[Agent, Agent]
    ) -> None:
        """Turns and tools have the same one; the host's file may be written in another way."""
        anna, _ = agents
        same = {META_FILE: f"{anna.file.parent}/./{anna.file.name}", META_WORKSPACE: f"{anna.workspace}/"}

        async def converse(client: Client) -> None:
            await client.list_tools()
            assert openings.opened == []
            await anna.call(client, "memorize", content="I like black tea")
            assert (await anna.turn(client, TURN_BEGINS, message="tea"))["context"] is not None
            assert structured(await called(client, "search", {"query": "tea"}, same))["hits"]

        talk_to(build_agent_server(memories), converse)
        assert openings.opened == [Place(anna.file, anna.workspace)]
        assert openings.warmed.wait(PATIENT)

    def test_many_threads_that_ask_for_one_agent_get_one_memory(
        self, memories: AgentMemories, openings: Openings, agents: tuple[Agent, Agent]
    ) -> None:
        """And those of another agent get another."""
        got: list[tuple[Agent, NTMMemoryManager]] = []
        ready = threading.Barrier(8, timeout=PATIENT)

        def ask(agent: Agent) -> None:
            ready.wait()
            got.append((agent, memories.of(agent.meta).get()))

        threads = [threading.Thread(target=ask, args=(agents[number % 2],)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENT)
        assert len(got) == 8
        assert len({id(memory) for agent, memory in got if agent is agents[0]}) == 1
        assert len({id(memory) for _, memory in got}) == len(openings.opened) == 2

    def test_closing_closes_all(self, memories: AgentMemories, agents: tuple[Agent, Agent]) -> None:
        """But opens none for it."""
        anna, bert = (memories.of(agent.meta) for agent in agents)
        opened = anna.get()
        memories.close()
        with pytest.raises(StoreClosed):
            opened.search("x")
        assert not agents[1].file.parent.exists()
        assert bert is memories.of(agents[1].meta)


class TestRefusal:
    """A request has to say whose memory it is for."""

    @pytest.fixture(
        params=["nothing", "no file", "no workspace", "relative file", "relative workspace", "climbing", "no text"]
    )
    def meta(self, request: pytest.FixtureRequest, tmp_path: Path) -> JSON:
        """A `_meta` that does not."""
        whole: JSON = Agent(tmp_path / "anna").meta
        changes: dict[str, JSON] = {
            "nothing": dict.fromkeys(whole),
            "no file": {META_FILE: None},
            "no workspace": {META_WORKSPACE: None},
            "relative file": {META_FILE: "anna/memory.json"},
            "relative workspace": {META_WORKSPACE: "anna"},
            "climbing": {META_FILE: f"{tmp_path}/bert/../anna/memory.json"},
            "no text": {META_FILE: [str(tmp_path)]},
        }
        return {name: value for name, value in (whole | changes[request.param]).items() if value is not None}

    @pytest.mark.parametrize(("tool", "arguments"), VERBS)
    def test_no_tool_works_without_it(
        self, memories: AgentMemories, meta: JSON, tmp_path: Path, tool: str, arguments: JSON
    ) -> None:
        """The model reads that something is wrong, and no path."""

        async def ask(client: Client) -> JSON:
            result = await called(client, tool, arguments, meta or None)
            assert result.is_error
            return structured(result)

        envelope = talk_to(build_agent_server(memories), ask)
        assert envelope["error"]["code"] == "unknown_agent"
        assert str(tmp_path) not in json.dumps(envelope)
        assert "anna" not in json.dumps(envelope)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(("method", "parameters"), TURNS)
    def test_no_turn_is_served_without_it(
        self, memories: AgentMemories, meta: JSON, tmp_path: Path, method: str, parameters: JSON
    ) -> None:
        """The answer holds the code alone, and what to do."""

        async def ask(client: Client) -> JSON:
            return await requested(client, method, {**parameters, "_meta": meta})

        answer = talk_to(build_agent_server(memories), ask)
        assert answer.keys() == {"error"}
        assert answer["error"]["code"] == "unknown_agent"
        assert "anna" not in json.dumps(answer)
        assert list(tmp_path.iterdir()) == []

    def test_the_arguments_of_a_tool_are_no_place_to_say_it(
        self, memories: AgentMemories, agents: tuple[Agent, Agent]
    ) -> None:
        """A model that names another memory in them is refused, and stays with its own."""
        anna, bert = agents

        async def converse(client: Client) -> None:
            await anna.call(client, "memorize", content=KEPT)
            for smuggled in ({"_meta": anna.meta}, anna.meta):
                answer = await bert.call(client, "search", query=KEPT, **smuggled)
                assert answer["error"]["code"] == "unknown_argument"

        talk_to(build_agent_server(memories), converse)

    @pytest.mark.parametrize("budget", [LOWEST_RECALL_BUDGET - 1, HIGHEST_RECALL_BUDGET + 1, "many"])
    def test_a_turn_out_of_bounds_is_refused_by_the_protocol(
        self, memories: AgentMemories, agents: tuple[Agent, Agent], budget: object
    ) -> None:
        """As is one without a message; the server goes on."""

        async def converse(client: Client) -> None:
            for parameters in ({"message": "x", "budget": budget}, {"session": "main"}):
                with pytest.raises(MCPError) as refusal:
                    await agents[0].turn(client, TURN_BEGINS, **parameters)
                assert refusal.value.error.code == INVALID_PARAMS
            assert await agents[0].turn(client, TURN_BEGINS, message="x") == {"context": None}

        talk_to(build_agent_server(memories), converse)


class TestOffer:
    """What the requests are good for."""

    def test_only_the_five_tools_are_listed(self, memories: AgentMemories) -> None:
        """The turns are the host's: no model hears of them, nor calls them as tools."""

        async def ask(client: Client) -> None:
            listed = (await client.list_tools()).tools
            assert [tool.name for tool in listed] == [tool for tool, _ in VERBS]
            said = json.dumps([tool.model_dump(mode="json") for tool in listed])
            assert [name for name in (TURN_BEGINS, TURN_ENDS, META_FILE, META_WORKSPACE) if name in said] == []

        talk_to(build_agent_server(memories), ask)

    @pytest.mark.parametrize(("method", "parameters"), TURNS)
    def test_a_server_of_one_memory_knows_no_turns(
        self, lazy: LazyMemory, agents: tuple[Agent, Agent], method: str, parameters: JSON
    ) -> None:
        """And takes its own memory for its tools, whatever a request says."""

        async def ask(client: Client) -> None:
            with pytest.raises(MCPError) as refusal:
                await agents[0].turn(client, method, **parameters)
            assert refusal.value.error.code == METHOD_NOT_FOUND
            assert (await agents[0].call(client, "memorize", content="x"))["ok"]

        talk(lazy, ask)
        assert len(lazy.get()) == 1
        assert not agents[0].file.parent.exists()

    def test_a_damaged_memory_stops_no_turn_and_tells_only_the_log(
        self, agents: tuple[Agent, Agent], caplog: pytest.LogCaptureFixture
    ) -> None:
        """With its code, which is all that the plugin needs."""

        def refuse(_: Place) -> NTMMemoryManager:
            raise StoreDamaged(f"{PRIVATE} is damaged")

        async def ask(client: Client) -> list[JSON]:
            return [await agents[0].turn(client, method, **parameters) for method, parameters in TURNS]

        with caplog.at_level(logging.ERROR):
            answers = talk_to(build_agent_server(AgentMemories(refuse, lambda: None)), ask)
        assert answers == [{"error": {"code": "store_damaged", "hint": StoreDamaged.default_hint}}] * 2
        assert PRIVATE in caplog.text
