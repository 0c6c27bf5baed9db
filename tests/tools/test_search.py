"""Search: ranked hits, hard filters, the past as it was, and the reasons."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from datetime import timedelta

import pytest

from ntm_memory_skill import AddressingSettings, HeadParameters, NTMMemoryManager, Settings, Trace
from ntm_memory_skill.tools.verbs import EXCERPT
from tests.conftest import OpenMemory
from tests.tools.calls import JSON, done, found, ids, noted, refused

DIARY: list[JSON] = [
    {"content": "Ana planted beans by the gate", "session": "garden", "at": "2026-01-01", "tags": ["ana", "plants"]},
    {"content": "Ben painted the gate green", "session": "garden", "at": "2026-01-02", "tags": ["ben"], "type": "fact"},
    {"content": "The gate squeaks", "session": "garden", "at": "2026-01-03"},
    {"content": "Ana oiled the gate", "session": "house", "at": "2026-01-04", "tags": ["ana"], "type": "fact"},
    {"content": "The letter box is red", "session": "house", "at": "2026-01-05", "tags": ["ben", "ana"]},
    {"content": "Zebras live in herds", "at": "2026-01-06", "type": "fact"},
    {"content": "The gate was sold", "at": "2026-01-07", "tags": ["plants"]},
]
FILTERS: list[JSON] = [
    {},
    {"tags": ["ana"]},
    {"tags": ["ana", "ben"]},
    {"tags": ["ana", "ana"]},
    {"tags": []},
    {"tags": ["nobody"]},
    {"type": "fact"},
    {"session": "house"},
    {"since": "2026-01-03"},
    {"until": "2026-01-03"},
    {"since": "2026-01-02", "until": "2026-01-04"},
    {"since": "2026-01-02T00:00:01Z"},
    {"since": "2026-01-02T01:00:00+01:00"},
    {"session": "garden", "tags": ["ana"], "type": "note", "since": "2026-01-01"},
    {"session": "garden", "type": "plan"},
]


def keep_a_diary(memory: NTMMemoryManager) -> list[str]:
    """Store the diary and return its ids."""
    return [noted(memory, **entry) for entry in DIARY]


def passes(entry: JSON, filters: JSON) -> bool:
    """Return whether a diary entry meets the filters, by their description. Days compare as text."""
    happened = f"{entry['at']}T00:00:00Z"
    since = filters.get("since", "0").replace("T01:00:00+01:00", "T00:00:00Z")
    until = filters.get("until", "9")
    return (
        set(filters.get("tags", [])) <= set(entry.get("tags", []))
        and filters.get("type", entry.get("type", "note")) == entry.get("type", "note")
        and filters.get("session", entry.get("session")) == entry.get("session")
        and since <= happened <= (until if "T" in until else f"{until}T00:00:00Z")
    )


@pytest.mark.parametrize("filters", FILTERS, ids=repr)
def test_what_fails_a_filter_is_never_returned_and_the_rest_always(filters: JSON, memory: NTMMemoryManager) -> None:
    """Whatever the question is, as long as there is room in the answer."""
    keep_a_diary(memory)
    expected = sorted(entry["content"] for entry in DIARY if passes(entry, filters))
    for query in ("gate", "zebras", "who has been in the garden?"):
        assert sorted(hit["content"] for hit in found(memory, query, top_k=100, filters=filters)) == expected


def test_the_filters_above_let_something_and_keep_something() -> None:
    """Else the test above would compare nothing with nothing."""
    kept = [sum(passes(entry, filters) for entry in DIARY) for filters in FILTERS]
    assert {0, 1, 2, 3, 7} <= set(kept)


def test_hits_come_best_first_and_five_at_most_by_default(memory: NTMMemoryManager) -> None:
    """top_k asks for fewer or more."""
    keep_a_diary(memory)
    hits = found(memory, "Ben painted the gate green", top_k=7)
    assert hits[0]["content"] == "Ben painted the gate green"
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert len(hits) == 7
    assert found(memory, "Ben painted the gate green") == hits[:5]
    assert found(memory, "Ben painted the gate green", top_k=2) == hits[:2]


def test_an_empty_memory_has_no_hits(memory: NTMMemoryManager) -> None:
    """And that is no error."""
    assert done(memory, "search", query="gate") == {"ok": True, "hits": []}


@pytest.mark.parametrize(
    "query", ["", " ", "\x00", "\ud800", "x" * 32_769], ids=["none", "blank", "NUL", "half", "long"]
)
def test_a_query_that_is_no_text_is_refused(query: str, memory: NTMMemoryManager) -> None:
    """By the same rules as what is stored."""
    assert refused(memory, "search", query=query)["code"] == "invalid_content"


def test_as_of_answers_with_the_version_that_held_then(memory: NTMMemoryManager) -> None:
    """Before it was written it is not found, then as it was, then as it is."""
    ident = noted(memory, "The gate is green")
    done(memory, "update", id=ident, content="The gate is red")
    done(memory, "update", id=ident, content="The gate is blue")
    record = memory.get(ident)
    instant = timedelta(microseconds=1)
    expected = [
        (record.at - instant, []),
        (record.at, ["The gate is green"]),
        (record.versions[0].replaced_at - instant, ["The gate is green"]),
        (record.versions[0].replaced_at, ["The gate is red"]),
        (record.versions[1].replaced_at - instant, ["The gate is red"]),
        (record.versions[1].replaced_at, ["The gate is blue"]),
    ]
    for moment, contents in expected:
        hits = found(memory, "what colour is the gate", filters={"as_of": moment.isoformat()})
        assert [hit["content"] for hit in hits] == contents
    assert [hit["content"] for hit in found(memory, "gate")] == ["The gate is blue"]


def test_an_explained_hit_carries_every_term_of_its_trace(memory: NTMMemoryManager) -> None:
    """The same numbers as the manager's own trace; the words stand under why."""
    keep_a_diary(memory)
    shown = found(memory, "who oiled the gate", explain=True)
    for hit, own in zip(shown, memory.search("who oiled the gate"), strict=True):
        stages = hit["trace"].pop("stages")
        neighbours, terms, chain = (hit["trace"].pop(name) for name in ("neighbours", "terms", "chain"))
        told = {*hit["trace"], *stages, "neighbours", "terms", "chain", "matched_terms"}
        assert told == {each.name for each in fields(Trace)}
        assert {**hit["trace"], **stages} == {name: getattr(own.trace, name) for name in {*hit["trace"], *stages}}
        assert [(each["id"], each["offset"], each["weight"]) for each in neighbours] == [
            (each.id, each.offset, each.weight) for each in own.trace.neighbours
        ]
        assert [tuple(term.values()) for term in terms] == [
            (term.name, term.value, term.weight, term.value * term.weight) for term in own.trace.terms
        ]
        assert chain == [asdict(step) for step in own.trace.chain]
        assert hit["why"].get("words", []) == list(own.trace.matched_terms)


def test_the_terms_of_a_hit_add_up_to_its_content_score(memory: NTMMemoryManager) -> None:
    """Each is its value times its weight, and none of them weighs nothing."""
    keep_a_diary(memory)
    for query in ("who oiled the gate", "what happened in January 2026?", "门"):
        for hit in found(memory, query, top_k=100, explain=True):
            terms = hit["trace"]["terms"]
            assert sum(term["contribution"] for term in terms) == pytest.approx(hit["trace"]["content_score"], abs=1e-4)
            assert all(term["weight"] for term in terms)
    best = found(memory, "what happened on 2 January 2026?", explain=True)[0]
    assert {term["name"] for term in best["trace"]["terms"]} == {"meaning", "words", "commonness", "brevity", "time"}


@pytest.mark.parametrize("top_k", range(1, len(DIARY)))
@pytest.mark.parametrize("filters", [{}, {"session": "garden"}, {"as_of": "2026-01-05"}], ids=repr)
def test_what_was_missed_is_the_next_of_a_longer_answer(top_k: int, filters: JSON, memory: NTMMemoryManager) -> None:
    """What sets it apart from the last hit adds up to the logarithm of the ratio of their weights."""
    keep_a_diary(memory)
    ranked = found(memory, "who oiled the gate", top_k=100, filters=filters, explain=True)
    envelope = done(memory, "search", query="who oiled the gate", top_k=top_k, filters=filters, explain=True)
    assert envelope["hits"] == ranked[:top_k]
    if top_k >= len(ranked):
        assert "missed" not in envelope
        return
    missed = envelope["missed"]
    assert (missed["id"], missed["rank"]) == (ranked[top_k]["id"], top_k + 1)
    amounts = [each["amount"] for each in missed["differences"]]
    assert amounts == sorted(amounts, key=abs, reverse=True)
    one, other = (ranked[place]["trace"]["stages"]["shifted"] for place in (top_k, top_k - 1))
    assert sum(amounts) == pytest.approx(math.log(one / other), abs=2e-3)


def test_what_was_missed_is_told_with_explain_alone(memory: NTMMemoryManager) -> None:
    """And where there is nothing else, nothing was missed."""
    assert "missed" not in done(memory, "search", query="gate", explain=True)
    keep_a_diary(memory)
    assert "missed" not in done(memory, "search", query="gate", top_k=1)
    assert "missed" not in done(memory, "search", query="gate", top_k=len(DIARY), explain=True)
    assert "missed" in done(memory, "search", query="gate", top_k=len(DIARY) - 1, explain=True)


def test_of_a_long_memory_that_was_missed_only_the_beginning_is_told(memory: NTMMemoryManager) -> None:
    """Enough to know it by: it is no hit. At another time, that is how it began then."""
    noted(memory, "The gate is green " * 30)
    ident = noted(memory, "Zebras " * 100)
    record = memory.get(ident)
    done(memory, "update", id=ident, content="Giraffes " * 100)
    asked: JSON = {"query": "The gate is green", "top_k": 1, "explain": True}
    assert done(memory, "search", **asked)["missed"]["content"] == ("Giraffes " * 100)[:EXCERPT]
    then = done(memory, "search", **asked, filters={"as_of": record.at.isoformat()})
    assert then["missed"]["content"] == ("Zebras " * 100)[:EXCERPT]


def test_the_stages_are_shares_of_one_attention(memory: NTMMemoryManager) -> None:
    """Each from 0 to 1, and of all memories together 1 after every stage."""
    keep_a_diary(memory)
    for query in ("who oiled the gate", "zebras", "?"):
        stages = [hit["trace"]["stages"] for hit in found(memory, query, top_k=100, explain=True)]
        assert len(stages) == len(DIARY)
        for name in ("content", "gated", "shifted", "sharpened"):
            assert all(0 <= stage[name] <= 1 for stage in stages)
            assert sum(stage[name] for stage in stages) == pytest.approx(1, abs=1e-5)


def test_a_hit_that_its_neighbour_drew_says_so(open_memory: OpenMemory) -> None:
    """More weight came from the memory before it on the tape than it had by itself; of other tapes none comes."""
    sharp = AddressingSettings(head=HeadParameters(key_strength=3.0))
    memory = open_memory(settings=Settings(addressing=sharp))
    ana, ben, squeak, *_ = keep_a_diary(memory)
    hits = {hit["id"]: hit for hit in found(memory, "Ana planted beans by the gate", top_k=100, explain=True)}
    assert next(iter(hits)) == ana
    assert "said_next_to" not in hits[ana]["why"]
    assert hits[ben]["why"]["said_next_to"] == ana
    assert {each["id"]: each["offset"] for each in hits[ben]["trace"]["neighbours"]} == {ana: 1, squeak: -1}
    for hit in hits.values():
        assert {hits[each["id"]].get("session") for each in hit["trace"]["neighbours"]} <= {hit.get("session")}


def test_a_hit_names_the_words_it_shares_with_the_question(memory: NTMMemoryManager) -> None:
    """And has none to name where there are none."""
    keep_a_diary(memory)
    hits = {hit["content"]: hit["why"] for hit in found(memory, "gate paint", top_k=100)}
    assert set(hits["Ben painted the gate green"]["words"]) == {"gate", "paint"}
    assert hits["The gate squeaks"]["words"] == ["gate"]
    assert "words" not in hits["Zebras live in herds"]


def test_what_was_said_around_a_hit_comes_where_it_was_asked_for(memory: NTMMemoryManager) -> None:
    """In order, with place and time, and with whose words they are where that is known; else it is an empty list."""
    keep_a_diary(memory)
    first = noted(memory, "A hinge broke", session="shed", at="2026-01-01T08:00:00+01:00", source="Ana", ref="n1")
    noted(memory, "Ben ordered a new hinge", session="shed", at="2026-01-02")
    last = noted(memory, "It came by post", session="shed", at="2026-01-03")
    question = "Ben ordered a new hinge"
    (hit,) = found(memory, question, top_k=1, context=2)
    assert hit["context"] == [
        {
            "id": first,
            "content": "A hinge broke",
            "offset": -1,
            "when": "2026-01-01T08:00:00+01:00",
            "source": "Ana",
            "ref": "n1",
        },
        {"id": last, "content": "It came by post", "offset": 1, "when": "2026-01-03T00:00:00+00:00"},
    ]
    del hit["context"]
    assert found(memory, question, top_k=1) == found(memory, question, top_k=1, context=0) == [hit]
    (alone,) = found(memory, "Zebras live in herds", top_k=1, context=2)
    assert alone["context"] == []


@pytest.mark.parametrize("context", [-1, 11, 1.5, "1", True], ids=repr)
def test_a_context_out_of_range_is_refused(context: object, memory: NTMMemoryManager) -> None:
    """By search and recall alike; null counts as not given."""
    keep_a_diary(memory)
    for tool in ("search", "recall"):
        assert refused(memory, tool, query="gate", context=context)["code"] == "invalid_argument"
        assert done(memory, tool, query="gate", context=None) == done(memory, tool, query="gate")


def test_an_erased_memory_is_not_found_not_even_as_of_then(memory: NTMMemoryManager) -> None:
    """The past is shown as it was, but for what was to be forgotten."""
    ident = noted(memory, "The gate is green", at="2026-01-01")
    done(memory, "erase", id=ident)
    assert found(memory, "gate") == []
    assert ids(found(memory, "gate", filters={"as_of": "2026-01-02"})) == []
