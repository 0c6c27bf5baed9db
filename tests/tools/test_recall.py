"""Recall: as much as fits a budget of characters, the best first, what was named before anything."""

from __future__ import annotations

import pytest

from ntm_memory_skill import NTMMemoryManager, Settings
from tests.conftest import OpenMemory
from tests.tools.calls import JSON, done, ids, noted, refused

LENGTHS = [40, 25, 160, 31, 90, 22]
ALL = 1_000_000


def fill(memory: NTMMemoryManager) -> list[str]:
    """Store memories of several lengths on one subject, and return their ids."""
    return [
        noted(memory, f"Garden gate {number} ".ljust(length, "x"), session="garden")
        for number, length in enumerate(LENGTHS)
    ]


def recalled(memory: NTMMemoryManager, **arguments: object) -> JSON:
    """Return a recall's envelope, once its own count of characters is right."""
    envelope = done(memory, "recall", **arguments)
    told = [said for each in envelope["memories"] for said in (each, *each.get("context", ()))]
    assert envelope["characters"] == sum(len(said["content"]) for said in told)
    return envelope


def fitting(contents: list[str], budget: int) -> list[str]:
    """Return what a budget holds: the first whatever its length, then each that still fits."""
    taken: list[str] = []
    for content in contents:
        if not taken or sum(map(len, taken)) + len(content) <= budget:
            taken.append(content)
    return taken


@pytest.mark.parametrize("budget", [1, 24, 39, 65, 100, 127, 250, 368, ALL])
def test_a_budget_holds_the_best_that_fit_and_the_rest_is_counted(budget: int, memory: NTMMemoryManager) -> None:
    """A long one is passed over for shorter ones behind it; the best comes whole in any case."""
    fill(memory)
    in_order = [each["content"] for each in recalled(memory, query="garden gate 3", budget=ALL)["memories"]]
    assert len(in_order) == len(LENGTHS)
    envelope = recalled(memory, query="garden gate 3", budget=budget)
    expected = fitting(in_order, budget)
    assert [each["content"] for each in envelope["memories"]] == expected
    assert envelope["omitted"] == len(LENGTHS) - len(expected)


def test_without_a_budget_the_configured_one_holds(open_memory: OpenMemory) -> None:
    """2000 characters unless clawhub.json says otherwise."""
    memory = open_memory(settings=Settings(recall_budget=100))
    fill(memory)
    envelope = recalled(memory, query="garden gate")
    assert envelope == recalled(memory, query="garden gate", budget=100)
    assert envelope["omitted"] > 0
    assert Settings().recall_budget == 2000


def test_what_was_stored_under_the_key_comes_first_newest_first(memory: NTMMemoryManager) -> None:
    """Then what the query finds, each memory once."""
    other = noted(memory, "The wifi is slow in the garden")
    old = noted(memory, "swordfish", key="wifi password", at="2026-01-01")
    new = noted(memory, "marlin", key="wifi password", at="2026-02-01")
    envelope = recalled(memory, key="wifi password", query="why is the wifi slow in the garden")
    assert ids(envelope["memories"])[:2] == [new, old]
    assert sorted(ids(envelope["memories"])) == sorted([new, old, other])


def test_a_key_alone_returns_what_is_stored_under_it_alone(memory: NTMMemoryManager) -> None:
    """Names are exact."""
    noted(memory, "The wifi password is not swordfish")
    named = noted(memory, "marlin", key="wifi password")
    noted(memory, "pike", key="wifi password of the office")
    assert ids(recalled(memory, key="wifi password")["memories"]) == [named]


def test_a_key_that_names_nothing_is_looked_for_in_words(memory: NTMMemoryManager) -> None:
    """Better than nothing where the name was not quite remembered."""
    ident = noted(memory, "marlin", key="wifi password")
    noted(memory, "Zebras live in herds")
    assert ids(recalled(memory, key="the wifi password")["memories"])[0] == ident


def test_an_empty_memory_recalls_nothing(memory: NTMMemoryManager) -> None:
    """And that is no error."""
    expected = {"ok": True, "memories": [], "characters": 0, "omitted": 0}
    assert recalled(memory, query="garden gate") == expected
    assert recalled(memory, key="garden gate", session="chat") == expected


def test_neither_query_nor_key_is_refused(memory: NTMMemoryManager) -> None:
    """There is nothing to recall by; null counts as nothing."""
    assert refused(memory, "recall")["code"] == "invalid_argument"
    assert refused(memory, "recall", query=None, key=None, session="chat")["code"] == "invalid_argument"


@pytest.mark.parametrize("query", ["", "  \n", "\x1b[2J"], ids=repr)
def test_a_query_without_text_is_refused(query: str, memory: NTMMemoryManager) -> None:
    """Blanks and control characters ask for nothing."""
    assert refused(memory, "recall", query=query)["code"] == "invalid_content"


def test_a_memory_is_shown_with_what_was_given_and_nothing_else(memory: NTMMemoryManager) -> None:
    """A field that nobody set would only cost the model's attention."""
    bare = noted(memory, "Garden gate", at="2026-01-01")
    (shown,) = recalled(memory, query="garden gate")["memories"]
    assert shown.pop("why").keys() <= {"cosine", "words", "said_next_to"}
    assert 0 <= shown.pop("score") <= 1
    assert shown == {
        "id": bare,
        "content": "Garden gate",
        "when": "2026-01-01T00:00:00+00:00",
        "type": "note",
        "importance": 0.5,
    }


@pytest.mark.parametrize("budget", [6, 30, 31, 53, 54, ALL])
def test_context_fills_what_the_memories_leave_of_a_budget(budget: int, memory: NTMMemoryManager) -> None:
    """What follows first, then what precedes; and it stands in the order in which it was said."""
    for content, fields in (("x" * 23, {}), ("marlin", {"key": "wifi password"}), ("y" * 25, {})):
        noted(memory, content, session="house", **fields)
    (shown,) = recalled(memory, key="wifi password", context=1, budget=budget)["memories"]
    places = {each["offset"]: each["content"] for each in shown["context"]}
    before, after = {-1: "x" * 23}, {1: "y" * 25}
    expected = {6: {}, 30: before, 31: after, 53: after, 54: {**before, **after}, ALL: {**before, **after}}
    assert list(places.items()) == list(expected[budget].items())


def test_a_trace_comes_with_explain_alone(memory: NTMMemoryManager) -> None:
    """It is long, and for whoever wonders."""
    fill(memory)
    plain = recalled(memory, query="garden gate")["memories"]
    explained = recalled(memory, query="garden gate", explain=True)["memories"]
    assert all("trace" not in each for each in plain)
    assert all(each.pop("trace")["stages"] for each in explained)
    assert explained == plain


def test_the_last_focus_of_a_chat_draws_its_next_recall(memory: NTMMemoryManager) -> None:
    """By the gate: with a session the second answer depends on the first, without one it does not."""
    fill(memory)
    noted(memory, "Zebras live in herds", session="zoo")
    alone = recalled(memory, query="garden gate 2", budget=ALL, explain=True)
    recalled(memory, query="zebras live in herds", session="chat")
    drawn = recalled(memory, query="garden gate 2", session="chat", budget=ALL, explain=True)
    again = recalled(memory, query="garden gate 2", budget=ALL, explain=True)
    gated = [
        {each["id"]: each["trace"]["stages"]["gated"] for each in envelope["memories"]}
        for envelope in (alone, drawn, again)
    ]
    assert gated[0] == gated[2]
    zebras = memory.search("zebras")[0].id
    assert gated[1][zebras] > gated[0][zebras]
