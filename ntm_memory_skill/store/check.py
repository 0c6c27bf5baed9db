"""Whether the files of a memory hold what they should, without changing any of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ntm_memory_skill.errors import StoreDamaged, StoreError
from ntm_memory_skill.model import EncoderIdentity, indexed_text
from ntm_memory_skill.sources import Clock
from ntm_memory_skill.store.directory import DirectoryStore


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    subject: str
    """What was looked at: "snapshot", "journal", "keys", "slots"."""
    detail: str
    error: StoreError | None = None
    """What the store raised over it."""


def verify(path: Path, clock: Clock) -> list[Finding]:
    """Read every file of the memory at `path` and compare them with each other.

    A missing key is no fault: it is encoded anew when it is needed. Everything else that is amiss is.
    """
    try:
        store = DirectoryStore(path, clock=clock)
    except StoreDamaged as error:
        return [Finding(False, "snapshot and journal", error.message, error)]
    except StoreError as error:
        return [Finding(False, "files", error.message, error)]
    if store.encoder is None:
        return [Finding(True, "snapshot", f"no memory at {store.paths.snapshot} yet")]
    state = store.state
    findings = [
        Finding(True, "snapshot", f"{len(state.records)} memories, {len(state.archive)} in the archive"),
        Finding(True, "journal", f"whole up to entry {store.sequence}"),
    ]
    findings.extend(Finding(True, "journal", warning) for warning in store.warnings)
    slots = {record.slot for record in state.records.values()}
    unique = len(slots) == len(state.records)
    findings.append(Finding(unique, "slots", "each memory has its own" if unique else "two memories share a slot"))
    findings.append(_keys(store, store.encoder))
    return findings


def _keys(store: DirectoryStore, encoder: EncoderIdentity) -> Finding:
    try:
        rows = store.key_rows()
    except StoreError as error:
        return Finding(False, "keys", error.message, error)
    texts = [indexed_text(record.key, record.content) for record in store.state.records.values()]
    missing = sum(rows.position(encoder.digest(text)) is None for text in texts)
    journalled = f"; {missing} more come from the journal or will be encoded when needed" if missing else ""
    return Finding(True, "keys", f"{len(texts) - missing} of {len(texts)} cached{journalled}")
