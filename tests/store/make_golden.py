"""Writes the golden stores of format version 2: folders that every later release has to read.

    python -m tests.store.make_golden

They are written once, and committed. The script writes those that are not there yet and never overwrites: a golden
store that changed with the code would show nothing. A new format version gets new ones beside them.

The stores of version 1, listed in `VERSION_1`, were written by this script as it was when that was today's version. No
release can write them any more; what is left of their making is their bytes, and the checksums that were recorded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings, StoreSettings
from ntm_memory_skill.model import Consolidated, Erased, Event, Memorized, Purged, Record, Restored, Updated
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import DirectoryStore, State
from ntm_memory_skill.store.writer import LINE
from tests.conftest import ticking_clock
from tests.store.builders import die_writing, ident, lifecycle, moment, open_store, record, row

GOLDEN = Path(__file__).parent / "golden"
SUMS = "SHA256SUMS"
EXPECTED = "expected.json"
ENCODER = HashedEncoder(dimension=8)
PASSPHRASE = "the golden goose lays in 鹅棚"  # noqa: S105  # anybody may open the golden store
ENCRYPTED = "v2_encrypted"
VERSION_1 = ("fresh", "journal_only", "folded_with_archive", "torn_tail", "bilingual_versions")


def plain(said: Record | Consolidated) -> dict[str, Any]:
    """Return every field of a memory, or of a consolidation, as JSON has it: times as texts, tuples as lists."""
    return json.loads(json.dumps(asdict(said), default=datetime.isoformat))  # type: ignore[no-any-return]  # JSON is what it is


def described(state: State, torn: int) -> dict[str, Any]:
    """Return what is expected of a store, with nothing left out."""
    return {
        "records": [plain(record) for record in state.records.values()],
        "archive": [plain(record) for record in state.archive.values()],
        "forgotten": [plain(record) for record in state.forgotten.values()],
        "consolidations": {name: plain(run) for name, run in state.consolidations.items()},
        "tombstones": {ident: at.isoformat() for ident, at in state.tombstones.items()},
        "next_ordinal": state.next_ordinal,
        "torn_bytes": torn,
    }


class Scribe:
    """Opens the memory in one folder, again and again, with ids and times that repeat from run to run."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.path = folder / "ntm_memory.json"
        self._clock, self._ids = ticking_clock(), seeded_ids(seed)

    def open(self, passphrase: str | None = None) -> NTMMemoryManager:
        """Return the memory. Closing it folds the journal; leaving it open is what a killed process does."""
        settings = Settings(store=StoreSettings(passphrase=passphrase))
        return NTMMemoryManager.open(self.path, settings=settings, encoder=ENCODER, clock=self._clock, ids=self._ids)


def v2_every_event(scribe: Scribe) -> State:
    """Write with every verb and no folding but the one after the purge: all else is in the journal."""
    memory = scribe.open()
    memory.erase(memory.memorize("Nobody is to know this.").id, purge=True)
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
    memory.erase(second, fourth, reason="it was mended")
    memory.search("Does Ana prefer coffee or tea?")
    memory.memorize("The scanner is in the slot of an erased one.")
    memory.restore(fourth)
    memory.recall(key="office")
    memory.erase(third)
    return memory.state


def v2_previous_generation(scribe: Scribe) -> State:
    """Fold twice, so that the generation before is kept, then write one more line."""
    for number in range(2):
        with scribe.open() as memory:
            memory.memorize_many([{"content": f"Note number {2 * number + place}."} for place in range(2)])
            memory.search("Which note?")
    memory = scribe.open()
    memory.memorize("Note number 4, in the journal.")
    return memory.state


def v2_encrypted(scribe: Scribe) -> State:
    """Close everything with a key: snapshot, journal, key cache, and the generation before."""
    for number in range(2):
        with scribe.open(PASSPHRASE) as memory:
            memory.memorize(f"Secret number {number}: 秘密.", key=f"secret {number}")
            memory.search("Which secret?")
    memory = scribe.open(PASSPHRASE)
    memory.erase(next(iter(memory.state.records)), reason="it is out")
    memory.memorize("Secret number 2, in the journal.")
    return memory.state


def v2_torn_tail(scribe: Scribe) -> State:
    """Die in the middle of the last line."""
    with scribe.open() as memory:
        memory.memorize("This one was folded.")
    memory = scribe.open()
    memory.memorize("This one is in the journal.")
    die_writing(scribe.path, Memorized(record(7, content="This one was never acknowledged."), row(7, dimension=8)))
    return memory.state


def v2_bilingual_versions(scribe: Scribe) -> State:
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


def v2_lifecycle(scribe: Scribe) -> State:
    """Link, repeat, pin, merge, supersede, forget, bring back, undo and purge, in snapshot and journal.

    By its events and not by the engine, so that the store says the same whatever a later engine makes of its verbs.
    """
    store = open_store(scribe.path)
    for events in _told(0, "茶 tea"):
        _commit(store, *events)
    with store.transaction():
        store.compact()
    for events in _told(10, "coffee 咖啡"):
        _commit(store, *events)
    gone, at = ident(13), moment(50)
    _commit(store, _restored(1, "茶 tea"), Updated(ident(0), moment(51), importance=1.0))
    _commit(store, Erased(gone, at, "asked"), Purged(gone, at))
    with store.transaction():
        store.scrub()
    for events in _told(20, "水 water"):
        _commit(store, *events)
    return store.state


def _told(first: int, word: str) -> list[list[Event]]:
    """Return what happens to four memories, with the keys of the texts that they have here."""
    return [[_keyed(event, word) for event in events] for events in lifecycle(first, at=first + 5)]


def _keyed(event: Event, word: str) -> Event:
    match event:
        case Memorized(record=record):
            text = f"{word}, number {record.ordinal}"
            return Memorized(replace(record, content=text), _key(text))
        case Restored(id=ident_):
            return _restored(int(ident_[1:]), word, event)
        case _:
            return event


def _restored(number: int, word: str, event: Restored | None = None) -> Restored:
    back = Restored(ident(number), moment(50), number, b"") if event is None else event
    return replace(back, key_row=_key(f"{word}, number {number}"))


def _key(text: str) -> bytes:
    return ENCODER.encode_query(text).astype("<f4").tobytes()


def _commit(store: DirectoryStore, *events: Event) -> None:
    with store.transaction():
        store.commit(events, ENCODER.identity)


STORES: tuple[Callable[[Scribe], State], ...] = (
    v2_every_event,
    v2_previous_generation,
    v2_encrypted,
    v2_torn_tail,
    v2_bilingual_versions,
    v2_lifecycle,
)
VERSION_2 = tuple(write.__name__ for write in STORES)


def make(root: Path) -> None:
    """Write the golden stores of today's version that are not under a folder yet, and add their files' checksums.

    Raises:
        FileExistsError: All are there already, or one that was recorded before is not as it was.
    """
    before = recorded(root)
    missing = [(seed, write) for seed, write in enumerate(STORES) if not (root / write.__name__).exists()]
    if not missing or not before.items() <= sums(root).items():
        raise FileExistsError(root)
    for seed, write in missing:
        folder = root / write.__name__
        folder.mkdir(parents=True)
        state = write(Scribe(folder, seed))
        (folder / "ntm_memory.lock").unlink()
        anonymise(folder / "ntm_memory.writer")
        journal = (folder / "ntm_memory.journal.jsonl").read_bytes()
        expected = described(state, torn=len(journal) - journal.rfind(b"\n") - 1)
        text = json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
        (folder / EXPECTED).write_text(text, encoding="utf-8", newline="\n")
    lines = [f"{digest}  {name}\n" for name, digest in sums(root).items()]
    (root / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def anonymise(note: Path) -> None:
    """Take out of a writer's note who it was: the machine is nobody's business."""
    note.write_bytes(b"process 1 (golden on nowhere)".ljust(LINE - 1) + b"\n" + note.read_bytes()[LINE:])


def recorded(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the stores under a folder as it was written down, by its path in there."""
    if not (root / SUMS).exists():
        return {}
    lines = (root / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def sums(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the stores under a folder, by its path in there."""
    files = sorted(file for file in root.glob("*/*") if file.is_file())
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


if __name__ == "__main__":
    make(GOLDEN)
