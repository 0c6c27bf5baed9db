"""Compiled or not, a machine gives the same outputs and gradients; where compiling does not work, it says so once."""

from __future__ import annotations

import logging
import shutil
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.exc import BackendCompilerFailed, TorchDynamoException, Unsupported

from ntm_memory_skill.ntm.machines import Machine, MachineSettings, Unrolled, build, unroll

LOGGER = "ntm_memory_skill.ntm.machines.compiling"


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def machine(controller: str = "lstm") -> Machine[Any]:
    """Return a tiny one."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"inputs": 3, "outputs": 2, "memory_size": 4, "memory_dim": 3, "hidden": 4}
    return build(MachineSettings(controller=controller, **sizes))


def seen(steps: int, batch: int = 2) -> Tensor:
    """Return what a batch of sequences shows."""
    return torch.randn(steps, batch, 3, generator=torch.Generator().manual_seed(1))


def gradients(made: Machine[Any], outputs: Tensor) -> dict[str, Tensor]:
    """Return every weight's gradient of what stands for a loss."""
    names, weights = zip(*made.named_parameters(), strict=True)
    found = torch.autograd.grad(outputs.square().sum() + outputs.sum(), weights)
    return dict(zip(names, found, strict=True))


def refusing(error: Exception, good_calls: int = 0) -> Any:
    """Return a stand-in for torch.compile whose functions work a few times, and then cannot be compiled."""

    def compile_(function: Any, **_: Any) -> Any:
        calls = iter(range(10**6))

        def compiled(*arguments: Any) -> Any:
            if next(calls) < good_calls:
                return function(*arguments)
            raise error

        return compiled

    return compile_


class TestEager:
    """Without compiling it is the loop itself."""

    @pytest.mark.parametrize("controller", ["lstm", "feedforward"])
    def test_outputs_are_those_of_unroll(self, controller: str) -> None:
        """To the last bit."""
        made = machine(controller)
        run = Unrolled(made, compiled=False)
        assert not run.compiled
        assert torch.equal(run(seen(7)), unroll(made, seen(7))[0])

    def test_nothing_is_compiled_unless_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A stand-in that fails is never called."""

        def never(*_: Any, **__: Any) -> Any:
            raise AssertionError

        monkeypatch.setattr(torch, "compile", never)
        assert Unrolled(machine(), compiled=False)(seen(3)).shape == (3, 2, 2)


class TestChunks:
    """Sequences are cut into pieces of one length; here a stand-in takes them without compiling."""

    @pytest.mark.parametrize("length", [1, 2, 3, 4, 9])
    @pytest.mark.parametrize("steps", [1, 2, 4])
    def test_cut_and_padded_sequences_give_what_the_whole_gives(
        self, monkeypatch: pytest.MonkeyPatch, length: int, steps: int
    ) -> None:
        """Outputs and gradients; and every piece is of one length, so that only one has to be compiled."""
        lengths: list[int] = []

        def compile_(function: Any, **_: Any) -> Any:
            def compiled(inputs: Tensor, state: Any) -> Any:
                lengths.append(len(inputs))
                return function(inputs, state)

            return compiled

        monkeypatch.setattr(torch, "compile", compile_)
        made = machine()
        expected, found = unroll(made, seen(length))[0], Unrolled(made, compiled=True, steps=steps)(seen(length))
        torch.testing.assert_close(found, expected)
        other = gradients(made, expected)
        for name, gradient in gradients(made, found).items():
            torch.testing.assert_close(gradient, other[name], msg=name)
        assert set(lengths) == {steps}


class TestFallingBack:
    """Where compiling does not work, training goes on without it."""

    ERRORS = (
        pytest.param(BackendCompilerFailed(lambda: None, RuntimeError("no compiler"), None), id="backend"),
        pytest.param(Unsupported("planted"), id="unsupported"),
        pytest.param(TorchDynamoException("planted"), id="any"),
    )

    @pytest.mark.parametrize("error", ERRORS)
    @pytest.mark.parametrize("good_calls", [0, 2])
    def test_result_is_the_same_with_a_warning(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, good_calls: int
    ) -> None:
        """Whether it fails at once or in the middle of a sequence; afterwards it does not try again."""
        monkeypatch.setattr(torch, "compile", refusing(error, good_calls))
        made = machine()
        run = Unrolled(made, compiled=True, steps=2)
        assert run.compiled
        with caplog.at_level(logging.WARNING, LOGGER):
            first, second = run(seen(7)), run(seen(5))
        assert torch.equal(first, unroll(made, seen(7))[0])
        assert torch.equal(second, unroll(made, seen(5))[0])
        assert not run.compiled
        assert [(record.name, record.levelno) for record in caplog.records] == [(LOGGER, logging.WARNING)]

    def test_errors_of_the_machine_itself_are_not_hidden(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An error that has nothing to do with compiling is raised, and the next call tries again."""
        monkeypatch.setattr(torch, "compile", refusing(ZeroDivisionError()))
        run = Unrolled(machine(), compiled=True)
        with pytest.raises(ZeroDivisionError):
            run(seen(2))
        assert run.compiled


@pytest.mark.skipif(shutil.which("c++") is None and shutil.which("g++") is None, reason="no C++ compiler is here")
def test_compiled_machine_gives_the_same_outputs_and_gradients() -> None:
    """On three steps, so with padding, to 1e-5; and it is compiled indeed."""
    made = machine()
    run = Unrolled(made, compiled=True, steps=2)
    found, expected = run(seen(3)), unroll(made, seen(3))[0]
    assert run.compiled
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    other = gradients(made, expected)
    for name, gradient in gradients(made, found).items():
        torch.testing.assert_close(gradient, other[name], atol=1e-5, rtol=1e-5, msg=name)
