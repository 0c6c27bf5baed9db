"""Why a memory stands where it stands: differences that add up, against the memory at the edge of the answer."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from ntm_memory_skill import AddressingSettings, HashedEncoder, HeadParameters, NTMMemoryManager
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.engine import Explanation
from ntm_memory_skill.errors import InvalidArgument, InvalidContent, UnknownFilter, UnknownMemory
from ntm_memory_skill.model import Hit, Trace
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import ticking_clock
from tests.engine.heads import random_head
from tests.engine.support import BY_SCORE, FACTS, TorchEncoder, found, plant

QUESTION = "who plays the violin in Zurich?"
AGAIN = [f"again: {fact}" for fact in FACTS[:4]]
STAGES = {"gate", "shift", "merging"}


def opened(encoder: Encoder | None = None, **addressing: object) -> NTMMemoryManager:
    """Return a memory of a chat and of some notes."""
    looking = AddressingSettings(**addressing)  # type: ignore[arg-type]  # typed by the callers
    settings = replace(BY_SCORE, addressing=looking)
    encoder = HashedEncoder(32) if encoder is None else encoder
    memory = NTMMemoryManager(MemoryStore(), encoder, settings, clock=ticking_clock(), ids=seeded_ids(8))
    plant(memory, FACTS, session="one", tags=["fact"])
    plant(memory, AGAIN)
    return memory


def added(one: Trace, other: Trace, key_strength: float) -> dict[str, float]:
    """Return what each step adds to the logarithm of the ratio of two weights, from their traces."""
    theirs = {term.name: term.value for term in other.terms}
    amounts = {term.name: key_strength * term.weight * (term.value - theirs[term.name]) for term in one.terms}
    amounts["gate"] = math.log((one.gated / one.content) / (other.gated / other.content))
    amounts["shift"] = math.log((one.shifted / one.gated) / (other.shifted / other.gated))
    return amounts


def assert_adds_up(explanation: Explanation) -> None:
    """Check that the differences are the whole of the ratio of the two weights, the greatest first."""
    assert explanation.other is not None
    amounts = [difference.amount for difference in explanation.differences]
    ratio = math.log(explanation.hit.trace.shifted / explanation.other.trace.shifted)
    assert sum(amounts) == pytest.approx(ratio, abs=2e-3)
    assert amounts == sorted(amounts, key=abs, reverse=True)
    assert len({difference.name for difference in explanation.differences}) == len(amounts)


@pytest.mark.parametrize("encoder", [HashedEncoder(32), TorchEncoder(32)], ids=["numpy", "torch"])
@pytest.mark.parametrize("top_k", [1, 3, 11])
def test_every_memory_s_place_is_explained(encoder: Encoder, top_k: int) -> None:
    """Its rank is that of the search; it is held against the memory on the other side of the edge."""
    memory = opened(encoder)
    ranked = memory.search(QUESTION, top_k=50)
    for place, hit in enumerate(ranked, 1):
        explanation = memory.explain(hit.id, QUESTION, top_k=top_k)
        given = place <= top_k
        assert explanation.hit == hit
        assert (explanation.rank, explanation.among) == (place, len(ranked))
        assert explanation.given == given
        assert explanation.other_rank == (top_k + 1 if given else top_k)
        assert explanation.other == ranked[top_k if given else top_k - 1]
        assert_adds_up(explanation)


def test_each_difference_is_what_its_step_adds() -> None:
    """With one head the sum is exact, and there is nothing to merge."""
    memory = opened()
    for hit in memory.search(QUESTION, top_k=50):
        explanation = memory.explain(hit.id, QUESTION, top_k=3)
        assert explanation.other is not None
        amounts = added(hit.trace, explanation.other.trace, HeadParameters().key_strength)
        told = {difference.name: difference.amount for difference in explanation.differences}
        assert told == pytest.approx({name: amounts[name] for name in told}, abs=1e-4)
        assert all(abs(amount) < 1e-4 for name, amount in amounts.items() if name not in told)


def test_explanation_names_what_lifted_a_reply_over_its_betters() -> None:
    """Its place on the tape, where its words and its meaning speak against it."""
    memory = opened(brevity=0.0)
    memory.memorize("Shall we try the Vietnamese restaurant?", session="dinner")
    reply = memory.memorize("Me first!", session="dinner").id
    explanation = memory.explain(reply, "the Vietnamese restaurant", top_k=2)
    shift = next(difference for difference in explanation.differences if difference.name == "shift")
    assert shift.amount > 0


def test_chat_s_gate_has_no_part_in_an_explanation(memory: NTMMemoryManager) -> None:
    """It is asked by nobody's chat, as a search is; and it leaves no focus behind."""
    plant(memory)
    ident = memory.recall("goats", session="chat").hits[0].id
    explanation = memory.explain(ident, "a tyre")
    assert explanation.hit.trace.gated == explanation.hit.trace.content
    assert "gate" not in {difference.name for difference in explanation.differences}


@pytest.mark.parametrize("heads", [2, 5])
def test_several_heads_are_explained_with_what_their_merging_makes(heads: int) -> None:
    """An average of weights is not the average of their logarithms; the rest has a name."""
    memory = opened(num_read_heads=heads, lexical_share=0.5, head=HeadParameters(key_strength=3.0))
    names = set()
    for hit in memory.search(QUESTION, top_k=50):
        explanation = memory.explain(hit.id, QUESTION, top_k=3)
        assert_adds_up(explanation)
        names |= {difference.name for difference in explanation.differences}
    assert "merging" in names


@pytest.mark.parametrize("heads", [1, 3])
def test_trained_head_is_explained_by_its_own_weights(heads: int) -> None:
    """The learnt terms are among the reasons."""
    memory = opened()
    memory.use_head(random_head(heads=heads, seed=3))
    names = set()
    for place, hit in enumerate(memory.search(QUESTION, top_k=50), 1):
        explanation = memory.explain(hit.id, QUESTION, top_k=3)
        assert explanation.rank == place
        assert_adds_up(explanation)
        names |= {difference.name for difference in explanation.differences}
    assert "strong_meaning" in names
    assert ("merging" in names) == (heads > 1)


def test_only_memory_has_nothing_to_be_held_against(memory: NTMMemoryManager) -> None:
    """It is given."""
    ident = memory.memorize("goats").id
    explanation = memory.explain(ident, "goats")
    assert (explanation.rank, explanation.among, explanation.given) == (1, 1, True)
    assert (explanation.other, explanation.other_rank, explanation.differences) == (None, None, ())


def test_where_all_are_given_none_is_held_against_another() -> None:
    """There is no edge."""
    memory = opened()
    for hit in memory.search(QUESTION, top_k=50):
        explanation = memory.explain(hit.id, QUESTION, top_k=12)
        assert (explanation.other, explanation.given) == (None, True)


def test_memories_without_any_weight_are_not_given() -> None:
    """However many may be: a search leaves them out, so the last that has some is the edge."""
    memory = opened(head=HeadParameters(key_strength=300.0, kernel=(1.0,)), location=False)
    ranked = memory.search(QUESTION, top_k=50)
    assert 0 < len(ranked) < 12
    lost = next(record.id for record in memory.state.records.values() if record.id not in {hit.id for hit in ranked})
    explanation = memory.explain(lost, QUESTION, top_k=11)
    assert (explanation.given, explanation.other_rank) == (False, len(ranked))
    assert explanation.other == ranked[-1]
    assert memory.explain(ranked[-1].id, QUESTION, top_k=11).given


def test_filters_say_who_is_compared() -> None:
    """Ranks count those alone that may be seen."""
    memory = opened()
    ranked = memory.search(QUESTION, top_k=50, tags=["fact"])
    assert sorted(found(ranked)) == sorted(FACTS)
    for place, hit in enumerate(ranked, 1):
        explanation = memory.explain(hit.id, QUESTION, top_k=2, tags=["fact"])
        assert (explanation.rank, explanation.among, explanation.hit) == (place, len(FACTS), hit)
        assert_adds_up(explanation)


def test_memory_that_may_not_be_seen_cannot_be_explained() -> None:
    """The filters leave it out, or it was superseded: then it has no place."""
    memory = opened()
    old = next(hit for hit in memory.search(QUESTION, top_k=50) if hit.content == AGAIN[0])
    with pytest.raises(InvalidArgument):
        memory.explain(old.id, QUESTION, tags=["fact"])
    moment = memory.memorize("again: four goats", supersedes=old.id).record.created
    with pytest.raises(InvalidArgument):
        memory.explain(old.id, QUESTION)
    explanation = memory.explain(old.id, QUESTION, as_of=moment - timedelta(microseconds=1))
    assert explanation.hit.id == old.id
    assert explanation.among == 12


def test_explanation_as_of_a_moment_shows_what_was_said_then() -> None:
    """The hit's text is the version that held."""
    memory = opened()
    hit = memory.search("violin", top_k=1)[0]
    replaced = memory.update(hit.id, "Marco sold the violin").versions[-1].replaced_at
    before = memory.explain(hit.id, "violin", as_of=replaced - timedelta(microseconds=1))
    assert before.hit.content == FACTS[5]
    assert memory.explain(hit.id, "violin").hit.content == "Marco sold the violin"


def test_unknown_and_erased_memories_are_refused() -> None:
    """As by every other verb."""
    memory = opened()
    gone = memory.search(QUESTION)[0].id
    memory.erase(gone)
    for ident in (gone, "m000000000000"):
        with pytest.raises(UnknownMemory):
            memory.explain(ident, QUESTION)


def test_question_is_checked_as_a_search_checks_it() -> None:
    """Empty, too many, or by a filter that there is not."""
    memory = opened()
    ident = memory.search(QUESTION)[0].id
    with pytest.raises(InvalidContent):
        memory.explain(ident, " ")
    with pytest.raises(InvalidArgument):
        memory.explain(ident, QUESTION, top_k=0)
    with pytest.raises(UnknownFilter):
        memory.explain(ident, QUESTION, colour="red")


def test_explaining_is_not_giving(memory: NTMMemoryManager) -> None:
    """No access is counted, of neither of the two."""
    ids = plant(memory)
    memory.explain(ids[0], "goats")
    memory.memorize("one more")
    assert [memory.get(ident).accesses for ident in ids] == [0] * len(ids)


def test_without_content_addressing_no_term_is_a_reason() -> None:
    """Only where the head was, and how far it moved on."""
    memory = opened(content=False)
    memory.memorize("And the bill?", session="one")
    ranked: list[Hit] = memory.search(QUESTION, top_k=50)
    for hit in ranked:
        assert hit.trace.terms == ()
        assert hit.trace.content_score == 0
    explanation = memory.explain(ranked[0].id, QUESTION, top_k=1)
    assert_adds_up(explanation)
    assert {difference.name for difference in explanation.differences} <= STAGES
