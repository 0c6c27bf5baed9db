"""The socket beside a memory: whose it is, who may use it, and what becomes of it."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ntm_memory_skill.errors import AddressInUse
from ntm_memory_skill.hosts.resident.claim import Claim
from ntm_memory_skill.hosts.resident.client import told
from ntm_memory_skill.hosts.resident.place import AVAILABLE, connected
from tests.config.files import write_config
from tests.hosts.command_line import PROGRAM, run_here, run_process
from tests.hosts.conftest import CommandLine
from tests.hosts.residents import residing, socket_of
from tests.hosts.servers import PATIENT

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="this system has no sockets in folders")


@pytest.fixture
def place(path: Path) -> Path:
    """Where a socket may be; the folder is there."""
    path.parent.mkdir(mode=0o755)
    return socket_of(path)


def left_behind(place: Path) -> None:
    """Leave a socket that nobody listens at."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(place))


def test_it_is_its_owners_alone(place: Path) -> None:
    """The folder stays as it is."""
    before = place.parent.stat().st_mode
    claim = Claim(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert place.parent.stat().st_mode == before
    claim.release()
    assert list(place.parent.iterdir()) == []


def test_a_socket_that_nobody_listens_at_is_replaced(place: Path) -> None:
    """Its process was killed."""
    left_behind(place)
    claim = Claim(place)
    connected(place, 1.0).close()
    claim.release()


def test_a_living_one_is_not_stolen(place: Path) -> None:
    """The first goes on listening."""
    first = Claim(place)
    with pytest.raises(AddressInUse):
        Claim(place)
    connected(place, 1.0).close()
    first.release()


def test_what_is_no_socket_is_left_alone(place: Path) -> None:
    """Whatever its name."""
    place.write_text("mine")
    with pytest.raises(AddressInUse):
        Claim(place)
    assert place.read_text() == "mine"


def test_a_socket_of_another_is_not_taken_away(place: Path) -> None:
    """It came in place of ours."""
    ours = Claim(place)
    place.unlink()
    others = Claim(place)
    ours.release()
    connected(place, 1.0).close()
    others.release()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_is_told_to_end_takes_it_away(no_model: None, path: Path, how: signal.Signals) -> None:
    """One that is killed cannot; the next server has its place all the same."""
    command = [*PROGRAM, "--memory", str(path), "serve", "--socket"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == f"ntm-memory: answering commands at {socket_of(path)}\n"
    process.send_signal(how)
    _, said = process.communicate(timeout=PATIENT)
    killed = how == signal.SIGKILL
    assert (process.returncode, said) == (-how if killed else 0, "")
    assert socket_of(path).exists() is killed
    with residing(path):
        assert told(path, "status") is not None


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="a long name cannot be shortened here")
def test_a_long_path_is_no_hindrance(no_model: None, tmp_path: Path) -> None:
    """A socket's own name may have a hundred bytes."""
    path = tmp_path / ("long " * 30) / "外婆" / "ntm_memory.json"
    assert run_here("--memory", path, "memorize", "x").status == 0
    with residing(path):
        assert told(path, "status") is not None


def test_where_a_long_path_cannot_be_shortened_commands_go_without(
    no_model: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a resident says that it cannot be."""
    path = tmp_path / ("long " * 30) / "ntm_memory.json"
    path.parent.mkdir()
    monkeypatch.setattr("ntm_memory_skill.hosts.resident.place.LONGEST", 10)
    assert run_here("--memory", path, "memorize", "x").status == 0
    assert run_here("--memory", path, "--json", "serve", "--socket").code == "store_unreachable"


@pytest.mark.parametrize("dead", [True, False])
def test_a_dead_or_foreign_file_leaves_commands_to_themselves(cli: CommandLine, place: Path, dead: bool) -> None:
    """They say nothing of it."""
    if dead:
        left_behind(place)
    else:
        place.write_text("mine")
    assert cli("memorize", "x").err == ""


def test_looking_after_the_files_passes_it_over(cli: CommandLine, path: Path) -> None:
    """It is no part of the memory."""
    cli("memorize", "x")
    with residing(path):
        assert cli("verify").status == 0
        assert cli("compact").status == 0
        assert "sock" not in cli("export", "-").out
        assert socket_of(path).exists()


def test_without_a_memorys_folder_none_is_started(no_model: None, here: Path, path: Path) -> None:
    """Looking for nothing leaves nothing behind."""
    write_config(here, {"ntm_memory": {"resident": {"mode": "start"}}})
    assert run_here("--memory", path, "search", "x").status == 0
    assert not path.parent.exists()


def test_one_is_started_on_demand_and_only_one(cli: CommandLine, here: Path, place: Path, path: Path) -> None:
    """By two commands at once; both are answered, and it outlives them in a session of its own."""
    write_config(here, {"ntm_memory": {"resident": {"mode": "start"}}})
    command = [*PROGRAM, "--memory", str(path), "--json", "search", "x"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    said = [each.communicate(timeout=PATIENT) for each in running]
    status = told(path, "status")
    assert status is not None
    try:
        assert [(each.returncode, err) for each, (_, err) in zip(running, said, strict=True)] == [(0, b""), (0, b"")]
        assert [b'"hits": []' in out for out, _ in said] == [True, True]
        assert status["stoppable"] is True
        assert status["process"] not in {each.pid for each in running}
        another = run_process("--memory", path, "--json", "serve", "--socket")
        assert (another.status, another.code) == (1, "address_in_use")
        assert told(path, "status") == status
    finally:
        assert cli("serve", "--stop").status == 0
    assert {each.name for each in place.parent.iterdir()} <= {place.name}


def test_one_that_cannot_be_started_is_not_waited_for(
    cli: CommandLine, here: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command does the work itself."""
    write_config(here, {"ntm_memory": {"resident": {"mode": "start"}}})
    monkeypatch.setattr(sys, "executable", str(here / "nowhere"))
    assert cli("memorize", "x").status == 0


def test_one_that_ends_at_once_is_not_waited_for(
    cli: CommandLine, here: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it started again."""
    write_config(here, {"ntm_memory": {"resident": {"mode": "start"}}})
    program = here / "false"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    assert cli("memorize", "x").status == 0
