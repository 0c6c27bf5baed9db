"""Files that are no question sets, or broken ones: what is said of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.errors import DatasetRefused
from ntm_memory_skill.evaluation import LAYOUTS, read
from tests.evaluation import sets


def refusal(path: Path, named: str | None = None) -> DatasetRefused:
    """Return the error that reading ends in; it names the file, or the one beside it, and says what to do."""
    with pytest.raises(DatasetRefused) as caught:
        read(path)
    assert (path.name if named is None else named) in caught.value.message
    assert caught.value.hint
    return caught.value


UNKNOWN: dict[str, Any] = {
    "a number": 7,
    "nothing": None,
    "an empty list": [],
    "a list of numbers": [1, 2],
    "another object": {"hello": "world"},
    "memories without questions": {"memories": []},
    "questions without memories": {"questions": []},
    "a memory export": {"content": "text", "ref": "a"},
}


@pytest.mark.parametrize("value", UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_layout_is_refused_with_the_known_ones(value: Any, tmp_path: Path) -> None:
    """The hint names every one."""
    error = refusal(sets.written(tmp_path / "data.json", value))
    assert [layout.name for layout in LAYOUTS if layout.name not in error.hint] == []


@pytest.mark.parametrize("content", [b"", b"  ", b"{", b"hello", b"\xff\xfe\x00", b"{}\n{", b"[" * 100_000])
def test_what_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    """Neither as a whole nor by lines, or no text at all, or nested too deeply."""
    file = tmp_path / "data.json"
    file.write_bytes(content)
    refusal(file)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    """By its number, blank lines counted."""
    file = tmp_path / "data.jsonl"
    file.write_text(json.dumps(sets.own()) + "\n\n" + "{oops\n", encoding="utf-8")
    assert "line 3" in refusal(file).message


@pytest.mark.parametrize("name", ["missing.json", "missing/folder", "x" * 300, "null\x00byte"])
def test_what_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    """Also a name that no disk takes."""
    with pytest.raises(DatasetRefused):
        read(tmp_path / name)


def test_a_folder_without_chats_is_refused(tmp_path: Path) -> None:
    """Even if other files are in it."""
    sets.WRITERS["SQuAD"](tmp_path / "folder")
    assert "chat.json" in refusal(tmp_path / "folder").hint


def test_a_chat_without_its_questions_is_refused(tmp_path: Path) -> None:
    """The missing file is named."""
    (sets.written_beam(tmp_path) / "probing_questions.json").unlink()
    refusal(tmp_path, "probing_questions.json")


Break = Callable[[Any], object]
BROKEN: dict[str, tuple[str, Break]] = {
    "a turn without a text": ("LoCoMo", lambda data: data[0]["conversation"]["session_1"][0].pop("text")),
    "a session that is no list": ("LoCoMo", lambda data: data[0]["conversation"].update(session_1="hello")),
    "a date in another form": (
        "LoCoMo",
        lambda data: data[0]["conversation"].update(session_1_date_time="30 May 2025"),
    ),
    "evidence that is no list": ("LoCoMo", lambda data: data[0]["qa"][0].update(evidence="D1:1")),
    "a second entry of another layout": ("LoCoMo", lambda data: data.append({"hello": "world"})),
    "a second entry that is none": ("LoCoMo", lambda data: data.append(7)),
    "a message without an id": ("MemDaily", lambda data: data[0]["message_list"][0].pop("mid")),
    "a Chinese date in another form": ("MemDaily", lambda data: data[0]["message_list"][0].update(time="昨天")),
    "a person without questions": ("MemDaily", lambda data: data[1].pop("question_list")),
    "a paragraph without a context": ("SQuAD", lambda data: data["data"][0]["paragraphs"][0].pop("context")),
    "a passage without a text": ("MuSiQue", lambda data: data[0]["paragraphs"][0].update(paragraph_text="")),
    "support that is no truth value": ("MuSiQue", lambda data: data[0]["paragraphs"][0].update(is_supporting="yes")),
    "a memory without content": ("JSON lines", lambda data: data["memories"][0].pop("content")),
    "a blank memory": ("JSON lines", lambda data: data["memories"][0].update(content=" ")),
    "a field that memories do not have": ("JSON lines", lambda data: data["memories"][0].update(colour="blue")),
    "a time that is none": ("JSON lines", lambda data: data["memories"][0].update(at="yesterday")),
    "two memories with one ref": ("JSON lines", lambda data: data["memories"][1].update(ref="a")),
    "gold that is no memory": ("JSON lines", lambda data: data["questions"][0].update(gold=["z"])),
    "no gold": ("JSON lines", lambda data: data["questions"][0].update(gold=[])),
    "a question without a text": ("JSON lines", lambda data: data["questions"][0].update(question=" ")),
    "a category with a control character": ("JSON lines", lambda data: data["questions"][0].update(category="a\x00")),
    "a moment that is none": ("JSON lines", lambda data: data["questions"][0].update(asked="soon")),
    "no question at all": ("JSON lines", lambda data: data["questions"].clear()),
}


@pytest.mark.parametrize(("layout", "damage"), BROKEN.values(), ids=BROKEN)
def test_a_broken_set_is_refused(layout: str, damage: Break, tmp_path: Path) -> None:
    """Each of these was whole before."""
    file = sets.WRITERS[layout](tmp_path)
    data = json.loads(file.read_text(encoding="utf-8"))
    damage(data)
    refusal(sets.written(file, data))


def test_a_refusal_lists_the_first_mistakes_with_their_places(tmp_path: Path) -> None:
    """And says how many there are."""
    data = sets.own()
    data["memories"] = [{"ref": str(number)} for number in range(9)]
    message = refusal(sets.written(tmp_path / "data.json", data)).message
    assert "9 mistake" in message
    assert "0.memories.3" in message
    assert "0.memories.8" not in message


def test_a_broken_corpus_file_is_refused(tmp_path: Path) -> None:
    """Though the questions are whole."""
    file = sets.WRITERS["MuSiQue"](tmp_path)
    sets.written(tmp_path / "musique_corpus.json", [{"title": "no text"}])
    refusal(file, "musique_corpus.json")
