"""Several read heads: each looks for itself, and what they agree on comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import AddressingSettings, HashedEncoder, HeadParameters, Hit, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import ticking_clock
from tests.engine.heads import random_head
from tests.engine.support import FACTS, EnglishReader, TorchEncoder, assert_same_hits, everything, plant

QUESTION = "who plays the violin in Zurich?"
STAGES = ("content", "gated", "shifted", "sharpened")
COUNTS = pytest.mark.parametrize("count", [1, 2, 3, 16])


def opened(addressing: AddressingSettings, encoder: Encoder | None = None) -> NTMMemoryManager:
    """Return a memory of two chats, with a page in one of them, and of notes that belong to none."""
    encoder = HashedEncoder(32) if encoder is None else encoder
    settings = Settings(addressing=addressing)
    memory = NTMMemoryManager(MemoryStore(), encoder, settings, clock=ticking_clock(), ids=seeded_ids(4))
    plant(memory, FACTS, session="one")
    memory.memorize(" ".join(f"word{place}" for place in range(90)), session="one")
    plant(memory, [f"again: {fact}" for fact in FACTS[:3]], session="one")
    plant(memory, FACTS[2:5], session="two")
    plant(memory, FACTS[6:])
    return memory


def weights(memory: NTMMemoryManager, query: str = QUESTION) -> dict[str, dict[str, float]]:
    """Return every memory's weight after each stage."""
    hits = everything(memory, query)
    return {ident: {stage: getattr(hit.trace, stage) for stage in STAGES} for ident, hit in hits.items()}


def shares(count: int, share: float) -> list[float]:
    """Return the λ of each of several heads, evenly to both sides of one; none is outside 0 to 1."""
    if count == 1:
        return [share]
    return [min(1.0, max(0.0, share + 0.15 * (2 * place / (count - 1) - 1))) for place in range(count)]


@COUNTS
@pytest.mark.parametrize("share", [None, 0.0, 0.4, 0.95])
def test_heads_differ_in_their_trust_in_words_and_are_averaged(count: int, share: float | None) -> None:
    """Each looks as a single one with its λ would; the sharpening comes last, once for all."""
    together = opened(AddressingSettings(num_read_heads=count, lexical_share=share))
    middle = next(iter(everything(together, QUESTION).values())).trace.lexical_share
    alone = [weights(opened(AddressingSettings(lexical_share=each))) for each in shares(count, middle)]
    merged = weights(together)
    powers = {}
    for ident, found in merged.items():
        for stage in STAGES[:3]:
            mean = sum(each[ident][stage] for each in alone) / count
            assert found[stage] == pytest.approx(mean, rel=1e-4, abs=1e-7)
        powers[ident] = found["shifted"] ** HeadParameters().sharpening
    for ident, found in merged.items():
        assert found["sharpened"] == pytest.approx(powers[ident] / sum(powers.values()), rel=1e-3, abs=1e-7)


def assert_shares_of_one(weighted: Iterable[Mapping[str, float]]) -> None:
    """Check that the weights of each stage are shares of one."""
    rows = list(weighted)
    for stage in STAGES:
        column = [row[stage] for row in rows]
        assert min(column) >= 0
        assert sum(column) == pytest.approx(1, abs=1e-5)


def assert_flow_adds_up(hits: Mapping[str, Hit]) -> None:
    """Check that what the shift took from a memory is what its neighbours name it for, and nothing is lost."""
    net = dict.fromkeys(hits, 0.0)
    for ident, hit in hits.items():
        for neighbour in hit.trace.neighbours:
            net[ident] += neighbour.weight
            net[neighbour.id] -= neighbour.weight
    for ident, hit in hits.items():
        assert hit.trace.shifted == pytest.approx(hit.trace.gated + net[ident], rel=1e-3, abs=1e-6)


@COUNTS
def test_merged_weights_are_shares_of_one_and_the_neighbours_account_for_the_shift(count: int) -> None:
    """As for a single head."""
    memory = opened(AddressingSettings(num_read_heads=count))
    assert_shares_of_one(weights(memory).values())
    assert_flow_adds_up(everything(memory, QUESTION))


@given(st.integers(0, 1000), st.sampled_from(["linear", "feedforward", "lstm"]), st.integers(1, 4))
@settings(max_examples=25)
def test_whatever_was_learnt_the_weights_are_shares_of_one(seed: int, kind: str, count: int) -> None:
    """Heads with kernels, gates and sharpenings of their own."""
    memory = opened(AddressingSettings())
    memory.use_head(random_head(kind, heads=count, seed=seed))
    assert_shares_of_one(weights(memory).values())
    assert_flow_adds_up(everything(memory, QUESTION))
    recalled = [memory.recall("goats", session="chat", budget=100_000).hits for _ in range(2)][-1]
    assert_shares_of_one({stage: getattr(hit.trace, stage) for stage in STAGES} for hit in recalled)


@COUNTS
def test_trace_sums_up_for_the_average_of_the_heads(count: int) -> None:
    """Its weights are the heads' averages, and so is the score."""
    for hit in everything(opened(AddressingSettings(num_read_heads=count)), QUESTION).values():
        total = sum(term.weight * term.value for term in hit.trace.terms)
        assert hit.trace.content_score == pytest.approx(total, abs=1e-4)


@COUNTS
def test_no_head_trusts_an_encoder_that_cannot_read_the_question(count: int) -> None:
    """Words alone decide for all of them."""
    question = "北京的会议什么时候开？"
    several = opened(AddressingSettings(num_read_heads=count), EnglishReader(32))
    one = opened(AddressingSettings(), EnglishReader(32))
    assert_same_hits(several.search(question, top_k=50), one.search(question, top_k=50))
    assert several.search(question)[0].content == FACTS[4]


def test_heads_on_torch_see_what_heads_on_numpy_see() -> None:
    """Untrained and trained, in a chat that goes on."""
    for head in (None, random_head("lstm", heads=3, seed=5)):
        views = [opened(AddressingSettings(num_read_heads=3), encoder(32)) for encoder in (HashedEncoder, TorchEncoder)]
        answers = []
        for view in views:
            view.use_head(head)
            view.recall("goats", session="chat")
            answers.append(view.recall(QUESTION, session="chat", budget=100_000).hits)
        assert_same_hits(*answers)


def test_heads_follow_a_chat_like_one() -> None:
    """Each is drawn to where all of them looked together."""
    memory = opened(AddressingSettings(num_read_heads=3))
    last = {hit.id: hit.trace.shifted for hit in memory.recall("goats", session="chat", budget=100_000).hits}
    gate = HeadParameters().gate
    hits = memory.recall(QUESTION, session="chat", budget=100_000).hits
    for hit in hits:
        expected = gate * hit.trace.content + (1 - gate) * last[hit.id]
        assert hit.trace.gated == pytest.approx(expected, abs=1e-5)
    assert np.ptp([hit.trace.gated - hit.trace.content for hit in hits]) > 1e-4
