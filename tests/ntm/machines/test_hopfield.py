"""Reading by content: the Hopfield update and its energy, the neural dictionary, and the memory of patterns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.machines import MachineSettings, build, unroll
from ntm_memory_skill.ntm.machines import hopfield as module
from ntm_memory_skill.ntm.machines.hopfield import PatternMemory, energy, look_up, retrieve, separating

Row = Sequence[float]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def drawn(seed: int, *shape: int) -> Tensor:
    """Return normal numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def signs(seed: int, *shape: int) -> Tensor:
    """Return random patterns of ±1 in float64."""
    return torch.where(drawn(seed, *shape) > 0, 1.0, -1.0).double()


def dot(a: Row, b: Row) -> float:
    """Return Σ a_i b_i."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def updated_by_hand(patterns: Sequence[Row], query: Row, beta: float) -> list[float]:
    """Return one Hopfield update of one query."""
    masses = [math.exp(beta * dot(pattern, query)) for pattern in patterns]
    total = sum(masses)
    return [
        sum(mass / total * pattern[place] for mass, pattern in zip(masses, patterns, strict=True))
        for place in range(len(query))
    ]


def energy_by_hand(patterns: Sequence[Row], state: Row, beta: float) -> float:
    """Return −lse + ½ ξᵀξ + ln N / β + ½ L²."""
    lse = math.log(sum(math.exp(beta * dot(pattern, state)) for pattern in patterns)) / beta
    longest = max(dot(pattern, pattern) for pattern in patterns)
    return -lse + dot(state, state) / 2 + math.log(len(patterns)) / beta + longest / 2


def looked_up_by_hand(
    keys: Sequence[Row], values: Sequence[Row], query: Row, neighbours: int, delta: float
) -> list[float]:
    """Return the kernel's mean of the nearest keys' values."""
    far = [sum((a - b) ** 2 for a, b in zip(key, query, strict=True)) for key in keys]
    near = sorted(range(len(keys)), key=lambda i: far[i])[:neighbours]
    kernel = {i: 1 / (far[i] + delta) for i in near}
    total = sum(kernel.values())
    return [sum(kernel[i] / total * values[i][place] for i in near) for place in range(len(values[0]))]


class TestRetrieve:
    """ξ ← Xᵀ softmax(β X ξ)."""

    @pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
    @pytest.mark.parametrize("count", [1, 2, 7])
    def test_one_update_is_that_of_a_loop(self, count: int, beta: float) -> None:
        """For every query of a batch with two leading dimensions."""
        patterns, queries = drawn(0, count, 3), drawn(1, 2, 4, 3)
        expected = [[updated_by_hand(patterns.tolist(), q, beta) for q in rows] for rows in queries.tolist()]
        torch.testing.assert_close(retrieve(patterns, queries, beta), torch.tensor(expected, dtype=torch.float64))

    def test_several_updates_are_one_after_another(self) -> None:
        """Three at once are three calls."""
        patterns, query = drawn(0, 5, 3), drawn(1, 3)
        one_by_one = query
        for _ in range(3):
            one_by_one = retrieve(patterns, one_by_one, 1.5)
        torch.testing.assert_close(retrieve(patterns, query, 1.5, steps=3), one_by_one)

    def test_queries_in_parts_give_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However few scores fit, and where the last part is short; the energy and the dictionary likewise."""
        patterns, queries, values = drawn(0, 6, 3), drawn(1, 7, 3), drawn(2, 6, 2)

        def all_three() -> list[Tensor]:
            looked = look_up(patterns, values, queries, 2, 0.1)
            return [retrieve(patterns, queries, 1.0, 2), energy(patterns, queries, 1.0), looked]

        whole = all_three()
        for scores in (1, 12, 20):
            monkeypatch.setattr(module, "AT_ONCE", scores)
            torch.testing.assert_close(all_three(), whole)

    def test_no_query_gives_no_result(self) -> None:
        """And keeps the shape."""
        assert retrieve(drawn(0, 4, 3), drawn(1, 0, 3), 1.0).shape == (0, 3)

    def test_noisy_patterns_are_retrieved_exactly(self) -> None:
        """A thousand random ±1 patterns of 64 numbers, with noise and with a tenth of the places flipped."""
        patterns = signs(0, 1000, 64)
        flipped = patterns.clone()
        flipped[:, :6] *= -1
        for query in (patterns + 0.3 * drawn(1, 1000, 64), flipped):
            assert torch.equal(retrieve(patterns, query, 1.0).sign(), patterns)

    def test_a_small_key_strength_gives_the_mean(self) -> None:
        """The patterns blur into one."""
        patterns = drawn(0, 5, 3)
        torch.testing.assert_close(retrieve(patterns, drawn(1, 3), 1e-9), patterns.mean(dim=0))

    def test_huge_scores_stay_finite(self) -> None:
        """In float32, where the exponential of the score is infinite."""
        patterns = 100 * torch.eye(3)
        assert torch.equal(retrieve(patterns, patterns, 1e4), patterns)

    def test_the_gradient_is_the_slope(self) -> None:
        """With respect to patterns and queries, through two updates."""
        patterns, queries = drawn(0, 4, 3).requires_grad_(), drawn(1, 2, 3).requires_grad_()
        assert torch.autograd.gradcheck(lambda p, q: retrieve(p, q, 0.7, 2), [patterns, queries])

    @pytest.mark.parametrize("beta", [0.0, -1.0, math.inf, math.nan])
    def test_a_key_strength_out_of_range_is_refused(self, beta: float) -> None:
        """By the update, the energy and the machine."""
        rows = drawn(0, 4, 3)
        with pytest.raises(InvalidArgument):
            retrieve(rows, rows, beta)
        with pytest.raises(InvalidArgument):
            energy(rows, rows, beta)
        with pytest.raises(InvalidArgument):
            PatternMemory(sized(3, 4), key_strength=beta)

    def test_no_update_at_all_is_refused(self) -> None:
        """It would give the query back as if it had been found."""
        with pytest.raises(InvalidArgument):
            retrieve(drawn(0, 4, 3), drawn(1, 3), 1.0, steps=0)


class TestEnergy:
    """−lse(β, X ξ) + ½ ξᵀξ + β⁻¹ ln N + ½ L²."""

    @pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
    @pytest.mark.parametrize("count", [1, 2, 7])
    def test_it_is_that_of_a_loop(self, count: int, beta: float) -> None:
        """For every state of a batch."""
        patterns, states = drawn(0, count, 3), drawn(1, 2, 4, 3)
        expected = [[energy_by_hand(patterns.tolist(), s, beta) for s in rows] for rows in states.tolist()]
        torch.testing.assert_close(energy(patterns, states, beta), torch.tensor(expected, dtype=torch.float64))

    @pytest.mark.parametrize("beta", [0.05, 0.5, 2.0, 20.0])
    def test_no_update_raises_it(self, beta: float) -> None:
        """From two hundred states, near and far, over ten updates; at first it falls, and it is never below 0."""
        patterns, states = drawn(0, 12, 5), 3 * drawn(1, 200, 5)
        before = energy(patterns, states, beta)
        first = before
        for _ in range(10):
            states = retrieve(patterns, states, beta)
            after = energy(patterns, states, beta)
            assert (after <= before + 1e-12).all()
            assert (after >= -1e-12).all()
            before = after
        assert (before < first).all()

    def test_the_gradient_is_the_way_that_an_update_goes(self) -> None:
        """∂E/∂ξ = ξ − Xᵀ softmax(β X ξ), so that an update is a step of length 1 down the energy."""
        patterns, states = drawn(0, 6, 3), drawn(1, 4, 3).requires_grad_()
        (slope,) = torch.autograd.grad(energy(patterns, states, 1.3).sum(), states)
        torch.testing.assert_close(slope, states - retrieve(patterns, states, 1.3))


class TestSeparating:
    """The β from which on Ramsauer's condition holds."""

    @pytest.mark.parametrize("count", [2, 3, 100, 10_000])
    @pytest.mark.parametrize(("longest", "separation"), [(8.0, 2.0), (8.0, 128.0), (1.0, 0.3), (0.1, 0.02)])
    def test_the_condition_holds_from_there_on(self, count: int, longest: float, separation: float) -> None:
        """Just above it does, just below it does not."""

        def slack(beta: float) -> float:
            bound = 2 / (beta * count) + math.log(2 * (count - 1) * count * beta * longest**2) / beta
            return separation - bound

        beta = separating(count, longest, separation)
        assert slack(beta * 0.999) < 0 < slack(beta * 1.001)
        assert slack(beta * 100) > 0

    def test_patterns_that_differ_in_one_place_are_told_apart(self) -> None:
        """All 256 patterns of eight ±1, each a memory of its own at the derived β; at a tenth of it, none is."""
        patterns = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 8)
        beta = separating(len(patterns), math.sqrt(8), 2.0)
        assert (retrieve(patterns, patterns, beta) - patterns).abs().max() < 1e-3
        assert (retrieve(patterns, patterns, beta / 10) - patterns).abs().min() > 0.1

    @pytest.mark.parametrize(("longest", "separation"), [(0.0, 1.0), (1.0, 0.0), (1.0, 2.1), (math.nan, 1.0)])
    def test_impossible_patterns_are_refused(self, longest: float, separation: float) -> None:
        """Of no length, not apart, or further apart than they are long."""
        with pytest.raises(InvalidArgument):
            separating(10, longest, separation)


class TestLookUp:
    """The differentiable neural dictionary."""

    @pytest.mark.parametrize("neighbours", [1, 3, 6, 50])
    @pytest.mark.parametrize("delta", [1e-3, 1.0])
    def test_it_is_that_of_a_loop(self, neighbours: int, delta: float) -> None:
        """For every query of a batch; more neighbours than keys are all keys."""
        keys, values, queries = drawn(0, 6, 3), drawn(1, 6, 2), drawn(2, 2, 4, 3)
        expected = [
            [looked_up_by_hand(keys.tolist(), values.tolist(), q, neighbours, delta) for q in rows]
            for rows in queries.tolist()
        ]
        found = look_up(keys, values, queries, neighbours, delta)
        torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))

    def test_a_key_met_exactly_gives_its_value(self) -> None:
        """In float32, far from the origin and with a small δ, where |h|² − 2 h·h_i + |h_i|² would be all rounding."""
        keys, values = drawn(0, 50, 8).float() + 100, drawn(1, 50, 2).float()
        torch.testing.assert_close(look_up(keys, values, keys, 5, 1e-6), values, rtol=0, atol=1e-4)

    def test_one_query_needs_no_batch(self) -> None:
        """A vector in, a vector out."""
        keys, values = drawn(0, 4, 3), drawn(1, 4, 2)
        torch.testing.assert_close(look_up(keys, values, keys[2], 1, 0.1), values[2])

    def test_the_gradient_is_the_slope(self) -> None:
        """With respect to keys, values and query."""
        given = [drawn(0, 5, 3), drawn(1, 5, 2), drawn(2, 2, 3)]
        assert torch.autograd.gradcheck(lambda k, v, q: look_up(k, v, q, 3, 0.1), [x.requires_grad_() for x in given])

    def test_keys_that_are_not_near_have_no_gradient(self) -> None:
        """Nor have their values."""
        keys, values = drawn(0, 5, 3).requires_grad_(), drawn(1, 5, 2).requires_grad_()
        query = keys[0].detach() + 0.01
        found = look_up(keys, values, query, 2, 0.1)
        for slope in torch.autograd.grad(found.sum(), [keys, values]):
            assert (slope.abs().sum(dim=1) > 0).sum() == 2

    @pytest.mark.parametrize(("neighbours", "delta"), [(0, 1.0), (1, 0.0), (1, -1.0), (1, math.nan)])
    def test_bad_arguments_are_refused(self, neighbours: int, delta: float) -> None:
        """No neighbour, or a kernel that can be infinite."""
        with pytest.raises(InvalidArgument):
            look_up(drawn(0, 4, 3), drawn(1, 4, 2), drawn(2, 3), neighbours, delta)


def sized(d: int, n: int) -> MachineSettings:
    """Return the settings of n slots of d numbers."""
    return MachineSettings(kind="hopfield", inputs=d + 1, outputs=d, memory_size=n, memory_dim=d)


def saying(patterns: Tensor, store: Tensor) -> Tensor:
    """Return patterns with the channel that says whether to store them."""
    return torch.cat([patterns, store[..., None].to(patterns.dtype)], dim=-1)


class TestPatternMemory:
    """The machine."""

    @pytest.mark.parametrize("slots", [2, 3, 20])
    def test_it_remembers_what_a_list_remembers(self, slots: int) -> None:
        """Three sequences of twelve steps, each storing at steps of its own; the oldest goes first."""
        machine = PatternMemory(sized(4, slots), key_strength=0.8).double()
        patterns, store = drawn(0, 12, 3, 4), drawn(1, 12, 3) > 0
        outputs, state = unroll(machine, saying(patterns, store))
        for b in range(3):
            kept: list[list[float]] = []
            for t in range(12):
                query = patterns[t, b].tolist()
                expected = updated_by_hand(kept, query, 0.8) if kept else [0.0] * 4
                assert outputs[t, b].tolist() == pytest.approx(expected)
                if store[t, b]:
                    kept = [*kept, query][-slots:]
            assert int(state.stored[b]) == int(store[:, b].sum())
            held = [row.tolist() for row in state.patterns[b] if bool((row != 0).any())]
            assert sorted(held) == sorted(kept)

    def test_a_full_memory_gives_back_what_it_holds(self) -> None:
        """At the derived key strength: the last eight of eleven ±1 patterns from noisy ones, though two are alike."""
        machine = build(sized(16, 8))
        patterns = signs(3, 11, 16).float()
        patterns[10] = patterns[9]
        patterns[10, 0] *= -1
        _, state = unroll(machine, saying(patterns, torch.ones(11))[:, None])
        noisy = patterns[3:] + 0.1 * drawn(1, 8, 16).float()
        found = torch.cat([machine(saying(row, torch.zeros(()))[None], state)[0] for row in noisy])
        torch.testing.assert_close(found, patterns[3:], rtol=0, atol=0.1)

    def test_nothing_stored_gives_nothing(self) -> None:
        """Zeros, without NaN, in the output, the weights and the gradient."""
        machine = PatternMemory(sized(3, 4))
        x = saying(torch.ones(2, 3), torch.zeros(2)).requires_grad_()
        y, state = machine(x, machine.initial(2))
        y.sum().backward()
        for values in (y, *machine.view(state), x.grad):
            assert values is not None
            assert not values.any()

    def test_a_pattern_of_zeros_can_be_stored(self) -> None:
        """A slot is filled by being stored in, not by what is in it."""
        machine = PatternMemory(sized(2, 4))
        rows = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
        _, state = unroll(machine, saying(rows, torch.ones(2))[:, None])
        y, state = machine(torch.tensor([[-1.0, -1.0, 0.0]]), state)
        torch.testing.assert_close(y, torch.zeros(1, 2), rtol=0, atol=0.01)
        assert machine.view(state).read_weights.argmax() == 0

    def test_the_view_shows_where_was_read_and_stored(self) -> None:
        """Weights over filled slots only, of sum 1; the slot of the last pattern, after a turn around too."""
        machine = PatternMemory(sized(3, 4))
        patterns = signs(0, 6, 1, 3).float()
        state = machine.initial(1)
        for t, x in enumerate(saying(patterns, torch.ones(6, 1)).unbind(0)):
            _, state = machine(x, state)
            memory, reading, writing = machine.view(state)
            assert writing[0, 0].tolist() == [float(i == t % 4) for i in range(4)]
            assert torch.equal(memory[0, t % 4], patterns[t, 0])
            assert not reading[0, 0, t:].any()
            assert float(reading.sum()) == pytest.approx(float(t > 0))

    def test_sequences_of_a_batch_do_not_meet(self) -> None:
        """Each gives what it gives alone."""
        machine = PatternMemory(sized(3, 4)).double()
        x = saying(drawn(0, 9, 5, 3), drawn(1, 9, 5) > 0)
        together, _ = unroll(machine, x)
        for b in range(5):
            torch.testing.assert_close(together[:, b : b + 1], unroll(machine, x[:, b : b + 1])[0])

    def test_a_state_is_not_changed_by_a_step(self) -> None:
        """It can be gone on from twice."""
        machine = PatternMemory(sized(3, 4))
        x = saying(drawn(0, 2, 3).float(), torch.ones(2))
        for state in (machine.initial(2), machine(x, machine.initial(2))[1]):
            before = [part.clone() for part in state]
            first = machine(x, state)
            again = machine(x, state)
            assert all(torch.equal(a, b) for a, b in zip(state, before, strict=True))
            assert all(torch.equal(a, b) for a, b in zip([first[0], *first[1]], [again[0], *again[1]], strict=True))

    def test_the_gradient_is_the_slope(self) -> None:
        """From what is retrieved to the query and to every pattern stored, the overwritten one has none."""
        machine = PatternMemory(sized(3, 2), key_strength=0.5).double()
        store = torch.tensor([[1.0], [1.0], [1.0], [0.0]])
        patterns = drawn(0, 4, 1, 3).requires_grad_()
        assert torch.autograd.gradcheck(lambda p: unroll(machine, saying(p, store))[0], [patterns])
        (slope,) = torch.autograd.grad(unroll(machine, saying(patterns, store))[0][-1].sum(), patterns)
        assert [bool(row.any()) for row in slope] == [False, True, True, True]

    @pytest.mark.parametrize("wrong", [{"inputs": 4}, {"inputs": 6}, {"outputs": 5}, {"memory_dim": 5}])
    def test_sizes_that_do_not_fit_are_refused(self, wrong: dict[str, Any]) -> None:
        """One number more or less than the patterns have."""
        fitting: dict[str, Any] = {"inputs": 5, "outputs": 4, "memory_dim": 4}
        with pytest.raises(InvalidArgument):
            build(MachineSettings(kind="hopfield", **{**fitting, **wrong}))

    def test_settings_make_it(self) -> None:
        """By its kind, with the key strength that its sizes ask for."""
        machine = build(sized(4, 10))
        assert isinstance(machine, PatternMemory)
        assert machine.key_strength == separating(10, 2.0, 2.0)
        assert not list(machine.parameters())
