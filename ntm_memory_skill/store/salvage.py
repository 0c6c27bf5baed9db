"""What damaged files still give, and what of it is certain.

Bytes in, a state and two lists out: what was amiss and could be made good, and what is lost. Nothing is lost silently:
entries are numbered, so that gaps show; memories in a snapshot, and lines of a journal, have checksums of their own;
and the writer's note says up to where there has to be something.

A memory can be begun from the snapshot, from the generation before, from nothing where a journal goes back to the first
entry, and at last from the single memories that damaged snapshots give. To each the journals are applied, as far as
they are new to it, and the beginning with the fewest entries missing is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ntm_memory_skill.errors import StoreDamaged, StoreError
from ntm_memory_skill.model import EncoderIdentity, Memorized, Record
from ntm_memory_skill.store import journal, snapshot
from ntm_memory_skill.store.fold import Fold
from ntm_memory_skill.store.replay import Replay, Salvage, in_free_slot
from ntm_memory_skill.store.seal import Seal
from ntm_memory_skill.store.state import State

UNKNOWN_ENCODER = "unknown"
LONGEST_KEY = 2**16  # numbers; no encoder has nearly as many, but damage may say so


@dataclass(frozen=True, slots=True)
class Evidence:
    """The bytes of every file that memories are in; None where there is no such file."""

    snapshot: bytes | None
    journal: bytes | None
    previous_snapshot: bytes | None
    previous_journal: bytes | None
    acknowledged: int
    """The last entry that is known to have been acknowledged."""


def salvage(evidence: Evidence, seal: Seal | None) -> Salvage:
    """Return as much of a memory as its files give.

    Raises:
        StoreTooNew: A newer release wrote them.
        KeyRefused: They are encrypted with another key, or not as `seal` says.
    """
    found, problem = _from_snapshot(evidence, seal)
    if found is None or found.missing:
        others = (_from_previous(evidence, seal), _from_nothing(evidence, seal))
        attempts = [each for each in (found, *others) if each is not None] or [_from_remains(evidence, seal)]
        best = min(attempts, key=lambda each: each.missing)
        if best is not found:
            _note_snapshot(best, evidence, problem or "it is older than the journal")
            found = best
    if found.encoder is None and (any(found.state.remembered()) or found.state.archive):
        found.encoder = EncoderIdentity(UNKNOWN_ENCODER, UNKNOWN_ENCODER, max(found.dimension, 1))
        found.mended.append("which encoder made the keys is not known any more; run `ntm-memory reindex`")
    return found


def fault_in_previous(
    in_snapshot: bytes, in_journal: bytes | None, header: snapshot.Header, state: State, seal: Seal | None
) -> str | None:
    """Return what is amiss with a previous generation's files, as seen from a present snapshot that is whole."""
    try:
        fold = Fold.of(in_snapshot, in_journal, seal)
    except StoreError as error:  # a newer release, or another key, would have begun with the present snapshot
        return error.message
    if fold.generation == header.generation:  # folding got no further than keeping the generation
        return None
    same = (fold.sequence, fold.state) == (header.sequence, state)
    return None if same else "it does not amount to the present snapshot"


def _from_snapshot(evidence: Evidence, seal: Seal | None) -> tuple[Salvage | None, str]:
    """Begin with the snapshot, if it is whole; else return what is the matter with it."""
    if evidence.snapshot is None:
        return None, "the file is missing"
    try:
        header, state = snapshot.decode(evidence.snapshot, seal)
    except StoreDamaged as error:
        return None, error.message
    found = _begun(header, state)
    before = evidence.previous_snapshot
    fault = None if before is None else fault_in_previous(before, evidence.previous_journal, header, state, seal)
    if fault is not None:
        found.mended.append(f"the previous generation: {fault}")
        found.damaged |= {"previous_snapshot", "previous_journal"}
    replay = Replay(found, seal, evidence.acknowledged, header.generation, header.generation)
    return replay.apply({"journal": evidence.journal}), ""


def _from_previous(evidence: Evidence, seal: Seal | None) -> Salvage | None:
    """Begin with the previous snapshot, if it is whole; with its journal it is the present snapshot."""
    if evidence.previous_snapshot is None:
        return None
    try:
        header, state = snapshot.decode(evidence.previous_snapshot, seal)
    except StoreDamaged:
        return None
    found = _begun(header, state)
    found.mended.append("memories were taken from the previous generation and its journal")
    replay = Replay(found, seal, evidence.acknowledged, header.generation, header.generation + 1)
    return replay.apply({"previous_journal": evidence.previous_journal, "journal": evidence.journal})


def _from_nothing(evidence: Evidence, seal: Seal | None) -> Salvage | None:
    """Begin with no memory at all, if a journal goes back to the first entry."""
    journals = {"previous_journal": evidence.previous_journal, "journal": evidence.journal}
    while journals and _start(next(iter(journals.values()))) != 0:
        del journals[next(iter(journals))]
    if not journals:
        return None
    found = Salvage(encoder=_encoder(evidence))
    found.mended.append("memories were written anew from the journal, which goes back to the first entry")
    return Replay(found, seal, evidence.acknowledged, 0, None).apply(journals)


def _from_remains(evidence: Evidence, seal: Seal | None) -> Salvage:
    """Begin with the single memories that are whole in what is left of either snapshot, the present one first."""
    found = Salvage(encoder=_encoder(evidence))
    records: dict[str, Record] = {}
    archive: dict[str, Record] = {}
    forgotten: dict[str, Record] = {}
    missing: dict[str, None] = {}
    for data in (evidence.snapshot, evidence.previous_snapshot):
        left = snapshot.remains(data or b"")
        known = records.keys() | archive.keys() | forgotten.keys()
        for place, kept in ((records, left.records), (archive, left.archive), (forgotten, left.forgotten)):
            place.update((record.id, record) for record in kept if record.id not in known)
        missing.update(dict.fromkeys(left.lost))
        found.generation = max(found.generation, left.generation)
    found.state, found.sequence = _state(records.values(), archive, forgotten), _said_sequence(evidence)
    gone = [ident for ident in missing if not found.state.knows(ident)]
    found.lost.extend(f"the memory {ident}, which is damaged in the snapshot" for ident in gone)
    if any(data is not None for data in (evidence.snapshot, evidence.previous_snapshot)):
        found.lost.append(
            "what a damaged snapshot cannot show: memories behind the place where it is cut off, tombstones, "
            "consolidations, and what happened since to those that had to be taken from the generation before"
        )
    elif evidence.journal is not None or evidence.previous_journal is not None:
        found.lost.append("whatever the snapshot held: the file is missing, and so is the one before it")
    return Replay(found, seal, evidence.acknowledged, None, None).apply({"journal": evidence.journal})


def _begun(header: snapshot.Header, state: State) -> Salvage:
    return Salvage(state=state, encoder=header.encoder, sequence=header.sequence, generation=header.generation)


def _note_snapshot(found: Salvage, evidence: Evidence, problem: str) -> None:
    if evidence == Evidence(None, None, None, None, 0):
        return  # there is no memory yet
    found.mended.insert(0, f"the snapshot: {problem}")
    if evidence.snapshot is not None:
        found.damaged.add("snapshot")


def _encoder(evidence: Evidence) -> EncoderIdentity | None:
    """Return what the snapshots say of the encoder, damaged as they are, as far as it can be."""
    said = (snapshot.remains(data or b"").encoder for data in (evidence.snapshot, evidence.previous_snapshot))
    return next((each for each in said if each is not None and 0 < each.dimension <= LONGEST_KEY), None)


def _head(data: bytes | None) -> journal.Head | None:
    try:
        return journal.read_header(data or b"")
    except StoreDamaged:
        return None


def _entries(data: bytes | None) -> list[int]:
    return [piece.line.sequence for piece in journal.pieces(data or b"") if piece.line is not None]


def _start(data: bytes | None) -> int | None:
    """Return the last entry before a journal, by its first entry or, where it has none, by its first line."""
    entries, head = _entries(data), _head(data)
    if entries:
        return entries[0] - 1
    return None if head is None else head.sequence


def _said_sequence(evidence: Evidence) -> int:
    """Return up to where the damaged snapshot goes.

    That it goes further than to where the journal begins is believed only if the two agree that it was folded.
    """
    said, head = snapshot.remains(evidence.snapshot or b""), _head(evidence.journal)
    start, entries = _start(evidence.journal), _entries(evidence.journal)
    folded = head is not None and head.generation < said.generation and said.sequence in entries[-1:]
    return said.sequence if start is None or folded else start


def _state(records: Iterable[Record], archive: dict[str, Record], forgotten: dict[str, Record]) -> State:
    """Return what single memories amount to. They may be of different moments, and what contradicts is left out."""
    live = {record.id: record for record in records}
    placed = State()
    for record in live.values():
        placed.apply(in_free_slot(placed, Memorized(replace(record, supersedes=None), b"")))
    found = {ident: replace(live[ident], slot=record.slot) for ident, record in placed.records.items()}
    for record in live.values():
        old = None if record.supersedes is None else found.get(record.supersedes)
        if old is not None and old.superseded_by is None:  # what it says itself is later
            found[old.id] = replace(old, superseded_by=record.id, superseded_at=record.at)
    ordinals = [record.ordinal for place in (live, archive, forgotten) for record in place.values()]
    return State(
        records=_unmixed(found, forgotten),
        archive=_unmixed(archive, forgotten),
        next_ordinal=max(ordinals, default=-1) + 1,
        forgotten=_unmixed(forgotten, forgotten),
    )


def _unmixed(place: dict[str, Record], forgotten: dict[str, Record]) -> dict[str, Record]:
    """Return memories that have absorbed those alone that are out of the matrix because of it."""
    merged = {(record.merged_into, record.id) for record in forgotten.values()}
    return {
        ident: replace(record, absorbed=tuple(each for each in record.absorbed if (ident, each.id) in merged))
        for ident, record in place.items()
    }
