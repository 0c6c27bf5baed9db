"""openclaw-sdk 2.1.0 against the real gateway, without a plugin: the way that works, and those that do not."""

from __future__ import annotations

import asyncio
import hashlib
import json
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from openclaw_sdk import ClientConfig, ExecutionResult, GatewayError, OpenClawClient
from openclaw_sdk.gateway.base import Gateway as SdkGateway
from openclaw_sdk.gateway.openai_compat import OpenAICompatGateway
from openclaw_sdk.gateway.protocol import ProtocolGateway

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.hosts.sdk import MemoryCallbackHandler
from tests.hosts.openclaw.gateway import TURN_S, Gateway
from tests.hosts.openclaw.host import TOKEN, Host
from tests.hosts.openclaw.model import Say, ScriptedModel
from tests.hosts.openclaw.processes import until

EXAMPLE = Path(__file__).parents[3] / "examples" / "sdk_agent.py"
SAID, ASKED = "My dentist is Maria Okafor.", "Who is my dentist?"
LOGGING_S = 10
"""Seconds that the gateway may take to log what it has refused."""


def converse(
    gateway: SdkGateway, memory: NTMMemoryManager, *said: tuple[str, str], agent: str = "main"
) -> list[ExecutionResult]:
    """Say things to an agent in sessions, by way of the handler, and return what came of them."""

    async def talk() -> list[ExecutionResult]:
        await gateway.connect()
        handler = MemoryCallbackHandler({agent: memory})
        async with OpenClawClient(config=ClientConfig(), gateway=gateway) as client:
            return [await handler.execute(client.get_agent(agent, session), words) for session, words in said]

    return asyncio.run(talk())


def texts(memory: NTMMemoryManager) -> list[str]:
    """Return all that a memory holds."""
    return [record.content for record in memory.state.records.values()]


def known_device(home: Path) -> None:
    """Write the two files by which the SDK knows its device, as an older host left them, into a home folder."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    device = {
        "deviceId": hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest(),
        "privateKeyPem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "publicKeyPem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    }
    operator = {"token": TOKEN, "role": "operator", "scopes": ["operator.read", "operator.write"]}
    folder = home / ".openclaw" / "identity"
    folder.mkdir(parents=True)
    (folder / "device.json").write_text(json.dumps(device), encoding="utf-8")
    (folder / "device-auth.json").write_text(json.dumps({"tokens": {"operator": operator}}), encoding="utf-8")


class TestTurns:
    """Turns that a Python program asks for."""

    @pytest.fixture(scope="class")
    def gateway(self, host: Host) -> Iterator[Gateway]:
        """One gateway, which also offers the endpoint that the SDK posts to."""
        host.config["gateway"]["http"]["endpoints"]["responses"] = {"enabled": True}
        host.write()
        with Gateway(host) as running:
            yield running

    @pytest.fixture
    def address(self, gateway: Gateway, host: Host, scripted: ScriptedModel) -> str:
        """Where the running gateway is; the model has seen nothing yet."""
        scripted.prompts.clear()
        scripted.script = lambda prompt: Say("I see.")
        return f"127.0.0.1:{host.port}"

    @pytest.mark.parametrize("agent", ["main", "other"])
    def test_the_model_sees_what_the_user_said_in_another_session(
        self, address: str, agent: str, memory: NTMMemoryManager, scripted: ScriptedModel
    ) -> None:
        """Through the gateway of the example; only the user's words are kept."""
        gateway = runpy.run_path(str(EXAMPLE))["ChatCompletions"](f"http://{address}", api_key=TOKEN, timeout=TURN_S)
        results = converse(gateway, memory, ("monday", SAID), ("tuesday", ASKED), agent=agent)
        assert [(result.success, result.content) for result in results] == [(True, "I see.")] * 2
        monday, tuesday = (prompt.user for prompt in scripted.prompts)
        assert "<relevant-memories>" not in monday
        assert f"session=agent:{agent}:monday" in monday
        block, query = tuesday.split("</relevant-memories>")
        assert SAID in block.split("<relevant-memories>")[1]
        assert query.startswith(f"\n\n{ASKED}")
        assert texts(memory) == [SAID]

    def test_a_session_goes_on(self, address: str, memory: NTMMemoryManager, scripted: ScriptedModel) -> None:
        """Under the agent's session name."""
        gateway = runpy.run_path(str(EXAMPLE))["ChatCompletions"](f"http://{address}", api_key=TOKEN, timeout=TURN_S)
        converse(gateway, memory, ("garden", "the password is tulip"), ("garden", "hello"), ("house", "hello"))
        assert ["tulip" in str(prompt.messages) for prompt in scripted.prompts] == [True, True, False]

    def test_the_sdks_own_http_gateway_is_refused(
        self, address: str, memory: NTMMemoryManager, scripted: ScriptedModel
    ) -> None:
        """It sends fields to /v1/responses that are not that endpoint's: the documents say so. Nothing is kept."""
        with pytest.raises(GatewayError) as refused:
            converse(OpenAICompatGateway(f"http://{address}", api_key=TOKEN), memory, ("monday", SAID))
        assert refused.value.code == "400"
        assert (scripted.prompts, texts(memory)) == ([], [])

    def test_the_sdks_own_websocket_gateway_is_refused(
        self, address: str, gateway: Gateway, memory: NTMMemoryManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It speaks an older protocol, even if it finds its device's identity: the documents say so."""
        known_device(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(GatewayError):
            converse(ProtocolGateway(f"ws://{address}", token=TOKEN), memory, ("monday", SAID))
        assert until(lambda: "protocol mismatch" in gateway.log and "min=3 max=3 expected=4" in gateway.log, LOGGING_S)
        assert texts(memory) == []
