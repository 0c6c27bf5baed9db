"""A run as bytes: it goes on as if it had never been interrupted, and what is damaged is refused."""

from __future__ import annotations

import json
import math
import struct
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from ntm_memory_skill.errors import InvalidArgument, UnusableMachine
from ntm_memory_skill.ntm.machines import NeuralTuringMachine
from ntm_memory_skill.ntm.tasks import TASKS, Copy, Tracing
from ntm_memory_skill.ntm.training import Trainer, from_bytes, preset, to_bytes
from tests.ntm.training import tiny
from tests.ntm.training.tiny import Tiny

Tensors = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny task is known by its name; a second thread makes small tensors many times slower."""
    torch.set_num_threads(1)
    monkeypatch.setitem(TASKS, Tiny.name, Tiny)


@cache
def kept() -> bytes:
    """Return a run after two checks of four."""
    run = tiny.trainer()
    running = run.run()
    next(running)
    next(running)
    return to_bytes(run)


def header(data: bytes) -> dict[str, Any]:
    """Return a file's header."""
    (size,) = struct.unpack("<Q", data[:8])
    read: dict[str, Any] = json.loads(data[8 : 8 + size])
    return read


def same(one: bytes, other: bytes) -> bool:
    """Tell whether two files hold the same tensors and texts; the order of the texts is left to chance."""
    return header(one) == header(other) and tiny.equal(load(one), load(other))


def description() -> dict[str, Any]:
    """Return what a kept run says of itself."""
    read: dict[str, Any] = json.loads(header(kept())["__metadata__"]["run"])
    return read


def with_tensors(changed: Tensors, without: str = "") -> bytes:
    """Return the kept run with some of its tensors changed, and those left out whose name starts with something."""
    tensors = {**load(kept()), **changed}
    if without:
        tensors = {name: value for name, value in tensors.items() if not name.startswith(without)}
    return save(tensors, metadata=header(kept())["__metadata__"])


def with_text(run: str, format_: str = "1") -> bytes:
    """Return the kept run with another text in place of its description."""
    return save(load(kept()), metadata={"format": format_, "run": run})


class TestGoingOn:
    """What was kept is all there is."""

    @pytest.mark.parametrize("stop", [0, 1, 3])
    def test_resumed_run_ends_where_the_uninterrupted_one_does(self, stop: int) -> None:
        """Checks, weights, the best of them, Adam's numbers and the random numbers, to the last bit."""
        whole, early = tiny.trainer(), tiny.trainer()
        list(whole.run())
        running = early.run()
        for _ in range(stop):
            next(running)
        late = from_bytes(to_bytes(early))
        list(late.run())
        assert late.checks == whole.checks
        assert tiny.equal(tiny.weights(late), tiny.weights(whole))
        assert tiny.equal(late.best, whole.best)
        assert torch.equal(late.rng.get_state(), whole.rng.get_state())
        assert (late.level, late.error) == (whole.level, whole.error)
        assert same(to_bytes(late), to_bytes(whole))

    def test_level_and_running_error_are_gone_on_with(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run that was interrupted before it advances does so after as many updates."""
        monkeypatch.setattr(Tiny, "wrong", lambda *_: 0.0)
        changed: dict[str, Any] = {"advance": 0.4, "updates": 16}
        whole, early = tiny.trainer(**changed), tiny.trainer(**changed)
        list(whole.run())
        next(early.run())
        late = from_bytes(to_bytes(early))
        list(late.run())
        assert [check.level for check in late.checks] == [1] * 5 + [2] * 3
        assert late.checks == whole.checks
        assert late.error == whole.error

    def test_what_is_kept_is_the_same_each_time(self) -> None:
        """Keeping a run does not change it, and neither does reading it."""
        run = tiny.trainer()
        list(run.run())
        assert same(to_bytes(run), to_bytes(run))
        assert same(to_bytes(from_bytes(to_bytes(run))), to_bytes(run))

    def test_settings_can_be_changed_to_go_on_with(self) -> None:
        """More updates, and what was kept of all others."""
        run = from_bytes(kept(), updates=12)
        assert [check.update for check in run.run()] == [6, 8, 10, 12]
        assert (run.settings.updates, run.settings.batch) == (12, 4)

    def test_changed_setting_out_of_range_is_the_callers_fault(self) -> None:
        """The file is sound."""
        with pytest.raises(InvalidArgument):
            from_bytes(kept(), updates=0)

    @pytest.mark.parametrize("controller", ["lstm", "feedforward"])
    @pytest.mark.parametrize("initialization", ["constant", "small_random", "learned"])
    def test_every_machine_is_kept_whole(self, controller: str, initialization: str) -> None:
        """What its memory starts as belongs to it, learned or not."""
        run = Trainer(Tiny(), tiny.machine(controller=controller, initialization=initialization), tiny.training())
        next(run.run())
        other = from_bytes(to_bytes(run))
        assert other.machine_settings == run.machine_settings
        assert isinstance(other.machine, NeuralTuringMachine)
        assert tiny.equal(tiny.weights(other), tiny.weights(run))

    @pytest.mark.parametrize("kind", ["dnc", "mann"])
    def test_other_kinds_of_machines_go_on_as_well(self, kind: str) -> None:
        """As if they had never been interrupted."""
        whole, early = (Trainer(Tiny(), tiny.machine(kind=kind), tiny.training(updates=4)) for _ in range(2))
        list(whole.run())
        next(early.run())
        late = from_bytes(to_bytes(early))
        list(late.run())
        assert same(to_bytes(late), to_bytes(whole))

    def test_key_value_memory_goes_on_as_well(self) -> None:
        """On the one task that it is for."""
        machine, training = preset(Tracing(), {"hidden": 5}, {"batch": 2, "updates": 2, "compiled": False})
        run = Trainer(Tracing(), machine, training)
        list(run.run())
        assert same(to_bytes(from_bytes(to_bytes(run))), to_bytes(run))

    def test_file_holds_numbers_and_text_and_nothing_to_execute(self) -> None:
        """Safetensors, whose header is JSON."""
        assert header(kept())["__metadata__"]["format"] == "1"
        assert description()["task"] == "tiny"
        assert b"pickle" not in kept()


class TestDamage:
    """Whatever a file holds, it is a run or it is refused, and never another error."""

    @pytest.mark.parametrize("data", [b"", b"{}", b"\0" * 8, b"\xff" * 200, b"PK\3\4" + b"\0" * 60, b"\x80\2}q\0."])
    def test_what_is_no_machine_is_refused(self, data: bytes) -> None:
        """Empty, text, zeros, a zip, a pickle."""
        with pytest.raises(UnusableMachine):
            from_bytes(data)

    def test_every_truncation_is_refused(self) -> None:
        """At each of some hundred places, the last byte among them."""
        data = kept()
        for length in [*range(0, len(data), max(1, len(data) // 150)), len(data) - 1]:
            with pytest.raises(UnusableMachine):
                from_bytes(data[:length])

    def test_more_bytes_than_the_header_names_are_refused(self) -> None:
        """Something was appended."""
        with pytest.raises(UnusableMachine):
            from_bytes(kept() + b"\0")

    @settings(max_examples=150, deadline=None)
    @given(data=st.data())
    def test_damaged_header_is_a_run_or_is_refused(self, data: st.DataObject) -> None:
        """Some bytes of it are others, those of its length among them. With another digit it may still be a run."""
        damaged = bytearray(kept())
        (size,) = struct.unpack("<Q", damaged[:8])
        for _ in range(data.draw(st.integers(1, 3))):
            damaged[data.draw(st.integers(0, 8 + size - 1))] = data.draw(st.integers(0, 255))
        with suppress(UnusableMachine):
            assert isinstance(from_bytes(bytes(damaged)), Trainer)

    @settings(max_examples=60, deadline=None)
    @given(data=st.binary(max_size=300))
    def test_garbage_is_refused(self, data: bytes) -> None:
        """Any bytes at all, and any behind a header's length."""
        for garbage in (data, struct.pack("<Q", len(data)) + data):
            with pytest.raises(UnusableMachine):
                from_bytes(garbage)

    @pytest.mark.parametrize("format_", ["0", "2", ""])
    def test_other_format_is_refused(self, format_: str) -> None:
        """Of an older or a newer release."""
        with pytest.raises(UnusableMachine):
            from_bytes(with_text(json.dumps(description()), format_))

    def test_file_of_somebody_else_s_tensors_is_refused(self) -> None:
        """Without any description, or with one that is not ours."""
        for metadata in (None, {"format": "pt"}, {"format": "1"}):
            with pytest.raises(UnusableMachine):
                from_bytes(save({"weight": torch.zeros(3)}, metadata=metadata))

    @pytest.mark.parametrize("run", ["", "7", "null", "[]", '"run"', "{}", "{", "[" * 100_000, '{"task": []}'])
    def test_description_that_is_none_is_refused(self, run: str) -> None:
        """Text that is no JSON, too deep, or says something else."""
        with pytest.raises(UnusableMachine):
            from_bytes(with_text(run))


class TestMisfits:
    """Each part is sound, and they do not fit each other."""

    @pytest.mark.parametrize(
        "without", ["machine.out.bias", "machine.", "best.out.bias", "best.", "optimizer.3.", "optimizer.", "rng"]
    )
    def test_missing_tensors_are_refused(self, without: str) -> None:
        """One, or all of a kind."""
        with pytest.raises(UnusableMachine):
            from_bytes(with_tensors({}, without))

    @pytest.mark.parametrize(
        "name", ["machine.more", "best.more", "optimizer.99.step", "optimizer.x", "optimizer.0.more"]
    )
    def test_tensors_that_belong_to_nothing_are_refused(self, name: str) -> None:
        """They were made by another machine."""
        with pytest.raises(UnusableMachine):
            from_bytes(with_tensors({name: torch.zeros(2)}))

    @pytest.mark.parametrize(
        "name",
        ["machine.out.bias", "best.out.bias", "optimizer.0.step", "optimizer.0.exp_avg", "optimizer.0.exp_avg_sq"],
    )
    def test_tensors_of_another_shape_or_kind_are_refused(self, name: str) -> None:
        """One number more, a dimension more, whole numbers."""
        sound = load(kept())[name]
        for wrong in (torch.zeros(sound.numel() + 1), sound[None].contiguous(), sound.to(torch.int32), sound.double()):
            with pytest.raises(UnusableMachine):
                from_bytes(with_tensors({name: wrong}))

    def test_random_numbers_of_another_kind_are_refused(self) -> None:
        """Too short, or no bytes."""
        for wrong in (torch.zeros(5, dtype=torch.uint8), torch.zeros(5), load(kept())["rng"][:-1].clone()):
            with pytest.raises(UnusableMachine):
                from_bytes(with_tensors({"rng": wrong}))

    @pytest.mark.parametrize(
        "changed",
        [
            {"memory_size": 6},
            {"memory_dim": 5},
            {"hidden": 13},
            {"num_read_heads": 2},
            {"num_write_heads": 2},
            {"controller": "feedforward"},
            {"kind": "dnc"},
            {"kind": "tape"},
            {"reach": 2},
            {"inputs": 4},
            {"outputs": 3},
            {"memory_size": 65_536, "memory_dim": 65_536},
            {"hidden": 0},
            {"hidden": 10**30},
            {"colour": "red"},
        ],
        ids="-".join,
    )
    def test_description_of_another_machine_is_refused(self, changed: dict[str, Any]) -> None:
        """Before memory is taken for it, however large it says that it is."""
        described = description()
        described["machine"] |= changed
        with pytest.raises(UnusableMachine):
            from_bytes(with_text(json.dumps(described)))

    def test_machine_of_another_task_is_refused(self) -> None:
        """One that has other inputs and outputs, and one that there is not."""
        for task in (Copy.name, "juggling", None):
            with pytest.raises(UnusableMachine):
                from_bytes(with_text(json.dumps(description() | {"task": task})))

    @pytest.mark.parametrize("junk", [None, "x", [], {}, -1, math.inf], ids=repr)
    def test_no_field_holds_what_it_should_not(self, junk: Any) -> None:
        """Each in turn, of the run, machine, training and a check. Only what has defaults, or no bound, is let pass."""
        places: list[tuple[Any, ...]] = [(name,) for name in description()]
        places += [(part, name) for part in ("machine", "settings") for name in description()[part]]
        places += [("checks", 1, name) for name in description()["checks"][1]]
        accepted = []
        for *way, last in places:
            described = part = description()
            for step in way:
                part = part[step]
            part[last] = junk
            try:
                from_bytes(with_text(json.dumps(described)))
            except UnusableMachine:
                continue
            accepted.append(last)
        assert accepted == {"inf": ["solved"], "{}": ["settings"], "-1": ["forget_bias"]}.get(repr(junk), [])

    @pytest.mark.parametrize("place", ["task", "machine", "settings", "level", "error", "checks"])
    def test_missing_field_is_refused(self, place: str) -> None:
        """Nothing is filled in by guessing."""
        described = description()
        del described[place]
        with pytest.raises(UnusableMachine):
            from_bytes(with_text(json.dumps(described)))

    @pytest.mark.parametrize("level", [0, 3, 1.5])
    def test_level_that_the_task_does_not_have_is_refused(self, level: float) -> None:
        """Of the run as it stands, and to start at."""
        described = description()
        with pytest.raises(UnusableMachine):
            from_bytes(with_text(json.dumps(described | {"level": level})))
        described["settings"]["first_level"] = level
        with pytest.raises(UnusableMachine):
            from_bytes(with_text(json.dumps(described)))
