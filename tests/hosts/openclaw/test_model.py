"""The scripted model, without a host: what it reads in a prompt, and how it calls tools."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.hosts.openclaw.model import HOST_SAYS, CallTool, Prompt, Say, ScriptedModel, obey

ASIDE = {"role": "user", "content": [{"type": "text", "text": f"{HOST_SAYS} nothing is running"}]}
DIRECT = ["read", "recall", "tool_call"]
BEHIND = ["read", "tool_call"]


def user(text: str) -> dict[str, Any]:
    """Return a message of a user."""
    return {"role": "user", "content": text}


def complete(model: ScriptedModel, messages: list[dict[str, Any]], tools: list[str], *, stream: bool = False) -> str:
    """Send a request for a completion, and return the answer as it came."""
    offered = [{"type": "function", "function": {"name": name}} for name in tools]
    body = {"model": "scripted", "messages": messages, "tools": offered, "stream": stream}
    connection = http.client.HTTPConnection(model.address.removeprefix("http://"))
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body))
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def called(answer: str) -> dict[str, Any]:
    """Return the one call in an answer that came in one piece."""
    (choice,) = json.loads(answer)["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    return {"name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])}


class TestScript:
    """What the model makes of a prompt."""

    @pytest.mark.parametrize(
        "said",
        [
            "recall: the sky",
            "[Wed 2026-11-25 11:16 UTC] recall: the sky",
            "- memorize: old\nrecall: the sky\n\nRuntime: x",
        ],
        ids=["alone", "after the time", "between other lines"],
    )
    def test_a_line_that_names_a_tool_is_obeyed(self, said: str) -> None:
        """Wherever the host and its plugins have put it, and though the host has the last word."""
        assert obey(Prompt([user(said), ASIDE], DIRECT)) == CallTool("recall", {"query": "the sky"})

    def test_a_tools_answer_is_quoted(self) -> None:
        """And not taken for a command; in the next turn the user has the word again."""
        talk = [user("recall: x"), {"role": "tool", "content": "memorize: y"}, ASIDE]
        assert obey(Prompt(talk, DIRECT)) == Say("The tool answered: memorize: y")
        assert obey(Prompt([*talk, {"role": "assistant", "content": "z"}, user("hello"), ASIDE], DIRECT)) == Say("pong")

    def test_what_the_system_says_is_read_apart(self) -> None:
        """It is no command."""
        prompt = Prompt([{"role": "system", "content": "recall: x"}, user("hello")], DIRECT)
        assert (prompt.system, prompt.user, prompt.result) == ("recall: x", "hello", None)
        assert obey(prompt) == Say("pong")


class TestServer:
    """The model as the host meets it."""

    def test_a_tool_that_is_offered_is_called_by_its_name(self, scripted: ScriptedModel) -> None:
        """The host's catalogue is not needed."""
        answer = complete(scripted, [user("recall: x")], DIRECT)
        assert called(answer) == {"name": "recall", "arguments": {"query": "x"}}

    def test_a_tool_that_is_not_offered_is_called_through_the_catalogue(self, scripted: ScriptedModel) -> None:
        """By its name again."""
        answer = complete(scripted, [user("recall: x")], BEHIND)
        assert called(answer) == {"name": "tool_call", "arguments": {"id": "recall", "args": {"query": "x"}}}

    def test_a_tool_that_cannot_be_called_is_named_in_words(self, scripted: ScriptedModel) -> None:
        """So that a test shows what was on offer instead."""
        answer = json.loads(complete(scripted, [user("recall: x")], ["read"]))
        assert answer["choices"][0]["message"]["content"] == "There is no tool recall among read"

    def test_a_stream_says_the_same(self, scripted: ScriptedModel) -> None:
        """In events, the last of which ends it."""
        whole = json.loads(complete(scripted, [user("hello")], []))["choices"][0]
        *events, last = complete(scripted, [user("hello")], [], stream=True).split("\n\n")[:-1]
        choices = [choice for event in events for choice in json.loads(event.removeprefix("data: "))["choices"]]
        assert last == "data: [DONE]"
        assert choices[0]["delta"] == whole["message"]
        assert choices[-1]["finish_reason"] == whole["finish_reason"] == "stop"

    def test_every_prompt_is_kept(self, scripted: ScriptedModel) -> None:
        """In order, with the tools that were on offer."""
        before = len(scripted.prompts)
        complete(scripted, [user("one")], DIRECT)
        complete(scripted, [user("two")], BEHIND)
        seen = [(prompt.user, prompt.tools) for prompt in scripted.prompts[before:]]
        assert seen == [("one", DIRECT), ("two", BEHIND)]
