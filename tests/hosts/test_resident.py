"""A resident answers the command line: as the command itself would, and for as long as it should."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.errors import NTMMemoryError, StoreFull, StoreUnreachable
from ntm_memory_skill.hosts.cli import tools
from ntm_memory_skill.hosts.compose import configured, open_to_serve
from ntm_memory_skill.hosts.mcp import LazyMemory
from ntm_memory_skill.hosts.resident import client, server
from ntm_memory_skill.hosts.resident.client import told
from ntm_memory_skill.hosts.resident.place import AVAILABLE
from ntm_memory_skill.hosts.resident.protocol import Message, receive
from ntm_memory_skill.tools import call
from tests.config.files import write_config
from tests.hosts.command_line import Outcome, run_here
from tests.hosts.conftest import CommandLine
from tests.hosts.residents import residing, socket_of, unopenable
from tests.hosts.servers import PATIENT

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="this system has no sockets in folders")

DIARY = (
    ("the harbour master rings at noon", "--session", "harbour"),
    ("the lighthouse keeper is called Ana", "--session", "harbour", "--key", "keeper"),
    ("外婆的生日是三月十二号", "--tag", "family"),
    ("the ferry to the island leaves at nine", "--importance", "0.9"),
)
LINES = (
    ("memorize", "the mole was painted red"),
    ("memorize", "the harbour master rings at noon"),
    ("memorize", ""),
    ("memorize", "x", "--importance", "2"),
    ("recall", "who keeps the lighthouse?"),
    ("recall", "when does it ring?", "--session", "harbour", "--context", "1"),
    ("recall", "--key", "keeper"),
    ("recall",),
    ("recall", "x", "--budget", "0"),
    ("search", "生日", "--top-k", "2"),
    ("search", "ferry", "--explain"),
    ("search", "ferry", "--tag", "nobody"),
    ("search", "ferry", "--mode", "exact"),
    ("search", "ferry", "--backend", "crossbar"),
    ("search", "x", "--top-k", "0"),
    ("search", "x", "--since", "yesterday"),
    ("update", "{id}", "the harbour master rings at one"),
    ("update", "nobody", "x"),
    ("update", "{id}"),
    ("erase", "{id}", "--reason", "moved"),
    ("erase", "{id}", "--purge"),
    ("erase", "--query", "ferry"),
    ("erase", "nobody"),
    ("erase",),
)


class Both:
    """One memory twice: a copy that each command opens for itself, and one that a resident has open."""

    def __init__(self, folder: Path, refuse: Callable[[], None]) -> None:
        self.cold, self.warm = folder / "cold" / "a.json", folder / "warm" / "a.json"
        stored = [run_here("--memory", self.cold, "--json", "memorize", *each).envelope["id"] for each in DIARY]
        self._id, self._refuse = str(stored[0]), refuse
        shutil.copytree(self.cold.parent, self.warm.parent)

    def run(self, *lines: tuple[str, ...]) -> list[tuple[Outcome, Outcome]]:
        """Return what command lines do without a resident and with one; the latter open no memory."""
        cold = [self._run(self.cold, line) for line in lines]
        with residing(self.warm):
            self._refuse()
            return list(zip(cold, [self._run(self.warm, line) for line in lines], strict=True))

    def _run(self, path: Path, line: tuple[str, ...]) -> Outcome:
        return run_here("--memory", path, *(word.format(id=self._id) for word in line))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function after which no command opens a memory itself."""

    def refuse(*_: object) -> None:
        raise AssertionError("the command did the work itself")

    return partial(monkeypatch.setattr, tools, "_here", refuse)


@pytest.fixture
def both(no_model: None, tmp_path: Path, alone: Callable[[], None]) -> Both:
    """A small diary, twice."""
    return Both(tmp_path, alone)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tools that residents have called."""
    calls: list[str] = []

    def count(memory: NTMMemoryManager, tool: str, arguments: Message) -> Message:
        calls.append(tool)
        return call(memory, tool, arguments)

    monkeypatch.setattr(server, "call", count)
    return calls


def plain(outcome: Outcome) -> tuple[int, str, str]:
    """Return an outcome without what differs each time: new ids, digests, and moments."""
    new = re.compile(r"\bm[a-z0-9]{12}\b|\b[0-9a-f]{64}\b|\d{4}-\d\d-\d\d[T ]\d\d:\d\d[^\s\"·]*")
    return outcome.status, new.sub("#", outcome.out), new.sub("#", outcome.err)


class TestSameAnswers:
    """Word for word, and with the same exit status."""

    @pytest.mark.parametrize("form", [(), ("--json",)], ids=["words", "json"])
    @pytest.mark.parametrize("line", LINES, ids=" ".join)
    def test_a_command_says_what_it_would_say_itself(self, both: Both, line: tuple[str, ...], form: tuple[str]) -> None:
        """For all five tools, whether it is done or refused."""
        ((cold, warm),) = both.run((*form, *line))
        assert plain(warm) == plain(cold)
        assert cold.out or cold.err

    def test_commands_in_a_row_see_what_those_before_did(self, both: Both) -> None:
        """What recalling does included, and nothing of where a chat looked: each command is a chat's first."""
        asked = ("--json", "recall", "when does the ferry ring?", "--session", "harbour")
        lines = (asked, asked, ("memorize", "the ferry rings too"), asked, ("search", "ferry", "--explain"), asked)
        for cold, warm in both.run(*lines):
            assert plain(warm) == plain(cold)

    def test_an_error_of_the_store_keeps_its_code_and_status(self, both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
        """It was raised in another process, and is met here."""

        def fail(*_: object) -> Message:
            raise StoreFull("no space", hint="make some")

        monkeypatch.setattr("ntm_memory_skill.tools.call", fail)
        monkeypatch.setattr(server, "call", fail)
        for cold, warm in both.run(("memorize", "x"), ("memorize", "x", "--json")):
            assert warm == cold
            assert warm.status == 3

    def test_what_was_mended_is_said_once(
        self, cli: CommandLine, path: Path, alone: Callable[[], None], counted: list[str]
    ) -> None:
        """On standard error, by the first command that is answered."""
        cli("memorize", "x")
        cli("memorize", "y")
        with (path.parent / "ntm_memory.journal.jsonl").open("ab") as journal:
            journal.write(b"torn")
        with residing(path):
            alone()
            first, second = cli("search", "x"), cli("search", "x")
        assert first.err.startswith("note: ")
        assert (second.err, counted) == ("", ["search", "search"])


class TestGoingWithout:
    """Commands do the work themselves where a resident is not for them."""

    @pytest.fixture
    def stored(self, cli: CommandLine) -> CommandLine:
        """A memory with one entry."""
        assert cli("memorize", "the harbour master rings at noon").status == 0
        return cli

    def test_another_version_is_not_asked(
        self, stored: CommandLine, path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[str]
    ) -> None:
        """After an upgrade, until the resident ends."""
        with residing(path):
            monkeypatch.setattr(client, "__version__", "0.0.1")
            assert stored("search", "noon").status == 0
        assert counted == []

    @pytest.mark.parametrize(
        "config",
        [
            {"ntm_memory": {"recall_budget": 100}},
            {"m3": {"reconsolidate": False}},
            {"ntm_memory": {"resident": {"mode": "off"}}},
        ],
        ids=str,
    )
    def test_another_configuration_is_not_asked(
        self, stored: CommandLine, path: Path, here: Path, counted: list[str], config: Message
    ) -> None:
        """Nor one that is told not to be."""
        with residing(path):
            write_config(here, config)
            assert stored("search", "noon").status == 0
        assert counted == []

    def test_a_wrong_configuration_is_still_refused(self, stored: CommandLine, path: Path, here: Path) -> None:
        """In the resident's settings, too."""
        with residing(path):
            write_config(here, {"ntm_memory": {"resident": {"minutes": 0}}})
            assert stored("search", "noon").status == 2

    def test_what_the_resident_cannot_open_the_command_opens(self, stored: CommandLine, path: Path) -> None:
        """Or says itself why it cannot."""
        with unopenable(path, StoreUnreachable("not from here")):
            assert stored("search", "noon", "--json").envelope["hits"]
            assert stored("memorize", "once", "--json").envelope["stored"] == "new"

    def test_an_overlong_request_is_not_sent(
        self, stored: CommandLine, path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[str]
    ) -> None:
        """The command does it."""
        monkeypatch.setattr(client, "REQUEST_LIMIT", 100)
        with residing(path):
            assert stored("memorize", "x").status == 0
        assert counted == []

    def test_a_system_without_such_sockets_goes_without(
        self, stored: CommandLine, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And says nothing of it."""
        monkeypatch.setattr(client, "AVAILABLE", False)
        assert (stored("search", "noon").err, told(path, "status")) == ("", None)


class TestLife:
    """When it begins and ends, and who says so."""

    def test_it_ends_when_nobody_asks(self, cli: CommandLine, path: Path) -> None:
        """Its socket goes with it."""
        with residing(path, minutes=0.0005) as thread:
            thread.join(PATIENT)
            assert not thread.is_alive()
            assert not socket_of(path).exists()

    def test_stop_ends_it(self, cli: CommandLine, path: Path) -> None:
        """And says whether there was one."""
        with residing(path) as thread:
            assert cli("serve", "--stop", "--json").envelope == {"ok": True, "stopped": True}
            thread.join(PATIENT)
            assert not socket_of(path).exists()
        assert cli("serve", "--stop", "--json").envelope == {"ok": True, "stopped": False}

    def test_a_server_of_others_is_not_stopped(self, cli: CommandLine, path: Path) -> None:
        """It goes with its clients."""
        with residing(path, stoppable=False):
            assert cli("serve", "--stop", "--json").code == "invalid_argument"
            assert told(path, "status") is not None

    def test_doctor_says_whether_there_is_one(self, cli: CommandLine, path: Path, here: Path) -> None:
        """And whether it is of use."""

        def said() -> str:
            rows = cli("doctor", "--no-host", "--json").envelope["findings"]
            return next(str(row["detail"]) for row in rows if row["subject"] == "resident")

        assert said().startswith("no process")
        with residing(path):
            assert said() == f"process {os.getpid()} answers commands over this memory"
            write_config(here, {"ntm_memory": {"recall_budget": 100}})
            assert "configured otherwise" in said()
        write_config(here, {"ntm_memory": {"resident": {"mode": "off"}}})
        assert said().startswith("none is asked")

    @pytest.mark.parametrize(
        "line",
        [["--agents", "--socket"], ["--socket", "--stop"], ["--idle", "3"], ["--socket", "--idle", "0"]],
        ids=" ".join,
    )
    def test_what_does_not_go_together_is_refused(self, cli: CommandLine, path: Path, line: list[str]) -> None:
        """And nothing is served."""
        assert cli("serve", *line, "--json").code == "invalid_argument"
        assert not path.parent.exists()

    def test_a_resident_that_nobody_may_ask_is_not_served(self, cli: CommandLine, here: Path) -> None:
        """The configuration says off."""
        write_config(here, {"ntm_memory": {"resident": {"mode": "off"}}})
        assert cli("serve", "--socket").status == 2

    def test_a_server_of_others_answers_commands_meanwhile(
        self, cli: CommandLine, path: Path, alone: Callable[[], None]
    ) -> None:
        """Until it ends; then the socket is gone."""
        cli("memorize", "x")
        config = configured(path)
        memory = LazyMemory(lambda: open_to_serve(config))
        with server.offered(config, memory):
            alone()
            assert cli("search", "x", "--json").envelope["hits"]
        assert not socket_of(path).exists()
        memory.close()

    def test_a_server_makes_no_folder_for_it(self, no_model: None, path: Path) -> None:
        """Nor does it fail without one."""
        with server.offered(configured(path), LazyMemory(lambda: open_to_serve(configured(path)))):
            assert not path.parent.exists()

    def test_a_switched_off_skill_has_none(self, cli: CommandLine, here: Path, path: Path, counted: list[str]) -> None:
        """A resident from before is not asked any more."""
        cli("memorize", "x")
        with residing(path):
            (here / "clawhub.json").write_text(f'{{"plugins": {{"{PLUGIN}": {{"enabled": false}}}}}}')
            assert cli("search", "x").status == 2
        assert counted == []


def test_a_slow_call_is_waited_for(
    cli: CommandLine, path: Path, monkeypatch: pytest.MonkeyPatch, alone: Callable[[], None]
) -> None:
    """As long as signs of life come."""
    seen = threading.Event()

    def slow(memory: NTMMemoryManager, tool: str, arguments: Message) -> Message:
        assert seen.wait(PATIENT)
        return call(memory, tool, arguments)

    def watched(connection: socket.socket, seconds: float, limit: int) -> Message:
        message = receive(connection, seconds, limit)
        if "working" in message:
            seen.set()
        return message

    monkeypatch.setattr(server, "SIGN", 0.01)
    monkeypatch.setattr(server, "call", slow)
    monkeypatch.setattr(client, "receive", watched)
    with residing(path):
        alone()
        assert cli("memorize", "x").status == 0
    assert seen.is_set()


def test_every_error_comes_back_as_itself() -> None:
    """By its code, which names its class."""
    error = {"code": "store_locked", "message": "m", "hint": "h"}
    answer = client._understood({"error": error, "notes": []})
    with pytest.raises(NTMMemoryError) as raised:
        answer.given()
    assert (raised.value.code, raised.value.message, raised.value.hint) == ("store_locked", "m", "h")
