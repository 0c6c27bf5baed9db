"""What the durability bench knows of a memory without asking it: what its writers were told, and what is there.

The oracle is independent and dumb. A ledger is a dict from id to what was acknowledged of it last; a picture is what
one fresh handle shows, as dicts of text; comparing the two is a loop. An operation that had begun when its writer died,
and was never acknowledged, may have taken effect or not, but not by half.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import connection
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.errors import NTMMemoryError, StoreError, StoreLocked
from ntm_memory_skill.sources import system_clock
from ntm_memory_skill.store import verify

PATIENCE = 120.0  # seconds: an answer that takes longer counts as none; far above what a loaded machine needs
FORK = multiprocessing.get_context("fork")  # what is imported once need not be imported by a thousand writers

FAULTS = (
    "lost",
    "unreadable openings",
    "failed calls",
    "crashed writers",
    "back after being erased",
    "done by half",
    "written by nobody",
    "in files after a purge",
    "findings of verify",
    "temporary files left",
)
"""What must not be."""

Condition = Literal["live", "erased", "purged"]
Verb = Literal["memorize", "memorize_many", "update", "erase", "purge"]
Outcome = Literal["whole", "absent", "torn"]
T = TypeVar("T")

_MARK = re.compile(r"Note ([\d-]+):")


def note(mark: str, text: str) -> str:
    """Return a memory's text: `mark`, numbers with hyphens, is used once, and found again in any file that holds it."""
    return f"Note {mark}: {text}"


def marks(text: str) -> set[str]:
    """Return the marks of all notes that stand in a text, or in a file's."""
    return set(_MARK.findall(text))


@dataclass(frozen=True, slots=True)
class Promise:
    """What was acknowledged of one memory last."""

    content: str
    condition: Condition = "live"
    former: tuple[str, ...] = ()
    """What it said before its updates."""

    def kept(self, ident: str, picture: Picture) -> bool:
        """Return whether a picture shows just this."""
        live, erased, purged = ident in picture.live, ident in picture.erased, ident in picture.purged
        match self.condition:
            case "live":
                return picture.live.get(ident) == self.content and not erased and not purged
            case "erased":
                return picture.erased.get(ident) == self.content and not live and not purged
            case "purged":
                return purged and not live and not erased


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of one writer."""

    verb: Verb
    contents: tuple[str, ...] = ()
    """The texts that it writes."""
    idents: tuple[str, ...] = ()
    """The memories that it changes; none if it makes new ones."""

    def perform(self, memory: NTMMemoryManager) -> tuple[str, ...]:
        """Make the call, and return the ids of the memories that it made."""
        match self.verb:
            case "memorize":
                return (memory.memorize(self.contents[0]).id,)
            case "memorize_many":
                return tuple(memory.memorize_many([{"content": content} for content in self.contents], progress=False))
            case "update":
                memory.update(self.idents[0], self.contents[0])
            case "erase" | "purge":
                memory.erase(*self.idents, purge=self.verb == "purge")
        return ()

    def after(self, before: Promise) -> Promise:
        """Return what holds of a memory once this was done to it."""
        if self.verb == "update":
            return Promise(self.contents[0], former=(*before.former, before.content))
        return replace(before, condition="erased" if self.verb == "erase" else "purged")


@dataclass(frozen=True, slots=True)
class Picture:
    """What a memory shows: text by id, and what was remarked on the way."""

    live: dict[str, str] = field(default_factory=dict)
    erased: dict[str, str] = field(default_factory=dict)
    purged: frozenset[str] = frozenset()
    unreadable: str | None = None
    """Why it could not be opened."""
    unsound: tuple[str, ...] = ()
    """What `verify` did not find in order."""
    marks_in_files: frozenset[str] = frozenset()
    """Of all notes whose text stands in any file."""
    half_written: tuple[str, ...] = ()
    """Temporary files before the opening: each is a rewrite that a kill cut short."""
    left_behind: tuple[str, ...] = ()
    """Temporary files that are there after it."""
    warnings: tuple[str, ...] = ()
    """What the opening found amiss and mended: unfinished lines."""

    @classmethod
    def of(cls, memory: NTMMemoryManager) -> Self:
        """Return what an open memory shows."""
        state = memory.state
        return cls(
            live={ident: record.content for ident, record in state.records.items()},
            erased={ident: record.content for ident, record in state.archive.items()},
            purged=frozenset(state.tombstones),
        )


@dataclass(slots=True)
class Ledger:
    """What the writers of one lane were told, one after the other. Nobody else touches the lane's memories."""

    promises: dict[str, Promise] = field(default_factory=dict)
    begun: Operation | None = None
    doubts: list[Operation] = field(default_factory=list)
    """Operations whose writer died, or was refused, before the acknowledgement."""
    half_purged: set[str] = field(default_factory=set)
    """Ids whose purge was never acknowledged: nobody was told that their text has left the files."""
    acknowledged: Counter[Verb] = field(default_factory=Counter)

    def begin(self, operation: Operation) -> None:
        """Note that an operation was begun."""
        self.begun = operation

    def acknowledge(self, made: Iterable[str]) -> None:
        """Note that the operation was acknowledged; `made` are the ids of the memories that it wrote."""
        if self.begun is not None:
            self.acknowledged[self.begun.verb] += 1
            changed = {ident: self.begun.after(self.promises[ident]) for ident in self.begun.idents}
            written = {} if changed else dict(zip(made, map(Promise, self.begun.contents), strict=True))
            self.promises |= changed | written
            self.half_purged.difference_update(changed)
        self.begun = None

    def interrupt(self) -> bool:
        """Note that the writer is gone, and return whether it was in the middle of an operation."""
        if self.begun is None:
            return False
        self.doubts.append(self.begun)
        self.begun = None
        return True

    def certain(self, *conditions: Condition) -> list[str]:
        """Return the ids of memories in a condition that no doubt touches."""
        doubtful = self._doubtful()
        known = ((ident, promise.condition) for ident, promise in self.promises.items())
        return [ident for ident, condition in known if condition in conditions and ident not in doubtful]

    def outcome(self, doubt: Operation, picture: Picture) -> Outcome:
        """Return what became of an operation that was never acknowledged."""
        if not doubt.idents:
            made = set(picture.live.values())
            took = [content in made for content in doubt.contents]
            untouched = [not there for there in took]
        else:
            before = {ident: self.promises[ident] for ident in doubt.idents}
            took = [doubt.after(promise).kept(ident, picture) for ident, promise in before.items()]
            untouched = [promise.kept(ident, picture) for ident, promise in before.items()]
        return "whole" if all(took) else "absent" if all(untouched) else "torn"

    def broken(self, picture: Picture) -> Iterator[tuple[str, str]]:
        """Yield (kind, what) for everything that a picture of this lane should show and does not."""
        doubtful = self._doubtful()
        for ident, promise in self.promises.items():
            if ident not in doubtful and not promise.kept(ident, picture):
                back = promise.condition != "live" and (ident in picture.live or ident in picture.erased)
                kind = "back after being erased" if back else "lost"
                yield kind, f"{ident} ({promise.condition}) {promise.content[:40]}"
        for doubt in self.doubts:
            if self.outcome(doubt, picture) == "torn":
                yield "done by half", f"{doubt.verb} of {(doubt.idents or doubt.contents)[0][:40]}, …"

    def settle(self, picture: Picture) -> Counter[Outcome]:
        """Take what a picture shows of the doubtful for true from now on, and return how it came out."""
        outcomes = Counter(self.outcome(doubt, picture) for doubt in self.doubts)
        idents = {content: ident for ident, content in picture.live.items()}
        for doubt in self.doubts:
            for ident in doubt.idents:
                after = doubt.after(self.promises[ident])
                self.promises[ident] = after if after.kept(ident, picture) else self.promises[ident]
            made = [] if doubt.idents else [content for content in doubt.contents if content in idents]
            self.promises |= {idents[content]: Promise(content) for content in made}
            self.half_purged.update(doubt.idents if doubt.verb == "purge" else ())
        self.doubts.clear()
        return outcomes

    def kept(self, picture: Picture) -> int:
        """Return how many memories are in the condition that was acknowledged last."""
        return sum(promise.kept(ident, picture) for ident, promise in self.promises.items())

    def gone(self) -> set[str]:
        """Return the marks of all texts that were acknowledged to have left every file."""
        purged = (self.promises[ident] for ident in self.certain("purged") if ident not in self.half_purged)
        return {mark for promise in purged for text in (promise.content, *promise.former) for mark in marks(text)}

    def _doubtful(self) -> set[str]:
        return {ident for doubt in self.doubts for ident in doubt.idents}


def broken(ledgers: Iterable[Ledger], picture: Picture) -> Iterator[tuple[str, str]]:
    """Yield (kind, what) for everything that is amiss in a picture of the whole memory, taken while nobody writes."""
    ledgers = list(ledgers)
    if picture.unreadable is not None:
        yield "unreadable openings", picture.unreadable
    for ledger in ledgers:
        yield from ledger.broken(picture)
        yield from (("in files after a purge", mark) for mark in sorted(ledger.gone() & picture.marks_in_files))
    written = {promise.content for ledger in ledgers for promise in ledger.promises.values()}
    written.update(text for ledger in ledgers for doubt in ledger.doubts for text in doubt.contents)
    yield from (("written by nobody", text[:60]) for text in picture.live.values() if text not in written)
    yield from (("findings of verify", finding) for finding in picture.unsound)
    yield from (("temporary files left", name) for name in picture.left_behind)


def photograph(open_memory: Callable[[Path], NTMMemoryManager], folder: Path) -> Picture:
    """Return what a memory shows to one who opens it, and what then stands in its files. Nobody may write meanwhile."""
    half_written = temporaries(folder)
    try:
        with open_memory(folder) as memory:
            shown, warnings = Picture.of(memory), memory.warnings
    except StoreError as error:
        return Picture(unreadable=f"{error.code}: {error.message}", half_written=half_written)
    findings = verify(folder, system_clock)
    texts = [path.read_text("utf-8", "replace") for path in folder.rglob("*") if path.is_file()]
    return replace(
        shown,
        unsound=tuple(f"{finding.subject}: {finding.detail}" for finding in findings if not finding.ok),
        marks_in_files=frozenset(mark for text in texts for mark in marks(text)),
        half_written=half_written,
        left_behind=temporaries(folder),
        warnings=warnings,
    )


def look(open_memory: Callable[[Path], NTMMemoryManager], folder: Path) -> Picture:
    """Return a photograph that a fresh process takes."""
    picture = ask(photograph, open_memory, folder)
    return Picture(unreadable="opening it was fatal, or took too long") if picture is None else picture


def temporaries(folder: Path) -> tuple[str, ...]:
    """Return the names of temporary files in a folder."""
    return tuple(sorted(path.name for path in folder.rglob("*.tmp")))


@dataclass(frozen=True, slots=True)
class Opened:
    """A writer has opened the memory, while others write; `broken` is what it did not find of its own lane."""

    broken: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """A writer is about to make a call."""

    operation: Operation


@dataclass(frozen=True, slots=True)
class Done:
    """The call has returned: it is acknowledged. `made` are the ids of new memories."""

    made: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The memory raised an error, and the writer has gone."""

    locked: bool
    """For a lock that others held too long: nothing is lost by that."""
    message: str

    @classmethod
    def over(cls, error: NTMMemoryError) -> Self:
        """Return the report of an error."""
        return cls(isinstance(error, StoreLocked), f"{error.code}: {error.message}")


class Child:
    """A process that runs `run(report, *arguments)`. What it has reported arrives even if it is killed right after."""

    def __init__(self, run: Callable[..., None], *arguments: Any) -> None:
        self.incoming, outgoing = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=_lead, args=(run, outgoing.send, arguments), daemon=True)
        self._process.start()
        outgoing.close()  # the child holds the only writing end: its death is the end of what can be read
        self.ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.incoming.close()

    def heard(self, timeout: float = 0) -> Iterator[Any]:
        """Yield reports until none comes for `timeout` seconds, or the process has ended."""
        while not self.ended and self.incoming.poll(timeout):
            try:
                yield self.incoming.recv()
            except (EOFError, OSError):  # the latter: it died in the middle of a report, which was none then
                self.ended = True

    @property
    def failed(self) -> bool:
        """Whether the process has ended by itself, and with an error that it did not catch."""
        self._process.join(PATIENCE if self.ended else 0)
        return self._process.exitcode not in (None, 0)

    def kill(self) -> bool:
        """Kill the process and those that it started, with SIGKILL, and return whether it was alive."""
        alive = self._process.exitcode is None
        if alive and self._process.pid is not None:
            with suppress(ProcessLookupError):  # it has not become a leader yet, so it has started nobody
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
        self._process.join()
        return alive


def ask(answer: Callable[..., T], *arguments: Any) -> T | None:
    """Return what a function says in a process of its own; None if that dies, or takes too long."""
    with Child(_report_answer, answer, arguments) as child:
        return next(child.heard(PATIENCE), None)


def listen(children: Iterable[Child], seconds: float) -> Iterator[tuple[Child, Any]]:
    """Yield what any of some processes reports within some seconds."""
    deadline = time.monotonic() + seconds
    by_pipe: dict[Any, Child] = {child.incoming: child for child in children}
    while by_pipe and (left := deadline - time.monotonic()) > 0:
        for pipe in connection.wait(list(by_pipe), left):
            child = by_pipe[pipe]
            yield from ((child, report) for report in child.heard())
            if child.ended:
                del by_pipe[pipe]


def _lead(run: Callable[..., None], report: Callable[[Any], None], arguments: tuple[Any, ...]) -> None:
    os.setsid()  # leads a group of its own, so that one signal reaches all that it starts, and no one else's
    run(report, *arguments)


def _report_answer(report: Callable[[Any], None], answer: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    report(answer(*arguments))
