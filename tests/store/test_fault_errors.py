"""The operating system refuses a call, or all from one on: every call of every operation, with every fitting error.

What was acknowledged stays, what was not is not there, the process goes on working, and so does every other.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreError, StoreFull, StoreUnreachable
from tests.store.builders import commit
from tests.store.disk import Picture
from tests.store.doubles import CHANGING, Fault, FaultyOS, Plan, WatchedOS, from_on, in_turn, once
from tests.store.operations import Operation, laboratory, one_more, template
from tests.store.soundness import Examination, kept_secret, opened
from tests.store.trials import EVERY_OPERATION, Trial, attempt, calls_of

ERRORS = (
    Fault("refused", errno.EIO),
    Fault("refused", errno.ENOSPC),
    Fault("refused", errno.EACCES),
    Fault("refused", errno.EPERM),
    Fault("half", errno.ENOSPC),
    Fault("done", errno.EIO),
)


def error_of(code: int) -> type[StoreError]:
    """Return what an error of the operating system comes out as."""
    return StoreFull if code == errno.ENOSPC else StoreUnreachable


class Bench:
    """Does an operation again and again, each time with another fault.

    Args:
        operation: Which.
        folder: Where.
    """

    def __init__(self, operation: Operation, folder: Path) -> None:
        self.operation, self.root = operation, folder / "trial"
        self.calls = calls_of(operation, self.root)
        self.examination = Examination(folder / "examination", operation)

    def fails(self, plan: Plan, code: int, what: str, *, strict: bool) -> Trial:
        """Check what is left when calls fail; strictly, an error says that nothing was stored, nor left."""
        trial = attempt(self.operation, self.root, FaultyOS(plan))
        assert trial.error is None or type(trial.error) is error_of(code), what
        expected = trial.process.ledger.expected()
        if strict:
            expected = replace(expected, states=expected.states[:1])
        if trial.succeeded:
            assert len(expected.states) == 1, what
        picture = Picture.of(self.root)
        left = picture.temporaries() - template(self.operation)[0].temporaries()
        assert not strict or not left, f"{what}: {left} fill a full disk further"
        self.examination.sound(picture, expected, what)
        return trial

    def goes_on(self, trial: Trial, what: str) -> None:
        """Check that the process, which is still there, works on as if nothing had been, and so does another."""
        process, store = trial.process, trial.process.store
        if store is None:
            return
        with laboratory(WatchedOS()):
            process.commit(one_more(store, 60))
            other, _ = opened(process.path, process.ledger.expected(), what)
            assert other.state == store.state, f"{what}: others see another state"
            assert other.state in process.ledger.alive, f"{what}: another state than all that may be"
            commit(other, one_more(other, 61))
            process.compact()
            assert other.state == store.state, f"{what}: it does not see what others do"
            other.refresh()
            assert other.state == store.state, f"{what}: others see another state"
        kept_secret(self.root, store, what)


class TestSingleErrors:
    """One call fails; the next one would not."""

    @pytest.mark.parametrize("fault", ERRORS, ids=lambda fault: f"{fault.kind} {errno.errorcode[fault.code]}")
    @EVERY_OPERATION
    def test_an_error_at_any_call_loses_nothing_and_stores_nothing(
        self, tmp_path: Path, operation: Operation, fault: Fault
    ) -> None:
        """An error says that nothing was stored; without one all is done."""
        bench = Bench(operation, tmp_path)
        for number, call in enumerate(bench.calls):
            if fault.fits(call):
                what = f"{operation.name}: {fault} at call {number}, {call.name} in line {call.line}"
                trial = bench.fails(once(number, fault), fault.code, what, strict=True)
                if fault == ERRORS[0]:
                    bench.goes_on(trial, what)


class TestLastingErrors:
    """All calls from one on fail, so that cleaning up fails as well."""

    @pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC], ids=lambda code: errno.errorcode[code])
    @EVERY_OPERATION
    def test_a_disk_that_fails_for_good_leaves_a_whole_memory(
        self, tmp_path: Path, operation: Operation, code: int
    ) -> None:
        """What was under way may then be there, but whole; all agree on it later."""
        bench = Bench(operation, tmp_path)
        fault = Fault("refused", code)
        for number, call in enumerate(bench.calls):
            if fault.fits(call) and call.name not in {"lseek", "close"}:  # else it is from the next call on
                what = f"{operation.name}: {fault} from call {number} on, {call.name} in line {call.line}"
                bench.goes_on(bench.fails(from_on(number, fault), code, what, strict=False), what)

    @EVERY_OPERATION
    def test_a_process_that_dies_cleaning_up_leaves_a_whole_memory(self, tmp_path: Path, operation: Operation) -> None:
        """The error comes first, death at the call after it."""
        bench = Bench(operation, tmp_path)
        for number, call in enumerate(bench.calls):
            if call.name in CHANGING | {"fsync", "fstat"}:
                what = f"{operation.name}: an error at call {number}, {call.name} in line {call.line}, then death"
                plan = in_turn(number, Fault("refused", errno.EIO), Fault("dies before"))
                bench.fails(plan, errno.EIO, what, strict=False)


class TestShortTransfers:
    """The operating system reads or writes less than it was asked to, as it may."""

    @pytest.mark.parametrize("plan", [once, from_on], ids=["one call", "all from there on"])
    @EVERY_OPERATION
    def test_what_is_short_is_continued(
        self, tmp_path: Path, operation: Operation, plan: Callable[[int, Fault], Plan]
    ) -> None:
        """Nobody notices: everything is done."""
        bench, fault = Bench(operation, tmp_path), Fault("short")
        for number, call in enumerate(bench.calls):
            if fault.fits(call):
                what = f"{operation.name}: call {number} is short, {call.name} in line {call.line}"
                assert bench.fails(plan(number, fault), errno.EIO, what, strict=True).succeeded
