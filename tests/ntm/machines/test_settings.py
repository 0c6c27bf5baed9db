"""A machine's sizes: what is out of range is refused before anything is built, and all of it at once."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.machines import MACHINES, MachineSettings
from ntm_memory_skill.ntm.machines.settings import LARGEST, SIZES


def settings(**changed: Any) -> MachineSettings:
    """Return settings with some of them changed."""
    return MachineSettings(**{"inputs": 3, "outputs": 2, **changed})


class TestRanges:
    """One setting at a time."""

    @pytest.mark.parametrize("name", SIZES)
    @pytest.mark.parametrize("value", [0, -1, LARGEST + 1, 2.0, "2", None, True])
    def test_sizes_that_are_none_are_refused(self, name: str, value: Any) -> None:
        """Zero, negative, too large, and what only looks like a whole number; the message names the setting."""
        with pytest.raises(InvalidArgument) as refused:
            settings(**{name: value})
        assert name in refused.value.message

    @pytest.mark.parametrize("name", ["kind", "controller", "initialization", "habits"])
    @pytest.mark.parametrize("value", ["", "NTM", "lstm ", "linear", None, 1])
    def test_unknown_kinds_are_refused(self, name: str, value: Any) -> None:
        """The message names the setting."""
        with pytest.raises(InvalidArgument) as refused:
            settings(**{name: value})
        assert name in refused.value.message

    @pytest.mark.parametrize("value", [1, "yes", None])
    def test_a_scale_that_is_neither_there_nor_not_is_refused(self, value: Any) -> None:
        """It may come from a file."""
        with pytest.raises(InvalidArgument) as refused:
            settings(scaled=value)
        assert "scaled" in refused.value.message

    @pytest.mark.parametrize("value", [-10.1, 11, math.nan, math.inf, "1", None, True])
    def test_a_forget_gate_s_bias_has_a_range(self, value: Any) -> None:
        """It may come from a file."""
        with pytest.raises(InvalidArgument) as refused:
            settings(forget_bias=value)
        assert "forget_bias" in refused.value.message
        assert [settings(forget_bias=end).forget_bias for end in (-10.0, 0, 10)] == [-10.0, 0, 10]

    @pytest.mark.parametrize("name", SIZES)
    def test_ends_of_each_range_are_sizes(self, name: str) -> None:
        """1 and the largest, where there are slots enough for the heads."""
        one_head = {"num_read_heads": 1, "num_write_heads": 1}
        least = 2 if name == "memory_size" else 1
        assert getattr(settings(**{**one_head, name: least}), name) == least
        if name not in one_head:
            assert getattr(settings(**{**one_head, name: LARGEST}), name) == LARGEST

    @pytest.mark.parametrize("kind", MACHINES)
    @pytest.mark.parametrize("controller", ["lstm", "feedforward"])
    @pytest.mark.parametrize("initialization", ["constant", "small_random", "learned"])
    def test_every_named_kind_is_allowed(self, kind: str, controller: str, initialization: str) -> None:
        """What can be had for which kind is the machine's own affair."""
        made = settings(kind=kind, controller=controller, initialization=initialization)
        assert (made.kind, made.controller, made.initialization) == (kind, controller, initialization)


class TestTogether:
    """More than one setting at a time."""

    def test_all_that_is_wrong_is_named_at_once(self) -> None:
        """Nobody has to find the next mistake by correcting the last one."""
        bad: dict[str, Any] = {"kind": "tape", "controller": "gru", "initialization": "zeros"}
        bad |= dict.fromkeys(SIZES, 0)
        with pytest.raises(InvalidArgument) as refused:
            settings(**bad)
        assert [name for name in bad if name not in refused.value.message] == []

    @pytest.mark.parametrize(("reading", "writing", "slots"), [(1, 1, 1), (3, 1, 3), (1, 4, 4), (100, 29, 128)])
    def test_more_heads_than_slots_are_refused(self, reading: int, writing: int, slots: int) -> None:
        """They share the slots, read and write heads together."""
        with pytest.raises(InvalidArgument):
            settings(num_read_heads=reading, num_write_heads=writing, memory_size=slots)

    @pytest.mark.parametrize(("reading", "writing"), [(1, 1), (3, 1), (64, 64)])
    def test_as_many_heads_as_slots_are_allowed(self, reading: int, writing: int) -> None:
        """One slot for each."""
        made = settings(num_read_heads=reading, num_write_heads=writing, memory_size=reading + writing)
        assert made.memory_size == reading + writing

    def test_settings_are_a_value(self) -> None:
        """Equal where all fields are, and nothing is changed afterwards."""
        assert settings() == settings()
        assert settings() != settings(hidden=7)
        with pytest.raises(FrozenInstanceError):
            settings().hidden = 7  # type: ignore[misc]  # that is the point
