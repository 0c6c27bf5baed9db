"""What weights set by hand make a Neural Turing Machine do, what its heads emit, and what others have published."""

from __future__ import annotations

import pytest
import torch

from ntm_memory_skill.ntm.machines import MachineSettings, NeuralTuringMachine, build
from ntm_memory_skill.ntm.machines.heads import Focus, Heads, look
from tests.ntm.machines.turing_machines import (
    CONTROLLERS,
    HIDDEN,
    INITIALIZATIONS,
    INPUTS,
    OUTPUTS,
    M,
    N,
    drawn,
    machine,
    seen,
)

SURE = 40.0
"""A logit at which a sigmoid or a softmax is 0 or 1 to float64's last bits."""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def planted(*, gate: float, kernel: int, key: list[float] | None = None, strength: float = 0.0) -> NeuralTuringMachine:
    """Return a machine of one read and one write head, both told the same whatever is seen; nothing is written.

    Args:
        gate: Logit of g.
        kernel: The offset that all weight of the shift is on.
        key: What the key's numbers are before the tanh; zeros if None.
        strength: β before the softplus.
    """
    made = machine(num_read_heads=1, num_write_heads=1, reach=1, initialization="small_random")
    shifts = [SURE if offset == kernel else -SURE for offset in (-1, 0, 1)]
    focus = [*(key or [0.0] * M), strength, gate, *shifts, -SURE]
    with torch.no_grad():
        made.heads.emit.weight.zero_()
        made.heads.emit.bias.copy_(torch.tensor([*focus, *focus, *[-SURE] * M, *[0.0] * M]))
        made.first_weights.zero_()
        made.first_weights[:, 1] = SURE
    return made


class TestPlantedTransitions:
    """Weights set by hand make the machine do what the paper says such numbers do."""

    @pytest.mark.parametrize("offset", [-1, 0, 1])
    def test_closed_gate_and_one_sided_shift_move_the_focus_a_slot_a_step(self, offset: int) -> None:
        """From slot 1, around the circle, for more steps than there are slots; the memory stays as it was."""
        made = planted(gate=-SURE, kernel=offset)
        state = made.initial(2)
        for step, x in enumerate(seen(2 * N + 1, 2), start=1):
            _, state = made(x, state)
            expected = torch.eye(N, dtype=torch.float64)[(1 + step * offset) % N]
            torch.testing.assert_close(state.weights, expected.expand(2, 2, N), atol=1e-9, rtol=0)
        torch.testing.assert_close(state.memory, made.initial(2).memory)

    @pytest.mark.parametrize("row", range(N))
    @pytest.mark.parametrize("offset", [-1, 0, 1])
    def test_open_gate_and_sharp_key_find_the_planted_row(self, row: int, offset: int) -> None:
        """Wherever the head was before; the shift then starts from there, and what stands there is read."""
        rows = torch.tensor([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1], [-1, -1, -1, 1]]).double()
        made = planted(gate=SURE, kernel=offset, key=rows[row].tolist(), strength=200.0)
        state = made.initial(1)._replace(memory=rows[None])
        _, state = made(seen(1, 1)[0], state)
        found = (row + offset) % N
        torch.testing.assert_close(state.weights, torch.eye(N).double()[found].expand(1, 2, N), atol=1e-9, rtol=0)
        torch.testing.assert_close(state.reads[0, 0], rows[found])

    def test_full_erase_replaces_the_row_in_focus_and_no_other(self) -> None:
        """At slot 2, e = 1 and a = tanh(…), by a head that moves there."""
        made = planted(gate=-SURE, kernel=1)
        add = torch.tensor([0.5, -0.5, 2.0, 0.0]).double()
        with torch.no_grad():
            made.heads.emit.bias[-2 * M : -M] = SURE
            made.heads.emit.bias[-M:] = add
        before = made.initial(1)
        _, after = made(seen(1, 1)[0], before)
        expected = before.memory.clone()
        expected[0, 2] = torch.tanh(add)
        torch.testing.assert_close(after.memory, expected, atol=1e-9, rtol=0)


class TestPublished:
    """What other people have published of this machine: numbers alone."""

    @pytest.mark.parametrize(
        ("inputs", "outputs", "theirs"),
        [pytest.param(9, 8, 62_860, id="copy"), pytest.param(10, 9, 63_381, id="repeat-copy")],
    )
    def test_parameters_are_those_of_pytorch_ntm_but_for_known_differences(
        self, inputs: int, outputs: int, theirs: int
    ) -> None:
        """LSTM of 100, a head of each kind, N = 128, M = 20: counted on loudinthecloud/pytorch-ntm's own class.

        Theirs has two biases in its LSTM where one does the same. Ours learns where the heads look first, H·N numbers,
        and what they have read first, R·M, which are drawn and fixed there.
        """
        n, m, h = 128, 20, 100
        lstm = 4 * h * (inputs + m + h) + 2 * 4 * h + 2 * h
        heads = (h + 1) * (m + 6) + (h + 1) * (m + 6 + 2 * m)
        out = (h + m + 1) * outputs
        assert lstm + heads + out == theirs
        made = build(MachineSettings(inputs=inputs, outputs=outputs, memory_size=n, memory_dim=m, hidden=h))
        assert sum(weight.numel() for weight in made.parameters()) == theirs - 4 * h + 2 * n + m

    @CONTROLLERS
    @INITIALIZATIONS
    @pytest.mark.parametrize(("reading", "writing", "reach"), [(1, 1, 1), (2, 3, 2)])
    def test_parameters_are_those_of_the_formula(
        self, controller: str, initialization: str, reading: int, writing: int, reach: int
    ) -> None:
        """Controller, heads, output, and what is learned of the first state."""
        made = drawn(
            0,
            controller=controller,
            initialization=initialization,
            num_read_heads=reading,
            num_write_heads=writing,
            memory_size=9,
            reach=reach,
        )
        seen_by_it = INPUTS + reading * M
        steering = (
            4 * HIDDEN * (seen_by_it + HIDDEN + 1) + 2 * HIDDEN if controller == "lstm" else HIDDEN * (seen_by_it + 1)
        )
        emission = (reading + writing) * (M + 2 * reach + 4) + writing * 2 * M
        first = (reading + writing) * 9 + reading * M + (9 * M if initialization == "learned" else 0)
        expected = steering + (HIDDEN + 1) * emission + (HIDDEN + reading * M + 1) * OUTPUTS + first
        assert sum(weight.numel() for weight in made.parameters()) == expected

    def test_addressing_is_content_then_gate_then_shift_then_sharpening(self) -> None:
        """Figure 2 with numbers worked out by hand; any other order gives other ones.

        Rows (1, 0), (0, 1), (−1, 0) and the key (1, 0): cosines 1, 0, −1; with β = ln 2 the powers are 2, 1, ½, so the
        content weighting is 4/7, 2/7, 1/7. A gate of ½ with the last weighting 0, 0, 1 gives 4/14, 2/14, 8/14. Half
        stays and half moves on by one: 6/14, 3/14, 5/14. γ = 2 gives 36/70, 9/70, 25/70.
        """
        focus = Focus(
            key=torch.tensor([[[1.0, 0.0]]]).double(),
            key_strength=torch.tensor([[2.0]]).double().log(),
            gate=torch.tensor([[0.5]]).double(),
            kernel=torch.tensor([[[0.0, 0.5, 0.5]]]).double(),
            sharpening=torch.tensor([[2.0]]).double(),
        )
        memory = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]]).double()
        stages = look(focus, memory, torch.tensor([[[0.0, 0.0, 1.0]]]).double())
        by_hand = {
            "content": [4 / 7, 2 / 7, 1 / 7],
            "gated": [4 / 14, 2 / 14, 8 / 14],
            "shifted": [6 / 14, 3 / 14, 5 / 14],
            "sharpened": [36 / 70, 9 / 70, 25 / 70],
        }
        for stage, expected in by_hand.items():
            assert getattr(stages, stage)[0, 0].tolist() == pytest.approx(expected), stage


class TestHeads:
    """The ranges of what is emitted."""

    @pytest.mark.parametrize("size", [0.0, 1.0, 50.0])
    def test_everything_emitted_is_in_its_range(self, size: float) -> None:
        """Whatever the controller says: keys and additions −1 to 1, β from 0, g and e 0 to 1, γ from 1, s sums to 1."""
        generator = torch.Generator().manual_seed(0)
        heads = Heads(HIDDEN, M, 2, 3, 2)
        focus, change = heads(size * torch.randn(40, HIDDEN, generator=generator))
        assert focus.key.shape == (40, 5, M)
        assert change.erase.shape == change.add.shape == (40, 3, M)
        for values, low, high in (
            (focus.key, -1, 1),
            (focus.key_strength, 0, float("inf")),
            (focus.gate, 0, 1),
            (focus.sharpening, 1, float("inf")),
            (change.erase, 0, 1),
            (change.add, -1, 1),
        ):
            assert torch.all((values >= low) & (values <= high))
        torch.testing.assert_close(focus.kernel.sum(-1), torch.ones(40, 5))

    def test_habits_of_a_list_let_one_write_head_go_on_and_all_others_look_by_content(self) -> None:
        """As it is built, and whatever is seen: the gate of the first write head is shut and its shift is +1."""
        for seed in range(3):
            made = drawn(seed, num_read_heads=2, num_write_heads=2, habits="list")
            state = made.initial(4)
            features, _ = made.controller(
                torch.cat([seen(1, 4, seed)[0].float().clamp(-(3**0.5), 3**0.5), state.reads.flatten(1)], dim=1),
                state.controller,
            )
            focus, _ = made.heads(features)
            assert torch.all(focus.gate[:, 2] < 0.1)
            assert torch.all(focus.kernel[:, 2, 2] > 0.9)
            others = [0, 1, 3]
            assert torch.all(focus.gate[:, others] > 0.8)
            assert torch.all(focus.key_strength[:, others] > 3)

    def test_last_write_head_of_a_list_looks_where_the_first_read_head_does(self) -> None:
        """Whatever is seen; a single write head goes on, and follows nobody."""
        for seed in range(3):
            features = torch.randn(4, HIDDEN, generator=torch.Generator().manual_seed(seed))
            focus, _ = drawn(seed, num_read_heads=2, num_write_heads=3, habits="list").heads(features)
            alone, _ = drawn(seed, num_read_heads=2, num_write_heads=1, habits="list").heads(features)
            for part, other in zip(focus, alone, strict=True):
                assert torch.equal(part[:, 4], part[:, 0])
                assert not torch.equal(part[:, 3], part[:, 0])
                assert not torch.equal(other[:, 2], other[:, 0])

    def test_sharp_habits_are_strong_keys_and_nothing_else(self) -> None:
        """All heads begin with a key strength of about 5 in place of about 0.7, and with the same otherwise."""
        for seed in range(3):
            plain, sharp = drawn(seed, habits="none"), drawn(seed, habits="sharp")
            features = torch.zeros(1, HIDDEN)
            (before, kept), (after, same) = plain.heads(features), sharp.heads(features)
            assert torch.all((before.key_strength - 0.7).abs() < 0.1)
            assert torch.all((after.key_strength - 5).abs() < 0.1)
            for name in ("key", "gate", "kernel", "sharpening"):
                assert torch.equal(getattr(before, name), getattr(after, name))
            assert torch.equal(kept.add, same.add)

    def test_heads_are_steered_each_by_its_own_numbers(self) -> None:
        """Changing what is emitted for one head changes where that one looks, and no other."""
        made = machine()
        state, x = made.initial(1), seen(1, 1)[0]
        before = made(x, state)[1].weights
        per_head = M + 6
        for head in range(4):
            with torch.no_grad():
                kept = made.heads.emit.bias.clone()
                made.heads.emit.bias[head * per_head : (head + 1) * per_head] += 1.5
                after = made(x, state)[1].weights
                made.heads.emit.bias.copy_(kept)
            same = [torch.equal(after[:, other], before[:, other]) for other in range(4)]
            assert same == [other != head for other in range(4)]
