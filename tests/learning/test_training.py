"""Training: a rule that is in the data is learnt, and where there is none the default head stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.engine import AddressingSettings, TrainedHead
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.learning import Comparison, Scene, Trained, TrainingSettings, train
from ntm_memory_skill.learning.fitting import CHECK_EVERY
from ntm_memory_skill.learning.training import LEAST_QUESTIONS, chosen, deal
from ntm_memory_skill.learning.verdict import DEPTHS
from tests.learning.made_up import head, scene

ADDRESSING = AddressingSettings()
QUICK = TrainingSettings(learning_rate=0.02, steps=3 * CHECK_EVERY)
SHORT = replace(QUICK, steps=CHECK_EVERY)


def chats(count: int = 4, *, answer: int = 2, questions: int = 8) -> list[Scene]:
    """Return small chats in which the answer stands so many places after the match."""
    return [scene(seed, questions=questions, size=20, answer=answer) for seed in range(count)]


def trained(scenes: list[Scene], settings: TrainingSettings) -> Trained:
    """Train on scenes whose keys nobody made."""
    return train(scenes, ADDRESSING, "hashed", settings)


def figures(shares: float) -> tuple[float, ...]:
    """Return the same share at every depth."""
    return (shares,) * len(DEPTHS)


def compared(kind: str, default: float, after: float) -> Comparison:
    """Return a comparison of very many questions."""
    return Comparison(kind, 10_000, figures(default), figures(after), figures(0.0001))


@pytest.fixture(scope="module")
def learnt() -> Trained:
    """What a linear controller makes of four chats."""
    return trained(chats(), QUICK)


class TestRule:
    """What is in the data."""

    @pytest.mark.parametrize("heads", [1, 2])
    @pytest.mark.parametrize("controller", ["linear", "feedforward", "lstm"])
    def test_an_answer_that_always_stands_two_places_behind_the_match_is_learnt(
        self, controller: str, heads: int
    ) -> None:
        """The default head never has it first; the trained one has, of chats that it did not see."""
        got = trained(chats(), replace(QUICK, controller=controller, heads=heads))
        (table,) = got.table
        assert table.default[0] == 0
        assert table.trained[0] >= 0.6
        assert got.worse == ()
        assert got.head.scale > 0
        assert got.head.shape.heads == heads
        assert 0 < got.steps <= QUICK.steps

    def test_where_the_default_head_is_right_it_stands(self) -> None:
        """Nothing can be found earlier than first; nothing is lost."""
        got = trained(chats(answer=0), SHORT)
        (table,) = got.table
        assert table.default[0] == table.trained[0] == 1
        assert got.head.scale == 0

    def test_two_kinds_with_opposite_rules_are_both_judged(self) -> None:
        """A head that is better on one and worse on the other is none that may be installed."""
        scenes = chats() + [replace(each, kind="other") for each in chats(answer=0)]
        got = trained(scenes, SHORT)
        assert {each.kind for each in got.table} == {"chats", "other"}
        assert all(each.questions == 32 for each in got.table)
        assert got.worse == () or got.head.scale == 0


class TestReport:
    """What is known of a head."""

    def test_it_says_what_it_was_trained_on_and_how_it_did(self, learnt: Trained) -> None:
        """For people who find the file."""
        report = learnt.head.report
        assert (report["questions"], report["steps"], report["seed"]) == (32, learnt.steps, 0)
        (kind,) = report["table"]
        assert kind["kind"] == "chats"
        assert kind["trained"] == learnt.table[0].trained
        assert learnt.head.encoder == "hashed"

    def test_it_is_the_same_after_it_was_written_and_read(self, learnt: Trained) -> None:
        """All of it is in the JSON."""
        read = TrainedHead.from_json(learnt.head.to_json(), "hashed")
        assert read.to_json() == learnt.head.to_json()

    def test_progress_goes_up_to_all_steps_at_most(self) -> None:
        """Of all three courses together."""
        told: list[tuple[int, int]] = []
        train(chats(), ADDRESSING, "hashed", SHORT, progress=lambda done, total: told.append((done, total)))
        assert told == sorted(told)
        assert {total for _, total in told} == {3 * SHORT.steps}
        assert 2 * SHORT.steps <= told[-1][0] <= 3 * SHORT.steps


class TestStart:
    """What training starts from."""

    def test_the_same_seed_gives_the_same_head(self) -> None:
        """To the last digit; another seed another one."""
        heads = [trained(chats(), replace(SHORT, seed=seed)).head.to_json() for seed in (3, 3, 4)]
        assert heads[0] == heads[1] != heads[2]

    def test_learned_goes_on_from_what_was_learnt(self, learnt: Trained) -> None:
        """With no time to learn anything more, it is the same head; its statistics are measured as they were."""
        again = trained(chats(), replace(QUICK, initialization="learned", start=learnt.head, steps=1))
        for name, values in learnt.head.weights.items():
            np.testing.assert_array_equal(again.head.weights[name], values)
        np.testing.assert_array_equal(again.head.mean, learnt.head.mean)
        np.testing.assert_array_equal(again.head.deviation, learnt.head.deviation)
        assert again.head.scale > 0
        assert again.table[0].trained[0] >= 0.6

    def test_where_nothing_was_learnt_learned_starts_at_random(self) -> None:
        """As small_random does."""
        afresh = trained(chats(), replace(SHORT, initialization="learned"))
        assert afresh.head.to_json() == trained(chats(), SHORT).head.to_json()

    @pytest.mark.parametrize("start", [head(1, heads=2), head(1, "lstm")], ids=["heads", "controller"])
    def test_what_was_learnt_by_another_kind_of_head_is_refused(self, start: TrainedHead) -> None:
        """Its weights would mean nothing here."""
        with pytest.raises(InvalidArgument):
            trained(chats(), replace(QUICK, initialization="learned", start=start))

    def test_a_start_at_random_is_nothing_learnt(self) -> None:
        """A head without a single step that helped is the default one."""
        got = trained(chats(), replace(QUICK, steps=1))
        assert (got.steps, got.head.scale) == (0, 0)

    def test_constant_starts_at_the_default_head(self) -> None:
        """All of it is zero until it has learnt something."""
        got = trained(chats(), replace(QUICK, initialization="constant", steps=1))
        assert all(not values.any() for values in got.head.weights.values())


class TestFolds:
    """Every question is left out once."""

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), min_size=1, max_size=8), st.integers(0, 5))
    def test_every_question_is_in_exactly_one_fold(self, sizes: list[tuple[str, int]], seed: int) -> None:
        """However many scenes a kind has, and questions a scene."""
        scenes = [scene(1, questions=count, size=12, kind=kind) for kind, count in sizes]
        numbers = iter(range(10_000))
        for each in scenes:
            each.wanted[:] = [next(numbers) for _ in range(len(each))]
        dealt = [(each.kind, int(number)) for fold in deal(scenes, seed) for each in fold for number in each.wanted]
        assert Counter(dealt) == Counter((each.kind, int(number)) for each in scenes for number in each.wanted)

    @given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 5))
    def test_a_scene_is_in_one_fold_where_its_kind_has_several(self, sizes: list[int], seed: int) -> None:
        """Questions over the same chat are too much alike to judge by; a kind with one chat is split."""
        scenes = [scene(1, questions=count, size=12) for count in sizes]
        folds = deal(scenes, seed)
        if len(scenes) > 1:
            assert Counter(id(each) for fold in folds for each in fold) == Counter(id(each) for each in scenes)
            assert abs(len(folds[0]) - len(folds[1])) <= 1
        else:
            assert abs(sum(map(len, folds[0])) - sum(map(len, folds[1]))) <= 1

    def test_kinds_with_a_single_question_are_shared_out(self) -> None:
        """No fold is left without anything to learn from."""
        scenes = [scene(seed, questions=1, size=12, kind=str(seed)) for seed in range(LEAST_QUESTIONS)]
        assert [len(fold) for fold in deal(scenes, 0)] == [LEAST_QUESTIONS // 2] * 2
        assert trained(scenes, SHORT).head.report["questions"] == LEAST_QUESTIONS


class TestRefusals:
    """What cannot be learnt from."""

    def test_too_few_questions_are_refused(self) -> None:
        """One more would have been taken."""
        few = chats(1, questions=LEAST_QUESTIONS - 1)
        with pytest.raises(InvalidArgument):
            trained(few, SHORT)
        with pytest.raises(InvalidArgument):
            trained([], SHORT)
        assert trained(chats(1, questions=LEAST_QUESTIONS), SHORT).table


class TestScale:
    """How far a head may depart from the default."""

    def test_the_scale_that_finds_most_is_taken(self) -> None:
        """Over kinds, each with the same say."""
        tables: dict[float, tuple[Comparison, ...]] = {
            0.0: (compared("a", 0.5, 0.5), compared("b", 0.5, 0.5)),
            0.5: (compared("a", 0.5, 0.7), compared("b", 0.5, 0.7)),
            1.0: (compared("a", 0.5, 0.8), compared("b", 0.5, 0.5)),
        }
        assert chosen(tables) == 0.5

    def test_a_scale_at_which_any_kind_loses_is_not_taken(self) -> None:
        """However much the others win; with no other left, it is the default head."""
        lost = (compared("a", 0.5, 0.9), compared("b", 0.5, 0.4))
        assert chosen({0.0: (compared("a", 0.5, 0.5), compared("b", 0.5, 0.5)), 0.25: lost, 1.0: lost}) == 0
        assert chosen({0.25: lost, 1.0: lost}) == 0

    def test_of_equal_ones_the_smaller_is_taken(self) -> None:
        """No departure without a gain."""
        same = (compared("a", 0.5, 0.6),)
        assert chosen({0.25: same, 0.5: same, 0.75: same}) == 0.25

    def test_a_head_that_was_shrunk_away_says_where_it_would_have_lost(self) -> None:
        """Of one that was not, only what it is counts."""
        before, lost = (compared("a", 0.5, 0.5),), (compared("a", 0.5, 0.3),)
        gone = Trained(head(1, scale=0.0), 20, before, lost)
        assert gone.worse == ("a",)
        assert gone.lost == lost
        assert Trained(head(1, scale=0.5), 20, before, lost).worse == ()
