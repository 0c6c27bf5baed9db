"""Residents that break off: a reading is done again, a change only if it was certainly not begun."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ntm_memory_skill.hosts.resident import client, place
from ntm_memory_skill.hosts.resident.client import told
from ntm_memory_skill.hosts.resident.place import AVAILABLE
from ntm_memory_skill.hosts.resident.protocol import Message, packed
from tests.hosts.command_line import run_here
from tests.hosts.conftest import CommandLine
from tests.hosts.residents import Impostor, residing

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="this system has no sockets in folders")

ACCEPTED: Message = {"accepted": True}
GONE_BEFORE: dict[str, tuple[Sequence[Message | bytes], bool]] = {
    "it goes at once": ((), False),
    "it refuses": (({"refused": "no"},), False),
    "it accepts and refuses": ((ACCEPTED, {"refused": "it cannot be opened"}), False),
    "it says half a word": ((packed(ACCEPTED)[:9],), False),
    "it says something else": (({"hello": True},), False),
    "it speaks another language": ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), False),
}
"""Nothing was begun."""
GONE_AMID: dict[str, tuple[Sequence[Message | bytes], bool]] = {
    "it goes": ((ACCEPTED,), False),
    "it hangs": ((ACCEPTED, {"working": True}), True),
    "it says half a word": ((ACCEPTED, packed({"envelope": {"ok": True}})[:9]), False),
    "it says something else": ((ACCEPTED, {"hello": True}), False),
    "it says no JSON": ((ACCEPTED, b"\x00\x00\x00\x03{[}"), False),
    "it says a list": ((ACCEPTED, b"\x00\x00\x00\x02[]"), False),
    "it goes wrong": ((ACCEPTED, {"lost": "ValueError: x"}), False),
}
"""Something may have been done."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands wait for a tenth of a second where they would wait for two or ten."""
    monkeypatch.setattr(client, "ACCEPTANCE", 0.1)
    monkeypatch.setattr(client, "SILENCE", 0.1)


@pytest.fixture
def stored(cli: CommandLine) -> CommandLine:
    """A memory with one entry."""
    assert cli("memorize", "the harbour master rings at noon").status == 0
    return cli


def memories(cli: CommandLine) -> int:
    """Return how many there are."""
    count: int = cli("stats", "--json").envelope["stats"]["memories"]
    return count


@pytest.mark.parametrize("how", [*GONE_BEFORE, *GONE_AMID])
def test_a_reading_is_done_again(stored: CommandLine, path: Path, how: str) -> None:
    """Wherever it broke off, and silently."""
    says, hangs = {**GONE_BEFORE, **GONE_AMID}[how]
    with Impostor(path, says, hangs=hangs) as impostor:
        found = stored("search", "noon", "--json")
    assert (len(found.envelope["hits"]), found.err) == (1, "")
    assert impostor.requests[0]["tool"] == "search"


@pytest.mark.parametrize("how", GONE_BEFORE)
def test_a_change_that_was_not_begun_is_made_here(stored: CommandLine, path: Path, how: str) -> None:
    """Once."""
    says, hangs = GONE_BEFORE[how]
    with Impostor(path, says, hangs=hangs):
        assert stored("memorize", "x", "--json").envelope["stored"] == "new"
    assert memories(stored) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not certain, and so an error")
@pytest.mark.parametrize("reads", [True, False])
def test_a_change_that_is_not_accepted_in_time_is_made_here(stored: CommandLine, path: Path, reads: bool) -> None:
    """For nobody else can make it any more: the connection is shut."""
    with Impostor(path, (), hangs=True, reads=reads):
        assert stored("memorize", "x", "--json").envelope["stored"] == "new"
    assert memories(stored) == 2


@pytest.mark.parametrize("line", [("memorize", "x"), ("update", "m1", "x"), ("erase", "m1")], ids=lambda line: line[0])
@pytest.mark.parametrize("how", GONE_AMID)
def test_a_change_whose_answer_was_lost_is_an_error(
    stored: CommandLine, path: Path, how: str, line: tuple[str, ...]
) -> None:
    """It says so, and nothing is done here."""
    says, hangs = GONE_AMID[how]
    with Impostor(path, says, hangs=hangs):
        outcome = stored(*line, "--json")
    assert (outcome.status, outcome.code) == (1, "reply_lost")
    assert memories(stored) == 1


def test_an_acceptance_that_comes_too_late_counts(
    stored: CommandLine, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had reached the connection when it was shut may be carried out."""
    shut = client._rest
    monkeypatch.setattr(client, "_rest", lambda connection: shut(connection) + packed(ACCEPTED))
    with Impostor(path, (), hangs=True):
        assert stored("memorize", "x", "--json").code == "reply_lost"


def test_a_refusal_that_comes_late_is_one(stored: CommandLine, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command makes the change."""
    monkeypatch.setattr(client, "_rest", lambda connection: packed({"refused": "no"}))
    with Impostor(path, (), hangs=True):
        assert stored("memorize", "x", "--json").envelope["stored"] == "new"


def test_a_text_that_is_no_utf8_is_the_same_to_both(stored: CommandLine, path: Path) -> None:
    """A lone surrogate crosses the socket."""
    cold = stored("memorize", "-", stdin=b"caf\xe9")
    with residing(path):
        warm = stored("memorize", "-", stdin=b"caf\xe9")
    assert (warm.status, warm.out, warm.err) == (cold.status, cold.out, cold.err)


def test_another_users_process_is_not_asked(stored: CommandLine, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a resident answer one: both look at who is there."""
    with residing(path):
        assert told(path, "status") is not None
        monkeypatch.setattr(os, "getuid", lambda: 12_345)
        assert told(path, "status") is None
        assert stored("search", "noon").status == 0


def test_requests_that_make_no_sense_are_refused_or_dropped(stored: CommandLine, path: Path) -> None:
    """And the next command is answered."""
    with residing(path):
        for request in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x02{]", b"", b"\x00\x00"):
            with place.connected(path.with_suffix(".sock"), 1.0) as connection:
                connection.sendall(request)
        answer = told(path, "dance")
        assert answer is not None
        assert answer.keys() == {"refused"}
        assert told(path, "status") is not None


def test_the_answer_is_one_line_of_json(stored: CommandLine, path: Path) -> None:
    """As without a resident."""
    with residing(path):
        assert json.loads(run_here("--memory", path, "--json", "search", "noon").out)["ok"] is True
