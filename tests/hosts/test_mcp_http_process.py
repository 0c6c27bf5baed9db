"""`serve --mcp http` as a process: who can reach it, with which token, and that it ends in order when it is told to."""

from __future__ import annotations

import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
import httpx2
import pytest
from mcp import Client

from ntm_memory_skill.config import TOKEN_VARIABLE
from tests.hosts.folders import written
from tests.hosts.mcp_clients import PATIENT, structured
from tests.hosts.servers import HttpServer
from tests.hosts.transports import http_client

pytestmark = pytest.mark.model

Result = TypeVar("Result")
NOTE = {"content": "Olga paints icebergs"}
OWN = "a-token-of-this-test"
EITHER = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def server(path: Path, here: Path) -> Iterator[HttpServer]:
    """A server over the memory at `path`, started in a folder of its own."""
    started = HttpServer(path, here)
    yield started
    started.kill()


@pytest.fixture
def token(server: HttpServer, path: Path) -> str:
    """The token that it has made."""
    return path.with_suffix(".token").read_text(encoding="utf-8").strip()


def talk(
    server: HttpServer, token: str, conversation: Callable[[Client], Awaitable[Result]], mode: str = "auto"
) -> Result:
    """Connect as an MCP client does, and return what comes of a conversation."""

    async def connected() -> Result:
        with anyio.fail_after(PATIENT):
            async with http_client(server.address, token, mode) as client:
                return await conversation(client)

    return anyio.run(connected)


def status_of(server: HttpServer, token: str) -> int:
    """Return the status of what a request with a token is answered."""
    return httpx2.get(server.address, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENT).status_code


async def memorize(client: Client) -> None:
    """Store the note."""
    assert structured(await client.call_tool("memorize", NOTE))["ok"]


class TestReach:
    """Whom the server can be reached by."""

    def test_a_client_with_the_token_has_all_five_tools(self, server: HttpServer, token: str, path: Path) -> None:
        """By today's protocol and by the one before; the token is said to lie where it lies."""

        async def converse(client: Client) -> None:
            assert len((await client.list_tools()).tools) == 5
            await memorize(client)
            (hit,) = structured(await client.call_tool("search", {"query": "icebergs", "top_k": 1}))["hits"]
            assert hit["content"] == NOTE["content"]

        for mode in ("auto", "legacy"):
            talk(server, token, converse, mode)
        assert str(path.with_suffix(".token")) in server.said
        assert token not in server.said

    def test_nobody_reaches_it_without_the_token(self, server: HttpServer, token: str) -> None:
        """A request with another or with strange bytes is refused, from the moment when the address was said."""
        assert [status_of(server, wrong) for wrong in ("wrong", token[:-1], token + "x")] == [401] * 3
        for strange in (b"Bearer \xff\xfe\x80", "Bearer schlüssel 钥匙".encode(), b"\xff"):
            assert httpx2.get(server.address, headers=[(b"Authorization", strange)]).status_code == 401
        assert status_of(server, token) not in (401, 403)
        talk(server, token, memorize)

    @pytest.mark.parametrize("elsewhere", ["127.0.0.2", "::1"])
    def test_it_listens_on_one_address_of_this_machine(self, server: HttpServer, elsewhere: str) -> None:
        """A server that listened everywhere would be found at these, too."""
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENT):
            pass
        with pytest.raises(OSError, match=r"refused|assign|unreachable|not available|not supported"):
            socket.create_connection((elsewhere, server.port), timeout=PATIENT)


class TestToken:
    """Which token counts."""

    def test_the_token_of_the_environment_beats_the_file_s(self, path: Path, here: Path) -> None:
        """Which is not made, and does not count if it is there."""
        for there_already in (False, True):
            file = path.with_suffix(".token")
            if there_already:
                written(path.parent, file.name, "of-the-file\n").chmod(0o600)
            server = HttpServer(path, here, {TOKEN_VARIABLE: OWN})
            try:
                assert TOKEN_VARIABLE in server.said
                assert OWN not in server.said
                assert status_of(server, "of-the-file") == 401
                assert status_of(server, OWN) != 401
                assert file.exists() is there_already
            finally:
                server.kill()

    def test_a_server_that_is_started_again_has_the_same_token(
        self, server: HttpServer, token: str, path: Path, here: Path
    ) -> None:
        """Clients that hold it need no new one, and find what they stored."""

        async def search(client: Client) -> list[str]:
            hits = structured(await client.call_tool("search", {"query": "icebergs"}))["hits"]
            return [hit["content"] for hit in hits]

        talk(server, token, memorize)
        server.stop(signal.SIGTERM)
        again = HttpServer(path, here)
        try:
            assert talk(again, token, search) == [NOTE["content"]]
        finally:
            again.kill()


class TestEnd:
    """SIGTERM and SIGINT are an orderly end, with exit status 0."""

    @pytest.mark.parametrize("how", EITHER, ids=lambda how: how.name)
    def test_its_memory_is_closed(self, server: HttpServer, token: str, path: Path, how: signal.Signals) -> None:
        """That is, its journal is folded into the snapshot; nothing more is said."""
        talk(server, token, memorize)
        assert NOTE["content"] not in path.read_text(encoding="utf-8")
        assert server.stop(how) == (0, b"", b"")
        assert NOTE["content"] in path.read_text(encoding="utf-8")

    @pytest.mark.parametrize("how", EITHER, ids=lambda how: how.name)
    def test_it_ends_while_it_loads_its_model(self, server: HttpServer, how: signal.Signals) -> None:
        """Right after it has said where it listens."""
        assert server.stop(how) == (0, b"", b"")

    def test_a_client_that_stays_connected_does_not_keep_it(self, server: HttpServer, token: str, path: Path) -> None:
        """Even one that listens for what the server may have to say, as the protocol before today's does."""

        async def connected() -> int:
            with anyio.fail_after(PATIENT):
                async with http_client(server.address, token, "legacy") as client:
                    await memorize(client)
                    status, _, _ = await anyio.to_thread.run_sync(server.stop, signal.SIGTERM)
            return status

        assert anyio.run(connected) == 0
        assert NOTE["content"] in path.read_text(encoding="utf-8")
