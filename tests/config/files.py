"""Writing a clawhub.json, and walking what it may hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from ntm_memory_skill.config import CONFIG_SCHEMA, PLUGIN, Config, load_config

NAMED_AFTER_THEIR_GROUP = ("reranker", "reasoning", "crossbar")
"""Groups whose entries have names that another group's have, too: their fields are told apart by the group's own."""

JSON = dict[str, Any]
Path_ = tuple[str, ...]
"""The names that lead to an entry of the plugin's config."""


def write_document(folder: Path, document: object) -> Path:
    """Write a clawhub.json that holds anything at all; NaN and Infinity are written as Python reads them."""
    file = folder / "clawhub.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def write_entry(folder: Path, entry: object) -> Path:
    """Write a clawhub.json with this plugin's entry."""
    return write_document(folder, {"plugins": {PLUGIN: entry}})


def write_config(folder: Path, config: object) -> Path:
    """Write a clawhub.json with this plugin's config."""
    return write_entry(folder, {"config": config})


def loaded(folder: Path, config: object) -> Config:
    """Return what a config in clawhub.json amounts to, with nothing in the environment."""
    write_config(folder, config)
    return load_config({}, folder)


def nested(path: Path_, value: object) -> JSON:
    """Return a config that holds one entry."""
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def entries(schema: Mapping[str, Any] = CONFIG_SCHEMA, path: Path_ = ()) -> Iterator[tuple[Path_, JSON]]:
    """Yield the path and the schema of everything in the plugin's config that is no group of other entries."""
    for name, part in schema["properties"].items():
        if part.get("properties"):
            yield from entries(part, (*path, name))
        else:
            yield (*path, name), part


def leaf_values(value: Any, name: str = "") -> JSON:
    """Return every value in nested dataclasses under its field's own name; one that comes twice is the same in both.

    Those of `NAMED_AFTER_THEIR_GROUP` come under the group's and their own.
    """
    if not is_dataclass(value):
        return {name: value}
    found: JSON = {}
    for each in fields(value):
        inner = leaf_values(getattr(value, each.name), each.name)
        if each.name in NAMED_AFTER_THEIR_GROUP:
            inner = {f"{each.name}.{own}": kept for own, kept in inner.items()}
        assert all(found[own] == inner[own] for own in found.keys() & inner.keys())
        found.update(inner)
    return found


def as_stored(path: Path_, value: object) -> tuple[str, object]:
    """Return the dataclass field that an entry ends up in, and what it looks like there; a key file says its name."""
    names = {"shift_kernel": "kernel", "memory_dim": "dimension", "key_file": "passphrase"}
    name = ".".join(path) if path[0] in NAMED_AFTER_THEIR_GROUP else names.get(path[-1], path[-1])
    if value == "auto" and name in {
        "dimension",
        "lexical_share",
        "reasoning.hops",
        "crossbar.dac_bits",
        "crossbar.adc_bits",
    }:
        return name, None
    if (name, value) in (("buffer_dimension", "off"), ("index_from", "never")):
        return name, None
    if name == "passphrase":
        return name, str(value).strip()
    return name, tuple(value) if isinstance(value, list) else value
