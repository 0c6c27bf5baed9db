"""An operation, done while something goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreError
from ntm_memory_skill.store import DirectoryStore
from tests.store.builders import open_store
from tests.store.doubles import Call, ProcessDeath, WatchedOS
from tests.store.ledger import Process
from tests.store.operations import OPERATIONS, PLACE, Operation, laboratory, template


def over(operations: list[Operation]) -> pytest.MarkDecorator:
    """Return what has a test run for operations."""
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.name)


EVERY_OPERATION = over([each for each in OPERATIONS if not each.for_power])
EVERY_SHARED_OPERATION = over([each for each in OPERATIONS if each.shared and not each.for_power])
AT_POWER_FAILURES = over(list(OPERATIONS))


@dataclass(frozen=True)
class Trial:
    """How it went."""

    process: Process
    error: StoreError | None
    died: bool = False
    witness: DirectoryStore | None = None
    """A store that was open before, and has done nothing since."""

    @property
    def succeeded(self) -> bool:
        """Whether everything was acknowledged."""
        return self.error is None and not self.died


def fresh(operation: Operation, root: Path) -> Process:
    """Return a process that has not done anything yet to the memory that an operation finds."""
    picture, ledger = template(operation)
    picture.lay(root)
    return Process(root / PLACE, ledger.copy(), operation.durability)


def attempt(operation: Operation, root: Path, double: WatchedOS, *, witnessed: bool = False) -> Trial:
    """Do an operation to a memory of its own, with a double of the operating system."""
    process = fresh(operation, root)
    double.has_links = operation.has_links
    witness = None
    if witnessed:
        with laboratory(WatchedOS()):
            witness = open_store(process.path, tidy=False)
    with laboratory(double):
        try:
            operation.act(process)
        except StoreError as error:
            return Trial(process, error, witness=witness)
        except ProcessDeath:
            process.store = None
            return Trial(process, None, died=True, witness=witness)
    return Trial(process, None, witness=witness)


def calls_of(operation: Operation, root: Path) -> list[Call]:
    """Return the system calls that an operation makes if nothing goes wrong."""
    double = WatchedOS()
    trial = attempt(operation, root, double)
    assert trial.error is None
    return double.calls
