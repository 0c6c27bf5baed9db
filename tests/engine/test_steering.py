"""A trained head at work: how far it moves what the default head does, for whom, and for how long."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ntm_memory_skill import AddressingSettings, HashedEncoder, HeadParameters, Hit, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.engine import STATISTICS, TERMS, TrainedHead
from ntm_memory_skill.errors import UnusableHead
from ntm_memory_skill.ntm import CONTROLLERS
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import OpenMemory, ticking_clock
from tests.engine.heads import random_head
from tests.engine.support import AT_TIMES, FACTS, EnglishReader, LoadingEncoder, assert_same_hits, plant
from tests.ntm.oracle import Terrain, address, dot, emit, sharpen, units, within

QUESTION = "who plays the violin in Zurich?"
NARROW = Settings(addressing=AddressingSettings(head=HeadParameters(kernel=(0.2, 0.5, 0.3))))
UNUSABLE = {
    "empty": b"",
    "torn": random_head().to_json()[:-20],
    "another encoder's": replace(random_head(), encoder="another").to_json(),
    "another kernel's": random_head(width=3).to_json(),
}
UNGATED = Settings(addressing=AddressingSettings(head=HeadParameters(gate=1.0)))
"""So that nothing but an LSTM's state goes from one recall to the next."""


def opened(encoder: Encoder | None = None, settings: Settings | None = None) -> NTMMemoryManager:
    """Return a memory with the facts in it, as one chat and half of another."""
    encoder = HashedEncoder(32) if encoder is None else encoder
    memory = NTMMemoryManager(MemoryStore(), encoder, settings, clock=ticking_clock(), ids=seeded_ids(4))
    plant(memory, FACTS, session="one")
    plant(memory, [f"again: {fact}?" for fact in FACTS[:4]], session="two")
    return memory


def weights(hits: Sequence[Hit]) -> dict[str, float]:
    """Return ω: what each term weighed for a question."""
    return {term.name: term.weight for term in hits[0].trace.terms}


@pytest.mark.parametrize("kind", CONTROLLERS)
@pytest.mark.parametrize("count", [1, 3])
def test_head_that_departs_by_nothing_is_the_default_head(kind: str, count: int) -> None:
    """Whatever it has learnt: the same memories in the same order, with the same weights."""
    plain, steered = opened(), opened()
    steered.use_head(random_head(kind, heads=count, scale=0.0))
    for query in (QUESTION, "北京的会议", "what?", "goats"):
        mine, theirs = plain.search(query, top_k=50), steered.search(query, top_k=50)
        assert [hit.id for hit in mine] == [hit.id for hit in theirs]
        assert [hit.score for hit in mine] == pytest.approx([hit.score for hit in theirs], rel=1e-4)
        assert weights(mine) == pytest.approx(weights(theirs), abs=1e-6)


@pytest.mark.parametrize("scale", [0.25, 1.0])
def test_linear_head_departs_by_what_its_numbers_say(scale: float) -> None:
    """All that is emitted, and where it leads, worked out unit by unit from what the memory says of the question."""
    memory, head = opened(), random_head(scale=scale, seed=3)
    seen = memory.examine(QUESTION)
    inputs = within(((seen.statistics - head.mean) / head.deviation).tolist(), 3)
    said = [scale * value for value in units(inputs, head.weights["W"].tolist(), head.weights["b"].tolist())]
    emitted = emit(said, seen.weights.tolist(), seen.trust.tolist(), HeadParameters())
    omega, (key_strength, gate, *kernel, sharpening, length_ratio) = emitted[: len(TERMS)], emitted[len(TERMS) :]
    looking = HeadParameters(
        key_strength=key_strength, gate=gate, kernel=tuple(kernel), sharpening=sharpening, length_ratio=length_ratio
    )
    slots = range(seen.terms.shape[1])
    scores = [dot(omega, seen.terms[:, slot].tolist()) for slot in slots]
    tapes = [
        [record.slot for record in memory.state.records.values() if record.session == name] for name in ("one", "two")
    ]
    terrain = Terrain(present=[True for _ in slots], tapes=tapes, lengths=[10.0 for _ in slots])
    content, gated, shifted = address(scores, looking, terrain)
    sharpened = sharpen(shifted, sharpening)
    memory.use_head(head)
    hits = memory.search(QUESTION, top_k=50)
    assert {name: weight for name, weight in zip(TERMS, omega, strict=True) if name not in AT_TIMES} == pytest.approx(
        weights(hits), abs=1e-4
    )
    for hit in hits:
        slot, trace = hit.record.slot, hit.trace
        assert trace.content_score == pytest.approx(scores[slot], abs=1e-3)
        stages = (trace.content, trace.gated, trace.shifted, trace.sharpened)
        assert stages == pytest.approx((content[slot], gated[slot], shifted[slot], sharpened[slot]), rel=1e-2, abs=1e-6)


def test_departure_is_in_the_measure_of_the_scale() -> None:
    """Half of the way is half of what is added to each weight."""
    memory = opened()
    default = memory.examine(QUESTION).weights
    moved = []
    for scale in (0.5, 1.0):
        memory.use_head(random_head(scale=scale, seed=3))
        shown = weights(memory.search(QUESTION))
        moved.append(
            [shown.get(name, 0) - weight for name, weight in zip(TERMS, default, strict=True) if name not in AT_TIMES]
        )
    assert moved[1] == pytest.approx([2 * each for each in moved[0]], abs=1e-5)
    assert max(map(abs, moved[0])) > 0.05


def test_terms_of_an_encoder_that_cannot_read_the_question_stay_where_they_are() -> None:
    """No learning makes its key mean something."""
    memory = opened(EnglishReader(32))
    memory.use_head(random_head(seed=3))
    shown = weights(memory.search("北京的会议什么时候开？"))
    assert not {"meaning", "commonness", "brevity", "strong_meaning"} & shown.keys()
    assert shown["words"] != 1
    assert {"coverage", "strong_words", "length", "question", "digits"} <= shown.keys()


class TestChats:
    """An LSTM's head goes on with each chat by itself."""

    @staticmethod
    def asked(memory: NTMMemoryManager, session: str | None, query: str = QUESTION) -> dict[str, float]:
        """Return what each term weighed in one recall of a chat."""
        return weights(memory.recall(query, session=session).hits)

    def test_state_goes_from_one_recall_of_a_chat_to_the_next(self) -> None:
        """The same question is heard otherwise the second time."""
        memory = opened(settings=UNGATED)
        memory.use_head(random_head("lstm", seed=2))
        first, second, third = (self.asked(memory, "a") for _ in range(3))
        assert first != pytest.approx(second, abs=1e-3)
        assert second != pytest.approx(third, abs=1e-4)

    def test_chats_do_not_hear_each_other(self) -> None:
        """Two that go on at the same time are as two that go on alone."""
        mixed, alone = opened(settings=UNGATED), opened(settings=UNGATED)
        for memory in (mixed, alone):
            memory.use_head(random_head("lstm", seed=2))
        turns = [("a", "goats"), ("b", "tyre"), ("a", "violin"), ("b", "violin"), ("a", "bread"), ("b", "goats")]
        together = {turn: self.asked(mixed, *turn) for turn in turns}
        apart = {turn: self.asked(alone, *turn) for turn in sorted(turns, key=lambda turn: turn[0])}
        for turn in turns:
            assert together[turn] == pytest.approx(apart[turn], abs=1e-6)
        assert self.asked(mixed, "c", "goats") == pytest.approx(together["a", "goats"], abs=1e-6)

    def test_recall_and_search_without_a_chat_begin_anew(self) -> None:
        """Nothing is kept of them."""
        memory = opened(settings=UNGATED)
        memory.use_head(random_head("lstm", seed=2))
        first = self.asked(memory, None)
        assert self.asked(memory, None) == first
        assert weights(memory.search(QUESTION)) == first
        assert self.asked(memory, "a") == first

    @pytest.mark.parametrize("kind", ["linear", "feedforward"])
    def test_head_without_a_state_hears_a_question_always_alike(self, kind: str) -> None:
        """In any chat."""
        memory = opened(settings=UNGATED)
        memory.use_head(random_head(kind, seed=2))
        assert self.asked(memory, "a") == self.asked(memory, "a") == self.asked(memory, None)

    @pytest.mark.parametrize("hidden", [4, 7])
    def test_another_head_begins_anew_in_a_chat_that_goes_on(self, hidden: int) -> None:
        """What the one before made of the chat means nothing to it; where the chat looked last, it still knows."""
        memory, fresh = opened(), opened()
        memory.use_head(random_head("lstm", seed=2))
        self.asked(memory, "a")
        other = random_head("lstm", seed=9, hidden=hidden)
        memory.use_head(other)
        fresh.use_head(other)
        hits = memory.recall(QUESTION, session="a").hits
        assert weights(hits) == pytest.approx(self.asked(fresh, "a"), abs=1e-6)
        assert any(hit.trace.gated != hit.trace.content for hit in hits)


class TestKeeping:
    """Heads that stay with a memory."""

    def test_head_is_looked_with_until_another_is(self) -> None:
        """And the default one again after that."""
        memory, plain = opened(), opened()
        head = random_head(seed=1)
        memory.use_head(head)
        assert memory.head is head
        assert weights(memory.search(QUESTION)) != weights(plain.search(QUESTION))
        memory.use_head(None)
        assert memory.head is None
        assert_same_hits(memory.search(QUESTION), plain.search(QUESTION))

    def test_kept_head_is_there_for_whoever_opens_the_memory_next(self, open_memory: OpenMemory) -> None:
        """One that is not kept goes with the process."""
        head = random_head(seed=1)
        memory = open_memory()
        plant(memory)
        memory.use_head(head)
        assert open_memory().head is None
        memory.use_head(head, keep=True)
        expected = memory.search(QUESTION)
        memory.close()
        other = open_memory()
        assert other.head is not None
        assert other.head.to_json() == head.to_json()
        assert_same_hits(other.search(QUESTION), expected)
        other.use_head(None, keep=True)
        assert open_memory().head is None

    def test_head_may_be_kept_before_the_first_memory_is(self, open_memory: OpenMemory) -> None:
        """There is nothing to look at yet, and that is no error."""
        memory = open_memory()
        memory.use_head(random_head(seed=1), keep=True)
        assert memory.search(QUESTION) == []
        plant(memory)
        assert_same_hits(open_memory().search(QUESTION), memory.search(QUESTION))
        assert "coverage" in weights(memory.search(QUESTION))

    def test_memory_may_be_told_to_leave_its_head_alone(self, open_memory: OpenMemory) -> None:
        """`trained` off: the default one looks, and the kept one stays."""
        memory = open_memory()
        plant(memory)
        memory.use_head(random_head(seed=1), keep=True)
        plain = open_memory(settings=Settings(addressing=AddressingSettings(trained=False)))
        assert plain.head is None
        assert "coverage" not in weights(plain.search(QUESTION))
        assert open_memory().head is not None

    @pytest.mark.parametrize("kept", UNUSABLE.values(), ids=UNUSABLE)
    def test_kept_head_that_cannot_be_used_is_passed_over_with_a_warning(
        self, open_memory: OpenMemory, caplog: pytest.LogCaptureFixture, kept: bytes
    ) -> None:
        """The default head goes on; it is said once, and not at every question, and the file is left as it is."""
        memory = open_memory()
        plant(memory)
        expected = memory.search(QUESTION, top_k=50)
        with memory._live.transaction():
            memory._live.store.keep_beside("head", kept)
        other = open_memory()
        with caplog.at_level(logging.WARNING, logger="ntm_memory_skill"):
            assert_same_hits(other.search(QUESTION, top_k=50), expected)
            assert other.head is None
            other.search("goats")
        (warning,) = [record for record in caplog.records if record.name.startswith("ntm_memory_skill")]
        assert warning.levelno == logging.WARNING
        assert other._live.store.beside("head") == kept

    @pytest.mark.parametrize(
        ("head", "settings"),
        [(replace(random_head(), encoder="another"), None), (random_head(width=3), None), (random_head(), NARROW)],
        ids=["another encoder's", "another kernel's", "this kernel's, where another is set"],
    )
    @pytest.mark.parametrize("keep", [True, False])
    def test_head_that_does_not_fit_is_refused_and_nothing_changes(
        self, open_memory: OpenMemory, head: TrainedHead, settings: Settings | None, keep: bool
    ) -> None:
        """Neither what it looks with nor what is kept."""
        memory = open_memory(settings=settings)
        plant(memory)
        good = random_head(width=3 if settings is NARROW else 7, seed=1)
        memory.use_head(good, keep=True)
        before = memory.search(QUESTION)
        with pytest.raises(UnusableHead):
            memory.use_head(head, keep=keep)
        assert memory.head is good
        assert_same_hits(memory.search(QUESTION), before)
        assert memory._live.store.beside("head") == good.to_json()


def test_head_steers_while_the_model_is_loading() -> None:
    """By what can be known without one; no term of the encoder's is moved."""
    store, encoder = MemoryStore(), LoadingEncoder()
    with NTMMemoryManager(store, HashedEncoder(), clock=ticking_clock(), ids=seeded_ids(4)) as writer:
        plant(writer)
    settings = Settings(answer_while_loading=True)
    memory = NTMMemoryManager(store, encoder, settings, clock=ticking_clock(), ids=seeded_ids(5))
    memory.use_head(random_head(seed=3))
    hits = memory.search("who plays the violin?")
    assert not encoder.loaded
    assert hits[0].trace.cosine is None
    assert {"words", "coverage"} <= weights(hits).keys()
    assert not {"meaning", "commonness", "brevity", "strong_meaning"} & weights(hits).keys()
    encoder.allowed.set()


def test_statistics_have_one_name_each() -> None:
    """A head's inputs are laid out by them."""
    assert len(set(STATISTICS)) == len(STATISTICS)
