"""Exported files are their owner's alone, and an old one is there until the new one is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ntm_memory_skill.errors import InvalidArgument, StoreUnreachable
from ntm_memory_skill.hosts import report
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in

FORMATS = ["out.jsonl", "out.md"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits of this kind")


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Each test may set its own; afterwards it is as before."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(file: Path) -> int:
    """Return a file's permission bits."""
    return file.stat().st_mode & 0o777


@contextmanager
def room_for(count: int) -> Iterator[None]:
    """Have the operating system take no more than so many bytes of any file in the block."""
    resource = pytest.importorskip("resource", reason="only Unix limits the size of files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class TestPermissions:
    """0600, or less."""

    @pytest.mark.parametrize(
        ("mask", "expected"), [(0o000, 0o600), (0o022, 0o600), (0o077, 0o600), (0o177, 0o600), (0o277, 0o400)], ids=oct
    )
    @pytest.mark.parametrize("name", FORMATS)
    def test_a_new_file_is_its_owners_alone(
        self, cli: CommandLine, here: Path, name: str, mask: int, expected: int
    ) -> None:
        """However generous the umask is; a stricter one takes away more."""
        cli("memorize", "x")
        os.umask(mask)
        assert cli("export", name).status == 0
        assert mode(here / name) == expected

    @pytest.mark.parametrize("before", [0o644, 0o666, 0o600])
    def test_a_file_that_is_overwritten_becomes_its_owners_alone(
        self, cli: CommandLine, here: Path, before: int
    ) -> None:
        """Whoever could read the old one cannot read the new one."""
        cli("memorize", "x")
        (here / "out.jsonl").write_text("old")
        (here / "out.jsonl").chmod(before)
        assert cli("export", "out.jsonl", "--force").status == 0
        assert mode(here / "out.jsonl") == 0o600
        assert (here / "out.jsonl").read_text() != "old"


class TestForce:
    """Overwriting is all or nothing, and touches no other file."""

    def test_a_link_is_replaced_and_what_it_leads_to_is_not(self, cli: CommandLine, here: Path) -> None:
        """Without --force it is refused as any file is."""
        cli("memorize", "x")
        (here / "precious.txt").write_text("precious")
        (here / "out.jsonl").symlink_to("precious.txt")
        assert cli("--json", "export", "out.jsonl").code == "invalid_argument"
        assert cli("export", "out.jsonl", "--force").status == 0
        assert (here / "precious.txt").read_text() == "precious"
        assert not (here / "out.jsonl").is_symlink()

    @pytest.mark.parametrize("link", [False, True])
    def test_a_file_that_looks_like_a_temporary_one_is_left_alone(
        self, cli: CommandLine, here: Path, link: bool
    ) -> None:
        """It is somebody's, whatever it is called."""
        cli("memorize", "x")
        (here / "precious.txt").write_text("precious")
        (here / "out.jsonl").write_text("old")
        if link:
            (here / "out.jsonl.tmp").symlink_to("precious.txt")
        else:
            (here / "out.jsonl.tmp").write_text("precious")
        assert cli("export", "out.jsonl", "--force").status == 0
        assert (here / "out.jsonl.tmp").read_text() == (here / "precious.txt").read_text() == "precious"
        assert (here / "out.jsonl.tmp").is_symlink() == link
        assert mode(here / "out.jsonl") == 0o600

    @pytest.mark.parametrize("force", [False, True])
    def test_a_disk_that_takes_half_of_it_leaves_what_was_there(self, here: Path, force: bool) -> None:
        """The old file, or none; and nothing besides."""
        if force:
            (here / "out.jsonl").write_text("precious")
        before = bytes_in(here)
        with room_for(500), pytest.raises(StoreUnreachable) as caught:
            report.write_new(here / "out.jsonl", "x" * 1000, force=force)
        assert caught.value.hint
        assert bytes_in(here) == before

    @pytest.mark.parametrize("force", [False, True])
    def test_a_folder_that_is_not_there_is_not_made(self, here: Path, force: bool) -> None:
        """A mistyped name would be found nowhere."""
        with pytest.raises(StoreUnreachable):
            report.write_new(here / "no" / "such" / "out.jsonl", "x", force=force)
        assert bytes_in(here) == {}

    def test_an_existing_file_is_refused_as_an_argument(self, here: Path) -> None:
        """Another name would have prevented it."""
        (here / "out.jsonl").write_text("precious")
        with pytest.raises(InvalidArgument):
            report.write_new(here / "out.jsonl", "x", force=False)
        assert (here / "out.jsonl").read_text() == "precious"
