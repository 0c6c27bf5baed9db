"""Finding the host, and talking to one that does not answer as it should."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ntm_memory_skill.errors import HostError, HostMissing, HostRefused, HostTooOld
from ntm_memory_skill.hosts.setup import openclaw
from tests.hosts.openclaw.processes import until
from tests.hosts.setup.conftest import MakeHost
from tests.hosts.setup.fake import FakeHost

ENDING_S = 10.0
"""Seconds that a killed process may take to be gone."""


class TestFinding:
    """By name or on PATH, and new enough."""

    def test_it_is_found_on_the_path(self, host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
        """And known by its absolute path from then on."""
        monkeypatch.setenv("PATH", f"{host.folder}{os.pathsep}/bin:/usr/bin")
        found = openclaw.find()
        assert (found.command, found.version) == (str(host.command), "2026.9.6")

    def test_where_there_is_none_that_is_said(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """On PATH, or where it was said to be: a file that is no program is none."""
        monkeypatch.setenv("PATH", str(here))
        (here / "openclaw").write_text("")
        for named in (None, here / "absent", here / "openclaw"):
            with pytest.raises(HostMissing):
                openclaw.find(named)

    @pytest.mark.parametrize("version", ["2026.9.5", "2026.8.30", "2025.12.31"])
    def test_one_that_is_too_old_is_refused(self, make_host: MakeHost, version: str) -> None:
        """Numbers are compared, not texts."""
        with pytest.raises(HostTooOld):
            openclaw.find(make_host(version=version).command)

    @pytest.mark.parametrize("version", ["2026.9.6", "2026.9.6-beta.1", "2026.10.1", "2027.1.0"])
    def test_one_that_is_new_enough_is_taken(self, make_host: MakeHost, version: str) -> None:
        """The oldest that the plugin was proved on, and any later one."""
        assert openclaw.find(make_host(version=version).command).version == version.removesuffix("-beta.1")

    @pytest.mark.parametrize(
        ("words", "kind"),
        [
            ("openclaw: Node 20.20.2: node:sqlite is unavailable; use 24.16+", HostTooOld),
            ("env: 'node': No such file or directory", HostTooOld),
            ("segmentation fault", HostRefused),
            ("", HostRefused),
        ],
    )
    def test_one_that_does_not_start_says_why(self, make_host: MakeHost, words: str, kind: type[HostError]) -> None:
        """A Node that is too old above all."""
        with pytest.raises(kind) as caught:
            openclaw.find(make_host(broken=words).command)
        assert words in caught.value.message

    def test_another_program_of_that_name_is_refused(self, here: Path) -> None:
        """Whatever has no such version."""
        program = here / "openclaw"
        program.write_text("#!/bin/sh\necho 1.0\n")
        program.chmod(0o755)
        with pytest.raises(HostRefused):
            openclaw.find(program)


class TestTalking:
    """No call hangs, and what is no answer is not taken for one."""

    def test_a_call_that_takes_too_long_is_ended_with_all_that_it_started(self, here: Path) -> None:
        """Though the grandchild holds its output open."""
        noted = here / "number"
        grandchild = (
            f"import os, signal, pathlib; pathlib.Path({str(noted)!r}).write_text(str(os.getpid())); signal.pause()"
        )
        child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
        with pytest.raises(HostRefused):
            openclaw.run([sys.executable, "-c", child], 3)
        number = int(noted.read_text())
        assert until(lambda: not _runs(number), ENDING_S)  # the signal is on its way when the call returns

    @pytest.mark.parametrize("call", ["config file", "config get", "config validate", "agents list"])
    def test_every_call_has_a_time_limit(self, host: FakeHost, call: str) -> None:
        """Whatever is asked."""
        found = openclaw.find(host.command, patience=1)
        host.behave(hangs=call)
        calls = {"config file": found.config_file, "config get": found.plugins, "config validate": found.complaints}
        with pytest.raises(HostRefused):
            calls.get(call, found.agents)()

    @pytest.mark.parametrize("answer", ["", "oops", "[1"])
    def test_an_answer_that_is_no_json_is_refused(self, here: Path, answer: str) -> None:
        """With what was said instead."""
        program = here / "openclaw"
        program.write_text(f"#!/bin/sh\nprintf '%s' '{answer}'\n")
        program.chmod(0o755)
        found = openclaw.OpenClaw(str(program), "2026.9.6")
        for ask in (found.config_file, found.plugins, found.complaints, found.agents):
            with pytest.raises(HostRefused):
                ask()

    def test_a_configuration_without_plugins_is_an_empty_one(self, make_host: MakeHost) -> None:
        """The host calls that unset; one that is not valid is something else."""
        host = make_host("{}")
        assert openclaw.find(host.command).plugins() == {}
        host.file.write_text("{")
        with pytest.raises(HostRefused):
            openclaw.find(host.command).plugins()


def _runs(number: int) -> bool:
    """Return whether a process is alive, and no mere entry of one that has ended."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
