"""Bad input of every kind: the code that it is refused with, and a memory of which no byte has changed."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.store import directory, fs
from ntm_memory_skill.tools import call
from tests.hosts.command_line import Outcome, run_here, run_process
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in, cut_in_half
from tests.store.doubles import ForbiddenFileSystem

LIMIT = 32_768
KNOWN = "mknown"
"""The id of a memory that is there."""

REFUSED: dict[str, tuple[list[str], str]] = {
    "empty content": (["memorize", ""], "invalid_content"),
    "blank content": (["memorize", " \t\n　"], "invalid_content"),
    "content over the limit": (["memorize", "x" * (LIMIT + 1)], "invalid_content"),
    "a null character": (["memorize", "a\0b"], "invalid_content"),
    "a control character": (["memorize", "a\x1b[31mb"], "invalid_content"),
    "a control character of the second block": (["memorize", "a\x9bb"], "invalid_content"),
    "a lone surrogate": (["memorize", "a\udce9"], "invalid_content"),
    "a lone surrogate in a session": (["memorize", "a", "--session", "\udce9"], "invalid_argument"),
    "an empty key": (["memorize", "a", "--key", ""], "invalid_argument"),
    "a key over the limit": (["memorize", "a", "--key", "k" * 10_000], "invalid_argument"),
    "too many tags": (["memorize", "a", *(f"--tag={number}" for number in range(1000))], "invalid_argument"),
    "importance above 1": (["memorize", "a", "--importance", "1.5"], "invalid_argument"),
    "importance below 0": (["memorize", "a", "--importance=-0.1"], "invalid_argument"),
    "importance that is no number": (["memorize", "a", "--importance", "nan"], "invalid_argument"),
    "importance without end": (["memorize", "a", "--importance", "inf"], "invalid_argument"),
    "a time that is none": (["memorize", "a", "--at", "2026-02-30"], "invalid_argument"),
    "replacing an unknown memory": (["memorize", "a", "--supersedes", "nobody"], "unknown_memory"),
    "an empty query": (["search", ""], "invalid_content"),
    "a lone surrogate in a query": (["search", "\udce9"], "invalid_content"),
    "no hits at all": (["search", "a", "--top-k", "0"], "invalid_argument"),
    "fewer than no hits": (["search", "a", "--top-k=-1"], "invalid_argument"),
    "a billion hits": (["search", "a", "--top-k", str(10**9)], "invalid_argument"),
    "a filter by no time": (["search", "a", "--as-of", "yesterday"], "invalid_argument"),
    "a recall of nothing": (["recall"], "invalid_argument"),
    "no budget": (["recall", "a", "--budget", "0"], "invalid_argument"),
    "an update of an unknown memory": (["update", "nobody", "a"], "unknown_memory"),
    "an update of nothing": (["update", KNOWN], "invalid_argument"),
    "an update to nothing": (["update", KNOWN, ""], "invalid_content"),
    "an update over the limit": (["update", KNOWN, "x" * (LIMIT + 1)], "invalid_content"),
    "an update to no importance": (["update", KNOWN, "--importance", "nan"], "invalid_argument"),
    "erasing an unknown memory": (["erase", "nobody"], "unknown_memory"),
    "erasing a known and an unknown memory": (["erase", KNOWN, "nobody"], "unknown_memory"),
    "erasing the same memory twice": (["erase", KNOWN, KNOWN], "invalid_argument"),
    "erasing nothing": (["erase"], "invalid_argument"),
    "erasing more than all": (["erase", KNOWN, "--strength", "1.1"], "invalid_argument"),
    "purging in part": (["erase", KNOWN, "--strength", "0.5", "--purge"], "invalid_argument"),
    "importing what is not there": (["import", "no-such-file.jsonl"], "import_refused"),
    "importing a name that no disk takes": (["import", "x" * 300], "import_refused"),
    "importing a folder without memories": (["import", "."], "import_refused"),
}


@pytest.fixture
def kept(cli: CommandLine, path: Path) -> dict[str, bytes | None]:
    """A memory with something in it: the bytes in its folder."""
    with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
        memory.memorize("The kettle is descaled with vinegar", id=KNOWN)
        memory.memorize("醋在上面的柜子里", session="厨房")
    return bytes_in(path.parent)


def refused(outcome: Outcome, status: int, code: str) -> bool:
    """Return whether a command line ended with a status and an envelope with this code, and no other output."""
    return (outcome.status, outcome.code, outcome.err) == (status, code, "")


class TestArguments:
    """Exit status 1: the caller can do better."""

    @pytest.mark.parametrize(("line", "code"), REFUSED.values(), ids=REFUSED.keys())
    def test_a_bad_argument_is_refused_and_changes_nothing(
        self, cli: CommandLine, path: Path, kept: dict[str, bytes | None], line: list[str], code: str
    ) -> None:
        """The envelope says what was wrong."""
        assert refused(cli("--json", *line), 1, code)
        assert bytes_in(path.parent) == kept

    def test_content_at_the_limit_is_taken(self, cli: CommandLine, kept: dict[str, bytes | None]) -> None:
        """The limit itself is allowed, and a character is one, however many bytes it has."""
        assert cli("--json", "memorize", "醋" * LIMIT).status == 0

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            ({"query": "a", "filters": {"colour": "red"}}, "unknown_filter"),
            ({"query": "a", "filters": {"id": KNOWN, "tags": ["x"]}}, "unknown_filter"),
            ({"query": "a", "filters": ["tags"]}, "invalid_argument"),
            ({"query": "a", "limit": 3}, "unknown_argument"),
            ({"query": ["a"]}, "invalid_argument"),
            ({"query": "a", "top_k": True}, "invalid_argument"),
            ({"query": "a", "top_k": 2.5}, "invalid_argument"),
            ({"query": "a", "top_k": math.inf}, "invalid_argument"),
        ],
        ids=str,
    )
    def test_what_no_command_line_can_say_is_refused_as_well(
        self, path: Path, kept: dict[str, bytes | None], arguments: dict[str, Any], code: str
    ) -> None:
        """By the tools themselves, which every other host calls."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
            assert call(memory, "search", arguments)["error"]["code"] == code
        assert bytes_in(path.parent) == kept

    def test_bytes_on_a_command_line_that_are_no_text_are_refused(
        self, here: Path, path: Path, kept: dict[str, bytes | None]
    ) -> None:
        """In a real process, whose arguments are bytes; the bundled encoder is never loaded."""
        fresh = path.with_name("fresh.json")
        outcome = run_process("--memory", fresh, "--json", "memorize", b"caf\xe9", environment={"PYTHONUTF8": "1"})
        assert refused(outcome, 1, "invalid_content")
        assert bytes_in(path.parent) == kept


class TestConfiguration:
    """Exit status 2."""

    def test_all_mistakes_are_reported_at_once(
        self, cli: CommandLine, here: Path, path: Path, kept: dict[str, bytes | None]
    ) -> None:
        """A wrong type, a value out of range and an unknown key, in different places."""
        config = {"ntm_memory": {"memory_size": "big", "recall_budget": 0}, "encodr": {}}
        (here / "clawhub.json").write_text(json.dumps({"plugins": {PLUGIN: {"config": config}}}))
        outcome = cli("--json", "memorize", "a")
        assert refused(outcome, 2, "invalid_config")
        message = outcome.envelope["error"]["message"]
        assert [name for name in ("memory_size", "recall_budget", "encodr") if name not in message] == []
        assert bytes_in(path.parent) == kept


class TestEncoder:
    """A memory whose keys another encoder made."""

    @pytest.mark.parametrize("line", [["memorize", "a"], ["search", "a"], ["recall", "a"], ["update", KNOWN, "a"]])
    def test_another_encoder_is_refused_and_the_way_out_named(
        self, cli: CommandLine, path: Path, line: list[str]
    ) -> None:
        """Exit status 1: comparing its keys with others would mean nothing."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder(32)) as memory:
            memory.memorize("a", id=KNOWN)
        before = bytes_in(path.parent)
        outcome = cli("--json", *line)
        assert refused(outcome, 1, "encoder_mismatch")
        assert "ntm-memory reindex" in outcome.envelope["error"]["hint"]
        assert bytes_in(path.parent) == before

    @pytest.mark.parametrize(
        "line", [["stats"], ["export", "-"], ["verify"], ["erase", KNOWN]], ids=lambda line: line[0]
    )
    def test_what_needs_no_keys_is_done_all_the_same(self, cli: CommandLine, path: Path, line: list[str]) -> None:
        """So that nobody is locked out of a memory."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder(32)) as memory:
            memory.memorize("a", id=KNOWN)
        assert cli(*line).status == 0


class TestStore:
    """Exit status 3: the files, the folder, the disk."""

    WRITING = (
        ["memorize", "x" * 20_000],
        ["update", KNOWN, "x" * 20_000],
        ["erase", KNOWN],
        ["erase", KNOWN, "--purge"],
    )

    @pytest.mark.parametrize("line", [["search", "a"], *WRITING], ids=lambda line: line[0])
    def test_a_snapshot_cut_in_half_is_refused(
        self, cli: CommandLine, path: Path, kept: dict[str, bytes | None], line: list[str]
    ) -> None:
        """To readers and writers alike: a person has to look first."""
        cut_in_half(path)
        before = bytes_in(path.parent)
        assert refused(cli("--json", *line), 3, "store_damaged")
        assert bytes_in(path.parent) == before

    @pytest.mark.parametrize("line", WRITING, ids=lambda line: line[0])
    def test_a_folder_that_may_not_be_written_is_refused(
        self,
        cli: CommandLine,
        path: Path,
        kept: dict[str, bytes | None],
        monkeypatch: pytest.MonkeyPatch,
        line: list[str],
    ) -> None:
        """As the operating system would refuse it; reading goes on."""
        monkeypatch.setattr(directory, "FileSystem", ForbiddenFileSystem)
        assert refused(cli("--json", *line), 3, "store_unreachable")
        assert bytes_in(path.parent) == kept
        assert cli("--json", "search", "kettle").envelope["hits"][0]["id"] == KNOWN

    @pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write to every folder")
    @pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits on folders")
    def test_a_read_only_folder_is_refused(self, cli: CommandLine, path: Path) -> None:
        """By the operating system itself: nothing can be created there."""
        path.parent.mkdir(mode=0o500)
        try:
            assert refused(cli("--json", "memorize", "a"), 3, "store_unreachable")
            assert cli("--json", "search", "a").envelope["hits"] == []
            assert bytes_in(path.parent) == {}
        finally:
            path.parent.chmod(0o700)

    @pytest.mark.parametrize("line", WRITING, ids=lambda line: line[0])
    def test_a_disk_that_takes_no_more_is_reported(
        self,
        cli: CommandLine,
        path: Path,
        kept: dict[str, bytes | None],
        monkeypatch: pytest.MonkeyPatch,
        line: list[str],
    ) -> None:
        """Half of each write arrives, then there is no space; afterwards the files are as before."""
        monkeypatch.setattr(fs, "os", FullDisk())
        assert refused(cli("--json", *line), 3, "store_full")
        assert bytes_in(path.parent) == kept


class FullDisk:
    """The `os` module as the store's file system sees it, on a disk that has room for half of each write."""

    def __init__(self) -> None:
        self._room = True

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, handle: int, data: memoryview) -> int:
        """Take half once, then nothing."""
        if not self._room or len(data) < 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room = False
        return os.write(handle, data[: len(data) // 2])


class TestFullDisk:
    """The same with a real disk of 64 KiB, where one may be mounted."""

    @pytest.fixture
    def disk(self, tmp_path: Path) -> Iterator[Path]:
        """A disk in memory."""
        place, mount = tmp_path / "disk", shutil.which("mount")
        place.mkdir()
        command = [str(mount), "-t", "tmpfs", "-o", "size=64k", "ntm-memory-test", str(place)]
        if mount is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("mounting a small disk needs root and Linux")
        yield place
        subprocess.run([str(shutil.which("umount")), str(place)], check=True)

    def test_a_full_disk_keeps_what_was_acknowledged(self, no_model: None, disk: Path) -> None:
        """The write that found no room is refused; with room it is taken."""
        assert run_here("--memory", disk, "memorize", "The spare fuse is in the drawer").status == 0
        fill(disk / "filler")
        before = bytes_in(disk)
        outcome = run_here("--memory", disk, "--json", "memorize", "x" * 20_000)
        assert refused(outcome, 3, "store_full")
        assert bytes_in(disk) == before
        assert run_here("--memory", disk, "--json", "search", "fuse").envelope["hits"]
        (disk / "filler").unlink()
        assert run_here("--memory", disk, "memorize", "x" * 20_000).status == 0


def fill(file: Path) -> None:
    """Write until the disk takes no more."""
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x" * 4096)
