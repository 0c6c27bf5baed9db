"""A run of training is a function of its settings; it knows when to go on, when to stop and what to keep."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pytest
import torch

from ntm_memory_skill.errors import InvalidArgument, TrainingDiverged
from ntm_memory_skill.ntm.machines import unroll
from ntm_memory_skill.ntm.tasks import Copy, Tracing
from ntm_memory_skill.ntm.training import Check, Trainer, TrainingSettings
from tests.ntm.training import tiny
from tests.ntm.training.tiny import Tiny


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def costing(monkeypatch: pytest.MonkeyPatch, *bits: float) -> None:
    """Let the held-back sequences cost this at one check after the other; the last goes on."""
    costs = list(bits)
    monkeypatch.setattr(Tiny, "bits", lambda *_: costs.pop(0) if len(costs) > 1 else costs[0])


def erring(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Let this share of bits be wrong, always."""
    monkeypatch.setattr(Tiny, "wrong", lambda *_: share)


class TestRun:
    """One run after the other."""

    def test_same_seed_gives_the_same_run(self) -> None:
        """Checks and weights to the last bit, whatever torch's own random numbers are; another seed, another run."""
        runs = []
        for own, seed in ((1, 5), (2, 5), (1, 6)):
            torch.manual_seed(own)
            run = tiny.trainer(seed=seed)
            runs.append((list(run.run()), tiny.weights(run)))
        assert runs[0][0] == runs[1][0]
        assert tiny.equal(runs[0][1], runs[1][1])
        assert runs[0][0] != runs[2][0]
        assert not tiny.equal(runs[0][1], runs[2][1])

    def test_layers_decay_and_biases_and_first_states_do_not(self) -> None:
        """Half of a layer's weight goes in an update at a learning rate of 1, where no gradient moves it besides."""
        run = tiny.trainer(learning_rate=1.0, decay=0.5)
        before = tiny.weights(run)
        for parameter in run.machine.parameters():
            parameter.grad = torch.zeros_like(parameter)
        run.optimizer.step()
        after = tiny.weights(run)
        layers = {"controller.V", "controller.U", "heads.emit.weight", "out.weight"}
        for name in dict(run.machine.named_parameters()):
            expected = before[name] * (0.5 if name in layers else 1)
            torch.testing.assert_close(after[name], expected, msg=name)

    def test_held_back_sequences_of_several_sizes_have_one_say_each(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A check's cost is the mean over the sizes, as is the share of wrong bits."""
        monkeypatch.setattr(Tiny, "held_back", ((1,), (3,), (5,)))
        monkeypatch.setattr(Tiny, "bits", lambda _, outputs, batch: float(len(batch.inputs)))
        monkeypatch.setattr(Tiny, "wrong", lambda _, outputs, batch: len(batch.inputs) / 100)
        check = next(tiny.trainer().run())
        assert check.bits == pytest.approx((3 + 7 + 11) / 3)
        assert check.wrong == pytest.approx(0.07)

    def test_torch_s_own_random_numbers_are_left_alone(self) -> None:
        """Whoever trains a machine finds them as they were."""
        torch.manual_seed(3)
        before = torch.random.get_rng_state()
        run = tiny.trainer()
        list(run.run())
        run.evaluate((5,), 2)
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_checks_tell_how_far_the_run_has_come(self) -> None:
        """Every two updates of four sequences, and at the end of the updates."""
        run = tiny.trainer(updates=5)
        checks = list(run.run())
        assert [(check.update, check.sequences, check.level) for check in checks] == [(2, 8, 1), (4, 16, 1), (5, 20, 1)]
        assert checks == run.checks
        assert all(math.isfinite(check.loss) and check.bits > 0 and 0 <= check.wrong <= 1 for check in checks)
        assert (run.update, run.finished, run.compiled) == (5, True, False)
        assert list(run.run()) == []

    def test_check_is_what_the_held_back_sequences_cost(self) -> None:
        """Those of the task's size, which the training's generator does not draw; the last machine is judged."""
        run = tiny.trainer()
        *_, last = run.run()
        (held_back,) = run._held_back
        assert held_back.inputs.shape[:2] == (7, 64)
        with torch.no_grad():
            outputs, _ = unroll(run.machine, held_back.inputs)
        assert run.task.bits(outputs, held_back) == pytest.approx(last.bits)
        assert run.task.wrong(outputs, held_back) == pytest.approx(last.wrong)

    def test_tiny_machine_learns_to_copy(self) -> None:
        """Within 400 updates it costs less than half of what it cost at the start."""
        run = Trainer(
            Tiny(),
            tiny.machine(hidden=24),
            tiny.training(batch=16, updates=400, check_every=50, learning_rate=0.01, first_level=2),
        )
        (held_back,) = run._held_back
        with torch.no_grad():
            start = run.task.bits(unroll(run.machine, held_back.inputs)[0], held_back)
        best = min(check.bits for check in run.run())
        assert start > 5
        assert best < start / 2

    @pytest.mark.parametrize("clip", [1e-6, 10.0])
    def test_gradients_are_no_longer_than_the_clip(self, clip: float) -> None:
        """After an update the gradients that it was made with are within it."""
        run = tiny.trainer(clip=clip)
        next(run.run())
        squares = [weight.grad.square().sum().item() for weight in run.machine.parameters() if weight.grad is not None]
        assert len(squares) == len(list(run.machine.parameters()))
        assert 0 < math.sqrt(sum(squares)) <= clip * (1 + 1e-3)


class TestLevels:
    """The curriculum."""

    def test_level_advances_when_the_error_has_fallen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It falls by a fiftieth of itself an update, from ½ to below 0.4 after 12. The next level starts anew."""
        erring(monkeypatch, 0.0)
        run = tiny.trainer(advance=0.4, updates=14, check_every=1)
        levels, errors = [], []
        for check in run.run():
            levels.append(check.level)
            errors.append(run.error)
        assert levels == [1] * 11 + [2] * 3
        assert errors[:11] == pytest.approx([0.5 * 0.98**n for n in range(1, 12)])
        assert errors[11:] == pytest.approx([0.5, 0.49, 0.4802])

    def test_hardest_level_is_the_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """There it stays, however small the error."""
        erring(monkeypatch, 0.0)
        run = tiny.trainer(advance=0.49, updates=12, check_every=1)
        assert max(check.level for check in run.run()) == 2
        assert run.error < 0.49

    def test_level_stays_while_the_error_is_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The running error goes towards what is found."""
        erring(monkeypatch, 0.6)
        run = tiny.trainer(advance=0.4, updates=20)
        assert {check.level for check in run.run()} == {1}
        assert run.error == pytest.approx(0.6 - 0.1 * 0.98**20)

    def test_sequences_are_those_of_the_level(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is drawn is asked for by the level as it stands."""
        levels = []
        original = Tiny.size

        def size(task: Tiny, rng: torch.Generator, level: int) -> tuple[int, ...]:
            levels.append(level)
            return original(task, rng, level)

        monkeypatch.setattr(Tiny, "size", size)
        erring(monkeypatch, 0.0)
        list(tiny.trainer(advance=0.4, updates=14).run())
        assert levels == [1] * 12 + [2] * 2

    @pytest.mark.parametrize("first", [1, 2])
    def test_run_starts_at_its_first_level(self, first: int) -> None:
        """Any that the task has."""
        assert next(tiny.trainer(first_level=first).run()).level == first


class TestRate:
    """The learning rate."""

    @pytest.mark.parametrize("last", [0.0, 0.1, 1.0])
    def test_learning_rate_falls_along_a_cosine_to_its_last_share(self, last: float) -> None:
        """From all of it at the first update, to halfway in the middle, towards the last share at the end."""
        run = tiny.trainer(learning_rate=0.01, last_rate=last, updates=40, check_every=1, first_level=Tiny.levels)
        rates = [run.optimizer.param_groups[0]["lr"] for _ in run.run()]
        expected = [0.01 * (last + (1 - last) * math.cos(math.pi * n / 80) ** 2) for n in range(40)]
        assert rates == pytest.approx(expected)
        assert rates[0] == pytest.approx(0.01)
        assert rates[20] == pytest.approx(0.01 * (1 + last) / 2)
        assert rates[-1] == pytest.approx(0.01 * last, abs=0.01 * 0.002)

    def test_learning_rate_stays_until_the_hardest_level(self) -> None:
        """It falls from the first check there, over the updates that are left then."""
        run = tiny.trainer(learning_rate=0.01, last_rate=0.0, updates=30, check_every=2, advance=0.0)
        rates = []
        for check in run.run():
            rates.append(run.optimizer.param_groups[0]["lr"])
            if check.update == 8:
                run.level = Tiny.levels  # the check at 10 is the first there
        expected = [0.01 * math.cos(math.pi * (n - 10) / 40) ** 2 for n in range(11, 30, 2)]
        assert rates[:5] == [0.01] * 5
        assert rates[5:] == pytest.approx(expected)


class TestStop:
    """When it is enough."""

    def test_solved_run_stops(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """At the first check that costs less than it may; exactly as much is not enough."""
        costing(monkeypatch, 3.0, 0.5, 0.4, 2.0)
        run = tiny.trainer(solved=0.5, updates=100)
        assert [check.bits for check in run.run()] == [3.0, 0.5, 0.4]
        assert run.solved
        assert run.finished

    def test_run_that_gets_no_better_stops_after_its_patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Three checks after the best one, at the hardest level; an equal cost is no better."""
        costing(monkeypatch, 3.0, 2.0, 2.0, 2.5, 2.0)
        run = tiny.trainer(first_level=2, patience=3, updates=100)
        assert [check.update for check in run.run()] == [2, 4, 6, 8, 10]
        assert run.best_check == run.checks[1]
        assert not run.solved

    def test_patience_is_endless_below_the_hardest_level(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The held-back sequences are of the hardest, so no progress is to be seen yet."""
        costing(monkeypatch, 2.0)
        assert len(list(tiny.trainer(patience=1, updates=12).run())) == 6

    def test_run_stops_when_its_updates_are_spent(self) -> None:
        """And at no other time, where it is neither solved nor stuck."""
        assert [check.update for check in tiny.trainer(updates=7, check_every=3).run()] == [3, 6, 7]

    def test_whoever_has_enough_stops_asking(self) -> None:
        """The run then stands at its last check, and can be gone on with."""
        run = tiny.trainer()
        first = next(run.run())
        assert run.checks == [first]
        assert not run.finished
        assert [first, *run.run()] == list(tiny.trainer().run())


class TestBest:
    """What is kept."""

    def test_best_weights_are_those_of_the_cheapest_check(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Later training does not change them."""
        costing(monkeypatch, 3.0, 1.0, 2.0, 4.0)
        run = tiny.trainer()
        kept = [tiny.weights(run) for _ in run.run()]
        assert run.best_check == run.checks[1]
        assert tiny.equal(run.best, kept[1])
        assert not tiny.equal(run.best, tiny.weights(run))
        assert tiny.equal(run.best, dict(run.best_machine().state_dict()))

    def test_harder_level_is_better_whatever_it_costs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine that has seen longer sequences is preferred."""
        costing(monkeypatch, 1.0, 1.0, 1.0, 9.0, 8.0)
        erring(monkeypatch, 0.0)
        run = tiny.trainer(advance=0.45, updates=10)
        assert [check.level for check in run.run()] == [1, 1, 2, 2, 2]
        assert run.best_check == run.checks[2]

    def test_evaluation_is_of_the_best_machine_on_sequences_of_its_own(self) -> None:
        """The same seed, the same sequences; the training goes on as if nothing had been asked."""
        run = tiny.trainer()
        next(run.run())
        found = run.evaluate((5,), 16, seed=1)
        assert found == run.evaluate((5,), 16, seed=1)
        assert found != run.evaluate((5,), 16, seed=2)
        with torch.no_grad():
            kept = run.machine.get_parameter("out.bias").clone()
            run.machine.get_parameter("out.bias").add_(5.0)
            assert found == run.evaluate((5,), 16, seed=1)
            run.machine.get_parameter("out.bias").copy_(kept)
        list(run.run())
        other = tiny.trainer()
        list(other.run())
        assert run.checks == other.checks

    def test_there_is_no_best_check_before_the_first(self) -> None:
        """The best weights are those that it starts with."""
        run = tiny.trainer()
        assert run.best_check is None
        assert (run.update, run.solved, run.finished) == (0, False, False)
        assert tiny.equal(run.best, tiny.weights(run))


def spoil(weights: Iterable[torch.nn.Parameter], _: float) -> None:
    """Let a gradient be no number, where it would be clipped."""
    for weight in weights:
        if weight.grad is not None:
            weight.grad.fill_(math.nan)


class TestDivergence:
    """A loss that is no number."""

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_loss_that_is_no_number_ends_the_run_with_the_best_kept(
        self, monkeypatch: pytest.MonkeyPatch, value: float
    ) -> None:
        """In the update after a check: neither the weights nor the checks are touched by it."""
        run = tiny.trainer()
        running = run.run()
        first = next(running)
        best, now = {name: kept.clone() for name, kept in run.best.items()}, tiny.weights(run)
        monkeypatch.setattr(Tiny, "loss", lambda *_: torch.tensor(value, requires_grad=True))
        with pytest.raises(TrainingDiverged):
            next(running)
        assert run.checks == [first]
        assert tiny.equal(run.best, best)
        assert tiny.equal(tiny.weights(run), now)

    def test_weights_that_are_no_numbers_are_never_the_best(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A gradient that is none spoils the last update before a check, which no loss shows any more."""
        run = tiny.trainer(check_every=1)
        running = run.run()
        first = next(running)
        best = {name: kept.clone() for name, kept in run.best.items()}
        monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", spoil)
        with pytest.raises(TrainingDiverged):
            next(running)
        assert run.checks == [first]
        assert tiny.equal(run.best, best)


class TestSettings:
    """What is refused."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("seed", -1),
            ("seed", 2**63),
            ("seed", 0.5),
            ("batch", 0),
            ("batch", 65_537),
            ("batch", True),
            ("learning_rate", 0.0),
            ("learning_rate", 1.5),
            ("learning_rate", math.nan),
            ("last_rate", -0.1),
            ("last_rate", 1.1),
            ("clip", 0.0),
            ("clip", math.inf),
            ("updates", 0),
            ("updates", 10.5),
            ("check_every", 0),
            ("solved", -1.0),
            ("solved", math.nan),
            ("patience", 0),
            ("first_level", 0),
            ("advance", 1.5),
            ("advance", "0.5"),
            ("compiled", 1),
        ],
    )
    def test_numbers_out_of_range_are_refused(self, name: str, value: Any) -> None:
        """The message names the setting."""
        with pytest.raises(InvalidArgument) as refused:
            TrainingSettings(**{name: value})
        assert name in refused.value.message

    def test_all_that_is_wrong_is_named_at_once(self) -> None:
        """Nobody has to find the next mistake by correcting the last one."""
        bad: dict[str, Any] = {"seed": -1, "batch": 0, "learning_rate": 0, "clip": -1, "advance": 2, "patience": 0}
        with pytest.raises(InvalidArgument) as refused:
            TrainingSettings(**bad)
        assert [name for name in bad if name not in refused.value.message] == []

    def test_machine_of_other_sizes_than_the_task_is_refused(self) -> None:
        """Inputs and outputs are the task's."""
        for sizes in ({"inputs": 4}, {"outputs": 3}):
            with pytest.raises(InvalidArgument):
                Trainer(Tiny(), tiny.machine(**sizes), tiny.training())

    def test_machine_that_cannot_learn_the_task_is_refused(self) -> None:
        """One that would see the answer, and one that has no weights."""
        sizes = {"inputs": Tracing.inputs, "outputs": Tracing.outputs}
        with pytest.raises(InvalidArgument):
            Trainer(Tracing(), tiny.machine(**sizes), tiny.training())
        patterns = tiny.machine(kind="hopfield", memory_dim=Tiny.outputs, inputs=Tiny.outputs + 1)
        with pytest.raises(InvalidArgument):
            Trainer(Tiny(), patterns, tiny.training())

    def test_level_that_the_task_does_not_have_is_refused(self) -> None:
        """Copy has one, the tiny task two."""
        with pytest.raises(InvalidArgument):
            tiny.trainer(first_level=3)
        with pytest.raises(InvalidArgument):
            Trainer(Copy(), tiny.machine(inputs=9, outputs=8), tiny.training(first_level=2))

    def test_check_is_a_value(self) -> None:
        """Equal where all fields are."""
        assert Check(1, 2, 1, 0.5, 3.0, 0.5) == Check(1, 2, 1, 0.5, 3.0, 0.5)
