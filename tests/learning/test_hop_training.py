"""Training a hop policy: it learns what helps, is judged by what it was not trained on, and is kept only if it wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.engine.settings import ReasoningSettings
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.evaluation import Dataset, RememberingEncoder, parse
from ntm_memory_skill.learning import HopTrainingSettings, Journeys, TrainedHops, hop_training, journeys_of, train_hops
from ntm_memory_skill.learning.fitting import depth_of_evidence
from ntm_memory_skill.learning.hop_training import SCALES, halves, scaled
from ntm_memory_skill.learning.journeys import Lesson, answered
from ntm_memory_skill.learning.verdict import DEPTHS
from ntm_memory_skill.memnet.hops import HopPolicy
from ntm_memory_skill.memnet.trained import TrainedPolicy
from ntm_memory_skill.store import MemoryStore
from tests.engine.chains import CHAIN, QUESTION
from tests.engine.support import FACTS, plant
from tests.learning.misleading import LED_AWAY, misled

SETTINGS = Settings()
QUICK = HopTrainingSettings(steps=20, learning_rate=0.1)


@pytest.fixture(scope="module")
def encoder() -> RememberingEncoder:
    """One for all tests of this module."""
    return RememberingEncoder(HashedEncoder(64))


def journeys(encoder: RememberingEncoder, given: Sequence[Mapping[str, Any]], name: str = "misled.json") -> Journeys:
    """Return the journeys of a set in the product's own layout."""
    return journeys_of(parse(list(given), Path(name)), encoder, SETTINGS)


@pytest.fixture(scope="module")
def kind(encoder: RememberingEncoder) -> Journeys:
    """Questions in two chats, whose journeys lead away from half of the answer."""
    return journeys(encoder, misled(0))


@pytest.fixture(scope="module")
def trained(kind: Journeys, encoder: RememberingEncoder) -> TrainedHops:
    """What is learnt from them."""
    return train_hops([kind], encoder, SETTINGS, QUICK)


class TestJourneys:
    """What is learnt from."""

    def test_questions_that_are_read_once_are_left_out(self, encoder: RememberingEncoder) -> None:
        """So are those whose evidence the memory does not hold; the others keep their order."""
        (chat,) = parse(misled(1, chats=1, questions=3), Path("misled.json")).corpora
        first, second, third = chat.questions
        others = (replace(first, text="anchor?"), replace(first, evidence=frozenset(["nowhere"])))
        mixed = replace(chat, questions=(third, others[0], first, others[1], second))
        given = Dataset("mixed", "own", (mixed, replace(chat, questions=others), replace(chat, questions=(second,))))
        found = journeys_of(given, encoder, SETTINGS)
        assert found.asked == 8
        assert [corpus.questions for corpus in found.dataset.corpora] == [(third, first, second), (second,)]
        assert len(found.lessons) == 4
        assert found.groups == [0, 0, 0, 1]

    def test_evidence_is_where_the_memory_holds_it(self, kind: Journeys) -> None:
        """A new memory fills its slots in the order in which it is told things."""
        lessons = iter(kind.lessons)
        for corpus in kind.dataset.corpora:
            refs = [item["ref"] for item in corpus.items]
            for question in corpus.questions:
                lesson = next(lessons)
                assert lesson.evidence == tuple(sorted(refs.index(ref) for ref in question.evidence))
                assert lesson.itinerary.by_head.shape == (1, len(refs))

    def test_each_question_is_asked_with_its_own_policy(self, encoder: RememberingEncoder, kind: Journeys) -> None:
        """What is found is what a memory finds that has the policy as its own."""
        mute = TrainedPolicy(HopPolicy(words=0, joint=0, named=0, shared=0, linked=0), encoder.identity.name)
        places = range(len(kind.lessons))
        mixed = [mute if place % 2 else None for place in places]
        found = answered(
            kind, {"mute": [mute for _ in places], "none": [None for _ in places], "mixed": mixed}, encoder, SETTINGS
        )
        quiet = replace(SETTINGS, reasoning=ReasoningSettings(policy=mute.policy))
        apart = answered(kind, {"mute": [None for _ in places]}, encoder, quiet)
        np.testing.assert_array_equal(found["mute"], apart["mute"])
        assert not np.array_equal(found["mute"], found["none"])
        for place in places:
            expected = found["mute" if place % 2 else "none"][place]
            np.testing.assert_array_equal(found["mixed"][place], expected)
        assert found["none"].shape == (len(kind.lessons), len(DEPTHS))


@pytest.mark.parametrize("policy", [HopPolicy(), HopPolicy(words=0.6, joint=0.3, named=0.2, shared=0.4, linked=1.0)])
def test_what_is_minimised_is_what_the_memory_itself_does(policy: HopPolicy) -> None:
    """With two hops the chains are the same for every policy: so is the depth of the evidence, to rounding."""
    reasoning = ReasoningSettings(hops=2)
    with NTMMemoryManager(MemoryStore(), HashedEncoder(64), Settings(reasoning=reasoning)) as memory:
        plant(memory, (*FACTS, *CHAIN))
        taken = memory.travel(QUESTION)
        assert taken is not None
    itself = replace(Settings(), reasoning=replace(reasoning, policy=policy))
    with NTMMemoryManager(memory._live.store, HashedEncoder(64), itself) as other:
        looked = other.attention(QUESTION)
    evidence = [record.slot for record in looked.records if record.content in CHAIN[1:]]
    weights = np.zeros(len(looked.records), np.float32)
    weights[[record.slot for record in looked.records]] = looked.shifted
    mask = torch.zeros(1, len(weights), dtype=torch.bool)
    mask[0, evidence] = True
    expected = depth_of_evidence(torch.asarray(weights)[None], mask)
    lesson = hop_training._in_torch(Lesson(taken, tuple(evidence)))
    assert lesson.depth(torch.tensor(astuple(policy))).item() == pytest.approx(expected.item(), abs=1e-3)
    assert lesson.depth(torch.tensor(astuple(policy))).item() != pytest.approx(
        lesson.depth(torch.zeros(5)).item(), abs=1e-2
    )


class TestLearning:
    """What comes of it."""

    def test_it_learns_to_mind_misleading_names_less(self, kind: Journeys, trained: TrainedHops) -> None:
        """More of the evidence is found by questions that it was not trained on; the answer's words count for more."""
        assert trained.scale > 0
        (table,) = trained.table
        assert (table.kind, table.questions) == ("misled.json", len(kind.lessons))
        assert table.trained[2] > table.default[2] + 0.1
        assert trained.policy.policy.shared < HopPolicy().shared
        assert trained.policy.policy.words > HopPolicy().words
        assert trained.lost == ()

    def test_weights_that_nothing_depends_on_stay(self, trained: TrainedHops) -> None:
        """No memory here is linked with another, and none has a key that another names."""
        assert trained.policy.policy.linked == pytest.approx(HopPolicy().linked)
        assert trained.policy.policy.named == pytest.approx(HopPolicy().named)

    def test_it_is_for_the_encoder_and_tells_how_it_was_come_by(
        self, encoder: RememberingEncoder, kind: Journeys, trained: TrainedHops
    ) -> None:
        """In the file, for people."""
        assert trained.policy.encoder == encoder.identity.name
        report = trained.policy.report
        assert (report["questions"], report["scale"], report["steps"]) == (len(kind.lessons), trained.scale, 20)
        assert report["table"][0]["kind"] == "misled.json"
        assert TrainedPolicy.from_json(trained.policy.to_json()).policy == trained.policy.policy

    def test_the_same_seed_gives_the_same_policy(
        self, encoder: RememberingEncoder, kind: Journeys, trained: TrainedHops
    ) -> None:
        """To the last digit; and it is told how far it has come, never backwards, to the end."""
        told: list[tuple[int, int]] = []
        again = train_hops([kind], encoder, SETTINGS, QUICK, progress=lambda done, whole: told.append((done, whole)))
        assert again.policy == trained.policy
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]

    def test_a_small_scale_is_a_small_departure(self) -> None:
        """None at 0; weights keep their signs, and 0 stays 0."""
        start, theta = HopPolicy(shared=0.0, named=-1.0), np.asarray([1.0, -1.0, 2.0, 3.0, 0.0])
        assert scaled(start, theta, 0.0) == start
        half = scaled(start, theta, 0.5)
        assert half.words == pytest.approx(0.19 * np.exp(0.5))
        assert half.named == pytest.approx(-np.exp(1.0))
        assert half.shared == 0


class TestJudging:
    """What it is judged by."""

    def test_chats_are_dealt_whole_and_questions_of_one_chat_one_by_one(self, encoder: RememberingEncoder) -> None:
        """Each question once; either half has as many, give or take one."""
        several = journeys(encoder, misled(2, chats=3, questions=4))
        one = journeys(encoder, misled(3, chats=1, questions=9))
        for seed in range(5):
            of_several, of_one = halves([several, one], seed)
            by_chat = [set(of_several[4 * chat : 4 * chat + 4].tolist()) for chat in range(3)]
            assert all(len(each) == 1 for each in by_chat)
            assert set().union(*by_chat) == {0, 1}
            assert sorted(np.bincount(of_one).tolist()) == [4, 5]
        assert any(not np.array_equal(halves([one], seed)[0], halves([one], 0)[0]) for seed in range(1, 5))

    def test_no_question_is_asked_with_a_policy_that_saw_its_answer(
        self, encoder: RememberingEncoder, kind: Journeys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another answer to it changes the policies of the other half alone."""
        asked: list[list[TrainedPolicy | None]] = []

        def noted(of: Journeys, policies: Mapping[str, list[TrainedPolicy | None]], *given: Any, **how: Any) -> Any:
            asked.append(policies["1.0"])
            return answered(of, policies, *given, **how)

        monkeypatch.setattr(hop_training, "answered", noted)
        lesson = kind.lessons[0]
        wrong = next(slot for slot in range(lesson.itinerary.by_head.shape[1]) if slot not in lesson.evidence)
        other = replace(kind, lessons=(replace(lesson, evidence=(wrong,)), *kind.lessons[1:]))
        for each in (kind, other):
            train_hops([each], encoder, SETTINGS, replace(QUICK, steps=2))
        before, after = asked
        (sides,) = halves([kind], QUICK.seed)
        for place, side in enumerate(sides.tolist()):
            assert (before[place] == after[place]) is (side == sides.tolist()[0])

    def test_where_nothing_is_won_nothing_is_learnt(self, encoder: RememberingEncoder) -> None:
        """Questions that are answered at once: the policy is the configured one, and nothing was lost."""
        given = misled(4)
        for chat in given:
            for question in chat["questions"]:
                question["gold"] = question["gold"][:1]
        easy = journeys(encoder, given)
        result = train_hops([easy], encoder, SETTINGS, replace(QUICK, steps=2))
        assert result.scale == 0
        assert result.policy.policy == HopPolicy()
        assert result.table[0].gain == 0

    def test_a_gain_within_chance_is_no_win(
        self, encoder: RememberingEncoder, kind: Journeys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One question in twenty that comes out better is not enough; nearly all are."""

        def made(better: int) -> float:
            def found(of: Journeys, policies: Mapping[str, object], *_: object, **__: object) -> dict[str, Any]:
                rows = {name: np.full((len(of.lessons), len(DEPTHS)), 0.5) for name in policies}
                for scale in SCALES:
                    rows[str(scale)][:better] = 1.0
                return rows

            monkeypatch.setattr(hop_training, "answered", found)
            return train_hops([kind], encoder, SETTINGS, replace(QUICK, steps=1)).scale

        assert made(1) == 0
        assert made(18) > 0

    def test_one_that_is_worse_is_told_with_what_it_lost(
        self, encoder: RememberingEncoder, kind: Journeys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Shrunk to nothing, it is no worse; but what all of it would have lost is known."""

        def found(of: Journeys, policies: Mapping[str, object], *_: object, **__: object) -> dict[str, Any]:
            share = {name: 0.5 if name == "0.0" else 0.25 for name in policies}
            return {name: np.full((len(of.lessons), len(DEPTHS)), each) for name, each in share.items()}

        monkeypatch.setattr(hop_training, "answered", found)
        result = train_hops([kind], encoder, SETTINGS, replace(QUICK, steps=1))
        assert result.scale == 0
        assert [(each.kind, each.gain) for each in result.lost] == [("misled.json", -0.25)]

    @pytest.mark.parametrize("count", [0, 1, 9])
    def test_too_few_questions_are_refused(self, encoder: RememberingEncoder, count: int) -> None:
        """It says how many there were, and what to give."""
        few = journeys(encoder, misled(5, chats=1, questions=max(1, count)))
        some = replace(few, lessons=few.lessons[:count])
        with pytest.raises(InvalidArgument, match=str(count)) as caught:
            train_hops([some], encoder, SETTINGS, QUICK)
        assert "docs/reasoning.md" in (caught.value.hint or "")


def test_sets_lead_away_as_they_say() -> None:
    """What these tests stand on: each question's match shares a name with seven others, and with nothing else."""
    (chat,) = misled(0, chats=1, questions=4)
    texts = {each["ref"]: each["content"] for each in chat["memories"]}
    for number in range(4):
        names = texts[f"{number}-match"].partition(": ")[2].split(", ")
        assert len(names) == LED_AWAY
        for name in names:
            assert sum(name in text for text in texts.values()) == 2
