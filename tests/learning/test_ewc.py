"""Elastic weight consolidation: what was learnt stays, what comes is learnt, and what is held is computed right."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.engine import AddressingSettings, TrainedHead
from ntm_memory_skill.errors import InvalidArgument, UnusableHead
from ntm_memory_skill.hosts.cli import train as command
from ntm_memory_skill.learning import Scene, Trained, TrainingSettings, train
from ntm_memory_skill.learning.ewc import FADING, Anchor, anchored, penalty, remembered
from ntm_memory_skill.learning.fitting import CHAT, CHECK_EVERY, Learner, Standard
from tests.hosts.command_line import run_here
from tests.learning.made_up import BASE, VARYING, head, scene

QUICK = TrainingSettings(learning_rate=0.02, steps=3 * CHECK_EVERY, consolidation=300.0)
FREE = replace(QUICK, consolidation=0.0)
SHORT = replace(QUICK, steps=CHECK_EVERY)
PRICE = 0.05
STEP = 1e-2  # of a numeric gradient, in float32


def chats(first: int, *, kind: str, answer: int, told: int) -> list[Scene]:
    """Return four chats whose answers stand so many places behind the match; one of the statistics tells the kind."""
    scenes = [scene(seed, questions=8, size=20, answer=answer, kind=kind) for seed in range(first, first + 4)]
    for each in scenes:
        each.statistics[:, VARYING + told] = 3.0
    return scenes


def old(first: int = 0) -> list[Scene]:
    """Return chats of the kind that comes first."""
    return chats(first, kind="old", answer=2, told=0)


def new(first: int = 40) -> list[Scene]:
    """Return chats of the kind that comes next, whose rule is another."""
    return chats(first, kind="new", answer=1, told=1)


def trained(scenes: Sequence[Scene], how: TrainingSettings, start: TrainedHead | None = None) -> Trained:
    """Train on scenes, from a head where there is one."""
    if start is not None:
        how = replace(how, initialization="learned", start=start)
    return train(scenes, AddressingSettings(), "hashed", how)


def learner(of: TrainedHead, *, price: float = 0.0, anchor: Anchor | None = None) -> Learner:
    """Return a learner that stands where a head does."""
    return Learner(of.shape, of.weights, Standard(of.mean, of.deviation), BASE, price, anchor)


def loss(of: TrainedHead, scenes: Sequence[Scene]) -> float:
    """Return what a head loses on scenes, departing from the default in full."""
    return learner(of).loss(scenes)


@pytest.fixture(scope="module")
def first() -> TrainedHead:
    """What was learnt from the old chats."""
    return trained(old(), QUICK).head


@pytest.fixture(scope="module")
def free(first: TrainedHead) -> TrainedHead:
    """The same after the new chats, held by nothing."""
    return trained(new(), FREE, first).head


@pytest.fixture(scope="module")
def held(first: TrainedHead) -> TrainedHead:
    """The same after the new chats, held to what was learnt."""
    return trained(new(), QUICK, first).head


class TestForgetting:
    """One kind after the other; the old chats are not there any more when the new ones come."""

    def test_without_consolidation_what_was_learnt_is_lost(self, first: TrainedHead, free: TrainedHead) -> None:
        """On chats that no head has seen."""
        assert loss(first, old(20)) < 0.1
        assert loss(free, old(20)) > 0.25
        assert loss(free, new(60)) < 0.1

    def test_with_consolidation_it_stays_and_what_comes_is_learnt(self, first: TrainedHead, held: TrainedHead) -> None:
        """The loss on the old stays near what it was; the new is learnt as without it."""
        assert loss(first, new(60)) > 1
        assert loss(held, old(20)) < 0.1
        assert loss(held, new(60)) < 0.1

    @pytest.mark.parametrize("bound", [0.1, 0.6])
    def test_what_is_held_departs_no_further_from_the_default(
        self, bound: float, first: TrainedHead, free: TrainedHead
    ) -> None:
        """What the old questions would lose by that, the new ones cannot tell; one that is free departs further."""
        after = trained(new(), QUICK, replace(first, scale=bound))
        assert after.head.scale <= bound < free.scale
        assert after.unscaled[0].gain >= after.table[0].gain

    def test_three_kinds_in_a_row_are_kept(self, held: TrainedHead) -> None:
        """What is held is all that was learnt, not only the last of it."""
        third = chats(80, kind="third", answer=0, told=2)
        after, without = trained(third, QUICK, held).head, trained(third, FREE, held).head
        assert loss(after, old(20)) < 0.1 < loss(without, old(20))
        assert loss(after, new(60)) < 0.1 < loss(without, new(60))
        assert loss(after, third) < 0.1

    def test_kinds_and_measures_of_before_are_kept(self, first: TrainedHead, held: TrainedHead) -> None:
        """So that it still departs in the old memories, and weights mean what they meant."""
        assert held.known.tolist() == [*first.known.tolist(), *trained(new(), SHORT).head.known.tolist()]
        np.testing.assert_array_equal(held.mean, first.mean)
        np.testing.assert_array_equal(held.deviation, first.deviation)

    def test_a_head_that_kept_no_fisher_information_goes_on_as_before(self, first: TrainedHead) -> None:
        """To the last digit; from then on it has some."""
        after = trained(new(), SHORT, replace(first, fisher={})).head
        for name, values in trained(new(), replace(SHORT, consolidation=0.0), first).head.weights.items():
            np.testing.assert_array_equal(after.weights[name], values)
        assert after.fisher

    def test_a_start_that_is_not_gone_on_from_holds_nothing(self, first: TrainedHead) -> None:
        """Training afresh is training afresh."""
        afresh = trained(new(), replace(SHORT, start=first)).head
        for name, values in trained(new(), SHORT).head.weights.items():
            np.testing.assert_array_equal(afresh.weights[name], values)


def numeric(of: TrainedHead, found: Scene, name: str, place: tuple[int, ...]) -> list[float]:
    """Return how each question's loss changes with one weight: each asked by itself, in its place of its chat."""
    slopes = []
    for number in range(len(found)):
        asked = list(range(number - number % CHAT, number + 1))
        sums = []
        for sign in (1, -1):
            moved = {each: values.copy() for each, values in of.weights.items()}
            moved[name][place] += sign * STEP
            apart = learner(replace(of, weights=moved), price=PRICE)
            whole = len(asked) * apart.loss([found.only(asked)])
            before = (len(asked) - 1) * apart.loss([found.only(asked[:-1])]) if asked[:-1] else 0.0
            sums.append(whole - before)
        slopes.append((sums[0] - sums[1]) / (2 * STEP))
    return slopes


class TestFisher:
    """How much the loss depends on each weight."""

    @pytest.mark.parametrize("kind", ["linear", "feedforward", "lstm"])
    def test_it_is_the_mean_squared_gradient_of_the_questions_losses(self, kind: str) -> None:
        """Against gradients taken numerically, question by question; each kind has the same say."""
        of = head(3, kind)
        many = [scene(1, questions=CHAT + 2, size=14, kind="many")]
        few = [scene(2, questions=3, size=14, kind="few", answer=0)]
        fisher = learner(of, price=PRICE).fisher([*many, *few])
        rng = np.random.default_rng(4)
        for name, values in of.weights.items():
            assert fisher[name].shape == values.shape
            strongest = np.unravel_index(int(np.argmax(fisher[name])), values.shape)
            drawn = tuple(int(rng.integers(0, size)) for size in values.shape)
            for place in (tuple(map(int, strongest)), drawn):
                means = [np.mean(np.square(numeric(of, found, name, place))) for found in (many[0], few[0])]
                assert fisher[name][place] == pytest.approx(np.mean(means), rel=0.05, abs=1e-4)

    def test_a_weight_that_no_question_feels_is_free(self) -> None:
        """The rows of the other statistics are not."""
        of, found = head(3), scene(1, questions=6, size=14)
        found.statistics[:, 7] = of.mean[7]
        fisher = learner(of).fisher([found])
        assert not fisher["W"][7].any()
        assert fisher["W"][8].any()

    def test_the_anchor_has_no_part_in_it(self, first: TrainedHead, held: TrainedHead) -> None:
        """Else what holds would hold itself."""
        anchor = anchored(first, 300.0)
        plain, anchored_too = learner(held).fisher(new()), learner(held, anchor=anchor).fisher(new())
        for name, values in plain.items():
            np.testing.assert_array_equal(values, anchored_too[name])

    def test_what_was_kept_fades_and_what_came_is_added(self, first: TrainedHead, held: TrainedHead) -> None:
        """Of the head that was gone on from, and of the new questions at the new weights."""
        came = learner(held, price=QUICK.price).fisher(new())
        for name, values in held.fisher.items():
            np.testing.assert_allclose(values, FADING * first.fisher[name] + came[name], rtol=1e-5, atol=1e-9)

    def test_the_same_questions_again_and_again_hold_no_faster_than_a_bound(self) -> None:
        """1 / (1 − γ) times as much as once."""
        once = {"b": np.ones(3, np.float32)}
        kept: dict[str, np.ndarray] = {}
        for _ in range(200):
            kept = remembered(kept, once)
        np.testing.assert_allclose(kept["b"], 1 / (1 - FADING), rtol=1e-4)


class TestPenalty:
    """What departing from an anchor costs."""

    @given(st.integers(0, 99), st.floats(0.1, 1e3))
    @settings(max_examples=20, deadline=None)
    def test_it_is_what_a_loop_over_all_weights_sums_up(self, seed: int, strength: float) -> None:
        """Half of λ, the Fisher information, the squared difference."""
        start, now = head(seed), head(seed + 1)
        fisher = {name: np.square(values) for name, values in head(seed + 2).weights.items()}
        expected = 0.0
        for name, values in now.weights.items():
            rows = zip(values.flat, start.weights[name].flat, fisher[name].flat, strict=True)
            expected += sum(strength / 2 * float(f) * (float(a) - float(b)) ** 2 for a, b, f in rows)
        anchor = Anchor(start.weights, fisher, strength, 1.0)
        assert float(penalty(now.weights, anchor, np.asarray)) == pytest.approx(expected, rel=1e-4)
        assert float(penalty(start.weights, anchor, np.asarray)) == 0

    def test_it_is_a_part_of_the_loss(self, first: TrainedHead, held: TrainedHead) -> None:
        """So that it has its say in how many steps are taken."""
        anchor = anchored(first, 300.0)
        assert anchor is not None
        more = learner(held, anchor=anchor).loss(new()) - learner(held).loss(new())
        assert more == pytest.approx(float(penalty(held.weights, anchor, np.asarray)), rel=1e-4)
        assert more > 0

    def test_nothing_holds_without_something_to_hold(self, first: TrainedHead) -> None:
        """Each is needed."""
        assert anchored(first, 1.0) is not None
        assert anchored(None, 1.0) is None
        assert anchored(replace(first, fisher={}), 1.0) is None
        assert anchored(first, 0.0) is None
        assert anchored(replace(first, scale=0.0), 1.0) is None


Document = dict[str, Any]

DAMAGE: dict[str, Callable[[Document], object]] = {
    "a weight missing": lambda fisher: fisher.pop("W"),
    "a weight too many": lambda fisher: fisher.update(V=[0.0]),
    "a row missing": lambda fisher: fisher["W"].pop(),
    "a number missing": lambda fisher: fisher["b"].pop(),
    "ragged rows": lambda fisher: fisher["W"][0].pop(),
    "negative": lambda fisher: fisher["b"].__setitem__(0, -1e-9),
    "not a number": lambda fisher: fisher["b"].__setitem__(0, float("nan")),
    "infinite": lambda fisher: fisher["b"].__setitem__(0, float("inf")),
    "a word": lambda fisher: fisher["b"].__setitem__(0, "much"),
}


class TestFile:
    """Fisher information is kept with the head."""

    def test_it_is_read_back_as_it_was_written(self, held: TrainedHead) -> None:
        """Every number to the last bit."""
        data = held.to_json()
        read = TrainedHead.from_json(data)
        assert read.fisher.keys() == held.fisher.keys()
        for name, values in held.fisher.items():
            np.testing.assert_array_equal(read.fisher[name], values)
            assert read.fisher[name].dtype == np.float32
        assert read.to_json() == data

    def test_a_head_of_before_is_read(self, held: TrainedHead) -> None:
        """It has none."""
        document = json.loads(held.to_json())
        del document["fisher"]
        read = TrainedHead.from_json(json.dumps(document).encode())
        assert read.fisher == {}
        assert read.to_json() == replace(held, fisher={}).to_json()

    @pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
    def test_what_is_no_fisher_information_of_this_head_is_refused(
        self, damage: Callable[[Document], object], held: TrainedHead
    ) -> None:
        """As a whole."""
        document = json.loads(held.to_json())
        damage(document["fisher"])
        with pytest.raises(UnusableHead):
            TrainedHead.from_json(json.dumps(document).encode())

    @pytest.mark.parametrize("fisher", [None, 5, "W", [1.0]])
    def test_what_is_no_fisher_information_at_all_is_refused(self, fisher: object, held: TrainedHead) -> None:
        """It is numbers by the names of the weights."""
        document = json.loads(held.to_json()) | {"fisher": fisher}
        with pytest.raises(UnusableHead):
            TrainedHead.from_json(json.dumps(document).encode())


class TestOption:
    """`ntm-memory train --consolidation`."""

    @pytest.mark.parametrize(
        ("said", "strength"), [(["--consolidation=7"], 7.0), ([], TrainingSettings().consolidation)]
    )
    def test_it_is_what_training_is_told(
        self, said: list[str], strength: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where nothing is said, the default."""
        told: list[TrainingSettings] = []

        def note(config: object, lessons: object, how: TrainingSettings, *, progress: object) -> None:
            told.append(how)
            raise InvalidArgument("that was all")

        monkeypatch.setattr(command, "run", note)
        assert run_here("--memory", tmp_path, "train", "mine.json", "--dry-run", *said, "--json").status == 1
        assert [how.consolidation for how in told] == [strength]

    @pytest.mark.parametrize("strength", ["-1", "nan", "inf"])
    def test_what_is_no_strength_is_refused(self, strength: str, tmp_path: Path) -> None:
        """Before anything is read."""
        said = ("--consolidation", strength)
        outcome = run_here("--memory", tmp_path, "train", "mine.json", "--dry-run", *said, "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert "consolidation" in outcome.out
