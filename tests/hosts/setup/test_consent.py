"""Asking at a real terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.hosts.command_line import PROGRAM
from tests.hosts.setup.fake import FakeHost


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
@pytest.mark.parametrize(("answer", "done"), [("y", True), ("n", False), ("", False)])
def test_a_person_is_asked_and_obeyed(host: FakeHost, answer: str, done: bool) -> None:
    """Nothing is done but upon a yes; either way the command has done its work."""
    ours, theirs = os.openpty()
    before = host.file.read_bytes()
    try:
        command = [*PROGRAM, "setup", "--openclaw", str(host.command)]
        with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            os.write(ours, f"{answer}\n".encode())
            out, err = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (process.returncode, err) == (0, b"")
    assert b"Make this change?" in out
    assert (host.file.read_bytes() != before) is done
