"""Everything that a store does to its files, each with a memory to do it to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from ntm_memory_skill.errors import StoreError
from ntm_memory_skill.model import (
    Accessed,
    Erased,
    Event,
    Faded,
    Feedback,
    Forgotten,
    Memorized,
    Merged,
    Occurrence,
    Purged,
    Repeated,
    Restored,
    Updated,
)
from ntm_memory_skill.store import DirectoryStore, feedback, seal
from ntm_memory_skill.store.repair import repair
from tests.conftest import ticking_clock
from tests.store.builders import IDENTITY, OTHER_IDENTITY, ident, lifecycle, memorized, moment, open_store, record, row
from tests.store.disk import Picture
from tests.store.doubles import Call, Fault, FaultyOS, ProcessDeath, T, WatchedOS, installed
from tests.store.ledger import Ledger, Process
from tests.store.make_golden import GOLDEN

MEMORY = "ntm_memory"
PLACE = Path("a/new/folder") / f"{MEMORY}.json"
"""Where each memory is, below the folder of its test."""
ENCRYPTED, OTHER = "open sesame", "open, rye"
SECRET, EARLIER_SECRET = 'the key is "under the mat"\n钥匙 🗝', "the door code is 4711\\"
PURGED, PURGED_TOO = 5, 6
HEAD, LATER_HEAD = b'{"a trained":"head"}', b'{"another":"head","longer":"than the first"}'
HOPS, LATER_HOPS = b'{"hops":"trained"}', b"{}"
KEPT = 3
"""Lines of feedback that are kept here, so that some are cut off."""


def said(number: int, query: str, *given: int) -> Feedback:
    """Return the feedback that of the memories that a question was given, the last was of use."""
    ids = tuple(ident(each) for each in given)
    return Feedback(query=query, ids=ids, used=ids[-1], how="update", at=moment(number))


REMARKS = tuple(said(50 + number, f"question {number}", 1, 0) for number in range(2 * KEPT + 1))
TELLING = (
    said(60, "a question that names it", 0, PURGED, 1),
    said(61, f"is it still so that {SECRET}, or not?", 1, 0),
    said(62, f"since when is it that {EARLIER_SECRET}", 0),
)
"""What must not be left once the secrets are purged."""
PURGE: tuple[Event, ...] = (Purged(ident(PURGED), moment(30)), Purged(ident(PURGED_TOO), moment(30)))

Act = Callable[[Process], object]


@dataclass(frozen=True)
class Operation:
    """Something that a process does to a memory.

    Args:
        name: For the test's report.
        prepare: What happened to the memory before.
        act: What the process does, from opening on.
        durability: As in `StoreSettings`.
        copies: Names and bytes of what must be kept once the snapshot is of today's format.
        has_links: Whether the file system has hard links.
        damage: The ending of the damaged file that must be kept in quarantine.
        mend: What is called before the memory is opened again.
        shared: Whether a process that had opened the memory before can go on with it.
        for_power: Whether it makes the same calls as another one, and a difference at power failures alone.
    """

    name: str
    prepare: Act
    act: Act
    durability: str = "full"
    copies: tuple[tuple[str, bytes], ...] = ()
    has_links: bool = True
    damage: str | None = None
    mend: Callable[[Path], object] | None = None
    shared: bool = True
    for_power: bool = False


@contextmanager
def laboratory(double: T, *, first_salt: int = 0) -> Iterator[T]:
    """Have the store's file system call a double within the block, and encryption give the same bytes each time.

    Keys are derived without delay. A salt is a number: no two in one story may be the same.
    """
    salts = count(first_salt)
    with pytest.MonkeyPatch.context() as patch, installed(double):
        patch.setitem(seal.SCRYPT, "n", 2)
        patch.setattr(feedback, "KEPT", KEPT)
        patch.setattr("secrets.token_bytes", lambda length: next(salts).to_bytes(length, "big"))
        patch.setattr("os.urandom", bytes)
        patch.setattr("time.time", lambda: 0.0)
        yield double


@cache
def template(operation: Operation) -> tuple[Picture, Ledger]:
    """Return the folder that an operation finds, and what was promised of it."""
    with tempfile.TemporaryDirectory() as folder, laboratory(WatchedOS(), first_salt=1000):
        process = Process(Path(folder) / PLACE, Ledger(), operation.durability)
        operation.prepare(process)
        process.ledger.settled()
        return Picture.of(Path(folder)), process.ledger


def then(*acts: Act) -> Act:
    """Return acts, one after the other."""

    def act(process: Process) -> None:
        for each in acts:
            each(process)

    return act


def committing(*transactions: list[Event]) -> Act:
    """Return what commits each list as a transaction."""

    def act(process: Process) -> None:
        for events in transactions:
            process.commit(*events)

    return act


def going_on(process: Process) -> None:
    """Memorize one thing more, whatever there is."""
    process.commit(one_more(process.opened, 40))


def one_more(store: DirectoryStore, number: int) -> Memorized:
    """Return the writing of a memory that fits whatever there is."""
    dimension = (store.encoder or IDENTITY).dimension
    ordinal = max(number, store.state.next_ordinal)
    return Memorized(record(number, slot=100 + number, ordinal=ordinal), row(number, dimension))


def stubborn(process: Process) -> None:
    """Compact between two commits of one transaction, and go on though it fails: folding can wait."""
    with process.opened.transaction():
        process.committed(memorized(7))
        with suppress(StoreError):
            process.opened.compact()
            process.ledger.settled()
        process.committed(Faded(ident(0), moment(31), 0.5))


def nothing(process: Process) -> None:
    """Leave not even the folder."""


def past(process: Process) -> None:
    """Leave a memory with a previous generation, a snapshot and a journal; beside it a trained head, and feedback."""
    process.commit(memorized(0), memorized(1, tags=("a", "b")), memorized(2, key="发布日期", content="三月 🚀"))
    process.commit(Updated(ident(0), moment(10), content="new", reason="asked", key_row=row(10)))
    process.compact()
    process.commit(memorized(3, supersedes=ident(1)), memorized(4), memorized(8), memorized(9))
    process.commit(
        Forgotten(ident(8), moment(11), "not recalled"), Merged(ident(9), ident(3), moment(11), 0.5, "the same")
    )
    process.compact()
    process.commit(Faded(ident(1), moment(12), 0.25))
    process.commit(Erased(ident(2), moment(13), "outdated"))
    process.keep_beside("head", HEAD)
    process.note(REMARKS[0])


def past_with_a_secret(process: Process) -> None:
    """Leave a memory with erased memories, whose texts are in every file and every copy."""
    past(process)
    process.commit(memorized(PURGED, content=EARLIER_SECRET))
    process.compact()
    again = Repeated(ident(PURGED), Occurrence(at=moment(20), source=SECRET, ref=EARLIER_SECRET))
    process.commit(Updated(ident(PURGED), moment(20), content=SECRET, key_row=row(20)), again)
    process.compact()
    process.commit(Erased(ident(PURGED), moment(21)))
    merged = Merged(ident(PURGED_TOO), ident(0), moment(21), 0.5, "the same")
    process.commit(memorized(PURGED_TOO, content=SECRET), merged, Erased(ident(PURGED_TOO), moment(21)))
    process.note(*TELLING)
    _beside(process, "damaged").mkdir()
    quarantined = "damaged/20260101T000000-ntm_memory.json"
    for name in (quarantined, "v1.json", "v1.journal.jsonl", "json.tmp", "feedback.jsonl.tmp"):
        _beside(process, name).write_bytes(SECRET.encode())


def purging(process: Process) -> None:
    """Purge and scrub in one go, as the engine does."""
    process.commit(*PURGE, scrub=True)


def torn(process: Process) -> None:
    """Leave half a line, of feedback too, and every temporary file that a crash can leave."""
    past(process)
    journal = _beside(process, "journal.jsonl")
    journal.write_bytes(journal.read_bytes() + b'{"seq":7,"after":"00000000","crc":"00')
    remarks = _beside(process, "feedback.jsonl")
    remarks.write_bytes(remarks.read_bytes() + b'{"query":"que')
    rewritten = ("json", "journal.jsonl", "keys.npy", "previous.json", "previous.journal.jsonl")
    for name in (*rewritten, "head.json", "hops.json", "crossbar.json", "feedback.jsonl"):
        _beside(process, f"{name}.tmp").write_bytes(b"half")


def learning(process: Process) -> None:
    """Train hops and a head, and others, and no head in the end; keep feedback until some is cut off, then none."""
    process.keep_beside("head", LATER_HEAD)
    process.keep_beside("hops", HOPS)
    process.keep_beside("crossbar", HEAD)
    process.note(*REMARKS[1:])
    process.keep_beside("head", None)
    process.keep_beside("hops", LATER_HOPS)
    with process.opened.transaction():
        process.opened.forget_feedback()
    process.note(REMARKS[0])
    process.keep_beside("head", HEAD)


def damaged(ending: str, *, line: int, loses: bool = False) -> Act:
    """Return what leaves a memory with a file of which a line is damaged; what that loses was never acknowledged."""

    def prepare(process: Process) -> None:
        past(process)
        lines = _beside(process, ending).read_bytes().splitlines(keepends=True)
        lines[line] = lines[line][:-4] + b"*" + lines[line][-3:]
        _beside(process, ending).write_bytes(b"".join(lines))
        if loses:
            restored = replace(process.ledger.alive[0].records[ident(1)], strength=1.0)
            process.ledger.alive[0].records[ident(1)] = restored

    return prepare


def dying(act: Act, name: str, target: str) -> Act:
    """Return an act that ends just before a certain call would change the file with an ending."""

    def plan(number: int, call: Call) -> Fault | None:
        met = call.name == name and Path(call.arguments[-1]).name == f"{MEMORY}.{target}"
        return Fault("dies before") if met else None

    def act_and_die(process: Process) -> None:
        with installed(FaultyOS(plan)), pytest.raises(ProcessDeath):
            act(process)
        process.store = None

    return act_and_die


def golden(name: str) -> Act:
    """Return what leaves a memory that version 1 wrote."""

    def prepare(process: Process) -> None:
        shutil.copytree(GOLDEN / name, process.path.parent, ignore=shutil.ignore_patterns("expected.json"))
        store = open_store(process.path, tidy=False)
        rows = store.key_rows()
        known = {digest: key.tobytes() for digest, key in zip(rows.digests, rows.keys, strict=True)}
        process.ledger = Ledger([store.state], [store.state], (store.encoder,), rows=known)

    return prepare


def kept(name: str) -> tuple[tuple[str, bytes], ...]:
    """Return the copies of a golden store's files that its upgrade keeps."""
    files = ("json", "journal.jsonl")
    return tuple((f"{MEMORY}.v1.{file}", (GOLDEN / name / f"{MEMORY}.{file}").read_bytes()) for file in files)


def mending(process: Process) -> None:
    """Repair a memory, as a person would who is told that it is damaged, and what that costs."""
    repair(process.path, clock=ticking_clock(), accept_loss=True)


def mending_again(path: Path) -> None:
    """Repair it some time later."""
    repair(path, clock=ticking_clock(moment(10**6)), accept_loss=True)


def _beside(process: Process, ending: str) -> Path:
    return process.path.parent / f"{MEMORY}.{ending}"


_EVERY_KIND = committing(
    [memorized(7)],
    [memorized(number) for number in range(10, 40)],
    [Updated(ident(0), moment(31), content="newer", key_row=row(31)), Faded(ident(0), moment(31), 0.5)],
    [Restored(ident(2), moment(32), 2, row(2))],
    [Erased(ident(3), moment(33)), Accessed((ident(0),), (1,), moment(34))],
    [event for events in lifecycle(50, at=35) for event in events],
    [Restored(ident(9), moment(36), 9, row(9)), Erased(ident(8), moment(36))],
)
_ONE = committing([Restored(ident(2), moment(32), 2, row(2))])
_LAST = committing([Faded(ident(0), moment(33), 0.5)])
_LAST_STEP = ("replace", "journal.jsonl")

OPERATIONS: tuple[Operation, ...] = (
    Operation("first commit", nothing, committing([memorized(7)], [Erased(ident(7), moment(31))])),
    Operation("commits", past, _EVERY_KIND),
    Operation("compact", past, then(Process.compact, going_on)),
    Operation("compact in a transaction", past, stubborn),
    Operation("compact without hard links", past, then(Process.compact, going_on), has_links=False),
    Operation("rekey", past, then(lambda process: process.rekey(OTHER_IDENTITY), going_on)),
    Operation("purge", past_with_a_secret, then(purging, going_on)),
    Operation(
        "a purge and a compaction",
        past_with_a_secret,
        then(committing([*PURGE]), Process.compact, going_on),
        for_power=True,
    ),
    Operation("encrypt", past_with_a_secret, then(lambda process: process.reseal(ENCRYPTED), going_on), shared=False),
    Operation(
        "decrypt",
        then(past, lambda process: process.reseal(ENCRYPTED), _ONE),
        then(lambda process: process.reseal(None), going_on),
        shared=False,
    ),
    Operation(
        "another key",
        then(past, lambda process: process.reseal(ENCRYPTED), _ONE),
        then(lambda process: process.reseal(OTHER), going_on),
        shared=False,
        for_power=True,
    ),
    Operation("upgrade", golden("folded_with_archive"), going_on, copies=kept("folded_with_archive")),
    Operation("upgrade of a torn one", golden("torn_tail"), going_on),
    Operation("tidying", torn, going_on),
    Operation("head and feedback", past, then(learning, going_on)),
    Operation(
        "feedback in an encrypted memory",
        then(past, lambda process: process.reseal(ENCRYPTED)),
        then(learning, going_on),
        for_power=True,
    ),
    Operation("an interrupted fold", then(past, dying(Process.compact, *_LAST_STEP)), going_on),
    Operation("an interrupted scrub", then(past_with_a_secret, dying(purging, *_LAST_STEP)), going_on),
    Operation("a purge without a scrub", then(past_with_a_secret, committing([*PURGE])), going_on),
    Operation("relaxed", past, then(_ONE, Process.flush, going_on, Process.compact, _LAST), durability="relaxed"),
    Operation(
        "relaxed from the first",
        nothing,
        then(going_on, Process.flush, Process.compact),
        durability="relaxed",
        for_power=True,
    ),
    Operation("relaxed commits", past, then(_EVERY_KIND, Process.flush), durability="relaxed", for_power=True),
    Operation("relaxed purge", past_with_a_secret, then(purging, going_on), durability="relaxed", for_power=True),
    *(
        Operation(
            name, damaged(ending, line=line, loses=loses), mending, damage=ending, mend=mending_again, shared=False
        )
        for name, ending, line, loses in (
            ("repair of the snapshot", "json", 2, False),
            ("repair of the journal", "journal.jsonl", 0, False),
            ("repair with a loss", "journal.jsonl", 1, True),
        )
    ),
)
