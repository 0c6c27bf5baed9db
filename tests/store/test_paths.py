"""What the files of a memory are called, and which names are refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import PathRefused
from ntm_memory_skill.store import Paths

FOLDER = Path("/nowhere/at all")
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(
    lambda stem: f"{stem}.json"
)


def every_file(paths: Paths) -> list[Path]:
    """Return the path of everything that can belong to a memory."""
    return [
        paths.snapshot,
        paths.journal,
        paths.keys,
        paths.lock,
        paths.writer,
        paths.quarantine,
        *paths.companions,
        paths.feedback,
        *paths.previous,
        *paths.outdated(1),
        *paths.outdated(2),
        *paths.temporaries,
    ]


@pytest.mark.parametrize(
    ("name", "stem"),
    [("notes.json", "notes"), ("notes.db", "notes.db"), ("a.b.json", "a.b"), ("x.json.json", "x.json")],
)
def test_the_names_are_the_documented_ones(name: str, stem: str) -> None:
    """A backup or another program goes by them, so they are not to change."""
    paths = Paths.of(FOLDER / name)
    expected = [
        name,
        f"{stem}.journal.jsonl",
        f"{stem}.keys.npy",
        f"{stem}.lock",
        f"{stem}.writer",
        f"{stem}.damaged",
        f"{stem}.head.json",
        f"{stem}.hops.json",
        f"{stem}.crossbar.json",
        f"{stem}.feedback.jsonl",
        f"{stem}.previous.json",
        f"{stem}.previous.journal.jsonl",
        f"{stem}.v1.json",
        f"{stem}.v1.journal.jsonl",
        f"{stem}.v2.json",
        f"{stem}.v2.journal.jsonl",
        f"{name}.tmp",
        f"{stem}.journal.jsonl.tmp",
        f"{stem}.keys.npy.tmp",
        f"{stem}.previous.json.tmp",
        f"{stem}.previous.journal.jsonl.tmp",
        f"{stem}.head.json.tmp",
        f"{stem}.hops.json.tmp",
        f"{stem}.crossbar.json.tmp",
        f"{stem}.feedback.jsonl.tmp",
    ]
    assert [path.name for path in every_file(paths)] == expected
    assert {path.parent for path in every_file(paths)} == {paths.folder} == {FOLDER}


@given(NAMES)
@settings(deadline=None, max_examples=100)
def test_no_two_files_of_a_memory_have_one_name(name: str) -> None:
    """Whatever it is called."""
    files = every_file(Paths.of(FOLDER / name))
    assert len(set(files)) == len(files)


@given(NAMES, NAMES)
@settings(deadline=None, max_examples=100)
def test_two_memories_of_one_folder_share_no_file(one: str, other: str) -> None:
    """As long as neither is called like a file of the other."""
    first, second = (set(every_file(Paths.of(FOLDER / name))) for name in (one, other))
    assert one == other or not first & second


def test_every_file_that_is_rewritten_has_its_temporary_name_looked_for() -> None:
    """A crash may leave it, with a text in it that is purged later."""
    paths = Paths.of(FOLDER / "notes.json")
    rewritten = (paths.snapshot, paths.journal, paths.keys, *paths.previous, *paths.companions, paths.feedback)
    assert set(paths.temporaries) == {path.with_name(f"{path.name}.tmp") for path in rewritten}


def test_a_folder_holds_the_memory_of_the_default_name(tmp_path: Path) -> None:
    """The folder, the same by a link, and the file in it are the same memory."""
    (tmp_path / "link").symlink_to(tmp_path)
    assert Paths.of(tmp_path) == Paths.of(tmp_path / "ntm_memory.json")
    assert Paths.of(tmp_path / "link").snapshot == tmp_path / "link" / "ntm_memory.json"


def test_a_name_without_an_ending_is_a_folder_s_unless_a_file_has_it(tmp_path: Path) -> None:
    """Most people would read it so; a file that is there is opened as it is called."""
    assert Paths.of(tmp_path / "notes").snapshot == tmp_path / "notes" / "ntm_memory.json"
    (tmp_path / "notes").touch()
    assert Paths.of(tmp_path / "notes").snapshot == tmp_path / "notes"


def test_a_folder_may_have_an_ending(tmp_path: Path) -> None:
    """What is there counts, not what it is called."""
    (tmp_path / "notes.json").mkdir()
    assert Paths.of(tmp_path / "notes.json").snapshot == tmp_path / "notes.json" / "ntm_memory.json"


def test_a_link_that_points_nowhere_is_no_folder(tmp_path: Path) -> None:
    """With an ending it is taken for the snapshot, which a link must not be."""
    (tmp_path / "notes.json").symlink_to(tmp_path / "nowhere")
    assert Paths.of(tmp_path / "notes.json").snapshot == tmp_path / "notes.json"


@pytest.mark.parametrize("character", ["\0", "\n", "\r", "\t", "\x1b", "\x1f"], ids=ascii)
@pytest.mark.parametrize("place", ["{}notes.json", "not{}es.json", "notes.json{}", "fol{}der/notes.json"])
def test_control_characters_in_a_name_are_refused(character: str, place: str) -> None:
    """They would reach a terminal with the first message, and no system has them in names by intention."""
    with pytest.raises(PathRefused) as caught:
        Paths.of(FOLDER / place.format(character))
    assert caught.value.code == "path_refused"


def test_names_in_any_script_and_with_blanks_are_fine() -> None:
    """Only control characters are refused."""
    for name in ("记忆.json", "a b.json", "naïve café.json", "👩🏽\u200d💻.json", "-x.json", "..json"):
        assert Paths.of(FOLDER / name).snapshot == FOLDER / name


def test_the_names_cannot_be_changed() -> None:
    """They are decided once."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Paths.of(FOLDER / "notes.json").lock = FOLDER  # type: ignore[misc]  # that is what is tried


@pytest.mark.parametrize(
    "name",
    ["notes.previous.json", "ntm_memory.v1.json", "a.v12.json", "notes.head.json", "a.hops.json", "a.crossbar.json"],
)
def test_the_name_of_a_file_beside_a_memory_is_refused(tmp_path: Path, name: str) -> None:
    """That memory would replace it, as it does its copies and its head."""
    with pytest.raises(PathRefused) as caught:
        Paths.of(tmp_path / name)
    assert caught.value.code == "path_refused"


@pytest.mark.parametrize(
    "name", ["previous.json", "v1.json", "head.json", "notes.v1.md.json", "notes.version1.json", "notes.ahead.json"]
)
def test_names_that_only_resemble_a_copy_s_are_names(tmp_path: Path, name: str) -> None:
    """Nothing is kept under them."""
    assert Paths.of(tmp_path / name).snapshot == tmp_path / name
