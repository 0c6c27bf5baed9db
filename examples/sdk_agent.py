"""An agent that remembers, driven with openclaw-sdk.

    python examples/sdk_agent.py

Without an address it talks to the SDK's mock gateway, which only tells what it was sent: nothing leaves this machine.
To talk to the agent `main` of OpenClaw 2026.9.6, enable `gateway.http.endpoints.chatCompletions` in its configuration,
and name its gateway; the script asks for the gateway's token:

    python examples/sdk_agent.py http://127.0.0.1:18789
"""

import asyncio
import getpass
import sys
import tempfile
from typing import Any

from openclaw_sdk import ClientConfig, EventType, GatewayError, OpenClawClient, StreamEvent
from openclaw_sdk.gateway.base import Gateway
from openclaw_sdk.gateway.mock import MockGateway
from openclaw_sdk.gateway.openai_compat import OpenAICompatGateway

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.hosts.sdk import MemoryCallbackHandler

SAID = ("My dentist is Maria Okafor in Harbour Street.", "Who is my dentist?")


class ChatCompletions(OpenAICompatGateway):
    """The SDK's HTTP gateway, with `chat.send` as OpenClaw's own endpoint takes it. SDK 2.1.0 sends it elsewhere."""

    async def call(self, method: str, params: dict[str, Any] | None = None, **how: Any) -> dict[str, Any]:
        """Send a message to an agent, in its session; all else is the SDK's."""
        if method != "chat.send" or params is None or self._client is None:
            return await super().call(method, params, **how)
        _, agent, _ = params["sessionKey"].split(":", 2)
        asked = {"model": f"openclaw/{agent}", "messages": [{"role": "user", "content": params["message"]}]}
        session = {"x-openclaw-session-key": params["sessionKey"]}
        answer = await self._client.post("/v1/chat/completions", json=asked, headers=session)
        if answer.is_error:
            raise GatewayError(f"the gateway answered {answer.status_code}", details={"raw": answer.text})
        return {"content": answer.json()["choices"][0]["message"]["content"]}


def mock_gateway() -> MockGateway:
    """Return a gateway whose agents answer with what they were sent."""
    gateway = MockGateway()

    def answer(params: dict[str, Any] | None) -> dict[str, Any]:
        told = f"I was sent:\n{(params or {})['message']}"
        gateway.emit_event(StreamEvent(event_type=EventType.DONE, data={"payload": {"content": told}}))
        return {}

    gateway.register("chat.send", answer)
    return gateway


async def main(gateway: Gateway) -> None:
    """Tell an agent something, and ask for it in another chat."""
    await gateway.connect()
    client = OpenClawClient(config=ClientConfig(), gateway=gateway)
    # A real program keeps its memory: NTMMemoryManager.open("memory/main"). One memory for each agent.
    with tempfile.TemporaryDirectory() as folder, NTMMemoryManager.open(folder) as memory:
        handler = MemoryCallbackHandler({"main": memory})
        async with client:
            for session, said in zip(("monday", "tuesday"), SAID, strict=True):
                agent = client.get_agent("main", session_name=session)
                result = await handler.execute(agent, said)  # instead of agent.execute(said)
                print(f"[{session}] user: {said}\n[{session}] agent: {result.content}\n")  # noqa: T201  # to be seen


if __name__ == "__main__":
    if len(sys.argv) > 1:
        token = getpass.getpass("The gateway's token: ")
        asyncio.run(main(ChatCompletions(sys.argv[1], api_key=token, timeout=300)))
    else:
        asyncio.run(main(mock_gateway()))
