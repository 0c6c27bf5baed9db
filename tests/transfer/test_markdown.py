"""OpenClaw's Markdown: each item and each paragraph is a memory, named by its heading, on the tape of its file."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.transfer import parse

Named = list[tuple[str | None, str]]

words = st.from_regex(r"[a-z\u4e00-\u4e10][a-z\u4e00-\u4e10.,*_-]{0,9}", fullmatch=True)
markers = st.sampled_from(["- ", "* ", "+ ", "1. ", "23) ", "  - ", "\t* ", "- [ ] ", "- [x] ", "1. [X] "])
blocks = st.one_of(
    st.tuples(st.just("heading"), st.lists(words, min_size=1, max_size=1)),
    st.tuples(st.just("item"), st.lists(words, min_size=1, max_size=3)),
    st.tuples(st.just("paragraph"), st.lists(words, min_size=1, max_size=3)),
    st.tuples(st.just("rule"), st.just(["---"])),
)


def named(text: str) -> Named:
    """Return (heading, content) of each memory in a file."""
    return [(item.get("key"), item["content"]) for item in parse(text, PurePath("notes.md"))[1]]


def contents(text: str) -> list[str]:
    """Return the content of each memory in a file."""
    return [content for _, content in named(text)]


def test_a_memory_has_the_heading_that_it_stands_under() -> None:
    """The nearest one above, of any level; before the first there is none."""
    text = "preface\n# People\n- Ana\n\n## Work ##\nBen builds boats\n### Deep ###\n#### \n- nobody\n###### Six\n- last"
    assert named(text) == [
        (None, "preface"),
        ("People", "Ana"),
        ("Work", "Ben builds boats"),
        (None, "nobody"),
        ("Six", "last"),
    ]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("# C#", "C#"),
        ("# C# #", "C#"),
        ("# A # B", "A # B"),
        ("#\tTabbed", "Tabbed"),
        ("#   wide   ", "wide"),
        ("# 计划", "计划"),
        ("## ##", None),
        ("#", None),
        ("##  ", None),
        ("# " + "x" * 300, "x" * 256),
    ],
)
def test_a_heading_s_text_is_the_key(line: str, key: str | None) -> None:
    """Without the signs that close it, cut to what a key may have, and none where nothing is left."""
    assert named(f"# Before\n{line}\nnote") == [(key, "note")]


@pytest.mark.parametrize("line", ["#hashtag", "####### seven", "\\# escaped", "number #", "#1 in the charts"])
def test_what_only_looks_like_a_heading_is_text(line: str) -> None:
    """A sign without a blank behind it, or too many."""
    assert named(line) == [(None, line)]


def test_a_heading_with_a_long_gap_is_read_at_once() -> None:
    """A pattern that tries every way to share the blanks out would not come to an end."""
    assert named("# a" + " " * 50_000 + "b\nnote")[0][1] == "note"


def test_nested_items_are_memories_of_their_own() -> None:
    """At any depth, with any marker."""
    text = "- one\n  - two\n    * three\n\t+ four\n1. five\n   2) six\n100. seven\n"
    assert contents(text) == ["one", "two", "three", "four", "five", "six", "seven"]


def test_an_item_goes_on_in_the_lines_below_it() -> None:
    """Until a blank line, a heading, a rule or the next item."""
    text = "- one\n  goes on\nand on\n- two\n\nthree\n# H\n- four\n---\nfive"
    assert contents(text) == ["one\ngoes on\nand on", "two", "three", "four", "five"]


def test_lines_without_a_blank_one_between_them_are_one_paragraph() -> None:
    """However many blanks there are elsewhere."""
    assert contents("one\n two  \nthree\n\n\n \t\nfour") == ["one\ntwo\nthree", "four"]


def test_a_checkbox_is_no_part_of_the_memory() -> None:
    """Done or not; a link is no checkbox."""
    text = (
        "- [ ] buy bread\n- [x] sell bread\n* [X] bake bread\n1. [ ] eat\n- [x](https://example.org)\n- [y] why\n- [ ]x"
    )
    expected = ["buy bread", "sell bread", "bake bread", "eat", "[x](https://example.org)", "[y] why", "[ ]x"]
    assert contents(text) == expected


@pytest.mark.parametrize("item", ["-", "- ", "-   ", "*\t", "+", "- [ ]", "- [x]  ", "  -  "], ids=repr)
def test_an_item_without_text_is_no_memory(item: str) -> None:
    """Nor does it keep the rest of the file out."""
    assert contents(f"- one\n{item}\n- two") == ["one", "two"]


@pytest.mark.parametrize(
    "text", ["*emphasis*", "**bold** word", "-5 degrees", "1.5 litres", "2026. A year", "12.", "+1", "1)"]
)
def test_what_only_looks_like_an_item_is_text(text: str) -> None:
    """A marker needs a blank behind it, and a number has three digits at most."""
    assert contents(text) == [text]


@pytest.mark.parametrize("rule", ["---", "***", "___", "- - -", " * * * ", "----------", "_ _ _ _"])
def test_a_rule_parts_paragraphs_and_is_no_memory(rule: str) -> None:
    """It is neither text nor a list of nothing."""
    assert contents(f"one\n{rule}\ntwo\n\n{rule}\n\n- three\n{rule}") == ["one", "two", "three"]


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_a_fence_is_one_memory_with_its_lines_as_they_are(fence: str) -> None:
    """Blank lines, markers and headings inside it are code."""
    block = f"{fence}python\n# no heading\n\n- no item\n---\n    indented\n{fence}"
    assert named(f"# Code\n{block}\n\nafter") == [("Code", block), ("Code", "after")]


def test_a_fence_under_an_item_belongs_to_it() -> None:
    """It is what the item speaks of."""
    text = "- run this:\n  ```\n  make\n\n  make test\n  ```\n- then that"
    assert contents(text) == ["run this:\n  ```\n  make\n\n  make test\n  ```", "then that"]


def test_a_fence_that_is_never_closed_goes_to_the_end() -> None:
    """Nothing is lost."""
    assert contents("one\n\n```\n# two\n\n- three\n") == ["one", "```\n# two\n\n- three"]


@pytest.mark.parametrize("line", ["```make test```", "``not three``", "see ``` there", "~~struck~~"])
def test_what_only_looks_like_a_fence_opens_none(line: str) -> None:
    """Else it would swallow all that follows."""
    assert contents(f"{line}\n\n- one\n- two") == [line, "one", "two"]


@pytest.mark.parametrize("inner", ["~~~", "```", "``` python", "````python", "- ````"])
def test_a_fence_is_closed_by_its_own_kind_alone(inner: str) -> None:
    """At least as long as the one that opened it, and with nothing behind it."""
    block = f"````\n{inner}\n\n- no item\n`````"
    assert contents(f"{block}\n\n- item") == [block, "item"]


def test_front_matter_is_passed_over() -> None:
    """It speaks of the file; a rule elsewhere does not begin any."""
    assert contents("---\ntitle: Notes\ntags: [a]\n---\n- one") == ["one"]
    assert contents("\ufeff---\r\ntitle: Notes\r\n---\r\n- one") == ["one"]
    assert contents("---\nnever closed\n- one") == ["never closed", "one"]
    assert contents("one\n---\ntwo\n---\nthree") == ["one", "two", "three"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["bare", "BOM"])
def test_line_ends_and_byte_order_marks_do_not_matter(mark: str, end: str) -> None:
    """Whichever system wrote it."""
    text = mark + end.join(["# Title", "- one", "", "two", "goes on", ""])
    assert named(text) == [("Title", "one"), ("Title", "two\ngoes on")]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# Title\n", "---\na: b\n---\n", "---", "# One\n## Two\n\n***\n"], ids=repr
)
def test_a_file_without_text_holds_no_memories(text: str) -> None:
    """Headings and rules alone say nothing."""
    assert contents(text) == []


@pytest.mark.parametrize(
    ("name", "session", "day"),
    [
        ("2026-05-09.md", "2026-05-09", "2026-05-09"),
        ("notes-2026-05-09-evening.md", "notes-2026-05-09-evening", "2026-05-09"),
        ("日记-2024-02-29.md", "日记-2024-02-29", "2024-02-29"),
        ("2026-02-29.md", "2026-02-29", None),
        ("2026-13-40.md", "2026-13-40", None),
        ("٢٠٢٦-٠٥-٠٩.md", "٢٠٢٦-٠٥-٠٩", None),
        ("MEMORY.md", "MEMORY", None),
        ("a.b.MD", "a.b", None),
    ],
)
def test_a_file_is_one_tape_and_its_name_may_be_a_day(name: str, session: str, day: str | None) -> None:
    """A day that does not exist is part of a name; the folder is not asked."""
    items = parse("- one\n\ntwo", PurePath("2020-01-01") / name)[1]
    expected = {"session": session, "source": name} | ({} if day is None else {"at": day})
    assert items == [{"content": "one", **expected}, {"content": "two", **expected}]


@given(st.lists(blocks, max_size=8), st.data())
@settings(deadline=None, max_examples=150)
def test_every_block_of_a_document_is_a_memory_in_its_place(
    document: list[tuple[str, list[str]]], data: st.DataObject
) -> None:
    """Written with any marker, against a list that is made beside it."""
    written: list[str] = []
    expected: Named = []
    title: str | None = None
    for kind, lines in document:
        first = {"heading": "# ", "item": data.draw(markers)}.get(kind, "")
        written.append(first + "\n  ".join(lines))
        if kind == "heading":
            title = lines[0]
        elif kind != "rule":
            expected.append((title, "\n".join(lines)))
    assert named("preface\n\n" + "\n\n".join(written)) == [(None, "preface"), *expected]
