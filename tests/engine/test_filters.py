"""Hard conditions on a search, each alone and all together, against a loop over plain dictionaries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest

from ntm_memory_skill import NTMMemoryManager
from tests.conftest import OpenMemory
from tests.engine.support import BY_SCORE, FACTS, everything, found

DAY = timedelta(days=1)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
TAGS: tuple[tuple[str, ...], ...] = ((), ("a",), ("b",), ("a", "b"))

Item = dict[str, Any]


def diary() -> list[Item]:
    """Return memories that differ in every field that a filter looks at; some share a moment."""
    items: list[Item] = []
    for place, (tags, kind, session) in enumerate(product(TAGS, ("note", "fact"), (None, "monday", "tuesday"))):
        fields = {"tags": tags, "type": kind, "session": session, "at": MAY + place // 2 * DAY}
        items.append({"content": f"{FACTS[place % 8]} {place}", **fields})
    return items


def passes(item: Item, filters: Item) -> bool:
    """Return whether one memory passes, condition by condition."""
    for name, wanted in filters.items():
        if wanted is None:
            continue
        if name == "tags" and any(tag not in item["tags"] for tag in wanted):
            return False
        if name in ("type", "session") and item[name] != wanted:
            return False
        if name == "since" and item["at"] < wanted:
            return False
        if name in ("until", "as_of") and item["at"] > wanted:
            return False
    return True


@pytest.fixture
def diary_memory(memory: NTMMemoryManager) -> NTMMemoryManager:
    """A memory with the diary in it."""
    memory.memorize_many(diary())
    return memory


def test_filters_let_through_just_what_passes_them_all(diary_memory: NTMMemoryManager) -> None:
    """Every combination of some values of every filter."""
    choices: dict[str, tuple[Any, ...]] = {
        "tags": ((), ("b",), ("b", "a"), ("none such",)),
        "type": (None, "fact"),
        "session": (None, "tuesday", "none such"),
        "since": (None, MAY + 3 * DAY),
        "until": (None, MAY + 7 * DAY),
        "as_of": (None, MAY + 9 * DAY),
    }
    for values in product(*choices.values()):
        filters = dict(zip(choices, values, strict=True))
        expected = {item["content"] for item in diary() if passes(item, filters)}
        assert set(found(everything(diary_memory, "goats", **filters).values())) == expected, filters


def test_weights_are_shared_out_among_what_passes(diary_memory: NTMMemoryManager) -> None:
    """A memory that is filtered out holds no attention, nor hands any on to its neighbours."""
    hits = everything(diary_memory, "goats", session="monday", tags=["a"]).values()
    for stage in ("content", "gated", "shifted", "sharpened"):
        assert sum(getattr(hit.trace, stage) for hit in hits) == pytest.approx(1, abs=1e-5)
    inside = {hit.id for hit in hits}
    assert {neighbour.id for hit in hits for neighbour in hit.trace.neighbours} <= inside


@pytest.mark.parametrize("count", [1, 3, 24, 1000])
def test_top_k_is_the_most_that_come_back(open_memory: OpenMemory, count: int) -> None:
    """The best of them, in falling order."""
    diary_memory = open_memory(settings=BY_SCORE)
    diary_memory.memorize_many(diary())
    every = diary_memory.search("goats and bread", top_k=1000)
    hits = diary_memory.search("goats and bread", top_k=count)
    assert [hit.id for hit in hits] == [hit.id for hit in every][:count]
    scores = [hit.score for hit in every]
    assert scores == sorted(scores, reverse=True)


def test_both_ends_of_a_time_span_belong_to_it(diary_memory: NTMMemoryManager) -> None:
    """Given in any zone, or in none, which is UTC."""
    noon_in_tokyo = datetime(2026, 5, 3, 9, tzinfo=timezone(timedelta(hours=9)))
    for moment in (MAY + 2 * DAY, noon_in_tokyo, "2026-05-03", "2026-05-03T00:00:00", "2026-05-02T22:00:00-02:00"):
        hits = everything(diary_memory, since=moment, until=moment)
        assert {hit.at for hit in hits.values()} == {MAY + 2 * DAY}


def test_update_moves_a_memory_from_filter_to_filter(memory: NTMMemoryManager) -> None:
    """By its new tags, and no longer by the old ones."""
    ident = memory.memorize("goats", tags=["old", "kept"]).id
    memory.update(ident, tags=["kept", "new"])
    assert set(everything(memory, tags=["kept", "new"])) == {ident}
    assert everything(memory, tags=["old"]) == {}


def test_now_shows_what_holds_and_then_shows_what_held(memory: NTMMemoryManager) -> None:
    """A replaced memory comes back for the time before it was replaced, and its successor is unseen then."""
    old = memory.memorize("the launch is on 2 May", at=MAY).id
    new = memory.memorize("the launch is on 9 May", at=MAY + 5 * DAY, supersedes=old).id
    seen = {
        "before either": set(everything(memory, as_of=MAY - DAY)),
        "at the first": set(everything(memory, as_of=MAY)),
        "just before the second": set(everything(memory, as_of=MAY + 5 * DAY - timedelta(microseconds=1))),
        "at the second": set(everything(memory, as_of=MAY + 5 * DAY)),
        "now": set(everything(memory)),
    }
    assert seen == {
        "before either": set(),
        "at the first": {old},
        "just before the second": {old},
        "at the second": {new},
        "now": {new},
    }


def test_hit_says_what_its_memory_said_then(memory: NTMMemoryManager) -> None:
    """Each version holds up to the moment of the update that replaced it, which belongs to the new one."""
    ident = memory.memorize("the launch is on 2 May", at="2025-12-24").id
    memory.update(ident, "the launch is on 9 May")
    memory.update(ident, importance=0.9)
    memory.update(ident, "the launch is cancelled")
    first, second, third = (version.replaced_at for version in memory.get(ident).versions)
    instant = timedelta(microseconds=1)

    def said(moment: datetime) -> str:
        (hit,) = memory.search("launch", as_of=moment)
        return hit.content

    assert said(first - instant) == "the launch is on 2 May"
    assert said(first) == said(second - instant) == said(second) == said(third - instant) == "the launch is on 9 May"
    assert said(third) == "the launch is cancelled"
    assert found(memory.search("launch")) == ["the launch is cancelled"]


def test_time_travel_goes_with_every_other_filter(memory: NTMMemoryManager) -> None:
    """A replaced memory is still looked for by its own tags, type, session and time."""
    old = memory.memorize("launch on 2 May", at=MAY, tags=["a"], type="fact", session="s").id
    memory.memorize("launch on 9 May", at=MAY + 5 * DAY, tags=["b"], supersedes=old)
    then = MAY + DAY
    assert set(everything(memory, as_of=then, tags=["a"], type="fact", session="s", since=MAY, until=then)) == {old}
    assert everything(memory, as_of=then, tags=["b"]) == {}
    assert everything(memory, as_of=then, since=then) == {}


def test_erased_memory_does_not_come_back_for_any_time(memory: NTMMemoryManager) -> None:
    """Nobody sees it again."""
    ident = memory.memorize("goats", at=MAY).id
    kept = memory.memorize("bread", at=MAY).id
    memory.erase(ident)
    assert set(everything(memory, as_of=MAY + DAY)) == {kept}
