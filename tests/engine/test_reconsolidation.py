"""Being recalled changes a memory: it sits better, and is linked with what was recalled beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import NTMMemoryManager, Settings
from ntm_memory_skill.engine import accesses
from ntm_memory_skill.engine.accesses import TIMES, AccessCounts
from ntm_memory_skill.m3 import reinforce
from ntm_memory_skill.m3.synapses import MOST_LINKS
from ntm_memory_skill.model import Accessed, Linked
from ntm_memory_skill.store import State
from tests.conftest import EPOCH, OpenMemory
from tests.engine.lives import assert_followed, settled, unstored
from tests.engine.support import FACTS, STEADY, assert_same_hits, everything, plant
from tests.store.builders import folded, ident, memorized

DAY = timedelta(days=1)
PEOPLE = [ident(number) for number in range(24)]

answers = st.tuples(
    st.dictionaries(st.sampled_from(PEOPLE), st.floats(0, 1), max_size=8),
    st.floats(-400, 40_000),
)
"""What each memory's share of one answer was, and how many days since the epoch it was given: clocks run back too."""


def after(state: State, batches: Sequence[Sequence[tuple[Mapping[str, float], float]]]) -> State:
    """Fold the answers of some batches into a state."""
    for batch in batches:
        counts = AccessCounts()
        for shares, days in batch:
            counts.add(shares, EPOCH + days * DAY)
        for event in counts.take(state):
            state.apply(event)
    return state


@given(st.lists(st.lists(answers, max_size=6), max_size=8))
@settings(deadline=None, max_examples=100)
def test_strengths_and_links_stay_within_bounds(batches: list[list[tuple[dict[str, float], float]]]) -> None:
    """For any history of answers, in any order of time; both ends of a link hold the same."""
    state = after(folded([[memorized(number) for number in range(24)]]), batches)
    records = state.records
    told = {name for batch in batches for shares, _ in batch for name in shares}
    for name, record in records.items():
        assert (record.stability is not None) == (record.difficulty is not None) == (name in told)
        if record.stability is not None and record.difficulty is not None:
            assert 0.001 <= record.stability <= 36_500
            assert 1 <= record.difficulty <= 10
        assert len(record.links) <= MOST_LINKS
        assert len({link.id for link in record.links}) == len(record.links)
        for link in record.links:
            assert link.id != name
            assert 0 < link.weight <= 1
            back = [each for each in records[link.id].links if each.id == name]
            assert back == [replace(link, id=name)]


class TestBatch:
    """What a batch of answers amounts to."""

    STATE = folded([[memorized(number) for number in range(4)]])

    def test_each_recall_strengthens_as_it_would_alone(self) -> None:
        """The state of FSRS goes from one to the next, whatever is written at once."""
        batch, record = AccessCounts(), self.STATE.records[ident(0)]
        times = [EPOCH + days * DAY for days in (1, 3, 10)]
        for at in times:
            batch.add({ident(0): 1.0}, at)
            imprint = reinforce(record, at)
            record = replace(
                record, stability=imprint.stability, difficulty=imprint.difficulty, accessed_at=at, accesses=1
            )
        (event,) = batch.take(self.STATE)
        assert isinstance(event, Accessed)
        assert (event.stabilities, event.difficulties) == ((record.stability,), (record.difficulty,))

    def test_of_very_many_recalls_the_last_ones_count(self) -> None:
        """A batch holds a bounded number of times; all of them are counted."""
        batch, few = AccessCounts(), AccessCounts()
        for second in range(50):
            batch.add({ident(0): 1.0}, EPOCH + timedelta(seconds=second))
        for second in range(50 - TIMES, 50):
            few.add({ident(0): 1.0}, EPOCH + timedelta(seconds=second))
        (many,), (last,) = (each.take(self.STATE) for each in (batch, few))
        assert isinstance(many, Accessed)
        assert isinstance(last, Accessed)
        assert (many.counts, many.stabilities) == ((50,), last.stabilities)

    def test_what_fills_up_an_answer_is_not_linked(self) -> None:
        """A half of the best one's share is the least; below that the two have nothing to do with each other."""
        batch = AccessCounts()
        batch.add({ident(0): 1.0, ident(1): 0.5, ident(2): 0.49}, EPOCH + DAY)
        linked = {event.id: event.links for event in batch.take(self.STATE) if isinstance(event, Linked)}
        assert {name: [link.id for link in links] for name, links in linked.items()} == {
            ident(0): [ident(1)],
            ident(1): [ident(0)],
        }

    def test_what_is_not_live_any_more_is_linked_with_nothing(self) -> None:
        """Its end of a link would be nobody's."""
        batch = AccessCounts()
        batch.add({ident(0): 1.0, ident(9): 1.0}, EPOCH + DAY)
        assert [type(event) for event in batch.take(self.STATE)] == [Accessed]

    def test_nothing_is_reconsolidated_where_that_is_off(self) -> None:
        """Counts alone."""
        batch = AccessCounts(reconsolidate=False)
        batch.add({ident(0): 1.0, ident(1): 1.0}, EPOCH + DAY)
        (event,) = batch.take(self.STATE)
        assert event == Accessed((ident(0), ident(1)), (1, 1), EPOCH + DAY)


def recalled_together(memory: NTMMemoryManager, query: str, times: int = 3) -> None:
    """Ask for two memories at once, and store that it was done."""
    for _ in range(times):
        assert len(memory.search(query, top_k=2)) == 2
    settled(memory)


BOTH = f"{FACTS[0]}, {FACTS[3]}"
"""A question that two memories answer alike."""


class TestEngine:
    """Where it shows."""

    def test_recalled_memory_sits_better_than_one_that_was_not(self, memory: NTMMemoryManager) -> None:
        """It has a stability and a difficulty; the others have none yet."""
        ids = plant(memory)
        memory.search(FACTS[0], top_k=1)
        settled(memory)
        record, other = memory.get(ids[0]), memory.get(ids[1])
        assert (record.accesses, other.accesses) == (1, 0)
        assert record.stability is not None
        assert (other.stability, other.difficulty, other.links) == (None, None, ())

    def test_two_that_are_given_together_bring_each_other_to_mind(self, open_memory: OpenMemory) -> None:
        """A question about the one alone has the other score more than before."""
        memory, observer = open_memory(), open_memory(settings=STEADY)
        ids = plant(memory)
        before = everything(observer, FACTS[0])[ids[3]].trace
        recalled_together(memory, BOTH)
        after = everything(observer, FACTS[0])[ids[3]].trace
        assert "association" not in {term.name for term in before.terms}
        assert after.content_score > before.content_score

    def test_association_is_a_term_of_the_score(self, open_memory: OpenMemory) -> None:
        """For what is linked with a good match, not for what is linked with nothing."""
        memory = open_memory()
        ids = plant(memory)
        recalled_together(memory, BOTH)
        assert [link.id for link in memory.get(ids[0]).links] == [ids[3]]
        hits = everything(memory, FACTS[0])
        terms = {name: {term.name: term for term in hit.trace.terms} for name, hit in hits.items()}
        assert 0 < terms[ids[3]]["association"].value <= 1
        assert terms[ids[3]]["association"].weight == memory.settings.addressing.association
        assert terms[ids[1]]["association"].value == 0
        steady = open_memory(settings=STEADY)
        assert_same_hits(everything(steady, FACTS[0]).values(), hits.values())

    def test_links_are_the_same_after_a_restart_and_for_another_process(self, open_memory: OpenMemory) -> None:
        """They are part of the memory."""
        memory, other = open_memory(), open_memory()
        plant(memory)
        other.warm_up()
        recalled_together(memory, BOTH)
        assert_followed(other)
        memory.close()
        again = open_memory()
        assert again.state.records == other.state.records
        assert sum(bool(record.links) for record in again.state.records.values()) == 2

    def test_link_weighs_less_as_time_passes(self) -> None:
        """By half in a month."""
        now = [EPOCH]

        def clock() -> datetime:
            now[0] += timedelta(seconds=1)
            return now[0]

        memory = unstored(clock=clock)
        ids = plant(memory)
        recalled_together(memory, BOTH)

        def association() -> float:
            terms = everything(memory, FACTS[0])[ids[3]].trace.terms
            return next(term.value for term in terms if term.name == "association")

        fresh = association()
        now[0] += 30 * DAY
        assert association() == pytest.approx(fresh / 2, rel=0.01)

    def test_many_answers_are_stored_without_a_write(
        self, open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each is kept until then, however few memories they give."""
        monkeypatch.setattr(accesses, "BATCH", 3)
        memory = open_memory()
        ids = plant(memory)
        for expected in (0, 0, 3):
            memory.search(FACTS[0], top_k=1)
            assert memory.get(ids[0]).accesses == expected

    def test_purged_memory_leaves_no_link_behind(self, open_memory: OpenMemory) -> None:
        """Not in the state, not in what a hit shows."""
        memory, other = open_memory(), open_memory()
        ids = plant(memory)
        other.warm_up()
        recalled_together(memory, BOTH)
        other.state  # noqa: B018  # to look is what makes it catch up
        memory.erase(ids[3], purge=True)
        for each in (memory, other):
            assert each.get(ids[0]).links == ()
            assert_followed(each)

    def test_nothing_changes_where_it_is_off(self, open_memory: OpenMemory) -> None:
        """But for the counts."""
        memory = open_memory(settings=Settings(m3=STEADY.m3))
        ids = plant(memory)
        recalled_together(memory, BOTH)
        record = memory.get(ids[0])
        assert (record.accesses, record.stability, record.links) == (3, None, ())
