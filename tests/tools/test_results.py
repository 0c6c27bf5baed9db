"""What is published of the tools' answers is true: every answer fits its schema, and nothing else does."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from ntm_memory_skill import AddressingSettings, HashedEncoder, HeadParameters, M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.engine import Reranking
from ntm_memory_skill.store import MemoryStore
from ntm_memory_skill.tools import TOOLS
from tests.conftest import OpenMemory
from tests.encoder.rerankers import LetterReranker
from tests.tools.calls import JSON, called, conforming, done, noted

FAILURE: JSON = {"ok": False, "error": {"code": "unknown_memory", "message": "no such id", "hint": "recall it"}}
GARDEN = Settings(addressing=AddressingSettings(head=HeadParameters(key_strength=3.0)), m3=M3Settings(gists=True))
SUCCESSION = {"2025-01-01": "Dr. Wu", "2025-02-01": "Dr. Kim now"}
RECEIPTS = ("erased", "faded", "purged", "none")
Place = tuple[str | int, ...]
HIT = "id content when type importance score why"
CONTEXT = "id content offset when"
TRACE = "cosine bm25 lexical_share content_score terms stages neighbours chain told later_than rerank backend"
TERM = "name value weight contribution"
ALWAYS: list[tuple[str, Place, str]] = [
    ("memorize", (), "ok id slot stored related duplicates superseded"),
    ("memorize", ("related", 0), "id content cosine overlap"),
    ("memorize", ("duplicates", 0), "id content cosine overlap action"),
    ("memorize", ("superseded", 0), "id by reason"),
    ("recall", (), "ok memories characters omitted"),
    ("recall", ("memories", 0), HIT),
    ("recall", ("memories", 0, "why"), ""),
    ("recall", ("memories", 0, "trace"), TRACE),
    ("recall", ("memories", 0, "trace", "terms", 0), TERM),
    ("recall", ("memories", 0, "context", 0), CONTEXT),
    ("search", (), "ok hits"),
    ("search", ("hits", 0), HIT),
    ("search", ("hits", 0, "why"), ""),
    ("search", ("hits", 0, "trace"), TRACE),
    ("search", ("hits", 0, "trace", "terms", 0), TERM),
    ("search", ("hits", 0, "trace", "stages"), "content gated shifted sharpened"),
    ("search", ("hits", 0, "trace", "neighbours", 0), "id offset weight"),
    ("search", ("hits", 0, "context", 0), CONTEXT),
    ("search", ("missed",), "id content rank differences"),
    ("search", ("missed", "differences", 0), "name amount"),
    ("update", (), "ok memory version previous"),
    ("update", ("memory",), "id content when type importance"),
    ("erase", (), "ok receipt"),
    ("erase", ("receipt",), "action count ids at strength_left digest"),
]
"""Where an answer has an object whose fields are all named, and which of them are always there."""


class LoadingEncoder(HashedEncoder):
    """An encoder whose model is not there until the test ends."""

    ready = False

    def __init__(self) -> None:
        super().__init__(dimension=64)
        self.over = threading.Event()

    def warm_up(self) -> None:
        """Wait for the end."""
        self.over.wait()


@pytest.fixture
def loading(open_memory: OpenMemory) -> Iterator[NTMMemoryManager]:
    """A memory that answers by words alone."""
    noted(open_memory(), "The garden gate is green")
    encoder = LoadingEncoder()
    yield open_memory(encoder, Settings(answer_while_loading=True))
    encoder.over.set()


@pytest.fixture
def garden(open_memory: OpenMemory) -> NTMMemoryManager:
    """A memory whose hits draw their neighbours, with one that has every field."""
    memory = open_memory(settings=GARDEN)
    full = {"key": "gate", "tags": ["garden"], "source": "Ana", "ref": "msg-17", "session": "chat"}
    done(memory, "erase", id=noted(memory, "The garden gate is painted green", **full), strength=0.5)
    noted(memory, "Zebras live in herds", session="chat", source="Ben", ref="msg-18")
    for number in range(10):
        noted(memory, f"{number} {'abcdefghij'[number] * 9}")
    return memory


def answers(memory: NTMMemoryManager) -> dict[str, list[JSON]]:
    """Return answers of each tool that together have every field, but for what other models have to say."""
    query = {"query": "garden gate is painted green", "explain": True}
    one = {**query, "top_k": 1, "context": 1, "filters": {"session": "chat"}}
    named = {"key": "gate", "context": 1, "explain": True}
    found = [done(memory, "search", **arguments) for arguments in (one, query)]
    recalled = [done(memory, "recall", **arguments) for arguments in (named, query)]
    related = done(memory, "memorize", content="The garden gate is broken")
    duplicate = done(memory, "memorize", content="The garden gate is broken!")
    done(memory, "memorize", content="My dentist is Ana")
    successor = done(memory, "memorize", content="My dentist is Ben")
    full = done(memory, "recall", key="gate")["memories"][0]["id"]
    return {
        "memorize": [related, duplicate, successor],
        "recall": recalled,
        "search": found,
        "update": [done(memory, "update", id=full, content="The garden gate is painted red")],
        "erase": [erased(memory, action) for action in RECEIPTS],
    }


def answers_of_a_life(memory: NTMMemoryManager) -> dict[str, list[JSON]]:
    """Return answers of each tool that together have every field in which it shows what became of a memory."""
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday"):
        noted(memory, f"Ana waters the tall beans by the garden gate on {day}")
    gist = memory.consolidate(distiller=lambda _: "Ana waters beans", progress=False).gists[0].old
    again = done(memory, "memorize", content="Well, Ana waters beans", type="gist")
    noted(memory, "Ana waters nothing", supersedes=gist)
    noted(memory, "The hose is broken", valid_until="2099-01-01", pinned=True)
    memory.memorize_many({"content": f"The dentist is {who}", "at": at} for at, who in SUCCESSION.items())
    with NTMMemoryManager(MemoryStore(), HashedEncoder(), Settings(memory_size=1)) as small:
        noted(small, "The hose is broken")
        crowded = done(small, "memorize", content="Zebras live in herds")
    all_of_it = {"include_superseded": True, "include_forgotten": True}
    for content in ("At the Graz fair I met Mila Okafor", "Mila Okafor lent me a ladder"):
        noted(memory, content)
    queries = [
        ("Ana waters beans", all_of_it),
        ("The hose is broken", {}),
        ("who is the dentist now?", {}),
        ("What was lent to me by the woman whom I met at the Graz fair?", {}),
    ]
    return {
        "memorize": [again, crowded],
        "recall": [done(memory, "recall", query=query, explain=True, **kept) for query, kept in queries],
        "search": [done(memory, "search", query=query, explain=True, filters=kept) for query, kept in queries],
        "update": [
            done(memory, "update", id=gist, pinned=True),
            done(memory, "update", id=noted(memory, "The hose leaks", valid_until="2099-01-01"), importance=1),
        ],
        "erase": [
            done(memory, "erase", query=query)
            for query in ("waters beans", "hose broken leaks", noted_twice(memory, "Ana waters beans"))
        ],
    }


def noted_twice(memory: NTMMemoryManager, content: str) -> str:
    """Store what is there already a second time, and return it: a text that names no single memory."""
    noted(memory, content, force=True)
    return content


def erased(memory: NTMMemoryManager, action: str) -> JSON:
    """Return an answer of erase whose receipt has this action."""
    if action == "none":
        return done(memory, "erase", query="gate painted")
    how: dict[str, JSON] = {"erased": {}, "faded": {"strength": 0.5}, "purged": {"purge": True}}
    return done(memory, "erase", id=noted(memory, f"to be {action}"), **how[action])


def at(envelope: JSON, place: Place) -> JSON:
    """Return the object that stands at a place in an envelope."""
    inner: Any = envelope
    for step in place:
        inner = inner[step]
    assert isinstance(inner, dict)
    return inner


def example(memory: NTMMemoryManager, tool: str) -> JSON:
    """Return an answer of a tool that has something at each of its places."""
    given = answers(memory)[tool]
    if tool != "memorize":
        return given[0]
    return {**given[0], "duplicates": given[1]["duplicates"], "superseded": given[2]["superseded"]}


def fields(schema: JSON, path: str = "") -> set[str]:
    """Return the path of every field that a schema names."""
    named: set[str] = set()
    for name, part in schema.get("properties", {}).items():
        inner = part.get("items", part)
        named |= {f"{path}{name}"} | fields(inner, f"{path}{name}.")
    return named


def paths(value: object, path: str = "") -> set[str]:
    """Return the path of every field that an answer has."""
    if isinstance(value, list):
        return {found for part in value for found in paths(part, path)}
    if not isinstance(value, dict):
        return set()
    return {f"{path}{name}" for name in value} | {
        found for name, part in value.items() for found in paths(part, f"{path}{name}.")
    }


def refused(tool: str, envelope: JSON) -> None:
    """Require that an envelope breaks its tool's schema."""
    with pytest.raises(ValidationError):
        conforming(tool, envelope)


@pytest.mark.parametrize("tool", TOOLS)
def test_an_output_schema_is_json_schema_with_an_object_at_its_root(tool: str) -> None:
    """Draft 2020-12, and what MCP asks of it; it can be sent, and every field is explained."""
    schema = TOOLS[tool].output_schema
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    assert schema["type"] == "object"
    assert {"ok", "error"} < schema["properties"].keys()
    assert all(part["description"] for part in schema["properties"].values())


def test_every_published_field_is_given_by_some_answer(garden: NTMMemoryManager, loading: NTMMemoryManager) -> None:
    """And every one that is given is published: else an answer of this test would break its schema."""
    life = answers_of_a_life(garden)
    given = {tool: more + life[tool] for tool, more in answers(garden).items()}
    for tool in ("recall", "search", "erase"):
        given[tool].append(done(loading, tool, query="garden"))
    garden.reranking = Reranking(LetterReranker(), candidates=20)
    for tool in ("recall", "search"):
        given[tool].append(done(garden, tool, query="garden", explain=True, backend="crossbar"))
    for tool, spec in TOOLS.items():
        seen = paths([*given[tool], FAILURE])
        checksums = {path for path in seen if path.startswith("receipt.sha256.")}  # by the names of files
        assert (tool, (seen - checksums) ^ fields(spec.output_schema)) == (tool, set())


@pytest.mark.parametrize(("tool", "place", "_"), ALWAYS)
def test_a_field_that_nobody_named_is_refused(tool: str, place: Place, _: str, garden: NTMMemoryManager) -> None:
    """On every floor of an answer."""
    envelope = example(garden, tool)
    conforming(tool, envelope)
    at(envelope, place)["colour"] = "red"
    refused(tool, envelope)


@pytest.mark.parametrize(("tool", "place", "_"), ALWAYS)
def test_a_value_of_another_type_is_refused(tool: str, place: Place, _: str, garden: NTMMemoryManager) -> None:
    """Whichever field it is: true is no text and no number, and a text is not true."""
    envelope = example(garden, tool)
    for name, value in at(envelope, place).items():
        wrong = copy.deepcopy(envelope)
        at(wrong, place)[name] = "yes" if value is True else True
        refused(tool, wrong)


@pytest.mark.parametrize(("tool", "place", "names"), ALWAYS)
def test_no_more_may_be_missing_than_was_not_given(
    tool: str, place: Place, names: str, garden: NTMMemoryManager
) -> None:
    """Programs count on the rest. Of a receipt and what comes with it more is said below."""
    envelope = example(garden, tool)
    for name in at(envelope, place):
        rest = copy.deepcopy(envelope)
        del at(rest, place)[name]
        if name in names.split():
            refused(tool, rest)
        else:
            conforming(tool, rest)


@pytest.mark.parametrize("tool", TOOLS)
def test_success_and_failure_cannot_be_mixed(tool: str, garden: NTMMemoryManager) -> None:
    """A failure has its error alone, and a success none."""
    envelope = example(garden, tool)
    conforming(tool, FAILURE)
    error = FAILURE["error"]
    wrong: list[JSON] = [
        {**envelope, "error": error},
        {**envelope, "ok": False},
        {**envelope, **FAILURE},
        {"ok": False},
        {"ok": True},
        {"ok": True, "error": error},
        {**envelope, "ok": 1},
        {"error": error},
        {**FAILURE, "error": {**error, "path": "here"}},
        *({**FAILURE, "error": {name: error[name] for name in error if name != left_out}} for left_out in error),
    ]
    for each in wrong:
        refused(tool, each)


@pytest.mark.parametrize("action", RECEIPTS)
def test_each_kind_of_receipt_fits_and_passes_for_no_other(action: str, garden: NTMMemoryManager) -> None:
    """An erased memory's receipt has no files, and one for nothing has no digest."""
    envelope = erased(garden, action)
    assert envelope["receipt"]["action"] == action
    conforming("erase", envelope)
    alike = {"erased", "faded"} if action in ("erased", "faded") else {action}
    for other in {*RECEIPTS, "archived"} - alike:
        refused("erase", {**envelope, "receipt": {**envelope["receipt"], "action": other}})


@pytest.mark.parametrize("action", RECEIPTS)
def test_no_part_of_a_receipt_may_be_missing(action: str, garden: NTMMemoryManager) -> None:
    """Whatever was done."""
    envelope = erased(garden, action)
    for name in envelope["receipt"]:
        rest = {part: value for part, value in envelope["receipt"].items() if part != name}
        refused("erase", {**envelope, "receipt": rest})


def test_candidates_come_where_nothing_was_erased_and_nowhere_else(garden: NTMMemoryManager) -> None:
    """With a hint; and nothing means none."""
    nothing, something = erased(garden, "none"), erased(garden, "erased")
    for name in ("candidates", "hint"):
        refused("erase", {part: value for part, value in nothing.items() if part != name})
        refused("erase", {**something, name: nothing[name]})
    refused("erase", {**nothing, "receipt": {**nothing["receipt"], "count": 1}})
    refused("erase", {**nothing, "receipt": {**nothing["receipt"], "ids": ["m0"]}})


@pytest.mark.parametrize("tool", ["recall", "search"])
def test_an_answer_by_words_alone_fits(tool: str, loading: NTMMemoryManager) -> None:
    """It has a notice, no cosine among the reasons, and null in the trace."""
    envelope = done(loading, tool, query="garden", explain=True)
    (hit,) = envelope["hits" if tool == "search" else "memories"]
    assert envelope["notice"]
    assert "cosine" not in hit["why"]
    assert hit["trace"]["cosine"] is None


def test_a_refused_call_fits_each_tool_s_schema(memory: NTMMemoryManager) -> None:
    """What a model reads of its mistake is published, too."""
    for tool in TOOLS:
        assert called(memory, tool, {"colour": "red"})["ok"] is False
