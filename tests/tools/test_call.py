"""A call always ends in one of two ways: an envelope for the model, or an error for the host."""

from __future__ import annotations

from typing import Any, NoReturn, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import HashedEncoder, InputError, M3Settings, NTMMemoryError, NTMMemoryManager, Settings
from ntm_memory_skill.engine.validation import FILTERS
from ntm_memory_skill.errors import StoreClosed, error_classes
from ntm_memory_skill.store import MemoryStore
from ntm_memory_skill.tools import TOOLS, call, failure
from tests.conftest import OpenMemory
from tests.tools.calls import called, done, everything, noted, refused

FOR_THE_MODEL = [kind for kind in error_classes() if issubclass(kind, InputError)]
FOR_THE_HOST = [kind for kind in error_classes() if not issubclass(kind, InputError)]
REQUIRED: dict[str, dict[str, Any]] = {
    "memorize": {"content": "text"},
    "recall": {"query": "text"},
    "search": {"query": "text"},
    "update": {"id": "m0", "content": "text"},
    "erase": {"id": "m0"},
}

any_text = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates among them
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
)
plausible = st.sampled_from(
    [
        "0",
        "gate",
        "2026-01-01",
        "The garden gate is green",
        0,
        1,
        0.5,
        True,
        ["0", "gate"],
        {"tags": ["0"]},
        {"as_of": "2027"},
        {"include_forgotten": True},
        "exact",
    ]
)


class Failing:
    """A memory whose every verb fails in the same way."""

    def __init__(self, error: NTMMemoryError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> NoReturn:
        raise self._error


def failing(error: NTMMemoryError) -> NTMMemoryManager:
    """Return a memory that fails with an error."""
    return cast("NTMMemoryManager", Failing(error))


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("kind", FOR_THE_MODEL)
def test_an_error_that_arguments_could_mend_becomes_an_envelope(kind: type[InputError], tool: str) -> None:
    """Its code, message and hint are what the model reads."""
    error = kind("what went wrong", hint="what to do")
    envelope = called(failing(error), tool, REQUIRED[tool])
    assert envelope == {
        "ok": False,
        "error": {"code": kind.code, "message": "what went wrong", "hint": "what to do"},
    }


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("kind", FOR_THE_HOST)
def test_every_other_error_is_raised(kind: type[NTMMemoryError], tool: str) -> None:
    """A full disk or a missing model is for the host to log; the model cannot mend it."""
    with pytest.raises(kind):
        call(failing(kind("the disk is full")), tool, REQUIRED[tool])


def test_the_two_kinds_of_errors_are_both_there() -> None:
    """The two tests above would pass over an empty list."""
    assert {"unknown_memory", "memory_full", "import_refused"} <= {kind.code for kind in FOR_THE_MODEL}
    assert {"store_full", "encoder_mismatch", "invalid_config"} <= {kind.code for kind in FOR_THE_HOST}


def test_a_closed_memory_is_an_error_of_the_store(memory: NTMMemoryManager) -> None:
    """A real one, beside the made-up ones above."""
    memory.close()
    with pytest.raises(StoreClosed):
        call(memory, "memorize", {"content": "too late"})


@pytest.mark.parametrize(("forget", "pinned"), [(False, False), (True, True)])
def test_a_full_memory_of_which_nothing_may_be_forgotten_is_an_answer(
    forget: bool, pinned: bool, open_memory: OpenMemory
) -> None:
    """The model may erase something; nothing was stored, and nothing given up for it."""
    memory = open_memory(settings=Settings(memory_size=1, m3=M3Settings(forget=forget)))
    noted(memory, "The only one", pinned=pinned)
    before = everything(memory)
    assert refused(memory, "memorize", content="One more")["code"] == "memory_full"
    assert everything(memory) == before


def test_an_error_s_envelope_carries_its_class_s_hint() -> None:
    """Where nothing better is known."""
    for kind in error_classes():
        assert failure(kind("message"))["error"] == {
            "code": kind.code,
            "message": "message",
            "hint": kind.default_hint,
        }


@pytest.mark.parametrize("tool", ["forget", "Memorize", "memorize ", "", "ntm-memory__recall"])
def test_an_unknown_tool_is_an_answer(tool: str, memory: NTMMemoryManager) -> None:
    """Names are exact."""
    assert refused(memory, tool)["code"] == "unknown_tool"


@pytest.mark.parametrize("tool", TOOLS)
def test_an_unknown_argument_is_an_answer_with_the_known_ones(tool: str, memory: NTMMemoryManager) -> None:
    """It is not passed over: what it was to do would silently not happen."""
    error = refused(memory, tool, **REQUIRED[tool], colour="red")
    assert error["code"] == "unknown_argument"
    assert all(name in error["hint"] for name in TOOLS[tool].properties)


def test_an_id_cannot_be_chosen_for_a_new_memory(memory: NTMMemoryManager) -> None:
    """Though an import may bring one along: the tool has no such argument."""
    assert refused(memory, "memorize", content="text", id="m0")["code"] == "unknown_argument"
    assert len(memory) == 0


def test_an_unknown_filter_is_an_answer_of_its_own(memory: NTMMemoryManager) -> None:
    """A filter that is passed over would return what it was to keep out."""
    error = refused(memory, "search", query="text", filters={"author": "Ana"})
    assert error["code"] == "unknown_filter"
    assert "as_of" in error["hint"]


@pytest.mark.parametrize("tool", TOOLS)
def test_null_counts_as_not_given(tool: str, memory: NTMMemoryManager) -> None:
    """Several hosts write an optional argument that way."""
    ident = noted(memory, "The garden gate is green")
    needed = REQUIRED[tool] | ({"id": ident} if "id" in REQUIRED[tool] else {})
    done(memory, tool, **{**dict.fromkeys(TOOLS[tool].properties), **needed})


def test_null_in_a_filter_counts_as_not_given(memory: NTMMemoryManager) -> None:
    """A host that writes every filter out as null filters nothing."""
    noted(memory, "The kettle whistles in G")
    nulls = dict.fromkeys(FILTERS)
    assert len(done(memory, "search", query="kettle", filters=nulls)["hits"]) == 1


def test_null_for_a_required_argument_is_a_missing_one(memory: NTMMemoryManager) -> None:
    """As it is where the argument is left out."""
    missing = refused(memory, "memorize")
    assert missing["code"] == "invalid_argument"
    assert refused(memory, "memorize", content=None) == missing


@pytest.mark.parametrize(
    ("tool", "name", "value"),
    [
        ("memorize", "content", 5),
        ("memorize", "content", ["a"]),
        ("memorize", "importance", "high"),
        ("memorize", "importance", True),
        ("memorize", "importance", 1.5),
        ("memorize", "importance", float("nan")),
        ("memorize", "tags", "travel"),
        ("memorize", "tags", ["a", 5]),
        ("memorize", "tags", [f"tag {number}" for number in range(33)]),
        ("memorize", "at", 1_767_225_600),
        ("memorize", "at", "yesterday"),
        ("memorize", "key", {}),
        ("memorize", "key", ""),
        ("memorize", "session", "x" * 257),
        ("memorize", "force", "yes"),
        ("memorize", "force", 1),
        ("memorize", "pinned", 1),
        ("memorize", "pinned", "true"),
        ("memorize", "valid_until", "soon"),
        ("memorize", "valid_until", 2_027),
        ("memorize", "valid_until", True),
        ("recall", "budget", 0),
        ("recall", "budget", 2.0),
        ("recall", "budget", "2000"),
        ("recall", "explain", "yes"),
        ("recall", "mode", "fuzzy"),
        ("recall", "mode", "Exact"),
        ("recall", "mode", ["exact"]),
        ("recall", "hops", 0),
        ("recall", "hops", 2.0),
        ("recall", "backend", "analog"),
        ("search", "backend", 1),
        ("recall", "include_superseded", "yes"),
        ("recall", "include_forgotten", 1),
        ("search", "top_k", 0),
        ("search", "top_k", 1_001),
        ("search", "top_k", True),
        ("search", "filters", []),
        ("search", "filters", {"tags": "travel"}),
        ("search", "filters", {"since": "May"}),
        ("search", "filters", {"type": 5}),
        ("search", "filters", {"include_superseded": 1}),
        ("search", "filters", {"include_forgotten": "all"}),
        ("search", "mode", "fuzzy"),
        ("search", "mode", 1),
        ("search", "hops", 5),
        ("search", "hops", True),
        ("update", "importance", -0.1),
        ("update", "tags", [None]),
        ("update", "reason", 5),
        ("update", "pinned", 1),
        ("update", "pinned", "false"),
        ("erase", "strength", 1.1),
        ("erase", "strength", float("nan")),
        ("erase", "purge", "false"),
        ("erase", "reason", ""),
    ],
)
def test_a_value_of_the_wrong_type_or_size_is_refused_and_nothing_changes(
    tool: str, name: str, value: object, memory: NTMMemoryManager
) -> None:
    """Values are not bent into shape."""
    ident = noted(memory, "The garden gate is green")
    arguments = REQUIRED[tool] | ({"id": ident} if "id" in REQUIRED[tool] else {}) | {name: value}
    before = everything(memory)
    error = refused(memory, tool, **arguments)
    assert error["code"] == "invalid_argument"
    assert name in error["message"] or (isinstance(value, dict) and any(part in error["message"] for part in value))
    assert everything(memory) == before


def test_everything_that_is_wrong_is_reported_at_once(memory: NTMMemoryManager) -> None:
    """One call to learn of it, one to mend it."""
    error = refused(memory, "memorize", importance=2, tags="travel", type=5, colour="red", content=7)
    assert error["code"] == "unknown_argument"
    for name in ("content", "importance", "tags", "type", "colour"):
        assert name in error["message"]


def test_a_missing_argument_is_reported_with_the_rest(memory: NTMMemoryManager) -> None:
    """It is not checked only after the others were mended."""
    error = refused(memory, "search", top_k=0, filters={"since": 3})
    assert error["code"] == "invalid_argument"
    for name in ("query", "top_k", "filters.since"):
        assert name in error["message"]


@given(st.sampled_from(sorted(TOOLS)), st.data())
@settings(deadline=None, max_examples=200)
def test_whatever_json_is_given_the_answer_is_an_envelope(tool: str, data: st.DataObject) -> None:
    """No argument makes a tool raise, and no envelope fails to be sent."""
    own = st.sampled_from(sorted(TOOLS[tool].properties))
    arguments = data.draw(st.dictionaries(own, st.one_of(plausible, plausible, json_values), max_size=3))
    if data.draw(st.integers(0, 3)) == 0:
        arguments |= data.draw(st.dictionaries(any_text, json_values, max_size=2))
    memory = NTMMemoryManager(MemoryStore(), HashedEncoder(dimension=8))
    memory.memorize_many([{"content": "0", "id": "m0"}, {"content": "The garden gate is green", "key": "gate"}])
    envelope = called(memory, tool, REQUIRED[tool] | arguments)
    assert envelope["ok"] is True or envelope["error"]["code"].startswith(("invalid_", "unknown_"))
