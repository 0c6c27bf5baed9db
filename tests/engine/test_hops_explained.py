"""Reading in hops: reasons that add up, who told it, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from ntm_memory_skill import HeadParameters
from ntm_memory_skill.engine import Explanation
from ntm_memory_skill.engine.settings import ReasoningSettings
from ntm_memory_skill.errors import InvalidArgument
from tests.engine.chains import (
    BOOKS,
    CHAIN,
    CHAT,
    PLAIN_QUESTION,
    QUESTION,
    answers,
    bonus,
    opened,
)
from tests.engine.heads import random_head
from tests.engine.support import FACTS, plant

EDGE = 3
"""Behind how many hits the explained edge is."""


# Explanations


def assert_adds_up(explanation: Explanation) -> None:
    """Check that the differences are the whole of the ratio of the two weights."""
    assert explanation.other is not None
    ratio = math.log(explanation.hit.trace.shifted / explanation.other.trace.shifted)
    assert sum(difference.amount for difference in explanation.differences) == pytest.approx(ratio, abs=2e-3)


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("trained", [False, True], ids=["default head", "trained head"])
@pytest.mark.parametrize(("question", "hops"), [(QUESTION, None), (QUESTION, 2), (BOOKS, None), (BOOKS, 4)])
def test_explanations_still_add_up(heads: int, trained: bool, question: str, hops: int | None) -> None:
    """What hops added and what was told are among the reasons; the hit is the one that the search gives."""
    memory = opened([*FACTS, *CHAIN, *CHAT], num_read_heads=1 if trained else heads, lexical_share=0.5)
    if trained:
        memory.use_head(random_head(heads=heads, seed=3))
    hits, names = list(answers(memory, question, hops=hops).values()), set[str]()
    for place, hit in enumerate(hits, 1):
        explanation = memory.explain(hit.id, question, top_k=EDGE, hops=hops)
        assert explanation.hit == hit
        assert (explanation.rank, explanation.other) == (place, hits[EDGE if place <= EDGE else EDGE - 1])
        assert_adds_up(explanation)
        names |= {difference.name for difference in explanation.differences}
    assert ("hops" in names) == (question == QUESTION or hops == 4)
    assert ("told" in names) == (question == BOOKS)
    if heads == 1:
        assert "merging" not in names


def test_what_hops_added_is_what_the_trace_says() -> None:
    """β times the difference of the two bonuses; with one head nothing else is in it."""
    memory = opened()
    hits = answers(memory)
    explanation = memory.explain(hits[CHAIN[3]].id, QUESTION, top_k=EDGE)
    assert explanation.other is not None
    mine, theirs = bonus(explanation.hit), bonus(explanation.other)
    assert mine is not None
    assert theirs is not None
    amounts = {difference.name: difference.amount for difference in explanation.differences}
    assert amounts["hops"] == pytest.approx(HeadParameters().key_strength * (mine - theirs), rel=1e-4)
    assert amounts["hops"] > 0


@pytest.mark.parametrize("hops", [None, 1, 3])
def test_near_miss_is_explained_from_the_same_look(hops: int | None) -> None:
    """The best memory that is not given, with the chain that led to it."""
    memory = opened()
    hits = list(answers(memory, hops=hops).values())
    given, missed = memory.search_explained(QUESTION, top_k=EDGE, hops=hops)
    assert [(hit.id, hit.trace) for hit in given] == [(hit.id, hit.trace) for hit in hits[:EDGE]]
    assert missed is not None
    assert (missed.hit.id, missed.hit.trace) == (hits[EDGE].id, hits[EDGE].trace)
    assert missed.rank == EDGE + 1
    assert_adds_up(missed)


# Who told it


@pytest.mark.parametrize(
    ("chat", "question", "hers", "his"),
    [
        (CHAT, BOOKS, CHAT[4], CHAT[3]),
        (
            ("安娜：下雨了", "小王：我最近读了几本小说", "安娜：我最近读了几本小说", "小王：午饭不错"),
            "安娜读过哪些书？",
            "安娜：我最近读了几本小说",
            "小王：我最近读了几本小说",
        ),
    ],
    ids=["English", "Chinese"],
)
def test_what_somebody_told_comes_first_where_several_of_their_things_are_asked_for(
    chat: tuple[str, ...], question: str, hers: str, his: str
) -> None:
    """By a factor of e over what another says alike; a question asked with one hop leaves both where they stand."""
    memory = opened(())
    plant(memory, chat, session="chat", force=True)
    once, told = answers(memory, question, hops=1), answers(memory, question)
    for text, hit in told.items():
        assert hit.trace.told == (1 if text.startswith(hers[:3]) else 0)
        assert once[text].trace.told == 0
    order = list(told)
    assert order.index(hers) < order.index(his)
    before = once[hers].trace.shifted / once[his].trace.shifted
    assert told[hers].trace.shifted / told[his].trace.shifted == pytest.approx(math.e * before, rel=1e-3)
    assert sum(hit.trace.shifted for hit in told.values()) == pytest.approx(1, abs=1e-5)
    assert sum(hit.score for hit in told.values()) == pytest.approx(1, abs=1e-5)


def test_question_that_names_nobody_or_asks_for_one_thing_raises_nothing() -> None:
    """Nor does one that names somebody who told nothing, nor a memory that is set so."""
    memory = opened(CHAT)
    for question in ("What books are there?", "What does Ann read?", "What books has Cem read?"):
        assert all(hit.trace.told == 0 for hit in answers(memory, question).values())
    memory = opened(CHAT, reasoning=ReasoningSettings(told=0.0))
    assert all(hit.trace.told == 0 for hit in answers(memory, BOOKS).values())


def test_teller_is_the_one_of_the_version_that_holds() -> None:
    """An update may put it into another's mouth; what is erased and comes back is told again."""
    memory = opened(CHAT)
    hers = answers(memory, BOOKS)[CHAT[0]].id
    memory.update(hers, "Bob: I finished a novel by Austen")
    memory.erase(answers(memory, BOOKS)[CHAT[2]].id)
    assert {text for text, hit in answers(memory, BOOKS).items() if hit.trace.told > 0} == {CHAT[4]}
    memory.update(hers, CHAT[0])
    assert {text for text, hit in answers(memory, BOOKS).items() if hit.trace.told > 0} == {CHAT[0], CHAT[4]}


# Refusals

WRONG = [0, 5, -1, True, False, "2", 1.5, 2.0, [2], math.nan]


@pytest.mark.parametrize("hops", WRONG, ids=repr)
def test_number_of_hops_that_cannot_be_is_refused(hops: object) -> None:
    """By a search, a recall and an explanation; nothing changes."""
    memory = opened()
    before = dict(memory.state.records)
    ident = answers(memory)[CHAIN[0]].id
    asks: tuple[Callable[[], object], ...] = (
        lambda: memory.search(QUESTION, hops=hops),
        lambda: memory.search_explained(QUESTION, hops=hops),
        lambda: memory.recall(QUESTION, hops=hops),
        lambda: memory.recall(key="Golden Fig", hops=hops),
        lambda: memory.explain(ident, QUESTION, hops=hops),
    )
    for ask in asks:
        with pytest.raises(InvalidArgument) as caught:
            ask()
        assert caught.value.code == "invalid_argument"
    memory.memorize("one more")  # with it goes what was counted
    assert all(memory.get(ident) == record for ident, record in before.items())


@pytest.mark.parametrize("mode", ["exact", "semantic"])
def test_modes_that_read_once_refuse_more(mode: str) -> None:
    """One hop is what they do, and what leaves it out is not refused either."""
    memory = opened()
    for ask in (memory.search, memory.recall):
        for hops in (2, 4):
            with pytest.raises(InvalidArgument) as caught:
                ask(QUESTION, mode=mode, hops=hops)
            assert caught.value.code == "invalid_argument"
    one_or_none: tuple[int | None, ...] = (1, None)
    for allowed in one_or_none:
        hits = answers(memory, PLAIN_QUESTION, mode=mode, hops=allowed)
        assert all(bonus(hit) is None for hit in hits.values())
