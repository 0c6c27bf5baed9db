"""The memory around the turns of agents that openclaw-sdk drives, over the SDK's own mock gateway."""

from __future__ import annotations

import asyncio
import logging
import runpy
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from openclaw_sdk import (
    Agent,
    AgentExecutionError,
    CallbackHandler,
    ClientConfig,
    EventType,
    ExecutionOptions,
    ExecutionResult,
    OpenClawClient,
    OpenClawError,
    StreamEvent,
)
from openclaw_sdk.gateway.mock import MockGateway

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.hosts.sdk import Memories, MemoryCallbackHandler
from ntm_memory_skill.hosts.turns import Turns
from ntm_memory_skill.store import MemoryStore

EXAMPLE = Path(__file__).parents[2] / "examples" / "sdk_agent.py"
SAID, ASKED = "My dentist is Maria Okafor.", "Who is my dentist?"
FENCE = "<relevant-memories>"
PATIENT = 30.0  # seconds that no test waits unless it is broken

Turn = Callable[[MemoryCallbackHandler, Agent, str], Coroutine[None, None, ExecutionResult]]


def done(**payload: Any) -> StreamEvent:
    """Return the event that ends a turn."""
    return StreamEvent(event_type=EventType.DONE, data={"payload": {"content": "I see.", **payload}})


class Host(MockGateway):
    """The SDK's mock, whose agents answer every message with one event.

    Args:
        event: What they answer with.
        together: How many messages there have to be before any is answered.
    """

    def __init__(self, event: StreamEvent | None = None, together: int = 1) -> None:
        super().__init__()
        self._event, self._barrier = done() if event is None else event, asyncio.Barrier(together)
        self._connected = True
        self.register("chat.send", self._answer)

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What agents were sent, in order."""
        return [params for method, params in self.calls if method == "chat.send" and params is not None]

    @property
    def messages(self) -> list[str]:
        """The words of it."""
        return [params["message"] for params in self.sent]

    async def call(
        self, method: str, params: dict[str, Any] | None = None, *, timeout: float | None = None
    ) -> dict[str, Any]:
        """Wait for the others, then answer."""
        await self._barrier.wait()
        return await super().call(method, params, timeout=timeout)

    def _answer(self, _: dict[str, Any] | None) -> dict[str, Any]:
        self.emit_event(self._event)
        return {}


def client(host: MockGateway, *callbacks: CallbackHandler) -> OpenClawClient:
    """Return a client of a host, with callbacks of its own."""
    return OpenClawClient(config=ClientConfig(timeout=30), gateway=host, callbacks=list(callbacks))


def converse(
    handler: MemoryCallbackHandler, host: MockGateway, *said: str, agent: str = "main", session: str = "monday"
) -> list[ExecutionResult]:
    """Say one thing after the other to an agent, by way of the handler, and return what came of it."""

    async def talk() -> list[ExecutionResult]:
        speaker = client(host).get_agent(agent, session)
        return [await handler.execute(speaker, each) for each in said]

    return asyncio.run(talk())


def texts(memory: NTMMemoryManager) -> list[str]:
    """Return all that a memory holds."""
    return sorted(record.content for record in memory.state.records.values())


def another() -> NTMMemoryManager:
    """Return an empty memory that is on no disk."""
    return NTMMemoryManager(MemoryStore(), HashedEncoder())


class Unusable(NTMMemoryManager):
    """A memory that always fails, and not with an error of ours."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), HashedEncoder())

    def recall(self, *_: Any, **__: Any) -> Any:
        """Fail."""
        raise OSError("no such disk")

    search = recall


class TestExecute:
    """What takes the place of `agent.execute`."""

    def test_what_was_said_in_one_chat_stands_before_a_query_in_another(self, memory: NTMMemoryManager) -> None:
        """In a fence; the query itself follows as it was, and the agent's answer comes back."""
        handler, host = MemoryCallbackHandler({"main": memory}), Host()
        converse(handler, host, SAID)
        (result,) = converse(handler, host, ASKED, session="tuesday")
        first, second = host.messages
        assert first == SAID
        block, query = second.split("\n\n")
        assert block.startswith(FENCE)
        assert SAID in block
        assert query == ASKED
        assert (result.success, result.content) == (True, "I see.")

    def test_what_is_kept_is_the_users_and_belongs_to_the_agents_session(self, memory: NTMMemoryManager) -> None:
        """By the name that the gateway has for it."""
        converse(MemoryCallbackHandler({"main": memory}), Host(), SAID)
        (record,) = memory.state.records.values()
        assert (record.content, record.session) == (SAID, "agent:main:monday")

    def test_what_was_recalled_is_not_kept_again(self, memory: NTMMemoryManager) -> None:
        """Neither out of the block, nor when the user repeats it."""
        memory.memorize("Alice says: my sister is called Ada, and we live in Rome.")
        converse(MemoryCallbackHandler({"main": memory}), Host(), "Where do Ada and Alice live?", "We live in Rome.")
        assert len(memory) == 1

    def test_a_command_of_the_hosts_goes_as_it_is(self, memory: NTMMemoryManager) -> None:
        """Behind a block it would be none."""
        memory.memorize("new shoes")
        host = Host()
        converse(MemoryCallbackHandler({"main": memory}), host, " /new shoes")
        assert host.messages == [" /new shoes"]

    @pytest.mark.parametrize("recall", [True, False])
    @pytest.mark.parametrize("capture", [True, False])
    def test_recalling_and_keeping_are_switched_apart(
        self, memory: NTMMemoryManager, recall: bool, capture: bool
    ) -> None:
        """Each by its argument."""
        memory.memorize("The dentist has moved to Harbour Street")
        host = Host()
        converse(MemoryCallbackHandler({"main": memory}, recall=recall, capture=capture), host, SAID)
        assert host.messages[0].startswith(FENCE) is recall
        assert (SAID in texts(memory)) is capture

    def test_a_block_keeps_to_its_budget(self, memory: NTMMemoryManager) -> None:
        """In characters."""
        memory.memorize_many([{"content": f"{SAID} {number}"} for number in range(9)])
        host = Host()
        converse(MemoryCallbackHandler({"main": memory}, budget=400), host, ASKED)
        assert len(host.messages[0].removesuffix(f"\n\n{ASKED}")) <= 400

    def test_the_arguments_of_execute_arrive(self, memory: NTMMemoryManager) -> None:
        """And the callbacks of the caller's own are called, too."""

        class Counting(CallbackHandler):
            ended = 0

            async def on_execution_end(self, agent_id: str, result: ExecutionResult) -> None:
                self.ended += 1

        handler, host, counting = MemoryCallbackHandler({"main": memory}), Host(), Counting()

        async def say() -> None:
            agent = client(host).get_agent("main")
            await handler.execute(agent, SAID, ExecutionOptions(timeout_seconds=7), [counting, handler], "once")

        asyncio.run(say())
        assert [(params["timeoutMs"], params["idempotencyKey"]) for params in host.sent] == [(7000, "once")]
        assert counting.ended == 1

    def test_the_loop_goes_on_while_the_memory_works(self, memory: NTMMemoryManager) -> None:
        """A memory that is opened when it is needed is opened in a thread: here, when the loop lets it."""
        allowed = threading.Event()

        def opened(_: str) -> NTMMemoryManager:
            assert allowed.wait(PATIENT)
            return memory

        async def allow() -> None:
            allowed.set()

        async def talk() -> None:
            agent = client(Host()).get_agent("main")
            await asyncio.gather(MemoryCallbackHandler(opened).execute(agent, SAID), allow())

        asyncio.run(talk())
        assert texts(memory) == [SAID]


async def by_execute(handler: MemoryCallbackHandler, agent: Agent, query: str) -> ExecutionResult:
    """Say something by way of the handler."""
    return await handler.execute(agent, query)


async def by_execute_twice(handler: MemoryCallbackHandler, agent: Agent, query: str) -> ExecutionResult:
    """The same, by somebody who also passes it as a callback."""
    return await handler.execute(agent, query, callbacks=[handler])


async def by_callback(handler: MemoryCallbackHandler, agent: Agent, query: str) -> ExecutionResult:
    """Say something to the agent, with the handler among the callbacks of the call."""
    return await agent.execute(query, callbacks=[handler])


async def by_batch(handler: MemoryCallbackHandler, agent: Agent, query: str) -> ExecutionResult:
    """The same, as one of several."""
    (result,) = await agent.batch([query], callbacks=[handler])
    return result


async def by_conversation(handler: MemoryCallbackHandler, agent: Agent, query: str) -> ExecutionResult:
    """The same, in a conversation."""
    return await agent.conversation().say(query, callbacks=[handler])


class TestCallbacks:
    """The handler as one of the SDK's callbacks."""

    @pytest.mark.parametrize("turn", [by_callback, by_batch, by_conversation])
    def test_a_callback_keeps_and_does_not_recall(self, memory: NTMMemoryManager, turn: Turn) -> None:
        """It cannot change a query; what it keeps belongs to no chat, for it is not told of any."""
        memory.memorize("The dentist has moved to Harbour Street")
        host = Host()
        asyncio.run(turn(MemoryCallbackHandler({"main": memory}), client(host).get_agent("main"), SAID))
        assert host.messages == [SAID]
        assert [record.session for record in memory.state.records.values() if record.content == SAID] == [None]

    @pytest.mark.parametrize("turn", [by_execute, by_execute_twice, by_callback])
    def test_a_handler_that_is_the_calls_and_the_clients_keeps_once(
        self, memory: NTMMemoryManager, turn: Turn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The memory is asked once to keep something, and hears the user's words."""
        heard: list[str] = []
        monkeypatch.setattr(Turns, "end", lambda _, message, session: heard.append(message))
        handler = MemoryCallbackHandler({"main": memory})
        asyncio.run(turn(handler, client(Host(), handler).get_agent("main"), SAID))
        assert heard == [SAID]

    @pytest.mark.parametrize("method", ["execute_stream", "execute_stream_typed", "stream_events"])
    def test_a_stream_calls_no_callback(self, memory: NTMMemoryManager, method: str) -> None:
        """Not the client's either: SDK 2.1.0 has none for it, and the module's docstring says so."""
        host = Host()

        async def listen() -> int:
            agent = client(host, MemoryCallbackHandler({"main": memory})).get_agent("main")
            started = getattr(agent, method)(SAID)
            events: AsyncIterator[object] = await started if method == "execute_stream" else started
            return len([event async for event in events])

        assert asyncio.run(listen()) == 1
        assert host.messages == [SAID]
        assert texts(memory) == []


class TestSeveralAgents:
    """One handler for all agents of a program."""

    def test_an_agent_is_never_answered_from_anothers_memory(self, memory: NTMMemoryManager) -> None:
        """Nor is anything kept there."""
        other, host = another(), Host()
        handler = MemoryCallbackHandler({"main": memory, "other": other}.get)
        converse(handler, host, SAID)
        converse(handler, host, ASKED, agent="other")
        assert host.messages[1] == ASKED
        assert (texts(memory), texts(other)) == ([SAID], [])

    def test_an_agent_without_a_memory_goes_without(
        self, memory: NTMMemoryManager, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Which is no failure."""
        host = Host()
        converse(MemoryCallbackHandler({"main": memory}), host, SAID, ASKED, agent="other")
        assert host.messages == [SAID, ASKED]
        assert texts(memory) == []
        assert caplog.messages == []

    def test_turns_at_once_keep_their_own_words_in_their_own_chats(self, memory: NTMMemoryManager) -> None:
        """Four of each agent's are on their way before the first is answered, and all in children of one task."""
        memories = {"main": memory, "other": another()}
        handler = MemoryCallbackHandler(memories)
        spoken = [
            (agent, f"chat {number}", f"My number at {agent} is {number}.") for agent in memories for number in range(4)
        ]

        async def talk() -> None:
            speaker = client(Host(together=len(spoken)))
            turns = [handler.execute(speaker.get_agent(agent, chat), said) for agent, chat, said in spoken]
            await asyncio.gather(*turns)

        asyncio.run(talk())
        for agent, kept in memories.items():
            found = {(record.session, record.content) for record in kept.state.records.values()}
            assert found == {(f"agent:{agent}:{chat}", said) for who, chat, said in spoken if who == agent}

    def test_an_agent_that_another_asks_during_its_turn_keeps_its_own(self, memory: NTMMemoryManager) -> None:
        """The inner turn runs in the outer one's task."""
        other = another()
        handler, host = MemoryCallbackHandler({"main": memory, "other": other}), Host()

        class Asking(CallbackHandler):
            async def on_execution_start(self, agent_id: str, query: str) -> None:
                if agent_id == "main":
                    await handler.execute(client(host).get_agent("other", "inner"), "We live in Rome.")

        async def talk() -> None:
            await handler.execute(client(host, Asking()).get_agent("main"), SAID)

        asyncio.run(talk())
        assert (texts(memory), texts(other)) == ([SAID], ["We live in Rome."])


class TestFailures:
    """What goes wrong in a turn."""

    @pytest.mark.parametrize(
        "event",
        [done(state="aborted"), StreamEvent(event_type=EventType.ERROR, data={"payload": {"message": "overloaded"}})],
        ids=["aborted", "error"],
    )
    @pytest.mark.parametrize("turn", [by_execute, by_callback])
    def test_of_a_turn_that_failed_nothing_is_kept(
        self, memory: NTMMemoryManager, event: StreamEvent, turn: Turn
    ) -> None:
        """Nor is it, or its chat, taken for the next turn's in the same task."""
        handler = MemoryCallbackHandler({"main": memory})

        async def talk() -> None:
            with suppress(OpenClawError):
                assert not (await turn(handler, client(Host(event)).get_agent("main"), SAID)).success
            assert texts(memory) == []
            await by_callback(handler, client(Host()).get_agent("main"), "We live in Rome.")

        asyncio.run(talk())
        (record,) = memory.state.records.values()
        assert (record.content, record.session) == ("We live in Rome.", None)

    def test_what_execute_raises_is_what_the_sdk_raises(self, memory: NTMMemoryManager) -> None:
        """Here for a gateway that knows no agents."""
        host = Host()
        host.reset()
        with pytest.raises(AgentExecutionError):
            converse(MemoryCallbackHandler({"main": memory}), host, SAID)
        assert texts(memory) == []

    @pytest.mark.parametrize("kind", ["closed", "unusable", "not found"])
    def test_a_memory_that_fails_stops_no_turn_and_is_logged(
        self, memory: NTMMemoryManager, caplog: pytest.LogCaptureFixture, kind: str
    ) -> None:
        """Both times that it is asked, before the turn and after it."""

        def missing(agent_id: str) -> NTMMemoryManager:
            raise LookupError(agent_id)

        memory.close()
        memories: dict[str, Memories] = {
            "closed": {"main": memory},
            "unusable": {"main": Unusable()},
            "not found": missing,
        }
        host = Host()
        (result,) = converse(MemoryCallbackHandler(memories[kind]), host, SAID)
        assert result.success
        assert host.messages == [SAID]
        logged = [each for each in caplog.records if each.name.endswith("hosts.sdk")]
        assert [each.levelno for each in logged] == [logging.ERROR] * 2
        assert all(each.exc_info for each in logged)


def test_the_example_runs_and_recalls(
    no_model: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands, without a gateway: what was said on Monday is before the agent on Tuesday, and nothing is left."""
    monkeypatch.setattr("sys.argv", [EXAMPLE.name])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    monday, tuesday = capsys.readouterr().out.split("[tuesday] user")
    assert FENCE not in monday
    assert "My dentist is Maria Okafor in Harbour Street." in tuesday.split(FENCE)[1]
    assert list(Path.cwd().iterdir()) == []
