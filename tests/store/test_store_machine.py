"""Any history of commits, compactions, deaths and processes, on real files, against a plain dict."""

from __future__ import annotations

import copy
import zlib
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import consumes, initialize, invariant, multiple, rule

from ntm_memory_skill.model import Erased, Faded, Memorized, Purged, Record, Restored, Updated
from ntm_memory_skill.store import DirectoryStore, State, snapshot, verify
from tests.conftest import ticking_clock
from tests.store.builders import (
    IDENTITY,
    all_bytes,
    compact,
    die_writing,
    ident,
    memorized,
    moment,
    open_store,
    previous_fold,
)
from tests.store.remembering import FRACTIONS, PROCESSES, RELAXED, Remembering, plain
from tests.store.strategies import TAGS, TEXTS

JUMPS = st.sampled_from([1, 1, 1, 0, -1, -86_400, 86_400, 10**9, -(10**9)])
"""Seconds between one event and the next: clocks are set, and set back."""


def as_version_1(path: Path) -> None:
    """Make what an older release leaves that dies before its first entry: a memory with a snapshot alone."""
    path.parent.mkdir(parents=True)
    data = snapshot.encode(snapshot.Header(1, 0, IDENTITY, moment(0)), State())
    body = data.replace(b'"version":2', b'"version":1')
    body = body[: body.rindex(b'\n"crc"')]
    path.write_bytes(body + b'\n"crc":"%08x"}\n' % zlib.crc32(body))


class StoreMachine(Remembering):
    """Three processes on one folder, of which any may write, look, compact, or be started again."""

    live, archived = Remembering.live, Remembering.archived

    @initialize(old=st.booleans())
    def start(self, old: bool) -> None:
        """All processes open the folder before there is anything in it, or what an older release left."""
        if old:
            as_version_1(self.path)
        self.processes = [self.opened(process) for process in range(RELAXED + 1)]

    @rule(seconds=JUMPS)
    def set_the_clock(self, seconds: int) -> None:
        """Let time pass, stand still, or go back."""
        self.seconds = max(min(self.seconds + seconds, 2 * 10**9), -2 * 10**9)

    def new(self, content: str, tags: tuple[str, ...], importance: float, supersedes: str | None) -> Memorized:
        """Return the writing of a new memory, and remember it."""
        number, at, slot = self.written, self.now(), self.free_slot()
        text, key_row = self.marked(ident(number), content)
        self.written += 1
        self.records[ident(number)] = {
            "content": text,
            "importance": importance,
            "tags": tags,
            "strength": 1.0,
            "at": at,
            "slot": slot,
            "versions": [],
            "supersedes": supersedes,
            "superseded": (None, None),
            "erased": (None, None),
            "accessed": (0, None, None, None),
            "links": {},
            "said": (0, ()),
            "absorbed": {},
            "out": (None, None, None),
        }
        if supersedes in self.records:
            self.records[supersedes]["superseded"] = (ident(number), at)
        record = Record(
            id=ident(number),
            slot=slot,
            ordinal=number,
            content=text,
            created=at,
            at=at,
            tags=tags,
            importance=importance,
            supersedes=supersedes,
        )
        return Memorized(record, key_row)

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
        key_row = None
        if content is not None:
            content, key_row = self.marked(name, content)
        self.commit(process, Updated(name, at, content, importance, tags, reason, key_row))
        known["versions"].append((known["content"], known["importance"], known["tags"], at, reason))
        for field, value in (("content", content), ("importance", importance), ("tags", tags)):
            if value is not None:
                known[field] = value
        if content is not None:
            known["absorbed"] = dict.fromkeys(known["absorbed"], 0.0)

    @rule(process=PROCESSES, name=live, strength=st.sampled_from([1e-6, 0.25, 0.5, 1.0]))
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

    @rule(target=live, process=PROCESSES, name=consumes(archived))
    def restore(self, process: int, name: str) -> str:
        """Bring a memory back from the archive."""
        slot, (_, key_row) = self.free_slot(), self.marked(name, "")
        self.commit(process, Restored(name, self.now(), slot, key_row))
        back = self.archive.pop(name)
        self.records[name] = {**back, "out": (None, None, None), "erased": (None, None), "slot": slot}
        return name

    @rule(process=PROCESSES, name=consumes(archived), finish=st.sampled_from(["scrub", "compact", "leave"]))
    def purge(self, process: int, name: str, finish: str) -> None:
        """Remove a memory for good, and see to its traces, or leave them to others."""
        at = self.now()
        self.commit(process, Purged(name, at))
        del self.archive[name]
        for known in (*self.records.values(), *self.forgotten.values(), *self.archive.values()):
            known["links"] = {end: given for end, given in known["links"].items() if end != name}
        self.tombstones[name] = at
        if finish == "scrub":
            self.scrub(process)
        elif finish == "compact":
            self.compact(process)

    @rule(process=PROCESSES)
    def scrub(self, process: int) -> None:
        """Leave nothing of what was purged."""
        with self.processes[process].transaction():
            self.processes[process].scrub()
        self.is_clean()

    @rule(process=PROCESSES)
    def compact(self, process: int) -> None:
        """Fold the journal into the snapshot, which leaves nothing of what was purged either."""
        compact(self.processes[process])
        self.is_clean()

    @rule()
    def flush(self) -> None:
        """Let the process wait for the disk that does not otherwise."""
        self.processes[RELAXED].flush()

    @rule(process=PROCESSES)
    def reopen(self, process: int) -> None:
        """Start a process again: it puts in order what others have left, and says so once."""
        torn = self.torn()
        self.processes[process] = self.opened(process)
        assert bool(self.processes[process].warnings) == torn
        assert not self.torn()
        self.is_clean()
        assert self.opened(process).warnings == ()

    @rule(process=PROCESSES)
    def look(self, process: int) -> None:
        """Let a process catch up, and find that it is not told anything twice."""
        store = self.processes[process]
        before = copy.deepcopy(store.state)
        changes = store.refresh()
        if not changes.reloaded:
            for event in changes.events:
                before.apply(event)
            assert before == store.state
        self.check(store)

    @rule(share=st.floats(0, 1, exclude_max=True), text=TEXTS)
    def die_while_writing(self, share: float, text: str) -> None:
        """One more process dies in the middle of a line; it was never acknowledged."""
        die_writing(self.path, memorized(self.written, content=text), share=share)

    def torn(self) -> bool:
        """Return whether there is something behind the journal's last newline."""
        journal = self.path.with_name("ntm_memory.journal.jsonl")
        return journal.exists() and not (b"\n" + journal.read_bytes()).endswith(b"\n")

    def is_clean(self) -> None:
        """Check that nothing of a purged memory stands in any file, and that all of the others does."""
        files = b"\0".join(all_bytes(self.path.parent).values()) if self.path.parent.exists() else b""
        for name in self.tombstones:
            assert not any(trace in files for trace in self.traces[name])
        for known in (*self.records.values(), *self.archive.values(), *self.forgotten.values()):
            assert known["content"][-7:].encode() in files

    @invariant()
    def whoever_looks_finds_everything(self) -> None:
        """Whatever was acknowledged, in the order of writing, and nothing else; and looking changes no file."""
        before = all_bytes(self.path.parent) if self.path.parent.exists() else {}
        found = open_store(self.path, tidy=False)
        self.check(found)
        assert bool(found.warnings) == self.torn()
        assert [finding for finding in verify(self.path, ticking_clock()) if not finding.ok] == []
        assert (all_bytes(self.path.parent) if self.path.parent.exists() else {}) == before

    @invariant()
    def the_previous_generation_amounts_to_the_snapshot(self) -> None:
        """Folded by itself; so the loss of the snapshot would lose nothing."""
        previous = previous_fold(open_store(self.path, tidy=False))
        if previous is not None:
            header, state = snapshot.decode(self.path.read_bytes())
            assert (previous.state, previous.sequence) == (state, header.sequence)
            assert previous.generation + 1 == header.generation

    def check(self, store: DirectoryStore) -> None:
        """Compare a store that is caught up with what the machine remembers."""
        assert {name: plain(record) for name, record in store.state.records.items()} == self.records
        assert {name: plain(record) for name, record in store.state.archive.items()} == self.archive
        assert {name: plain(record) for name, record in store.state.forgotten.items()} == self.forgotten
        assert (store.state.tombstones, store.state.consolidations) == (self.tombstones, self.runs)
        assert list(store.state.records) == list(self.records)
        assert (store.state.next_ordinal, store.sequence) == (self.written, self.transactions)
        assert all(store.state.knows(ident(number)) for number in range(self.written))

    def teardown(self) -> None:
        """Leave no folder behind."""
        self.folder.cleanup()


StoreMachine.TestCase.settings = settings(deadline=None, max_examples=40, stateful_step_count=25)
TestStoreMachine = StoreMachine.TestCase
