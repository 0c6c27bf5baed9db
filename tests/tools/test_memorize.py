"""Memorize: everything that is given is kept, and what it resembles is told."""

from __future__ import annotations

from dataclasses import asdict

from ntm_memory_skill import NTMMemoryManager
from tests.tools.calls import done, found, ids, noted, refused

HELD = {"at": "2026-05-09T14:30:00+02:00", "valid_until": "2027-05-09T14:30:00+02:00"}
UNRELATED = [
    "Bread costs four coins",
    "Sunday is market day",
    "My umbrella was stolen",
    "Winter begins soon",
    "Zebras live in herds",
    "Piano lessons at noon",
    "Juice with ice please",
    "Quick lunch with Oskar",
    "Velvet curtains arrived",
    "Hiking boots need laces",
]


def test_every_field_that_is_given_is_kept(memory: NTMMemoryManager) -> None:
    """In the memory as it is stored, not only in the answer."""
    given = {
        "content": "Ana lives in Lisbon",
        "key": "where Ana lives",
        "importance": 0.75,
        "type": "fact",
        "session": "standup",
        "source": "Ana",
        "ref": "msg-17",
        "pinned": True,
    }
    envelope = done(memory, "memorize", **given, tags=["people", "travel"], **HELD)
    record = memory.get(envelope["id"])
    assert {name: asdict(record)[name] for name in given} == given
    assert record.tags == ("people", "travel")
    assert {name: getattr(record, name).isoformat() for name in HELD} == HELD
    assert envelope == {
        "ok": True,
        "id": record.id,
        "slot": record.slot,
        "stored": "new",
        "related": [],
        "duplicates": [],
        "superseded": [],
    }


def test_what_is_not_given_has_the_defaults_that_the_descriptions_state(memory: NTMMemoryManager) -> None:
    """A note of middling importance, of now."""
    record = memory.get(noted(memory, "Ana lives in Lisbon", key=None, importance=None, tags=None, type=None, at=None))
    assert (record.importance, record.type, record.tags) == (0.5, "note", ())
    assert (record.key, record.session, record.source, record.ref) == (None, None, None, None)
    assert record.at == record.created


def test_each_memory_has_an_id_and_a_slot_of_its_own(memory: NTMMemoryManager) -> None:
    """Though the text be the same, where that is asked for."""
    answers = [done(memory, "memorize", content="Ana lives in Lisbon", force=True) for _ in range(5)]
    assert len({answer["id"] for answer in answers}) == 5
    assert len({answer["slot"] for answer in answers}) == 5


def test_a_memory_that_stands_out_as_alike_is_related(memory: NTMMemoryManager) -> None:
    """With its text to know it by; the unrelated ones are not told."""
    for text in UNRELATED:
        noted(memory, text)
    alike = noted(memory, "The garden gate is painted green")
    answer = done(memory, "memorize", content="The garden gate is broken")
    assert ids(answer["related"]) == [alike]
    (told,) = answer["related"]
    assert told.keys() == {"id", "content", "cosine", "overlap"}
    assert told["content"] == "The garden gate is painted green"
    assert 0 < told["cosine"] < 1
    assert 0 < told["overlap"] < 1
    assert answer["duplicates"] == []


def test_a_forced_memory_that_says_the_same_is_a_duplicate_and_both_are_kept(memory: NTMMemoryManager) -> None:
    """Nothing is merged behind the agent's back."""
    first = noted(memory, "The garden gate is painted green")
    answer = done(memory, "memorize", content="The garden gate is painted GREEN!", force=True)
    assert answer["stored"] == "new"
    assert ids(answer["duplicates"]) == [first]
    assert answer["duplicates"][0]["action"] == "both kept"
    assert answer["related"] == []
    assert set(ids(found(memory, "garden gate"))) == {first, answer["id"]}


def test_of_a_long_memory_an_excerpt_is_told(memory: NTMMemoryManager) -> None:
    """The answer to a write is no place for a whole document; the memory itself is whole."""
    text = "The garden gate is painted green. " * 30
    first = noted(memory, text)
    (told,) = done(memory, "memorize", content=text)["duplicates"]
    assert text.startswith(told["content"])
    assert 0 < len(told["content"]) < len(text)
    assert memory.get(first).content == text


def test_what_is_superseded_is_no_longer_found_except_as_of_then(memory: NTMMemoryManager) -> None:
    """The new memory stands in its place from its own time on."""
    old = noted(memory, "Ana lives in Lisbon", at="2026-01-01")
    new = noted(memory, "Ana lives in Porto", at="2026-03-01", supersedes=old)
    assert ids(found(memory, "where does Ana live")) == [new]
    assert ids(found(memory, "where does Ana live", filters={"as_of": "2026-02-01"})) == [old]


def test_superseding_what_is_not_there_stores_nothing(memory: NTMMemoryManager) -> None:
    """Neither an id that never was, nor one that was erased."""
    erased = noted(memory, "Ana lives in Lisbon")
    done(memory, "erase", id=erased)
    for ident in ("m0", erased):
        assert refused(memory, "memorize", content="Ana lives in Porto", supersedes=ident)["code"] == "unknown_memory"
    assert len(memory) == 0
