"""A server uses the time in which nobody asks for anything."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from ntm_memory_skill import HashedEncoder, M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.errors import StoreLocked
from ntm_memory_skill.hosts.mcp import LazyMemory, idle
from ntm_memory_skill.hosts.mcp.idle import SECONDS, Idle
from tests.conftest import OpenMemory
from tests.hosts.servers import PATIENT

QUIET = 60.0
"""Seconds of quiet that the tests ask for, on a clock of their own."""


@dataclass
class Alarm:
    """A timer that waits on the tests' clock."""

    at: float
    ring: Callable[[], None]
    set: bool = False
    daemon: bool = False

    def start(self) -> None:
        """Wait from now on."""
        self.set = True

    def cancel(self) -> None:
        """Wait no more."""
        self.set = False


@dataclass
class Hours:
    """A clock that stands until it is moved, with the timers that were set by it."""

    now: float = 1_000.0
    alarms: list[Alarm] = field(default_factory=list)

    def timer(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Make a timer."""
        self.alarms.append(Alarm(self.now + seconds, ring))
        return self.alarms[-1]

    def pass_by(self, seconds: float) -> None:
        """Move the clock on, and let each timer ring when its moment has come."""
        end = self.now + seconds
        while due := [each for each in self.alarms if each.set and each.at <= end]:
            first = min(due, key=lambda each: each.at)
            self.now, first.set = first.at, False
            first.ring()
        self.now = end

    @property
    def waiting(self) -> int:
        """How many timers are set."""
        return sum(each.set for each in self.alarms)


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    """The clock by which idle time is told."""
    clock = Hours()
    monkeypatch.setattr(idle, "threading", SimpleNamespace(Lock=threading.Lock, Timer=clock.timer))
    monkeypatch.setattr(idle, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


class TestIdle:
    """When the work is done."""

    @pytest.fixture
    def done(self) -> list[float]:
        """When it was."""
        return []

    @pytest.fixture
    def quiet(self, hours: Hours, done: list[float]) -> Idle:
        """Something that notes when it was done."""
        return Idle(QUIET, lambda: done.append(hours.now))

    def test_nothing_is_done_before_the_first_call(self, hours: Hours, done: list[float], quiet: Idle) -> None:
        """A server that nobody ever used has nothing to do."""
        hours.pass_by(10 * QUIET)
        assert done == []

    def test_it_is_done_once_in_every_stretch_of_quiet(self, hours: Hours, done: list[float], quiet: Idle) -> None:
        """However long that lasts; the next call begins another one."""
        start = hours.now
        quiet.touch()
        hours.pass_by(100 * QUIET)
        assert done == [start + QUIET]
        assert hours.waiting == 0
        quiet.touch()
        hours.pass_by(100 * QUIET)
        assert done == [start + QUIET, start + 101 * QUIET]

    def test_it_is_not_done_while_there_are_calls(self, hours: Hours, done: list[float], quiet: Idle) -> None:
        """Each begins the stretch anew, and all of them together wait on one timer."""
        for _ in range(100):
            quiet.touch()
            assert hours.waiting == 1
            hours.pass_by(0.9 * QUIET)
        assert done == []
        last = hours.now - 0.9 * QUIET
        hours.pass_by(QUIET)
        assert done == [pytest.approx(last + QUIET)]

    def test_a_call_during_the_work_begins_another_stretch(self, hours: Hours) -> None:
        """It is not lost for having come at that moment."""
        done: list[float] = []

        def work() -> None:
            done.append(hours.now)
            if len(done) == 1:
                quiet.touch()

        quiet = Idle(QUIET, work)
        quiet.touch()
        hours.pass_by(10 * QUIET)
        assert done == [1_000.0 + QUIET, 1_000.0 + 2 * QUIET]

    @pytest.mark.parametrize("touched", [True, False])
    def test_once_stopped_it_is_done_no_more(self, hours: Hours, done: list[float], quiet: Idle, touched: bool) -> None:
        """Neither by a timer that was set, nor by a call that comes late."""
        if touched:
            quiet.touch()
        quiet.stop()
        quiet.stop()
        quiet.touch()
        hours.pass_by(10 * QUIET)
        assert (done, hours.waiting) == ([], 0)

    def test_a_timer_that_rings_while_it_is_stopped_does_nothing(self, hours: Hours, done: list[float]) -> None:
        """Cancelling comes too late for it."""
        quiet = Idle(QUIET, lambda: done.append(hours.now))
        quiet.touch()
        quiet.stop()
        hours.alarms[0].ring()
        assert done == []

    def test_no_seconds_are_never(self, hours: Hours, done: list[float]) -> None:
        """No timer is set at all."""
        quiet = Idle(0, lambda: done.append(hours.now))
        quiet.touch()
        hours.pass_by(10 * QUIET)
        assert (done, hours.alarms) == ([], [])

    def test_an_error_is_logged_and_the_next_stretch_tries_again(
        self, hours: Hours, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nobody waits for the work, so nobody else would hear of it."""
        errors = [StoreLocked("somebody else writes")]
        done: list[float] = []

        def work() -> None:
            if errors:
                raise errors.pop()
            done.append(hours.now)

        quiet = Idle(QUIET, work)
        quiet.touch()
        with caplog.at_level(logging.WARNING):
            hours.pass_by(2 * QUIET)
        (record,) = caplog.records
        assert "store_locked" in record.getMessage()
        quiet.touch()
        hours.pass_by(2 * QUIET)
        assert len(done) == 1

    def test_with_a_real_timer_it_is_done_in_a_thread_of_its_own(self) -> None:
        """Which does not keep the process alive."""
        told: list[threading.Thread] = []
        over = threading.Event()

        def work() -> None:
            told.append(threading.current_thread())
            over.set()

        quiet = Idle(0.001, work)
        quiet.touch()
        assert over.wait(PATIENT)
        quiet.stop()
        (thread,) = told
        assert thread is not threading.main_thread()
        assert thread.daemon


class TestMemory:
    """The memory of a server."""

    @pytest.fixture
    def told(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
        """With which arguments a memory was consolidated."""
        told: list[dict[str, object]] = []
        consolidate = NTMMemoryManager.consolidate

        def noted(memory: NTMMemoryManager, **given: object) -> object:
            told.append(given)
            return consolidate(memory, **given)  # type: ignore[arg-type]  # what it was called with

        monkeypatch.setattr(NTMMemoryManager, "consolidate", noted)
        return told

    def lazy(self, open_memory: OpenMemory, minutes: float) -> LazyMemory:
        """Return a server's memory that consolidates after so many minutes."""
        settings = Settings(m3=M3Settings(idle_minutes=minutes))
        return LazyMemory(lambda: open_memory(HashedEncoder(64), settings))

    def test_it_is_consolidated_when_it_was_quiet_for_the_configured_minutes(
        self, hours: Hours, told: list[dict[str, object]], open_memory: OpenMemory
    ) -> None:
        """For a few seconds at most, without a bar; what says the same is merged then, and not before."""
        server = self.lazy(open_memory, minutes=2)
        memory = server.get()
        memory.memorize_many([{"content": "I like tea"}, {"content": "I like tea!"}])
        hours.pass_by(119)
        assert (told, len(memory)) == ([], 2)
        hours.pass_by(1)
        assert told == [{"seconds": SECONDS, "progress": False}]
        assert len(memory) == 1
        hours.pass_by(3_600)
        assert len(told) == 1
        server.get()
        hours.pass_by(3_600)
        assert len(told) == 2

    def test_every_call_puts_it_off(self, hours: Hours, told: list[dict[str, object]], open_memory: OpenMemory) -> None:
        """Whichever asks for the memory."""
        server = self.lazy(open_memory, minutes=1)
        for _ in range(10):
            server.get()
            hours.pass_by(59)
        assert told == []

    def test_by_default_it_is_left_alone(
        self, hours: Hours, told: list[dict[str, object]], open_memory: OpenMemory
    ) -> None:
        """Nobody has asked for it."""
        server = LazyMemory(open_memory)
        server.get()
        hours.pass_by(1_000_000)
        assert (told, hours.alarms) == ([], [])

    def test_a_closed_one_is_left_alone(
        self, hours: Hours, told: list[dict[str, object]], open_memory: OpenMemory
    ) -> None:
        """Its timer is gone with it."""
        server = self.lazy(open_memory, minutes=1)
        server.get()
        server.close()
        hours.pass_by(3_600)
        assert (told, hours.waiting) == ([], 0)

    def test_one_that_was_never_opened_can_be_closed(self, hours: Hours, open_memory: OpenMemory) -> None:
        """There is no timer yet."""
        self.lazy(open_memory, minutes=1).close()
        assert hours.alarms == []
