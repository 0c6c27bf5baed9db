"""Hypothesis strategies over every field of every value that the store keeps."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

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

AWKWARD = (
    "",
    "记住：三月十五日发布",
    "👩🏽\u200d💻 ships 🚀",
    'quotes " and \\ backslash',
    "two\nlines\r\n\tand a tab",
    "\x00\x1f\u2028\u2029",
    '{"seq":1,"crc":"00000000","events":[]}',
    '{"seq":1,"after":"00000000","crc":"00000000","events":[]}',
    '"tombstones":{},\n"crc":"00000000"}',
)
TEXTS = st.text(max_size=30) | st.sampled_from(AWKWARD)
IDENTS = st.text(alphabet="0123456789abcdefghjkmnpqrstvwxyz", min_size=1, max_size=13)
ZONES = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)
MOMENTS = st.datetimes(timezones=ZONES)
FRACTIONS = st.floats(0, 1)
COUNTS = st.integers(0, 2**53)
TAGS = st.lists(TEXTS, max_size=3).map(tuple)
ROWS = st.binary(max_size=32)
VERSIONS = st.builds(
    Version, content=TEXTS, importance=FRACTIONS, tags=TAGS, replaced_at=MOMENTS, reason=st.none() | TEXTS
)
DAYS = st.floats(0, 1e6, exclude_min=True)
DIFFICULTIES = st.floats(1, 10)
MANY_IDENTS = st.lists(IDENTS, max_size=3).map(tuple)
LINKS = st.lists(st.builds(Link, id=IDENTS, weight=FRACTIONS, at=MOMENTS), max_size=2).map(tuple)
OCCURRENCES = st.builds(
    Occurrence, at=MOMENTS, session=st.none() | TEXTS, source=st.none() | TEXTS, ref=st.none() | TEXTS
)
RECORDS = st.builds(
    Record,
    id=IDENTS,
    slot=COUNTS,
    ordinal=COUNTS,
    content=TEXTS,
    created=MOMENTS,
    at=MOMENTS,
    key=st.none() | TEXTS,
    importance=FRACTIONS,
    tags=TAGS,
    type=TEXTS,
    session=st.none() | TEXTS,
    source=st.none() | TEXTS,
    ref=st.none() | TEXTS,
    strength=FRACTIONS,
    accesses=COUNTS,
    accessed_at=st.none() | MOMENTS,
    versions=st.lists(VERSIONS, max_size=2).map(tuple),
    supersedes=st.none() | IDENTS,
    superseded_by=st.none() | IDENTS,
    superseded_at=st.none() | MOMENTS,
    valid_until=st.none() | MOMENTS,
    pinned=st.booleans(),
    stability=st.none() | DAYS,
    difficulty=st.none() | DIFFICULTIES,
    links=LINKS,
    repeats=COUNTS,
    occurrences=st.lists(OCCURRENCES, max_size=2).map(tuple),
    absorbed=st.lists(st.builds(Absorbed, id=IDENTS, weight=FRACTIONS), max_size=2).map(tuple),
    distilled_from=MANY_IDENTS,
    forgotten_at=st.none() | MOMENTS,
    forgotten_because=st.none() | TEXTS,
    merged_into=st.none() | IDENTS,
    erased_at=st.none() | MOMENTS,
    erased_because=st.none() | TEXTS,
)
ACCESSES = st.dictionaries(IDENTS, st.tuples(COUNTS, DAYS, DIFFICULTIES), max_size=3)
CONSOLIDATIONS = st.builds(
    Consolidated,
    run=TEXTS,
    at=MOMENTS,
    merged=MANY_IDENTS,
    superseded=MANY_IDENTS,
    forgotten=MANY_IDENTS,
    gists=MANY_IDENTS,
    successors=MANY_IDENTS,
)


def accessed(batch: dict[str, tuple[int, float, float]], at: datetime, reconsolidated: bool) -> Accessed:
    """Return a batch of accesses, with what the recalls have made of S and D or without."""
    counts, days, hardness = zip(*batch.values(), strict=True) if batch else ((), (), ())
    return Accessed(tuple(batch), counts, at, *((days, hardness) if reconsolidated else ()))


EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Memorized, record=RECORDS, key_row=ROWS),
    st.builds(
        Updated,
        id=IDENTS,
        at=MOMENTS,
        content=st.none() | TEXTS,
        importance=st.none() | FRACTIONS,
        tags=st.none() | TAGS,
        reason=st.none() | TEXTS,
        key_row=st.none() | ROWS,
        pinned=st.none() | st.booleans(),
    ),
    st.builds(Faded, id=IDENTS, at=MOMENTS, strength=FRACTIONS),
    st.builds(Erased, id=IDENTS, at=MOMENTS, reason=st.none() | TEXTS),
    st.builds(Purged, id=IDENTS, at=MOMENTS),
    st.builds(Restored, id=IDENTS, at=MOMENTS, slot=COUNTS, key_row=ROWS),
    st.builds(accessed, ACCESSES, MOMENTS, st.booleans()),
    st.builds(Linked, id=IDENTS, links=LINKS),
    st.builds(Repeated, id=IDENTS, occurrence=OCCURRENCES),
    st.builds(Forgotten, id=IDENTS, at=MOMENTS, reason=TEXTS),
    st.builds(Merged, id=IDENTS, into=IDENTS, at=MOMENTS, weight=FRACTIONS, reason=TEXTS),
    st.builds(Superseded, id=IDENTS, by=st.none() | IDENTS, at=st.none() | MOMENTS),
    CONSOLIDATIONS,
    st.builds(Undone, run=TEXTS),
)
IDENTITIES = st.builds(
    EncoderIdentity, name=TEXTS, revision=TEXTS, dimension=COUNTS, query_prefix=TEXTS, passage_prefix=TEXTS
)
