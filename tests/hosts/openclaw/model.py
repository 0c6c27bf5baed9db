"""A language model that follows a script, behind OpenAI's interface on 127.0.0.1.

A script is a function: what the model sees goes in, what it says or which tool it calls comes out. Everything that the
model was shown is kept, so that a test can read the prompt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.hosts.openclaw.loopback import Loopback, Reply, Request, in_json

NAME = "scripted"
COMMANDS: Mapping[str, str] = {"memorize": "content", "recall": "query", "search": "query", "erase": "id"}
"""The tools that a person can have called with a line like ``recall: X``, and the argument that X becomes."""
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
HOST_SAYS = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"
"""How the user message begins that the host itself puts at the end of every request."""


@dataclass(frozen=True, slots=True)
class Say:
    """The model answers with a text."""

    text: str


@dataclass(frozen=True, slots=True)
class CallTool:
    """The model calls a tool by its own name, whether the host offers it directly or behind `tool_call`."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model sees: one request."""

    messages: list[dict[str, Any]]
    tools: list[str]
    """The names on offer."""

    @property
    def system(self) -> str:
        """All that the system says."""
        return "\n".join(_text(message) for message in self.messages if message["role"] in {"system", "developer"})

    @property
    def user(self) -> str:
        """The last message of a user, with what the host and its plugins have put around it."""
        return next((_text(message) for message in reversed(self._talk) if message["role"] == "user"), "")

    @property
    def result(self) -> str | None:
        """The answer of the tool that was called last, None if the user has the last word."""
        last = self._talk[-1]
        return _text(last) if last["role"] == "tool" else None

    @property
    def _talk(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if not _text(message).startswith(HOST_SAYS)]


Script = Callable[[Prompt], Say | CallTool]


def obey(prompt: Prompt) -> Say | CallTool:
    """Call the tool that the user's last line like ``recall: X`` names, then quote its answer; else say pong."""
    if prompt.result is not None:
        return Say(f"The tool answered: {prompt.result}")
    lines = re.findall(rf"^(?:\[[^\]]*\] )?({'|'.join(COMMANDS)}): (.+)$", prompt.user, flags=re.MULTILINE)
    if not lines:
        return Say("pong")
    tool, about = lines[-1]
    return CallTool(tool, {COMMANDS[tool]: about})


class ScriptedModel(Loopback):
    """The model as a server."""

    def __init__(self, script: Script = obey) -> None:
        super().__init__()
        self.script = script
        """What it does; may be exchanged between turns."""
        self.prompts: list[Prompt] = []
        """All that it was shown, in order."""

    def answer(self, request: Request) -> Reply:
        """Answer a request for a completion, in one piece or as a stream, and the list of models."""
        if request.path == "/v1/models":
            return in_json({"object": "list", "data": [{"id": NAME, "object": "model"}]})
        if request.path != "/v1/chat/completions":
            return in_json({"error": {"message": f"no {request.path} here"}}, status=404)
        asked = request.json
        tools = [tool["function"]["name"] for tool in asked.get("tools", ())]
        prompt = Prompt(asked["messages"], tools)
        self.prompts.append(prompt)
        message = _message(self.script(prompt), tools, ident=f"call_{len(self.prompts)}")
        finish = "tool_calls" if "tool_calls" in message else "stop"
        return _stream(message, finish) if asked.get("stream") else _whole(message, finish)


def _message(done: Say | CallTool, offered: list[str], ident: str) -> dict[str, Any]:
    if isinstance(done, Say):
        return {"role": "assistant", "content": done.text}
    name, arguments = done.tool, done.arguments
    if name not in offered:
        if "tool_call" not in offered:
            return {"role": "assistant", "content": f"There is no tool {name} among {', '.join(offered)}"}
        name, arguments = "tool_call", {"id": done.tool, "args": done.arguments}
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"index": 0, "id": ident, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _whole(message: Mapping[str, Any], finish: str) -> Reply:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return in_json(_frame("chat.completion") | {"choices": [choice], "usage": USAGE})


def _stream(message: Mapping[str, Any], finish: str) -> Reply:
    def events() -> Iterator[str]:
        for delta, reason in ((message, None), ({}, finish)):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            yield json.dumps(_frame("chat.completion.chunk") | {"choices": [choice]})
        yield json.dumps(_frame("chat.completion.chunk") | {"choices": [], "usage": USAGE})
        yield "[DONE]"

    return Reply("".join(f"data: {event}\n\n" for event in events()).encode(), kind="text/event-stream")


def _frame(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-scripted", "object": kind, "created": 1, "model": NAME}


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
