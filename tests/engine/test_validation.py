"""What the memory accepts and what it refuses, rule by rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.engine import validation
from ntm_memory_skill.errors import InputError, InvalidArgument, InvalidContent, UnknownArgument, UnknownFilter

LIMIT = 50
NOON = datetime(2026, 5, 9, 12, tzinfo=UTC)
HUGE = 10**5000
"""Python refuses to write out a number of this many digits."""


class Zoneless(tzinfo):
    """A time zone that does not know its offset."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Return that nothing is known."""
        return None

    dst = utcoffset

    def tzname(self, moment: datetime | None) -> str | None:
        """Return that nothing is known."""
        return None


def draft(**fields: object) -> validation.Draft:
    """Return the draft of a memory with some content and these fields."""
    return validation.draft({"content": "text", **fields}, LIMIT)


def refused(check: Callable[[], object]) -> tuple[type[InputError], str]:
    """Return the class and code of the error that a check raises."""
    with pytest.raises(InputError) as caught:
        check()
    return type(caught.value), caught.value.code


@pytest.mark.parametrize(
    "content", ["x", " x ", "two\nlines\tand\r\na tab", "中文🙂", "x" * LIMIT, "\u2028\xa0é\ufffe"]
)
def test_content_is_kept_as_it_was_given(content: str) -> None:
    """Blanks at the ends, line breaks and tabs, everything that is no control character."""
    assert validation.content(content, LIMIT) == content


BAD_CONTENT: list[object] = [
    None,
    5,
    b"bytes",
    ["text"],
    "",
    " \n\t ",
    "\u3000",
    "x" * (LIMIT + 1),
    "nul \x00",
    "bell \x07",
    "escape \x1b[31m",
    "delete \x7f",
    "next line \x85",
    "form feed \x0c",
    "half a pair \ud83d",
    "\udfff the other half",
    "\ud83d\ude00",
]


@pytest.mark.parametrize("content", BAD_CONTENT, ids=repr)
def test_content_that_is_no_text_or_too_much_or_unprintable_is_refused(content: object) -> None:
    """In a memory, in an update and in a question alike."""
    expected = (InvalidContent, "invalid_content")
    assert refused(lambda: validation.content(content, LIMIT)) == expected
    assert refused(lambda: validation.draft({"content": content}, LIMIT)) == expected
    if content is not None:
        assert refused(lambda: validation.change({"content": content}, LIMIT)) == expected
        assert refused(lambda: validation.recall_text(content, "name", LIMIT)) == expected


def test_memory_without_content_is_refused() -> None:
    """Fields alone say nothing."""
    assert refused(lambda: validation.draft({"key": "name"}, LIMIT))[0] is InvalidContent


@given(st.text(min_size=1, max_size=40))
@settings(deadline=None, max_examples=200)
def test_content_is_accepted_just_where_every_character_may_be_stored(content: str) -> None:
    """The rule, said differently: no C0 or C1 control but tab and line ends, no surrogate, not blank."""
    bad = [char for char in content if ord(char) < 32 and char not in "\t\n\r"]
    bad += [char for char in content if 127 <= ord(char) < 160 or 0xD800 <= ord(char) < 0xE000]
    try:
        validation.content(content, LIMIT)
    except InvalidContent:
        assert bad or not content.strip()
    else:
        assert not bad
        assert content.strip()


NAMES = ("key", "type", "session", "source", "ref", "supersedes")


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("name", ["x", "launch date", "会议", "x" * 256])
def test_name_is_kept_as_it_was_given(field: str, name: str) -> None:
    """Up to 256 characters of anything printable."""
    assert getattr(draft(**{field: name}), field) == name


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("name", ["", "  ", "x" * 257, "a\x00b", "\ud800", 5, True, ["x"], b"x"], ids=repr)
def test_name_that_is_no_short_text_is_refused(field: str, name: object) -> None:
    """Whichever field it is for."""
    assert refused(lambda: draft(**{field: name})) == (InvalidArgument, "invalid_argument")


def test_fields_that_are_left_out_take_their_defaults() -> None:
    """None stands for left out."""
    nothing = dict.fromkeys([name for name in validation.FIELDS if name != "content"])
    assert draft() == draft(**nothing)
    assert draft() == validation.Draft(content="text", importance=0.5, tags=(), type="note")


@pytest.mark.parametrize(("given_tags", "kept"), [
    (None, ()), ([], ()), (["b", "a", "b"], ("b", "a")), (("a",), ("a",)), ({"a": 1}, ("a",)), (iter(["a"]), ("a",)),
    ([str(number) for number in range(32)], tuple(str(number) for number in range(32))),
])  # fmt: skip
def test_tags_are_kept_once_each_in_their_order(given_tags: object, kept: tuple[str, ...]) -> None:
    """From anything that yields texts."""
    assert draft(tags=given_tags).tags == kept


@pytest.mark.parametrize(
    "given_tags",
    ["text", b"bytes", 5, [5], [None], [["a"]], [""], [" "], ["x" * 257], ["a\x00"], [f"{n}" for n in range(33)]],
    ids=lambda value: repr(value)[:20],
)
def test_tags_that_are_no_short_list_of_names_are_refused(given_tags: object) -> None:
    """One text is not a list of them: it would become a tag a letter."""
    assert refused(lambda: draft(tags=given_tags))[0] is InvalidArgument
    assert refused(lambda: validation.filters({"tags": given_tags}))[0] is InvalidArgument
    assert refused(lambda: validation.change({"tags": given_tags}, LIMIT))[0] is InvalidArgument


@pytest.mark.parametrize(("importance", "kept"), [(0, 0.0), (1, 1.0), (0.0, 0.0), (0.25, 0.25), (None, 0.5)])
def test_importance_from_zero_to_one_is_kept(importance: float | None, kept: float) -> None:
    """Zero is a number, not a missing one."""
    value = draft(importance=importance).importance
    assert value == kept
    assert isinstance(value, float)


@pytest.mark.parametrize(
    "number",
    [float("nan"), float("inf"), -float("inf"), -0.01, 1.01, 2, HUGE, True, False, "0.5", "high", [0.5]],
    ids=lambda value: "huge" if value is HUGE else repr(value),
)
def test_fraction_that_is_no_number_from_zero_to_one_is_refused(number: object) -> None:
    """As importance, and as the strength of an erase."""
    expected = (InvalidArgument, "invalid_argument")
    assert refused(lambda: draft(importance=number)) == expected
    assert refused(lambda: validation.change({"importance": number}, LIMIT)) == expected
    assert refused(lambda: validation.erasure(("a",), number, purge=False)) == expected


@pytest.mark.parametrize("count", [1, 5, 1000])
def test_count_within_its_limit_is_kept(count: int) -> None:
    """Both ends belong to the range."""
    assert validation.count("top_k", count, 1000) == count


@pytest.mark.parametrize(
    "count",
    [0, -1, 1001, 10**9, HUGE, True, 5.0, float("nan"), "5", None, [5], "x" * 10**6],
    ids=lambda value: "huge" if value is HUGE else repr(value)[:20],
)
def test_count_out_of_its_limit_is_refused(count: object) -> None:
    """The message stays short, however long what was given."""
    with pytest.raises(InvalidArgument) as caught:
        validation.count("top_k", count, 1000)
    assert len(caught.value.message) < 200


MOMENTS: list[tuple[object, datetime]] = [
    ("2026-05-09", datetime(2026, 5, 9, tzinfo=UTC)),
    (" 2026-05-09T12:00 ", NOON),
    ("2026-05-09T12:00:00Z", NOON),
    ("2026-05-09T14:00:00+02:00", NOON),
    (NOON, NOON),
    (datetime(2026, 5, 9, 12), NOON),  # noqa: DTZ001  # a naive time is what is tested
    (datetime(2026, 5, 9, 12, tzinfo=Zoneless()), NOON),
    (datetime(2026, 5, 9, 7, tzinfo=timezone(-timedelta(hours=5))), NOON),
]


@pytest.mark.parametrize(("given_moment", "meant"), MOMENTS, ids=str)
def test_moment_without_a_zone_is_taken_as_utc(given_moment: object, meant: datetime) -> None:
    """As text or as a datetime; what comes out can always be written down with its offset."""
    moment = draft(at=given_moment).at
    assert moment == meant
    assert moment is not None
    assert moment.utcoffset() is not None


@pytest.mark.parametrize("moment", ["yesterday", "", "2026-13-01", "2026-05-09T25:00", 1_778_000_000, 5.5, True, []])
def test_moment_that_is_no_iso_time_is_refused(moment: object) -> None:
    """For a memory's time and for every filter that takes one."""
    assert refused(lambda: draft(at=moment))[0] is InvalidArgument
    for each in ("since", "until", "as_of"):
        assert refused(partial(validation.filters, {each: moment}))[0] is InvalidArgument


@pytest.mark.parametrize("fields", [{"colour": "red"}, {"slot": 3}, {"strength": 1.0}, {"": "x"}, {"Content": "x"}])
def test_field_that_memories_do_not_have_is_refused(fields: Mapping[str, object]) -> None:
    """A misspelt field would be lost without a word."""
    assert refused(lambda: draft(**fields)) == (UnknownArgument, "unknown_argument")


@pytest.mark.parametrize("name", ["colour", "key", "tag", "Tags", ""])
def test_filter_that_does_not_exist_is_refused(name: str) -> None:
    """A misspelt filter would let everything through."""
    assert refused(lambda: validation.filters({name: "x"})) == (UnknownFilter, "unknown_filter")


def test_filters_are_taken_in_their_final_form() -> None:
    """Times with their zone, tags without repeats."""
    given_filters: dict[str, Any] = {"tags": ["a", "a"], "type": "fact", "session": "s", "as_of": "2026-05-09T12:00"}
    checked = validation.filters(given_filters)
    assert (checked.tags, checked.type, checked.session, checked.as_of) == (("a",), "fact", "s", NOON)
    assert (checked.since, checked.until, checked.key) == (None, None, None)


@pytest.mark.parametrize("ident", ["m4k2x9q0ab7tz", "a", "0", "z" * 64])
def test_identifier_of_small_letters_and_digits_is_kept(ident: str) -> None:
    """It comes back from an export."""
    assert draft(id=ident).id == ident


@pytest.mark.parametrize("ident", ["", "A", "with blank", "a-b", "é", "a\n", "z" * 65, 5, True], ids=repr)
def test_identifier_that_would_need_quoting_is_refused(ident: object) -> None:
    """Somewhere: in a shell, a prompt or JSON."""
    assert refused(lambda: draft(id=ident))[0] is InvalidArgument


@pytest.mark.parametrize("idents", [(), ("a", "a"), (["a"],), (5,), (None,)], ids=repr)
def test_erasing_takes_one_or_more_different_ids(idents: tuple[Any, ...]) -> None:
    """A list in the place of an id is a slip of the star."""
    assert refused(lambda: validation.erasure(idents, 1.0, purge=False))[0] is InvalidArgument


def test_purge_is_whole_or_refused() -> None:
    """A text cannot be removed by half."""
    assert validation.erasure(("a",), 1, purge=True) == 1
    assert refused(lambda: validation.erasure(("a",), 0.5, purge=True))[0] is InvalidArgument


def test_update_of_nothing_is_refused() -> None:
    """A reason alone changes nothing; an empty list of tags does."""
    assert refused(lambda: validation.change({"reason": "why"}, LIMIT))[0] is InvalidArgument
    assert validation.change({"tags": []}, LIMIT).tags == ()
    assert validation.change({"importance": 0}, LIMIT).importance == 0


def test_recall_by_nothing_is_refused() -> None:
    """A query is preferred to a key where both are given."""
    assert refused(lambda: validation.recall_text(None, None, LIMIT))[0] is InvalidArgument
    assert validation.recall_text(None, "name", LIMIT) == "name"
    assert validation.recall_text("query", "name", LIMIT) == "query"


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ("text", InvalidArgument),
        (None, InvalidArgument),
        (["content", "text"], InvalidArgument),
        ({"content": ""}, InvalidContent),
        ({"content": "x", "colour": "red"}, UnknownArgument),
        ({"content": "x", "importance": 2}, InvalidArgument),
    ],
    ids=repr,
)
def test_one_bad_item_of_many_is_refused_by_its_own_class(item: object, error: type[InputError]) -> None:
    """Just as it would be alone."""
    items = [{"content": "fine"}, {"content": "fine"}, item]
    assert refused(lambda: validation.drafts(items, LIMIT)) == (error, error.code)
