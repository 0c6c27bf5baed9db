"""Training: what is learnt, by which questions it is judged, and when it is refused or given up."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch

from ntm_memory_skill.errors import InvalidArgument, TrainingDiverged
from ntm_memory_skill.memnet.machine import MemoryNetwork, build
from ntm_memory_skill.memnet.settings import NetworkSettings
from ntm_memory_skill.memnet.stories import Questions, Story, Vocabulary
from ntm_memory_skill.memnet.training import Check, Trainer, TrainingSettings, hold_back, judge

PEOPLE, PLACES, THINGS = ("ann", "bob", "cem"), ("home", "park", "shop"), ("cup", "pen")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def two_fact_stories() -> list[Story]:
    """Return every story in which one person has a thing, two are somewhere, and the thing's place is asked for."""
    stories = []
    for (holder, other), thing, (here, there) in itertools.product(
        itertools.permutations(PEOPLE, 2), THINGS, itertools.permutations(PLACES, 2)
    ):
        facts = ((holder, "has", thing), (holder, "at", here), (other, "at", there))
        stories += [Story(order, ("where", thing), here) for order in itertools.permutations(facts)]
    return stories


def keyed(story: Story) -> Story:
    """Return the story as pairs: a thing leads to who has it, a person to where they are."""
    pairs = [(last, first) if middle == "has" else (first, last) for first, middle, last in story.sentences]
    keys, values = zip(*(((key,), (value,)) for key, value in pairs), strict=True)
    return Story(keys, story.question, story.answer, values)


STORIES = two_fact_stories()
THOROUGH: dict[str, Any] = {"starts": 3, "epochs": 30, "linear_epochs": 10, "linear_patience": 100}
VOCABULARY = Vocabulary.of(STORIES)


def trainer(stories: list[Story] | None = None, network: dict[str, Any] | None = None, **settings: Any) -> Trainer:
    """Return a tiny network to be trained on stories, of which each eighth is held back."""
    chosen = STORIES if stories is None else stories
    learnt = [story for number, story in enumerate(chosen) if number % 8]
    sizes: dict[str, Any] = {"words": len(VOCABULARY), "dimension": 16, "hops": 2, "capacity": 3}
    sizes |= {"encoding": "bag", "temporal": False, "noise": 0.0}
    return Trainer(
        Questions(learnt, VOCABULARY, 3),
        Questions(chosen[::8], VOCABULARY, 3),
        NetworkSettings(**{**sizes, **(network or {})}),
        TrainingSettings(**{"epochs": 3, "linear_epochs": 1, "learning_rate": 0.02, **settings}),
    )


def curve(run: Trainer) -> list[Check]:
    """Return all checks."""
    return list(run.run())


class TestLearning:
    """What a run does to a network."""

    @pytest.mark.parametrize("network", [{}, {"tying": "layer-wise"}, {"temporal": True}])
    def test_two_facts_are_learnt(self, network: dict[str, Any]) -> None:
        """All stories held back are answered; naming one of the two places would be right in half of them."""
        run = trainer(network=network, **THOROUGH)
        curve(run)
        assert run.best is not None
        assert run.best.held_back_error == 0

    def test_two_facts_are_learnt_from_keys_and_values(self) -> None:
        """Who and what lead to the thing, who alone to the place."""
        run = trainer([keyed(story) for story in STORIES], {"kind": "key-value"}, **THOROUGH)
        curve(run)
        assert run.best is not None
        assert run.best.held_back_error == 0

    def test_one_hop_is_not_enough_for_two_facts(self) -> None:
        """So that the task does ask for what it is named after."""
        run = trainer(network={"hops": 1}, **THOROUGH)
        curve(run)
        assert run.best is not None
        assert run.best.held_back_error > 0.3

    def test_seeds_repeat(self) -> None:
        """The same curve and weights, noise and dropout included; another seed gives others."""
        noisy = {"noise": 0.3, "dropout": 0.2, "capacity": 6}
        first, again, other = (trainer(network=noisy, seed=seed) for seed in (1, 1, 2))
        curves = [curve(first), curve(again), curve(other)]
        assert curves[0] == curves[1] != curves[2]
        assert torch.equal(first.network.embeddings, again.network.embeddings)

    def test_the_best_weights_are_kept(self) -> None:
        """Those of the check with the fewest held-back questions wrong, whatever came after."""
        run = trainer(epochs=12, learning_rate=0.05)
        checks = [check for check in run.run() if not check.linear]
        assert run.best == min(checks, key=lambda check: (check.held_back_error, check.held_back_loss))
        verdict = judge(run.network, run.held_back)
        assert verdict.error == run.best.held_back_error
        assert verdict.loss == pytest.approx(run.best.held_back_loss)

    def test_the_best_of_several_starts_is_kept(self) -> None:
        """Each start is what a run with its seed alone is."""
        run = trainer(starts=3, seed=4, epochs=4)
        checks = curve(run)
        assert [check.start for check in checks] == [0] * 4 + [1] * 4 + [2] * 4
        alone = [trainer(seed=seed, epochs=4) for seed in (4, 5, 6)]
        curves = [check._replace(start=number) for number, each in enumerate(alone) for check in each.run()]
        assert checks == curves
        assert run.best is not None
        assert run.best.held_back_error == min(each.best.held_back_error for each in alone if each.best is not None)

    def test_an_epoch_learns_from_each_question_once(self) -> None:
        """As many updates as there are batches, the last one smaller."""
        checks = curve(trainer(batch=100))
        assert [check.update for check in checks] == [4, 8, 12]
        assert len(STORIES) - len(STORIES[::8]) == 378

    def test_long_gradients_are_cut(self) -> None:
        """With next to no gradient let through, Adam's first steps are smaller than its learning rate."""
        run = trainer(clip=1e-12, epochs=1, linear_epochs=0)
        before = run.network.embeddings.detach().clone()
        curve(run)
        assert (run.network.embeddings - before).abs().max().item() < 0.01


class TestLinearStart:
    """Hops without a softmax at first."""

    def test_it_ends_after_the_set_epochs(self) -> None:
        """However well the loss falls."""
        linear = [check.linear for check in trainer(epochs=4, linear_epochs=2, linear_patience=100).run()]
        assert linear == [True, True, False, False]

    def test_it_ends_when_the_held_back_loss_stops_falling(self) -> None:
        """After as many epochs in a row as patience lasts."""
        other = {"home": "park", "park": "shop", "shop": "home"}  # what is judged by is the opposite of what is learnt
        stories = [
            story if number % 8 else Story(story.sentences, story.question, other[story.answer])
            for number, story in enumerate(STORIES)
        ]
        run = trainer(stories, epochs=30, linear_epochs=29, linear_patience=2)
        checks = [check for check in run.run() if check.linear]
        lowest = min(range(len(checks)), key=lambda number: checks[number].held_back_loss)
        assert len(checks) < 29
        assert len(checks) - 1 - lowest == 2

    def test_a_linear_network_is_never_the_best(self) -> None:
        """Its answers are not those that the network gives."""
        run = trainer(epochs=2, linear_epochs=2)
        curve(run)
        assert run.best is None

    def test_none_is_none(self) -> None:
        """With no epochs of it, the first one has a softmax."""
        assert not any(check.linear for check in trainer(linear_epochs=0).run())


class TestJudging:
    """Questions that nothing is learnt from."""

    def test_an_answer_never_seen_is_wrong(self) -> None:
        """And has no part in the loss."""
        network = build(NetworkSettings(words=len(VOCABULARY), dimension=4))
        known, unknown = STORIES[0], Story(STORIES[0].sentences, STORIES[0].question, "nowhere")
        alone = judge(network, Questions([known], VOCABULARY, 3))
        both = judge(network, Questions([known, unknown], VOCABULARY, 3))
        assert both.wrong[1]
        assert both.loss == pytest.approx(alone.loss)
        assert judge(network, Questions([unknown], VOCABULARY, 3)).loss == 0

    def test_verdicts_stand_in_the_order_of_the_questions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Though they are answered by length, a few at a time."""
        stories = [
            Story(story.sentences[: 1 + number % 3], *_asked(story)) for number, story in enumerate(STORIES[:50])
        ]
        network = build(NetworkSettings(words=len(VOCABULARY), dimension=4, spread=1.0), seed=3)
        whole = judge(network, Questions(stories, VOCABULARY, 3)).wrong
        monkeypatch.setattr("ntm_memory_skill.memnet.training.AT_ONCE", 7)
        assert torch.equal(judge(network, Questions(stories, VOCABULARY, 3)).wrong, whole)
        each = [bool(judge(network, Questions([story], VOCABULARY, 3)).wrong) for story in stories]
        assert whole.tolist() == each

    def test_groups_are_held_back_whole(self) -> None:
        """A tenth of 40 groups, the same ones for the same seed, others for another."""
        groups = [number // 5 for number in range(200)]
        held = hold_back(groups, seed=0)
        chosen = {group for group, back in zip(groups, held.tolist(), strict=True) if back}
        assert len(chosen) == 4
        assert int(held.sum()) == 20
        assert torch.equal(held, hold_back(groups, seed=0))
        assert not torch.equal(held, hold_back(groups, seed=1))

    @pytest.mark.parametrize(("groups", "share"), [([1, 1, 1], 0.5), ([], 0.1), ([1, 2], 0.0), ([1, 2], 1.0)])
    def test_a_side_without_groups_is_refused(self, groups: list[int], share: float) -> None:
        """There has to be one to learn from and one to judge by."""
        with pytest.raises(InvalidArgument):
            hold_back(groups, seed=0, share=share)


class TestRefusals:
    """What cannot be trained."""

    def test_a_loss_that_is_no_number_ends_the_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With TrainingDiverged, before the weights are changed by it."""

        def broken(settings: NetworkSettings, seed: int = 0) -> MemoryNetwork:
            network = build(settings, seed)
            with torch.no_grad():
                network.embeddings.fill_(math.nan)
            return network

        run = trainer()
        monkeypatch.setattr("ntm_memory_skill.memnet.training.build", broken)
        with pytest.raises(TrainingDiverged):
            curve(run)
        assert bool(torch.isfinite(run.network.embeddings).all())

    def test_an_answer_to_learn_that_is_not_in_the_vocabulary_is_refused(self) -> None:
        """Held back, it is only wrong."""
        strange = Story(STORIES[0].sentences, STORIES[0].question, "nowhere")
        trainer([strange, *STORIES[1:]])
        with pytest.raises(InvalidArgument):
            trainer([STORIES[0], strange, *STORIES[2:]])

    @pytest.mark.parametrize("network", [{"capacity": 2}, {"words": len(VOCABULARY) + 1}])
    def test_a_network_that_does_not_fit_is_refused(self, network: dict[str, Any]) -> None:
        """Too few memories, or other words."""
        with pytest.raises(InvalidArgument):
            trainer(network=network)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"seed": -1},
            {"starts": 0},
            {"epochs": 0},
            {"epochs": 1.5},
            {"batch": True},
            {"learning_rate": 0.0},
            {"learning_rate": math.nan},
            {"decay": -0.1},
            {"clip": 0},
            {"clip": math.inf},
            {"linear_epochs": -1},
            {"linear_patience": 0},
        ],
    )
    def test_settings_out_of_range_are_refused(self, wrong: dict[str, Any]) -> None:
        """Each by itself."""
        with pytest.raises(InvalidArgument):
            TrainingSettings(**wrong)

    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        """Three faults are three parts of one message."""
        with pytest.raises(InvalidArgument) as caught:
            TrainingSettings(epochs=0, decay=2.0, clip=-1.0)
        assert len(caught.value.message.split("; ")) == 3


def _asked(story: Story) -> tuple[tuple[str, ...], str]:
    return story.question, story.answer
