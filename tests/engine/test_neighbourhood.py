"""What was said around a hit, against a list of each session's memories sorted by time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import HashedEncoder, Hit, NTMMemoryManager, Settings
from ntm_memory_skill.engine import neighbourhood
from ntm_memory_skill.engine.validation import CONTEXT_LIMIT
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.model import Filters, Record
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import OpenMemory, ticking_clock
from tests.engine.support import LoadingEncoder

DAY = timedelta(days=1)
SPRING = datetime(2025, 5, 1, tzinfo=UTC)
CHAT = (
    "Anna asked about the boiler",
    "It drips behind the kitchen wall",
    "The plumber is called Okonkwo",
    "He wants ninety an hour",
    "Friday at eight would suit him",
    "Marco will let him in",
    "The dog goes to the neighbours",
)
"""One talk, a day a line."""

Told = tuple[str, int, str]
"""A memory of a context: id, offset, content."""


def talk(memory: NTMMemoryManager, lines: Iterable[str] = CHAT, **fields: Any) -> list[str]:
    """Store a talk, the first line on the first day of spring, and return the ids."""
    return [
        memory.memorize(line, **{"session": "boiler", **fields}, at=SPRING + day * DAY).id
        for day, line in enumerate(lines)
    ]


def around(hit: Hit) -> dict[int, str]:
    """Return what was said around a hit, by its place."""
    return {each.offset: each.content for each in hit.context}


def best(memory: NTMMemoryManager, line: int, context: int, **filters: Any) -> dict[int, str]:
    """Return what was said around one line of the talk, which has to be the best hit for its own words."""
    (hit,) = memory.search(CHAT[line], top_k=1, context=context, **filters)
    assert hit.content == CHAT[line]
    return around(hit)


def told(hits: Iterable[Hit]) -> list[list[Told]]:
    """Return the context of each hit."""
    return [[(each.id, each.offset, each.content) for each in hit.context] for hit in hits]


class TestPlaces:
    """Which memories come, and where they stand."""

    @pytest.mark.parametrize("context", range(8))
    def test_as_many_come_before_and_after_as_were_asked_for(self, memory: NTMMemoryManager, context: int) -> None:
        """In order; at the ends of the talk there are fewer."""
        talk(memory)
        for line in range(len(CHAT)):
            expected = {
                place - line: CHAT[place]
                for place in range(len(CHAT))
                if place != line and abs(place - line) <= context
            }
            assert list(best(memory, line, context).items()) == list(expected.items())

    def test_none_come_unasked(self, memory: NTMMemoryManager) -> None:
        """Neither with a search nor with a recall."""
        talk(memory)
        assert all(hit.context == () for hit in memory.search(CHAT[2]))
        assert all(hit.context == () for hit in memory.recall(CHAT[2], top_k=1).hits)

    def test_hits_are_the_same_with_context_and_without(self, memory: NTMMemoryManager) -> None:
        """It is added to them; their order and their traces stay."""
        talk(memory)
        with_context = memory.search("who lets the plumber in?", top_k=3, context=4)
        assert any(hit.context for hit in with_context)
        assert [replace(hit, context=()) for hit in with_context] == memory.search("who lets the plumber in?", top_k=3)

    def test_each_says_who_said_it_and_when(self, memory: NTMMemoryManager) -> None:
        """And under which name its writer knows it."""
        talk(memory, CHAT[:1], source="Anna", ref="msg-1")
        talk(memory, CHAT[1:2])
        (hit,) = memory.search(CHAT[1], top_k=1, context=1)
        (said,) = hit.context
        record = memory.get(said.id)
        assert (said.source, said.ref, said.at) == ("Anna", "msg-1", SPRING) == (record.source, record.ref, record.at)

    def test_time_orders_them_and_not_the_order_of_writing(self, memory: NTMMemoryManager) -> None:
        """As it orders the tape."""
        for day in (3, 0, 2, 1):
            memory.memorize(CHAT[day], session="boiler", at=SPRING + day * DAY)
        assert best(memory, 1, 1) == {-1: CHAT[0], 1: CHAT[2]}

    def test_other_talks_stay_out_and_what_belongs_to_none_is_alone(self, memory: NTMMemoryManager) -> None:
        """Whatever was said at the same hour."""
        talk(memory, CHAT[:3])
        talk(memory, CHAT[3:5], session="another")
        talk(memory, CHAT[5:], session=None)
        assert best(memory, 1, 5) == {-1: CHAT[0], 1: CHAT[2]}
        assert best(memory, 3, 5) == {1: CHAT[4]}
        assert best(memory, 5, 5) == {}

    def test_what_another_process_said_next_comes_too(self, open_memory: OpenMemory) -> None:
        """Two processes share one tape."""
        mine, theirs = open_memory(), open_memory()
        mine.memorize(CHAT[0], session="boiler", at=SPRING)
        theirs.memorize(CHAT[1], session="boiler", at=SPRING + DAY)
        assert best(mine, 0, 1) == {1: CHAT[1]}


class TestAdmission:
    """What may not be a hit may not be context either, but for what only says what is to be found."""

    def test_erased_memory_leaves_no_gap(self, memory: NTMMemoryManager) -> None:
        """The tape closes up; purged or not."""
        ids = talk(memory)
        memory.erase(ids[2])
        memory.erase(ids[4], purge=True)
        assert best(memory, 3, 2) == {-2: CHAT[0], -1: CHAT[1], 1: CHAT[5], 2: CHAT[6]}

    def test_superseded_memory_leaves_its_place_empty(self, memory: NTMMemoryManager) -> None:
        """As in the shift, where it stands between the others without any weight."""
        ids = talk(memory)
        memory.memorize("The plumber is called Adeyemi", supersedes=ids[2], at=SPRING + 30 * DAY)
        assert best(memory, 3, 2) == {-2: CHAT[1], 1: CHAT[4], 2: CHAT[5]}
        assert best(memory, 3, 1, as_of=SPRING + 20 * DAY) == {-1: CHAT[2], 1: CHAT[4]}

    def test_what_was_said_outside_of_a_span_is_not_told(self, memory: NTMMemoryManager) -> None:
        """Both ends belong to it."""
        talk(memory)
        assert best(memory, 3, 3, since=SPRING + 2 * DAY) == {-1: CHAT[2], 1: CHAT[4], 2: CHAT[5], 3: CHAT[6]}
        assert best(memory, 3, 3, since=SPRING + 2 * DAY, until=SPRING + 4 * DAY) == {-1: CHAT[2], 1: CHAT[4]}
        assert best(memory, 3, 3, as_of=SPRING + 3 * DAY) == {-3: CHAT[0], -2: CHAT[1], -1: CHAT[2]}

    def test_tags_and_type_say_what_is_found_and_not_what_stood_next_to_it(self, memory: NTMMemoryManager) -> None:
        """Else a tagged decision would come without the question that it answered."""
        talk(memory, CHAT[:3])
        ident = memory.memorize(CHAT[3], session="boiler", at=SPRING + 3 * DAY, tags=["price"], type="fact").id
        (hit,) = memory.search("what does he want?", tags=["price"], type="fact", session="boiler", context=2)
        assert (hit.id, around(hit)) == (ident, {-2: CHAT[1], -1: CHAT[2]})

    def test_context_of_a_past_moment_says_what_held_then(self, memory: NTMMemoryManager) -> None:
        """The version before each update; the present one where no moment is named."""
        ids = talk(memory, CHAT[:2])
        memory.update(ids[1], "It drips in the cellar")
        memory.update(ids[1], "It no longer drips")
        first, second = (version.replaced_at for version in memory.get(ids[1]).versions)
        instant = timedelta(microseconds=1)
        seen = {moment: best(memory, 0, 1, as_of=moment)[1] for moment in (first - instant, first, second)}
        assert seen == {first - instant: CHAT[1], first: "It drips in the cellar", second: "It no longer drips"}
        assert best(memory, 0, 1) == {1: "It no longer drips"}

    def test_context_as_of_a_moment_is_the_one_that_was_given_then(self, memory: NTMMemoryManager) -> None:
        """Whatever was added, changed, replaced since; around the best, for the present texts say which is second."""
        ids = [memory.memorize(line, session="boiler").id for line in CHAT[:5]]
        moment = memory.get(ids[-1]).created
        then = told(memory.search(CHAT[2], top_k=1, context=2))
        memory.update(ids[1], "It drips in the cellar")
        memory.memorize("Saturday at nine", session="boiler", supersedes=ids[4])
        memory.memorize(CHAT[5], session="boiler")
        assert told(memory.search(CHAT[2], top_k=1, context=2)) != then
        assert told(memory.search(CHAT[2], top_k=1, context=2, as_of=moment)) == then


class TestOnce:
    """No memory comes twice in an answer."""

    def test_hit_is_nobody_s_context(self, memory: NTMMemoryManager) -> None:
        """Where all are hits, none is left to stand around them."""
        talk(memory)
        hits = memory.search(CHAT[3], top_k=len(CHAT), context=3)
        assert [hit.context for hit in hits] == [()] * len(CHAT)

    def test_what_stands_around_two_hits_comes_with_the_better_one(self, memory: NTMMemoryManager) -> None:
        """The other has what is left."""
        ids = talk(memory)
        hits = [each for each in memory.search(CHAT[2], top_k=len(CHAT)) if each.id in (ids[2], ids[4])]
        (first, second) = neighbourhood.surrounded(memory._live.projection(), hits, 2, Filters())
        assert first.content == CHAT[2]
        assert around(first) == {-2: CHAT[0], -1: CHAT[1], 1: CHAT[3]}
        assert around(second) == {1: CHAT[5], 2: CHAT[6]}


class TestRecall:
    """Context within a budget of characters."""

    def test_context_takes_what_the_hits_leave_of_the_budget(self, memory: NTMMemoryManager) -> None:
        """The nearest first, what follows before what precedes; for every budget there could be."""
        talk(memory)
        for budget in range(1, 260):
            recalled = memory.recall(CHAT[3], top_k=1, context=3, budget=budget)
            taken: dict[int, str] = {}
            left = budget - len(CHAT[3])
            for offset in (1, -1, 2, -2, 3, -3):
                if len(CHAT[3 + offset]) <= left:
                    taken[offset] = CHAT[3 + offset]
                    left -= len(taken[offset])
            (hit,) = recalled.hits
            assert around(hit) == dict(sorted(taken.items()))
            assert recalled.characters == len(CHAT[3]) + sum(map(len, taken.values())) <= max(budget, len(CHAT[3]))

    @pytest.mark.parametrize("budget", [1, 60, 100, 150, 10_000])
    def test_context_costs_no_hit(self, memory: NTMMemoryManager, budget: int) -> None:
        """The same are found, and as many are left out."""
        talk(memory)
        talk(memory, [f"{line}, or so they say" for line in CHAT], session="rumours")
        plain = memory.recall("the plumber", budget=budget)
        rich = memory.recall("the plumber", budget=budget, context=5)
        assert [hit.id for hit in rich.hits] == [hit.id for hit in plain.hits]
        assert rich.omitted == plain.omitted

    def test_what_was_found_and_left_out_may_come_as_context(self, memory: NTMMemoryManager) -> None:
        """`top_k` leaves it out as a hit; it is still what was said next."""
        talk(memory, CHAT[:2])
        (hit,) = memory.recall(CHAT[0], top_k=1, context=1).hits
        assert around(hit) == {1: CHAT[1]}

    def test_named_memory_comes_with_what_was_said_around_it(self, memory: NTMMemoryManager) -> None:
        """Though its neighbours do not have the name."""
        talk(memory, CHAT[:2])
        memory.memorize("ninety an hour", key="the plumber's price", session="boiler", at=SPRING + 2 * DAY)
        (hit,) = memory.recall(key="the plumber's price", context=1).hits
        assert around(hit) == {-1: CHAT[1]}

    def test_empty_memory_has_no_context(self, memory: NTMMemoryManager) -> None:
        """And that is no error."""
        assert memory.recall("boiler", key="name", context=3).hits == ()
        assert memory.search("boiler", context=3) == []


def test_context_is_not_counted_as_given(memory: NTMMemoryManager) -> None:
    """It is there for its place, not because it answered."""
    ids = talk(memory)
    memory.search(CHAT[1], top_k=1, context=3)
    memory.recall(CHAT[1], top_k=1, context=3)
    memory.memorize("one more")
    assert [memory.get(ident).accesses for ident in ids] == [0, 2, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("context", [-1, CONTEXT_LIMIT + 1, 10**9, True, 1.0, "2", None], ids=repr)
def test_context_that_is_no_small_number_is_refused(memory: NTMMemoryManager, context: Any) -> None:
    """Before anything is looked for."""
    talk(memory)
    for ask in (memory.search, memory.recall):
        with pytest.raises(InvalidArgument):
            ask("boiler", context=context)


def test_context_comes_while_the_model_is_loading(open_memory: OpenMemory) -> None:
    """The tapes need no model."""
    talk(open_memory())
    encoder = LoadingEncoder()
    memory = open_memory(encoder, Settings(answer_while_loading=True))
    assert best(memory, 2, 1) == {-1: CHAT[1], 1: CHAT[3]}
    assert not encoder.loaded
    encoder.allowed.set()


def test_hit_that_has_gone_meanwhile_stays_without_context(memory: NTMMemoryManager) -> None:
    """Between the search and the look around it, another thread may erase it, and give its slot away."""
    ids = talk(memory)
    hits = memory.search(CHAT[2], top_k=1)
    memory.erase(ids[2])
    assert memory.memorize("another", session="another").slot == hits[0].record.slot
    assert neighbourhood.surrounded(memory._live.projection(), hits, 3, Filters()) == hits


@dataclass(frozen=True)
class Line:
    """One memory that the property below plants."""

    session: str | None
    day: int
    fate: str


lines = st.builds(
    Line,
    st.sampled_from(["a", "a", "a", "b", None]),
    st.integers(0, 4),
    st.sampled_from(["kept", "updated", "superseded", "erased"]),
)
talks = st.lists(lines, min_size=6, max_size=14)


def days(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Return a strategy for the days of spring between two of them."""
    return st.integers(first, last).map(lambda day: SPRING + day * DAY)


times = st.one_of(
    st.just(Filters()),
    st.builds(Filters, since=days(0, 2), until=days(2, 6)),
    st.builds(Filters, as_of=days(2, 10)),
    st.builds(Filters, since=st.none() | days(0, 2), until=st.none() | days(2, 6), as_of=days(2, 10)),
)


def planted(said: list[Line]) -> NTMMemoryManager:
    """Return a memory with these lines, once each of them has met its fate."""
    memory = NTMMemoryManager(
        MemoryStore(), HashedEncoder(dimension=8), clock=ticking_clock(SPRING, DAY / 2), ids=seeded_ids(1)
    )
    for number, line in enumerate(said):
        text = f"{'goat bread tyre'.split()[number % 3]} {number} ".ljust(8 + 5 * (number % 4), "x")
        ident = memory.memorize(text, session=line.session, at=SPRING + line.day * DAY).id
        if line.fate == "updated":
            memory.update(ident, f"no longer {text}")
        elif line.fate == "superseded":
            successor: dict[str, Any] = {
                "session": line.session,
                "at": SPRING + (line.day + 2) * DAY,
                "supersedes": ident,
            }
            memory.memorize(f"instead of {text}", **successor)
        elif line.fate == "erased":
            memory.erase(ident)
    return memory


def shows(record: Record, times: Filters) -> bool:
    """Return whether a search with these filters could show a memory."""
    if times.since is not None and record.at < times.since:
        return False
    if times.until is not None and record.at > times.until:
        return False
    if times.as_of is None:
        return record.superseded_at is None
    return record.at <= times.as_of and (record.superseded_at is None or times.as_of < record.superseded_at)


def text_at(record: Record, as_of: datetime | None) -> str:
    """Return what a memory said: its versions in order, each up to its end."""
    for version in record.versions:
        if as_of is not None and as_of < version.replaced_at:
            return version.content
    return record.content


def expected(
    memory: NTMMemoryManager, hits: Sequence[Hit], reach: int, times: Filters, room: float = math.inf
) -> list[list[Told]]:
    """Return each hit's context by the description: a list sorted by time, walked outwards from the hit."""
    records = memory.state.records
    used = {hit.id for hit in hits}
    contexts = []
    for hit in hits:
        session = records[hit.id].session
        tape = sorted(
            (record for record in records.values() if record.session == session),
            key=lambda record: (record.at, record.ordinal),
        )
        place = [record.id for record in tape].index(hit.id)
        context: list[Told] = []
        for offset in [sign * distance for distance in range(1, reach + 1) for sign in (1, -1)]:
            if session is None or not 0 <= place + offset < len(tape):
                continue
            record = tape[place + offset]
            text = text_at(record, times.as_of)
            if record.id in used or len(text) > room:
                continue
            if shows(record, times):
                context.append((record.id, offset, text))
                used.add(record.id)
                room -= len(text)
        contexts.append(sorted(context, key=lambda each: each[1]))
    return contexts


@settings(deadline=None, max_examples=120)
@given(talks, st.integers(1, 3), st.integers(0, CONTEXT_LIMIT), times)
def test_search_gives_the_context_that_a_sorted_list_gives(
    said: list[Line], top_k: int, reach: int, times: Filters
) -> None:
    """Whatever was updated, superseded and erased, and whichever times are asked for."""
    with planted(said) as memory:
        limits: dict[str, Any] = {"since": times.since, "until": times.until, "as_of": times.as_of}
        hits = memory.search("goat", top_k=top_k, context=reach, **limits)
        assert told(hits) == expected(memory, hits, reach, times)


@settings(deadline=None, max_examples=120)
@given(talks, st.integers(1, 2), st.integers(0, CONTEXT_LIMIT), st.integers(1, 120))
def test_recall_gives_as_much_of_it_as_its_budget_holds(said: list[Line], top_k: int, reach: int, budget: int) -> None:
    """And counts what it gives."""
    with planted(said) as memory:
        given = memory.recall("goat", top_k=top_k, context=reach, budget=budget)
        texts = [hit.content for hit in given.hits]
        assert told(given.hits) == expected(memory, given.hits, reach, Filters(), budget - len("".join(texts)))
        texts += [text for context in told(given.hits) for _, _, text in context]
        assert given.characters == len("".join(texts))
        assert given.characters <= budget or len(texts) <= 1
