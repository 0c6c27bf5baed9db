"""Real processes over one memory: the command line with its model, processes by turns, and one that is killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hosts.command_line import run_here, run_process
from tests.hosts.peer import Peer

StartPeer = Callable[[], Peer]


@pytest.fixture
def start_peer(path: Path) -> Iterator[StartPeer]:
    """A function that starts a process over the memory at `path`; those that still run are ended."""
    started: list[Peer] = []

    def start() -> Peer:
        started.append(Peer(path))
        return started[-1]

    yield start
    for peer in started:
        peer.close()


@pytest.mark.model
def test_one_process_stores_and_another_finds(path: Path) -> None:
    """As installed, with the bundled model, in Chinese and from bytes."""
    text = "外婆的生日是三月十二号"
    stored = run_process("--memory", path, "memorize", "-", "--json", stdin=text.encode())
    assert (stored.status, stored.err) == (0, "")
    found = run_process("--memory", path, "search", "外婆生日哪天", "--json")
    assert (found.status, found.err) == (0, "")
    (hit,) = found.envelope["hits"]
    assert (hit["id"], hit["content"]) == (stored.envelope["id"], text)


class TestByTurns:
    """Two processes that both hold the memory open."""

    def test_each_sees_what_the_other_stored(self, start_peer: StartPeer, path: Path) -> None:
        """At once, after every single write; a restart finds all."""
        peers = start_peer(), start_peer()
        written: set[str] = set()
        for number in range(8):
            writer, reader = peers[number % 2], peers[1 - number % 2]
            assert writer.call("memorize", content=f"turn {number}")["ok"]
            written.add(f"turn {number}")
            assert reader.contents() == written
        for peer in peers:
            peer.close()
        assert start_peer().contents() == written

    def test_each_sees_what_the_other_changed(self, start_peer: StartPeer) -> None:
        """Updated, erased and purged; an id that is gone is gone for both."""
        one, other = start_peer(), start_peer()
        idents = [one.call("memorize", content=text)["id"] for text in ("a", "b", "c")]
        assert other.call("update", id=idents[0], content="a, revised")["ok"]
        assert one.contents() == {"a, revised", "b", "c"}
        assert one.call("erase", id=idents[1])["ok"]
        assert other.contents() == {"a, revised", "c"}
        assert other.call("erase", id=idents[2], purge=True)["ok"]
        assert one.contents() == {"a, revised"}
        assert one.call("update", id=idents[2], content="x")["error"]["code"] == "unknown_memory"

    def test_a_command_line_beside_an_open_memory_sees_and_is_seen(
        self, start_peer: StartPeer, no_model: None, path: Path
    ) -> None:
        """As with an agent's server running, and a person at the terminal."""
        server = start_peer()
        server.call("memorize", content="from the server")
        assert run_here("--memory", path, "memorize", "from the terminal").status == 0
        assert server.contents() == {"from the server", "from the terminal"}
        assert run_here("--memory", path, "--json", "stats").envelope["stats"]["memories"] == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
class TestKilled:
    """A process that ends between one instruction and the next."""

    def test_what_was_acknowledged_survives_every_kill(self, start_peer: StartPeer) -> None:
        """Killed right after the answer, time and again."""
        written: set[str] = set()
        for number in range(3):
            peer = start_peer()
            assert peer.contents() == written
            assert peer.call("memorize", content=f"life {number}")["ok"]
            written.add(f"life {number}")
            assert peer.kill() == []
        assert start_peer().contents() == written

    def test_a_kill_amid_writing_loses_nothing_that_was_acknowledged(
        self, start_peer: StartPeer, no_model: None, path: Path
    ) -> None:
        """Wherever it struck: at most the one write that was never answered is there besides; the files are whole."""
        peer, texts = start_peer(), [f"write {number}" for number in range(60)]
        for text in texts:
            peer.send("memorize", {"content": text})
        answers = [peer.receive() for _ in range(5)]
        answers += peer.kill()
        assert all(answer["ok"] for answer in answers)
        found = start_peer().contents()
        assert found in (set(texts[: len(answers)]), set(texts[: len(answers) + 1]))
        assert run_here("--memory", path, "verify").status == 0
