"""The loss, and where a head looks: each against slow loops, and against the memory's own search."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.learning import Scene
from ntm_memory_skill.learning.fitting import CHAT, SOFTNESS, Learner, Standard, in_chats, weights_of
from ntm_memory_skill.learning.scenes import scene_of
from ntm_memory_skill.ntm import forward
from ntm_memory_skill.store import MemoryStore
from tests.conftest import EPOCH
from tests.learning.made_up import BASE, head, scene, slow_look

PRICE = 0.05
TAPES = 2
CHATS = [
    ("goats", "Anna keeps goats"),
    ("goats", "three of them"),
    ("bread", "it rises overnight"),
    ("bread", "twelve hours"),
]


def spoken(trained: TrainedHead, found: Scene) -> np.ndarray:
    """Return what a linear controller says for each question, not scaled."""
    inputs = np.clip((found.statistics - trained.mean) / trained.deviation, -3, 3)
    said = inputs @ trained.weights["W"] + trained.weights["b"]
    shaped: np.ndarray = said.reshape(len(found), trained.shape.heads, -1)
    return shaped


def slow_loss(trained: TrainedHead, found: Scene) -> float:
    """Return the mean loss of a scene's questions: a loop for every sum."""
    losses: list[float] = []
    for number, said in enumerate(spoken(trained, found)):
        weights = slow_look(found, number, said.tolist(), TAPES)
        gold = [slot for slot, here in enumerate(found.evidence[number]) if here]
        ranks = [
            math.log2(
                1
                + sum(
                    1 / (1 + math.exp(-(math.log(weights[other]) - math.log(weights[slot])) / SOFTNESS))
                    for other in range(len(weights))
                    if other not in gold
                )
            )
            for slot in gold
        ]
        departure = sum(value**2 for one in said.tolist() for value in one) / trained.shape.heads
        losses.append(sum(ranks) / len(gold) + PRICE * departure)
    return sum(losses) / len(losses)


def learner(trained: TrainedHead) -> Learner:
    """Return a learner that stands where a head does."""
    return Learner(trained.shape, trained.weights, Standard(trained.mean, trained.deviation), BASE, PRICE)


@pytest.mark.parametrize("heads", [1, 2])
def test_the_loss_is_the_mean_logarithm_of_the_evidences_ranks(heads: int) -> None:
    """A question with several memories to find has the mean of theirs; departing from the default has its price."""
    found = scene(1, questions=6, size=14, tapes=TAPES)
    found.evidence[0, :3] = True
    trained = head(2, heads=heads)
    assert learner(trained).loss([found]) == pytest.approx(slow_loss(trained, found), rel=1e-4)


def test_a_kind_weighs_as_much_as_any_other_however_many_questions_it_has() -> None:
    """The loss is the mean of the kinds' means."""
    trained = head(2)
    few, many = scene(1, questions=2, kind="few"), [scene(seed, kind="many", answer=0) for seed in (2, 3)]
    expected = (learner(trained).loss([few]) + learner(trained).loss(many)) / 2
    assert learner(trained).loss([few, *many]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("heads", [1, 3])
def test_a_head_looks_where_slow_loops_look(heads: int) -> None:
    """In the measure of its scale."""
    found, trained = scene(3, questions=4, size=14, tapes=TAPES), head(4, heads=heads, scale=0.5)
    looked = weights_of(trained, found, BASE)
    for number, said in enumerate(0.5 * spoken(trained, found)):
        assert looked[number] == pytest.approx(slow_look(found, number, said.tolist(), TAPES), rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("kind", ["linear", "feedforward", "lstm"])
def test_a_scale_of_0_is_the_default_head_whatever_was_learnt(kind: str) -> None:
    """To the last digit."""
    found = scene(5, questions=5)
    silent = head(6, kind)
    silent = TrainedHead(
        shape=silent.shape,
        weights={name: np.zeros_like(values) for name, values in silent.weights.items()},
        mean=silent.mean,
        deviation=silent.deviation,
        scale=1.0,
        encoder="hashed",
    )
    np.testing.assert_array_equal(weights_of(head(7, kind), found, BASE, 0.0), weights_of(silent, found, BASE))
    assert not np.array_equal(weights_of(head(7, kind), found, BASE), weights_of(silent, found, BASE))


@pytest.mark.parametrize("kind", ["linear", "feedforward", "lstm"])
def test_a_trained_head_looks_in_the_memory_where_it_looked_in_training(kind: str, hashed: HashedEncoder) -> None:
    """What is learnt from a scene is what a search does."""
    trained, questions = head(8, kind, heads=2), ["who keeps goats?", "how long does it rise?"]
    items = [{"content": text, "session": session} for session, text in CHATS]
    with NTMMemoryManager(MemoryStore(), hashed, Settings(), clock=lambda: EPOCH) as memory:
        memory.memorize_many(items, progress=False)
        slots = np.ones((len(questions), len(items)), bool)
        examined = [memory.examine(text) for text in questions]
        found = scene_of("chats", examined, list(slots), [len(items)] * len(questions))
        assert found is not None
        memory.use_head(trained)
        looked = weights_of(trained, found, memory.settings.addressing.head)
        for text, weights in zip(questions, looked, strict=True):
            seen = memory.attention(text)
            by_slot = {record.slot: weight for record, weight in zip(seen.records, seen.shifted, strict=True)}
            assert by_slot == pytest.approx(dict(enumerate(weights.tolist())), rel=1e-4)


def test_a_batch_for_an_lstm_is_chats_of_eight_questions() -> None:
    """What was asked in one chat is forgotten in the next."""
    trained = head(9, "lstm")
    inputs = np.random.default_rng(0).normal(0, 1, (CHAT + 3, trained.shape.inputs)).astype(np.float32)

    def said(some: np.ndarray) -> np.ndarray:
        spoken_so_far: np.ndarray = in_chats(
            lambda x, state: forward(trained.shape, trained.weights, x, state), some, np
        )
        return spoken_so_far

    whole = said(inputs)
    np.testing.assert_array_equal(whole[CHAT:], said(inputs[CHAT:]))
    assert not np.allclose(whole[1], said(inputs[1:2])[0])
