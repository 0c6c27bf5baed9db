"""Writes the golden stores: folders of format version 1 that every later release has to read.

    python -m tests.store.make_golden

They are written once, and committed. The script refuses to overwrite: a golden store that changed with the code would
show nothing. A new format version gets new ones beside them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.model import Record
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import State
from tests.conftest import ticking_clock

GOLDEN = Path(__file__).parent / "golden"
SUMS = "SHA256SUMS"
EXPECTED = "expected.json"
ENCODER = HashedEncoder(dimension=8)


def plain(record: Record) -> dict[str, Any]:
    """Return every field of a memory as JSON has it: times as texts, tuples as lists."""
    return json.loads(json.dumps(asdict(record), default=datetime.isoformat))  # type: ignore[no-any-return]  # JSON is what it is


def described(state: State, torn: int) -> dict[str, Any]:
    """Return what is expected of a store, with nothing left out."""
    return {
        "records": [plain(record) for record in state.records.values()],
        "archive": [plain(record) for record in state.archive.values()],
        "tombstones": {ident: at.isoformat() for ident, at in state.tombstones.items()},
        "next_ordinal": state.next_ordinal,
        "torn_bytes": torn,
    }


class Scribe:
    """Opens the memory in one folder, again and again, with ids and times that repeat from run to run."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self._clock, self._ids = ticking_clock(), seeded_ids(seed)

    def open(self) -> NTMMemoryManager:
        """Return the memory. Closing it folds the journal; leaving it open is what a killed process does."""
        path = self.folder / "ntm_memory.json"
        return NTMMemoryManager.open(path, encoder=ENCODER, clock=self._clock, ids=self._ids)


def fresh(scribe: Scribe) -> State:
    """Write one memory, folded on closing."""
    with scribe.open() as memory:
        memory.memorize("The launch is on 15 March.")
        return memory.state


def journal_only(scribe: Scribe) -> State:
    """Write with every verb and no folding: the snapshot is empty, and there is no key cache."""
    memory = scribe.open()
    first, second, third, fourth = memory.memorize_many(
        [
            {"content": "Ana prefers tea.", "tags": ["people", "taste"], "importance": 0.25},
            {"content": "The office is in Lisbon.", "key": "office"},
            {"content": "Ana's birthday is in May.", "type": "fact", "session": "chat-1"},
            {"content": "The printer is broken."},
        ]
    )
    memory.update(first, "Ana prefers coffee.", importance=0.0, reason="she said so")
    memory.erase(third, strength=0.5)
    memory.memorize("The office is in Porto.", key="office", supersedes=second, at="2025-12-24T09:30:00+01:00")
    memory.erase(fourth, reason="it was mended")
    return memory.state


def folded_with_archive(scribe: Scribe) -> State:
    """Leave a snapshot with live, archived and purged memories, then one more line in the journal."""
    with scribe.open() as memory:
        idents = memory.memorize_many([{"content": f"Note number {number}."} for number in range(5)])
        memory.erase(idents[1], reason="outdated")
        memory.erase(idents[2])
        memory.erase(idents[3], purge=True)
        memory.erase(idents[4], strength=0.75)
    memory = scribe.open()
    memory.memorize("Note number 5, in the slot of an erased one.")
    return memory.state


def torn_tail(scribe: Scribe) -> State:
    """Die in the middle of the last line."""
    with scribe.open() as memory:
        memory.memorize("This one was folded.")
    memory = scribe.open()
    memory.memorize("This one is in the journal.")
    journal = scribe.folder / "ntm_memory.journal.jsonl"
    acknowledged = journal.stat().st_size
    state = memory.state
    scribe.open().memorize("This one was never acknowledged.")
    os.truncate(journal, acknowledged + 100)
    return state


def bilingual_versions(scribe: Scribe) -> State:
    """Write Chinese, English and emoji, in every text field, with versions in snapshot and journal."""
    with scribe.open() as memory:
        note = memory.memorize(
            "发布日期是三月十五日。",
            key="发布日期 launch date",
            tags=["项目", "launch 🚀"],
            type="事实",
            session="会话-1",
            source="小李",
            ref="消息/7",
            importance=1.0,
            at="2025-12-31T23:59:59.123456+08:00",
        )
        memory.memorize("Zoë wrote “naïve café” 👩🏽\u200d💻\nand a second line\twith a tab.", session="会话-1")
        memory.update(note.record.id, "发布日期改到四月一日。", reason="供应商延误")
        memory.update(note.record.id, tags=["项目"], importance=0.75)
    memory = scribe.open()
    memory.update(note.record.id, "The launch is on 2 April, 不是四月一日。", reason="not on April Fools' Day 😅")
    return memory.state


STORES: tuple[Callable[[Scribe], State], ...] = (
    fresh,
    journal_only,
    folded_with_archive,
    torn_tail,
    bilingual_versions,
)


def make(root: Path) -> None:
    """Write every golden store under a folder, and the checksums of all their files.

    Raises:
        FileExistsError: There are some already.
    """
    if (root / SUMS).exists():
        raise FileExistsError(root / SUMS)
    for seed, write in enumerate(STORES):
        folder = root / write.__name__
        folder.mkdir(parents=True)
        state = write(Scribe(folder, seed))
        (folder / "ntm_memory.lock").unlink()
        journal = (folder / "ntm_memory.journal.jsonl").read_bytes()
        expected = described(state, torn=len(journal) - journal.rfind(b"\n") - 1)
        text = json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
        (folder / EXPECTED).write_text(text, encoding="utf-8", newline="\n")
    lines = [f"{digest}  {name}\n" for name, digest in sums(root).items()]
    (root / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def sums(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the stores under a folder, by its path in there."""
    files = sorted(file for file in root.glob("*/*") if file.is_file())
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


if __name__ == "__main__":
    make(GOLDEN)
