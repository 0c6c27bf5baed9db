"""The host's gateway as a process, and what can be asked of it over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from tests.hosts.openclaw.host import TOKEN, Host
from tests.hosts.openclaw.processes import until

READY = b"[gateway] ready"
STARTING_S = 180
"""Seconds that it may take to be ready; alone on two cores it takes six."""
STOPPING_S = 60
"""Seconds that it may take to end after SIGTERM; a plugin's own share is five."""
TURN_S = 180
"""Seconds that one request may take."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    content: dict[str, Any]

    @property
    def details(self) -> dict[str, Any]:
        """The structured result of a tool call that went well."""
        assert (self.status, self.content.get("ok")) == (200, True), self
        details: dict[str, Any] = self.content["result"]["details"]
        return details


class Gateway:
    """A running gateway, as long as it is entered. What it logged is printed when it ends."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._process: subprocess.Popen[bytes]
        self._log: Path

    def __enter__(self) -> Self:
        """Start it, and wait until it is ready."""
        number = len(list(self._host.folder.glob("gateway-*.log")))
        self._log = self._host.folder / f"gateway-{number}.log"
        self._process = self._host.start("openclaw", "gateway", "run", log=self._log)
        until(lambda: READY in self._log.read_bytes() or self._process.poll() is not None, STARTING_S)
        if READY not in self._log.read_bytes() or self._process.poll() is not None:
            self._kill()
            pytest.fail(f"the gateway did not start:\n{self.log}")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it unless it has ended, and show its log."""
        if self._process.poll() is None:
            self.stop()
        sys.stdout.write(self.log)

    @property
    def log(self) -> str:
        """What it has written on both outputs."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """Ask it to end, as a service manager does, and return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOPPING_S)
        except subprocess.TimeoutExpired:
            self._kill()
            pytest.fail(f"the gateway did not end:\n{self.log}")

    def invoke(self, tool: str, args: Mapping[str, Any], agent: str = "main", session: str | None = None) -> Answer:
        """Call a tool without a model, as an agent, in its main session or a named one."""
        asked = {"tool": tool, "args": args, "agentId": agent}
        if session is not None:
            asked["sessionKey"] = f"agent:{agent}:{session}"
        return self._post("/tools/invoke", asked)

    def chat(self, message: str, agent: str = "main", session: str | None = None) -> str:
        """Say something to an agent and return what it answers.

        Args:
            message: What the user says.
            agent: Who is spoken to.
            session: The conversation's name: the same name goes on with it; None begins one that has none.
        """
        asked = {"model": f"openclaw/{agent}", "messages": [{"role": "user", "content": message}]}
        headers = {} if session is None else {"x-openclaw-session-key": f"agent:{agent}:{session}"}
        answer = self._post("/v1/chat/completions", asked, headers)
        assert answer.status == 200, answer
        text: str = answer.content["choices"][0]["message"]["content"]
        return text

    def _post(self, path: str, asked: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._host.port, timeout=TURN_S)
        sent = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", **(headers or {})}
        try:
            connection.request("POST", path, json.dumps(asked), sent)
            answered = connection.getresponse()
            return Answer(answered.status, json.loads(answered.read()))
        finally:
            connection.close()

    def _kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
