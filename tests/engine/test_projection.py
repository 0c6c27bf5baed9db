"""The matrix, the words and the tapes that follow a memory step by step are those that a fresh look would build."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.model import Filters
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import EPOCH, OpenMemory, ticking_clock
from tests.engine.support import FACTS, TorchEncoder, as_numbers, assert_same_hits, plant

QUERIES = ("goats in Kirchberg", "北京的会议", "what?")
clocks = count()


@dataclass(frozen=True)
class Step:
    """One thing that is done to a memory; `which` chooses among those that live, `what` among the texts."""

    verb: str
    which: int
    what: int


VERBS = (
    "memorize",
    "memorize",
    "memorize",
    "name",
    "supersede",
    "update",
    "retag",
    "fade",
    "erase",
    "erase",
    "purge",
    "restore",
    "restore",
    "ask",
    "reopen",
)
steps = st.builds(Step, st.sampled_from(VERBS), st.integers(0, 20), st.integers(0, len(FACTS) - 1))


def do(memory: NTMMemoryManager, step: Step) -> None:
    """Take one step; one that needs a memory where there is none is passed over."""
    content, tag, session = FACTS[step.what], f"tag {step.what % 3}", [None, "s", "t"][step.what % 3]
    fields: dict[str, Any] = {"tags": [tag], "session": session, "at": EPOCH + timedelta(hours=step.which)}
    live, archived = list(memory.state.records), list(memory.state.archive)
    if step.verb == "ask":
        memory.search(content, top_k=1 + step.which % 3)  # the next write counts it
    elif step.verb == "restore":
        memory.restore(*archived[step.which % len(archived) :][:2]) if archived else None
    elif step.verb == "memorize":
        memory.memorize(content, **fields)
    elif step.verb == "name":
        memory.memorize(content, key=f"name {step.which % 2}", **fields)
    elif live:
        change(memory, step, live[step.which % len(live)], content, fields)


def change(memory: NTMMemoryManager, step: Step, ident: str, content: str, fields: dict[str, Any]) -> None:
    """Take a step that is about a live memory."""
    if step.verb == "supersede":
        memory.memorize(content, supersedes=ident, **fields)
    elif step.verb == "update":
        memory.update(ident, content)
    elif step.verb == "retag":
        memory.update(ident, importance=step.what / 10, tags=[f"tag {step.which % 3}"])
    elif step.verb == "fade":
        memory.erase(ident, strength=0.3)
    else:
        memory.erase(ident, purge=step.verb == "purge")


def opened(path: Path, encoder: Encoder | None = None) -> NTMMemoryManager:
    """Open a memory; no two of them ever draw the same ids."""
    seed = next(clocks)
    encoder = HashedEncoder(48) if encoder is None else encoder
    return NTMMemoryManager.open(path, encoder=encoder, clock=ticking_clock(), ids=seeded_ids(seed))


@contextmanager
def fresh_path() -> Iterator[Path]:
    """Give a path in a folder of its own: each example of a property starts from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "ntm_memory.json"


def assert_same_derivations(one: NTMMemoryManager, other: NTMMemoryManager) -> None:
    """Compare everything that is computed from two views' rows, slot by slot; a free slot's numbers mean nothing."""
    mine, theirs = one._live.projection(), other._live.projection()
    slots = np.flatnonzero(mine.live)
    assert slots.tolist() == np.flatnonzero(theirs.live).tolist()
    for name in ("lengths", "relative_lengths", "commonness", "brevity", "length", "question", "digits"):
        left, right = (np.asarray(getattr(view.derived, name))[..., slots] for view in (mine, theirs))
        np.testing.assert_allclose(left, right, atol=1e-4, err_msg=name)
    before, after = (np.asarray(view.derived.sources)[:, slots] for view in (mine, theirs))
    np.testing.assert_array_equal(np.where(before < len(mine), before, -1), np.where(after < len(theirs), after, -1))
    np.testing.assert_allclose(mine.derived.statistics, theirs.derived.statistics, atol=1e-4)
    np.testing.assert_array_equal(mine.strengths[slots], theirs.strengths[slots])
    if mine.admitted(Filters()).any():  # a memory of nothing but what was superseded has nothing to examine
        seen, known = (view.examine(QUERIES[0]).statistics for view in (one, other))
        np.testing.assert_allclose(seen, known, atol=1e-4)


def assert_same_answers(one: NTMMemoryManager, other: NTMMemoryManager) -> None:
    """Compare two views of a memory by everything that a search can tell of it, under several filters."""
    assert_same_derivations(one, other)
    for query in QUERIES:
        for filters in ({}, {"tags": ["tag 1"]}, {"session": "s"}, {"as_of": EPOCH + timedelta(hours=9)}):
            mine, theirs = one.search(query, top_k=1000, **filters), other.search(query, top_k=1000, **filters)
            assert_same_hits(mine, theirs)
            for memory, hits in ((one, mine), (other, theirs)):
                assert [hit.record for hit in hits] == [memory.state.records[hit.id] for hit in hits]
    named = [manager.recall(key="name 1", budget=10_000).hits for manager in (one, other)]
    assert_same_hits(*named)


@given(st.lists(st.tuples(steps, st.booleans()), min_size=1, max_size=25))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_view_that_followed_every_step_equals_one_that_is_built_anew(history: list[tuple[Step, bool]]) -> None:
    """The writer's view, that of a reader who looks now and then and follows in leaps, and a fresh one."""
    with fresh_path() as path, ExitStack() as stack:
        writer = opened(path)
        reader = stack.enter_context(opened(path))
        reader.warm_up()
        for step, look in history:
            if step.verb == "reopen":
                writer.close()
                writer = opened(path)
            else:
                do(writer, step)
            if look:
                reader.search("anything")
        stack.enter_context(writer)
        with opened(path) as fresh:
            assert_same_answers(writer, fresh)
            assert_same_answers(reader, fresh)


LEAPS = {
    "words unchanged, then faded": [Step("retag", 0, 1), Step("fade", 0, 0)],
    "replaced, then faded": [Step("supersede", 0, 2), Step("fade", 0, 0)],
    "faded twice": [Step("fade", 0, 0), Step("fade", 0, 0)],
    "faded, then other words": [Step("fade", 0, 0), Step("update", 0, 3)],
    "written, faded and erased": [Step("memorize", 0, 3), Step("fade", 1, 0), Step("erase", 1, 0)],
    "erased and its slot given away": [Step("erase", 0, 0), Step("memorize", 5, 4), Step("fade", 0, 0)],
    "asked for, then changed": [Step("ask", 0, 0), Step("retag", 0, 1)],
    "asked for, then faded": [Step("ask", 0, 0), Step("fade", 0, 0), Step("ask", 0, 0), Step("fade", 0, 0)],
    "written, asked for, then written": [Step("memorize", 0, 3), Step("ask", 2, 3), Step("memorize", 0, 4)],
    "erased and restored": [Step("erase", 0, 0), Step("restore", 0, 0)],
    "asked for, erased and restored": [Step("ask", 0, 0), Step("erase", 0, 0), Step("restore", 0, 0)],
    "restored, then faded": [Step("erase", 0, 0), Step("restore", 0, 0), Step("fade", 0, 0)],
    "restored, then other words": [Step("erase", 0, 0), Step("restore", 0, 0), Step("update", 0, 3)],
    "restored and purged": [Step("erase", 0, 0), Step("restore", 0, 0), Step("purge", 0, 0)],
    "changed, then restored into another slot": [
        Step("fade", 0, 0),
        Step("update", 0, 5),
        Step("erase", 0, 0),
        Step("memorize", 2, 4),
        Step("restore", 0, 0),
    ],
    "two that changed places": [
        Step("memorize", 1, 4),
        Step("fade", 1, 0),
        Step("erase", 0, 0),
        Step("erase", 0, 0),
        Step("memorize", 2, 3),
        Step("restore", 0, 0),
        Step("restore", 1, 0),
    ],
    "written, replaced and erased": [Step("memorize", 0, 3), Step("supersede", 1, 2), Step("erase", 1, 0)],
}


@pytest.mark.parametrize("leap", LEAPS.values(), ids=LEAPS)
def test_reader_that_follows_several_steps_at_once_misses_none(tmp_path: Path, leap: list[Step]) -> None:
    """The state is already at the end of them when the first is followed."""
    path = tmp_path / "ntm_memory.json"
    with opened(path) as writer, opened(path) as reader:
        do(writer, Step("memorize", 1, 0))
        reader.warm_up()
        for step in leap:
            do(writer, step)
        with opened(path) as fresh:
            assert_same_answers(reader, fresh)
            assert_same_answers(writer, fresh)


HISTORY = [Step("memorize", 3 * place % 7, place) for place in range(8)] + [
    Step("fade", 2, 0),
    Step("supersede", 1, 3),
    Step("erase", 4, 0),
    Step("name", 6, 5),
    Step("update", 0, 6),
]


CHANGES = {
    "memorize": lambda memory, ident: memory.memorize("one more", session="s"),
    "update": lambda memory, ident: memory.update(ident, "Who sold the 12 goats?"),
    "fade": lambda memory, ident: memory.erase(ident, strength=0.3),
    "erase": lambda memory, ident: memory.erase(ident),
    "purge": lambda memory, ident: memory.erase(ident, purge=True),
    "restore": lambda memory, ident: memory.restore(next(iter(memory.state.archive))),
    "supersede": lambda memory, ident: memory.memorize("no goats", supersedes=ident),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_derived_from_the_rows_is_derived_anew_after_a_change(
    memory: NTMMemoryManager, open_memory: OpenMemory, change: Callable[[NTMMemoryManager, str], object]
) -> None:
    """Here and for whoever else has the memory open; a question alone changes nothing."""
    ids = plant(memory, session="s")
    memory.erase(ids[-1])
    other = open_memory()
    views = (memory, other)
    before = []
    for view in views:
        view.search("goats")
        before.append(view._live.projection().derived)
        view.search("a tyre", top_k=3)
        assert view._live.projection().derived is before[-1]
    change(memory, ids[0])
    with contextlib.closing(open_memory()) as fresh:
        for view, old in zip(views, before, strict=True):
            assert view._live.projection().derived is not old
            assert_same_derivations(view, fresh)


def test_marks_of_a_slot_are_those_of_the_memory_that_is_in_it(memory: NTMMemoryManager) -> None:
    """Question marks and digits, in any script; a quotation may end behind its mark."""
    texts = {
        "Who feeds the goats?": (1, 0),
        "谁去？": (1, 0),
        'She asked "who feeds them?"': (1, 0),
        "12 goats": (0, 1),
        "Bread? No, 3 rolls.": (0, 1),
        "٣ goats": (0, 1),
        "Where is room 12? ": (1, 1),
        "nothing of that": (0, 0),
    }
    for text, expected in texts.items():
        record = memory.memorize(text).record
        derived = memory._live.projection().derived
        assert (derived.question[record.slot], derived.digits[record.slot]) == expected
        memory.erase(record.id)
        assert memory.memorize("in its place").slot == record.slot
        derived = memory._live.projection().derived
        assert (derived.question[record.slot], derived.digits[record.slot]) == (0, 0)
        memory.erase(memory.search("in its place")[0].id)


def test_matrix_of_torch_gives_the_answers_of_a_matrix_of_numpy() -> None:
    """The equations are written once for both."""
    views = []
    for encoder in (HashedEncoder(48), TorchEncoder(48)):
        memory = NTMMemoryManager(MemoryStore(), encoder, clock=ticking_clock(), ids=seeded_ids(7))
        for step in HISTORY:
            do(memory, step)
            memory.recall("goats", session="chat")
        views.append(memory)
    numpy_view, torch_view = views
    assert_same_answers(numpy_view, torch_view)
    drawn = [view.recall("goats", session="chat", budget=10_000).hits for view in views]
    assert_same_hits(*drawn)
    assert [note for note in as_numbers(drawn[1]) if note[2][3] != note[2][4]]  # the gate was at work


def test_torch_memory_on_disk_is_opened_by_numpy(tmp_path: Path) -> None:
    """Files know nothing of the library that wrote them."""
    path = tmp_path / "ntm_memory.json"
    with opened(path, TorchEncoder(48)) as writer:
        for step in HISTORY:
            do(writer, step)
        with opened(path) as reader:
            assert_same_answers(writer, reader)


def test_both_stores_give_the_same_answers(tmp_path: Path) -> None:
    """The one that keeps nothing is the one that is tried out first."""
    on_disk = opened(tmp_path / "ntm_memory.json")
    in_memory = NTMMemoryManager(MemoryStore(), HashedEncoder(48), clock=ticking_clock(), ids=seeded_ids(0))
    with on_disk, in_memory:
        for step in HISTORY:
            do(on_disk, step)
            do(in_memory, step)
        for query in QUERIES:
            mine, theirs = on_disk.search(query, top_k=1000), in_memory.search(query, top_k=1000)
            assert [hit.content for hit in mine] == [hit.content for hit in theirs]
            assert [hit.score for hit in mine] == pytest.approx([hit.score for hit in theirs], abs=1e-5)
