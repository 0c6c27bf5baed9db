"""Bringing memories in: files are read or refused, and what they hold is stored once, with its ids and its history."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import HashedEncoder, InputError, NTMMemoryManager
from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.hosts import importing
from ntm_memory_skill.hosts.compose import Imported, read_for_import
from ntm_memory_skill.hosts.importing import bring_in
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from ntm_memory_skill.transfer import to_jsonl
from tests.conftest import ticking_clock

Item = dict[str, Any]

JSON_LINES = (
    '{"content": "The gate is green", "key": "gate"}\n{"content": "Ana likes tea", "at": "2026-05-09T10:00:00Z"}\n'
)
MARKDOWN = "# Garden\n- The gate is green\n- [ ] oil the gate\n\nAna likes tea\n"
GRAPH = (
    '{"type": "entity", "name": "Ana", "entityType": "person", "observations": ["likes tea", "works nights"]}\n'
    '{"type": "relation", "from": "Ana", "to": "Lisbon", "relationType": "lives_in"}\n'
)
FILES = {"memories.jsonl": JSON_LINES, "2026-05-09.md": MARKDOWN, "memory.json": GRAPH, "记忆 🦓.md": MARKDOWN}

names = st.sampled_from(["a", "b"])
items = st.fixed_dictionaries(
    {"content": names},
    optional={
        "key": names,
        "session": names,
        "at": st.sampled_from(["2026-01-01", "2026-01-01T02:00:00+02:00", "2026-01-02"]),
        "id": st.sampled_from(["i1", "i2", "i3", "i4"]),
        "supersedes": st.sampled_from(["i1", "i2", "i9"]),
    },
)


def another_memory() -> NTMMemoryManager:
    """Return an empty memory on another machine, as it were."""
    return NTMMemoryManager(MemoryStore(), HashedEncoder(), clock=ticking_clock(), ids=seeded_ids(99))


def offer(*given_items: Item) -> Imported:
    """Return items as a file that was read."""
    return Imported(Path("memories.jsonl"), "jsonl", given_items)


def take(memory: NTMMemoryManager, *given_items: Item) -> tuple[int, int]:
    """Import items, and return how many were taken and skipped."""
    report = bring_in(memory, offer(*given_items), progress=False)
    return report["taken"], report["skipped"]


def exported(memory: NTMMemoryManager) -> str:
    """Return a memory as JSON lines, in the order in which it was written."""
    return "".join(to_jsonl(sorted(memory.state.records.values(), key=lambda record: record.ordinal)))


def written(folder: Path, name: str, text: str) -> Path:
    """Write a file, with the folders above it."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def import_files(memory: NTMMemoryManager, *paths: Path) -> list[dict[str, Any]]:
    """Import files as the command line does, and return what it reports."""
    return [bring_in(memory, offered, progress=False) for offered in read_for_import(paths)]


def contents(memory: NTMMemoryManager) -> list[str]:
    """Return every memory's text, in the order in which they were written."""
    return [record.content for record in memory.state.records.values()]


def fill(memory: NTMMemoryManager) -> None:
    """Store memories that use every field, one of them updated and one superseded."""
    first = memory.memorize("The gate is green", key="gate", session="garden", tags=["a", "b"], importance=0.25).id
    memory.memorize(
        "Ana likes tea\u2028and\r\nscones", source="Ana", ref="r1", type="fact", at="2025-05-09T10:00:00+05:45"
    )
    memory.memorize("The gate is red", key="gate", session="garden", supersedes=first)
    changed = memory.memorize("Zebras live in herbs").id
    memory.update(changed, "Zebras live in herds", importance=1)


@pytest.mark.parametrize(("name", "text"), FILES.items(), ids=list(FILES))
def test_importing_a_file_twice_takes_nothing_the_second_time(
    name: str, text: str, memory: NTMMemoryManager, tmp_path: Path
) -> None:
    """In every format; the report counts both."""
    file = written(tmp_path, name, text)
    (first,) = import_files(memory, file)
    assert (first["file"], first["skipped"]) == (str(file), 0)
    assert first["taken"] == len(memory) > 0
    before = exported(memory)
    (second,) = import_files(memory, file)
    assert second == {**first, "taken": 0, "skipped": first["taken"]}
    assert exported(memory) == before


def test_an_export_comes_back_in_another_memory_as_it_was(memory: NTMMemoryManager, tmp_path: Path) -> None:
    """Ids, fields, times and order; exporting it again gives the same file."""
    fill(memory)
    file = written(tmp_path, "export.jsonl", exported(memory))
    other = another_memory()
    assert [report["taken"] for report in import_files(other, file)] == [4]
    assert exported(other) == exported(memory)
    assert set(other.state.records) == set(memory.state.records)


def test_what_superseded_another_does_so_after_the_move(memory: NTMMemoryManager) -> None:
    """The old one is kept, and not found."""
    fill(memory)
    other = another_memory()
    take(other, *map(json.loads, exported(memory).split("\n")[:-1]))
    for each in (memory, other):
        assert [hit.content for hit in each.search("gate", session="garden")] == ["The gate is red"]
    assert {(record.id, record.superseded_by) for record in other.state.records.values()} == {
        (record.id, record.superseded_by) for record in memory.state.records.values()
    }


def test_an_export_brings_nothing_into_the_memory_it_came_from(memory: NTMMemoryManager) -> None:
    """Not even after a memory of it was changed or erased since: its id is known."""
    fill(memory)
    lines = [json.loads(line) for line in exported(memory).split("\n")[:-1]]
    assert take(memory, *lines) == (0, 4)
    memory.update(lines[1]["id"], "Ana likes coffee")
    memory.erase(lines[3]["id"])
    assert take(memory, *lines) == (0, 4)
    assert len(memory) == 3


def test_a_memory_whose_predecessor_is_not_in_the_file_comes_without_it(memory: NTMMemoryManager) -> None:
    """It was erased before the export; nothing is left to point to."""
    old = memory.memorize("The gate is green").id
    new = memory.memorize("The gate is red", supersedes=old).id
    memory.erase(old)
    (line,) = map(json.loads, exported(memory).split("\n")[:-1])
    assert line["supersedes"] == old
    other = another_memory()
    assert take(other, line) == (1, 0)
    assert other.get(new).supersedes is None


def test_a_memory_may_supersede_one_that_came_before(memory: NTMMemoryManager) -> None:
    """With an earlier file, or further up in the same one; not itself, nor one that is gone."""
    old = memory.memorize("The gate is green").id
    gone = memory.memorize("The gate is blue").id
    memory.erase(gone)
    take(
        memory,
        {"id": "red", "content": "The gate is red", "supersedes": old},
        {"id": "pink", "content": "The gate is pink", "supersedes": "red"},
        {"id": "own", "content": "The gate is its own", "supersedes": "own"},
        {"id": "grey", "content": "The gate is grey", "supersedes": gone},
        {"id": "none", "content": "The gate is none", "supersedes": None},
    )
    kept = {record.id: record.supersedes for record in memory.state.records.values()}
    assert kept == {old: None, "red": old, "pink": "red", "own": None, "grey": None, "none": None}
    assert {hit.id for hit in memory.search("gate")} == {"pink", "own", "grey", "none"}


def test_the_same_memory_is_told_by_text_key_chat_and_time(memory: NTMMemoryManager) -> None:
    """What differs in one of them is another; a file that gives no time means any."""
    green = {"content": "The gate is green", "key": "gate", "session": "garden", "at": "2026-05-09T10:00:00Z"}
    assert take(memory, green) == (1, 0)
    assert take(memory, {**green, "at": "2026-05-09T12:00:00+02:00"}, {**green, "importance": 1}) == (0, 2)
    assert take(memory, {name: value for name, value in green.items() if name != "at"}) == (0, 1)
    differing = {"content": "x", "key": "x", "session": "x", "at": "2026-05-10"}
    others = [{**green, name: value} for name, value in differing.items()]
    assert take(memory, *others, *others) == (4, 4)
    assert len(memory) == 5


def test_what_stands_twice_in_a_file_is_taken_once(memory: NTMMemoryManager) -> None:
    """As if the file had been imported twice."""
    assert take(memory, {"content": "tea"}, {"content": "coffee"}, {"content": "tea", "id": "m0"}) == (2, 1)
    assert contents(memory) == ["tea", "coffee"]


@pytest.mark.parametrize(
    "bad",
    [
        {"content": ""},
        {"content": "\x1b[2J"},
        {"content": None},
        {"content": 5},
        {"content": ["tea"]},
        {"content": {"text": "tea"}},
        {"content": "tea", "key": []},
        {"content": "tea", "session": {}},
        {"content": "tea", "supersedes": ["m0"]},
        {"content": "tea", "colour": "red"},
        {"content": "tea", "importance": 2},
        {"content": "tea", "tags": "red"},
        {"content": "tea", "at": "teatime"},
        {"content": "tea", "at": 5},
        {"content": "tea", "id": "M-0"},
        {"content": "tea", "id": 5},
    ],
    ids=repr,
)
def test_a_bad_memory_keeps_its_whole_batch_out(bad: Item, memory: NTMMemoryManager) -> None:
    """The ones before and behind it as well; mended, the file is taken."""
    with pytest.raises(InputError) as caught:
        take(memory, {"content": "before"}, bad, {"content": "behind"})
    assert caught.value.code in ("invalid_content", "invalid_argument", "unknown_argument")
    assert len(memory) == 0
    assert take(memory, {"content": "before"}, {"content": "behind"}) == (2, 0)


def test_two_memories_of_one_id_keep_their_batch_out(memory: NTMMemoryManager) -> None:
    """Only one of them could have it."""
    with pytest.raises(InputError):
        take(memory, {"content": "one", "id": "m0"}, {"content": "two", "id": "m0"})
    assert len(memory) == 0


def test_an_import_that_broke_off_goes_on_from_there(memory: NTMMemoryManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batches before the bad memory are stored, and not taken again."""
    monkeypatch.setattr(importing, "BATCH", 2)
    given_items: list[Item] = [{"content": f"memory {number}"} for number in range(7)]
    with pytest.raises(InputError):
        take(memory, *given_items[:5], {"content": ""}, given_items[6])
    assert contents(memory) == ["memory 0", "memory 1", "memory 2", "memory 3"]
    assert take(memory, *given_items) == (3, 4)
    assert contents(memory) == [each["content"] for each in given_items]


def test_more_than_a_batch_is_taken_in_order(memory: NTMMemoryManager) -> None:
    """And each memory once."""
    given_items: list[Item] = [{"content": f"memory {number}"} for number in range(importing.BATCH + 3)]
    assert take(memory, *given_items) == (len(given_items), 0)
    assert contents(memory) == [each["content"] for each in given_items]


def test_a_file_without_memories_takes_nothing(memory: NTMMemoryManager, tmp_path: Path) -> None:
    """And writes nothing."""
    assert [report["taken"] for report in import_files(memory, written(tmp_path, "empty.md", ""))] == [0]
    assert memory.encoder is None


@given(st.lists(items, max_size=6))
@settings(deadline=None, max_examples=100)
def test_whatever_is_offered_is_taken_once_or_not_at_all(given_items: list[Item]) -> None:
    """Every memory of the file is there afterwards, and a second import changes nothing."""
    memory = another_memory()
    try:
        taken, skipped = take(memory, *given_items)
    except InputError:  # two different memories of one id
        assert len(memory) == 0
        return
    assert taken == len(memory) == len(given_items) - skipped
    assert {record.content for record in memory.state.records.values()} == {each["content"] for each in given_items}
    before = exported(memory)
    assert take(memory, *given_items) == (0, len(given_items))
    assert exported(memory) == before


def test_a_name_of_any_script_gives_its_tape_and_day(memory: NTMMemoryManager, tmp_path: Path) -> None:
    """The file's name is data as well."""
    import_files(memory, written(tmp_path, "日记 🦓 2026-05-09.md", "- 大门是绿色的\n"))
    (record,) = memory.state.records.values()
    assert (record.session, record.source) == ("日记 🦓 2026-05-09", "日记 🦓 2026-05-09.md")
    assert (record.content, record.at) == ("大门是绿色的", datetime(2026, 5, 9, tzinfo=UTC))


def read_names(paths: Iterable[Path]) -> list[str]:
    """Return the names of the files that are read for an import."""
    return [offered.path.name for offered in read_for_import(paths)]


def test_a_folder_stands_for_the_openclaw_memory_in_it(tmp_path: Path) -> None:
    """MEMORY.md and the days; not what else lies there."""
    for name in ("MEMORY.md", "memory/2026-05-09.md", "memory/2026-05-10.md"):
        written(tmp_path, name, MARKDOWN)
    for name in ("README.md", "AGENTS.md", "memory/notes.txt", "memory/old/2025-01-01.md", "memory.jsonl"):
        written(tmp_path, name, "never read \x00")
    assert sorted(read_names([tmp_path])) == ["2026-05-09.md", "2026-05-10.md", "MEMORY.md"]


def test_a_file_under_two_names_is_read_once(tmp_path: Path) -> None:
    """As on a disk that does not tell MEMORY.md from memory.md."""
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "today.md").hardlink_to(written(tmp_path, "MEMORY.md", MARKDOWN))
    assert read_names([tmp_path]) == ["MEMORY.md"]


def test_several_files_and_folders_are_read_in_their_order(tmp_path: Path) -> None:
    """Formats may differ."""
    first, folder = written(tmp_path, "b.jsonl", JSON_LINES), written(tmp_path, "a/MEMORY.md", MARKDOWN).parent
    offered = read_for_import([first, folder])
    assert [(each.path.name, each.format, len(each.items)) for each in offered] == [
        ("b.jsonl", "jsonl", 2),
        ("MEMORY.md", "markdown", 3),
    ]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("picture.jsonl", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
        ("nul.md", b"The gate\x00is green"),
        ("utf-16.md", "The gate is green".encode("utf-16")),
        ("latin.md", "caf\u00e9".encode("latin-1")),
        ("half.jsonl", '{"content": "字"}'.encode()[:-3]),
        ("prose.txt", b"The gate is green"),
        ("array.json", b'[{"content": "x"}]'),
    ],
)
def test_one_file_that_cannot_be_read_keeps_all_out(name: str, data: bytes, tmp_path: Path) -> None:
    """Before anything is stored; the error names the file."""
    good, bad = written(tmp_path, "good.jsonl", JSON_LINES), tmp_path / name
    bad.write_bytes(data)
    with pytest.raises(ImportRefused) as caught:
        read_for_import([good, bad])
    assert caught.value.code == "import_refused"
    assert name in caught.value.message


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """And so is a folder without an OpenClaw memory, or with a folder in a file's place."""
    with pytest.raises(ImportRefused):
        read_for_import([tmp_path / "missing.jsonl"])
    with pytest.raises(ImportRefused):
        read_for_import([tmp_path])
    (tmp_path / "MEMORY.md").mkdir()
    with pytest.raises(ImportRefused):
        read_for_import([tmp_path])
