"""The power fails at every system call of every operation, and the disk has kept what it was told to, or more.

With durability "full" all that was acknowledged is there, whatever became of the rest; with "relaxed" what was
there at some moment after the last sync. The writer's note never promises more than the disk has kept.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Hashable
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreError
from tests.store.disk import Picture, VolatileDisk
from tests.store.doubles import Fault, Plan, ProcessDeath, once
from tests.store.ledger import Expected, Process
from tests.store.operations import MEMORY, PLACE, Operation, laboratory, one_more
from tests.store.soundness import Examination, opened
from tests.store.trials import AT_POWER_FAILURES, calls_of, fresh


class Outage:
    """Follows a process, and gathers what may be found if the power fails at any moment.

    Args:
        process: What is done, and was promised.
        story: What happened first.
    """

    def __init__(self, process: Process, story: str) -> None:
        self.process, self.story = process, story
        self.found: dict[tuple[Picture, Hashable], tuple[Expected, str]] = {}
        self._last = (-1, -1)

    def watch(self, disk: VolatileDisk) -> None:
        """Gather what is new."""
        ledger = self.process.ledger
        now = (disk.changes, ledger.entries)
        if now == self._last:
            return
        self._last, expected = now, ledger.expected(power=True)
        for outcome in disk.outcomes():
            what = f"{self.story}, power off at call {len(disk.calls)}, {outcome.label}"
            self.found.setdefault((outcome.picture, expected.key), (expected, what))

    def check(self, examination: Examination) -> None:
        """Examine everything that was gathered."""
        for (picture, _), (expected, what) in self.found.items():
            examination.sound(picture, expected, what)


@AT_POWER_FAILURES
def test_whatever_was_acknowledged_survives_a_power_failure(tmp_path: Path, operation: Operation) -> None:
    """At every moment, and whatever the disk kept of what it was not told to keep."""
    process = fresh(operation, tmp_path / "trial")
    outage = Outage(process, operation.name)
    disk = disk_for(operation, tmp_path / "trial", outage.watch)
    with laboratory(disk):
        operation.act(process)
    outage.watch(disk)
    outage.check(Examination(tmp_path / "examination", operation))
    assert len(outage.found) > 10


@AT_POWER_FAILURES
def test_the_writer_s_note_is_never_ahead_of_the_disk(tmp_path: Path, operation: Operation) -> None:
    """The note alone may survive, in its newest version: what it calls acknowledged is among what was synced."""
    root, name = tmp_path / "trial", PLACE.with_name(f"{MEMORY}.writer")
    noted = []

    def watch(disk: VolatileDisk) -> None:
        note = Picture.of(root).read(str(name)) or b""
        acknowledged = re.search(rb"acknowledged (\d+) crc", note)
        if acknowledged is not None:
            kept = last_entry(disk.durable())
            assert int(acknowledged[1]) <= kept, f"{operation.name}, call {len(disk.calls)}: the disk has {kept}"
            noted.append(kept)

    process = fresh(operation, root)
    with laboratory(disk_for(operation, root, watch)):
        operation.act(process)
    assert noted or operation.durability == "relaxed"


@AT_POWER_FAILURES
def test_what_is_acknowledged_after_a_crash_survives_a_power_failure(tmp_path: Path, operation: Operation) -> None:
    """The next process syncs what the dead one left unsynced: names above all, which nobody else would."""
    root, examination = tmp_path / "trial", Examination(tmp_path / "examination", operation)
    for number, call in enumerate(calls_of(operation, root)):
        what = f"{operation.name}: dies before call {number}, {call.name} in line {call.line}; a commit"
        process = fresh(operation, root)
        disk = disk_for(operation, root, plan=once(number, Fault("dies before")))
        with laboratory(disk):
            with pytest.raises(ProcessDeath):
                operation.act(process)
            disk.restart()
            successor = succeed(process, operation, what)
            successor.commit(one_more(successor.opened, 70))
        outage = Outage(successor, what)
        outage.watch(disk)
        outage.check(examination)


@AT_POWER_FAILURES
def test_what_a_failed_sync_left_open_is_not_taken_for_settled(tmp_path: Path, operation: Operation) -> None:
    """No error of a sync passes in silence, and what is acknowledged after one is on the disk with all before it."""
    root, examination = tmp_path / "trial", Examination(tmp_path / "examination", operation)
    for number, call in enumerate(calls_of(operation, root)):
        if call.name != "fsync":
            continue
        process = fresh(operation, root)
        outage = Outage(process, f"{operation.name}: the sync of call {number} fails, in line {call.line}")
        disk = disk_for(operation, root, plan=once(number, Fault("refused", errno.EIO)))
        with laboratory(disk):
            try:
                operation.act(process)
            except StoreError:
                if process.store is not None:
                    process.commit(one_more(process.store, 60))
            outage.watch(disk)
        outage.check(examination)


def disk_for(
    operation: Operation,
    root: Path,
    watch: Callable[[VolatileDisk], None] = lambda _: None,
    plan: Plan | None = None,
) -> VolatileDisk:
    """Return the disk that an operation works on; if something else goes wrong first, new folders last."""
    disk = VolatileDisk(root, watch) if plan is None else VolatileDisk(root, watch, plan, folders_last=True)
    disk.has_links = operation.has_links
    return disk


def last_entry(picture: Picture) -> int:
    """Return the last entry that snapshot and journal hold; for those that are encrypted, as far as it can be read."""
    journal = picture.read(str(PLACE.with_name(f"{MEMORY}.journal.jsonl"))) or b""
    snapshot = picture.read(str(PLACE)) or b""
    found = re.findall(rb'(?m)^\{"seq":(\d+),.*\}$', journal) + re.findall(rb'^\{"journal":.*"sequence":(\d+)', journal)
    return max(map(int, [*found, *re.findall(rb'^\{"format":.*"sequence":(\d+),', snapshot)]), default=0)


def succeed(process: Process, operation: Operation, what: str) -> Process:
    """Return a process that goes on with what a dead one left."""
    if operation.mend is not None:
        operation.mend(process.path)
    successor = Process(process.path, process.ledger)
    successor.store, passphrase = opened(process.path, process.ledger.expected(), what)
    successor.ledger.passphrases = (passphrase,)
    return successor
