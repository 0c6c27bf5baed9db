"""The server over streamable HTTP, on this machine alone, for whoever holds the token.

The law: it listens on the loopback interface, refuses requests whose Host or Origin names another machine (a web page
must not reach it by a name that it has pointed here), and answers no request without the bearer token.
"""

from __future__ import annotations

import hmac
import os
import secrets
import signal
import socket
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import uvicorn
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel import Server
from starlette.applications import Starlette
from starlette.middleware.authentication import AuthenticationMiddleware

from ntm_memory_skill.config import TOKEN_VARIABLE, Config
from ntm_memory_skill.errors import AddressInUse, StoreUnreachable
from ntm_memory_skill.hosts.compose import check_enabled, log_to_stderr, open_to_serve, prepare_to_serve
from ntm_memory_skill.hosts.mcp.memories import LazyMemory
from ntm_memory_skill.hosts.mcp.server import build_server
from ntm_memory_skill.hosts.resident.server import offered
from ntm_memory_skill.store import Paths

LOOPBACK = "127.0.0.1"
PATH = "/mcp"
GRACE = 5  # seconds for calls under way when the server is told to stop


class OneToken:
    """Knows one bearer token."""

    def __init__(self, token: str) -> None:
        self._token = token.encode("utf-8", "surrogateescape")  # as it stands in the environment or the file

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return who comes with a token: the memory's owner, or nobody; a near guess takes no longer."""
        if not hmac.compare_digest(token.encode("latin-1"), self._token):  # a header's bytes, as starlette reads them
            return None
        return AccessToken(token=token, client_id="owner", scopes=[])


def build_app(server: Server[dict[str, object]], token: str) -> Starlette:
    """Return the web application: one path, behind the token."""
    verifier = OneToken(token)
    app = server.streamable_http_app(streamable_http_path=PATH, host=LOOPBACK, token_verifier=verifier)
    app.add_middleware(AuthenticationMiddleware, backend=BearerAuthBackend(verifier))
    return app


def serve_http(config: Config, port: int) -> None:
    """Serve the configured memory on 127.0.0.1 until interrupted or told to terminate; both are an orderly end.

    Clients have to show the configured token; without one, the token in the file beside the memory, which is made if
    need be.

    Args:
        config: Names the memory.
        port: 0 takes a free one; the address is printed on standard error.

    Raises:
        ConfigError: The skill is switched off.
        AddressInUse: Something else listens on the port.
        StoreUnreachable: The token's file cannot be read or written.
    """
    check_enabled(config)
    with listening(port) as opened:
        file = Paths.of(config.memory_file).snapshot.with_suffix(".token")
        token = kept_token(file) if config.http_token is None else config.http_token
        log_to_stderr()
        prepare_to_serve()
        _end_in_order()
        address = f"http://{LOOPBACK}:{opened.getsockname()[1]}{PATH}"
        where = file if config.http_token is None else TOKEN_VARIABLE
        sys.stderr.write(f"ntm-memory: listening on {address}; the bearer token is in {where}\n")
        memory = LazyMemory(lambda: open_to_serve(config))
        memory.warm_up_in_background()
        settings = uvicorn.Config(
            build_app(build_server(memory), token), log_level="warning", timeout_graceful_shutdown=GRACE
        )
        try:
            with offered(config, memory):
                uvicorn.Server(settings).run(sockets=[opened])
        finally:
            memory.close()


def kept_token(file: Path) -> str:
    """Return the token in a file that is its owner's alone; make the file, with a new token, where there is none.

    It appears whole or not at all, and of several servers that make it at the same time one is the first.

    Raises:
        StoreUnreachable: It cannot be read or made, or others may read it.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            handle, made = tempfile.mkstemp(dir=file.parent, prefix=".ntm-memory-")
            with os.fdopen(handle, "w", encoding="ascii") as opened:
                opened.write(secrets.token_urlsafe(32) + "\n")
            with suppress(FileExistsError):
                os.link(made, file)
            Path(made).unlink()
        return _read_token(file)
    except OSError as error:
        raise StoreUnreachable(f"{file}: {error.strerror}") from error


def listening(port: int) -> socket.socket:
    """Return a socket to which clients can connect already: they wait until the server answers.

    It names its protocol, for asyncio sends at once only where that stands. Elsewhere what follows a first small packet
    waits until the client has acknowledged that one, 40 ms a call on Linux.

    Raises:
        AddressInUse: Something else listens on the port.
    """
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there it would let two servers have one port
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((LOOPBACK, port))
        opened.listen()
    except OSError as error:
        opened.close()
        raise AddressInUse(f"port {port} of {LOOPBACK}: {error.strerror}") from error
    return opened


def _read_token(file: Path) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        token = ""
    if not token:
        raise StoreUnreachable(f"{file} holds no token", hint="Delete the file; a new one is made.")
    if os.name != "nt" and file.stat().st_mode & 0o077:
        raise StoreUnreachable(f"{file} can be read by others", hint=f"Make it yours alone: chmod 600 {file}")
    return token


def _end_in_order() -> None:
    """Let the signals that end a server unwind it, so that its memory is closed.

    uvicorn finishes what is under way and then raises the signal anew, which would kill the process. One that comes
    just before its loop runs leaves a coroutine that is never begun, and that nobody needs to hear of.
    """
    warnings.filterwarnings("ignore", message="coroutine 'Server.serve' was never awaited", category=RuntimeWarning)

    def end(*_: object) -> None:
        raise SystemExit(0)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)
