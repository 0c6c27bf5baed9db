"""A process dies before, in the middle of and after every system call of every operation.

What it wrote is there, synced or not. What was acknowledged has to be there, what was under way as a whole or not at
all; the next opening puts everything in order, and every other process goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.store.disk import Picture
from tests.store.doubles import CHANGING, Fault, FaultyOS, WatchedOS, once
from tests.store.ledger import Process
from tests.store.operations import PURGE, Operation, laboratory, one_more, past_with_a_secret
from tests.store.soundness import Examination, kept_secret
from tests.store.trials import EVERY_OPERATION, EVERY_SHARED_OPERATION, Trial, attempt, calls_of

Moment = Literal["dies before", "dies midway", "dies after"]


def deaths(operation: Operation, root: Path, moment: Moment, *, witnessed: bool = False) -> Iterator[tuple[str, Trial]]:
    """Give what is left by a process that dies at each call in turn."""
    fault = Fault(moment)
    for number, call in enumerate(calls_of(operation, root)):
        if fault.fits(call) and (moment != "dies after" or call.name in CHANGING):  # else it is before the next call
            trial = attempt(operation, root, FaultyOS(once(number, fault)), witnessed=witnessed)
            assert trial.died
            yield f"{operation.name}: {moment} call {number}, {call.name} in line {call.line}", trial


@pytest.mark.parametrize("moment", ["dies before", "dies midway", "dies after"])
@EVERY_OPERATION
def test_whatever_was_acknowledged_is_there_again(tmp_path: Path, operation: Operation, moment: Moment) -> None:
    """Whole, in order after one opening, and ready to be written."""
    root, examination = tmp_path / "trial", Examination(tmp_path / "examination", operation)
    for what, trial in deaths(operation, root, moment):
        examination.sound(Picture.of(root), trial.process.ledger.expected(), what)


def survivors(operation: Operation, root: Path) -> Iterator[tuple[str, Process]]:
    """Give a process that was there before, beside all that one that died can leave."""
    met = set()
    for what, trial in deaths(operation, root, "dies before", witnessed=True):
        left = (Picture.of(root), trial.process.ledger.entries)
        if left not in met:
            met.add(left)
            survivor = Process(trial.process.path, trial.process.ledger)
            survivor.store = trial.witness
            yield what, survivor


@EVERY_SHARED_OPERATION
def test_a_process_that_was_there_before_goes_on(tmp_path: Path, operation: Operation) -> None:
    """It has not opened the memory since, so nothing was put in order; it writes behind whatever it finds."""
    root, examination = tmp_path / "trial", Examination(tmp_path / "examination", operation)
    for what, survivor in survivors(operation, root):
        with laboratory(WatchedOS()):
            survivor.opened.refresh()
            assert survivor.opened.state in survivor.ledger.alive, f"{what}: another state than all that may be"
            survivor.commit(one_more(survivor.opened, 80))
        examination.sound(Picture.of(root), survivor.ledger.expected(), f"{what}, then a commit")


def test_a_purge_leaves_nothing_of_what_a_dead_process_left(tmp_path: Path) -> None:
    """Temporary files and the journal of an unfinished fold are not overlooked, though nothing was put in order."""
    operation = Operation("compact", past_with_a_secret, Process.compact)
    for what, survivor in survivors(operation, tmp_path / "trial"):
        with laboratory(WatchedOS()):
            survivor.commit(*PURGE, scrub=True)
        kept_secret(tmp_path / "trial", survivor.opened, f"{what}, then a purge")
