"""Which files are read for an import: those that were named, and of a workspace those that hold its memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.hosts.compose import read_for_import
from tests.hosts.folders import written

JSON_LINES = '{"content": "The gate is green", "key": "gate"}\n{"content": "Ana likes tea"}\n'
MARKDOWN = "# Garden\n- The gate is green\n- [ ] oil the gate\n\nAna likes tea\n"


def read_names(paths: Iterable[Path]) -> list[str]:
    """Return the names of the files that are read for an import."""
    return [offered.path.name for offered in read_for_import(paths)]


def test_a_folder_stands_for_the_openclaw_memory_in_it(tmp_path: Path) -> None:
    """MEMORY.md, USER.md and the days; not what else lies there, nor the diary of its dreams."""
    for name in ("MEMORY.md", "USER.md", "memory/2026-05-09.md", "memory/2026-05-10-launch.md"):
        written(tmp_path, name, MARKDOWN)
    others = ("README.md", "AGENTS.md", "DREAMS.md", "memory.jsonl", "users/ana/USER.md")
    for name in (*others, "memory/notes.txt", "memory/old/2025-01-01.md", "memory/dreaming/rem/2026-05-09.md"):
        written(tmp_path, name, "never read \x00")
    assert read_names([tmp_path]) == ["MEMORY.md", "USER.md", "2026-05-09.md", "2026-05-10-launch.md"]


def test_a_workspace_may_hold_a_user_model_alone(tmp_path: Path) -> None:
    """Or days, or what was copied from another program."""
    for number, name in enumerate(["USER.md", "memory/2026-05-09.md", "memory/imports/codex/memory_summary.md"]):
        file = written(tmp_path / str(number), name, MARKDOWN)
        assert read_names([tmp_path / str(number)]) == [file.name]


def test_what_openclaw_copied_from_other_programs_is_on_tapes_of_its_own(tmp_path: Path) -> None:
    """Each has a MEMORY.md; the folder and the file itself give the same tape."""
    places = ["MEMORY.md", "memory/imports/codex/MEMORY.md", "memory/imports/claude-code/shop-1f2e/MEMORY.md"]
    for place in places:
        written(tmp_path, place, MARKDOWN)
    written(tmp_path, "memory/imports/codex/picture.png", "never read \x00")
    offered = read_for_import([tmp_path])
    tapes = {each.items[0]["session"]: each.items[0]["source"] for each in offered}
    assert tapes == {
        "MEMORY": "MEMORY.md",
        "imports/codex/MEMORY": "imports/codex/MEMORY.md",
        "imports/claude-code/shop-1f2e/MEMORY": "imports/claude-code/shop-1f2e/MEMORY.md",
    }
    assert sorted(read_for_import(tmp_path / place for place in places), key=str) == sorted(offered, key=str)


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
        ("object.json", b'{\n  "content": "x"\n}'),
        ("mem0.json", b'{"results": [{"memory": "x"}, {"id": "a2"}]}'),
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
