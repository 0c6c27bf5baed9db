"""Any history of commits, compactions and processes, on real files, against a plain dict."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from ntm_memory_skill.model import Erased, Event, Faded, Memorized, Purged, Record, Updated
from ntm_memory_skill.store import State, verify
from ntm_memory_skill.store.directory import DirectoryStore
from tests.conftest import ticking_clock
from tests.store.builders import commit, compact, ident, memorized, moment, open_store, row
from tests.store.strategies import TAGS, TEXTS

FRACTIONS = st.sampled_from([0.0, 0.25, 0.5, 1.0])
PROCESSES = st.integers(0, 1)
Plain = dict[str, Any]


def plain(record: Record) -> Plain:
    """Return what the machine remembers of a memory, out of a record."""
    return {
        "content": record.content,
        "importance": record.importance,
        "tags": record.tags,
        "strength": record.strength,
        "at": record.at,
        "slot": record.slot,
        "versions": [(old.content, old.importance, old.tags, old.replaced_at, old.reason) for old in record.versions],
        "supersedes": record.supersedes,
        "superseded": (record.superseded_by, record.superseded_at),
        "erased": (record.erased_at, record.erased_because),
    }


class StoreMachine(RuleBasedStateMachine):
    """Two processes on one folder, of which either may write, look, compact, or be started again."""

    live = Bundle("live")
    archived = Bundle("archived")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "memory" / "ntm_memory.json"
        self.processes: list[DirectoryStore] = []
        self.records: dict[str, Plain] = {}
        self.archive: dict[str, Plain] = {}
        self.tombstones: dict[str, datetime] = {}
        self.written = 0
        self.steps = 0
        self.transactions = 0

    @initialize()
    def start(self) -> None:
        """Both processes open the folder before there is anything in it."""
        self.processes = [open_store(self.path), open_store(self.path)]

    def now(self) -> datetime:
        """Return a time that was not there before."""
        self.steps += 1
        return moment(self.steps)

    def commit(self, process: int, *events: Event) -> None:
        """Commit as one of the processes."""
        commit(self.processes[process], *events)
        self.transactions += 1

    def free_slot(self) -> int:
        """Return the lowest slot that no live memory has."""
        taken = {known["slot"] for known in self.records.values()}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)

    def new(self, content: str, tags: tuple[str, ...], importance: float, supersedes: str | None) -> Memorized:
        """Return the writing of a new memory, and remember it."""
        number, at, slot = self.written, self.now(), self.free_slot()
        self.written += 1
        self.records[ident(number)] = {
            "content": content,
            "importance": importance,
            "tags": tags,
            "strength": 1.0,
            "at": at,
            "slot": slot,
            "versions": [],
            "supersedes": supersedes,
            "superseded": (None, None),
            "erased": (None, None),
        }
        if supersedes in self.records:
            self.records[supersedes]["superseded"] = (ident(number), at)
        record = Record(
            id=ident(number),
            slot=slot,
            ordinal=number,
            content=content,
            created=at,
            at=at,
            tags=tags,
            importance=importance,
            supersedes=supersedes,
        )
        return Memorized(record, row(number))

    @rule(target=live, process=PROCESSES, texts=st.lists(TEXTS, min_size=1, max_size=3), tags=TAGS, much=FRACTIONS)
    def memorize(self, process: int, texts: list[str], tags: tuple[str, ...], much: float) -> Any:
        """Write one memory, or several as one transaction."""
        events = [self.new(text, tags, much, None) for text in texts]
        self.commit(process, *events)
        return multiple(*(event.record.id for event in events))

    @rule(target=live, process=PROCESSES, old=live, text=TEXTS)
    def supersede(self, process: int, old: str, text: str) -> str:
        """Write one in the place of another."""
        event = self.new(text, (), 0.5, old)
        self.commit(process, event)
        return event.record.id

    @rule(
        process=PROCESSES,
        name=live,
        content=st.none() | TEXTS,
        importance=st.none() | FRACTIONS,
        tags=st.none() | TAGS,
        reason=st.none() | TEXTS,
    )
    def update(
        self,
        process: int,
        name: str,
        content: str | None,
        importance: float | None,
        tags: tuple[str, ...] | None,
        reason: str | None,
    ) -> None:
        """Give a memory a new version."""
        at, known = self.now(), self.records[name]
        key_row = None if content is None else row(self.steps)
        self.commit(process, Updated(name, at, content, importance, tags, reason, key_row))
        known["versions"].append((known["content"], known["importance"], known["tags"], at, reason))
        for field, value in (("content", content), ("importance", importance), ("tags", tags)):
            if value is not None:
                known[field] = value

    @rule(process=PROCESSES, name=live, strength=FRACTIONS)
    def fade(self, process: int, name: str, strength: float) -> None:
        """Erase a memory in part."""
        self.commit(process, Faded(name, self.now(), strength))
        self.records[name]["strength"] = strength

    @rule(target=archived, process=PROCESSES, name=consumes(live), reason=st.none() | TEXTS)
    def erase(self, process: int, name: str, reason: str | None) -> str:
        """Put a memory in the archive."""
        at = self.now()
        self.commit(process, Erased(name, at, reason))
        self.archive[name] = {**self.records.pop(name), "erased": (at, reason)}
        return name

    @rule(process=PROCESSES, name=consumes(archived))
    def purge(self, process: int, name: str) -> None:
        """Remove a memory for good."""
        at = self.now()
        self.commit(process, Purged(name, at))
        del self.archive[name]
        self.tombstones[name] = at

    @rule(process=PROCESSES)
    def compact(self, process: int) -> None:
        """Fold the journal into the snapshot."""
        compact(self.processes[process])

    @rule(process=PROCESSES)
    def reopen(self, process: int) -> None:
        """Start a process again."""
        self.processes[process] = open_store(self.path)

    @rule(process=PROCESSES)
    def look(self, process: int) -> None:
        """Let a process catch up, and find that it is not told anything twice."""
        store = self.processes[process]
        before = State(dict(store.state.records), dict(store.state.archive), dict(store.state.tombstones))
        changes = store.refresh()
        if not changes.reloaded:
            for event in changes.events:
                before.apply(event)
            assert (before.records, before.archive) == (store.state.records, store.state.archive)
        self.check(store)

    @precondition(lambda self: self.transactions > 0)
    @rule(share=st.floats(0, 1, exclude_max=True), text=TEXTS)
    def die_while_writing(self, share: float, text: str) -> None:
        """A third process dies in the middle of a line."""
        third = open_store(self.path)
        before = third.paths.journal.read_bytes().rfind(b"\n") + 1  # behind it is at most what an earlier one left
        commit(third, memorized(self.written, content=text))
        length = third.paths.journal.stat().st_size - before
        os.truncate(third.paths.journal, before + int(share * length))

    @invariant()
    def a_new_process_finds_everything(self) -> None:
        """Whatever was acknowledged, in the order of writing, and nothing else."""
        self.check(open_store(self.path))
        assert all(finding.ok for finding in verify(self.path, ticking_clock()))

    def check(self, store: DirectoryStore) -> None:
        """Compare a store that is caught up with what the machine remembers."""
        assert {name: plain(record) for name, record in store.state.records.items()} == self.records
        assert {name: plain(record) for name, record in store.state.archive.items()} == self.archive
        assert store.state.tombstones == self.tombstones
        assert list(store.state.records) == list(self.records)
        assert (store.state.next_ordinal, store.sequence) == (self.written, self.transactions)
        assert all(store.state.knows(ident(number)) for number in range(self.written))

    def teardown(self) -> None:
        """Leave no folder behind."""
        self.folder.cleanup()


StoreMachine.TestCase.settings = settings(deadline=None, max_examples=40, stateful_step_count=25)
TestStoreMachine = StoreMachine.TestCase
