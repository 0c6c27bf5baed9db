"""Lives of memories, for the tests of the lifecycle: what is said again, changes, grows weak and comes back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import strategies as st

from ntm_memory_skill import HashedEncoder, M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.engine import consolidation, intake
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.errors import MemoryFull
from ntm_memory_skill.lexical import tokenize
from ntm_memory_skill.model import Consolidated, Filters, Record
from ntm_memory_skill.ntm import HeadParameters
from ntm_memory_skill.sources import Clock, seeded_ids
from ntm_memory_skill.store import MemoryStore, Store
from tests.conftest import EPOCH, ticking_clock

GOATS, GOATS_AGAIN, GOATS_NEARLY = (
    "Anna keeps three goats in Kirchberg",
    "anna keeps three goats in Kirchberg!",
    "Anna really keeps three goats in Kirchberg",
)
PARIS, BERLIN = "I live in Paris", "I moved to Berlin"
SHANGHAI, BEIJING = "我住在上海", "我搬到北京了"
TEXTS = (
    GOATS,
    GOATS_AGAIN,
    GOATS_NEARLY,
    PARIS,
    BERLIN,
    SHANGHAI,
    BEIJING,
    "The dentist appointment is on Thursday",
    "The dentist appointment was moved to Friday",
    "Marco plays the violin in a string quartet",
)
"""Some say the same, some nearly the same, and some hold in the place of others."""

HOURS = timedelta(hours=7)
"""How far the clock of a life goes on whenever it is read: a dozen readings, and a memory is weak."""

EVERYTHING = M3Settings(forget_below=0.9, gists=True)
"""Consolidation does all that it can do."""

UNDISTURBED = M3Settings(duplicates="keep", successions="off", forget=False, reconsolidate=False)
"""Each memory stays as it was written."""

_seeds = count()


@contextmanager
def nearness() -> Iterator[None]:
    """Let two texts be nearly the same where they differ in "really" alone, and the same but for case and signs."""

    def plain(text: str) -> str:
        return " ".join("".join(char if char.isalnum() else " " for char in text.casefold()).split())

    def told(text: str) -> str:
        return plain(text).replace("really ", "")

    def same(one: str, other: str) -> str | None:
        if plain(one) == plain(other):
            return "exact"
        return "near" if told(one) == told(other) else None

    with mock.patch.object(intake, "same", same), mock.patch.object(consolidation, "essence", told):
        yield


@contextmanager
def fresh_path() -> Iterator[Path]:
    """Give a path in a folder of its own: each example of a property starts from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "ntm_memory.json"


def opened(
    path: Path, m3: M3Settings | None = None, *, clock: Clock | None = None, size: int = 100
) -> NTMMemoryManager:
    """Open a memory on disk; no two of them ever draw the same ids."""
    return NTMMemoryManager.open(
        path,
        settings=Settings(memory_size=size, m3=M3Settings() if m3 is None else m3),
        encoder=HashedEncoder(48),
        clock=ticking_clock() if clock is None else clock,
        ids=seeded_ids(10_000 + next(_seeds)),
    )


def unstored(
    m3: M3Settings | None = None, *, clock: Clock | None = None, size: int = 100, store: Store | None = None
) -> NTMMemoryManager:
    """Return a memory that is kept nowhere."""
    settings = Settings(memory_size=size, m3=M3Settings() if m3 is None else m3)
    clock = ticking_clock() if clock is None else clock
    store = MemoryStore() if store is None else store
    return NTMMemoryManager(store, HashedEncoder(48), settings, clock=clock, ids=seeded_ids(10_000 + next(_seeds)))


class Standing:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> datetime:
        """Return what it was set to."""
        return self.now


@dataclass(frozen=True)
class Step:
    """One thing that happens in a life; `which` chooses among memories and ways, `what` among texts."""

    verb: str
    which: int
    what: int


VERBS = (
    *("memorize", "force", "many", "many", "pin", "important", "brief"),
    *("ask", "remind", "update", "fade", "erase", "purge", "restore", "recover"),
    *("consolidate", "undo"),
)


def steps(verbs: Sequence[str] = VERBS) -> st.SearchStrategy[Step]:
    """Return the strategy of steps."""
    return st.builds(Step, st.sampled_from(verbs), st.integers(0, 20), st.integers(0, len(TEXTS) - 1))


def live(memory: NTMMemoryManager, step: Step) -> None:
    """Take one step; one that there is nothing for, or no room, is passed over."""
    try:
        if step.verb in ("memorize", "force", "many", "pin", "important", "brief"):
            write(memory, step)
        else:
            change(memory, step)
    except MemoryFull:
        pass


def write(memory: NTMMemoryManager, step: Step) -> None:
    """Say something, at one of a few times and from one of a few sources."""
    fields: dict[str, Any] = {"content": TEXTS[step.what], "at": EPOCH + step.which * HOURS}
    fields["session"] = [None, "s", "t"][step.which % 3]
    if step.verb == "brief":
        fields["valid_until"] = EPOCH + (step.which + 10) * HOURS
    if step.verb == "many":
        memory.memorize_many([fields])
        return
    memory.memorize(
        **fields,
        force=step.verb == "force",
        pinned=step.verb == "pin",
        importance=0.9 if step.verb == "important" else 0.5,
    )


def change(memory: NTMMemoryManager, step: Step) -> None:
    """Do something with what is there."""
    state = memory.state
    places: dict[str, Iterable[str]] = {
        "restore": state.archive,
        "recover": state.forgotten,
        "undo": state.consolidations,
    }
    idents = list(places.get(step.verb, state.records))
    ident = idents[step.which % len(idents)] if idents else ""
    match step.verb:
        case "ask" | "remind":
            remind = step.verb == "remind"
            memory.search(TEXTS[step.what], top_k=1 + step.which % 3, include_forgotten=remind)
        case "consolidate":
            memory.consolidate()
        case _ if not ident:
            pass
        case "update":
            memory.update(ident, TEXTS[step.what])
        case "fade":
            memory.erase(ident, strength=0.3)
        case "erase" | "purge":
            memory.erase(ident, purge=step.verb == "purge")
        case "restore" | "recover":
            memory.restore(ident)
        case "undo":
            memory.undo_consolidation(ident)


Sight = tuple[dict[str, Record], dict[str, Record], dict[str, Record], dict[str, Consolidated]]


def sight(memory: NTMMemoryManager) -> Sight:
    """Return all memories as values, wherever they are: live, forgotten, archived; and the list of consolidations."""
    state = memory.state
    return dict(state.records), dict(state.forgotten), dict(state.archive), dict(state.consolidations)


def settled(memory: NTMMemoryManager) -> None:
    """Store what was counted so far, so that later writes do not bring it along."""
    memory._live._store_accesses()


def texts(records: dict[str, Record]) -> list[str]:
    """Return what memories say, sorted."""
    return sorted(record.content for record in records.values())


def assert_followed(memory: NTMMemoryManager) -> None:
    """Compare both projections, as they were kept in step, with ones that are filled anew."""
    for kept, whole in ((memory._live.projection(), False), (memory._live.whole(), True)):
        assert_same_projection(kept, memory._live._filled(whole=whole))
        state = memory.state
        for slot in np.flatnonzero(kept.live).tolist():
            record = kept.record(slot)
            known = state.anywhere(record.id)
            assert known is not None
            assert record == (known if not whole else _placed(known))


def assert_same_projection(one: Projection, other: Projection) -> None:
    """Compare rows, records, words, tapes and what the filters admit, slot by slot."""
    slots = np.flatnonzero(other.live).tolist()
    assert np.flatnonzero(one.live).tolist() == slots
    np.testing.assert_allclose(np.asarray(one.matrix.rows)[slots], np.asarray(other.matrix.rows)[slots], atol=1e-5)
    assert [one.record(slot) for slot in slots] == [other.record(slot) for slot in slots]
    assert (one.has_links, one.outdated) == (other.has_links, other.outdated) == (other.has_links, False)
    now = EPOCH + 12 * HOURS
    conditions = (Filters(), Filters(as_of=now), Filters(session="s"), Filters(include_superseded=True))
    for filters in conditions:
        left, right = (np.flatnonzero(each.admitted(filters, now)).tolist() for each in (one, other))
        assert left == right, filters
    for text in TEXTS[3:6]:
        mine, theirs = (each.lexical.match(tuple(tokenize(text)), len(each)).scores for each in (one, other))
        np.testing.assert_allclose(mine[slots], theirs[slots], atol=1e-5)
    assert_same_derived(one, other, slots)
    before, after = (np.asarray(each.derived.sources)[:, slots] for each in (one, other))
    np.testing.assert_array_equal(np.where(before < len(one), before, -1), np.where(after < len(other), after, -1))


def assert_same_derived(one: Projection, other: Projection, slots: list[int]) -> None:
    """Compare what was patched, change by change, with what is computed at once."""
    head = HeadParameters()
    tables = [(each.derived.relative_lengths, *each.derived.conveyance(head)) for each in (one, other)]
    for patched, fresh in zip(*tables, strict=True):
        np.testing.assert_allclose(patched[..., slots], fresh[..., slots], atol=1e-6)
    np.testing.assert_allclose(one.derived.commonness[slots], other.derived.commonness[slots], atol=1e-5)
    np.testing.assert_array_equal(one.strengths[slots], other.strengths[slots])


def _placed(record: Record) -> Record:
    """Return a memory in the slot that it has where forgotten ones are as well."""
    return replace(record, slot=record.ordinal)
