"""No system call in `fs.py` is left out: each place in its source is reached by a failing and by a dying process."""

from __future__ import annotations

import ast
import errno
from dataclasses import dataclass
from pathlib import Path, PurePath

from ntm_memory_skill.store import fs
from tests.store.doubles import NO_SYSTEM_CALLS, Call, Fault, FaultyOS, from_on, in_turn, once
from tests.store.operations import OPERATIONS, Operation
from tests.store.trials import attempt, calls_of

OWN = ("os", "mmap", "self")  # what the calls in `fs.py` that are called like a path's methods belong to
SOURCE = Path(fs.__file__)
REFUSED, DIES = Fault("refused", errno.EIO), Fault("dies before")


@dataclass(frozen=True)
class Site:
    """A place in the source where the operating system is called."""

    name: str
    first: int
    last: int

    def met(self, calls: list[Call]) -> bool:
        """Return whether one of these calls was made here."""
        return any(call.name == self.name and self.first <= call.line <= self.last for call in calls)


def sites() -> set[Site]:
    """Return the places of all system calls."""
    found = [node for node in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return {
        Site(node.func.attr, node.lineno, node.end_lineno or node.lineno)
        for node in found
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("os", "mmap")
        if node.func.attr not in NO_SYSTEM_CALLS
    }


class Survey:
    """Fails and dies at every call of every operation until each site was met, in both ways."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unfailed, self.unreached = sites(), sites()

    def complete(self) -> bool:
        """Go through the operations, and return whether no site is left."""
        return any(self.over(operation) for operation in OPERATIONS)

    def over(self, operation: Operation) -> bool:
        """Go through one operation, as the other fault suites do."""
        for number in range(len(calls_of(operation, self.root))):
            for plan in (from_on(number, REFUSED), once(number, DIES), in_turn(number, REFUSED, DIES)):
                double = FaultyOS(plan)
                attempt(operation, self.root, double)
                self.unfailed = {site for site in self.unfailed if not site.met(double.failed)}
                self.unreached = {site for site in self.unreached if not site.met(double.died)}
                if not self.unfailed and not self.unreached:
                    return True
        return False


def test_every_system_call_was_failed_and_died_at(tmp_path: Path) -> None:
    """A call that is added to the source without an operation that reaches it is named here."""
    survey = Survey(tmp_path / "trial")
    complete = survey.complete()
    assert not survey.unfailed
    assert not survey.unreached
    assert complete


def test_the_operating_system_is_asked_in_no_other_way() -> None:
    """Neither by a path's own methods nor by `open`: such a call could not be failed."""
    calls = [
        node.func for node in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    methods = {func.attr for func in calls if isinstance(func, ast.Attribute) and ast.unparse(func.value) not in OWN}
    asking = set(dir(Path)) - set(dir(PurePath))
    assert not methods & asking
    assert "open" not in {func.id for func in calls if isinstance(func, ast.Name)}
