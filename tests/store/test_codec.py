"""What is written as JSON is read back equal, and what was never written is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import (
    Absorbed,
    Accessed,
    Consolidated,
    EncoderIdentity,
    Erased,
    Event,
    Faded,
    Forgotten,
    Link,
    Linked,
    Memorized,
    Merged,
    Occurrence,
    Purged,
    Record,
    Repeated,
    Restored,
    Superseded,
    Undone,
    Updated,
    Version,
)
from ntm_memory_skill.store.codec import (
    event_from_json,
    event_to_json,
    identity_from_json,
    identity_to_json,
    record_from_json,
    record_to_json,
)
from tests.store.builders import IDENTITY, ident, memorized, moment, record, row
from tests.store.strategies import EVENTS, IDENTITIES, RECORDS

Read = Callable[[object], object]

FULL_VERSION = Version("before", 0.25, ("old",), moment(1), "a reason")
FULL_LINK = Link(ident(3), 0.25, moment(6))
FULL_ABSORBED = Absorbed(ident(4), 0.5)
FULL_OCCURRENCE = Occurrence(at=moment(7), session="chat", source="user", ref="message 8")
FULL_RECORD = record(
    1,
    at=moment(2).astimezone(timezone(timedelta(hours=8))),
    key="launch date",
    importance=0.75,
    tags=("a", "b"),
    type="fact",
    session="chat",
    source="user",
    ref="message 7",
    strength=0.5,
    accesses=3,
    accessed_at=moment(5),
    versions=(FULL_VERSION,),
    supersedes=ident(0),
    superseded_by=ident(2),
    superseded_at=moment(3),
    valid_until=moment(8),
    pinned=True,
    stability=2.5,
    difficulty=5.5,
    links=(FULL_LINK,),
    repeats=9,
    occurrences=(FULL_OCCURRENCE,),
    absorbed=(FULL_ABSORBED,),
    distilled_from=(ident(5), ident(6)),
    forgotten_at=moment(9),
    forgotten_because="not recalled",
    merged_into=ident(7),
    erased_at=moment(4),
    erased_because="outdated",
)
FULL_IDENTITY = EncoderIdentity("a model", "r1", 384, "query: ", "passage: ")
FULL_EVENTS: tuple[Event, ...] = (
    Memorized(FULL_RECORD, row(1)),
    Updated(ident(1), moment(1), "new", 0.75, ("a",), "a reason", row(1), pinned=False),
    Faded(ident(1), moment(1), 0.25),
    Erased(ident(1), moment(1), "a reason"),
    Purged(ident(1), moment(1)),
    Restored(ident(1), moment(1), 3, row(1)),
    Accessed((ident(1), ident(2)), (1, 2), moment(1), (2.5, 0.5), (5.5, 1.0)),
    Linked(ident(1), (FULL_LINK,)),
    Repeated(ident(1), FULL_OCCURRENCE),
    Forgotten(ident(1), moment(1), "not recalled"),
    Merged(ident(1), ident(2), moment(1), 0.5, "the same"),
    Superseded(ident(1), ident(2), moment(1)),
    Consolidated("a run", moment(1), (ident(1),), (ident(2),), (ident(3),), (ident(4),), (ident(5),)),
    Undone("a run"),
)


def through_json(value: Any) -> Any:
    """Return a value as another program would read it from the file, with the standard library's parser."""
    return json.loads(orjson.dumps(value))


FULL: list[tuple[str, Read, dict[str, Any]]] = [
    ("record", record_from_json, through_json(record_to_json(FULL_RECORD))),
    ("identity", identity_from_json, through_json(identity_to_json(FULL_IDENTITY))),
    *((type(event).__name__.lower(), event_from_json, through_json(event_to_json(event))) for event in FULL_EVENTS),
]
EVERY_KIND = pytest.mark.parametrize(("read", "full"), [case[1:] for case in FULL], ids=[case[0] for case in FULL])

SAMPLES: tuple[Any, ...] = (None, True, 7, 1.5, "some text", "2026-01-01T00:00:00", [7], {"a": 1})
TIMES = {"at", "created", "superseded_at", "erased_at", "replaced_at", "accessed_at", "valid_until", "forgotten_at"}
NUMBERS = {"importance", "strength", "stability", "difficulty", "weight"}
COUNTS = {"slot", "ordinal", "dimension", "accesses", "repeats"}
STRUCTURES = {
    *("record", "versions", "tags", "key_row", "ids", "counts", "stabilities", "difficulties", "links", "absorbed"),
    *("occurrence", "occurrences", "distilled_from", "merged", "superseded", "forgotten", "gists", "successors"),
}


def fits(name: str, sample: Any) -> bool:
    """Return whether a sample is of the type that a field of this name has."""
    if name == "event" or name in TIMES | STRUCTURES:
        return False  # no sample is a kind of event, a time with its zone, a record, base 64 or a list that fits
    if name in NUMBERS:
        return isinstance(sample, int | float) and not isinstance(sample, bool)
    if name in COUNTS:
        return isinstance(sample, int) and not isinstance(sample, bool)
    return isinstance(sample, bool if name == "pinned" else str)


@given(RECORDS)
@settings(deadline=None, max_examples=150)
def test_every_record_comes_back_equal(written: Record) -> None:
    """Whatever the texts, times, numbers and versions are."""
    assert record_from_json(through_json(record_to_json(written))) == written


@given(EVENTS)
@settings(deadline=None, max_examples=150)
def test_every_event_comes_back_equal(written: Event) -> None:
    """And of the same kind: Erased and Purged have fields in common."""
    found = event_from_json(through_json(event_to_json(written)))
    assert type(found) is type(written)
    assert found == written


@given(IDENTITIES)
@settings(deadline=None, max_examples=50)
def test_every_identity_comes_back_equal(written: EncoderIdentity) -> None:
    """An encoder is known by all of its fields."""
    assert identity_from_json(through_json(identity_to_json(written))) == written


def test_a_time_keeps_its_own_offset() -> None:
    """A person in Beijing reads the time that was given there, not only the same moment."""
    found = record_from_json(through_json(record_to_json(FULL_RECORD)))
    assert found.at.utcoffset() == timedelta(hours=8)


def test_one_moment_is_written_in_each_zone_as_it_was_given() -> None:
    """Whichever was written first: equal times are not the same text."""
    moment = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    zones = (UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3)))
    for at in [moment.astimezone(zone) for zone in (*zones, *reversed(zones))]:
        assert event_to_json(Erased("a", at))["at"] == at.isoformat()


def test_fields_with_their_default_are_left_out() -> None:
    """A plain memory costs six fields, a plain event its required ones."""
    assert set(record_to_json(record(1))) == {"id", "slot", "ordinal", "content", "created", "at"}
    assert set(event_to_json(Updated(ident(1), moment(1)))) == {"event", "id", "at"}
    assert set(event_to_json(Erased(ident(1), moment(1)))) == {"event", "id", "at"}
    assert set(identity_to_json(IDENTITY)) == {"name", "revision", "dimension"}


def test_values_next_to_the_default_are_kept() -> None:
    """Zero, empty and false-like values are no defaults: an update to importance 0 or to no tags says so."""
    written = Updated(ident(1), moment(1), content="", importance=0.0, tags=(), key_row=b"", pinned=False)
    assert set(event_to_json(written)) == {"event", "id", "at", "content", "importance", "tags", "key_row", "pinned"}
    assert event_from_json(through_json(event_to_json(written))) == written


def test_what_no_longer_holds_in_nobodys_favour_is_read_back() -> None:
    """Nothing is ever written as null: an event that names no successor leaves it out."""
    for written in (Superseded(ident(1), None, None), Superseded(ident(1), None, moment(1))):
        value = through_json(event_to_json(written))
        assert None not in value.values()
        assert event_from_json(value) == written


def test_the_full_samples_show_every_field() -> None:
    """The tests below go over the fields of these samples, so none may be missing from them."""
    values = (FULL_RECORD, FULL_IDENTITY, *FULL_EVENTS)
    for value, (_, _, full) in zip(values, FULL, strict=True):
        assert full.keys() - {"event"} == {spec.name for spec in fields(value)}


@EVERY_KIND
def test_an_unknown_field_is_refused(read: Read, full: dict[str, Any]) -> None:
    """It comes from a newer release or from damage; leaving it out would lose it at the next snapshot."""
    with pytest.raises(StoreDamaged):
        read({**full, "colour": "green"})


@EVERY_KIND
def test_a_value_of_the_wrong_type_is_refused_in_every_field(read: Read, full: dict[str, Any]) -> None:
    """Null is one of them: no field is ever written as null."""
    refused = 0
    for name in full:
        for sample in SAMPLES:
            if not fits(name, sample):
                with pytest.raises(StoreDamaged):
                    read({**full, name: sample})
                refused += 1
    assert refused >= 2 * len(full)


@EVERY_KIND
def test_any_value_of_the_right_type_is_read(read: Read, full: dict[str, Any]) -> None:
    """The check above is not passed by refusing everything: the sample as it stands and all that fits is accepted."""
    read(full)
    for name in full:
        for sample in SAMPLES:
            if fits(name, sample):
                read({**full, name: sample})


@EVERY_KIND
def test_something_other_than_an_object_is_refused(read: Read, full: dict[str, Any]) -> None:
    """Whatever JSON has besides objects."""
    for sample in (None, True, 7, "text", [], [full]):
        with pytest.raises(StoreDamaged):
            read(sample)


@pytest.mark.parametrize("name", ["id", "slot", "ordinal", "content", "created", "at"])
def test_a_record_without_a_required_field_is_refused(name: str) -> None:
    """There is no default to put in its place."""
    value = through_json(record_to_json(FULL_RECORD))
    del value[name]
    with pytest.raises(StoreDamaged):
        record_from_json(value)


@pytest.mark.parametrize("name", ["", "Memorized", "renamed", "Record"])
def test_an_event_of_unknown_kind_is_refused(name: str) -> None:
    """A newer release may know it; passing it over would change what the memory says."""
    with pytest.raises(StoreDamaged):
        event_from_json({**event_to_json(FULL_EVENTS[4]), "event": name})


def test_an_event_without_its_kind_is_refused() -> None:
    """Its fields alone do not tell erased from purged."""
    value = event_to_json(FULL_EVENTS[4])
    del value["event"]
    with pytest.raises(StoreDamaged):
        event_from_json(value)


UNSPEAKABLE = [float("nan"), float("inf"), float("-inf")]


@pytest.mark.parametrize("number", UNSPEAKABLE, ids=str)
def test_a_number_that_could_not_be_read_again_is_refused_at_writing(number: float) -> None:
    """JSON has no word for it: `null` in its place would be refused by every later reader, the memory with it."""
    version = Version("before", number, (), moment(1))
    once = ((ident(1),), (1,), moment(1))
    writes: list[Callable[[], object]] = [
        lambda: record_to_json(record(1, importance=number)),
        lambda: record_to_json(record(1, strength=number)),
        lambda: record_to_json(record(1, versions=(version,))),
        lambda: event_to_json(memorized(1, importance=number)),
        lambda: event_to_json(Updated(ident(1), moment(1), importance=number)),
        lambda: event_to_json(Faded(ident(1), moment(1), number)),
        lambda: record_to_json(record(1, stability=number)),
        lambda: record_to_json(record(1, difficulty=number)),
        lambda: record_to_json(record(1, links=(Link(ident(2), number, moment(1)),))),
        lambda: record_to_json(record(1, absorbed=(Absorbed(ident(2), number),))),
        lambda: event_to_json(Accessed(*once, (number,), (5.0,))),
        lambda: event_to_json(Accessed(*once, (5.0,), (number,))),
        lambda: event_to_json(Linked(ident(1), (Link(ident(2), number, moment(1)),))),
        lambda: event_to_json(Merged(ident(1), ident(2), moment(1), number, "the same")),
    ]
    for write in writes:
        with pytest.raises(StoreDamaged):
            write()


@pytest.mark.parametrize("number", [0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2])
def test_every_other_number_comes_back_exactly(number: float) -> None:
    """The smallest and the largest that there are included."""
    assert event_from_json(through_json(event_to_json(Faded(ident(1), moment(1), number)))) == Faded(
        ident(1), moment(1), number
    )


def test_counts_that_do_not_go_with_their_ids_are_refused() -> None:
    """Whose they are would be a guess."""
    value = event_to_json(FULL_EVENTS[6])
    for counts in ([], [1], [1, 2, 3], [1, None], [1, "2"], [1, True], [1, 2.5]):
        with pytest.raises(StoreDamaged):
            event_from_json({**value, "counts": counts})


def test_what_recalls_made_of_memories_is_said_of_each_of_them_or_of_none() -> None:
    """Stability and difficulty go together."""
    value = event_to_json(FULL_EVENTS[6])
    for days, hardness in (([], [1.0, 2.0]), ([1.0], [1.0]), ([1.0, 2.0], []), ([1.0, "2"], [1.0, 2.0]), (None, None)):
        with pytest.raises(StoreDamaged):
            event_from_json({**value, "stabilities": days, "difficulties": hardness})
    event_from_json({**value, "stabilities": [], "difficulties": []})


def test_a_key_row_that_is_not_base64_is_refused() -> None:
    """Decoding that passes over strange characters would give another key."""
    value = event_to_json(memorized(1))
    for changed in ("*" + value["key_row"][1:], value["key_row"][:-1], "记" + value["key_row"]):
        with pytest.raises(StoreDamaged):
            event_from_json({**value, "key_row": changed})


def test_a_damaged_version_is_refused_with_its_record() -> None:
    """What is inside a record is checked as strictly as the record."""
    value = through_json(record_to_json(FULL_RECORD))
    for changed in ({}, {**value["versions"][0], "colour": 1}, {**value["versions"][0], "content": None}, "text"):
        with pytest.raises(StoreDamaged):
            record_from_json({**value, "versions": [changed]})


@pytest.mark.parametrize("name", ["links", "absorbed", "occurrences"])
def test_a_damaged_part_of_a_record_is_refused_with_it(name: str) -> None:
    """Whatever it is that the record holds several of."""
    value = through_json(record_to_json(FULL_RECORD))
    [part] = value[name]
    assert part.keys() == {spec.name for spec in fields(getattr(FULL_RECORD, name)[0])}
    for changed in ({}, {**part, "colour": 1}, "text", None, *({**part, field: None} for field in part)):
        with pytest.raises(StoreDamaged):
            record_from_json({**value, name: [changed]})


def test_what_many_memories_have_in_common_is_there_once() -> None:
    """Labels are one string, and times that are the same one moment, however many memories have them."""
    value = {
        "id": "m1",
        "slot": 0,
        "ordinal": 0,
        "content": "x",
        "created": "2026-01-01T00:00:00+00:00",
        "at": "2026-01-01T00:00:00+00:00",
        "session": "a chat with a name",
        "tags": ["a tag of some sort"],
    }
    one, other = (record_from_json(orjson.loads(orjson.dumps({**value, "id": ident}))) for ident in ("m1", "m2"))
    assert one.session is other.session
    assert one.tags[0] is other.tags[0]
    assert one.at is one.created is other.at
