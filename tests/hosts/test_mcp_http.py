"""The server over HTTP: whom it answers, where its token comes from, and what it refuses to start with."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import anyio
import httpx2
import pytest
import uvicorn
from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_MODERN_VERSION

from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.errors import StoreUnreachable
from ntm_memory_skill.hosts.mcp import LazyMemory, build_server
from ntm_memory_skill.hosts.mcp.http import LOOPBACK, PATH, build_app, kept_token, listening
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in, written
from tests.hosts.mcp_clients import PATIENT, Opener

TOKEN = "a-token-of-this-test"  # noqa: S105  # it opens nothing
ANNOUNCED = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
        "name": "memorize",
        "arguments": {"content": "Olga paints icebergs"},
        "_meta": {PROTOCOL_VERSION_META_KEY: LATEST_MODERN_VERSION, CLIENT_CAPABILITIES_META_KEY: {}},
    },
}
OFF = json.dumps({"plugins": {PLUGIN: {"enabled": False}}})
RIGHT = (b"Authorization", f"Bearer {TOKEN}".encode())


def asked(
    memory: LazyMemory,
    *headers: tuple[bytes, bytes],
    token: str = TOKEN,
    method: str = "POST",
    said: Mapping[str, object] = ANNOUNCED,
) -> httpx2.Response:
    """Return what a server over a memory, in this process, answers to a client: to its first words, or others."""
    app = build_app(build_server(memory), token)
    accepted = [(b"Accept", b"application/json, text/event-stream"), (b"Content-Type", b"application/json")]
    if not any(name == b"Host" for name, _ in headers):
        accepted.append((b"Host", b"127.0.0.1:8765"))

    async def ask() -> httpx2.Response:
        with anyio.fail_after(PATIENT):
            async with (
                app.router.lifespan_context(app),
                httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8765") as client,
            ):
                return await client.request(method, PATH, headers=[*accepted, *headers], json=said)

    return anyio.run(ask)


class TestCall:
    """What a call costs beside its work."""

    def test_what_is_written_is_sent_at_once(self) -> None:
        """An answer in several parts does not wait until its client has acknowledged the first."""

        async def at_once() -> int:
            accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
            server = await asyncio.start_server(lambda _, writer: accepted.put_nowait(writer), sock=listening(0))
            async with server:
                _, client = await asyncio.open_connection(*server.sockets[0].getsockname())
                answering = await accepted.get()
                at_once: int = answering.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                for writer in (client, answering):
                    writer.close()
                    await writer.wait_closed()
            return at_once

        assert asyncio.run(asyncio.wait_for(at_once(), PATIENT))

    def test_a_call_does_not_list_the_tools(self, lazy: LazyMemory, monkeypatch: pytest.MonkeyPatch) -> None:
        """By today's protocol, whose library wants the called tool's schema; listing them begins to warm up."""
        listed: list[str] = []
        monkeypatch.setattr(lazy, "warm_up_in_background", lambda: listed.append("tools"))
        called = (b"Mcp-Method", b"tools/call"), (b"Mcp-Name", b"memorize")
        answer = asked(lazy, RIGHT, (b"MCP-Protocol-Version", LATEST_MODERN_VERSION.encode()), *called, said=CALL)
        assert answer.json()["result"]["structuredContent"]["ok"]
        assert listed == []


class TestToken:
    """Whoever does not hold it learns nothing."""

    @pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
    @pytest.mark.parametrize(
        "header",
        [
            None,
            b"",
            b"Bearer",
            b"Bearer ",
            b"Bearer wrong",
            TOKEN.encode(),
            f"Basic {TOKEN}".encode(),
            f"Bearer {TOKEN[:-1]}".encode(),
            f"Bearer {TOKEN}x".encode(),
            f"Bearer {TOKEN.upper()}".encode(),
            f"Bearer {TOKEN} {TOKEN}".encode(),
            "Bearer schlüssel 钥匙".encode(),
            b"Bearer \xff\xfe\x80",
        ],
    )
    def test_a_request_without_the_token_is_refused(
        self, opener: Opener, lazy: LazyMemory, header: bytes | None, method: str
    ) -> None:
        """Whatever it shows instead, and before a memory is opened for it."""
        shown = () if header is None else ((b"Authorization", header),)
        answer = asked(lazy, *shown, method=method)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        assert TOKEN not in answer.text + str(answer.headers)
        assert opener.calls == 0

    @pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER"])
    def test_a_request_with_the_token_is_answered(self, lazy: LazyMemory, scheme: bytes) -> None:
        """The scheme's name has no case."""
        answer = asked(lazy, (b"Authorization", scheme + b" " + TOKEN.encode()))
        assert answer.status_code == 200
        assert "ntm-memory" in answer.text

    @pytest.mark.parametrize("token", ["schlüssel", "钥匙", "half \udce4 letter"])
    def test_a_token_may_be_of_any_letters(self, lazy: LazyMemory, token: str) -> None:
        """As they stand in the environment, byte for byte; a near one is refused."""
        sent = token.encode("utf-8", "surrogateescape")
        assert asked(lazy, (b"Authorization", b"Bearer " + sent), token=token).status_code == 200
        assert asked(lazy, (b"Authorization", b"Bearer " + sent[:-1] + b"?"), token=token).status_code == 401


class TestOtherMachines:
    """A web page that somebody has open must not reach the memory, even with the token."""

    @pytest.mark.parametrize(
        "host",
        [b"evil.example", b"evil.example:8765", b"127.0.0.1.evil.example:8765", b"0.0.0.0:8765", b"127.0.0.1", b""],
    )
    def test_a_request_for_another_host_is_misdirected(self, lazy: LazyMemory, host: bytes) -> None:
        """Its name was pointed at this machine."""
        assert asked(lazy, RIGHT, (b"Host", host)).status_code == 421

    @pytest.mark.parametrize("origin", [b"http://evil.example", b"null", b"http://127.0.0.1.evil.example:80"])
    def test_a_request_from_another_origin_is_forbidden(self, lazy: LazyMemory, origin: bytes) -> None:
        """A browser says truly where a page came from."""
        assert asked(lazy, RIGHT, (b"Origin", origin)).status_code == 403

    def test_a_request_from_this_machine_is_answered(self, lazy: LazyMemory) -> None:
        """By either of its names."""
        for host in (b"127.0.0.1:1", b"localhost:8765"):
            assert asked(lazy, RIGHT, (b"Host", host), (b"Origin", b"http://" + host)).status_code == 200


class TestTokenFile:
    """The token lies beside the memory, for its owner alone."""

    @pytest.fixture
    def file(self, path: Path) -> Path:
        """Where it would be; nothing is there yet."""
        return path.with_suffix(".token")

    def test_a_token_is_made_once_and_used_again(self, file: Path, tmp_path: Path) -> None:
        """Long enough not to be guessed, and another for each memory."""
        token = kept_token(file)
        assert len(token) >= 32
        assert kept_token(file) == token == file.read_text(encoding="utf-8").strip()
        assert kept_token(tmp_path / "other.token") != token

    @pytest.mark.skipif("os.name == 'nt'", reason="Windows has no permission bits")
    def test_nobody_else_may_read_it(self, file: Path) -> None:
        """Nor look into a folder that is made for it."""
        kept_token(file)
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700

    @pytest.mark.skipif("os.name == 'nt'", reason="Windows has no permission bits")
    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o777])
    def test_a_file_that_others_may_use_is_refused(self, file: Path, mode: int) -> None:
        """It may be known to them, or theirs; and it is left as it is."""
        token = kept_token(file)
        file.chmod(mode)
        with pytest.raises(StoreUnreachable):
            kept_token(file)
        assert file.read_text(encoding="utf-8").strip() == token

    @pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe\x00"])
    def test_a_file_without_a_token_is_refused(self, file: Path, content: bytes) -> None:
        """Anything could be shown for an empty one."""
        kept_token(file)
        file.write_bytes(content)
        with pytest.raises(StoreUnreachable):
            kept_token(file)
        assert file.read_bytes() == content

    def test_what_is_no_file_is_refused(self, file: Path, tmp_path: Path) -> None:
        """A folder in its place, or a file in its folder's."""
        file.mkdir(parents=True)
        with pytest.raises(StoreUnreachable):
            kept_token(file)
        with pytest.raises(StoreUnreachable):
            kept_token(written(tmp_path, "no folder", "") / "ntm_memory.token")


class TestStart:
    """What stands in the way is an error with a code, and nothing is served."""

    @pytest.fixture(autouse=True)
    def not_served(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A test that gets as far as serving fails instead of waiting for ever."""

        def run(*_: object, **__: object) -> None:
            raise AssertionError("it serves")

        monkeypatch.setattr(uvicorn.Server, "run", run)

    @pytest.fixture
    def taken(self) -> Iterator[int]:
        """A port on which somebody listens."""
        with socket.create_server((LOOPBACK, 0)) as listening:
            yield listening.getsockname()[1]

    def test_a_port_in_use_is_said(self, cli: CommandLine, taken: int, path: Path) -> None:
        """No token is made for it."""
        outcome = cli("--json", "serve", "--mcp", "http", "--port", str(taken))
        assert (outcome.status, outcome.code) == (1, "address_in_use")
        assert not path.parent.exists()

    def test_an_empty_token_file_is_said(self, cli: CommandLine, path: Path) -> None:
        """With what to do, and nothing is changed."""
        written(path.parent, "ntm_memory.token", "\n")
        before = bytes_in(path.parent)
        outcome = cli("--json", "serve", "--mcp", "http", "--port", "0")
        assert (outcome.status, outcome.code) == (3, "store_unreachable")
        assert outcome.envelope["error"]["hint"]
        assert bytes_in(path.parent) == before

    def test_a_skill_that_is_switched_off_is_not_served(
        self, cli: CommandLine, here: Path, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As over standard input and output."""
        monkeypatch.setenv("NTM_CLAWHUB_JSON", str(written(here, "clawhub.json", OFF)))
        outcome = cli("--json", "serve", "--mcp", "http", "--port", "0")
        assert (outcome.status, outcome.code) == (2, "invalid_config")
        assert not path.parent.exists()

    @pytest.mark.parametrize("port", ["-1", "65536", "http"])
    def test_a_port_that_is_none_is_wrong_usage(self, cli: CommandLine, port: str) -> None:
        """Before anything is tried."""
        assert cli("serve", "--mcp", "http", "--port", port).status == 2
