"""What the store's machine remembers of its memories, in plain dicts, and what becomes of them out of the matrix."""

from __future__ import annotations

import base64
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule

from ntm_memory_skill.model import (
    OCCURRENCES,
    Accessed,
    Consolidated,
    Erased,
    Event,
    Forgotten,
    Link,
    Linked,
    Merged,
    Occurrence,
    Record,
    Repeated,
    Restored,
    Undone,
)
from ntm_memory_skill.store import DirectoryStore
from ntm_memory_skill.store.state import CONSOLIDATIONS
from tests.store.builders import commit, moment, open_store, row
from tests.store.strategies import TEXTS

FRACTIONS = st.sampled_from([0.0, 0.25, 0.5, 1.0])
RELAXED = 2
PROCESSES = st.integers(0, RELAXED)
"""The last of them does not wait for the disk."""
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
        "accessed": (record.accesses, record.accessed_at, record.stability, record.difficulty),
        "links": {link.id: (link.weight, link.at) for link in record.links},
        "said": (record.repeats, record.occurrences),
        "absorbed": {each.id: each.weight for each in record.absorbed},
        "out": (record.forgotten_at, record.forgotten_because, record.merged_into),
    }


class Remembering(RuleBasedStateMachine):
    """The dicts, and the rules by which memories are linked, said again, forgotten, merged and brought back."""

    live = Bundle("live")
    archived = Bundle("archived")
    out = Bundle("out")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "memory" / "ntm_memory.json"
        self.processes: list[DirectoryStore] = []
        self.records: dict[str, Plain] = {}
        self.archive: dict[str, Plain] = {}
        self.forgotten: dict[str, Plain] = {}
        self.runs: dict[str, Consolidated] = {}
        self.tombstones: dict[str, datetime] = {}
        self.traces: dict[str, list[bytes]] = {}
        """What stands in the files of each memory, and in no file once it is purged."""
        self.written = 0
        self.marks = 0
        self.seconds = 0
        self.transactions = 0

    def opened(self, process: int) -> DirectoryStore:
        """Start a process."""
        return open_store(self.path, durability="relaxed" if process == RELAXED else "full")

    def now(self) -> datetime:
        """Return the time, a second after it was asked for last."""
        self.seconds += 1
        return moment(self.seconds)

    def marked(self, name: str, text: str) -> tuple[str, bytes]:
        """Return a text and a key that no other memory or version has, and remember by what they are known."""
        self.marks += 1
        key_row = row(self.marks)
        self.traces.setdefault(name, []).extend([b"#%06d" % self.marks, key_row, base64.b64encode(key_row)])
        return f"{text}#{self.marks:06d}", key_row

    def commit(self, process: int, *events: Event) -> None:
        """Commit as one of the processes."""
        commit(self.processes[process], *events)
        self.transactions += 1

    def free_slot(self) -> int:
        """Return the lowest slot that no live memory has."""
        taken = {known["slot"] for known in self.records.values()}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)

    @rule(target=out, process=PROCESSES, name=consumes(live), reason=TEXTS)
    def forget(self, process: int, name: str, reason: str) -> str:
        """Take a memory out of the matrix."""
        at = self.now()
        self.commit(process, Forgotten(name, at, reason))
        self.forgotten[name] = {**self.records.pop(name), "out": (at, reason, None)}
        return name

    @rule(target=out, process=PROCESSES, into=live, name=consumes(live), weight=FRACTIONS, reason=TEXTS)
    def merge(self, process: int, into: str, name: str, weight: float, reason: str) -> str:
        """Merge a memory into another, in a consolidation of its own; what cannot be merged is forgotten."""
        at, run = self.now(), f"run {self.transactions}"
        if name == into:
            self.commit(process, Forgotten(name, at, reason))
            self.forgotten[name] = {**self.records.pop(name), "out": (at, reason, None)}
            return name
        done = Consolidated(run, at, merged=(name,))
        self.commit(process, Merged(name, into, at, weight, reason), done)
        self.forgotten[name] = {**self.records.pop(name), "out": (at, reason, into)}
        self.records[into]["absorbed"] = {**self.records[into]["absorbed"], name: weight}
        self.runs = dict([*self.runs.items(), (run, done)][-CONSOLIDATIONS:])
        return name

    @rule(target=live, process=PROCESSES, name=consumes(out))
    def bring_back(self, process: int, name: str) -> str:
        """Bring a forgotten memory back; the one that it was merged into is as if it never had been."""
        slot, (_, key_row) = self.free_slot(), self.marked(name, "")
        events: list[Event] = [Restored(name, self.now(), slot, key_row)]
        done = next((run for run, each in self.runs.items() if each.merged == (name,)), None)
        if done is not None:
            events.append(Undone(done))
            del self.runs[done]
        self.commit(process, *events)
        self.come_apart(name)
        self.records[name] = {**self.forgotten.pop(name), "out": (None, None, None), "slot": slot}
        return name

    @rule(target=archived, process=PROCESSES, name=consumes(out), reason=st.none() | TEXTS)
    def erase_forgotten(self, process: int, name: str, reason: str | None) -> str:
        """Put a forgotten memory in the archive, which still says by whom it was absorbed, if it was."""
        at = self.now()
        self.commit(process, Erased(name, at, reason))
        self.come_apart(name)
        gone = self.forgotten.pop(name)
        self.archive[name] = {**gone, "out": (None, None, gone["out"][2]), "erased": (at, reason)}
        return name

    def come_apart(self, name: str) -> None:
        """Remember that a memory is not merged into another any more."""
        into = self.forgotten[name]["out"][2]
        for place in (self.records, self.forgotten, self.archive):
            if into in place:
                kept = {each: weight for each, weight in place[into]["absorbed"].items() if each != name}
                place[into]["absorbed"] = kept

    @rule(process=PROCESSES, name=live, other=live, weight=FRACTIONS)
    def link(self, process: int, name: str, other: str, weight: float) -> None:
        """Link two memories that were recalled together."""
        if name == other:
            return
        at = self.now()
        for one, end in ((name, other), (other, name)):
            self.records[one]["links"] = {**self.records[one]["links"], end: (weight, at)}
        ends = {each: self.records[each]["links"].items() for each in (name, other)}
        self.commit(process, *(Linked(one, tuple(Link(end, *given) for end, given in ends[one])) for one in ends))

    @rule(process=PROCESSES, name=live, times=st.integers(1, OCCURRENCES + 1))
    def repeat(self, process: int, name: str, times: int) -> None:
        """Say again what a memory says."""
        said = [Occurrence(at=self.now(), ref=self.marked(name, "")[0]) for _ in range(times)]
        self.commit(process, *(Repeated(name, each) for each in said))
        before, latest = self.records[name]["said"]
        self.records[name]["said"] = (before + times, (*latest, *said)[-OCCURRENCES:])

    @rule(process=PROCESSES, name=live, other=live, count=st.integers(1, 3), reconsolidated=st.booleans())
    def access(self, process: int, name: str, other: str, count: int, reconsolidated: bool) -> None:
        """Give memories as answers, and store that later."""
        counts = {name: count, other: count + 1}
        at = self.now()
        days, hardness = ((2.5, 0.5)[: len(counts)], (1.0, 10.0)[: len(counts)]) if reconsolidated else ((), ())
        self.commit(process, Accessed(tuple(counts), tuple(counts.values()), at, days, hardness))
        for place, (each, more) in enumerate(counts.items()):
            before, _, *recall = self.records[each]["accessed"]
            recall = [days[place], hardness[place]] if reconsolidated else recall
            self.records[each]["accessed"] = (before + more, at, *recall)
