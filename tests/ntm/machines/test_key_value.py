"""The dynamic key-value memory network: the paper's equations, and that no prediction knows its own answer."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.machines import MachineSettings, build, unroll
from ntm_memory_skill.ntm.machines.key_value import KeyValueMemory

SKILLS = 4
Answers = tuple[Tensor, Tensor]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def machine(initialization: str = "learned", slots: int = 3, seed: int = 0) -> KeyValueMemory:
    """Return one in float64 whose weights are drawn widely, so that every part of it counts."""
    sizes: dict[str, Any] = {"inputs": 3 * SKILLS, "outputs": 1, "memory_size": slots, "memory_dim": 2, "hidden": 5}
    made = KeyValueMemory(MachineSettings(kind="dkvmn", initialization=initialization, **sizes)).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.float64))
    return made


def answered(steps: int, batch: int, seed: int = 0) -> Answers:
    """Return skills and whether they were answered rightly."""
    generator = torch.Generator().manual_seed(seed)
    skills = torch.randint(SKILLS, (steps, batch), generator=generator)
    return skills, torch.randint(2, (steps, batch), generator=generator)


def encoded(skills: Tensor, right: Tensor) -> Tensor:
    """Return them as inputs in float64."""
    asked, answer = one_hot(skills, SKILLS), one_hot(skills + SKILLS * right, 2 * SKILLS)
    return torch.cat([asked, answer], dim=-1).double()


def traced_by_hand(weights: dict[str, Any], skills: list[int], right: list[int]) -> tuple[list[float], list[Any]]:
    """Return one student's logits and the values afterwards, one number at a time."""

    def linear(name: str, x: list[float]) -> list[float]:
        rows, biases = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in zip(rows, biases, strict=True)]

    values = [list(row) for row in weights["first_values"]]
    logits = []
    for skill, answer in zip(skills, right, strict=True):
        key = weights["skill"][skill]
        masses = [math.exp(sum(a * b for a, b in zip(concept, key, strict=True))) for concept in weights["keys"]]
        w = [mass / sum(masses) for mass in masses]
        read = [sum(w[i] * values[i][place] for i in range(len(values))) for place in range(len(key))]
        summary = [math.tanh(z) for z in linear("summary", [*read, *key])]
        logits.append(linear("out", summary)[0])
        embedded = weights["answer"][skill + SKILLS * answer]
        erase = [1 / (1 + math.exp(-z)) for z in linear("erase", embedded)]
        add = [math.tanh(z) for z in linear("add", embedded)]
        for i, row in enumerate(values):
            for place in range(len(row)):
                row[place] = row[place] * (1 - w[i] * erase[place]) + w[i] * add[place]
    return logits, values


class TestEquations:
    """What the paper says."""

    @pytest.mark.parametrize("initialization", ["constant", "small_random", "learned"])
    @pytest.mark.parametrize("slots", [2, 3])
    def test_steps_are_those_of_a_loop(self, initialization: str, slots: int) -> None:
        """Over seven answers of three students, the logits and the values that are left."""
        made = machine(initialization, slots)
        skills, right = answered(7, 3)
        outputs, state = unroll(made, encoded(skills, right))
        weights = {name: weight.tolist() for name, weight in made.state_dict().items()}
        for b in range(3):
            logits, values = traced_by_hand(weights, skills[:, b].tolist(), right[:, b].tolist())
            assert outputs[:, b, 0].tolist() == pytest.approx(logits)
            torch.testing.assert_close(state.values[b], torch.tensor(values, dtype=torch.float64))

    def test_the_gradient_is_the_slope(self) -> None:
        """With respect to the input and every weight, through three steps."""
        made = machine()
        x = encoded(*answered(3, 2)).requires_grad_()
        names = [name for name, _ in made.named_parameters()]

        def law(inputs: Tensor, *weights: Tensor) -> Tensor:
            given = dict(zip(names, weights, strict=True))
            state = made.initial(2)._replace(values=given["first_values"].expand(2, -1, -1))
            for step in inputs:
                y, state = torch.func.functional_call(made, given, (step, state))
            return torch.cat([y.flatten(), state.values.flatten()])

        assert torch.autograd.gradcheck(law, [x, *made.parameters()])

    def test_every_weight_has_a_gradient(self) -> None:
        """The first values among them, where they are learned."""
        made = machine()
        torch.autograd.backward(unroll(made, encoded(*answered(6, 8)))[0].square().sum())
        for name, weight in made.named_parameters():
            assert weight.grad is not None, name
            assert weight.grad.any(), name

    def test_values_stay_within_bounds(self) -> None:
        """However many the answers: what is added is below 1, so where e is erased each time, no value passes 1/e."""
        made = machine()
        _, state = unroll(made, encoded(*answered(300, 5)))
        least = torch.sigmoid(made.erase(made.answer)).min()
        assert state.values.abs().max() <= torch.maximum(made.first_values.abs().max(), 1 / least)


class TestAnswers:
    """What a prediction knows."""

    def test_a_prediction_does_not_depend_on_its_own_answer(self) -> None:
        """Turning the answer of step 4 around changes no output up to step 4, and some later one of every student."""
        made = machine()
        skills, right = answered(9, 6)
        other = right.clone()
        other[4] = 1 - other[4]
        before, after = (unroll(made, encoded(skills, given))[0] for given in (right, other))
        assert torch.equal(before[:5], after[:5])
        assert (before[5:] != after[5:]).any(dim=0).all()

    def test_a_prediction_has_no_slope_along_its_own_answer(self) -> None:
        """Nor along any later one."""
        x = encoded(*answered(5, 2)).requires_grad_()
        outputs, _ = unroll(machine(), x)
        (slope,) = torch.autograd.grad(outputs[2].sum(), x)
        assert not slope[2, :, SKILLS:].any()
        assert not slope[3:].any()
        assert slope[:2, :, SKILLS:].any()

    def test_no_answer_writes_nothing(self) -> None:
        """To ask what a student would answer leaves the memory as it is, and gives the same prediction."""
        made = machine()
        _, state = unroll(made, encoded(*answered(4, 2)))
        x = encoded(*answered(1, 2, seed=1))[0]
        asking = torch.cat([x[:, :SKILLS], torch.zeros(2, 2 * SKILLS, dtype=x.dtype)], dim=1)
        predicted, same = made(asking, state)
        assert torch.equal(same.values, state.values)
        assert torch.equal(predicted, made(x, state)[0])
        assert not made.view(same).write_weights.any()

    def test_an_answer_tells_right_from_wrong(self) -> None:
        """The two leave different values."""
        made = machine()
        skills = torch.tensor([[0], [1], [2], [3]])
        rightly, wrongly = (unroll(made, encoded(skills, torch.full((4, 1), given)))[1].values for given in (1, 0))
        assert not torch.allclose(rightly, wrongly)


class TestState:
    """State in, state out."""

    def test_students_of_a_batch_do_not_meet(self) -> None:
        """Each gets what they would get alone."""
        made = machine()
        x = encoded(*answered(6, 4))
        together, _ = unroll(made, x)
        for b in range(4):
            torch.testing.assert_close(together[:, b : b + 1], unroll(made, x[:, b : b + 1])[0])

    def test_a_state_is_not_changed_by_a_step(self) -> None:
        """It can be gone on from twice, the initial one too."""
        made = machine()
        x = encoded(*answered(1, 2))[0]
        for state in (made.initial(2), made(x, made.initial(2))[1]):
            kept = [part.clone() for part in state]
            first_time, again = made(x, state), made(x, state)
            assert all(torch.equal(a, b) for a, b in zip(state, kept, strict=True))
            assert torch.equal(first_time[0], again[0])
            assert all(torch.equal(a, b) for a, b in zip(first_time[1], again[1], strict=True))

    def test_the_view_shows_which_concepts_were_met(self) -> None:
        """A distribution over them once there was an answer, read and written alike; before, none."""
        made = machine()
        before = made.view(made.initial(2))
        assert not before.read_weights.any()
        memory, reading, writing = made.view(unroll(made, encoded(*answered(2, 2)))[1])
        assert memory.shape == (2, 3, 2)
        assert reading.shape == (2, 1, 3)
        assert torch.equal(reading, writing)
        torch.testing.assert_close(reading.sum(dim=-1), torch.ones(2, 1, dtype=torch.float64))


class TestSettings:
    """Sizes."""

    @pytest.mark.parametrize("wrong", [{"inputs": 13}, {"inputs": 4}, {"outputs": 2}])
    def test_sizes_that_do_not_fit_are_refused(self, wrong: dict[str, Any]) -> None:
        """Inputs that are no multiple of 3, or more than one prediction."""
        with pytest.raises(InvalidArgument):
            build(MachineSettings(kind="dkvmn", **{"inputs": 12, "outputs": 1, **wrong}))

    def test_settings_make_it(self) -> None:
        """By its kind; the sizes are those of the keys, the values and f."""
        made = build(MachineSettings(kind="dkvmn", inputs=60, outputs=1, memory_size=7, memory_dim=9, hidden=11))
        assert isinstance(made, KeyValueMemory)
        assert made.skills == 20
        assert made.keys.shape == made.first_values.shape == (7, 9)
        assert made.out.in_features == 11

    def test_values_are_weights_only_where_they_are_learned(self) -> None:
        """Otherwise they are kept with the machine, and stay."""
        assert "first_values" in dict(machine("learned").named_parameters())
        for fixed in ("constant", "small_random"):
            assert "first_values" not in dict(machine(fixed).named_parameters())
            assert "first_values" in machine(fixed).state_dict()


def test_training_finds_what_another_skill_tells() -> None:
    """Skills 2 and 3 are answered just as skills 0 and 1 were, which no average over a skill's own answers can know."""
    generator = torch.Generator().manual_seed(0)
    able = torch.randint(2, (2, 64), generator=generator)
    skills = torch.tensor([0, 1, 2, 3])[:, None].expand(4, 64)
    x, right = encoded(skills, able.repeat(2, 1)), able.repeat(2, 1).double()
    torch.manual_seed(0)
    made = KeyValueMemory(MachineSettings(inputs=12, outputs=1, memory_size=2, memory_dim=8, hidden=8)).double()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.02)
    for _ in range(150):
        loss = binary_cross_entropy_with_logits(unroll(made, x)[0][2:, :, 0], right[2:])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    assert loss < 0.1
