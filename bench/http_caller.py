"""An MCP client over HTTP that does no more than it has to, so that many of them do not outweigh the server.

It speaks the protocol of 2025-06-18: a session, one POST a call, whose answer is JSON or a stream of events. The MCP
library's own client also checks every answer against the tool's schema, which takes longer than the server's work.
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

import httpx2

PROTOCOL = "2025-06-18"
ACCEPTED = "application/json, text/event-stream"


class Refused(Exception):
    """The server answered with an error of the protocol; the message is its kind."""


class HttpCaller:
    """One session, over a connection of its own.

    Args:
        address: The server's.
        token: Its bearer token.
        timeout: Seconds that an answer may take.
    """

    def __init__(self, address: str, token: str, timeout: float) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept": ACCEPTED, "MCP-Protocol-Version": PROTOCOL}
        self._http = httpx2.AsyncClient(headers=headers, timeout=timeout, verify=False)  # no TLS: loopback
        self._address, self._number = address, 0

    async def __aenter__(self) -> Self:
        """Shake hands. Raises what `call` raises."""
        about = {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        answer = await self._post({"id": 0, "method": "initialize", "params": about})
        self._http.headers["Mcp-Session-Id"] = answer.headers["mcp-session-id"]
        await self._post({"method": "notifications/initialized"})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the session."""
        await self._http.delete(self._address)
        await self._http.aclose()

    async def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return what a tool answers; a failure of the tool is an answer too.

        Raises:
            Refused: The server answers with an error of the protocol, or of HTTP.
            httpx2.HTTPError: It does not answer.
        """
        self._number += 1
        params = {"name": tool, "arguments": arguments}
        answer = await self._post({"id": self._number, "method": "tools/call", "params": params})
        message = _message(answer, self._number)
        if "error" in message:
            raise Refused(f"JSON-RPC {message['error'].get('code')}")
        found: dict[str, Any] = message["result"].get("structuredContent") or {}
        return found

    async def _post(self, message: dict[str, Any]) -> httpx2.Response:
        answer = await self._http.post(self._address, json={"jsonrpc": "2.0", **message})
        if not answer.is_success:
            raise Refused(f"HTTP {answer.status_code}")
        return answer


def _message(answer: httpx2.Response, number: int) -> dict[str, Any]:
    """Return the message with a number in an answer. Raises Refused where there is none."""
    if answer.headers["content-type"].startswith("text/event-stream"):
        lines = [line[5:] for line in answer.text.splitlines() if line.startswith("data:") and line[5:].strip()]
    else:
        lines = [answer.text]
    messages = (json.loads(line) for line in lines)
    found: dict[str, Any] | None = next((each for each in messages if each.get("id") == number), None)
    if found is None:
        raise Refused("no answer in the stream")
    return found
