"""Where the head looks: the stages of addressing as a memory's hits show them, against the paper's sums in loops."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from ntm_memory_skill import AddressingSettings, HeadParameters, Hit, NTMMemoryManager, Settings
from ntm_memory_skill.lexical.tokens import tokenize, words
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, everything, found

Hits = dict[str, Hit]
CHAT = (
    "Where shall we eat tonight?",
    "No idea, you choose",
    "There is that new Vietnamese restaurant",
    "Sounds great, book a table",
    "Done, half past seven",
    "Who brings the umbrella?",
    "Me, as always",
)
OTHER_CHAT = ("Did the parcel arrive?", "Still on its way", "They promised Tuesday", "We shall see")


def opened(open_memory: OpenMemory, **addressing: object) -> NTMMemoryManager:
    """Open the memory with some addressing settings."""
    return open_memory(settings=Settings(addressing=AddressingSettings(**addressing)))  # type: ignore[arg-type]  # typed by the callers


def talk(memory: NTMMemoryManager) -> None:
    """Write two chats that went on at the same time, turn by turn, and some memories of no chat."""
    for turn, remark in enumerate(CHAT):
        memory.memorize(remark, session="dinner", ref=f"d{turn}")
        if turn < len(OTHER_CHAT):
            memory.memorize(OTHER_CHAT[turn], session="parcel", ref=f"p{turn}")
    memory.memorize_many([{"content": fact} for fact in FACTS[:3]])


def lecture(memory: NTMMemoryManager) -> None:
    """Write a chat of remarks and pages, as they are exchanged with an assistant."""
    for turn, count in enumerate((3, 200, 8, 45, 41, 12)):
        memory.memorize(" ".join(f"word{turn}x{place}" for place in range(count)), session="lecture")


@pytest.fixture
def chats(memory: NTMMemoryManager) -> NTMMemoryManager:
    """A memory with the two chats in it."""
    talk(memory)
    return memory


def tapes(hits: Hits) -> list[list[Hit]]:
    """Return hits tape by tape, each in the order in which things happened."""
    chats: dict[str, list[Hit]] = {}
    for hit in sorted(hits.values(), key=lambda hit: (hit.at, hit.record.ordinal)):
        chats.setdefault(hit.session or hit.id, []).append(hit)
    return list(chats.values())


def slowly_shifted(tape: list[Hit], head: HeadParameters) -> dict[str, float]:
    """Return eq. 8 on one tape: what would leave it at an end, or is not let pass, stays where it is."""
    reach = len(head.kernel) // 2
    arrived = dict.fromkeys((hit.id for hit in tape), 0.0)
    for place, hit in enumerate(tape):
        for offset in range(-reach, reach + 1):
            moved = head.kernel[offset + reach] * hit.trace.gated
            if not 0 <= place + offset < len(tape):
                arrived[hit.id] += moved
                continue
            target = tape[place + offset]
            passes = min(1.0, head.length_ratio * length(hit) / length(target))
            arrived[target.id] += passes * moved
            arrived[hit.id] += (1 - passes) * moved
    return arrived


def length(hit: Hit) -> int:
    """Return how many words a memory has, as the shift counts them: ten at least."""
    return max(10, len(words(tokenize(hit.content))))


HEADS = {
    "default": HeadParameters(),
    "flat": HeadParameters(key_strength=2.0, sharpening=1.0),
    "mostly to the next": HeadParameters(kernel=(0.01, 0.09, 0.9), sharpening=3.0),
    "no shift": HeadParameters(kernel=(1.0,)),
    "to all lengths alike": HeadParameters(length_ratio=math.inf),
    "to short ones alone": HeadParameters(length_ratio=0.1),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_every_stage_is_the_paper_s_sum(open_memory: OpenMemory, head: HeadParameters) -> None:
    """Softmax, shift along each tape, sharpening: recomputed from the hits' own traces."""
    memory = opened(open_memory, head=head)
    talk(memory)
    lecture(memory)
    hits = everything(memory, "shall we book a Vietnamese restaurant?")
    traces = {ident: hit.trace for ident, hit in hits.items()}
    exponentials = {ident: math.exp(head.key_strength * trace.content_score) for ident, trace in traces.items()}
    shifted: dict[str, float] = {}
    for tape in tapes(hits):
        shifted |= slowly_shifted(tape, head)
    powers = {ident: weight**head.sharpening for ident, weight in shifted.items()}
    for ident, trace in traces.items():
        assert trace.content == pytest.approx(exponentials[ident] / sum(exponentials.values()), rel=1e-4)
        assert trace.gated == trace.content
        assert trace.shifted == pytest.approx(shifted[ident], rel=1e-4, abs=1e-7)
        assert trace.sharpened == pytest.approx(powers[ident] / sum(powers.values()), rel=1e-3, abs=1e-7)
        assert hits[ident].score == trace.sharpened


def test_weights_of_each_stage_are_shares_of_one(chats: NTMMemoryManager) -> None:
    """Over all memories together, none below 0 and none above 1."""
    traces = [hit.trace for hit in everything(chats, "restaurant").values()]
    assert len(traces) == len(CHAT) + len(OTHER_CHAT) + 3
    for stage in ("content", "gated", "shifted", "sharpened"):
        weights = [getattr(trace, stage) for trace in traces]
        assert min(weights) >= 0
        assert max(weights) <= 1
        assert sum(weights) == pytest.approx(1, abs=1e-5)
    assert all(trace.cosine is not None and -1.00001 <= trace.cosine <= 1.00001 and trace.bm25 >= 0 for trace in traces)


def test_page_beside_a_remark_gets_little_of_its_weight(open_memory: OpenMemory) -> None:
    """A hundred words beside ten get four tenths of what the kernel moves there; the remark keeps the rest."""
    kernel = HeadParameters().kernel
    memory = open_memory()
    remark = memory.memorize("Which paint would you take for the fence?", session="s").id
    page = memory.memorize(" ".join(f"word{place}" for place in range(100)), session="s").id
    hits = everything(memory, "paint for the fence")
    before, after = hits[remark].trace, hits[page].trace
    (lent,) = after.neighbours
    assert (lent.id, lent.offset) == (remark, 1)
    assert lent.weight == pytest.approx(0.4 * kernel[4] * before.gated, rel=1e-4)
    assert before.neighbours[0].weight == pytest.approx(kernel[2] * after.gated, rel=1e-4)


def test_neighbours_are_those_who_stand_that_many_places_before(chats: NTMMemoryManager) -> None:
    """On the same tape, with the kernel's share of their weight, largest first."""
    kernel = HeadParameters().kernel
    for tape in tapes(everything(chats, "restaurant")):
        for place, hit in enumerate(tape):
            expected = {
                (tape[place - offset].id, offset): kernel[offset + 3] * tape[place - offset].trace.gated
                for offset in range(-3, 4)
                if offset != 0 and 0 <= place - offset < len(tape)
            }
            neighbours = hit.trace.neighbours
            assert {(neighbour.id, neighbour.offset) for neighbour in neighbours} == expected.keys()
            for neighbour in neighbours:
                assert neighbour.weight == pytest.approx(expected[neighbour.id, neighbour.offset], rel=1e-5)
            weights = [neighbour.weight for neighbour in neighbours]
            assert weights == sorted(weights, reverse=True)


def test_reply_comes_up_with_the_remark_that_it_answers(open_memory: OpenMemory) -> None:
    """It shares no word with the question; its place on the tape brings it."""
    talk(open_memory())
    question = "the new Vietnamese restaurant"

    def rank(location: bool) -> int:
        memory = opened(open_memory, location=location)
        return found(memory.search(question, top_k=1000)).index("Sounds great, book a table")

    assert found(opened(open_memory).search(question))[0] == "There is that new Vietnamese restaurant"
    assert rank(location=True) == 1
    assert rank(location=False) > 3


def test_no_weight_crosses_from_one_chat_into_another(chats: NTMMemoryManager) -> None:
    """Though the two went on at the same time; nor does it reach a memory of no chat."""
    for tape in tapes(everything(chats, "restaurant")):
        before, after = sum(hit.trace.gated for hit in tape), sum(hit.trace.shifted for hit in tape)
        assert after == pytest.approx(before, abs=1e-6)
        assert {neighbour.id for hit in tape for neighbour in hit.trace.neighbours} <= {hit.id for hit in tape}


def test_tape_follows_the_time_of_what_happened_not_of_writing(memory: NTMMemoryManager) -> None:
    """Memories that were written down later take their place; equal times keep the order of writing."""
    for day, remark in ((3, "third"), (1, "first"), (2, "second"), (1, "right after the first")):
        memory.memorize(remark, session="s", at=f"2026-05-{day:02}")
    offsets: dict[tuple[str, str], int] = {}
    for hit in everything(memory, "second").values():
        offsets |= {(memory.get(each.id).content, hit.content): each.offset for each in hit.trace.neighbours}
    order = ["first", "right after the first", "second", "third"]
    assert offsets == {
        (one, other): order.index(other) - order.index(one) for one in order for other in order if one != other
    }


def test_location_addressing_can_be_switched_off(open_memory: OpenMemory) -> None:
    """Then nothing is shifted and nobody is a neighbour."""
    memory = opened(open_memory, location=False)
    talk(memory)
    for hit in everything(memory, "restaurant").values():
        assert hit.trace.shifted == hit.trace.gated
        assert hit.trace.neighbours == ()


def test_without_content_addressing_the_newest_memory_is_where_it_starts(open_memory: OpenMemory) -> None:
    """Whatever is asked; the shift alone moves on from there, within the chat."""
    memory = opened(open_memory, content=False)
    talk(memory)
    memory.memorize("And the bill?", session="dinner")
    hits = memory.search("Did the parcel arrive?", top_k=1000)
    assert found(hits)[0] == "And the bill?"
    assert {hit.session for hit in hits} == {"dinner"}
    assert len(hits) == 4
    assert all(hit.trace.content_score == 0 for hit in hits)


def test_without_content_addressing_a_chat_goes_on_from_its_last_focus(open_memory: OpenMemory) -> None:
    """With all weight on the next place, each recall looks one place further."""
    steps = HeadParameters(kernel=(0.0, 0.0, 1.0))
    memory = opened(open_memory, content=False, head=steps)
    for day, remark in ((1, "start"), (2, "one on"), (3, "two on"), (4, "three on")):
        memory.memorize(remark, session="s", at=f"2026-05-0{day}")
    newest = memory.memorize("written last, happened first", session="s", at="2026-04-01").id
    walk = [found(memory.recall("anything", session="chat").hits) for _ in range(3)]
    assert walk == [["start"], ["one on"], ["two on"]]
    assert memory.get(newest).content == "written last, happened first"


@pytest.mark.parametrize("location", [True, False])
def test_with_neither_only_the_newest_that_passes_is_seen(open_memory: OpenMemory, location: bool) -> None:
    """A memory of no chat stands alone on its tape, so there the shift changes nothing."""
    memory = opened(open_memory, content=False, location=location)
    memory.memorize_many([{"content": fact, "tags": ["old"]} for fact in FACTS[:4]])
    memory.memorize("newest")
    assert found(memory.search("goats")) == ["newest"]
    assert found(memory.search("goats", tags=["old"])) == [FACTS[3]]


def test_focus_that_is_gone_is_replaced_by_the_newest(open_memory: OpenMemory) -> None:
    """Without content addressing there is nowhere else to look."""
    memory = opened(open_memory, content=False)
    ids = memory.memorize_many([{"content": fact} for fact in FACTS[:3]])
    assert found(memory.recall("goats", session="chat").hits) == [FACTS[2]]
    memory.erase(ids[2])
    assert found(memory.recall("goats", session="chat").hits) == [FACTS[1]]


def test_attention_shows_the_stages_over_all_memories_in_the_order_of_time(chats: NTMMemoryManager) -> None:
    """The same weights as a search's traces."""
    attention, hits = chats.attention("restaurant"), everything(chats, "restaurant")
    in_order = sorted(chats.state.records.values(), key=lambda record: (record.at, record.ordinal))
    assert list(attention.records) == in_order
    stages: dict[str, Callable[[Hit], float]] = {
        "content": lambda hit: hit.trace.content,
        "gated": lambda hit: hit.trace.gated,
        "shifted": lambda hit: hit.trace.shifted,
        "sharpened": lambda hit: hit.trace.sharpened,
    }
    for name, of in stages.items():
        assert getattr(attention, name) == tuple(of(hits[record.id]) for record in in_order)


def test_equal_memories_stand_in_the_order_of_their_slots(memory: NTMMemoryManager) -> None:
    """So that the same question gets the same answer every time."""
    ids = memory.memorize_many([{"content": "the very same words"}] * 40)
    assert [hit.id for hit in memory.search("the very same words", top_k=40)] == ids
