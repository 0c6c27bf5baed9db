"""Files that are not taken for what they seem: a link in a workspace could lead to anybody's secrets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.hosts.compose import read_for_import
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in

NOTE = "# Garden\n- The gate is green\n"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that the workspace's author may not read, and its reader may."""
    file = tmp_path / "secrets" / "MEMORY.md"
    file.parent.mkdir()
    file.write_text("- my password is hunter2\n")
    return file


@pytest.fixture
def workspace(here: Path) -> Path:
    """A folder with an OpenClaw memory in it."""
    (here / "memory").mkdir()
    for name in ("MEMORY.md", "memory/2026-05-09.md"):
        (here / name).write_text(NOTE)
    return here


def put_link(place: Path, target: Path) -> None:
    """Put a symbolic link in a place."""
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def put_folder_link(workspace: Path, secret: Path) -> None:
    """Let the workspace's memory/ lead elsewhere."""
    (workspace / "memory" / "2026-05-09.md").unlink()
    (workspace / "memory").rmdir()
    (workspace / "memory").symlink_to(secret.parent)


def put_import(workspace: Path, put: Callable[[Path], object]) -> None:
    """Let something lie among the copies from other programs."""
    folder = workspace / "memory" / "imports" / "codex"
    folder.mkdir(parents=True)
    (folder / "MEMORY.md").write_text(NOTE)
    put(folder)


SPOILED: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "a linked file": (lambda workspace, secret: put_link(workspace / "notes.md", secret), "notes.md"),
    "a linked MEMORY.md": (lambda workspace, secret: put_link(workspace / "MEMORY.md", secret), "."),
    "a linked day": (lambda workspace, secret: put_link(workspace / "memory" / "2026-05-10.md", secret), "."),
    "a linked memory folder": (put_folder_link, "."),
    "a file in a linked memory folder": (put_folder_link, "memory/MEMORY.md"),
    "a linked user model": (lambda workspace, secret: put_link(workspace / "USER.md", secret), "."),
    "a linked copy": (
        lambda workspace, secret: put_import(workspace, lambda folder: put_link(folder / "USER.md", secret)),
        ".",
    ),
    "a linked folder of copies": (
        lambda workspace, secret: put_import(workspace, lambda folder: put_link(folder / "more", secret.parent)),
        ".",
    ),
    "a file in linked imports": (
        lambda workspace, secret: put_link(workspace / "memory" / "imports", secret.parent.parent),
        "memory/imports/secrets/MEMORY.md",
    ),
    "linked imports": (
        lambda workspace, secret: put_link(workspace / "memory" / "imports", secret.parent.parent),
        ".",
    ),
    "a link to a file beside it": (
        lambda workspace, _: put_link(workspace / "notes.md", Path("MEMORY.md")),
        "notes.md",
    ),
    "a link to nothing": (lambda workspace, _: put_link(workspace / "notes.md", Path("gone.md")), "notes.md"),
    "a link to itself": (lambda workspace, _: put_link(workspace / "notes.md", Path("notes.md")), "notes.md"),
    "a pipe": (lambda workspace, _: os.mkfifo(workspace / "notes.md"), "notes.md"),
    "a pipe among the days": (lambda workspace, _: os.mkfifo(workspace / "memory" / "2026-05-10.md"), "."),
    "a folder among the days": (lambda workspace, _: (workspace / "memory" / "2026-05-10.md").mkdir(), "."),
    "a device": (lambda *_: None, "/dev/zero"),
    "a device that is a link on some systems": (lambda *_: None, "/dev/stdin"),
    "a folder without memories": (lambda workspace, _: (workspace / "empty").mkdir(), "empty"),
    "nothing": (lambda *_: None, "gone.md"),
}


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither pipes nor devices in its folders")
@pytest.mark.parametrize(("spoil", "offered"), SPOILED.values(), ids=SPOILED)
def test_what_is_no_regular_file_in_its_own_place_is_refused(
    cli: CommandLine, path: Path, workspace: Path, secret: Path, spoil: Callable[[Path, Path], object], offered: str
) -> None:
    """With status 1; nothing is read from a pipe, nothing is imported, the other files included."""
    cli("memorize", "what was there before")
    before = bytes_in(path.parent)
    spoil(workspace, secret)
    outcome = cli("--json", "import", "MEMORY.md" if offered != "." else "memory/2026-05-09.md", offered)
    assert (outcome.status, outcome.code) == (1, "import_refused")
    assert bytes_in(path.parent) == before
    assert "hunter2" not in cli("export", "-").out


def test_the_workspace_itself_may_be_reached_through_a_link(workspace: Path, tmp_path: Path) -> None:
    """Whoever names it sees that; what is in it has to be in it."""
    link = tmp_path / "link"
    link.symlink_to(workspace)
    assert [each.path.name for each in read_for_import([link])] == ["MEMORY.md", "2026-05-09.md"]
    assert [each.path.name for each in read_for_import([link / "MEMORY.md"])] == ["MEMORY.md"]


def test_a_file_that_cannot_be_reached_is_refused(workspace: Path) -> None:
    """A name that no disk takes, and a path that goes through a file."""
    for offered in (workspace / ("x" * 300), workspace / "MEMORY.md" / "x.md"):
        with pytest.raises(ImportRefused) as caught:
            read_for_import([offered])
        assert caught.value.code == "import_refused"
