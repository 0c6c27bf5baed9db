"""The group m3 of a configuration: what it may hold, and how all of its mistakes are told at once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import M3Settings
from ntm_memory_skill.config import CONFIG_SCHEMA, load_config
from ntm_memory_skill.errors import ConfigError
from ntm_memory_skill.m3 import LAWS
from tests.config.files import loaded, write_config

OPTIONS = CONFIG_SCHEMA["properties"]["m3"]["properties"]
VALUES: dict[str, list[Any]] = {
    "strength": list(LAWS),
    "reconsolidate": [True, False],
    "forget": [True, False],
    "forget_below": [0, 0.2, 1],
    "duplicates": ["count", "keep"],
    "successions": ["mark", "off"],
    "latest_first": [True, False],
    "source_quota": [0.001, 0.5, 1],
    "gists": [True, False],
    "idle_minutes": [0, 0.5, 10_080],
    "context_window": [1, 8, 64],
    "buffer_dimension": [8, 128, 8_192],
}
"""Values that each option takes, its bounds among them."""
WRONG: dict[str, list[Any]] = {
    "strength": ["sm2", "FSRS", "", None, 6],
    "reconsolidate": ["yes", 1, None],
    "forget": ["never", 0],
    "forget_below": [-0.1, 1.1, "0.2", True],
    "duplicates": ["merge", True],
    "successions": ["on", False],
    "latest_first": [1, "first"],
    "source_quota": [0, -1, 1.5, "half"],
    "gists": ["none", 1],
    "idle_minutes": [-1, 10_081, "10", True],
    "context_window": [0, 65, 8.5, "8"],
    "buffer_dimension": [7, 0, 8_193, "on", True, None],
}
"""Values that it does not take."""


def mistakes(folder: Path, m3: object) -> list[str]:
    """Return where the mistakes in the group are, in the order in which they are told."""
    write_config(folder, {"m3": m3})
    with pytest.raises(ConfigError) as caught:
        load_config({}, folder)
    _, *lines = caught.value.message.splitlines()
    return [line.strip().split(":")[0] for line in lines]


def test_the_options_are_those_of_the_settings_and_the_tests_know_them_all() -> None:
    """None is read and not offered, or offered and not tried here."""
    assert set(OPTIONS) == {each.name for each in fields(M3Settings)} == set(VALUES) == set(WRONG)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in VALUES for value in VALUES[name]])
def test_a_value_ends_up_in_the_settings(name: str, value: object, tmp_path: Path) -> None:
    """As it was written, and nothing else changes."""
    settings = loaded(tmp_path, {"m3": {name: value}}).settings.m3
    assert settings == M3Settings(**{name: value})  # type: ignore[arg-type]  # of each option's own type


def test_all_options_stand_beside_each_other(tmp_path: Path) -> None:
    """The last value of each."""
    given = {name: values[-1] for name, values in VALUES.items()}
    assert loaded(tmp_path, {"m3": given}).settings.m3 == M3Settings(**given)


@pytest.mark.parametrize("m3", [{}, {"buffer_dimension": "off"}])
def test_nothing_said_is_the_defaults(m3: dict[str, Any], tmp_path: Path) -> None:
    """And a buffer that is off keeps whole keys."""
    assert loaded(tmp_path, {"m3": m3}).settings.m3 == M3Settings()
    assert loaded(tmp_path, {}).settings.m3 == M3Settings()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_value_that_it_does_not_take_is_refused_in_its_place(name: str, value: object, tmp_path: Path) -> None:
    """Its place alone."""
    assert mistakes(tmp_path, {name: value}) == [f"config.m3.{name}"]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Every option, and a name that there is not."""
    given = {name: values[0] for name, values in WRONG.items()}
    told = mistakes(tmp_path, {**given, "decay": 0.5})
    assert sorted(told) == sorted([*(f"config.m3.{name}" for name in WRONG), "config.m3.decay"])


def test_an_unknown_option_is_told_with_the_known_ones(tmp_path: Path) -> None:
    """Misspelt, most of the time."""
    write_config(tmp_path, {"m3": {"forgets": True}})
    with pytest.raises(ConfigError) as caught:
        load_config({}, tmp_path)
    assert all(name in caught.value.message for name in OPTIONS)


@pytest.mark.parametrize("m3", [None, [], "on", True], ids=repr)
def test_the_group_is_an_object(m3: object, tmp_path: Path) -> None:
    """Switching all of it on or off means nothing."""
    assert mistakes(tmp_path, m3) == ["config.m3"]


@pytest.mark.parametrize("name", ["strength", "duplicates", "successions"])
def test_settings_made_in_python_are_held_to_the_names(name: str) -> None:
    """A name that is none would otherwise be met when it is used, in the middle of a write."""
    with pytest.raises(ValueError, match=name):
        M3Settings(**{name: "anything"})  # type: ignore[arg-type]  # a name, as the field has it


def test_settings_made_in_python_tell_all_wrong_names_at_once() -> None:
    """As a file's mistakes are told."""
    with pytest.raises(ValueError, match=r"strength.*duplicates.*successions"):
        M3Settings(strength="a", duplicates="b", successions="c")


@pytest.mark.parametrize("name", ["association", "context"])
def test_the_weights_of_links_and_of_the_chat_are_read(name: str, tmp_path: Path) -> None:
    """They stand with the other weights, and are bounded as those are."""
    config = loaded(tmp_path, {"ntm_memory": {"addressing": {name: 0.75}}})
    assert getattr(config.settings.addressing, name) == 0.75
    for wrong in (-0.1, 100.1, "some", True):
        write_config(tmp_path, {"ntm_memory": {"addressing": {name: wrong}}})
        with pytest.raises(ConfigError) as caught:
            load_config({}, tmp_path)
        assert f"config.ntm_memory.addressing.{name}" in caught.value.message
