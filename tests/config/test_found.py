"""What is configured, unchecked: two processes that find the same are configured alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.config import CLAWHUB_VARIABLE, ENCODER_VARIABLE, KEY_VARIABLE, MEMORY_VARIABLE, find, load_config
from ntm_memory_skill.encoder import EncoderSettings
from ntm_memory_skill.errors import ConfigError
from tests.config.files import write_config, write_document, write_entry


def fingerprint(folder: Path, **environment: str) -> str:
    """Return what a process in a folder finds."""
    found = find(environment, folder, None)
    assert found is not None
    return found.fingerprint


def test_nothing_configured_is_a_configuration(tmp_path: Path) -> None:
    """With the defaults of the loaded one."""
    found, loaded = find({}, tmp_path, None), load_config({}, tmp_path)
    assert found is not None
    assert (found.memory_file, found.resident) == (loaded.memory_file, loaded.resident)


@pytest.mark.parametrize(
    "config",
    [
        {"ntm_memory": {"memory_size": 3}},
        {"store": {"lock_timeout": 1}},
        {"m3": {"gists": True}},
        {"ntm_memory": {"nobody": 3}},
        {"encoder": {"model": "other"}},
    ],
    ids=str,
)
def test_what_may_change_an_answer_changes_the_fingerprint(tmp_path: Path, config: Any) -> None:
    """Right or wrong."""
    before = fingerprint(tmp_path)
    write_config(tmp_path, config)
    assert fingerprint(tmp_path) != before


@pytest.mark.parametrize("config", [{}, {"m3": {"gists": True}}, {"ntm_memory": {"memory_size": 3}}], ids=str)
def test_where_nothing_is_said_of_the_encoder_it_is_the_plain_one(tmp_path: Path, config: Any) -> None:
    """The checked configuration says so as well."""
    write_config(tmp_path, config)
    found = find({}, tmp_path, None)
    assert found is not None
    assert found.plain_encoder
    assert load_config({}, tmp_path).settings.encoder == EncoderSettings()


@pytest.mark.parametrize(
    ("config", "environment"),
    [
        ({"encoder": {"engine": "torch"}}, {}),
        ({"encoder": {"query_prefix": "ask: "}}, {}),
        ({"encoder": {"model": "bundled"}}, {}),
        ({"encoder": {"engien": "auto"}}, {}),
        ({"ntm_memory": {"memory_dim": 64}}, {}),
        ({}, {ENCODER_VARIABLE: "other"}),
    ],
    ids=str,
)
def test_whatever_is_said_of_it_has_to_be_looked_at(tmp_path: Path, config: Any, environment: dict[str, str]) -> None:
    """Right or wrong, in the file or by a variable."""
    write_config(tmp_path, config)
    found = find(environment, tmp_path, None)
    assert found is not None
    assert not found.plain_encoder


@pytest.mark.parametrize(("variable", "value"), [(ENCODER_VARIABLE, "other"), (KEY_VARIABLE, "secret")])
def test_so_do_variables(tmp_path: Path, variable: str, value: str) -> None:
    """The key is not readable in it."""
    changed = fingerprint(tmp_path, **{variable: value})
    assert changed != fingerprint(tmp_path)
    assert value not in changed


def test_a_key_in_a_file_is_one_in_the_environment(tmp_path: Path) -> None:
    """It is the text that counts, and which file named it."""
    write_config(tmp_path, {"store": {"key_file": "key.txt"}})
    (tmp_path / "key.txt").write_text("one\n")
    one = fingerprint(tmp_path)
    assert fingerprint(tmp_path, **{KEY_VARIABLE: "one"}) == one
    (tmp_path / "key.txt").write_text("other\n")
    assert fingerprint(tmp_path) != one


@pytest.mark.parametrize(
    "entry",
    [{"auto_update": False}, {"config": {"ntm_memory": {"resident": {"mode": "start", "minutes": 3}}}}],
    ids=str,
)
def test_what_changes_no_answer_changes_nothing(tmp_path: Path, entry: Any) -> None:
    """How residents are used, above all."""
    before = fingerprint(tmp_path)
    write_entry(tmp_path, entry)
    assert fingerprint(tmp_path) == before


def test_a_model_in_a_folder_here_is_another_one_elsewhere(tmp_path: Path) -> None:
    """Its name is relative; an absolute one, and the bundled model, are the same everywhere."""
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    for model, same in (("mine", False), (str(tmp_path / "mine"), True), ("bundled", True)):
        one, other = (fingerprint(folder, **{ENCODER_VARIABLE: model}) for folder in folders)
        assert (one == other) is same


@pytest.mark.parametrize(
    "resident",
    [
        {"mode": "never"},
        {"mode": 1},
        {"minutes": 0},
        {"minutes": True},
        {"minutes": "15"},
        {"minutes": 10_081},
        {"minutes": float("nan")},
        {"hours": 1},
        [],
        None,
    ],
    ids=str,
)
def test_settings_that_are_refused_are_not_found(tmp_path: Path, resident: Any) -> None:
    """By both."""
    write_config(tmp_path, {"ntm_memory": {"resident": resident}})
    assert find({}, tmp_path, None) is None
    with pytest.raises(ConfigError):
        load_config({}, tmp_path)


@pytest.mark.parametrize(
    "resident", [{}, {"mode": "start"}, {"mode": "off", "minutes": 0.5}, {"minutes": 10_080}], ids=str
)
def test_settings_that_are_taken_are_found_alike(tmp_path: Path, resident: Any) -> None:
    """With their defaults."""
    write_config(tmp_path, {"ntm_memory": {"resident": resident}})
    found = find({}, tmp_path, None)
    assert found is not None
    assert found.resident == load_config({}, tmp_path).resident


@pytest.mark.parametrize(
    "document",
    [[], {"plugins": []}, {"plugins": {"official-1580021414-afk-ntm-memory-system": []}}],
    ids=str,
)
def test_a_file_of_another_shape_is_looked_at_closely(tmp_path: Path, document: object) -> None:
    """It is refused, with its reasons, by what checks it."""
    write_document(tmp_path, document)
    assert find({}, tmp_path, None) is None


@pytest.mark.parametrize(
    "entry",
    [{"enabled": False}, {"enabled": "yes"}, {"config": 3}, {"config": {"store": 3}}, {"config": {"encoder": None}}],
    ids=str,
)
def test_an_entry_that_is_switched_off_or_wrong_is_looked_at_closely(tmp_path: Path, entry: object) -> None:
    """Nothing is asked of anybody meanwhile."""
    write_entry(tmp_path, entry)
    assert find({}, tmp_path, None) is None


@pytest.mark.parametrize(
    "environment",
    [
        {CLAWHUB_VARIABLE: "nowhere.json"},
        {MEMORY_VARIABLE: "../climbs.json"},
        {MEMORY_VARIABLE: "~nobody at all/a.json"},
    ],
    ids=str,
)
def test_so_is_an_environment_that_names_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    """Or climbs out of its folder."""
    assert find(environment, tmp_path, None) is None


def test_the_command_line_names_the_memory_first(tmp_path: Path) -> None:
    """Then the environment."""
    for argument, wanted in ((Path("argument.json"), "argument.json"), (None, "variable.json")):
        found = find({MEMORY_VARIABLE: "variable.json"}, tmp_path, argument)
        assert found is not None
        assert found.memory_file == Path(wanted)
