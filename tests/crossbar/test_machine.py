"""A trained machine that finds its rows through emulated devices."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.crossbar import PRESETS
from ntm_memory_skill.crossbar.machine import AnalogSimilarities
from ntm_memory_skill.crossbar.presets import noisier
from ntm_memory_skill.ntm import addressing
from ntm_memory_skill.ntm.machines import MachineSettings, NeuralTuringMachine, unroll

SIZES = st.integers(1, 6)


def drawn(seed: int, *shape: int) -> torch.Tensor:
    """Return random numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@given(SIZES, SIZES, SIZES, SIZES, st.integers(0, 99))
def test_ideal_devices_give_the_cosines(batch: int, heads: int, rows: int, width: int, seed: int) -> None:
    """Of every key with every row, a row and a key of zeros among them."""
    keys, memory = drawn(seed, batch, heads, width), drawn(seed + 100, batch, rows, width)
    memory[:, 0] = 0
    keys[:, -1] = 0
    found = AnalogSimilarities(PRESETS["ideal"](width))(keys, memory)
    assert found.dtype == memory.dtype
    torch.testing.assert_close(found, addressing.similarities(keys, memory), atol=1e-5, rtol=0)


def test_noise_is_as_large_as_is_asked_for() -> None:
    """None but rounding at 0, and more with every factor; the same seed gives the same."""
    keys, memory = drawn(1, 4, 2, 20), drawn(2, 4, 32, 20)
    exact = addressing.similarities(keys, memory)
    plain = PRESETS["pcm"](20)
    errors = [
        float((AnalogSimilarities(noisier(plain, factor), 3)(keys, memory) - exact).square().mean().sqrt())
        for factor in (0.0, 0.5, 1.0, 2.0)
    ]
    assert errors == sorted(errors)
    assert errors[0] < 0.01 < errors[2]
    again = AnalogSimilarities(plain, 3)(keys, memory)
    torch.testing.assert_close(again, AnalogSimilarities(plain, 3)(keys, memory), atol=0, rtol=0)


def test_noise_changes_the_devices_alone() -> None:
    """Converters and drift stay."""
    plain = PRESETS["pcm"](20)
    louder = noisier(plain, 2.0)
    assert louder.circuit == plain.circuit
    assert louder.device == replace(
        plain.device, programming=louder.device.programming, read=louder.device.read, read_cap=louder.device.read_cap
    )
    assert louder.device.programming == pytest.approx([2 * each for each in plain.device.programming])


def test_machine_looks_through_what_it_is_given() -> None:
    """Ideal devices change nothing of what it says; noisy ones do."""
    machine = NeuralTuringMachine(MachineSettings(inputs=3, outputs=2, memory_size=8, memory_dim=5, hidden=6))
    inputs = drawn(5, 7, 2, 3)
    with torch.no_grad():
        exact, _ = unroll(machine, inputs)
        machine.match = AnalogSimilarities(PRESETS["ideal"](5))
        ideal, _ = unroll(machine, inputs)
        machine.match = AnalogSimilarities(noisier(PRESETS["pcm"](5), 4.0))
        noisy, _ = unroll(machine, inputs)
    torch.testing.assert_close(ideal, exact, atol=1e-4, rtol=0)
    assert not torch.allclose(noisy, exact, atol=1e-4)
