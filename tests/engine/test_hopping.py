"""Reading in hops: chains are followed to their end, and what may not be seen leads nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import HashedEncoder, Hit, NTMMemoryManager
from ntm_memory_skill import Settings as MemorySettings
from ntm_memory_skill.engine import reading
from ntm_memory_skill.engine.recall import Sight
from ntm_memory_skill.engine.settings import ReasoningSettings
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import EPOCH, OpenMemory
from tests.engine.chains import (
    BOOKS,
    CHAIN,
    CHAT,
    LENGTHS,
    PLAIN_QUESTION,
    QUESTION,
    Planted,
    answers,
    assert_chains_hold,
    bonus,
    chinese,
    english,
    made,
    opened,
    way,
)
from tests.engine.support import FACTS, LoadingEncoder, TorchEncoder, assert_same_hits, found, plant

SEEDS = range(5)


# Planted chains


@cache
def planted(language: Callable[[int], Planted], seed: int) -> tuple[Planted, NTMMemoryManager]:
    """Return a thousand memories; the tests only read them."""
    around = language(seed)
    memory = NTMMemoryManager(MemoryStore(), HashedEncoder(256), ids=seeded_ids(seed))
    memory.memorize_many([{"content": content} for content in around.memories])
    return around, memory


def first_ten(language: Callable[[int], Planted], seed: int, links: int, **how: Any) -> list[str]:
    """Return what the best ten memories say for a question that needs so many links."""
    around, memory = planted(language, seed)
    return found(memory.search(around.questions[links], top_k=10, counted=False, **how))


def test_chains_are_followed_to_their_end_among_a_thousand_memories_of_the_same_forms() -> None:
    """In nine of ten cases of each language the end is among the first five, and every link among the first ten."""
    reached, whole = list[tuple[str, bool]](), list[tuple[str, bool]]()
    for language in (english, chinese):
        for seed in SEEDS:
            for links in LENGTHS:
                chain, hits = planted(language, seed)[0].chain[:links], first_ten(language, seed, links)
                reached.append((language.__name__, chain[-1] in hits[:5]))
                whole.append((language.__name__, set(chain) <= set(hits)))
    for outcomes in (reached, whole):
        for language in (english, chinese):
            fine = [each for name, each in outcomes if name == language.__name__]
            assert sum(fine) >= 0.9 * len(fine), language.__name__


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("language", [english, chinese])
@pytest.mark.parametrize("links", LENGTHS)
def test_one_look_finds_the_end_of_no_chain(language: Callable[[int], Planted], seed: int, links: int) -> None:
    """Its words are not in the question, and hundreds of others are of its form."""
    chain, hits = planted(language, seed)[0].chain[:links], first_ten(language, seed, links, hops=1)
    assert chain[0] in hits
    assert chain[-1] not in hits[:5]
    assert not set(chain) <= set(hits)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("links", LENGTHS)
def test_chain_of_the_end_names_the_memories_in_the_order_of_reading(seed: int, links: int) -> None:
    """Up to the one before it, and of each what it has in common with the next."""
    around, memory = planted(english, seed)
    hits = memory.search(around.questions[links], top_k=10, counted=False)
    end = next(hit for hit in hits if hit.content == around.chain[links - 1])
    assert way(memory, end) == list(around.chain[: links - 1])
    assert [step.name for step in end.trace.chain] == list(around.bridges[: links - 1])
    assert {step.by for step in end.trace.chain} <= {"shared", "joint"}
    assert all(step.amount > 0 for step in end.trace.chain)
    assert next(hit for hit in hits if hit.content == around.chain[0]).trace.chain == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_each_step_of_a_chinese_chain_names_what_both_memories_say(seed: int) -> None:
    """Some of their characters, where no rule finds the whole name."""
    around, memory = planted(chinese, seed)
    hits = memory.search(around.questions[4], top_k=10, counted=False)
    assert any(len(hit.trace.chain) == 3 for hit in hits)
    for hit in hits:
        texts = [*way(memory, hit), hit.content]
        for step, one, other in zip(hit.trace.chain, texts[:-1], texts[1:], strict=True):
            assert step.name is not None or step.by == "joint"  # two of a name's characters may match as well
            shared = step.name or ""
            assert shared in one
            assert shared in other
            assert shared == "" or shared not in around.questions[4]


# How often the memory is read


@pytest.mark.parametrize("question", [QUESTION, BOOKS, PLAIN_QUESTION, "北京的会议改到哪天的下午了？"])
def test_one_hop_gives_what_a_memory_without_hops_gives(question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last number: no term more, no chain, and nothing told."""
    memory = opened([*FACTS, *CHAIN, *CHAT])
    once = answers(memory, question, hops=1)

    def nothing_further(seen: Sight, *_: object) -> Sight:
        return seen

    monkeypatch.setattr(reading, "further", nothing_further)
    assert list(once.items()) == list(answers(memory, question).items())
    for hit in once.values():
        assert (bonus(hit), hit.trace.chain, hit.trace.told) == (None, (), 0)


@pytest.mark.parametrize("question", [PLAIN_QUESTION, "Who plays the violin?", "goats: who keeps them?", "谁在开会？"])
def test_question_that_describes_nothing_reads_once(question: str) -> None:
    """It gives just what it gives with one hop."""
    memory = opened()
    assert made(memory, question, None) == 1
    assert list(answers(memory, question).values()) == list(answers(memory, question, hops=1).values())


@pytest.mark.parametrize("hops", [2, 3, 4])
def test_memory_is_read_as_often_as_is_asked(hops: int) -> None:
    """Also for a question that describes nothing; no chain is longer, and what no chain speaks for gains nothing."""
    memory = opened()
    assert made(memory, QUESTION, hops) == hops
    for question in (QUESTION, "whom did I meet in Basel?"):
        hits = answers(memory, question, hops=hops)
        assert_chains_hold(memory, hits.values(), hops)
        assert max(len(hit.trace.chain) for hit in hits.values()) >= 1
        assert all((amount := bonus(hit)) is not None and amount >= 0 for hit in hits.values())
        assert any(bonus(hit) == 0 for hit in hits.values())


def test_end_of_a_chain_is_reached_with_as_many_hops_as_it_has_links() -> None:
    """The end of four is first with four, and not with fewer; unasked it is read as often as is needed."""
    memory = opened()
    assert made(memory, QUESTION, None) == 4
    for hops in (None, 4):
        hits = answers(memory, hops=hops)
        assert next(iter(hits)) == CHAIN[3]
        assert way(memory, hits[CHAIN[3]]) == list(CHAIN[:3])
    for hops in (1, 2, 3):
        assert next(iter(answers(memory, hops=hops))) != CHAIN[3]


def test_settings_say_how_often_to_read_where_a_search_does_not() -> None:
    """A search that says so has the last word, and modes that read once do so whatever the settings say."""
    memory = opened(reasoning=ReasoningSettings(hops=1))
    assert all(bonus(hit) is None for hit in answers(memory).values())
    assert next(iter(answers(memory, hops=4))) == CHAIN[3]
    memory = opened(reasoning=ReasoningSettings(hops=3))
    assert made(memory, PLAIN_QUESTION, None) == made(memory, PLAIN_QUESTION, 3)
    assert all(bonus(hit) is not None for hit in answers(memory, PLAIN_QUESTION).values())
    assert list(answers(memory).values()) == list(answers(memory, hops=3).values())
    assert all(bonus(hit) is None for mode in ("exact", "semantic") for hit in answers(memory, mode=mode).values())


def test_memory_that_looks_at_places_alone_reads_once() -> None:
    """Without content scores there is nothing to add to."""
    memory = opened(content=False)
    assert all(hit.trace.terms == () for hit in answers(memory, hops=4).values())


@pytest.mark.parametrize("mode", ["adaptive", "temporal"])
def test_recall_reads_in_hops_as_a_search_does(mode: str) -> None:
    """By the form of the question or as often as is asked, in every mode that may."""
    memory = opened()
    for hops in (None, 1, 2, 4):
        recalled = memory.recall(QUESTION, budget=10_000, mode=mode, hops=hops).hits
        searched = answers(memory, mode=mode, hops=hops)
        assert [(hit.content, hit.trace) for hit in recalled] == [(hit.content, hit.trace) for hit in searched.values()]
    contextual = memory.recall(QUESTION, session="chat", budget=10_000, mode="contextual", hops=4).hits
    assert way(memory, next(hit for hit in contextual if hit.content == CHAIN[3])) == list(CHAIN[:3])


def test_matrix_s_library_makes_no_difference() -> None:
    """A torch matrix gives the hits of a numpy one, with the same chains."""
    one, other = opened(encoder=HashedEncoder()), opened(encoder=TorchEncoder())
    mine, theirs = answers(one), answers(other)
    assert_same_hits(mine.values(), theirs.values())
    assert {text: way(one, hit) for text, hit in mine.items()} == {
        text: way(other, hit) for text, hit in theirs.items()
    }


def test_words_alone_follow_a_chain_while_the_model_loads(open_memory: OpenMemory) -> None:
    """There is no meaning to match yet."""
    plant(open_memory(), [*FACTS, *CHAIN])
    encoder = LoadingEncoder()
    memory = open_memory(encoder, MemorySettings(answer_while_loading=True))
    hits = answers(memory)
    assert {hit.trace.cosine for hit in hits.values()} == {None}
    assert way(memory, hits[CHAIN[3]]) == list(CHAIN[:3])
    encoder.allowed.set()


# What may be part of a chain


@pytest.mark.parametrize("hops", [2, 3, 4])
def test_memories_that_name_each_other_end(hops: int) -> None:
    """The way goes from one to the other, and not back."""
    memory = opened(FACTS)
    memory.memorize("Golden Fig is run by Milo Costa", key="Golden Fig")
    memory.memorize("Milo Costa runs the Golden Fig", key="Milo Costa")
    hits = answers(memory, "Who runs the place that was recommended?", hops=hops)
    assert_chains_hold(memory, hits.values(), hops)
    steps = [step for hit in hits.values() for step in hit.trace.chain]
    assert [(step.by, step.name) for step in steps] == [("named", "Milo Costa")]


@pytest.mark.parametrize("hops", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_smallest_memories_are_read_in_hops(count: int, hops: int | None) -> None:
    """Of none, of one, of two; weights stay shares of one."""
    memory = opened(CHAIN[:count])
    hits = answers(memory, hops=hops)
    assert set(hits) == set(CHAIN[:count])
    assert sum(hit.trace.shifted for hit in hits.values()) == pytest.approx(1 if count else 0, abs=1e-5)
    assert_chains_hold(memory, hits.values(), 4 if hops is None else hops)
    if count == 2 and hops != 1:
        assert way(memory, hits[CHAIN[1]]) == [CHAIN[0]]


WORDS = [
    "Anna",
    "Milo Costa",
    "Golden Fig",
    "goats",
    "met",
    "lives",
    "王伟芳",
    "金月楼",
    "认识了",
    "42",
    "ann@example.org",
]


@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), max_size=9),
    st.lists(st.sampled_from([*WORDS, "who", "the owner of"]), min_size=1, max_size=5).map(" ".join),
    st.sampled_from([None, 2, 3, 4]),
    st.integers(1, 6),
)
@settings(max_examples=60)
def test_any_memory_can_be_read_in_hops(contents: list[str], question: str, hops: int | None, beam: int) -> None:
    """However few memories there are beside the chains, and whatever they name: the same hits, their shares one."""
    memory = opened([], reasoning=ReasoningSettings(beam=beam))
    memory.memorize_many([{"content": content, "key": content.split()[0]} for content in contents])
    hits = memory.search(question, top_k=50, counted=False, hops=hops)
    assert {hit.id for hit in hits} == {hit.id for hit in memory.search(question, top_k=50, counted=False, hops=1)}
    assert sum(hit.trace.shifted for hit in hits) == pytest.approx(1 if contents else 0, abs=1e-5)
    assert_chains_hold(memory, hits, 4 if hops is None else hops)


def led_by(memory: NTMMemoryManager, hits: Iterable[Hit]) -> set[str]:
    """Return everything that led to any of some hits."""
    return {text for hit in hits for text in way(memory, hit)}


def test_erased_memory_leads_nowhere() -> None:
    """Its end is reached no more; once it is back, it is."""
    memory = opened()
    ident = answers(memory)[CHAIN[1]].id
    memory.erase(ident)
    hits = answers(memory, hops=4)
    assert CHAIN[1] not in hits
    assert ident not in {step.id for hit in hits.values() for step in hit.trace.chain}
    memory.restore(ident)
    assert way(memory, answers(memory)[CHAIN[3]]) == list(CHAIN[:3])


def test_superseded_memory_leads_nowhere_unless_it_may_be_seen() -> None:
    """What holds in its place leads on instead."""
    memory = opened()
    ident = answers(memory)[CHAIN[1]].id
    memory.memorize("Dana Keller has nothing to recommend", supersedes=ident)
    hits = answers(memory, hops=4)
    assert CHAIN[1] not in hits
    assert CHAIN[1] not in led_by(memory, hits.values())
    assert CHAIN[1] in led_by(memory, answers(memory, hops=4, include_superseded=True).values())


@pytest.mark.parametrize("left_out", range(4))
def test_filters_hold_in_every_hop(left_out: int) -> None:
    """What they leave out is no hit and leads to none, whether it is a chain's beginning, a link or its end."""
    memory = opened(FACTS)
    for place, content in enumerate(CHAIN):
        fields: dict[str, Any] = {"tags": ["no"], "type": "fact", "session": "b", "at": EPOCH + timedelta(days=900)}
        seen: dict[str, Any] = {"tags": ["yes"], "session": "a", "at": EPOCH}
        memory.memorize(content, **(fields if place == left_out else seen))
    ways: list[dict[str, Any]] = [{"tags": ["yes"]}, {"session": "a"}, {"type": "note", "until": EPOCH}]
    for filters in ways:
        once = answers(memory, hops=1, **filters)
        for hops in (None, 2, 3, 4):
            hits = answers(memory, hops=hops, **filters)
            assert hits.keys() == once.keys() >= {each for each in CHAIN if each != CHAIN[left_out]}
            assert CHAIN[left_out] not in hits
            assert CHAIN[left_out] not in led_by(memory, hits.values())


def test_moment_in_the_past_is_read_as_it_was() -> None:
    """A link that came later leads to nothing then."""
    memory = opened((*CHAIN[:1], *CHAIN[2:], *FACTS))
    before = max(memory.get(hit.id).created for hit in answers(memory).values())
    memory.memorize(CHAIN[1])
    then = answers(memory, as_of=before, hops=4)
    assert CHAIN[1] not in then
    assert CHAIN[1] not in led_by(memory, then.values())
    assert way(memory, answers(memory)[CHAIN[3]]) == list(CHAIN[:3])


def test_new_version_of_a_memory_leads_by_what_it_says_then() -> None:
    """And no longer by what it said before."""
    memory = opened()
    memory.update(answers(memory)[CHAIN[1]].id, "Dana Keller recommended a restaurant called Silver Heron")
    other = memory.memorize("The restaurant Silver Heron belongs to Nora Weiss").record.content
    hits = answers(memory)
    assert way(memory, hits[other])[-1] == "Dana Keller recommended a restaurant called Silver Heron"
    assert not any("Silver Heron" in each for each in way(memory, hits[CHAIN[2]]))


@pytest.mark.parametrize("hops", [None, 4])
@pytest.mark.parametrize(
    "question",
    ["What does the colleague who owns a zebra drink?", "Where does the colleague who plays the violin live?"],
)
def test_question_without_support_gives_hits_without_any_chain(question: str, hops: int | None) -> None:
    """Memories that share nothing lead to nothing: every one is found at once, as without hops."""
    memory = opened(FACTS)
    hits = answers(memory, question, hops=hops)
    assert set(hits) == set(FACTS)
    assert all(hit.trace.chain == () for hit in hits.values())


def test_memory_that_a_link_leads_to_says_so(memory: NTMMemoryManager) -> None:
    """The two share no name; they were recalled together before."""
    plant(memory)
    question = "What does the woman eat who keeps goats in Kirchberg?"
    assert answers(memory, question, hops=2)[FACTS[3]].trace.chain == ()
    for _ in range(3):
        assert {*found(memory.search(f"{FACTS[0]}, {FACTS[3]}", top_k=2))} == {FACTS[0], FACTS[3]}
    memory.memorize("and so the links are stored")
    linked = answers(memory, question, hops=2)[FACTS[3]]
    assert way(memory, linked) == [FACTS[0]]
    assert [(step.by, step.name) for step in linked.trace.chain] == [("linked", None)]
