"""A consolidation that ends in the middle: what was done by then stands, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntm_memory_skill import M3Settings
from ntm_memory_skill.engine import consolidation
from ntm_memory_skill.errors import StoreFull
from ntm_memory_skill.model import EncoderIdentity, Event
from ntm_memory_skill.store import DirectoryStore
from tests.engine.lives import (
    GOATS,
    GOATS_AGAIN,
    TEXTS,
    Standing,
    assert_followed,
    fresh_path,
    nearness,
    opened,
    sight,
    texts,
    unstored,
)

DAY = timedelta(days=1)


class Crash(Exception):
    """Stands for the end of the process."""


def failing(store: DirectoryStore, nth: int, *, written: bool) -> AbstractContextManager[object]:
    """Let the n-th commit of a store fail: before it is written, or as the process ends right behind it."""
    commit, calls = store.commit, iter(range(1, 10_000))

    def fail(events: Sequence[Event], encoder: EncoderIdentity) -> None:
        last = next(calls) == nth
        if last and not written:
            raise StoreFull("no space in this test")
        commit(events, encoder)
        if last:
            raise Crash

    return mock.patch.object(store, "commit", fail)


@given(
    st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=12),
    st.integers(1, 8),
    st.integers(1, 3),
    st.booleans(),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_crash_in_the_middle_loses_nothing_and_can_be_continued(
    said: list[int], nth: int, batch: int, written: bool
) -> None:
    """Whatever was done by then stands, whole; what is done later makes the same of it as one go would have."""
    m3, clock = M3Settings(forget_below=0.95), Standing()
    items = [{"content": TEXTS[text], "id": f"m{place}"} for place, text in enumerate(said)]
    with nearness(), fresh_path() as path, mock.patch.object(consolidation, "BATCH", batch):
        memory, undisturbed = opened(path, m3, clock=clock), unstored(m3, clock=clock)
        for each in (memory, undisturbed):
            each.memorize_many(items)
        clock.now += 3 * DAY
        store = memory._live.store
        assert isinstance(store, DirectoryStore)
        failed = False
        with failing(store, nth, written=written):
            try:
                memory.consolidate()
            except (StoreFull, Crash):
                failed = True
        with opened(path, m3, clock=clock) as again:
            state = again.state
            assert state.records.keys() | state.forgotten.keys() == {item["id"] for item in items}
            assert texts(dict(state.records) | dict(state.forgotten)) == sorted(TEXTS[text] for text in said)
            if failed and not written:
                assert sight(memory) == sight(again)  # the process that could not write goes on from what is there
                assert_followed(memory)
            assert_followed(again)
            again.consolidate()
            undisturbed.consolidate()
            assert sight(again)[:3] == sight(undisturbed)[:3]


def test_crash_at_the_first_commit_changes_nothing() -> None:
    """And the next consolidation does all of it: so the property above tests something."""
    with fresh_path() as path, opened(path) as memory:
        memory.memorize_many([{"content": GOATS}, {"content": GOATS_AGAIN}])
        before, store = sight(memory), memory._live.store
        assert isinstance(store, DirectoryStore)
        with failing(store, 1, written=False), pytest.raises(StoreFull):
            memory.consolidate()
        assert sight(memory) == before
        assert len(memory.consolidate().merged) == 1
