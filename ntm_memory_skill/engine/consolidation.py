"""Consolidation: what memories come to when there is time to look at all of them.

    merge       what says the same is written into one row, row ← row∘(1 − w·e) + w·a; the sources are kept beside it
    supersede   what a later memory changed no longer holds; both stay
    forget      what is too weak leaves the matrix, if that is asked for
    distil      clusters get a gist in their own sentences, if that is asked for

The law: each step is one transaction with its own entry in the list of consolidations, so that it can be broken off at
any moment and loses nothing, and so that all of it can be undone. What another process changed meanwhile is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.engine import validation
from ntm_memory_skill.engine.answers import Change, Consolidation
from ntm_memory_skill.engine.forgetting import too_weak
from ntm_memory_skill.engine.intake import merge_weight, speaker, statement
from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.projection import key_bytes
from ntm_memory_skill.engine.settings import Settings
from ntm_memory_skill.m3 import Distiller, alike, communities, distil, essence
from ntm_memory_skill.model import (
    Consolidated,
    Event,
    Forgotten,
    Memorized,
    Merged,
    Record,
    Superseded,
    indexed_text,
)
from ntm_memory_skill.sources import Clock, Ids
from ntm_memory_skill.store import State

BATCH = 256
"""Memories that one transaction changes at most: some 50 KB of journal."""
CLOSE = 0.75
"""Cosine from which two memories may be in one cluster."""
LEAST_CLUSTER = 4
"""Memories that a gist is made of, at least: of fewer there is nothing to condense."""
STEPS = 4
GIST = "gist"
"""The type of the memories that are gists."""
SAME = "it says the same"


KINDS = (Merged, Superseded, Forgotten, Memorized)
"""What a consolidation can do, each by its event."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something that a consolidation would do."""

    event: Merged | Superseded | Forgotten | Memorized
    change: Change
    """The same for people."""
    about: tuple[Record, ...]
    """The memories that it is about, as they were."""


Proposals = Iterator[list[Proposal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one consolidation may do."""

    settings: Settings
    clock: Clock
    ids: Ids
    run: str
    """What it is called."""
    deadline: datetime | None = None
    """When it ends, finished or not; None: when it is finished."""
    distiller: Distiller | None = None
    """What makes gists in place of extraction."""
    keep: bool = True
    """False only says what would be done."""
    gone: set[str] = field(default_factory=set)
    """Ids of what would have left the matrix by now, where nothing is done."""
    advance: Progress | None = None

    def check(self) -> None:
        """Stop the step that is under way if the time is up. Raises `_TimeUp`."""
        if self.deadline is not None and self.clock() >= self.deadline:
            raise _TimeUp


class _TimeUp(Exception):
    """There is no time left; nothing of the step that was not done yet will be."""


def consolidate(live: LiveMemory, work: Work) -> Consolidation:
    """Consolidate a memory, step by step, and return what was done.

    Raises:
        EncoderError: There is no model to make a gist's key.
        InvalidContent: The distiller's text is one that no memory may have.
        StoreError: A step could not be written; those before it stand.
    """
    before = len(live.state.records)
    done: list[Proposal] = []
    steps: tuple[Callable[[LiveMemory, Work], Proposals], ...] = (_merging, _superseding, _weakening, _distilling)
    finished = all(_take(step, live, work, done) and _tell(work, number) for number, step in enumerate(steps, 1))
    of_kind = {kind: tuple(each.change for each in done if isinstance(each.event, kind)) for kind in KINDS}
    gone = len(of_kind[Merged]) + len(of_kind[Forgotten]) - len(of_kind[Memorized])
    return Consolidation(
        run=work.run,
        merged=of_kind[Merged],
        superseded=of_kind[Superseded],
        forgotten=of_kind[Forgotten],
        gists=of_kind[Memorized],
        before=before,
        after=len(live.state.records) if work.keep else before - gone,
        finished=finished,
    )


def _take(step: Callable[[LiveMemory, Work], Proposals], live: LiveMemory, work: Work, done: list[Proposal]) -> bool:
    """Do what a step proposes, batch by batch, and return whether it came to its end in time."""
    try:
        for batch in step(live, work):
            work.check()
            done += _do(live, work, batch)
    except _TimeUp:
        return False
    return True


def _tell(work: Work, number: int) -> bool:
    """Report that a step is done, and go on."""
    if work.advance is not None:
        work.advance(number, STEPS)
    return True


def _do(live: LiveMemory, work: Work, batch: list[Proposal]) -> list[Proposal]:
    """Commit what of a batch still fits, with its entry in the list of consolidations, and return it."""
    if not work.keep:
        work.gone.update(each.change.old for each in batch if isinstance(each.event, Merged | Forgotten))
        return batch
    with live.transaction() as state:
        fitting = [each for each in batch if _fits(each, state)]
        if fitting:
            events: list[Event] = [each.event for each in fitting]
            live.commit([*events, _entry(work.run, work.clock(), events)])
    return fitting


def _fits(proposal: Proposal, state: State) -> bool:
    """Return whether everything that a proposal is about is live, and as it was when that was proposed."""
    now = [state.records.get(record.id) for record in proposal.about]
    if any(
        record is None or _judged(record) != _judged(then) for record, then in zip(now, proposal.about, strict=True)
    ):
        return False
    match proposal.event:
        case Superseded(id=ident):
            return state.records[ident].superseded_by is None
        case Memorized(record=record):
            return state.is_free(record.slot) and record.ordinal == state.next_ordinal
        case _:
            return True


def _judged(record: Record) -> Hashable:
    """Return what a proposal judges a memory by."""
    return (record.content, record.pinned, _what_is_said(record))


def _entry(run: str, at: datetime, events: Iterable[Event]) -> Consolidated:
    """Return a step's entry in the list of consolidations."""
    events = list(events)
    return Consolidated(
        run,
        at,
        merged=tuple(each.id for each in events if isinstance(each, Merged)),
        superseded=tuple(each.id for each in events if isinstance(each, Superseded)),
        successors=tuple(str(each.by) for each in events if isinstance(each, Superseded)),
        forgotten=tuple(each.id for each in events if isinstance(each, Forgotten)),
        gists=tuple(each.record.id for each in events if isinstance(each, Memorized)),
    )


def _merging(live: LiveMemory, work: Work) -> Proposals:
    """Propose to merge what says the same into the memory that said it first."""
    if work.settings.m3.duplicates != "count":
        return
    groups: dict[Hashable, list[Record]] = defaultdict(list)
    for record in _present(live, work):
        if record.superseded_by is None and record.type != GIST:
            groups[_what_is_said(record)].append(record)
    work.check()
    proposals = []
    for group in groups.values():
        first, *others = sorted(group, key=lambda record: (record.at, record.ordinal))
        for number, record in enumerate(each for each in others if not each.pinned):
            event = Merged(record.id, first.id, work.clock(), merge_weight(first, number), SAME)
            proposals.append(Proposal(event, Change(record.id, first.id, SAME), (record, first)))
    yield from _batches(proposals)


def _what_is_said(record: Record) -> Hashable:
    """Return what two memories have in common if keeping one of them loses nothing but when and where it was said."""
    said = essence(record.content)
    tags, by = frozenset(record.tags), speaker(record.source)
    return (said, by, record.key, record.type, tags, record.importance, record.valid_until)


def _superseding(live: LiveMemory, work: Work) -> Proposals:
    """Propose to supersede what a later memory changed."""
    from ntm_memory_skill.m3.succession import find_successions

    if work.settings.m3.successions != "mark":
        return
    current = {record.id: record for record in _present(live, work) if record.superseded_by is None}
    told = [statement(record) for record in current.values() if record.type != GIST]
    proposals = [
        Proposal(
            Superseded(each.old, each.new, current[each.new].at),
            Change(each.old, each.new, each.reason),
            (current[each.old], current[each.new]),
        )
        for each in find_successions(told, on_each=work.check)
    ]
    yield from _batches(proposals)


def _weakening(live: LiveMemory, work: Work) -> Proposals:
    """Propose to forget what is too weak, if that is asked for."""
    present = {record.id: record for record in _present(live, work)}
    leaving = too_weak(list(present.values()), work.settings, work.clock())
    yield from _batches([Proposal(each, Change(each.id, "", each.reason), (present[each.id],)) for each in leaving])


def _distilling(live: LiveMemory, work: Work) -> Proposals:
    """Propose a gist of every cluster that has none yet, if that is asked for."""
    if not work.settings.m3.gists:
        return
    with live.mutex:
        rows, present = np.array(live.projection().matrix.rows), _present(live, work)
    told = {ident for record in present for ident in record.distilled_from}
    records = [
        record for record in present if record.superseded_by is None and record.type != GIST and record.id not in told
    ]
    keys = rows[[record.slot for record in records]]
    keys = keys / np.maximum(np.linalg.norm(keys, axis=1, keepdims=True), 1e-12)
    for group in communities(alike(keys, CLOSE, progress=lambda *_: work.check()), len(records)):
        if len(group) >= LEAST_CLUSTER and len(live.state.records) < work.settings.memory_size:
            places = sorted(group, key=lambda place: (records[place].at, records[place].ordinal))
            proposal = _gist(live, work, [records[place] for place in places], keys[places])
            if proposal is not None:
                yield [proposal]


def _gist(live: LiveMemory, work: Work, members: Sequence[Record], keys: Float32[np.ndarray, "k m"]) -> Proposal | None:
    """Return the gist of some memories as a memory of its own, in the order of time; None where they have none."""
    texts = [record.content for record in members]
    if work.distiller is None:
        found = distil(texts, keys)
        text = None if found is None else found.text
    else:
        text = work.distiller(texts)
    if text is None or not text.strip():
        return None
    validation.content(text, work.settings.content_limit)
    with live.mutex:
        slot, ordinal = live.projection().matrix.allocate(1)[0], live.state.next_ordinal
    record = Record(
        id=work.ids(),
        slot=slot,
        ordinal=ordinal,
        content=text,
        created=work.clock(),
        at=members[-1].at,
        type=GIST,
        importance=max(record.importance for record in members),
        source="consolidation",
        distilled_from=tuple(record.id for record in members),
    )
    key_row = key_bytes(live.encode([indexed_text(None, text)])[0])
    change = Change(record.id, "", f"the gist of {len(members)} memories")
    return Proposal(Memorized(record, key_row), change, tuple(members))


def _present(live: LiveMemory, work: Work) -> list[Record]:
    """Return the memories that are in the matrix at this step, or would be. Others may go on writing meanwhile."""
    return [record for record in list(live.state.records.values()) if record.id not in work.gone]


def _batches(proposals: Sequence[Proposal]) -> Proposals:
    for start in range(0, len(proposals), BATCH):
        yield list(proposals[start : start + BATCH])
