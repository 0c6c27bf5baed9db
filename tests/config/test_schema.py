"""What may be configured is what is read: no entry without an effect, no default but the dataclasses' own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ntm_memory_skill.config import CONFIG_SCHEMA, Config, load_config, violations
from ntm_memory_skill.config.schema import ENTRY_SCHEMA
from tests.config.files import (
    JSON,
    Path_,
    as_stored,
    entries,
    leaf_values,
    loaded,
    nested,
    write_entry,
)

PREFIXES = {("encoder", "query_prefix"), ("encoder", "passage_prefix")}
"""Where nothing is said, the model's own files are asked."""

KEY_FILE = ("store", "key_file")
"""Where nothing is said, nothing is encrypted. Not the name is kept but what its file says: see test_key.py, too."""

RERANKER = ("reranker", "model")
"""Where nothing is said, there is none."""

WITHOUT_DEFAULT = {*PREFIXES, KEY_FILE, RERANKER}

ENTRIES = dict(entries())


def another_value(schema: JSON) -> object:
    """Return a legal value other than the default."""
    if "anyOf" in schema:
        return next(option["minimum"] for option in schema["anyOf"] if "minimum" in option)
    if "enum" in schema:
        return next(option for option in schema["enum"] if option != schema["default"])
    if schema["type"] in ("integer", "number"):
        low, high, default = schema.get("minimum", 0), schema["maximum"], schema["default"]
        if schema["type"] == "integer":
            return default + 1
        return (default + (high if default < high else low)) / 2
    return {"boolean": not schema.get("default"), "string": "another: ", "array": [0.25, 0.5, 0.25]}[schema["type"]]


def differences(one: Config, other: Config) -> JSON:
    """Return the fields in which `one` differs from `other`, as they are in `one`; where it was read from aside."""
    before = leaf_values(replace(other, origin=None))
    return {name: value for name, value in leaf_values(replace(one, origin=None)).items() if value != before[name]}


def test_the_schemas_are_json_schema() -> None:
    """They are published in skill.yaml, for other programs to check with."""
    Draft202012Validator.check_schema(CONFIG_SCHEMA)
    Draft202012Validator.check_schema(ENTRY_SCHEMA)


def test_the_entries_without_a_value_are_the_known_ones() -> None:
    """Else the set above has gone stale, and the tests below pass over something."""
    assert {path for path, schema in ENTRIES.items() if "default" not in schema} == WITHOUT_DEFAULT


@pytest.mark.parametrize("path", sorted(ENTRIES.keys() - WITHOUT_DEFAULT), ids=".".join)
def test_a_default_is_the_dataclass_s_own(path: Path_) -> None:
    """What the documentation promises is what happens where nothing is configured."""
    name, value = as_stored(path, ENTRIES[path]["default"])
    assert leaf_values(Config())[name] == value


@pytest.mark.parametrize("path", sorted(PREFIXES), ids=".".join)
def test_a_prefix_is_the_model_s_own_by_default(path: Path_) -> None:
    """None stands for that."""
    assert leaf_values(Config())[path[-1]] is None


def test_nothing_is_encrypted_by_default() -> None:
    """There is no key, and none is made up."""
    assert leaf_values(Config())["passphrase"] is None


def test_no_reranker_is_used_or_fetched_by_default() -> None:
    """Somebody has to name one, and to allow its download apart from the encoder's."""
    assert leaf_values(Config())["reranker.model"] is None
    assert leaf_values(Config())["reranker.allow_download"] is False


def test_writing_every_default_down_changes_nothing(tmp_path: Path) -> None:
    """Each default is legal, and says what saying nothing says."""
    config: JSON = {}
    for path, schema in entries():
        group = config
        for name in path[:-1]:
            group = group.setdefault(name, {})
        if "default" in schema:
            group[path[-1]] = schema["default"]
    assert differences(loaded(tmp_path, config), Config()) == {}


@pytest.mark.parametrize("path", sorted(ENTRIES), ids=".".join)
def test_an_entry_ends_up_in_the_field_of_its_name_and_nowhere_else(path: Path_, tmp_path: Path) -> None:
    """An entry that is accepted and does nothing is caught here, and so is one that lands in the wrong place."""
    value = another_value(ENTRIES[path])
    if path == KEY_FILE:
        (tmp_path / str(value)).write_text(str(value), encoding="utf-8")
    name, stored = as_stored(path, value)
    assert differences(loaded(tmp_path, nested(path, value)), Config()) == {name: stored}


@pytest.mark.parametrize("name", ["enabled", "auto_update"])
def test_the_switches_beside_the_config_are_read(name: str, tmp_path: Path) -> None:
    """ClawHub sets these two; whether the file says anything of them is known, too."""
    write_entry(tmp_path, {name: False})
    assert differences(load_config({}, tmp_path), Config()) == {name: False, "stated": frozenset({name})}


def test_a_text_of_no_characters_is_a_prefix_but_no_model() -> None:
    """An empty prefix switches off what the model's files ask for; an empty model name names nothing."""
    assert violations({"encoder": {"query_prefix": "", "passage_prefix": ""}}, CONFIG_SCHEMA) == []
    for group in ("encoder", "reranker"):
        assert [each.path for each in violations({group: {"model": ""}}, CONFIG_SCHEMA)] == [f"{group}.model"]
