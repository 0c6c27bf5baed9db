"""What clawhub.json may not hold is refused, all of it at once, with the place of each mistake."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.config import CLAWHUB_VARIABLE, PLUGIN, Config, load_config
from ntm_memory_skill.errors import ConfigError
from tests.config.files import (
    Path_,
    entries,
    loaded,
    nested,
    write_config,
    write_document,
    write_entry,
)

ENTRIES = dict(entries())
ADDRESSING = ("ntm_memory", "addressing")
KERNEL = (*ADDRESSING, "shift_kernel")
NOT_JSON = {
    "nothing": "",
    "blanks": " \n",
    "cut short": '{"plugins": {',
    "a trailing comma": '{"plugins": {},}',
    "a comment": '{} // "plugins"',
    "nested without end": "[" * 100_000,
    "a number of 5000 digits": '{"plugins": ' + "9" * 5_000 + "}",
}


def refusal(folder: Path, **given: Any) -> ConfigError:
    """Return the error that loading the folder's configuration ends in."""
    with pytest.raises(ConfigError) as caught:
        load_config({}, folder, **given)
    assert caught.value.code == "invalid_config"
    assert caught.value.exit_status == 2
    return caught.value


def refused_paths(folder: Path, **given: Any) -> list[str]:
    """Return where the mistakes are: the error lists one a line, its place before a colon."""
    _, *mistakes = refusal(folder, **given).message.splitlines()
    return [mistake.strip().split(":")[0] for mistake in mistakes]


def dotted(path: Path_) -> str:
    """Return a path as the error writes it."""
    return ".".join(("config", *path))


def bounds() -> list[tuple[Path_, float, float]]:
    """Return each bounded entry with a bound that is allowed and the next value that is not."""
    found: list[tuple[Path_, float, float]] = []
    for path, schema in ENTRIES.items():
        for option in [schema, *schema.get("anyOf", ())]:
            whole = option.get("type") == "integer"
            if "minimum" in option:
                low = option["minimum"]
                found.append((path, low, low - 1 if whole else math.nextafter(low, -math.inf)))
            if "exclusiveMinimum" in option:
                low = option["exclusiveMinimum"]
                found.append((path, math.nextafter(low, math.inf), low))
            if "maximum" in option:
                high = option["maximum"]
                found.append((path, high, high + 1 if whole else math.nextafter(high, math.inf)))
    return found


def of_type(*kinds: str) -> list[Path_]:
    """Return the entries that take one of these types."""
    options = {path: [schema, *schema.get("anyOf", ())] for path, schema in ENTRIES.items()}
    return [path for path, given in options.items() if any(option.get("type") in kinds for option in given)]


def misfits() -> list[tuple[Path_, object]]:
    """Return each entry with a value of every type that it does not take."""
    typed = {"boolean": True, "integer": 3, "number": 2.5, "string": "text", "array": [], "object": {}, "null": None}
    found: list[tuple[Path_, object]] = []
    for path, schema in ENTRIES.items():
        kinds = {option.get("type") for option in [schema, *schema.get("anyOf", ())]}
        kinds |= {"integer"} if "number" in kinds else set()
        found.extend((path, value) for kind, value in typed.items() if kind not in kinds)
    return found


def test_a_wrong_type_and_an_unknown_key_are_reported_together(tmp_path: Path) -> None:
    """Nobody has to run it twice to hear of the second."""
    write_config(tmp_path, {"ntm_memory": {"memory_size": "large"}, "memory": {}})
    assert sorted(refused_paths(tmp_path)) == ["config.memory", "config.ntm_memory.memory_size"]


def test_every_level_is_checked_at_once(tmp_path: Path) -> None:
    """From the entry's own switches down to the head, and what only a pair of values shows."""
    config = {
        "encoder": {"model": 5, "engines": "auto"},
        "ntm_memory": {"addressing": {"content": False, "location": False}},
        "m3": {"decay": 1},
    }
    write_entry(tmp_path, {"enabled": "yes", "channel": "beta", "config": config})
    assert sorted(refused_paths(tmp_path)) == [
        "channel",
        "config.encoder.engines",
        "config.encoder.model",
        "config.m3.decay",
        "config.ntm_memory.addressing",
        "enabled",
    ]


@pytest.mark.parametrize(("path", "within", "beyond"), bounds(), ids=repr)
def test_a_bound_is_accepted_and_the_next_value_is_not(
    path: Path_, within: float, beyond: float, tmp_path: Path
) -> None:
    """Every bound that the schema states holds, on both of its sides."""
    assert loaded(tmp_path, nested(path, within)).origin is not None
    write_config(tmp_path, nested(path, beyond))
    assert refused_paths(tmp_path) == [dotted(path)]


@pytest.mark.parametrize(("path", "value"), misfits(), ids=repr)
def test_a_value_of_another_type_is_refused_in_its_place(path: Path_, value: object, tmp_path: Path) -> None:
    """A switch is no number, a number no text, null is nothing at all."""
    write_config(tmp_path, nested(path, value))
    assert refused_paths(tmp_path) == [dotted(path)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("path", of_type("integer", "number"), ids=".".join)
def test_what_is_no_finite_number_is_refused(path: Path_, value: float, tmp_path: Path) -> None:
    """NaN is neither below nor above a bound, and would otherwise slip between them."""
    write_config(tmp_path, nested(path, value))
    assert refused_paths(tmp_path) == [dotted(path)]


@pytest.mark.parametrize("path", of_type("integer"), ids=".".join)
def test_a_whole_number_with_a_point_is_refused(path: Path_, tmp_path: Path) -> None:
    """No array is 64.0 long."""
    write_config(tmp_path, nested(path, 9.0))
    assert refused_paths(tmp_path) == [dotted(path)]


@pytest.mark.parametrize(
    "kernel",
    [[], [0.33333, 0.33333, 0.33333], [0.5, 0.5], [0.2, 0.2, 0.2], [0.5, 0.5, 0.5], [1, 1, 1], [0.25, 0.5, 0.25, 0.0]],
    ids=repr,
)
def test_a_kernel_that_is_no_distribution_around_a_centre_is_refused(kernel: list[float], tmp_path: Path) -> None:
    """An odd number of shares that sum to 1 is needed."""
    write_config(tmp_path, nested(KERNEL, kernel))
    assert refused_paths(tmp_path) == [dotted(KERNEL)]


@pytest.mark.parametrize("share", [math.nan, -0.1, 1.1, "0.5", None, True], ids=repr)
def test_a_share_of_the_kernel_that_is_none_is_refused_in_its_place(share: object, tmp_path: Path) -> None:
    """The place counts from 0."""
    write_config(tmp_path, nested(KERNEL, [0.25, share, 0.25]))
    assert refused_paths(tmp_path) == [f"{dotted(KERNEL)}.1"]


@pytest.mark.parametrize("kernel", [[1.0], [1], [1 / 3] * 3, [0.3333333, 0.3333334, 0.3333338], [0, 0, 1]], ids=repr)
def test_a_kernel_that_sums_to_1_but_for_rounding_is_accepted(kernel: list[float], tmp_path: Path) -> None:
    """A third cannot be written down exactly."""
    assert loaded(tmp_path, nested(KERNEL, kernel)).settings.addressing.head.kernel == tuple(kernel)


def test_content_and_location_may_not_both_be_off(tmp_path: Path) -> None:
    """Each alone may be; without either, nothing can be found."""
    for kept in ("content", "location"):
        assert loaded(tmp_path, nested((*ADDRESSING, kept), False)).origin is not None
    write_config(tmp_path, nested(ADDRESSING, {"content": False, "location": False}))
    assert refused_paths(tmp_path) == [dotted(ADDRESSING)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("ntm_memory", "memory_size"), 0),
        (("ntm_memory", "memory_dim"), 0),
        (("ntm_memory", "num_read_heads"), 0),
        (("ntm_memory", "learning_rate"), 0),
        (("ntm_memory", "content_limit"), 0),
        (("ntm_memory", "recall_budget"), 0),
        ((*ADDRESSING, "lexical_share"), 1.5),
        ((*ADDRESSING, "key_strength"), 0),
        ((*ADDRESSING, "gate"), -0.5),
        ((*ADDRESSING, "sharpening"), 0.5),
        (("store", "lock_timeout"), -1),
    ],
)
def test_a_value_that_nothing_could_work_with_is_refused(path: Path_, value: float, tmp_path: Path) -> None:
    """Bounds that follow from what the values mean, whatever the schema says."""
    write_config(tmp_path, nested(path, value))
    assert refused_paths(tmp_path) == [dotted(path)]


def test_both_rules_across_values_are_reported_together(tmp_path: Path) -> None:
    """One does not hide the other, nor an unknown name beside them."""
    write_config(tmp_path, nested(ADDRESSING, {"content": False, "location": False, "shift_kernel": [0.5], "focus": 1}))
    assert sorted(refused_paths(tmp_path)) == [dotted(ADDRESSING), f"{dotted(ADDRESSING)}.focus", dotted(KERNEL)]


@pytest.mark.parametrize("text", NOT_JSON.values(), ids=NOT_JSON)
def test_a_file_that_is_no_json_is_refused(text: str, tmp_path: Path) -> None:
    """It is not passed over as if it were not there."""
    (tmp_path / "clawhub.json").write_text(text, encoding="utf-8")
    assert "clawhub.json" in refusal(tmp_path).message


def test_a_file_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    """Such as one that an editor wrote as UTF-16."""
    (tmp_path / "clawhub.json").write_bytes(json.dumps({}).encode("utf-16"))
    refusal(tmp_path)


@pytest.mark.parametrize("document", [[], "plugins", 3, None, {"plugins": []}, {"plugins": None}], ids=repr)
def test_a_document_of_another_shape_is_refused(document: object, tmp_path: Path) -> None:
    """It has to be an object with an object of plugins."""
    write_document(tmp_path, document)
    refusal(tmp_path)


@pytest.mark.parametrize("entry", [None, [], "on", True, {"config": None}, {"config": []}], ids=repr)
def test_an_entry_of_another_shape_is_refused(entry: object, tmp_path: Path) -> None:
    """The same for this plugin's entry and for the config in it."""
    write_entry(tmp_path, entry)
    refusal(tmp_path)


def test_what_other_plugins_keep_is_theirs(tmp_path: Path) -> None:
    """Whatever it is; only this plugin's entry is read, and the rest of the file left alone."""
    others = {"another-plugin": {"config": {"memory_size": "huge"}}, "a third": None, "ntm-memory": 3}
    mine = {"config": {"ntm_memory": {"memory_size": 7}}}
    write_document(tmp_path, {"plugins": {**others, PLUGIN: mine}, "version": 2, "channels": [None]})
    assert load_config({}, tmp_path).settings.memory_size == 7


@pytest.mark.parametrize("document", [{}, {"plugins": {}}, {"plugins": {"another": {"config": 1}}}], ids=repr)
def test_a_file_without_this_plugin_gives_the_defaults(document: object, tmp_path: Path) -> None:
    """And says that it was read."""
    file = write_document(tmp_path, document)
    assert load_config({}, tmp_path) == Config(origin=file)


def test_a_named_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    """Though one lies in the folder: the one that was named is meant."""
    write_config(tmp_path, {})
    named = tmp_path / "elsewhere.json"
    with pytest.raises(ConfigError) as caught:
        load_config({CLAWHUB_VARIABLE: str(named)}, tmp_path)
    assert str(named) in caught.value.message
    assert CLAWHUB_VARIABLE in caught.value.hint


def test_a_named_folder_is_refused(tmp_path: Path) -> None:
    """A folder cannot be read as a file."""
    with pytest.raises(ConfigError):
        load_config({CLAWHUB_VARIABLE: str(tmp_path)}, tmp_path)


@pytest.mark.parametrize(
    ("overrides", "path"),
    [
        ({"encoder": {"model": 5}}, ("encoder", "model")),
        ({"encoders": {}}, ("encoders",)),
        ({"ntm_memory": []}, ("ntm_memory",)),
        (nested((*ADDRESSING, "key_strength"), math.nan), (*ADDRESSING, "key_strength")),
        (nested(KERNEL, [0.5]), KERNEL),
    ],
    ids=repr,
)
def test_overrides_are_held_to_the_same_schema(overrides: dict[str, Any], path: Path_, tmp_path: Path) -> None:
    """An argument is no safer than a file."""
    assert refused_paths(tmp_path, overrides=overrides) == [dotted(path)]


def test_a_file_and_overrides_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    """Each is right by itself; together they leave nothing to look by."""
    write_config(tmp_path, nested((*ADDRESSING, "content"), False))
    overrides = nested((*ADDRESSING, "location"), False)
    assert refused_paths(tmp_path, overrides=overrides) == [dotted(ADDRESSING)]


def test_the_number_of_mistakes_is_said(tmp_path: Path) -> None:
    """So that a list that was cut off by a terminal is noticed."""
    write_config(tmp_path, {"one": 1, "two": 2, "three": 3})
    head, *mistakes = refusal(tmp_path).message.splitlines()
    assert [int(number) for number in re.findall(r"\d+", head.replace(str(tmp_path), ""))] == [len(mistakes)] == [3]
