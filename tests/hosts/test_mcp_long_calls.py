"""A call that takes long: its client hears that it is worked on, may give it up, and loses nothing by that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
import mcp_types as types
import pytest
from mcp import Client

from ntm_memory_skill import NTMMemoryManager, Settings
from ntm_memory_skill.hosts.mcp import LazyMemory, build_server, server
from tests.engine.support import LoadingEncoder
from tests.hosts.mcp_clients import JSON, PATIENT, Opener, structured, talk

Result = TypeVar("Result")
NOTE = {"content": "Olga paints icebergs"}


async def happened(event: Callable[[float], bool]) -> None:
    """Wait until another thread has set an event, whose `wait` this is."""
    assert await anyio.to_thread.run_sync(event, PATIENT)


class TestSignsOfLife:
    """Progress, every now and then."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every hundredth of a second."""
        monkeypatch.setattr(server, "PATIENCE", 0.01)

    @pytest.mark.parametrize("tool", ["memorize", "search"])
    def test_a_client_that_asked_hears_that_its_call_is_worked_on(
        self, opener: Opener, lazy: LazyMemory, tool: str
    ) -> None:
        """As long as it takes: ever more, with a word on what."""
        heard: list[tuple[float, str | None]] = []
        opener.allowed.clear()

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            assert total is None
            heard.append((progress, message))
            if len(heard) == 3:
                opener.allowed.set()

        async def ask(client: Client) -> None:
            arguments = NOTE if tool == "memorize" else {"query": "icebergs"}
            assert structured(await client.call_tool(tool, arguments, progress_callback=hear))["ok"]

        talk(lazy, ask)
        assert len(heard) >= 3
        assert [progress for progress, _ in heard] == sorted({progress for progress, _ in heard})
        assert all(message is not None and tool in message for _, message in heard)

    def test_a_client_that_did_not_ask_hears_nothing(self, opener: Opener, lazy: LazyMemory) -> None:
        """While another call, whose progress was asked for, is told of."""
        notified: list[object] = []
        heard: list[float] = []
        opener.allowed.clear()

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            heard.append(progress)
            if len(heard) == 3:
                opener.allowed.set()

        async def note(message: object) -> None:
            notified.append(message)

        async def connected() -> None:
            with anyio.fail_after(PATIENT):
                async with (
                    Client(build_server(lazy), mode="legacy", message_handler=note) as client,
                    anyio.create_task_group() as tasks,
                ):
                    tasks.start_soon(client.call_tool, "memorize", {"content": "nobody asks about this"})
                    await happened(opener.called.wait)
                    await client.call_tool("memorize", NOTE, progress_callback=hear)

        anyio.run(connected)
        told = [each.params for each in notified if isinstance(each, types.ProgressNotification)]
        assert len(told) >= 3
        assert len({params.progress_token for params in told}) == 1
        assert len(notified) == len(told)

    def test_a_short_call_is_answered_without_any(self, lazy: LazyMemory, monkeypatch: pytest.MonkeyPatch) -> None:
        """By the interval that holds outside of tests."""
        monkeypatch.setattr(server, "PATIENCE", PATIENT)
        heard: list[float] = []

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            heard.append(progress)

        async def ask(client: Client) -> None:
            assert structured(await client.call_tool("memorize", NOTE, progress_callback=hear))["ok"]

        talk(lazy, ask)
        assert heard == []


class TestGivenUp:
    """A call that its client cancels while it waits for the model."""

    @pytest.fixture
    def encoder(self) -> Iterator[LoadingEncoder]:
        """A model that loads for as long as the test wants."""
        loading = LoadingEncoder()
        yield loading
        loading.allowed.set()

    @pytest.fixture
    def memory(self, path: Path, encoder: LoadingEncoder) -> Iterator[LazyMemory]:
        """A memory that waits for it when it writes."""
        settings = Settings(answer_while_loading=True)
        with closing(LazyMemory(lambda: NTMMemoryManager.open(path, encoder=encoder, settings=settings))) as lazy:
            yield lazy
            encoder.allowed.set()

    @pytest.fixture
    def let_go(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The calls that the server no longer waits for, in the order in which it let them go."""
        gone: list[str] = []
        whole = server.in_thread

        async def noted(context: server.Context, work: Callable[[], Result], what: str) -> Result:
            try:
                return await whole(context, work, what)
            finally:
                gone.append(what)

        monkeypatch.setattr(server, "in_thread", noted)
        return gone

    def test_it_is_let_go_at_once_and_its_write_is_finished(
        self, memory: LazyMemory, encoder: LoadingEncoder, let_go: list[str]
    ) -> None:
        """The server answers others meanwhile, and later finds what was written: whole, and once."""

        async def ask(client: Client) -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "memorize", NOTE)
                await happened(encoder.asked.wait)
                tasks.cancel_scope.cancel()
            assert len((await client.list_tools()).tools) == 5
            assert structured(await client.call_tool("search", {"query": "icebergs"}))["hits"] == []
            assert let_go == ["memorize", "search"]
            encoder.allowed.set()
            hits: list[JSON] = []
            while not hits:  # within the time that the conversation has
                hits = structured(await client.call_tool("search", {"query": "icebergs"}))["hits"]
            assert [hit["content"] for hit in hits] == [NOTE["content"]]

        talk(memory, ask)

    def test_a_client_may_leave_it_behind(self, memory: LazyMemory, encoder: LoadingEncoder) -> None:
        """The connection ends at once; the next one finds what was written."""

        async def leave(client: Client) -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "memorize", NOTE)
                await happened(encoder.asked.wait)
                tasks.cancel_scope.cancel()

        async def come_back(client: Client) -> None:
            while not structured(await client.call_tool("search", {"query": "icebergs"}))["hits"]:
                pass

        talk(memory, leave)
        assert not encoder.ready
        encoder.allowed.set()
        talk(memory, come_back)
