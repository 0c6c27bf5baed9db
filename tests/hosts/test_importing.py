"""Bringing memories in: what files hold is stored once, with its ids and its history, and all of it is counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import HashedEncoder, InputError, NTMMemoryManager
from ntm_memory_skill.hosts import importing
from ntm_memory_skill.hosts.compose import Imported, read_for_import
from ntm_memory_skill.hosts.importing import bring_in
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from ntm_memory_skill.transfer import to_jsonl
from tests.conftest import ticking_clock
from tests.hosts.folders import written

Item = dict[str, Any]

JSON_LINES = (
    '{"content": "The gate is green", "key": "gate"}\n{"content": "Ana likes tea", "at": "2026-05-09T10:00:00Z"}\n'
)
MARKDOWN = "# Garden\n- The gate is green\n- [ ] oil the gate\n\nAna likes tea\n"
GRAPH = (
    '{"type": "entity", "name": "Ana", "entityType": "person", "observations": ["likes tea", "works nights"]}\n'
    '{"type": "relation", "from": "Ana", "to": "Lisbon", "relationType": "lives_in"}\n'
)
MEM0 = """{"count": 2, "next": null, "results": [
    {"id": "a1", "memory": "Ana likes tea", "created_at": "2026-05-09T10:00:00Z", "user_id": "ana", "metadata": null},
    {"id": "a2", "memory": "Ana likes tea", "created_at": "2026-05-10T10:00:00Z", "user_id": "ana", "categories": ["x"]}
], "relations": [{"source": "ana", "relationship": "lives_in", "target": "lisbon"}]}"""
USER = (
    "<!-- observed: 2026-05-09 | status: superseded -->\n- Prefer coffee\n"
    "<!-- observed: 2026-05-10 | status: active -->\n- Prefer tea <!-- importance: 9 -->\n"
)
FILES = {
    "memories.jsonl": JSON_LINES,
    "2026-05-09.md": MARKDOWN,
    "USER.md": USER,
    "memory.json": GRAPH,
    "mem0.json": MEM0,
    "记忆 🦓.md": MARKDOWN,
}

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
    """Import items, and return how many were taken and how many were not."""
    (report,) = bring_in(memory, [offer(*given_items)], progress=False)
    assert report["taken"] + report["merged"] + report["skipped"] == len(given_items)
    return report["taken"], report["merged"] + report["skipped"]


def counts(memory: NTMMemoryManager, *files: Imported) -> list[tuple[int, int, int]]:
    """Import files, and return how many of each were taken, merged and skipped."""
    reports = bring_in(memory, files, progress=False)
    return [(report["taken"], report["merged"], report["skipped"]) for report in reports]


def exported(memory: NTMMemoryManager) -> str:
    """Return a memory as JSON lines, in the order in which it was written."""
    return "".join(to_jsonl(sorted(memory.state.records.values(), key=lambda record: record.ordinal)))


def import_files(memory: NTMMemoryManager, *paths: Path) -> list[dict[str, Any]]:
    """Import files as the command line does, and return what it reports."""
    return bring_in(memory, read_for_import(paths), progress=False)


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
    assert (first["file"], first["merged"], first["skipped"]) == (str(file), 0, 0)
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


def test_what_stands_twice_in_a_file_is_merged(memory: NTMMemoryManager) -> None:
    """It is taken once; the second time the memory has all of it."""
    file = offer({"content": "tea"}, {"content": "coffee"}, {"content": "tea", "id": "m0"}, {"content": "tea"})
    assert counts(memory, file) == [(2, 2, 0)]
    assert contents(memory) == ["tea", "coffee"]
    assert counts(memory, file) == [(0, 0, 4)]


def test_what_stands_in_two_files_is_merged(memory: NTMMemoryManager) -> None:
    """In one import; what the memory had before is skipped in both."""
    memory.memorize("water")
    first = offer({"content": "water"}, {"content": "tea"})
    second = offer({"content": "tea"}, {"content": "coffee"}, {"content": "water"}, {"content": "coffee"})
    assert counts(memory, first, second) == [(1, 0, 1), (1, 2, 1)]
    assert contents(memory) == ["water", "tea", "coffee"]
    assert counts(memory, first, second) == [(0, 0, 2), (0, 0, 4)]


def test_a_repeat_that_gives_no_time_is_merged_with_one_that_does(memory: NTMMemoryManager) -> None:
    """As it would be skipped if it came a day later; one that gives another time says something else."""
    dated = [{"content": "tea", "at": day} for day in ("2026-05-09", "2026-05-10")]
    assert counts(memory, offer(dated[0], {"content": "tea"}, dated[1])) == [(2, 1, 0)]
    assert counts(memory, offer(*dated, {"content": "tea"})) == [(0, 0, 3)]


def test_the_report_of_each_file_is_its_own(memory: NTMMemoryManager, tmp_path: Path) -> None:
    """In the order in which they were offered."""
    reports = import_files(memory, *(written(tmp_path, name, text) for name, text in FILES.items()))
    assert [Path(report["file"]).name for report in reports] == list(FILES)
    assert [report["format"] for report in reports] == [
        "jsonl",
        "markdown",
        "markdown",
        "mcp-graph",
        "mem0",
        "markdown",
    ]
    assert sum(report["taken"] for report in reports) == len(memory)
    assert [report.keys() for report in reports] == [{"file", "format", "taken", "merged", "skipped"}] * len(FILES)


def test_a_mem0_export_keeps_its_names_and_days(memory: NTMMemoryManager, tmp_path: Path) -> None:
    """The same said on two days is two memories."""
    import_files(memory, written(tmp_path, "mem0.json", MEM0))
    kept = [(record.ref, record.at.day, record.session, record.tags) for record in memory.state.records.values()]
    assert kept[:2] == [("a1", 9, "ana", ()), ("a2", 10, "ana", ("x",))]
    assert contents(memory)[2] == "ana lives in lisbon"


def test_a_memory_that_is_not_acceptable_is_named_by_its_file_and_place(
    memory: NTMMemoryManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its place in the file, not among those that are new, nor in its batch."""
    monkeypatch.setattr(importing, "BATCH", 2)
    memory.memorize("memory 1")
    good: list[Item] = [{"content": f"memory {number}"} for number in range(6)]
    for bad in ({"content": ""}, {"content": "tea", "at": "teatime"}):
        with pytest.raises(InputError) as caught:
            take(memory, *good, bad)
        assert "memories.jsonl, memory 7:" in caught.value.message


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
