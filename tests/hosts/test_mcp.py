"""The MCP server: what it offers, what it answers, what it keeps to itself, and how it ends."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import anyio
import mcp_types as types
import pytest
from mcp import Client, MCPError

from ntm_memory_skill import NTMMemoryManager, __version__
from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.hosts.mcp import LazyMemory
from ntm_memory_skill.tools import TOOLS
from tests.hosts.mcp_clients import Opener, structured, talk

WARM_UP = "ntm-memory warm-up"
"""The name of the thread that opens the memory in the background."""
PRIVATE = "/srv/someone/secret.json"


class TestOffer:
    """What a client is told."""

    @pytest.fixture
    def listed(self, lazy: LazyMemory) -> list[types.Tool]:
        """The answer to tools/list."""

        async def ask(client: Client) -> list[types.Tool]:
            return (await client.list_tools()).tools

        return talk(lazy, ask)

    def test_exactly_the_five_tools_are_listed(self, listed: list[types.Tool]) -> None:
        """In their order."""
        assert [tool.name for tool in listed] == ["memorize", "recall", "search", "update", "erase"]

    def test_schemas_and_descriptions_are_those_of_the_tools(self, listed: list[types.Tool]) -> None:
        """Word for word."""
        for tool in listed:
            spec = TOOLS[tool.name]
            assert (tool.input_schema, tool.output_schema) == (spec.input_schema, spec.output_schema)
            assert (tool.title, tool.description) == (spec.title, spec.description)

    def test_annotations_say_what_a_tool_may_change(self, listed: list[types.Tool]) -> None:
        """Reading tools are read-only, erase alone takes away, and none reaches outside."""
        assert [tool.name for tool in listed if tool.annotations and tool.annotations.read_only_hint] == [
            "recall",
            "search",
        ]
        assert [tool.name for tool in listed if tool.annotations and tool.annotations.destructive_hint] == ["erase"]
        assert [
            tool.name for tool in listed if tool.annotations and tool.annotations.open_world_hint is not False
        ] == []
        for tool in listed:
            assert tool.annotations is not None
            assert tool.annotations.idempotent_hint is TOOLS[tool.name].idempotent

    def test_nothing_but_tools_is_offered(self, lazy: LazyMemory) -> None:
        """No prompts and no resources, neither announced nor answered."""

        async def ask(client: Client) -> None:
            offered = client.server_capabilities.model_dump(exclude_none=True)
            assert set(offered) == {"tools"}
            for unknown in (client.list_prompts, client.list_resources, client.list_resource_templates):
                with pytest.raises(MCPError) as refusal:
                    await unknown()
                assert refusal.value.error.code == types.METHOD_NOT_FOUND

        talk(lazy, ask)

    def test_the_server_introduces_itself(self, lazy: LazyMemory) -> None:
        """With its version, and a word on when to call the tools."""

        async def ask(client: Client) -> str:
            assert client.server_info is not None
            assert (client.server_info.name, client.server_info.version) == ("ntm-memory", __version__)
            return str(client.instructions)

        instructions = talk(lazy, ask)
        assert [tool for tool in ("recall", "memorize", "update", "erase") if tool not in instructions] == []


class TestWaiting:
    """Listing needs no memory; it has one opened meanwhile."""

    def test_the_list_is_answered_while_the_memory_is_being_opened(self, opener: Opener, lazy: LazyMemory) -> None:
        """And a second listing has nobody open a second one."""
        opener.allowed.clear()

        async def ask(client: Client) -> None:
            try:
                for _ in range(2):
                    assert len((await client.list_tools()).tools) == 5
                assert opener.called.wait(timeout=60)
                assert [thread.name for thread in threading.enumerate()].count(WARM_UP) == 1
            finally:
                opener.allowed.set()
            assert structured(await client.call_tool("memorize", {"content": "x"}))["ok"]

        talk(lazy, ask)
        assert opener.calls == 1

    def test_a_memory_that_nobody_needs_is_not_opened(self, opener: Opener, lazy: LazyMemory) -> None:
        """A client that connects and leaves."""

        async def leave(client: Client) -> None:
            assert client.server_info is not None

        talk(lazy, leave)
        lazy.close()
        assert opener.calls == 0

    def test_a_failed_warm_up_is_met_again_by_the_first_call_that_fails_too(self, path: Path) -> None:
        """It is not remembered: the call after it works."""
        opener = Opener(path, StoreDamaged("x"), StoreDamaged("x"))
        memory = LazyMemory(opener)
        memory.warm_up_in_background()
        for thread in threading.enumerate():
            if thread.name == WARM_UP:
                thread.join()
        with pytest.raises(StoreDamaged):
            memory.get()
        assert len(memory.get()) == 0
        memory.close()
        assert opener.calls == 3

    def test_many_threads_open_one_memory(self, opener: Opener, lazy: LazyMemory) -> None:
        """Whoever comes first opens it, the others get the same."""
        got: list[NTMMemoryManager] = []
        opener.allowed.clear()
        threads = [threading.Thread(target=lambda: got.append(lazy.get())) for _ in range(8)]
        for thread in threads:
            thread.start()
        opener.allowed.set()
        for thread in threads:
            thread.join()
        assert len(got) == 8
        assert all(memory is got[0] for memory in got)
        assert opener.calls == 1


class TestCalls:
    """What a call is answered with."""

    def test_a_refused_argument_is_an_ordinary_result(self, lazy: LazyMemory) -> None:
        """For the model to read and do better; no arguments count as none given."""

        async def ask(client: Client) -> list[types.CallToolResult]:
            return [await client.call_tool("search"), await client.call_tool("memorize", {"content": ""})]

        for result in talk(lazy, ask):
            assert not result.is_error
            assert structured(result)["ok"] is False

    def test_a_host_error_tells_the_log_and_not_the_model(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """Paths are nobody's business but the owner's; the next call tries again."""
        memory = LazyMemory(Opener(path, StoreDamaged(f"{PRIVATE} is damaged")))

        async def ask(client: Client) -> list[types.CallToolResult]:
            return [await client.call_tool("memorize", {"content": "x"}) for _ in range(2)]

        with caplog.at_level(logging.ERROR):
            failed, done = talk(memory, ask)
        memory.close()
        assert failed.is_error
        error = structured(failed)["error"]
        assert isinstance(error, dict)
        assert (error["code"], error["hint"]) == ("store_damaged", StoreDamaged.default_hint)
        assert PRIVATE not in failed.model_dump_json()
        assert PRIVATE in caplog.text
        assert (done.is_error, structured(done)["ok"]) == (False, True)

    def test_an_unforeseen_error_tells_the_model_no_more(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """It is an error like any other, and the server lives on."""
        memory = LazyMemory(Opener(path, RuntimeError(PRIVATE)))

        async def ask(client: Client) -> list[types.CallToolResult]:
            return [await client.call_tool("memorize", {"content": "x"}) for _ in range(2)]

        with caplog.at_level(logging.ERROR):
            failed, done = talk(memory, ask)
        memory.close()
        assert failed.is_error
        assert structured(failed)["ok"] is False
        assert PRIVATE not in failed.model_dump_json()
        assert PRIVATE in caplog.text
        assert structured(done)["ok"] is True

    def test_calls_at_the_same_time_are_all_done(self, opener: Opener, lazy: LazyMemory) -> None:
        """Writing and searching in one session: each is answered with its own result."""
        texts = [f"note number {number}" for number in range(12)]
        answers: dict[str, dict[str, object]] = {}

        async def ask(client: Client) -> None:
            async def store(text: str) -> None:
                answers[text] = structured(await client.call_tool("memorize", {"content": text, "key": text}))

            async def search() -> None:
                assert structured(await client.call_tool("search", {"query": "note"}))["ok"]

            async with anyio.create_task_group() as tasks:
                for text in texts:
                    tasks.start_soon(store, text)
                    tasks.start_soon(search)

        talk(lazy, ask)
        assert opener.calls == 1
        records = lazy.get().state.records
        assert {records[str(answers[text]["id"])].content for text in texts} == set(texts)
        assert len({record.slot for record in records.values()}) == len(texts)
